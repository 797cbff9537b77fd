/**
 * How long commands take, at a price that the hot path can afford.
 *
 * **The price.** A look at the clock takes 120 ns, a pipelined SET 600. So commands that are quick by nature
 * (see {@linkcode Command.quick}) and stand in one batch are a *group*: one look at its end, and each is charged
 * an equal share. Every other command is measured by itself, between two looks. If somebody wants to hear of
 * commands that take less than a millisecond (`slowlog-log-slower-than`, `latency-monitor-threshold`), all are.
 *
 * **A slow group.** Sixteen quick commands take some 10 us. If they took a millisecond, one of them met
 * something unusual (a large value, a page that wasn't there), and a share would hide it. Then the others are
 * charged what such commands usually take, and the rest goes to the one that is most likely: the last that isn't
 * `fast` by Redis' own account, or else the last.
 *
 * @module
 */
import type { Command } from "./command_table.ts";

/** From so many ms on, one command of a group is held responsible. */
const SLOW_GROUP_MS = 1;
/** Below this, every command is measured by itself. */
const FINE_MS = 1;

/** Told about a command that took long: its place in the batch, and how long. */
export type SlowListener = (command: Command, index: number, milliseconds: number) => void;

/** Measures commands; see the head of this file. */
export class CommandTimer {
  /** Whether every command is to be measured by itself. */
  each = false;
  /** Whether the times are kept as histograms (`latency-tracking`). */
  histograms = true;
  /** From so many ms on, somebody wants to hear of a command. */
  reportMs: number = Infinity;
  /** When the current group began. */
  private began = 0;
  /** What a quick command took last, in microseconds. */
  private usual = 1;

  /** Tells `onSlow` about the commands that take as long as {@linkcode setThresholds} says. */
  constructor(private readonly onSlow: SlowListener) {}

  /**
   * Sets from when on the slow log (`slowlog-log-slower-than`, in microseconds, negative for never) and the latency
   * monitor (`latency-monitor-threshold`, in ms, 0 for never) want to know of a command.
   */
  setThresholds(slowLogMicroseconds: number, latencyMs: number): void {
    const slowMs = slowLogMicroseconds < 0 ? Infinity : slowLogMicroseconds / 1000;
    this.reportMs = Math.min(slowMs, latencyMs > 0 ? latencyMs : Infinity);
    this.each = this.reportMs <= FINE_MS;
  }

  /** What comes now begins at `now`, in monotonic ms. */
  begin(now: number): void {
    this.began = now;
  }

  /**
   * Charges the commands `from` to `to` (exclusive) of a batch, of which null has not run, with the time up to
   * `now`; returns how many did run.
   */
  end(now: number, commands: readonly (Command | null)[], from: number, to: number): number {
    const elapsed = now - this.began;
    this.began = now;
    if (to - from === 1) {
      const command = commands[from];
      if (command === null) return 0;
      this.charge(command, from, elapsed);
      return 1;
    }
    if (elapsed >= SLOW_GROUP_MS) return this.blame(commands, from, to, elapsed);
    this.usual = elapsed * 1000 / (to - from);
    return this.share(commands, from, to);
  }

  /** Charges each command that has run what is usual; returns how many there are. */
  private share(commands: readonly (Command | null)[], from: number, to: number): number {
    const { usual, histograms } = this;
    let count = 0;
    while (from < to) {
      const command = commands[from];
      const first = from++;
      if (command === null) continue;
      while (from < to && commands[from] === command) from++;
      command.statistics.record(usual, from - first, histograms);
      count += from - first;
    }
    return count;
  }

  /** Charges a command, and tells if it took long. */
  private charge(command: Command, index: number, elapsed: number): void {
    command.statistics.record(elapsed * 1000, 1, this.histograms);
    if (elapsed >= this.reportMs) this.onSlow(command, index, elapsed);
  }

  /** Charges a group of which one command took long. */
  private blame(
    commands: readonly (Command | null)[],
    from: number,
    to: number,
    elapsed: number,
  ): number {
    let suspect = -1;
    for (let index = to - 1; index >= from; index--) {
      const command = commands[index];
      if (command === null) continue;
      if (suspect < 0) suspect = index;
      if (command.fast) continue;
      suspect = index;
      break;
    }
    if (suspect < 0) return 0;
    const others = this.share(commands, from, suspect) + this.share(commands, suspect + 1, to);
    const rest = elapsed - others * this.usual / 1000;
    this.charge(commands[suspect]!, suspect, Math.max(0, rest));
    return others + 1;
  }
}
