/**
 * The monitor in front of a master and two replicas, which share the reads, beside the monitor in
 * front of one server of the same kind.
 *
 * All of them are on this machine: on few cores three servers are no faster than one, so this shows
 * what it costs to spread reads and to keep each client from reading what is older than its own
 * writes, not what it gains. Two more servers that apply all writes cost the most of it: beside them
 * stands the same monitor over the same three with all reads at the master ("no spread").
 *
 * @module
 */

import type { Bench } from "../bench_context.ts";
import { type MeasuredCell, ratioTable, sampleTable } from "../cells.ts";
import { configured, type Contender, type RunningServer } from "../contender.ts";
import { MASTER_SETTINGS, ReplicaSet } from "../replica_set.ts";
import { formatNumber, type Goal, MISSING, ratioOfMedians } from "../report.ts";
import { pause } from "../timing.ts";
import { WireConnection } from "../wire.ts";
import { monitorBefore } from "./contenders.ts";
import { spreadCells } from "./loads.ts";
import { measureByValues } from "./one_server.ts";

const GOAL: Goal = { atLeast: 0.8 };
/** How long the monitor may take until it has found the replicas and reads from them. */
const FIND_LIMIT_MS = 60_000;
const LOOK_MS = 20;

/** How many GET commands a server has run. */
async function reads(server: RunningServer): Promise<number> {
  const info = await server.command("INFO", "commandstats");
  return Number(info?.match(/^cmdstat_get:calls=(\d+)/m)?.[1] ?? 0);
}

/** Reads through `monitor` until each of the replicas has answered some. */
async function readsAreSpread(
  monitor: RunningServer,
  replicas: readonly RunningServer[],
): Promise<void> {
  const latest = performance.now() + FIND_LIMIT_MS;
  const connection = await WireConnection.open(monitor.port);
  try {
    while ((await Promise.all(replicas.map(reads))).includes(0)) {
      if (performance.now() > latest) throw new Error("the monitor doesn't read from replicas");
      for (let count = 0; count < 10; count++) await connection.command("GET", "nothing");
      await pause(LOOK_MS);
    }
  } finally {
    connection.close();
  }
}

/** Which share of all reads each server has answered, as a line. */
async function shareOfReads({ master, replicas }: ReplicaSet): Promise<string> {
  const counts = await Promise.all([master, ...replicas].map(reads));
  const sum = counts.reduce((total, count) => total + count, 0);
  const [ofMaster, ...ofReplicas] = counts.map((count) => `${formatNumber(100 * count / sum)} %`);
  return `- Of the reads, ${ofMaster} came from the master, and ${
    ofReplicas.join(" and ")
  } from the replicas.`;
}

/** What is left of the throughput over one server if all reads stay with the master, as a line. */
function withoutSpread(measured: readonly MeasuredCell[]): string {
  const ratios = measured.map(({ cell, samples: [, one, unspread] }) => {
    const ratio = ratioOfMedians(...rates(unspread, one));
    return `${cell.label} ${ratio === null ? MISSING : formatNumber(ratio)}`;
  });
  return `- With all reads at the master, to one server: ${ratios.join("; ")}.`;
}

/** The throughput of two servers, round by round. */
function rates(...samples: MeasuredCell["samples"]): [number[], number[]] {
  const [ours, theirs] = samples.map((rounds) =>
    rounds.map(({ requestsPerSecond }) => requestsPerSecond)
  );
  return [ours, theirs];
}

/** The mix over servers of one kind. */
export async function measureOverReplicas(bench: Bench, kind: Contender): Promise<string> {
  const [alone, first] = [bench.portOf(0), bench.portOf(1)];
  const replica = configured(kind, { replicaof: `127.0.0.1 ${first}` });
  const contenders = [
    kind,
    configured(kind, MASTER_SETTINGS),
    replica,
    replica,
    monitorBefore(bench, "over three", [first, first + 1, first + 2]),
    monitorBefore(bench, "over one", [alone]),
    configured(monitorBefore(bench, "no spread", [first, first + 1, first + 2]), {
      consistency: "strong",
    }),
  ];
  return await bench.withServers(contenders, async (servers) => {
    const [store, master, ...others] = servers;
    const [replicas, proxies] = [others.slice(0, 2), others.slice(2)];
    const set = new ReplicaSet(master, replicas);
    await set.converge();
    await set.online();
    await readsAreSpread(proxies[0], replicas);
    const cellsOf = (values: Parameters<typeof spreadCells>[1]) =>
      spreadCells(bench, values, GOAL).map((cell) => ({
        ...cell,
        prepare: async () => void await set.converge(),
      }));
    const measured = await measureByValues(bench, [store, master], proxies, cellsOf);
    if (measured.length === 0) return "";
    const tables = `${ratioTable(measured)}\n\n${sampleTable(measured, proxies)}`;
    const heading = `### Over a master and two replicas (${kind.name}), beside one server`;
    return `${heading}\n\n${tables}\n\n${await shareOfReads(set)}\n${withoutSpread(measured)}`;
  });
}
