/**
 * The ends of large lists: pushing and popping, which is most of what happens to a list.
 *
 * What the root and the chunks at its ends hold, and how their room grows, is told at the head of `list_root.ts`. The hot
 * functions, {@linkcode pushInPlace} and {@linkcode dropElements}, read and write what they need of root, chunk and listpack
 * themselves instead of calling the functions that know each: together these would be too many for the compiler to put into one,
 * and cost twice as much.
 *
 * @module
 */
import {
  type Arena,
  type ReadonlyView,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  UNIT_BYTES,
} from "../memory/arena.ts";
import {
  CHUNK_BYTES,
  CHUNK_START,
  chunkCapacity,
  chunkCreate,
  chunkListpack,
  chunkOf,
  chunkSlide,
  chunkTrim,
  chunkView,
  chunkWritable,
} from "../memory/chunk.ts";
import {
  LISTPACK_EMPTY_BYTES,
  LISTPACK_HEADER_BYTES,
  listpackAppend,
  listpackBytes,
  listpackCreate,
  listpackEncodedBytes,
  listpackLength,
} from "../memory/listpack.ts";
import {
  elementBefore,
  elementBytes,
  LISTPACK_END,
  writeElement,
} from "../memory/listpack_element.ts";
import {
  LIST_FIRST,
  LIST_LAST,
  ROOT_COUNT,
  ROOT_TREE,
  rootWord,
  setRootWord,
} from "../memory/root.ts";
import { slotWord, treeEnd, treeFirst, treeLast, treeRemove } from "../memory/tree.ts";
import { nodeBytesLimit, nodeTakes } from "./list_limits.ts";
import {
  FIRST_CHANGE,
  insertNode,
  LAST_CHANGE,
  LIST_ROOT_BYTES,
  type ListPlace,
  replaceChunk,
  settle,
  SLOT_CHUNK,
  SLOT_COUNT,
  trimNode,
} from "./list_root.ts";

/** A chunk that grows gets a quarter more than it needs, */
const SPARE_SHIFT = 2;
/** or this share of the whole list. */
const WHOLE_SHARE = 16;
/** A listpack is moved within its chunk rather than to a larger one if an eighth is free. */
const SLIDE_SHIFT = 3;
/** A chunk of an end that is this many times as large as what is left in it is trimmed. */
const LOOSE_FACTOR = 4;
/** One that takes no more bytes isn't. */
const LOOSE_BYTES = 1024;
/** It is looked at each time that the number of its elements is a multiple of this. */
const LOOSE_STEP = 32;
/** Byte offset of the word of a chunk that says where its listpack starts. */
const START_BYTES = CHUNK_START * 4;
/** Byte offset of a listpack's number of elements. */
const COUNT_BYTES = 4;

/**
 * Adds an element at the front or back of a large list; `leaving` as for `listPush`.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function pushLarge(
  arena: Arena,
  root: number,
  front: boolean,
  text: ReadonlyView,
  from: number,
  length: number,
  limit: number,
  place: ListPlace,
  leaving = 0,
): void {
  if (pushInPlace(arena, root, front, text, from, length, limit, false) > 0) return;
  const chunk = rootWord(arena, root, front ? LIST_FIRST : LIST_LAST);
  const start = chunkListpack(arena, chunk);
  const view = chunkView(arena, chunk);
  const bytes = listpackBytes(view, start);
  let count = listpackLength(view, start);
  if (leaving > 0) {
    if (rootWord(arena, root, front ? LIST_LAST : LIST_FIRST) !== chunk) leaving = 0;
    else count--;
  }
  if (!nodeTakes(bytes - leaving, count, length, limit)) {
    return pushNode(arena, root, front, text, from, length, limit, place);
  }
  const needed = listpackEncodedBytes(text, from, length);
  makeRoom(arena, root, chunk, front, bytes, needed, nodeBytesLimit(limit));
  pushInPlace(arena, root, front, text, from, length, limit, true);
}

/**
 * As {@linkcode pushLarge}, if the node takes the element (which `isTaken` says that it does) and its chunk has room for it. How many
 * elements the list has then; 0, with nothing changed, if not.
 */
