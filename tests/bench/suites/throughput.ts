/**
 * Requests per second, processor time per request and latency.
 *
 * Two tables. **The default list** is what `redis-benchmark` measures if it isn't told otherwise, with its own values of 3
 * bytes, and XADD. Each run starts from the state that the name of its test promises: what is pushed or added goes to an empty
 * key, what is popped is there, and a range is read from a list that has it. **The plain commands** are measured at one
 * depth of pipeline more, with values of 64 bytes.
 *
 * @module
 */

import type { Bench, Suite } from "../bench_context.ts";
import { type Cell, meanRatio, type MeasuredCell, measureFilled } from "../cells.ts";
import { COLLECTIONS } from "../collection_loads.ts";
import type { RunningServer } from "../contender.ts";
import { drive, type LoadCommand } from "../loader.ts";
import { formatWithGoal } from "../report.ts";
import { pause } from "../timing.ts";

/** The least ratio of throughput asked for, by command and pipeline. */
const THROUGHPUT_GOALS: Record<string, Record<number, number>> = {
  set: { 1: 0.95, 16: 1.5, 64: 1.8 },
  get: { 1: 1.0, 16: 1.2, 64: 1.4 },
  incr: { 16: 1.3 },
  mset: { 16: 1.0 },
};

/** The highest ratio of processor time per request asked for, by pipeline. */
const CPU_GOALS: Record<number, number> = { 1: 1.2, 16: 0.85, 64: 0.75 };

/** `commands` at each of `pipelines` from 50 clients. */
export function throughputCells(commands: readonly string[], pipelines: readonly number[]): Cell[] {
  return commands.flatMap((test) =>
    pipelines.map((pipeline): Cell => {
      const leastThroughput = THROUGHPUT_GOALS[test]?.[pipeline];
      return {
        label: `${test.toUpperCase()} -P ${pipeline}`,
        test,
        clients: 50,
        pipeline,
        keepAlive: true,
        throughputGoal: leastThroughput === undefined ? undefined : { atLeast: leastThroughput },
        cpuGoal: { atMost: CPU_GOALS[pipeline] },
      };
    })
  );
}

const PREPARE_SHAPE = { connections: 4, pipeline: 100 };
/** Elements in a list of which ranges are read. */
const RANGED_ELEMENTS = 10_000;
/** As many bytes as redis-benchmark's values have by default. */
const DEFAULT_VALUE_BYTES = 3;
/** A server may go on freeing what was deleted for so long. */
const FREEING_MS = 400;

/** Empties a key, and waits until what it held is freed. */
async function empty(server: RunningServer, key: string): Promise<void> {
  if (await server.command("UNLINK", key) !== "0") await pause(FREEING_MS);
}

/** Has the key begin as it is in an empty server. */
function startingEmpty(key: string): Cell["prepare"] {
  return (server) => empty(server, key);
}

/** Has the key hold so many elements as are requested (or `count`), each added by `command`. */
function startingFull(key: string, command: LoadCommand, count?: number): Cell["prepare"] {
  return async (server, requests) => {
    await empty(server, key);
    await drive(server.port, command, count ?? requests, PREPARE_SHAPE);
  };
}

/** One test of the default list. */
interface DefaultTest {
  readonly name: string;
  readonly test: Cell["test"];
  readonly prepare?: Cell["prepare"];
}

const PUSH: LoadCommand = {
  words: ["RPUSH", "mylist", "x".repeat(DEFAULT_VALUE_BYTES)],
  numberAt: () => 0,
};

function named(name: string, prepare?: Cell["prepare"]): DefaultTest {
  return { name, test: name, prepare };
}

/** LRANGE as a command of its own: the test of that name fills the list within the run. */
function range(count: number): DefaultTest {
  const test = ["LRANGE", "mylist", "0", String(count - 1)];
  const prepare = startingFull("mylist", PUSH, RANGED_ELEMENTS);
  return { name: `lrange_${count}`, test, prepare };
}

