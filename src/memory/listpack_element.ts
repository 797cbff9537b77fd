/**
 * One element of a listpack: how it is encoded, read, written and compared.
 *
 * ```text
 * 0xxxxxxx                       an integer from 0 to 127
 * 10xxxxxx  bytes                a string of up to 63 bytes
 * 110xxxxx  x8                   an integer of 13 bits, the upper ones first
 * 1110xxxx  x8  bytes            a string of up to 4095 bytes, the length's upper bits first
 * 11110000  length x32  bytes    a longer string
 * 11110001  x16, 11110010 x24, 11110011 x32, 11110100 x64    integers, the lower bytes first
 * ```
 *
 * Behind it stands how many bytes that was, so that one can walk backwards: 7 bits a byte, the upper ones
 * first, with bit 7 set in all bytes but the first. It takes the fewest bytes that it can, but for numbers
 * such as 16383 at the very end of a size, for which Redis takes one byte more.
 *
 * Text that is an integer is kept as one, in the shortest form it has, so that an element is found by one
 * comparison of numbers. Nothing here allocates, and what is `at` a place is named by its byte offset in the view.
 *
 * @module
 */
import { copyBytes } from "./copy.ts";
import {
  type IntegerHalves,
  isLongInteger,
  longIntegerHigh,
  longIntegerLow,
  NOT_SHORT,
  shortInteger,
} from "./decimal.ts";
import type { ReadonlyView } from "./segments.ts";

/** The byte behind the last element. */
export const LISTPACK_END = 0xff;

const INTEGER_13 = 0xc0;
const STRING_12 = 0xe0;
const STRING_32 = 0xf0;
const INTEGER_16 = 0xf1;
const INTEGER_24 = 0xf2;
const INTEGER_64 = 0xf4;
const STRING_6 = 0x80;

/** An element as it was read: an integer, or the place of a string's bytes. */
export class ListpackElement implements IntegerHalves {
  /** Whether it is an integer: then {@linkcode high} and {@linkcode low} are its halves. */
  isInteger = false;
  /** Bits 32 to 63 of an integer, signed. */
  high = 0;
  /** Bits 0 to 31 of an integer, signed. */
  low = 0;
  /** Byte offset of a string in the view. */
  start = 0;
  /** Length of a string in bytes. */
  length = 0;
}

/** Bytes that the number `bytes` takes behind an element of that length. */
export function backlenBytes(bytes: number): number {
  if (bytes < 128) return 1;
  if (bytes < 16383) return 2;
  if (bytes < 2097151) return 3;
  return bytes < 268435455 ? 4 : 5;
}

/** Writes the length of the element that ends at `at`; returns the place behind it. */
function writeBacklen(view: DataView, at: number, bytes: number): number {
  if (bytes < 128) {
    view.setUint8(at, bytes);
    return at + 1;
  }
  const end = at + backlenBytes(bytes);
  for (let place = end - 1; place > at; place--) {
    view.setUint8(place, (bytes & 127) | 128);
    bytes >>>= 7;
  }
  view.setUint8(at, bytes);
  return end;
}

/** Where the element starts that is followed, with its length, by the place `end`. */
export function elementBefore(view: ReadonlyView, end: number): number {
  let byte = view.getUint8(end - 1);
  if (byte < 128) return end - 1 - byte;
  let bytes = byte & 127;
  let place = end - 1;
  for (let shift = 7; byte >= 128 && shift <= 28; shift += 7) {
    byte = view.getUint8(--place);
    bytes |= (byte & 127) << shift;
  }
  return place - bytes;
}

/** Bytes that the element at `at` takes without the length behind it. */
export function encodedBytes(view: ReadonlyView, at: number): number {
  const byte = view.getUint8(at);
  if (byte < STRING_6) return 1;
  if (byte < INTEGER_13) return 1 + (byte & 63);
  if (byte < STRING_12) return 2;
  if (byte < STRING_32) return 2 + ((byte & 15) << 8 | view.getUint8(at + 1));
  if (byte === STRING_32) return 5 + view.getUint32(at + 1, true);
  return byte === INTEGER_64 ? 9 : byte - INTEGER_16 + 3;
}

