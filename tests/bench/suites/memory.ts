/**
 * Memory of a known number of keys or elements: how much the resident memory of the server grows, and `used_memory`.
 *
 * Each row is measured on a server that has just been started, since what one row leaves would be reused by the next. But it has
 * served some of the same commands before and is emptied and purged again: what a runtime takes when it
 * first runs (compiled code, a heap that has found its size) is not what data take. For a million strings it is counted, as it always was.
 * Of the rest 1 to 3 MiB remain whatever the number of elements: the young generation of the collector, which goes up and down.
 *
 * @module
 */

import type { Bench, Suite } from "../bench_context.ts";
import { alternatingOrder } from "../cells.ts";
import { COLLECTIONS, SMALL_HASHES, SMALL_SETS } from "../collection_loads.ts";
import type { Contender, RunningServer } from "../contender.ts";
import { drive, fill, type LoadCommand } from "../loader.ts";
import {
  formatMebibytes,
  formatSpread,
  formatWithGoal,
  markdownTable,
  ratioOfMedians,
} from "../report.ts";
import { pause } from "../timing.ts";

const SHAPE = { connections: 8, pipeline: 200 };
const SETTLE_MS = 1_500;
const MOST_ROUNDS = 3;
const QUICK_SHARE = 0.1;
const WARMING_COMMANDS = 60_000;
const WARMING_NUMBERS = 1_000;

/** One kind of data. */
interface Row {
  readonly name: string;
  /** How many of them. */
  readonly count: number;
  /** The ratio asked for: of resident memory for what was never warmed up, of used memory for the rest. */
  readonly atMost: number;
  /** Makes `count` of them. */
  fill(server: RunningServer, count: number): Promise<void>;
  /** Has the server do so before, with few of them. */
  warmUp?(server: RunningServer): Promise<void>;
}

/** What one server took for one row. */
interface Reading {
  readonly residentBytes: number | null;
  readonly usedBytes: number;
}

function driven(name: string, count: number, atMost: number, command: LoadCommand): Row {
  return {
    name,
    count,
    atMost,
    fill: ({ port }, turns) => drive(port, command, turns, SHAPE),
    warmUp: async (server) => {
      const again: LoadCommand = {
        ...command,
        numberAt: (turn, place) => command.numberAt(turn % WARMING_NUMBERS, place),
      };
      await drive(server.port, again, WARMING_COMMANDS, SHAPE);
      await server.command("FLUSHALL");
      await server.command("MEMORY", "PURGE");
      await pause(SETTLE_MS);
    },
  };
}

const ROWS: readonly Row[] = [
  {
    name: "strings of 64 bytes",
    count: 1_000_000,
    atMost: 0.75,
    fill: ({ port }, count) => fill(port, 0, count, SHAPE),
  },
  driven("hashes of 10 fields", 100_000, 0.8, SMALL_HASHES),
  driven("sets of 20 integers", 100_000, 0.8, SMALL_SETS),
  driven("in one sorted set", 1_000_000, 1, COLLECTIONS.zset.growing("myzset")),
  driven("in one list", 1_000_000, 1, COLLECTIONS.list.growing("mylist")),
  driven("in one stream", 1_000_000, 1, COLLECTIONS.stream.growing("mystream")),
  driven("in one hash", 1_000_000, 1, COLLECTIONS.hash.growing("myhash")),
  driven("in one set", 1_000_000, 1, COLLECTIONS.set.growing("myset")),
];

async function measure(server: RunningServer, row: Row, count: number): Promise<Reading> {
  const read = async () => {
    await pause(SETTLE_MS);
    return {
      resident: server.residentBytes(),
      used: await server.infoNumber("memory", "used_memory"),
    };
  };
  await row.warmUp?.(server);
  const empty = await read();
  await row.fill(server, count);
  const full = await read();
  const residentBytes = empty.resident === null || full.resident === null
    ? null
    : full.resident - empty.resident;
  return { residentBytes, usedBytes: full.used - empty.used };
}

/** The readings of one row, one list a contender. */
async function measureRow(bench: Bench, row: Row, count: number): Promise<Reading[][]> {
  const readings = bench.contenders.map((): Reading[] => []);
  for (let round = 0; round < Math.min(MOST_ROUNDS, bench.options.rounds); round++) {
    for (const index of alternatingOrder(bench.contenders.length, round)) {
      const contender: Contender = bench.contenders[index];
      readings[index].push(
        await bench.withServers([contender], ([server]) => measure(server, row, count)),
      );
    }
  }
  return readings;
}

/** A million strings, small collections by the hundred thousand, and one large collection of each type. */
export const memory: Suite = {
  name: "memory",
  summary: "resident and used memory of many keys, of small collections, and of large ones",
  run: async (bench) => {
    const share = bench.options.quick ? QUICK_SHARE : 1;
    const figures: string[][] = [];
    for (const row of bench.chosen(ROWS, ({ name }) => name)) {
      const count = row.count * share;
      bench.say(`  ${count} ${row.name}`);
      const readings = await measureRow(bench, row, count);
      const resident = readings.map((ofServer) => ofServer.map((one) => one.residentBytes));
      const used = readings.map((ofServer) => ofServer.map((one) => one.usedBytes));
      const goal = { atMost: row.atMost };
      const ratios = [resident, used].map(([ours, theirs = []]) => ratioOfMedians(ours, theirs));
      figures.push([
        `${count} ${row.name}`,
        formatWithGoal(ratios[0], row.warmUp === undefined ? goal : undefined),
        ...resident.map((bytes) => formatSpread(bytes, formatMebibytes)),
        formatWithGoal(ratios[1], row.warmUp === undefined ? undefined : goal),
        ...used.map((bytes) => formatSpread(bytes, formatMebibytes)),
      ]);
    }
    const names = bench.contenders.map(({ name }) => name);
    const headings = ["growth", "resident", ...names, "used", ...names];
    return `${
      markdownTable(headings, figures)
    }\n\nIn MiB; before them the ratio of miniredis to redis.`;
  },
};
