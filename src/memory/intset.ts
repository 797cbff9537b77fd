/**
 * Intsets: a set of integers as a sorted array, byte for byte as Redis has them.
 *
 * ```text
 * bytes 0-3   bytes of one integer: 2, 4 or 8
 * bytes 4-7   how many there are
 * integers    in rising order, each with its lower bytes first
 * ```
 *
 * All integers take as many bytes as the widest that was ever added; one that is wider makes all of them wider.
 * Taking integers away makes none narrower.
 *
 * An intset is named by a view and the byte offset `start` of its header there. Integers are given and returned as two
 * halves of 32 bits. **Room is the caller's**: {@linkcode intsetInsertBytes} says how many bytes there must be.
 *
 * **Cost.** Finding is a binary search, 2 ns a step. Adding and removing move what is behind.
 *
 * @module
 */
import { moveBytes } from "./copy.ts";
import type { IntegerHalves } from "./decimal.ts";
import type { ReadonlyView } from "./segments.ts";

/** Bytes before the first integer. */
export const INTSET_HEADER_BYTES = 8;

const LENGTH_OFFSET = 4;

/** Writes an empty intset. */
export function intsetCreate(view: DataView, start: number): void {
  view.setUint32(start, 2, true);
  view.setUint32(start + LENGTH_OFFSET, 0, true);
}

/** How many integers there are. */
export function intsetLength(view: ReadonlyView, start: number): number {
  return view.getUint32(start + LENGTH_OFFSET, true);
}

/** How many bytes each integer takes. */
export function intsetWidth(view: ReadonlyView, start: number): number {
  return view.getUint32(start, true);
}

/** How many bytes an intset takes, with its header. */
export function intsetBytes(view: ReadonlyView, start: number): number {
  return INTSET_HEADER_BYTES + intsetLength(view, start) * intsetWidth(view, start);
}

/** Reads integer number `index`, which is there, into `out`. */
export function intsetGet(
  view: ReadonlyView,
  start: number,
  index: number,
  out: IntegerHalves,
): void {
  const width = intsetWidth(view, start);
  out.low = lowAt(view, start, width, index);
  out.high = highAt(view, start, width, index, out.low);
}

/** Where the integer is, from 0 on; or, if it isn't there, minus the place where it would be, minus 1. */
export function intsetFind(
  view: ReadonlyView,
  start: number,
  high: number,
  low: number,
): number {
  const width = intsetWidth(view, start);
  let lower = 0;
  let upper = intsetLength(view, start);
  // What is wider than all is before or behind all.
  if (widthOf(high, low) > width) return high < 0 ? -1 : -upper - 1;
  while (lower < upper) {
    const middle = (lower + upper) >>> 1;
    const foundLow = lowAt(view, start, width, middle);
    const foundHigh = highAt(view, start, width, middle, foundLow);
    if (foundHigh === high && foundLow === low) return middle;
    if (foundHigh < high || (foundHigh === high && foundLow >>> 0 < low >>> 0)) lower = middle + 1;
    else upper = middle;
  }
  return -lower - 1;
}

/** How many bytes the intset takes once the integer, which isn't in it, has been added. */
export function intsetInsertBytes(
  view: ReadonlyView,
  start: number,
  high: number,
  low: number,
): number {
  const width = Math.max(intsetWidth(view, start), widthOf(high, low));
  return INTSET_HEADER_BYTES + (intsetLength(view, start) + 1) * width;
}

/** Adds an integer; false if it is there already. */
export function intsetInsert(view: DataView, start: number, high: number, low: number): boolean {
  const found = intsetFind(view, start, high, low);
  if (found >= 0) return false;
  const place = -found - 1;
  const length = intsetLength(view, start);
  const needed = widthOf(high, low);
  if (needed > intsetWidth(view, start)) {
    widen(view, start, needed, place === 0 ? 1 : 0);
  } else {
    const width = intsetWidth(view, start);
    const at = start + INTSET_HEADER_BYTES + place * width;
    moveBytes(view, at, at + width, (length - place) * width);
  }
  write(view, start, intsetWidth(view, start), place, high, low);
  view.setUint32(start + LENGTH_OFFSET, length + 1, true);
  return true;
}

/** Takes an integer away; false if it isn't there. */
export function intsetRemove(view: DataView, start: number, high: number, low: number): boolean {
  const place = intsetFind(view, start, high, low);
  if (place < 0) return false;
  intsetRemoveAt(view, start, place);
  return true;
}

/** Takes integer number `index`, which is there, away. */
export function intsetRemoveAt(view: DataView, start: number, index: number): void {
  const length = intsetLength(view, start);
  const width = intsetWidth(view, start);
  const at = start + INTSET_HEADER_BYTES + index * width;
  moveBytes(view, at + width, at, (length - index - 1) * width);
  view.setUint32(start + LENGTH_OFFSET, length - 1, true);
}

/**
 * Whether the `length` bytes from `from` on are an intset: its header, its length, and the order of its integers are
 * looked at.
 */
export function intsetValidate(view: ReadonlyView, from: number, length: number): boolean {
  if (length < INTSET_HEADER_BYTES || from + length > view.byteLength) return false;
  const width = intsetWidth(view, from);
  if (width !== 2 && width !== 4 && width !== 8) return false;
  const count = intsetLength(view, from);
  if (length !== INTSET_HEADER_BYTES + count * width) return false;
  for (let index = 1; index < count; index++) {
    const beforeLow = lowAt(view, from, width, index - 1);
    const beforeHigh = highAt(view, from, width, index - 1, beforeLow);
    const low = lowAt(view, from, width, index);
    const high = highAt(view, from, width, index, low);
    if (beforeHigh > high || (beforeHigh === high && beforeLow >>> 0 >= low >>> 0)) return false;
  }
  return true;
}

/** Bytes that an integer needs. */
function widthOf(high: number, low: number): number {
  if (high !== low >> 31) return 8;
  return low >= -0x8000 && low <= 0x7fff ? 2 : 4;
}

function lowAt(view: ReadonlyView, start: number, width: number, index: number): number {
  const at = start + INTSET_HEADER_BYTES + index * width;
  return width === 2 ? view.getInt16(at, true) : view.getInt32(at, true);
}

function highAt(
  view: ReadonlyView,
  start: number,
  width: number,
  index: number,
  low: number,
): number {
  return width === 8 ? view.getInt32(start + INTSET_HEADER_BYTES + index * 8 + 4, true) : low >> 31;
}

function write(
  view: DataView,
  start: number,
  width: number,
  index: number,
  high: number,
  low: number,
): void {
  const at = start + INTSET_HEADER_BYTES + index * width;
  if (width === 2) view.setInt16(at, low, true);
  else view.setInt32(at, low, true);
  if (width === 8) view.setInt32(at + 4, high, true);
}

/** Has all integers take `width` bytes, the last one first, and go `shift` places up. */
function widen(view: DataView, start: number, width: number, shift: number): void {
  const had = intsetWidth(view, start);
  for (let index = intsetLength(view, start) - 1; index >= 0; index--) {
    const low = lowAt(view, start, had, index);
    write(view, start, width, index + shift, highAt(view, start, had, index, low), low);
  }
  view.setUint32(start, width, true);
}
