/**
 * What a server does with its clients out of their turns: it lets them wait and go on, and tells them
 * things.
 *
 * @module
 */
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { Blocking } from "./blocking.ts";
import { Deadlines } from "./deadlines.ts";
import { Pause } from "./pause.ts";
import type { Server } from "./server.ts";
import { REPLY_OFF, REPLY_ON, REPLY_SKIP, type Session } from "./session.ts";

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
  /** The session whose turn it is, or null between turns. */
  running: Session | null = null;
  private readonly freeDescriptors: number[] = [];
  private nextDescriptor = FIRST_DESCRIPTOR;

  /** `aside` is a writer of replies that nobody else uses. */
  constructor(private readonly server: Server, private readonly aside: ReplyWriter) {
    this.deadlines = new Deadlines(server.clock);
    this.blocking = new Blocking(this, this.deadlines);
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
    const { errors } = aside;
    aside.resp = session.resp;
    write(aside);
    this.server.counters.errors += aside.errors - errors;
    if (session.replyMode === REPLY_OFF || session.replyMode === REPLY_SKIP) aside.truncate(0);
    if (session.replyMode === REPLY_SKIP) session.replyMode = REPLY_ON;
    session.append(aside);
  }

  /** Background work, ten times a second. */
  tick(): void {
    this.deadlines.run();
  }

  /** A small number for a new session, as its descriptor would be; Deno doesn't tell the real one. */
  takeDescriptor(): number {
    return this.freeDescriptors.pop() ?? this.nextDescriptor++;
  }

  /** A session is gone. */
  forget(session: Session): void {
    this.freeDescriptors.push(session.descriptor);
    if (session.blocked !== null) this.blocking.release(session.blocked);
  }

  /** The server stops. */
  stop(): void {
    this.deadlines.stop();
  }
}
