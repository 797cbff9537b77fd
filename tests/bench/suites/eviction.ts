/**
 * Eviction: how well the keys that stay are chosen, and what choosing costs.
 *
 * **Hit rate.** Both servers get the same requests: keys as popular as Zipf's law has it, and each one that
 * misses is set. The limit is half of the memory that all keys take, in each server's own bytes; and,
 * since a key takes less here, both with Redis' half as well.
 *
 * **Cost.** `SET` with every second key new, at a limit that holds half of them, beside `SET` without a limit.
 *
 * @module
 */

import type { Bench, Suite } from "../bench_context.ts";
import { CacheClient } from "../cache_client.ts";
import { type Cell, fillKeyspace, measureCells, ratioTable } from "../cells.ts";
import type { RunningServer } from "../contender.ts";
import { fill } from "../loader.ts";
import { formatMebibytes, formatNumber, formatWithGoal, markdownTable } from "../report.ts";
import { median } from "../statistics.ts";
import { pause } from "../timing.ts";
import { ZipfSource } from "../zipf.ts";

const SHAPE = { connections: 8, pipeline: 200 };
const POLICIES = ["allkeys-lru", "allkeys-lfu"] as const;
const EXPONENTS = [0.99, 1.1] as const;
const SEED = 20_220_427;
const LOOK_MS = 50;
const TOLERANCE = 1.01;
const EVICTION_LIMIT_MS = 30_000;

/** One stream of requests against one server. */
interface Reading {
  readonly hitRate: number;
  readonly keys: number;
  readonly limit: number;
}

/** Sizes of a run. */
interface Sizes {
  readonly keys: number;
  /** Requests before the counting starts, and while it goes on. */
  readonly requests: number;
}

async function set(server: RunningServer, name: string, value: string): Promise<void> {
  await server.command("CONFIG", "SET", name, value);
}

/** Empties the server, fills it with all keys, and returns its `used_memory`. */
async function fillAll(server: RunningServer, keys: number): Promise<number> {
  await set(server, "maxmemory", "0");
  await server.command("FLUSHALL");
  await fill(server.port, 0, keys, SHAPE);
  return await server.infoNumber("memory", "used_memory");
}

/** Sets the limit, and waits until so many keys have gone that it is nearly kept (Redis stops a little above). */
async function limitTo(server: RunningServer, policy: string, limit: number): Promise<void> {
  await set(server, "maxmemory-policy", policy);
  await set(server, "maxmemory", String(limit));
  const stop = performance.now() + EVICTION_LIMIT_MS;
  while (await server.infoNumber("memory", "used_memory") > limit * TOLERANCE) {
    if (performance.now() > stop) throw new Error(`${server.name} doesn't evict`);
    await pause(LOOK_MS);
  }
}

async function measureHits(
  server: RunningServer,
  { keys, requests }: Sizes,
  policy: string,
  exponent: number,
  limitOf: (fullBytes: number) => number,
): Promise<Reading> {
  const limit = Math.round(limitOf(await fillAll(server, keys)));
  await limitTo(server, policy, limit);
  const source = new ZipfSource(keys, exponent, SEED);
  const client = await CacheClient.open(server.port);
  try {
    await client.ask(source, requests);
    const { hits } = await client.ask(source, requests);
    return { hitRate: hits / requests, keys: Number(await server.command("DBSIZE")), limit };
  } finally {
    client.close();
  }
}

/** Rows of one policy at one exponent: each server at its own half, and ours at Redis' half. */
async function hitRows(
  bench: Bench,
  sizes: Sizes,
  policy: string,
  exponent: number,
): Promise<string[][]> {
  const label = `${policy}, s = ${exponent}`;
  const read = (index: number, limitOf: (fullBytes: number) => number) => {
    bench.say(`  ${label}: ${bench.contenders[index].name}`);
    return bench.withServers(
      [bench.contenders[index]],
      ([server]) => measureHits(server, sizes, policy, exponent, limitOf),
    );
  };
  const half = (fullBytes: number): number => fullBytes / 2;
  const row = (name: string, { limit, keys, hitRate }: Reading, ratio: string): string[] => [
    label,
    name,
    formatMebibytes(limit),
    String(keys),
    hitRate.toFixed(4),
    ratio,
  ];
  const ours = await read(0, half);
  if (bench.reference === null) return [row(bench.subject.name, ours, "")];
  const theirs = await read(1, half);
  const equal = await read(0, () => theirs.limit);
  return [
    row(
      bench.subject.name,
      ours,
      formatWithGoal(ours.hitRate / theirs.hitRate, { atLeast: 0.98 }),
    ),
    row(bench.reference.name, theirs, ""),
    row(
      `${bench.subject.name}, equal bytes`,
      equal,
      formatNumber(equal.hitRate / theirs.hitRate),
    ),
  ];
}

async function hitTable(bench: Bench, sizes: Sizes): Promise<string> {
  const rows: string[][] = [];
  for (const exponent of EXPONENTS) {
    for (const policy of POLICIES) rows.push(...await hitRows(bench, sizes, policy, exponent));
  }
  const headings = ["policy", "server", "limit MiB", "keys kept", "hit rate", "ratio"];
  return markdownTable(headings, rows, 2);
}

async function costTable(bench: Bench): Promise<string> {
  const cell = (label: string): Cell => ({
    label,
    test: "set",
    clients: 50,
    pipeline: 16,
    keepAlive: true,
  });
  return await bench.withServers(bench.contenders, async (servers) => {
    await fillKeyspace(servers);
    const free = await measureCells(bench, servers, [cell("SET -P 16, no limit")]);
    for (const server of servers) {
      const used = await server.infoNumber("memory", "used_memory");
      await limitTo(server, "allkeys-lru", Math.round(used / 2));
    }
    const tight = await measureCells(bench, servers, [cell("SET -P 16, allkeys-lru at 50 %")]);
    const evicted = await Promise.all(
      servers.map((server) => server.infoNumber("stats", "evicted_keys")),
    );
    const rate = (index: number) =>
      median(tight[0].samples[index].map(({ requestsPerSecond }) => requestsPerSecond)) /
      median(free[0].samples[index].map(({ requestsPerSecond }) => requestsPerSecond));
    const kept = servers.map(({ name }, index) =>
      `${name} ${formatNumber(rate(index))} of its rate without a limit, ${evicted[index]} evicted`
    );
    return `${ratioTable([...free, ...tight])}\n\nUnder eviction: ${kept.join("; ")}.`;
  });
}

/** Half of the memory that the keys need. */
export const eviction: Suite = {
  name: "eviction",
  summary: "hit rates of LRU and LFU at half of the memory that 2 M keys need; SET under eviction",
  run: async (bench) => {
    const sizes = bench.options.quick
      ? { keys: 100_000, requests: 200_000 }
      : { keys: 2_000_000, requests: 2_500_000 };
    const hits = await hitTable(bench, sizes);
    return `${hits}\n\n${await costTable(bench)}`;
  },
};
