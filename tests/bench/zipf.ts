/**
 * Requests as a cache gets them: few keys are asked for often, most of them hardly ever (Zipf's law: the
 * key of rank `r` is asked for in proportion to `r ** -exponent`).
 *
 * A draw takes two numbers at random and one look at a table (Walker's method of aliases): each rank has a slot
 * that it shares with one other, and the second number says which of the two it is.
 *
 * @module
 */

/** Draws numbers below a limit as Zipf's law has it; the popular ones lie anywhere. */
export class ZipfSource {
  readonly #own: Float64Array;
  readonly #alias: Int32Array;
  readonly #count: number;
  readonly #stride: number;
  #state: number;

  /** Draws from `count` numbers, in an order that depends on `seed`. */
  constructor(count: number, exponent: number, seed: number) {
    this.#count = count;
    this.#stride = strideFor(count);
    this.#state = seed | 0 || 1;
    this.#own = new Float64Array(count);
    this.#alias = new Int32Array(count);
    this.#fillTable(exponent);
  }

  /** The next number. */
  next(): number {
    const slot = Math.floor(this.#random() * this.#count);
    const rank = this.#random() < this.#own[slot] ? slot : this.#alias[slot];
    return (rank * this.#stride) % this.#count;
  }

  #fillTable(exponent: number): void {
    const count = this.#count;
    const share = new Float64Array(count);
    let sum = 0;
    for (let rank = 0; rank < count; rank++) sum += share[rank] = (rank + 1) ** -exponent;
    for (let rank = 0; rank < count; rank++) share[rank] *= count / sum;
    const poor: number[] = [];
    const rich: number[] = [];
    for (let rank = 0; rank < count; rank++) (share[rank] < 1 ? poor : rich).push(rank);
    while (poor.length > 0 && rich.length > 0) {
      const taker = poor.pop()!;
      const giver = rich[rich.length - 1];
      this.#own[taker] = share[taker];
      this.#alias[taker] = giver;
      share[giver] -= 1 - share[taker];
      if (share[giver] < 1) poor.push(rich.pop()!);
    }
    for (const rank of [...poor, ...rich]) this.#own[rank] = 1;
  }

  /** A number from 0 up to 1 (xorshift32). */
  #random(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) / 0x100000000;
  }
}

/** A number that has no divisor in common with `count`: its multiples go through all numbers below it. */
function strideFor(count: number): number {
  const divides = (a: number, b: number): number => b === 0 ? a : divides(b, a % b);
  for (let stride = Math.floor(count * 0.618);; stride++) {
    if (divides(stride, count) === 1) return stride;
  }
}
