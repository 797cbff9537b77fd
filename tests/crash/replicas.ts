/**
 * Kills nodes of a master with replicas again and again, and checks that nothing is lost that WAIT
 * has confirmed; see the README beside it.
 *
 * @module
 */

import { type Program, runProgram } from "../support/command_line.ts";
import { launchesOfNodes, Life } from "./replicas/life.ts";
import { ROUNDS_PER_LIFE } from "./replicas/plan.ts";
import { Tally } from "./replicas/tally.ts";
import { describeFault, newFolder, playUntilStopped, type Run } from "./run.ts";
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

/** A run: one group after the other. */
class NodeKills implements Run {
  readonly #options: Options;
  readonly #launches: readonly Launch[];
  readonly #tally = new Tally();
  readonly #began = performance.now();
  #isStopped = false;

  constructor(options: Options, launches: readonly Launch[]) {
    this.#options = options;
    this.#launches = launches;
  }

  stop(): void {
    this.#isStopped = true;
  }

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
    const { seed, promotesLeast, folder: parent } = this.#options;
    const folder = await newFolder(parent, "crash-replicas-");
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
        const fault = describeFault(error);
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

async function run(options: Options): Promise<number> {
  const launches = await Promise.all(MEMBERS[options.server].map(launchOf));
  console.log(
    `seed ${options.seed}, against ${launches.map((words) => words.join(" ")).join(", ")}`,
  );
  return await playUntilStopped(new NodeKills(options, launches));
}

const PROGRAM: Program<Options> = {
  usage: USAGE,
  texts: ["rounds", "seed", "server", "seconds", "folder", "life"],
  flags: ["promote-least"],
  read: (given) => {
    const life = given.whole("life");
    return {
      rounds: given.whole("rounds") ?? (life === undefined ? 200 : ROUNDS_PER_LIFE),
      seed: given.seed(),
      server: given.choice("server", Object.keys(MEMBERS)) ?? "miniredis",
      seconds: given.whole("seconds") ?? Infinity,
      folder: given.text("folder"),
      life,
      promotesLeast: given.has("promote-least"),
    };
  },
  run,
};

if (import.meta.main) Deno.exit(await runProgram(PROGRAM));
