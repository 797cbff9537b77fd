/**
 * Handlers of the commands for keys of any type; their descriptions are in `specs/generic.ts`.
 *
 * @module
 */
import { idleSeconds, touchEntry, useFrequency } from "../keyspace/access_clock.ts";
import { globMatchRange } from "../keyspace/glob.ts";
import { entryType, expiryOf, hasExpiry, readExpiry, tailLength } from "../keyspace/entry_facts.ts";
import {
  type Database,
  findEntry,
  moveEntry,
  removeEntry,
  removeExpired,
  resizeEntry,
} from "../keyspace/keyspace.ts";
import { keyIsNew } from "../keyspace/notifications.ts";
import { referenceCount } from "../keyspace/strings.ts";
import { TYPE_NAMES } from "../keyspace/types.ts";
import { valueTypeOf } from "../keyspace/values.ts";
import {
  dictBuckets,
  dictHashEntry,
  dictRandom,
  dictScan,
  dictVisitBucket,
} from "../memory/dict.ts";
import { keyLength, keyStart } from "../memory/entry.ts";
import { SEGMENT_SHIFT } from "../memory/arena.ts";
import { type Context, type Handler, NOT_AN_INTEGER, SYNTAX_ERROR } from "./context.ts";
import {
  expiryText,
  MILLISECONDS_FROM_NOW,
  SECONDS_FROM_NOW,
  setExpiryFromNumber,
  UNIX_MILLISECONDS,
  UNIX_SECONDS,
} from "./expiry.ts";
import { parseCursor } from "./scanning.ts";
import type { GENERIC_SPECS } from "./specs/generic.ts";
import type { HandlersFor } from "./specs/types.ts";

const NO_KEY = -2;
const NO_EXPIRY = -1;
const DEFAULT_SCAN_COUNT = 10;
/** After so many expired keys that must stay, RANDOMKEY takes one of them. */
const RANDOM_TRIES = 100;
/** How many buckets SCAN looks at for each key it was asked for. */
const SCAN_STEPS_PER_KEY = 10;

/** DEL and UNLINK: `lazily` leaves the freeing of collections for later. */
function removeKeys(context: Context, lazily: boolean): void {
  const { database, keyspace } = context;
  let count = 0;
  for (let index = 1; index < context.argc; index++) {
    const entry = context.find(index);
    if (entry === 0) continue;
    keyspace.lazily = lazily;
    removeEntry(database, keyspace.hash, entry);
    keyspace.lazily = null;
    context.changed(index, "del");
    count++;
  }
  context.reply.integer(count);
}

function exists(context: Context): void {
  let count = 0;
  for (let index = 1; index < context.argc; index++) {
    if (findEntryWithoutTouch(context, index) !== 0) count++;
  }
  context.reply.integer(count);
}

function touch(context: Context): void {
  let count = 0;
  for (let index = 1; index < context.argc; index++) {
    if (context.findForReading(index) !== 0) count++;
  }
  context.reply.integer(count);
}

/** EXPIRE and its kin: the time is argument 2, in `unit`. */
function expire(context: Context, unit: number, command: string): void {
  const conditions = parseConditions(context);
  if (conditions === undefined || !context.integer(2)) return;
  if (!setExpiryFromNumber(context, unit)) {
    return context.reply.error(`ERR invalid expire time in '${command}' command`);
  }
  const { keyspace, database } = context;
  const { high, low } = keyspace.expiry;
  const entry = context.find(1);
  if (entry === 0) return context.reply.integer(0);
  touchEntry(keyspace, entry);
  const when = high * 4294967296 + (low >>> 0);
  if (!allowed(context, entry, when, conditions)) return context.reply.integer(0);
  if (when <= keyspace.dueBefore) {
    keyspace.lazily = keyspace.lazyFreeing.expire;
    removeEntry(database, keyspace.hash, entry);
    keyspace.lazily = null;
    context.effect(() => ["DEL", context.argument(1)]);
    context.changed(1, "del");
  } else {
    resizeEntry(database, entry, tailLength(keyspace, entry), true);
    context.effect(() => ["PEXPIREAT", context.argument(1), expiryText(context)]);
    context.changed(1, "expire");
  }
  context.reply.integer(1);
}

interface Conditions {
  nx: boolean;
  xx: boolean;
  gt: boolean;
  lt: boolean;
}

