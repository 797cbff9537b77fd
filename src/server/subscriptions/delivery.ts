/**
 * Delivery: sends subscribers what waits for them, in as few writes as there can be.
 *
 * **The cost is the writes.** A message takes 10 ns for each subscriber, a write 5 us, nearly all of it in the kernel. So
 * nothing is sent as it is published. A session gets in line when a message comes for it, and is sent all that has come
 * by the time it is its turn: the messages of a publisher's whole pipeline, and those of all publishers who had a
 * turn in the same round of the event loop.
 *
 * **Slices.** The line moves on by {@linkcode SLICE_SESSIONS} sessions for each turn in which somebody published, then others
 * have a turn. A thousand subscribers take 5 ms; meanwhile publishers are heard, and those who are last in line get what
 * these publish in the same write. So under load there are more messages in a write, and a publisher who waits for each
 * reply is not held up by a round of a thousand writes. In return nobody is overtaken: whoever has been sent something
 * gets in line anew, behind all others. Counting by turns bounds what piles up, however many publish:
 * once through the line are `subscribers / SLICE_SESSIONS` turns.
 *
 * The first slice comes once all who had a turn in this round have had it (a microtask gets behind those of the
 * turns), which costs nothing; the next ones by `afterOthers`, some 10 us each.
 *
 * **A session that is being written to** isn't in line: when the write is done it gets there, if something waits. So a slow
 * subscriber takes no slot, and what waits for it grows until a limit of output closes it, or it reads.
 * From {@linkcode SETTLED_BYTES} on that is handed to the session, which counts it for its limits.
 *
 * @module
 */
import { afterOthers } from "../../runtime/clock.ts";
import type { Session } from "../session.ts";
import type { MessageLog } from "./messages.ts";

/** So many sessions are sent what waits for each turn in which somebody published. */
const SLICE_SESSIONS = 32;
/** What waits is handed to the session from so many bytes on, */
const SETTLED_BYTES = 16 * 1024;
/** or so many runs, each of which may keep a block. */
const SETTLED_RUNS = 16;

/** The line of those for whom messages wait; see the head of this file. */
export class Delivery {
  private line: Session[] = [];
  /** Where the line starts. */
  private head = 0;
  private scheduled = false;
  /** Turns in which somebody published, since the last slice. */
  private turns = 0;
  /** Whose turn was counted last. */
  private publisher: Session | null = null;

  /** Delivers from `logs`. */
  constructor(private readonly logs: readonly MessageLog[]) {}

  /** Something is published in the turn of `publisher`, or, with null, between two turns. */
  countTurn(publisher: Session | null): void {
    if (publisher === this.publisher) return;
    this.publisher = publisher;
    this.turns++;
  }

  /** The latest message of `log` is for `session`. */
  hand(session: Session, log: MessageLog): void {
    const waiting = log.behind(session.waiting);
    session.waiting = waiting;
    if (!session.inLine && !session.writing) this.queue(session);
    if (waiting.bytes >= SETTLED_BYTES || waiting.runs >= SETTLED_RUNS) session.sendWaiting();
  }

  /** Messages wait for a session that isn't being written to. */
  queue(session: Session): void {
    if (session.inLine) return;
    session.inLine = true;
    this.line.push(session);
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => this.slice());
  }

  /** Sends the first ones in line what waits for them. */
  private slice(): void {
    let left = SLICE_SESSIONS * Math.max(1, this.turns);
    this.turns = 0;
    this.publisher = null;
    while (left > 0 && this.head < this.line.length) {
      const session = this.line[this.head++];
      session.inLine = false;
      // It may be gone, or have been sent all of it with a reply.
      if (session.waiting === null || session.writing) continue;
      session.sendWaiting();
      left--;
    }
    if (this.head < this.line.length) {
      this.shorten();
      afterOthers(() => this.slice());
      return;
    }
    this.line = [];
    this.head = 0;
    this.scheduled = false;
    for (const log of this.logs) log.rest();
  }

  /** Forgets those who have been in line, once they are as many as those who are. */
  private shorten(): void {
    if (this.head * 2 < this.line.length) return;
    this.line = this.line.slice(this.head);
    this.head = 0;
  }
}
