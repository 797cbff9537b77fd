/**
 * Lists as values: what the commands, and whoever copies or stores a list, do with one.
 *
 * A list is nodes of elements, each node a listpack. One of a single small node has it behind its key, in the entry; a larger one
 * has a root with its nodes in a tree (`list_root.ts`). It becomes large when the node would take more than
 * {@linkcode SMALL_LIST_BYTES}, or as soon as a second node is begun (`list_limits.ts`), and small again when
 * what is left takes half of that. Redis calls both a quicklist.
 *
 * An empty list isn't kept: what takes the last element away removes the key. Functions that add take the
 * setting `list-max-listpack-size` as `limit`; functions that may move the entry return where it is, and need the key's
 * hash in `keyspace.hash`.
 *
 * @module
 */
import { ArenaFullError, type ReadonlyView } from "../memory/arena.ts";
import { chunkListpack, chunkView } from "../memory/chunk.ts";
import {
  LISTPACK_EMPTY_BYTES,
  listpackAppend,
  listpackBytes,
  listpackCreate,
  listpackDeleteRange,
  listpackEncodedBytes,
  listpackEnd,
  listpackFirst,
  listpackInsert,
  listpackLast,
  listpackLength,
  listpackPrevious,
  listpackSeek,
} from "../memory/listpack.ts";
import { copyBytes } from "../memory/copy.ts";
import { ENTRY_META, ENTRY_VALUE, wordIndex, wordsAt } from "../memory/entry.ts";
import {
  LIST_FIRST,
  LIST_LAST,
  ROOT_COUNT,
  rootFreeSome,
  rootWord,
  setRootWord,
} from "../memory/root.ts";
import { treeNext, treePrevious } from "../memory/tree.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import {
  addCollection,
  becomeRoot,
  growTail,
  resizeTail,
  rootOf,
  setTailLength,
  setValue,
  tailStart,
  tailView,
  trimTail,
  writableTail,
} from "./collections.ts";
import { entryEncoding, tailLength } from "./entry_facts.ts";
import { type Database, type Keyspace, removeEntry } from "./keyspace.ts";
import { nodeTakes, SHRUNK_LIST_BYTES, SMALL_LIST_BYTES } from "./list_limits.ts";
import { dropLarge, largeEnd, pushInPlace, pushLarge } from "./list_ends.ts";
import { enterNode, type ListPlace, listRootOf, seekLarge } from "./list_root.ts";
import { replyListpackElement, replyListpackElements } from "./listpack_replies.ts";
import { ENCODING_LISTPACK, ENCODING_ROOT, TYPE_LIST } from "./types.ts";

export { ListPlace } from "./list_root.ts";

/** Type and encoding of a list behind its key. */
export const META_SMALL_LIST: number = TYPE_LIST | (ENCODING_LISTPACK << 4);

const META_LARGE_LIST = TYPE_LIST | (ENCODING_ROOT << 4);

/** Whether the list in `entry` is behind its key. */
export function isSmallList(keyspace: Keyspace, entry: number): boolean {
  return entryEncoding(keyspace, entry) === ENCODING_LISTPACK;
}

/** How many elements the list in `entry` has. */
export function listLength(keyspace: Keyspace, entry: number): number {
  return isSmallList(keyspace, entry)
    ? listpackLength(tailView(keyspace, entry), tailStart(keyspace, entry))
    : rootWord(keyspace.arena, rootOf(keyspace, entry), ROOT_COUNT);
}

/**
 * A list without elements, with room for `bytes` bytes of them, for the key in `view`, which isn't there. Somebody has to push to
 * it, or remove it.
 */
export function createList(
  database: Database,
  view: ReadonlyView,
  start: number,
  length: number,
  bytes: number,
): number {
  const { keyspace } = database;
  const room = LISTPACK_EMPTY_BYTES + Math.min(bytes, SMALL_LIST_BYTES - LISTPACK_EMPTY_BYTES);
  const kind = META_SMALL_LIST;
  const entry = addCollection(database, view, start, length, room, kind, LISTPACK_EMPTY_BYTES);
  listpackCreate(writableTail(keyspace, entry), tailStart(keyspace, entry));
  return entry;
}

