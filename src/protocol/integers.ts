/**
 * 64-bit integers as decimal text, without BigInt and without allocation.
 *
 * A value is a pair of 32-bit halves in two's complement, because a double holds integers exactly
 * only up to 2^53. Most values are small, so every function looks for the small case first, which
 * stays in 32-bit arithmetic. Longer text is taken apart into its last nine digits and the rest:
 * the product of the rest and 10^9 is had exactly from two inexact halves, the lower 32 bits from
 * integer arithmetic (exact modulo 2^32), the upper ones from a double (close enough to round).
 *
 * @module
 */

const ZERO = 0x30;
const MINUS = 0x2d;
const TWO_TO_THE_32 = 4294967296;
const BILLION = 1_000_000_000;

/** Longest text that {@linkcode writeInteger64} writes: the sign and 19 digits. */
export const MAX_INTEGER_TEXT_BYTES = 20;

/** Where a function leaves a signed 64-bit value: two's complement, each half an int32. */
export class Int64 {
  /** Bits 32 to 63, as a signed 32-bit integer. */
  high: number;
  /** Bits 0 to 31, as a signed 32-bit integer. */
  low: number;

  /** A holder of the given halves, both zero by default. */
  constructor(high = 0, low = 0) {
    this.high = high | 0;
    this.low = low | 0;
  }
}

/**
 * Reads the canonical decimal text of a signed 64-bit integer at `bytes[start..start+length)` into
 * `out`. Returns false, and leaves `out` in an unspecified state, when the text isn't one: empty,
 * with leading zeros, a plus sign, spaces, as "-0", or out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const out = new Int64();
 * const text = new TextEncoder().encode("-2");
 * assertEquals(parseInteger64(text, 0, text.length, out), true);
 * assertEquals([out.high, out.low], [-1, -2]);
 * ```
 */
export function parseInteger64(
  bytes: Uint8Array,
  start: number,
  length: number,
  out: Int64,
): boolean {
  let position = start;
  const end = start + length;
  let negative = false;
  if (length > 1 && bytes[position] === MINUS) {
    negative = true;
    position++;
  }
  const digits = end - position;
  if (digits < 1 || digits > 19) return false;
  let digit = bytes[position++] - ZERO;
  if (digit === 0 && length === 1) {
    out.high = 0;
    out.low = 0;
    return true;
  }
  if (digit < 1 || digit > 9) return false;

  // The last nine digits of a longer text, and the tenth before them if there are 19, are left.
  const headEnd = digits <= 9 ? end : digits === 19 ? end - 10 : end - 9;
  let head = digit;
  while (position < headEnd) {
    digit = bytes[position++] - ZERO;
    if (digit < 0 || digit > 9) return false;
    head = (head * 10 + digit) | 0;
  }
  if (position === end) {
    if (negative) head = -head | 0;
    out.low = head;
    out.high = head >> 31;
    return true;
  }
  return parseLastDigits(bytes, position, end, head, negative, out);
}

/** Goes on with the last nine or ten digits behind those whose value is `head`. */
function parseLastDigits(
  bytes: Uint8Array,
  position: number,
  end: number,
  head: number,
  negative: boolean,
  out: Int64,
): boolean {
  if (end - position === 10) {
    const digit = bytes[position++] - ZERO;
    if (digit < 0 || digit > 9) return false;
    head = head * 10 + digit;
  }
  let tail = 0;
  while (position < end) {
    const digit = bytes[position++] - ZERO;
    if (digit < 0 || digit > 9) return false;
    tail = (tail * 10 + digit) | 0;
  }
  // The low half is exact in integer arithmetic. The double sum may be off by 2^11, far less than
  // half of 2^32, so that without the low half it rounds to the exact high one.
  let low = (Math.imul(head | 0, BILLION) + tail) | 0;
  let high = Math.round((head * BILLION + tail - (low >>> 0)) / TWO_TO_THE_32);
  if (high > 0x7fffffff && !(negative && high === 0x80000000 && low === 0)) return false;
  if (negative) {
    low = -low | 0;
    high = low === 0 ? -high : ~high;
  }
  out.high = high | 0;
  out.low = low;
  return true;
}

/**
 * Writes the decimal text of a safe integer (its magnitude below 2^53) at `bytes[start]`, and
 * returns the number of bytes written, at most 17.
 */
export function writeInteger(bytes: Uint8Array, start: number, value: number): number {
  let position = start;
  if (value < 0) {
    bytes[position++] = MINUS;
    value = -value;
  }
  if (value <= 0x7fffffff) return writeSmall(bytes, position, value) - start;
  const upper = Math.floor(value / BILLION);
  position = writeSmall(bytes, position, upper);
  writeNineDigits(bytes, position, value - upper * BILLION);
  return position + 9 - start;
}

/**
 * Writes the decimal text of a signed 64-bit integer at `bytes[start]`, and returns the number of
 * bytes written, at most {@linkcode MAX_INTEGER_TEXT_BYTES}.
 */
