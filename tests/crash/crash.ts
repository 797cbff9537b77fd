/**
 * Kills a server again and again and checks what it finds afterwards; see the README beside it.
 *
 * @module
 */

import { type Program, runProgram } from "../support/command_line.ts";
import { type Sabotage, SABOTAGES } from "./damage.ts";
import type { Keeping } from "./durability.ts";
import { Durations } from "./durations.ts";
import { Life } from "./life.ts";
import { ROUNDS_PER_LIFE } from "./plan.ts";
import { describeFault, newFolder, playUntilStopped, type Run } from "./run.ts";
import { type Contender, CONTENDERS, type Launch, launchOf } from "./server_process.ts";
import { Tally } from "./tally.ts";

const USAGE = `deno run -A tests/crash/crash.ts [options]

  --rounds N          how many kills (1000)
  --seed S            what all is made up from (random)
  --fsync POLICY      always, everysec or no; snapshots for no append-only file at all
                      (without it, they take turns)
  --server WHICH      miniredis, from source or as the executable that MINIREDIS names; or redis
  --seconds N         ends after so many seconds, even if there were fewer kills
  --folder PATH       where the servers' folders are made (the system's temporary folder)
  --calm              nobody rewrites, saves, or switches the file off
  --life N            plays the life of this number alone, as a fault names it
  --sabotage FAULT    ${SABOTAGES.join(", ")}: damages the file after each kill,
                      to see that it is noticed
`;

/** Which policy a life has if none is asked for. */
const TURNS: readonly Keeping[] = ["always", "everysec", "always", "snapshots", "no"];
const ROUNDS_PER_LINE = 100;

interface Options {
  readonly rounds: number;
  readonly seed: number;
  readonly keeping: Keeping | undefined;
  readonly server: Contender;
  readonly seconds: number;
  readonly folder: string | undefined;
  readonly isCalm: boolean;
  readonly life: number | undefined;
  readonly sabotage: Sabotage | undefined;
}

/** A run: one life after the other. */
class Kills implements Run {
  readonly #options: Options;
  readonly #launch: Launch;
  readonly #tally = new Tally();
  readonly #durations = new Durations();
  readonly #began = performance.now();
  #isStopped = false;

  constructor(options: Options, launch: Launch) {
    this.#options = options;
    this.#launch = launch;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async play(): Promise<number> {
    const { rounds, life } = this.#options;
    let faults = 0;
    for (let number = life ?? 0; faults === 0 && !this.#isOver; number++) {
      const left = rounds - this.#tally.kills;
      if (!(await this.#playLife(number, Math.min(left, ROUNDS_PER_LIFE)))) faults++;
      if (life !== undefined) break;
    }
    console.log(`${this.#tally.report()}\n${this.#elapsedSeconds.toFixed(0)} s`);
    return faults === 0 ? 0 : 1;
  }

  get #elapsedSeconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  get #isOver(): boolean {
    const { rounds, seconds } = this.#options;
    return this.#isStopped || this.#tally.kills >= rounds || this.#elapsedSeconds >= seconds;
  }

  /** Plays a life; false if there was a fault. */
  async #playLife(number: number, rounds: number): Promise<boolean> {
    const { seed, sabotage, folder: parent } = this.#options;
    const keeping = this.#options.keeping ?? TURNS[number % TURNS.length];
    const folder = await newFolder(parent, "crash-");
    const tally = this.#tally;
    const life = new Life({
      launch: this.#launch,
      keeping,
      isCalm: this.#options.isCalm,
      seed,
      number,
      folder,
      sabotage,
      sparesTransactions: this.#options.server === "redis",
      tally,
      durations: this.#durations,
    });
    tally.lives++;
    try {
      await this.#playRounds(life, rounds);
    } catch (error) {
      await life.close();
      // An interrupt from the keyboard reaches the server, too, which then ends by itself.
      if (!this.#isStopped) {
        const fault = describeFault(error);
        await life.writeReport(fault);
        console.log(
          `\nFAILED with seed ${seed} in life ${number} (${keeping}), round ${life.round}:`,
        );
        console.log(`${fault}\n`);
        console.log(`What is left is in ${folder}: report.txt, server.log, data as it is now,`);
        console.log(`and crashed, as the kill left it.\n${this.#repetition(number)}\n`);
        return false;
      }
    }
    await Deno.remove(folder, { recursive: true });
    return true;
  }

  async #playRounds(life: Life, rounds: number): Promise<void> {
    const { roundsMs } = this.#tally;
    for (let round = 0; round < rounds && !this.#isOver; round++) {
      const began = performance.now();
      await life.playRound(round);
      roundsMs.push(performance.now() - began);
      if (this.#tally.kills % ROUNDS_PER_LINE === 0) this.#printProgress();
    }
    await life.finish();
  }

  #printProgress(): void {
    console.log(`${this.#tally.kills} kills, ${this.#elapsedSeconds.toFixed(0)} s`);
  }

  #repetition(life: number): string {
    const { server, seed, keeping, isCalm, sabotage } = this.#options;
    const words = [`--server ${server} --seed ${seed} --life ${life}`];
    if (keeping !== undefined) words.push(`--fsync ${keeping}`);
    if (isCalm) words.push("--calm");
    if (sabotage !== undefined) words.push(`--sabotage ${sabotage}`);
    return `The same again, with other timing: deno task crash ${words.join(" ")}`;
  }
}

async function run(options: Options): Promise<number> {
  const launch = await launchOf(options.server);
  console.log(`seed ${options.seed}, against ${launch.join(" ")}`);
  return await playUntilStopped(new Kills(options, launch));
}

const PROGRAM: Program<Options> = {
  usage: USAGE,
  texts: ["rounds", "seed", "fsync", "server", "seconds", "folder", "life", "sabotage"],
  flags: ["calm"],
  read: (given) => {
    const life = given.whole("life");
    return {
      rounds: given.whole("rounds") ?? (life === undefined ? 1000 : ROUNDS_PER_LIFE),
      seed: given.seed(),
      keeping: given.choice<Keeping>("fsync", ["always", "everysec", "no", "snapshots"]),
      server: given.choice("server", CONTENDERS) ?? "miniredis",
      seconds: given.whole("seconds") ?? Infinity,
      folder: given.text("folder"),
      isCalm: given.has("calm"),
      life,
      sabotage: given.choice("sabotage", SABOTAGES),
    };
  },
  run,
};

if (import.meta.main) Deno.exit(await runProgram(PROGRAM));
