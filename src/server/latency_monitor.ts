/**
 * The latency monitor: what kept the server busy for longer than `latency-monitor-threshold`.
 *
 * Each kind of event has its latest 160 samples, one for a second at most: the longest of that second.
 *
 * @module
 */

const SAMPLES = 160;

/** How long an event took, and in which second it was. */
export interface LatencySample {
  /** Unix time in seconds. */
  readonly time: number;
  /** How long it took. */
  readonly milliseconds: number;
}

/** The samples of one kind of event. */
export interface LatencyEvent {
  /** Its name, as in `fast-command`. */
  readonly name: string;
  /** The latest samples, oldest first; at least one. */
  readonly samples: readonly LatencySample[];
  /** The longest time ever. */
  readonly longest: number;
}

interface Recording {
  readonly name: string;
  readonly samples: LatencySample[];
  longest: number;
}

/** Samples of everything that took long; see the head of this file. */
export class LatencyMonitor {
  /** From so many ms on an event is a sample; 0 for never (`latency-monitor-threshold`). */
  threshold = 0;
  private readonly recordings = new Map<string, Recording>();

  /** Makes a monitor that asks `unixMs` for the time. */
  constructor(private readonly unixMs: () => number) {}

  /** Notes that event `name` took so long, if that is worth it. */
  add(name: string, milliseconds: number): void {
    const whole = Math.floor(milliseconds);
    if (this.threshold <= 0 || whole < this.threshold) return;
    const time = Math.floor(this.unixMs() / 1000);
    let recording = this.recordings.get(name);
    if (recording === undefined) {
      recording = { name, samples: [], longest: 0 };
      this.recordings.set(name, recording);
    }
    recording.longest = Math.max(recording.longest, whole);
    const { samples } = recording;
    const last = samples.at(-1);
    if (last?.time === time) {
      samples[samples.length - 1] = { time, milliseconds: Math.max(last.milliseconds, whole) };
      return;
    }
    if (samples.length === SAMPLES) samples.shift();
    samples.push({ time, milliseconds: whole });
  }

  /** All kinds of events that have samples. */
  events(): LatencyEvent[] {
    return [...this.recordings.values()];
  }

  /** The samples of event `name`, if it has any. */
  event(name: string): LatencyEvent | undefined {
    return this.recordings.get(name);
  }

  /** Forgets the samples of event `name`, or of all events; returns how many kinds had some. */
  forget(name?: string): number {
    if (name !== undefined) return this.recordings.delete(name) ? 1 : 0;
    const count = this.recordings.size;
    this.recordings.clear();
    return count;
  }
}
