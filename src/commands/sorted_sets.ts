/**
 * Handlers of the commands on sorted sets that name members; their descriptions are in `specs/sorted_sets.ts`.
 *
 * What takes members from the ends is in `sorted_set_pops.ts`, ranges are in `sorted_set_ranges.ts`, and what combines
 * several sets is in `sorted_set_algebra.ts`.
 *
 * @module
 */
import { removeEntry } from "../keyspace/keyspace.ts";
import { chooseDistinct, chooseRepeatedly } from "../keyspace/random_elements.ts";
import {
  addToSortedSet,
  createSortedSet,
  findInSortedSet,
  rankInSortedSet,
  removeFromSortedSet,
  rescoreInSortedSet,
  reservePairs,
  scoreAtWalk,
  scoreInSortedSet,
  sortedSetLength,
} from "../keyspace/sorted_sets.ts";
import { TYPE_ZSET } from "../keyspace/types.ts";
import { memberScore } from "../memory/member.ts";
import { formatDouble17g, parseDouble } from "../protocol/doubles.ts";
import type { RequestArgument } from "../protocol/request_writer.ts";
import { type Context, type Handler, SYNTAX_ERROR } from "./context.ts";
import { countArgument, countIsFine } from "./random_counts.ts";
import { scanCollection } from "./scanning.ts";
import { findSortedSet, findSortedSetToChange, tellRemoved } from "./sorted_set_arguments.ts";
import { bzmpop, bzpop, zmpop, zpop } from "./sorted_set_pops.ts";
import type { SORTED_SET_SPECS } from "./specs/sorted_sets.ts";
import type { HandlersFor } from "./specs/types.ts";

/** Only new members are added; */
export const NX = 1;
/** only members that are there get another score; */
export const XX = 2;
/** only a higher one; */
const GT = 4;
/** only a lower one. */
const LT = 8;
/** The reply counts members whose score has changed, too. */
export const CH = 16;
/** The score is added to the present one. */
const INCR = 32;

/** All of them by name. */
const OPTIONS: readonly (readonly [name: string, option: number])[] = [
  ["NX", NX],
  ["XX", XX],
  ["GT", GT],
  ["LT", LT],
  ["CH", CH],
  ["INCR", INCR],
];

/** The option that argument `index` of ZADD is, or 0. */
function optionAt(context: Context, index: number): number {
  const length = context.lengths[index];
  if (length !== 2 && length !== 4) return 0;
  for (const [name, option] of OPTIONS) if (context.isWord(index, name)) return option;
  return 0;
}

/** ZADD and ZINCRBY, for which `options` is {@linkcode INCR} from the start. */
function zadd(context: Context, options: number): void {
  let first = 2;
  for (; first < context.argc; first++) {
    const option = optionAt(context, first);
    if (option === 0) break;
    options |= option;
  }
  const count = (context.argc - first) >> 1;
  const error = complaint(options, context.argc - first);
  if (error !== "") return context.reply.error(error);
  if (parseScores(context, first, count)) addPairs(context, options, first + 1, 2, count);
}

/** What Redis says to options that don't fit together, before `rest` arguments with scores and members. */
function complaint(options: number, rest: number): string {
  if (rest === 0 || (rest & 1) === 1) return SYNTAX_ERROR;
  if ((options & NX) !== 0) {
    if ((options & XX) !== 0) return "ERR XX and NX options at the same time are not compatible";
    if ((options & (GT | LT)) !== 0) return TOO_MANY_CONDITIONS;
  }
  if ((options & GT) !== 0 && (options & LT) !== 0) return TOO_MANY_CONDITIONS;
  if ((options & INCR) !== 0 && rest > 2) {
    return "ERR INCR option supports a single increment-element pair";
  }
  return "";
}

const TOO_MANY_CONDITIONS = "ERR GT, LT, and/or NX options at the same time are not compatible";

/** Reads `count` scores, each of which stands before a member, from argument `first` on; false after an error. */
function parseScores(context: Context, first: number, count: number): boolean {
  const { bytes, starts, lengths, sortedSet } = context;
  const given = sortedSet.givenFor(count);
  for (let pair = 0; pair < count; pair++) {
    const index = first + pair * 2;
    const score = parseDouble(bytes, starts[index], lengths[index]);
    if (score === undefined) {
      context.reply.error("ERR value is not a valid float");
      return false;
    }
    given[pair] = score;
  }
  return true;
}

