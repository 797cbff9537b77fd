/**
 * Sets as values: members that are added, looked for, taken out, and met at random.
 *
 * | form     | where                  | what it is for                                                          |
 * | -------- | ---------------------- | ----------------------------------------------------------------------- |
 * | intset   | behind the key         | integers only, up to `set-max-intset-entries`                           |
 * | listpack | behind the key         | up to {@linkcode SMALL_SET_MEMBERS} of {@linkcode SMALL_MEMBER_BYTES}   |
 * | large    | root (`member_roots.ts`) | everything else                                                         |
 *
 * A set goes down this table as it has to, and never up again. Redis 7.0 has no listpacks for sets: to whoever asks, both other forms
 * are a `hashtable`. A member of a listpack takes two bytes more than its text, in the large form 28 and a share of
 * rounding; a look-up goes through 64 members on average at worst, 0.2 us.
 *
 * A set without members isn't kept: who takes out the last one removes the key. Functions that may move the entry return where it is, and
 * need the key's hash in `keyspace.hash`.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import { copyBytes } from "../memory/copy.ts";
import {
  type IntegerHalves,
  isLongInteger,
  longIntegerHigh,
  longIntegerLow,
  NOT_SHORT,
  shortInteger,
} from "../memory/decimal.ts";
import {
  INTSET_HEADER_BYTES,
  intsetBytes,
  intsetCreate,
  intsetFind,
  intsetGet,
  intsetInsert,
  intsetInsertBytes,
  intsetLength,
  intsetRemoveAt,
} from "../memory/intset.ts";
import {
  LISTPACK_EMPTY_BYTES,
  listpackAppend,
  listpackAppendInteger,
  listpackBytes,
  listpackCreate,
  listpackDelete,
  listpackEncodedBytes,
  listpackFind,
  listpackFirst,
  listpackIntegerBytes,
  listpackLength,
} from "../memory/listpack.ts";
import { ROOT_COUNT, ROOT_SET, rootWord } from "../memory/root.ts";
import { CollectionWalk } from "./collection_walk.ts";
import {
  addCollection,
  becomeRoot,
  growTail,
  rootOf,
  setTailLength,
  setValue,
  tailStart,
  tailView,
  trimTail,
  writableTail,
} from "./collections.ts";
import type { ElementPlace } from "./element_place.ts";
import { entryEncoding } from "./entry_facts.ts";
import type { Database, Keyspace } from "./keyspace.ts";
import {
  addMember,
  createMembers,
  dropMember,
  findMember,
  findMemberAt,
  membersOf,
  removeMember,
} from "./member_roots.ts";
import { ENCODING_INTSET, ENCODING_LISTPACK, ENCODING_ROOT, TYPE_SET } from "./types.ts";

/** Most members of a set that is a listpack, */
export const SMALL_SET_MEMBERS = 128;
/** and most bytes of each. */
export const SMALL_MEMBER_BYTES = 64;
/** Type and encoding of a set of integers behind its key, */
export const META_INTSET: number = TYPE_SET | (ENCODING_INTSET << 4);
/** and of one of anything. */
export const META_SMALL_SET: number = TYPE_SET | (ENCODING_LISTPACK << 4);

/** How many members the set in `entry` has. */
export function setLength(keyspace: Keyspace, entry: number): number {
  switch (entryEncoding(keyspace, entry)) {
    case ENCODING_ROOT:
      return rootWord(keyspace.arena, rootOf(keyspace, entry), ROOT_COUNT);
    case ENCODING_INTSET:
      return intsetLength(tailView(keyspace, entry), tailStart(keyspace, entry));
    default:
      return listpackLength(tailView(keyspace, entry), tailStart(keyspace, entry));
  }
}

/** Name of the encoding of the set in `entry`, as OBJECT ENCODING answers. */
export function setEncodingName(keyspace: Keyspace, entry: number): string {
  return entryEncoding(keyspace, entry) === ENCODING_INTSET ? "intset" : "hashtable";
}

/** Whether the text is a member of the set in `entry`. */
export function setHas(
  keyspace: Keyspace,
  entry: number,
  view: ReadonlyView,
  start: number,
  length: number,
): boolean {
  const encoding = entryEncoding(keyspace, entry);
  if (encoding === ENCODING_ROOT) {
    return findMember(keyspace, rootOf(keyspace, entry), view, start, length) !== 0;
  }
  const tail = tailView(keyspace, entry);
  const at = tailStart(keyspace, entry);
  return encoding === ENCODING_INTSET
    ? findText(tail, at, view, start, length) >= 0
    : listpackFind(tail, listpackFirst(tail, at), view, start, length, 0) !== 0;
}