function parseConditions(context: Context): Conditions | undefined {
  const conditions: Conditions = { nx: false, xx: false, gt: false, lt: false };
  for (let index = 3; index < context.argc; index++) {
    if (context.isWord(index, "NX")) conditions.nx = true;
    else if (context.isWord(index, "XX")) conditions.xx = true;
    else if (context.isWord(index, "GT")) conditions.gt = true;
    else if (context.isWord(index, "LT")) conditions.lt = true;
    else {
      context.reply.error(`ERR Unsupported option ${context.quoted(index)}`);
      return undefined;
    }
  }
  if (conditions.nx && (conditions.xx || conditions.gt || conditions.lt)) {
    context.reply.error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return undefined;
  }
  if (conditions.gt && conditions.lt) {
    context.reply.error("ERR GT and LT options at the same time are not compatible");
    return undefined;
  }
  return conditions;
}

/** Whether the conditions hold; a key without expiry counts as one that lives for ever. */
function allowed(context: Context, entry: number, when: number, conditions: Conditions): boolean {
  const volatile = hasExpiry(context.keyspace, entry);
  if (conditions.nx) return !volatile;
  if (conditions.xx && !volatile) return false;
  if (conditions.gt) return volatile && when > expiryOf(context.keyspace, entry);
  if (conditions.lt) return !volatile || when < expiryOf(context.keyspace, entry);
  return true;
}

/** TTL and its kin: `absolute` for a unix time, `unitMs` 1000 for seconds. */
function ttl(context: Context, absolute: boolean, unitMs: number): void {
  const { keyspace, reply } = context;
  const entry = findEntryWithoutTouch(context, 1);
  if (entry === 0) return reply.integer(NO_KEY);
  if (!hasExpiry(keyspace, entry)) return reply.integer(NO_EXPIRY);
  readExpiry(keyspace, entry, context.number);
  const now = absolute ? 0 : keyspace.now;
  const value = context.value;
  if (value < 2 ** 53) {
    const left = Math.max(0, value - now);
    return reply.integer(unitMs === 1 ? left : Math.floor((left + unitMs / 2) / unitMs));
  }
  let exact = context.bigValue - BigInt(now);
  if (unitMs > 1) exact = (exact + BigInt(unitMs / 2)) / BigInt(unitMs);
  reply.integer64(Number(exact >> 32n), Number(BigInt.asIntN(32, exact)));
}

/** Looks a key up for reading, and counts that, but leaves its access clock. */
function findEntryWithoutTouch(context: Context, index: number): number {
  const entry = context.find(index);
  if (entry === 0) {
    context.keyspace.counters.misses++;
    context.missed(index);
  } else context.keyspace.counters.hits++;
  return entry;
}

function persist(context: Context): void {
  const entry = context.find(1);
  if (entry !== 0) touchEntry(context.keyspace, entry);
  if (entry === 0 || !hasExpiry(context.keyspace, entry)) return context.reply.integer(0);
  resizeEntry(context.database, entry, tailLength(context.keyspace, entry), false);
  context.changed(1, "persist");
  context.reply.integer(1);
}

function type(context: Context): void {
  const entry = findEntryWithoutTouch(context, 1);
  context.reply.simple(entry === 0 ? "none" : TYPE_NAMES[entryType(context.keyspace, entry)]);
}

function isExpired(context: Context, entry: number): boolean {
  const { keyspace } = context;
  return hasExpiry(keyspace, entry) && expiryOf(keyspace, entry) < keyspace.dueBefore;
}

function removeIfExpired(context: Context, database: Database, entry: number): boolean {
  if (!isExpired(context, entry)) return false;
  const hash = dictHashEntry(context.keyspace.arena, database.dict, entry);
  removeExpired(database, hash, entry);
  return true;
}

/** Whether the key of `entry` matches the pattern in argument `index`. */
function matches(context: Context, entry: number, index: number): boolean {
  const arena = context.keyspace.arena;
  const start = keyStart(arena, entry);
  const from = context.starts[index];
  return globMatchRange(
    context.bytes,
    from,
    from + context.lengths[index],
    arena.bytes[entry >>> SEGMENT_SHIFT] as Uint8Array,
    start,
    start + keyLength(arena, entry),
    false,
  );
}

function replyKey(context: Context, entry: number): void {
  const arena = context.keyspace.arena;
  context.reply.bulkView(
    arena.views[entry >>> SEGMENT_SHIFT],
    keyStart(arena, entry),
    keyLength(arena, entry),
  );
}

function keys(context: Context): void {
  const { database, keyspace, reply } = context;
  const found: number[] = [];
  const buckets = dictBuckets(keyspace.arena, database.dict);
  const all = context.isWord(1, "*");
  for (let bucket = 0; bucket < buckets; bucket++) {
    dictVisitBucket(keyspace.arena, database.dict, bucket, (entry) => {
      if ((all || matches(context, entry, 1)) && !isExpired(context, entry)) found.push(entry);
    });
  }
  reply.array(found.length);
  for (const entry of found) replyKey(context, entry);
}

