/**
 * Replies that are one line: statuses, errors, numbers, booleans, null.
 *
 * @module
 */

import {
  BigNumberReply,
  BooleanReply,
  DoubleReply,
  ErrorReply,
  IntegerReply,
  NullReply,
  type Reply,
  SimpleReply,
} from "./reply.ts";
import { ReplyType } from "./reply_types.ts";

const MINUS = 0x2d;
const PLUS = 0x2b;

/** Digits that a double can always hold exactly. */
const EXACT_DIGITS = 15;

const SMALLEST_INTEGER = -(2n ** 63n);
const LARGEST_INTEGER = 2n ** 63n - 1n;

const OK = new SimpleReply(new Uint8Array([0x4f, 0x4b]));
const TRUE = new BooleanReply(true);
const FALSE = new BooleanReply(false);
const NULL = new NullReply("null");

/** Whether replies of this type are one line. */
export function isLineType(type: number): boolean {
  return type === ReplyType.SIMPLE || type === ReplyType.ERROR || type === ReplyType.INTEGER ||
    type === ReplyType.NULL || type === ReplyType.BOOLEAN || type === ReplyType.DOUBLE ||
    type === ReplyType.BIG_NUMBER;
}

/**
 * The reply that a line is, or, if it is none, what is wrong with it.
 *
 * @param bytes What holds the line.
 * @param type The line's first byte, one that {@linkcode isLineType} knows.
 * @param start Where the rest of the line starts.
 * @param end Where it ends.
 */
export function parseLine(
  bytes: Uint8Array,
  type: number,
  start: number,
  end: number,
): Reply | string {
  switch (type) {
    case ReplyType.SIMPLE:
      if (end - start === 2 && bytes[start] === 0x4f && bytes[start + 1] === 0x4b) return OK;
      return new SimpleReply(bytes.slice(start, end));
    case ReplyType.ERROR:
      return new ErrorReply(bytes.slice(start, end));
    case ReplyType.INTEGER:
      return parseInteger(bytes, start, end);
    case ReplyType.NULL:
      return start === end ? NULL : "a null with content";
    case ReplyType.BOOLEAN:
      if (end - start === 1) {
        if (bytes[start] === 0x74) return TRUE;
        if (bytes[start] === 0x66) return FALSE;
      }
      return "bad bool value";
    case ReplyType.DOUBLE:
      return parseDouble(lineText(bytes, start, end));
    default:
      return parseBigNumber(lineText(bytes, start, end));
  }
}

/** Bytes as text with a character for each. */
export function lineText(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]);
  return text;
}

function parseInteger(bytes: Uint8Array, start: number, end: number): IntegerReply | string {
  const negative = bytes[start] === MINUS;
  const firstDigit = negative || bytes[start] === PLUS ? start + 1 : start;
  if (firstDigit === end) return "bad integer value";
  let value = 0;
  for (let at = firstDigit; at < end; at++) {
    const digit = bytes[at] - 48;
    if (digit < 0 || digit > 9) return "bad integer value";
    value = value * 10 + digit;
  }
  if (end - firstDigit <= EXACT_DIGITS) {
    return new IntegerReply(negative && value !== 0 ? -value : value);
  }
  const exact = BigInt(lineText(bytes, firstDigit, end)) * (negative ? -1n : 1n);
  if (exact < SMALLEST_INTEGER || exact > LARGEST_INTEGER) return "bad integer value";
  const rounded = Number(exact);
  return new IntegerReply(Number.isSafeInteger(rounded) ? rounded : exact);
}

function parseDouble(digits: string): DoubleReply | string {
  switch (digits.toLowerCase()) {
    case "inf":
    case "+inf":
      return new DoubleReply(Infinity, digits);
    case "-inf":
      return new DoubleReply(-Infinity, digits);
    case "nan":
    case "-nan":
      return new DoubleReply(NaN, digits);
  }
  return /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(digits)
    ? new DoubleReply(Number(digits), digits)
    : "bad double value";
}

function parseBigNumber(digits: string): BigNumberReply | string {
  if (!/^[+-]?[0-9]+$/.test(digits)) return "bad big number";
  return new BigNumberReply(BigInt(digits.startsWith("+") ? digits.slice(1) : digits));
}
