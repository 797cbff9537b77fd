/**
 * Handlers of the commands on several sets: intersections, unions, differences. Their descriptions are in `specs/sets.ts`.
 *
 * **Intersection.** The smallest set is walked through, and each of its members looked for in the others, the next smallest first.
 *
 * **Difference.** The first set is walked through. Each of its members is looked for in the others one by one, or, where that would be
 * dearer, in the union of them, which is made first.
 *
 * Without a key to store the result in, the members that belong to an intersection or difference are noted by their place in the set that is
 * walked through, since a reply starts with their number.
 *
 * @module
 */
import { CollectionWalk } from "../keyspace/collection_walk.ts";
import type { ElementPlace } from "../keyspace/element_place.ts";
import { entryType } from "../keyspace/entry_facts.ts";
import { removeEntry } from "../keyspace/keyspace.ts";
import { SetBuilder } from "../keyspace/set_builder.ts";
import { setHasElement, setLength } from "../keyspace/sets.ts";
import { TYPE_SET } from "../keyspace/types.ts";
import { type Context, type Handler, SYNTAX_ERROR, WRONG_TYPE } from "./context.ts";

/** Adding a member to a set that is made costs as much as looking it up so many times. */
const ADDING_COST = 4;

/** The entries of the sets in arguments `from` to `end`, 0 where there is none; undefined after an error. */
function findSets(context: Context, from: number, end: number): number[] | undefined {
  const sets: number[] = [];
  for (let index = from; index < end; index++) {
    const entry = context.findForReading(index);
    if (entry !== 0 && entryType(context.keyspace, entry) !== TYPE_SET) {
      context.reply.error(WRONG_TYPE);
      return undefined;
    }
    sets.push(entry);
  }
  return sets;
}

/** Calls `visit` for each element in all of the sets, of which none is missing, until it returns false. */
function intersect(
  context: Context,
  sets: readonly number[],
  visit: (walk: CollectionWalk) => boolean,
): void {
  const { keyspace, walk } = context;
  const [first, ...others] = [...sets].sort((one, other) =>
    setLength(keyspace, one) - setLength(keyspace, other)
  );
  walk.enter(keyspace, first);
  while (walk.next()) {
    if (!others.every((other) => setHasElement(keyspace, other, walk))) continue;
    if (!visit(walk)) return;
  }
}

/** Calls `visit` for each element of the first set that none of the others has. */
function subtract(
  context: Context,
  sets: readonly number[],
  visit: (walk: CollectionWalk) => void,
): void {
  const { keyspace, walk } = context;
  const [first, ...rest] = sets;
  if (first === 0 || rest.includes(first)) return;
  const others = rest.filter((other) => other !== 0);
  const length = setLength(keyspace, first);
  const otherMembers = others.reduce((sum, other) => sum + setLength(keyspace, other), 0);
  const joined = others.length > 1 && length * (others.length - 1) > otherMembers * ADDING_COST
    ? unite(context, others)
    : null;
  const excluded = (place: ElementPlace): boolean =>
    joined?.has(place) ?? others.some((other) => setHasElement(keyspace, other, place));
  try {
    walk.enter(keyspace, first);
    while (walk.next()) if (!excluded(walk)) visit(walk);
  } finally {
    joined?.discard();
  }
}

/** The union of the sets, to be stored or discarded. */
function unite(context: Context, sets: readonly number[]): SetBuilder {
  const { keyspace, limits, walk } = context;
  return build(new SetBuilder(keyspace, limits.setMaxIntegers), (builder) => {
    for (const entry of sets) {
      if (entry === 0) continue;
      walk.enter(keyspace, entry);
      builder.addAll(walk);
    }
  });
}

/** Has `fill` fill a builder, which is discarded if there is no room. */
function build(builder: SetBuilder, fill: (builder: SetBuilder) => void): SetBuilder {
  try {
    fill(builder);
  } catch (error) {
    builder.discard();
    throw error;
  }
  return builder;
}

