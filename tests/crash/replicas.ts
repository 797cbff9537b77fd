/**
 * Kills nodes of a master with replicas again and again, and checks that nothing is lost that WAIT
 * has confirmed; see the README beside it.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { choice, whole } from "./command_line.ts";
import { CrashFault } from "./crash_fault.ts";
import { launchesOfNodes, Life } from "./replicas/life.ts";
import { ROUNDS_PER_LIFE } from "./replicas/plan.ts";
import { Tally } from "./replicas/tally.ts";
import { type Contender, type Launch, launchOf } from "./server_process.ts";

const USAGE = `deno run -A tests/crash/replicas.ts [options]

  --rounds N          how many kills (200)
  --seed S            what all is made up from (random)
  --server WHICH      miniredis, from source or as the executable that MINIREDIS names; redis; or
                      mixed for both in one group, of which miniredis is two nodes
  --seconds N         ends after so many seconds, even if there were fewer kills
  --folder PATH       where the servers' folders are made (the system's temporary folder)
  --life N            plays the life of this number alone, as a fault names it
  --promote-least     promotes the survivor that has got least far, to see that the loss is noticed
`;

/** Which servers make up a group. */
const MEMBERS: Readonly<Record<string, readonly Contender[]>> = {
  miniredis: ["miniredis"],
  redis: ["redis"],
  mixed: ["miniredis", "redis"],
};

const ROUNDS_PER_LINE = 20;

interface Options {
  readonly rounds: number;
  readonly seed: number;
  readonly server: string;
  readonly seconds: number;
  readonly folder: string | undefined;
  readonly life: number | undefined;
  readonly promotesLeast: boolean;
}

function readOptions(args: readonly string[]): Options | undefined {
  const given = parseArgs(args, {
    string: ["rounds", "seed", "server", "seconds", "folder", "life"],
    boolean: ["help", "promote-least"],
    unknown: (argument) => {
      throw new Error(`${argument} is unknown; --help tells what there is`);
    },
  });
  if (given.help === true) return undefined;
  const text = (name: string): string | undefined => {
    const value = given[name];
    return typeof value === "string" ? value : undefined;
  };
  const number = (name: string): number | undefined => {
    const value = text(name);
    return value === undefined ? undefined : whole(name, value);
  };
  const life = number("life");
  return {
    rounds: number("rounds") ?? (life === undefined ? 200 : ROUNDS_PER_LIFE),
    seed: number("seed") ?? crypto.getRandomValues(new Uint32Array(1))[0],
    server: choice("server", text("server") ?? "miniredis", Object.keys(MEMBERS)),
    seconds: number("seconds") ?? Infinity,
    folder: text("folder"),
    life,
    promotesLeast: given["promote-least"] === true,
  };
}

/** A run: one group after the other. */
class Run {
  readonly #options: Options;
  readonly #launches: readonly Launch[];
  readonly #tally = new Tally();
  readonly #began = performance.now();
  #isStopped = false;

  constructor(options: Options, launches: readonly Launch[]) {
    this.#options = options;
    this.#launches = launches;
  }

  /** Ends the run after the round that is being played. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Plays all rounds; returns the exit code. */
  async play(): Promise<number> {
    const { rounds, life } = this.#options;
    let isWell = true;
    for (let number = life ?? 0; isWell && !this.#isOver; number++) {
      const left = rounds - this.#tally.allKills;
      isWell = await this.#playLife(number, Math.min(left, ROUNDS_PER_LIFE));
      if (life !== undefined) break;
    }
    const end = isWell ? "confirmed and lost: 0" : "FAILED, see above";
    console.log(`${this.#tally.report()}\n${end}, ${this.#elapsedSeconds.toFixed(0)} s`);
    return isWell ? 0 : 1;
  }

  get #elapsedSeconds(): number {
    return (performance.now() - this.#began) / 1000;
  }

  get #isOver(): boolean {
    const { rounds, seconds } = this.#options;
    return this.#isStopped || this.#tally.allKills >= rounds || this.#elapsedSeconds >= seconds;
  }

  /** Plays a life; false if there was a fault. */
  async #playLife(number: number, rounds: number): Promise<boolean> {
    const { seed, promotesLeast, folder: dir } = this.#options;
    if (dir !== undefined) await Deno.mkdir(dir, { recursive: true });
    const folder = await Deno.realPath(await Deno.makeTempDir({ dir, prefix: "crash-replicas-" }));
    const tally = this.#tally;
    tally.lives++;
    const launches = launchesOfNodes(this.#launches);
    let life: Life | undefined;
    try {
      life = await Life.begin({ launches, seed, number, folder, promotesLeast, tally });
      await this.#playRounds(life, rounds);
      await life.close();
    } catch (error) {
      await life?.close();
      // An interrupt from the keyboard reaches the servers, too, which then end by themselves.
      if (!this.#isStopped) {
        const fault = error instanceof CrashFault ? error.message : String((error as Error).stack);
        await life?.writeReport(fault);
        console.log(`\nFAILED with seed ${seed} in life ${number}, round ${life?.round}:`);
        console.log(`${fault}\n`);
        console.log(`What is left is in ${folder}: report.txt, and each node's log and data.`);
        console.log(`${this.#repetition(number)}\n`);
        return false;
      }
    }
    await Deno.remove(folder, { recursive: true });
    return true;
  }

  async #playRounds(life: Life, rounds: number): Promise<void> {
    for (let round = 0; round < rounds && !this.#isOver; round++) {
      await life.playRound(round);
      if (this.#tally.allKills % ROUNDS_PER_LINE === 0) {
        console.log(`${this.#tally.allKills} kills, ${this.#elapsedSeconds.toFixed(0)} s`);
      }
    }
    await life.finish();
  }

  #repetition(life: number): string {
    const { server, seed } = this.#options;
    const words = `--server ${server} --seed ${seed} --life ${life}`;
    return `The same again, with other timing: deno task crash-replicas ${words}`;
  }
}

async function main(): Promise<number> {
  let options: Options | undefined;
  try {
    options = readOptions(Deno.args);
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  const launches = await Promise.all(MEMBERS[options.server].map(launchOf));
  console.log(
    `seed ${options.seed}, against ${launches.map((words) => words.join(" ")).join(", ")}`,
  );
  const run = new Run(options, launches);
  // So that no server is left behind.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => run.stop());
  }
  return await run.play();
}

if (import.meta.main) Deno.exit(await main());
