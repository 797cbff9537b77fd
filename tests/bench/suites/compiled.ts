/**
 * The compiled executable beside the same sources on the same Deno version, and how long it takes
 * to start.
 *
 * @module
 */

import { type Bench, Skip, type Suite } from "../bench_context.ts";
import { type Cell, measureAndShow } from "../cells.ts";
import type { Contender } from "../contender.ts";
import { formatSpread, markdownTable } from "../report.ts";

const STARTS = 10;

const CELLS: readonly Cell[] = ["set", "get"].map((test): Cell => ({
  label: `${test.toUpperCase()} -P 16`,
  test,
  clients: 50,
  pipeline: 16,
  keepAlive: true,
  throughputGoal: { atLeast: 0.95 },
}));

async function startTimesMs(bench: Bench, contender: Contender): Promise<number[]> {
  const timesMs: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    timesMs.push(
      await bench.withServers([contender], ([server]) => Promise.resolve(server.startMs)),
    );
  }
  return timesMs;
}

/** Throughput of the compiled binary to that of the sources, and start to first PONG. */
export const compiled: Suite = {
  name: "compiled",
  summary: "the compiled executable against the same Deno from source; start to first PONG",
  run: async (bench) => {
    const path = bench.options.compiled;
    if (path === null) throw new Skip("no compiled miniredis is named (--compiled FILE)");
    const binary: Contender = { name: "compiled", command: [path, "server"] };
    const source: Contender = { ...bench.source, name: "source" };
    const rows: string[][] = [];
    for (const contender of [binary, source, ...bench.reference ? [bench.reference] : []]) {
      rows.push([contender.name, formatSpread(await startTimesMs(bench, contender))]);
    }
    const starts = markdownTable(["start to first PONG", "ms"], rows);
    const figures = await measureAndShow(bench, CELLS, [binary, source]);
    return `${starts}\n\nAsked for: below 500 ms.\n\n${figures}`;
  },
};
