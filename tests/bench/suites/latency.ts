/**
 * Latency without pipelining, from few clients and from many.
 *
 * @module
 */

import type { Suite } from "../bench_context.ts";
import { type Cell, measureAndShow } from "../cells.ts";

const CELLS: readonly Cell[] = [{ clients: 50, atMost: 1.3 }, { clients: 500, atMost: 2 }].flatMap(
  ({ clients, atMost }) =>
    ["get", "set"].map((test): Cell => ({
      label: `${test.toUpperCase()} -c ${clients}`,
      test,
      clients,
      pipeline: 1,
      keepAlive: true,
      p99Goal: { atMost },
    })),
);

/** p99 of GET and SET at -P 1. */
export const latency: Suite = {
  name: "latency",
  summary: "p99 of GET and SET at -P 1 from 50 and from 500 clients",
  run: (bench) => measureAndShow(bench, CELLS),
};
