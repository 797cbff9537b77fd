/**
 * What LATENCY GRAPH draws and LATENCY DOCTOR says.
 *
 * @module
 */
import type { LatencyEvent, LatencyMonitor } from "./latency_monitor.ts";

const GRAPH_ROWS = 4;
const GRAPH_LINE = "-".repeat(80);
/** A column's top, from low to high within its row. */
const TOPS = "_o#";
const STEM = "|";

/** The samples of an event as a graph of characters, with the age of each below it. */
export function latencyGraph(event: LatencyEvent, unixMs: number): string {
  const times = event.samples.map(({ milliseconds }) => milliseconds);
  const low = Math.min(...times);
  const high = Math.max(...times);
  const levels = GRAPH_ROWS * TOPS.length - 1;
  const columns = times.map((time, index) => {
    const level = high === low ? 0 : Math.round((time - low) / (high - low) * levels);
    const stem = Math.floor(level / TOPS.length);
    const age = ageText(Math.floor(unixMs / 1000) - event.samples[index].time);
    return (STEM.repeat(stem) + TOPS[level % TOPS.length]).padEnd(GRAPH_ROWS) + age;
  });
  const head = `${event.name} - high ${high} ms, low ${low} ms (all time high ${event.longest} ms)`;
  const lines = [head, GRAPH_LINE];
  for (let row = GRAPH_ROWS - 1; row >= 0; row--) lines.push(rowOf(columns, row));
  const longestAge = Math.max(...columns.map((column) => column.length)) - GRAPH_ROWS;
  for (let row = 0; row < longestAge; row++) lines.push(rowOf(columns, GRAPH_ROWS + row));
  return lines.map((line) => `${line}\n`).join("");
}

function rowOf(columns: readonly string[], row: number): string {
  return columns.map((column) => column[row] ?? " ").join("");
}

function ageText(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

/** What the doctor knows of the settings. */
export interface DoctorFacts {
  /** `slowlog-log-slower-than`. */
  readonly slowLogMicroseconds: number;
}

/** What the latency monitor has seen, in prose, with advice. */
export function latencyDoctor(monitor: LatencyMonitor, facts: DoctorFacts): string {
  if (monitor.threshold === 0) {
    return "The latency monitor is off, so there is nothing to tell. Turn it on with " +
      "'CONFIG SET latency-monitor-threshold <milliseconds>'.\n";
  }
  const events = monitor.events();
  if (events.length === 0) {
    return `All is well: nothing has taken ${monitor.threshold} ms or more since the latency ` +
      "monitor was turned on or reset.\n";
  }
  const lines = events.map((event, index) => `${index + 1}. ${describeEvent(event)}\n`);
  const advice = adviceFor(new Set(events.map(({ name }) => name)), monitor.threshold, facts);
  return `Some work has kept clients waiting:\n\n${lines.join("")}\nWhat may help:\n\n` +
    advice.map((line) => `- ${line}\n`).join("");
}

function describeEvent(event: LatencyEvent): string {
  const { samples } = event;
  const mean = samples.reduce((sum, sample) => sum + sample.milliseconds, 0) / samples.length;
  const deviation = samples.reduce((sum, sample) => sum + Math.abs(sample.milliseconds - mean), 0) /
    samples.length;
  const period = (samples[samples.length - 1].time - samples[0].time) / samples.length;
  return `${event.name}: ${samples.length} latency spikes (average ${Math.floor(mean)}ms, ` +
    `mean deviation ${Math.floor(deviation)}ms, period ${period.toFixed(2)} sec). ` +
    `Worst all time event ${event.longest}ms.`;
}

function adviceFor(names: ReadonlySet<string>, threshold: number, facts: DoctorFacts): string[] {
  const advice: string[] = [];
  if (names.has("command") || names.has("fast-command")) {
    const limit = threshold * 1000;
    if (facts.slowLogMicroseconds < 0 || facts.slowLogMicroseconds > limit) {
      advice.push(
        "The slow log misses commands that the latency monitor counts: " +
          `'CONFIG SET slowlog-log-slower-than ${limit}'.`,
      );
    }
    advice.push("'SLOWLOG GET' names the commands that took long.");
  }
  if (names.has("fast-command")) {
    advice.push(
      "Commands that are fast by nature were slow too: other programs may take the processor, " +
        "or memory may have been swapped out.",
    );
  }
  if (names.has("command") || names.has("eviction-del")) {
    advice.push("Large values take long to delete, to expire and to evict: split them.");
  }
  if (names.has("expire-cycle")) {
    advice.push("Many keys expire in the same moment: spread their times.");
  }
  if (names.has("eviction-cycle")) {
    advice.push("Eviction has to free much at once: raise 'maxmemory', or write less at a time.");
  }
  if (names.has("active-defrag-cycle")) {
    advice.push("Defragmentation takes long: lower 'active-defrag-cycle-max'.");
  }
  return advice;
}