/** Whether the element that a place tells is a member of the set in `entry`. */
export function setHasElement(keyspace: Keyspace, entry: number, place: ElementPlace): boolean {
  const encoding = entryEncoding(keyspace, entry);
  if (encoding === ENCODING_ROOT) {
    return findMemberAt(keyspace, rootOf(keyspace, entry), place) !== 0;
  }
  if (place.isInteger && encoding === ENCODING_INTSET) {
    const tail = tailView(keyspace, entry);
    return intsetFind(tail, tailStart(keyspace, entry), place.high, place.low) >= 0;
  }
  place.spell();
  return setHas(keyspace, entry, place.view, place.start, place.length);
}

/** Where the text is in the intset at `at`; negative if it isn't there. */
function findText(
  tail: ReadonlyView,
  at: number,
  view: ReadonlyView,
  start: number,
  length: number,
): number {
  const short = shortInteger(view, start, length);
  if (short !== NOT_SHORT) return intsetFind(tail, at, short >> 31, short);
  if (!isLongInteger(view, start, length)) return -1;
  const high = longIntegerHigh(view, start, length);
  return intsetFind(tail, at, high, longIntegerLow(view, start, length));
}

/**
 * A set with one member for the key in `view`, which isn't there. `members` is how many it may soon have: room is made for as many of the
 * same length.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function createSet(
  database: Database,
  keyView: ReadonlyView,
  keyStart: number,
  keyLength: number,
  view: ReadonlyView,
  start: number,
  length: number,
  maxIntegers: number,
  members: number,
): number {
  const { keyspace } = database;
  const short = shortInteger(view, start, length);
  const integer = short !== NOT_SHORT || isLongInteger(view, start, length);
  if (integer && maxIntegers > 0) {
    const width = short === NOT_SHORT ? 8 : short >= -0x8000 && short <= 0x7fff ? 2 : 4;
    const room = INTSET_HEADER_BYTES + width * Math.min(members, maxIntegers);
    const kind = META_INTSET;
    const entry = addCollection(database, keyView, keyStart, keyLength, room, kind, 0);
    intsetCreate(writableTail(keyspace, entry), tailStart(keyspace, entry));
    setTailLength(keyspace, entry, INTSET_HEADER_BYTES);
    return addToIntset(database, entry, view, start, length, maxIntegers);
  }
  if (length <= SMALL_MEMBER_BYTES) {
    const each = listpackEncodedBytes(view, start, length);
    const room = LISTPACK_EMPTY_BYTES + each * Math.min(members, SMALL_SET_MEMBERS);
    const kind = META_SMALL_SET;
    const entry = addCollection(database, keyView, keyStart, keyLength, room, kind, 0);
    listpackCreate(writableTail(keyspace, entry), tailStart(keyspace, entry));
    setTailLength(keyspace, entry, LISTPACK_EMPTY_BYTES);
    return addToListpack(database, entry, view, start, length);
  }
  const root = createMembers(keyspace, ROOT_SET);
  try {
    addMember(keyspace, root, view, start, length);
    const kind = TYPE_SET | (ENCODING_ROOT << 4);
    return addCollection(database, keyView, keyStart, keyLength, 0, kind, root);
  } catch (error) {
    keyspace.freeValueBlock(root);
    throw error;
  }
}

/**
 * Adds a member to the set in `entry`. Returns the entry, or 0, with nothing changed, if the set has that member.
 *
 * @throws {ArenaFullError} with no member added, when there is no room.
 */
export function setAdd(
  database: Database,
  entry: number,
  view: ReadonlyView,
  start: number,
  length: number,
  maxIntegers: number,
): number {
  const { keyspace } = database;
  switch (entryEncoding(keyspace, entry)) {
    case ENCODING_ROOT:
      return addMember(keyspace, rootOf(keyspace, entry), view, start, length) ? entry : 0;
    case ENCODING_INTSET:
      return addToIntset(database, entry, view, start, length, maxIntegers);
    default:
      return addToListpack(database, entry, view, start, length);
  }
}

/** {@linkcode setAdd} for a set of integers. */
function addToIntset(
  database: Database,
  entry: number,
  view: ReadonlyView,
  start: number,
  length: number,
  maxIntegers: number,
): number {
  const short = shortInteger(view, start, length);
  if (short === NOT_SHORT && !isLongInteger(view, start, length)) {
    const changed = leaveIntset(database, entry, length);
    return setAdd(database, changed, view, start, length, maxIntegers);
  }
  const high = short === NOT_SHORT ? longIntegerHigh(view, start, length) : short >> 31;
  const low = short === NOT_SHORT ? longIntegerLow(view, start, length) : short;
  const { keyspace } = database;
  const tail = tailView(keyspace, entry);
  const at = tailStart(keyspace, entry);
  if (intsetFind(tail, at, high, low) >= 0) return 0;
  if (intsetLength(tail, at) >= maxIntegers) {
    const changed = leaveIntset(database, entry, length);
    return setAdd(database, changed, view, start, length, maxIntegers);
  }
  const bytes = intsetInsertBytes(tail, at, high, low);
  const grown = growTail(database, entry, bytes);
  intsetInsert(writableTail(keyspace, grown), tailStart(keyspace, grown), high, low);
  setTailLength(keyspace, grown, bytes);
  return grown;
}

