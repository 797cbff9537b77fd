/**
 * Removing all keys at once: FLUSHALL and FLUSHDB.
 *
 * **All databases**, or the only one that has keys: every segment of the arena is dropped as a whole, whatever was in
 * it. That takes as long as there are segments, not keys; only values that somebody is sending, or
 * filling, keep theirs.
 *
 * **One of several**: its entries lie between those of others. Either each is freed at once (SYNC), or its dict is put
 * aside, the database gets a new one, and {@linkcode freeDetached} frees the old one's entries in slices
 * (ASYNC).
 *
 * @module
 */
import { assert } from "@std/assert";
import {
  dictBuckets,
  dictCreate,
  dictFind,
  dictFree,
  dictReplace,
  dictTakeBucket,
} from "../memory/dict.ts";
import { type Database, type DetachedDict, freeEntry, type Keyspace } from "./keyspace.ts";
import type { ObservedKey } from "./observed_keys.ts";

/**
 * Removes all keys of `databases`; `lazily`: what takes long may be done later. Returns how many keys they
 * had.
 */
export function flushDatabases(
  keyspace: Keyspace,
  databases: readonly Database[],
  lazily: boolean,
): number {
  for (const database of databases) keyspace.onFlush?.(database);
  const flushed = databases.filter((database) => database.size > 0);
  const keys = flushed.reduce((count, database) => count + database.size, 0);
  if (keys === 0) return 0;
  const observed = flushed.flatMap(observedEntries);
  dropKeys(keyspace, flushed, lazily);
  for (const key of observed) key.tell();
  return keys;
}

/** Removes all keys of `databases`, of which nobody is told; `lazily`: what takes long may be done later. */
export function dropKeys(
  keyspace: Keyspace,
  databases: readonly Database[],
  lazily: boolean,
): void {
  const others = keyspace.databasesById.some((one) => one.size > 0 && !databases.includes(one));
  const keys = databases.reduce((count, { size }) => count + size, 0);
  if (!others) clearAll(keyspace, lazily ? keys : 0);
  else for (const database of databases) if (database.size > 0) clearOne(database, lazily);
}

/**
 * Swaps two databases: each has the keys of the other then. Those who observe a key that either of them had
 * are told.
 */
export function swapDatabases(first: Database, second: Database): void {
  const { keyspace, keyspace: { databases } } = first;
  const names = [first.number, second.number];
  const observed = (number: number): ObservedKey[] =>
    keyspace.observed.inDatabase(
      number,
      (key) => storedEntry(first, key) !== 0 || storedEntry(second, key) !== 0,
    );
  const touched = first === second ? [] : names.flatMap(observed);
  [databases[names[0]], databases[names[1]]] = [second, first];
  [second.number, first.number] = names;
  for (const key of touched) key.tell();
}

/** The observed keys that `database` has. */
function observedEntries(database: Database): ObservedKey[] {
  return database.keyspace.observed.inDatabase(
    database.number,
    (key) => storedEntry(database, key) !== 0,
  );
}

/** The entry of an observed key in `database`, whether its time has come or not; 0 if there is none. */
export function storedEntry(database: Database, key: ObservedKey): number {
  const { view, length, hash } = key;
  return dictFind(database.keyspace.arena, database.dict, hash, view, 0, length);
}

/** Removes all keys of `database`, at once. */
export function clearDatabase(database: Database): void {
  flushDatabases(database.keyspace, [database], false);
}

/** How many entries of flushed databases, and how many collections, wait to be freed. */
export function pendingObjects(keyspace: Keyspace): number {
  const asked = keyspace.dying.reduce((count, handle) => handle < 0 ? count + 1 : count, 0);
  return keyspace.detached.reduce((count, { entries }) => count + entries, asked);
}

/** Frees the entries of up to `buckets` buckets of databases that were flushed; whether there are more. */
export function freeDetached(keyspace: Keyspace, buckets: number): boolean {
  const [oldest] = keyspace.detached;
  if (oldest === undefined) return false;
  const before = oldest.entries;
  freeBuckets(keyspace, oldest, Math.min(oldest.bucket + buckets, oldest.buckets));
  keyspace.lazilyFreed += before - oldest.entries;
  if (oldest.bucket < oldest.buckets) return true;
  keyspace.detached.shift();
  dictFree(keyspace.arena, oldest.dict);
  return keyspace.detached.length > 0;
}

/**
 * Has the dict of a flushed database that holds `entry` hold `replacement` instead; false if none does. `id` is that of
 * the database, `hash` that of the key.
 */
export function replaceDetached(
  keyspace: Keyspace,
  id: number,
  hash: number,
  entry: number,
  replacement: number,
): boolean {
  return keyspace.detached.some((detached) =>
    detached.id === id && dictReplace(keyspace.arena, detached.dict, hash, entry, replacement)
  );
}

/** Empties all databases by dropping the memory of all; `lazily` keys are counted as freed later. */
function clearAll(keyspace: Keyspace, lazily: number): void {
  keyspace.lazilyFreed += lazily + pendingObjects(keyspace);
  keyspace.detached.length = 0;
  keyspace.moves++;
  keyspace.arena.clear(keyspace.abandonPinned());
  keyspace.dying.length = 0;
  keyspace.roots.clear();
  for (const database of keyspace.databasesById) {
    database.dict = dictCreate(keyspace.arena, keyspace.seed0, keyspace.seed1);
    database.volatile.clear();
    database.averageTtlMs = 0;
  }
}

/** Empties one database. */
function clearOne(database: Database, lazily: boolean): void {
  const { keyspace } = database;
  const { arena } = keyspace;
  // While there is no room for another dict, nothing has changed.
  const empty = dictCreate(arena, keyspace.seed0, keyspace.seed1);
  const { dict, id, size } = database;
  const detached = { id, dict, bucket: 0, buckets: dictBuckets(arena, dict), entries: size };
  database.dict = empty;
  database.volatile.clear();
  database.averageTtlMs = 0;
  keyspace.moves++;
  if (lazily) {
    keyspace.detached.push(detached);
    return;
  }
  freeBuckets(keyspace, detached, detached.buckets);
  dictFree(arena, dict);
}

/** Frees the entries in the buckets of a flushed database up to number `end`. */
function freeBuckets(keyspace: Keyspace, detached: DetachedDict, end: number): void {
  for (; detached.bucket < end; detached.bucket++) {
    detached.entries -= dictTakeBucket(keyspace.arena, detached.dict, detached.bucket, (entry) => {
      freeEntry(keyspace, entry);
    });
  }
  keyspace.moves++;
  assert(detached.entries >= 0 && (end < detached.buckets || detached.entries === 0));
}
