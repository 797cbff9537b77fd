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
 * **Room.** A chunk at an end grows by a quarter, or by a share of the whole list, up to the size of a node, with the room on the
 * side where it grows; one that is both first and last has a quarter of that on the other side. A chunk that isn't an end any
 * more is trimmed, and so is one of which most has been popped.
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
import { chunkListpack, chunkOf, chunkTrim, chunkView } from "../memory/chunk.ts";
import {
  listpackBytes,
  ListpackElement,
  listpackLength,
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
  treeSetWeight,
  type TreeShape,
} from "../memory/tree.ts";
import { replaceOwned } from "../memory/tree_nodes.ts";
import { TextScratch } from "./text_scratch.ts";
import type { Keyspace } from "./keyspace.ts";

/** Word of a root: by how much the tree's number of elements of the first chunk is too low; */
export const FIRST_CHANGE: number = ROOT_EXTRA + 2;
/** of the last one. */
export const LAST_CHANGE: number = ROOT_EXTRA + 3;
const EXTRA_WORDS = 4;
/** Bytes of a root that a list uses. */
export const LIST_ROOT_BYTES: number = (ROOT_EXTRA + EXTRA_WORDS) * 4;
/** Word of a slot: its chunk. */
export const SLOT_CHUNK = 0;
/** Word of a slot: how many elements the chunk has. */
export const SLOT_COUNT = 1;
const LIST_SHAPE: TreeShape = { width: 2, keyWords: 0, weightWord: 1, ownedWord: 0 };

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

/** Gives back the room around the listpack of a chunk that isn't pushed to. */
export function trimNode(arena: Arena, chunk: number): void {
  chunkTrim(arena, chunk, listpackBytes(chunkView(arena, chunk), chunkListpack(arena, chunk)));
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
