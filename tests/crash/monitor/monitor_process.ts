/**
 * A monitor in a process of its own.
 *
 * @module
 */

import { freePort, lastingPort } from "../../support/ports.ts";
import { Sentinel } from "../sentinels/sentinel.ts";
import { type Launch, ServerProcess } from "../server_process.ts";
import { reached } from "../waiting.ts";

const GROUP_NAME = "group";
const FIND_LIMIT_MS = 30_000;

/**
 * Starts a monitor in a new folder `home`, that is told of one node at `nodePort` and finds the others.
 *
 * @param launch How to start a monitor.
 * @param settings What else it is told, by name.
 * @returns it when it knows its master, as the sentinel that it is; its process listens for clients.
 */
export async function startMonitor(
  launch: Launch,
  home: string,
  nodePort: number,
  settings: Readonly<Record<string, string>>,
): Promise<Sentinel> {
  await Deno.mkdir(home);
  const sentinelPort = freePort();
  const all = {
    nodes: `127.0.0.1:${nodePort}`,
    name: GROUP_NAME,
    "sentinel-port": String(sentinelPort),
    "sentinel-bind": "127.0.0.1",
    ...settings,
  };
  const words = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  const process = await ServerProcess.start(launch, home, words, lastingPort());
  const monitor = new Sentinel("the monitor", process, sentinelPort, GROUP_NAME);
  await reached("the monitor's look at its node", FIND_LIMIT_MS, async () => {
    return await monitor.masterPort() === undefined ? "it knows no master" : undefined;
  });
  return monitor;
}
