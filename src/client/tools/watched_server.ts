/**
 * The server that a tool watches for long; it may go and come back.
 *
 * Unlike the library's `ReconnectingClient`, which works unseen, it shows each attempt, and a server
 * that came back and refuses us ends the tool.
 *
 * @module
 */

import type { Reply } from "../../protocol/reply.ts";
import type { RequestArgument } from "../../protocol/request_writer.ts";
import type { Client } from "../client.ts";
import { ConnectError, ConnectionClosedError } from "../errors.ts";
import { latin1Bytes } from "../quoting.ts";
import type { Interruption } from "./interruption.ts";
import { openTool, type ToolContext } from "./tool.ts";

/** From one attempt to the next. */
const RETRY_INTERVAL_MS = 1000;

/** To the start of the line, which is then empty. */
const CLEAR_LINE = "\r\x1b[0K";

/** A connection to a server that is watched, or the next one to it. */
export class WatchedServer {
  readonly #context: ToolContext;
  readonly #interruption: Interruption;
  #client: Client;

  /** Goes on with a connection, until the user wants an end. */
  constructor(context: ToolContext, interruption: Interruption, client: Client) {
    this.#context = context;
    this.#interruption = interruption;
    this.#client = client;
    // Who waits for a reply has it rejected.
    interruption.requested.then(() => this.#client.close());
  }

  /**
   * Sends a command, and waits for its reply, if need be from the next server that is there.
   *
   * @throws {ConnectionClosedError} if the user wants an end.
   * @throws {ToolError} if the server came back and refuses the user or the database.
   * @throws {ReplyProtocolError} if it sends what is no reply.
   */
  async send(name: RequestArgument, ...args: readonly RequestArgument[]): Promise<Reply> {
    for (;;) {
      try {
        return await this.#client.send(name, ...args);
      } catch (error) {
        if (!(error instanceof ConnectionClosedError) || this.#interruption.isRequested) {
          throw error;
        }
        await this.#reconnect(error);
      }
    }
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#client.close();
  }

  async #reconnect(reason: Error): Promise<void> {
    const { terminal } = this.#context;
    if (!terminal.outputIsTerminal) terminal.writeError(`Reconnecting: ${reason.message}`);
    for (let attempt = 1;; attempt++) {
      this.#draw(`${CLEAR_LINE}Reconnecting... ${attempt}\r`);
      const client = await this.#tryToConnect();
      if (client === undefined) await this.#interruption.sleep(RETRY_INTERVAL_MS);
      else this.#client = client;
      if (this.#interruption.isRequested) throw reason;
      if (client !== undefined) break;
    }
    this.#draw(CLEAR_LINE);
  }

  /** Draws on the line that is overwritten; what a program reads has no such line. */
  #draw(text: string): void {
    const { terminal } = this.#context;
    if (terminal.outputIsTerminal) terminal.write(latin1Bytes(text));
  }

  async #tryToConnect(): Promise<Client | undefined> {
    try {
      return await openTool(this.#context);
    } catch (error) {
      if (error instanceof ConnectError || error instanceof ConnectionClosedError) return undefined;
      throw error;
    }
  }
}
