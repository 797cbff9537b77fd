/**
 * `--latency-dist`: how long a server takes to answer PING, as a spectrum.
 *
 * Each second a line is drawn with one character for each range of latencies; the more of the
 * answers fell into it, the brighter is its background. It takes a terminal of 256 colours.
 *
 * @module
 */

import { type Clock, systemClock } from "../../runtime/clock.ts";
import { latin1Bytes } from "../quoting.ts";
import { PING_INTERVAL_MS } from "./latency.ts";
import { type Live, runLive } from "./live.ts";
import type { ToolContext } from "./tool.ts";

const DEFAULT_INTERVAL_SECONDS = 1;

/** After so many lines the legend stands again. */
const LINES_BETWEEN_LEGENDS = 20;

/** The longest latencies of the ranges, in microseconds; a last range takes what is longer. */
const RANGE_ENDS_US: readonly number[] = [
  ...[10, 125, 250, 500],
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 40, 50].map((ms) => ms * 1000),
  ...[100, 200, 300, 400, 500].map((ms) => ms * 1000),
  ...[1, 2, 4, 8, 16, 30, 60].map((seconds) => seconds * 1_000_000),
];

/** What stands for each range. */
const RANGE_SIGNS = ".-*#123456789ABCDEFGHIJKLMNOPQ?";

/** Colours of the terminal's palette, from none of the answers to all of them. */
const COLOURS: readonly number[] = [
  ...[0, 233, 234, 235, 237, 239, 241, 243, 245, 247],
  ...[144, 143, 142, 184, 226, 214, 208, 202, 196],
];

/** Likewise, all of them grey. */
const GREYS: readonly number[] = [
  ...[0, 233, 234, 235, 237, 239, 241, 243, 245, 247],
  ...[249, 251, 253],
];

const BLACK_TEXT = "\x1b[38;5;0m";
const PLAIN = "\x1b[0m";
const RULE = "-".repeat(45);

/** How many answers fell into each range. */
export class Spectrum {
  readonly #palette: readonly number[];
  readonly #counts: number[] = Array(RANGE_SIGNS.length).fill(0);
  #total = 0;

  /** Makes an empty spectrum. */
  constructor(
    /** Whether it does without colours. */
    isMonochrome: boolean,
  ) {
    this.#palette = isMonochrome ? GREYS : COLOURS;
  }

  /** Adds a measurement, in microseconds. */
  add(latencyUs: number): void {
    const range = RANGE_ENDS_US.findIndex((endUs) => latencyUs <= endUs);
    this.#counts[range < 0 ? RANGE_ENDS_US.length : range]++;
    this.#total++;
  }

  /** Draws what there is, a line, and empties it. */
  draw(): string {
    const brightest = this.#palette.length - 1;
    let line = BLACK_TEXT;
    for (let range = 0; range < RANGE_SIGNS.length; range++) {
      const share = this.#total === 0 ? 0 : this.#counts[range] / this.#total;
      // Rounded up: a single answer among many can be seen.
      line += background(this.#palette[Math.ceil(share * brightest)]) + RANGE_SIGNS[range];
    }
    this.#counts.fill(0);
    this.#total = 0;
    return `${line}${PLAIN}\n`;
  }

  /** What the signs and the colours mean. */
  legend(): string {
    const scale = this.#palette.map((colour) => `${background(colour)} `).join("");
    return `${RULE}
. - * #          .01 .125 .25 .5 milliseconds
1,2,3,...,9      from 1 to 9     milliseconds
A,B,C,D,E        10,20,30,40,50  milliseconds
F,G,H,I,J        .1,.2,.3,.4,.5       seconds
K,L,M,N,O,P,Q,?  1,2,4,8,16,30,60,>60 seconds
From 0 to 100%: ${scale}${PLAIN}
${RULE}
`;
  }
}

/** Draws a line each second, or as `-i` says, until Ctrl-C is pressed. */
export function drawLatencies(context: ToolContext, clock: Clock = systemClock): Promise<number> {
  return runLive(context, (live) => drawLines(live, clock));
}

async function drawLines(live: Live, clock: Clock): Promise<number> {
  const { settings, terminal, server, interruption } = live;
  const intervalMs = (settings.intervalSeconds || DEFAULT_INTERVAL_SECONDS) * 1000;
  const spectrum = new Spectrum(settings.monochrome);
  let lines = 0;
  let startMs = clock.monotonic();
  while (!interruption.isRequested) {
    const pingMs = clock.monotonic();
    await server.send("PING");
    spectrum.add(Math.floor((clock.monotonic() - pingMs) * 1000));
    if (clock.monotonic() - startMs > intervalMs) {
      const legend = lines++ % LINES_BETWEEN_LEGENDS === 0 ? spectrum.legend() : "";
      terminal.write(latin1Bytes(legend + spectrum.draw()));
      startMs = clock.monotonic();
    }
    await interruption.sleep(PING_INTERVAL_MS);
  }
  return 0;
}

function background(colour: number): string {
  return `\x1b[48;5;${colour}m`;
}
