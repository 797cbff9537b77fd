/**
 * Listpacks: a row of strings and integers in one piece of memory, byte for byte as Redis 7.0 has them.
 *
 * ```text
 * bytes 0-3   how many bytes there are in all
 * bytes 4-5   how many elements, or 65535 if there are so many or more
 * elements    see listpack_element.ts
 * 0xFF        the end
 * ```
 *
 * A listpack is named by a view and the byte offset `start` of its header there, an element by the byte offset
 * `at` of its first byte; 0 is none, since no element can be there. Elements are next to each other, so an offset
 * is good until something before it, or it itself, changes.
 *
 * **Room is the caller's.** What makes a listpack longer needs that much room behind its end (or, for
 * {@linkcode listpackPrepend}, before its start), and the caller has told the arena what it writes to
 * (`arena.writableView`). {@linkcode listpackEncodedBytes} says how much an element takes. The bytes of a new element must
 * not lie in the part of the same view that moves.
 *
 * **Cost.** A step from an element to its neighbour is 2 to 4 ns; reaching the n-th one is n steps from the nearer
 * end. A change moves what is behind it, 16 bytes in 2 ns. At the front, the header moves instead.
 *
 * **Invariants.** The first field is the distance to the byte behind the end; each element's length behind it agrees with
 * its encoding; the count is right or 65535. What comes from outside is believed after `listpackValidate` only
 * (`listpack_validation.ts`).
 *
 * @module
 */
import { copyBytes, moveBytes } from "./copy.ts";
import {
  isLongInteger,
  longIntegerHigh,
  longIntegerLow,
  NOT_SHORT,
  shortInteger,
} from "./decimal.ts";
import {
  elementBefore,
  elementBytes,
  integerHighAt,
  integerLowAt,
  isIntegerAt,
  LISTPACK_END,
  listpackEncodedBytes,
  listpackIntegerBytes,
  sameBytes,
  stringLengthAt,
  stringStartAt,
  writeElement,
  writeIntegerElement,
} from "./listpack_element.ts";
import type { ReadonlyView } from "./segments.ts";

export {
  ListpackElement,
  listpackEncodedBytes,
  listpackIntegerBytes,
  listpackMatches,
  listpackRead,
  listpackStringBytes,
} from "./listpack_element.ts";

/** Bytes before the first element. */
export const LISTPACK_HEADER_BYTES = 6;
/** Bytes of a listpack without elements. */
export const LISTPACK_EMPTY_BYTES: number = LISTPACK_HEADER_BYTES + 1;
/** The count that says that elements have to be counted. */
export const LISTPACK_UNKNOWN_LENGTH = 0xffff;

const COUNT_OFFSET = 4;

/** Writes an empty listpack. */
export function listpackCreate(view: DataView, start: number): void {
  writeHeader(view, start, LISTPACK_EMPTY_BYTES, 0);
  view.setUint8(start + LISTPACK_HEADER_BYTES, LISTPACK_END);
}

/** How many bytes a listpack takes, header and end included. */
export function listpackBytes(view: ReadonlyView, start: number): number {
  return view.getUint32(start, true);
}

/** How many elements there are. */
export function listpackLength(view: ReadonlyView, start: number): number {
  const count = view.getUint16(start + COUNT_OFFSET, true);
  return count === LISTPACK_UNKNOWN_LENGTH ? countElements(view, start) : count;
}

function countElements(view: ReadonlyView, start: number): number {
  const end = listpackEnd(view, start);
  let count = 0;
  for (let at = start + LISTPACK_HEADER_BYTES; at < end; at += elementBytes(view, at)) count++;
  return count;
}

/** Where the last byte is: inserting there appends. */
export function listpackEnd(view: ReadonlyView, start: number): number {
  return start + view.getUint32(start, true) - 1;
}

/** The first element, or 0. */
export function listpackFirst(view: ReadonlyView, start: number): number {
  const at = start + LISTPACK_HEADER_BYTES;
  return view.getUint8(at) === LISTPACK_END ? 0 : at;
}

/** The last element, or 0. */
export function listpackLast(view: ReadonlyView, start: number): number {
  const end = listpackEnd(view, start);
  return end === start + LISTPACK_HEADER_BYTES ? 0 : elementBefore(view, end);
}

/** The element behind the one at `at`, or 0. */
export function listpackNext(view: ReadonlyView, at: number): number {
  const next = at + elementBytes(view, at);
  return view.getUint8(next) === LISTPACK_END ? 0 : next;
}

