/**
 * What the commands on sorted sets ask of their arguments and say in their replies alike.
 *
 * @module
 */
import { entryType } from "../keyspace/entry_facts.ts";
import {
  NAME_EXCLUDED,
  NAME_FIRST,
  NAME_INCLUDED,
  NAME_LAST,
  type NameBound,
  type NameBounds,
  type ScoreBounds,
} from "../keyspace/sorted_set_ranges.ts";
import { removeEntry } from "../keyspace/keyspace.ts";
import { replyRange } from "../keyspace/sorted_set_replies.ts";
import type { SortedSetBuilder } from "../keyspace/sorted_set_transfer.ts";
import { TYPE_ZSET } from "../keyspace/types.ts";
import { parseScoreBound } from "../protocol/doubles.ts";
import { type Context, WRONG_TYPE } from "./context.ts";

const NO_SCORES = "ERR min or max is not a float";
const NO_NAMES = "ERR min or max not valid string range item";
const OPENING_PARENTHESIS = 0x28;
const OPENING_BRACKET = 0x5b;
const PLUS = 0x2b;
const MINUS = 0x2d;

/** The entry of the key in argument `index`, 0 for none, if it is a sorted set; undefined after an error. */
export function findSortedSet(context: Context, index: number): number | undefined {
  const entry = context.findForReading(index);
  if (entry === 0 || entryType(context.keyspace, entry) === TYPE_ZSET) return entry;
  context.reply.error(WRONG_TYPE);
  return undefined;
}

/** As {@linkcode findSortedSet}, for a command that writes. */
export function findSortedSetToChange(context: Context, index: number): number | undefined {
  const entry = context.findAndTouch(index);
  if (entry === 0 || entryType(context.keyspace, entry) === TYPE_ZSET) return entry;
  context.reply.error(WRONG_TYPE);
  return undefined;
}

/** Reads the ends of a range of scores; false after an error. */
export function parseScoreBounds(
  context: Context,
  minIndex: number,
  maxIndex: number,
  bounds: ScoreBounds,
): boolean {
  const { bytes, starts } = context;
  bounds.minExcluded = bytes[starts[minIndex]] === OPENING_PARENTHESIS &&
    context.lengths[minIndex] > 0;
  bounds.maxExcluded = bytes[starts[maxIndex]] === OPENING_PARENTHESIS &&
    context.lengths[maxIndex] > 0;
  const min = scoreBound(context, minIndex, bounds.minExcluded);
  const max = scoreBound(context, maxIndex, bounds.maxExcluded);
  if (min === undefined || max === undefined) {
    context.reply.error(NO_SCORES);
    return false;
  }
  bounds.min = min;
  bounds.max = max;
  return true;
}

function scoreBound(context: Context, index: number, excluded: boolean): number | undefined {
  const mark = excluded ? 1 : 0;
  return parseScoreBound(
    context.bytes,
    context.starts[index] + mark,
    context.lengths[index] - mark,
  );
}

/** Reads the ends of a range of names; false after an error. */
export function parseNameBounds(
  context: Context,
  minIndex: number,
  maxIndex: number,
  bounds: NameBounds,
): boolean {
  if (nameBound(context, minIndex, bounds.min) && nameBound(context, maxIndex, bounds.max)) {
    return true;
  }
  context.reply.error(NO_NAMES);
  return false;
}

function nameBound(context: Context, index: number, bound: NameBound): boolean {
  const { bytes, starts, lengths } = context;
  const start = starts[index];
  const length = lengths[index];
  if (length === 0) return false;
  const first = bytes[start];
  if (first === MINUS || first === PLUS) {
    // A zero byte ends a text in C.
    if (length > 1 && bytes[start + 1] !== 0) return false;
    bound.kind = first === MINUS ? NAME_FIRST : NAME_LAST;
    return true;
  }
  if (first !== OPENING_PARENTHESIS && first !== OPENING_BRACKET) return false;
  bound.kind = first === OPENING_PARENTHESIS ? NAME_EXCLUDED : NAME_INCLUDED;
  bound.start = start + 1;
  bound.length = length - 1;
  return true;
}

/**
 * Replies with the members of `context.sortedSet`'s range, with their scores if they are wanted: in pairs for RESP3, one after the other
 * for RESP2.
 */
export function replyMembers(context: Context, backwards: boolean, withScores: boolean): void {
  const { keyspace, reply, sortedSet: place } = context;
  const count = place.end - place.first;
  const paired = withScores && reply.resp === 3;
  reply.array(withScores && !paired ? count * 2 : count);
  replyRange(keyspace.arena, reply, place, backwards, withScores, paired);
}

/** Tells that `count` members of the key in argument `index` have been removed, and the key, too, if it is `gone`. */
export function tellRemoved(
  context: Context,
  index: number,
  event: string,
  count: number,
  gone: boolean,
): void {
  context.keyspace.dirty += count - 1;
  context.changed(index, event);
  if (gone) context.changedToo(index, "del");
}

/**
 * Stores the sorted set that `fill` puts together in `builder` at the key in argument `index`, or removes the key if it is empty; replies
 * with the number of members.
 */
export function storeSortedSet(
  context: Context,
  index: number,
  event: string,
  builder: SortedSetBuilder,
  fill: () => void,
): void {
  const { database, keyspace, reply, view, starts, lengths, limits } = context;
  try {
    fill();
    const old = context.find(index);
    const count = builder.length;
    if (count > 0) {
      builder.store(database, old, view, starts[index], lengths[index], false, limits);
      context.changed(index, event);
    } else if (old !== 0) {
      removeEntry(database, keyspace.hash, old);
      context.changed(index, "del");
    }
    reply.integer(count);
  } catch (error) {
    builder.abandon();
    throw error;
  }
}
