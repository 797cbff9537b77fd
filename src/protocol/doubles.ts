/**
 * Doubles as text: scores, coordinates and everything else that Redis keeps as a C `double`.
 *
 * Printing is C's `%.17g`. It differs from `toPrecision(17)` in the layout (trailing zeros are cut,
 * exponents have two digits and start at 1e-05) and in ties, which C rounds to the even digit and
 * JavaScript upward. Reading is C's `strtod`; most scores are short, and are read without making a
 * string of them.
 *
 * @module
 */

import {
  DOUBLE_FORMAT,
  type FloatText,
  floatTextToFormat,
  isMultipleOfPower,
  isTiny,
  scanFloatText,
} from "./binary_float.ts";
import { writeInteger } from "./integers.ts";

const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const LOWER_CASE = 0x20;
const LETTER_E = 0x65;

/** Longest text that {@linkcode writeDouble17g} writes: "-1.7976931348623157e+308" and the like. */
export const MAX_DOUBLE_TEXT_BYTES = 24;

/** Powers of ten that a double holds exactly. */
// deno-fmt-ignore
const POWERS_OF_TEN = new Float64Array([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
]);
const LARGEST_EXACT_POWER = 22;
/** Smallest double with all its bits. */
const LEAST_NORMAL = 2 ** -1022;
/** Doubles, if those near zero had all their bits, too. */
const UNBOUNDED_FORMAT = { ...DOUBLE_FORMAT, leastExponent: 2 * DOUBLE_FORMAT.leastExponent };
/** What an empty text is read as. */
const NO_TEXT: FloatText = { kind: "decimal", negative: false, digits: "", exponent: 0 };

/**
 * The text of a double as C's `%.17g` prints it, which reads back as the same double; "inf", "-inf"
 * and "nan" for the others.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatDouble17g(0.1), "0.10000000000000001");
 * assertEquals(formatDouble17g(0.00001), "1.0000000000000001e-05");
 * assertEquals(formatDouble17g(-0), "-0");
 * ```
 */
export function formatDouble17g(value: number): string {
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? "-0" : String(value);
  if (value !== value) return "nan";
  if (value < 0) return `-${formatMagnitude(-value)}`;
  return formatMagnitude(value);
}

/**
 * Writes what {@linkcode formatDouble17g} returns at `bytes[start]`, and returns the number of bytes
 * written, at most {@linkcode MAX_DOUBLE_TEXT_BYTES}. Integers are written without making a string.
 */
export function writeDouble17g(bytes: Uint8Array, start: number, value: number): number {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    return writeInteger(bytes, start, value);
  }
  const text = formatDouble17g(value);
  for (let index = 0; index < text.length; index++) bytes[start + index] = text.charCodeAt(index);
  return text.length;
}

function formatMagnitude(value: number): string {
  if (value === Infinity) return "inf";
  const tie = isTie(value);
  if (value >= 1e-4 && value < 1e17) {
    // One digit more is exact for a tie, and cutting it off rounds down, to an even digit.
    const text = tie ? value.toPrecision(18).slice(0, -1) : value.toPrecision(17);
    return value < 1e16 ? withoutTrailingZeros(text) : text;
  }
  const text = value.toExponential(tie ? 17 : 16);
  const mark = text.indexOf("e");
  const digits = withoutTrailingZeros(text.slice(0, tie ? mark - 1 : mark));
  const sign = text[mark + 1];
  return `${digits}e${sign}${text.slice(mark + 2).padStart(2, "0")}`;
}

/** Cuts the zeros at the end of a text with a point, and the point if nothing is left behind it. */
function withoutTrailingZeros(text: string): string {
  let end = text.length;
  while (text.charCodeAt(end - 1) === ZERO) end--;
  if (text.charCodeAt(end - 1) === POINT) end--;
  return text.slice(0, end);
}

/**
 * Whether the value lies exactly between two numbers of 17 digits, of which the lower is even, so
 * that C rounds down where JavaScript rounds up.
 *
 * Such a value has 18 digits, the last a 5. Integers of that size are even, so it has a fraction:
 * an odd number m times 2^-k, whose digits are those of m * 5^k. For 18 digits k is at most 25, and,
 * as m is below 2^53, at least 2. The multiplication below rules out nearly all other values.
 */
function isTie(value: number): boolean {
  if (value < 2 ** -25 || value >= 2 ** 51) return false;
  const scaled = value * 2 ** 25;
  if (scaled !== Math.floor(scaled)) return false;
  return /^[0-9.]{17}[02468]50*e/.test(value.toExponential(44));
}

/**
 * Reads a double from text, by the rules of Redis: whatever `strtod` takes, decimal, hexadecimal or
 * infinity, but no spaces, nothing behind the number, no NaN, no number out of range (infinity must
 * be written as such, and what rounds to zero must be zero). Undefined otherwise; the reply then is
 * "ERR value is not a valid float" for most commands.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const parse = (text: string) => parseDouble(new TextEncoder().encode(text), 0, text.length);
 * assertEquals(parse("1.5e3"), 1500);
 * assertEquals(parse("-inf"), -Infinity);
 * assertEquals(parse("1e999"), undefined);
 * ```
 */
export function parseDouble(
  bytes: Uint8Array,
  start: number,
  length: number,
): number | undefined {
  const simple = parseSimpleDouble(bytes, start, length);
  if (simple === simple) return simple;
  const text = scanFloatText(bytes, start, length);
  if (text === undefined) return undefined;
  const value = nearestDouble(text);
  if (text.kind !== "infinity") {
    if (value === Infinity || value === -Infinity) return undefined;
    if (value === 0 && text.digits !== "") return undefined;
  }
  return value;
}