/** The element before the one at `at` (or before the end), or 0. */
export function listpackPrevious(view: ReadonlyView, start: number, at: number): number {
  return at === start + LISTPACK_HEADER_BYTES ? 0 : elementBefore(view, at);
}

/** The place behind the element at `at`: of the next one, or the end. */
export function listpackSkip(view: ReadonlyView, at: number): number {
  return at + elementBytes(view, at);
}

/** The element number `index` from 0 on, or from -1 backwards from the last one; 0 if there is none. */
export function listpackSeek(view: ReadonlyView, start: number, index: number): number {
  const count = listpackLength(view, start);
  if (index < 0) index += count;
  if (index < 0 || index >= count) return 0;
  if (index > count >> 1) {
    let at = listpackEnd(view, start);
    for (; index < count; index++) at = elementBefore(view, at);
    return at;
  }
  let at = start + LISTPACK_HEADER_BYTES;
  for (; index > 0; index--) at += elementBytes(view, at);
  return at;
}

/**
 * The first element from `at` on (0: none) that is the text, or 0. After each one it looked at, `skip` are passed by
 * without a look: 1 looks at the fields of a hash and not at the values.
 */
export function listpackFind(
  view: ReadonlyView,
  at: number,
  text: ReadonlyView,
  from: number,
  length: number,
  skip: number,
): number {
  if (at === 0) return 0;
  const short = shortInteger(text, from, length);
  if (short !== NOT_SHORT) {
    return findElement(view, at, text, from, length, skip, true, short >> 31, short);
  }
  if (length < 10 || !isLongInteger(text, from, length)) {
    return findElement(view, at, text, from, length, skip, false, 0, 0);
  }
  const high = longIntegerHigh(text, from, length);
  const low = longIntegerLow(text, from, length);
  return findElement(view, at, text, from, length, skip, true, high, low);
}

/** As {@linkcode listpackFind}, of text that is known to be an integer or not. */
function findElement(
  view: ReadonlyView,
  at: number,
  text: ReadonlyView,
  from: number,
  length: number,
  skip: number,
  integer: boolean,
  high: number,
  low: number,
): number {
  let passed = 0;
  for (let byte = view.getUint8(at); byte !== LISTPACK_END; byte = view.getUint8(at)) {
    if (passed === 0) {
      if (isIntegerAt(view, at)) {
        if (
          integer && integerLowAt(view, at) === low && integerHighAt(view, at, low) === high
        ) return at;
      } else if (
        stringLengthAt(view, at) === length &&
        sameBytes(view, stringStartAt(view, at), text, from, length)
      ) return at;
      passed = skip;
    } else passed--;
    at += elementBytes(view, at);
  }
  return 0;
}

/** Inserts the text before the element at `at`, or at the end. */
export function listpackInsert(
  view: DataView,
  start: number,
  at: number,
  text: ReadonlyView,
  from: number,
  length: number,
): void {
  makeGap(view, start, at, listpackEncodedBytes(text, from, length));
  writeElement(view, at, text, from, length);
}

/** Inserts an integer before the element at `at`, or at the end. */
export function listpackInsertInteger(
  view: DataView,
  start: number,
  at: number,
  high: number,
  low: number,
): void {
  makeGap(view, start, at, listpackIntegerBytes(high, low));
  writeIntegerElement(view, at, high, low);
}

/** Moves what is at and behind `at` to make room for one more element. */
function makeGap(view: DataView, start: number, at: number, bytes: number): void {
  const total = listpackBytes(view, start);
  moveBytes(view, at, at + bytes, start + total - at);
  writeHeader(view, start, total + bytes, countAfter(view, start, 1));
}

/** Adds the text behind the last element. */
export function listpackAppend(
  view: DataView,
  start: number,
  text: ReadonlyView,
  from: number,
  length: number,
): void {
  const end = writeElement(view, listpackEnd(view, start), text, from, length);
  listpackClose(view, start, end, 1);
}

/** Adds an integer behind the last element. */
export function listpackAppendInteger(
  view: DataView,
  start: number,
  high: number,
  low: number,
): void {
  const end = writeIntegerElement(view, listpackEnd(view, start), high, low);
  listpackClose(view, start, end, 1);
}

/**
 * Adds `count` elements, which take `bytes` bytes in `source` from `from` on, as they are. They can be elements of another
 * listpack: an encoded element doesn't depend on its place.
 */
export function listpackAppendEncoded(
  view: DataView,
  start: number,
  source: ReadonlyView,
  from: number,
  bytes: number,
  count: number,
): void {
  const end = listpackEnd(view, start);
  copyBytes(source, from, view, end, bytes);
  listpackClose(view, start, end + bytes, count);
}

