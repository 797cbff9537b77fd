/**
 * `--pipe`: how long five million commands from a file take, beside redis-cli.
 *
 * All clients send the same file to the same server, which is emptied before each run, and the one that goes first changes
 * from round to round. What is measured is the whole run, with the start of the process, so that few commands say more about
 * that than about `--pipe`.
 *
 * @module
 */

import type { Bench, Suite } from "../bench_context.ts";
import {
  CLIENT_HEADINGS,
  type ClientProgram,
  clientPrograms,
  clientRows,
  type ClientRun,
  runClientProgram,
  runInRounds,
} from "../client_program.ts";
import type { RunningServer } from "../contender.ts";
import { type Goal, markdownTable } from "../report.ts";

const COMMANDS = 5_000_000;
const QUICK_COMMANDS = 500_000;
const BLOCK_COMMANDS = 50_000;
const GOAL: Goal = { atMost: 1.2 };

/** Writes the commands to a file: SET of `key:N` to `value`. */
async function writeCommands(path: string, count: number): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  const writer = file.writable.getWriter();
  const encoder = new TextEncoder();
  for (let start = 0; start < count; start += BLOCK_COMMANDS) {
    let block = "";
    for (let number = start; number < Math.min(start + BLOCK_COMMANDS, count); number++) {
      const key = `key:${number}`;
      block += `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$5\r\nvalue\r\n`;
    }
    await writer.write(encoder.encode(block));
  }
  await writer.close();
}

async function runOnce(
  client: ClientProgram,
  server: RunningServer,
  path: string,
  count: number,
): Promise<ClientRun> {
  await server.command("FLUSHALL", "SYNC");
  const run = await runClientProgram(client, ["-p", String(server.port), "--pipe"], path);
  if (!run.output.includes(`errors: 0, replies: ${count}\n`)) {
    throw new Error(`${client.name} has sent something else: ${run.output}`);
  }
  const size = await server.command("DBSIZE");
  if (size !== String(count)) throw new Error(`${client.name}: ${size} of ${count} keys`);
  return run;
}

async function measure(
  bench: Bench,
  clients: readonly ClientProgram[],
  path: string,
  count: number,
): Promise<string[][]> {
  const rows: string[][] = [];
  for (const contender of bench.chosen(bench.contenders, ({ name }) => name)) {
    const runs = await bench.withServers([contender], ([server]) =>
      runInRounds(
        bench,
        contender.name,
        clients,
        (client) => runOnce(client, server, path, count),
      ));
    rows.push(...clientRows(contender.name, clients, runs, GOAL));
  }
  return rows;
}

/** Commands from a file. */
export const clientPipe: Suite = {
  name: "client-pipe",
  summary: "the client's --pipe with 5 M commands from a file, beside redis-cli's",
  run: async (bench) => {
    const clients = await clientPrograms(bench);
    const count = bench.options.quick ? QUICK_COMMANDS : COMMANDS;
    const folder = await Deno.makeTempDir({ prefix: "miniredis-bench-pipe-" });
    const path = `${folder}/commands`;
    let rows: string[][];
    try {
      await writeCommands(path, count);
      rows = await measure(bench, clients, path, count);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    const headings = ["server", ...CLIENT_HEADINGS];
    return `${count} commands.\n\n${markdownTable(headings, rows, 2)}`;
  },
};
