/**
 * Large lists: nodes, each a listpack in a chunk, in a tree by position.
 *
 * ```text
 * root    | ... | tree | elements | first chunk | last chunk | first's change | last's change |
 * tree      slots: | chunk | its number of elements |
 * chunk   | header | leaf | start | room | listpack | room |
 * ```
 *
 * **Ends.** Most of what happens to a list happens at its ends. So the root names the first and the last chunk, and what is pushed
 * or popped there changes three words of the root and a few bytes of the chunk: nothing is searched for and nothing moves. That the
 * tree's weights of these two chunks are out of date then is noted in the root, as the difference; whoever goes by
 * position or changes the tree has {@linkcode settle} add it first.
 *
 * **Room.** A chunk at an end grows by doubling, up to the size of a node, with the room on the side where it grows; one
 * that is both first and last has a quarter of it on the other side. A chunk that isn't an end any more is trimmed.
 *
 * **Nodes** begin and end where Redis' do (`list_limits.ts`).
 *
 * **Cost.** A push or pop is O(1): 30 ns here. By position: two or three steps down, 64 slots at most on each, and half
 * a node. A list of 1 M elements of 3 bytes: 5 bytes an element, and 12 bytes of chunk and 16 of tree for each node of
 * 8 KiB.
 *
 * @module
 */
import type { Arena, ReadonlyView } from "../memory/arena.ts";
import {
  chunkCapacity,
  chunkCreate,
  chunkFront,
  chunkListpack,
  chunkOf,
  chunkSetListpack,
  chunkSlide,
  chunkTrim,
  chunkView,
  chunkWritable,
} from "../memory/chunk.ts";
import { wordIndex } from "../memory/entry.ts";
import {
  LISTPACK_EMPTY_BYTES,
  listpackAppend,
  listpackBytes,
  listpackCreate,
  listpackDropFirst,
  listpackDropFrom,
  ListpackElement,
  listpackEncodedBytes,
  listpackLength,
  listpackPrepend,
  listpackSeek,
} from "../memory/listpack.ts";
import {
  LIST_FIRST,
  LIST_LAST,
  ROOT_COUNT,
  ROOT_EXTRA,
  ROOT_HANDLE,
  ROOT_LIST,
  ROOT_TREE,
  rootCreate,
  rootWord,
  setRootWord,
} from "../memory/root.ts";
import {
  slotWord,
  treeAt,
  treeCreate,
  TreeCursor,
  treeEnd,
  treeFirst,
  treeInsert,
  treeLast,
  treeRemove,
  treeSetWeight,
  type TreeShape,
} from "../memory/tree.ts";
import { replaceOwned } from "../memory/tree_nodes.ts";
import { TextScratch } from "./text_scratch.ts";
import type { Keyspace } from "./keyspace.ts";
import { nodeBytesLimit, nodeTakes } from "./list_limits.ts";

/** Word of a root: by how much the tree's number of elements of the first chunk is too low; */
export const FIRST_CHANGE: number = ROOT_EXTRA + 2;
/** of the last one. */
export const LAST_CHANGE: number = ROOT_EXTRA + 3;
const EXTRA_WORDS = 4;
/** Word of a slot: its chunk. */
export const SLOT_CHUNK = 0;
/** Word of a slot: how many elements the chunk has. */
export const SLOT_COUNT = 1;
const LIST_SHAPE: TreeShape = { width: 2, keyWords: 0, weightWord: 1, ownedWord: 0 };
/** A new node has room for so many bytes at first, as a share of what it may get to. */
const FIRST_ROOM_SHIFT = 3;
/** A chunk of an end that is this many times as large as what is left in it is trimmed. */
const LOOSE_FACTOR = 4;
/** One that takes no more bytes isn't. */
const LOOSE_BYTES = 1024;

/** A place in a list, and what functions that work on one need besides; to be kept and used again. */
export class ListPlace {
  /** The chunk, or 0 in a small list. */
  chunk = 0;
  /** Byte offset of the node's listpack in its view. */
  start = 0;
  /** Byte offset of the element there. */
  at = 0;
  /** Number of the element in its node. */
  within = 0;
  /** The node in the tree of a large list. */
  readonly cursor: TreeCursor = new TreeCursor();
  /** An element that was read. */
  readonly element: ListpackElement = new ListpackElement();
  /** Text of an element that is on its way to another place. */
  readonly text: TextScratch = new TextScratch();
}

