/**
 * The dict: from a key to the address of its entry, in the arena, by linear hashing.
 *
 * **Why linear hashing.** A table that doubles has to move everything, at once or in the
 * background, and holds two tables meanwhile. Here the table grows by one bucket at a time: each
 * time the load passes 6.5 entries a bucket, the next bucket in order is split in two. No operation
 * does more than one split, so no pause grows with the number of keys, and shrinking is the same
 * backwards. (Litwin, "Linear hashing: a new tool for file and table addressing", 1980.)
 *
 * **Buckets.** One bucket is one cache line, so that a look-up costs one miss here and one at the
 * entry:
 *
 * ```text
 * words 0-11    addresses of up to 12 entries, 0 where there is none
 * words 12-14   12 tags: the top byte of each entry's hash, compared four at a time
 * word  15      address of a block with another such bucket (one unit in), when 12 don't suffice
 * ```
 *
 * **Order.** With `n` buckets and `2^L <= n < 2^(L+1)`, an entry lives in bucket `hash mod 2^(L+1)`, or, if
 * that one doesn't exist yet, in `hash mod 2^L`. So the table is at any time a mix of the tables of
 * sizes `2^L` and `2^(L+1)`, and {@linkcode dictScan} walks it as one walks a table that may
 * have doubled or halved between two calls: the cursor counts up with its bits reversed, so that a
 * bucket's later halves are always its neighbours in the walk. What is there from start to end is seen at
 * least once.
 *
 * **Where it lives.** The dict is one block; buckets lie in pieces of up to 256, whose addresses a directory
 * holds. All of it is in the arena, so a large hash or set of the keyspace is the same thing.
 *
 * **Cost.** 10 to 13 bytes of index per key. A split rehashes 7 to 13 keys.
 *
 * @module
 */
import { assert } from "@std/assert";
import {
  type Arena,
  ArenaFullError,
  BLOCK_INDEX,
  type ReadonlyView,
  type ReadonlyWords,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
} from "./arena.ts";
import { entryHasKey, hashEntry, wordIndex, wordsAt } from "./entry.ts";

const SLOTS = 12;
const TAG_WORD = 12;
const NEXT_WORD = 15;
const BUCKET_BYTES = 64;
const BUCKET_UNITS = 8;
const PIECE_SHIFT = 8;
const PIECE_BUCKETS = 1 << PIECE_SHIFT;
const PIECE_MASK = PIECE_BUCKETS - 1;
/** A bucket is split when entries * 2 > buckets * 13. */
const SPLIT_LOAD_TWICE = 13;
/** Two buckets are merged when entries < buckets * 2. */
const MERGE_LOAD = 2;

const COUNT = 1;
const BUCKETS = 2;
/** 2^(L+1) - 1. */
const MASK = 3;
const DIRECTORY = 4;
const DIRECTORY_PIECES = 5;
const SEED_0 = 6;
const SEED_1 = 7;
const FIRST_CAPACITY = 8;
const OVERFLOWS = 9;
const DICT_UNITS = 5;

/** Makes an empty dict and returns its address. */
export function dictCreate(arena: Arena, seed0: number, seed1: number): number {
  const dict = arena.allocate(DICT_UNITS, BLOCK_INDEX);
  const at = wordIndex(dict);
  const words = arena.writable(dict, DICT_UNITS * 8);
  words[at + COUNT] = 0;
  words[at + BUCKETS] = 1;
  words[at + MASK] = 1;
  words[at + DIRECTORY] = arena.allocate(2, BLOCK_INDEX);
  words[at + DIRECTORY_PIECES] = 1;
  words[at + SEED_0] = seed0;
  words[at + SEED_1] = seed1;
  words[at + FIRST_CAPACITY] = 1;
  words[at + OVERFLOWS] = 0;
  setPiece(arena, words[at + DIRECTORY], 0, 1);
  return dict;
}

