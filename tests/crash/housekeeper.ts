/**
 * Lets the server rewrite, save and switch its file off and on while others write, and keeps the
 * account of what that means for its promises.
 *
 * @module
 */

import { type Client, ConnectionClosedError, type Reply } from "../../src/client/mod.ts";
import type { RandomSource } from "../fuzz/random_source.ts";
import type { Durability, Keeping } from "./durability.ts";
import type { Durations } from "./durations.ts";
import { sleep } from "./waiting.ts";

/** How often something is done, as a probability at each look. */
export interface Habits {
  /** BGREWRITEAOF. */
  readonly rewrite: number;
  /** BGSAVE. */
  readonly save: number;
  /** SAVE. */
  readonly saveAtOnce: number;
  /** `CONFIG SET appendonly no`, and `yes` some time later. */
  readonly switching: number;
}

/** Only looks. */
export const NO_HABITS: Habits = { rewrite: 0, save: 0, saveAtOnce: 0, switching: 0 };

const FILE_HABITS: Habits = { rewrite: 0.04, save: 0.03, saveAtOnce: 0.004, switching: 0.03 };

/** Habits that suit how a server keeps its data. */
export const HABITS: Readonly<Record<Keeping, Habits>> = {
  always: FILE_HABITS,
  everysec: FILE_HABITS,
  no: FILE_HABITS,
  snapshots: { rewrite: 0, save: 0.15, saveAtOnce: 0.02, switching: 0 },
};

const LOOK_EVERY_MS = 4;
const LONGEST_OFF_MS = 80;
const EXPECTED_ERROR = /in progress|already|while|another child process/i;

/** Somebody with a connection of their own who never writes. */
export class Housekeeper {
  /** Whether a rewrite was under way at the last look. */
  isRewriting = false;
  /** Whether a snapshot was under way at the last look. */
  isSaving = false;
  /** What the server answered that it must not answer, if it did. */
  fault: string | undefined;

  readonly #client: Client;
  readonly #durability: Durability;
  readonly #durations: Durations;
  readonly #random: RandomSource;
  #rewriteBegan = 0;
  #snapshot: { readonly mark: readonly number[]; readonly began: number } | undefined;
  #switchOnAt = Infinity;
  #isCatchingUp = false;

  /** Takes a connection. */
  constructor(client: Client, durability: Durability, durations: Durations, random: RandomSource) {
    this.#client = client;
    this.#durability = durability;
    this.#durations = durations;
    this.#random = random;
  }

  /** Goes on until the connection ends. */
  async run(habits: Habits): Promise<void> {
    while (this.#client.isOpen && this.fault === undefined) {
      await this.#look();
      if (performance.now() >= this.#switchOnAt) await this.#switchOn();
      if (!this.isRewriting && !this.isSaving) await this.#act(habits);
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Starts a rewrite if that is possible now; returns once the server has said so. */
  async rewrite(): Promise<void> {
    const began = performance.now();
    if (await this.#ask("BGREWRITEAOF") === undefined) return;
    this.isRewriting = true;
    this.#rewriteBegan = began;
  }

  /** Starts a snapshot if that is possible now; returns once the server has said so. */
  async save(): Promise<void> {
    const mark = this.#durability.mark();
    const began = performance.now();
    if (await this.#ask("BGSAVE") === undefined) return;
    this.isSaving = true;
    this.#snapshot = { mark, began };
  }

  async #act(habits: Habits): Promise<void> {
    if (this.#random.chance(habits.rewrite)) await this.rewrite();
    else if (this.#random.chance(habits.save)) await this.save();
    else if (this.#random.chance(habits.saveAtOnce)) await this.#saveAtOnce();
    else if (this.#random.chance(habits.switching)) await this.#switchOff();
  }

  async #saveAtOnce(): Promise<void> {
    const mark = this.#durability.mark();
    this.isSaving = true;
    if (await this.#ask("SAVE") !== undefined) this.#durability.snapshotFinished(mark);
  }

  async #switchOff(): Promise<void> {
    if (this.#durability.isSuspended) return;
    this.#durability.suspend();
    await this.#ask("CONFIG", "SET", "appendonly", "no");
    this.#switchOnAt = performance.now() + this.#random.below(LONGEST_OFF_MS);
  }

  async #switchOn(): Promise<void> {
    this.#switchOnAt = Infinity;
    await this.#ask("CONFIG", "SET", "appendonly", "yes");
    this.#isCatchingUp = true;
    await this.#look();
  }

  async #look(): Promise<void> {
    // A snapshot that is begun while the reply is under way isn't in it.
    const snapshot = this.#snapshot;
    const reply = await this.#ask("INFO", "persistence");
    if (reply?.kind !== "bulk" && reply?.kind !== "verbatim") return;
    const facts = new Map(
      reply.text().split("\r\n").map((line) => line.split(":", 2) as [string, string]),
    );
    this.#noteRewrite(facts);
    this.isSaving = facts.get("rdb_bgsave_in_progress") === "1";
    if (snapshot !== undefined && !this.isSaving && snapshot === this.#snapshot) {
      this.#snapshot = undefined;
      if (facts.get("rdb_last_bgsave_status") === "ok") {
        this.#durability.snapshotFinished(snapshot.mark);
        this.#durations.save.note(performance.now() - snapshot.began);
      }
    }
  }

  #noteRewrite(facts: ReadonlyMap<string, string>): void {
    const isRewriting = facts.get("aof_rewrite_in_progress") === "1" ||
      facts.get("aof_rewrite_scheduled") === "1";
    if (isRewriting && !this.isRewriting) this.#rewriteBegan = performance.now();
    if (!isRewriting && this.isRewriting) {
      this.#durations.rewrite.note(performance.now() - this.#rewriteBegan);
    }
    this.isRewriting = isRewriting;
    if (
      this.#isCatchingUp && !isRewriting && facts.get("aof_enabled") === "1" &&
      facts.get("aof_last_bgrewrite_status") === "ok"
    ) {
      this.#isCatchingUp = false;
      this.#durability.resume();
    }
  }

  /** The reply, or undefined if there is none or the server can't do that just now. */
  async #ask(name: string, ...args: readonly string[]): Promise<Reply | undefined> {
    try {
      const reply = await this.#client.send(name, ...args);
      if (reply.kind !== "error") return reply;
      if (name === "CONFIG" || !EXPECTED_ERROR.test(reply.text())) {
        this.fault ??= `${[name, ...args].join(" ")} was answered with ${reply.text()}`;
      }
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error;
    }
    return undefined;
  }
}
