/**
 * Runs the probe beside a load.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { ProbeReport } from "./probe.ts";

const PROBE_PATH = fileURLToPath(new URL("./probe.ts", import.meta.url));

/**
 * Runs `load` while a probe in a process of its own asks the servers on `ports`: the one that is
 * loaded, and after it, if there is one, an idle one as control.
 *
 * @throws {Error} if the probe ends before it is told to: a server has gone
 */
export async function probeDuring(
  ports: readonly number[],
  load: () => Promise<void>,
): Promise<ProbeReport> {
  const probe = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", PROBE_PATH, ...ports.map(String)],
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
