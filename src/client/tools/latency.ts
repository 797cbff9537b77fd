/**
 * `--latency` and `--latency-history`: how long a server takes to answer PING, a hundred times a
 * second.
 *
 * On a terminal the figures are drawn over and over on one line; a history begins a new line now
 * and then. For a program, `--latency` prints them once and ends, and a history prints them at each
 * PING.
 *
 * @module
 */

import { formatFixed } from "../../protocol/fixed_point.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import type { OutputFormat } from "../options.ts";
import { latin1Bytes } from "../quoting.ts";
import { formatAverage } from "./figures.ts";
import { type Live, runLive } from "./live.ts";
import type { ToolContext } from "./tool.ts";

/** From the reply to the next PING. */
export const PING_INTERVAL_MS = 10;

/** How long a line of the history goes on. */
const HISTORY_INTERVAL_MS = 15_000;

/** After how long a program gets its figures. */
const MEASUREMENT_MS = 1000;

/** To the start of the line, which is then empty. */
const CLEAR_LINE = "\x1b[0G\x1b[2K";

/** What was measured, in whole milliseconds. */
export class Latencies {
  #min = Infinity;
  #max = 0;
  #total = 0;
  #count = 0;

  /** Adds a measurement. */
  add(latencyMs: number): void {
    this.#min = Math.min(this.#min, latencyMs);
    this.#max = Math.max(this.#max, latencyMs);
    this.#total += latencyMs;
    this.#count++;
  }

  /** The figures as text; a line's end stands behind all but the one for people. */
  format(format: OutputFormat): string {
    const average = formatAverage(this.#total, this.#count);
    switch (format) {
      case "standard":
        return `min: ${this.#min}, max: ${this.#max}, avg: ${average} (${this.#count} samples)`;
      case "raw":
        return `${this.#min} ${this.#max} ${average} ${this.#count}\n`;
      case "csv":
        return `${this.#min},${this.#max},${average},${this.#count}\n`;
      case "json":
      case "quoted-json":
        return `{"min": ${this.#min}, "max": ${this.#max}, "avg": ${average}, ` +
          `"count": ${this.#count}}\n`;
    }
  }
}

/** Measures until Ctrl-C is pressed, or, for a program, for a second or as long as `-i` says. */
export function measureLatency(
  context: ToolContext,
  clock: Clock = systemClock,
): Promise<number> {
  return runLive(context, (live) => measure(live, clock));
}

/** Measures until Ctrl-C is pressed, and begins anew after 15 seconds, or as `-i` says. */
export function measureLatencyHistory(
  context: ToolContext,
  clock: Clock = systemClock,
): Promise<number> {
  return runLive(context, (live) => measureHistory(live, clock));
}

async function measure(live: Live, clock: Clock): Promise<number> {
  const { format } = live.settings;
  const print = (text: string) => live.terminal.write(latin1Bytes(text));
  const durationMs = live.settings.intervalSeconds * 1000 || MEASUREMENT_MS;
  const startMs = clock.monotonic();
  const latencies = new Latencies();
  try {
    while (!live.interruption.isRequested) {
      latencies.add(await ping(live, clock));
      if (format === "standard") print(CLEAR_LINE + latencies.format(format));
      else if (clock.monotonic() - startMs > durationMs) {
        print(latencies.format(format));
        return 0;
      }
      await live.interruption.sleep(PING_INTERVAL_MS);
    }
    return 0;
  } finally {
    // What comes next on the terminal doesn't stand behind the figures.
    if (format === "standard") print("\n");
  }
}

async function measureHistory(live: Live, clock: Clock): Promise<number> {
  const { format } = live.settings;
  const print = (text: string) => live.terminal.write(latin1Bytes(text));
  const lineMs = live.settings.intervalSeconds * 1000 || HISTORY_INTERVAL_MS;
  let startMs = clock.monotonic();
  let latencies = new Latencies();
  try {
    while (!live.interruption.isRequested) {
      latencies.add(await ping(live, clock));
      print((format === "standard" ? CLEAR_LINE : "") + latencies.format(format));
      const passedMs = clock.monotonic() - startMs;
      if (passedMs > lineMs) {
        print(` -- ${formatFixed(passedMs / 1000, 2)} seconds range\n`);
        startMs = clock.monotonic();
        latencies = new Latencies();
      }
      await live.interruption.sleep(PING_INTERVAL_MS);
    }
    return 0;
  } finally {
    if (format === "standard") print("\n");
  }
}

/** How many whole milliseconds begin between a PING and its reply: in the mean, its latency. */
async function ping({ server }: Live, clock: Clock): Promise<number> {
  const startMs = Math.floor(clock.monotonic());
  await server.send("PING");
  return Math.floor(clock.monotonic()) - startMs;
}
