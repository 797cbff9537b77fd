/**
 * What a server does with its clients out of their turns: it lets them wait and go on, and tells them
 * things.
 *
 * @module
 */
import { ByteAccumulator } from "../protocol/byte_accumulator.ts";
import { appendQuoted } from "../protocol/quoted_bytes.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { BlockedKeys } from "./blocked_keys.ts";
import { Blocking } from "./blocking.ts";
import { describeClient } from "./client_info.ts";
import { ClientLimits } from "./client_limits.ts";
import { Deadlines } from "./deadlines.ts";
import { Pause } from "./pause.ts";
import type { Server } from "./server.ts";
import { REPLY_OFF, REPLY_ON, REPLY_SKIP, type Session } from "./session.ts";
import { Subscriptions } from "./subscriptions.ts";
import { KeyTracking } from "./tracking.ts";
import { Transactions } from "./transactions.ts";

/** What blocked clients hear when a master becomes a replica. */
const FORCED = "UNBLOCKED force unblock from blocking operation, instance state changed " +
  "(master -> replica?)";
const LF = 10;
/** So many bytes of a buffer go to a log line, or as many from its start and its end. */
const DUMP_BYTES = 64;
/** Errors that have another name in the log than in the reply. */
const LOGGED_ERRORS: ReadonlyMap<string, string> = new Map([
  ["invalid multibulk length", "invalid mbulk count"],
  ["unauthenticated multibulk length", "unauth mbulk count"],
  ["unauthenticated bulk length", "unauth bulk length"],
  ["unbalanced quotes in request", "unbalanced quotes in inline request"],
]);
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
  /** What they do as one step. */
  readonly transactions: Transactions = new Transactions();
  /** Those who wait for keys. */
  readonly blockedKeys: BlockedKeys;
  /** Who gets which messages. */
  readonly subscriptions: Subscriptions;
  /** The session whose turn it is, or null between turns. */
  running: Session | null = null;
  /** The session whose command changes keys: {@linkcode running}, or one that waited and goes on. */
  acting: Session | null = null;
  private readonly freeDescriptors: number[] = [];
  private nextDescriptor = FIRST_DESCRIPTOR;

  private readonly aside: ReplyWriter;
  /** Takes the replies of commands that waited, once there is one. */
  private answers: ReplyWriter | null = null;

  /** `newWriter` makes writers of replies. */
  constructor(private readonly server: Server, private readonly newWriter: () => ReplyWriter) {
    this.aside = newWriter();
    this.deadlines = new Deadlines(server.clock);
    this.blocking = new Blocking(this, this.deadlines);
    this.limits = new ClientLimits(server);
    this.tracking = new KeyTracking(server);
    this.subscriptions = new Subscriptions(server);
    this.blockedKeys = new BlockedKeys(server);
    this.pause = new Pause({
      schedule: (deadline) => this.deadlines.add(deadline),
      unschedule: (deadline) => this.deadlines.remove(deadline),
      paused: () => {},
      resumed: () => {
        server.keyspace.keepExpired = server.replication.isReplica;
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
    const reply = this.answerWriter(session);
    const mark = reply.length;
    write(reply);
    this.sendAnswer(session, reply, mark);
  }

  /**
   * Where to write the reply of a command that `session` waited with, before {@linkcode sendAnswer}; messages to others
   * may be sent meanwhile.
   */
  answerWriter(session: Session): ReplyWriter {
    if (session === this.running) return this.server.reply;
    this.answers ??= this.newWriter();
    this.answers.resp = session.resp;
    return this.answers;
  }

  /** Sends a session what {@linkcode answerWriter} has got from `mark` on, if it wants to hear it. */
  sendAnswer(session: Session, reply: ReplyWriter, mark: number): void {
    if (session.replyMode === REPLY_OFF || session.replyMode === REPLY_SKIP) reply.truncate(mark);
    if (session.replyMode === REPLY_SKIP) session.replyMode = REPLY_ON;
    if (session !== this.running) session.append(reply);
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
    const { buffer, position, end } = session;
    const start = new ByteAccumulator();
    appendQuoted(start, buffer.bytes.subarray(position, Math.min(end, position + DUMP_BYTES)));
    this.server.logger.log(
      "warning",
      "Closing client that reached max query buffer length: " +
        `${describeClient(this.server, session)} ` +
        `(qbuf initial bytes: ${new TextDecoder().decode(start.take())})`,
    );
  }

  /** Logs that a client sends what isn't RESP; `at` is where in its buffer. */
  logProtocolError(session: Session, error: string, at: number): void {
    const { level } = this.server.logger;
    if (level !== "verbose" && level !== "debug") return;
    const unexpected = error.startsWith("expected '$'");
    const about = unexpected
      ? "expected $ but got something else"
      : LOGGED_ERRORS.get(error) ?? error;
    // The parser has read the line that it finds wrong.
    const { bytes } = session.buffer;
    const whole = !unexpected && !error.startsWith("too big") && bytes[at - 1] === LF;
    const start = !whole ? at : bytes.lastIndexOf(LF, at - 2) + 1;
    this.server.logger.log(
      "verbose",
      `Protocol error (${about}) from client: ${describeClient(this.server, session)}. ` +
        `Query buffer during protocol error: ${
          shownBytes(session, Math.max(start, session.position))
        }`,
    );
  }

  /** Has all who wait go, with an error: what they wait for won't come to a replica. */
  disconnectBlocked(): void {
    for (const session of [...this.server.sessions.values()]) {
      const { blocked } = session;
      if (blocked === null || blocked.postponed) continue;
      blocked.finish((reply) => reply.error(FORCED));
      session.closing = true;
      session.send();
    }
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
    this.subscriptions.drop(session);
    this.transactions.discard(session);
    if (session.blocked !== null) this.blocking.release(session.blocked);
  }

  /** The server stops. */
  stop(): void {
    this.deadlines.stop();
  }
}

/** What a session has in its buffer from `at`, as log lines show it: start and end of what is long. */
function shownBytes(session: Session, at: number): string {
  const printable = (from: number, to: number) =>
    Array.from(
      session.buffer.bytes.subarray(from, to),
      (byte) => byte < 32 || byte > 126 ? "." : String.fromCharCode(byte),
    ).join("");
  const { end } = session;
  if (end - at < DUMP_BYTES * 2) return `'${printable(at, end)}'`;
  return `'${printable(at, at + DUMP_BYTES)}' (... more ${end - at - DUMP_BYTES * 2} bytes ...) ` +
    `'${printable(end - DUMP_BYTES, end)}'`;
}
