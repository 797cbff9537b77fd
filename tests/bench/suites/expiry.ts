/**
 * A million keys whose time comes in the same millisecond: the longest pause that a client sees while they
 * go, how long that takes, and whether their memory comes back. Then ten thousand that expire among a million
 * that don't: they are few, but must be found all the same.
 *
 * @module
 */

import type { Bench, Suite } from "../bench_context.ts";
import { alternatingOrder } from "../cells.ts";
import type { RunningServer } from "../contender.ts";
import { fill, fillExpiring } from "../loader.ts";
import type { RoundTrips } from "../probe.ts";
import { probeDuring } from "../probe_process.ts";
import {
  formatMebibytes,
  formatNumber,
  formatSpread,
  formatWithGoal,
  markdownTable,
} from "../report.ts";
import { median } from "../statistics.ts";
import { pause } from "../timing.ts";

const SHAPE = { connections: 8, pipeline: 200 };
const SETTLE_MS = 2_000;
/** Memory comes back in the background, segment by segment. */
const RETURN_MS = 12_000;
const LOOK_MS = 50;
/** Keys that take longer than this to go are given up. */
const LIMIT_MS = 120_000;
const MOST_ROUNDS = 3;
/** From the start of the fill to the moment in which the keys expire. */
const FILL_MS_PER_KEY = 0.015;
const FILL_MS_LEAST = 2_000;
/** The probe starts so long before that moment. */
const PROBE_LEAD_MS = 500;

/** Memory of a server, by itself and by the kernel. */
interface Memory {
  readonly used: number;
  readonly resident: number | null;
}

/** What one scenario on one server gave. */
interface Reading {
  readonly probe: RoundTrips;
  readonly control: RoundTrips | null;
  /** From the moment in which the keys expired until all of them were gone. */
  readonly goneMs: number;
  readonly before: Memory;
  readonly full: Memory;
  readonly after: Memory;
}

/** How many keys there are. */
interface Scenario {
  readonly name: string;
  readonly expiring: number;
  readonly staying: number;
}

async function memoryOf(server: RunningServer): Promise<Memory> {
  return {
    used: await server.infoNumber("memory", "used_memory"),
    resident: server.residentBytes(),
  };
}

async function measure(
  [server, control]: readonly RunningServer[],
  { expiring, staying }: Scenario,
): Promise<Reading> {
  const ports = control ? [server.port, control.port] : [server.port];
  await fill(server.port, expiring, staying, SHAPE);
  await pause(SETTLE_MS);
  const before = await memoryOf(server);
  const expiresAt = Date.now() + Math.max(FILL_MS_LEAST, expiring * FILL_MS_PER_KEY);
  await fillExpiring(server.port, 0, expiring, expiresAt, SHAPE);
  const full = await memoryOf(server);
  const size = Number(await server.command("DBSIZE"));
  if (size !== expiring + staying) throw new Error(`${size} keys when none should have expired`);
  await pause(expiresAt - Date.now() - PROBE_LEAD_MS);
  let goneMs = 0;
  const report = await probeDuring(ports, async () => {
    await pause(expiresAt - Date.now());
    for (;;) {
      goneMs = Date.now() - expiresAt;
      if (Number(await server.command("DBSIZE")) === staying) return;
      if (goneMs > LIMIT_MS) return;
      await pause(LOOK_MS);
    }
  });
  await pause(RETURN_MS);
  const after = await memoryOf(server);
  return { probe: report.server, control: report.control, goneMs, before, full, after };
}

function show(
  bench: Bench,
  scenarios: readonly Scenario[],
  readings: readonly (readonly (readonly Reading[])[])[],
): string {
  const headings = [
    "keys",
    "server",
    "longest ms",
    "p99.9 ms",
    "idle control ms",
    "gone after s",
    "used MiB before, full, after",
    "RSS MiB before, full, after",
  ];
  const rows = scenarios.flatMap(({ name }, scenario) =>
    bench.contenders.map((contender, index) => {
      const rounds = readings[scenario][index];
      const memory = (figure: (memory: Memory) => number | null) =>
        (["before", "full", "after"] as const).map((when) => {
          const values = rounds.map((reading) => figure(reading[when]));
          return formatMebibytes(values.includes(null) ? null : median(values as number[]));
        }).join(", ");
      return [
        name,
        contender.name,
        formatSpread(rounds.map(({ probe }) => probe.longestMs)),
        formatNumber(median(rounds.map(({ probe }) => probe.p999Ms))),
        formatSpread(rounds.map(({ control }) => control?.longestMs ?? null)),
        formatSpread(rounds.map(({ goneMs }) => goneMs / 1000)),
        memory(({ used }) => used),
        memory(({ resident }) => resident),
      ];
    })
  );
  const ours = readings[0][0];
  const longest = median(ours.map(({ probe }) => probe.longestMs));
  const left = median(ours.map(({ before, after }) => after.used / before.used));
  return `${markdownTable(headings, rows, 2)}\n\n` +
    `- Longest pause while ${scenarios[0].expiring} keys expire, in ms: ` +
    `${formatWithGoal(longest, { atMost: 10 })}.\n` +
    `- used_memory afterwards is ${formatNumber(left)} of what it was before them.`;
}

/** Keys that expire in one moment, under a probe. */
export const expiry: Suite = {
  name: "expiry",
  summary: "longest round trip while 1 M keys expire in one millisecond; their memory comes back",
  run: async (bench) => {
    const unit = bench.options.quick ? 100_000 : 1_000_000;
    const scenarios: Scenario[] = [
      { name: "all expire", expiring: unit, staying: 0 },
      { name: "1 % expire", expiring: unit / 100, staying: unit },
    ];
    const readings = scenarios.map(() => bench.contenders.map((): Reading[] => []));
    const rounds = Math.min(MOST_ROUNDS, bench.options.rounds);
    for (let round = 0; round < rounds; round++) {
      for (const [number, scenario] of scenarios.entries()) {
        for (const index of alternatingOrder(bench.contenders.length, round)) {
          const contender = bench.contenders[index];
          bench.say(`  round ${round + 1} of ${rounds}, ${scenario.name}: ${contender.name}`);
          const control = bench.reference ? [{ ...bench.reference, name: "control" }] : [];
          readings[number][index].push(
            await bench.withServers(
              [contender, ...control],
              (servers) => measure(servers, scenario),
            ),
          );
        }
      }
    }
    return show(bench, scenarios, readings);
  },
};
