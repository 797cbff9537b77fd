/**
 * Commands that take the members with the lowest or highest scores out of a sorted set, and may wait for one: ZPOPMIN, ZPOPMAX, ZMPOP,
 * BZPOPMIN, BZPOPMAX, BZMPOP.
 *
 * @module
 */
import { replyRange } from "../keyspace/sorted_set_replies.ts";
import { removeAtPlace, removeRanks } from "../keyspace/sorted_sets.ts";
import { TYPE_ZSET } from "../keyspace/types.ts";
import { type Context, SYNTAX_ERROR } from "./context.ts";
import { findSortedSetToChange, tellRemoved } from "./sorted_set_arguments.ts";
import { parseTimeout } from "./timeouts.ts";

const OUT_OF_RANGE = "ERR value is out of range, must be positive";
const NO_KEYS = "ERR numkeys should be greater than 0";
const NO_COUNT = "ERR count should be greater than 0";

/** What the commands that wait can take from. */
const SORTED_SETS = 1 << TYPE_ZSET;

/** ZPOPMIN and ZPOPMAX, which takes from the other end. */
export function zpop(context: Context, highest: boolean): void {
  const { reply } = context;
  if (context.argc > 3) return reply.error(SYNTAX_ERROR);
  let wanted = 1;
  if (context.argc === 3) {
    if (!context.integer(2, OUT_OF_RANGE)) return;
    if (context.number.high < 0) return reply.error(OUT_OF_RANGE);
    wanted = context.value;
  }
  const entry = findSortedSetToChange(context, 1);
  if (entry === undefined) return;
  if (entry === 0 || wanted === 0) return reply.array(0);
  const { sortedSet: place } = context;
  place.enter(context.keyspace, entry);
  const count = Math.min(wanted, place.count);
  const paired = context.argc === 3 && reply.resp === 3;
  reply.array(paired ? count : count * 2);
  takeEnd(context, 1, entry, highest, count, paired);
}

/** Replies with `count` pairs from one end of the sorted set that `context.sortedSet` was told to enter, and takes them out. */
function takeEnd(
  context: Context,
  index: number,
  entry: number,
  highest: boolean,
  count: number,
  paired: boolean,
): void {
  const { database, keyspace, reply, sortedSet: place } = context;
  place.first = highest ? place.count - count : 0;
  place.end = place.first + count;
  replyRange(keyspace.arena, reply, place, highest, true, paired);
  const left = count === 1
    ? removeAtPlace(database, entry, place)
    : removeRanks(database, entry, place.first, count, place);
  tellRemoved(context, index, highest ? "zpopmax" : "zpopmin", count, left === 0);
}

/** BZPOPMIN and BZPOPMAX. */
export function bzpop(context: Context, highest: boolean): void {
  const last = context.argc - 1;
  const timeoutMs = parseTimeout(context, last);
  if (timeoutMs === undefined) return;
  const attempt = (again: Context, index: number): boolean => popOne(again, index, highest);
  for (let index = 1; index < last; index++) if (attempt(context, index)) return;
  if (!context.mayBlock) return context.reply.nullArray();
  context.waitForKeys({
    firstKey: 1,
    keyCount: last - 1,
    timeoutMs,
    types: SORTED_SETS,
    attempt,
    timeOut: (reply) => reply.nullArray(),
  });
}

/** Takes one member out of the sorted set at argument `index`; whether it has replied. */
function popOne(context: Context, index: number, highest: boolean): boolean {
  const { reply, sortedSet: place } = context;
  const entry = findSortedSetToChange(context, index);
  if (entry === undefined) return true;
  if (entry === 0) return false;
  place.enter(context.keyspace, entry);
  reply.array(3);
  replyKey(context, index);
  takeEnd(context, index, entry, highest, 1, false);
  context.effect(() => [highest ? "ZPOPMAX" : "ZPOPMIN", context.argument(index)]);
  return true;
}

/** Replies with argument `index`. */
function replyKey({ reply, view, starts, lengths }: Context, index: number): void {
  reply.bulkView(view, starts[index], lengths[index]);
}

/** What ZMPOP and BZMPOP say behind their keys. */
interface PopOptions {
  readonly firstKey: number;
  readonly keyCount: number;
  readonly highest: boolean;
  readonly count: number;
}

/** Reads the number of keys in argument `index`, the keys, and the options behind them; undefined after an error. */
function parsePops(context: Context, index: number): PopOptions | undefined {
  const { reply, argc } = context;
  const keyCount = positive(context, index, NO_KEYS);
  if (keyCount === undefined) return undefined;
  const end = index + 1 + keyCount;
  const highest = end < argc && context.isWord(end, "MAX");
  if (end >= argc || (!highest && !context.isWord(end, "MIN"))) {
    reply.error(SYNTAX_ERROR);
    return undefined;
  }
  let count = 0;
  for (let option = end + 1; option < argc; option += 2) {
    if (count > 0 || option + 1 === argc || !context.isWord(option, "COUNT")) {
      reply.error(SYNTAX_ERROR);
      return undefined;
    }
    const wanted = positive(context, option + 1, NO_COUNT);
    if (wanted === undefined) return undefined;
    count = wanted;
  }
  return { firstKey: index + 1, keyCount, highest, count: Math.max(1, count) };
}

/** The number above 0 in argument `index`; undefined after an error. */
function positive(context: Context, index: number, error: string): number | undefined {
  if (!context.integer(index, error)) return undefined;
  if (context.value > 0) return context.value;
  context.reply.error(error);
  return undefined;
}

/** Takes members out of the sorted set at argument `index`; whether it has replied. */
function popSome(context: Context, index: number, { highest, count }: PopOptions): boolean {
  const { reply, sortedSet: place } = context;
  const entry = findSortedSetToChange(context, index);
  if (entry === undefined) return true;
  if (entry === 0) return false;
  place.enter(context.keyspace, entry);
  const taken = Math.min(count, place.count);
  reply.array(2);
  replyKey(context, index);
  reply.array(taken);
  takeEnd(context, index, entry, highest, taken, true);
  const name = highest ? "ZPOPMAX" : "ZPOPMIN";
  context.effect(() => [name, context.argument(index), String(taken)]);
  return true;
}

/** ZMPOP. */
export function zmpop(context: Context): void {
  const options = parsePops(context, 1);
  if (options === undefined || tryKeys(context, options)) return;
  context.reply.nullArray();
}

/** BZMPOP. */
export function bzmpop(context: Context): void {
  const options = parsePops(context, 2);
  if (options === undefined) return;
  const timeoutMs = parseTimeout(context, 1);
  if (timeoutMs === undefined || tryKeys(context, options)) return;
  if (!context.mayBlock) return context.reply.nullArray();
  context.waitForKeys({
    firstKey: options.firstKey,
    keyCount: options.keyCount,
    timeoutMs,
    types: SORTED_SETS,
    attempt: (again, index) => popSome(again, index, options),
    timeOut: (reply) => reply.nullArray(),
  });
}

/** Takes members out of the first sorted set that there is; whether it has replied. */
function tryKeys(context: Context, options: PopOptions): boolean {
  for (let key = 0; key < options.keyCount; key++) {
    if (popSome(context, options.firstKey + key, options)) return true;
  }
  return false;
}
