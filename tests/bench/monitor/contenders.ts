/**
 * Proxies in front of servers: the monitor, and nutcracker to compare it with.
 *
 * @module
 */

import { type Bench, Skip } from "../bench_context.ts";
import type { Contender } from "../contender.ts";
import { freePort } from "../../support/ports.ts";

/** The proxy to compare with (https://github.com/twitter/twemproxy). */
const NUTCRACKER = "nutcracker";

/**
 * The version of nutcracker.
 *
 * @throws {Skip} if it is missing
 */
export async function nutcrackerVersion(): Promise<string> {
  try {
    const { stdout, stderr } = await new Deno.Command(NUTCRACKER, { args: ["--version"] }).output();
    const decoder = new TextDecoder();
    const text = decoder.decode(stdout) + decoder.decode(stderr);
    return text.match(/\d+\.\d+\.\d+/)?.[0] ?? "unknown";
  } catch {
    throw new Skip(`${NUTCRACKER} is missing`);
  }
}

/**
 * nutcracker in front of the server at `port`, with one connection to it, which is what it does by
 * itself and was the best of 1, 2 and 4.
 */
export function nutcrackerBefore(port: number): Contender {
  return {
    name: "nutcracker",
    command: [NUTCRACKER],
    placed: async (folder, ownPort) => {
      const file = `${folder}/nutcracker.yml`;
      const lines = [
        "bench:",
        `  listen: 127.0.0.1:${ownPort}`,
        "  redis: true",
        "  preconnect: true",
        "  hash: fnv1a_64",
        "  distribution: ketama",
        "  auto_eject_hosts: false",
        "  servers:",
        `   - 127.0.0.1:${port}:1`,
      ];
      await Deno.writeTextFile(file, `${lines.join("\n")}\n`);
      const places = {
        conf: file,
        output: `${folder}/nutcracker.log`,
        pid: `${folder}/nutcracker.pid`,
      };
      return [
        ...["-c", places.conf, "-o", places.output, "-p", places.pid],
        ...["-a", "127.0.0.1", "-s", String(freePort())],
      ];
    },
  };
}

/**
 * The monitor in front of the servers at `ports`, as it is if nothing else is said.
 *
 * @throws {Skip} if the command line under test doesn't end in `server`, so that nobody knows how it would start a monitor
 */
export function monitorBefore(bench: Bench, name: string, ports: readonly number[]): Contender {
  const { command } = bench.subject;
  if (command.at(-1) !== "server") throw new Skip("--miniredis doesn't say how to start a monitor");
  const nodes = ports.map((port) => `127.0.0.1:${port}`).join(",");
  return {
    name,
    command: [...command.slice(0, -1), "monitor", "--nodes", nodes],
    placed: (folder, port) =>
      Promise.resolve([
        ...["--dir", folder, "--port", String(port), "--sentinel-port", String(freePort())],
      ]),
  };
}
