/**
 * How fast a server answers while something goes on.
 *
 * @module
 */

import { numberInInfo, type RunningServer } from "./contender.ts";
import { WireConnection } from "./wire.ts";

/** What was seen meanwhile. */
export interface Rate {
  /** Commands that the server ran in a second. */
  readonly perSecond: number;
  /** How long it was. */
  readonly seconds: number;
}

/** Runs `work`; how fast the server was meanwhile, whoever asked it. */
export async function ratedDuring(server: RunningServer, work: () => Promise<void>): Promise<Rate> {
  const connection = await WireConnection.open(server.port);
  try {
    const look = async () => {
      const info = await connection.command("INFO", "stats");
      return { commands: numberInInfo(info, "total_commands_processed"), atMs: performance.now() };
    };
    const from = await look();
    await work();
    const to = await look();
    const seconds = (to.atMs - from.atMs) / 1000;
    return { perSecond: (to.commands - from.commands) / seconds, seconds };
  } finally {
    connection.close();
  }
}
