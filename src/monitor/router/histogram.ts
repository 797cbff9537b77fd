/**
 * How long things took: counts by steps that grow with the time, so that a figure is right to some 6 %.
 *
 * @module
 */

/** Steps to each doubling. */
const STEPS = 12;
/** The first step ends here, in ms. */
const SHORTEST_MS = 0.01;
const COUNT = 300;

/** Times that were noted. */
export class Histogram {
  private readonly counts = new Float64Array(COUNT);
  private total = 0;
  private longest = 0;

  /** Notes `count` times of `ms`. */
  add(ms: number, count: number): void {
    const step = ms <= SHORTEST_MS ? 0 : Math.floor(Math.log2(ms / SHORTEST_MS) * STEPS) + 1;
    this.counts[step < COUNT ? step : COUNT - 1] += count;
    this.total += count;
    if (ms > this.longest) this.longest = ms;
  }

  /** The time in ms that a share of all (0 to 1) stayed below; 0 if there was none. */
  quantile(share: number): number {
    let left = this.total * share;
    if (this.total === 0) return 0;
    for (let step = 0; step < COUNT; step++) {
      left -= this.counts[step];
      if (left <= 0) return Math.min(this.longest, SHORTEST_MS * 2 ** ((step + 0.5) / STEPS));
    }
    return this.longest;
  }

  /** The longest, in ms. */
  get max(): number {
    return this.longest;
  }

  /** Forgets all. */
  clear(): void {
    this.counts.fill(0);
    this.total = 0;
    this.longest = 0;
  }
}