/** Bytes from the element at `at` to the next one. */
export function elementBytes(view: ReadonlyView, at: number): number {
  const byte = view.getUint8(at);
  if (byte < STRING_6) return 2;
  if (byte < INTEGER_13) return 2 + (byte & 63);
  const bytes = encodedBytes(view, at);
  return bytes + backlenBytes(bytes);
}

/** Whether the element at `at` is an integer. */
export function isIntegerAt(view: ReadonlyView, at: number): boolean {
  const byte = view.getUint8(at);
  return byte < STRING_6 || byte > STRING_32 || (byte & 0xe0) === INTEGER_13;
}

/** The low half of the integer at `at`. */
export function integerLowAt(view: ReadonlyView, at: number): number {
  const byte = view.getUint8(at);
  if (byte < STRING_6) return byte;
  if (byte < STRING_12) return ((byte & 31) << 8 | view.getUint8(at + 1)) << 19 >> 19;
  if (byte === INTEGER_16) return view.getInt16(at + 1, true);
  if (byte === INTEGER_24) {
    return (view.getUint16(at + 1, true) | view.getUint8(at + 3) << 16) << 8 >> 8;
  }
  return view.getInt32(at + 1, true);
}

/** The high half of the integer at `at`, whose low half is `low`. */
export function integerHighAt(view: ReadonlyView, at: number, low: number): number {
  return view.getUint8(at) === INTEGER_64 ? view.getInt32(at + 5, true) : low >> 31;
}

/** Byte offset of the bytes of the string at `at`. */
export function stringStartAt(view: ReadonlyView, at: number): number {
  const byte = view.getUint8(at);
  return byte < INTEGER_13 ? at + 1 : byte < STRING_32 ? at + 2 : at + 5;
}

/** Length of the string at `at`. */
export function stringLengthAt(view: ReadonlyView, at: number): number {
  const byte = view.getUint8(at);
  if (byte < INTEGER_13) return byte & 63;
  if (byte < STRING_32) return (byte & 15) << 8 | view.getUint8(at + 1);
  return view.getUint32(at + 1, true);
}

/** Reads the element at `at` into `element`. */
export function listpackRead(view: ReadonlyView, at: number, element: ListpackElement): void {
  if (isIntegerAt(view, at)) {
    element.isInteger = true;
    element.low = integerLowAt(view, at);
    element.high = integerHighAt(view, at, element.low);
    return;
  }
  element.isInteger = false;
  element.start = stringStartAt(view, at);
  element.length = stringLengthAt(view, at);
}

/** Bytes that a string of `length` bytes takes as an element, its length behind it included. */
export function listpackStringBytes(length: number): number {
  if (length < 64) return length + 2;
  const bytes = length + (length < 4096 ? 2 : 5);
  return bytes + backlenBytes(bytes);
}

/** Bytes that an integer takes as an element, its length behind it included. */
export function listpackIntegerBytes(high: number, low: number): number {
  if (high !== low >> 31) return 10;
  if (low >= -4096 && low <= 4095) return low >= 0 && low <= 127 ? 2 : 3;
  if (low >= -0x8000 && low <= 0x7fff) return 4;
  return low >= -0x800000 && low <= 0x7fffff ? 5 : 6;
}

/** Bytes that the text takes as an element, as an integer if it is one. */
export function listpackEncodedBytes(text: ReadonlyView, from: number, length: number): number {
  const short = shortInteger(text, from, length);
  if (short !== NOT_SHORT) return listpackIntegerBytes(short >> 31, short);
  if (length < 10 || !isLongInteger(text, from, length)) return listpackStringBytes(length);
  return listpackIntegerBytes(
    longIntegerHigh(text, from, length),
    longIntegerLow(text, from, length),
  );
}

