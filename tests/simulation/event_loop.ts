/**
 * An event loop that a simulation turns by hand, with time that passes only when it says so.
 *
 * While it is installed, `setTimeout`, `setInterval` and `setImmediate` of the whole process are its own. What they are given runs
 * in {@linkcode EventLoop.turn} and {@linkcode EventLoop.advance}, in an order that depends on nothing but the calls, so that
 * a seed repeats a run to the byte. After each callback all promises go on that can, as in a real event loop.
 *
 * The time that a server sees and the time of its timers is the same {@linkcode HandClock}.
 *
 * **Several processes** can live in one loop. What a callback asks for belongs to the {@linkcode Process} that it runs for, and so does
 * all that promises do after it: they have all gone on before the next callback. So a process can be stopped for a while, or ended, with
 * nothing of it going on. For that, nothing may wake two processes at once: what one sends to another comes to it by
 * {@linkcode Process.wake}.
 *
 * @module
 */
import { HandClock } from "../support/memory_server.ts";
import { DeadProcessError } from "../support/virtual_disk.ts";

/** What waits for the next turn, of one process or of nobody. */
interface Immediate {
  readonly callback: () => void;
  readonly owner: Process | null;
}

/** A callback that waits for its time. */
interface Timer extends Immediate {
  dueMs: number;
  /** With the same time, who came first is first. */
  readonly number: number;
  /** Nobody wants it any more. */
  isRemoved: boolean;
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

/** Timers, of which the next one is always at hand: a binary heap. */
class TimerHeap {
  private readonly timers: Timer[] = [];

  /** The next one. */
  get first(): Timer | undefined {
    return this.timers[0];
  }

  add(timer: Timer): void {
    const { timers } = this;
    let at = timers.length;
    while (at > 0) {
      const above = (at - 1) >>> 1;
      if (!isBefore(timer, timers[above])) break;
      timers[at] = timers[above];
      at = above;
    }
    timers[at] = timer;
  }

  /** Takes out the next one. */
  removeFirst(): void {
    const { timers } = this;
    const moved = timers.pop()!;
    if (timers.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= timers.length) break;
      if (below + 1 < timers.length && isBefore(timers[below + 1], timers[below])) below++;
      if (!isBefore(timers[below], moved)) break;
      timers[at] = timers[below];
      at = below;
    }
    timers[at] = moved;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.number < other.number);
}

/** So many rounds of callbacks that want the next turn take no time; then a millisecond passes. */
const ROUNDS_PER_MS = 50;

/** One process of several in a loop. */
export class Process {
  /** Whether its callbacks wait until it goes on. */
  stopped = false;
  /** Whether it has ended: none of its callbacks ever runs. */
  ended = false;
  private awake: (() => void)[] = [];

  /** A process in `loop`. */
  constructor(private readonly loop: EventLoop) {}

  /**
   * Has `callback` run in the process as soon as may be, together with what else wakes it by then, as a poll of many
   * sockets does.
   */
  wake(callback: () => void): void {
    if (this.ended) return;
    this.awake.push(callback);
    if (this.awake.length > 1) return;
    this.loop.post(0, this, () => {
      const { awake } = this;
      this.awake = [];
      for (const one of awake) one();
    });
  }
}

