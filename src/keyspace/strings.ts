/**
 * Strings as values: how they are stored, read and replaced.
 *
 * A string is kept in the shortest of these forms: an integer of 32 bits in the entry's value word, one of 64 bits
 * in that word and four bytes behind the key, bytes behind the key, or, from
 * {@linkcode EXTERNAL_BYTES} on, a block of its own:
 *
 * ```text
 * word 0   block header
 * word 1   address of the entry
 * word 2   length of the string in bytes
 * word 3   unused
 * bytes from offset 16 on
 * ```
 *
 * A block of its own can be filled straight from a socket and sent straight from where it lies; while it is sent it
 * is pinned, and a change makes a copy.
 *
 * @module
 */
import {
  BLOCK_VALUE,
  type ReadonlyView,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  UNIT_BYTES,
} from "../memory/arena.ts";
import { copyBytes } from "../memory/copy.ts";
import { ENTRY_META, ENTRY_VALUE, wordIndex, wordsAt } from "../memory/entry.ts";
import { type Int64, parseInteger64, writeInteger64 } from "../protocol/integers.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { metaAfterWrite } from "./access_clock.ts";
import type { ElementPlace } from "./element_place.ts";
import { entryEncoding, hasExpiry, readExpiry, tailCapacity, tailStart } from "./entry_facts.ts";
import {
  addEntry,
  type Database,
  type Keyspace,
  resizeEntry,
  resizeWithoutValue,
  VALUE_OWNER,
} from "./keyspace.ts";
import {
  ENCODING_EXTERNAL,
  ENCODING_GROWN,
  ENCODING_INLINE,
  ENCODING_INT32,
  ENCODING_INT64,
  TYPE_STRING,
} from "./types.ts";

/** The value gets no expiry, and loses the one it has. */
export const EXPIRY_NONE = 0;
/** The value keeps the expiry it has. */
export const EXPIRY_KEEP = 1;
/** The value gets the expiry in `keyspace.expiry`. */
export const EXPIRY_SET = 2;

/** From this length on, a string has a block of its own. */
export const EXTERNAL_BYTES = 64 * 1024;
/** Where, in bytes, a string starts in its block, */
export const EXTERNAL_OFFSET = 16;
/** and the word that holds its length. */
export const EXTERNAL_LENGTH = 2;
/** Type and encoding of a string behind its key, as it was set; */
export const META_INLINE = TYPE_STRING | (ENCODING_INLINE << 4);
const META_INT32 = TYPE_STRING | (ENCODING_INT32 << 4);
const META_INT64 = TYPE_STRING | (ENCODING_INT64 << 4);
/** of one in a block of its own; */
export const META_EXTERNAL = TYPE_STRING | (ENCODING_EXTERNAL << 4);
/** of one behind its key that was changed in place, which Redis calls `raw` whatever its length. */
export const META_GROWN = TYPE_STRING | (ENCODING_GROWN << 4);

/** Longest text that may be an integer of 64 bits. */
const INTEGER_TEXT_BYTES = 20;
/** So many integers are shared in Redis, from 0 on. */
const SHARED_INTEGERS = 10_000;
/** Longest string that Redis calls `embstr`. */
const EMBEDDED_BYTES = 44;
/** A string that grows gets as much again as spare room, up to this. */
const SPARE_LIMIT = 1024 * 1024;

/**
 * Stores a string under a key: `old` is the key's entry or 0, `keyspace.hash` the key's hash, and
 * `expiry` one of the `EXPIRY_` constants. Returns the entry.
 */
export function setString(
  database: Database,
  old: number,
  keyView: ReadonlyView,
  keyFrom: number,
  keyBytes: number,
  view: ReadonlyView,
  from: number,
  length: number,
  expiry: number,
): number {
  if (length >= EXTERNAL_BYTES) {
    const block = allocateValue(database.keyspace, length);
    fillValue(database.keyspace, block, 0, view, from, length);
    try {
      return setExternal(database, old, keyView, keyFrom, keyBytes, block, expiry);
    } catch (error) {
      database.keyspace.arena.free(block);
      throw error;
    }
  }
  const keyspace = database.keyspace;
  const entry = makeRoom(database, old, keyView, keyFrom, keyBytes, length, expiry);
  const at = wordIndex(entry);
  const words = keyspace.arena.writable(entry, 16);
  words[at + ENTRY_META] = metaAfterWrite(keyspace, words[at + ENTRY_META], META_INLINE);
  words[at + ENTRY_VALUE] = length;
  const target = keyspace.arena.writableView(entry, keyspace.arena.unitsOf(entry) * UNIT_BYTES);
  copyBytes(view, from, target, tailStart(keyspace, entry), length);
  return entry;
}