/** Frees the dict itself; the entries are their owner's. */
export function dictFree(arena: Arena, dict: number): void {
  const words = wordsAt(arena, dict);
  const at = wordIndex(dict);
  const buckets = words[at + BUCKETS];
  if (words[at + OVERFLOWS] > 0) {
    for (let bucket = 0; bucket < buckets; bucket++) {
      freeOverflows(arena, dict, bucketAddress(arena, dict, bucket));
    }
  }
  const pieces = ((buckets - 1) >>> PIECE_SHIFT) + 1;
  for (let piece = 0; piece < pieces; piece++) arena.free(pieceBlock(arena, dict, piece));
  arena.free(words[at + DIRECTORY]);
  arena.free(dict);
}

/** Number of entries. */
export function dictCount(arena: Arena, dict: number): number {
  return wordsAt(arena, dict)[wordIndex(dict) + COUNT];
}

/** Number of buckets, those beyond the first 12 entries of a bucket not counted. */
export function dictBuckets(arena: Arena, dict: number): number {
  return wordsAt(arena, dict)[wordIndex(dict) + BUCKETS];
}

/**
 * The entry whose key is the `length` bytes of `view` from `start`, and whose hash is `hash`; 0 if
 * there is none.
 */
export function dictFind(
  arena: Arena,
  dict: number,
  hash: number,
  view: ReadonlyView,
  start: number,
  length: number,
): number {
  let bucket = bucketOf(arena, dict, hash);
  const pattern = Math.imul(hash >>> 24, 0x01010101);
  do {
    const words: ReadonlyWords = arena.words[bucket >>> SEGMENT_SHIFT];
    const at: number = (bucket & SEGMENT_MASK) << 1;
    for (let group = 0; group < 3; group++) {
      const difference = words[at + TAG_WORD + group] ^ pattern;
      // A byte of `zero` has its top bit set where the tag is equal (and, rarely, one above it).
      let zero = (difference - 0x01010101) & ~difference & 0x80808080;
      while (zero !== 0) {
        const slot = (group << 2) + ((31 - Math.clz32(zero & -zero)) >>> 3);
        const entry = words[at + slot];
        if (entry !== 0 && entryHasKey(arena, entry, view, start, length)) return entry;
        zero &= zero - 1;
      }
    }
    bucket = words[at + NEXT_WORD];
  } while (bucket !== 0);
  return 0;
}

/**
 * Looks up the first `count` of `hashes` at once, so that the waits for memory overlap: puts into
 * `candidates` an entry whose tag fits (most likely the one that is looked for), or 0, and reads its
 * first words. `buckets` is room to work in. What is returned says nothing; using it keeps the
 * reading from being optimised away.
 */
export function dictReadAhead(
  arena: Arena,
  dict: number,
  hashes: Int32Array,
  count: number,
  buckets: Int32Array,
  candidates: Int32Array,
): number {
  const segments = arena.words;
  const words = wordsAt(arena, dict);
  const at = wordIndex(dict);
  const mask = words[at + MASK];
  const existing = words[at + BUCKETS];
  const directory = words[at + DIRECTORY];
  const pieces = wordsAt(arena, directory);
  const firstPiece = wordIndex(directory) + 2;
  let sink = 0;
  for (let index = 0; index < count; index++) {
    let number = hashes[index] & mask;
    if (number >= existing) number &= mask >>> 1;
    const bucket = pieces[firstPiece + ((number >>> PIECE_SHIFT) << 1)] +
      ((number & PIECE_MASK) << 3);
    buckets[index] = bucket;
    sink ^= segments[bucket >>> SEGMENT_SHIFT][(bucket & SEGMENT_MASK) << 1];
  }
  for (let index = 0; index < count; index++) {
    const candidate = peek(arena, buckets[index], hashes[index]);
    candidates[index] = candidate;
    sink ^= segments[candidate >>> SEGMENT_SHIFT][((candidate & SEGMENT_MASK) << 1) + 1];
  }
  return sink;
}