/** Replies with the members of the set that `context.walk` is in, at these positions. */
function replyMembers(context: Context, positions: readonly number[]): void {
  const { reply, walk } = context;
  reply.set(positions.length);
  for (const position of positions) {
    walk.goTo(position);
    walk.reply(reply);
  }
}

/** Stores the result under the key in argument 1, or removes that if there are no members; replies how many there are. */
function store(context: Context, event: string, builder: SetBuilder): void {
  const { database, keyspace, lengths, reply, starts, view } = context;
  try {
    const { count } = builder;
    const old = context.findForWriting(1);
    if (count > 0) {
      builder.store(database, old, view, starts[1], lengths[1], false);
      context.changed(1, event);
    } else if (old !== 0) {
      removeEntry(database, keyspace.hash, old);
      context.changed(1, "del");
    }
    reply.integer(count);
  } finally {
    builder.discard();
  }
}

function sinter(context: Context): void {
  const sets = findSets(context, 1, context.argc);
  if (sets === undefined) return;
  if (sets.includes(0)) return context.reply.set(0);
  const positions: number[] = [];
  intersect(context, sets, (walk) => positions.push(walk.position) > 0);
  replyMembers(context, positions);
}

function sinterstore(context: Context): void {
  const sets = findSets(context, 2, context.argc);
  if (sets === undefined) return;
  const { keyspace, limits } = context;
  const result = build(new SetBuilder(keyspace, limits.setMaxIntegers), (builder) => {
    if (sets.includes(0)) return;
    intersect(context, sets, (walk) => {
      builder.addElement(walk);
      return true;
    });
  });
  store(context, "sinterstore", result);
}

function sintercard(context: Context): void {
  const { argc, reply } = context;
  if (!context.integer(1, NO_KEYS)) return;
  const keys = context.value;
  if (keys < 1) return reply.error(NO_KEYS);
  if (keys > argc - 2) {
    return reply.error("ERR Number of keys can't be greater than number of args");
  }
  let limit = Infinity;
  for (let index = keys + 2; index < argc; index += 2) {
    if (!context.isWord(index, "LIMIT") || index + 1 === argc) return reply.error(SYNTAX_ERROR);
    if (!context.integer(index + 1, NEGATIVE_LIMIT)) return;
    if (context.value < 0) return reply.error(NEGATIVE_LIMIT);
    limit = context.value || Infinity;
  }
  const sets = findSets(context, 2, keys + 2);
  if (sets === undefined) return;
  let count = 0;
  if (!sets.includes(0)) intersect(context, sets, () => ++count < limit);
  reply.integer(count);
}

function sunion(context: Context): void {
  const { reply, walk } = context;
  const sets = findSets(context, 1, context.argc);
  if (sets === undefined) return;
  const union = unite(context, sets);
  union.enter(walk);
  reply.set(walk.count);
  while (walk.next()) walk.reply(reply);
  union.discard();
}

function sunionstore(context: Context): void {
  const sets = findSets(context, 2, context.argc);
  if (sets !== undefined) store(context, "sunionstore", unite(context, sets));
}

function sdiff(context: Context): void {
  const sets = findSets(context, 1, context.argc);
  if (sets === undefined) return;
  const positions: number[] = [];
  subtract(context, sets, (walk) => positions.push(walk.position));
  replyMembers(context, positions);
}

function sdiffstore(context: Context): void {
  const sets = findSets(context, 2, context.argc);
  if (sets === undefined) return;
  const { keyspace, limits } = context;
  const result = build(new SetBuilder(keyspace, limits.setMaxIntegers), (builder) => {
    subtract(context, sets, (walk) => builder.addElement(walk));
  });
  store(context, "sdiffstore", result);
}

const NO_KEYS = "ERR numkeys should be greater than 0";
const NEGATIVE_LIMIT = "ERR LIMIT can't be negative";

/** The handlers of the commands on several sets. */
export const SET_ALGEBRA_HANDLERS: Readonly<
  Record<
    "sinter" | "sinterstore" | "sintercard" | "sunion" | "sunionstore" | "sdiff" | "sdiffstore",
    Handler
  >
> = { sinter, sinterstore, sintercard, sunion, sunionstore, sdiff, sdiffstore };
