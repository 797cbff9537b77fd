/**
 * Amounts of memory in settings and for people: "100mb".
 *
 * @module
 */

const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["k", 1000],
  ["kb", 1024],
  ["m", 1000 ** 2],
  ["mb", 1024 ** 2],
  ["g", 1000 ** 3],
  ["gb", 1024 ** 3],
]);

const MAX_UINT64 = 2n ** 64n - 1n;

/** Redis copies the digits into a buffer of this size before it reads them. */
const MAX_DIGITS = 127;

/**
 * The number of bytes that a text such as "512", "64kb" or "1G" means, in either case: "k", "m" and
 * "g" are powers of 1000, "kb", "mb" and "gb" of 1024. Undefined for anything else, a sign, a point
 * and a space included.
 *
 * Odd texts mean to it what they mean to Redis: no digits are zero, more than 64 bits of digits are
 * 2^64 - 1, and the product with the unit wraps around at 2^64. Beyond 2^53 the result is the
 * nearest double.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseMemorySize("1kb"), 1024);
 * assertEquals(parseMemorySize("1k"), 1000);
 * assertEquals(parseMemorySize("-1"), undefined);
 * ```
 */
export function parseMemorySize(text: string): number | undefined {
  const bytes = parseMemoryBytes(text);
  return bytes === undefined ? undefined : Number(bytes);
}

/** The same as {@linkcode parseMemorySize}, with all of its 64 bits. */
export function parseMemoryBytes(text: string): bigint | undefined {
  const match = /^([0-9]*)([a-z]*)$/i.exec(text);
  if (match === null) return undefined;
  const digits = match[1];
  const unit = UNITS.get(match[2].toLowerCase());
  if (unit === undefined || digits.length > MAX_DIGITS) return undefined;
  const count = BigInt(digits);
  return BigInt.asUintN(64, (count > MAX_UINT64 ? MAX_UINT64 : count) * BigInt(unit));
}

/** A number of bytes as people read it: `1.50M`. */
export function formatMemorySize(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  const power = Math.min(5, Math.floor(Math.log2(bytes) / 10));
  return (bytes / 1024 ** power).toFixed(2) + "KMGTP"[power - 1];
}
