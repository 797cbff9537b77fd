/**
 * Handlers of the string commands; their descriptions are in `specs/strings.ts`.
 *
 * @module
 */
import { entryType, hasExpiry, tailLength } from "../keyspace/entry_facts.ts";
import { removeEntry, resizeEntry } from "../keyspace/keyspace.ts";
import {
  EXPIRY_KEEP,
  EXPIRY_NONE,
  EXPIRY_SET,
  integerHigh,
  integerLow,
  isInteger,
  replyString,
  setExternal,
  setInteger,
  setString,
  setStringOrInteger,
  stringBytes,
  stringLength,
  tryAdd,
  writeRange,
} from "../keyspace/strings.ts";
import { TYPE_STRING } from "../keyspace/types.ts";
import { addInteger64, parseInteger64 } from "../protocol/integers.ts";
import {
  addLongDouble,
  formatLongDouble,
  type LongDouble,
  parseLongDouble,
} from "../protocol/long_double.ts";
import { type Context, type Handler, NOT_AN_INTEGER, SYNTAX_ERROR, WRONG_TYPE } from "./context.ts";
import {
  expiryArgument,
  expiryText,
  MILLISECONDS_FROM_NOW,
  SECONDS_FROM_NOW,
  UNIX_MILLISECONDS,
  UNIX_SECONDS,
} from "./expiry.ts";
import { lcs } from "./lcs.ts";
import type { STRING_SPECS } from "./specs/strings.ts";
import type { HandlersFor } from "./specs/types.ts";
import { findString, findStringToChange } from "./string_arguments.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Options of SET and GETEX. */
interface SetOptions {
  onlyNew: boolean;
  onlyOld: boolean;
  get: boolean;
  persist: boolean;
  /** One of the `EXPIRY_` constants. */
  expiry: number;
  /** Unit of the time, where the expiry is EXPIRY_SET. */
  unit: number;
  /** Which argument is the time. */
  timeIndex: number;
}

/** Stores argument `valueIndex` under the key in argument `keyIndex`, whose entry is `old`. */
function store(
  context: Context,
  old: number,
  keyIndex: number,
  valueIndex: number,
  expiry: number,
): void {
  const { starts, lengths, view, database } = context;
  if (context.blockArgument === valueIndex) {
    setExternal(database, old, view, starts[keyIndex], lengths[keyIndex], context.block, expiry);
    context.blockTaken = true;
    return;
  }
  setStringOrInteger(
    database,
    old,
    view,
    starts[keyIndex],
    lengths[keyIndex],
    context.bytes,
    view,
    starts[valueIndex],
    lengths[valueIndex],
    expiry,
    context.number,
  );
}

function set(context: Context): void {
  if (context.argc === 3) {
    store(context, context.findForWriting(1), 1, 2, EXPIRY_NONE);
    context.changed(1, "set");
    context.reply.simple("OK");
    return;
  }
  const options = parseOptions(context, 3, true);
  if (options === undefined || !hasValidTime(context, options, "set")) return;
  const old = options.get
    ? findString(context, 1)
    : options.onlyNew
    ? context.findAndTouch(1)
    : context.findForWriting(1);
  if (old === undefined) return;
  if (options.get) replyOrNull(context, old);
  if ((options.onlyNew && old !== 0) || (options.onlyOld && old === 0)) {
    if (!options.get) context.reply.nullBulk();
    return;
  }
  storeWithEffect(context, old, 2, options.expiry);
  if (!options.get) context.reply.simple("OK");
}

/** Stores a value and, if it has an expiry, journals that as a point in time. */
function storeWithEffect(context: Context, old: number, valueIndex: number, expiry: number): void {
  store(context, old, 1, valueIndex, expiry);
  context.changed(1, "set");
  if (expiry !== EXPIRY_SET) return;
  context.effect(() => [
    "SET",
    context.argument(1),
    context.valueArgument(valueIndex),
    "PXAT",
    expiryText(context),
  ]);
  context.changedToo(1, "expire");
}

