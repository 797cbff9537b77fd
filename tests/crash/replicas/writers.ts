/**
 * All writers of a group, who write to whoever is the master.
 *
 * @module
 */

import type { Client } from "../../../src/client/mod.ts";
import type { RandomSource } from "../../fuzz/random_source.ts";
import { CrashFault } from "../crash_fault.ts";
import { describeWriters, inspect } from "../inspection.ts";
import { DATABASES } from "../plan.ts";
import type { ServerProcess } from "../server_process.ts";
import { patiently } from "../waiting.ts";
import { type Pace, type Waiting, Writer } from "../writer.ts";

/** Who counts what writers do. */
export interface WriterTally {
  /** Counts what a writer has had answered since it went on from what a server showed. */
  noteWriter(writer: Writer): void;
  /** Counts what a look found. */
  noteSurvival(
    writers: readonly Writer[],
    survived: readonly number[],
    floors: readonly number[],
  ): void;
}

/** What writers are given. */
export interface WritersOptions {
  /** How each of them sends. */
  readonly paces: readonly Pace[];
  /** How they have the master say that replicas have what they wrote. */
  readonly waiting: Waiting;
  /** The source of randomness of this number, from 100 on. */
  readonly randomOf: (user: number) => RandomSource;
  /** Where to count. */
  readonly tally: WriterTally;
}

/** Writers, who live as long as the group; each load has connections of its own. */
export class Writers {
  readonly #options: WritersOptions;
  readonly #writers: readonly Writer[];
  #writing: Promise<unknown> = Promise.resolve();
  #clients: readonly Client[] = [];
  #loads = 0;

  /** Makes writers who have sent nothing. */
  constructor(options: WritersOptions) {
    const { paces, waiting } = options;
    this.#options = options;
    this.#writers = paces.map((_, number) => new Writer(number, number % DATABASES, waiting));
  }

  /** Of each writer, how many operations so many replicas have as it asks for. */
  get confirmed(): readonly number[] {
    return this.#writers.map(({ confirmed }) => confirmed);
  }

  /** Of each writer, how many operations were answered. */
  get acknowledged(): readonly number[] {
    return this.#writers.map(({ acknowledged }) => acknowledged);
  }

  /** Whether the server has ended none of their connections. */
  get areConnected(): boolean {
    return this.#clients.every(({ isOpen }) => isOpen);
  }

  /** Has all of them write to a server until it ends or they are stopped. */
  async begin(server: ServerProcess): Promise<void> {
    const { paces, randomOf } = this.#options;
    const writers = this.#writers;
    this.#clients = await Promise.all(writers.map(({ database }) => server.connect(database)));
    const random = 100 + 10 * this.#loads++;
    this.#writing = Promise.all(
      writers.map((writer, index) =>
        writer.load(this.#clients[index], randomOf(random + index), paces[index])
      ),
    );
    this.#writing.catch(() => {}); // it is waited for in `ended`
  }

  /** Has nobody send anything more. */
  stop(): void {
    for (const writer of this.#writers) writer.stop();
  }

  /**
   * Waits for the writers, who have been stopped or have lost the server, and counts.
   *
   * @throws {CrashFault} An answer was wrong.
   */
  async ended(): Promise<void> {
    await patiently("the end of all connections", this.#writing);
    for (const client of this.#clients) client.close();
    this.requireNoFault();
    for (const writer of this.#writers) this.#options.tally.noteWriter(writer);
  }

  /**
   * Looks whether all answers were right so far.
   *
   * @throws {CrashFault} One wasn't.
   */
  requireNoFault(): void {
    const fault = this.#writers.find((writer) => writer.fault !== undefined)?.fault;
    if (fault !== undefined) throw new CrashFault(fault);
  }

  /**
   * Looks whether a server has what it must have, and goes on from what it shows.
   *
   * @param floors How many operations of each writer have to be there.
   * @param killedMs When they ended, in milliseconds of the wall clock.
   * @throws {CrashFault} Something is missing, or there that can't be.
   */
  async check(
    server: ServerProcess,
    floors: readonly number[],
    killedMs: number,
  ): Promise<void> {
    const inspection = inspect(server, this.#writers, floors, killedMs);
    const { survived, shown } = await patiently("reading all keys", inspection);
    this.#options.tally.noteSurvival(this.#writers, survived, floors);
    for (const writer of this.#writers) writer.restFrom(shown[writer.number]);
  }

  /** What all of them sent, in lines for people; times count from the kill. */
  describe(floors: readonly number[], killedMs: number): readonly string[] {
    return describeWriters(this.#writers, floors, killedMs);
  }
}
