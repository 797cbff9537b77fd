/**
 * What a server does with its clients out of their turns: it lets them wait and go on, and tells them
 * things.
 *
 * @module
 */
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { Blocking } from "./blocking.ts";
import { describeClient } from "./client_info.ts";
import { ClientLimits } from "./client_limits.ts";
import { Deadlines } from "./deadlines.ts";
import { Pause } from "./pause.ts";
import type { Server } from "./server.ts";
import { REPLY_OFF, REPLY_ON, REPLY_SKIP, type Session } from "./session.ts";
import { KeyTracking } from "./tracking.ts";

/** Lower numbers are those of the standard streams, listeners and files. */
const FIRST_DESCRIPTOR = 8;

/** The clients of one server, seen from outside of their turns. */
export class Clients {
  /** Timeouts of blocked clients, and the end of a pause. */
  readonly deadlines: Deadlines;
  /** Those who wait. */
  readonly blocking: Blocking;
  /** CLIENT PAUSE. */
  readonly pause: Pause;
  /** What they may take. */
  readonly limits: ClientLimits;
  /** Who is told of which keys. */
  readonly tracking: KeyTracking;
  /** The session whose turn it is, or null between turns. */
  running: Session | null = null;
  private readonly freeDescriptors: number[] = [];
  private nextDescriptor = FIRST_DESCRIPTOR;

  /** `aside` is a writer of replies that nobody else uses. */
  constructor(private readonly server: Server, private readonly aside: ReplyWriter) {
    this.deadlines = new Deadlines(server.clock);
    this.blocking = new Blocking(this, this.deadlines);
    this.limits = new ClientLimits(server);
    this.tracking = new KeyTracking(server);
    this.aside.onError = (text) => server.counters.countError(text);
    this.pause = new Pause({
      schedule: (deadline) => this.deadlines.add(deadline),
      unschedule: (deadline) => this.deadlines.remove(deadline),
      paused: () => {},
      resumed: () => {
        server.keyspace.keepExpired = false;
        this.blocking.resumePostponed();
      },
    });
  }

  /**
   * Sends a session something that isn't the reply to a command of its present turn: a message, or the reply to a
   * command that it waited with. In the session's own turn, which must be between two commands then, it
   * comes behind the replies so far.
   */
  tell(session: Session, write: (reply: ReplyWriter) => void): void {
    if (session === this.running) return write(this.server.reply);
    this.aside.resp = session.resp;
    write(this.aside);
    session.append(this.aside);
  }

  /** Sends a session the reply of the command that it waited with, if it wants to hear it. */
  answer(session: Session, write: (reply: ReplyWriter) => void): void {
    const { aside } = this;
    aside.resp = session.resp;
    write(aside);
    if (session.replyMode === REPLY_OFF || session.replyMode === REPLY_SKIP) aside.truncate(0);
    if (session.replyMode === REPLY_SKIP) session.replyMode = REPLY_ON;
    session.append(aside);
  }

  /** Background work, ten times a second. */
  tick(now: number): void {
    this.deadlines.run();
    this.limits.tick(now);
    if (this.tracking.keys > 0) {
      this.tracking.limit(this.server.settings.number("tracking-table-max-keys"));
    }
  }

  /** Logs that a client sends more than may wait. */
  logTooLong(session: Session): void {
    const start = quotedStart(session, 64);
    this.server.logger.log(
      "warning",
      `Closing client that reached max query buffer length: ${
        describeClient(this.server, session)
      } (qbuf initial bytes: "${start}")`,
    );
  }

  /** Logs that a client sends what isn't RESP. */
  logProtocolError(session: Session, error: string): void {
    if (this.server.logger.level !== "verbose" && this.server.logger.level !== "debug") return;
    const about = error === "invalid multibulk length" ? "invalid mbulk count" : error;
    this.server.logger.log(
      "verbose",
      `Protocol error (${about}) from client: ${describeClient(this.server, session)}. ` +
        `Query buffer during protocol error: '${quotedStart(session, 128)}'`,
    );
  }

  /** A small number for a new session, as its descriptor would be; Deno doesn't tell the real one. */
  takeDescriptor(): number {
    return this.freeDescriptors.pop() ?? this.nextDescriptor++;
  }

  /** A session is gone. */
  forget(session: Session): void {
    this.freeDescriptors.push(session.descriptor);
    this.limits.forget(session);
    this.tracking.stop(session);
    if (session.blocked !== null) this.blocking.release(session.blocked);
  }

  /** The server stops. */
  stop(): void {
    this.deadlines.stop();
  }
}

/** The first bytes that a session has waiting, those that aren't printable as points. */
function quotedStart(session: Session, limit: number): string {
  const { bytes } = session.buffer;
  const start = session.position;
  const shown = bytes.subarray(start, Math.min(session.end, start + limit));
  return Array.from(shown, (byte) => byte < 32 || byte > 126 ? "." : String.fromCharCode(byte))
    .join("");
}
