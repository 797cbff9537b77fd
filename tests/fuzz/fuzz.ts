/**
 * Sends random and mutated requests to a server and checks what it does; see the README beside it.
 *
 * @module
 */
import { MemoryFiles } from "../support/memory_files.ts";
import { parseArgs } from "@std/cli";
import { type FuzzSummary, runFuzz } from "./fuzzer.ts";
import type { Address } from "./player.ts";
import { startServer } from "../../src/server/mod.ts";
import { freePort } from "../support/ports.ts";

const USAGE = `deno run -A tests/fuzz/fuzz.ts [options]

  --frames N              how many requests at least (1000000)
  --seed N                what all is made up from (random)
  --target host:port      a server that runs already; or in-process; else one is started
  --reference PROGRAM     starts this redis-server instead, to test the test itself
  --only N                plays the client of this number alone, as a fault names it
`;

/** A server for the run. */
interface Target {
  readonly address: Address;
  readonly what: string;
  stop(): Promise<void>;
}

async function startTarget(target: unknown, reference: unknown): Promise<Target> {
  if (typeof reference === "string") {
    const port = freePort();
    const args = ["--port", String(port), "--save", "", "--bind", "127.0.0.1"];
    return await startProcess(reference, [...args, "--enable-debug-command", "yes"], port);
  }
  if (typeof target !== "string") {
    const port = freePort();
    const main = new URL("../../main.ts", import.meta.url).pathname;
    const folder = Deno.makeTempDirSync({ prefix: "miniredis-fuzz-" });
    const args = ["run", "-A", main, "server", "--port", String(port), "--bind", "127.0.0.1"];
    args.push("--dir", folder);
    args.push("--enable-debug-command", "yes");
    return await startProcess(Deno.execPath(), args, port);
  }
  if (target === "in-process") {
    const server = await startServer({
      port: "0",
      bind: "127.0.0.1",
      "enable-debug-command": "yes",
    }, { log: () => {}, files: new MemoryFiles() });
    const address = { hostname: "127.0.0.1", port: server.port };
    return { address, what: "a server in this process", stop: () => server.shutDownNow() };
  }
  const [hostname, port] = target.split(":");
  return {
    address: { hostname, port: Number(port) },
    what: target,
    stop: () => Promise.resolve(),
  };
}

async function startProcess(program: string, args: string[], port: number): Promise<Target> {
  const process = new Deno.Command(program, { args, stdin: "null", stdout: "null" }).spawn();
  const address = { hostname: "127.0.0.1", port };
  for (let tries = 0; !(await answers(address)); tries++) {
    if (tries === 300) throw new Error(`${program} doesn't listen`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    address,
    what: `${program} ${args.join(" ")}`,
    stop: async () => {
      try {
        process.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        console.log("the server's process has ended");
      }
      await process.status;
    },
  };
}

async function answers(address: Address): Promise<boolean> {
  try {
    (await Deno.connect(address)).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

/** The figures of a run in a line. */
function summaryLine(summary: FuzzSummary): string {
  const seconds = summary.elapsedMs / 1000;
  return `${summary.frames} frames of ${summary.clients} clients, ` +
    `${(summary.bytes / 1e6).toFixed(0)} MB, in ${seconds.toFixed(1)} s ` +
    `(${(summary.frames / seconds).toFixed(0)} frames/s); ${summary.replies} replies checked; ` +
    `${summary.cutShort} clients cut short; used_memory ${summary.memoryGrowth >= 0 ? "+" : ""}` +
    `${summary.memoryGrowth} bytes`;
}

async function main(): Promise<number> {
  const options = parseArgs(Deno.args, {
    string: ["frames", "seed", "target", "reference", "only"],
    boolean: ["help"],
  });
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const seed = Number(options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  const target = await startTarget(options.target, options.reference);
  console.log(`seed ${seed}, against ${target.what}`);
  const summary = await runFuzz({
    frames: Number(options.frames ?? 1_000_000),
    seed,
    address: target.address,
    only: options.only === undefined ? undefined : Number(options.only),
    reference: options.reference !== undefined,
  });
  await target.stop();
  console.log(summaryLine(summary));
  if (summary.fault === undefined) return 0;
  console.log(`\nFAILED with seed ${seed}: ${summary.fault}`);
  return 1;
}

Deno.exit(await main());
