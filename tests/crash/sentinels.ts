/**
 * Kills the master of a group that sentinels watch over, Redis' own or miniredis monitors among them,
 * again and again; see the README beside it.
 *
 * @module
 */

import { whyNoReference } from "../conformance/peers.ts";
import { type Program, runProgram } from "../support/command_line.ts";
import { describeFault, newFolder, playUntilStopped, type Run } from "./run.ts";
import { type Contender, CONTENDERS, type Launch, launchOf } from "./server_process.ts";
import { SENTINEL_PROGRAM } from "./sentinels/sentinel.ts";
import { Tally } from "./sentinels/tally.ts";
import { SENTINELS, WatchedGroup } from "./sentinels/watched_group.ts";

const USAGE = `deno run -A tests/crash/sentinels.ts [options]

  --kills N           how many kills of the master (20)
  --seed S            what all is made up from (random)
  --server WHICH      miniredis, from source or as the executable that MINIREDIS names; or redis
  --monitors N        how many of the three sentinels are miniredis monitors (0)
  --down-after-ms N   after which silence a sentinel takes a server for dead (2000)
  --folder PATH       where the servers' folders are made (the system's temporary folder)
`;

interface Options {
  readonly kills: number;
  readonly seed: number;
  readonly server: Contender;
  readonly monitors: number;
  readonly downAfterMs: number;
  readonly folder: string | undefined;
}

/** A run: one group, and another one after each failover that wasn't clean. */
class Failovers implements Run {
  readonly #options: Options;
  readonly #launch: Launch;
  readonly #tally = new Tally();
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
    const { seed, downAfterMs, monitors, folder: parent } = this.#options;
    const folder = await newFolder(parent, "crash-sentinels-");
    const tally = this.#tally;
    let group: WatchedGroup | undefined;
    try {
      const launch = this.#launch;
      const given = { seed, number, downAfterMs, monitors };
      group = await WatchedGroup.begin({ launch, folder, tally, ...given });
      while (!this.#isOver) {
        await group.failOver();
        console.log(tally.lastFailover);
      }
      await group.close();
    } catch (error) {
      await group?.close();
      // An interrupt from the keyboard reaches the servers, too, which then end by themselves.
      if (this.#isStopped) return;
      const fault = describeFault(error);
      const where = `seed ${seed}, group ${number}, kill ${tally.kills}`;
      console.log(`\nNOT CLEAN: ${where}: ${fault}\nWhat is left is in ${folder}: the logs.\n`);
      tally.faults.push(`${where}: ${fault.split("\n", 1)[0]}`);
      return;
    }
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(options: Options): Promise<number> {
  const absence = await whyNoReference(SENTINEL_PROGRAM);
  if (absence !== undefined) {
    console.log(`no master is killed under sentinels: ${absence}`);
    return 0;
  }
  const launch = await launchOf(options.server);
  const { seed, monitors } = options;
  console.log(
    `seed ${seed}, against ${launch.join(" ")}; monitors among the sentinels: ${monitors}`,
  );
  return await playUntilStopped(new Failovers(options, launch));
}

const PROGRAM: Program<Options> = {
  usage: USAGE,
  texts: ["kills", "seed", "server", "monitors", "down-after-ms", "folder"],
  flags: [],
  read: (given) => ({
    kills: given.whole("kills") ?? 20,
    seed: given.seed(),
    server: given.choice("server", CONTENDERS) ?? "miniredis",
    monitors: given.whole("monitors", SENTINELS) ?? 0,
    downAfterMs: given.whole("down-after-ms") ?? 2000,
    folder: given.text("folder"),
  }),
  run,
};

if (import.meta.main) Deno.exit(await runProgram(PROGRAM));