function parseOptions(
  context: Context,
  from: number,
  forSet: boolean,
): SetOptions | undefined {
  const options: SetOptions = {
    onlyNew: false,
    onlyOld: false,
    get: false,
    persist: false,
    expiry: EXPIRY_NONE,
    unit: -1,
    timeIndex: 0,
  };
  for (let index = from; index < context.argc; index++) {
    const free = options.expiry === EXPIRY_NONE && !options.persist;
    const named = timeUnit(context, index);
    if (named >= 0 && (free || named === options.unit) && index + 1 < context.argc) {
      options.expiry = EXPIRY_SET;
      options.unit = named;
      options.timeIndex = ++index;
    } else if (forSet && context.isWord(index, "NX") && !options.onlyOld) {
      options.onlyNew = true;
    } else if (forSet && context.isWord(index, "XX") && !options.onlyNew) {
      options.onlyOld = true;
    } else if (forSet && context.isWord(index, "GET")) {
      options.get = true;
    } else if (
      forSet && context.isWord(index, "KEEPTTL") && (free || options.expiry === EXPIRY_KEEP)
    ) {
      options.expiry = EXPIRY_KEEP;
    } else if (!forSet && context.isWord(index, "PERSIST") && (free || options.persist)) {
      options.persist = true;
    } else {
      context.reply.error(SYNTAX_ERROR);
      return undefined;
    }
  }
  return options;
}

function hasValidTime(context: Context, options: SetOptions, command: string): boolean {
  return options.expiry !== EXPIRY_SET ||
    expiryArgument(context, options.timeIndex, options.unit, command);
}

function timeUnit(context: Context, index: number): number {
  if (context.isWord(index, "EX")) return SECONDS_FROM_NOW;
  if (context.isWord(index, "PX")) return MILLISECONDS_FROM_NOW;
  if (context.isWord(index, "EXAT")) return UNIX_SECONDS;
  if (context.isWord(index, "PXAT")) return UNIX_MILLISECONDS;
  return -1;
}

function replyOrNull(context: Context, entry: number): void {
  if (entry === 0) context.reply.nullBulk();
  else replyString(context.keyspace, context.reply, entry);
}

function get(context: Context): void {
  const entry = findString(context, 1);
  if (entry !== undefined) replyOrNull(context, entry);
}

function setnx(context: Context): void {
  if (context.findAndTouch(1) !== 0) return context.reply.integer(0);
  store(context, 0, 1, 2, EXPIRY_NONE);
  context.changed(1, "set");
  context.reply.integer(1);
}

function setWithExpiry(context: Context, unit: number, command: string): void {
  if (!expiryArgument(context, 2, unit, command)) return;
  storeWithEffect(context, context.findForWriting(1), 3, EXPIRY_SET);
  context.reply.simple("OK");
}

function getset(context: Context): void {
  const old = findString(context, 1);
  if (old === undefined) return;
  replyOrNull(context, old);
  store(context, old, 1, 2, EXPIRY_NONE);
  context.effect(() => ["SET", context.argument(1), context.valueArgument(2)]);
  context.changed(1, "set");
}

function getdel(context: Context): void {
  const entry = findString(context, 1);
  if (entry === undefined) return;
  replyOrNull(context, entry);
  if (entry === 0) return;
  removeEntry(context.database, context.keyspace.hash, entry);
  context.effect(() => ["DEL", context.argument(1)]);
  context.changed(1, "del");
}

function getex(context: Context): void {
  const options = parseOptions(context, 2, false);
  if (options === undefined) return;
  const entry = findString(context, 1);
  if (entry === undefined) return;
  if (entry === 0) return context.reply.nullBulk();
  if (!hasValidTime(context, options, "getex")) return;
  replyOrNull(context, entry);
  const { database, keyspace } = context;
  if (options.expiry === EXPIRY_SET) {
    const when = keyspace.expiry.high * 4294967296 + (keyspace.expiry.low >>> 0);
    if (when <= keyspace.dueBefore) {
      removeEntry(database, keyspace.hash, entry);
      context.effect(() => ["DEL", context.argument(1)]);
      context.changed(1, "del");
      return;
    }
    resizeEntry(database, entry, tailLength(keyspace, entry), true);
    context.effect(() => ["PEXPIREAT", context.argument(1), expiryText(context)]);
    context.changed(1, "expire");
  } else if (options.persist && hasExpiry(keyspace, entry)) {
    resizeEntry(database, entry, tailLength(keyspace, entry), false);
    context.effect(() => ["PERSIST", context.argument(1)]);
    context.changed(1, "persist");
  }
}

