/**
 * Handlers of the commands on hashes; their descriptions are in `specs/hashes.ts`.
 *
 * @module
 */
import type { CollectionWalk } from "../keyspace/collection_walk.ts";
import { entryType } from "../keyspace/entry_facts.ts";
import {
  createHash,
  findField,
  hashDelete,
  hashHas,
  hashLength,
  hashSet,
} from "../keyspace/hashes.ts";
import { removeEntry } from "../keyspace/keyspace.ts";
import { chooseDistinct, chooseRepeatedly } from "../keyspace/random_elements.ts";
import { TYPE_HASH } from "../keyspace/types.ts";
import type { ReadonlyView } from "../memory/arena.ts";
import { listpackEncodedBytes } from "../memory/listpack.ts";
import { addInteger64 } from "../protocol/integers.ts";
import {
  addLongDouble,
  formatLongDouble,
  type LongDouble,
  parseLongDouble,
} from "../protocol/long_double.ts";
import { type Context, type Handler, SYNTAX_ERROR, WRONG_TYPE } from "./context.ts";
import { countArgument, countIsFine } from "./random_counts.ts";
import { scanCollection } from "./scanning.ts";
import type { HASH_SPECS } from "./specs/hashes.ts";
import type { HandlersFor } from "./specs/types.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const ZERO: LongDouble = parseLongDouble("0")!;

/** The entry of the key in argument 1 if it is a hash, 0 if there is none, or undefined after an error. */
function hashForReading(context: Context): number | undefined {
  const entry = context.findForReading(1);
  if (entry === 0 || entryType(context.keyspace, entry) === TYPE_HASH) return entry;
  context.reply.error(WRONG_TYPE);
  return undefined;
}

/** As {@linkcode hashForReading}, for a command that may change it. */
function hashForWriting(context: Context): number | undefined {
  const entry = context.findAndTouch(1);
  if (entry === 0 || entryType(context.keyspace, entry) === TYPE_HASH) return entry;
  context.reply.error(WRONG_TYPE);
  return undefined;
}

/** Sets the field in argument `index` of the hash in `entry`, or of a new one, to the value in the next argument; as {@linkcode hashSet}. */
function setArgument(context: Context, entry: number, index: number): number {
  const { starts, lengths, view } = context;
  return setField(context, entry, index, view, starts[index + 1], lengths[index + 1]);
}

/** As {@linkcode setArgument}, to any value. */
function setField(
  context: Context,
  entry: number,
  index: number,
  valueView: ReadonlyView,
  valueStart: number,
  valueLength: number,
): number {
  const { database, view, starts, lengths, limits } = context;
  if (entry !== 0) {
    return hashSet(
      database,
      entry,
      view,
      starts[index],
      lengths[index],
      valueView,
      valueStart,
      valueLength,
      limits.hashMaxEntries,
      limits.hashMaxValueBytes,
    );
  }
  return createHash(
    database,
    view,
    starts[1],
    lengths[1],
    view,
    starts[index],
    lengths[index],
    valueView,
    valueStart,
    valueLength,
    limits.hashMaxEntries,
    limits.hashMaxValueBytes,
    context.argc > index + 2 ? elementsBytes(context, index) : 0,
  );
}

/** Bytes that the fields and values from argument `index` on take in a listpack, as far as one takes them. */
function elementsBytes(context: Context, index: number): number {
  const { argc, view, starts, lengths, limits } = context;
  const end = Math.min(argc, index + 2 * limits.hashMaxEntries);
  let bytes = 0;
  for (; index < end; index++) {
    if (lengths[index] > limits.hashMaxValueBytes) break;
    bytes += listpackEncodedBytes(view, starts[index], lengths[index]);
  }
  return bytes;
}

/** HSET and HMSET: sets the pairs from argument 2 on; how many fields were new, or undefined after an error. */
function setPairs(context: Context, command: string): number | undefined {
  const { argc, keyspace, reply } = context;
  if (argc % 2 === 1) {
    reply.error(`ERR wrong number of arguments for '${command}' command`);
    return undefined;
  }
  const found = hashForWriting(context);
  if (found === undefined) return undefined;
  let entry = found;
  let added = 0;
  let index = 2;
  try {
    for (; index < argc; index += 2) {
      entry = setArgument(context, entry, index);
      if (entry > 0) added++;
      else entry = -entry;
    }
  } catch (error) {
    // There was no room for this one: those before it are set.
    if (index > 2) {
      context.effectUpTo(index);
      context.changed(1, "hset");
    }
    throw error;
  }
  context.changed(1, "hset");
  keyspace.dirty += (argc >>> 1) - 2;
  return added;
}

