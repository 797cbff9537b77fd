/**
 * Rounds: the sessions whose bytes have come by the same round of the event loop run their requests together, and then all of them
 * are sent their replies.
 *
 * **Why.** A write to a client that sleeps wakes it, by an interrupt to another core: a quarter of the processor time of SADD in
 * pipelines of 16 was spent there. If each session were written to as soon as its turn is over, the client would handle one reply, find no other,
 * and sleep again, once for each reply. With the writes side by side it is woken once, and finds all of them. Besides, the
 * code of the commands stays in the cache from one turn to the next, and sessions that have sent one request each share a batch
 * (see `batch.ts`). The figures are in the README of this folder.
 *
 * **How.** The runtime resolves all reads that are done before any of their callbacks runs, and callbacks run in order: a microtask
 * that the first of them asks for comes behind the last. Nobody waits longer for that: replies are sent in groups as soon
 * as the turns so far have taken {@linkcode ROUND_MS}.
 *
 * @module
 */
import { BATCH_REQUESTS } from "./batch.ts";
import type { TurnClock } from "../runtime/turn_clock.ts";
import type { Session } from "./session.ts";

/** Replies are sent after turns of so many ms, however many turns are to come. */
const ROUND_MS = 1;

/** Where turns are taken. Before they are, somebody has just looked at the clock; at their end there is another look. */
export interface TurnTaker {
  /** Reads the requests of those of `sessions` from `from` to `to` (exclusive; {@linkcode BATCH_REQUESTS} at most) that have sent one each. */
  readSingles(sessions: readonly Session[], from: number, to: number): void;
  /** Gives one of them its turn; they come in their order. */
  takeTurn(session: Session): void;
  /** All of them have had their turns. */
  endTurns(): void;
  /** Replies are about to be sent. */
  beforeSending(): void;
  /** They have been. */
  afterSending(): void;
}

/** The rounds of one server; see the head of this file. */
export class Rounds {
  private coming: Session[] = [];
  private running: Session[] = [];
  private readonly sending: Session[] = [];
  /** Whether sessions are having turns. */
  active = false;

  /** When replies were sent last, in monotonic ms. */
  private sentMs = 0;

  /** Turns are taken at `turns`, and measured with `time`. */
  constructor(private readonly turns: TurnTaker, private readonly time: TurnClock) {}

  /** The session is to have a turn. */
  join(session: Session): void {
    if (session.inRound) return;
    session.inRound = true;
    if (this.coming.length === 0) queueMicrotask(() => this.run());
    this.coming.push(session);
  }

  /** The session's turn is over, and it is to be sent its replies. */
  sendLater(session: Session): void {
    if (!this.active) return session.send();
    if (session.sendsInRound) return;
    session.sendsInRound = true;
    this.sending.push(session);
  }

  /** Gives all who have joined their turns. */
  private run(): void {
    const sessions = this.coming;
    this.coming = this.running;
    this.running = sessions;
    this.active = true;
    for (const session of sessions) session.inRound = false;
    this.sentMs = this.time.look();
    for (let from = 0; from < sessions.length; from += BATCH_REQUESTS) {
      const to = Math.min(from + BATCH_REQUESTS, sessions.length);
      this.turns.readSingles(sessions, from, to);
      for (let index = from; index < to; index++) {
        this.turns.takeTurn(sessions[index]);
        this.sendIfDue();
      }
      this.turns.endTurns();
      this.sendIfDue();
    }
    sessions.length = 0;
    this.active = false;
    this.send();
  }

  /** Sends the replies so far, if they have waited long enough. */
  private sendIfDue(): void {
    if (this.time.last - this.sentMs <= ROUND_MS) return;
    // What sending takes is nobody's command.
    this.turns.endTurns();
    this.send();
    this.sentMs = this.time.look();
  }

  /** Sends the replies of those whose turns are over. */
  private send(): void {
    const { sending } = this;
    this.turns.beforeSending();
    for (let index = 0; index < sending.length; index++) {
      const session = sending[index];
      session.sendsInRound = false;
      session.send();
    }
    sending.length = 0;
    this.turns.afterSending();
  }
}
