/**
 * Ctrl-C while a tool works: a wish to come to an end, which the tool fulfils when it is ready to.
 *
 * @module
 */

import { LONGEST_TIMER_MS } from "../../runtime/clock.ts";
import type { Terminal } from "../terminal.ts";

/** The exit code of a program that Ctrl-C has ended. */
export const INTERRUPTED_EXIT_CODE = 130;

/** Waits for Ctrl-C, until it is disposed of. */
export class Interruption {
  readonly #requested = Promise.withResolvers<void>();
  #isRequested = false;
  /** Ends the wait that is going on, if there is one. */
  #wake: (() => void) | undefined;
  #forget: (() => void) | undefined;

  /** Takes Ctrl-C from now on. */
  constructor(terminal: Terminal) {
    this.#forget = terminal.onInterrupt(() => {
      this.#isRequested = true;
      this.#requested.resolve();
      this.#wake?.();
      // Who presses it again won't wait any longer: then it ends the program.
      this[Symbol.dispose]();
    });
  }

  /** Whether the user wants an end. */
  get isRequested(): boolean {
    return this.#isRequested;
  }

  /** Fulfilled when the user wants an end. */
  get requested(): Promise<void> {
    return this.#requested.promise;
  }

  /**
   * Waits, but not longer than the user does. One wait at a time.
   *
   * @param durationMs How long, in milliseconds.
   */
  sleep(durationMs: number): Promise<void> {
    if (this.#isRequested) return Promise.resolve();
    // A race with the promise above would leave something there each time.
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(durationMs, LONGEST_TIMER_MS));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Leaves Ctrl-C to the system again. */
  [Symbol.dispose](): void {
    this.#forget?.();
    this.#forget = undefined;
  }
}
