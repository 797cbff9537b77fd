/**
 * What a connection begins with: the user, the database and the protocol.
 *
 * The library's `connect` sends all of it at once, with HELLO in front. Here each command waits for
 * the reply to the one before, in redis-cli's order: so the user learns which of them was refused,
 * and servers without HELLO can be talked to.
 *
 * @module
 */

import type { Reply } from "../protocol/reply.ts";
import type { ClientSettings } from "./options.ts";

/** Who we are, and where we want to be. */
export type IntroductionSettings = Pick<
  ClientSettings,
  "username" | "password" | "database" | "resp"
>;

/** Sends a command and waits for its reply. */
export type Send = (name: string, ...args: readonly string[]) => Promise<Reply>;

/**
 * Logs in, and selects the database and the protocol, until one of them is refused.
 *
 * @param settings What is asked for; what a connection has by itself is not.
 * @param send Sends a command.
 * @returns a line that says what was refused and why; `undefined` if nothing was.
 * @throws {unknown} what `send` throws.
 */
export async function introduce(
  { username, password, database, resp }: IntroductionSettings,
  send: Send,
): Promise<string | undefined> {
  if (password !== undefined) {
    const user = username === undefined ? [] : [username];
    const refusal = refusalOf("AUTH", await send("AUTH", ...user, password));
    if (refusal !== undefined) return refusal;
  }
  if (database !== 0) {
    const refusal = refusalOf(`SELECT ${database}`, await send("SELECT", String(database)));
    if (refusal !== undefined) return refusal;
  }
  return resp === 3 ? refusalOf("HELLO 3", await send("HELLO", "3")) : undefined;
}

/**
 * What is said of a reply that refuses a step.
 *
 * @param title What the step is called.
 * @returns the line, or `undefined` if the reply is no error.
 */
export function refusalOf(title: string, reply: Reply): string | undefined {
  return reply.kind === "error" ? `${title} failed: ${reply.text()}` : undefined;
}
