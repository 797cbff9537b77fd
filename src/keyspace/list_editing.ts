/**
 * Changes in the middle of lists that keep the nodes as they are: LSET and LREM; and finding an element by its text.
 *
 * @module
 */
import type { Arena, ReadonlyView } from "../memory/arena.ts";
import {
  chunkCapacity,
  chunkFront,
  chunkOf,
  chunkSlide,
  chunkView,
  chunkWritable,
} from "../memory/chunk.ts";
import {
  listpackBytes,
  listpackDelete,
  listpackEncodedBytes,
  listpackEnd,
  listpackFind,
  listpackFirst,
  listpackLast,
  listpackLength,
  listpackMatches,
  listpackPrevious,
  listpackReplace,
} from "../memory/listpack.ts";
import { elementBytes } from "../memory/listpack_element.ts";
import { ROOT_COUNT, ROOT_TREE, rootWord, setRootWord } from "../memory/root.ts";
import {
  slotWord,
  treeFirst,
  treeLast,
  treeNext,
  treePrevious,
  treeRemove,
  treeSetWeight,
} from "../memory/tree.ts";
import {
  growTail,
  rootOf,
  setTailLength,
  tailStart,
  tailView,
  trimTail,
  writableTail,
} from "./collections.ts";
import { tailLength } from "./entry_facts.ts";
import { type Database, type Keyspace, removeEntry } from "./keyspace.ts";
import { nodeTakes, SMALL_LIST_BYTES } from "./list_limits.ts";
import {
  enterNode,
  type ListPlace,
  renewEnds,
  replaceChunk,
  settle,
  SLOT_COUNT,
  trimNode,
} from "./list_root.ts";
import {
  growLarge,
  isSmallList,
  listLength,
  listNextNode,
  listPush,
  listSeek,
  shrinkSmall,
} from "./lists.ts";

/** Goes to the first element that is the text; false if there is none. */
export function listFind(
  keyspace: Keyspace,
  entry: number,
  text: ReadonlyView,
  from: number,
  length: number,
  place: ListPlace,
): boolean {
  let view = listSeek(keyspace, entry, 0, place);
  for (;;) {
    place.at = listpackFind(view, place.at, text, from, length, 0);
    if (place.at !== 0) return true;
    if (!listNextNode(keyspace, place)) return false;
    view = chunkView(keyspace.arena, place.chunk);
  }
}

/** Makes a small list large; the place stays at its element. Returns the entry. */
export function becomeLarge(database: Database, entry: number, place: ListPlace): number {
  const { keyspace } = database;
  const offset = place.at - tailStart(keyspace, entry);
  entry = growLarge(database, entry, false, place);
  treeFirst(
    keyspace.arena,
    rootWord(keyspace.arena, rootOf(keyspace, entry), ROOT_TREE),
    place.cursor,
  );
  enterNode(keyspace.arena, place);
  place.at = place.start + offset;
  return entry;
}

/** Makes room for `needed` bytes behind the listpack at the place, whose chunk may be another one then. */
export function growNode(arena: Arena, root: number, needed: number, place: ListPlace): void {
  const { chunk } = place;
  const view = chunkView(arena, chunk);
  const bytes = listpackBytes(view, place.start);
  const capacity = chunkCapacity(arena, chunk);
  if (capacity - chunkFront(arena, chunk) - bytes >= needed) return;
  if (capacity - bytes >= needed) chunkSlide(arena, chunk, bytes, 0);
  else replaceChunk(arena, root, chunk, chunkOf(arena, 0, view, place.start, bytes, needed));
  enterNode(arena, place);
}

