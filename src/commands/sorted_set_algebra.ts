/**
 * Handlers of the commands that combine sorted sets, and sets, whose members count as having the score 1; their descriptions are in
 * `specs/sorted_set_algebra.ts`.
 *
 * A result is put together in the arena (`SortedSetBuilder`), also one that is only replied: it needs an order, and a million members
 * must not become a million objects. Scores are added, as in Redis, set after set, the smallest first; where the sum
 * isn't a number (infinities of both signs), it is 0.
 *
 * @module
 */
import { CollectionWalk } from "../keyspace/collection_walk.ts";
import { entryType } from "../keyspace/entry_facts.ts";
import { setHasElement, setLength } from "../keyspace/sets.ts";
import { SortedSetBuilder } from "../keyspace/sorted_set_transfer.ts";
import { scoreAtWalk, scoreOfElement, sortedSetLength } from "../keyspace/sorted_sets.ts";
import { TYPE_SET, TYPE_ZSET } from "../keyspace/types.ts";
import { parseDouble } from "../protocol/doubles.ts";
import { type Context, type Handler, SYNTAX_ERROR, WRONG_TYPE } from "./context.ts";
import { replyMembers, storeSortedSet } from "./sorted_set_arguments.ts";
import type { SORTED_SET_ALGEBRA_SPECS } from "./specs/sorted_set_algebra.ts";
import type { HandlersFor } from "./specs/types.ts";

const NO_WEIGHT = "ERR weight value is not a float";
const NEGATIVE_LIMIT = "ERR LIMIT can't be negative";

/** How two scores of a member become one. */
type Aggregate = (first: number, second: number) => number;

/** What the members of the result have to be in. */
type Operation = "union" | "intersection" | "difference";

/** One of the sets that are combined. */
class Source {
  weight = 1;
  readonly isSet: boolean;
  readonly length: number;

  /** The set or sorted set in `entry`, or nothing if that is 0. */
  constructor(private readonly context: Context, readonly entry: number) {
    const { keyspace } = context;
    this.isSet = entry !== 0 && entryType(keyspace, entry) === TYPE_SET;
    if (entry === 0) this.length = 0;
    else this.length = this.isSet ? setLength(keyspace, entry) : sortedSetLength(keyspace, entry);
  }

  /** Weighted score of the member that `walk`, which was told to enter this source, is at. */
  scoreAt(walk: CollectionWalk): number {
    const { keyspace, sortedSet } = this.context;
    const score = this.weight * (this.isSet ? 1 : scoreAtWalk(keyspace, walk, sortedSet));
    return score === score ? score : 0;
  }

  /** Whether this source has the member that `walk` is at; {@linkcode found} is its weighted score then. */
  has(walk: CollectionWalk): boolean {
    if (this.entry === 0) return false;
    const { keyspace, sortedSet } = this.context;
    if (this.isSet) {
      this.found = this.weight;
      return setHasElement(keyspace, this.entry, walk);
    }
    const score = scoreOfElement(keyspace, this.entry, walk, sortedSet);
    this.found = score * this.weight;
    return score === score;
  }

  found = 0;
}

/** What a command of this family asks for. */
interface Request {
  readonly sources: Source[];
  aggregate: Aggregate;
  withScores: boolean;
  /** How many members are counted; 0 for all. */
  limit: number;
}

function sum(first: number, second: number): number {
  const total = first + second;
  return total === total ? total : 0;
}

function lower(first: number, second: number): number {
  return second < first ? second : first;
}

function higher(first: number, second: number): number {
  return second > first ? second : first;
}

/**
 * Reads the number of sets in argument `index`, their keys, and the options behind them; undefined after an error. `name` is the command's,
 * `stores` and `counts` say which options it doesn't have.
 */
function parseRequest(
  context: Context,
  index: number,
  name: string,
  operation: Operation,
  stores: boolean,
  counts: boolean,
): Request | undefined {
  const { reply } = context;
  if (!context.integer(index)) return undefined;
  const count = context.value;
  if (count < 1) {
    reply.error(`ERR at least 1 input key is needed for '${name}' command`);
    return undefined;
  }
  const end = index + 1 + count;
  if (end > context.argc) {
    reply.error(SYNTAX_ERROR);
    return undefined;
  }
  const sources: Source[] = [];
  for (let key = index + 1; key < end; key++) {
    const entry = context.findForReading(key);
    const type = entry === 0 ? TYPE_ZSET : entryType(context.keyspace, entry);
    if (type !== TYPE_ZSET && type !== TYPE_SET) {
      reply.error(WRONG_TYPE);
      return undefined;
    }
    sources.push(new Source(context, entry));
  }
  const request: Request = { sources, aggregate: sum, withScores: false, limit: 0 };
  const weighted = operation !== "difference" && !counts;
  for (let option = end; option < context.argc;) {
    const used = weighted ? combineOption(context, request, option) : 0;
    if (used < 0) return undefined;
    if (used > 0) option += used;
    else if (!stores && !counts && context.isWord(option, "WITHSCORES")) {
      request.withScores = true;
      option++;
    } else if (counts && context.isWord(option, "LIMIT") && option + 1 < context.argc) {
      if (!context.integer(option + 1, NEGATIVE_LIMIT)) return undefined;
      request.limit = context.value;
      if (request.limit < 0) {
        reply.error(NEGATIVE_LIMIT);
        return undefined;
      }
      option += 2;
    } else {
      reply.error(SYNTAX_ERROR);
      return undefined;
    }
  }
  return request;
}