/**
 * Adds the text as the first or last element; returns the entry. `leaving`: bytes of an element that is about to leave the other
 * end, which makes room for this one if there is only one node.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function listPush(
  database: Database,
  entry: number,
  front: boolean,
  text: ReadonlyView,
  from: number,
  length: number,
  limit: number,
  place: ListPlace,
  leaving = 0,
): number {
  const { keyspace } = database;
  if (isSmallList(keyspace, entry)) {
    const needed = listpackEncodedBytes(text, from, length);
    const bytes = tailLength(keyspace, entry);
    const left = bytes - leaving;
    const count = listpackLength(tailView(keyspace, entry), tailStart(keyspace, entry)) -
      (leaving > 0 ? 1 : 0);
    if (left + needed <= SMALL_LIST_BYTES && nodeTakes(left, count, length, limit)) {
      return pushSmall(database, entry, front, text, from, length, bytes + needed);
    }
    entry = growLarge(database, entry, front, place);
  }
  pushLarge(
    keyspace.arena,
    rootOf(keyspace, entry),
    front,
    text,
    from,
    length,
    limit,
    place,
    leaving,
  );
  return entry;
}

/**
 * What {@linkcode listPush} does most often, if it is that: adds an element to a node of a large list that has room for it. The length of
 * the list then; 0, with nothing changed, if it is anything else, perhaps no list.
 */
export function pushQuickly(
  keyspace: Keyspace,
  entry: number,
  front: boolean,
  text: ReadonlyView,
  from: number,
  length: number,
  limit: number,
): number {
  const { arena } = keyspace;
  const words = wordsAt(arena, entry);
  const at = wordIndex(entry);
  if ((words[at + ENTRY_META] & 0xff) !== META_LARGE_LIST) return 0;
  return pushInPlace(arena, words[at + ENTRY_VALUE], front, text, from, length, limit, false);
}

/**
 * Replies with the first or last element and takes it away, if `entry` is a list of several nodes; false, with nothing done, if
 * not.
 */
export function popQuickly(
  keyspace: Keyspace,
  entry: number,
  front: boolean,
  reply: ReplyWriter,
  place: ListPlace,
): boolean {
  const { arena } = keyspace;
  const words = wordsAt(arena, entry);
  const at = wordIndex(entry);
  if ((words[at + ENTRY_META] & 0xff) !== META_LARGE_LIST) return false;
  const root = words[at + ENTRY_VALUE];
  // One of a single node may have to become small.
  if (rootWord(arena, root, LIST_FIRST) === rootWord(arena, root, LIST_LAST)) return false;
  const view = largeEnd(arena, root, front, place);
  replyListpackElement(reply, view, place.at);
  dropLarge(arena, root, front, 1, place);
  return true;
}

/** Adds an element to a list that stays small, and then takes `bytes` bytes. */
function pushSmall(
  database: Database,
  entry: number,
  front: boolean,
  text: ReadonlyView,
  from: number,
  length: number,
  bytes: number,
): number {
  const { keyspace } = database;
  entry = growTail(database, entry, bytes);
  const view = writableTail(keyspace, entry);
  const start = tailStart(keyspace, entry);
  if (front) {
    const first = listpackFirst(view, start) || listpackEnd(view, start);
    listpackInsert(view, start, first, text, from, length);
  } else listpackAppend(view, start, text, from, length);
  setTailLength(keyspace, entry, bytes);
  return entry;
}

/** Makes a small list a large one of the same node, with room at its front or back. Returns the entry. */
export function growLarge(
  database: Database,
  entry: number,
  front: boolean,
  place: ListPlace,
): number {
  const { keyspace } = database;
  const bytes = tailLength(keyspace, entry);
  const spare = bytes >>> 2;
  const view = tailView(keyspace, entry);
  const start = tailStart(keyspace, entry);
  const root = listRootOf(
    keyspace,
    front ? spare : 0,
    view,
    start,
    bytes,
    front ? 0 : spare,
    place,
  );
  return becomeRoot(database, entry, TYPE_LIST, root);
}

/** Puts a large list, at `root`, that has become one small node back into its entry, if there is room. Returns the entry. */
export function shrinkSmall(database: Database, entry: number, root: number): number {
  const { keyspace } = database;
  const { arena, roots } = keyspace;
  const chunk = rootWord(arena, root, LIST_FIRST);
  if (chunk !== rootWord(arena, root, LIST_LAST)) return entry;
  const start = chunkListpack(arena, chunk);
  const bytes = listpackBytes(chunkView(arena, chunk), start);
  if (bytes > SHRUNK_LIST_BYTES) return entry;
  try {
    entry = resizeTail(database, entry, bytes + (bytes >>> 1));
  } catch (error) {
    if (error instanceof ArenaFullError) return entry;
    throw error;
  }
  const target = writableTail(keyspace, entry);
  copyBytes(chunkView(arena, chunk), start, target, tailStart(keyspace, entry), bytes);
  setValue(keyspace, entry, META_SMALL_LIST, bytes);
  setRootWord(arena, root, ROOT_COUNT, 0);
  rootFreeSome(arena, roots, root, Infinity, []);
  return entry;
}

