/**
 * Text that is an integer, as the compact formats of Redis recognise it: digits without leading zeros or
 * spaces, with a minus where it is negative, within 64 bits.
 *
 * The functions keep no state and allocate nothing, so an integer comes out in two calls, one for each half.
 * Most text is settled by its first byte or in nine digits of 32-bit arithmetic; what is longer is parsed again
 * for each half. A magnitude of up to 19 digits is `head * 10^9 + tail`: its low half is exact in integer
 * arithmetic (modulo 2^32), and the double, off by less than 2^11, then rounds to the exact high half.
 *
 * @module
 */
import type { ReadonlyView } from "./segments.ts";

/** Longest text of an integer: a sign and 19 digits. */
const LONGEST_TEXT = 20;
/** What {@linkcode shortInteger} returns for text that is none. */
export const NOT_SHORT: number = -0x80000000;

const ZERO = 0x30;
const MINUS = 0x2d;
const BILLION = 1_000_000_000;
const TWO_32 = 4294967296;

/** Where functions leave a signed integer of 64 bits; `Int64` of the protocol is one. */
export interface IntegerHalves {
  /** Bits 32 to 63, as a signed 32-bit integer. */
  high: number;
  /** Bits 0 to 31, as a signed 32-bit integer. */
  low: number;
}

/** The integer that the text is, if it has nine digits at most; else {@linkcode NOT_SHORT}. */
export function shortInteger(text: ReadonlyView, from: number, length: number): number {
  if (length === 0 || length > 10) return NOT_SHORT;
  const end = from + length;
  let digit = text.getUint8(from++) - ZERO;
  const negative = digit === MINUS - ZERO;
  if (negative) {
    if (length === 1) return NOT_SHORT;
    digit = text.getUint8(from++) - ZERO;
  } else if (length === 10) return NOT_SHORT;
  if (digit <= 0 || digit > 9) return digit === 0 && length === 1 ? 0 : NOT_SHORT;
  let value = digit;
  while (from < end) {
    digit = text.getUint8(from++) - ZERO;
    if (digit < 0 || digit > 9) return NOT_SHORT;
    value = (value * 10 + digit) | 0;
  }
  return negative ? -value : value;
}

/** Whether the text is an integer of ten digits or more that fits in 64 bits. */
export function isLongInteger(text: ReadonlyView, from: number, length: number): boolean {
  if (length < 10 || length > LONGEST_TEXT) return false;
  const negative = text.getUint8(from) === MINUS;
  const first = negative ? from + 1 : from;
  const digits = negative ? length - 1 : length;
  if (digits < 10 || digits > 19) return false;
  for (let at = first; at < first + digits; at++) {
    const digit = text.getUint8(at) - ZERO;
    if (digit < 0 || digit > 9) return false;
  }
  if (text.getUint8(first) === ZERO) return false;
  const high = magnitudeHigh(text, first, digits);
  if (high <= 0x7fffffff) return true;
  return negative && high === 0x80000000 && magnitudeLow(text, first, digits) === 0;
}

/** The low half of an integer for which {@linkcode isLongInteger} said yes. */
export function longIntegerLow(text: ReadonlyView, from: number, length: number): number {
  if (text.getUint8(from) !== MINUS) return magnitudeLow(text, from, length);
  return -magnitudeLow(text, from + 1, length - 1) | 0;
}

/** The high half of an integer for which {@linkcode isLongInteger} said yes. */
export function longIntegerHigh(text: ReadonlyView, from: number, length: number): number {
  if (text.getUint8(from) !== MINUS) return magnitudeHigh(text, from, length) | 0;
  const high = magnitudeHigh(text, from + 1, length - 1) | 0;
  return magnitudeLow(text, from + 1, length - 1) === 0 ? -high | 0 : ~high;
}

/** The low half of a row of ten to nineteen digits. */
function magnitudeLow(text: ReadonlyView, from: number, digits: number): number {
  const head = digitsValue(text, from, digits - 9);
  return (Math.imul(head | 0, BILLION) + digitsValue(text, from + digits - 9, 9)) | 0;
}

/** The high half of a row of ten to nineteen digits, up to 2^32. */
function magnitudeHigh(text: ReadonlyView, from: number, digits: number): number {
  const head = digitsValue(text, from, digits - 9);
  const tail = digitsValue(text, from + digits - 9, 9);
  const low = (Math.imul(head | 0, BILLION) + tail) >>> 0;
  return Math.round((head * BILLION + tail - low) / TWO_32);
}

/** The number that up to ten digits say. */
function digitsValue(text: ReadonlyView, from: number, digits: number): number {
  let value = 0;
  for (const end = from + digits; from < end; from++) {
    value = value * 10 + (text.getUint8(from) - ZERO);
  }
  return value;
}
