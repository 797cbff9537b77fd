/**
 * Randomness, as a server uses it; a test puts a seeded one in its place.
 *
 * @module
 */

/** Where a server gets its random numbers. */
export interface Randomness {
  /** A double from 0 up to 1, good enough to choose by. */
  number(): number;
  /** A signed 32-bit integer that nobody can predict, for seeds. */
  secret(): number;
  /** `length` hexadecimal digits that nobody can predict, for ids. */
  hex(length: number): string;
}

/** The randomness of the machine. */
export const systemRandomness: Randomness = {
  number: () => Math.random(),
  secret: () => crypto.getRandomValues(new Int32Array(1))[0],
  hex: (length) => {
    const bytes = crypto.getRandomValues(new Uint8Array((length + 1) >>> 1));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("").slice(
      0,
      length,
    );
  },
};
