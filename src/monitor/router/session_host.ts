/**
 * What a client's session needs of the router, and what takes its place for a while.
 *
 * @module
 */
import type { RequestFrame } from "../../protocol/request_parser.ts";
import type { BlockPool } from "./outgoing.ts";
import type { Route, RouteTable } from "./routes.ts";
import type { Run } from "./run.ts";
import type { RouterSession } from "./session.ts";
import type { Statistics } from "./statistics.ts";

/** What becomes of replies. */
export const REPLY_ON = 0;
/** Replies are dropped. */
export const REPLY_OFF = 1;
/** The reply of the next command is dropped. */
export const REPLY_SKIP = 2;

/** What a session needs of the router. */
export interface SessionHost {
  /** Blocks to send from. */
  readonly blocks: BlockPool;
  /** What is counted. */
  readonly statistics: Statistics;
  /** What is done with each command. */
  readonly routes: RouteTable;
  /** Longest command, and most bytes of replies that may wait. */
  readonly queryBufferLimit: number;
  /** Most bytes of replies that may wait. */
  readonly outputBufferLimit: number;
  /** The time in ms, by a clock that never goes back, as of the start of this turn. */
  readonly nowMs: number;
  /** A turn begins. */
  tick(): void;
  /** The session's output is sent at the end of the turn. */
  flushLater(session: RouterSession): void;
  /** Has what is to be sent to clients sent. */
  flushClients(): void;
  /**
   * Sends a group of commands of a session where it belongs.
   *
   * @returns whether it was sent; if not, the session is called on again.
   */
  dispatch(session: RouterSession, group: Group): boolean;
  /** Does with a single command what is to be done with it; see {@linkcode SessionHost.dispatch}. */
  single(session: RouterSession, route: Route, bytes: Uint8Array, frame: RequestFrame): boolean;
  /** A command of a run was refused by its node; see {@linkcode RunOwner.refused}. */
  refused(session: RouterSession, run: Run, error: string, isRefusal: boolean): boolean;
  /** A run has lost its connection. */
  lost(session: RouterSession, run: Run, reason: string): void;
  /** What a run has changed was not confirmed by enough replicas. */
  unconfirmed(session: RouterSession, run: Run, failure: string): void;
  /** All of a run's replies are there. */
  finished(session: RouterSession, run: Run): void;
  /** The session is closed. */
  left(session: RouterSession): void;
}

/** Commands that stand one behind the other in a buffer. */
export interface Group {
  /** The buffer... */
  bytes: Uint8Array;
  /** ... in which they start here... */
  start: number;
  /** ... and end here. */
  end: number;
  /** How many they are. */
  count: number;
  /** How many of them write. */
  writes: number;
  /** Whether they have to go to the master. */
  toMaster: boolean;
}

/** Takes over what a client sends, while it has a connection of its own to a node. */
export interface OwnLane {
  /** The last command that it was for was sent: it ends by itself when that is answered. */
  readonly isEnding: boolean;
  /** One command; false if it has to wait. */
  take(route: Route, bytes: Uint8Array, frame: RequestFrame): boolean;
  /** One of its runs was refused; whether it has seen to that, as {@linkcode RunOwner.refused}. */
  refused(run: Run, error: string): boolean;
  /** One of its runs has lost its connection; whether it has seen to that. */
  lost(run: Run, reason: string): boolean;
  /** All replies of a run are there. */
  finished(run: Run): void;
  /** The client is gone. */
  leave(): void;
  /** The router may have a master again. */
  retry(): void;
}
