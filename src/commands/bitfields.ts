/**
 * BITFIELD: integers of any width up to 64 bits, anywhere among the bits of a string.
 *
 * All operations are read first, so that a mistake in the last one leaves everything as it was, and
 * the string is then made long enough for all of them. Values are pairs of 32-bit halves in two's
 * complement; an unsigned field has 63 bits at most, so all values and limits are signed 64-bit integers,
 * and a sum that leaves even these has left the field, too.
 *
 * @module
 */
import { editString, locateString, makeOrOpenString } from "../keyspace/string_editing.ts";
import { addInteger64, Int64, parseInteger64 } from "../protocol/integers.ts";
import { type Context, SYNTAX_ERROR } from "./context.ts";
import { bitOffset, findString, findStringToChange } from "./string_arguments.ts";

const GET = 0;
const SET = 1;
const INCREMENT = 2;

const WRAP = 0;
const SATURATE = 1;
const FAIL = 2;

const NO_TYPE = "ERR Invalid bitfield type. Use something like i16 u8. " +
  "Note that u64 is not supported but i64 is.";
const SIGNED = 105;
const UNSIGNED = 117;

/** One operation. */
interface Operation {
  /** GET, SET or INCREMENT. */
  readonly kind: number;
  /** Position of the field's first bit. */
  readonly offset: number;
  /** Its width in bits. */
  readonly width: number;
  /** Whether its first bit is a sign. */
  readonly signed: boolean;
  /** The value to set or to add. */
  readonly value: Int64;
  /** What to do with a value that doesn't fit: WRAP, SATURATE or FAIL. */
  readonly overflow: number;
}

/** BITFIELD. */
export function bitfield(context: Context): void {
  const operations = parseOperations(context);
  if (operations === undefined) return;
  if (operations.every(({ kind }) => kind === GET)) readFields(context, operations);
  else changeFields(context, operations);
}

/** BITFIELD_RO. */
export function bitfieldReadOnly(context: Context): void {
  const operations = parseOperations(context);
  if (operations === undefined) return;
  if (operations.every(({ kind }) => kind === GET)) return readFields(context, operations);
  context.reply.error("ERR BITFIELD_RO only supports the GET subcommand");
}

/** All operations among the arguments; `undefined` after an error. */
function parseOperations(context: Context): Operation[] | undefined {
  const operations: Operation[] = [];
  let overflow = WRAP;
  for (let index = 2; index < context.argc;) {
    const left = context.argc - index - 1;
    if (left >= 1 && context.isWord(index, "OVERFLOW")) {
      overflow = overflowKind(context, index + 1);
      if (overflow < 0) return undefined;
      index += 2;
      continue;
    }
    const kind = operationKind(context, index);
    const operands = kind === GET ? 2 : 3;
    if (kind < 0 || left < operands) {
      context.reply.error(SYNTAX_ERROR);
      return undefined;
    }
    const operation = parseOperation(context, index + 1, kind, overflow);
    if (operation === undefined) return undefined;
    operations.push(operation);
    index += operands + 1;
  }
  return operations;
}

function operationKind(context: Context, index: number): number {
  if (context.isWord(index, "GET")) return GET;
  if (context.isWord(index, "SET")) return SET;
  return context.isWord(index, "INCRBY") ? INCREMENT : -1;
}

function overflowKind(context: Context, index: number): number {
  if (context.isWord(index, "WRAP")) return WRAP;
  if (context.isWord(index, "SAT")) return SATURATE;
  if (context.isWord(index, "FAIL")) return FAIL;
  context.reply.error("ERR Invalid OVERFLOW type specified");
  return -1;
}

/** Reads type, position and value from argument `index` on. */
function parseOperation(
  context: Context,
  index: number,
  kind: number,
  overflow: number,
): Operation | undefined {
  const { bytes, starts, lengths, number } = context;
  const letter = lengths[index] > 0 ? bytes[starts[index]] : 0;
  const signed = letter === SIGNED;
  const numeric = (signed || letter === UNSIGNED) &&
    parseInteger64(bytes, starts[index] + 1, lengths[index] - 1, number);
  const width = numeric ? context.value : 0;
  if (width < 1 || width > (signed ? 64 : 63)) {
    context.reply.error(NO_TYPE);
    return undefined;
  }
  const offset = bitOffset(context, index + 1, width);
  if (offset < 0) return undefined;
  const value = new Int64();
  if (kind !== GET) {
    if (!context.integer(index + 2)) return undefined;
    value.high = number.high;
    value.low = number.low;
  }
  return { kind, offset, width, signed, value, overflow };
}

