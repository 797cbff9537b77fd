/**
 * Sets in RDB: one of integers as the intset that it is, any other member by member.
 *
 * @module
 */
import { CollectionWalk } from "../keyspace/collection_walk.ts";
import { tailStart, tailView } from "../keyspace/collections.ts";
import { entryEncoding, tailLength } from "../keyspace/entry_facts.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { SetBuilder } from "../keyspace/set_builder.ts";
import { META_INTSET } from "../keyspace/sets.ts";
import { TextScratch } from "../keyspace/text_scratch.ts";
import { ENCODING_INTSET } from "../keyspace/types.ts";
import { intsetGet, intsetLength, intsetValidate } from "../memory/intset.ts";
import { listpackFirst, listpackSkip } from "../memory/listpack.ts";
import { listpackValidate } from "../memory/listpack_validation.ts";
import { Int64 } from "../protocol/integers.ts";
import { LoadedSmall } from "./loaded_values.ts";
import { RDB_TYPE_SET, RDB_TYPE_SET_INTSET, RDB_TYPE_SET_LISTPACK } from "./rdb_format.ts";
import type { RdbReader } from "./rdb_reader.ts";
import { RdbText } from "./rdb_text.ts";
import type { LoadedValue, LoadSettings, LoadTarget } from "./rdb_values.ts";
import type { RdbWriter } from "./rdb_writer.ts";

/** What the log says of a member that is there twice. */
const REPEATED = "Duplicate set members detected";

/** Writes the set in `entry`. */
export function writeSet(writer: RdbWriter, keyspace: Keyspace, entry: number): void {
  if (entryEncoding(keyspace, entry) === ENCODING_INTSET) {
    writer.type(RDB_TYPE_SET_INTSET);
    const bytes = tailLength(keyspace, entry);
    return writer.text(tailView(keyspace, entry), tailStart(keyspace, entry), bytes);
  }
  const walk = new CollectionWalk();
  walk.enter(keyspace, entry);
  writer.type(RDB_TYPE_SET);
  writer.length(walk.count);
  while (walk.next()) {
    walk.spell();
    writer.text(walk.view, walk.start, walk.length);
  }
}

/** A set that was read. */
class LoadedSet implements LoadedValue {
  constructor(private readonly builder: SetBuilder) {}

  store({ database, old, view, start, length, volatile }: LoadTarget): number {
    return this.builder.store(database, old, view, start, length, volatile);
  }

  discard(): void {
    this.builder.discard();
  }
}

/** Reads a set that was written in the form `type`. */
export function readSet(
  reader: RdbReader,
  keyspace: Keyspace,
  { limits }: LoadSettings,
  type: number,
): LoadedValue {
  if (type === RDB_TYPE_SET_INTSET) return readIntset(reader, keyspace, limits.setMaxIntegers);
  if (type === RDB_TYPE_SET_LISTPACK) return readListpack(reader, keyspace, limits.setMaxIntegers);
  const builder = new SetBuilder(keyspace, limits.setMaxIntegers);
  const text = new RdbText();
  const count = reader.length();
  if (count === 0) throw reader.empty("a set without members");
  try {
    for (let index = 0; index < count; index++) {
      text.read(reader);
      if (!builder.add(text.view, text.start, text.length)) throw reader.wrong(REPEATED);
    }
  } catch (error) {
    builder.discard();
    throw error;
  }
  return new LoadedSet(builder);
}

/** Reads a listpack of members. */
function readListpack(reader: RdbReader, keyspace: Keyspace, maxIntegers: number): LoadedValue {
  const { view, start, length } = RdbText.of(reader);
  const count = listpackValidate(view, start, length);
  if (count < 0) throw reader.wrong("Set listpack integrity check failed.");
  if (count === 0) throw reader.empty("a set without members");
  const builder = new SetBuilder(keyspace, maxIntegers);
  const element = new TextScratch();
  let at = listpackFirst(view, start);
  try {
    for (let left = count; left > 0; left--) {
      element.takeElement(view, at);
      if (!builder.add(element.view, 0, element.length)) throw reader.wrong(REPEATED);
      at = listpackSkip(view, at);
    }
  } catch (error) {
    builder.discard();
    throw error;
  }
  return new LoadedSet(builder);
}

/** Reads an intset, which stays one if it isn't too large. */
function readIntset(reader: RdbReader, keyspace: Keyspace, maxIntegers: number): LoadedValue {
  const { view, start, length } = RdbText.of(reader);
  if (!intsetValidate(view, start, length)) throw reader.wrong("Intset integrity check failed.");
  const count = intsetLength(view, start);
  if (count <= maxIntegers) return new LoadedSmall(META_INTSET, view, start, length);
  const builder = new SetBuilder(keyspace, maxIntegers);
  const integer = new Int64();
  const text = new RdbText();
  try {
    for (let index = 0; index < count; index++) {
      intsetGet(view, start, index, integer);
      text.spell(integer.high, integer.low);
      builder.add(text.view, text.start, text.length);
    }
  } catch (error) {
    builder.discard();
    throw error;
  }
  return new LoadedSet(builder);
}
