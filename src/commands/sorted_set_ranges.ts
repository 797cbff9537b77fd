/**
 * Handlers of the commands on ranges of sorted sets; their descriptions are in `specs/sorted_set_ranges.ts`.
 *
 * Whatever a range is of, ranks, scores or names, it becomes ranks at once (`keyspace/sorted_set_ranges.ts`), so that there is one way to
 * count, skip, reply, store and remove.
 *
 * @module
 */
import {
  mirrorRange,
  nameRange,
  rankRange,
  scoreRange,
  skipMembers,
} from "../keyspace/sorted_set_ranges.ts";
import { SortedSetBuilder } from "../keyspace/sorted_set_transfer.ts";
import { removeRanks } from "../keyspace/sorted_sets.ts";
import { type Context, type Handler, SYNTAX_ERROR } from "./context.ts";
import {
  BACKWARDS,
  BY_ANYTHING,
  BY_NAME,
  BY_RANK,
  BY_SCORE,
  EITHER,
  FORWARDS,
  type RangeRequest,
} from "./range_request.ts";
import {
  findSortedSet,
  findSortedSetToChange,
  parseNameBounds,
  parseScoreBounds,
  replyMembers,
  storeSortedSet,
  tellRemoved,
} from "./sorted_set_arguments.ts";
import type { SORTED_SET_RANGE_SPECS } from "./specs/sorted_set_ranges.ts";
import type { HandlersFor } from "./specs/types.ts";

const LIMIT_OF_RANKS = "ERR syntax error, LIMIT is only supported in combination with either " +
  "BYSCORE or BYLEX";
const SCORES_OF_NAMES = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";

/** Reads the options from argument `index` on; false after an error. */
function parseOptions(
  context: Context,
  request: RangeRequest,
  index: number,
  stores: boolean,
): boolean {
  const { reply, argc } = context;
  for (; index < argc; index++) {
    if (!stores && context.isWord(index, "WITHSCORES")) request.withScores = true;
    else if (context.isWord(index, "LIMIT") && index + 2 < argc) {
      if (!context.integer(index + 1)) return false;
      request.offset = context.value;
      if (!context.integer(index + 2)) return false;
      request.limit = context.value;
      index += 2;
    } else if (request.direction === EITHER && context.isWord(index, "REV")) {
      request.direction = BACKWARDS;
    } else if (request.kind === BY_ANYTHING && context.isWord(index, "BYLEX")) {
      request.kind = BY_NAME;
    } else if (request.kind === BY_ANYTHING && context.isWord(index, "BYSCORE")) {
      request.kind = BY_SCORE;
    } else {
      reply.error(SYNTAX_ERROR);
      return false;
    }
  }
  if (request.direction === EITHER) request.direction = FORWARDS;
  if (request.kind === BY_ANYTHING) request.kind = BY_RANK;
  if (request.limit !== -1 && request.kind === BY_RANK) {
    reply.error(LIMIT_OF_RANKS);
    return false;
  }
  if (request.withScores && request.kind === BY_NAME) {
    reply.error(SCORES_OF_NAMES);
    return false;
  }
  return true;
}

/** Reads the ends of a range from argument `index` and the one behind it; false after an error. */
function parseRange(context: Context, request: RangeRequest, index: number): boolean {
  const swapped = request.backwards && request.kind !== BY_RANK;
  const min = swapped ? index + 1 : index;
  const max = swapped ? index : index + 1;
  switch (request.kind) {
    case BY_SCORE:
      return parseScoreBounds(context, min, max, request.scores);
    case BY_NAME:
      return parseNameBounds(context, min, max, request.names);
  }
  if (!context.integer(min)) return false;
  request.start = context.value;
  if (!context.integer(max)) return false;
  request.stop = context.value;
  return true;
}

/** Has `context.sortedSet` tell the ranks of the range in the sorted set in `entry`. */
function findRange(context: Context, request: RangeRequest, entry: number): void {
  const { keyspace, sortedSet: place } = context;
  place.enter(keyspace, entry);
  switch (request.kind) {
    case BY_SCORE:
      return scoreRange(keyspace.arena, place, request.scores);
    case BY_NAME:
      return nameRange(
        keyspace.arena,
        place,
        request.names,
        context.view,
        request.offset,
        request.backwards,
      );
  }
  rankRange(place, request.start, request.stop);
  if (request.backwards) mirrorRange(place);
}

