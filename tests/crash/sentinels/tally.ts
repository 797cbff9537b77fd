/**
 * The figures of a run with sentinels.
 *
 * @module
 */

import { spread } from "../tally.ts";
import type { Writer } from "../writer.ts";

/** How a failover went, in milliseconds. */
export interface Failover {
  /** Which kill of the run it was. */
  readonly kill: number;
  /** How often sentinels voted until one of them came to the end with it. */
  readonly votes: number;
  /** From the kill until all sentinels named the same new master. */
  readonly agreedMs: number;
  /** From the kill until the other replica followed it. */
  readonly followedMs: number;
  /** From the start of the killed one until it followed the new master. */
  readonly returnedMs: number;
  /** From the kill until all sentinels were content with all nodes again. */
  readonly restedMs: number;
  /** How many operations WAIT had confirmed on both replicas, all of which are there. */
  readonly confirmed: number;
}

/** What was counted. */
export class Tally {
  /** Kills of a master. */
  kills = 0;
  /** Groups that were begun. */
  groups = 0;
  /** Operations that were answered, not confirmed by both replicas, and are lost. */
  lost = 0;
  /** What was wrong, one a kill. */
  readonly faults: string[] = [];
  readonly #failovers: Failover[] = [];

  /** How many failovers were clean. */
  get clean(): number {
    return this.#failovers.length;
  }

  /** Counts a failover with which nothing was wrong. */
  noteFailover(failover: Failover): void {
    this.#failovers.push(failover);
  }

  /** The last failover, in a line. */
  get lastFailover(): string {
    const { kill, votes, confirmed, ...times } = this.#failovers.at(-1)!;
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    const [agreed, followed] = [seconds(times.agreedMs), seconds(times.followedMs)];
    const [returned, rested] = [seconds(times.returnedMs), seconds(times.restedMs)];
    return `kill ${kill}: a new master after ${agreed} (votes: ${votes}), followed after ` +
      `${followed}, the killed one back ${returned} after its start, all at rest after ` +
      `${rested}; ${confirmed} confirmed writes there`;
  }

  /** Counts nothing: only what is confirmed matters. */
  noteWriter(): void {}

  /** Counts what a look found: all that had to be there, else it would be a fault. */
  noteSurvival(writers: readonly Writer[], survived: readonly number[]): void {
    for (const { number, acknowledged } of writers) {
      this.lost += Math.max(0, acknowledged - survived[number]);
    }
  }

  /** The figures in some lines. */
  report(): string {
    const all = (pick: (failover: Failover) => number) => this.#failovers.map(pick);
    const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
    const more = this.#failovers.filter(({ votes }) => votes > 1).length;
    return [
      `${this.kills} kills of the master in ${this.groups} groups, of the failovers ${this.clean} ` +
      `were clean (${more} of which took more than one vote), ${this.faults.length} were not`,
      `confirmed by both replicas ${sum(all(({ confirmed }) => confirmed))}, all there; lost ` +
      `without having been confirmed ${this.lost}`,
      `a new master after ${spread(all(({ agreedMs }) => agreedMs))}`,
      `which the other replica followed after ${spread(all(({ followedMs }) => followedMs))}`,
      `the killed one its replica ${spread(all(({ returnedMs }) => returnedMs))} after its start`,
      `all at rest after ${spread(all(({ restedMs }) => restedMs))}`,
      ...this.faults,
    ].join("\n");
  }
}