function scan(context: Context): void {
  const { database, keyspace, reply } = context;
  const from = parseCursor(context.quoted(1));
  if (from === undefined) return reply.error("ERR invalid cursor");
  let count = DEFAULT_SCAN_COUNT;
  let pattern = 0;
  let wanted = "";
  for (let index = 2; index < context.argc; index += 2) {
    if (index + 1 === context.argc) return reply.error(SYNTAX_ERROR);
    if (context.isWord(index, "COUNT")) {
      if (!context.integer(index + 1, NOT_AN_INTEGER)) return;
      count = context.value;
      if (count < 1) return reply.error(SYNTAX_ERROR);
    } else if (context.isWord(index, "MATCH")) {
      pattern = context.isWord(index + 1, "*") ? 0 : index + 1;
    } else if (context.isWord(index, "TYPE")) wanted = context.text(index + 1).toLowerCase();
    else return reply.error(SYNTAX_ERROR);
  }
  let cursor = from;
  const visited: number[] = [];
  let steps = count * SCAN_STEPS_PER_KEY;
  do {
    cursor = dictScan(keyspace.arena, database.dict, cursor, (entry) => visited.push(entry));
  } while (cursor !== 0 && --steps > 0 && visited.length < count);
  const found = visited.filter((entry) =>
    (pattern === 0 || matches(context, entry, pattern)) &&
    (wanted === "" || TYPE_NAMES[entryType(keyspace, entry)] === wanted) &&
    !removeIfExpired(context, database, entry)
  );
  reply.array(2);
  reply.bulk(String(cursor));
  reply.array(found.length);
  for (const entry of found) replyKey(context, entry);
}

function randomkey(context: Context): void {
  const { database, keyspace, reply } = context;
  for (let tries = 1; database.size > 0; tries++) {
    const entry = dictRandom(keyspace.arena, database.dict, context.random);
    if (removeIfExpired(context, database, entry)) {
      // While expired keys are kept, there may be no others.
      if (!keyspace.keepExpired || tries < RANDOM_TRIES) continue;
    }
    return replyKey(context, entry);
  }
  reply.nullBulk();
}

/** RENAME and RENAMENX; whether the new key was free, or undefined after an error. */
function renameKey(context: Context, replace: boolean): boolean | undefined {
  const { database, keyspace, starts, lengths, view } = context;
  const entry = context.findAndTouch(1);
  const hash = keyspace.hash;
  if (entry === 0) {
    context.reply.error("ERR no such key");
    return undefined;
  }
  const target = context.find(2);
  if (target === entry) return replace;
  if (target !== 0 && !replace) {
    touchEntry(keyspace, target);
    return false;
  }
  moveEntry(database, hash, entry, database, target, view, starts[2], lengths[2]);
  // The old one counts as deleted without a word.
  if (target !== 0) keyIsNew(database, view, starts[2], lengths[2]);
  context.changedToo(1, "rename_from");
  context.changed(2, "rename_to");
  return true;
}

function rename(context: Context): void {
  if (renameKey(context, true) !== undefined) context.reply.simple("OK");
}

function renamenx(context: Context): void {
  const renamed = renameKey(context, false);
  if (renamed !== undefined) context.reply.integer(renamed ? 1 : 0);
}

/** Number of the database in argument `index`, or undefined after an error. */
function databaseArgument(context: Context, index: number): Database | undefined {
  if (!context.smallInteger(index)) return undefined;
  const database = context.keyspace.databases[context.value];
  if (database === undefined) context.reply.error("ERR DB index is out of range");
  return database;
}

function move(context: Context): void {
  const { database, keyspace, starts, lengths, view, reply } = context;
  const target = databaseArgument(context, 2);
  if (target === undefined) return;
  if (target === database) return reply.error("ERR source and destination objects are the same");
  const entry = context.findAndTouch(1);
  const hash = keyspace.hash;
  if (entry === 0) return reply.integer(0);
  const old = findEntry(target, view, starts[1], lengths[1]);
  if (old !== 0) {
    touchEntry(keyspace, old);
    return reply.integer(0);
  }
  moveEntry(database, hash, entry, target, 0, view, starts[1], lengths[1]);
  context.changedToo(1, "move_from");
  context.changedIn(target, 1, "move_to");
  reply.integer(1);
}

