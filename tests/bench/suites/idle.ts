/**
 * Memory of connections that do nothing.
 *
 * @module
 */

import type { Suite } from "../bench_context.ts";
import type { RunningServer } from "../contender.ts";
import { formatMebibytes, formatNumber, markdownTable } from "../report.ts";
import { pause } from "../timing.ts";
import { encodeRequest } from "../../../src/protocol/request_writer.ts";
import { WireConnection } from "../wire.ts";

const SETTLE_MS = 2_000;
/** Below the backlog of a listener: more at once would be turned away. */
const CONNECTS_AT_ONCE = 50;
const GOAL = "100 MiB at most for 10 000";

interface Reading {
  readonly opened: number;
  readonly emptyBytes: number | null;
  readonly loadedBytes: number | null;
}

/** Opens connections and makes each a client that has talked once; stops at the first refusal. */
async function openConnections(
  port: number,
  count: number,
  say: (line: string) => void,
): Promise<WireConnection[]> {
  const ping = encodeRequest(["PING"]);
  const connections: WireConnection[] = [];
  try {
    while (connections.length < count) {
      const batch = Math.min(CONNECTS_AT_ONCE, count - connections.length);
      await Promise.all(Array.from({ length: batch }, async () => {
        const connection = await WireConnection.open(port);
        connections.push(connection);
        await connection.exchange(ping, 1);
      }));
    }
  } catch (error) {
    say(`  ${connections.length} connections, then: ${error}`);
  }
  return connections;
}

async function measure(
  server: RunningServer,
  count: number,
  say: (line: string) => void,
): Promise<Reading> {
  await pause(SETTLE_MS);
  const emptyBytes = server.residentBytes();
  const connections = await openConnections(server.port, count, say);
  await pause(SETTLE_MS);
  const loadedBytes = server.residentBytes();
  for (const connection of connections) connection.close();
  return { opened: connections.length, emptyBytes, loadedBytes };
}

/** Ten thousand connections that have each sent one PING. */
export const idle: Suite = {
  name: "idle",
  summary: "resident memory of 10 000 idle connections above that of none",
  run: async (bench) => {
    const count = bench.options.quick ? 1_000 : 10_000;
    const rows: string[][] = [];
    for (const contender of bench.contenders) {
      const { opened, emptyBytes, loadedBytes } = await bench.withServers(
        [contender],
        ([server]) => measure(server, count, (line) => bench.say(line)),
      );
      const growth = emptyBytes === null || loadedBytes === null ? null : loadedBytes - emptyBytes;
      rows.push([
        contender.name,
        String(opened),
        formatMebibytes(emptyBytes),
        formatMebibytes(loadedBytes),
        formatMebibytes(growth),
        formatNumber(growth === null ? null : growth / 1024 / opened),
      ]);
    }
    const table = markdownTable(
      ["server", "connections", "none MiB", "all MiB", "growth MiB", "KiB each"],
      rows,
    );
    return `${table}\n\nAsked for: ${GOAL}.`;
  },
};
