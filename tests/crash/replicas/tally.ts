/**
 * The figures of a run.
 *
 * @module
 */

import { spread } from "../tally.ts";
import type { Writer } from "../writer.ts";
import type { Syncs } from "./facts.ts";
import type { Promotion } from "./group.ts";
import type { Disturbance } from "./plan.ts";

/** What was counted. */
export class Tally {
  /** Kills, by what the node was. */
  readonly kills = { master: 0, replica: 0 };
  /** Groups that were begun. */
  lives = 0;
  /** What befell replicas before a kill. */
  readonly disturbances: Record<Disturbance, number> = { cut: 0, aside: 0, stall: 0 };
  /** How often all nodes were found equal. */
  comparisons = 0;
  /** Operations that were answered. */
  acknowledged = 0;
  /** Of these, how many WAIT confirmed, or one behind them on the same connection. */
  confirmed = 0;
  /** Of those that had to be there at a look, how many were. */
  found = 0;
  /** Operations that were answered, not confirmed, and are lost. */
  lost = 0;

  #syncs: Syncs = { full: 0, partial: 0, refused: 0 };
  readonly #promotionsMs: number[] = [];
  #unequal = 0;

  /** How many kills there were. */
  get allKills(): number {
    return this.kills.master + this.kills.replica;
  }

  /** Counts what a writer has had answered since it went on from what a server showed. */
  noteWriter({ acknowledged, confirmed }: Writer): void {
    this.acknowledged += acknowledged;
    this.confirmed += confirmed;
  }

  /** Counts what a look found: all that had to be there, else it would be a fault. */
  noteSurvival(
    writers: readonly Writer[],
    survived: readonly number[],
    floors: readonly number[],
  ): void {
    for (const { number, acknowledged } of writers) {
      this.found += floors[number];
      this.lost += Math.max(0, acknowledged - survived[number]);
    }
  }

  /** Counts how a master's replicas began to follow it, once for each process. */
  noteSyncs({ full, partial, refused }: Syncs): void {
    this.#syncs = {
      full: this.#syncs.full + full,
      partial: this.#syncs.partial + partial,
      refused: this.#syncs.refused + refused,
    };
  }

  /** Counts how a survivor took the master's place. */
  notePromotion({ tookMs, aheadBytes }: Promotion): void {
    this.#promotionsMs.push(tookMs);
    if (aheadBytes !== 0) this.#unequal++;
  }

  /** The figures in some lines. */
  report(): string {
    const { master, replica } = this.kills;
    const { cut, aside, stall } = this.disturbances;
    const { full, partial, refused } = this.#syncs;
    return [
      `${this.allKills} kills in ${this.lives} groups: ${master} of the master, ${replica} of a ` +
      `replica; before them ${cut} links cut, ${aside} replicas sent away, ${stall} stopped`,
      `operations answered ${this.acknowledged}, confirmed by WAIT ${this.confirmed}; had to be ` +
      `there and were ${this.found}; lost without having been confirmed ${this.lost}`,
      `promotions ${this.#promotionsMs.length}, of which ${this.#unequal} between unequal ` +
      `survivors; ${spread(this.#promotionsMs)}`,
      `syncs: ${full} full, of which ${refused} were asked for as partial; ${partial} partial`,
      `all nodes equal ${this.comparisons} times`,
    ].join("\n");
  }
}