/** Replies with the fields of a string that stays as it is. */
function readFields(context: Context, operations: readonly Operation[]): void {
  const { reply, place } = context;
  const entry = findString(context, 1);
  if (entry === undefined) return;
  if (entry === 0) place.length = 0;
  else locateString(context.keyspace, entry, context.scratch, place);
  reply.array(operations.length);
  const value = new Int64();
  for (const operation of operations) {
    readField(context, operation, value);
    reply.integer64(value.high, value.low);
  }
}

function changeFields(context: Context, operations: readonly Operation[]): void {
  const { keyspace, database, reply, place, view, starts, lengths, scratch } = context;
  let entry = findStringToChange(context, 1);
  if (entry === undefined) return;
  let before = -1;
  if (entry !== 0) {
    locateString(keyspace, entry, scratch, place);
    before = place.length;
  }
  let length = 0;
  for (const { kind, offset, width } of operations) {
    if (kind !== GET) length = Math.max(length, Math.floor((offset + width - 1) / 8) + 1);
  }
  entry = makeOrOpenString(database, entry, view, starts[1], lengths[1], length, scratch);
  const grown = length > before;
  let changes = 0;
  const result = new Int64();
  reply.array(operations.length);
  for (const operation of operations) {
    const outcome = runOperation(context, entry, operation, result);
    if (outcome === REFUSED) reply.nullBulk();
    else reply.integer64(result.high, result.low);
    if (outcome === CHANGED || (outcome === SAME && grown && operation.kind !== GET)) changes++;
  }
  if (changes > 0) {
    context.changed(1, "setbit");
    keyspace.dirty += changes - 1;
  } else if (grown) {
    // Redis tells nobody; but who repeats the data must have the same bytes.
    context.effect(() => context.allArguments());
  }
}

/** The operation did what it should, and the bits are as before. */
const SAME = 0;
/** It changed the bits. */
const CHANGED = 1;
/** Its value doesn't fit and it was to fail then. */
const REFUSED = 2;

/** Runs one operation on the opened string in `entry`; what to reply goes into `result`. */
function runOperation(
  context: Context,
  entry: number,
  operation: Operation,
  result: Int64,
): number {
  const { keyspace, place } = context;
  const { kind, offset, width, overflow } = operation;
  // Others may read what this command has written so far: each looks at the bits as they are.
  locateString(keyspace, entry, context.scratch, place);
  readField(context, operation, result);
  if (kind === GET) return SAME;
  const value = new Int64();
  const fits = kind === SET
    ? setValue(operation, value)
    : addValue(operation, result.high, result.low, value);
  if (!fits && overflow === FAIL) return REFUSED;
  const same = value.high === result.high && value.low === result.low;
  const from = Math.floor(offset / 8);
  editString(keyspace, entry, from, Math.floor((offset + width - 1) / 8) + 1 - from, place);
  writeField(context, operation, value);
  if (kind === INCREMENT) {
    result.high = value.high;
    result.low = value.low;
  }
  return same ? SAME : CHANGED;
}

/** Reads a field of the string at `context.place` into `out`; bits behind its end are 0. */
function readField(context: Context, operation: Operation, out: Int64): void {
  const { place } = context;
  const { offset, width, signed } = operation;
  let high = 0;
  let low = 0;
  let byte = Math.floor(offset / 8);
  let skipped = offset % 8;
  for (let left = width; left > 0; byte++) {
    const taken = Math.min(8 - skipped, left);
    const bits = byte < place.length ? place.bytes[place.start + byte] : 0;
    high = high << taken | low >>> (32 - taken);
    low = low << taken | bits >>> (8 - skipped - taken) & ((1 << taken) - 1);
    left -= taken;
    skipped = 0;
  }
  out.high = high;
  out.low = low;
  if (signed) extendSign(out, width);
}

