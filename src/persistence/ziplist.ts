/**
 * Reading ziplists and zipmaps, the compact forms in which older versions wrote small collections. Nothing here writes one.
 *
 * ```text
 * ziplist   | bytes | offset of the last entry | entries (16 bits) | entry | ... | 0xff |
 * entry     | length of the entry before: 1 byte, or 0xfe and 4 | encoding | bytes |
 * zipmap    | pairs (1 byte) | length | key | length | spare | value | spare bytes | ... | 0xff |
 * length    1 byte up to 253, or 0xfe and 4 bytes
 * ```
 *
 * Numbers have the least significant byte first, but lengths of strings within a ziplist's encoding. What is read may be
 * anything: each length is held against the end before it is used, and each number that says something twice against the other.
 *
 * @module
 */
import { ListpackBuffer } from "./listpack_buffer.ts";

const HEADER_BYTES = 10;
const END = 0xff;
const LONG_LENGTH = 0xfe;
/** A count that doesn't fit is all ones, and the entries have to be counted. */
const UNKNOWN_COUNT = 0xffff;
/** The same of a zipmap. */
const UNKNOWN_PAIRS = 0xfe;
const INT16 = 0xc0;
const INT32 = 0xd0;
const INT64 = 0xe0;
const INT24 = 0xf0;
const INT8 = 0xfe;
/** The integers from 0 to 12 are their own encodings, from this one on. */
const FIRST_IMMEDIATE = 0xf1;
const LAST_IMMEDIATE = 0xfd;

/** Appends the entries of a ziplist to `target`; how many there were, or -1 if the bytes are no ziplist. */
export function appendZiplist(view: DataView, target: ListpackBuffer): number {
  const end = view.byteLength - 1;
  if (end < HEADER_BYTES || view.getUint32(0, true) !== view.byteLength) return -1;
  if (view.getUint8(end) !== END) return -1;
  let at = HEADER_BYTES;
  let last = HEADER_BYTES;
  let before = 0;
  let count = 0;
  for (; at < end; count++) {
    const next = appendEntry(view, at, end, before, target);
    if (next < 0) return -1;
    before = next - at;
    last = at;
    at = next;
  }
  const told = view.getUint16(8, true);
  if (told !== UNKNOWN_COUNT && told !== count) return -1;
  const tail = view.getUint32(4, true);
  return tail === last || (count === 0 && tail <= end) ? count : -1;
}

/** Appends the entry at `at`, behind one of `before` bytes; the place behind it, or -1 if there is none. */
function appendEntry(
  view: DataView,
  at: number,
  end: number,
  before: number,
  target: ListpackBuffer,
): number {
  const long = view.getUint8(at) === LONG_LENGTH;
  const encoded = at + (long ? 5 : 1);
  if (encoded >= end || view.getUint8(at) === END) return -1;
  if ((long ? view.getUint32(at + 1, true) : view.getUint8(at)) !== before) return -1;
  const encoding = view.getUint8(encoded);
  return encoding < INT16
    ? appendString(view, encoded, encoding, end, target)
    : appendInteger(view, encoded, encoding, end, target);
}

function appendString(
  view: DataView,
  at: number,
  encoding: number,
  end: number,
  target: ListpackBuffer,
): number {
  const prefix = encoding < 0x40 ? 1 : encoding < 0x80 ? 2 : 5;
  const start = at + prefix;
  if (start > end) return -1;
  const length = prefix === 1
    ? encoding
    : prefix === 2
    ? view.getUint16(at) & 0x3fff
    : view.getUint32(at + 1);
  if (length > end - start) return -1;
  target.append(view, start, length);
  return start + length;
}

function appendInteger(
  view: DataView,
  at: number,
  encoding: number,
  end: number,
  target: ListpackBuffer,
): number {
  const start = at + 1;
  if (encoding >= FIRST_IMMEDIATE && encoding <= LAST_IMMEDIATE) {
    target.appendInteger(0, encoding - FIRST_IMMEDIATE);
    return start;
  }
  const bytes = integerBytes(encoding);
  if (bytes === 0 || start + bytes > end) return -1;
  if (bytes === 8) target.appendInteger(view.getInt32(start + 4, true), view.getInt32(start, true));
  else {
    const value = shortInteger(view, start, bytes);
    target.appendInteger(value >> 31, value);
  }
  return start + bytes;
}

function integerBytes(encoding: number): number {
  switch (encoding) {
    case INT8:
      return 1;
    case INT16:
      return 2;
    case INT24:
      return 3;
    case INT32:
      return 4;
    case INT64:
      return 8;
    default:
      return 0;
  }
}

/** A signed integer of 1 to 4 bytes. */
function shortInteger(view: DataView, at: number, bytes: number): number {
  let value = 0;
  for (let offset = bytes - 1; offset > 0; offset--) {
    value = (value | view.getUint8(at + offset)) << 8;
  }
  const shift = 32 - bytes * 8;
  return (value | view.getUint8(at)) << shift >> shift;
}

/** Appends keys and values of a zipmap in turn to `target`; how many of both, or -1 if the bytes are no zipmap. */
export function appendZipmap(view: DataView, target: ListpackBuffer): number {
  const end = view.byteLength - 1;
  if (end < 1 || view.getUint8(end) !== END) return -1;
  let at = 1;
  let count = 0;
  for (; at < end; count++) {
    const isValue = count % 2 === 1;
    const first = view.getUint8(at);
    if (first === END && !isValue) return -1;
    const long = first >= LONG_LENGTH;
    let start = at + (long ? 5 : 1);
    // The byte behind a value's length says how much room is spare behind it.
    if (start + (isValue ? 1 : 0) > end) return -1;
    const length = long ? view.getUint32(at + 1, true) : first;
    // Nobody writes a short length the long way but to be read differently elsewhere.
    if (long && length < LONG_LENGTH) return -1;
    const spare = isValue ? view.getUint8(start++) : 0;
    if (length + spare > end - start) return -1;
    target.append(view, start, length);
    at = start + length + spare;
  }
  const told = view.getUint8(0);
  return count % 2 === 0 && (told === UNKNOWN_PAIRS || told === count / 2) ? count : -1;
}
