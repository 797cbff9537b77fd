/**
 * Exact arithmetic for binary floating-point numbers of any precision, in BigInt: what the double
 * and long double texts have in common. Slow and simple; nothing here is on a hot path.
 *
 * @module
 */

/** A number with an exact value: `mantissa * 2^exponent`, the mantissa not negative. */
export interface BinaryFloat {
  /** Significant bits. */
  readonly mantissa: bigint;
  /** Power of two by which the mantissa is multiplied. */
  readonly exponent: number;
}

/** A binary floating-point format. */
export interface BinaryFormat {
  /** Bits of the mantissa, the leading one included. */
  readonly precision: number;
  /** Exponent of the last bit of the smallest subnormal number. */
  readonly leastExponent: number;
  /** The largest finite number is below two to this power. */
  readonly overflowExponent: number;
}

/** IEEE 754 double precision, JavaScript's own number. */
export const DOUBLE_FORMAT: BinaryFormat = {
  precision: 53,
  leastExponent: -1074,
  overflowExponent: 1024,
};

/** The 80-bit extended format of x87, `long double` in C on x86-64. */
export const LONG_DOUBLE_FORMAT: BinaryFormat = {
  precision: 64,
  leastExponent: -16445,
  overflowExponent: 16384,
};

const ZERO_FLOAT: BinaryFloat = { mantissa: 0n, exponent: 0 };

/** Number of bits of a number that is not negative; none for zero. */
export function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const hex = value.toString(16);
  return hex.length * 4 - Math.clz32(parseInt(hex[0], 16)) + 28;
}

/**
 * The nearest number of the format, a tie going to the even mantissa. Undefined if it's too large
 * for the format; zero if it's too small.
 */
export function roundToFormat(value: BinaryFloat, format: BinaryFormat): BinaryFloat | undefined {
  let { mantissa, exponent } = value;
  if (mantissa === 0n) return ZERO_FLOAT;
  const length = bitLength(mantissa);
  // Decide the extremes first, so that nothing is shifted by billions of bits below.
  if (length + exponent > format.overflowExponent) return undefined;
  if (length + exponent < format.leastExponent) return ZERO_FLOAT;

  const dropped = Math.max(length - format.precision, format.leastExponent - exponent);
  if (dropped > 0) {
    const shift = BigInt(dropped);
    const half = 1n << (shift - 1n);
    const rest = mantissa & ((1n << shift) - 1n);
    mantissa >>= shift;
    exponent += dropped;
    if (rest > half || (rest === half && (mantissa & 1n) === 1n)) mantissa++;
    // Rounding up may have carried into one bit more; it matters only at the upper end.
    const atEnd = length + value.exponent === format.overflowExponent;
    if (atEnd && bitLength(mantissa) + exponent > format.overflowExponent) return undefined;
  }
  return { mantissa, exponent };
}

/** Whether a number isn't zero, and closer to it than each of the format that has all its bits. */
export function isTiny({ mantissa, exponent }: BinaryFloat, format: BinaryFormat): boolean {
  return mantissa !== 0n &&
    bitLength(mantissa) + exponent < format.leastExponent + format.precision;
}

/** A number's text, taken apart by {@linkcode scanFloatText}. */
export type FloatText =
  | { readonly kind: "infinity"; readonly negative: boolean }
  | {
    /** Base of the digits. */
    readonly kind: "decimal" | "hexadecimal";
    /** Whether a minus sign stands before it. */
    readonly negative: boolean;
    /** All digits without the point, from the first that is not zero; empty for zero. */
    readonly digits: string;
    /** Power of ten (decimal) or two (hexadecimal) by which the digits are multiplied. */
    readonly exponent: number;
  };

/**
 * Digits that are kept. More are replaced by a single 1 when one of them isn't zero, which rounds
 * the same way: no tie of double precision is longer than 767 digits. As many as Redis takes for a
 * long double.
 */
const MAX_DIGITS = 5 * 1024;

const BITS_PER_DIGIT = Math.log2(10);

/** Larger than any text is long, small enough to stay exact in sums. */
const MAX_WRITTEN_EXPONENT = 1e12;

const ZERO = 0x30;
const POINT = 0x2e;
const PLUS = 0x2b;
const MINUS = 0x2d;
const LOWER_CASE = 0x20;
const LETTER_A = 0x61;
const LETTER_E = 0x65;
const LETTER_P = 0x70;
const LETTER_X = 0x78;

/**
 * Takes apart the text of a number as C's `strtod` does: decimal or hexadecimal digits with point
 * and exponent, "inf" and "infinity", in either case. Undefined when the text isn't one number from
 * its first byte to its last; spaces and "nan" are refused as well.
 */
