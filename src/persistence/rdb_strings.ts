/**
 * Strings in RDB.
 *
 * @module
 */
import type { Keyspace } from "../keyspace/keyspace.ts";
import {
  allocateValue,
  EXPIRY_NONE,
  EXPIRY_SET,
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
import { Int64 } from "../protocol/integers.ts";
import { RDB_TYPE_STRING } from "./rdb_format.ts";
import { type RdbReader, READ_INTEGER, READ_PLAIN } from "./rdb_reader.ts";
import type { LoadedValue, LoadTarget } from "./rdb_values.ts";
import type { RdbWriter } from "./rdb_writer.ts";

const NO_SCRATCH = new Uint8Array(0);

/** Writes the string in `entry`. */
export function writeString(writer: RdbWriter, keyspace: Keyspace, entry: number): void {
  writer.type(RDB_TYPE_STRING);
  if (isInteger(keyspace, entry)) {
    return writer.integer(integerHigh(keyspace, entry), integerLow(keyspace, entry));
  }
  writer.string(stringBytes(keyspace, entry, NO_SCRATCH));
}

/** Reads a string. */
export function readString(reader: RdbReader, keyspace: Keyspace): LoadedValue {
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
    const { database, old, view, start, length } = target;
    const expiry = target.volatile ? EXPIRY_SET : EXPIRY_NONE;
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
    const { database, old, view, start, length } = target;
    const expiry = target.volatile ? EXPIRY_SET : EXPIRY_NONE;
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
    const { database, old, view, start, length } = target;
    const expiry = target.volatile ? EXPIRY_SET : EXPIRY_NONE;
    return setExternal(database, old, view, start, length, this.block, expiry);
  }

  discard(): void {
    this.keyspace.arena.free(this.block);
  }
}
