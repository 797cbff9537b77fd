/**
 * What is sent through a proxy: GET, SET, and a mix of nine reads and a write.
 *
 * @module
 */

import type { Bench } from "../bench_context.ts";
import type { Cell } from "../cells.ts";
import type { Goal } from "../report.ts";

/** Values of one length, and how many keys have them. */
export interface Values {
  /** Bytes of a value. */
  readonly bytes: number;
  /** How many keys there are: as many as make a few hundred MiB at most. */
  readonly keyspace: number;
  /** The least ratio of throughput asked for beside the other proxy, by pipeline. */
  readonly goals: Readonly<Record<number, number>>;
}

/** Small values and large ones. */
export const VALUES: readonly Values[] = [
  { bytes: 64, keyspace: 1_000_000, goals: { 1: 0.9, 16: 1.5 } },
  { bytes: 4096, keyspace: 50_000, goals: { 1: 0.8, 16: 1.2 } },
];

const CLIENTS = 50;
const PIPELINES = [1, 16];
/** Who makes the load that redis-benchmark can't make. */
const MIX = "mix";

/** Cells of `tests` with such values at each depth of pipeline. */
function cells(
  bench: Bench,
  tests: readonly string[],
  values: Values,
  goalOf: (pipeline: number) => Goal,
): Cell[] {
  return tests.flatMap((test) =>
    PIPELINES.map((pipeline): Cell => ({
      label: `${test === MIX ? test : test.toUpperCase()} -P ${pipeline} -d ${values.bytes}`,
      test,
      clients: CLIENTS,
      pipeline,
      keepAlive: true,
      valueBytes: values.bytes,
      keyspace: values.keyspace,
      throughputGoal: goalOf(pipeline),
      ...test === MIX ? { generator: bench.mixedLoad() } : {},
    }))
  );
}

/** What a proxy in front of one server is measured with. */
export function proxyCells(bench: Bench, values: Values): Cell[] {
  const goalOf = (pipeline: number) => ({ atLeast: values.goals[pipeline] });
  return cells(bench, ["get", "set", MIX], values, goalOf);
}

/** What reads that are spread over replicas are measured with. */
export function spreadCells(bench: Bench, values: Values, goal: Goal): Cell[] {
  return cells(bench, [MIX], values, () => goal);
}
