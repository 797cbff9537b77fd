/**
 * `--bigkeys` and `--scan`: how long five million keys take, beside redis-cli.
 *
 * All clients look at the same server, which nobody else uses, and the one that goes first changes from round to round. They
 * must have printed the same. Beside the time, it is shown how much of the server's processor time each of them took: a client
 * that is faster because it asks more of the server would be no gain.
 *
 * @module
 */

import { type Bench, Skip, type Suite } from "../bench_context.ts";
import {
  CLIENT_HEADINGS,
  type ClientProgram,
  clientPrograms,
  clientRows,
  type ClientRun,
  runClientProgram,
  runInRounds,
} from "../client_program.ts";
import type { Contender, RunningServer } from "../contender.ts";
import { drive, fill, type LoadCommand, NUMBER } from "../loader.ts";
import { formatSpread, type Goal, markdownTable } from "../report.ts";

const KEYS = 5_000_000;
const QUICK_KEYS = 200_000;
const SHAPE = { connections: 8, pipeline: 200 };
const TOOLS = ["--bigkeys", "--scan"];
const GOAL: Goal = { atMost: 1.2 };

/** Of ten keys, one is a hash and one is a list; all others are strings. */
const COLLECTIONS: readonly LoadCommand[] = [
  { words: ["HSET", `hash:${NUMBER}`, "field", "value"], numberAt: (turn) => turn },
  { words: ["RPUSH", `list:${NUMBER}`, "first", "second"], numberAt: (turn) => turn },
];

/** A run, with what it cost the server. */
interface KeysRun extends ClientRun {
  /** The server's processor time; null where the system doesn't tell. */
  readonly serverSeconds: number | null;
  /** What the client printed, without what the shell added. */
  readonly printed: string;
}

async function makeKeys(server: RunningServer, count: number): Promise<void> {
  const share = count / 10;
  await fill(server.port, 0, count - share * COLLECTIONS.length, SHAPE);
  for (const command of COLLECTIONS) await drive(server.port, command, share, SHAPE);
  const size = await server.command("DBSIZE");
  if (size !== String(count)) throw new Error(`${server.name} has ${size} of ${count} keys`);
}

async function runOnce(
  client: ClientProgram,
  server: RunningServer,
  tool: string,
): Promise<KeysRun> {
  const before = server.cpuMicroseconds();
  const run = await runClientProgram(client, ["-p", String(server.port), tool]);
  const after = server.cpuMicroseconds();
  return {
    ...run,
    serverSeconds: before === null || after === null ? null : (after - before) / 1e6,
    printed: run.output.split("\n").slice(0, -3).join("\n"),
  };
}

/** Runs all clients in rounds, and gives their rows of the table. */
async function measure(
  bench: Bench,
  clients: readonly ClientProgram[],
  server: RunningServer,
  tool: string,
): Promise<string[][]> {
  const label = `${server.name} ${tool}`;
  let printed: string | undefined;
  const runs = await runInRounds(bench, label, clients, async (client) => {
    const run = await runOnce(client, server, tool);
    printed ??= run.printed;
    if (run.printed !== printed) throw new Error(`${client.name} prints something else`);
    return { ...run, output: "", printed: "" };
  });
  return clientRows(label, clients, runs, GOAL).map((row, index) => [
    ...row,
    formatSpread(runs[index].map(({ serverSeconds }) => serverSeconds)),
  ]);
}

async function measureServer(
  bench: Bench,
  clients: readonly ClientProgram[],
  contender: Contender,
  count: number,
): Promise<string[][]> {
  const tools = bench.chosen(TOOLS, (tool) => `${contender.name} ${tool}`);
  if (tools.length === 0) return [];
  return await bench.withServers([contender], async ([server]) => {
    await makeKeys(server, count);
    const rows: string[][] = [];
    for (const tool of tools) rows.push(...await measure(bench, clients, server, tool));
    return rows;
  });
}

/** Walks through many keys. */
export const clientKeys: Suite = {
  name: "client-keys",
  summary: "the client's --bigkeys and --scan on 5 M keys, beside redis-cli's",
  run: async (bench) => {
    const clients = await clientPrograms(bench);
    const count = bench.options.quick ? QUICK_KEYS : KEYS;
    const rows: string[][] = [];
    for (const contender of bench.contenders) {
      rows.push(...await measureServer(bench, clients, contender, count));
    }
    if (rows.length === 0) throw new Skip("no row has such a name");
    const headings = ["server", ...CLIENT_HEADINGS, "server's CPU s"];
    return `${count} keys: strings of 64 bytes, and hashes and lists, a tenth each.\n\n${
      markdownTable(headings, rows, 2)
    }`;
  },
};
