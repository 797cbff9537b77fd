/**
 * What a session asks of its server: turns, limits, buffers, and somebody who counts.
 *
 * @module
 */
import type { BufferPool } from "../protocol/byte_buffer.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import type { Session } from "./session.ts";

/** What is counted of the traffic of all sessions. */
export interface TrafficCounters {
  /** Bytes read. */
  inputBytes: number;
  /** Bytes written. */
  outputBytes: number;
  /** Reads that brought something. */
  reads: number;
  /** Writes. */
  writes: number;
}

/** What a session may take. */
export interface SessionLimits {
  /** Bytes of output at which no further commands run. */
  readonly pauseBytes: number;
  /** Whether {@linkcode check} has to be called after each turn; else when output comes out of turn. */
  readonly watching: boolean;
  /** Whether the session may go on; it has been closed if not. */
  check(session: Session): boolean;
}

/** Where output waits until what it tells is on the disk; see `output_gate.ts`. */
export interface SessionGate {
  /** The position of output that is made now. */
  readonly position: number;
  /** Whether output of this position has to wait; who asks is told when to try again. */
  holds(position: number, session: Session): boolean;
}

/** Where a session gets what it is sent beside replies: a replica its stream. */
export interface OutputSource {
  /** How many bytes wait to be sent. */
  readonly pendingBytes: number;
  /** The next bytes, which stay as they are until they are sent; null if there are none now. */
  next(): Uint8Array | null;
  /** So many of them have been sent. */
  sent(count: number): void;
  /** Nothing is sent any more. */
  close(): void;
}

/** What a session needs of its server. */
export interface SessionHost {
  /** Runs what is in the session's buffer, with what others have sent by now. */
  process(session: Session): void;
  /** As {@linkcode process}, after others had their turn. */
  processLater(session: Session): void;
  /** Has the session send what it waits to send, with the others whose turns are over. */
  sendLater(session: Session): void;
  /** The session is gone. */
  forget(session: Session): void;
  /** Most bytes of requests that may wait (`client-query-buffer-limit`). */
  readonly queryBufferLimit: number;
  /** Unix time in ms. */
  now(): number;
  /** Where sessions get their first buffer. */
  readonly firstBuffers: BufferPool;
  /** What all sessions together read and wrote. */
  readonly counters: TrafficCounters;
  /** Writes the replies of all sessions. */
  readonly reply: ReplyWriter;
  /** Where output waits for the disk. */
  readonly gate: SessionGate;
  /** What clients may take. */
  readonly limits: SessionLimits;
  /** Messages wait for the session, which isn't being written to any more. */
  deliverLater(session: Session): void;
  /** Logs that a client sends more than may wait, and what. */
  logTooLong(session: Session): void;
}
