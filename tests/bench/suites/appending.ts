/**
 * What the append-only file costs, by how often it is synced.
 *
 * Both servers append everything all the time, each to a new file in a folder of its own on the
 * same disk, and never rewrite it. A cell differs from the next in `appendfsync` alone, so the
 * setting is changed between them. Before each run the disk has nothing to do.
 *
 * @module
 */

import type { Suite } from "../bench_context.ts";
import { type Cell, measureFilled } from "../cells.ts";
import { persisting } from "../contender.ts";
import { flushDisk } from "../disk.ts";

const SETTINGS = {
  "save": "",
  "appendonly": "yes",
  "appendfsync": "everysec",
  "auto-aof-rewrite-percentage": "0",
};

function appendingCell(policy: string, pipeline: number): Cell {
  return {
    label: `${policy}: SET -P ${pipeline}`,
    test: "set",
    clients: 50,
    pipeline,
    keepAlive: true,
    prepare: async (server) => {
      await server.command("CONFIG", "SET", "appendfsync", policy);
      await flushDisk();
    },
  };
}

const CELLS: readonly Cell[] = [
  appendingCell("everysec", 16),
  appendingCell("always", 1),
  appendingCell("always", 16),
  appendingCell("no", 16),
];

/** SET while everything is appended, with each policy of syncing. */
export const appending: Suite = {
  name: "appending",
  summary: "SET with appendonly yes: everysec, always and no at -P 16, always at -P 1",
  run: async (bench) => {
    const cells = bench.chosen(CELLS, ({ label }) => label);
    const contenders = bench.contenders.map((contender) => persisting(contender, SETTINGS));
    return (await measureFilled(bench, cells, contenders)).tables;
  },
};
