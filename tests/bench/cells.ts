/**
 * Cells: one workload measured on two servers in interleaved rounds.
 *
 * A round runs every cell once on each server, and the server that goes first changes from round
 * to round. So a neighbour on the machine, a clock that slows down or a heap that grows hits both
 * sides alike, and the ratio of a pair is steadier than either of its figures.
 *
 * @module
 */

import type { Bench } from "./bench_context.ts";
import type { RunningServer } from "./contender.ts";
import { fill } from "./loader.ts";
import {
  KEYSPACE,
  type LoadGenerator,
  type Workload,
  type WorkloadFigures,
} from "./redis_benchmark.ts";
import {
  formatNumber,
  formatThousands,
  type Goal,
  markdownTable,
  MISSING,
  ratioCells,
  ratioOfMedians,
} from "./report.ts";
import { geometricMean, summarize } from "./statistics.ts";

/** A workload with its name and what is asked of the ratio to the reference. */
export interface Cell extends Workload {
  /** Its name in the tables. */
  readonly label: string;
  /** Asked of the ratio of requests per second. */
  readonly throughputGoal?: Goal;
  /** Asked of the ratio of processor time per request. */
  readonly cpuGoal?: Goal;
  /** Asked of the ratio of the 99th percentiles of latency. */
  readonly p99Goal?: Goal;
  /** Who makes the load where redis-benchmark can't. */
  readonly generator?: LoadGenerator;
  /** Puts the server into the state that a run of so many requests starts from; not measured. */
  prepare?(server: RunningServer, requests: number): Promise<void>;
}

/** What one run of a cell on one server gave. */
export interface Sample extends WorkloadFigures {
  /** Processor time of the server per request; null where the system doesn't tell. */
  readonly cpuMicroseconds: number | null;
}

/** A cell with its samples, one list per server, one sample per round. */
export interface MeasuredCell {
  /** What was measured. */
  readonly cell: Cell;
  /** The samples of each server, in the order of the rounds. */
  readonly samples: readonly (readonly Sample[])[];
}

const FIRST_GUESS_REQUESTS = 20_000;
const FILL_SHAPE = { connections: 8, pipeline: 200 };

/**
 * Fills `servers` with every key that the workloads draw from, so that each GET finds one; values have 64 bytes, or as
 * many as are said.
 */
export async function fillKeyspace(
  servers: readonly RunningServer[],
  valueBytes?: number,
  keyspace = KEYSPACE,
): Promise<void> {
  for (const server of servers) {
    await fill(server.port, 0, keyspace, FILL_SHAPE, valueBytes);
    const size = await server.command("DBSIZE");
    if (size !== String(keyspace)) {
      throw new Error(`${server.name} holds ${size} keys after a fill`);
    }
  }
}

/** Runs one cell on one server and sets the server's processor time against it. */
async function runCell(
  generator: LoadGenerator,
  server: RunningServer,
  cell: Cell,
  requests: number,
): Promise<Sample> {
  await cell.prepare?.(server, requests);
  const before = server.cpuMicroseconds();
  const figures = await (cell.generator ?? generator).run(server.port, cell, requests);
  const after = server.cpuMicroseconds();
  const cpuMicroseconds = before === null || after === null ? null : (after - before) / requests;
  return { ...figures, cpuMicroseconds };
}

/**
 * How many requests make a run of the length asked for. All servers get the same number, that of
 * their mean rate. What it runs to find out also warms them up.
 */
export async function chooseRequests(
  generator: LoadGenerator,
  servers: readonly RunningServer[],
  cell: Cell,
  seconds: number,
): Promise<number> {
  const load = cell.generator ?? generator;
  let requests = FIRST_GUESS_REQUESTS;
  for (const share of [0.5, 1]) {
    let rates = 0;
    for (const server of servers) {
      await cell.prepare?.(server, requests);
      rates += (await load.run(server.port, cell, requests)).requestsPerSecond;
    }
    requests = Math.ceil(rates / servers.length * seconds * share);
  }
  return requests;
}