/**
 * Puts the text in the place of the element at the place, which `listSeek` has just found; returns the entry.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function listReplace(
  database: Database,
  entry: number,
  text: ReadonlyView,
  from: number,
  length: number,
  place: ListPlace,
): number {
  const { keyspace } = database;
  const { arena } = keyspace;
  const needed = listpackEncodedBytes(text, from, length);
  if (place.chunk === 0) {
    const had = elementBytes(tailView(keyspace, entry), place.at);
    const bytes = tailLength(keyspace, entry) + needed - had;
    if (bytes <= SMALL_LIST_BYTES) {
      const offset = place.at - place.start;
      entry = growTail(database, entry, bytes);
      const view = writableTail(keyspace, entry);
      const start = tailStart(keyspace, entry);
      listpackReplace(view, start, start + offset, text, from, length);
      setTailLength(keyspace, entry, bytes);
      return entry;
    }
    entry = becomeLarge(database, entry, place);
  }
  const root = rootOf(keyspace, entry);
  const offset = place.at - place.start;
  const more = needed - elementBytes(chunkView(arena, place.chunk), place.at);
  if (more > 0) growNode(arena, root, more, place);
  const view = chunkWritable(arena, place.chunk);
  listpackReplace(view, place.start, place.start + offset, text, from, length);
  return entry;
}

/**
 * Has the first or last element, which the place is at and whose text it has, leave the list and come back to the same end. It stays where it
 * is, unless its node is so full by now that it would get one of its own. Returns the entry.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function listReturn(
  database: Database,
  entry: number,
  front: boolean,
  limit: number,
  place: ListPlace,
): number {
  const { keyspace } = database;
  const { text, start } = place;
  const view = isSmallList(keyspace, entry)
    ? tailView(keyspace, entry)
    : chunkView(keyspace.arena, place.chunk);
  const others = listpackLength(view, start) - 1;
  const bytes = listpackBytes(view, start) - elementBytes(view, place.at);
  if (others === 0 || nodeTakes(bytes, others, text.length, limit)) return entry;
  entry = listPush(database, entry, front, text.view, 0, text.length, limit, place);
  return deleteAt(database, entry, front ? 1 : listLength(keyspace, entry) - 2, place);
}

/** Takes element `index` of a large list away, which isn't the only one of its node; returns the entry. */
function deleteAt(database: Database, entry: number, index: number, place: ListPlace): number {
  const { keyspace, keyspace: { arena } } = database;
  listSeek(keyspace, entry, index, place);
  const root = rootOf(keyspace, entry);
  const { cursor } = place;
  listpackDelete(chunkWritable(arena, place.chunk), place.start, place.at);
  treeSetWeight(arena, cursor, slotWord(arena, cursor, SLOT_COUNT) - 1);
  setRootWord(arena, root, ROOT_COUNT, rootWord(arena, root, ROOT_COUNT) - 1);
  trimNode(arena, place.chunk);
  return shrinkSmall(database, entry, root);
}

/**
 * Takes away up to `count` elements that are the text (0: all), the first ones, or the last ones if `backwards`, and the key with the last element.
 * Returns how many there were.
 */
export function listRemove(
  database: Database,
  entry: number,
  backwards: boolean,
  count: number,
  text: ReadonlyView,
  from: number,
  length: number,
  place: ListPlace,
): number {
  const { keyspace } = database;
  const most = count === 0 ? Infinity : count;
  const had = listLength(keyspace, entry);
  let removed = 0;
  if (isSmallList(keyspace, entry)) {
    const view = writableTail(keyspace, entry);
    const start = tailStart(keyspace, entry);
    removed = removeMatches(view, start, backwards, most, text, from, length);
    if (removed < had) {
      if (removed > 0) setTailLength(keyspace, entry, listpackBytes(view, start));
      trimTail(database, entry);
    }
  } else {
    const root = rootOf(keyspace, entry);
    removed = removeLarge(keyspace.arena, root, backwards, most, text, from, length, place);
    if (removed < had) {
      renewEnds(keyspace.arena, root, place.cursor);
      shrinkSmall(database, entry, root);
    }
  }
  if (removed === had) removeEntry(database, keyspace.hash, entry);
  return removed;
}

/** {@linkcode listRemove} in a large list. If all of it goes, the nodes stay. */
function removeLarge(
  arena: Arena,
  root: number,
  backwards: boolean,
  most: number,
  text: ReadonlyView,
  from: number,
  length: number,
  place: ListPlace,
): number {
  const { cursor } = place;
  settle(arena, root, cursor);
  const tree = rootWord(arena, root, ROOT_TREE);
  const had = rootWord(arena, root, ROOT_COUNT);
  let removed = 0;
  let more = backwards ? treeLast(arena, tree, cursor) : treeFirst(arena, tree, cursor);
  while (more && removed < most) {
    enterNode(arena, place);
    const { chunk, start } = place;
    const view = chunkWritable(arena, chunk);
    const count = slotWord(arena, cursor, SLOT_COUNT);
    const here = removeMatches(view, start, backwards, most - removed, text, from, length);
    removed += here;
    if (here === count && removed < had) {
      const follows = treeRemove(arena, cursor);
      arena.free(chunk);
      more = backwards ? treePrevious(arena, cursor) : follows;
      continue;
    }
    if (here > 0) {
      treeSetWeight(arena, cursor, count - here);
      trimNode(arena, chunk);
    }
    more = backwards ? treePrevious(arena, cursor) : treeNext(arena, cursor);
  }
  setRootWord(arena, root, ROOT_COUNT, had - removed);
  return removed;
}

/** Takes up to `most` elements of a listpack that are the text away; returns how many there were. */
function removeMatches(
  view: DataView,
  start: number,
  backwards: boolean,
  most: number,
  text: ReadonlyView,
  from: number,
  length: number,
): number {
  let removed = 0;
  if (!backwards) {
    let at = listpackFirst(view, start);
    while (removed < most && at !== 0 && at !== listpackEnd(view, start)) {
      at = listpackFind(view, at, text, from, length, 0);
      if (at === 0) break;
      listpackDelete(view, start, at);
      removed++;
    }
    return removed;
  }
  let at = listpackLast(view, start);
  while (removed < most && at !== 0) {
    const before = listpackPrevious(view, start, at);
    if (listpackMatches(view, at, text, from, length)) {
      listpackDelete(view, start, at);
      removed++;
    }
    at = before;
  }
  return removed;
}