function mget(context: Context): void {
  const { reply, keyspace } = context;
  reply.array(context.argc - 1);
  for (let index = 1; index < context.argc; index++) {
    const entry = context.findForReading(index);
    if (entry !== 0 && entryType(keyspace, entry) === TYPE_STRING) {
      replyString(keyspace, reply, entry);
    } else reply.nullBulk();
  }
}

function mset(context: Context): void {
  if (!hasPairs(context, "mset")) return;
  storePairs(context);
  context.reply.simple("OK");
}

function msetnx(context: Context): void {
  if (!hasPairs(context, "msetnx")) return;
  for (let index = 1; index < context.argc; index += 2) {
    if (context.findAndTouch(index) !== 0) return context.reply.integer(0);
  }
  storePairs(context);
  context.reply.integer(1);
}

function hasPairs(context: Context, command: string): boolean {
  if (context.argc % 2 === 1) return true;
  context.reply.error(`ERR wrong number of arguments for '${command}' command`);
  return false;
}

function storePairs(context: Context): void {
  let index = 1;
  try {
    for (; index < context.argc; index += 2) {
      store(context, context.findForWriting(index), index, index + 1, EXPIRY_NONE);
      context.changed(index, "set");
    }
  } catch (error) {
    // There was no room for this one: those before it are what others must repeat.
    if (index > 1) context.effect(() => ["MSET", ...context.allArguments().slice(1, index)]);
    throw error;
  }
}

/** Adds to the integer under the key in argument 1, and replies with the sum. */
function add(context: Context, high: number, low: number): void {
  const { keyspace, number } = context;
  const entry = context.findForWriting(1);
  if (entry === 0 || high !== low >> 31 || !tryAdd(keyspace, entry, low, number)) {
    if (!addTheLongWay(context, entry, high, low)) return;
  }
  context.changed(1, "incrby");
  context.reply.integer64(number.high, number.low);
}

/** As {@linkcode add}, for all cases; the sum is in `context.number`. False after an error. */
function addTheLongWay(context: Context, entry: number, high: number, low: number): boolean {
  const { keyspace, number, reply } = context;
  number.high = 0;
  number.low = 0;
  if (entry !== 0) {
    if (entryType(keyspace, entry) !== TYPE_STRING) {
      reply.error(WRONG_TYPE);
      return false;
    }
    if (isInteger(keyspace, entry)) {
      number.high = integerHigh(keyspace, entry);
      number.low = integerLow(keyspace, entry);
    } else {
      const bytes = stringBytes(keyspace, entry, context.scratch);
      if (!parseInteger64(bytes, 0, bytes.length, number)) {
        reply.error(NOT_AN_INTEGER);
        return false;
      }
    }
  }
  if (!addInteger64(number.high, number.low, high, low, number)) {
    reply.error("ERR increment or decrement would overflow");
    return false;
  }
  setInteger(
    context.database,
    entry,
    context.view,
    context.starts[1],
    context.lengths[1],
    number.high,
    number.low,
    entry === 0 ? EXPIRY_NONE : EXPIRY_KEEP,
  );
  return true;
}

function incrby(context: Context): void {
  if (context.integer(2)) add(context, context.number.high, context.number.low);
}

function decrby(context: Context): void {
  if (!context.integer(2)) return;
  const { high, low } = context.number;
  if (high === -0x80000000 && low === 0) {
    return context.reply.error("ERR decrement would overflow");
  }
  // Two's complement: invert and add one, with the carry into the high half.
  add(context, (~high + (low === 0 ? 1 : 0)) | 0, -low | 0);
}

function incrbyfloat(context: Context): void {
  const entry = findStringToChange(context, 1);
  if (entry === undefined) return;
  let sum: LongDouble | undefined = parseLongDouble("0");
  if (entry !== 0) {
    const bytes = stringBytes(context.keyspace, entry, context.scratch);
    sum = parseLongDouble(decoder.decode(bytes.slice()));
  }
  const increment = parseLongDouble(context.text(2));
  if (sum === undefined || increment === undefined) {
    return context.reply.error("ERR value is not a valid float");
  }
  const result = addLongDouble(sum, increment);
  if (result.kind !== "finite") {
    return context.reply.error("ERR increment would produce NaN or Infinity");
  }
  const value = encoder.encode(formatLongDouble(result));
  setString(
    context.database,
    entry,
    context.view,
    context.starts[1],
    context.lengths[1],
    new DataView(value.buffer),
    0,
    value.length,
    entry === 0 ? EXPIRY_NONE : EXPIRY_KEEP,
  );
  context.effect(() => ["SET", context.argument(1), value, "KEEPTTL"]);
  context.changed(1, "incrbyfloat");
  context.reply.bulkBytes(value);
}

