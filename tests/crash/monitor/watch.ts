/**
 * What all clients of a run meet with: answers, errors, lost connections, and how long nothing went on.
 *
 * @module
 */

import type { Outcome } from "./record.ts";

/** How errors begin that say that nothing was carried out. */
const REFUSED = /^(MASTERDOWN|EXECABORT) /;
/** How the router's errors begin that say that nobody knows. */
const UNKNOWN = /^UNCERTAIN /;

/** A command that was answered with an error. */
export interface Failure {
  /** The command's name. */
  readonly command: string;
  /** The error's text. */
  readonly text: string;
  /** By `performance.now()`. */
  readonly sentMs: number;
  /** The same. */
  readonly answeredMs: number;
}

/** The longest time between two of a series of events. */
export class Stalls {
  #lastMs: number | undefined;
  #longestMs = 0;

  /** One more event. */
  note(nowMs: number): void {
    if (this.#lastMs !== undefined) {
      this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs);
    }
    this.#lastMs = nowMs;
  }

  /** Counts from the last event on. */
  restart(): void {
    this.#longestMs = 0;
  }

  /** The longest time since then in which nothing happened, up to the last event. */
  get longestMs(): number {
    return this.#longestMs;
  }
}

/** What is said of a write that failed. */
export function outcomeOf(text: string): Outcome {
  return REFUSED.test(text) ? "refused" : "unknown";
}

/** Whether a client is told what it may do about its failed write. */
export function isClear({ text }: Failure): boolean {
  return REFUSED.test(text) || UNKNOWN.test(text);
}

/** Counts, for all clients together. */
export class Watch {
  /** Reads that were answered. */
  reads = 0;
  /** Writes that were acknowledged. */
  writes = 0;
  /** Connections that ended without their client having ended them. */
  dropped = 0;
  /** Reads that were answered with an error. */
  readonly failedReads: Failure[] = [];
  /** Writes that were. */
  readonly failedWrites: Failure[] = [];
  /** Answers that can't be: reads of what is older than the client's own writes, above all. */
  readonly wrongAnswers: string[] = [];
  /** Between acknowledged writes, whoever sent them. */
  readonly writeStalls: Stalls = new Stalls();
  /** Between answered reads. */
  readonly readStalls: Stalls = new Stalls();

  /** A read was answered. */
  readDone(): void {
    this.reads++;
    this.readStalls.note(performance.now());
  }

  /** A write was acknowledged. */
  writeDone(): void {
    this.writes++;
    this.writeStalls.note(performance.now());
  }

  /** Stalls are counted from now on. */
  restart(): void {
    this.writeStalls.restart();
    this.readStalls.restart();
  }

  /** Forgets the failures, which have been judged. */
  takeFailures(): { reads: Failure[]; writes: Failure[]; wrong: string[]; dropped: number } {
    const taken = {
      reads: this.failedReads.splice(0),
      writes: this.failedWrites.splice(0),
      wrong: this.wrongAnswers.splice(0),
      dropped: this.dropped,
    };
    this.dropped = 0;
    return taken;
  }
}
