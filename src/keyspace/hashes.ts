/**
 * Hashes as values: fields that are set, read and deleted.
 *
 * A small hash is a listpack behind its key, fields and values in turn, as long as it has no more than
 * `hash-max-listpack-entries` fields and none of them nor of the values is longer than `hash-max-listpack-value`. Otherwise it is
 * large (`member_roots.ts`), which Redis calls a `hashtable`, and stays so. A field in a listpack takes four bytes more than its text and
 * that of its value, and 20 to 100 ns to be found among 10 to 50; in the large form 28 bytes, and two misses of the cache.
 *
 * A hash without fields isn't kept: who deletes the last one removes the key. Functions that may move the entry return where it is, and
 * need the key's hash in `keyspace.hash`.
 *
 * @module
 */
import { type ReadonlyView, SEGMENT_SHIFT } from "../memory/arena.ts";
import {
  LISTPACK_EMPTY_BYTES,
  listpackAppend,
  listpackBytes,
  listpackCreate,
  listpackDeleteRange,
  listpackEncodedBytes,
  listpackFind,
  listpackFirst,
  listpackLength,
  listpackReplace,
  listpackSkip,
} from "../memory/listpack.ts";
import { elementBytes } from "../memory/listpack_element.ts";
import { memberValueLength, memberValueStart } from "../memory/member.ts";
import { ROOT_COUNT, ROOT_HASH, rootWord } from "../memory/root.ts";
import { CollectionWalk } from "./collection_walk.ts";
import {
  addCollection,
  becomeRoot,
  growTail,
  rootOf,
  setTailLength,
  tailStart,
  tailView,
  trimTail,
  writableTail,
} from "./collections.ts";
import type { ElementPlace } from "./element_place.ts";
import { entryEncoding } from "./entry_facts.ts";
import type { Database, Keyspace } from "./keyspace.ts";
import { createMembers, findMember, membersOf, removeMember, setMember } from "./member_roots.ts";
import { ENCODING_LISTPACK, ENCODING_ROOT, TYPE_HASH } from "./types.ts";

/** Type and encoding of a hash behind its key. */
export const META_SMALL_HASH: number = TYPE_HASH | (ENCODING_LISTPACK << 4);
/** A listpack never takes more, whatever the settings say. */
export const LISTPACK_LIMIT = 2 ** 30;

/** Whether the hash in `entry` is behind its key. */
function isSmall(keyspace: Keyspace, entry: number): boolean {
  return entryEncoding(keyspace, entry) === ENCODING_LISTPACK;
}

/** How many fields the hash in `entry` has. */
export function hashLength(keyspace: Keyspace, entry: number): number {
  return isSmall(keyspace, entry)
    ? listpackLength(tailView(keyspace, entry), tailStart(keyspace, entry)) >>> 1
    : rootWord(keyspace.arena, rootOf(keyspace, entry), ROOT_COUNT);
}

/** Name of the encoding of the hash in `entry`, as OBJECT ENCODING answers. */
export function hashEncodingName(keyspace: Keyspace, entry: number): string {
  return isSmall(keyspace, entry) ? "listpack" : "hashtable";
}

/** Has `place` tell the value of the field whose name is the text; false if the hash in `entry` doesn't have it. */
export function findField(
  keyspace: Keyspace,
  entry: number,
  view: ReadonlyView,
  start: number,
  length: number,
  place: ElementPlace,
): boolean {
  const { arena } = keyspace;
  if (isSmall(keyspace, entry)) {
    const tail = tailView(keyspace, entry);
    const first = listpackFirst(tail, tailStart(keyspace, entry));
    const field = listpackFind(tail, first, view, start, length, 1);
    if (field === 0) return false;
    const bytes = arena.bytes[entry >>> SEGMENT_SHIFT];
    place.setListpackElement(tail, bytes, listpackSkip(tail, field));
    return true;
  }
  const member = findMember(keyspace, rootOf(keyspace, entry), view, start, length);
  if (member === 0) return false;
  const segment = member >>> SEGMENT_SHIFT;
  const from = memberValueStart(arena, member);
  place.setBytes(
    arena.views[segment],
    arena.bytes[segment],
    from,
    memberValueLength(arena, member),
  );
  return true;
}

/** Whether the hash in `entry` has a field whose name is the text. */
export function hashHas(
  keyspace: Keyspace,
  entry: number,
  view: ReadonlyView,
  start: number,
  length: number,
): boolean {
  if (!isSmall(keyspace, entry)) {
    return findMember(keyspace, rootOf(keyspace, entry), view, start, length) !== 0;
  }
  const tail = tailView(keyspace, entry);
  const first = listpackFirst(tail, tailStart(keyspace, entry));
  return listpackFind(tail, first, view, start, length, 1) !== 0;
}

