/**
 * What can be done with any value, whatever its type: a row for each type, which knows how its values do it.
 *
 * Who works with keys of all types (COPY, OBJECT, MEMORY USAGE, digests) looks here and nowhere else, so a new type needs a row, and
 * a place in the table of RDB's readers and writers (`persistence/rdb_values.ts`).
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import { copyCollection } from "./collection_store.ts";
import { rootOf } from "./collections.ts";
import { entryEncoding, entryType } from "./entry_facts.ts";
import { hashEncodingName } from "./hashes.ts";
import type { Database, Keyspace } from "./keyspace.ts";
import { copyList, listBytes } from "./list_transfer.ts";
import { membersBytes } from "./member_roots.ts";
import { setEncodingName } from "./sets.ts";
import { copySortedSet, sortedSetBytes } from "./sorted_set_transfer.ts";
import { sortedSetEncodingName } from "./sorted_sets.ts";
import { copyStream, streamBytes } from "./stream_transfer.ts";
import {
  copyString,
  EXPIRY_NONE,
  EXPIRY_SET,
  externalBytes,
  stringEncodingName,
} from "./strings.ts";
import {
  ENCODING_ROOT,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from "./types.ts";

/** Longest text of a number, and some. */
const SCRATCH_BYTES = 32;

/** What a type knows of its values. */
export interface ValueType {
  /** Name of the encoding of the value in `entry`, as OBJECT ENCODING answers. */
  encodingName(keyspace: Keyspace, entry: number): string;
  /**
   * Stores a copy of the value in `source` under a key whose hash is `keyspace.hash`, in place of what it holds (`old` is its
   * entry, another one than `source`, or 0), with the expiry in `keyspace.expiry` if `volatile`. Returns the entry.
   *
   * @throws {ArenaFullError} with nothing changed, when there is no room.
   */
  copy(
    database: Database,
    old: number,
    keyView: ReadonlyView,
    keyStart: number,
    keyLength: number,
    source: number,
    volatile: boolean,
  ): number;
  /**
   * Bytes of all blocks outside of the entry. Of many elements, as many as `samples` may stand for all; Infinity
   * for an exact number.
   */
  bytes(keyspace: Keyspace, entry: number, samples: number): number;
}

const STRINGS: ValueType = {
  encodingName: stringEncodingName,
  copy: (database, old, keyView, keyStart, keyLength, source, volatile) =>
    copyString(
      database,
      old,
      keyView,
      keyStart,
      keyLength,
      source,
      volatile ? EXPIRY_SET : EXPIRY_NONE,
      new Uint8Array(SCRATCH_BYTES),
    ),
  bytes: externalBytes,
};

const LISTS: ValueType = { encodingName: () => "quicklist", copy: copyList, bytes: listBytes };

/** Bytes that a set or hash takes outside of its entry. */
function memberBytes(keyspace: Keyspace, entry: number, samples: number): number {
  if (entryEncoding(keyspace, entry) !== ENCODING_ROOT) return 0;
  return membersBytes(keyspace, rootOf(keyspace, entry), samples);
}

const SETS: ValueType = { encodingName: setEncodingName, copy: copyCollection, bytes: memberBytes };

const HASHES: ValueType = {
  encodingName: hashEncodingName,
  copy: copyCollection,
  bytes: memberBytes,
};

const SORTED_SETS: ValueType = {
  encodingName: sortedSetEncodingName,
  copy: copySortedSet,
  bytes: sortedSetBytes,
};

const STREAMS: ValueType = { encodingName: () => "stream", copy: copyStream, bytes: streamBytes };

const TYPES: ReadonlyMap<number, ValueType> = new Map([
  [TYPE_STRING, STRINGS],
  [TYPE_LIST, LISTS],
  [TYPE_SET, SETS],
  [TYPE_ZSET, SORTED_SETS],
  [TYPE_HASH, HASHES],
  [TYPE_STREAM, STREAMS],
]);

/** What is known of the type of the value in `entry`. */
export function valueTypeOf(keyspace: Keyspace, entry: number): ValueType {
  return TYPES.get(entryType(keyspace, entry))!;
}
