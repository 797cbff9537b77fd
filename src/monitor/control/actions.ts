/**
 * What goes into the control machine and what comes out of it.
 *
 * @module
 */
import type { PlainValue } from "../../protocol/reply.ts";
import type { LogLevel } from "../../runtime/logging.ts";
import type { SavedState } from "../options.ts";
import type { NodeAddress, Routing } from "../routing.ts";

/** Something that has happened. */
export type ControlEvent =
  /** Time has passed: a moment that {@linkcode ControlMachine.wakeAt} named has come, or is long gone. */
  | { readonly type: "time" }
  /** A connection stands. `local` and `remote` are its two addresses, without ports. */
  | {
    readonly type: "opened";
    readonly link: number;
    readonly local: string;
    readonly remote: string;
  }
  /** A connection has ended, or couldn't be made. */
  | { readonly type: "closed"; readonly link: number; readonly reason: string }
  /** The answer to the command that was sent as `tag`; an Error for an error reply. */
  | {
    readonly type: "reply";
    readonly link: number;
    readonly tag: number;
    readonly reply: PlainValue;
  }
  /** A message on the channel that a connection has subscribed to. */
  | { readonly type: "message"; readonly link: number; readonly text: string }
  /** What a name stands for; null if nobody knows. */
  | { readonly type: "resolved"; readonly host: string; readonly ip: string | null }
  /** The router has no write under way any more, or has given up waiting for that. */
  | { readonly type: "drained"; readonly group: string; readonly all: boolean }
  /** Somebody has had trouble with a node. */
  | { readonly type: "suspect"; readonly node: NodeAddress; readonly reason: string };

/** Something that is to be done, in the order in which it is given. */
export type ControlAction =
  /** Connect; answered by `opened` or `closed`. */
  | {
    readonly type: "open";
    readonly link: number;
    readonly host: string;
    readonly port: number;
    readonly timeoutMs: number;
  }
  /** Close, whatever waits; no event answers. */
  | { readonly type: "close"; readonly link: number }
  /** Send a command; answered by `reply`, or by nothing if the connection ends. */
  | {
    readonly type: "send";
    readonly link: number;
    readonly tag: number;
    readonly command: readonly string[];
  }
  /** Send a command that has no answer. */
  | { readonly type: "post"; readonly link: number; readonly command: readonly string[] }
  /** Find out what a name stands for; answered by `resolved`. */
  | { readonly type: "resolve"; readonly host: string }
  /** Tell those who listen, and the log. A group's name, or empty. */
  | {
    readonly type: "event";
    readonly event: string;
    readonly text: string;
    readonly level: LogLevel;
    /** False for what only goes to the log. */
    readonly published: boolean;
  }
  /** Write to the log alone. */
  | { readonly type: "log"; readonly level: LogLevel; readonly text: string }
  /** Tell the router. */
  | { readonly type: "route"; readonly group: string; readonly routing: Routing }
  /** Tell the router until when (monotonic ms) it may send writes. */
  | { readonly type: "lease"; readonly group: string; readonly untilMs: number }
  /** Wait until the router has no write under way; answered by `drained`. */
  | { readonly type: "drain"; readonly group: string; readonly timeoutMs: number }
  /** End the process as if it had crashed: a failure that was asked for. */
  | { readonly type: "crash" };

/** What the machine has to ask the world for at once. */
export interface ControlHooks {
  /** Puts the state on disk before it returns; false if that can't be done. */
  save(state: SavedState): boolean;
  /** A number from 0 up to 1. */
  random(): number;
  /** `length` hexadecimal digits. */
  hex(length: number): string;
}

/** A moment by both clocks, in ms. */
export interface Moment {
  /** By the clock that is never set. */
  readonly monotonic: number;
  /** By the calendar. */
  readonly unix: number;
}
