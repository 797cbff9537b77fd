/**
 * What one greedy client does to the others.
 *
 * The greedy one has a thousand commands in flight; 49 others ask one thing at a time. A server
 * that works through a whole pipeline before it looks at the next client makes them wait. The load
 * generators compete for processors as well, so the same is measured on redis-server.
 *
 * @module
 */

import type { Bench, Suite } from "../bench_context.ts";
import { alternatingOrder, fillKeyspace } from "../cells.ts";
import type { RunningServer } from "../contender.ts";
import type { Workload } from "../redis_benchmark.ts";
import { formatSpread, formatWithGoal, markdownTable } from "../report.ts";
import { median } from "../statistics.ts";
import { pause } from "../timing.ts";

const MODEST: Workload = { test: "get", clients: 49, pipeline: 1, keepAlive: true };
const GREEDY: Workload = { test: "get", clients: 1, pipeline: 1000, keepAlive: true };
const GREEDY_START_MS = 300;
const FIRST_GUESS_REQUESTS = 20_000;

/** p99 of the modest clients in one round. */
interface Reading {
  readonly aloneMs: number;
  readonly besideMs: number;
}

async function measureRound(
  bench: Bench,
  server: RunningServer,
): Promise<Reading> {
  const generator = bench.requireBenchmark();
  const run = (requests: number) => generator.run(server.port, MODEST, requests);
  // Beside the greedy client the same number of requests would take many times as long.
  const requestsFor = async () =>
    Math.ceil((await run(FIRST_GUESS_REQUESTS)).requestsPerSecond * bench.options.secondsPerCell);
  const alone = await run(await requestsFor());
  const beside = await generator.during(server.port, GREEDY, async () => {
    await pause(GREEDY_START_MS);
    return await run(await requestsFor());
  });
  return { aloneMs: alone.p99Ms, besideMs: beside.p99Ms };
}

/** 49 clients at -P 1 without and with one at -P 1000. */
export const fairness: Suite = {
  name: "fairness",
  summary: "p99 of 49 clients at -P 1 without and with one client at -P 1000",
  run: async (bench) => {
    bench.requireBenchmark();
    return await bench.withServers(bench.contenders, async (servers) => {
      await fillKeyspace(servers);
      const readings = servers.map((): Reading[] => []);
      for (let round = 0; round < bench.options.rounds; round++) {
        for (const index of alternatingOrder(servers.length, round)) {
          readings[index].push(await measureRound(bench, servers[index]));
        }
      }
      const rows = servers.map(({ name }, index) => {
        const alone = readings[index].map((reading) => reading.aloneMs);
        const beside = readings[index].map((reading) => reading.besideMs);
        return [
          name,
          formatSpread(alone),
          formatSpread(beside),
          formatWithGoal(median(beside) / median(alone), index === 0 ? { atMost: 3 } : undefined),
        ];
      });
      return markdownTable(["server", "p99 ms alone", "p99 ms beside -P 1000", "ratio"], rows);
    });
  },
};
