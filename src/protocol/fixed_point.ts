/**
 * Doubles with a fixed number of digits behind the point: C's `%.4f` and its like, for distances and coordinates.
 *
 * `toFixed` prints the exact value, too, and differs from C in two things: what lies exactly between two texts is rounded
 * up, where C takes the even digit; and numbers from 10^21 on get an exponent.
 *
 * @module
 */

const LARGEST_FIXED = 1e21;

/**
 * The text of `value` with `digits` digits behind the point, 20 at most; "inf", "-inf" and "nan" for what has none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatFixed(166274.15156960033, 4), "166274.1516");
 * assertEquals(formatFixed(0.03125, 4), "0.0312");
 * ```
 */
export function formatFixed(value: number, digits: number): string {
  if (value !== value) return "nan";
  if (value < 0 || Object.is(value, -0)) return `-${formatMagnitude(-value, digits)}`;
  return formatMagnitude(value, digits);
}

/** As {@linkcode formatFixed}, without zeros at the end, nor the point if nothing is left behind it. */
export function formatTrimmed(value: number, digits: number): string {
  return formatFixed(value, digits).replace(/\.?0+$/, "");
}

function formatMagnitude(value: number, digits: number): string {
  if (value === Infinity) return "inf";
  // No double of this size has a fraction.
  if (value >= LARGEST_FIXED) return `${BigInt(value)}.${"0".repeat(digits)}`;
  // A tie is an odd number of halves of the last digit: value * 10^digits * 2 = (value * 2^(digits + 1)) * 5^digits.
  const scaled = value * 2 ** (digits + 1);
  if (scaled % 2 !== 1) return value.toFixed(digits);
  const lower = (BigInt(scaled) * 5n ** BigInt(digits) - 1n) / 2n;
  const even = lower % 2n === 0n ? lower : lower + 1n;
  const text = even.toString().padStart(digits + 1, "0");
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