/** Takes the lowest `width` bits of `value` for a signed integer. */
function extendSign(value: Int64, width: number): void {
  if (width > 32) {
    value.high = value.high << (64 - width) >> (64 - width);
    return;
  }
  value.low = value.low << (32 - width) >> (32 - width);
  value.high = value.low >> 31;
}

/** Drops all but the lowest `width` bits of `value`. */
function dropUpperBits(value: Int64, width: number): void {
  if (width > 32) {
    value.high = value.high << (64 - width) >>> (64 - width);
    return;
  }
  value.high = 0;
  value.low = value.low << (32 - width) >>> (32 - width) | 0;
}

/** Writes `value` into a field of the string at `context.place`, which reaches that far. */
function writeField(context: Context, operation: Operation, value: Int64): void {
  const { place } = context;
  const { offset, width } = operation;
  let at = place.start + Math.floor(offset / 8);
  let skipped = offset % 8;
  for (let left = width; left > 0; at++) {
    const taken = Math.min(8 - skipped, left);
    left -= taken;
    const bits = left >= 32
      ? value.high >>> (left - 32)
      : left === 0
      ? value.low
      : value.low >>> left | value.high << (32 - left);
    const shift = 8 - skipped - taken;
    const mask = ((1 << taken) - 1) << shift;
    place.bytes[at] = place.bytes[at] & ~mask | bits << shift & mask;
    skipped = 0;
  }
}

/** Puts the value that a SET stores into `out`; whether it fits as it is. */
function setValue(operation: Operation, out: Int64): boolean {
  const { value, width, signed } = operation;
  const highest = highestOf(operation);
  out.high = value.high;
  out.low = value.low;
  if (!signed) {
    // A negative number is taken for a very large one.
    if (value.high >= 0 && compare(value, highest) <= 0) return true;
    return clip(operation, highest, true, out);
  }
  if (compare(value, highest) > 0) return clip(operation, highest, true, out);
  const lowest = new Int64(~highest.high, ~highest.low);
  if (compare(value, lowest) >= 0) return true;
  // As in Redis, a number so far below that its distance from the highest one is beyond 64 bits
  // counts as too high.
  const distance = new Int64();
  const far = width < 64 &&
    !addInteger64(~value.high, ~value.low, highest.high, highest.low, distance);
  const edge = distance.high === 0x7fffffff && distance.low === -1;
  return clip(operation, highest, far || edge, out);
}

/** Puts the sum of a field's value and an increment into `out`; whether it fits as it is. */
function addValue(operation: Operation, high: number, low: number, out: Int64): boolean {
  const { value, signed } = operation;
  const highest = highestOf(operation);
  if (!addInteger64(high, low, value.high, value.low, out)) {
    out.low = (low + value.low) | 0;
    out.high = (high + value.high + ((out.low >>> 0) < (low >>> 0) ? 1 : 0)) | 0;
    return clip(operation, highest, value.high >= 0, out);
  }
  if (compare(out, highest) > 0) return clip(operation, highest, true, out);
  const lowest = signed ? new Int64(~highest.high, ~highest.low) : new Int64();
  return compare(out, lowest) >= 0 || clip(operation, highest, false, out);
}

/** Makes `out`, which is too high or too low, fit as the operation wants it; always false. */
function clip(operation: Operation, highest: Int64, tooHigh: boolean, out: Int64): false {
  const { width, signed, overflow } = operation;
  if (overflow !== SATURATE) {
    if (signed) extendSign(out, width);
    else dropUpperBits(out, width);
    return false;
  }
  out.high = tooHigh ? highest.high : signed ? ~highest.high : 0;
  out.low = tooHigh ? highest.low : signed ? ~highest.low : 0;
  return false;
}

/** The highest value of a field; of a signed one, the lowest has all bits inverted. */
function highestOf(operation: Operation): Int64 {
  const highest = new Int64(-1, -1);
  const bits = operation.signed ? operation.width - 1 : operation.width;
  if (bits === 0) return new Int64();
  dropUpperBits(highest, bits);
  return highest;
}

/** Less than 0, 0 or more than 0 as `left` is less than, equal to or more than `right`. */
function compare(left: Int64, right: Int64): number {
  return left.high !== right.high ? left.high - right.high : (left.low >>> 0) - (right.low >>> 0);
}