/** As {@linkcode setString}, for text that may be an integer, which is then stored as one. */
export function setStringOrInteger(
  database: Database,
  old: number,
  keyView: ReadonlyView,
  keyFrom: number,
  keyBytes: number,
  bytes: Uint8Array,
  view: ReadonlyView,
  from: number,
  length: number,
  expiry: number,
  scratch: Int64,
): number {
  if (
    length <= INTEGER_TEXT_BYTES && length > 0 && bytes[from] <= 57 &&
    parseInteger64(bytes, from, length, scratch)
  ) {
    return setInteger(
      database,
      old,
      keyView,
      keyFrom,
      keyBytes,
      scratch.high,
      scratch.low,
      expiry,
    );
  }
  return setString(database, old, keyView, keyFrom, keyBytes, view, from, length, expiry);
}

/** As {@linkcode setString}, for a signed integer of 64 bits. */
export function setInteger(
  database: Database,
  old: number,
  keyView: ReadonlyView,
  keyFrom: number,
  keyBytes: number,
  high: number,
  low: number,
  expiry: number,
): number {
  const keyspace = database.keyspace;
  const small = high === low >> 31;
  const entry = makeRoom(database, old, keyView, keyFrom, keyBytes, small ? 0 : 4, expiry);
  const at = wordIndex(entry);
  const words = keyspace.arena.writable(entry, 16);
  const kind = small ? META_INT32 : META_INT64;
  words[at + ENTRY_META] = metaAfterWrite(keyspace, words[at + ENTRY_META], kind);
  words[at + ENTRY_VALUE] = low;
  if (!small) {
    const target = keyspace.arena.writableView(entry, keyspace.arena.unitsOf(entry) * UNIT_BYTES);
    target.setInt32(tailStart(keyspace, entry), high, true);
  }
  return entry;
}

/** As {@linkcode setString}, for a value block that is filled already. */
export function setExternal(
  database: Database,
  old: number,
  keyView: ReadonlyView,
  keyFrom: number,
  keyBytes: number,
  block: number,
  expiry: number,
): number {
  const keyspace = database.keyspace;
  const entry = makeRoom(database, old, keyView, keyFrom, keyBytes, 0, expiry);
  setValueWord(keyspace, entry, META_EXTERNAL, block);
  keyspace.arena.writable(block, 16)[wordIndex(block) + VALUE_OWNER] = entry;
  return entry;
}

/** A value block for a string of `length` bytes, which are the caller's to fill. */
export function allocateValue(keyspace: Keyspace, length: number): number {
  const units = Math.ceil((length + EXTERNAL_OFFSET) / UNIT_BYTES);
  const block = keyspace.arena.allocate(units, BLOCK_VALUE);
  const words = keyspace.arena.writable(block, 16);
  const at = wordIndex(block);
  words[at + VALUE_OWNER] = 0;
  words[at + EXTERNAL_LENGTH] = length;
  words[at + 3] = 0;
  return block;
}

/** Puts `length` bytes at `offset` of the string in a value block. */
function fillValue(
  keyspace: Keyspace,
  block: number,
  offset: number,
  view: ReadonlyView,
  from: number,
  length: number,
): void {
  const source = view as DataView;
  valueRoom(keyspace, block, offset, length).set(
    new Uint8Array(source.buffer, source.byteOffset + from, length),
  );
}

/** The bytes `offset` to `offset + length` of the string in a value block, to be filled. */
export function valueRoom(
  keyspace: Keyspace,
  block: number,
  offset: number,
  length: number,
): Uint8Array<SharedArrayBuffer> {
  const bytes = keyspace.arena.writableBytesBehind(block, EXTERNAL_OFFSET + offset, length);
  const start = (block & SEGMENT_MASK) * UNIT_BYTES + EXTERNAL_OFFSET + offset;
  return bytes.subarray(start, start + length) as Uint8Array<SharedArrayBuffer>;
}

