/**
 * How long after a master's reply a replica shows what was written, while 50 clients write one
 * thing at a time as fast as they can; see `lag_probe.ts` for how it is felt.
 *
 * Each contender works at its own full speed. The lag "at rest" is that of the same probe while
 * nobody else writes: what sockets and scheduling alone do.
 *
 * @module
 */

import type { Bench } from "../bench_context.ts";
import { alternatingOrder } from "../cells.ts";
import type { LagReport } from "../lag_probe.ts";
import { lagDuring } from "../probe_process.ts";
import { ratedDuring } from "../rate.ts";
import type { Workload } from "../redis_benchmark.ts";
import type { ReplicaSet } from "../replica_set.ts";
import {
  type Figure,
  figureRatios,
  formatSpread,
  formatThousands,
  type Goal,
  markdownTable,
} from "../report.ts";
import { median } from "../statistics.ts";
import { pause } from "../timing.ts";

const LOAD: Workload = { test: "set", clients: 50, pipeline: 1, keepAlive: true };
const WARM_UP_MS = 500;
const REST_MS = 1_000;
const LOADED_MS = 4_000;
const QUICK_LOADED_MS = 1_000;
/** Asked of the ratio of the 99th percentiles. */
const GOAL: Goal = { atMost: 1.5 };

/** What a round on one set gave. */
interface Reading {
  readonly atRest: LagReport;
  readonly loaded: LagReport;
  /** What the master answered in a second meanwhile. */
  readonly requestsPerSecond: number;
}

async function measureRound(bench: Bench, set: ReplicaSet): Promise<Reading> {
  const { master, replicas: [replica] } = set;
  const lag = (load: () => Promise<void>) => lagDuring(master.port, replica.port, load);
  await set.converge();
  const atRest = await lag(() => pause(REST_MS));
  return await bench.requireBenchmark().during(master.port, LOAD, async () => {
    await pause(WARM_UP_MS);
    const loadedMs = bench.options.quick ? QUICK_LOADED_MS : LOADED_MS;
    let requestsPerSecond = NaN;
    const loaded = await lag(async () => {
      requestsPerSecond = (await ratedDuring(master, () => pause(loadedMs))).perSecond;
    });
    await set.online();
    return { atRest, loaded, requestsPerSecond };
  });
}

const FIGURES: readonly Figure<Reading>[] = [
  ["p99, from the master's reply", ({ loaded }) => loaded.fromReply.p99Ms, GOAL],
  ["p99, from sending", ({ loaded }) => loaded.fromSending.p99Ms],
  ["half, from sending", ({ loaded }) => loaded.fromSending.p50Ms],
  ["requests/s meanwhile", ({ requestsPerSecond }) => requestsPerSecond],
];

function readingTable(
  sets: readonly ReplicaSet[],
  readings: readonly (readonly Reading[])[],
): string {
  const rows = sets.map(({ name }, index) => {
    const spread = (figure: (reading: Reading) => number) =>
      formatSpread(readings[index].map(figure));
    return [
      name,
      formatThousands(median(readings[index].map((reading) => reading.requestsPerSecond))),
      spread(({ atRest }) => atRest.fromReply.p99Ms),
      spread(({ loaded }) => loaded.fromReply.p50Ms),
      spread(({ loaded }) => loaded.fromReply.p99Ms),
      spread(({ loaded }) => loaded.fromReply.longestMs),
      spread(({ loaded }) => loaded.fromSending.p50Ms),
      spread(({ loaded }) => loaded.fromSending.p99Ms),
      spread(({ loaded }) => loaded.count),
    ];
  });
  return markdownTable([
    "server",
    "SET -P 1 req/s",
    "at rest p99 ms",
    "from reply p50 ms",
    "p99 ms",
    "longest ms",
    "from sending p50 ms",
    "p99 ms",
    "probes",
  ], rows);
}

/** The lag of the first replica of each of `sets`, in interleaved rounds. */
export async function measureLag(bench: Bench, sets: readonly ReplicaSet[]): Promise<string> {
  const readings = sets.map((): Reading[] => []);
  for (let round = 0; round < bench.options.rounds; round++) {
    bench.say(`  lag, round ${round + 1} of ${bench.options.rounds}`);
    for (const index of alternatingOrder(sets.length, round)) {
      readings[index].push(await measureRound(bench, sets[index]));
    }
  }
  const ratios = figureRatios("ratio of lags", FIGURES, readings);
  return `${ratios}\n\n${readingTable(sets, readings)}`;
}
