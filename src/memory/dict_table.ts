/**
 * The table under a dict: its blocks in the arena, its buckets and their slots. What a dict is for, and when it
 * grows and shrinks, stands in `dict.ts`.
 *
 * ```text
 * dict       | header | owner | count | buckets | mask | directory | its pieces | seeds ... |
 * directory  | header | dict  | first bucket, block | first bucket, block | ...
 * piece      | header | dict  | ... up to the next cache line | bucket | bucket | ...
 * overflow   | header | bucket before it | bucket |
 * ```
 *
 * **Word 1 of each block says who points at it**: that of a directory and a piece is the dict, that of an
 * overflow the bucket before it in the chain, that of a dict whatever holds the dict (0: a database). So every one of
 * them can be moved by whoever empties a segment, see {@linkcode moveDirectory} and its siblings.
 *
 * @module
 */
import { assert } from "@std/assert";
import {
  type Arena,
  BLOCK_BUCKETS,
  BLOCK_DIRECTORY,
  BLOCK_OVERFLOW,
  type ReadonlyWords,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
} from "./arena.ts";
import { wordIndex, wordsAt } from "./entry.ts";

/** Entries that one bucket has room for. */
export const SLOTS = 12;
/** A bucket is split when entries * 2 > buckets * 13. */
export const SPLIT_LOAD_TWICE = 13;
/** Word of a bucket with the first four tags. */
export const TAG_WORD = 12;
/** Word of a bucket with the address of the next one of its chain. */
export const NEXT_WORD = 15;
const BUCKET_BYTES = 64;
/** Units of one bucket. */
export const BUCKET_UNITS = 8;
/** Bits of a bucket's number that count within its piece. */
export const PIECE_SHIFT = 8;
const PIECE_BUCKETS = 1 << PIECE_SHIFT;
/** Picks a bucket's number within its piece. */
export const PIECE_MASK = PIECE_BUCKETS - 1;

/** Word of each block of a table that says who points at it. */
const OWNER = 1;
/** Word of a dict: number of entries. */
export const COUNT = 2;
/** Word of a dict: number of buckets. */
export const BUCKETS = 3;
/** Word of a dict: 2^(L+1) - 1. */
export const MASK = 4;
/** Word of a dict: address of its directory. */
export const DIRECTORY = 5;
/** Word of a dict: how many pieces the directory has room for. */
export const DIRECTORY_PIECES = 6;
/** Word of a dict: first half of the seed of its hashes. */
export const SEED_0 = 7;
/** Word of a dict: second half of the seed. */
export const SEED_1 = 8;
/** Word of a dict: how many buckets its first piece has room for. */
export const FIRST_CAPACITY = 9;
/** Word of a dict: how many buckets there are behind others. */
export const OVERFLOWS = 10;
/** Units of a dict's own block. */
export const DICT_UNITS = 6;
const OVERFLOW_UNITS = BUCKET_UNITS + 1;

/** Address of the bucket in which an entry with this hash belongs. */
export function bucketOf(arena: Arena, dict: number, hash: number): number {
  const words = arena.words[dict >>> SEGMENT_SHIFT];
  const at = (dict & SEGMENT_MASK) << 1;
  const mask = words[at + MASK];
  let bucket = hash & mask;
  if (bucket >= words[at + BUCKETS]) bucket &= mask >>> 1;
  const directory = words[at + DIRECTORY];
  const piece = arena.words[directory >>> SEGMENT_SHIFT][
    ((directory & SEGMENT_MASK) << 1) + 2 + ((bucket >>> PIECE_SHIFT) << 1)
  ];
  return piece + ((bucket & PIECE_MASK) << 3);
}

/** Address of bucket number `bucket`. */
export function bucketAddress(arena: Arena, dict: number, bucket: number): number {
  const directory = wordsAt(arena, dict)[wordIndex(dict) + DIRECTORY];
  const piece = wordsAt(arena, directory)[
    wordIndex(directory) + 2 + ((bucket >>> PIECE_SHIFT) << 1)
  ];
  return piece + (bucket & PIECE_MASK) * BUCKET_UNITS;
}

/** Address of the block of piece number `piece`. */
export function pieceBlock(arena: Arena, dict: number, piece: number): number {
  const directory = wordsAt(arena, dict)[wordIndex(dict) + DIRECTORY];
  return wordsAt(arena, directory)[wordIndex(directory) + 3 + piece * 2];
}

/** Allocates a piece of `buckets` cleared buckets and enters it in the directory. */
export function setPiece(
  arena: Arena,
  dict: number,
  directory: number,
  piece: number,
  buckets: number,
): void {
  const block = arena.allocate(buckets * BUCKET_UNITS + BUCKET_UNITS, BLOCK_BUCKETS);
  const first = firstBucket(block);
  const words = arena.writable(first, buckets * BUCKET_BYTES);
  words.fill(0, wordIndex(first), wordIndex(first) + buckets * 16);
  enterPiece(arena, dict, directory, piece, block);
}