function hset(context: Context): void {
  const added = setPairs(context, "hset");
  if (added !== undefined) context.reply.integer(added);
}

function hmset(context: Context): void {
  if (setPairs(context, "hmset") !== undefined) context.reply.simple("OK");
}

function hsetnx(context: Context): void {
  const { keyspace, lengths, reply, starts, view } = context;
  const entry = hashForWriting(context);
  if (entry === undefined) return;
  if (entry !== 0 && hashHas(keyspace, entry, view, starts[2], lengths[2])) return reply.integer(0);
  setArgument(context, entry, 2);
  context.changed(1, "hset");
  reply.integer(1);
}

/** Replies with the value of the field in argument `index` of the hash in `entry`, which may be 0. */
function replyField(context: Context, entry: number, index: number): void {
  const { element, keyspace, lengths, reply, starts, view } = context;
  if (entry !== 0 && findField(keyspace, entry, view, starts[index], lengths[index], element)) {
    element.reply(reply);
  } else reply.nullBulk();
}

function hget(context: Context): void {
  const entry = hashForReading(context);
  if (entry !== undefined) replyField(context, entry, 2);
}

function hmget(context: Context): void {
  const entry = hashForReading(context);
  if (entry === undefined) return;
  context.reply.array(context.argc - 2);
  for (let index = 2; index < context.argc; index++) replyField(context, entry, index);
}

function hgetall(context: Context): void {
  const { reply } = context;
  const walk = walkHash(context);
  if (walk === undefined) return;
  if (walk === null) return reply.map(0);
  reply.map(walk.count);
  while (walk.next()) replyPair(context);
}

function hkeys(context: Context): void {
  const { reply } = context;
  const walk = walkHash(context);
  if (walk === undefined) return;
  if (walk === null) return reply.array(0);
  reply.array(walk.count);
  while (walk.next()) walk.reply(reply);
}

function hvals(context: Context): void {
  const { element, reply } = context;
  const walk = walkHash(context);
  if (walk === undefined) return;
  if (walk === null) return reply.array(0);
  reply.array(walk.count);
  while (walk.advance()) {
    walk.readValue(element);
    element.reply(reply);
  }
}

/** A walk before the first field of the hash in argument 1; null if there is none, undefined after an error. */
function walkHash(context: Context): CollectionWalk | null | undefined {
  const entry = hashForReading(context);
  if (entry === undefined) return undefined;
  if (entry === 0) return null;
  context.walk.enter(context.keyspace, entry);
  return context.walk;
}

/** Replies with the field that `context.walk` is at, and with its value. */
function replyPair(context: Context): void {
  const { element, reply, walk } = context;
  walk.reply(reply);
  walk.readValue(element);
  element.reply(reply);
}

function hlen(context: Context): void {
  const entry = hashForReading(context);
  if (entry === undefined) return;
  context.reply.integer(entry === 0 ? 0 : hashLength(context.keyspace, entry));
}

function hstrlen(context: Context): void {
  const { element, keyspace, lengths, reply, starts, view } = context;
  const entry = hashForReading(context);
  if (entry === undefined) return;
  if (entry === 0 || !findField(keyspace, entry, view, starts[2], lengths[2], element)) {
    return reply.integer(0);
  }
  element.spell();
  reply.integer(element.length);
}

function hexists(context: Context): void {
  const { keyspace, lengths, reply, starts, view } = context;
  const entry = hashForReading(context);
  if (entry === undefined) return;
  const there = entry !== 0 && hashHas(keyspace, entry, view, starts[2], lengths[2]);
  reply.integer(there ? 1 : 0);
}