/** An entry of `bucket` whose tag fits `hash`; 0 if there is none. */
function peek(arena: Arena, bucket: number, hash: number): number {
  const words = arena.words[bucket >>> SEGMENT_SHIFT];
  const at = (bucket & SEGMENT_MASK) << 1;
  const pattern = Math.imul(hash >>> 24, 0x01010101);
  for (let group = 0; group < 3; group++) {
    const difference = words[at + TAG_WORD + group] ^ pattern;
    const zero = (difference - 0x01010101) & ~difference & 0x80808080;
    if (zero !== 0) return words[at + (group << 2) + ((31 - Math.clz32(zero & -zero)) >>> 3)];
  }
  return 0;
}

/** Adds `entry`, whose key has the hash `hash` and isn't in the dict yet. */
export function dictInsert(arena: Arena, dict: number, hash: number, entry: number): void {
  putInto(arena, dict, bucketOf(arena, dict, hash), hash >>> 24, entry);
  const words = arena.writable(dict, DICT_UNITS * 8);
  const at = wordIndex(dict);
  const count = ++words[at + COUNT];
  if (count * 2 > words[at + BUCKETS] * SPLIT_LOAD_TWICE) trySplit(arena, dict);
}

/** Takes `entry` out, whose key has the hash `hash`; whether it was there. */
export function dictRemove(arena: Arena, dict: number, hash: number, entry: number): boolean {
  if (!swapSlot(arena, bucketOf(arena, dict, hash), hash, entry, 0)) return false;
  const words = arena.writable(dict, DICT_UNITS * 8);
  const at = wordIndex(dict);
  const count = --words[at + COUNT];
  if (count < words[at + BUCKETS] * MERGE_LOAD && words[at + BUCKETS] > 1) merge(arena, dict);
  return true;
}

/** Puts `replacement` in the place of `entry`; both have the hash `hash`. */
export function dictReplace(
  arena: Arena,
  dict: number,
  hash: number,
  entry: number,
  replacement: number,
): void {
  const found = swapSlot(arena, bucketOf(arena, dict, hash), hash, entry, replacement);
  assert(found, "an entry that is replaced is in the dict");
}

/** The hash of the key of `entry` under this dict's seed. */
export function dictHashEntry(arena: Arena, dict: number, entry: number): number {
  const words = wordsAt(arena, dict);
  const at = wordIndex(dict);
  return hashEntry(arena, entry, words[at + SEED_0], words[at + SEED_1]);
}

/** Calls `visit` for each entry in bucket number `bucket`; the dict must not change meanwhile. */
export function dictVisitBucket(
  arena: Arena,
  dict: number,
  bucket: number,
  visit: (entry: number) => void,
): void {
  let address = bucketAddress(arena, dict, bucket);
  do {
    const words: ReadonlyWords = wordsAt(arena, address);
    const at: number = wordIndex(address);
    for (let slot = 0; slot < SLOTS; slot++) {
      const entry = words[at + slot];
      if (entry !== 0) visit(entry);
    }
    address = words[at + NEXT_WORD];
  } while (address !== 0);
}

/**
 * One step of a walk that starts and ends with cursor 0: calls `visit` for the entries of one or two
 * buckets and returns the next cursor (unsigned, 32 bits). Between two steps the dict may change.
 */
export function dictScan(
  arena: Arena,
  dict: number,
  cursor: number,
  visit: (entry: number) => void,
): number {
  const words = wordsAt(arena, dict);
  const at = wordIndex(dict);
  const smallMask = words[at + MASK] >>> 1;
  const bucket = cursor & smallMask;
  dictVisitBucket(arena, dict, bucket, visit);
  const twin = bucket + smallMask + 1;
  if (twin < words[at + BUCKETS]) dictVisitBucket(arena, dict, twin, visit);
  return reverseBits((reverseBits(cursor | ~smallMask) + 1) | 0) >>> 0;
}

/** An entry at random (each bucket is as likely as the next), from a dict that isn't empty. */
export function dictRandom(arena: Arena, dict: number, random: () => number): number {
  const buckets = dictBuckets(arena, dict);
  const found: number[] = [];
  while (found.length === 0) {
    dictVisitBucket(arena, dict, Math.floor(random() * buckets), (entry) => found.push(entry));
  }
  return found[Math.floor(random() * found.length)];
}

