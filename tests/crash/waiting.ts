/**
 * Waiting: for a while, and not for ever.
 *
 * @module
 */

import { CrashFault } from "./crash_fault.ts";

/** How long a healthy server may take for what it is asked, on a busy machine. */
export const PATIENCE_MS = 30_000;

/** Waits so long. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Waits for something that a healthy server does.
 *
 * @throws {CrashFault} It took too long.
 */
export async function patiently<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new CrashFault(`${what} took longer than ${PATIENCE_MS} ms`)),
      PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const LOOK_MS = 50;

/**
 * Looks again and again until nothing is amiss.
 *
 * @param look What is amiss, or undefined.
 * @throws {CrashFault} Something still is when the time is over.
 */
export async function reached(
  what: string,
  limitMs: number,
  look: () => Promise<string | undefined>,
): Promise<void> {
  const latest = performance.now() + limitMs;
  while (true) {
    const amiss = await look();
    if (amiss === undefined) return;
    if (performance.now() > latest) {
      throw new CrashFault(`${what} took longer than ${limitMs} ms: ${amiss}`);
    }
    await sleep(LOOK_MS);
  }
}
