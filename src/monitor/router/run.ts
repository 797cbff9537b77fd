/**
 * A run: commands of one client that follow each other on one connection to a node, and their replies.
 *
 * Each run stands in two lines: in that of its connection, since replies come in the order of the commands, and in that of its client, since
 * the client gets them in the order in which it asked. Where a reply comes before its turn, it waits in the run.
 *
 * @module
 */
import { ByteAccumulator } from "../../protocol/byte_accumulator.ts";
import type { Block } from "./outgoing.ts";
import type { Upstream, UpstreamShape } from "./upstream.ts";

/** Whose commands these are: who takes the replies. */
export interface RunOwner {
  /** `count` whole replies of a run, whose {@linkcode Run.answered} doesn't count them yet. */
  deliver(run: Run, bytes: Uint8Array, start: number, end: number, count: number): void;
  /** A part of one that isn't whole; more of it follows, or {@linkcode RunOwner.lost}. */
  deliverPart(run: Run, bytes: Uint8Array, start: number, end: number): void;
  /**
   * The next reply is an error by which the node says that it can't serve now, or comes behind such a one ({@linkcode Run.isVoid}); whether
   * the owner sees to that, and has taken this command out of the run. If not, the reply is delivered.
   */
  refused(run: Run, error: string, isRefusal: boolean): boolean;
  /** All replies have been kept in the run, and the replicas have confirmed what it has changed, or (with a reason) haven't. */
  confirmed(run: Run, failure: string | null): void;
  /** The connection is gone; the commands from {@linkcode Run.answered} on have no reply. */
  lost(run: Run, reason: string): void;
}

/** See the head of this file. */
export class Run {
  /** Where its commands were sent; null for replies of the router's own. */
  upstream: Upstream | null = null;
  /** How many of its commands have been answered. */
  answered = 0;
  /** How many of its commands change data. */
  writes = 0;
  /** Whether replies are dropped. */
  isSilent = false;
  /** Whether it has a connection of its own, on which it may wait. */
  isExclusive = false;
  /** Whether only the master will do. */
  toMaster = false;
  /** A command before it was refused: what only reads must be asked once more, after that. */
  isVoid = false;
  /** Whether it waits for replicas to have what its connection has seen done: a command has to go before it there. */
  isWait = false;
  /** Whether it means something on its connection only, as a part of a transaction. */
  isBound = false;
  /** The block in which its commands stand... */
  block: Block | null = null;
  /** ... from here... */
  start = 0;
  /** ... to here. */
  end = 0;
  /** A copy of them, while they wait to be sent once more. */
  copy: Uint8Array | null = null;
  /** How the connection was on which they were sent first: the client may have selected another database since. */
  origin: Pick<UpstreamShape, "resp" | "database"> | null = null;
  /** Replies that wait for their turn, or for replicas. */
  held: ByteAccumulator | null = null;
  /** A part of a reply was given to the client. */
  hasBegun = false;
  /** All replies are there. */
  isDone = false;
  /** When it was sent first, by the monotonic clock in ms. */
  startedMs = 0;
  /** When it was sent last, likewise. */
  sentMs = 0;

  /** Makes a run of `count` commands; `owner` gets the replies. */
  constructor(public owner: RunOwner, public count: number) {}

  /** Keeps replies. */
  hold(bytes: Uint8Array, start: number, end: number): void {
    (this.held ??= new ByteAccumulator()).appendRange(bytes, start, end);
  }

  /** Puts a command behind those that wait to be sent once more. */
  appendCopy(bytes: Uint8Array): void {
    const copy = this.copy!;
    const length = copy.length + bytes.length;
    let room = new Uint8Array(copy.buffer);
    if (length > room.length) {
      room = new Uint8Array(length * 2);
      room.set(copy);
    }
    this.copy = room.subarray(0, length);
    this.copy.set(bytes, copy.length);
  }

  /** Its commands, as they were sent: a view that must not be kept. */
  get request(): Uint8Array {
    return this.copy ?? this.block!.bytes.subarray(this.start, this.end);
  }
}
