/**
 * Measures how long the program takes from its start to the first reply, as a server and as a client.
 *
 * Rounds of both are interleaved, so that both see the same machine. The figures stand in the README of the project.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { runProgram, ServerProcess } from "../support/program.ts";

const USAGE = `MINIREDIS=bin/miniredis deno run -A tests/release/start_times.ts [options]

  --rounds N   how often each is started (15)

Without MINIREDIS it is run from source.
`;

const ROUNDS = 15;

/** Starts a server, which says when it listens, and asks it something; milliseconds. */
async function timeServer(): Promise<number> {
  const start = performance.now();
  await using server = await ServerProcess.start();
  await server.expectReply("PING\r\n", "+PONG\r\n");
  return performance.now() - start;
}

/** Runs a client that asks a server something, until it has ended; milliseconds. */
async function timeClient(port: number): Promise<number> {
  const start = performance.now();
  const { code, stdout } = await runProgram(["client", "-p", String(port), "PING"]);
  const end = performance.now();
  if (code !== 0 || stdout !== "PONG\n") throw new Error(`the client said ${stdout}`);
  return end - start;
}

function report(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((one, other) => one - other);
  const [least, median, most] = [0, sorted.length >> 1, sorted.length - 1]
    .map((index) => sorted[index].toFixed(0));
  console.log(`${what}: median ${median} ms, from ${least} to ${most}`);
}

async function main(): Promise<number> {
  const options = parseArgs(Deno.args, { string: ["rounds"], boolean: ["help"] });
  const rounds = Number(options.rounds ?? ROUNDS);
  if (options.help || !(rounds >= 1)) {
    console.log(USAGE);
    return options.help ? 0 : 2;
  }
  const servers: number[] = [];
  const clients: number[] = [];
  await using peer = await ServerProcess.start();
  for (let round = 0; round < rounds; round++) {
    servers.push(await timeServer());
    clients.push(await timeClient(peer.port));
  }
  report("server, until its first reply", servers);
  report("client, until it has ended", clients);
  return 0;
}

if (import.meta.main) Deno.exitCode = await main();
