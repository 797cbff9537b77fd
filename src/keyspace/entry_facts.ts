/**
 * What an entry says of itself: type, encoding, expiry, database, and where its value is.
 *
 * These functions only read. Whoever changes an entry goes through `keyspace.ts`.
 *
 * @module
 */
import {
  ENTRY_KEY,
  ENTRY_META,
  ENTRY_VALUE,
  HAS_DATABASE,
  HAS_EXPIRY,
  KEY_LENGTH_MASK,
  keyWord,
  wordIndex,
  wordsAt,
} from "../memory/entry.ts";
import type { Int64 } from "../protocol/integers.ts";
import type { Keyspace } from "./keyspace.ts";
import {
  ENCODING_EXTERNAL,
  ENCODING_GROWN,
  ENCODING_INLINE,
  ENCODING_INT64,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  ENCODING_ROOT,
  TYPE_STRING,
} from "./types.ts";
import { EXPIRY_HIGH, EXPIRY_LOW } from "./volatile_index.ts";

const TWO_32 = 4294967296;

/** Type of the value of `entry` (one of the `TYPE_` constants). */
export function entryType(keyspace: Keyspace, entry: number): number {
  return wordsAt(keyspace.arena, entry)[wordIndex(entry) + ENTRY_META] & 0xf;
}

/** Encoding of the value of `entry` (one of the `ENCODING_` constants). */
export function entryEncoding(keyspace: Keyspace, entry: number): number {
  return (wordsAt(keyspace.arena, entry)[wordIndex(entry) + ENTRY_META] >>> 4) & 0xf;
}

/** Whether `entry` has an expiry. */
export function hasExpiry(keyspace: Keyspace, entry: number): boolean {
  return (wordsAt(keyspace.arena, entry)[wordIndex(entry) + ENTRY_KEY] & HAS_EXPIRY) !== 0;
}

/** The expiry of `entry`, which has one, in unix ms as a double. */
export function expiryOf(keyspace: Keyspace, entry: number): number {
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  return words[at + EXPIRY_HIGH] * TWO_32 + (words[at + EXPIRY_LOW] >>> 0);
}

/** Puts the expiry of `entry`, which has one, into `out`. */
export function readExpiry(keyspace: Keyspace, entry: number, out: Int64): void {
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  out.high = words[at + EXPIRY_HIGH];
  out.low = words[at + EXPIRY_LOW];
}

/** How many bytes the tail of `entry` has room for. */
export function tailCapacity(keyspace: Keyspace, entry: number): number {
  const arena = keyspace.arena;
  const keyField = wordsAt(arena, entry)[wordIndex(entry) + ENTRY_KEY];
  return arena.unitsOf(entry) * 8 - keyWord(keyField) * 4 - (keyField & KEY_LENGTH_MASK);
}

/** How many bytes of the tail of `entry` its value uses. */
export function tailLength(keyspace: Keyspace, entry: number): number {
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  switch ((words[at + ENTRY_META] >>> 4) & 0xf) {
    case ENCODING_INLINE:
    case ENCODING_GROWN:
    case ENCODING_LISTPACK:
    case ENCODING_INTSET:
      return words[at + ENTRY_VALUE];
    case ENCODING_INT64:
      return 4;
    default:
      return 0;
  }
}

/** How many units `entry` needs: those that it has, but for room that only a string that grows has a use for. */
export function entryUnits(keyspace: Keyspace, entry: number): number {
  const units = keyspace.arena.unitsOf(entry);
  const meta = wordsAt(keyspace.arena, entry)[wordIndex(entry) + ENTRY_META] & 0xff;
  if (meta === (TYPE_STRING | (ENCODING_GROWN << 4))) return units;
  return units - ((tailCapacity(keyspace, entry) - tailLength(keyspace, entry)) >>> 3);
}

/** Byte offset, within the segment of `entry`, of the first byte behind its key. */
export function tailStart(keyspace: Keyspace, entry: number): number {
  const at = wordIndex(entry);
  const keyField = wordsAt(keyspace.arena, entry)[at + ENTRY_KEY];
  return (at + keyWord(keyField)) * 4 + (keyField & KEY_LENGTH_MASK);
}

/** The block that the value of `entry` has outside of it (a long string, or the root of a collection), or 0. */
export function valueBlock(keyspace: Keyspace, entry: number): number {
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  const encoding = (words[at + ENTRY_META] >>> 4) & 0xf;
  return encoding === ENCODING_EXTERNAL || encoding === ENCODING_ROOT ? words[at + ENTRY_VALUE] : 0;
}

/** The id of the database that `entry` is in, which stays the same when SWAPDB renumbers it. */
export function databaseId(keyspace: Keyspace, entry: number): number {
  const words = wordsAt(keyspace.arena, entry);
  const at = wordIndex(entry);
  const keyField = words[at + ENTRY_KEY];
  return (keyField & HAS_DATABASE) === 0 ? 0 : words[at + keyWord(keyField) - 1];
}