/** The string in a value block, where it lies. */
export function blockBytes(keyspace: Keyspace, block: number): Uint8Array {
  return keyspace.arena.slice(block, EXTERNAL_OFFSET, externalLength(keyspace, block));
}

/** Length in bytes of the string in `entry`. */
export function stringLength(keyspace: Keyspace, entry: number, scratch: Uint8Array): number {
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  switch (words[at + ENTRY_META] & 0xff) {
    case META_INT32:
    case META_INT64:
      return writeInteger64(scratch, 0, integerHigh(keyspace, entry), words[at + ENTRY_VALUE]);
    case META_EXTERNAL:
      return externalLength(keyspace, words[at + ENTRY_VALUE]);
    default:
      return words[at + ENTRY_VALUE];
  }
}

/** Whether the string in `entry` is stored as an integer. */
export function isInteger(keyspace: Keyspace, entry: number): boolean {
  const meta = wordsAt(keyspace.arena, entry)[wordIndex(entry) + ENTRY_META] & 0xff;
  return meta === META_INT32 || meta === META_INT64;
}

/** Low half of the integer in `entry`. */
export function integerLow(keyspace: Keyspace, entry: number): number {
  return wordsAt(keyspace.arena, entry)[wordIndex(entry) + ENTRY_VALUE];
}

/** High half of the integer in `entry`. */
export function integerHigh(keyspace: Keyspace, entry: number): number {
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  if ((words[at + ENTRY_META] & 0xff) === META_INT32) return words[at + ENTRY_VALUE] >> 31;
  return keyspace.arena.views[entry >>> SEGMENT_SHIFT].getInt32(tailStart(keyspace, entry), true);
}

/**
 * Adds `amount` to the integer in `entry` if it and the sum are stored in 32 bits, and puts the sum
 * into `sum`; false if it has to be done the long way.
 */
export function tryAdd(keyspace: Keyspace, entry: number, amount: number, sum: Int64): boolean {
  const at = wordIndex(entry);
  const words = wordsAt(keyspace.arena, entry);
  if ((words[at + ENTRY_META] & 0xff) !== META_INT32) return false;
  const value = words[at + ENTRY_VALUE] + amount;
  if (value !== (value | 0)) return false;
  const target = keyspace.arena.writable(entry, 16);
  target[at + ENTRY_META] = metaAfterWrite(keyspace, target[at + ENTRY_META], META_INT32);
  target[at + ENTRY_VALUE] = value;
  sum.high = value >> 31;
  sum.low = value;
  return true;
}

/** The string in `entry` as bytes: where they lie, or, for an integer, its text in `scratch`. */
export function stringBytes(keyspace: Keyspace, entry: number, scratch: Uint8Array): Uint8Array {
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  const value = words[at + ENTRY_VALUE];
  switch (words[at + ENTRY_META] & 0xff) {
    case META_INT32:
    case META_INT64: {
      const length = writeInteger64(scratch, 0, integerHigh(keyspace, entry), value);
      return scratch.subarray(0, length);
    }
    case META_EXTERNAL:
      return blockBytes(keyspace, value);
    default:
      return keyspace.arena.slice(entry, tailStart(keyspace, entry) - at * 4, value);
  }
}

/** Has `place` tell the string in `entry`. */
export function placeString(keyspace: Keyspace, entry: number, place: ElementPlace): void {
  const { arena } = keyspace;
  const words = wordsAt(arena, entry);
  const at = wordIndex(entry);
  const value = words[at + ENTRY_VALUE];
  const meta = words[at + ENTRY_META] & 0xff;
  let segment = entry >>> SEGMENT_SHIFT;
  if (meta === META_INLINE || meta === META_GROWN) {
    place.setBytes(arena.views[segment], arena.bytes[segment], tailStart(keyspace, entry), value);
  } else if (meta === META_EXTERNAL) {
    segment = value >>> SEGMENT_SHIFT;
    const start = (value & SEGMENT_MASK) * UNIT_BYTES + EXTERNAL_OFFSET;
    const length = externalLength(keyspace, value);
    place.setBytes(arena.views[segment], arena.bytes[segment], start, length);
  } else place.setInteger(integerHigh(keyspace, entry), value);
}