/** Reads WEIGHTS or AGGREGATE at argument `index`; how many arguments that took, 0 if it is neither, -1 after an error. */
function combineOption(context: Context, request: Request, index: number): number {
  const { sources } = request;
  const left = context.argc - index - 1;
  if (left >= sources.length && context.isWord(index, "WEIGHTS")) {
    for (const [number, source] of sources.entries()) {
      const at = index + 1 + number;
      const weight = parseDouble(context.bytes, context.starts[at], context.lengths[at]);
      if (weight === undefined) {
        context.reply.error(NO_WEIGHT);
        return -1;
      }
      source.weight = weight;
    }
    return 1 + sources.length;
  }
  if (left < 1 || !context.isWord(index, "AGGREGATE")) return 0;
  if (context.isWord(index + 1, "SUM")) request.aggregate = sum;
  else if (context.isWord(index + 1, "MIN")) request.aggregate = lower;
  else if (context.isWord(index + 1, "MAX")) request.aggregate = higher;
  else {
    context.reply.error(SYNTAX_ERROR);
    return -1;
  }
  return 2;
}

/** The sources in the order in which they are combined: by their length, the shortest first. */
function byLength(sources: readonly Source[]): Source[] {
  return [...sources].sort((first, second) => first.length - second.length);
}

/** Puts the members of all sources into `builder`. */
function unite(context: Context, { sources, aggregate }: Request, builder: SortedSetBuilder): void {
  const walk = new CollectionWalk();
  for (const source of byLength(sources)) {
    if (source.entry === 0) continue;
    walk.enter(context.keyspace, source.entry);
    while (walk.next()) {
      const score = source.scoreAt(walk);
      walk.spell();
      if (!builder.enter(walk.view, walk.start, walk.length, score)) {
        builder.entered = aggregate(builder.entered, score);
      }
    }
  }
  builder.order();
}

/** Calls `visit` with each member that all sources have in common, and its score, until that returns false. */
function intersect(
  context: Context,
  { sources, aggregate }: Request,
  visit: (walk: CollectionWalk, score: number) => boolean,
): void {
  const [first, ...others] = byLength(sources);
  if (first.length === 0) return;
  const walk = new CollectionWalk();
  walk.enter(context.keyspace, first.entry);
  nextMember:
  while (walk.next()) {
    let score = first.scoreAt(walk);
    for (const other of others) {
      if (!other.has(walk)) continue nextMember;
      score = aggregate(score, other.found);
    }
    if (!visit(walk, score)) return;
  }
}

/** Puts the members of the first source that no other has into `builder`. */
function subtract(context: Context, { sources }: Request, builder: SortedSetBuilder): void {
  const [first, ...others] = sources;
  if (first.length === 0) return;
  const walk = new CollectionWalk();
  walk.enter(context.keyspace, first.entry);
  while (walk.next()) {
    if (others.some((other) => other.has(walk))) continue;
    const score = first.scoreAt(walk);
    walk.spell();
    builder.add(walk.view, walk.start, walk.length, score);
  }
}

function combine(
  context: Context,
  operation: Operation,
  request: Request,
  builder: SortedSetBuilder,
): void {
  if (operation === "union") unite(context, request, builder);
  else if (operation === "difference") subtract(context, request, builder);
  else {
    intersect(context, request, (walk, score) => {
      walk.spell();
      builder.add(walk.view, walk.start, walk.length, score);
      return true;
    });
  }
}

/** ZUNION, ZINTER and ZDIFF. */
function reply(context: Context, operation: Operation, name: string): void {
  const request = parseRequest(context, 1, name, operation, false, false);
  if (request === undefined) return;
  const { sortedSet: place } = context;
  const builder = new SortedSetBuilder(context.keyspace);
  try {
    combine(context, operation, request, builder);
    place.first = 0;
    place.end = builder.length;
    if (place.end > 0) builder.show(place);
    replyMembers(context, false, request.withScores);
  } finally {
    builder.abandon();
  }
}

/** ZUNIONSTORE, ZINTERSTORE and ZDIFFSTORE. */
function store(context: Context, operation: Operation, name: string): void {
  const request = parseRequest(context, 2, name, operation, true, false);
  if (request === undefined) return;
  const builder = new SortedSetBuilder(context.keyspace);
  storeSortedSet(context, 1, name, builder, () => combine(context, operation, request, builder));
}

function zintercard(context: Context): void {
  const request = parseRequest(context, 1, "zintercard", "intersection", false, true);
  if (request === undefined) return;
  let count = 0;
  intersect(context, request, () => ++count !== request.limit);
  context.reply.integer(count);
}

/** The handlers of the commands that combine sorted sets. */
export const SORTED_SET_ALGEBRA_HANDLERS: HandlersFor<typeof SORTED_SET_ALGEBRA_SPECS, Handler> = {
  zunion: (context) => reply(context, "union", "zunion"),
  zunionstore: (context) => store(context, "union", "zunionstore"),
  zinter: (context) => reply(context, "intersection", "zinter"),
  zinterstore: (context) => store(context, "intersection", "zinterstore"),
  zintercard,
  zdiff: (context) => reply(context, "difference", "zdiff"),
  zdiffstore: (context) => store(context, "difference", "zdiffstore"),
};
