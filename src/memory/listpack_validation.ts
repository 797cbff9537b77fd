/**
 * Whether bytes that somebody has sent are a listpack: nothing else may be walked through.
 *
 * @module
 */
import { backlenBytes, elementBefore, encodedBytes, LISTPACK_END } from "./listpack_element.ts";
import {
  LISTPACK_EMPTY_BYTES,
  LISTPACK_HEADER_BYTES,
  LISTPACK_UNKNOWN_LENGTH,
} from "./listpack.ts";
import type { ReadonlyView } from "./segments.ts";

/** The highest first byte that an element has. */
const HIGHEST_ENCODING = 0xf4;
/** The longest that a first byte and the length of a string behind it are. */
const LONGEST_PREFIX = 5;

/**
 * How many elements the listpack has that the `length` bytes from `from` on are, or -1 if they are none: the two fields
 * of its header, each encoding, each length behind an element, and the end are looked at.
 */
export function listpackValidate(view: ReadonlyView, from: number, length: number): number {
  if (length < LISTPACK_EMPTY_BYTES || from + length > view.byteLength) return -1;
  if (view.getUint32(from, true) !== length) return -1;
  const end = from + length - 1;
  if (view.getUint8(end) !== LISTPACK_END) return -1;
  let at = from + LISTPACK_HEADER_BYTES;
  let count = 0;
  for (; at < end; count++) {
    const next = elementEnd(view, at, end);
    if (next < 0) return -1;
    at = next;
  }
  const told = view.getUint16(from + 4, true);
  return told === count || told === LISTPACK_UNKNOWN_LENGTH ? count : -1;
}

/** The place behind the element at `at`, or -1 if it isn't one or goes beyond `end`. */
function elementEnd(view: ReadonlyView, at: number, end: number): number {
  const byte = view.getUint8(at);
  if (byte > HIGHEST_ENCODING) return -1;
  // Before the length of a string is read, it has to be within the bytes.
  const prefix = byte < 0xc0 ? 1 : byte < 0xf0 ? 2 : LONGEST_PREFIX;
  if (byte <= 0xf0 && at + prefix > end) return -1;
  const bytes = encodedBytes(view, at);
  const next = at + bytes + backlenBytes(bytes);
  return next <= end && elementBefore(view, next) === at ? next : -1;
}
