/**
 * An event loop that a simulation turns by hand, with time that passes only when it says so.
 *
 * While it is installed, `setTimeout`, `setInterval` and `setImmediate` of the whole process are its own. What they are given runs
 * in {@linkcode EventLoop.turn} and {@linkcode EventLoop.advance}, in an order that depends on nothing but the calls, so that
 * a seed repeats a run to the byte. After each callback all promises go on that can, as in a real event loop.
 *
 * The time that a server sees and the time of its timers is the same {@linkcode HandClock}.
 *
 * @module
 */
import { HandClock } from "../support/memory_server.ts";
import { DeadProcessError } from "../support/virtual_disk.ts";

/** A callback that waits for its time. */
interface Timer {
  dueMs: number;
  readonly callback: () => void;
  /** For `setInterval`. */
  readonly periodMs: number | null;
}

/** What is replaced while a loop is installed. */
interface TimerFunctions {
  setTimeout: unknown;
  clearTimeout: unknown;
  setInterval: unknown;
  clearInterval: unknown;
  setImmediate: (callback: () => void) => unknown;
}

const machine = globalThis as unknown as TimerFunctions;
/** The real one, which lets everything run that promises have to do. */
const letPromisesRun = machine.setImmediate;

/** An event loop; see the head of this file. */
export class EventLoop implements Disposable {
  /** The time. */
  readonly clock: HandClock = new HandClock();
  /** What was thrown where nobody catches it, but for uses of the disk by dead processes: those are no fault of theirs. */
  uncaught: unknown = undefined;
  private immediates: (() => void)[] = [];
  private timers: Timer[] = [];
  private readonly replaced: TimerFunctions;
  private readonly onUncaught = (event: Event): void => {
    event.preventDefault();
    this.note(event instanceof ErrorEvent ? event.error : (event as PromiseRejectionEvent).reason);
  };

  /** Takes the place of the real one. */
  constructor() {
    const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = machine;
    this.replaced = { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate };
    Object.assign(machine, {
      setTimeout: (callback: () => void, ms = 0) => this.add(callback, ms, null),
      setInterval: (callback: () => void, ms = 0) => this.add(callback, ms, ms),
      clearTimeout: (timer?: Timer) => this.remove(timer),
      clearInterval: (timer?: Timer) => this.remove(timer),
      setImmediate: (callback: () => void) => this.immediates.push(callback),
    });
    addEventListener("error", this.onUncaught);
    addEventListener("unhandledrejection", this.onUncaught);
  }

  /** Gives the real one its place back. */
  [Symbol.dispose](): void {
    Object.assign(machine, this.replaced);
    removeEventListener("error", this.onUncaught);
    removeEventListener("unhandledrejection", this.onUncaught);
  }

  /** Unix time in ms. */
  get now(): number {
    return this.clock.now();
  }

  /** Forgets all callbacks, as those of a process that has ended. */
  clear(): void {
    this.immediates = [];
    this.timers = [];
  }

  /** Lets promises go on, and then runs what waits for the next turn, and what is due. */
  async turn(): Promise<void> {
    await settle();
    const { immediates } = this;
    this.immediates = [];
    for (const callback of immediates) {
      this.run(callback);
      await settle();
    }
    await this.advance(0);
  }

  /** Lets time pass; what is due meanwhile runs at its time. */
  async advance(ms: number): Promise<void> {
    const { clock } = this;
    const end = clock.now() + ms;
    for (;;) {
      const next = this.takeDue(end);
      if (next === undefined) break;
      clock.advance(Math.max(0, next.dueMs - clock.now()));
      this.run(next.callback);
      await settle();
    }
    // Who cut the power meanwhile has set the clock as well.
    clock.advance(Math.max(0, end - clock.now()));
  }

  /** The timer that is next, if it is due at `end`. */
  private takeDue(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.dueMs <= end && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    if (next === undefined) return undefined;
    const due = { ...next };
    if (next.periodMs === null) this.remove(next);
    else next.dueMs += next.periodMs;
    return due;
  }

  private add(callback: () => void, ms: number, periodMs: number | null): Timer {
    const timer: Timer = { dueMs: this.now + ms, callback, periodMs };
    // With the same time, who came first is first.
    this.timers.push(timer);
    return timer;
  }

  private remove(timer: Timer | undefined): void {
    const index = timer === undefined ? -1 : this.timers.indexOf(timer);
    if (index >= 0) this.timers.splice(index, 1);
  }

  private run(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.note(error);
    }
  }

  private note(error: unknown): void {
    if (!(error instanceof DeadProcessError)) this.uncaught ??= error;
  }
}

/** Lets all promises go on that can. */
function settle(): Promise<void> {
  return new Promise((resolve) => letPromisesRun(() => resolve()));
}
