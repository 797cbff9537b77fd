/**
 * One look at the clock for many questions.
 *
 * `Date.now()` takes 60 ns here and `performance.now()` 120, and a pipelined SET 600 in all. So the
 * server looks at the monotonic clock alone, at the start of a turn and after each few commands, and
 * takes the unix time from it: that is the monotonic time and an offset, which is corrected ten times a
 * second, so that a system clock that is set is followed soon.
 *
 * **The offset.** The system's time is whole milliseconds, so what was read at some moment only says that the
 * true time is in `[read, read + 1)`. The offset is moved as little as brings it in there; after a while it stands
 * still, exact to some microseconds, and the unix time doesn't go back at a correction.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/** A look at both clocks that took longer than this was interrupted, and says nothing. */
const INTERRUPTED_MS = 0.5;

/** Unix time from the monotonic clock; see the head of this file. */
export class TurnClock {
  /** The monotonic time in ms when it was last looked at. */
  last = 0;
  private offset: number;

  /** Makes a clock that reads `clock`. */
  constructor(private readonly clock: Clock) {
    this.last = clock.monotonic();
    this.offset = clock.now() - this.last;
  }

  /** Looks at the monotonic clock; the time in ms. */
  look(): number {
    return this.last = this.clock.monotonic();
  }

  /** Unix time in whole ms of the last look. */
  get unixMs(): number {
    return Math.floor(this.last + this.offset);
  }

  /** Unix time in whole microseconds, by a look of its own. */
  unixMicroseconds(): number {
    return Math.floor((this.look() + this.offset) * 1000);
  }

  /** Compares with the system's clock, which somebody may have set. */
  correct(): void {
    const before = this.clock.monotonic();
    const read = this.clock.now();
    if (this.look() - before > INTERRUPTED_MS) return;
    const unix = this.last + this.offset;
    if (unix < read) this.offset += read - unix;
    else if (unix >= read + 1) this.offset -= unix - read - 0.999;
  }
}
