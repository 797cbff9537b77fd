/**
 * Strings that are changed in place, byte by byte: bitmaps and HyperLogLogs.
 *
 * A string is *opened* first: it is then made of bytes (not stored as an integer), long enough, and in
 * nobody's hands (a block that is being sent is replaced by a copy). After that, and until anything
 * else happens to the entry, {@linkcode editString} gives the bytes that may be stored to.
 *
 * Places are given in a {@linkcode StringPlace} that the caller keeps, so that a single bit is read
 * or set without an object being made.
 *
 * @module
 */
import { SEGMENT_MASK, SEGMENT_SHIFT, UNIT_BYTES } from "../memory/arena.ts";
import { ENTRY_META, ENTRY_VALUE, wordIndex, wordsAt } from "../memory/entry.ts";
import { tailCapacity, tailStart } from "./entry_facts.ts";
import { type Database, type Keyspace, removeEntry } from "./keyspace.ts";
import {
  EXPIRY_NONE,
  EXTERNAL_LENGTH,
  EXTERNAL_OFFSET,
  isInteger,
  META_EXTERNAL,
  META_GROWN,
  META_INLINE,
  setString,
  setValueWord,
  stringBytes,
  writeRange,
} from "./strings.ts";

const NOTHING = new DataView(new ArrayBuffer(0));

/** Where the bytes of a string lie. */
export class StringPlace {
  /** The memory that holds it. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where it starts in there. */
  start = 0;
  /** Its length in bytes. */
  length = 0;
}

/** Puts where the string in `entry` lies into `place`, for reading; an integer's text is in `scratch`. */
export function locateString(
  keyspace: Keyspace,
  entry: number,
  scratch: Uint8Array,
  place: StringPlace,
): void {
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  const value = words[at + ENTRY_VALUE];
  const meta = words[at + ENTRY_META] & 0xff;
  if (meta === META_INLINE || meta === META_GROWN) {
    place.bytes = keyspace.arena.bytes[entry >>> SEGMENT_SHIFT] as Uint8Array;
    place.start = tailStart(keyspace, entry);
    place.length = value;
  } else if (meta === META_EXTERNAL) {
    place.bytes = keyspace.arena.bytes[value >>> SEGMENT_SHIFT] as Uint8Array;
    place.start = (value & SEGMENT_MASK) * UNIT_BYTES + EXTERNAL_OFFSET;
    place.length = wordsAt(keyspace.arena, value)[wordIndex(value) + EXTERNAL_LENGTH];
  } else {
    place.bytes = scratch;
    place.start = 0;
    place.length = stringBytes(keyspace, entry, scratch).length;
  }
}

/**
 * Opens the string in `entry` and makes it at least `length` bytes long; zero bytes fill the gap.
 * `keyspace.hash` is the key's hash. Returns the entry, which may have moved.
 */
export function openString(
  database: Database,
  entry: number,
  length: number,
  scratch: Uint8Array,
): number {
  const keyspace = database.keyspace;
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  const value = words[at + ENTRY_VALUE];
  const meta = words[at + ENTRY_META] & 0xff;
  if ((meta === META_INLINE || meta === META_GROWN) && value >= length) {
    setValueWord(keyspace, entry, META_GROWN, value);
    return entry;
  }
  if (meta === META_EXTERNAL && !keyspace.isPinned(value)) {
    const valueWords = wordsAt(keyspace.arena, value);
    if (valueWords[wordIndex(value) + EXTERNAL_LENGTH] >= length) {
      setValueWord(keyspace, entry, META_EXTERNAL, value);
      return entry;
    }
  }
  const old = isInteger(keyspace, entry) ? stringBytes(keyspace, entry, scratch).length : 0;
  return writeRange(database, entry, Math.max(length, old), NOTHING, 0, 0, scratch);
}

/** As {@linkcode openString}, with a new entry for the key in `keyView` if `entry` is 0. */
export function makeOrOpenString(
  database: Database,
  entry: number,
  keyView: DataView,
  keyFrom: number,
  keyBytes: number,
  length: number,
  scratch: Uint8Array,
): number {
  if (entry !== 0) return openString(database, entry, length, scratch);
  const made = setString(
    database,
    0,
    keyView,
    keyFrom,
    keyBytes,
    NOTHING,
    0,
    0,
    EXPIRY_NONE,
  );
  try {
    return openString(database, made, length, scratch);
  } catch (error) {
    // There is no room: a key that wasn't there must not stay behind empty.
    removeEntry(database, database.keyspace.hash, made);
    throw error;
  }
}

/**
 * Puts where the opened string in `entry` lies into `place`; its bytes `from` to `from + count` may be
 * stored to.
 */
export function editString(
  keyspace: Keyspace,
  entry: number,
  from: number,
  count: number,
  place: StringPlace,
): void {
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  const value = words[at + ENTRY_VALUE];
  if ((words[at + ENTRY_META] & 0xff) === META_EXTERNAL) {
    place.bytes = keyspace.arena.writableBytesBehind(value, EXTERNAL_OFFSET + from, count);
    place.start = (value & SEGMENT_MASK) * UNIT_BYTES + EXTERNAL_OFFSET;
    place.length = wordsAt(keyspace.arena, value)[wordIndex(value) + EXTERNAL_LENGTH];
    return;
  }
  place.start = tailStart(keyspace, entry);
  place.bytes = keyspace.arena.writableBytesBehind(entry, place.start - at * 4 + from, count);
  place.length = value;
}

/** How long the opened string in `entry` may get where it lies. */
export function roomOfString(keyspace: Keyspace, entry: number): number {
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  if ((words[at + ENTRY_META] & 0xff) !== META_EXTERNAL) return tailCapacity(keyspace, entry);
  return keyspace.arena.unitsOf(words[at + ENTRY_VALUE]) * UNIT_BYTES - EXTERNAL_OFFSET;
}

/** Sets the length of the opened string in `entry`, which has room for it and bytes that are written. */
export function setOpenLength(keyspace: Keyspace, entry: number, length: number): void {
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  if ((words[at + ENTRY_META] & 0xff) !== META_EXTERNAL) {
    setValueWord(keyspace, entry, META_GROWN, length);
    return;
  }
  const block = words[at + ENTRY_VALUE];
  keyspace.arena.writable(block, 16)[wordIndex(block) + EXTERNAL_LENGTH] = length;
}

/** As {@linkcode setString}, for one that Redis calls `raw` whatever its length. */
export function setRawString(
  database: Database,
  old: number,
  keyView: DataView,
  keyFrom: number,
  keyBytes: number,
  bytes: Uint8Array,
  expiry: number,
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = bytes.length;
  const entry = setString(database, old, keyView, keyFrom, keyBytes, view, 0, length, expiry);
  const words = wordsAt(database.keyspace.arena, entry);
  if ((words[wordIndex(entry) + ENTRY_META] & 0xff) === META_INLINE) {
    setValueWord(database.keyspace, entry, META_GROWN, length);
  }
  return entry;
}
