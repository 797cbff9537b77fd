/**
 * The monitor in front of one redis-server, beside nutcracker in front of the same one.
 *
 * @module
 */

import type { Bench } from "../bench_context.ts";
import {
  type Cell,
  fillKeyspace,
  measureCells,
  type MeasuredCell,
  ratioTable,
  sampleTable,
} from "../cells.ts";
import type { Contender, RunningServer } from "../contender.ts";
import { monitorBefore, nutcrackerBefore, nutcrackerVersion } from "./contenders.ts";
import { proxyCells, VALUES, type Values } from "./loads.ts";

/**
 * Fills `stores` with such values for each of the groups of cells in turn, and measures those on
 * the `proxies` in front of them.
 */
export async function measureByValues(
  bench: Bench,
  stores: readonly RunningServer[],
  proxies: readonly RunningServer[],
  cellsOf: (values: Values) => readonly Cell[],
): Promise<MeasuredCell[]> {
  const measured: MeasuredCell[] = [];
  for (const values of VALUES) {
    const cells = bench.chosen(cellsOf(values), ({ label }) => label);
    if (cells.length === 0) continue;
    for (const store of stores) await store.command("FLUSHALL");
    await fillKeyspace(stores, values.bytes, values.keyspace);
    measured.push(...await measureCells(bench, proxies, cells));
  }
  return measured;
}

/**
 * GET, SET and the mix through both proxies, in interleaved rounds.
 *
 * @throws {Skip} if nutcracker is missing
 */
export async function measureBesideNutcracker(bench: Bench, redis: Contender): Promise<string> {
  const version = await nutcrackerVersion();
  const contenders = [
    redis,
    monitorBefore(bench, "monitor", [bench.portOf(0)]),
    nutcrackerBefore(bench.portOf(0)),
  ];
  return await bench.withServers(contenders, async ([store, ...proxies]) => {
    const measured = await measureByValues(
      bench,
      [store],
      proxies,
      (values) => proxyCells(bench, values),
    );
    if (measured.length === 0) return "";
    const tables = `${ratioTable(measured)}\n\n${sampleTable(measured, proxies)}`;
    return `### Beside nutcracker ${version}, in front of one redis-server\n\n${tables}`;
  });
}