/**
 * A root for a list whose first node is the listpack of `bytes` bytes and `count` elements at `from`, with room before and behind it.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function listRootOf(
  keyspace: Keyspace,
  front: number,
  view: ReadonlyView,
  from: number,
  bytes: number,
  back: number,
  place: ListPlace,
): number {
  const { arena, roots } = keyspace;
  const chunk = chunkOf(arena, front, view, from, bytes, back);
  let root = 0;
  try {
    root = rootCreate(arena, roots, ROOT_LIST, EXTRA_WORDS);
    setRootWord(arena, root, ROOT_TREE, treeCreate(arena, root, LIST_SHAPE));
  } catch (error) {
    arena.free(chunk);
    if (root !== 0) freeBareRoot(keyspace, root);
    throw error;
  }
  const count = listpackLength(view, from);
  setRootWord(arena, root, ROOT_COUNT, count);
  setRootWord(arena, root, LIST_FIRST, chunk);
  setRootWord(arena, root, LIST_LAST, chunk);
  // A tree's first leaf has room for it.
  treeEnd(arena, rootWord(arena, root, ROOT_TREE), place.cursor);
  insertNode(arena, place.cursor, chunk, count);
  return root;
}

/** Frees a root that has nothing yet. */
function freeBareRoot(keyspace: Keyspace, root: number): void {
  keyspace.roots.release(rootWord(keyspace.arena, root, ROOT_HANDLE));
  keyspace.arena.free(root);
}

/** Puts a node into the tree, before the one at the cursor. */
export function insertNode(arena: Arena, cursor: TreeCursor, chunk: number, count: number): void {
  cursor.slot[SLOT_CHUNK] = chunk;
  cursor.slot[SLOT_COUNT] = count;
  treeInsert(arena, cursor);
}

/** Brings the tree's weights of the first and the last chunk up to date. */
export function settle(arena: Arena, root: number, cursor: TreeCursor): void {
  const first = rootWord(arena, root, FIRST_CHANGE);
  const last = rootWord(arena, root, LAST_CHANGE);
  if (first === 0 && last === 0) return;
  const tree = rootWord(arena, root, ROOT_TREE);
  if (first !== 0) {
    treeFirst(arena, tree, cursor);
    treeSetWeight(arena, cursor, slotWord(arena, cursor, SLOT_COUNT) + first);
    setRootWord(arena, root, FIRST_CHANGE, 0);
  }
  if (last !== 0) {
    treeLast(arena, tree, cursor);
    treeSetWeight(arena, cursor, slotWord(arena, cursor, SLOT_COUNT) + last);
    setRootWord(arena, root, LAST_CHANGE, 0);
  }
}

/** Notes that the first or last chunk has so many elements more. */
function countAtEnd(arena: Arena, root: number, front: boolean, added: number): void {
  const words = arena.writable(root, (ROOT_EXTRA + EXTRA_WORDS) * 4);
  const at = wordIndex(root);
  words[at + ROOT_COUNT] += added;
  words[at + (front ? FIRST_CHANGE : LAST_CHANGE)] += added;
}

/** Has the root name the first and the last chunk, after the tree has changed. */
export function renewEnds(arena: Arena, root: number, cursor: TreeCursor): void {
  const tree = rootWord(arena, root, ROOT_TREE);
  treeFirst(arena, tree, cursor);
  setRootWord(arena, root, LIST_FIRST, slotWord(arena, cursor, SLOT_CHUNK));
  treeLast(arena, tree, cursor);
  setRootWord(arena, root, LIST_LAST, slotWord(arena, cursor, SLOT_CHUNK));
}

/** Puts the chunk `to` in the place of `from`, which is freed. */
export function replaceChunk(arena: Arena, root: number, from: number, to: number): void {
  replaceOwned(arena, from, to);
  if (rootWord(arena, root, LIST_FIRST) === from) setRootWord(arena, root, LIST_FIRST, to);
  if (rootWord(arena, root, LIST_LAST) === from) setRootWord(arena, root, LIST_LAST, to);
  arena.free(from);
}

/**
 * Adds an element at the front or back of a large list; `leaving` as for `listPush`.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function pushLarge(
  keyspace: Keyspace,
  root: number,
  front: boolean,
  text: ReadonlyView,
  from: number,
  length: number,
  limit: number,
  place: ListPlace,
  leaving = 0,
): void {
  const { arena } = keyspace;
  let chunk = rootWord(arena, root, front ? LIST_FIRST : LIST_LAST);
  let start = chunkListpack(arena, chunk);
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
  const room = chunkFront(arena, chunk);
  if ((front ? room : chunkCapacity(arena, chunk) - room - bytes) < needed) {
    chunk = makeRoom(arena, root, chunk, front, bytes, needed, nodeBytesLimit(limit));
    start = chunkListpack(arena, chunk);
  }
  const target = chunkWritable(arena, chunk);
  if (front) {
    chunkSetListpack(arena, chunk, listpackPrepend(target, start, text, from, length));
  } else listpackAppend(target, start, text, from, length);
  countAtEnd(arena, root, front, 1);
}

/**
 * Makes room for `needed` bytes before or behind the listpack, of `bytes` bytes, of a chunk at an end, and for some more: moves the
 * listpack within its chunk, if a good part of that is free, or gets a larger chunk. Returns the chunk.
 */
