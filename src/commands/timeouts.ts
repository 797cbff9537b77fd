/**
 * How long a command waits, as its arguments say it.
 *
 * @module
 */
import { LONG_DOUBLE_FORMAT, roundToFormat } from "../protocol/binary_float.ts";
import { parseLongDouble } from "../protocol/long_double.ts";
import type { Context } from "./context.ts";

const NOT_A_NUMBER = "ERR timeout is not a float or out of range";
const NOT_AN_INTEGER = "ERR timeout is not an integer or out of range";
const NEGATIVE = "ERR timeout is negative";
const MS_PER_SECOND = 1000n;
/** Most timeouts are so short that they need no exact arithmetic. */
const SHORT_DIGITS = 9;
const ZERO = 48;
/** Redis keeps milliseconds in 64 bits with a sign. */
const TOO_LONG = 2 ** 63;

/**
 * Argument `index`, a number of seconds with or without a fraction, in ms, rounded up; 0 is for ever. Undefined after
 * an error reply.
 *
 * As Redis does, it reads a long double. What doesn't fit in 64 bits, such as `inf`, is said to be negative, and what
 * lies between -1 ms and 0 is 0.
 */
export function parseTimeout(context: Context, index: number): number | undefined {
  const { bytes, starts, lengths } = context;
  const whole = shortInteger(bytes, starts[index], lengths[index]);
  if (whole >= 0) return whole * 1000;
  const seconds = parseLongDouble(context.text(index));
  if (seconds === undefined) {
    context.reply.error(NOT_A_NUMBER);
    return undefined;
  }
  const milliseconds = seconds.kind === "finite"
    ? wholeMilliseconds(seconds.mantissa, seconds.exponent, seconds.negative)
    : Infinity;
  if (milliseconds >= 0 && milliseconds < TOO_LONG) return milliseconds;
  context.reply.error(NEGATIVE);
  return undefined;
}

/** The number that a few digits are, or -1 for another text. */
function shortInteger(bytes: Uint8Array, start: number, length: number): number {
  if (length === 0 || length > SHORT_DIGITS) return -1;
  let value = 0;
  for (let at = start; at < start + length; at++) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** As {@linkcode parseTimeout}, for a whole number of milliseconds. */
export function parseTimeoutMilliseconds(context: Context, index: number): number | undefined {
  if (!context.integer(index, NOT_AN_INTEGER)) return undefined;
  if (context.number.high >= 0) return context.value;
  context.reply.error(NEGATIVE);
  return undefined;
}

/** So many seconds (`mantissa` times a power of two) in ms, rounded up. */
function wholeMilliseconds(mantissa: bigint, exponent: number, negative: boolean): number {
  // A product is a long double, too, so 0.07 seconds are 70 ms and not a little more.
  const exact = { mantissa: mantissa * MS_PER_SECOND, exponent };
  const product = roundToFormat(exact, LONG_DOUBLE_FORMAT);
  if (product === undefined || product.exponent > 64) return negative ? -Infinity : Infinity;
  if (product.exponent >= 0) {
    const whole = Number(product.mantissa << BigInt(product.exponent));
    return negative ? -whole : whole;
  }
  const shift = BigInt(-product.exponent);
  const floor = Number(product.mantissa >> shift);
  if (negative) return 0 - floor;
  const isWhole = (product.mantissa & ((1n << shift) - 1n)) === 0n;
  return isWhole ? floor : floor + 1;
}
