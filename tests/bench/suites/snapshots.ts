/**
 * What a snapshot in the background does to a server that is written to meanwhile.
 *
 * SET of random keys goes on all the time, so that while the snapshot is written nearly every page
 * of memory is changed for the first time: the worst case of copying on write, for a fork as for
 * miniredis' frozen pages. Throughput, pauses and memory are taken without a snapshot first, then
 * during one, on a server that has never made one before: what the first takes beyond others
 * (starting a worker) is in it. The load keeps a processor busy, and the server another; where
 * there are only two, the one who writes has to share.
 *
 * **Extra memory** is what is resident above what was just before. A forked child shares with its
 * parent what neither has changed, so of processes that weren't there before only the private part
 * counts (`Private_*` in `/proc/<pid>/smaps_rollup`: pages whose other copy the parent has made its
 * own), and of those that were, the growth of the resident part. The walk through a child's page
 * tables takes it some milliseconds, so it is done a few times a second, and the last look may
 * come a little before the peak; INFO's `rdb_last_cow_size` stands beside it.
 *
 * @module
 */

import type { Bench, Suite } from "../bench_context.ts";
import { alternatingOrder } from "../cells.ts";
import { numberInInfo, persisting, type RunningServer } from "../contender.ts";
import { flushDisk } from "../disk.ts";
import { fill } from "../loader.ts";
import { probeDuring } from "../probe_process.ts";
import { privateBytes, residentBytes } from "../process_facts.ts";
import type { RedisBenchmark } from "../redis_benchmark.ts";
import {
  type Figure,
  figureRatios,
  formatMebibytes,
  formatSpread,
  formatThousands,
  markdownTable,
} from "../report.ts";
import { median } from "../statistics.ts";
import { pause } from "../timing.ts";
import { WireConnection } from "../wire.ts";

const SHAPE = { connections: 8, pipeline: 200 };
const KEYS = 2_000_000;
const QUICK_KEYS = 200_000;
const MOST_ROUNDS = 5;
const WARM_UP_MS = 1_500;
const WITHOUT_MS = 3_000;
const AFTER_MS = 3_000;
const SAVE_LIMIT_MS = 60_000;
const LOOK_MS = 25;
const LOOKS_PER_MEMORY_LOOK = 8;
const SETTINGS = { save: "", appendonly: "no" };

/** What one snapshot on one server gave. */
interface Reading {
  readonly ratesPerSecond: { readonly without: number; readonly during: number };
  readonly saveSeconds: number;
  readonly longestMs: { readonly without: number; readonly during: number };
  readonly controlMs: number | null;
  readonly bytes: {
    readonly before: number | null;
    readonly extra: number | null;
    readonly said: number;
    readonly after: number | null;
  };
}

/** Resident memory above what it was when this was made; see the head of this file. */
class ExtraMemory {
  readonly #before: ReadonlyMap<number, number>;
  #peakBytes: number | null = null;

  constructor(private readonly server: RunningServer) {
    this.#before = new Map(server.pids().map((pid) => [pid, residentBytes([pid]) ?? 0]));
  }

  /** The most that was seen; null where the system doesn't tell. */
  get peakBytes(): number | null {
    return this.#peakBytes;
  }

  look(): void {
    let extra = 0;
    for (const pid of this.server.pids()) {
      const before = this.#before.get(pid);
      const bytes = before === undefined ? privateBytes(pid) : residentBytes([pid]);
      if (bytes !== null) extra += bytes - (before ?? 0);
      else if (before !== undefined) return;
      // a new one that has no memory has just ended
    }
    this.#peakBytes = Math.max(this.#peakBytes ?? 0, extra);
  }
}

/** Where a server is. */
interface Progress {
  readonly atMs: number;
  readonly commands: number;
  readonly isSaving: boolean;
}

async function progressOf(connection: WireConnection): Promise<Progress> {
  const stats = await connection.command("INFO", "stats");
  const atMs = performance.now();
  const persistence = await connection.command("INFO", "persistence");
  return {
    atMs,
    commands: numberInInfo(stats, "total_commands_processed"),
    isSaving: numberInInfo(persistence, "rdb_bgsave_in_progress") === 1,
  };
}

function ratePerSecond(from: Progress, to: Progress): number {
  return (to.commands - from.commands) / (to.atMs - from.atMs) * 1000;
}

/** Has the server save, and watches it until it is through. */
async function save(connection: WireConnection, memory: ExtraMemory) {
  const from = await progressOf(connection);
  await connection.command("BGSAVE");
  for (let look = 1;; look++) {
    await pause(LOOK_MS);
    if (look % LOOKS_PER_MEMORY_LOOK === 0) memory.look();
    const to = await progressOf(connection);
    if (!to.isSaving) {
      return { ratePerSecond: ratePerSecond(from, to), seconds: (to.atMs - from.atMs) / 1000 };
    }
    if (to.atMs - from.atMs > SAVE_LIMIT_MS) throw new Error("the snapshot takes too long");
  }
}

