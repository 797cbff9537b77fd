/**
 * What it does to a loaded master that an empty replica attaches, and how long that takes.
 *
 * As with snapshots, SET of random keys goes on all the time and a probe pings the master, first
 * without a replica, then from REPLICAOF until the replica's link is up. The stream that grows
 * meanwhile may be larger than a replica may have by default, which would cut it off and begin
 * again, so there is no limit here. When the load has ended, the replica has to have what the
 * master has.
 *
 * @module
 */

import type { Bench } from "../bench_context.ts";
import { alternatingOrder } from "../cells.ts";
import { persisting, type RunningServer, type Settings, wordInInfo } from "../contender.ts";
import { flushDisk } from "../disk.ts";
import { fill } from "../loader.ts";
import { probeDuring } from "../probe_process.ts";
import { type Rate, ratedDuring } from "../rate.ts";
import { MASTER_SETTINGS, ReplicaSet } from "../replica_set.ts";
import {
  type Figure,
  figureRatios,
  formatNumber,
  formatSpread,
  formatThousands,
  formatWithGoal,
  type Goal,
  markdownTable,
} from "../report.ts";
import { median } from "../statistics.ts";
import { pause } from "../timing.ts";
import { WireConnection } from "../wire.ts";

const SHAPE = { connections: 8, pipeline: 200 };
const KEYS = 2_000_000;
const QUICK_KEYS = 200_000;
const WARM_UP_MS = 1_500;
const WITHOUT_MS = 3_000;
const LOOK_MS = 5;
const SYNC_LIMIT_MS = 120_000;
/** Asked of the master's longest pause, in ms, and of the ratio of the times. */
const PAUSE_GOAL: Goal = { atMost: 10 };
const SECONDS_GOAL: Goal = { atMost: 1.2 };

const SETTINGS: Settings = {
  ...MASTER_SETTINGS,
  "save": "",
  "appendonly": "no",
  "client-output-buffer-limit": "replica 0 0 0",
};

/** The two ways in which a master sends its snapshot. */
const WAYS = [
  { name: "diskless", setting: "yes" },
  { name: "by disk", setting: "no" },
] as const;

/** What one full sync gave. */
interface Reading {
  readonly ratesPerSecond: { readonly without: number; readonly during: number };
  readonly seconds: number;
  /** From the end of the load until the replica has all of it. */
  readonly behindMs: number;
  readonly longestMs: { readonly without: number; readonly during: number };
  readonly controlMs: number | null;
}

/** Has `replica` follow `master`, and waits until it does. */
async function attach(master: RunningServer, replica: RunningServer): Promise<void> {
  const latest = performance.now() + SYNC_LIMIT_MS;
  const connection = await WireConnection.open(replica.port);
  try {
    await connection.command("REPLICAOF", "127.0.0.1", String(master.port));
    while (true) {
      const info = await connection.command("INFO", "replication");
      if (wordInInfo(info, "master_link_status") === "up") return;
      if (performance.now() > latest) throw new Error(`${replica.name} doesn't get up:\n${info}`);
      await pause(LOOK_MS);
    }
  } finally {
    connection.close();
  }
}

/** Measures without a replica and while one attaches; the load goes on. */
async function measureLoaded(
  [master, replica, control]: readonly RunningServer[],
): Promise<Omit<Reading, "behindMs">> {
  const ports = control ? [master.port, control.port] : [master.port];
  await pause(WARM_UP_MS);
  let without: Rate = { perSecond: NaN, seconds: NaN };
  const withoutProbe = await probeDuring(ports, async () => {
    without = await ratedDuring(master, () => pause(WITHOUT_MS));
  });
  let during = without;
  const duringProbe = await probeDuring(ports, async () => {
    during = await ratedDuring(master, () => attach(master, replica));
  });
  return {
    ratesPerSecond: { without: without.perSecond, during: during.perSecond },
    seconds: during.seconds,
    longestMs: { without: withoutProbe.server.longestMs, during: duringProbe.server.longestMs },
    controlMs: duringProbe.control?.longestMs ?? null,
  };
}

