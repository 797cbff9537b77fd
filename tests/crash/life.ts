/**
 * The life of one folder: a server is started in it, looked at, loaded and killed, again and again.
 *
 * @module
 */

import { RandomSource } from "../fuzz/random_source.ts";
import { type Increment, lastIncrement } from "./aof_files.ts";
import { type Sabotage, sabotage, tear } from "./damage.ts";
import { CrashFault } from "./crash_fault.ts";
import type { Keeping } from "./durability.ts";
import type { Durations } from "./durations.ts";
import { describeWriters, inspect } from "./inspection.ts";
import { Load } from "./load.ts";
import { badLine, tellsOfTruncation } from "./log.ts";
import { DATABASES, lifeSettings, planRound, type RoundPlan, WRITERS } from "./plan.ts";
import { type Launch, ServerProcess, StartError } from "./server_process.ts";
import type { Tally } from "./tally.ts";
import { patiently, sleep } from "./waiting.ts";
import { Writer } from "./writer.ts";

/** What a life is given. */
export interface LifeOptions {
  /** How to start the server. */
  readonly launch: Launch;
  /** How it keeps its data. */
  readonly keeping: Keeping;
  /** Whether nobody rewrites, saves, or switches the file off. */
  readonly isCalm: boolean;
  /** What all is made up from. */
  readonly seed: number;
  /** The life's number in the run. */
  readonly number: number;
  /** An empty folder, given as the system names it. */
  readonly folder: string;
  /** A fault to be played after each kill. */
  readonly sabotage: Sabotage | undefined;
  /** Whether no transaction is cut in two; see `tear`. */
  readonly sparesTransactions: boolean;
  /** Where to count. */
  readonly tally: Tally;
  /** How long things took so far. */
  readonly durations: Durations;
}

/** A folder with its writers. */
export class Life {
  readonly #options: LifeOptions;
  readonly #settings: readonly string[];
  readonly #writers: readonly Writer[];
  readonly #dataFolder: string;
  // How the last loaded server ended: what has to be there at the next start.
  #floors: readonly number[] = Array(WRITERS).fill(0);
  #killedMs = 0;
  #isLossCounted = false;
  #round = 0;
  #log: readonly string[] = [];
  #server: ServerProcess | undefined;

  /** Begins a life in an empty folder. */
  constructor(options: LifeOptions) {
    this.#options = options;
    this.#settings = lifeSettings(options.keeping, options.isCalm, this.#randomOf(99, 0));
    this.#writers = Array.from(
      { length: WRITERS },
      (_, number) => new Writer(number, number % DATABASES),
    );
    this.#dataFolder = `${options.folder}/data`;
    Deno.mkdirSync(this.#dataFolder);
  }

