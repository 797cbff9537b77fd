/**
 * How a command waits: what a handler says when it blocks its client.
 *
 * A handler that finds nothing to reply yet, and may block (`context.mayBlock`), says what it waits for and returns
 * without a reply. The client's further commands stay where they are until the waiting ends. There are two ways:
 *
 * - **For keys** ({@linkcode KeyWait}, `context.waitForKeys`): BLPOP and its like. The server notices when one of the
 *   keys has changed, puts the arguments of the waiting command into the context again, and calls
 *   {@linkcode KeyWait.attempt} for the clients that wait for it, in the order in which they came.
 * - **For anything else** ({@linkcode Wait}, `context.waitFor`): whoever brings what is waited for calls
 *   {@linkcode Blocked.finish}.
 *
 * Both end early with the timeout or CLIENT UNBLOCK, which replies what `timeOut` writes, or with the connection.
 *
 * @module
 */
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import type { Context } from "./context.ts";

/** What a blocked client waits for. */
export interface Wait {
  /**
   * Whether CLIENT UNBLOCK can't end it.
   *
   * @default false
   */
  readonly endures?: boolean;
  /** Writes the reply for a client that waits no longer and got nothing. */
  timeOut(reply: ReplyWriter): void;
  /**
   * The waiting is over, however that came; the reply, if there is one, comes after this. Called once, so that the
   * client is taken out of all queues.
   */
  ended(): void;
}

/** A client that waits. */
export interface Blocked {
  /** Ends the waiting with what `write` replies, in the version of the protocol that the client speaks. */
  finish(write: (reply: ReplyWriter) => void): void;
}

/** What a command that waits for keys says. */
export interface KeyWait {
  /** The argument that is the first key. */
  readonly firstKey: number;
  /** How many keys there are. */
  readonly keyCount: number;
  /** How far one key is from the next. @default 1 */
  readonly keyStep?: number;
  /** How long it waits, in ms; 0 for ever. */
  readonly timeoutMs: number;
  /** The types that it can do something with: a bit `1 << TYPE_...` for each. A key of another type is waited for on. */
  readonly types: number;
  /**
   * Whether it also wants to know when a key is gone, or of another type: {@linkcode attempt} is called then, too.
   *
   * @default false
   */
  readonly whenGone?: boolean;
  /**
   * Tries again, since key `index` (an argument) has changed and now has a value of one of the {@linkcode types}. The
   * context has the command's arguments at the same places, and its client's database. True when it has replied (with a
   * result or an error) to `context.reply`; false when it waits on, and then it must have
   * written and changed nothing. Changes and effects are told as in a handler, but an effect has to be named with
   * `context.effect`: the waiting command itself is none.
   */
  attempt(context: Context, index: number): boolean;
  /** Writes the reply for a client that waits no longer and got nothing. */
  timeOut(reply: ReplyWriter): void;
}