export function pushInPlace(
  arena: Arena,
  root: number,
  front: boolean,
  text: ReadonlyView,
  from: number,
  length: number,
  limit: number,
  isTaken: boolean,
): number {
  const rootAt = (root & SEGMENT_MASK) << 1;
  const chunk = arena.words[root >>> SEGMENT_SHIFT][rootAt + (front ? LIST_FIRST : LIST_LAST)];
  const view = arena.views[chunk >>> SEGMENT_SHIFT];
  const block = (chunk & SEGMENT_MASK) * UNIT_BYTES;
  const offset = view.getInt32(block + START_BYTES, true);
  const start = block + offset;
  const bytes = view.getUint32(start, true);
  const count = view.getUint16(start + COUNT_BYTES, true);
  if (!isTaken && !nodeTakes(bytes, count, length, limit)) return 0;
  const needed = listpackEncodedBytes(text, from, length);
  let header = start;
  if (front) {
    if (offset - CHUNK_BYTES < needed) return 0;
    header -= needed;
    const target = arena.writableView(chunk, offset + bytes);
    writeElement(target, header + LISTPACK_HEADER_BYTES, text, from, length);
    target.setInt32(block + START_BYTES, offset - needed, true);
    target.setUint32(header, bytes + needed, true);
    target.setUint16(header + COUNT_BYTES, count + 1, true);
  } else {
    if (arena.unitsOf(chunk) * UNIT_BYTES - offset - bytes < needed) return 0;
    const target = arena.writableView(chunk, offset + bytes + needed);
    const end = writeElement(target, start + bytes - 1, text, from, length);
    target.setUint8(end, LISTPACK_END);
    target.setUint32(header, bytes + needed, true);
    target.setUint16(header + COUNT_BYTES, count + 1, true);
  }
  const words = arena.writable(root, LIST_ROOT_BYTES);
  words[rootAt + (front ? FIRST_CHANGE : LAST_CHANGE)]++;
  return ++words[rootAt + ROOT_COUNT];
}

/**
 * Makes room for `needed` bytes before or behind the listpack, of `bytes` bytes, of a chunk at an end, and for some more: moves the
 * listpack within its chunk, if a good part of that is free, or gets a larger chunk.
 */
function makeRoom(
  arena: Arena,
  root: number,
  chunk: number,
  front: boolean,
  bytes: number,
  needed: number,
  limit: number,
): void {
  const onlyOne = rootWord(arena, root, LIST_FIRST) === rootWord(arena, root, LIST_LAST);
  const used = bytes + needed;
  const free = chunkCapacity(arena, chunk) - used;
  if (free >= used >> SLIDE_SHIFT) {
    const other = onlyOne ? free >> 2 : 0;
    chunkSlide(arena, chunk, bytes, front ? needed + free - other : other);
    return;
  }
  let spare = spareBytes(arena, root, chunk, used, limit);
  if (onlyOne) spare = Math.max(spare, used >> SPARE_SHIFT);
  const other = onlyOne ? spare >> 2 : 0;
  const wanted = needed + spare - other;
  const view = chunkView(arena, chunk);
  const start = chunkListpack(arena, chunk);
  const larger = front
    ? chunkOf(arena, wanted, view, start, bytes, other)
    : chunkOf(arena, other, view, start, bytes, wanted);
  replaceChunk(arena, root, chunk, larger);
}

/**
 * How much room a chunk at an end, in which `used` bytes will be in use, gets to spare: a share of that, or, in a list of many nodes, as
 * much as a smaller share of the whole list, so that a long list has chunks of full size at once and a short one wastes little.
 */
function spareBytes(
  arena: Arena,
  root: number,
  chunk: number,
  used: number,
  limit: number,
): number {
  const view = chunkView(arena, chunk);
  const start = chunkListpack(arena, chunk);
  // Before the first element is pushed there is none.
  const count = Math.max(1, listpackLength(view, start));
  const whole = listpackBytes(view, start) / count * rootWord(arena, root, ROOT_COUNT);
  const spare = Math.max(used >> SPARE_SHIFT, Math.floor(whole / WHOLE_SHARE));
  return Math.max(0, Math.min(spare, limit - used));
}

/** Adds an element as the first of a new node before the first or behind the last. */
function pushNode(
  arena: Arena,
  root: number,
  front: boolean,
  text: ReadonlyView,
  from: number,
  length: number,
  limit: number,
  place: ListPlace,
): void {
  const { cursor } = place;
  const needed = listpackEncodedBytes(text, from, length);
  const end = front ? LIST_FIRST : LIST_LAST;
  const before = rootWord(arena, root, end);
  const used = LISTPACK_EMPTY_BYTES + needed;
  const spare = spareBytes(arena, root, before, used, nodeBytesLimit(limit));
  const chunk = front ? chunkCreate(arena, spare, used, 0) : chunkCreate(arena, 0, used, spare);
  settle(arena, root, cursor);
  const tree = rootWord(arena, root, ROOT_TREE);
  if (front) treeFirst(arena, tree, cursor);
  else treeEnd(arena, tree, cursor);
  try {
    insertNode(arena, cursor, chunk, 1);
  } catch (error) {
    arena.free(chunk);
    throw error;
  }
  const target = chunkWritable(arena, chunk);
  const start = chunkListpack(arena, chunk);
  listpackCreate(target, start);
  listpackAppend(target, start, text, from, length);
  setRootWord(arena, root, ROOT_COUNT, rootWord(arena, root, ROOT_COUNT) + 1);
  trimNode(arena, before);
  setRootWord(arena, root, end, chunk);
}

