/**
 * How fast a master is written to whose replicas follow, and what a request costs on either side.
 *
 * The rate is the master's, as its clients see it. Replicas may be behind when the last request is
 * answered; how long until they have it all stands beside it, and the processor time is taken when
 * they have. Nobody may have been cut off for being too slow: a snapshot that a replica asked for
 * meanwhile fails the run.
 *
 * @module
 */

import type { Bench } from "../bench_context.ts";
import { alternatingOrder, chooseRequests, fillKeyspace } from "../cells.ts";
import type { ReplicaSet } from "../replica_set.ts";
import type { WorkloadFigures } from "../redis_benchmark.ts";
import {
  formatNumber,
  formatSpread,
  formatThousands,
  formatWithGoal,
  type Goal,
  markdownTable,
  ratioOfMedians,
  ratioSpread,
} from "../report.ts";
import { summarize } from "../statistics.ts";

const CELL = { label: "SET -P 16", test: "set", clients: 50, pipeline: 16, keepAlive: true };
/** Asked of the ratio of requests per second. */
const GOAL: Goal = { atLeast: 1 };

/** One run on one set. */
interface Sample extends WorkloadFigures {
  /** Processor time a request. */
  readonly masterMicroseconds: number | null;
  readonly replicaMicroseconds: number | null;
  /** From the last reply until all replicas have everything. */
  readonly behindMs: number;
}

async function runOnce(bench: Bench, set: ReplicaSet, requests: number): Promise<Sample> {
  const syncs = await set.fullSyncs();
  const before = set.cpuMicroseconds();
  const figures = await bench.requireBenchmark().run(set.master.port, CELL, requests);
  const behindMs = await set.converge();
  const after = set.cpuMicroseconds();
  await set.online();
  if (await set.fullSyncs() !== syncs) {
    throw new Error(`a replica of ${set.name} had to start over`);
  }
  const each = (side: "master" | "replica") =>
    before[side] === null || after[side] === null ? null : (after[side] - before[side]) / requests;
  return {
    ...figures,
    masterMicroseconds: each("master"),
    replicaMicroseconds: each("replica"),
    behindMs,
  };
}

function ratioTable([ours, theirs = []]: readonly (readonly Sample[])[]): string {
  const ratio = (figure: (sample: Sample) => number | null, goal?: Goal) =>
    formatWithGoal(ratioOfMedians(ours.map(figure), theirs.map(figure)), goal);
  const rate = ({ requestsPerSecond }: Sample) => requestsPerSecond;
  return markdownTable(
    ["ratio", "throughput", "its rounds", "master's CPU", "a replica's CPU", "p99"],
    [[
      CELL.label,
      ratio(rate, GOAL),
      ratioSpread(ours.map(rate), theirs.map(rate)),
      ratio((sample) => sample.masterMicroseconds),
      ratio((sample) => sample.replicaMicroseconds),
      ratio((sample) => sample.p99Ms),
    ]],
  );
}

function sampleTable(
  sets: readonly ReplicaSet[],
  samples: readonly (readonly Sample[])[],
): string {
  const rows = sets.map(({ name }, index) => {
    const spread = (figure: (sample: Sample) => number | null) =>
      formatSpread(samples[index].map(figure));
    const rate = summarize(samples[index].map(({ requestsPerSecond }) => requestsPerSecond));
    return [
      name,
      formatThousands(rate.median),
      `${formatThousands(rate.min)}..${formatThousands(rate.max)}`,
      spread((sample) => sample.masterMicroseconds),
      spread((sample) => sample.replicaMicroseconds),
      formatNumber(summarize(samples[index].map(({ p99Ms }) => p99Ms)).median),
      spread((sample) => sample.behindMs),
    ];
  });
  return markdownTable([
    "server",
    "req/s",
    "min..max",
    "master CPU us/req",
    "replica CPU us/req",
    "p99 ms",
    "replicas behind at the end ms",
  ], rows);
}

/** SET `-P 16` on the masters of `sets`, in interleaved rounds. */
export async function measureThroughput(
  bench: Bench,
  sets: readonly ReplicaSet[],
): Promise<string> {
  const masters = sets.map(({ master }) => master);
  await fillKeyspace(masters);
  const converge = () => Promise.all(sets.map((set) => set.converge()));
  await converge();
  const requests = await chooseRequests(
    bench.requireBenchmark(),
    masters,
    { ...CELL, prepare: async () => void await converge() },
    bench.options.secondsPerCell,
  );
  await converge();
  const samples = sets.map((): Sample[] => []);
  for (let round = 0; round < bench.options.rounds; round++) {
    bench.say(`  throughput, round ${round + 1} of ${bench.options.rounds}`);
    for (const index of alternatingOrder(sets.length, round)) {
      samples[index].push(await runOnce(bench, sets[index], requests));
    }
  }
  return `${ratioTable(samples)}\n\n${sampleTable(sets, samples)}`;
}
