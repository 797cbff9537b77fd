/**
 * Draws from seeded randomness.
 *
 * @module
 */
import { seededRandom } from "../support/random.ts";

const PATTERN_BYTES = 251;

/** Draws of several kinds; the same seed and index give the same draws. */
export class RandomSource {
  private readonly next: () => number;

  /** Makes the source of number `index` of a run. */
  constructor(seed: number, index: number) {
    this.next = seededRandom(seed ^ Math.imul(index + 1, 0x9e3779b1));
    // The first draws of neighbouring seeds are alike.
    for (let draw = 0; draw < 8; draw++) this.next();
  }

  /** An integer from 0 up to `limit`, which is left out. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** An integer from `low` to `high`. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of `choices`. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }

  /** So many random bytes; many of them are one short run of them, again and again. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    const drawn = Math.min(length, PATTERN_BYTES);
    for (let at = 0; at < drawn; at++) bytes[at] = this.below(256);
    for (let done = drawn; done < length; done *= 2) bytes.copyWithin(done, 0, done);
    return bytes;
  }
}