/**
 * Reads one end of a score range, without its "(", the way Redis reads it: like
 * {@linkcode parseDouble}, but spaces may stand before the number, a zero byte ends it, the empty
 * text is zero, and numbers out of range become infinity or zero. Undefined if it isn't a number;
 * the reply then is "ERR min or max is not a float".
 */
export function parseScoreBound(
  bytes: Uint8Array,
  start: number,
  length: number,
): number | undefined {
  const simple = parseSimpleDouble(bytes, start, length);
  if (simple === simple) return simple;
  const text = scanLoosely(bytes, start, length);
  return text === undefined ? undefined : nearestDouble(text);
}

/**
 * Reads a number by which SORT compares: as {@linkcode parseScoreBound}, but a number that C's `strtod` finds out of range
 * is none: one too large, or one so close to zero that a double has fewer bits than elsewhere, and too few for this number.
 */
export function parseSortWeight(
  bytes: Uint8Array,
  start: number,
  length: number,
): number | undefined {
  const simple = parseSimpleDouble(bytes, start, length);
  if (simple === simple) return simple;
  const text = scanLoosely(bytes, start, length);
  if (text === undefined) return undefined;
  const value = nearestDouble(text);
  if (text.kind === "infinity" || text.digits === "") return value;
  const size = Math.abs(value);
  if (size === Infinity || size === 0) return undefined;
  return size <= LEAST_NORMAL && losesBits(text) ? undefined : value;
}

/**
 * Whether a number that isn't rounded to zero has too few bits as a double since it is so close to zero. A number that rounds
 * up to the smallest double with all bits is that close if rounding to the same number of bits would leave it below.
 */
function losesBits(text: Exclude<FloatText, { kind: "infinity" }>): boolean {
  const rounded = floatTextToFormat(text, UNBOUNDED_FORMAT);
  return rounded !== undefined && isTiny(rounded, DOUBLE_FORMAT) &&
    !isMultipleOfPower(text, DOUBLE_FORMAT.leastExponent);
}

/** As C's `strtod` reads a text to its end: spaces may stand before the number, a zero byte ends it, nothing is zero. */
function scanLoosely(bytes: Uint8Array, start: number, length: number): FloatText | undefined {
  let end = start;
  while (end < start + length && bytes[end] !== 0) end++;
  if (end === start) return NO_TEXT;
  let position = start;
  while (position < end && isSpace(bytes[position])) position++;
  return scanFloatText(bytes, position, end - position);
}

/**
 * Reads a decimal number whose digits make an integer below 2^53, and whose power of ten is a double
 * too: then one multiplication or division is all the rounding there is. NaN for any other text.
 */
function parseSimpleDouble(bytes: Uint8Array, start: number, length: number): number {
  let position = start;
  const end = start + length;
  let negative = false;
  if (length > 0 && (bytes[position] === MINUS || bytes[position] === PLUS)) {
    negative = bytes[position] === MINUS;
    position++;
  }
  // Once past 2^53 the sum is no longer exact, but stays past it.
  let mantissa = 0;
  const wholeStart = position;
  while (position < end) {
    const digit = bytes[position] - ZERO;
    if (digit < 0 || digit > 9) break;
    mantissa = mantissa * 10 + digit;
    position++;
  }
  let digits = position - wholeStart;
  let exponent = 0;
  if (position < end && bytes[position] === POINT) {
    const fractionStart = ++position;
    while (position < end) {
      const digit = bytes[position] - ZERO;
      if (digit < 0 || digit > 9) break;
      mantissa = mantissa * 10 + digit;
      position++;
    }
    exponent = fractionStart - position;
    digits -= exponent;
  }
  if (digits === 0 || mantissa > Number.MAX_SAFE_INTEGER) return NaN;
  if (position < end) {
    if ((bytes[position] | LOWER_CASE) !== LETTER_E) return NaN;
    const written = parseShortExponent(bytes, position + 1, end);
    if (written !== written) return NaN;
    exponent += written;
  }
  if (exponent < 0) {
    if (exponent < -LARGEST_EXACT_POWER) return NaN;
    mantissa /= POWERS_OF_TEN[-exponent];
  } else if (exponent > 0) {
    if (exponent > LARGEST_EXACT_POWER) return NaN;
    mantissa *= POWERS_OF_TEN[exponent];
  }
  return negative ? -mantissa : mantissa;
}

/** An exponent of one to three digits; NaN for any other text. */
function parseShortExponent(bytes: Uint8Array, start: number, end: number): number {
  let position = start;
  let negative = false;
  if (position < end && (bytes[position] === MINUS || bytes[position] === PLUS)) {
    negative = bytes[position] === MINUS;
    position++;
  }
  if (position === end || end - position > 3) return NaN;
  let exponent = 0;
  while (position < end) {
    const digit = bytes[position++] - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    exponent = exponent * 10 + digit;
  }
  return negative ? -exponent : exponent;
}

/** The double nearest to a number's text: infinity or zero if it's out of range. */
function nearestDouble(text: FloatText): number {
  let magnitude: number;
  if (text.kind === "infinity") {
    magnitude = Infinity;
  } else if (text.kind === "decimal") {
    magnitude = Number(`${text.digits || "0"}e${text.exponent}`);
  } else {
    const rounded = floatTextToFormat(text, DOUBLE_FORMAT);
    magnitude = rounded === undefined ? Infinity : Number(rounded.mantissa) * 2 ** rounded.exponent;
  }
  return text.negative ? -magnitude : magnitude;
}

/** What `isspace` takes for a space in the C locale. */
function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}