/** An event loop; see the head of this file. */
export class EventLoop implements Disposable {
  /** The time. */
  readonly clock: HandClock = new HandClock();
  /** What was thrown where nobody catches it, but for uses of the disk by dead processes: those are no fault of theirs. */
  uncaught: unknown = undefined;
  /** The process that callbacks run for; nobody's are never stopped. */
  private current: Process | null = null;
  private immediates: Immediate[] = [];
  private timers = new TimerHeap();
  /** Timers that are due, of processes that are stopped. */
  private held: Timer[] = [];
  private lastNumber = 0;
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
      setImmediate: (callback: () => void) => this.addImmediate(callback),
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
    this.timers = new TimerHeap();
    this.held = [];
  }

  /** Has `callback` run for `owner` in `ms`. */
  post(ms: number, owner: Process | null, callback: () => void): void {
    this.addTimer(callback, ms, null, owner);
  }

  /** Runs `begin` for a process, and lets all promises go on that can. */
  async runFor<Result>(process: Process, begin: () => Result): Promise<Awaited<Result>> {
    this.current = process;
    const result = begin();
    await settle();
    this.current = null;
    return await result;
  }

  /** Ends a process. */
  end(process: Process): void {
    process.ended = true;
    this.immediates = this.immediates.filter(({ owner }) => owner !== process);
  }

  /** Lets time pass for several processes; what waits for the next turn doesn't wait for any timer. */
  async pass(ms: number): Promise<void> {
    const { clock } = this;
    const end = clock.now() + ms;
    await settle();
    for (let rounds = 0;;) {
      if (this.immediates.length > 0 && await this.runImmediates()) {
        if (++rounds % ROUNDS_PER_MS === 0) clock.advance(1);
        continue;
      }
      const next = this.takeDue(end);
      if (next === undefined) break;
      clock.advance(Math.max(0, next.dueMs - clock.now()));
      await this.run(next);
    }
    clock.advance(Math.max(0, end - clock.now()));
  }

  /** Lets promises go on, and then runs what waits for the next turn, and what is due. */
  async turn(): Promise<void> {
    await settle();
    await this.runImmediates();
    await this.advance(0);
  }

  /** Runs what has waited for the next turn; whether there was anything that could run. */
  private async runImmediates(): Promise<boolean> {
    const { immediates } = this;
    this.immediates = [];
    let ran = false;
    for (const one of immediates) {
      if (one.owner?.stopped) this.immediates.push(one);
      else {
        await this.run(one);
        ran = true;
      }
    }
    return ran;
  }

  /** Lets time pass; what is due meanwhile runs at its time. */
  async advance(ms: number): Promise<void> {
    const { clock } = this;
    const end = clock.now() + ms;
    for (;;) {
      const next = this.takeDue(end);
      if (next === undefined) break;
      clock.advance(Math.max(0, next.dueMs - clock.now()));
      await this.run(next);
    }
    // Who cut the power meanwhile has set the clock as well.
    clock.advance(Math.max(0, end - clock.now()));
  }

  /** The timer that is next, if it is due at `end`. */
  private takeDue(end: number): Timer | undefined {
    const { held, timers } = this;
    if (held.length > 0) this.releaseHeld();
    for (;;) {
      const { first: next } = timers;
      if (next === undefined || next.dueMs > end) return undefined;
      timers.removeFirst();
      if (next.isRemoved || next.owner?.ended) continue;
      if (next.owner?.stopped) {
        this.held.push(next);
        continue;
      }
      if (next.periodMs !== null) {
        const due = { ...next };
        // Who was stopped makes up for nothing.
        next.dueMs = Math.max(next.dueMs, this.now) + next.periodMs;
        timers.add(next);
        return due;
      }
      return next;
    }
  }

  /** Processes may go on that were stopped. */
  private releaseHeld(): void {
    const { held } = this;
    this.held = [];
    for (const timer of held) {
      if (timer.owner!.stopped) this.held.push(timer);
      else this.timers.add(timer);
    }
  }

  private add(callback: () => void, ms: number, periodMs: number | null): Timer {
    return this.addTimer(callback, ms, periodMs, this.current);
  }

  private addTimer(
    callback: () => void,
    ms: number,
    periodMs: number | null,
    owner: Process | null,
  ): Timer {
    const timer: Timer = {
      // As a real one does, it knows whole milliseconds only.
      dueMs: this.now + Math.ceil(ms),
      callback,
      periodMs,
      owner,
      number: ++this.lastNumber,
      isRemoved: false,
    };
    if (!owner?.ended) this.timers.add(timer);
    return timer;
  }

  private remove(timer: Timer | undefined): void {
    if (timer !== undefined) timer.isRemoved = true;
  }

  private addImmediate(callback: () => void): void {
    if (!this.current?.ended) this.immediates.push({ callback, owner: this.current });
  }

  /** Runs a callback, and all that promises do after it. */
  private async run({ callback, owner }: Immediate): Promise<void> {
    if (owner?.ended) return;
    this.current = owner;
    try {
      callback();
    } catch (error) {
      this.note(error);
    }
    await settle();
    this.current = null;
  }

  private note(error: unknown): void {
    if (!(error instanceof DeadProcessError)) this.uncaught ??= error;
  }
}

/** Lets all promises go on that can. */
function settle(): Promise<void> {
  return new Promise((resolve) => letPromisesRun(() => resolve()));
}