/**
 * Checks that each entry is where its hash says, and all counts.
 *
 * @throws {AssertionError} at the first thing that doesn't agree.
 */
export function dictCheck(arena: Arena, dict: number): void {
  const words = wordsAt(arena, dict);
  const at = wordIndex(dict);
  const buckets = words[at + BUCKETS];
  const mask = words[at + MASK];
  assert(buckets >= (mask + 1) / 2 && buckets <= mask, `${buckets} buckets under mask ${mask}`);
  let count = 0;
  let overflows = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    let address = bucketAddress(arena, dict, bucket);
    assert(address % BUCKET_UNITS === 0, "buckets start at a cache line");
    dictVisitBucket(arena, dict, bucket, (entry) => {
      const hash = dictHashEntry(arena, dict, entry);
      assert(bucketOf(arena, dict, hash) === address, `entry ${entry} is in its bucket`);
      count++;
    });
    for (let next = wordsAt(arena, address)[wordIndex(address) + NEXT_WORD]; next !== 0;) {
      address = next;
      next = wordsAt(arena, address)[wordIndex(address) + NEXT_WORD];
      overflows++;
    }
  }
  assert(count === words[at + COUNT], `entries: ${count}, counted ${words[at + COUNT]}`);
  assert(overflows === words[at + OVERFLOWS], `overflow buckets: ${overflows}`);
}

