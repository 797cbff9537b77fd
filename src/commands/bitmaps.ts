/**
 * Handlers of the commands on strings as rows of bits; their descriptions are in `specs/bitmaps.ts`, and
 * BITFIELD is in `bitfields.ts`.
 *
 * The first bit of a string is the most significant one of its first byte. Where a position is
 * beyond the end, the bit is 0; setting one there makes the string longer.
 *
 * @module
 */
import { removeEntry } from "../keyspace/keyspace.ts";
import {
  editString,
  locateString,
  makeOrOpenString,
  setRawString,
} from "../keyspace/string_editing.ts";
import {
  allocateValue,
  EXPIRY_NONE,
  EXTERNAL_BYTES,
  setExternal,
  stringBytes,
  valueRoom,
} from "../keyspace/strings.ts";
import {
  type BitOperation,
  combineBits,
  countBitRange,
  countBits,
  findBit,
} from "../memory/bits.ts";
import { bitfield, bitfieldReadOnly } from "./bitfields.ts";

import { type Context, type Handler, SYNTAX_ERROR } from "./context.ts";
import type { BITMAP_SPECS } from "./specs/bitmaps.ts";
import type { HandlersFor } from "./specs/types.ts";
import { bitOffset, findString, findStringToChange } from "./string_arguments.ts";

const NO_BIT = "ERR bit is not an integer or out of range";
const EMPTY = new Uint8Array(0);

/** Part of a row, both ends included, after negative ones were counted from the end. */
interface Range {
  readonly start: number;
  readonly end: number;
}

function getbit(context: Context): void {
  const offset = bitOffset(context, 2, 0);
  if (offset < 0) return;
  const entry = findString(context, 1);
  if (entry === undefined) return;
  if (entry === 0) return context.reply.integer(0);
  const { place } = context;
  locateString(context.keyspace, entry, context.scratch, place);
  const byte = Math.floor(offset / 8);
  if (byte >= place.length) return context.reply.integer(0);
  context.reply.integer(place.bytes[place.start + byte] >>> (7 - offset % 8) & 1);
}

function setbit(context: Context): void {
  const { keyspace, database, place } = context;
  const offset = bitOffset(context, 2, 0);
  if (offset < 0 || !context.integer(3, NO_BIT)) return;
  const bit = context.value;
  if (bit !== 0 && bit !== 1) return context.reply.error(NO_BIT);
  let entry = findStringToChange(context, 1);
  if (entry === undefined) return;
  let length = -1;
  if (entry !== 0) {
    locateString(keyspace, entry, context.scratch, place);
    length = place.length;
  }
  const byte = Math.floor(offset / 8);
  const { view, starts, lengths, scratch } = context;
  entry = makeOrOpenString(database, entry, view, starts[1], lengths[1], byte + 1, scratch);
  editString(keyspace, entry, byte, 1, place);
  const mask = 0x80 >>> offset % 8;
  const at = place.start + byte;
  const old = (place.bytes[at] & mask) === 0 ? 0 : 1;
  if (old !== bit || length <= byte) {
    place.bytes[at] ^= old === bit ? 0 : mask;
    context.changed(1, "setbit");
  }
  context.reply.integer(old);
}

/** Both ends of a part as the client gave them, the second one -1 if it left that out. */
interface Ends extends Range {
  /** Whether both count from the end and are the wrong way round. */
  readonly reversed: boolean;
}

/** Reads argument `from` and, if it is there, the one behind it; `undefined` after an error. */
function endArguments(context: Context, from: number): Ends | undefined {
  if (!context.integer(from)) return undefined;
  const { high, low } = context.number;
  const start = context.value;
  if (context.argc === from + 1) return { start, end: -1, reversed: false };
  if (!context.integer(from + 1)) return undefined;
  const { number } = context;
  // Compared as 64 bits: doubles of that size are the same for many numbers.
  const behind = high === number.high ? low >>> 0 > number.low >>> 0 : high > number.high;
  const end = context.value;
  return { start, end, reversed: start < 0 && end < 0 && behind };
}

/** The part of `total` bits or bytes that `ends` mean, or null if it is empty. */
function rangeWithin(ends: Range, total: number): Range | null {
  const start = ends.start < 0 ? Math.max(0, ends.start + total) : ends.start;
  const end = ends.end < 0 ? Math.max(0, ends.end + total) : Math.min(ends.end, total - 1);
  return start > end || total === 0 ? null : { start, end };
}

/** Whether argument `index` says that indexes count bits; `undefined` after an error. */
function countsBits(context: Context, index: number): boolean | undefined {
  if (context.isWord(index, "BIT")) return true;
  if (context.isWord(index, "BYTE")) return false;
  context.reply.error(SYNTAX_ERROR);
  return undefined;
}