/** Measures `cells` on `servers` in the rounds that the options ask for. */
export async function measureCells(
  bench: Bench,
  servers: readonly RunningServer[],
  cells: readonly Cell[],
): Promise<MeasuredCell[]> {
  const generator = bench.requireBenchmark();
  const { rounds, secondsPerCell } = bench.options;
  const plans = [];
  for (const cell of cells) {
    const requests = await chooseRequests(generator, servers, cell, secondsPerCell);
    plans.push({ cell, requests, samples: servers.map((): Sample[] => []) });
  }
  for (let round = 0; round < rounds; round++) {
    bench.say(`  round ${round + 1} of ${rounds}`);
    for (const plan of plans) {
      for (const index of alternatingOrder(servers.length, round)) {
        plan.samples[index].push(
          await runCell(generator, servers[index], plan.cell, plan.requests),
        );
      }
    }
  }
  return plans;
}

/** 0, 1, ... in even rounds, and backwards in odd ones. */
export function alternatingOrder(count: number, round: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  return round % 2 === 0 ? order : order.reverse();
}

/** The ratios of the first server to the second, one row a cell. */
export function ratioTable(measured: readonly MeasuredCell[]): string {
  const headings = ["ratio", "throughput", "its rounds", "CPU", "its rounds", "p99", "its rounds"];
  const rows = measured.map(({ cell, samples: [ours, theirs = []] }) => {
    const ratioAndSpread = (figure: (sample: Sample) => number | null, goal: Goal | undefined) =>
      ratioCells(ours.map(figure), theirs.map(figure), goal);
    return [
      cell.label,
      ...ratioAndSpread((sample) => sample.requestsPerSecond, cell.throughputGoal),
      ...ratioAndSpread((sample) => sample.cpuMicroseconds, cell.cpuGoal),
      ...ratioAndSpread((sample) => sample.p99Ms, cell.p99Goal),
    ];
  });
  return markdownTable(headings, rows);
}

/** The figures that the ratios come from, one row a cell and server. */
export function sampleTable(
  measured: readonly MeasuredCell[],
  servers: readonly RunningServer[],
): string {
  const headings = [
    "test",
    "server",
    "req/s",
    "min..max",
    "quartiles",
    "CPU us/req",
    "p50 ms",
    "p99 ms",
  ];
  const rows = measured.flatMap(({ cell, samples }) =>
    servers.map(({ name }, index) => {
      const medianOf = (figure: (sample: Sample) => number | null) => {
        const values = samples[index].map(figure).filter((value) => value !== null);
        return values.length === 0 ? MISSING : formatNumber(summarize(values).median);
      };
      const rate = summarize(samples[index].map((sample) => sample.requestsPerSecond));
      return [
        cell.label,
        name,
        formatThousands(rate.median),
        `${formatThousands(rate.min)}..${formatThousands(rate.max)}`,
        `${formatThousands(rate.lowerQuartile)}..${formatThousands(rate.upperQuartile)}`,
        medianOf((sample) => sample.cpuMicroseconds),
        medianOf((sample) => sample.p50Ms),
        medianOf((sample) => sample.p99Ms),
      ];
    })
  );
  return markdownTable(headings, rows, 2);
}

/** Measures `cells` on the contenders and shows ratios and figures. */
export async function measureAndShow(
  bench: Bench,
  cells: readonly Cell[],
  contenders = bench.contenders,
): Promise<string> {
  const { tables } = await measureFilled(bench, cells, contenders);
  return tables;
}

/** As {@linkcode measureAndShow}, with the samples besides the tables; keys have values of `valueBytes`. */
export async function measureFilled(
  bench: Bench,
  cells: readonly Cell[],
  contenders = bench.contenders,
  valueBytes?: number,
): Promise<{ measured: readonly MeasuredCell[]; tables: string }> {
  bench.requireBenchmark();
  return await bench.withServers(contenders, async (servers) => {
    await fillKeyspace(servers, valueBytes);
    const measured = await measureCells(bench, servers, cells);
    return { measured, tables: `${ratioTable(measured)}\n\n${sampleTable(measured, servers)}` };
  });
}

/** The geometric mean, over `measured`, of the ratios of the medians of a figure; null if one is missing. */
export function meanRatio(
  measured: readonly MeasuredCell[],
  figure: (sample: Sample) => number | null,
): number | null {
  const ratios = measured.map(({ samples: [ours, theirs = []] }) =>
    ratioOfMedians(ours.map(figure), theirs.map(figure))
  );
  if (ratios.includes(null) || ratios.length === 0) return null;
  return geometricMean(ratios as number[]);
}
