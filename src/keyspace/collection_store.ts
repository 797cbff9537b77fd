/**
 * Whole collections that get a key: built elsewhere, read from a payload, or copied from another key.
 *
 * Each function stores in place of whatever the key holds (`old` is its entry or 0, `keyspace.hash` its hash), with the expiry in
 * `keyspace.expiry` if `volatile`, and returns the entry. When there is no room, it throws with nothing changed.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import { copyBytes } from "../memory/copy.ts";
import { rootOf, setValue, tailStart, tailView, writableTail } from "./collections.ts";
import { entryEncoding, entryType, tailLength } from "./entry_facts.ts";
import { addEntry, type Database, resizeWithoutValue } from "./keyspace.ts";
import { copyMembers } from "./member_roots.ts";
import { ENCODING_ROOT } from "./types.ts";

/** Stores the `bytes` bytes of a small collection at `from`; `kind` is its type and encoding. */
export function storeSmall(
  database: Database,
  old: number,
  keyView: ReadonlyView,
  keyStart: number,
  keyLength: number,
  kind: number,
  source: ReadonlyView,
  from: number,
  bytes: number,
  volatile: boolean,
): number {
  const { keyspace } = database;
  const entry = old === 0
    ? addEntry(database, keyView, keyStart, keyLength, bytes, volatile)
    : resizeWithoutValue(database, old, bytes, volatile);
  setValue(keyspace, entry, kind, bytes);
  copyBytes(source, from, writableTail(keyspace, entry), tailStart(keyspace, entry), bytes);
  return entry;
}

/** Stores the large collection at `root`, which nobody owns; it stays the caller's when there is no room. */
export function storeRoot(
  database: Database,
  old: number,
  keyView: ReadonlyView,
  keyStart: number,
  keyLength: number,
  type: number,
  root: number,
  volatile: boolean,
): number {
  const entry = old === 0
    ? addEntry(database, keyView, keyStart, keyLength, 0, volatile)
    : resizeWithoutValue(database, old, 0, volatile);
  setValue(database.keyspace, entry, type | (ENCODING_ROOT << 4), root);
  return entry;
}

/** Stores a copy of the set or hash in `source`, which is another entry than `old`; a small collection may be any. */
export function copyCollection(
  database: Database,
  old: number,
  keyView: ReadonlyView,
  keyStart: number,
  keyLength: number,
  source: number,
  volatile: boolean,
): number {
  const { keyspace } = database;
  const type = entryType(keyspace, source);
  const encoding = entryEncoding(keyspace, source);
  if (encoding !== ENCODING_ROOT) {
    return storeSmall(
      database,
      old,
      keyView,
      keyStart,
      keyLength,
      type | (encoding << 4),
      tailView(keyspace, source),
      tailStart(keyspace, source),
      tailLength(keyspace, source),
      volatile,
    );
  }
  const root = copyMembers(keyspace, rootOf(keyspace, source));
  try {
    return storeRoot(database, old, keyView, keyStart, keyLength, type, root, volatile);
  } catch (error) {
    keyspace.freeValueBlock(root);
    throw error;
  }
}
