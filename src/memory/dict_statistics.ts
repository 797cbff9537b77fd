/**
 * How well a dict's entries are spread over its buckets, for those who look into it.
 *
 * @module
 */
import { type Arena, UNIT_BYTES } from "./arena.ts";
import { dictBuckets, dictCount, dictVisitBucket } from "./dict.ts";
import { BUCKET_UNITS, DIRECTORY, OVERFLOWS, PIECE_SHIFT, pieceBlock } from "./dict_table.ts";
import { wordIndex, wordsAt } from "./entry.ts";

/** Longest chain that is counted by itself; longer ones are counted together. */
const LONGEST_COUNTED = 49;

/** Counts of a dict. */
export interface DictStatistics {
  /** How many buckets there are. */
  readonly buckets: number;
  /** How many entries. */
  readonly entries: number;
  /** How many buckets have so many entries, by that number; the last counts all longer ones. */
  readonly bucketsByLength: readonly number[];
  /** Most entries in a bucket. */
  readonly longest: number;
}

/** Counts the entries of each bucket. */
export function dictStatistics(arena: Arena, dict: number): DictStatistics {
  const bucketsByLength = new Array<number>(LONGEST_COUNTED + 1).fill(0);
  const buckets = dictBuckets(arena, dict);
  let longest = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    let length = 0;
    dictVisitBucket(arena, dict, bucket, () => length++);
    bucketsByLength[Math.min(length, LONGEST_COUNTED)]++;
    if (length > longest) longest = length;
  }
  return { buckets, entries: dictCount(arena, dict), bucketsByLength, longest };
}

/** Bytes that a dict takes, its entries not counted. */
export function dictBytes(arena: Arena, dict: number): number {
  const words = wordsAt(arena, dict);
  const at = wordIndex(dict);
  const overflowUnits = words[at + OVERFLOWS] * (BUCKET_UNITS + 1);
  let units = arena.unitsOf(dict) + arena.unitsOf(words[at + DIRECTORY]) + overflowUnits;
  const pieces = ((dictBuckets(arena, dict) - 1) >>> PIECE_SHIFT) + 1;
  for (let piece = 0; piece < pieces; piece++) {
    units += arena.unitsOf(pieceBlock(arena, dict, piece));
  }
  return units * UNIT_BYTES;
}