/** The first bucket of a piece: the start of a cache line, behind the block's own two words. */
function firstBucket(block: number): number {
  return (block + BUCKET_UNITS) & -BUCKET_UNITS;
}

/** Has `directory` and the piece in `block` know each other. */
function enterPiece(
  arena: Arena,
  dict: number,
  directory: number,
  piece: number,
  block: number,
): void {
  setOwner(arena, block, dict);
  const at = wordIndex(directory) + 2 + piece * 2;
  const entries = arena.writable(directory + 1 + piece, 8);
  entries[at] = firstBucket(block);
  entries[at + 1] = block;
}

/** What holds a dict: the root of a collection, or 0 for a database. */
export function dictOwner(arena: Arena, dict: number): number {
  return ownerOf(arena, dict);
}

/** Says in `block` who points at it. */
export function setOwner(arena: Arena, block: number, owner: number): void {
  arena.writable(block, 8)[wordIndex(block) + OWNER] = owner;
}

/** Who points at `block`. */
function ownerOf(arena: Arena, block: number): number {
  return wordsAt(arena, block)[wordIndex(block) + OWNER];
}

/** Makes room for one more bucket, counts it, and returns its address. */
export function addBucket(arena: Arena, dict: number): number {
  const at = wordIndex(dict);
  const number = wordsAt(arena, dict)[at + BUCKETS];
  if (number < PIECE_BUCKETS) {
    if (number === wordsAt(arena, dict)[at + FIRST_CAPACITY]) {
      resizeFirstPiece(arena, dict, number * 2);
    }
  } else if ((number & PIECE_MASK) === 0) {
    const piece = number >>> PIECE_SHIFT;
    if (piece === wordsAt(arena, dict)[at + DIRECTORY_PIECES]) growDirectory(arena, dict);
    setPiece(arena, dict, wordsAt(arena, dict)[at + DIRECTORY], piece, PIECE_BUCKETS);
  }
  const words = arena.writable(dict, DICT_UNITS * 8);
  words[at + BUCKETS] = number + 1;
  if (number === words[at + MASK]) words[at + MASK] = number * 2 + 1;
  return bucketAddress(arena, dict, number);
}

/** Takes the last bucket, which is empty, off the table. */
export function dropBucket(arena: Arena, dict: number): void {
  const words = arena.writable(dict, DICT_UNITS * 8);
  const at = wordIndex(dict);
  const number = --words[at + BUCKETS];
  if (number === words[at + MASK] >>> 1) words[at + MASK] >>>= 1;
  if ((number & PIECE_MASK) === 0) arena.free(pieceBlock(arena, dict, number >>> PIECE_SHIFT));
}

/** Makes the first piece smaller if it has much more room than buckets. */
export function shrinkFirstPiece(arena: Arena, dict: number): void {
  const words = wordsAt(arena, dict);
  const at = wordIndex(dict);
  const capacity = words[at + FIRST_CAPACITY];
  if (words[at + BUCKETS] * 4 <= capacity) resizeFirstPiece(arena, dict, capacity / 2);
}

/** Gives the first piece room for `capacity` buckets. */
function resizeFirstPiece(arena: Arena, dict: number, capacity: number): void {
  const words = wordsAt(arena, dict);
  const at = wordIndex(dict);
  const kept = Math.min(capacity, words[at + FIRST_CAPACITY]);
  const old = bucketAddress(arena, dict, 0);
  const oldBlock = pieceBlock(arena, dict, 0);
  setPiece(arena, dict, words[at + DIRECTORY], 0, capacity);
  moveBuckets(arena, old, bucketAddress(arena, dict, 0), kept);
  arena.writable(dict, DICT_UNITS * 8)[at + FIRST_CAPACITY] = capacity;
  arena.free(oldBlock);
}

function growDirectory(arena: Arena, dict: number): void {
  const pieces = wordsAt(arena, dict)[wordIndex(dict) + DIRECTORY_PIECES];
  const old = wordsAt(arena, dict)[wordIndex(dict) + DIRECTORY];
  const directory = arena.allocate(pieces * 2 + 1, BLOCK_DIRECTORY);
  const target = arena.writable(directory, pieces * 16 + 8);
  const source = wordsAt(arena, old);
  for (let word = OWNER; word < pieces * 2 + 2; word++) {
    target[wordIndex(directory) + word] = source[wordIndex(old) + word];
  }
  const words = arena.writable(dict, DICT_UNITS * 8);
  words[wordIndex(dict) + DIRECTORY] = directory;
  words[wordIndex(dict) + DIRECTORY_PIECES] = pieces * 2;
  arena.free(old);
}