/** {@linkcode setAdd} for a listpack. */
function addToListpack(
  database: Database,
  entry: number,
  view: ReadonlyView,
  start: number,
  length: number,
): number {
  const { keyspace } = database;
  const tail = tailView(keyspace, entry);
  const at = tailStart(keyspace, entry);
  if (listpackFind(tail, listpackFirst(tail, at), view, start, length, 0) !== 0) return 0;
  if (length > SMALL_MEMBER_BYTES || listpackLength(tail, at) >= SMALL_SET_MEMBERS) {
    const changed = becomeLarge(database, entry);
    addMember(keyspace, rootOf(keyspace, changed), view, start, length);
    return changed;
  }
  const bytes = listpackBytes(tail, at) + listpackEncodedBytes(view, start, length);
  const grown = growTail(database, entry, bytes);
  const target = writableTail(keyspace, grown);
  listpackAppend(target, tailStart(keyspace, grown), view, start, length);
  setTailLength(keyspace, grown, bytes);
  return grown;
}

/** Has a set of integers take a form that has room for a member of `length` bytes more; returns the entry. */
function leaveIntset(database: Database, entry: number, length: number): number {
  const { keyspace } = database;
  const members = setLength(keyspace, entry);
  if (length > SMALL_MEMBER_BYTES || members >= SMALL_SET_MEMBERS) {
    return becomeLarge(database, entry);
  }
  const listpack = listpackOfIntegers(tailView(keyspace, entry), tailStart(keyspace, entry));
  const bytes = listpack.byteLength;
  const grown = growTail(database, entry, bytes);
  copyBytes(listpack, 0, writableTail(keyspace, grown), tailStart(keyspace, grown), bytes);
  setValue(keyspace, grown, META_SMALL_SET, bytes);
  return grown;
}

/** The integers of the intset at `at` as a listpack. */
export function listpackOfIntegers(view: ReadonlyView, at: number): DataView<ArrayBuffer> {
  const integer: IntegerHalves = { high: 0, low: 0 };
  const length = intsetLength(view, at);
  let bytes = LISTPACK_EMPTY_BYTES;
  for (let index = 0; index < length; index++) {
    intsetGet(view, at, index, integer);
    bytes += listpackIntegerBytes(integer.high, integer.low);
  }
  const listpack = new DataView(new ArrayBuffer(bytes));
  listpackCreate(listpack, 0);
  for (let index = 0; index < length; index++) {
    intsetGet(view, at, index, integer);
    listpackAppendInteger(listpack, 0, integer.high, integer.low);
  }
  return listpack;
}

/** Has a small set be a large one; returns the entry. */
function becomeLarge(database: Database, entry: number): number {
  const walk = new CollectionWalk();
  walk.enter(database.keyspace, entry);
  return becomeRoot(database, entry, TYPE_SET, membersOf(database.keyspace, ROOT_SET, walk));
}

/** Takes a member out of the set in `entry`, which stays where it is; false if it isn't there. */
export function setRemove(
  database: Database,
  entry: number,
  view: ReadonlyView,
  start: number,
  length: number,
): boolean {
  const { keyspace } = database;
  const encoding = entryEncoding(keyspace, entry);
  if (encoding === ENCODING_ROOT) {
    return removeMember(keyspace, rootOf(keyspace, entry), view, start, length);
  }
  const tail = tailView(keyspace, entry);
  const at = tailStart(keyspace, entry);
  const position = encoding === ENCODING_INTSET
    ? findText(tail, at, view, start, length)
    : listpackFind(tail, listpackFirst(tail, at), view, start, length, 0) || -1;
  if (position < 0) return false;
  removeSmall(database, entry, encoding, position);
  return true;
}

/** Takes the member that `walk` is at, which was told to enter `entry`, out. */
export function setRemoveAt(database: Database, entry: number, walk: CollectionWalk): void {
  const { keyspace } = database;
  const encoding = entryEncoding(keyspace, entry);
  if (encoding !== ENCODING_ROOT) return removeSmall(database, entry, encoding, walk.position);
  const hash = walk.hash(keyspace.seed0, keyspace.seed1);
  dropMember(keyspace, rootOf(keyspace, entry), hash, walk.position);
}

/** Takes the member at a position (see {@linkcode CollectionWalk}) out of a small set. */
function removeSmall(database: Database, entry: number, encoding: number, position: number): void {
  const { keyspace } = database;
  const tail = writableTail(keyspace, entry);
  const at = tailStart(keyspace, entry);
  if (encoding === ENCODING_INTSET) {
    intsetRemoveAt(tail, at, position);
    setTailLength(keyspace, entry, intsetBytes(tail, at));
  } else {
    listpackDelete(tail, at, position);
    setTailLength(keyspace, entry, listpackBytes(tail, at));
  }
  trimTail(database, entry);
}