  /**
   * Starts the server, checks what it has, loads it and kills it; or kills it while it starts.
   *
   * @throws {CrashFault} The server did what it must not do.
   */
  async playRound(round: number): Promise<void> {
    this.#round = round;
    const { keeping, isCalm } = this.#options;
    const plan = planRound(keeping, isCalm, this.#randomOf(round, 0));
    if (plan.moment === "start") await this.#killStart(plan);
    else {
      const server = await this.#startAndCheck();
      await this.#loadAndKill(server, round, plan);
    }
    await this.#keepCopy();
  }

  /**
   * Looks at what the last kill left.
   *
   * @throws {CrashFault} The server did what it must not do.
   */
  async finish(): Promise<void> {
    const server = await this.#startAndCheck();
    await this.#kill(server);
  }

  /** The number of the round that was played last. */
  get round(): number {
    return this.#round;
  }

  /** Ends the server if one runs, whatever happened. */
  async close(): Promise<void> {
    await this.#server?.kill();
  }

  /**
   * Writes down what is known, for people who look into the folder.
   *
   * @throws {Deno.errors.NotFound} The folder is gone.
   */
  async writeReport(fault: string): Promise<void> {
    const { folder } = this.#options;
    const lines = [
      fault,
      "",
      `settings: ${this.#settings.join(" ")}`,
      "",
      "log of the last server:",
    ];
    lines.push(...this.#log);
    lines.push(...describeWriters(this.#writers, this.#floors, this.#killedMs));
    await Deno.writeTextFile(`${folder}/report.txt`, lines.join("\n") + "\n");
  }

  #randomOf(round: number, user: number): RandomSource {
    const { seed, number } = this.#options;
    return new RandomSource(seed, (number * 100 + round) * 100 + user);
  }

  async #killStart({ fraction }: RoundPlan): Promise<void> {
    const { launch, tally, durations } = this.#options;
    const server = ServerProcess.spawn(launch, this.#dataFolder, this.#settings);
    this.#server = server;
    await sleep(fraction * durations.start.ms);
    if (server.hasEnded) {
      await this.#kill(server);
      throw new CrashFault("the server ended by itself while it started");
    }
    if (server.servedAfterMs === undefined) tally.hitStarts++;
    tally.kills++;
    await this.#kill(server);
  }

  async #startAndCheck(): Promise<ServerProcess> {
    const { launch, tally, durations } = this.#options;
    const began = performance.now();
    const server = await ServerProcess.start(launch, this.#dataFolder, this.#settings)
      .catch((error) => {
        if (!(error instanceof StartError)) throw error;
        this.#log = error.log;
        throw new CrashFault(`${error.message}:\n${error.log.slice(-20).join("\n")}`);
      });
    this.#server = server;
    tally.startsMs.push(performance.now() - began);
    if (server.servedAfterMs !== undefined) durations.start.note(server.servedAfterMs);
    await patiently("reading all keys", this.#check(server));
    return server;
  }

  async #check(server: ServerProcess): Promise<void> {
    const writers = this.#writers;
    const { survived, shown } = await inspect(server, writers, this.#floors, this.#killedMs);
    for (const writer of writers) {
      this.#noteSurvival(writer, survived[writer.number], this.#floors[writer.number]);
      writer.restFrom(shown[writer.number]);
    }
    this.#floors = Array(WRITERS).fill(0);
    this.#options.tally.checks++;
  }

  #noteSurvival(writer: Writer, survived: number, floor: number): void {
    const { tally } = this.#options;
    const { acknowledged, operations } = writer;
    tally.promised += floor;
    tally.survivedInFlight += Math.max(0, survived - acknowledged);
    if (survived >= acknowledged || !this.#isLossCounted) return;
    const firstLost = operations[survived].acknowledgedMs!;
    tally.noteLoss(acknowledged - survived, Math.max(0, this.#killedMs - firstLost));
  }

  async #loadAndKill(server: ServerProcess, round: number, plan: RoundPlan): Promise<void> {
    const { keeping, isCalm, tally, durations } = this.#options;
    const before = await lastIncrement(this.#dataFolder);
    const load = await Load.begin({
      server,
      writers: this.#writers,
      plan,
      keeping,
      isCalm,
      durations,
      randomOf: (participant) => this.#randomOf(round, 1 + participant),
    });
    await load.untilKill();

    const endedBefore = server.hasEnded;
    this.#killedMs = Date.now();
    const killing = this.#kill(server);
    load.countHits(tally);
    tally.kills++;
    const [floors] = await Promise.all([load.finish(this.#killedMs), killing]);
    this.#floors = floors;
    this.#isLossCounted = keeping !== "snapshots" && !load.isSuspended;
    for (const { operations, acknowledged } of this.#writers) {
      tally.acknowledged += acknowledged;
      tally.inFlight += operations.length - acknowledged;
    }
    if (endedBefore) throw new CrashFault("the server ended by itself");
    if (load.fault !== undefined) throw new CrashFault(load.fault);
    await this.#damage(before, plan, this.#randomOf(round, 90));
  }

  /** Ends a server and reads its log. */
  async #kill(server: ServerProcess): Promise<void> {
    await server.kill();
    this.#server = undefined;
    this.#log = server.log;
    await Deno.writeTextFile(`${this.#options.folder}/server.log`, server.log.join("\n") + "\n\n", {
      append: true,
    });
    if (tellsOfTruncation(server.log)) this.#options.tally.truncatedStarts++;
    const bad = badLine(server.log);
    if (bad !== undefined) throw new CrashFault(`the log says: ${bad}`);
  }

  /** Tears the file's end off or plays a fault, both only in what this round has written. */
  async #damage(
    before: Increment | undefined,
    plan: RoundPlan,
    random: RandomSource,
  ): Promise<void> {
    const { sabotage: kind, tally } = this.#options;
    if (kind === undefined && !plan.isTorn) return;
    const increment = await lastIncrement(this.#dataFolder);
    if (increment === undefined) return;
    const from = increment.path === before?.path ? before.sizeBytes : 0;
    const bytes = await Deno.readFile(increment.path);
    const damaged = kind === undefined
      ? tear(bytes, from, random, this.#options.sparesTransactions)
      : sabotage(kind, bytes, from, random);
    if (damaged === undefined || damaged.length === bytes.length) return;
    await Deno.writeFile(increment.path, damaged);
    if (kind !== undefined) tally.sabotaged++;
    else {
      tally.torn++;
      // Nothing but the order is promised for what a power cut left.
      this.#floors = Array(WRITERS).fill(0);
      this.#isLossCounted = false;
    }
  }

  /** Keeps what the next start will find, since that start may change it. */
  async #keepCopy(): Promise<void> {
    const copy = `${this.#options.folder}/crashed`;
    await Deno.remove(copy, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    await copyFolder(this.#dataFolder, copy);
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
