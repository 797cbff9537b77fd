/**
 * Small sorted sets: a listpack behind the key, in which each member is followed by its score, the lowest first.
 *
 * It is Redis' own form, byte for byte. A member is found by going through all of them; where a score belongs is found by halving, once it
 * is noted where each pair lies (`sorted_set_place.ts`). Functions that change something take the entry, need the key's hash in
 * `keyspace.hash`, and return where the entry is afterwards.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import {
  LISTPACK_EMPTY_BYTES,
  listpackBytes,
  listpackCreate,
  listpackDeleteRange,
  listpackEncodedBytes,
  listpackEnd,
  listpackInsert,
  listpackSkip,
} from "../memory/listpack.ts";
import { elementBytes } from "../memory/listpack_element.ts";
import { growTail, setTailLength, tailStart, trimTail, writableTail } from "./collections.ts";
import { tailLength } from "./entry_facts.ts";
import type { Database } from "./keyspace.ts";
import type { SortedSetPlace } from "./sorted_set_place.ts";

/** Writes an empty listpack behind the key of `entry`, which has room for it. */
export function clearSmall(database: Database, entry: number): void {
  const { keyspace } = database;
  listpackCreate(writableTail(keyspace, entry), tailStart(keyspace, entry));
  setTailLength(keyspace, entry, LISTPACK_EMPTY_BYTES);
}

/**
 * Adds a member that isn't there; `place` was told to enter the set.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function addSmall(
  database: Database,
  entry: number,
  text: ReadonlyView,
  from: number,
  length: number,
  score: number,
  place: SortedSetPlace,
): number {
  const { keyspace } = database;
  const rank = place.rankOf(score, text, from, length);
  const offset = rank === place.count
    ? listpackEnd(place.view, place.start) - place.start
    : place.offsets[rank] - place.start;
  const bytes = tailLength(keyspace, entry) + listpackEncodedBytes(text, from, length) +
    place.scores.set(score);
  entry = growTail(database, entry, bytes);
  const view = writableTail(keyspace, entry);
  const start = tailStart(keyspace, entry);
  const at = start + offset;
  listpackInsert(view, start, at, text, from, length);
  place.scores.insert(view, start, listpackSkip(view, at));
  setTailLength(keyspace, entry, bytes);
  return entry;
}

/**
 * Gives the member at `place` another score.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function rescoreSmall(
  database: Database,
  entry: number,
  text: ReadonlyView,
  from: number,
  length: number,
  score: number,
  place: SortedSetPlace,
): number {
  const { keyspace } = database;
  const { index, count } = place;
  const fits = (index === 0 || place.scoreAt(index - 1) < score) &&
    (index + 1 === count || score < place.scoreAt(index + 1));
  const had = elementBytes(place.view, place.scoreOffset(index));
  const bytes = tailLength(keyspace, entry) - had + place.scores.set(score);
  const offset = place.offsets[index] - place.start;
  entry = growTail(database, entry, bytes);
  const view = writableTail(keyspace, entry);
  const start = tailStart(keyspace, entry);
  if (fits) {
    place.scores.replace(view, start, listpackSkip(view, start + offset));
    setTailLength(keyspace, entry, bytes);
    return entry;
  }
  listpackDeleteRange(view, start, start + offset, 2);
  setTailLength(keyspace, entry, listpackBytes(view, start));
  place.enter(keyspace, entry);
  return addSmall(database, entry, text, from, length, score, place);
}

/** Takes `count` pairs from number `index` on out; `place` was told to enter the set, and others are left. */
export function dropSmall(
  database: Database,
  entry: number,
  index: number,
  count: number,
  place: SortedSetPlace,
): number {
  const { keyspace } = database;
  const view = writableTail(keyspace, entry);
  const start = tailStart(keyspace, entry);
  listpackDeleteRange(view, start, place.offsets[index], count * 2);
  setTailLength(keyspace, entry, listpackBytes(view, start));
  return trimTail(database, entry);
}