/**
 * Adds `count` members to the sorted set at the key in argument 1; their scores are in `context.sortedSet.given`, and they are argument
 * `first` and each `step`-th one behind it. Replies, and tells of what has changed. `options` are those of ZADD.
 */
export function addPairs(
  context: Context,
  options: number,
  first: number,
  step: number,
  count: number,
): void {
  const { database, keyspace, reply, starts, lengths, view, limits, sortedSet: place } = context;
  let entry = findSortedSetToChange(context, 1);
  if (entry === undefined) return;
  if (entry === 0 && (options & XX) !== 0) {
    return (options & INCR) !== 0 ? reply.nullBulk() : reply.integer(0);
  }
  if (entry === 0 || count > 1) reservePairs(keyspace, entry, lengths, first, step, count);
  if (entry === 0) {
    entry = createSortedSet(database, view, starts[1], lengths[1], lengths[first], limits);
  }
  let added = 0;
  let updated = 0;
  let processed = false;
  let score = 0;
  let pair = 0;
  try {
    for (; pair < count; pair++) {
      const index = first + pair * step;
      const start = starts[index];
      const length = lengths[index];
      score = place.given[pair];
      if (!findInSortedSet(keyspace, entry, view, start, length, place)) {
        if ((options & XX) !== 0) continue;
        entry = addToSortedSet(database, entry, view, start, length, score, limits, place);
        added++;
      } else {
        const before = place.score;
        if ((options & INCR) !== 0) score += before;
        if (score !== score) return reply.error("ERR resulting score is not a number (NaN)");
        if (isRefused(options, score, before)) continue;
        if (score !== before) {
          entry = rescoreInSortedSet(database, entry, view, start, length, score, place);
          updated++;
        }
      }
      processed = true;
    }
  } catch (error) {
    keepPart(context, options, first, step, pair, added + updated);
    throw error;
  }
  if (added + updated > 0) tellAdded(context, options, added + updated);
  if ((options & INCR) === 0) reply.integer((options & CH) !== 0 ? added + updated : added);
  else if (processed) reply.double(score);
  else reply.nullBulk();
}

/** Tells that so many members have been added or have another score. */
function tellAdded(context: Context, options: number, changes: number): void {
  context.keyspace.dirty += changes - 1;
  context.changed(1, (options & INCR) !== 0 ? "zincr" : "zadd");
}

/**
 * There was no room for the pair behind the first `count` ones, though it was looked for: tells of these, or removes the set that was made
 * for them.
 */
function keepPart(
  context: Context,
  options: number,
  first: number,
  step: number,
  count: number,
  changes: number,
): void {
  const { database, keyspace } = context;
  if (changes > 0) {
    tellAdded(context, options, changes);
    return context.effect(() => addition(context, options, first, step, count));
  }
  const entry = context.find(1);
  if (sortedSetLength(keyspace, entry) === 0) removeEntry(database, keyspace.hash, entry);
}

/** The ZADD that does the same as {@linkcode addPairs}. */
export function addition(
  context: Context,
  options: number,
  first: number,
  step: number,
  count: number,
): RequestArgument[] {
  const words: RequestArgument[] = ["ZADD", context.argument(1)];
  for (const [name, option] of OPTIONS) if ((options & option) !== 0) words.push(name);
  for (let pair = 0; pair < count; pair++) {
    words.push(formatDouble17g(context.sortedSet.given[pair]));
    words.push(context.argument(first + pair * step));
  }
  return words;
}

/** Whether the options say that a member with the score `before` isn't to get another. */
function isRefused(options: number, score: number, before: number): boolean {
  if ((options & (NX | GT | LT)) === 0) return false;
  if ((options & NX) !== 0) return true;
  return (options & GT) !== 0 ? score <= before : score >= before;
}

function zrem(context: Context): void {
  const { database, keyspace, reply, starts, lengths, view, sortedSet: place } = context;
  let entry = findSortedSetToChange(context, 1);
  if (entry === undefined) return;
  let removed = 0;
  for (let index = 2; index < context.argc && entry !== 0; index++) {
    if (!findInSortedSet(keyspace, entry, view, starts[index], lengths[index], place)) continue;
    entry = removeFromSortedSet(database, entry, place);
    removed++;
  }
  if (removed > 0) tellRemoved(context, 1, "zrem", removed, entry === 0);
  reply.integer(removed);
}

