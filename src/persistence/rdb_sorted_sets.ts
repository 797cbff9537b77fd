/**
 * Sorted sets in RDB: a small one as the listpack that it is, a large one member by member, the highest score first. Older forms
 * are ziplists, and scores as text.
 *
 * @module
 */
import { tailStart, tailView } from "../keyspace/collections.ts";
import { tailLength } from "../keyspace/entry_facts.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { SortedSetBuilder, storeSortedListpack } from "../keyspace/sorted_set_transfer.ts";
import { isSmallSortedSet, type SortedSetLimits, SortedSetPlace } from "../keyspace/sorted_sets.ts";
import type { ReadonlyBytes, ReadonlyView } from "../memory/arena.ts";
import { isIntegerAt, stringLengthAt, stringStartAt } from "../memory/listpack_element.ts";
import { parseScoreBound } from "../protocol/doubles.ts";
import { ListpackBuffer } from "./listpack_buffer.ts";
import { namesDiffer, pairsIn } from "./listpack_pairs.ts";
import {
  RDB_TYPE_ZSET,
  RDB_TYPE_ZSET_2,
  RDB_TYPE_ZSET_LISTPACK,
  RDB_TYPE_ZSET_ZIPLIST,
} from "./rdb_format.ts";
import type { RdbReader } from "./rdb_reader.ts";
import { RdbText } from "./rdb_text.ts";
import type { LoadedValue, LoadSettings, LoadTarget } from "./rdb_values.ts";
import type { RdbWriter } from "./rdb_writer.ts";
import { appendZiplist } from "./ziplist.ts";

/** What stands in the place of a text's length for scores that have none. */
const SCORE_MINUS_INFINITY = 255;
const SCORE_INFINITY = 254;
const SCORE_NAN = 253;
/** No text of a score is longer, whoever wrote it. */
const LONGEST_SCORE = 64;
/** What the log says of bytes that aren't what they should be. */
const REPEATED = "Duplicate zset fields detected";
const BROKEN_LISTPACK = "Zset listpack integrity check failed.";
const BROKEN_ZIPLIST = "Zset ziplist integrity check failed.";

/** Writes the sorted set in `entry`. */
export function writeSortedSet(writer: RdbWriter, keyspace: Keyspace, entry: number): void {
  if (isSmallSortedSet(keyspace, entry)) {
    writer.type(RDB_TYPE_ZSET_LISTPACK);
    const bytes = tailLength(keyspace, entry);
    return writer.text(tailView(keyspace, entry), tailStart(keyspace, entry), bytes);
  }
  const place = new SortedSetPlace();
  const { element } = place;
  place.enter(keyspace, entry);
  writer.type(RDB_TYPE_ZSET_2);
  writer.length(place.count);
  place.goTo(place.count - 1);
  for (let left = place.count; left > 0; left--) {
    place.read();
    writer.text(element.view, element.start, element.length);
    writer.double(place.score);
    if (left > 1) place.step(true);
  }
}

/** A sorted set that was read member by member. */
class LoadedSortedSet implements LoadedValue {
  constructor(
    private readonly builder: SortedSetBuilder,
    private readonly limits: SortedSetLimits,
  ) {}

  store({ database, old, view, start, length, volatile }: LoadTarget): number {
    return this.builder.store(database, old, view, start, length, volatile, this.limits);
  }

  discard(): void {
    this.builder.abandon();
  }
}

/** One that was read as a listpack. */
class LoadedListpack implements LoadedValue {
  constructor(
    private readonly source: ReadonlyView,
    private readonly bytes: ReadonlyBytes,
    private readonly from: number,
    private readonly maxEntries: number,
  ) {}

  store({ database, old, view, start, length, volatile }: LoadTarget): number {
    const { source, bytes, from, maxEntries } = this;
    return storeSortedListpack(
      database,
      old,
      view,
      start,
      length,
      source,
      bytes,
      from,
      volatile,
      maxEntries,
    );
  }

  discard(): void {}
}

