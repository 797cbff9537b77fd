/**
 * Entries: blocks that a dict finds by their key. An entry is a key of the keyspace with its value;
 * fields of hashes and members of sets share its first words.
 *
 * ```text
 * word 0   block header (see arena.ts)
 * word 1   bits 0-3 type, bits 4-7 encoding, bits 8-31 access clock (LRU seconds or LFU counter)
 * word 2   bits 0-29 length of the key in bytes, bit 30 has an expiry, bit 31 isn't in database 0
 * word 3   the value's word: what it says depends on the encoding
 * [expiry] 3 words: low and high half of the unix time in ms, position in the index of volatile keys
 * [number] 1 word: number of the database
 * key      bytes, starting at a multiple of 4
 * tail     the value's bytes where they are kept in the entry
 * ```
 *
 * A key of 16 bytes with a value of 64 takes 96 bytes. The number of the database stands in the
 * entry because a snapshot walks the blocks, not the indexes; keys of database 0 don't pay for it.
 *
 * @module
 */
import {
  type Arena,
  type ReadonlyView,
  type ReadonlyWords,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
} from "./arena.ts";
import { hashBytes } from "./hash.ts";

/** Word of an entry that holds type, encoding and access clock. */
export const ENTRY_META = 1;
/** Word of an entry that holds the length of the key and the flags of the layout. */
export const ENTRY_KEY = 2;
/** Word of an entry that stands for its value. */
export const ENTRY_VALUE = 3;
/** Bytes before the key in an entry with neither expiry nor database number. */
export const ENTRY_FIXED_BYTES = 16;
/** Picks the length out of the word {@linkcode ENTRY_KEY}. */
export const KEY_LENGTH_MASK = 0x3fffffff;
/** Flag in {@linkcode ENTRY_KEY}: three words of expiry follow. */
export const HAS_EXPIRY = 0x40000000;
/** Flag in {@linkcode ENTRY_KEY}: a word with the number of the database follows. */
export const HAS_DATABASE = 0x80000000 | 0;

/** Index, within an entry, of the first word of its key, from its word {@linkcode ENTRY_KEY}. */
export function keyWord(keyField: number): number {
  return 4 + ((keyField >>> 30) & 1) * 3 + (keyField >>> 31);
}

/** The words of the segment that holds `address`. */
export function wordsAt(arena: Arena, address: number): ReadonlyWords {
  return arena.words[address >>> SEGMENT_SHIFT];
}

/** Index of the first word of the block at `address` in {@linkcode wordsAt}. */
export function wordIndex(address: number): number {
  return (address & SEGMENT_MASK) << 1;
}

/** Byte offset of the key within the segment of `entry`. */
export function keyStart(arena: Arena, entry: number): number {
  const at = wordIndex(entry);
  return (at + keyWord(wordsAt(arena, entry)[at + ENTRY_KEY])) << 2;
}

/** Length in bytes of the key of `entry`. */
export function keyLength(arena: Arena, entry: number): number {
  return wordsAt(arena, entry)[wordIndex(entry) + ENTRY_KEY] & KEY_LENGTH_MASK;
}

/** A copy of the key of `entry`. */
export function copyKey(arena: Arena, entry: number): Uint8Array {
  const offset = keyStart(arena, entry) - (wordIndex(entry) << 2);
  return arena.slice(entry, offset, keyLength(arena, entry)).slice();
}

/** Whether the key of `entry` is the `length` bytes of `view` from `start`. */
export function entryHasKey(
  arena: Arena,
  entry: number,
  view: ReadonlyView,
  start: number,
  length: number,
): boolean {
  const words = arena.words[entry >>> SEGMENT_SHIFT];
  const at = (entry & SEGMENT_MASK) << 1;
  const keyField = words[at + ENTRY_KEY];
  if ((keyField & KEY_LENGTH_MASK) !== length) return false;
  let word = at + keyWord(keyField);
  const end = start + length;
  for (; start + 4 <= end; start += 4) {
    if (words[word++] !== view.getInt32(start, true)) return false;
  }
  if (start < end) {
    const last = words[word];
    for (let shift = 0; start < end; start++, shift += 8) {
      if (((last >>> shift) & 0xff) !== view.getUint8(start)) return false;
    }
  }
  return true;
}

/** The hash of the key of `entry`. */
export function hashEntry(arena: Arena, entry: number, seed0: number, seed1: number): number {
  return hashBytes(
    arena.views[entry >>> SEGMENT_SHIFT],
    keyStart(arena, entry),
    keyLength(arena, entry),
    seed0,
    seed1,
  );
}
