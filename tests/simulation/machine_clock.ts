/**
 * The clock of one simulated machine: it runs as fast as all others, but somebody may set it.
 *
 * @module
 */
import type { Clock } from "../../src/runtime/clock.ts";

/** See the head of this file. */
export class MachineClock implements Clock {
  /** By how many ms the time of day is ahead of that of the loop; the monotonic clock never is. */
  private aheadMs = 0;
  private mostMs = 0;

  /** A clock that is right, as long as nobody sets it. */
  constructor(private readonly right: Clock) {}

  now(): number {
    return this.right.now() + this.aheadMs;
  }

  /** Somebody sets it. */
  set(aheadMs: number): void {
    this.aheadMs = aheadMs;
    this.mostMs = Math.max(this.mostMs, aheadMs);
  }

  /** It shows the latest time that it has ever shown, or later: what waits for a time of day doesn't wait for hours. */
  catchUp(): void {
    this.aheadMs = this.mostMs;
  }

  monotonic(): number {
    return this.right.monotonic();
  }
}
