/**
 * Hashes in RDB: a small one as the listpack that it is, a large one field by field. Older forms are ziplists and zipmaps.
 *
 * @module
 */
import { CollectionWalk } from "../keyspace/collection_walk.ts";
import { tailStart, tailView } from "../keyspace/collections.ts";
import { ElementPlace } from "../keyspace/element_place.ts";
import { entryEncoding, tailLength } from "../keyspace/entry_facts.ts";
import { HashBuilder } from "../keyspace/hash_builder.ts";
import { META_SMALL_HASH } from "../keyspace/hashes.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { ENCODING_LISTPACK } from "../keyspace/types.ts";
import type { ReadonlyView } from "../memory/arena.ts";
import { listpackBytes } from "../memory/listpack.ts";
import { ListpackBuffer } from "./listpack_buffer.ts";
import { namesDiffer, pairsIn } from "./listpack_pairs.ts";
import { LoadedSmall } from "./loaded_values.ts";
import { RDB_TYPE_HASH, RDB_TYPE_HASH_LISTPACK, RDB_TYPE_HASH_ZIPLIST } from "./rdb_format.ts";
import type { RdbReader } from "./rdb_reader.ts";
import { RdbText } from "./rdb_text.ts";
import type { LoadedValue, LoadSettings, LoadTarget } from "./rdb_values.ts";
import type { RdbWriter } from "./rdb_writer.ts";
import { appendZiplist, appendZipmap } from "./ziplist.ts";

const REPEATED = "Duplicate hash fields detected";
/** What the log says of bytes that aren't what they should be. */
const BROKEN_LISTPACK = "Hash listpack integrity check failed.";
const BROKEN_ZIPLIST = "Hash ziplist integrity check failed.";

/** Writes the hash in `entry`. */
export function writeHash(writer: RdbWriter, keyspace: Keyspace, entry: number): void {
  if (entryEncoding(keyspace, entry) === ENCODING_LISTPACK) {
    writer.type(RDB_TYPE_HASH_LISTPACK);
    const bytes = tailLength(keyspace, entry);
    return writer.text(tailView(keyspace, entry), tailStart(keyspace, entry), bytes);
  }
  const walk = new CollectionWalk();
  const value = new ElementPlace();
  walk.enter(keyspace, entry);
  writer.type(RDB_TYPE_HASH);
  writer.length(walk.count);
  while (walk.next()) {
    walk.readValue(value);
    writer.text(walk.view, walk.start, walk.length);
    writer.text(value.view, value.start, value.length);
  }
}

/** A hash that was read. */
class LoadedHash implements LoadedValue {
  constructor(private readonly builder: HashBuilder) {}

  store({ database, old, view, start, length, volatile }: LoadTarget): number {
    return this.builder.store(database, old, view, start, length, volatile);
  }

  discard(): void {
    this.builder.discard();
  }
}

/** Reads a hash that was written in the form `type`. */
export function readHash(
  reader: RdbReader,
  keyspace: Keyspace,
  settings: LoadSettings,
  type: number,
): LoadedValue {
  if (type === RDB_TYPE_HASH) return readFields(reader, keyspace, settings);
  const text = RdbText.of(reader);
  if (type === RDB_TYPE_HASH_LISTPACK) {
    const { view, start, length } = text;
    return packed(reader, keyspace, settings, view, start, length, BROKEN_LISTPACK);
  }
  const buffer = new ListpackBuffer();
  if (type === RDB_TYPE_HASH_ZIPLIST) {
    if (appendZiplist(text.alone(), buffer) < 0) throw reader.wrong(BROKEN_ZIPLIST);
    return packed(reader, keyspace, settings, buffer.view, 0, buffer.bytes, BROKEN_ZIPLIST);
  }
  if (appendZipmap(text.alone(), buffer) <= 0) throw reader.wrong("Zipmap integrity check failed.");
  return unpacked(reader, builderFor(keyspace, settings), buffer.view, 0);
}

function builderFor(keyspace: Keyspace, { limits }: LoadSettings): HashBuilder {
  return new HashBuilder(keyspace, limits.hashMaxEntries, limits.hashMaxValueBytes);
}

function readFields(reader: RdbReader, keyspace: Keyspace, settings: LoadSettings): LoadedValue {
  const count = reader.length();
  if (count === 0) throw reader.empty("a hash without fields");
  const builder = builderFor(keyspace, settings);
  const field = new RdbText();
  const value = new RdbText();
  try {
    for (let index = 0; index < count; index++) {
      field.read(reader);
      value.read(reader);
      const added = builder.add(
        field.view,
        field.start,
        field.length,
        value.view,
        value.start,
        value.length,
      );
      if (!added) throw reader.wrong(REPEATED);
    }
  } catch (error) {
    builder.discard();
    throw error;
  }
  return new LoadedHash(builder);
}

/** A hash that is a listpack (the log says `broken` if it isn't), and stays one unless it has too many fields. */
function packed(
  reader: RdbReader,
  keyspace: Keyspace,
  settings: LoadSettings,
  view: ReadonlyView,
  start: number,
  length: number,
  broken: string,
): LoadedValue {
  const fields = pairsIn(view, start, length);
  if (fields < 0) throw reader.wrong(broken);
  if (fields === 0) throw reader.empty("a hash without fields");
  if (fields > settings.limits.hashMaxEntries) {
    return unpacked(reader, new HashBuilder(keyspace, 0, 0), view, start);
  }
  if (!namesDiffer(view, start)) throw reader.wrong(broken);
  return new LoadedSmall(META_SMALL_HASH, view, start, listpackBytes(view, start));
}

/** Adds the pairs of a listpack one by one. */
function unpacked(
  reader: RdbReader,
  builder: HashBuilder,
  view: ReadonlyView,
  start: number,
): LoadedValue {
  const walk = new CollectionWalk();
  const value = new ElementPlace();
  walk.enterSmall(view, [], start, ENCODING_LISTPACK, true);
  try {
    while (walk.next()) {
      walk.readValue(value);
      walk.spell();
      value.spell();
      const added = builder.add(
        walk.view,
        walk.start,
        walk.length,
        value.view,
        value.start,
        value.length,
      );
      if (!added) throw reader.wrong(REPEATED);
    }
  } catch (error) {
    builder.discard();
    throw error;
  }
  return new LoadedHash(builder);
}
