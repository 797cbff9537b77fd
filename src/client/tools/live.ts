/**
 * Tools that go on until the user has enough: what they show is their result.
 *
 * @module
 */

import { reportFailure } from "../failures.ts";
import { INTERRUPTED_EXIT_CODE, Interruption } from "./interruption.ts";
import { connectTool, type ToolContext } from "./tool.ts";
import { WatchedServer } from "./watched_server.ts";

/** What a live tool works with. */
export interface Live extends ToolContext {
  /** The server, which may go and come back. */
  readonly server: WatchedServer;
  /** Ctrl-C; commands under way are rejected when it comes. */
  readonly interruption: Interruption;
}

/**
 * Connects, and has something done until it ends or Ctrl-C is pressed.
 *
 * @param work Gives the exit code.
 * @returns The exit code: what the work gave, or that of a program that Ctrl-C has ended.
 */
export async function runLive(
  context: ToolContext,
  work: (live: Live) => Promise<number>,
): Promise<number> {
  const client = await connectTool(context);
  if (client === undefined) return 1;
  using interruption = new Interruption(context.terminal);
  using server = new WatchedServer(context, interruption, client);
  try {
    const exitCode = await work({ ...context, server, interruption });
    return interruption.isRequested ? INTERRUPTED_EXIT_CODE : exitCode;
  } catch (error) {
    if (interruption.isRequested) return INTERRUPTED_EXIT_CODE;
    return reportFailure(error, context.terminal);
  }
}