function bitcount(context: Context): void {
  const { argc, reply, keyspace } = context;
  const entry = findString(context, 1);
  if (entry === undefined) return;
  if (entry === 0) return reply.integer(0);
  const bytes = stringBytes(keyspace, entry, context.scratch);
  if (argc === 2) return reply.integer(countBits(bytes));
  if (argc !== 4 && argc !== 5) return reply.error(SYNTAX_ERROR);
  const ends = endArguments(context, 2);
  if (ends === undefined) return;
  if (ends.reversed) return reply.integer(0);
  const inBits = argc === 5 && countsBits(context, 4);
  if (inBits === undefined) return;
  const range = rangeWithin(ends, inBits ? bytes.length * 8 : bytes.length);
  if (range === null) return reply.integer(0);
  const { start, end } = range;
  if (inBits) return reply.integer(countBitRange(bytes, start, end));
  reply.integer(countBits(bytes.subarray(start, end + 1)));
}

function bitpos(context: Context): void {
  const { argc, reply, keyspace } = context;
  if (!context.integer(2)) return;
  const bit = context.value;
  if (bit !== 0 && bit !== 1) return reply.error("ERR The bit argument must be 1 or 0.");
  const entry = findString(context, 1);
  if (entry === undefined) return;
  if (entry === 0) return reply.integer(-bit);
  if (argc > 6) return reply.error(SYNTAX_ERROR);
  const bytes = stringBytes(keyspace, entry, context.scratch);
  let ends: Range | undefined = { start: 0, end: -1 };
  let inBits: boolean | undefined = false;
  if (argc > 3) {
    if (!context.integer(3)) return;
    if (argc === 6) inBits = countsBits(context, 5);
    if (inBits === undefined) return;
    // Ends the wrong way round, from the end, may both be before the start, which means the first byte.
    ends = endArguments(context, 3);
    if (ends === undefined) return;
  }
  const range = rangeWithin(ends, inBits ? bytes.length * 8 : bytes.length);
  if (range === null) return reply.integer(-1);
  const { start, end } = range;
  const found = inBits
    ? findBit(bytes, bit, start, end)
    : findBit(bytes, bit, start * 8, end * 8 + 7);
  // Behind the end there are zero bits, unless an end was given.
  const beyond = found < 0 && bit === 0 && argc < 5;
  reply.integer(beyond ? bytes.length * 8 : found);
}

function bitop(context: Context): void {
  const { keyspace, database, reply } = context;
  const operation = bitOperation(context);
  if (operation === undefined) return reply.error(SYNTAX_ERROR);
  if (operation === "not" && context.argc !== 4) {
    return reply.error("ERR BITOP NOT must be called with a single source key.");
  }
  const sources: Uint8Array[] = [];
  let length = 0;
  for (let index = 3; index < context.argc; index++) {
    const entry = findString(context, index);
    if (entry === undefined) return;
    let bytes = entry === 0 ? EMPTY : stringBytes(keyspace, entry, context.scratch);
    // The next integer would take the place of this one's text.
    if (bytes.buffer === context.scratch.buffer) bytes = bytes.slice();
    sources.push(bytes);
    length = Math.max(length, bytes.length);
  }
  if (length > 0) {
    storeCombined(context, operation, sources, length);
    context.changed(2, "set");
  } else {
    const target = context.find(2);
    if (target !== 0) {
      removeEntry(database, keyspace.hash, target);
      context.changed(2, "del");
    }
  }
  reply.integer(length);
}

function bitOperation(context: Context): BitOperation | undefined {
  if (context.isWord(1, "AND")) return "and";
  if (context.isWord(1, "OR")) return "or";
  if (context.isWord(1, "XOR")) return "xor";
  return context.isWord(1, "NOT") ? "not" : undefined;
}

/** Stores the combination of `sources`, the longest of which has `length` bytes, under the key in argument 2. */
function storeCombined(
  context: Context,
  operation: BitOperation,
  sources: readonly Uint8Array[],
  length: number,
): void {
  const { keyspace, database, view, starts, lengths } = context;
  if (length < EXTERNAL_BYTES) {
    const bytes = new Uint8Array(length);
    combineBits(operation, bytes, sources);
    const old = context.find(2);
    setRawString(database, old, view, starts[2], lengths[2], bytes, EXPIRY_NONE);
    return;
  }
  const block = allocateValue(keyspace, length);
  try {
    combineBits(operation, valueRoom(keyspace, block, 0, length), sources);
    const old = context.find(2);
    setExternal(database, old, view, starts[2], lengths[2], block, EXPIRY_NONE);
  } catch (error) {
    keyspace.arena.free(block);
    throw error;
  }
}

/** The handlers of the commands on bits. */
export const BITMAP_HANDLERS: HandlersFor<typeof BITMAP_SPECS, Handler> = {
  setbit,
  getbit,
  bitcount,
  bitpos,
  bitop,
  bitfield,
  bitfield_ro: bitfieldReadOnly,
};
