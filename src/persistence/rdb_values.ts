/**
 * Values as RDB holds them: a type byte, and then what this type's reader and writer know.
 *
 * **Reading** goes in two steps, since a payload must be known to be whole before the key it is for is touched: a
 * {@linkcode ValueReader} makes a {@linkcode LoadedValue}, which has taken nothing but room, and this is then
 * stored under a key, or discarded. Readers are in a table by type byte, which says in which of its forms a type was written; a
 * collection gets the form that the settings of this server ask for. What is read is looked at to its last byte: a
 * value that would lead us astray later is refused, where Redis does so only if `sanitize-dump-payload` says so.
 *
 * **Writing** is the other way: {@linkcode writeValue} looks at the type of an entry.
 *
 * @module
 */
import type { CollectionLimits } from "../commands/context.ts";
import { entryEncoding, entryType } from "../keyspace/entry_facts.ts";
import type { Database, Keyspace } from "../keyspace/keyspace.ts";
import {
  ENCODING_EXTERNAL,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from "../keyspace/types.ts";
import type { ReadonlyView } from "../memory/arena.ts";
import { ENTRY_VALUE, wordIndex, wordsAt } from "../memory/entry.ts";
import {
  RDB_TYPE_HASH,
  RDB_TYPE_HASH_LISTPACK,
  RDB_TYPE_HASH_ZIPLIST,
  RDB_TYPE_HASH_ZIPMAP,
  RDB_TYPE_LIST,
  RDB_TYPE_LIST_QUICKLIST,
  RDB_TYPE_LIST_QUICKLIST_2,
  RDB_TYPE_LIST_ZIPLIST,
  RDB_TYPE_SET,
  RDB_TYPE_SET_INTSET,
  RDB_TYPE_SET_LISTPACK,
  RDB_TYPE_STREAM_LISTPACKS,
  RDB_TYPE_STREAM_LISTPACKS_2,
  RDB_TYPE_STREAM_LISTPACKS_3,
  RDB_TYPE_STRING,
  RDB_TYPE_ZSET,
  RDB_TYPE_ZSET_2,
  RDB_TYPE_ZSET_LISTPACK,
  RDB_TYPE_ZSET_ZIPLIST,
} from "./rdb_format.ts";
import { readHash, writeHash } from "./rdb_hashes.ts";
import { readList, writeList } from "./rdb_lists.ts";
import type { RdbReader } from "./rdb_reader.ts";
import { readSet, writeSet } from "./rdb_sets.ts";
import { readSortedSet, writeSortedSet } from "./rdb_sorted_sets.ts";
import { readStream, writeStream } from "./rdb_streams.ts";
import { readString, writeString } from "./rdb_strings.ts";
import type { RdbWriter } from "./rdb_writer.ts";

/** The key that a value is stored under. */
export interface LoadTarget {
  /** The database it is in. */
  readonly database: Database;
  /** The entry it has, whose value is replaced, or 0. */
  readonly old: number;
  /** Where its bytes are. */
  readonly view: ReadonlyView;
  /** Where they start. */
  readonly start: number;
  /** How many they are. */
  readonly length: number;
  /** Whether it gets the expiry in `keyspace.expiry`. */
  readonly volatile: boolean;
}

/** What a value is read for. */
export interface LoadSettings {
  /** How large a small collection may be. */
  readonly limits: CollectionLimits;
}

/** A value that was read, and belongs to nobody yet. */
export interface LoadedValue {
  /**
   * Stores it under a key, whose hash is in `keyspace.hash`; returns the key's entry. When that fails for lack
   * of room it is still the caller's to discard.
   */
  store(target: LoadTarget): number;
  /** Gives back what it has taken. */
  discard(): void;
}

/** Reads a value behind its type byte, which is `type`. */
export type ValueReader = (
  reader: RdbReader,
  keyspace: Keyspace,
  settings: LoadSettings,
  type: number,
) => LoadedValue;

/** Writes the type byte and the value of an entry. */
export type ValueWriter = (writer: RdbWriter, keyspace: Keyspace, entry: number) => void;

const VALUE_READERS: ReadonlyMap<number, ValueReader> = new Map([
  [RDB_TYPE_STRING, readString],
  [RDB_TYPE_LIST, readList],
  [RDB_TYPE_LIST_ZIPLIST, readList],
  [RDB_TYPE_LIST_QUICKLIST, readList],
  [RDB_TYPE_LIST_QUICKLIST_2, readList],
  [RDB_TYPE_SET, readSet],
  [RDB_TYPE_SET_INTSET, readSet],
  [RDB_TYPE_ZSET, readSortedSet],
  [RDB_TYPE_ZSET_2, readSortedSet],
  [RDB_TYPE_ZSET_ZIPLIST, readSortedSet],
  [RDB_TYPE_ZSET_LISTPACK, readSortedSet],
  [RDB_TYPE_HASH, readHash],
  [RDB_TYPE_HASH_ZIPMAP, readHash],
  [RDB_TYPE_HASH_ZIPLIST, readHash],
  [RDB_TYPE_HASH_LISTPACK, readHash],
  [RDB_TYPE_STREAM_LISTPACKS, readStream],
  [RDB_TYPE_STREAM_LISTPACKS_2, readStream],
]);

/** The same for types of later versions of Redis, which files may have. */
const NEWER_READERS: ReadonlyMap<number, ValueReader> = new Map([
  [RDB_TYPE_SET_LISTPACK, readSet],
  [RDB_TYPE_STREAM_LISTPACKS_3, readStream],
]);

const VALUE_WRITERS: ReadonlyMap<number, ValueWriter> = new Map([
  [TYPE_STRING, writeString],
  [TYPE_LIST, writeList],
  [TYPE_SET, writeSet],
  [TYPE_ZSET, writeSortedSet],
  [TYPE_HASH, writeHash],
  [TYPE_STREAM, writeStream],
]);

/**
 * Reads a type byte and the value behind it.
 *
 * @throws {RdbFormatError} if it isn't one.
 * @throws {ArenaFullError} if there is no room for it.
 */
export function readValue(
  reader: RdbReader,
  keyspace: Keyspace,
  settings: LoadSettings,
): LoadedValue {
  const type = reader.byte();
  const read = VALUE_READERS.get(type);
  if (read === undefined) throw reader.wrong("an unknown type of value");
  return read(reader, keyspace, settings, type);
}

/** Reads a value behind its type byte, which a file may have from a later version than {@linkcode readValue} knows. */
export function readFileValue(
  reader: RdbReader,
  keyspace: Keyspace,
  settings: LoadSettings,
  type: number,
): LoadedValue {
  const read = VALUE_READERS.get(type) ?? NEWER_READERS.get(type);
  if (read === undefined) throw reader.wrong(`an unknown type of value (${type})`);
  return read(reader, keyspace, settings, type);
}

/**
 * Writes the type byte and the value of `entry`; what is long stays where it lies (see {@linkcode RdbWriter}), so the
 * pieces have to be taken before anything changes.
 */
export function writeValue(writer: RdbWriter, keyspace: Keyspace, entry: number): void {
  VALUE_WRITERS.get(entryType(keyspace, entry))!(writer, keyspace, entry);
}

/** The block outside of `entry` that its string's pieces may lie in, or 0. */
export function valueBlock(keyspace: Keyspace, entry: number): number {
  if (entryEncoding(keyspace, entry) !== ENCODING_EXTERNAL) return 0;
  return wordsAt(keyspace.arena, entry)[wordIndex(entry) + ENTRY_VALUE];
}
