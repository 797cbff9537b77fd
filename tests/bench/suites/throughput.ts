/**
 * Requests per second, processor time per request and latency of the plain commands, at three
 * depths of pipeline.
 *
 * @module
 */

import type { Suite } from "../bench_context.ts";
import { type Cell, measureAndShow } from "../cells.ts";

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

/** SET, GET, INCR and MSET at -P 1, 16 and 64. */
export const throughput: Suite = {
  name: "throughput",
  summary: "SET, GET, INCR, MSET from 50 clients at -P 1, 16 and 64",
  run: (bench) =>
    measureAndShow(bench, throughputCells(["set", "get", "incr", "mset"], [1, 16, 64])),
};