/**
 * Ends the listpack at `end`, behind `added` new elements, for who has written several with `writeElement` and its like
 * (`listpack_element.ts`) from the old end on.
 */
export function listpackClose(view: DataView, start: number, end: number, added: number): void {
  view.setUint8(end, LISTPACK_END);
  writeHeader(view, start, end + 1 - start, countAfter(view, start, added));
}

/** Adds the text before the first element without moving the others: returns the new start, which is before the old. */
export function listpackPrepend(
  view: DataView,
  start: number,
  text: ReadonlyView,
  from: number,
  length: number,
): number {
  const total = listpackBytes(view, start);
  const count = countAfter(view, start, 1);
  const bytes = listpackEncodedBytes(text, from, length);
  writeElement(view, start + LISTPACK_HEADER_BYTES - bytes, text, from, length);
  writeHeader(view, start - bytes, total + bytes, count);
  return start - bytes;
}

/** Takes the first `count` elements away without moving the others: returns the new start, which is behind the old. */
export function listpackDropFirst(view: DataView, start: number, count: number): number {
  let at = start + LISTPACK_HEADER_BYTES;
  const end = listpackEnd(view, start);
  let dropped = 0;
  for (; dropped < count && at < end; dropped++) at += elementBytes(view, at);
  return listpackDropBefore(view, start, at, dropped);
}

/** As {@linkcode listpackDropFirst}, for the `count` elements before the one at `at` (or before the end). */
export function listpackDropBefore(
  view: DataView,
  start: number,
  at: number,
  count: number,
): number {
  const end = listpackEnd(view, start);
  const remaining = countAfter(view, start, -count);
  const moved = at - LISTPACK_HEADER_BYTES;
  writeHeader(view, moved, end + 1 - moved, remaining);
  return moved;
}

/** Takes away the element at `at` and the `count - 1` behind it that end at `end`: the last elements. */
export function listpackDropFrom(
  view: DataView,
  start: number,
  at: number,
  count: number,
): void {
  listpackClose(view, start, at, -count);
}

/** Puts the text in the place of the element at `at`. */
export function listpackReplace(
  view: DataView,
  start: number,
  at: number,
  text: ReadonlyView,
  from: number,
  length: number,
): void {
  resizeElement(view, start, at, listpackEncodedBytes(text, from, length));
  writeElement(view, at, text, from, length);
}

/** Puts an integer in the place of the element at `at`. */
export function listpackReplaceInteger(
  view: DataView,
  start: number,
  at: number,
  high: number,
  low: number,
): void {
  resizeElement(view, start, at, listpackIntegerBytes(high, low));
  writeIntegerElement(view, at, high, low);
}

/** Has the element at `at` take `bytes` bytes. */
function resizeElement(view: DataView, start: number, at: number, bytes: number): void {
  const had = elementBytes(view, at);
  if (had === bytes) return;
  const total = listpackBytes(view, start);
  moveBytes(view, at + had, at + bytes, start + total - at - had);
  view.setUint32(start, total + bytes - had, true);
}

/** Takes the element at `at` away; the one behind it is then there. */
export function listpackDelete(view: DataView, start: number, at: number): void {
  removeBytes(view, start, at, elementBytes(view, at), 1);
}

/** Takes up to `count` elements from `at` on away; returns how many there were. */
export function listpackDeleteRange(
  view: DataView,
  start: number,
  at: number,
  count: number,
): number {
  const end = listpackEnd(view, start);
  let behind = at;
  let deleted = 0;
  for (; deleted < count && behind < end; deleted++) behind += elementBytes(view, behind);
  removeBytes(view, start, at, behind - at, deleted);
  return deleted;
}

/** Takes `count` elements away, which take `bytes` bytes from `at` on. */
function removeBytes(
  view: DataView,
  start: number,
  at: number,
  bytes: number,
  count: number,
): void {
  const total = listpackBytes(view, start);
  const remaining = countAfter(view, start, -count);
  moveBytes(view, at + bytes, at, start + total - at - bytes);
  writeHeader(view, start, total - bytes, remaining);
}

/** What the header is to say of the number of elements after `added` more of them. */
function countAfter(view: ReadonlyView, start: number, added: number): number {
  const count = view.getUint16(start + COUNT_OFFSET, true);
  if (count === LISTPACK_UNKNOWN_LENGTH) return count;
  return Math.min(count + added, LISTPACK_UNKNOWN_LENGTH);
}

function writeHeader(view: DataView, start: number, bytes: number, count: number): void {
  view.setUint32(start, bytes, true);
  view.setUint16(start + COUNT_OFFSET, count, true);
}
