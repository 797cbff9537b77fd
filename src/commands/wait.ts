/**
 * How a command waits: what a handler says when it blocks its client.
 *
 * A handler that finds nothing to reply yet calls `context.waitFor(wait, timeoutMs)` and returns
 * without a reply. The client's further commands stay where they are until one of these comes first:
 * what is waited for (whoever brings it calls {@linkcode Blocked.finish}), the timeout or CLIENT UNBLOCK
 * (then {@linkcode Wait.timeOut} writes the reply), or the end of the connection. However
 * it ends, {@linkcode Wait.ended} is called once, so that the client is taken out of all queues.
 *
 * @module
 */
import type { ReplyWriter } from "../protocol/reply_writer.ts";

/** What a blocked client waits for. */
export interface Wait {
  /** Writes the reply for a client that waits no longer and got nothing. */
  timeOut(reply: ReplyWriter): void;
  /** The waiting is over, however that came; the reply, if there is one, comes after this. */
  ended(): void;
}

/** A client that waits. */
export interface Blocked {
  /** Ends the waiting with what `write` replies, in the version of the protocol that the client speaks. */
  finish(write: (reply: ReplyWriter) => void): void;
}
