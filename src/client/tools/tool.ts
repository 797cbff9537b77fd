/**
 * What tools have in common.
 *
 * @module
 */

import type { Client, ClientOptions } from "../client.ts";
import { connect } from "../connect.ts";
import { ConnectError, ConnectionClosedError, ReplyError } from "../errors.ts";
import type { ClientSettings, OutputFormat } from "../options.ts";
import type { Terminal } from "../terminal.ts";

/** What a tool is given. */
export interface ToolContext {
  /** What the user asked for. */
  readonly settings: ClientSettings;
  /** Where to read and write. */
  readonly terminal: Terminal;
}

/** A tool: does its work and gives the exit code. */
export type Tool = (context: ToolContext) => Promise<number>;

/**
 * Connects as the settings say, and says why if it can't.
 *
 * @returns the client, or `undefined` if there is none.
 */
export async function connectTool(
  context: ToolContext,
  options: ClientOptions = {},
): Promise<Client | undefined> {
  try {
    return await openTool(context, options);
  } catch (error) {
    const expected = error instanceof ConnectError || error instanceof ReplyError ||
      error instanceof ConnectionClosedError;
    if (!expected) throw error;
    context.terminal.writeError(error.message);
    return undefined;
  }
}

/**
 * Connects as the settings say.
 *
 * @throws {ConnectError} if there is no server.
 * @throws {ReplyError} if it refuses the user, the protocol or the database.
 * @throws {ConnectionClosedError} if it closes the connection before that.
 */
export function openTool(
  { settings }: ToolContext,
  options: ClientOptions = {},
): Promise<Client> {
  const { address, username, password, database, resp } = settings;
  return connect({ ...address, username, password, database, resp, ...options });
}

/** How a tool prints: as the user wants it, or by who reads it. */
export function outputFormat({ settings, terminal }: ToolContext): OutputFormat {
  return settings.format ?? (terminal.outputIsTerminal ? "standard" : "raw");
}
