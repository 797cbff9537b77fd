/**
 * Resident memory of a known number of keys.
 *
 * @module
 */

import type { Suite } from "../bench_context.ts";
import { alternatingOrder } from "../cells.ts";
import type { RunningServer } from "../contender.ts";
import { fill } from "../loader.ts";
import { formatMebibytes, formatSpread, formatWithGoal, markdownTable } from "../report.ts";
import { ratioOfMedians } from "../report.ts";
import { pause } from "../timing.ts";

const SHAPE = { connections: 8, pipeline: 200 };
const SETTLE_MS = 1_500;
const MOST_ROUNDS = 3;

interface Reading {
  readonly emptyBytes: number | null;
  readonly fullBytes: number | null;
}

async function measure(server: RunningServer, keys: number): Promise<Reading> {
  await pause(SETTLE_MS);
  const emptyBytes = server.residentBytes();
  await fill(server.port, 0, keys, SHAPE);
  await pause(SETTLE_MS);
  return { emptyBytes, fullBytes: server.residentBytes() };
}

function grown({ emptyBytes, fullBytes }: Reading): number | null {
  return emptyBytes === null || fullBytes === null ? null : fullBytes - emptyBytes;
}

/** One million keys of 16 bytes with values of 64 bytes. */
export const memory: Suite = {
  name: "memory",
  summary: "resident memory of 1 M keys (16-byte keys, 64-byte values) above the empty server's",
  run: async (bench) => {
    const keys = bench.options.quick ? 100_000 : 1_000_000;
    const readings = bench.contenders.map((): Reading[] => []);
    for (let round = 0; round < Math.min(MOST_ROUNDS, bench.options.rounds); round++) {
      for (const index of alternatingOrder(bench.contenders.length, round)) {
        const reading = await bench.withServers(
          [bench.contenders[index]],
          ([server]) => measure(server, keys),
        );
        readings[index].push(reading);
      }
    }
    const growth = readings.map((ofServer) => ofServer.map(grown));
    const rows = bench.contenders.map(({ name }, index) => [
      name,
      formatSpread(readings[index].map((reading) => reading.emptyBytes), formatMebibytes),
      formatSpread(readings[index].map((reading) => reading.fullBytes), formatMebibytes),
      formatSpread(growth[index], formatMebibytes),
      formatSpread(growth[index].map((bytes) => bytes === null ? null : bytes / keys)),
    ]);
    const table = markdownTable(
      [`${keys} keys`, "empty MiB", "full MiB", "growth MiB", "bytes/key"],
      rows,
    );
    const ratio = ratioOfMedians(growth[0], growth[1] ?? []);
    return `${table}\n\nRatio of the growth: ${formatWithGoal(ratio, { atMost: 0.75 })}.`;
  },
};
