/**
 * Why the command line client can't go on, and how the user is told.
 *
 * @module
 */

import { ReplyProtocolError } from "../protocol/reply_types.ts";
import { ConnectError, ConnectionClosedError } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/** A tool can't go on; the message is a line for the user. */
export class ToolError extends Error {
  /** The error's name. */
  override readonly name = "ToolError";
}

/**
 * Says on the error output why something ended early.
 *
 * @param error What it ended with.
 * @param terminal Where it is said.
 * @returns The exit code.
 * @throws {unknown} `error` itself, if it is neither a tool's, nor the server's, nor the network's.
 */
export function reportFailure(error: unknown, terminal: Pick<Terminal, "writeError">): number {
  if (error instanceof ToolError || error instanceof ConnectError) {
    terminal.writeError(error.message);
  } else if (error instanceof ConnectionClosedError || error instanceof ReplyProtocolError) {
    terminal.writeError(`Error: ${error.message}`);
  } else throw error;
  return 1;
}
