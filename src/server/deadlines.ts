/**
 * Moments that something waits for: a binary heap with the next one on top, and one timer of the runtime for it.
 *
 * A timer for each of ten thousand blocked clients would cost the runtime ten thousand timers, most of which
 * never fire. Here adding and removing take O(log n) moves in an array, and the one timer is set anew only
 * when a moment comes that is earlier than all others.
 *
 * @module
 */
import { type Clock, LONGEST_TIMER_MS } from "../runtime/clock.ts";

/** Something that is to happen at a moment. */
export interface Deadline {
  /** When, in unix ms. */
  dueMs: number;
  /** Where it stands in the heap, -1 when it doesn't; kept by {@linkcode Deadlines}. */
  heapIndex: number;
  /** Happens. It has left the heap by then. */
  due(): void;
}

/** Deadlines, the next one first. */
export class Deadlines {
  private readonly heap: Deadline[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer fires, as far as is known. */
  private timerMs = Infinity;

  /** Goes by `clock`. */
  constructor(private readonly clock: Clock) {}

  /** How many deadlines there are. */
  get size(): number {
    return this.heap.length;
  }

  /** Adds a deadline. */
  add(deadline: Deadline): void {
    this.heap.push(deadline);
    this.rise(this.heap.length - 1, deadline);
    this.setTimer();
  }

  /** Takes a deadline out, if it is in. */
  remove(deadline: Deadline): void {
    const index = deadline.heapIndex;
    if (index < 0) return;
    deadline.heapIndex = -1;
    const last = this.heap.pop()!;
    if (last === deadline) return;
    // The last one takes its place, and may belong above or below it.
    this.rise(index, last);
    this.sink(last.heapIndex, last);
  }

  /** Lets all happen whose time has come. */
  run(): void {
    const now = this.clock.now();
    while (this.heap.length > 0 && this.heap[0].dueMs <= now) {
      const deadline = this.heap[0];
      this.remove(deadline);
      deadline.due();
    }
    this.setTimer();
  }

  /** Stops the timer and forgets all. */
  stop(): void {
    clearTimeout(this.timer);
    this.timerMs = Infinity;
    for (const deadline of this.heap) deadline.heapIndex = -1;
    this.heap.length = 0;
  }

  /** Has the timer fire in time for the first deadline. One that fires early costs less than one unset. */
  private setTimer(): void {
    if (this.heap.length === 0 || this.heap[0].dueMs >= this.timerMs) return;
    clearTimeout(this.timer);
    this.timerMs = this.heap[0].dueMs;
    const delay = Math.max(1, Math.min(LONGEST_TIMER_MS, this.timerMs - this.clock.now()));
    this.timer = setTimeout(() => {
      this.timerMs = Infinity;
      this.run();
    }, delay);
  }

  /** Puts `deadline`, which stood or is to stand at `index`, as near to the top as it belongs. */
  private rise(index: number, deadline: Deadline): void {
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (this.heap[parent].dueMs <= deadline.dueMs) break;
      this.place(index, this.heap[parent]);
      index = parent;
    }
    this.place(index, deadline);
  }

  /** Puts `deadline`, which stands at `index`, as far from the top as it belongs. */
  private sink(index: number, deadline: Deadline): void {
    for (;;) {
      let child = index * 2 + 1;
      if (child >= this.heap.length) break;
      if (child + 1 < this.heap.length && this.heap[child + 1].dueMs < this.heap[child].dueMs) {
        child++;
      }
      if (this.heap[child].dueMs >= deadline.dueMs) break;
      this.place(index, this.heap[child]);
      index = child;
    }
    this.place(index, deadline);
  }

  /** Puts `deadline` at `index`. */
  private place(index: number, deadline: Deadline): void {
    this.heap[index] = deadline;
    deadline.heapIndex = index;
  }
}