function hdel(context: Context): void {
  const { argc, database, keyspace, lengths, reply, starts, view } = context;
  const entry = hashForWriting(context);
  if (entry === undefined) return;
  if (entry === 0) return reply.integer(0);
  let deleted = 0;
  let left = hashLength(keyspace, entry);
  for (let index = 2; index < argc && left > 0; index++) {
    if (!hashDelete(database, entry, view, starts[index], lengths[index])) continue;
    deleted++;
    left--;
  }
  if (deleted > 0) {
    context.changed(1, "hdel");
    keyspace.dirty += deleted - 1;
    if (left === 0) {
      removeEntry(database, keyspace.hash, entry);
      context.changedToo(1, "del");
    }
  }
  reply.integer(deleted);
}

function hincrby(context: Context): void {
  const { element, keyspace, lengths, number, reply, starts, view } = context;
  if (!context.integer(3)) return;
  const { high, low } = number;
  const entry = hashForWriting(context);
  if (entry === undefined) return;
  if (entry !== 0 && findField(keyspace, entry, view, starts[2], lengths[2], element)) {
    if (!element.readInteger(number)) return reply.error("ERR hash value is not an integer");
    if (!addInteger64(number.high, number.low, high, low, number)) {
      return reply.error("ERR increment or decrement would overflow");
    }
  }
  element.setInteger(number.high, number.low);
  element.spell();
  setField(context, entry, 2, element.view, element.start, element.length);
  context.changed(1, "hincrby");
  reply.integer64(number.high, number.low);
}

function hincrbyfloat(context: Context): void {
  const { element, keyspace, lengths, reply, starts, view } = context;
  const increment = parseLongDouble(context.text(3));
  if (increment === undefined) return reply.error("ERR value is not a valid float");
  if (increment.kind !== "finite") return reply.error("ERR value is NaN or Infinity");
  const entry = hashForWriting(context);
  if (entry === undefined) return;
  let sum: LongDouble | undefined = ZERO;
  if (entry !== 0 && findField(keyspace, entry, view, starts[2], lengths[2], element)) {
    sum = parseLongDouble(decoder.decode(element.copy()));
    if (sum === undefined) return reply.error("ERR hash value is not a float");
  }
  sum = addLongDouble(sum, increment);
  if (sum.kind !== "finite") {
    return reply.error("ERR increment would produce NaN or Infinity");
  }
  const value = encoder.encode(formatLongDouble(sum));
  setField(context, entry, 2, new DataView(value.buffer), 0, value.length);
  context.effect(() => ["HSET", context.argument(1), context.argument(2), value]);
  context.changed(1, "hincrbyfloat");
  reply.bulkBytes(value);
}

function hrandfield(context: Context): void {
  if (context.argc > 2) return pickFields(context);
  const { reply } = context;
  const walk = walkHash(context);
  if (walk === undefined) return;
  if (walk === null) return reply.nullBulk();
  walk.goToRandom(context.random);
  walk.reply(reply);
}

/** HRANDFIELD with a count. */
function pickFields(context: Context): void {
  const { argc, random, reply } = context;
  const count = countArgument(context, 2);
  if (count === undefined) return;
  const withValues = argc > 3;
  if (argc > 4 || (withValues && !context.isWord(3, "WITHVALUES"))) {
    return reply.error(SYNTAX_ERROR);
  }
  if (!countIsFine(context, withValues)) return;
  const walk = walkHash(context);
  if (walk === undefined) return;
  if (walk === null || count === 0) return reply.array(0);
  const fields = count < 0 ? -count : Math.min(count, walk.count);
  const pairs = withValues && reply.resp === 3;
  reply.array(withValues && !pairs ? fields * 2 : fields);
  const visit = (): void => {
    if (pairs) reply.array(2);
    if (withValues) replyPair(context);
    else walk.reply(reply);
  };
  if (count < 0) chooseRepeatedly(walk, fields, random, visit);
  else chooseDistinct(walk, fields, random, visit);
}

function hscan(context: Context): void {
  scanCollection(context, TYPE_HASH, 2, () => replyPair(context));
}

/** The handlers of the commands on hashes. */
export const HASH_HANDLERS: HandlersFor<typeof HASH_SPECS, Handler> = {
  hset,
  hsetnx,
  hmset,
  hget,
  hmget,
  hgetall,
  hkeys,
  hvals,
  hlen,
  hstrlen,
  hexists,
  hdel,
  hincrby,
  hincrbyfloat,
  hrandfield,
  hscan,
};