/** Copies `count` buckets; the chains behind them follow. */
function moveBuckets(arena: Arena, from: number, to: number, count: number): void {
  const source = wordsAt(arena, from);
  const target = arena.writable(to, count * BUCKET_BYTES);
  const sourceAt = wordIndex(from);
  const targetAt = wordIndex(to);
  for (let word = 0; word < count * 16; word++) target[targetAt + word] = source[sourceAt + word];
  for (let bucket = 0; bucket < count; bucket++) {
    const next = target[targetAt + bucket * 16 + NEXT_WORD];
    if (next !== 0) setOwner(arena, next - 1, to + bucket * BUCKET_UNITS);
  }
}

/** Stores an entry (0: none) with its tag in a slot. */
export function setSlot(
  arena: Arena,
  bucket: number,
  slot: number,
  tag: number,
  entry: number,
): void {
  const words = arena.writable(bucket, BUCKET_BYTES);
  const at = wordIndex(bucket);
  words[at + slot] = entry;
  const tagWord = at + TAG_WORD + (slot >>> 2);
  const shift = (slot & 3) << 3;
  words[tagWord] = (words[tagWord] & ~(0xff << shift)) | (tag << shift);
}

/** The tag in a slot. */
export function tagOf(arena: Arena, bucket: number, slot: number): number {
  const word = wordsAt(arena, bucket)[wordIndex(bucket) + TAG_WORD + (slot >>> 2)];
  return (word >>> ((slot & 3) << 3)) & 0xff;
}

/** Puts an entry into the first empty slot of a bucket, or into one more bucket behind it. */
export function putInto(
  arena: Arena,
  dict: number,
  bucket: number,
  tag: number,
  entry: number,
): void {
  for (;;) {
    const words = wordsAt(arena, bucket);
    const at = wordIndex(bucket);
    for (let slot = 0; slot < SLOTS; slot++) {
      if (words[at + slot] === 0) {
        setSlot(arena, bucket, slot, tag, entry);
        return;
      }
    }
    const next = words[at + NEXT_WORD];
    if (next === 0) break;
    bucket = next;
  }
  setSlot(arena, addOverflow(arena, dict, bucket), 0, tag, entry);
}

/** Hangs one more bucket behind `bucket`, the last of its chain. */
function addOverflow(arena: Arena, dict: number, bucket: number): number {
  const block = arena.allocate(OVERFLOW_UNITS, BLOCK_OVERFLOW);
  const added = block + 1;
  const words = arena.writable(added, BUCKET_BYTES);
  words.fill(0, wordIndex(added), wordIndex(added) + 16);
  setOwner(arena, block, bucket);
  arena.writable(bucket, BUCKET_BYTES)[wordIndex(bucket) + NEXT_WORD] = added;
  arena.writable(dict, DICT_UNITS * 8)[wordIndex(dict) + OVERFLOWS]++;
  return added;
}

/** Takes the bucket `overflow` out of its chain and frees it. */
export function dropOverflow(arena: Arena, dict: number, overflow: number): void {
  const before = ownerOf(arena, overflow - 1);
  const next = wordsAt(arena, overflow)[wordIndex(overflow) + NEXT_WORD];
  arena.writable(before, BUCKET_BYTES)[wordIndex(before) + NEXT_WORD] = next;
  if (next !== 0) setOwner(arena, next - 1, before);
  arena.writable(dict, DICT_UNITS * 8)[wordIndex(dict) + OVERFLOWS]--;
  arena.free(overflow - 1);
}

/** Frees the buckets behind `bucket`. */
export function dropChain(arena: Arena, dict: number, bucket: number): void {
  for (;;) {
    const next = wordsAt(arena, bucket)[wordIndex(bucket) + NEXT_WORD];
    if (next === 0) return;
    dropOverflow(arena, dict, next);
  }
}

/** Has the chain of `bucket` at least `wanted` empty slots, or throws and leaves it as good as it was. */
export function reserveSlots(arena: Arena, dict: number, bucket: number, wanted: number): void {
  for (let empty = 0;;) {
    empty += SLOTS - usedSlots(arena, bucket);
    if (empty >= wanted) return;
    const next = wordsAt(arena, bucket)[wordIndex(bucket) + NEXT_WORD];
    bucket = next !== 0 ? next : addOverflow(arena, dict, bucket);
  }
}

/** How many slots of one bucket are in use. */
export function usedSlots(arena: Arena, bucket: number): number {
  const words = wordsAt(arena, bucket);
  const at = wordIndex(bucket);
  let used = 0;
  for (let slot = 0; slot < SLOTS; slot++) if (words[at + slot] !== 0) used++;
  return used;
}

