/**
 * MurmurHash64A (Austin Appleby, public domain), as HyperLogLogs use it: what Redis, miniredis and
 * many clients hash alike, so that a HyperLogLog can go from one to another.
 *
 * It takes eight bytes a step: multiply, fold the upper bits down, multiply, mix into the hash. The
 * 64-bit products modulo 2^64 are made of 32-bit halves: the product of the low halves in full, from
 * four products of 16 bits, and the two mixed products modulo 2^32. No BigInt, no object.
 *
 * @module
 */
import type { ReadonlyView } from "./segments.ts";

const SEED = 0xadc83b19 | 0;
/** The multiplier 0xc6a4a7935bd1e995 in halves, its low half in quarters. */
const FACTOR_HIGH = 0xc6a4a793 | 0;
const FACTOR_LOW = 0x5bd1e995;
const FACTOR_LOW_UPPER = 0x5bd1;
const FACTOR_LOW_LOWER = 0xe995;
/** A 64-bit value is folded by its upper 17 bits: a shift by 47, which is one of 15 in the high half. */
const FOLD_SHIFT = 15;

/** Takes a hash of 64 bits as two halves. */
export interface HashHalves {
  /** Bits 32 to 63. */
  high: number;
  /** Bits 0 to 31. */
  low: number;
}

/** The high half of the product of the multiplier and `high` * 2^32 + `low`. */
function productHigh(high: number, low: number): number {
  const upper = low >>> 16;
  const lower = low & 0xffff;
  const first = Math.imul(upper, FACTOR_LOW_LOWER);
  const second = Math.imul(lower, FACTOR_LOW_UPPER);
  const middle = (Math.imul(lower, FACTOR_LOW_LOWER) >>> 16) + (first & 0xffff) +
    (second & 0xffff);
  const carried = Math.imul(upper, FACTOR_LOW_UPPER) + (first >>> 16) + (second >>> 16) +
    (middle >>> 16);
  return (carried + Math.imul(high, FACTOR_LOW) + Math.imul(low, FACTOR_HIGH)) | 0;
}

/** Puts the hash of the `length` bytes of `view` from `start` into `out`. */
export function murmurHash(
  view: ReadonlyView,
  start: number,
  length: number,
  out: HashHalves,
): void {
  // The seed is mixed with the length times the multiplier.
  let high = productHigh(0, length);
  let low = SEED ^ Math.imul(length, FACTOR_LOW);
  let at = start;
  for (const whole = start + (length & ~7); at < whole; at += 8) {
    let partLow = view.getInt32(at, true);
    let partHigh = productHigh(view.getInt32(at + 4, true), partLow);
    partLow = Math.imul(partLow, FACTOR_LOW) ^ (partHigh >>> FOLD_SHIFT);
    partHigh = productHigh(partHigh, partLow);
    partLow = Math.imul(partLow, FACTOR_LOW);
    high ^= partHigh;
    low ^= partLow;
    high = productHigh(high, low);
    low = Math.imul(low, FACTOR_LOW);
  }
  const rest = length & 7;
  if (rest > 0) {
    for (let index = 0; index < rest; index++) {
      const byte = view.getUint8(at + index);
      if (index < 4) low ^= byte << (index * 8);
      else high ^= byte << ((index - 4) * 8);
    }
    high = productHigh(high, low);
    low = Math.imul(low, FACTOR_LOW);
  }
  low ^= high >>> FOLD_SHIFT;
  high = productHigh(high, low);
  low = Math.imul(low, FACTOR_LOW);
  out.low = low ^ (high >>> FOLD_SHIFT);
  out.high = high;
}
