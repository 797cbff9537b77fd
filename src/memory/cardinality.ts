/**
 * From the registers of a HyperLogLog to an estimate, without tables and corrections for small and
 * large numbers: Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017),
 * algorithm 6.
 *
 * What counts is only how many registers have each value. The sum over them of 2^-value is taken
 * from the highest value down, halving at each step; registers at 0 ("not even one element came
 * here") and at the top ("more than can be told") weigh what two series say, `sigma` and `tau`,
 * which are run until a double doesn't change any more. The steps are in the order that gives the same
 * doubles as Redis, since the result is rounded and shown.
 *
 * @module
 */
import { type ByteRun, countRegisters, REGISTERS } from "./hyperloglog.ts";

/** Bits of the hash of which the rank is taken; a rank is at most one more. */
const RANK_BITS = 50;
/** Registers have 6 bits, even if a rank needs fewer. */
const VALUES = 64;
/** 1 / (2 ln 2), the constant of an estimator with many registers. */
const SCALE = 0.721347520444481703680;

/** Estimates how many elements a HyperLogLog has seen; `undefined` if it is corrupt. */
export function estimateCardinality(run: ByteRun): number | undefined {
  const counts = new Int32Array(VALUES);
  return countRegisters(run, counts) ? estimateFromCounts(counts) : undefined;
}

/** As {@linkcode estimateCardinality}, for registers of a byte each. */
export function estimateFromRegisters(registers: Uint8Array): number {
  const counts = new Int32Array(VALUES);
  // Most registers of what has seen little are 0: they are counted four at once.
  const fours = new Int32Array(registers.buffer, registers.byteOffset, registers.length / 4);
  for (let index = 0; index < fours.length; index++) {
    const four = fours[index];
    if (four === 0) {
      counts[0] += 4;
      continue;
    }
    counts[four & 255]++;
    counts[four >>> 8 & 255]++;
    counts[four >>> 16 & 255]++;
    counts[four >>> 24]++;
  }
  return estimateFromCounts(counts);
}

/** The estimate when `counts[value]` registers have each value; an integer, or infinity. */
function estimateFromCounts(counts: Int32Array): number {
  let sum = REGISTERS * tau((REGISTERS - counts[RANK_BITS + 1]) / REGISTERS);
  for (let value = RANK_BITS; value >= 1; value--) sum = (sum + counts[value]) * 0.5;
  sum += REGISTERS * sigma(counts[0] / REGISTERS);
  return Math.round(SCALE * REGISTERS * REGISTERS / sum);
}

/** The weight of registers at 0, of which the share is `share`. */
function sigma(share: number): number {
  if (share === 1) return Infinity;
  let factor = 1;
  let sum = share;
  for (;;) {
    const previous = sum;
    share *= share;
    sum += share * factor;
    factor += factor;
    if (sum === previous) return sum;
  }
}

/** The weight of registers at the top, `share` being the share of all others. */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let factor = 1;
  let sum = 1 - share;
  for (;;) {
    const previous = sum;
    share = Math.sqrt(share);
    factor *= 0.5;
    sum -= (1 - share) * (1 - share) * factor;
    if (sum === previous) return sum / 3;
  }
}
