/**
 * The benchmark: miniredis beside redis-server on the same machine, in interleaved rounds. Prints
 * tables of figures and their ratios, and writes them into the README of this folder.
 *
 * Run it with `make bench`, or `deno run -A tests/bench/bench.ts --help`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { Bench, Skip, type Suite } from "./bench_context.ts";
import { type BenchOptions, parseOptions, USAGE, UsageError } from "./options.ts";
import { replaceBlock } from "./report.ts";
import { appending } from "./suites/appending.ts";
import { churnSuite } from "./suites/churn.ts";
import { clientKeys } from "./suites/client_keys.ts";
import { clientPipe } from "./suites/client_pipe.ts";
import { compiled } from "./suites/compiled.ts";
import { connections } from "./suites/connections.ts";
import { eviction } from "./suites/eviction.ts";
import { expiry } from "./suites/expiry.ts";
import { fairness } from "./suites/fairness.ts";
import { idle } from "./suites/idle.ts";
import { latency } from "./suites/latency.ts";
import { loading } from "./suites/loading.ts";
import { memory } from "./suites/memory.ts";
import { monitor } from "./suites/monitor.ts";
import { noise } from "./suites/noise.ts";
import { pauses } from "./suites/pauses.ts";
import { publish } from "./suites/publish.ts";
import { replication } from "./suites/replication.ts";
import { snapshots } from "./suites/snapshots.ts";
import { throughput } from "./suites/throughput.ts";

const SUITES: readonly Suite[] = [
  throughput,
  latency,
  connections,
  memory,
  churnSuite,
  pauses,
  idle,
  fairness,
  publish,
  expiry,
  eviction,
  appending,
  snapshots,
  loading,
  replication,
  monitor,
  clientPipe,
  clientKeys,
  compiled,
  noise,
];

const README = fileURLToPath(new URL("./README.md", import.meta.url));

function chooseSuites(options: BenchOptions): readonly Suite[] {
  const known = new Map(SUITES.map((suite) => [suite.name, suite]));
  for (const name of options.suites) {
    if (!known.has(name)) {
      throw new UsageError(`no suite "${name}"; there are ${[...known.keys()].join(", ")}`);
    }
  }
  return options.suites.length === 0 ? SUITES : options.suites.map((name) => known.get(name)!);
}

/** Puts the figures into the README, in the form that the project's other pages have. */
async function writeBlock(name: string, block: string): Promise<void> {
  await Deno.writeTextFile(README, replaceBlock(await Deno.readTextFile(README), name, block));
  const args = ["fmt", "--quiet", README];
  await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
}

/**
 * Runs one suite, prints what it found, and keeps it in the README.
 *
 * @returns whether it ran or was skipped, rather than failed
 */
async function runSuite(bench: Bench, suite: Suite): Promise<boolean> {
  bench.say(`${suite.name}: ${suite.summary}`);
  let tables: string;
  try {
    tables = await suite.run(bench);
  } catch (error) {
    const skipped = error instanceof Skip;
    bench.say(`${suite.name} ${skipped ? "skipped" : "failed"}: ${(error as Error).message}`);
    return skipped;
  }
  const { rounds, secondsPerCell, quick, only } = bench.options;
  const method = `at most ${rounds} rounds, about ${secondsPerCell} s a run`;
  const block = `${tables}\n\n_${bench.facts}; ${method}._`;
  console.log(`\n## ${suite.name}\n\n${block}\n`);
  if (!quick && only === null) await writeBlock(suite.name, block);
  return true;
}

async function main(): Promise<number> {
  const options = parseOptions(Deno.args);
  if (options === null) {
    const list = SUITES.map(({ name, summary }) => `  ${name.padEnd(14)}${summary}`);
    console.log(`${USAGE}\nsuites:\n${list.join("\n")}`);
    return 0;
  }
  const suites = chooseSuites(options);
  const bench = await Bench.prepare(options);
  let interruption: Promise<never> | undefined;
  const interrupt = () => interruption ??= bench.stopAll().then(() => Deno.exit(130));
  Deno.addSignalListener("SIGINT", interrupt);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", interrupt);
  let failures = 0;
  for (const suite of suites) {
    if (!await runSuite(bench, suite)) failures++;
    if (interruption) await interruption; // the suite failed because its servers were taken away
  }
  return failures === 0 ? 0 : 1;
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`bench: ${error.message}`);
    Deno.exit(2);
  }
}