export function scanFloatText(
  bytes: Uint8Array,
  start: number,
  length: number,
): FloatText | undefined {
  let position = start;
  const end = start + length;
  const negative = length > 0 && bytes[position] === MINUS;
  if (negative || (length > 0 && bytes[position] === PLUS)) position++;
  if (isInfinity(bytes, position, end)) return { kind: "infinity", negative };

  const hexadecimal = end - position > 2 && bytes[position] === ZERO &&
    (bytes[position + 1] | LOWER_CASE) === LETTER_X;
  if (hexadecimal) position += 2;
  const base = hexadecimal ? 16 : 10;
  let digits = "";
  let shift = 0;
  let hasDigit = false;
  let hasPoint = false;
  let hasRest = false;
  for (; position < end; position++) {
    const code = bytes[position];
    if (code === POINT) {
      if (hasPoint) return undefined;
      hasPoint = true;
      continue;
    }
    const digit = digitValue(code);
    if (digit >= base) break;
    hasDigit = true;
    if (digits.length < MAX_DIGITS) {
      if (digit !== 0 || digits !== "") digits += String.fromCharCode(code);
      if (hasPoint) shift--;
    } else {
      if (digit !== 0) hasRest = true;
      if (!hasPoint) shift++;
    }
  }
  if (!hasDigit) return undefined;
  if (hasRest) {
    digits += "1";
    shift--;
  }
  let exponent = hexadecimal ? shift * 4 : shift;
  if (position < end) {
    const mark = hexadecimal ? LETTER_P : LETTER_E;
    if ((bytes[position] | LOWER_CASE) !== mark) return undefined;
    const written = scanExponent(bytes, position + 1, end);
    if (written === undefined) return undefined;
    exponent += written;
  }
  return { kind: hexadecimal ? "hexadecimal" : "decimal", negative, digits, exponent };
}

function scanExponent(bytes: Uint8Array, start: number, end: number): number | undefined {
  let position = start;
  const negative = bytes[position] === MINUS;
  if (negative || bytes[position] === PLUS) position++;
  if (position >= end) return undefined;
  let exponent = 0;
  for (; position < end; position++) {
    const digit = digitValue(bytes[position]);
    if (digit >= 10) return undefined;
    exponent = Math.min(exponent * 10 + digit, MAX_WRITTEN_EXPONENT);
  }
  return negative ? -exponent : exponent;
}

/** The value of a digit of base 16, or a larger number. */
function digitValue(code: number): number {
  if (code >= ZERO && code <= ZERO + 9) return code - ZERO;
  const letter = (code | LOWER_CASE) - LETTER_A;
  return letter >= 0 && letter < 6 ? letter + 10 : 16;
}

function isInfinity(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length !== 3 && length !== 8) return false;
  return String.fromCharCode(...bytes.subarray(start, end)).toLowerCase() ===
    "infinity".slice(0, length);
}

/**
 * The nearest number of the format to a decimal or hexadecimal text, without its sign. Undefined if
 * it's too large for the format; zero if it's too small.
 */
export function floatTextToFormat(
  text: Exclude<FloatText, { kind: "infinity" }>,
  format: BinaryFormat,
): BinaryFloat | undefined {
  const { kind, digits, exponent } = text;
  if (digits === "") return ZERO_FLOAT;
  if (kind === "hexadecimal") {
    return roundToFormat({ mantissa: BigInt(`0x${digits}`), exponent }, format);
  }
  // A decimal place is more than three bits: these are out of reach by far, and powers of ten below
  // stay small enough to be computed.
  const magnitude = digits.length + exponent;
  if (magnitude > format.overflowExponent) return undefined;
  if (magnitude < format.leastExponent) return ZERO_FLOAT;

  const mantissa = BigInt(digits);
  if (exponent >= 0) {
    return roundToFormat({ mantissa: mantissa * 10n ** BigInt(exponent), exponent: 0 }, format);
  }
  // Divide with at least two bits more than are kept, and let a last bit stand for the remainder:
  // it tells a tie from what is just above one.
  const divisor = 10n ** BigInt(-exponent);
  const divisorBits = Math.ceil(-exponent * BITS_PER_DIGIT) + 1;
  const leastMantissaBits = Math.floor((digits.length - 1) * BITS_PER_DIGIT);
  const shift = Math.max(0, format.precision + 2 + divisorBits - leastMantissaBits);
  const dividend = mantissa << BigInt(shift);
  const quotient = dividend / divisor;
  const inexact = quotient * divisor === dividend ? 0n : 1n;
  return roundToFormat({ mantissa: (quotient << 1n) | inexact, exponent: -shift - 1 }, format);
}

/**
 * Whether the number that a text says, without its sign, is a whole multiple of two to the power of `power`, which isn't
 * positive. The number isn't to be so close to zero that its digits stand millions of places behind the point: they are all computed.
 */
export function isMultipleOfPower(
  { kind, digits, exponent }: Exclude<FloatText, { kind: "infinity" }>,
  power: number,
): boolean {
  if (digits === "") return true;
  if (kind === "decimal") {
    return exponent >= 0 || (BigInt(digits) << BigInt(-power)) % 10n ** BigInt(-exponent) === 0n;
  }
  const mantissa = BigInt(`0x${digits}`);
  const behind = power - exponent;
  return behind <= 0 || (mantissa & ((1n << BigInt(behind)) - 1n)) === 0n;
}