/** Measures without a snapshot and with one, while the load goes on. */
async function measureLoaded(
  [server, control]: readonly RunningServer[],
  connection: WireConnection,
): Promise<Reading> {
  const ports = control ? [server.port, control.port] : [server.port];
  await pause(WARM_UP_MS);
  let without = NaN;
  const withoutProbe = await probeDuring(ports, async () => {
    const from = await progressOf(connection);
    await pause(WITHOUT_MS);
    without = ratePerSecond(from, await progressOf(connection));
  });
  let saved = { ratePerSecond: NaN, seconds: NaN };
  let before: number | null = null;
  let memory: ExtraMemory | undefined;
  const duringProbe = await probeDuring(ports, async () => {
    before = server.residentBytes();
    memory = new ExtraMemory(server);
    saved = await save(connection, memory);
  });
  const persistence = await connection.command("INFO", "persistence");
  if (!persistence?.includes("rdb_last_bgsave_status:ok")) {
    throw new Error(`${server.name} could not save`);
  }
  await pause(AFTER_MS);
  return {
    ratesPerSecond: { without, during: saved.ratePerSecond },
    saveSeconds: saved.seconds,
    longestMs: { without: withoutProbe.server.longestMs, during: duringProbe.server.longestMs },
    controlMs: duringProbe.control?.longestMs ?? null,
    bytes: {
      before,
      extra: memory?.peakBytes ?? null,
      said: numberInInfo(persistence, "rdb_last_cow_size"),
      after: server.residentBytes(),
    },
  };
}

async function measure(
  servers: readonly RunningServer[],
  generator: RedisBenchmark,
  keys: number,
): Promise<Reading> {
  const [{ port }] = servers;
  await fill(port, 0, keys, SHAPE);
  await flushDisk();
  const workload = { test: "set", clients: 50, pipeline: 16, keepAlive: true, keyspace: keys };
  return await generator.during(port, workload, async () => {
    const connection = await WireConnection.open(port);
    try {
      return await measureLoaded(servers, connection);
    } finally {
      connection.close();
    }
  });
}

const FIGURES: readonly Figure<Reading>[] = [
  ["requests/s during it", ({ ratesPerSecond }) => ratesPerSecond.during],
  ["throughput kept", keptOf],
  ["seconds", ({ saveSeconds }) => saveSeconds],
  ["longest pause during it", ({ longestMs }) => longestMs.during],
  ["extra memory", ({ bytes }) => bytes.extra],
  ["resident memory after it", ({ bytes }) => bytes.after],
];

function keptOf({ ratesPerSecond }: Reading): number {
  return ratesPerSecond.during / ratesPerSecond.without;
}

function addedPauseOf({ longestMs }: Reading): number {
  return longestMs.during - longestMs.without;
}

function figureTables(bench: Bench, readings: readonly (readonly Reading[])[]): string {
  const rowsOf = (columns: readonly ((rounds: readonly Reading[]) => string)[]) =>
    bench.contenders.map(({ name }, index) => [
      name,
      ...columns.map((column) => column(readings[index])),
    ]);
  const spread = (
    figure: (reading: Reading) => number | null,
    format?: (value: number) => string,
  ) =>
  (rounds: readonly Reading[]) => formatSpread(rounds.map(figure), format);
  const work = markdownTable(
    [
      "server",
      "req/s without",
      "req/s during it",
      "kept",
      "takes s",
      "longest ms without",
      "during it",
      "more by",
      "idle control ms",
    ],
    rowsOf([
      (rounds) =>
        formatThousands(median(rounds.map(({ ratesPerSecond }) => ratesPerSecond.without))),
      (rounds) =>
        formatThousands(median(rounds.map(({ ratesPerSecond }) => ratesPerSecond.during))),
      spread(keptOf),
      spread(({ saveSeconds }) => saveSeconds),
      spread(({ longestMs }) => longestMs.without),
      spread(({ longestMs }) => longestMs.during),
      spread(addedPauseOf),
      spread(({ controlMs }) => controlMs),
    ]),
  );
  const afterToBefore = ({ bytes: { before, after } }: Reading) =>
    before === null || after === null ? null : after / before;
  const memory = markdownTable(
    [
      "server",
      "RSS MiB before",
      "extra MiB at the peak",
      "INFO says MiB",
      "RSS MiB 3 s after",
      "after to before",
    ],
    rowsOf([
      spread(({ bytes }) => bytes.before, formatMebibytes),
      spread(({ bytes }) => bytes.extra, formatMebibytes),
      spread(({ bytes }) => bytes.said, formatMebibytes),
      spread(({ bytes }) => bytes.after, formatMebibytes),
      spread(afterToBefore),
    ]),
  );
  return `${work}\n\n${memory}`;
}

/** BGSAVE of two million keys while they are all rewritten. */
export const snapshots: Suite = {
  name: "snapshots",
  summary: "BGSAVE of 2 M keys under SET -P 16: throughput, seconds, pauses and memory",
  run: async (bench) => {
    const generator = bench.requireBenchmark();
    const keys = bench.options.quick ? QUICK_KEYS : KEYS;
    const readings = bench.contenders.map((): Reading[] => []);
    const rounds = Math.min(MOST_ROUNDS, bench.options.rounds);
    const control = bench.reference ? [{ ...bench.reference, name: "control" }] : [];
    for (let round = 0; round < rounds; round++) {
      for (const index of alternatingOrder(bench.contenders.length, round)) {
        const contender = persisting(bench.contenders[index], SETTINGS);
        bench.say(`  round ${round + 1} of ${rounds}: ${contender.name}`);
        readings[index].push(
          await bench.withServers(
            [contender, ...control],
            (servers) => measure(servers, generator, keys),
          ),
        );
      }
    }
    const ratios = figureRatios("ratio", FIGURES, readings);
    return `${ratios}\n\n${figureTables(bench, readings)}`;
  },
};