/** Leaves of the range what LIMIT asks for; with ranks it may stand there, but means nothing. */
function limitRange(context: Context, { kind, offset, limit, backwards }: RangeRequest): void {
  const { sortedSet: place } = context;
  if (kind === BY_RANK) return;
  if (kind === BY_SCORE) skipMembers(place, offset, backwards);
  const count = place.end - place.first;
  if (limit < 0 || limit >= count) return;
  if (backwards) place.first = place.end - limit;
  else place.end = place.first + limit;
}

/** ZRANGE and its kin: what a range is of, and its direction, are fixed for some. */
function zrange(context: Context, kind: number, direction: number): void {
  const request = context.range.begin(kind, direction);
  if (!parseOptions(context, request, 4, false) || !parseRange(context, request, 2)) return;
  const entry = findSortedSet(context, 1);
  if (entry === undefined) return;
  if (entry === 0) return context.reply.array(0);
  findRange(context, request, entry);
  limitRange(context, request);
  replyMembers(context, request.backwards, request.withScores);
}

function zrangestore(context: Context): void {
  const request = context.range.begin(BY_ANYTHING, EITHER);
  if (!parseOptions(context, request, 5, true) || !parseRange(context, request, 3)) return;
  const entry = findSortedSet(context, 2);
  if (entry === undefined) return;
  const builder = new SortedSetBuilder(context.keyspace);
  storeSortedSet(context, 1, "zrangestore", builder, () => {
    if (entry === 0) return;
    const { sortedSet: place } = context;
    findRange(context, request, entry);
    limitRange(context, request);
    if (place.end > place.first) storeRange(context, request, builder);
  });
}

/**
 * Adds the members of the range that was found to `builder`, in the order that is asked for. As long as what is stored could be a listpack, a
 * negative zero becomes a zero, as it does there.
 */
function storeRange(context: Context, request: RangeRequest, builder: SortedSetBuilder): void {
  const { limits, sortedSet: place, sortedSet: { element } } = context;
  const { backwards } = request;
  const count = place.end - place.first;
  let packed = request.kind !== BY_RANK || count <= limits.zsetMaxEntries;
  place.goTo(backwards ? place.end - 1 : place.first);
  for (let left = count;; place.step(backwards)) {
    place.read();
    element.spell();
    const { length } = element;
    if (builder.length >= limits.zsetMaxEntries || length > limits.zsetMaxValueBytes) {
      packed = false;
    }
    const score = packed && place.score === 0 ? 0 : place.score;
    builder.add(element.view, element.start, length, score);
    if (--left === 0) return;
  }
}

/** ZCOUNT and ZLEXCOUNT. */
function zcount(context: Context, kind: number): void {
  const request = context.range.begin(kind, FORWARDS);
  if (!parseRange(context, request, 2)) return;
  const entry = findSortedSet(context, 1);
  if (entry === undefined) return;
  if (entry === 0) return context.reply.integer(0);
  findRange(context, request, entry);
  context.reply.integer(context.sortedSet.end - context.sortedSet.first);
}

/** ZREMRANGEBYRANK and its kin, which have an event each. */
function zremrange(context: Context, kind: number, event: string): void {
  const { database, reply, sortedSet: place } = context;
  const request = context.range.begin(kind, FORWARDS);
  if (!parseRange(context, request, 2)) return;
  const entry = findSortedSetToChange(context, 1);
  if (entry === undefined) return;
  if (entry === 0) return reply.integer(0);
  findRange(context, request, entry);
  const count = place.end - place.first;
  if (count > 0) {
    const left = removeRanks(database, entry, place.first, count, place);
    tellRemoved(context, 1, event, count, left === 0);
  }
  reply.integer(count);
}

/** The handlers of the commands on ranges of sorted sets. */
export const SORTED_SET_RANGE_HANDLERS: HandlersFor<typeof SORTED_SET_RANGE_SPECS, Handler> = {
  zrange: (context) => zrange(context, BY_ANYTHING, EITHER),
  zrangestore,
  zrevrange: (context) => zrange(context, BY_RANK, BACKWARDS),
  zrangebyscore: (context) => zrange(context, BY_SCORE, FORWARDS),
  zrevrangebyscore: (context) => zrange(context, BY_SCORE, BACKWARDS),
  zrangebylex: (context) => zrange(context, BY_NAME, FORWARDS),
  zrevrangebylex: (context) => zrange(context, BY_NAME, BACKWARDS),
  zcount: (context) => zcount(context, BY_SCORE),
  zlexcount: (context) => zcount(context, BY_NAME),
  zremrangebyrank: (context) => zremrange(context, BY_RANK, "zremrangebyrank"),
  zremrangebyscore: (context) => zremrange(context, BY_SCORE, "zremrangebyscore"),
  zremrangebylex: (context) => zremrange(context, BY_NAME, "zremrangebylex"),
};