/** Address of the bucket in which an entry with this hash belongs. */
function bucketOf(arena: Arena, dict: number, hash: number): number {
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
function bucketAddress(arena: Arena, dict: number, bucket: number): number {
  const directory = wordsAt(arena, dict)[wordIndex(dict) + DIRECTORY];
  const piece = wordsAt(arena, directory)[
    wordIndex(directory) + 2 + ((bucket >>> PIECE_SHIFT) << 1)
  ];
  return piece + (bucket & PIECE_MASK) * BUCKET_UNITS;
}

function pieceBlock(arena: Arena, dict: number, piece: number): number {
  const directory = wordsAt(arena, dict)[wordIndex(dict) + DIRECTORY];
  return wordsAt(arena, directory)[wordIndex(directory) + 3 + piece * 2];
}

/** Allocates a piece of `buckets` cleared buckets and enters it in the directory. */
function setPiece(arena: Arena, directory: number, piece: number, buckets: number): number {
  const block = arena.allocate(buckets * BUCKET_UNITS + BUCKET_UNITS, BLOCK_INDEX);
  const first = (block + BUCKET_UNITS) & -BUCKET_UNITS;
  const words = arena.writable(first, buckets * BUCKET_BYTES);
  words.fill(0, wordIndex(first), wordIndex(first) + buckets * 16);
  const at = wordIndex(directory) + 2 + piece * 2;
  const entries = arena.writable(directory + 1 + piece, 8);
  entries[at] = first;
  entries[at + 1] = block;
  return first;
}

/** Puts an entry into the first empty slot of a bucket, or into one more bucket behind it. */
function putInto(arena: Arena, dict: number, bucket: number, tag: number, entry: number): void {
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
  const block = arena.allocate(BUCKET_UNITS + 1, BLOCK_INDEX);
  const added = block + 1;
  const words = arena.writable(added, BUCKET_BYTES);
  words.fill(0, wordIndex(added), wordIndex(added) + 16);
  arena.writable(bucket, BUCKET_BYTES)[wordIndex(bucket) + NEXT_WORD] = added;
  arena.writable(dict, DICT_UNITS * 8)[wordIndex(dict) + OVERFLOWS]++;
  setSlot(arena, added, 0, tag, entry);
}

function setSlot(arena: Arena, bucket: number, slot: number, tag: number, entry: number): void {
  const words = arena.writable(bucket, BUCKET_BYTES);
  const at = wordIndex(bucket);
  words[at + slot] = entry;
  const tagWord = at + TAG_WORD + (slot >>> 2);
  const shift = (slot & 3) << 3;
  words[tagWord] = (words[tagWord] & ~(0xff << shift)) | (tag << shift);
}

/** Finds the slot that holds `entry` and stores `replacement` (0: nothing) there. */
function swapSlot(
  arena: Arena,
  bucket: number,
  hash: number,
  entry: number,
  replacement: number,
): boolean {
  do {
    const words: ReadonlyWords = wordsAt(arena, bucket);
    const at: number = wordIndex(bucket);
    for (let slot = 0; slot < SLOTS; slot++) {
      if (words[at + slot] === entry) {
        setSlot(arena, bucket, slot, replacement === 0 ? 0 : hash >>> 24, replacement);
        return true;
      }
    }
    bucket = words[at + NEXT_WORD];
  } while (bucket !== 0);
  return false;
}

/** A split, unless there is no room for it: the entry is in, and buckets can be longer. */
function trySplit(arena: Arena, dict: number): void {
  try {
    split(arena, dict);
  } catch (error) {
    if (!(error instanceof ArenaFullError)) throw error;
  }
}

/** Adds one bucket, and moves to it what belongs there from the bucket it splits. */
function split(arena: Arena, dict: number): void {
  const mask = wordsAt(arena, dict)[wordIndex(dict) + MASK];
  const number = dictBuckets(arena, dict);
  const added = addBucket(arena, dict);
  // The bucket that holds the new one's entries: the new number without its highest bit.
  const source = bucketAddress(arena, dict, number & (mask >>> 1));
  const sourceWords = wordsAt(arena, source);
  const sourceAt = wordIndex(source);
  const chain = sourceWords[sourceAt + NEXT_WORD];
  for (let slot = 0; slot < SLOTS; slot++) {
    const entry = sourceWords[sourceAt + slot];
    if (entry === 0) continue;
    const hash = dictHashEntry(arena, dict, entry);
    if ((hash & mask) !== number) continue;
    setSlot(arena, source, slot, 0, 0);
    putInto(arena, dict, added, hash >>> 24, entry);
  }
  if (chain === 0) return;
  const moved = takeChain(arena, dict, source);
  for (const entry of moved) {
    const hash = dictHashEntry(arena, dict, entry);
    putInto(arena, dict, (hash & mask) === number ? added : source, hash >>> 24, entry);
  }
}

/** Drops the last bucket, and moves its entries to the one it was split from. */
function merge(arena: Arena, dict: number): void {
  const number = dictBuckets(arena, dict) - 1;
  const last = bucketAddress(arena, dict, number);
  const moved = takeChain(arena, dict, last);
  const lastWords = arena.writable(last, BUCKET_BYTES);
  const lastAt = wordIndex(last);
  for (let slot = 0; slot < SLOTS; slot++) {
    if (lastWords[lastAt + slot] !== 0) moved.push(lastWords[lastAt + slot]);
  }
  // The bucket stays in its piece, and must be empty when the dict has grown to it again.
  lastWords.fill(0, lastAt, lastAt + TAG_WORD);
  const words = arena.writable(dict, DICT_UNITS * 8);
  const at = wordIndex(dict);
  words[at + BUCKETS] = number;
  if (number === words[at + MASK] >>> 1) words[at + MASK] >>>= 1;
  if ((number & PIECE_MASK) === 0) {
    arena.free(pieceBlock(arena, dict, number >>> PIECE_SHIFT));
  }
  for (const entry of moved) {
    const hash = dictHashEntry(arena, dict, entry);
    putInto(arena, dict, bucketOf(arena, dict, hash), hash >>> 24, entry);
  }
}

/** Makes room for one more bucket, counts it, and returns its address. */
function addBucket(arena: Arena, dict: number): number {
  const at = wordIndex(dict);
  const number = dictBuckets(arena, dict);
  if (number < PIECE_BUCKETS) {
    if (number === wordsAt(arena, dict)[at + FIRST_CAPACITY]) growFirstPiece(arena, dict);
  } else if ((number & PIECE_MASK) === 0) {
    const piece = number >>> PIECE_SHIFT;
    if (piece === wordsAt(arena, dict)[at + DIRECTORY_PIECES]) growDirectory(arena, dict);
    setPiece(arena, wordsAt(arena, dict)[at + DIRECTORY], piece, PIECE_BUCKETS);
  }
  const words = arena.writable(dict, DICT_UNITS * 8);
  words[at + BUCKETS] = number + 1;
  if (number === words[at + MASK]) words[at + MASK] = number * 2 + 1;
  return bucketAddress(arena, dict, number);
}

function growFirstPiece(arena: Arena, dict: number): void {
  const words = arena.writable(dict, DICT_UNITS * 8);
  const at = wordIndex(dict);
  const capacity = words[at + FIRST_CAPACITY];
  const old = bucketAddress(arena, dict, 0);
  const oldBlock = pieceBlock(arena, dict, 0);
  const first = setPiece(arena, words[at + DIRECTORY], 0, capacity * 2);
  const target = arena.writable(first, capacity * BUCKET_BYTES);
  const source = wordsAt(arena, old);
  const from = wordIndex(old);
  const to = wordIndex(first);
  for (let word = 0; word < capacity * 16; word++) target[to + word] = source[from + word];
  words[at + FIRST_CAPACITY] = capacity * 2;
  arena.free(oldBlock);
}

function growDirectory(arena: Arena, dict: number): void {
  const words = arena.writable(dict, DICT_UNITS * 8);
  const at = wordIndex(dict);
  const pieces = words[at + DIRECTORY_PIECES];
  const old = words[at + DIRECTORY];
  const directory = arena.allocate(pieces * 2 + 1, BLOCK_INDEX);
  const target = arena.writable(directory, pieces * 16 + 8);
  const source = wordsAt(arena, old);
  for (let word = 2; word < pieces * 2 + 2; word++) {
    target[wordIndex(directory) + word] = source[wordIndex(old) + word];
  }
  words[at + DIRECTORY] = directory;
  words[at + DIRECTORY_PIECES] = pieces * 2;
  arena.free(old);
}

/** Frees the buckets behind `bucket` and returns the entries that were in them. */
function takeChain(arena: Arena, dict: number, bucket: number): number[] {
  const entries: number[] = [];
  let next = wordsAt(arena, bucket)[wordIndex(bucket) + NEXT_WORD];
  while (next !== 0) {
    const words: ReadonlyWords = wordsAt(arena, next);
    const at: number = wordIndex(next);
    for (let slot = 0; slot < SLOTS; slot++) {
      if (words[at + slot] !== 0) entries.push(words[at + slot]);
    }
    next = words[at + NEXT_WORD];
  }
  freeOverflows(arena, dict, bucket);
  return entries;
}

function freeOverflows(arena: Arena, dict: number, bucket: number): void {
  let next = wordsAt(arena, bucket)[wordIndex(bucket) + NEXT_WORD];
  if (next === 0) return;
  arena.writable(bucket, BUCKET_BYTES)[wordIndex(bucket) + NEXT_WORD] = 0;
  while (next !== 0) {
    const following = wordsAt(arena, next)[wordIndex(next) + NEXT_WORD];
    arena.free(next - 1);
    arena.writable(dict, DICT_UNITS * 8)[wordIndex(dict) + OVERFLOWS]--;
    next = following;
  }
}

/** The 32 bits of `value` in the opposite order. */
function reverseBits(value: number): number {
  value = ((value >>> 1) & 0x55555555) | ((value & 0x55555555) << 1);
  value = ((value >>> 2) & 0x33333333) | ((value & 0x33333333) << 2);
  value = ((value >>> 4) & 0x0f0f0f0f) | ((value & 0x0f0f0f0f) << 4);
  value = ((value >>> 8) & 0x00ff00ff) | ((value & 0x00ff00ff) << 8);
  return (value >>> 16) | (value << 16);
}
