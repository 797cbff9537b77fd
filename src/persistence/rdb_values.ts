/**
 * Values as RDB holds them: a type byte, and then what this type's reader and writer know.
 *
 * **Reading** goes in two steps, since a payload must be known to be whole before the key it is for is touched: a
 * {@linkcode ValueReader} makes a {@linkcode LoadedValue}, which has taken nothing but room, and this is then
 * stored under a key, or discarded. Readers are in a table by type byte; a type that has none yet is refused by name.
 *
 * **Writing** is the other way: {@linkcode writeValue} looks at the type of an entry.
 *
 * @module
 */
import { entryEncoding } from "../keyspace/entry_facts.ts";
import { type Database, type Keyspace } from "../keyspace/keyspace.ts";
import {
  allocateValue,
  EXTERNAL_BYTES,
  integerHigh,
  integerLow,
  isInteger,
  setExternal,
  setInteger,
  setStringOrInteger,
  stringBytes,
  valueRoom,
} from "../keyspace/strings.ts";
import { ENCODING_EXTERNAL } from "../keyspace/types.ts";
import type { ReadonlyView } from "../memory/arena.ts";
import { ENTRY_VALUE, wordIndex, wordsAt } from "../memory/entry.ts";
import { Int64 } from "../protocol/integers.ts";
import { RDB_TYPE_NAMES, RDB_TYPE_STRING } from "./rdb_format.ts";
import { type RdbReader, RdbTypeError, READ_INTEGER, READ_PLAIN } from "./rdb_reader.ts";
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
  /** One of the `EXPIRY_` constants: whether it gets the expiry in `keyspace.expiry`. */
  readonly expiry: number;
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

/** Reads a value behind its type byte. */
export type ValueReader = (reader: RdbReader, keyspace: Keyspace) => LoadedValue;

const VALUE_READERS: ReadonlyMap<number, ValueReader> = new Map([[RDB_TYPE_STRING, readString]]);

/**
 * Reads a type byte and the value behind it.
 *
 * @throws {RdbFormatError} if it isn't one.
 * @throws {RdbTypeError} if it is of a type that can't be read yet.
 * @throws {ArenaFullError} if there is no room for it.
 */
export function readValue(reader: RdbReader, keyspace: Keyspace): LoadedValue {
  const type = reader.byte();
  const read = VALUE_READERS.get(type);
  if (read !== undefined) return read(reader, keyspace);
  const name = RDB_TYPE_NAMES.get(type);
  if (name !== undefined) throw new RdbTypeError(name);
  throw reader.wrong("an unknown type of value");
}

/** Writes the type byte and the value of `entry`; a long string stays where it lies (see {@linkcode RdbWriter}). */
export function writeValue(
  writer: RdbWriter,
  keyspace: Keyspace,
  entry: number,
  scratch: Uint8Array,
): void {
  writer.byte(RDB_TYPE_STRING);
  if (isInteger(keyspace, entry)) {
    return writer.integer(integerHigh(keyspace, entry), integerLow(keyspace, entry));
  }
  writer.string(stringBytes(keyspace, entry, scratch));
}

/** The block outside of `entry` that its value's pieces may lie in, or 0. */
export function valueBlock(keyspace: Keyspace, entry: number): number {
  if (entryEncoding(keyspace, entry) !== ENCODING_EXTERNAL) return 0;
  return wordsAt(keyspace.arena, entry)[wordIndex(entry) + ENTRY_VALUE];
}

function readString(reader: RdbReader, keyspace: Keyspace): LoadedValue {
  const form = reader.string();
  if (form === READ_INTEGER) return new LoadedInteger(reader.number.high, reader.number.low);
  if (form === READ_PLAIN) {
    return new LoadedString(reader.bytes, reader.start, reader.stringLength);
  }
  const length = reader.fullLength;
  if (length < EXTERNAL_BYTES) {
    const bytes = new Uint8Array(length);
    reader.decompress(bytes);
    return new LoadedString(bytes, 0, length);
  }
  const block = allocateValue(keyspace, length);
  try {
    reader.decompress(valueRoom(keyspace, block, 0, length));
  } catch (error) {
    keyspace.arena.free(block);
    throw error;
  }
  return new LoadedBlock(keyspace, block);
}

/** A string that is an integer. */
class LoadedInteger implements LoadedValue {
  constructor(private readonly high: number, private readonly low: number) {}

  store(target: LoadTarget): number {
    const { database, old, view, start, length, expiry } = target;
    return setInteger(database, old, view, start, length, this.high, this.low, expiry);
  }

  discard(): void {}
}

/** A string that is still in the bytes it was read from. */
class LoadedString implements LoadedValue {
  constructor(
    private readonly bytes: Uint8Array,
    private readonly from: number,
    private readonly size: number,
  ) {}

  store(target: LoadTarget): number {
    const { database, old, view, start, length, expiry } = target;
    const { bytes, from, size } = this;
    const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return setStringOrInteger(
      database,
      old,
      view,
      start,
      length,
      bytes,
      source,
      from,
      size,
      expiry,
      new Int64(),
    );
  }

  discard(): void {}
}

/** A long string in a block of its own. */
class LoadedBlock implements LoadedValue {
  constructor(private readonly keyspace: Keyspace, private readonly block: number) {}

  store(target: LoadTarget): number {
    const { database, old, view, start, length, expiry } = target;
    return setExternal(database, old, view, start, length, this.block, expiry);
  }

  discard(): void {
    this.keyspace.arena.free(this.block);
  }
}
