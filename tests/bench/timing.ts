/**
 * Waiting.
 *
 * @module
 */

/** Resolves after `durationMs`: for what no event announces, such as memory that settles. */
export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