function copy(context: Context): void {
  const { database, keyspace, starts, lengths, view, reply } = context;
  let target = database;
  let replace = false;
  for (let index = 3; index < context.argc; index++) {
    if (context.isWord(index, "REPLACE")) replace = true;
    else if (context.isWord(index, "DB") && index + 1 < context.argc) {
      const named = databaseArgument(context, ++index);
      if (named === undefined) return;
      target = named;
    } else return reply.error(SYNTAX_ERROR);
  }
  if (target === database && sameArguments(context, 1, 2)) {
    return reply.error("ERR source and destination objects are the same");
  }
  const source = context.findForReading(1);
  if (source === 0) return reply.integer(0);
  const old = findEntry(target, view, starts[2], lengths[2]);
  if (old !== 0 && !replace) {
    touchEntry(keyspace, old);
    return reply.integer(0);
  }
  const volatile = hasExpiry(keyspace, source);
  if (volatile) readExpiry(keyspace, source, keyspace.expiry);
  const { copy: copyTo } = valueTypeOf(keyspace, source);
  copyTo(target, old, view, starts[2], lengths[2], source, volatile);
  if (old !== 0) keyIsNew(target, view, starts[2], lengths[2]);
  context.changedIn(target, 2, "copy_to");
  reply.integer(1);
}

function sameArguments(context: Context, first: number, second: number): boolean {
  const left = context.argument(first);
  const right = context.argument(second);
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/**
 * The entry that OBJECT asks about, whose access clock stays; a null is replied if there is none, and nobody
 * is told of that.
 */
function objectEntry(context: Context): number {
  const entry = context.find(2);
  const { counters } = context.keyspace;
  if (entry === 0) {
    counters.misses++;
    context.reply.nullBulk();
  } else counters.hits++;
  return entry;
}

function objectEncoding(context: Context): void {
  const entry = objectEntry(context);
  if (entry !== 0) {
    context.reply.bulk(valueTypeOf(context.keyspace, entry).encodingName(context.keyspace, entry));
  }
}

function objectFrequency(context: Context): void {
  const entry = objectEntry(context);
  if (entry === 0) return;
  if (context.keyspace.countsUses) {
    return context.reply.integer(useFrequency(context.keyspace, entry));
  }
  context.reply.error(
    `ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${SWITCHING}`,
  );
}

function objectIdleTime(context: Context): void {
  const entry = objectEntry(context);
  if (entry === 0) return;
  if (!context.keyspace.countsUses) {
    return context.reply.integer(idleSeconds(context.keyspace, entry));
  }
  context.reply.error(
    `ERR An LFU maxmemory policy is selected, idle time not tracked. ${SWITCHING}`,
  );
}

function objectReferences(context: Context): void {
  const entry = objectEntry(context);
  if (entry !== 0) context.reply.integer(referenceCount(context.keyspace, entry));
}

const SWITCHING = "Please note that when switching between policies at runtime LRU and LFU data " +
  "will take some time to adjust.";

const OBJECT_HELP = [
  "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "ENCODING <key>",
  "    Name the form in which the value of <key> is stored.",
  "FREQ <key>",
  "    Tell how often <key> was used of late, on a logarithmic scale (LFU policies only).",
  "IDLETIME <key>",
  "    Tell for how many seconds nobody has used <key>.",
  "REFCOUNT <key>",
  "    Tell how many keys share the value of <key>: 1, or very many for small integers.",
  "HELP",
  "    Show this help.",
];

/** Replies with lines of help as simple strings. */
export function replyHelp(context: Context, lines: readonly string[]): void {
  context.reply.array(lines.length);
  for (const line of lines) context.reply.simple(line);
}

/** The handlers of the commands for keys of any type. */
export const GENERIC_HANDLERS: HandlersFor<typeof GENERIC_SPECS, Handler> = {
  del: (context) => removeKeys(context, context.keyspace.lazyFreeing.userDelete),
  unlink: (context) => removeKeys(context, true),
  exists,
  expire: (context) => expire(context, SECONDS_FROM_NOW, "expire"),
  pexpire: (context) => expire(context, MILLISECONDS_FROM_NOW, "pexpire"),
  expireat: (context) => expire(context, UNIX_SECONDS, "expireat"),
  pexpireat: (context) => expire(context, UNIX_MILLISECONDS, "pexpireat"),
  ttl: (context) => ttl(context, false, 1000),
  pttl: (context) => ttl(context, false, 1),
  expiretime: (context) => ttl(context, true, 1000),
  pexpiretime: (context) => ttl(context, true, 1),
  persist,
  type,
  keys,
  scan,
  randomkey,
  rename,
  renamenx,
  copy,
  move,
  touch,
  object: {
    encoding: objectEncoding,
    freq: objectFrequency,
    idletime: objectIdleTime,
    refcount: objectReferences,
    help: (context) => replyHelp(context, OBJECT_HELP),
  },
};