/** Reads a sorted set that was written in the form `type`. */
export function readSortedSet(
  reader: RdbReader,
  keyspace: Keyspace,
  settings: LoadSettings,
  type: number,
): LoadedValue {
  if (type === RDB_TYPE_ZSET || type === RDB_TYPE_ZSET_2) {
    return readMembers(reader, keyspace, settings, type === RDB_TYPE_ZSET_2);
  }
  const text = RdbText.of(reader);
  if (type === RDB_TYPE_ZSET_LISTPACK) {
    return packed(reader, keyspace, settings, text, BROKEN_LISTPACK);
  }
  const buffer = new ListpackBuffer();
  if (type !== RDB_TYPE_ZSET_ZIPLIST || appendZiplist(text.alone(), buffer) < 0) {
    throw reader.wrong(BROKEN_ZIPLIST);
  }
  const { view, bytes: length } = buffer;
  const place = { view, bytes: new Uint8Array(view.buffer), start: 0, length };
  return packed(reader, keyspace, settings, place, BROKEN_ZIPLIST);
}

function readMembers(
  reader: RdbReader,
  keyspace: Keyspace,
  { limits }: LoadSettings,
  binary: boolean,
): LoadedValue {
  const count = reader.length();
  if (count === 0) throw reader.empty("a sorted set without members");
  const builder = new SortedSetBuilder(keyspace);
  const text = new RdbText();
  try {
    for (let index = 0; index < count; index++) {
      text.read(reader);
      const score = binary ? reader.double() : scoreText(reader);
      if (score !== score) throw reader.wrong("Zset with NAN score detected");
      if (!builder.add(text.view, text.start, text.length, score)) {
        throw reader.wrong(REPEATED);
      }
    }
  } catch (error) {
    builder.abandon();
    throw error;
  }
  return new LoadedSortedSet(builder, limits);
}

/** A score as text. */
function scoreText(reader: RdbReader): number {
  const length = reader.byte();
  if (length === SCORE_MINUS_INFINITY) return -Infinity;
  if (length === SCORE_INFINITY) return Infinity;
  if (length === SCORE_NAN) return NaN;
  const start = reader.skip(length);
  if (length === 0 || reader.bytes[start] === 0) throw reader.wrong("a score of no digits");
  return parseScoreBound(reader.bytes, start, length) ?? NaN;
}

/**
 * A sorted set that is a listpack (the log says `broken` if it isn't), and stays one unless it has too many members. One that isn't in order is put in order; Redis would have it
 * as it is.
 */
function packed(
  reader: RdbReader,
  keyspace: Keyspace,
  { limits }: LoadSettings,
  { view, bytes, start, length }: Pick<RdbText, "view" | "bytes" | "start" | "length">,
  broken: string,
): LoadedValue {
  const pairs = pairsIn(view, start, length);
  if (pairs < 0) throw reader.wrong(broken);
  if (pairs === 0) throw reader.empty("a sorted set without members");
  const place = new SortedSetPlace();
  place.enterSmall(view, bytes, start);
  for (let index = 0; index < place.count; index++) {
    if (!isScore(view, bytes, place.scoreOffset(index))) {
      throw reader.wrong("Zset with NAN score detected");
    }
  }
  if (!namesDiffer(view, start)) throw reader.wrong(broken);
  if (isOrdered(place)) return new LoadedListpack(view, bytes, start, limits.zsetMaxEntries);
  return reordered(keyspace, place, limits);
}

/** Whether the element at `at` is one that is read as a score. */
function isScore(view: ReadonlyView, bytes: Uint8Array, at: number): boolean {
  if (isIntegerAt(view, at)) return true;
  const length = stringLengthAt(view, at);
  return length > 0 && length <= LONGEST_SCORE &&
    parseScoreBound(bytes, stringStartAt(view, at), length) !== undefined;
}

/** Whether each pair comes before the next. */
function isOrdered(place: SortedSetPlace): boolean {
  for (let index = 1; index < place.count; index++) {
    const before = place.scoreAt(index - 1);
    const score = place.scoreAt(index);
    if (before > score) return false;
    if (before < score) continue;
    place.index = index;
    place.read();
    const text = place.element.copy();
    if (place.compareAt(index - 1, new DataView(text.buffer), 0, text.length) >= 0) return false;
  }
  return true;
}

/** The pairs of a listpack that isn't in order, in order. */
function reordered(
  keyspace: Keyspace,
  place: SortedSetPlace,
  limits: SortedSetLimits,
): LoadedValue {
  const builder = new SortedSetBuilder(keyspace);
  const { element } = place;
  try {
    for (let index = 0; index < place.count; index++) {
      place.index = index;
      place.read();
      element.spell();
      builder.add(element.view, element.start, element.length, place.score);
    }
  } catch (error) {
    builder.abandon();
    throw error;
  }
  return new LoadedSortedSet(builder, limits);
}