/**
 * Writes the text as an element, as an integer if it is one; returns the place behind it. What is there must not be
 * part of the text.
 */
export function writeElement(
  view: DataView,
  at: number,
  text: ReadonlyView,
  from: number,
  length: number,
): number {
  const short = shortInteger(text, from, length);
  if (short !== NOT_SHORT) return writeIntegerElement(view, at, short >> 31, short);
  if (length >= 10 && isLongInteger(text, from, length)) {
    const high = longIntegerHigh(text, from, length);
    return writeIntegerElement(view, at, high, longIntegerLow(text, from, length));
  }
  return writeStringElement(view, at, text, from, length);
}

/** Writes bytes as an element that is a string whatever they are; returns the place behind it. */
function writeStringElement(
  view: DataView,
  at: number,
  text: ReadonlyView,
  from: number,
  length: number,
): number {
  let data = at + 1;
  if (length < 64) view.setUint8(at, STRING_6 | length);
  else if (length < 4096) {
    view.setUint8(at, STRING_12 | length >>> 8);
    view.setUint8(at + 1, length & 0xff);
    data = at + 2;
  } else {
    view.setUint8(at, STRING_32);
    view.setUint32(at + 1, length, true);
    data = at + 5;
  }
  copyBytes(text, from, view, data, length);
  return writeBacklen(view, data + length, data + length - at);
}

/** Writes an integer as an element; returns the place behind it. */
export function writeIntegerElement(
  view: DataView,
  at: number,
  high: number,
  low: number,
): number {
  if ((high | (low & ~127)) === 0) {
    // The integer and its length, which is one byte.
    view.setUint16(at, low | 0x100, true);
    return at + 2;
  }
  const bytes = listpackIntegerBytes(high, low) - 1;
  if (bytes === 2) {
    view.setUint8(at, INTEGER_13 | (low >>> 8 & 31));
    view.setUint8(at + 1, low & 0xff);
  } else if (bytes === 9) {
    view.setUint8(at, INTEGER_64);
    view.setInt32(at + 1, low, true);
    view.setInt32(at + 5, high, true);
  } else {
    view.setUint8(at, INTEGER_16 + bytes - 3);
    view.setInt16(at + 1, low, true);
    if (bytes > 3) view.setUint8(at + 3, low >>> 16 & 0xff);
    if (bytes > 4) view.setUint8(at + 4, low >>> 24);
  }
  view.setUint8(at + bytes, bytes);
  return at + bytes + 1;
}

/** Whether the `length` bytes of two views are the same. */
export function sameBytes(
  first: ReadonlyView,
  at: number,
  second: ReadonlyView,
  from: number,
  length: number,
): boolean {
  const end = at + length;
  for (; at + 4 <= end; at += 4, from += 4) {
    if (first.getInt32(at, true) !== second.getInt32(from, true)) return false;
  }
  if (at < end && length >= 4) {
    // The last four bytes, of which some have been compared.
    return first.getInt32(end - 4, true) === second.getInt32(from + end - at - 4, true);
  }
  for (; at < end; at++, from++) {
    if (first.getUint8(at) !== second.getUint8(from)) return false;
  }
  return true;
}

/** Whether the element at `at` is the text; an integer is its decimal text. */
export function listpackMatches(
  view: ReadonlyView,
  at: number,
  text: ReadonlyView,
  from: number,
  length: number,
): boolean {
  if (!isIntegerAt(view, at)) {
    return stringLengthAt(view, at) === length &&
      sameBytes(view, stringStartAt(view, at), text, from, length);
  }
  const low = integerLowAt(view, at);
  const short = shortInteger(text, from, length);
  if (short !== NOT_SHORT) return low === short && integerHighAt(view, at, low) === low >> 31;
  return length >= 10 && isLongInteger(text, from, length) &&
    low === longIntegerLow(text, from, length) &&
    integerHighAt(view, at, low) === longIntegerHigh(text, from, length);
}
