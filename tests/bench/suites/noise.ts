/**
 * redis-server against itself: what the machine adds to every other figure.
 *
 * @module
 */

import { Skip, type Suite } from "../bench_context.ts";
import { measureAndShow } from "../cells.ts";
import { throughputCells } from "./throughput.ts";

/** Two redis-servers measured as if one of them were miniredis. */
export const noise: Suite = {
  name: "noise",
  summary: "redis-server against itself: how far from 1.0 a ratio gets by chance",
  run: async (bench) => {
    const redis = bench.reference;
    if (redis === null) throw new Skip("there is no redis-server");
    const cells = throughputCells(["set", "get"], [1, 16, 64]).map((cell) => ({
      ...cell,
      throughputGoal: undefined,
      cpuGoal: undefined,
    }));
    return await measureAndShow(bench, cells, [{ ...redis, name: "redis again" }, redis]);
  },
};
