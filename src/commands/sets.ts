/**
 * Handlers of the commands on single sets; those on several are in `set_algebra.ts`, their descriptions in `specs/sets.ts`.
 *
 * @module
 */
import { entryType } from "../keyspace/entry_facts.ts";
import { removeEntry } from "../keyspace/keyspace.ts";
import { chooseDistinct, chooseRepeatedly } from "../keyspace/random_elements.ts";
import { createSet, setAdd, setHas, setLength, setRemove, setRemoveAt } from "../keyspace/sets.ts";
import { trimTail } from "../keyspace/collections.ts";
import { TYPE_SET } from "../keyspace/types.ts";
import { type Context, type Handler, SYNTAX_ERROR, WRONG_TYPE } from "./context.ts";
import { countArgument, countIsFine } from "./random_counts.ts";
import { scanCollection } from "./scanning.ts";
import { SET_ALGEBRA_HANDLERS } from "./set_algebra.ts";
import type { SET_SPECS } from "./specs/sets.ts";
import type { HandlersFor } from "./specs/types.ts";

/** Most members that one SREM in the journal names. */
const MEMBERS_PER_EFFECT = 1024;

/** The entry of the key in argument `index` if it is a set, 0 if there is none, or undefined after an error. */
function setForReading(context: Context, index: number): number | undefined {
  const entry = context.findForReading(index);
  if (entry === 0 || entryType(context.keyspace, entry) === TYPE_SET) return entry;
  context.reply.error(WRONG_TYPE);
  return undefined;
}

/** As {@linkcode setForReading}, for a command that may change it. */
function setForWriting(context: Context, index: number): number | undefined {
  const entry = context.findAndTouch(index);
  if (entry === 0 || entryType(context.keyspace, entry) === TYPE_SET) return entry;
  context.reply.error(WRONG_TYPE);
  return undefined;
}

/** Adds the member in argument `index` to the set in `entry`, or to a new one under the key in `keyIndex`; as {@linkcode setAdd}. */
function addMember(context: Context, entry: number, keyIndex: number, index: number): number {
  const { database, view, starts, lengths, limits: { setMaxIntegers } } = context;
  if (entry !== 0) {
    return setAdd(database, entry, view, starts[index], lengths[index], setMaxIntegers);
  }
  return createSet(
    database,
    view,
    starts[keyIndex],
    lengths[keyIndex],
    view,
    starts[index],
    lengths[index],
    setMaxIntegers,
    context.argc - index,
  );
}

function sadd(context: Context): void {
  const { argc, reply } = context;
  const found = setForWriting(context, 1);
  if (found === undefined) return;
  let entry = found;
  let added = 0;
  let index = 2;
  try {
    for (; index < argc; index++) {
      const changed = addMember(context, entry, 1, index);
      if (changed === 0) continue;
      entry = changed;
      added++;
    }
  } catch (error) {
    // There was no room for this one: those before it are in.
    if (added > 0) {
      context.effectUpTo(index);
      noteAdded(context, added);
    }
    throw error;
  }
  if (found === 0 && argc > 3) trimTail(context.database, entry);
  if (added > 0) noteAdded(context, added);
  reply.integer(added);
}

function noteAdded(context: Context, added: number): void {
  context.changed(1, "sadd");
  context.keyspace.dirty += added - 1;
}

/** Removes the set under the key in argument 1, whose hash is at hand, if it has no members any more. */
function removeIfEmpty(context: Context, entry: number): void {
  const { database, keyspace } = context;
  if (setLength(keyspace, entry) > 0) return;
  removeEntry(database, keyspace.hash, entry);
  context.changedToo(1, "del");
}

function srem(context: Context): void {
  const { argc, database, keyspace, lengths, reply, starts, view } = context;
  const entry = setForWriting(context, 1);
  if (entry === undefined) return;
  if (entry === 0) return reply.integer(0);
  let removed = 0;
  for (let index = 2; index < argc; index++) {
    if (!setRemove(database, entry, view, starts[index], lengths[index])) continue;
    removed++;
    if (setLength(keyspace, entry) === 0) break;
  }
  if (removed > 0) {
    context.changed(1, "srem");
    keyspace.dirty += removed - 1;
    removeIfEmpty(context, entry);
  }
  reply.integer(removed);
}

function sismember(context: Context): void {
  const { keyspace, lengths, reply, starts, view } = context;
  const entry = setForReading(context, 1);
  if (entry === undefined) return;
  const there = entry !== 0 && setHas(keyspace, entry, view, starts[2], lengths[2]);
  reply.integer(there ? 1 : 0);
}

function smismember(context: Context): void {
  const { argc, keyspace, lengths, reply, starts, view } = context;
  const entry = setForReading(context, 1);
  if (entry === undefined) return;
  reply.array(argc - 2);
  for (let index = 2; index < argc; index++) {
    const there = entry !== 0 && setHas(keyspace, entry, view, starts[index], lengths[index]);
    reply.integer(there ? 1 : 0);
  }
}

function scard(context: Context): void {
  const entry = setForReading(context, 1);
  if (entry === undefined) return;
  context.reply.integer(entry === 0 ? 0 : setLength(context.keyspace, entry));
}

function smembers(context: Context): void {
  const { keyspace, reply, walk } = context;
  const entry = setForReading(context, 1);
  if (entry === undefined) return;
  if (entry === 0) return reply.set(0);
  walk.enter(keyspace, entry);
  reply.set(walk.count);
  while (walk.next()) walk.reply(reply);
}

