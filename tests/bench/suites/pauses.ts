/**
 * The longest pause that a client sees while a server grows, shrinks and grows again, and what
 * becomes of the memory meanwhile.
 *
 * A table that is rehashed at one go, a collector that walks a heap full of keys or a segment
 * that is cleared on demand shows here and nowhere else: it is one request in a million.
 *
 * @module
 */

import type { Bench, Suite } from "../bench_context.ts";
import { alternatingOrder } from "../cells.ts";
import type { RunningServer } from "../contender.ts";
import { deleteNineTenths, fill } from "../loader.ts";
import type { ProbeReport } from "../probe.ts";
import { probeDuring } from "../probe_process.ts";
import {
  formatMebibytes,
  formatNumber,
  formatSpread,
  formatThousands,
  markdownTable,
  ratioOfMedians,
} from "../report.ts";
import { median } from "../statistics.ts";
import { pause } from "../timing.ts";

const SHAPE = { connections: 16, pipeline: 16 };
const SETTLE_MS = 2_000;
const MOST_ROUNDS = 3;
const PHASES = ["fill", "delete 90 %", "fill again"] as const;

/** What one phase on one server gave. */
interface PhaseReading extends ProbeReport {
  readonly commandsPerSecond: number;
  readonly residentBytes: number | null;
}

async function measurePhases(
  [server, control]: readonly RunningServer[],
  keys: number,
): Promise<PhaseReading[]> {
  const ports = control ? [server.port, control.port] : [server.port];
  let deleted = 0;
  const loads = [
    async () => {
      await fill(server.port, 0, keys, SHAPE);
      return keys;
    },
    async () => deleted = await deleteNineTenths(server.port, keys, SHAPE),
    async () => {
      await fill(server.port, keys, deleted, SHAPE); // other names: nothing falls into its old place
      return deleted;
    },
  ];
  const readings: PhaseReading[] = [];
  for (const load of loads) {
    let commandsPerSecond = 0;
    const report = await probeDuring(ports, async () => {
      const startedAt = performance.now();
      const commands = await load();
      commandsPerSecond = commands / (performance.now() - startedAt) * 1000;
    });
    await pause(SETTLE_MS);
    readings.push({ ...report, commandsPerSecond, residentBytes: server.residentBytes() });
  }
  return readings;
}

function show(bench: Bench, readings: readonly (readonly PhaseReading[][])[]): string {
  const headings = [
    "phase",
    "server",
    "longest ms",
    "p99.9 ms",
    "over 10 ms",
    "idle control ms",
    "commands/s",
    "RSS MiB after",
  ];
  const rows = PHASES.flatMap((phase, phaseIndex) =>
    bench.contenders.map(({ name }, index) => {
      const rounds = readings[index].map((phases) => phases[phaseIndex]);
      return [
        phase,
        name,
        formatSpread(rounds.map((reading) => reading.server.longestMs)),
        formatNumber(median(rounds.map((reading) => reading.server.p999Ms))),
        formatSpread(rounds.map((reading) => reading.server.overTenMs), String),
        formatSpread(rounds.map((reading) => reading.control?.longestMs ?? null)),
        formatThousands(median(rounds.map((reading) => reading.commandsPerSecond))),
        formatSpread(rounds.map((reading) => reading.residentBytes), formatMebibytes),
      ];
    })
  );
  const longest = (index: number, phaseIndex: number) =>
    (readings[index] ?? []).map((phases) => phases[phaseIndex].server.longestMs);
  const resident = (phaseIndex: number) =>
    readings[0].map((phases) => phases[phaseIndex].residentBytes);
  const conclusions = [
    ...PHASES.map((phase, phaseIndex) =>
      `- Longest pause, ${phase}: ${formatNumber(median(longest(0, phaseIndex)))} ms, ratio ` +
      `${formatNumber(ratioOfMedians(longest(0, phaseIndex), longest(1, phaseIndex)))} ` +
      `(asked for: 10 ms, or a ratio of 2).`
    ),
    `- miniredis' memory after the second fill is ` +
    `${formatNumber(ratioOfMedians(resident(2), resident(0)))} of that after the first, after ` +
    `the deletion ${formatNumber(ratioOfMedians(resident(1), resident(0)))}: near 1.0 after the ` +
    `second fill, what was freed is reused.`,
  ];
  return `${markdownTable(headings, rows, 2)}\n\n${conclusions.join("\n")}`;
}

/** From nothing to 5 M keys, down to a tenth, and up again, under a probe. */
export const pauses: Suite = {
  name: "pauses",
  summary: "longest round trip while 5 M keys are set, 90 % deleted, and others set; memory reused",
  run: async (bench) => {
    const keys = bench.options.quick ? 300_000 : 5_000_000;
    const readings = bench.contenders.map((): PhaseReading[][] => []);
    const rounds = Math.min(MOST_ROUNDS, bench.options.rounds);
    for (let round = 0; round < rounds; round++) {
      for (const index of alternatingOrder(bench.contenders.length, round)) {
        const contender = bench.contenders[index];
        bench.say(`  round ${round + 1} of ${rounds}: ${contender.name}`);
        const control = bench.reference ? [{ ...bench.reference, name: "control" }] : [];
        readings[index].push(
          await bench.withServers(
            [contender, ...control],
            (servers) => measurePhases(servers, keys),
          ),
        );
      }
    }
    return show(bench, readings);
  },
};