/** Moves the entries of a chain together, and frees the buckets that are empty then. */
export function compactChain(arena: Arena, dict: number, bucket: number): void {
  let last = bucket;
  for (;;) {
    const next = wordsAt(arena, last)[wordIndex(last) + NEXT_WORD];
    if (next === 0) break;
    last = next;
  }
  let room = bucket;
  while (last !== room) {
    const free = emptySlot(arena, room);
    if (free < 0) {
      room = wordsAt(arena, room)[wordIndex(room) + NEXT_WORD];
      continue;
    }
    const words = wordsAt(arena, last);
    let slot = SLOTS - 1;
    while (slot >= 0 && words[wordIndex(last) + slot] === 0) slot--;
    if (slot < 0) {
      const before = ownerOf(arena, last - 1);
      dropOverflow(arena, dict, last);
      last = before;
      continue;
    }
    setSlot(arena, room, free, tagOf(arena, last, slot), words[wordIndex(last) + slot]);
    setSlot(arena, last, slot, 0, 0);
  }
  if (last !== bucket && usedSlots(arena, last) === 0) dropOverflow(arena, dict, last);
}

/** An empty slot of one bucket, or -1. */
function emptySlot(arena: Arena, bucket: number): number {
  const words = wordsAt(arena, bucket);
  const at = wordIndex(bucket);
  for (let slot = 0; slot < SLOTS; slot++) if (words[at + slot] === 0) return slot;
  return -1;
}

/** Gives the directory at `from` another place. */
export function moveDirectory(arena: Arena, from: number): void {
  const dict = ownerOf(arena, from);
  const pieces = wordsAt(arena, dict)[wordIndex(dict) + DIRECTORY_PIECES];
  const to = arena.duplicate(from, pieces + 1);
  arena.writable(dict, DICT_UNITS * 8)[wordIndex(dict) + DIRECTORY] = to;
  arena.free(from);
}

/** Gives the piece in the block `from` another place. */
export function movePiece(arena: Arena, from: number): void {
  const dict = ownerOf(arena, from);
  const directory = wordsAt(arena, dict)[wordIndex(dict) + DIRECTORY];
  const pieces = wordsAt(arena, directory);
  let piece = 0;
  while (pieces[wordIndex(directory) + 3 + piece * 2] !== from) piece++;
  const buckets = piece > 0
    ? PIECE_BUCKETS
    : wordsAt(arena, dict)[wordIndex(dict) + FIRST_CAPACITY];
  const to = arena.allocate(buckets * BUCKET_UNITS + BUCKET_UNITS, BLOCK_BUCKETS);
  moveBuckets(arena, firstBucket(from), firstBucket(to), buckets);
  enterPiece(arena, dict, directory, piece, to);
  arena.free(from);
}

/** Gives the bucket behind another, in the block `from`, another place. */
export function moveOverflow(arena: Arena, from: number): void {
  const before = ownerOf(arena, from);
  const to = arena.duplicate(from, OVERFLOW_UNITS);
  arena.writable(before, BUCKET_BYTES)[wordIndex(before) + NEXT_WORD] = to + 1;
  const next = wordsAt(arena, to + 1)[wordIndex(to + 1) + NEXT_WORD];
  if (next !== 0) setOwner(arena, next - 1, to + 1);
  arena.free(from);
}

/** Gives the dict in the block `from` another place, and returns it; who holds the dict is the caller's to tell. */
export function moveDict(arena: Arena, from: number): number {
  const to = arena.duplicate(from, DICT_UNITS);
  const words = wordsAt(arena, to);
  const at = wordIndex(to);
  setOwner(arena, words[at + DIRECTORY], to);
  const pieces = ((words[at + BUCKETS] - 1) >>> PIECE_SHIFT) + 1;
  for (let piece = 0; piece < pieces; piece++) setOwner(arena, pieceBlock(arena, to, piece), to);
  arena.free(from);
  return to;
}

/**
 * Checks that every block of the table knows who points at it.
 *
 * @throws {AssertionError} at the first that doesn't.
 */
export function checkOwners(arena: Arena, dict: number): void {
  const words = wordsAt(arena, dict);
  const at = wordIndex(dict);
  assert(ownerOf(arena, words[at + DIRECTORY]) === dict, "the directory knows its dict");
  const pieces = ((words[at + BUCKETS] - 1) >>> PIECE_SHIFT) + 1;
  for (let piece = 0; piece < pieces; piece++) {
    assert(
      ownerOf(arena, pieceBlock(arena, dict, piece)) === dict,
      `piece ${piece} knows its dict`,
    );
  }
  for (let bucket = 0; bucket < words[at + BUCKETS]; bucket++) {
    let address = bucketAddress(arena, dict, bucket);
    for (;;) {
      const chain: ReadonlyWords = wordsAt(arena, address);
      const next: number = chain[wordIndex(address) + NEXT_WORD];
      if (next === 0) break;
      assert(ownerOf(arena, next - 1) === address, `overflow of ${bucket} knows its bucket`);
      address = next;
    }
  }
}
