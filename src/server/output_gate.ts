/**
 * The gate before which replies wait for the disk, with `appendfsync always`.
 *
 * Whatever leaves the server may tell of a change: the writer's reply, but also what others have read since, messages,
 * invalidations, what MONITOR shows. If it left before the change is on the disk, a power cut could take back what somebody
 * has seen. So each piece of output has the position that the journal had when it was made, and leaves when
 * everything before that is durable.
 *
 * @module
 */
import type { Journal } from "../keyspace/journal.ts";

/** What waits at a gate. */
export interface Waiter {
  /** It waits. */
  waitsAtGate: boolean;
  /** Goes on with what may leave. */
  passGate(): void;
}

/** The gate of one server; see the head of this file. */
export class OutputGate {
  /** Whether anything ever has to wait. */
  active = false;
  private durable = 0;
  private waiting: Waiter[] = [];

  /** Lets out what was made at positions of `journal`. */
  constructor(private readonly journal: Journal) {}

  /** How many wait. */
  get count(): number {
    return this.waiting.length;
  }

  /** The position of what is made now; 0 while nothing has to wait. */
  get position(): number {
    return this.active ? this.journal.changed : 0;
  }

  /** Whether all that was changed so far is on the disk, as far as that matters. */
  get isOpen(): boolean {
    return !this.active || this.journal.changed <= this.durable;
  }

  /** The offset of the journal before which everything is on the disk. */
  get durableOffset(): number {
    return this.durable;
  }

  /** Whether what was made at `position` has to wait; who asks waits then. */
  holds(position: number, waiter: Waiter): boolean {
    if (position <= this.durable || !this.active) return false;
    if (!waiter.waitsAtGate) {
      waiter.waitsAtGate = true;
      this.waiting.push(waiter);
    }
    return true;
  }

  /** Everything before `durable` is on the disk. */
  open(durable: number): void {
    if (durable > this.durable) this.durable = durable;
    if (this.waiting.length > 0) this.release();
  }

  /** From now on output waits for what comes behind `durable`, or no more does. */
  setActive(active: boolean, durable: number): void {
    this.active = active;
    this.durable = durable;
    if (this.waiting.length > 0) this.release();
  }

  /** Lets those try again who wait. */
  private release(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const waiter of waiting) {
      waiter.waitsAtGate = false;
      waiter.passGate();
    }
  }
}