async function measure(
  bench: Bench,
  servers: readonly RunningServer[],
  keys: number,
): Promise<Reading> {
  const [master, replica] = servers;
  await fill(master.port, 0, keys, SHAPE);
  await flushDisk();
  const workload = { test: "set", clients: 50, pipeline: 16, keepAlive: true, keyspace: keys };
  const generator = bench.requireBenchmark();
  const reading = await generator.during(master.port, workload, () => measureLoaded(servers));
  const set = new ReplicaSet(master, [replica]);
  const behindMs = await set.converge();
  const syncs = await set.fullSyncs();
  if (syncs !== 1) throw new Error(`${master.name} sent ${syncs} snapshots`);
  const [sent, kept] = [await master.command("DBSIZE"), await replica.command("DBSIZE")];
  if (sent !== kept) throw new Error(`${replica.name} has ${kept} keys of ${sent}`);
  return { ...reading, behindMs };
}

const FIGURES: readonly Figure<Reading>[] = [
  ["seconds until it is up", ({ seconds }) => seconds, SECONDS_GOAL],
  ["longest pause during it", ({ longestMs }) => longestMs.during],
  ["requests/s during it", ({ ratesPerSecond }) => ratesPerSecond.during],
  ["throughput kept", keptOf],
];

function keptOf({ ratesPerSecond }: Reading): number {
  return ratesPerSecond.during / ratesPerSecond.without;
}

function readingTable(bench: Bench, readings: readonly (readonly Reading[])[]): string {
  const rows = bench.contenders.map(({ name }, index) => {
    const rounds = readings[index];
    const spread = (figure: (reading: Reading) => number | null) =>
      formatSpread(rounds.map(figure));
    const rate = (when: "without" | "during") =>
      formatThousands(median(rounds.map(({ ratesPerSecond }) => ratesPerSecond[when])));
    return [
      name,
      spread(({ seconds }) => seconds),
      spread(({ longestMs }) => longestMs.without),
      spread(({ longestMs }) => longestMs.during),
      spread(({ longestMs }) => longestMs.during - longestMs.without),
      spread(({ controlMs }) => controlMs),
      rate("without"),
      rate("during"),
      spread(({ behindMs }) => behindMs / 1000),
    ];
  });
  return markdownTable([
    "server",
    "up after s",
    "longest ms without",
    "during it",
    "more by",
    "idle control ms",
    "req/s without",
    "during it",
    "behind at the end s",
  ], rows);
}

/** The master's pause is asked for in itself, not against Redis'. */
function pauseLine(way: string, [ours]: readonly (readonly Reading[])[]): string {
  const longest = formatWithGoal(median(ours.map(({ longestMs }) => longestMs.during)), PAUSE_GOAL);
  const added = formatNumber(
    median(ours.map(({ longestMs }) => longestMs.during - longestMs.without)),
  );
  return `- Longest pause of the master, ${way}: ${longest} ms, of which a replica adds ${added}.`;
}

/** An empty replica attaches to a loaded master of two million keys: tables of the ways chosen. */
export async function measureFullSync(bench: Bench): Promise<string[]> {
  const keys = bench.options.quick ? QUICK_KEYS : KEYS;
  const { rounds } = bench.options;
  const control = bench.reference ? [{ ...bench.reference, name: "control" }] : [];
  const ways = bench.chosen(WAYS, ({ name }) => `full sync ${name}`);
  if (ways.length === 0) return [];
  const readings = ways.map(() => bench.contenders.map((): Reading[] => []));
  for (let round = 0; round < rounds; round++) {
    for (const [place, { name, setting }] of ways.entries()) {
      for (const index of alternatingOrder(bench.contenders.length, round)) {
        const settings = { ...SETTINGS, "repl-diskless-sync": setting };
        const contender = persisting(bench.contenders[index], settings);
        bench.say(`  full sync ${name}, round ${round + 1} of ${rounds}: ${contender.name}`);
        const replica = { ...contender, name: `${contender.name} replica` };
        readings[place][index].push(
          await bench.withServers(
            [contender, replica, ...control],
            (servers) => measure(bench, servers, keys),
          ),
        );
      }
    }
  }
  const tables = ways.flatMap(({ name }, place) => [
    figureRatios(`full sync ${name}: ratio`, FIGURES, readings[place]),
    readingTable(bench, readings[place]),
  ]);
  const lines = ways.map(({ name }, place) => pauseLine(name, readings[place]));
  return [...tables, lines.join("\n")];
}
