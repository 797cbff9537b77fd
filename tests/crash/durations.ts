/**
 * How long things took, so that a kill can be timed to hit them.
 *
 * @module
 */

const WEIGHT_OF_LATEST = 0.2;

/** A mean in which the latest count most. */
export class Estimate {
  /** The mean, in milliseconds. */
  ms: number;

  /** Starts with a guess. */
  constructor(guessMs: number) {
    this.ms = guessMs;
  }

  /** Takes one more into account. */
  note(ms: number): void {
    this.ms += (ms - this.ms) * WEIGHT_OF_LATEST;
  }
}

/** What is timed. */
export class Durations {
  /** From the process' start until it says that it serves. */
  readonly start: Estimate = new Estimate(50);
  /** A rewrite of the append-only file. */
  readonly rewrite: Estimate = new Estimate(20);
  /** A snapshot in the background. */
  readonly save: Estimate = new Estimate(20);
}
