/**
 * The keys of a database, a SCAN at a time.
 *
 * @module
 */

import type { BulkReply, Reply } from "../../protocol/reply.ts";
import type { RequestArgument } from "../../protocol/request_writer.ts";
import type { Client } from "../client.ts";
import { ToolError } from "../failures.ts";

/** A walk through the keys of the client's database. */
export class KeyScan {
  readonly #client: Client;
  readonly #options: readonly RequestArgument[];
  #cursor = "0";
  #isStarted = false;

  /**
   * Stands in front of the first key.
   *
   * @param pattern Which keys, as a glob-style pattern; all without one.
   * @param count About how many keys a SCAN looks at; the server's usual number (10) without it.
   */
  constructor(client: Client, pattern: Uint8Array | undefined, count?: number) {
    this.#client = client;
    this.#options = [
      ...pattern === undefined ? [] : ["MATCH", pattern],
      ...count === undefined ? [] : ["COUNT", count],
    ];
  }

  /** Whether there are no more keys. */
  get isDone(): boolean {
    return this.#isStarted && this.#cursor === "0";
  }

  /**
   * Asks for the next keys, of which a pattern may leave none. The request is under way when this
   * returns, behind what was sent before; the next call has to wait for the keys.
   *
   * @throws {ToolError} if the server refuses, or answers with something else.
   * @throws {ConnectionClosedError} if the connection ends.
   */
  async next(): Promise<readonly BulkReply[]> {
    const reply = await this.#client.send("SCAN", this.#cursor, ...this.#options);
    if (reply.kind === "error") throw new ToolError(`SCAN error: ${reply.text()}`);
    const [cursor, keys] = reply.kind === "array" ? reply.items : [];
    if (cursor?.kind !== "bulk" || keys?.kind !== "array" || !keys.items.every(isBulk)) {
      throw new ToolError("SCAN error: the server didn't answer with a cursor and keys");
    }
    this.#cursor = cursor.text();
    this.#isStarted = true;
    return keys.items as readonly BulkReply[];
  }
}

/**
 * How many keys there are.
 *
 * @throws {ToolError} if the server doesn't tell.
 * @throws {ConnectionClosedError} if the connection ends.
 */
export async function countKeys(client: Client): Promise<number> {
  const reply = await client.send("DBSIZE");
  if (reply.kind === "integer") return Number(reply.value);
  const reason = reply.kind === "error" ? reply.text() : "the answer is no number";
  throw new ToolError(`Couldn't determine DBSIZE: ${reason}`);
}

function isBulk(reply: Reply): boolean {
  return reply.kind === "bulk";
}
