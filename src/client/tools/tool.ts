/**
 * What tools have in common.
 *
 * @module
 */

import type { Client } from "../client.ts";
import { connect } from "../connect.ts";
import { reportFailure, ToolError } from "../failures.ts";
import { introduce } from "../introduction.ts";
import type { ClientSettings } from "../options.ts";
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
export async function connectTool(context: ToolContext): Promise<Client | undefined> {
  try {
    return await openTool(context);
  } catch (error) {
    reportFailure(error, context.terminal);
    return undefined;
  }
}

/**
 * Connects as the settings say.
 *
 * @throws {ConnectError} if there is no server.
 * @throws {ToolError} if it refuses the user, the protocol or the database.
 * @throws {ConnectionClosedError} if it closes the connection before that.
 * @throws {ReplyProtocolError} if it sends what is no reply.
 */
export async function openTool({ settings }: ToolContext): Promise<Client> {
  const client = await connect(settings.address);
  try {
    const refusal = await introduce(settings, (name, ...args) => client.send(name, ...args));
    if (refusal !== undefined) throw new ToolError(refusal);
  } catch (error) {
    client.close();
    throw error;
  }
  return client;
}