export function writeInteger64(
  bytes: Uint8Array,
  start: number,
  high: number,
  low: number,
): number {
  if (high === low >> 31) return writeInteger(bytes, start, low);
  // Halves from -2^21 to 2^21 - 1 keep the value within the safe integers.
  if (high >= -0x200000 && high < 0x200000) {
    return writeInteger(bytes, start, high * TWO_TO_THE_32 + (low >>> 0));
  }
  let position = start;
  if (high < 0) {
    bytes[position++] = MINUS;
    low = -low | 0;
    high = low === 0 ? -high : ~high;
  }
  return writeLong(bytes, position, high, low) - start;
}

/**
 * As {@linkcode writeInteger64}, for an unsigned integer: halves as {@linkcode Int64} has them, but the upper one's sign is a bit
 * like any other.
 */
export function writeUnsigned64(
  bytes: Uint8Array,
  start: number,
  high: number,
  low: number,
): number {
  if (high >= 0) return writeInteger64(bytes, start, high, low);
  return writeLong(bytes, start, high >>> 0, low) - start;
}

/** Writes a value of ten digits and more, its upper half unsigned; returns the position behind it. */
function writeLong(bytes: Uint8Array, position: number, high: number, low: number): number {
  // The double is off by at most 2^11, so its quotient by at most one, which the remainder, exact
  // in integer arithmetic, tells.
  let upper = Math.floor((high * TWO_TO_THE_32 + (low >>> 0)) / BILLION);
  let lastNine = (low - Math.imul(upper | 0, BILLION)) | 0;
  if (lastNine < 0) {
    upper--;
    lastNine += BILLION;
  } else if (lastNine >= BILLION) {
    upper++;
    lastNine -= BILLION;
  }
  position += writeInteger(bytes, position, upper);
  writeNineDigits(bytes, position, lastNine);
  return position + 9;
}

/**
 * Adds two signed 64-bit integers, each given as its halves, into `out`. Returns false, and leaves
 * `out` as it was, when the sum is out of range.
 */
export function addInteger64(
  high: number,
  low: number,
  addHigh: number,
  addLow: number,
  out: Int64,
): boolean {
  const sumLow = (low + addLow) | 0;
  const carry = (sumLow >>> 0) < (low >>> 0) ? 1 : 0;
  const sumHigh = (high + addHigh + carry) | 0;
  // It overflowed when both operands have the sign that the sum has not.
  if (((high ^ sumHigh) & (addHigh ^ sumHigh)) < 0) return false;
  out.high = sumHigh;
  out.low = sumLow;
  return true;
}

/** Writes a value from 0 to 2^31 - 1 without padding; returns the position behind it. */
function writeSmall(bytes: Uint8Array, start: number, value: number): number {
  value = value | 0;
  if (value < 10) {
    bytes[start] = ZERO + value;
    return start + 1;
  }
  const end = start + decimalDigits(value);
  let position = end;
  if (value >= 10_000) {
    const upper = (value / 10_000) | 0;
    position -= 4;
    writeFourDigits(bytes, position, value - upper * 10_000);
    value = upper;
  }
  while (value >= 100) {
    const quotient = (value / 100) | 0;
    position -= 2;
    writePair(bytes, position, value - quotient * 100);
    value = quotient;
  }
  if (value >= 10) {
    writePair(bytes, position - 2, value);
  } else {
    bytes[position - 1] = ZERO + value;
  }
  return end;
}

/** Writes a value below 100 as two digits: 103 / 1024 is close enough to a tenth for these. */
function writePair(bytes: Uint8Array, start: number, value: number): void {
  const tens = (value * 103) >> 10;
  bytes[start] = ZERO + tens;
  bytes[start + 1] = ZERO + value - tens * 10;
}

function decimalDigits(value: number): number {
  if (value < 100_000) {
    if (value < 100) return value < 10 ? 1 : 2;
    if (value < 10_000) return value < 1000 ? 3 : 4;
    return 5;
  }
  if (value < 10_000_000) return value < 1_000_000 ? 6 : 7;
  if (value < BILLION) return value < 100_000_000 ? 8 : 9;
  return 10;
}

/** Writes a value below 10^9 as exactly nine digits; the two halves don't wait for each other. */
function writeNineDigits(bytes: Uint8Array, start: number, value: number): void {
  value = value | 0;
  const upper = (value / 10_000) | 0;
  const first = (upper / 10_000) | 0;
  bytes[start] = ZERO + first;
  writeFourDigits(bytes, start + 1, upper - first * 10_000);
  writeFourDigits(bytes, start + 5, value - upper * 10_000);
}

/** Writes a value below 10^4 as exactly four digits. */
function writeFourDigits(bytes: Uint8Array, start: number, value: number): void {
  const upper = (value / 100) | 0;
  writePair(bytes, start, upper);
  writePair(bytes, start + 2, value - upper * 100);
}