const DEFAULT_LIST: readonly DefaultTest[] = [
  named("ping_inline"),
  named("ping_mbulk"),
  named("set"),
  named("get"),
  named("incr"),
  named("lpush", startingEmpty("mylist")),
  named("rpush", startingEmpty("mylist")),
  named("lpop", startingFull("mylist", PUSH)),
  named("rpop", startingFull("mylist", PUSH)),
  named("sadd", startingEmpty("myset")),
  named("hset", startingEmpty("myhash")),
  named("spop", startingFull("myset", COLLECTIONS.set.growing("myset"))),
  named("zadd", startingEmpty("myzset")),
  named("zpopmin", startingFull("myzset", COLLECTIONS.zset.growing("myzset"))),
  range(100),
  range(300),
  range(500),
  range(600),
  named("mset"),
  {
    name: "xadd",
    test: ["XADD", "mystream", "*", "field", "__rand_int__"],
    prepare: startingEmpty("mystream"),
  },
];

/** The least ratio of throughput asked for of each test, by pipeline. */
const LEAST_THROUGHPUT: Record<number, number> = { 16: 1.0 };
/** The same of the geometric mean of all tests. */
const MEAN_THROUGHPUT: Record<number, number> = { 1: 0.97, 16: 1.4 };
/** The highest geometric mean asked for of the ratios of processor time per request. */
const MEAN_CPU: Record<number, number> = { 16: 0.85 };

/** The default list at one depth of pipeline. */
function defaultCells(pipeline: number): Cell[] {
  const least = LEAST_THROUGHPUT[pipeline];
  return DEFAULT_LIST.map(({ name, test, prepare }) => ({
    label: `${name.toUpperCase()} -P ${pipeline}`,
    test,
    clients: 50,
    pipeline,
    keepAlive: true,
    valueBytes: DEFAULT_VALUE_BYTES,
    throughputGoal: least === undefined ? undefined : { atLeast: least },
    prepare,
  }));
}

/** The geometric means of the ratios at one depth of pipeline, as a line. */
function means(measured: readonly MeasuredCell[], pipeline: number): string {
  const cells = measured.filter(({ cell }) => cell.pipeline === pipeline);
  const rate = meanRatio(cells, (sample) => sample.requestsPerSecond);
  const cpu = meanRatio(cells, (sample) => sample.cpuMicroseconds);
  const rateGoal = { atLeast: MEAN_THROUGHPUT[pipeline] };
  const cpuGoal = pipeline in MEAN_CPU ? { atMost: MEAN_CPU[pipeline] } : undefined;
  return `- Geometric means at -P ${pipeline}: throughput ${formatWithGoal(rate, rateGoal)}, ` +
    `processor time per request ${formatWithGoal(cpu, cpuGoal)}.`;
}

async function measureDefaults(bench: Bench): Promise<string> {
  const pipelines = [16, 1];
  const cells = bench.chosen(pipelines.flatMap(defaultCells), ({ label }) => label);
  if (cells.length === 0) return "";
  const { measured, tables } = await measureFilled(
    bench,
    cells,
    bench.contenders,
    DEFAULT_VALUE_BYTES,
  );
  return `### The default list\n\n${
    pipelines.map((pipeline) => means(measured, pipeline)).join("\n")
  }\n\n${tables}`;
}

async function measurePlain(bench: Bench): Promise<string> {
  const all = throughputCells(["set", "get", "incr", "mset"], [1, 16, 64])
    .map((cell) => ({ ...cell, label: `${cell.label} -d 64` }));
  const cells = bench.chosen(all, ({ label }) => label);
  if (cells.length === 0) return "";
  const { tables } = await measureFilled(bench, cells);
  return `### The plain commands\n\n${tables}`;
}

/** The default list of redis-benchmark, and SET, GET, INCR and MSET with larger values. */
export const throughput: Suite = {
  name: "throughput",
  summary: "redis-benchmark's default list and XADD at -P 16 and 1; SET, GET, INCR, MSET -d 64",
  run: async (bench) => `${await measureDefaults(bench)}\n\n${await measurePlain(bench)}`.trim(),
};
