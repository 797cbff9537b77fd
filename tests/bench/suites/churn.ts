/**
 * What memory a server says it uses, and what it really has, while values of all sizes come, grow, shrink and
 * go.
 *
 * Values that are replaced by others of another size leave holes; whether these are filled, brought
 * together and given back shows only after many changes, and in the kernel's count of pages.
 *
 * @module
 */

import type { Suite } from "../bench_context.ts";
import { churn, CHURN_PHASES, deleteMost } from "../churn_load.ts";
import type { RunningServer } from "../contender.ts";
import { formatMebibytes, formatNumber, formatThousands, markdownTable } from "../report.ts";
import { formatWithGoal } from "../report.ts";
import { pause } from "../timing.ts";

const SETTLE_MS = 1_500;
const REST_MS = 5_000;
const SEED = 20_240_229;

/** Memory at one moment, above that of the empty server. */
interface Reading {
  readonly moment: string;
  readonly usedBytes: number;
  readonly residentBytes: number | null;
  readonly fragmentation: string;
  readonly commandsPerSecond: number | null;
}

async function field(server: RunningServer, name: string): Promise<string> {
  const text = await server.command("INFO", "memory") ?? "";
  return text.match(new RegExp(`^${name}:(.*?)\\r?$`, "m"))?.[1] ?? "-";
}

async function measure(server: RunningServer, commands: number, keys: number): Promise<Reading[]> {
  await pause(SETTLE_MS);
  const emptyUsed = Number(await field(server, "used_memory"));
  const emptyResident = server.residentBytes() ?? 0;
  const readings: Reading[] = [];
  const read = async (moment: string, commandsPerSecond: number | null) => {
    const resident = server.residentBytes();
    readings.push({
      moment,
      usedBytes: Number(await field(server, "used_memory")) - emptyUsed,
      residentBytes: resident === null ? null : resident - emptyResident,
      fragmentation: await field(server, "mem_fragmentation_ratio"),
      commandsPerSecond,
    });
  };
  const timed = async (moment: string, count: number, load: () => Promise<void>) => {
    const startedAt = performance.now();
    await load();
    await read(moment, count / (performance.now() - startedAt) * 1000);
  };
  for (const [index, phase] of CHURN_PHASES.entries()) {
    const count = Math.floor(commands * phase.share);
    await timed(phase.name, count, () => churn(server.port, phase, count, keys, SEED + index));
  }
  await pause(REST_MS);
  await read("5 s at rest", null);
  await timed("delete 90 %", keys * 0.9, () => deleteMost(server.port, keys, SEED));
  await pause(REST_MS);
  await read("5 s at rest after it", null);
  return readings;
}

/** Ten million random sets, deletions and resizes, and the deletion of most keys. */
export const churnSuite: Suite = {
  name: "churn",
  summary: "used_memory against resident memory after 10 M random sets, deletes and resizes",
  run: async (bench) => {
    const commands = bench.options.quick ? 200_000 : 10_000_000;
    const keys = bench.options.quick ? 50_000 : 1_000_000;
    const rows: string[][] = [];
    let ratio: number | null = null;
    let kept: number | null = null;
    for (const contender of bench.contenders) {
      bench.say(`  ${contender.name}`);
      const readings = await bench.withServers(
        [contender],
        ([server]) => measure(server, commands, keys),
      );
      for (
        const { moment, usedBytes, residentBytes, fragmentation, commandsPerSecond } of readings
      ) {
        const quotient = residentBytes === null ? null : residentBytes / usedBytes;
        if (contender === bench.subject && moment === "5 s at rest") ratio = quotient;
        rows.push([
          moment,
          contender.name,
          formatMebibytes(usedBytes),
          formatMebibytes(residentBytes),
          formatNumber(quotient),
          fragmentation,
          commandsPerSecond === null ? "-" : formatThousands(commandsPerSecond),
        ]);
      }
      if (contender === bench.subject) {
        const rest = readings.find(({ moment }) => moment === "5 s at rest")?.residentBytes ?? null;
        const last = readings[readings.length - 1].residentBytes;
        kept = rest === null || last === null ? null : last / rest;
      }
    }
    const moments = rows.map(([moment]) => moment);
    rows.sort((first, second) => moments.indexOf(first[0]) - moments.indexOf(second[0]));
    const table = markdownTable(
      ["after", "server", "used MiB", "resident MiB", "ratio", "INFO's ratio", "commands/s"],
      rows,
      2,
    );
    return `${table}\n\n- Resident to used at rest: ${formatWithGoal(ratio, { atMost: 1.15 })}; ` +
      `both above the empty server's.\n- Of the resident memory at rest, ${formatNumber(kept)} ` +
      `stays after nine of ten keys are deleted.`;
  },
};
