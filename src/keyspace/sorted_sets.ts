/**
 * Sorted sets as values: members with scores, found by name, by score and by rank.
 *
 * | form     | where                         | what it is for                                                              |
 * | -------- | ----------------------------- | --------------------------------------------------------------------------- |
 * | listpack | behind the key (`sorted_set_small.ts`) | up to `zset-max-listpack-entries` members of `zset-max-listpack-value` bytes |
 * | large    | root (`sorted_set_root.ts`)   | everything else; OBJECT ENCODING says `skiplist`                            |
 *
 * A set becomes large when it has to and stays so; what is stored as a whole gets the form that fits. A set without members isn't kept: who
 * takes the last one out removes the key.
 *
 * All functions work with a {@linkcode SortedSetPlace}: {@linkcode findInSortedSet} leaves there what the change that follows goes by, so
 * that nothing is searched for twice. Those that may move the entry return where it is, 0 if it is gone, and need the key's hash in
 * `keyspace.hash`.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import { dictHashEntry } from "../memory/dict.ts";
import { hashBytes } from "../memory/hash.ts";
import { memberScore } from "../memory/member.ts";
import {
  LISTPACK_EMPTY_BYTES,
  listpackFind,
  listpackFirst,
  listpackLength,
  listpackSkip,
} from "../memory/listpack.ts";
import { reserveRoom } from "../memory/reservation.ts";
import { ROOT_COUNT, ROOT_DICT, ROOT_TREE, rootWord } from "../memory/root.ts";
import { slotMember } from "../memory/score_tree.ts";
import { treeAt, treePosition } from "../memory/tree.ts";
import { addCollection, becomeRoot, rootOf, tailStart, tailView } from "./collections.ts";
import type { CollectionWalk } from "./collection_walk.ts";
import type { ElementPlace } from "./element_place.ts";
import { entryEncoding, tailLength } from "./entry_facts.ts";
import { type Database, type Keyspace, removeEntry } from "./keyspace.ts";
import { hashMember } from "./member_roots.ts";
import type { SortedSetPlace } from "./sorted_set_place.ts";
import {
  addScored,
  createSortedRoot,
  findScored,
  goToScored,
  removeAtCursor,
  rescore,
} from "./sorted_set_root.ts";
import { addSmall, clearSmall, dropSmall, rescoreSmall } from "./sorted_set_small.ts";
import { ENCODING_LISTPACK, ENCODING_ROOT, TYPE_ZSET } from "./types.ts";

export { SortedSetPlace } from "./sorted_set_place.ts";

/** Type and encoding of a sorted set behind its key, */
export const META_SMALL_SORTED_SET: number = TYPE_ZSET | (ENCODING_LISTPACK << 4);
/** and of a large one. */
const META_LARGE_SORTED_SET = TYPE_ZSET | (ENCODING_ROOT << 4);

/** What a sorted set needs that is made, or whose tree and dict grow by one node on each level. */
const LEAST_ROOM = 16 * 1024;
/** Most bytes that a member needs beside its text: each may split a leaf, and a bucket. */
const MOST_PAIR_BYTES = 1024;
/** Bytes that a member of a small set needs more when the set becomes large. */
const LARGE_MEMBER_BYTES = 128;

/** How large a sorted set may be and still be a listpack. */
export interface SortedSetLimits {
  /** `zset-max-listpack-entries`. */
  readonly zsetMaxEntries: number;
  /** `zset-max-listpack-value`, in bytes. */
  readonly zsetMaxValueBytes: number;
}

/** Whether the sorted set in `entry` is a listpack. */
export function isSmallSortedSet(keyspace: Keyspace, entry: number): boolean {
  return entryEncoding(keyspace, entry) === ENCODING_LISTPACK;
}

/** Name of the encoding of the sorted set in `entry`, as OBJECT ENCODING answers. */
export function sortedSetEncodingName(keyspace: Keyspace, entry: number): string {
  return isSmallSortedSet(keyspace, entry) ? "listpack" : "skiplist";
}

/** How many members the sorted set in `entry` has. */
export function sortedSetLength(keyspace: Keyspace, entry: number): number {
  return isSmallSortedSet(keyspace, entry)
    ? listpackLength(tailView(keyspace, entry), tailStart(keyspace, entry)) >>> 1
    : rootWord(keyspace.arena, rootOf(keyspace, entry), ROOT_COUNT);
}

