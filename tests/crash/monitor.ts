/**
 * Kills or stops the master behind a monitor, and has the monitor change it, again and again, while clients
 * work; see the README beside it.
 *
 * @module
 */

import { type Program, runProgram } from "../support/command_line.ts";
import { programWords } from "../support/program.ts";
import { MonitoredGroup } from "./monitor/monitored_group.ts";
import { Tally } from "./monitor/tally.ts";
import { describeFault, newFolder, playUntilStopped, type Run } from "./run.ts";
import { type Contender, CONTENDERS, type Launch, launchOf } from "./server_process.ts";

const USAGE = `deno run -A tests/crash/monitor.ts [options]

  --kills N           how many kills of the master (200)
  --stops N           how many masters are stopped (SIGSTOP) until another one is there (20)
  --switches N        how many SENTINEL FAILOVER (100)
  --seed S            what all is made up from (random)
  --server WHICH      the nodes: miniredis, from source or as the executable that MINIREDIS names;
                      or redis
  --down-after-ms N   after which silence the monitor takes a node for dead (1000)
  --folder PATH       where the servers' folders are made (the system's temporary folder)
`;

/** A run that fails again and again is over. */
const MOST_FAULTS = 10;

interface Options {
  readonly kills: number;
  readonly stops: number;
  readonly switches: number;
  readonly seed: number;
  readonly server: Contender;
  readonly downAfterMs: number;
  readonly folder: string | undefined;
}

/** How to start what takes part. */
interface Launches {
  readonly launch: Launch;
  readonly monitorLaunch: Launch;
}

/** A run: one group, and another one after each fault. */
class MasterChanges implements Run {
  readonly #options: Options;
  readonly #launches: Launches;
  readonly #tally: Tally;
  readonly #began = performance.now();
  #isStopped = false;

  constructor(options: Options, launches: Launches) {
    this.#options = options;
    this.#launches = launches;
    this.#tally = new Tally(options.downAfterMs);
  }

  stop(): void {
    this.#isStopped = true;
  }

  async play(): Promise<number> {
    const tally = this.#tally;
    while (!this.#isOver) {
      const before = tally.changes;
      await this.#playGroup(tally.groups++);
      // Nothing becomes better by trying again what doesn't even begin.
      if (tally.changes === before) break;
    }
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(0);
    const { text, passed, missed } = tally.report();
    const failed = missed + tally.faults.length;
    for (const fault of tally.faults) console.log(fault);
    console.log(`\n${text}\n\n${seconds} s\n${passed} passed, ${failed} failed`);
    return failed > 0 ? 1 : 0;
  }

  get #isOver(): boolean {
    const { kills, stops, switches } = this.#options;
    const { changes, faults } = this.#tally;
    return this.#isStopped || changes >= kills + stops + switches || faults.length >= MOST_FAULTS;
  }

  /** Plays until all is over or something is wrong. */
  async #playGroup(number: number): Promise<void> {
    const { seed, downAfterMs, folder: parent } = this.#options;
    const folder = await newFolder(parent, "crash-monitor-");
    const tally = this.#tally;
    let group: MonitoredGroup | undefined;
    try {
      const given = { seed, number, downAfterMs, folder, tally };
      group = await MonitoredGroup.begin({ ...given, ...this.#launches });
      while (!this.#isOver) {
        await this.#change(group);
        console.log(tally.lastChange);
      }
      await group.finish();
      await group.close();
    } catch (error) {
      const complaints = group?.complaints();
      await group?.close();
      // An interrupt from the keyboard reaches the servers, too, which then end by themselves.
      if (this.#isStopped) return;
      const fault = [describeFault(error), ...complaints === undefined ? [] : [complaints]].join(
        "\n",
      );
      const where = `seed ${seed}, group ${number}, change ${tally.changes}`;
      console.log(`\nNOT CLEAN: ${where}:\n${fault}\nWhat is left is in ${folder}: the logs.\n`);
      tally.faults.push(`${where}: ${fault.split("\n", 2).join(" ")}`);
      return;
    }
    await Deno.remove(folder, { recursive: true });
  }

  /** The kills come first, then those that are stopped. */
  async #change(group: MonitoredGroup): Promise<void> {
    const tally = this.#tally;
    if (tally.kills < this.#options.kills) {
      tally.kills++;
      await group.killMaster();
    } else if (tally.stops < this.#options.stops) {
      tally.stops++;
      await group.stopMaster();
    } else {
      tally.switches++;
      await group.switchMaster();
    }
  }
}

async function run(options: Options): Promise<number> {
  const launch = await launchOf(options.server);
  const monitorLaunch = [...await programWords(), "monitor"];
  console.log(`seed ${options.seed}, against ${launch.join(" ")}`);
  return await playUntilStopped(new MasterChanges(options, { launch, monitorLaunch }));
}

const PROGRAM: Program<Options> = {
  usage: USAGE,
  texts: ["kills", "stops", "switches", "seed", "server", "down-after-ms", "folder"],
  flags: [],
  read: (given) => ({
    kills: given.whole("kills") ?? 200,
    stops: given.whole("stops") ?? 20,
    switches: given.whole("switches") ?? 100,
    seed: given.seed(),
    server: given.choice("server", CONTENDERS) ?? "miniredis",
    downAfterMs: given.whole("down-after-ms") ?? 1000,
    folder: given.text("folder"),
  }),
  run,
};

if (import.meta.main) Deno.exit(await runProgram(PROGRAM));
