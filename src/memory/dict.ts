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
 * holds (see `dict_table.ts`). All of it is in the arena, so a large hash or set of the keyspace is the
 * same thing.
 *
 * **Without room** a dict goes on: a split or a merge that finds none is left out, and takes place when
 * the next entry comes or goes.
 *
 * **Cost.** 10 to 13 bytes of index per key while it grows, up to 21 when most have been removed again. A
 * split rehashes 7 to 13 keys; a merge moves 3 with their tags and looks at none.
 *
 * @module
 */
import { assert } from "@std/assert";
import {
  type Arena,
  ArenaFullError,
  BLOCK_DICT,
  BLOCK_DIRECTORY,
  type ReadonlyView,
  type ReadonlyWords,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
} from "./arena.ts";
import {
  addBucket,
  BUCKET_UNITS,
  bucketAddress,
  bucketOf,
  BUCKETS,
  checkOwners,
  compactChain,
  COUNT,
  DICT_UNITS,
  DIRECTORY,
  DIRECTORY_PIECES,
  dropBucket,
  dropChain,
  dropOverflow,
  FIRST_CAPACITY,
  MASK,
  NEXT_WORD,
  OVERFLOWS,
  PIECE_SHIFT,
  pieceBlock,
  putInto,
  reserveSlots,
  SEED_0,
  SEED_1,
  setOwner,
  setPiece,
  setSlot,
  shrinkFirstPiece,
  SLOTS,
  SPLIT_LOAD_TWICE,
  TAG_WORD,
  tagOf,
  usedSlots,
} from "./dict_table.ts";
import { entryHasKey, hashEntry, wordIndex, wordsAt } from "./entry.ts";

export { dictGrowthAhead, dictReadAhead, readBlocks, SPLIT_ENTRIES_AHEAD } from "./dict_ahead.ts";
export {
  BUCKETS_AHEAD,
  dictRandom,
  dictRandomAhead,
  dictSample,
  SAMPLE_SPARE,
} from "./dict_random.ts";

/** Two buckets are merged when entries < buckets * 3. */
const MERGE_LOAD = 3;

/**
 * Makes an empty dict and returns its address.
 *
 * @throws {ArenaFullError} when there is no room for it.
 */
export function dictCreate(arena: Arena, seed0: number, seed1: number): number {
  const dict = arena.allocate(DICT_UNITS, BLOCK_DICT);
  let directory = 0;
  try {
    directory = arena.allocate(2, BLOCK_DIRECTORY);
    setPiece(arena, dict, directory, 0, 1);
  } catch (error) {
    if (directory !== 0) arena.free(directory);
    arena.free(dict);
    throw error;
  }
  setOwner(arena, dict, 0);
  setOwner(arena, directory, dict);
  const words = arena.writable(dict, DICT_UNITS * 8);
  const at = wordIndex(dict);
  words[at + COUNT] = 0;
  words[at + BUCKETS] = 1;
  words[at + MASK] = 1;
  words[at + DIRECTORY] = directory;
  words[at + DIRECTORY_PIECES] = 1;
  words[at + SEED_0] = seed0;
  words[at + SEED_1] = seed1;
  words[at + FIRST_CAPACITY] = 1;
  words[at + OVERFLOWS] = 0;
  return dict;
}

