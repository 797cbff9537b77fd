/**
 * The clock of one simulated machine: it runs as fast as all others, but somebody may set it.
 *
 * @module
 */
import type { Clock } from "../../src/runtime/clock.ts";

/** See the head of this file. */
export class MachineClock implements Clock {
  /** By how many ms the time of day is ahead of that of the loop; the monotonic clock never is. */
  aheadMs = 0;

  /** A clock that is right, as long as nobody sets it. */
  constructor(private readonly right: Clock) {}

  now(): number {
    return this.right.now() + this.aheadMs;
  }

  monotonic(): number {
    return this.right.monotonic();
  }
}
