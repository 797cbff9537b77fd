/**
 * When the next sync of an append-only file begins, with `appendfsync always`.
 *
 * A sync takes as long for one client as for fifty. Those whose replies the last one has let go will mostly be back with
 * their next command in no time, and there are two ways to serve them:
 *
 * - **Gather**: wait until all are back, and sync for all of them. With N clients, a sync of S ms, and R ms until all are
 *   back, that serves N in S + R.
 * - **Overlap**: sync at once for those who are there, while the others come. Half of the clients are always in the other
 *   sync, so that serves N / 2 in S, or in R / 2 if that is longer.
 *
 * So overlapping is better where S < R. Both times are measured: S always, R when gathering, which is done now and
 * then to know it.
 *
 * Nobody is waited for any longer who hasn't come {@linkcode GAP_MS} after the last one did.
 *
 * @module
 */
import { afterOthers } from "../runtime/clock.ts";

/** Clients are waited for as long as one comes after so many ms at most, */
const GAP_MS = 0.2;
/** and for so long altogether, */
const LONGEST_MS = 2;
/** and for no more rounds of the event loop than this, whatever the clock says. */
const LONGEST_ROUNDS = 256;
/** Every so often it is looked how long clients take to come back. */
const LOOK_EVERY = 64;
/** What is measured counts for one part in so many. */
const MEMORY = 8;

/** Who can tell the time, and how many wait. */
export interface PacingHost {
  /** Milliseconds since some moment. */
  monotonic(): number;
  /** How many clients wait for what they have said to become durable. */
  readonly waitingClients: number;
}

/** Decides when syncs begin; see the head of this file. */
export class SyncPacing {
  private expected = 0;
  private gathers = true;
  private syncs = 0;
  /** How long syncs take, and until clients are back, of late. */
  private syncMs = 0;
  private returnMs = 0;
  private beganMs = 0;
  private endedMs = 0;
  private arrivedMs = 0;
  /** What is to be called when it is time; null if nobody waits for that. */
  private begin: (() => void) | null = null;

  /** For the clients of `host`. */
  constructor(private readonly host: PacingHost) {}

  /** A sync begins. */
  began(): void {
    this.beganMs = this.host.monotonic();
  }

  /** It has ended, and its clients haven't been let go yet. */
  ended(): void {
    const { host } = this;
    this.endedMs = host.monotonic();
    this.syncMs += (this.endedMs - this.beganMs - this.syncMs) / MEMORY;
    this.expected = host.waitingClients;
    this.gathers = this.syncMs * 2 >= this.returnMs || this.syncs++ % LOOK_EVERY === 0;
  }

  /** Calls `begin` when it is time for a sync; it may be called often until then. */
  whenReady(begin: () => void): void {
    if (this.begin !== null) return;
    const { host } = this;
    if (!this.gathers || host.waitingClients >= this.expected) {
      if (this.gathers) this.noteReturn(host.monotonic());
      return begin();
    }
    this.begin = begin;
    this.arrivedMs = host.monotonic();
    this.wait(LONGEST_ROUNDS, host.waitingClients);
  }

  /** Nobody wants to begin any more. */
  cancel(): void {
    this.begin = null;
  }

  /** Looks again after others, or begins. */
  private wait(rounds: number, arrived: number): void {
    const { begin } = this;
    afterOthers(() => {
      if (this.begin !== begin || begin === null) return;
      const { waitingClients } = this.host;
      const now = this.host.monotonic();
      if (waitingClients > arrived) this.arrivedMs = now;
      const goesOn = waitingClients < this.expected && rounds > 0 &&
        now - this.endedMs < LONGEST_MS && now - this.arrivedMs < GAP_MS;
      if (goesOn) return this.wait(rounds - 1, waitingClients);
      this.begin = null;
      this.noteReturn(now);
      begin();
    });
  }

  /** The clients are back, as far as they are waited for. */
  private noteReturn(now: number): void {
    // Whoever comes after a long silence doesn't count as back.
    const took = Math.min(LONGEST_MS, now - this.endedMs);
    this.returnMs += (took - this.returnMs) / MEMORY;
  }
}
