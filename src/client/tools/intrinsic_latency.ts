/**
 * `--intrinsic-latency`: for how long the system, and the runtime, keep this process from running.
 * It needs no server: whatever it shows, no server on this machine does better.
 *
 * A short computation is repeated over and over. It takes a few microseconds; when one takes longer,
 * the process stood still meanwhile.
 *
 * @module
 */

import { formatFixed } from "../../protocol/fixed_point.ts";
import { UsageError } from "../../runtime/arguments.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { latin1Bytes } from "../quoting.ts";
import { Interruption } from "./interruption.ts";
import type { ToolContext } from "./tool.ts";

/** For how long nothing else is done; then it is looked whether Ctrl-C was pressed. */
const SLICE_MS = 100;

/** Before the engine has seen the computation so often, it spends time on compiling it. */
const WARM_UP_RUNS = 20_000;

/** The length of the computation. */
const COMPUTATION_STEPS = 1000;

/** Measures for as many seconds as the option says, or until Ctrl-C is pressed. */
export async function measureStalls(
  context: ToolContext,
  clock: Clock = systemClock,
): Promise<number> {
  const { settings, terminal } = context;
  if (!/^\d+$/.test(settings.toolValue)) {
    throw new UsageError(`'${settings.toolValue}' is no value for '--intrinsic-latency'`);
  }
  const durationMs = Number(settings.toolValue) * 1000;
  const print = (text: string) => terminal.write(latin1Bytes(text));
  using interruption = new Interruption(terminal);
  warmUp();
  const meter = new StallMeter(clock);
  do {
    meter.measure(Math.min(SLICE_MS, durationMs - meter.measuredMs), (longestUs) => {
      print(`Max latency so far: ${longestUs} microseconds.\n`);
    });
    // The turn of the event loop in which Ctrl-C is noticed isn't measured.
    await interruption.sleep(0);
  } while (meter.measuredMs < durationMs && !interruption.isRequested);
  print(meter.summary());
  return 0;
}

/** Measures how long computations take that should all take the same time. */
export class StallMeter {
  readonly #clock: Clock;
  #runs = 0;
  #longestUs = 0;
  #measuredMs = 0;

  /** Makes a meter that has measured nothing. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** For how long it has measured, in milliseconds. */
  get measuredMs(): number {
    return this.#measuredMs;
  }

  /**
   * Measures, at least one computation.
   *
   * @param durationMs For how long, in milliseconds.
   * @param onLonger Gets the time of a computation, in microseconds, if it took longer than all
   * before; what is done there isn't measured.
   */
  measure(durationMs: number, onLonger: (longestUs: number) => void): void {
    const clock = this.#clock;
    const beginMs = clock.monotonic();
    let endMs = beginMs;
    do {
      const startMs = clock.monotonic();
      computeSomething(this.#runs);
      endMs = clock.monotonic();
      this.#runs++;
      const latencyUs = Math.floor((endMs - startMs) * 1000);
      if (latencyUs > this.#longestUs) {
        this.#longestUs = latencyUs;
        onLonger(latencyUs);
      }
    } while (endMs - beginMs < durationMs);
    this.#measuredMs += endMs - beginMs;
  }

  /** What was found, two lines. */
  summary(): string {
    const averageUs = this.#measuredMs * 1000 / this.#runs;
    const factor = averageUs === 0 ? 0 : this.#longestUs / averageUs;
    return `
${this.#runs} total runs (avg latency: ${formatFixed(averageUs, 4)} microseconds / ${
      formatFixed(averageUs * 1000, 2)
    } nanoseconds per run).
Worst run took ${Math.round(factor)}x longer than the average latency.
`;
  }
}

/** Has the engine compile the computation before it is measured. */
function warmUp(): void {
  for (let run = 0; run < WARM_UP_RUNS; run++) computeSomething(run);
}

const numbers = new Uint8Array(256);

/**
 * Takes a few microseconds and makes no garbage. It writes to memory that stays, so that the engine
 * can't leave it out.
 */
function computeSomething(seed: number): void {
  let sum = seed & 255;
  for (let step = 0; step < COMPUTATION_STEPS; step++) {
    const place = step & 255;
    sum = (sum * 31 + numbers[place] + step) & 255;
    numbers[place] = sum;
  }
}