function zcard(context: Context): void {
  const entry = findSortedSet(context, 1);
  if (entry === undefined) return;
  context.reply.integer(entry === 0 ? 0 : sortedSetLength(context.keyspace, entry));
}

/** Replies with the score of the member in argument `index`. */
function replyScore(context: Context, entry: number, index: number): void {
  const { keyspace, reply, starts, lengths, view, sortedSet } = context;
  const score = entry === 0
    ? NaN
    : scoreInSortedSet(keyspace, entry, view, starts[index], lengths[index], sortedSet);
  if (score === score) reply.double(score);
  else reply.nullBulk();
}

function zscore(context: Context): void {
  const entry = findSortedSet(context, 1);
  if (entry !== undefined) replyScore(context, entry, 2);
}

function zmscore(context: Context): void {
  const entry = findSortedSet(context, 1);
  if (entry === undefined) return;
  context.reply.array(context.argc - 2);
  for (let index = 2; index < context.argc; index++) replyScore(context, entry, index);
}

/** ZRANK and ZREVRANK. */
function zrank(context: Context, backwards: boolean): void {
  const { keyspace, reply, starts, lengths, view, sortedSet: place } = context;
  const entry = findSortedSet(context, 1);
  if (entry === undefined) return;
  if (
    entry === 0 || !findInSortedSet(keyspace, entry, view, starts[2], lengths[2], place)
  ) return reply.nullBulk();
  const rank = rankInSortedSet(keyspace, place);
  reply.integer(backwards ? place.count - 1 - rank : rank);
}

function zrandmember(context: Context): void {
  const { keyspace, reply, walk, random } = context;
  if (context.argc > 2) return randomMembers(context);
  const entry = findSortedSet(context, 1);
  if (entry === undefined) return;
  if (entry === 0) return reply.nullBulk();
  walk.enter(keyspace, entry);
  walk.goToRandom(random);
  walk.reply(reply);
}

/** ZRANDMEMBER with a count: so many different members at most, or, if it is negative, so many that may come again. */
function randomMembers(context: Context): void {
  const { keyspace, reply, walk, random, sortedSet: place } = context;
  const wanted = countArgument(context, 2);
  if (wanted === undefined) return;
  const withScores = context.argc === 4 && context.isWord(3, "WITHSCORES");
  if (context.argc > 3 && !withScores) return reply.error(SYNTAX_ERROR);
  if (!countIsFine(context, withScores)) return;
  const entry = findSortedSet(context, 1);
  if (entry === undefined) return;
  if (entry === 0 || wanted === 0) return reply.array(0);
  walk.enter(keyspace, entry);
  const count = wanted < 0 ? -wanted : Math.min(wanted, walk.count);
  const paired = withScores && reply.resp === 3;
  reply.array(withScores && !paired ? count * 2 : count);
  const choose = wanted < 0 ? chooseRepeatedly : chooseDistinct;
  choose(walk, count, random, () => {
    if (paired) reply.array(2);
    walk.reply(reply);
    if (withScores) reply.double(scoreAtWalk(keyspace, walk, place));
  });
}

/** ZSCAN. A small set's scores are told as they are stored. */
function zscan(context: Context): void {
  const { keyspace: { arena }, reply, sortedSet: { element } } = context;
  scanCollection(context, TYPE_ZSET, 2, (walk) => {
    walk.reply(reply);
    if (walk.isLarge) return reply.bulkDouble(memberScore(arena, walk.position));
    walk.readValue(element);
    element.reply(reply);
  });
}

/** The handlers of the commands on sorted sets that name members, or take them from the ends. */
export const SORTED_SET_HANDLERS: HandlersFor<typeof SORTED_SET_SPECS, Handler> = {
  zadd: (context) => zadd(context, 0),
  zincrby: (context) => zadd(context, INCR),
  zrem,
  zcard,
  zscore,
  zmscore,
  zrank: (context) => zrank(context, false),
  zrevrank: (context) => zrank(context, true),
  zrandmember,
  zscan,
  zpopmin: (context) => zpop(context, false),
  zpopmax: (context) => zpop(context, true),
  zmpop,
  bzpopmin: (context) => bzpop(context, false),
  bzpopmax: (context) => bzpop(context, true),
  bzmpop,
};