/** Replies with the string in `entry`. */
export function replyString(keyspace: Keyspace, reply: ReplyWriter, entry: number): void {
  const arena = keyspace.arena;
  const words = arena.words[entry >>> SEGMENT_SHIFT];
  const at = (entry & SEGMENT_MASK) << 1;
  const value = words[at + ENTRY_VALUE];
  const meta = words[at + ENTRY_META] & 0xff;
  if (meta === META_INLINE || meta === META_GROWN) {
    reply.bulkView(arena.views[entry >>> SEGMENT_SHIFT], tailStart(keyspace, entry), value);
  } else if (meta === META_EXTERNAL) {
    keyspace.pin(value);
    reply.bulkShared(blockBytes(keyspace, value), () => keyspace.unpin(value));
  } else {
    reply.bulkInteger64(integerHigh(keyspace, entry), value);
  }
}

/**
 * Makes the string in `entry` at least `length` bytes long (zero bytes fill the gap) and writes
 * `source` at `offset`; `keyspace.hash` is the key's hash. Returns the entry, which may have moved.
 */
export function writeRange(
  database: Database,
  entry: number,
  offset: number,
  source: ReadonlyView,
  from: number,
  sourceLength: number,
  scratch: Uint8Array,
): number {
  const keyspace = database.keyspace;
  const arena = keyspace.arena;
  const oldLength = stringLength(keyspace, entry, scratch);
  const length = Math.max(oldLength, offset + sourceLength);
  if (length >= EXTERNAL_BYTES || isExternal(keyspace, entry)) {
    return writeExternalRange(
      database,
      entry,
      oldLength,
      length,
      offset,
      source,
      from,
      sourceLength,
      scratch,
    );
  }
  let integer: Uint8Array | null = null;
  if (isInteger(keyspace, entry)) integer = stringBytes(keyspace, entry, scratch).slice();
  if (tailCapacity(keyspace, entry) < length) {
    const spare = Math.min(length, SPARE_LIMIT);
    entry = resizeKeepingExpiry(database, entry, length + (oldLength === 0 ? 0 : spare));
  }
  const bytes = arena.writableBytes(entry, arena.unitsOf(entry) * UNIT_BYTES);
  const start = tailStart(keyspace, entry);
  if (integer !== null) bytes.set(integer, start);
  if (offset > oldLength) bytes.fill(0, start + oldLength, start + offset);
  copyBytes(source, from, arena.writableView(entry, 0), start + offset, sourceLength);
  setValueWord(keyspace, entry, META_GROWN, length);
  return entry;
}

/** Stores a copy of the string in `source` under another key, as {@linkcode setString} does. */
export function copyString(
  database: Database,
  old: number,
  keyView: ReadonlyView,
  keyFrom: number,
  keyBytes: number,
  source: number,
  expiry: number,
  scratch: Uint8Array,
): number {
  const keyspace = database.keyspace;
  if (isInteger(keyspace, source)) {
    const high = integerHigh(keyspace, source);
    const low = integerLow(keyspace, source);
    return setInteger(database, old, keyView, keyFrom, keyBytes, high, low, expiry);
  }
  const bytes = stringBytes(keyspace, source, scratch);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const grown = entryEncoding(keyspace, source) === ENCODING_GROWN;
  const length = bytes.length;
  const entry = setString(database, old, keyView, keyFrom, keyBytes, view, 0, length, expiry);
  if (grown && length < EXTERNAL_BYTES) setValueWord(keyspace, entry, META_GROWN, length);
  return entry;
}

/** Name of the encoding of the string in `entry`, as OBJECT ENCODING answers. */
export function stringEncodingName(keyspace: Keyspace, entry: number): string {
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  switch (words[at + ENTRY_META] & 0xff) {
    case META_INT32:
    case META_INT64:
      return "int";
    case META_INLINE:
      return words[at + ENTRY_VALUE] <= EMBEDDED_BYTES ? "embstr" : "raw";
    default:
      return "raw";
  }
}

/**
 * How many keys share the string in `entry`, as OBJECT REFCOUNT answers: 1, or, as Redis says of the small integers
 * that it shares among all keys, the greatest number there is.
 */
