/**
 * A monitor in a process of its own.
 *
 * @module
 */

import { freePort, lastingPort } from "../../support/ports.ts";
import { Sentinel } from "../sentinels/sentinel.ts";
import { type Launch, ServerProcess } from "../server_process.ts";

const GROUP_NAME = "group";

/**
 * Starts a monitor in a new folder `home`, that is told of one node at `nodePort` and finds the others.
 *
 * @param launch How to start a monitor.
 * @param settings What else it is told, by name.
 * @returns it, as the sentinel that it is; its process listens for clients.
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
  return new Sentinel("the monitor", process, sentinelPort, GROUP_NAME);
}