/** Frees the dict itself; the entries are their owner's. */
export function dictFree(arena: Arena, dict: number): void {
  const words = wordsAt(arena, dict);
  const at = wordIndex(dict);
  const buckets = words[at + BUCKETS];
  if (words[at + OVERFLOWS] > 0) {
    for (let bucket = 0; bucket < buckets; bucket++) {
      dropChain(arena, dict, bucketAddress(arena, dict, bucket));
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

/** Adds `entry`, whose key has the hash `hash` and isn't in the dict yet. */
export function dictInsert(arena: Arena, dict: number, hash: number, entry: number): void {
  putInto(arena, dict, bucketOf(arena, dict, hash), hash >>> 24, entry);
  const words = arena.writable(dict, DICT_UNITS * 8);
  const at = wordIndex(dict);
  const count = ++words[at + COUNT];
  if (count * 2 > words[at + BUCKETS] * SPLIT_LOAD_TWICE) trySplit(arena, dict);
}

/**
 * Has the dict as many buckets as `entries` entries need, before they come: buckets that are split while they are empty cost next to
 * nothing. Adds `limit` buckets at most; whether there are more to add.
 *
 * @throws {ArenaFullError} when there is no room for them; the dict is as good as before.
 */
export function dictReserve(arena: Arena, dict: number, entries: number, limit: number): boolean {
  for (let added = 0; added < limit; added++) {
    if (entries * 2 <= dictBuckets(arena, dict) * SPLIT_LOAD_TWICE) return false;
    split(arena, dict);
  }
  return true;
}

/** Takes `entry` out, whose key has the hash `hash`; whether it was there. */
export function dictRemove(arena: Arena, dict: number, hash: number, entry: number): boolean {
  const first = bucketOf(arena, dict, hash);
  const bucket = swapSlot(arena, first, hash, entry, 0);
  if (bucket === 0) return false;
  if (bucket !== first && usedSlots(arena, bucket) === 0) dropOverflow(arena, dict, bucket);
  const words = arena.writable(dict, DICT_UNITS * 8);
  const at = wordIndex(dict);
  const count = --words[at + COUNT];
  if (count < words[at + BUCKETS] * MERGE_LOAD && words[at + BUCKETS] > 1) tryMerge(arena, dict);
  return true;
}

/** Puts `replacement` in the place of `entry`; both have the hash `hash`. Whether `entry` was there. */
export function dictReplace(
  arena: Arena,
  dict: number,
  hash: number,
  entry: number,
  replacement: number,
): boolean {
  return swapSlot(arena, bucketOf(arena, dict, hash), hash, entry, replacement) !== 0;
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
 * As {@linkcode dictVisitBucket}, and forgets each entry before the call, which may free it; what is chained to the bucket is freed as
 * well, so that {@linkcode dictFree} has little to do. The dict isn't good for anything after that but for more of the same, and for that.
 * Returns how many entries there were.
 */
export function dictTakeBucket(
  arena: Arena,
  dict: number,
  bucket: number,
  visit: (entry: number) => void,
): number {
  let count = 0;
  const first = bucketAddress(arena, dict, bucket);
  for (let address = first; address !== 0;) {
    for (let slot = 0; slot < SLOTS; slot++) {
      const entry = wordsAt(arena, address)[wordIndex(address) + slot];
      if (entry === 0) continue;
      setSlot(arena, address, slot, 0, 0);
      visit(entry);
      count++;
    }
    address = wordsAt(arena, address)[wordIndex(address) + NEXT_WORD];
  }
  dropChain(arena, dict, first);
  return count;
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

/** Whether `entry` is in the dict under this hash; looks at the bucket only, so `entry` may be anything. */
export function dictHas(arena: Arena, dict: number, hash: number, entry: number): boolean {
  let bucket = bucketOf(arena, dict, hash);
  do {
    const words: ReadonlyWords = wordsAt(arena, bucket);
    const at: number = wordIndex(bucket);
    for (let slot = 0; slot < SLOTS; slot++) {
      if (words[at + slot] === entry) return true;
    }
    bucket = words[at + NEXT_WORD];
  } while (bucket !== 0);
  return false;
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
  checkOwners(arena, dict);
  assert(count === words[at + COUNT], `entries: ${count}, counted ${words[at + COUNT]}`);
  assert(overflows === words[at + OVERFLOWS], `overflow buckets: ${overflows}`);
}

/** Finds the slot that holds `entry`, stores `replacement` (0: nothing) there, and returns its bucket; or 0. */
function swapSlot(
  arena: Arena,
  bucket: number,
  hash: number,
  entry: number,
  replacement: number,
): number {
  do {
    const words: ReadonlyWords = wordsAt(arena, bucket);
    const at: number = wordIndex(bucket);
    for (let slot = 0; slot < SLOTS; slot++) {
      if (words[at + slot] === entry) {
        setSlot(arena, bucket, slot, replacement === 0 ? 0 : hash >>> 24, replacement);
        return bucket;
      }
    }
    bucket = words[at + NEXT_WORD];
  } while (bucket !== 0);
  return 0;
}

/** A split, unless there is no room for it: the entry is in, and buckets can be longer. */
function trySplit(arena: Arena, dict: number): void {
  try {
    split(arena, dict);
  } catch (error) {
    if (!(error instanceof ArenaFullError)) throw error;
  }
}

/**
 * Adds one bucket, and moves to it what belongs there from the bucket it splits. Each bucket has 12 slots, so the new one may only need
 * more than that if the old one is a chain; if there is no room then, everything goes back.
 */
function split(arena: Arena, dict: number): void {
  const number = dictBuckets(arena, dict);
  const mask = wordsAt(arena, dict)[wordIndex(dict) + MASK];
  const added = addBucket(arena, dict);
  // The bucket that holds the new one's entries: the new number without its highest bit.
  const source = bucketAddress(arena, dict, number & (mask >>> 1));
  let used = 0;
  try {
    for (let bucket = source; bucket !== 0;) {
      if (lookAhead(arena, bucket) !== 0) {
        used = splitBucket(arena, dict, bucket, added, mask, number, used);
      }
      bucket = wordsAt(arena, bucket)[wordIndex(bucket) + NEXT_WORD];
    }
  } catch (error) {
    emptyInto(arena, dict, added, source);
    dropBucket(arena, dict);
    throw error;
  }
  if (wordsAt(arena, source)[wordIndex(source) + NEXT_WORD] !== 0) {
    compactChain(arena, dict, source);
  }
}

/**
 * The headers of all entries of one bucket, joined by `or`: 0 if it has none. Reading them one after the other, with nothing else
 * between, makes the waits for memory overlap; hashing each as it comes would not.
 */
function lookAhead(arena: Arena, bucket: number): number {
  const words: ReadonlyWords = wordsAt(arena, bucket);
  const at: number = wordIndex(bucket);
  let headers = 0;
  for (let slot = 0; slot < SLOTS; slot++) {
    const entry = words[at + slot];
    if (entry !== 0) headers |= arena.words[entry >>> SEGMENT_SHIFT][(entry & SEGMENT_MASK) << 1];
  }
  return headers;
}

/**
 * Moves the entries of one bucket that belong in bucket `number` there, which is at `added` and has `used` entries, one behind the other;
 * how many it has then.
 */
function splitBucket(
  arena: Arena,
  dict: number,
  bucket: number,
  added: number,
  mask: number,
  number: number,
  used: number,
): number {
  const table = wordsAt(arena, dict);
  const seed0 = table[wordIndex(dict) + SEED_0];
  const seed1 = table[wordIndex(dict) + SEED_1];
  const words: ReadonlyWords = wordsAt(arena, bucket);
  const at: number = wordIndex(bucket);
  for (let slot = 0; slot < SLOTS; slot++) {
    const entry = words[at + slot];
    if (entry === 0) continue;
    const hash = hashEntry(arena, entry, seed0, seed1);
    if ((hash & mask) !== number) continue;
    if (used < SLOTS) setSlot(arena, added, used, hash >>> 24, entry);
    else putInto(arena, dict, added, hash >>> 24, entry);
    used++;
    setSlot(arena, bucket, slot, 0, 0);
  }
  return used;
}

/**
 * Moves all entries of the chain of `from` into the chain of `to`, which has room for them. Their tags go with them, so no entry is
 * looked at. Both buckets stay in their pieces, `from` empty: so it must be when the dict has grown to it again.
 */
function emptyInto(arena: Arena, dict: number, from: number, to: number): void {
  for (let bucket = from; bucket !== 0;) {
    const words: ReadonlyWords = wordsAt(arena, bucket);
    const at: number = wordIndex(bucket);
    for (let slot = 0; slot < SLOTS; slot++) {
      const entry = words[at + slot];
      if (entry !== 0) putInto(arena, dict, to, tagOf(arena, bucket, slot), entry);
    }
    bucket = words[at + NEXT_WORD];
  }
  dropChain(arena, dict, from);
  arena.writable(from, BUCKET_UNITS * 8).fill(0, wordIndex(from), wordIndex(from) + 16);
}

/** A merge, unless there is no room for it: the entry is out, and the table can stay as large as it is. */
function tryMerge(arena: Arena, dict: number): void {
  try {
    merge(arena, dict);
  } catch (error) {
    if (!(error instanceof ArenaFullError)) throw error;
  }
}

/** Drops the last bucket, and moves its entries to the one it was split from. */
function merge(arena: Arena, dict: number): void {
  const number = dictBuckets(arena, dict) - 1;
  let mask = wordsAt(arena, dict)[wordIndex(dict) + MASK];
  if (number === mask >>> 1) mask >>>= 1;
  const last = bucketAddress(arena, dict, number);
  const target = bucketAddress(arena, dict, number & (mask >>> 1));
  let entries = 0;
  for (let bucket = last; bucket !== 0;) {
    entries += usedSlots(arena, bucket);
    bucket = wordsAt(arena, bucket)[wordIndex(bucket) + NEXT_WORD];
  }
  reserveSlots(arena, dict, target, entries);
  emptyInto(arena, dict, last, target);
  dropBucket(arena, dict);
  shrinkFirstPiece(arena, dict);
}

/** The 32 bits of `value` in the opposite order. */
function reverseBits(value: number): number {
  value = ((value >>> 1) & 0x55555555) | ((value & 0x55555555) << 1);
  value = ((value >>> 2) & 0x33333333) | ((value & 0x33333333) << 2);
  value = ((value >>> 4) & 0x0f0f0f0f) | ((value & 0x0f0f0f0f) << 4);
  value = ((value >>> 8) & 0x00ff00ff) | ((value & 0x00ff00ff) << 8);
  return (value >>> 16) | (value << 16);
}