function append(context: Context): void {
  const { keyspace, starts, lengths } = context;
  const entry = findStringToChange(context, 1);
  if (entry === undefined) return;
  if (entry === 0) {
    store(context, 0, 1, 2, EXPIRY_NONE);
    context.changed(1, "append");
    return context.reply.integer(lengths[2]);
  }
  const length = stringLength(keyspace, entry, context.scratch);
  if (!fits(context, length + lengths[2])) return;
  writeRange(
    context.database,
    entry,
    length,
    context.view,
    starts[2],
    lengths[2],
    context.scratch,
  );
  context.changed(1, "append");
  context.reply.integer(length + lengths[2]);
}

/** Whether a string may be `length` bytes long; an error is replied if not. */
function fits(context: Context, length: number): boolean {
  if (length <= context.maximumString) return true;
  context.reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  return false;
}

function strlen(context: Context): void {
  const entry = findString(context, 1);
  if (entry === undefined) return;
  context.reply.integer(
    entry === 0 ? 0 : stringLength(context.keyspace, entry, context.scratch),
  );
}

function getrange(context: Context): void {
  if (!context.integer(2)) return;
  const { number } = context;
  const { high, low } = number;
  let start = context.value;
  if (!context.integer(3)) return;
  let end = context.value;
  // Compared as 64 bits: doubles of that size are the same for many numbers.
  const reversed = high === number.high ? low >>> 0 > number.low >>> 0 : high > number.high;
  const entry = findString(context, 1);
  if (entry === undefined) return;
  if (entry === 0 || (start < 0 && end < 0 && reversed)) return context.reply.bulk("");
  const bytes = stringBytes(context.keyspace, entry, context.scratch);
  if (start < 0) start = Math.max(0, start + bytes.length);
  if (end < 0) end = Math.max(0, end + bytes.length);
  if (end >= bytes.length) end = bytes.length - 1;
  if (start > end || bytes.length === 0) return context.reply.bulk("");
  context.reply.bulkBytes(bytes.subarray(start, end + 1));
}

function setrange(context: Context): void {
  const { keyspace, starts, lengths } = context;
  if (!context.integer(2)) return;
  const offset = context.value;
  if (offset < 0) return context.reply.error("ERR offset is out of range");
  let entry = findStringToChange(context, 1);
  if (entry === undefined) return;
  if (lengths[3] === 0) {
    return context.reply.integer(
      entry === 0 ? 0 : stringLength(keyspace, entry, context.scratch),
    );
  }
  if (!fits(context, offset + lengths[3])) return;
  const missing = entry === 0;
  if (missing) {
    entry = setString(
      context.database,
      0,
      context.view,
      starts[1],
      lengths[1],
      context.view,
      0,
      0,
      EXPIRY_NONE,
    );
  }
  try {
    entry = writeRange(
      context.database,
      entry,
      offset,
      context.view,
      starts[3],
      lengths[3],
      context.scratch,
    );
  } catch (error) {
    // There is no room: a key that wasn't there must not stay behind empty.
    if (missing) removeEntry(context.database, keyspace.hash, entry);
    throw error;
  }
  context.changed(1, "setrange");
  context.reply.integer(stringLength(keyspace, entry, context.scratch));
}

/** The handlers of the string commands. */
export const STRING_HANDLERS: HandlersFor<typeof STRING_SPECS, Handler> = {
  set,
  get,
  getdel,
  getex,
  getset,
  mset,
  mget,
  msetnx,
  setnx,
  setex: (context) => setWithExpiry(context, SECONDS_FROM_NOW, "setex"),
  psetex: (context) => setWithExpiry(context, MILLISECONDS_FROM_NOW, "psetex"),
  incr: (context) => add(context, 0, 1),
  decr: (context) => add(context, -1, -1),
  incrby,
  decrby,
  incrbyfloat,
  append,
  strlen,
  getrange,
  substr: getrange,
  lcs,
  setrange,
};