export function referenceCount(keyspace: Keyspace, entry: number): number {
  if (!keyspace.sharesIntegers || !isInteger(keyspace, entry)) return 1;
  const low = integerLow(keyspace, entry);
  const shared = integerHigh(keyspace, entry) === 0 && low >= 0 && low < SHARED_INTEGERS;
  return shared ? 0x7fffffff : 1;
}

/** Bytes that the string in `entry` takes outside of the entry. */
export function externalBytes(keyspace: Keyspace, entry: number): number {
  if (!isExternal(keyspace, entry)) return 0;
  return keyspace.arena.unitsOf(
    wordsAt(keyspace.arena, entry)[wordIndex(entry) + ENTRY_VALUE],
  ) * UNIT_BYTES;
}

function isExternal(keyspace: Keyspace, entry: number): boolean {
  const meta = wordsAt(keyspace.arena, entry)[wordIndex(entry) + ENTRY_META] & 0xff;
  return meta === META_EXTERNAL;
}

function externalLength(keyspace: Keyspace, block: number): number {
  return wordsAt(keyspace.arena, block)[wordIndex(block) + EXTERNAL_LENGTH];
}

/** Sets type and encoding of `entry` and its value's word, and notes the write. */
export function setValueWord(keyspace: Keyspace, entry: number, kind: number, value: number): void {
  const words = keyspace.arena.writable(entry, 16);
  const at = wordIndex(entry);
  words[at + ENTRY_META] = metaAfterWrite(keyspace, words[at + ENTRY_META], kind);
  words[at + ENTRY_VALUE] = value;
}

/**
 * The entry for a value with `tailBytes` behind the key: a new one, or `old` without its value. Its
 * meta and value words are the caller's to write.
 */
function makeRoom(
  database: Database,
  old: number,
  keyView: ReadonlyView,
  keyFrom: number,
  keyBytes: number,
  tailBytes: number,
  expiry: number,
): number {
  if (old === 0) {
    return addEntry(database, keyView, keyFrom, keyBytes, tailBytes, expiry === EXPIRY_SET);
  }
  let volatile = expiry === EXPIRY_SET;
  if (expiry === EXPIRY_KEEP) volatile = keepExpiry(database.keyspace, old);
  return resizeWithoutValue(database, old, tailBytes, volatile);
}

function resizeKeepingExpiry(database: Database, entry: number, tailBytes: number): number {
  return resizeEntry(database, entry, tailBytes, keepExpiry(database.keyspace, entry));
}

/** Puts the expiry of `entry` where the next layout takes it from; whether it has one. */
function keepExpiry(keyspace: Keyspace, entry: number): boolean {
  const volatile = hasExpiry(keyspace, entry);
  if (volatile) readExpiry(keyspace, entry, keyspace.expiry);
  return volatile;
}

/** {@linkcode writeRange} for a string that has a block of its own, or will. */
function writeExternalRange(
  database: Database,
  entry: number,
  oldLength: number,
  length: number,
  offset: number,
  source: ReadonlyView,
  from: number,
  sourceLength: number,
  scratch: Uint8Array,
): number {
  const keyspace = database.keyspace;
  const external = isExternal(keyspace, entry);
  let block = external ? wordsAt(keyspace.arena, entry)[wordIndex(entry) + ENTRY_VALUE] : 0;
  const room = external ? keyspace.arena.unitsOf(block) * UNIT_BYTES - EXTERNAL_OFFSET : 0;
  if (room < length || keyspace.isPinned(block)) {
    const spare = oldLength === 0 ? 0 : Math.min(length, SPARE_LIMIT);
    const moved = allocateValue(keyspace, length + spare);
    const old = stringBytes(keyspace, entry, scratch);
    valueRoom(keyspace, moved, 0, oldLength).set(old);
    if (external) keyspace.freeValueBlock(block);
    block = moved;
    if (!external) entry = resizeKeepingExpiry(database, entry, 0);
    setValueWord(keyspace, entry, META_EXTERNAL, block);
    keyspace.arena.writable(block, 16)[wordIndex(block) + VALUE_OWNER] = entry;
  }
  if (offset > oldLength) valueRoom(keyspace, block, oldLength, offset - oldLength).fill(0);
  fillValue(keyspace, block, offset, source, from, sourceLength);
  keyspace.arena.writable(block, 16)[wordIndex(block) + EXTERNAL_LENGTH] = length;
  return entry;
}