/** Goes to the first or last element of a large list; returns the view it is in. */
export function largeEnd(
  arena: Arena,
  root: number,
  front: boolean,
  place: ListPlace,
): ReadonlyView {
  const rootAt = (root & SEGMENT_MASK) << 1;
  const chunk = arena.words[root >>> SEGMENT_SHIFT][rootAt + (front ? LIST_FIRST : LIST_LAST)];
  const view = arena.views[chunk >>> SEGMENT_SHIFT];
  const block = (chunk & SEGMENT_MASK) * UNIT_BYTES;
  const start = block + view.getInt32(block + START_BYTES, true);
  place.chunk = chunk;
  place.start = start;
  // No node is empty.
  place.at = front
    ? start + LISTPACK_HEADER_BYTES
    : elementBefore(view, start + view.getUint32(start, true) - 1);
  return view;
}

/** Takes the first or last `count` elements of a large list, which has more, away. */
export function dropLarge(
  arena: Arena,
  root: number,
  front: boolean,
  count: number,
  place: ListPlace,
): void {
  for (;;) {
    const length = dropElements(arena, root, front, count);
    if (length === 0) return;
    dropEndNode(arena, root, front, place);
    count -= length;
    if (count === 0) return;
  }
}

/** Takes elements from the first or last chunk, if it has more than `count`, and returns 0; else returns how many it has. */
function dropElements(arena: Arena, root: number, front: boolean, count: number): number {
  const rootAt = (root & SEGMENT_MASK) << 1;
  const chunk = arena.words[root >>> SEGMENT_SHIFT][rootAt + (front ? LIST_FIRST : LIST_LAST)];
  const block = (chunk & SEGMENT_MASK) * UNIT_BYTES;
  const view = arena.views[chunk >>> SEGMENT_SHIFT];
  const offset = view.getInt32(block + START_BYTES, true);
  const start = block + offset;
  const bytes = view.getUint32(start, true);
  const length = view.getUint16(start + COUNT_BYTES, true);
  if (count >= length) return length;
  const left = length - count;
  const target = arena.writableView(chunk, offset + bytes);
  let header = start;
  let end = start + bytes - 1;
  if (front) {
    for (let dropped = 0; dropped < count; dropped++) {
      header += elementBytes(view, header + LISTPACK_HEADER_BYTES);
    }
    target.setInt32(block + START_BYTES, header - block, true);
  } else {
    for (let dropped = 0; dropped < count; dropped++) end = elementBefore(view, end);
    target.setUint8(end, LISTPACK_END);
  }
  target.setUint32(header, end + 1 - header, true);
  target.setUint16(header + COUNT_BYTES, left, true);
  const words = arena.writable(root, LIST_ROOT_BYTES);
  words[rootAt + ROOT_COUNT] -= count;
  words[rootAt + (front ? FIRST_CHANGE : LAST_CHANGE)] -= count;
  if ((left & (LOOSE_STEP - 1)) === 0 || count > 1) {
    trimLoose(arena, chunk, end + 1 - header, front);
  }
  return 0;
}

/** Gives most of a chunk back of which little is left. */
function trimLoose(arena: Arena, chunk: number, bytes: number, front: boolean): void {
  const capacity = chunkCapacity(arena, chunk);
  if (capacity <= LOOSE_BYTES || bytes * LOOSE_FACTOR > capacity) return;
  chunkTrim(arena, chunk, bytes, front ? bytes : 0, front ? 0 : bytes);
}

/** Takes the first or last node of several away. */
function dropEndNode(arena: Arena, root: number, front: boolean, place: ListPlace): void {
  const { cursor } = place;
  settle(arena, root, cursor);
  const tree = rootWord(arena, root, ROOT_TREE);
  if (front) treeFirst(arena, tree, cursor);
  else treeLast(arena, tree, cursor);
  const length = slotWord(arena, cursor, SLOT_COUNT);
  const chunk = slotWord(arena, cursor, SLOT_CHUNK);
  treeRemove(arena, cursor);
  arena.free(chunk);
  setRootWord(arena, root, ROOT_COUNT, rootWord(arena, root, ROOT_COUNT) - length);
  if (front) treeFirst(arena, tree, cursor);
  else treeLast(arena, tree, cursor);
  setRootWord(arena, root, front ? LIST_FIRST : LIST_LAST, slotWord(arena, cursor, SLOT_CHUNK));
}
