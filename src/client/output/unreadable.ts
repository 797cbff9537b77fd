/**
 * Replies that redis-cli 7.0 doesn't know, although RESP3 has them: big numbers, attributes, errors
 * with a length, numbers that are none.
 *
 * Programs that read our output count on its forms, and redis-cli has none for these: it says so and
 * ends with 1. So do we where a program reads; a user at a terminal sees the reply.
 *
 * @module
 */

import type { Reply } from "../../protocol/reply.ts";
import { FatalError } from "../fatal_error.ts";

/** The number by which redis-cli calls a reply that is a big number. */
const BIG_NUMBER_TYPE = 13;

/**
 * Looks for what redis-cli couldn't read or print.
 *
 * @throws {FatalError} if there is any; the message is redis-cli's.
 */
export function refuseUnreadable(reply: Reply): void {
  // A reply is read as a whole before it is printed, so that what can't be read goes first.
  const reason = findReason(reply, whyUnreadable) ?? findReason(reply, whyUnprintable);
  if (reason !== undefined) throw new FatalError(reason);
}

function findReason(
  reply: Reply,
  why: (reply: Reply) => string | undefined,
): string | undefined {
  const reason = why(reply);
  if (reason !== undefined || !("items" in reply)) return reason;
  for (const item of reply.items) {
    const inner = findReason(item, why);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function whyUnreadable(reply: Reply): string | undefined {
  switch (reply.kind) {
    case "attributed":
      return 'Error: Protocol error, got "|" as reply type byte';
    case "error":
      return reply.form === "blob"
        ? 'Error: Protocol error, got "!" as reply type byte'
        : undefined;
    case "double":
      return Number.isNaN(reply.value) ? "Error: Bad double value" : undefined;
    default:
      return undefined;
  }
}

function whyUnprintable(reply: Reply): string | undefined {
  return reply.kind === "bignumber" ? `Unknown reply type: ${BIG_NUMBER_TYPE}` : undefined;
}
