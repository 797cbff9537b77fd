/**
 * The load of one round: all writers and the housekeeper on a running server, until it is killed.
 *
 * @module
 */

import type { Client } from "../../src/client/mod.ts";
import type { RandomSource } from "../fuzz/random_source.ts";
import { Durability, type Keeping } from "./durability.ts";
import type { Durations } from "./durations.ts";
import { HABITS, Housekeeper, NO_HABITS } from "./housekeeper.ts";
import type { RoundPlan } from "./plan.ts";
import type { ServerProcess } from "./server_process.ts";
import type { Tally } from "./tally.ts";
import { patiently, sleep } from "./waiting.ts";
import type { Writer } from "./writer.ts";

/** What a load is given. */
export interface LoadOptions {
  /** The server, which serves. */
  readonly server: ServerProcess;
  /** Who writes. */
  readonly writers: readonly Writer[];
  /** What is to happen. */
  readonly plan: RoundPlan;
  /** How the server keeps its data. */
  readonly keeping: Keeping;
  /** Whether nobody rewrites, saves, or switches the file off. */
  readonly isCalm: boolean;
  /** How long things take. */
  readonly durations: Durations;
  /** A source of randomness for each participant. */
  readonly randomOf: (participant: number) => RandomSource;
}

/** A load that has begun. */
export class Load {
  readonly #options: LoadOptions;
  readonly #durability: Durability;
  readonly #housekeeper: Housekeeper;
  readonly #housekeeping: Promise<void>;
  readonly #writing: Promise<unknown>;

  private constructor(options: LoadOptions, clients: readonly Client[]) {
    const { writers, plan, keeping, isCalm, durations, randomOf } = options;
    this.#options = options;
    this.#durability = new Durability(keeping, writers);
    this.#housekeeper = new Housekeeper(clients[0], this.#durability, durations, randomOf(0));
    this.#housekeeping = this.#housekeeper.run(isCalm ? NO_HABITS : HABITS[keeping]);
    this.#writing = Promise.all(
      writers.map((writer, index) =>
        writer.load(clients[index + 1], randomOf(index + 1), plan.paces[index])
      ),
    );
  }

  /** Opens all connections and begins. */
  static async begin(options: LoadOptions): Promise<Load> {
    const { server, writers } = options;
    const databases = [0, ...writers.map(({ database }) => database)];
    return new Load(
      options,
      await Promise.all(databases.map((database) => server.connect(database))),
    );
  }

  /** Whether the append-only file is off or behind. */
  get isSuspended(): boolean {
    return this.#durability.isSuspended;
  }

  /** What the server answered that it must not answer, if it did. */
  get fault(): string | undefined {
    return this.#housekeeper.fault ?? this.#options.writers.find(({ fault }) => fault)?.fault;
  }

  /** Returns when the time of the kill has come. */
  async untilKill(): Promise<void> {
    const { writers, durations, plan } = this.#options;
    await sleep(plan.loadMs);
    if (plan.quietMs !== undefined) {
      for (const writer of writers) writer.stop();
      await patiently("the last replies", this.#writing);
      await sleep(plan.quietMs);
    }
    if (plan.moment === "rewrite") {
      await this.#housekeeper.rewrite();
      await sleep(plan.fraction * durations.rewrite.ms);
    } else if (plan.moment === "save") {
      await this.#housekeeper.save();
      await sleep(plan.fraction * durations.save.ms);
    }
  }

  /** Counts what a kill at this moment hits. */
  countHits(tally: Tally): void {
    if (this.#housekeeper.isRewriting) tally.hitRewrites++;
    if (this.#housekeeper.isSaving) tally.hitSaves++;
    if (this.isSuspended) tally.hitSuspended++;
    if (this.#options.plan.quietMs !== undefined) tally.quiet++;
  }

  /**
   * Waits, once the server is killed, until all replies are noted that were on their way.
   *
   * @returns How many operations of each writer must have survived a kill at this moment.
   */
  async finish(killedMs: number): Promise<readonly number[]> {
    const ends = Promise.all([this.#housekeeping, this.#writing]);
    await patiently("the end of all connections", ends);
    return this.#durability.floors(killedMs);
  }
}