/** Goes to the first or last element. */
export function listEnd(
  keyspace: Keyspace,
  entry: number,
  front: boolean,
  place: ListPlace,
): ReadonlyView {
  if (isSmallList(keyspace, entry)) {
    const view = enterTail(keyspace, entry, place);
    place.at = front ? listpackFirst(view, place.start) : listpackLast(view, place.start);
    return view;
  }
  return largeEnd(keyspace.arena, rootOf(keyspace, entry), front, place);
}

/** Has the place be in the only node of a small list. */
function enterTail(keyspace: Keyspace, entry: number, place: ListPlace): ReadonlyView {
  place.chunk = 0;
  place.start = tailStart(keyspace, entry);
  return tailView(keyspace, entry);
}

/** Goes to element `index` from 0 on, which is there; returns the view it is in. */
export function listSeek(
  keyspace: Keyspace,
  entry: number,
  index: number,
  place: ListPlace,
): ReadonlyView {
  if (isSmallList(keyspace, entry)) {
    const view = enterTail(keyspace, entry, place);
    place.within = index;
    place.at = listpackSeek(view, place.start, index);
    return view;
  }
  seekLarge(keyspace.arena, rootOf(keyspace, entry), index, place);
  return chunkView(keyspace.arena, place.chunk);
}

/** Goes to the first element of the next node; false if there is none. */
export function listNextNode(keyspace: Keyspace, place: ListPlace): boolean {
  const { arena } = keyspace;
  if (place.chunk === 0 || !treeNext(arena, place.cursor)) return false;
  enterNode(arena, place);
  place.at = listpackFirst(chunkView(arena, place.chunk), place.start);
  place.within = 0;
  return true;
}

/** Goes to the last element of the node before; false if there is none. */
export function listPreviousNode(keyspace: Keyspace, place: ListPlace): boolean {
  const { arena } = keyspace;
  if (place.chunk === 0 || !treePrevious(arena, place.cursor)) return false;
  enterNode(arena, place);
  const view = chunkView(arena, place.chunk);
  place.at = listpackLast(view, place.start);
  place.within = listpackLength(view, place.start) - 1;
  return true;
}

/** Replies with the `count` elements from `index` on, which are there, without the array around them. */
export function replyListRange(
  keyspace: Keyspace,
  reply: ReplyWriter,
  entry: number,
  index: number,
  count: number,
  place: ListPlace,
): void {
  if (count === 0) return;
  let view = listSeek(keyspace, entry, index, place);
  for (;;) {
    const end = listpackEnd(view, place.start);
    count = replyListpackElements(reply, view, place.at, end, count);
    if (count === 0) return;
    listNextNode(keyspace, place);
    view = chunkView(keyspace.arena, place.chunk);
  }
}

/** As {@linkcode replyListRange}, for the last `count` elements, the last one first. */
export function replyListBackwards(
  keyspace: Keyspace,
  reply: ReplyWriter,
  entry: number,
  count: number,
  place: ListPlace,
): void {
  if (count === 0) return;
  let view = listSeek(keyspace, entry, listLength(keyspace, entry) - 1, place);
  for (; count > 0; count--) {
    replyListpackElement(reply, view, place.at);
    if (count === 1) return;
    place.at = listpackPrevious(view, place.start, place.at);
    if (place.at !== 0) continue;
    listPreviousNode(keyspace, place);
    view = chunkView(keyspace.arena, place.chunk);
  }
}

/**
 * Takes the first or last `count` elements away, and the key with the last one. Returns the entry, or 0 if it has been removed.
 */
export function listDrop(
  database: Database,
  entry: number,
  front: boolean,
  count: number,
  place: ListPlace,
): number {
  const { keyspace } = database;
  if (count === 0) return entry;
  if (!isSmallList(keyspace, entry)) {
    const root = rootOf(keyspace, entry);
    if (count < rootWord(keyspace.arena, root, ROOT_COUNT)) {
      dropLarge(keyspace.arena, root, front, count, place);
      return shrinkSmall(database, entry, root);
    }
  } else if (count < listLength(keyspace, entry)) {
    return dropSmall(database, entry, front, count);
  }
  removeEntry(database, keyspace.hash, entry);
  return 0;
}

/** Takes elements from a small list, which has more. */
function dropSmall(database: Database, entry: number, front: boolean, count: number): number {
  const { keyspace } = database;
  const view = writableTail(keyspace, entry);
  const start = tailStart(keyspace, entry);
  const at = front ? listpackFirst(view, start) : listpackSeek(view, start, -count);
  listpackDeleteRange(view, start, at, count);
  setTailLength(keyspace, entry, listpackBytes(view, start));
  return trimTail(database, entry);
}
