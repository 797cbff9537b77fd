/**
 * Runs probes beside a load.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { LagReport } from "./lag_probe.ts";
import type { ProbeReport } from "./probe.ts";

/**
 * Runs `load` while a probe in a process of its own asks the servers on `ports`: the one that is
 * loaded, and after it, if there is one, an idle one as control.
 *
 * @throws {Error} if the probe ends before it is told to: a server has gone
 */
export function probeDuring(
  ports: readonly number[],
  load: () => Promise<void>,
): Promise<ProbeReport> {
  return runBeside("./probe.ts", ports, load);
}

/**
 * Runs `load` while a probe in a process of its own writes to a master and reads from its replica.
 *
 * @throws {Error} if the probe ends before it is told to: a server has gone
 */
export function lagDuring(
  masterPort: number,
  replicaPort: number,
  load: () => Promise<void>,
): Promise<LagReport> {
  return runBeside("./lag_probe.ts", [masterPort, replicaPort], load);
}

/** Starts a probe, which prints `ready`, goes on until its input ends, and prints its report as JSON. */
async function runBeside<Report>(
  file: string,
  ports: readonly number[],
  load: () => Promise<void>,
): Promise<Report> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const probe = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", path, ...ports.map(String)],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = probe.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const greeting = await lines.read();
    if (greeting.done) throw new Error("the probe did not start");
    await load();
  } finally {
    await probe.stdin.close();
  }
  let output = "";
  for (let part = await lines.read(); !part.done; part = await lines.read()) output += part.value;
  const { success } = await probe.status;
  if (!success) throw new Error("the probe failed");
  return JSON.parse(output);
}
