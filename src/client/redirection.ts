/**
 * Where a node of a cluster sends a client whose key it doesn't have.
 *
 * `MOVED` says that the slot is another node's; `ASK`, that the key may already be at the node that
 * is just getting the slot, which answers only behind an ASKING.
 *
 * @module
 */

import type { Reply } from "../protocol/reply.ts";
import type { ServerAddress } from "./connect.ts";

/** What a node says. */
export interface Redirection {
  /** The hash slot of the key. */
  readonly slot: number;
  /** The node to ask. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** Whether ASKING must go ahead of the command. */
  readonly isAsk: boolean;
}

/**
 * What a reply says of another node, or `undefined` if it is an answer.
 *
 * @param reply The reply to a command.
 * @param from The node that it came from, which is meant if no host is named.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ErrorReply } from "../protocol/reply.ts";
 *
 * const reply = new ErrorReply(new TextEncoder().encode("MOVED 3999 10.0.0.2:6381"));
 * assertEquals(readRedirection(reply, {}), {
 *   slot: 3999,
 *   hostname: "10.0.0.2",
 *   port: 6381,
 *   isAsk: false,
 * });
 * ```
 */
export function readRedirection(reply: Reply, from: ServerAddress): Redirection | undefined {
  if (reply.kind !== "error") return undefined;
  const match = /^(MOVED|ASK) (\d+) (.*):(\d+)$/s.exec(reply.text());
  if (match === null) return undefined;
  const [, kind, slot, hostname, port] = match;
  return {
    slot: Number(slot),
    hostname: hostname || (from.hostname ?? "127.0.0.1"),
    port: Number(port),
    isAsk: kind === "ASK",
  };
}
