/**
 * Kills the master of a group that Redis' own sentinels watch over, again and again; see the README
 * beside it.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { whyNoReference } from "../conformance/peers.ts";
import { choice, whole } from "./command_line.ts";
import { CrashFault } from "./crash_fault.ts";
import { type Contender, type Launch, launchOf } from "./server_process.ts";
import { SENTINEL_PROGRAM } from "./sentinels/sentinel.ts";
import { Tally } from "./sentinels/tally.ts";
import { WatchedGroup } from "./sentinels/watched_group.ts";

const USAGE = `deno run -A tests/crash/sentinels.ts [options]

  --kills N           how many kills of the master (20)
  --seed S            what all is made up from (random)
  --server WHICH      miniredis, from source or as the executable that MINIREDIS names; or redis
  --down-after-ms N   after which silence a sentinel takes a server for dead (2000)
  --folder PATH       where the servers' folders are made (the system's temporary folder)
`;

const CONTENDERS: readonly Contender[] = ["miniredis", "redis"];

interface Options {
  readonly kills: number;
  readonly seed: number;
  readonly server: Contender;
  readonly downAfterMs: number;
  readonly folder: string | undefined;
}

function readOptions(args: readonly string[]): Options | undefined {
  const given = parseArgs(args, {
    string: ["kills", "seed", "server", "down-after-ms", "folder"],
    boolean: ["help"],
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
  return {
    kills: number("kills") ?? 20,
    seed: number("seed") ?? crypto.getRandomValues(new Uint32Array(1))[0],
    server: choice("server", text("server") ?? "miniredis", CONTENDERS),
    downAfterMs: number("down-after-ms") ?? 2000,
    folder: text("folder"),
  };
}

/** A run: one group, and another one after each failover that wasn't clean. */
class Run {
  readonly #options: Options;
  readonly #launch: Launch;
  readonly #tally = new Tally();
  readonly #began = performance.now();
  #isStopped = false;

  constructor(options: Options, launch: Launch) {
    this.#options = options;
    this.#launch = launch;
  }

  /** Ends the run after the failover that is under way. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Plays all; returns the exit code. */
  async play(): Promise<number> {
    const tally = this.#tally;
    while (!this.#isOver) {
      const before = tally.kills;
      await this.#playGroup(tally.groups++);
      // Nothing becomes better by trying again what doesn't even begin.
      if (tally.kills === before) break;
    }
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(0);
    console.log(`${tally.report()}\n${seconds} s`);
    return tally.faults.length > 0 ? 1 : 0;
  }

  get #isOver(): boolean {
    return this.#isStopped || this.#tally.kills >= this.#options.kills;
  }

  /** Plays until all is over or something is wrong. */
  async #playGroup(number: number): Promise<void> {
    const { seed, downAfterMs, folder: dir } = this.#options;
    if (dir !== undefined) await Deno.mkdir(dir, { recursive: true });
    const folder = await Deno.realPath(await Deno.makeTempDir({ dir, prefix: "crash-sentinels-" }));
    const tally = this.#tally;
    let group: WatchedGroup | undefined;
    try {
      const launch = this.#launch;
      group = await WatchedGroup.begin({ launch, seed, number, folder, downAfterMs, tally });
      while (!this.#isOver) {
        await group.failOver();
        console.log(tally.lastFailover);
      }
      await group.close();
    } catch (error) {
      await group?.close();
      // An interrupt from the keyboard reaches the servers, too, which then end by themselves.
      if (this.#isStopped) return;
      const fault = error instanceof CrashFault ? error.message : String((error as Error).stack);
      const where = `seed ${seed}, group ${number}, kill ${tally.kills}`;
      console.log(`\nNOT CLEAN: ${where}: ${fault}\nWhat is left is in ${folder}: the logs.\n`);
      tally.faults.push(`${where}: ${fault.split("\n", 1)[0]}`);
      return;
    }
    await Deno.remove(folder, { recursive: true });
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
  const absence = await whyNoReference(SENTINEL_PROGRAM);
  if (absence !== undefined) {
    console.log(`no master is killed under sentinels: ${absence}`);
    return 0;
  }
  const launch = await launchOf(options.server);
  console.log(`seed ${options.seed}, against ${launch.join(" ")}`);
  const run = new Run(options, launch);
  // So that no server is left behind.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => run.stop());
  }
  return await run.play();
}

if (import.meta.main) Deno.exit(await main());