/**
 * An empty sorted set for the key in `view`, which isn't there. Somebody has to add to it, or remove it. It is large from the start
 * if its first member, of `firstBytes` bytes, would make it so.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function createSortedSet(
  database: Database,
  view: ReadonlyView,
  start: number,
  length: number,
  firstBytes: number,
  limits: SortedSetLimits,
): number {
  const { keyspace } = database;
  if (limits.zsetMaxEntries > 0 && firstBytes <= limits.zsetMaxValueBytes) {
    const room = LISTPACK_EMPTY_BYTES;
    const kind = META_SMALL_SORTED_SET;
    const entry = addCollection(database, view, start, length, room, kind, room);
    clearSmall(database, entry);
    return entry;
  }
  const root = createSortedRoot(keyspace);
  try {
    return addCollection(database, view, start, length, 0, META_LARGE_SORTED_SET, root);
  } catch (error) {
    keyspace.freeValueBlock(root);
    throw error;
  }
}

/**
 * Looks for the member whose name is the text: true if it is there, and `place` then tells its score. What changes the set next goes by
 * what stands in `place`.
 */
export function findInSortedSet(
  keyspace: Keyspace,
  entry: number,
  text: ReadonlyView,
  from: number,
  length: number,
  place: SortedSetPlace,
): boolean {
  const { arena } = keyspace;
  if (entryEncoding(keyspace, entry) === ENCODING_ROOT) {
    place.enterRoot(arena, rootOf(keyspace, entry));
    place.hash = hashMember(keyspace, text, from, length);
    place.member = findScored(arena, place.root, place.hash, text, from, length);
    if (place.member === 0) return false;
    place.score = memberScore(arena, place.member);
    return true;
  }
  place.enter(keyspace, entry);
  const at = listpackFind(
    place.view,
    listpackFirst(place.view, place.start),
    text,
    from,
    length,
    1,
  );
  if (at === 0) return false;
  place.index = pairAt(place, at);
  place.score = place.scoreAt(place.index);
  return true;
}

/** Score of the member whose name is the text, or NaN if it isn't there. */
export function scoreInSortedSet(
  keyspace: Keyspace,
  entry: number,
  text: ReadonlyView,
  from: number,
  length: number,
  place: SortedSetPlace,
): number {
  const { arena } = keyspace;
  if (entryEncoding(keyspace, entry) === ENCODING_ROOT) {
    const hash = hashBytes(text, from, length, keyspace.seed0, keyspace.seed1);
    const member = findScored(arena, rootOf(keyspace, entry), hash, text, from, length);
    return member === 0 ? NaN : memberScore(arena, member);
  }
  const view = tailView(keyspace, entry);
  const first = listpackFirst(view, tailStart(keyspace, entry));
  const at = listpackFind(view, first, text, from, length, 1);
  return at === 0 ? NaN : place.scores.read(view, listpackSkip(view, at));
}

/** As {@linkcode scoreInSortedSet}, for the element that another place tells. */
export function scoreOfElement(
  keyspace: Keyspace,
  entry: number,
  element: ElementPlace,
  place: SortedSetPlace,
): number {
  const { arena } = keyspace;
  if (entryEncoding(keyspace, entry) === ENCODING_ROOT) {
    const hash = element.hash(keyspace.seed0, keyspace.seed1);
    const { view, start, length } = element;
    const member = findScored(arena, rootOf(keyspace, entry), hash, view, start, length);
    return member === 0 ? NaN : memberScore(arena, member);
  }
  element.spell();
  const { view, start, length } = element;
  return scoreInSortedSet(keyspace, entry, view, start, length, place);
}

/** Score of the member that `walk` is at, in a sorted set that it was told to enter. */
export function scoreAtWalk(
  keyspace: Keyspace,
  walk: CollectionWalk,
  place: SortedSetPlace,
): number {
  if (walk.isLarge) return memberScore(keyspace.arena, walk.position);
  walk.readValue(place.element);
  return place.scores.readPlace(place.element);
}

