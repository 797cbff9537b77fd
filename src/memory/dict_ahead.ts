/**
 * Reading ahead in dicts: what several look-ups, or several insertions, are about to wait for is read in loops that do nothing else, so that
 * the waits overlap.
 *
 * **The loops.** The processor looks some hundred instructions ahead, and starts each read of memory that it sees there. So each step
 * (buckets, candidates, entries) is a loop of its own, as short as can be, and none has a branch that depends on memory. Measured, a
 * million keys, 16 at a time: 72 to 80 ns a key for bucket and entry together; 89 to 94 with branches in the search for a
 * tag; 115 with the last two steps in one loop; 240 to 300 one by one.
 *
 * @module
 */
import { type Arena, type ReadonlyWords, SEGMENT_MASK, SEGMENT_SHIFT } from "./arena.ts";
import {
  bucketAddress,
  BUCKETS,
  COUNT,
  DIRECTORY,
  MASK,
  PIECE_MASK,
  PIECE_SHIFT,
  SLOTS,
  SPLIT_LOAD_TWICE,
  TAG_WORD,
} from "./dict_table.ts";
import { wordIndex, wordsAt } from "./entry.ts";

/** Most splits that {@linkcode dictGrowthAhead} reads ahead for. */
const SPLITS_AHEAD = 3;
/** Most entries that they may have to look at. */
export const SPLIT_ENTRIES_AHEAD: number = SPLITS_AHEAD * SLOTS;

/**
 * Looks up `hashes` from `from` to `to` (exclusive) at once, so that the waits for memory overlap: puts into
 * `candidates` an entry whose tag fits (most likely the one that is looked for), or 0, and reads its
 * first words. `buckets` is room to work in. What is returned says nothing; using it keeps the
 * reading from being optimised away.
 */
export function dictReadAhead(
  arena: Arena,
  dict: number,
  hashes: Int32Array,
  from: number,
  to: number,
  buckets: Int32Array,
  candidates: Int32Array,
): number {
  const segments = arena.words;
  const words = wordsAt(arena, dict);
  const at = wordIndex(dict);
  const mask = words[at + MASK];
  const last = words[at + BUCKETS] - 1;
  const half = (mask + 1) >>> 1;
  const directory = words[at + DIRECTORY];
  const pieces = wordsAt(arena, directory);
  const firstPiece = wordIndex(directory) + 2;
  let sink = 0;
  for (let index = from; index < to; index++) {
    let number = hashes[index] & mask;
    // A bucket that doesn't exist yet: its lower half does.
    number -= half & ((last - number) >> 31);
    const bucket = pieces[firstPiece + ((number >>> PIECE_SHIFT) << 1)] +
      ((number & PIECE_MASK) << 3);
    buckets[index] = bucket;
    sink ^= segments[bucket >>> SEGMENT_SHIFT][(bucket & SEGMENT_MASK) << 1];
  }
  for (let index = from; index < to; index++) {
    candidates[index] = peek(segments, buckets[index], hashes[index]);
  }
  return sink ^ readBlocks(arena, candidates, from, to);
}

/** Reads the headers of those of `blocks` from `from` to `to` (exclusive). What is returned says nothing. */
export function readBlocks(arena: Arena, blocks: Int32Array, from: number, to: number): number {
  const segments = arena.words;
  let sink = 0;
  for (let index = from; index < to; index++) {
    const block = blocks[index];
    sink ^= segments[block >>> SEGMENT_SHIFT][(block & SEGMENT_MASK) << 1];
  }
  return sink;
}

/** An entry of `bucket` whose tag fits `hash`; 0 if there is none. */
function peek(segments: readonly ReadonlyWords[], bucket: number, hash: number): number {
  const words = segments[bucket >>> SEGMENT_SHIFT];
  const at = (bucket & SEGMENT_MASK) << 1;
  const pattern = Math.imul(hash >>> 24, 0x01010101);
  // A bit for each slot, and one behind them.
  const fitting = fittingTags(words[at + TAG_WORD] ^ pattern) |
    fittingTags(words[at + TAG_WORD + 1] ^ pattern) << 4 |
    fittingTags(words[at + TAG_WORD + 2] ^ pattern) << 8 | 1 << SLOTS;
  const slot = 31 - Math.clz32(fitting & -fitting);
  return words[at + slot] & ((slot - SLOTS) >> 31);
}

/** A bit for each byte of `difference` that is 0 (and, rarely, for one above it). */
function fittingTags(difference: number): number {
  const zero = (difference - 0x01010101) & ~difference & 0x80808080;
  return Math.imul(zero >>> 7, 0x10204080) >>> 28;
}

/**
 * Reads what the splits will need that adding `added` entries brings about; `entries` is room for
 * {@linkcode SPLIT_ENTRIES_AHEAD} entries. What is returned says nothing.
 */
export function dictGrowthAhead(
  arena: Arena,
  dict: number,
  added: number,
  entries: Int32Array,
): number {
  const words = wordsAt(arena, dict);
  const at = wordIndex(dict);
  const buckets = words[at + BUCKETS];
  const mask = words[at + MASK];
  const excess = (words[at + COUNT] + added) * 2 - buckets * SPLIT_LOAD_TWICE;
  if (excess <= 0) return 0;
  // The last split of a doubling is followed by one that starts from the first bucket again; that one isn't read ahead.
  const end = Math.min(
    buckets + SPLITS_AHEAD,
    buckets + Math.ceil(excess / SPLIT_LOAD_TWICE),
    mask + 1,
  );
  const half = mask >>> 1;
  let sink = 0;
  for (let number = buckets; number < end; number++) {
    const bucket = bucketAddress(arena, dict, number & half);
    sink ^= arena.words[bucket >>> SEGMENT_SHIFT][(bucket & SEGMENT_MASK) << 1];
  }
  let found = 0;
  for (let number = buckets; number < end; number++) {
    const bucket = bucketAddress(arena, dict, number & half);
    const slots = arena.words[bucket >>> SEGMENT_SHIFT];
    const first = (bucket & SEGMENT_MASK) << 1;
    for (let slot = 0; slot < SLOTS; slot++) entries[found++] = slots[first + slot];
  }
  return sink ^ readBlocks(arena, entries, 0, found);
}