function makeRoom(
  arena: Arena,
  root: number,
  chunk: number,
  front: boolean,
  bytes: number,
  needed: number,
  limit: number,
): number {
  const onlyOne = rootWord(arena, root, LIST_FIRST) === rootWord(arena, root, LIST_LAST);
  const used = bytes + needed;
  const free = chunkCapacity(arena, chunk) - used;
  if (free >= used >> 2) {
    const other = onlyOne ? free >> 2 : 0;
    chunkSlide(arena, chunk, bytes, front ? needed + free - other : other);
    return chunk;
  }
  let spare = Math.max(0, Math.min(used, limit - used));
  if (onlyOne) spare = Math.max(spare, used >> 2);
  const other = onlyOne ? spare >> 2 : 0;
  const wanted = needed + spare - other;
  const view = chunkView(arena, chunk);
  const start = chunkListpack(arena, chunk);
  const larger = front
    ? chunkOf(arena, wanted, view, start, bytes, other)
    : chunkOf(arena, other, view, start, bytes, wanted);
  replaceChunk(arena, root, chunk, larger);
  return larger;
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
  const limitBytes = nodeBytesLimit(limit);
  const rest = Math.max(0, limitBytes - needed - LISTPACK_EMPTY_BYTES);
  const spare = Math.min(rest, Math.max(needed, limitBytes >> FIRST_ROOM_SHIFT));
  const chunk = front
    ? chunkCreate(arena, spare, LISTPACK_EMPTY_BYTES + needed, 0)
    : chunkCreate(arena, 0, LISTPACK_EMPTY_BYTES + needed, spare);
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
  const end = front ? LIST_FIRST : LIST_LAST;
  trimNode(arena, rootWord(arena, root, end));
  setRootWord(arena, root, end, chunk);
}

/** Gives back the room around the listpack of a chunk that isn't pushed to. */
export function trimNode(arena: Arena, chunk: number): void {
  chunkTrim(arena, chunk, listpackBytes(chunkView(arena, chunk), chunkListpack(arena, chunk)));
}

/** Takes the first or last `count` elements of a large list, which has more, away. */
export function dropLarge(
  arena: Arena,
  root: number,
  front: boolean,
  count: number,
  place: ListPlace,
): void {
  const end = front ? LIST_FIRST : LIST_LAST;
  for (;;) {
    const chunk = rootWord(arena, root, end);
    const start = chunkListpack(arena, chunk);
    const length = listpackLength(chunkView(arena, chunk), start);
    if (count < length) return dropElements(arena, root, front, chunk, start, count);
    dropEndNode(arena, root, front, place);
    count -= length;
    if (count === 0) return;
  }
}

/** Takes elements from the first or last chunk, which has more. */
function dropElements(
  arena: Arena,
  root: number,
  front: boolean,
  chunk: number,
  start: number,
  count: number,
): void {
  const view = chunkWritable(arena, chunk);
  if (front) {
    start = listpackDropFirst(view, start, count);
    chunkSetListpack(arena, chunk, start);
  } else listpackDropFrom(view, start, listpackSeek(view, start, -count), count);
  countAtEnd(arena, root, front, -count);
  const capacity = chunkCapacity(arena, chunk);
  if (capacity <= LOOSE_BYTES) return;
  const bytes = listpackBytes(view, start);
  if (bytes * LOOSE_FACTOR > capacity) return;
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

/** Goes to element `index` of a large list, which is there. */
export function seekLarge(arena: Arena, root: number, index: number, place: ListPlace): void {
  const { cursor } = place;
  settle(arena, root, cursor);
  place.within = treeAt(arena, rootWord(arena, root, ROOT_TREE), index, cursor);
  enterNode(arena, place);
  place.at = listpackSeek(chunkView(arena, place.chunk), place.start, place.within);
}

/** Has the place be in the node at its cursor. */
export function enterNode(arena: Arena, place: ListPlace): void {
  place.chunk = slotWord(arena, place.cursor, SLOT_CHUNK);
  place.start = chunkListpack(arena, place.chunk);
}
