/**
 * Looks for reads through a monitor that don't show what the same client has written before, while
 * replicas are late; see the README beside it.
 *
 * @module
 */

import { RandomSource } from "../fuzz/random_source.ts";
import { type Program, runProgram } from "../support/command_line.ts";
import { programWords } from "../support/program.ts";
import { type Disturbances, LaggingGroup } from "./monitor/lagging_group.ts";
import { PairClient, type PairStyle, PairTally } from "./monitor/pair_client.ts";
import { describeFault, newFolder, playUntilStopped, type Run } from "./run.ts";
import { type Contender, CONTENDERS, type Launch, launchOf } from "./server_process.ts";

const USAGE = `deno run -A tests/crash/stale_reads.ts [options]

  --pairs N           how many writes, each with a read behind it (1000000)
  --seed S            what all is made up from (random)
  --server WHICH      the nodes: miniredis, from source or as the executable that MINIREDIS names;
                      or redis
  --consistency WHAT  of the monitor; with eventual, stale reads have to be found (read-your-writes)
  --folder PATH       where the servers' folders are made (the system's temporary folder)
`;

const CONSISTENCIES = ["read-your-writes", "strong", "eventual"] as const;

/**
 * How clients send. Each style has the same share of the pairs: those that read at once read from the
 * master, and those that rest read more from the replicas.
 */
const STYLES: readonly PairStyle[] = [
  { clients: 5, pairs: 1, restMs: undefined },
  { clients: 5, pairs: 8, restMs: undefined },
  { clients: 5, pairs: 32, restMs: undefined },
  { clients: 5, pairs: 1, restMs: 0 },
  { clients: 10, pairs: 1, restMs: 3 },
  { clients: 10, pairs: 4, restMs: 20 },
  { clients: 20, pairs: 16, restMs: 200 },
];
const PROGRESS_MS = 10_000;
/** Without a pair for so long, it has come to a standstill. */
const STANDSTILL_MS = 30_000;

interface Options {
  readonly pairs: number;
  readonly seed: number;
  readonly server: Contender;
  readonly consistency: typeof CONSISTENCIES[number];
  readonly folder: string | undefined;
}

/** How to start what takes part. */
interface Launches {
  readonly launch: Launch;
  readonly monitorLaunch: Launch;
}

/** A run. */
class PairRun implements Run {
  readonly #options: Options;
  readonly #launches: Launches;
  readonly #tally = new PairTally();
  readonly #began = performance.now();
  #isStopped = false;
  #usesScripts = false;

  constructor(options: Options, launches: Launches) {
    this.#options = options;
    this.#launches = launches;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async play(): Promise<number> {
    const { seed, consistency } = this.#options;
    const folder = await newFolder(this.#options.folder, "stale-reads-");
    let group: LaggingGroup | undefined;
    try {
      const random = new RandomSource(seed, 0);
      group = await LaggingGroup.begin({ ...this.#launches, folder, consistency, random });
      await this.#playPairs(group);
      this.#report(group.disturbances, await group.reads());
    } catch (error) {
      console.log(describeFault(error));
      this.#tally.noteError("the run has failed");
    } finally {
      await group?.close();
    }
    const { pairs, stale, errors } = this.#tally;
    const isWell = errors === 0 && (consistency === "eventual" ? stale > 0 : stale === 0);
    if (isWell) await Deno.remove(folder, { recursive: true });
    else console.log(`What is left is in ${folder}: the logs.`);
    console.log(
      `${pairs} pairs, stale: ${stale}, errors: ${errors}\n${
        isWell ? "1 passed, 0 failed" : "0 passed, 1 failed"
      }`,
    );
    return isWell ? 0 : 1;
  }

  async #playPairs(group: LaggingGroup): Promise<void> {
    this.#usesScripts = await group.knowsScripts();
    let number = 0;
    const shares: Promise<unknown>[] = [];
    for (const style of STYLES) shares.push(this.#playStyle(group, style, number += style.clients));
    let isOver = false;
    const disturbing = group.disturb(() => isOver);
    const watched = this.#watched();
    try {
      await Promise.race([watched.standstill, Promise.all(shares)]);
    } finally {
      isOver = true;
      watched.end();
      await disturbing;
    }
  }

  /** One style's share of the pairs; its clients count from a number of their own. */
  async #playStyle(group: LaggingGroup, style: PairStyle, first: number): Promise<void> {
    const clients = await Promise.all(Array.from({ length: style.clients }, async (_, index) => {
      const random = new RandomSource(this.#options.seed, 1 + first + index);
      const client = await group.connect();
      const scripts = this.#usesScripts;
      return new PairClient(client, first + index, style, random, this.#tally, scripts);
    }));
    const share = this.#options.pairs / STYLES.length;
    const isOver = () =>
      this.#isStopped || clients.reduce((sum, { pairs }) => sum + pairs, 0) >= share;
    await Promise.all(clients.map((client) => client.run(isOver)));
  }

  /** Tells how far it has got, now and then; rejects when it gets no further. */
  #watched(): { readonly standstill: Promise<never>; readonly end: () => void } {
    let timer: ReturnType<typeof setInterval> | undefined;
    const standstill = new Promise<never>((_, reject) => {
      let [last, sinceMs] = [-1, performance.now()];
      timer = setInterval(() => {
        const { pairs, stale, errors } = this.#tally;
        console.log(`${this.#seconds} s: ${pairs} pairs, stale: ${stale}, errors: ${errors}`);
        if (pairs !== last) [last, sinceMs] = [pairs, performance.now()];
        else if (performance.now() - sinceMs >= STANDSTILL_MS) reject(new Error("a standstill"));
      }, PROGRESS_MS);
    });
    standstill.catch(() => {}); // it may come when nobody waits any more
    return { standstill, end: () => clearInterval(timer) };
  }

  get #seconds(): string {
    return ((performance.now() - this.#began) / 1000).toFixed(0);
  }

  #report({ stops, delays, heldBytes }: Disturbances, reads: readonly number[]): void {
    const sum = reads.reduce((total, count) => total + count, 0);
    const [ofMaster, ...ofReplicas] = reads.map((count) => `${(100 * count / sum).toFixed(1)} %`);
    for (const example of this.#tally.examples) console.log(`  ${example}`);
    console.log(
      `${this.#seconds} s; replicas stopped ${stops} times, the delay of a link changed ${delays} times, ` +
        `${(heldBytes / 1e6).toFixed(1)} MB held\n` +
        `reads answered by the master ${ofMaster}, by the replicas ${ofReplicas.join(" and ")}`,
    );
  }
}

async function run(options: Options): Promise<number> {
  const launch = await launchOf(options.server);
  const monitorLaunch = [...await programWords(), "monitor"];
  console.log(`seed ${options.seed}, against ${launch.join(" ")}`);
  return await playUntilStopped(new PairRun(options, { launch, monitorLaunch }));
}

const PROGRAM: Program<Options> = {
  usage: USAGE,
  texts: ["pairs", "seed", "server", "consistency", "folder"],
  flags: [],
  read: (given) => ({
    pairs: given.whole("pairs") ?? 1_000_000,
    seed: given.seed(),
    server: given.choice("server", CONTENDERS) ?? "miniredis",
    consistency: given.choice("consistency", CONSISTENCIES) ?? "read-your-writes",
    folder: given.text("folder"),
  }),
  run,
};

if (import.meta.main) Deno.exit(await runProgram(PROGRAM));