/**
 * A hash with one field for the key in `view`, which isn't there, with room for `bytes` bytes of elements if it is small.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function createHash(
  database: Database,
  keyView: ReadonlyView,
  keyStart: number,
  keyLength: number,
  view: ReadonlyView,
  start: number,
  length: number,
  valueView: ReadonlyView,
  valueStart: number,
  valueLength: number,
  maxFields: number,
  maxBytes: number,
  bytes: number,
): number {
  const { keyspace } = database;
  if (length <= maxBytes && valueLength <= maxBytes && maxFields > 0) {
    const needed = LISTPACK_EMPTY_BYTES + listpackEncodedBytes(view, start, length) +
      listpackEncodedBytes(valueView, valueStart, valueLength);
    const room = Math.max(needed, LISTPACK_EMPTY_BYTES + bytes);
    const kind = META_SMALL_HASH;
    const entry = addCollection(database, keyView, keyStart, keyLength, room, kind, needed);
    const tail = writableTail(keyspace, entry);
    const at = tailStart(keyspace, entry);
    listpackCreate(tail, at);
    listpackAppend(tail, at, view, start, length);
    listpackAppend(tail, at, valueView, valueStart, valueLength);
    return entry;
  }
  const root = createMembers(keyspace, ROOT_HASH);
  try {
    setMember(keyspace, root, view, start, length, valueView, valueStart, valueLength);
    const kind = TYPE_HASH | (ENCODING_ROOT << 4);
    return addCollection(database, keyView, keyStart, keyLength, 0, kind, root);
  } catch (error) {
    keyspace.freeValueBlock(root);
    throw error;
  }
}

/**
 * Sets a field of the hash in `entry`. Returns the entry if the field is new, and minus the entry if it was there.
 *
 * @throws {ArenaFullError} with no field changed, when there is no room.
 */
export function hashSet(
  database: Database,
  entry: number,
  view: ReadonlyView,
  start: number,
  length: number,
  valueView: ReadonlyView,
  valueStart: number,
  valueLength: number,
  maxFields: number,
  maxBytes: number,
): number {
  const { keyspace } = database;
  if (isSmall(keyspace, entry)) {
    if (length <= maxBytes && valueLength <= maxBytes) {
      const changed = setSmall(
        database,
        entry,
        view,
        start,
        length,
        valueView,
        valueStart,
        valueLength,
        maxFields,
      );
      if (changed !== 0) return changed;
    }
    entry = becomeLarge(database, entry);
  }
  const root = rootOf(keyspace, entry);
  return setMember(keyspace, root, view, start, length, valueView, valueStart, valueLength)
    ? entry
    : -entry;
}

/** {@linkcode hashSet} for a listpack; 0, with nothing changed, if it would have too many fields or too many bytes. */
function setSmall(
  database: Database,
  entry: number,
  view: ReadonlyView,
  start: number,
  length: number,
  valueView: ReadonlyView,
  valueStart: number,
  valueLength: number,
  maxFields: number,
): number {
  const { keyspace } = database;
  const tail = tailView(keyspace, entry);
  const at = tailStart(keyspace, entry);
  const field = listpackFind(tail, listpackFirst(tail, at), view, start, length, 1);
  const fields = (listpackLength(tail, at) >>> 1) + (field === 0 ? 1 : 0);
  let bytes = listpackBytes(tail, at) + listpackEncodedBytes(valueView, valueStart, valueLength);
  if (fields > maxFields || bytes + length > LISTPACK_LIMIT) return 0;
  if (field === 0) {
    bytes += listpackEncodedBytes(view, start, length);
    const grown = growTail(database, entry, bytes);
    const target = writableTail(keyspace, grown);
    const to = tailStart(keyspace, grown);
    listpackAppend(target, to, view, start, length);
    listpackAppend(target, to, valueView, valueStart, valueLength);
    setTailLength(keyspace, grown, bytes);
    return grown;
  }
  const value = listpackSkip(tail, field);
  bytes -= elementBytes(tail, value);
  const before = listpackBytes(tail, at);
  const grown = bytes > before ? growTail(database, entry, bytes) : entry;
  const target = writableTail(keyspace, grown);
  const to = tailStart(keyspace, grown);
  listpackReplace(target, to, to + value - at, valueView, valueStart, valueLength);
  if (bytes !== before) setTailLength(keyspace, grown, bytes);
  return -(bytes < before ? trimTail(database, grown) : grown);
}

/** Has a small hash be a large one; returns the entry. */
function becomeLarge(database: Database, entry: number): number {
  const walk = new CollectionWalk();
  walk.enter(database.keyspace, entry);
  return becomeRoot(database, entry, TYPE_HASH, membersOf(database.keyspace, ROOT_HASH, walk));
}

/** Deletes a field of the hash in `entry`, which stays where it is; false if it hasn't got it. */
export function hashDelete(
  database: Database,
  entry: number,
  view: ReadonlyView,
  start: number,
  length: number,
): boolean {
  const { keyspace } = database;
  if (!isSmall(keyspace, entry)) {
    return removeMember(keyspace, rootOf(keyspace, entry), view, start, length);
  }
  const at = tailStart(keyspace, entry);
  const first = listpackFirst(tailView(keyspace, entry), at);
  const field = listpackFind(tailView(keyspace, entry), first, view, start, length, 1);
  if (field === 0) return false;
  const tail = writableTail(keyspace, entry);
  listpackDeleteRange(tail, at, field, 2);
  setTailLength(keyspace, entry, listpackBytes(tail, at));
  trimTail(database, entry);
  return true;
}