/**
 * Makes sure that `count` members can be added to the sorted set in `entry` (0: one that is still to be made). `lengths` are those of
 * all arguments; the members are argument `first` and each `step`-th one behind it.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function reservePairs(
  keyspace: Keyspace,
  entry: number,
  lengths: Int32Array,
  first: number,
  step: number,
  count: number,
): void {
  let bytes = LEAST_ROOM;
  for (let pair = 0; pair < count; pair++) bytes += lengths[first + pair * step] + MOST_PAIR_BYTES;
  if (entry !== 0 && isSmallSortedSet(keyspace, entry)) {
    // It may move, grow, and become a large one.
    bytes += 2 * tailLength(keyspace, entry) +
      sortedSetLength(keyspace, entry) * LARGE_MEMBER_BYTES;
  }
  reserveRoom(keyspace.arena, bytes);
}

/** Number of the pair of a small set that lies at `at`. */
function pairAt({ offsets, count }: SortedSetPlace, at: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Adds the member that {@linkcode findInSortedSet} has just not found.
 *
 * @throws {ArenaFullError} with nothing changed but the form, when there is no room.
 */
export function addToSortedSet(
  database: Database,
  entry: number,
  text: ReadonlyView,
  from: number,
  length: number,
  score: number,
  limits: SortedSetLimits,
  place: SortedSetPlace,
): number {
  const { keyspace } = database;
  if (place.root === 0) {
    if (place.count < limits.zsetMaxEntries && length <= limits.zsetMaxValueBytes) {
      return addSmall(database, entry, text, from, length, score, place);
    }
    entry = becomeLarge(database, entry, place);
    place.enter(keyspace, entry);
    place.hash = hashBytes(text, from, length, keyspace.seed0, keyspace.seed1);
  }
  addScored(keyspace.arena, place.root, place.hash, text, from, length, score, place.cursor);
  return entry;
}

/** Has a small set, which `place` was told to enter, be a large one; returns the entry. */
function becomeLarge(database: Database, entry: number, place: SortedSetPlace): number {
  return becomeRoot(database, entry, TYPE_ZSET, sortedRootOf(database.keyspace, place));
}

/**
 * A root with the members of the small set that `place` was told to enter, which nobody owns yet.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function sortedRootOf(keyspace: Keyspace, place: SortedSetPlace): number {
  const { arena } = keyspace;
  const root = createSortedRoot(keyspace);
  const { element, cursor } = place;
  try {
    for (let index = 0; index < place.count; index++) {
      place.index = index;
      place.read();
      const hash = element.hash(keyspace.seed0, keyspace.seed1);
      const { view, start, length } = element;
      addScored(arena, root, hash, view, start, length, place.score, cursor);
    }
  } catch (error) {
    keyspace.freeValueBlock(root);
    throw error;
  }
  return root;
}

/**
 * Gives the member that {@linkcode findInSortedSet} has just found, whose name is the text, another score.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function rescoreInSortedSet(
  database: Database,
  entry: number,
  text: ReadonlyView,
  from: number,
  length: number,
  score: number,
  place: SortedSetPlace,
): number {
  if (place.root === 0) {
    return rescoreSmall(database, entry, text, from, length, score, place);
  }
  rescore(database.keyspace.arena, place.root, place.member, score, place.cursor);
  return entry;
}

/** Takes the member that {@linkcode findInSortedSet} has just found out, and the key with the last one. */
export function removeFromSortedSet(
  database: Database,
  entry: number,
  place: SortedSetPlace,
): number {
  const { keyspace } = database;
  const { root, member, cursor } = place;
  if (place.count === 1) {
    removeEntry(database, keyspace.hash, entry);
    return 0;
  }
  if (root === 0) return dropSmall(database, entry, place.index, 1, place);
  goToScored(keyspace.arena, root, member, cursor);
  removeAtCursor(keyspace.arena, root, member, place.hash, cursor);
  return entry;
}

/** Takes the member that `place` was told to go to out, and the key with the last one. */
export function removeAtPlace(database: Database, entry: number, place: SortedSetPlace): number {
  const { keyspace } = database;
  const { arena } = keyspace;
  const { root, cursor } = place;
  if (place.count === 1) {
    removeEntry(database, keyspace.hash, entry);
    return 0;
  }
  if (root === 0) return dropSmall(database, entry, place.index, 1, place);
  const member = slotMember(arena, cursor);
  const hash = dictHashEntry(arena, rootWord(arena, root, ROOT_DICT), member);
  removeAtCursor(arena, root, member, hash, cursor);
  return entry;
}

/** Takes `count` members from rank `first` on out, which there are, and the key with the last one. */
export function removeRanks(
  database: Database,
  entry: number,
  first: number,
  count: number,
  place: SortedSetPlace,
): number {
  const { keyspace } = database;
  const { arena } = keyspace;
  place.enter(keyspace, entry);
  if (count === place.count) {
    removeEntry(database, keyspace.hash, entry);
    return 0;
  }
  if (count === 0) return entry;
  const { root, cursor } = place;
  if (root === 0) return dropSmall(database, entry, first, count, place);
  const dict = rootWord(arena, root, ROOT_DICT);
  treeAt(arena, rootWord(arena, root, ROOT_TREE), first, cursor);
  for (let left = count; left > 0; left--) {
    const member = slotMember(arena, cursor);
    removeAtCursor(arena, root, member, dictHashEntry(arena, dict, member), cursor);
  }
  return entry;
}

/** Rank of the member that {@linkcode findInSortedSet} has just found. */
export function rankInSortedSet(keyspace: Keyspace, place: SortedSetPlace): number {
  if (place.root === 0) return place.index;
  goToScored(keyspace.arena, place.root, place.member, place.cursor);
  return treePosition(keyspace.arena, place.cursor);
}