function spop(context: Context): void {
  if (context.argc > 2) return popSeveral(context);
  const { database, journal, keyspace, reply, walk } = context;
  const entry = setForWriting(context, 1);
  if (entry === undefined) return;
  if (entry === 0) return reply.nullBulk();
  walk.enter(keyspace, entry);
  walk.goToRandom(context.random);
  walk.reply(reply);
  if (journal.listening) journalRemoval(context, [walk.copy()]);
  setRemoveAt(database, entry, walk);
  context.changed(1, "spop");
  removeIfEmpty(context, entry);
}

/** Journals that `members` are gone. (A function of its own, since one in which a closure is made pays for it in each call.) */
function journalRemoval(context: Context, members: readonly Uint8Array[]): void {
  context.effect(() => ["SREM", context.argument(1), ...members]);
}

/** SPOP with a count. */
function popSeveral(context: Context): void {
  const { keyspace, reply, walk } = context;
  if (context.argc > 3) return reply.error(SYNTAX_ERROR);
  if (!context.integer(2, MUST_BE_POSITIVE)) return;
  const count = context.value;
  if (count < 0) return reply.error(MUST_BE_POSITIVE);
  const entry = setForWriting(context, 1);
  if (entry === undefined) return;
  if (entry === 0 || count === 0) return reply.set(0);
  const length = setLength(keyspace, entry);
  if (count < length) return popSome(context, entry, count);
  walk.enter(keyspace, entry);
  reply.set(length);
  while (walk.next()) walk.reply(reply);
  removeEntry(context.database, keyspace.hash, entry);
  context.effect(() => ["DEL", context.argument(1)]);
  context.changed(1, "spop");
  context.changedToo(1, "del");
  keyspace.dirty += length - 1;
}

/** Takes `count` members, which aren't all, out of the set in `entry`. */
function popSome(context: Context, entry: number, count: number): void {
  const { database, journal: { listening }, keyspace, reply, walk } = context;
  walk.enter(keyspace, entry);
  const positions: number[] = [];
  chooseDistinct(walk, count, context.random, () => positions.push(walk.position));
  reply.set(count);
  let members: Uint8Array[] = [];
  // The last ones first, since what is behind them may move.
  for (let index = count - 1; index >= 0; index--) {
    walk.goTo(positions[index]);
    walk.reply(reply);
    if (listening) members.push(walk.copy());
    setRemoveAt(database, entry, walk);
    if (members.length < MEMBERS_PER_EFFECT && (index > 0 || !listening)) continue;
    journalRemoval(context, members);
    members = [];
  }
  context.changed(1, "spop");
  keyspace.dirty += count - 1;
}

function srandmember(context: Context): void {
  const { keyspace, reply, walk } = context;
  if (context.argc > 2) return pickSeveral(context);
  const entry = setForReading(context, 1);
  if (entry === undefined) return;
  if (entry === 0) return reply.nullBulk();
  walk.enter(keyspace, entry);
  walk.goToRandom(context.random);
  walk.reply(reply);
}

/** SRANDMEMBER with a count. */
function pickSeveral(context: Context): void {
  const { keyspace, random, reply, walk } = context;
  if (context.argc > 3) return reply.error(SYNTAX_ERROR);
  const count = countArgument(context, 2);
  if (count === undefined || !countIsFine(context, false)) return;
  const entry = setForReading(context, 1);
  if (entry === undefined) return;
  if (entry === 0 || count === 0) return reply.array(0);
  walk.enter(keyspace, entry);
  const replyMember = (): void => walk.reply(reply);
  if (count < 0) {
    reply.array(-count);
    chooseRepeatedly(walk, -count, random, replyMember);
  } else {
    reply.array(Math.min(count, walk.count));
    chooseDistinct(walk, count, random, replyMember);
  }
}

function smove(context: Context): void {
  const { database, keyspace, lengths, reply, starts, view } = context;
  const source = context.findAndTouch(1);
  const hash = keyspace.hash;
  const target = context.findAndTouch(2);
  if (source === 0) return reply.integer(0);
  if (entryType(keyspace, source) !== TYPE_SET) return reply.error(WRONG_TYPE);
  if (target !== 0 && entryType(keyspace, target) !== TYPE_SET) return reply.error(WRONG_TYPE);
  const there = setHas(keyspace, source, view, starts[3], lengths[3]);
  if (!there || source === target) return reply.integer(there ? 1 : 0);
  // What may find no room comes first.
  const added = addMember(context, target, 2, 3) !== 0;
  keyspace.hash = hash;
  setRemove(database, source, view, starts[3], lengths[3]);
  context.changed(1, "srem");
  removeIfEmpty(context, source);
  if (added) context.changed(2, "sadd");
  reply.integer(1);
}

function sscan(context: Context): void {
  const { reply } = context;
  scanCollection(context, TYPE_SET, 1, (walk) => walk.reply(reply));
}

const MUST_BE_POSITIVE = "ERR value is out of range, must be positive";

/** The handlers of the commands on sets. */
export const SET_HANDLERS: HandlersFor<typeof SET_SPECS, Handler> = {
  sadd,
  srem,
  smove,
  spop,
  srandmember,
  smembers,
  sismember,
  smismember,
  scard,
  sscan,
  ...SET_ALGEBRA_HANDLERS,
};
