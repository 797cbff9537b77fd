/**
 * How much of what was acknowledged a server has promised to keep when it is killed.
 *
 * With the append-only file that depends on `appendfsync`. While the file is switched off, and from
 * then until a rewrite has brought the file up to date again, nothing more is promised than what
 * was in it before. Without the file, what the last finished snapshot had is promised.
 *
 * @module
 */

import type { Writer } from "./writer.ts";

/** How a folder's server keeps its data. */
export type Keeping = "always" | "everysec" | "no" | "snapshots";

/**
 * With `everysec` a write waits behind a sync that is under way, for two seconds at most; the rest
 * is for the timer that looks whether they are over.
 */
export const EVERYSEC_SLACK_MS = 2200;

/** The promises of one server process. */
export class Durability {
  readonly #keeping: Keeping;
  readonly #writers: readonly Writer[];
  // How much is promised at most, if that is less than all that was acknowledged.
  #limits: readonly number[] | undefined;

  /** Starts with a server that has loaded what the writers start from. */
  constructor(keeping: Keeping, writers: readonly Writer[]) {
    this.#keeping = keeping;
    this.#writers = writers;
    if (keeping === "snapshots") this.#limits = writers.map(() => 0);
  }

  /** Whether the file is off or behind. */
  get isSuspended(): boolean {
    return this.#keeping !== "snapshots" && this.#limits !== undefined;
  }

  /** How many operations of each writer are acknowledged now. */
  mark(): readonly number[] {
    return this.#writers.map((writer) => writer.acknowledged);
  }

  /** The file is about to be switched off. */
  suspend(): void {
    this.#limits ??= this.mark();
  }

  /** The file has everything again. */
  resume(): void {
    this.#limits = undefined;
  }

  /** A snapshot is finished that was begun when so many were acknowledged. */
  snapshotFinished(mark: readonly number[]): void {
    if (this.#keeping === "snapshots") this.#limits = mark;
  }

  /** How many operations of each writer must have survived a kill at this moment. */
  floors(killedMs: number): number[] {
    return this.#writers.map((writer, index) => {
      const limit = this.#limits?.[index] ?? Infinity;
      switch (this.#keeping) {
        case "no":
          return 0;
        case "everysec":
          return Math.min(limit, writer.acknowledgedBefore(killedMs - EVERYSEC_SLACK_MS));
        default:
          return Math.min(limit, writer.acknowledged);
      }
    });
  }
}
