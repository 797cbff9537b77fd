/**
 * Clients that wait for something: for replicas, for a key, or for the end of a pause.
 *
 * A session waits while it has a {@linkcode BlockedSession}. It goes on reading, so that its end is noticed
 * and its buffer's limit holds, but nothing of it is run. There are two kinds:
 *
 * - **A command that blocks** (WAIT, BLPOP...) has run; its reply comes when the waiting ends, out of the session's turn
 *   (see `Clients.tell`). Then the commands behind it go on.
 * - **A command that is postponed** (CLIENT PAUSE) hasn't run; its frame stays in the session's buffer as it was
 *   parsed, and runs in a turn of the session once the pause is over.
 *
 * @module
 */
import type { Blocked, Wait } from "../commands/wait.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";
import type { Session } from "./session.ts";

/** What CLIENT UNBLOCK ERROR replies to the client that it unblocks. */
const UNBLOCKED = "UNBLOCKED client unblocked via CLIENT UNBLOCK";

/** How blocked sessions get their replies. */
export interface BlockingHost {
  /** Sends a session the reply of the command that it waited with. */
  answer(session: Session, write: (reply: ReplyWriter) => void): void;
  /** Sends a session that reply if it is in `reply` already, from `mark` on. */
  sendAnswer(session: Session, reply: ReplyWriter, mark: number): void;
}

/** A session that waits. */
export class BlockedSession implements Blocked, Deadline {
  /** When it waits no longer, in unix ms. */
  dueMs: number = Infinity;
  /** Its place among the deadlines. */
  heapIndex: number = -1;

  /** `wait` is null for a command that is postponed. */
  constructor(
    private readonly blocking: Blocking,
    readonly session: Session,
    readonly wait: Wait | null,
    /** Bytes of the arguments of its command. */
    readonly argumentBytes: number,
  ) {}

  /** Whether its command hasn't run yet. */
  get postponed(): boolean {
    return this.wait === null;
  }

  /** The timeout. */
  due(): void {
    const { wait } = this;
    if (wait !== null) this.finish((reply) => wait.timeOut(reply));
  }

  /** Ends the waiting with a reply, unless it has ended already. */
  finish(write: (reply: ReplyWriter) => void): void {
    if (this.session.blocked !== this) return;
    this.blocking.release(this);
    this.blocking.host.answer(this.session, write);
    this.session.resume();
  }

  /** Ends the waiting with a reply that is already in `reply`, from `mark` on. */
  finishWith(reply: ReplyWriter, mark: number): void {
    this.blocking.release(this);
    this.blocking.host.sendAnswer(this.session, reply, mark);
    this.session.resume();
  }
}

/** All sessions of a server that wait. */
export class Blocking {
  /** How many there are. */
  count = 0;
  /** How many of them wait for a limited time. */
  timed = 0;
  private readonly postponed = new Set<BlockedSession>();

  /** `deadlines` keeps their timeouts. */
  constructor(readonly host: BlockingHost, private readonly deadlines: Deadlines) {}

  /**
   * Has the session, whose command with `argumentBytes` bytes of arguments is running, wait until `dueMs`
   * (unix ms; Infinity for ever).
   */
  block(session: Session, wait: Wait, dueMs: number, argumentBytes: number): Blocked {
    const blocked = new BlockedSession(this, session, wait, argumentBytes);
    session.blocked = blocked;
    this.count++;
    if (dueMs !== Infinity) {
      blocked.dueMs = dueMs;
      this.timed++;
      this.deadlines.add(blocked);
    }
    return blocked;
  }

  /** Has the session wait with its command until {@linkcode resumePostponed}. */
  postpone(session: Session): void {
    const blocked = new BlockedSession(this, session, null, 0);
    session.blocked = blocked;
    this.count++;
    this.postponed.add(blocked);
  }

  /** Lets all postponed commands run, in the order in which they came. */
  resumePostponed(): void {
    for (const blocked of [...this.postponed]) {
      this.release(blocked);
      blocked.session.resume();
    }
  }

  /** CLIENT UNBLOCK: whether the session was waiting for something that it can do without. */
  unblock(session: Session, withError: boolean): boolean {
    const { blocked } = session;
    if (blocked === null || blocked.postponed || blocked.wait?.endures) return false;
    if (withError) blocked.finish((reply) => reply.error(UNBLOCKED));
    else blocked.due();
    return true;
  }

  /** The session waits no longer: it goes on, or is gone. */
  release(blocked: BlockedSession): void {
    blocked.session.blocked = null;
    this.count--;
    if (blocked.dueMs !== Infinity) {
      this.timed--;
      this.deadlines.remove(blocked);
    }
    this.postponed.delete(blocked);
    blocked.wait?.ended();
  }
}
