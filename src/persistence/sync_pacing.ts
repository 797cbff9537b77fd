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
 * On paper overlapping is better where S < R; measured, only where S is much shorter, as both take time of the processor. Both times
 * are measured: S always, R when gathering, which is done now and then to know it.
 *
 * Where clients don't come back, but others come when they like, waiting is for nothing: after it was once, there are some syncs
 * without. (A timer of the runtime takes 1 to 2 ms; looking again and again takes the processor from the clients.)
 *
 * @module
 */

/** Nobody is waited for any longer. The runtime's shortest time is longer than that. */
const PATIENCE_MS = 0;
/** After somebody has been waited for who didn't come, so many syncs begin at once. */
const SYNCS_WITHOUT = 16;
/** Clients that take longer don't count as back. */
const LONGEST_MS = 2;
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
  /** So many syncs more begin at once. */
  private without = 0;
  /** How long syncs take, and until clients are back, of late. */
  private syncMs = 0;
  private returnMs = 0;
  private beganMs = 0;
  private endedMs = 0;
  /** What is to be called when it is time; null if nobody waits for that. */
  private begin: (() => void) | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

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
    if (this.without > 0) {
      this.without--;
      this.gathers = false;
    } else this.gathers = this.syncMs * 2 >= this.returnMs || this.syncs++ % LOOK_EVERY === 0;
  }

  /** Calls `begin` when it is time for a sync; it is to be called whenever a client has come. */
  whenReady(begin: () => void): void {
    if (!this.gathers) return begin();
    if (this.host.waitingClients >= this.expected) {
      this.cancel();
      this.noteReturn();
      return begin();
    }
    if (this.begin !== null) return;
    this.begin = begin;
    this.timer = setTimeout(() => this.giveUp(), PATIENCE_MS);
  }

  /** Nobody wants to begin any more. */
  cancel(): void {
    if (this.begin === null) return;
    this.begin = null;
    clearTimeout(this.timer);
  }

  /** Some haven't come back: it begins without them. */
  private giveUp(): void {
    const { begin } = this;
    if (begin === null) return;
    this.begin = null;
    this.without = SYNCS_WITHOUT;
    this.noteReturn();
    begin();
  }

  /** The clients are back, as far as they are waited for. */
  private noteReturn(): void {
    const took = Math.min(LONGEST_MS, this.host.monotonic() - this.endedMs);
    this.returnMs += (took - this.returnMs) / MEMORY;
  }
}
