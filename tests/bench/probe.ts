/**
 * The client that feels the pauses: sends a PING about every millisecond and keeps every round
 * trip. A process of its own, since in the loader's it would wait for the loader.
 *
 * Run as a program: `probe.ts PORT [CONTROL_PORT]`. It prints `ready` after a warm-up, measures
 * until its standard input ends, and prints a {@linkcode ProbeReport} as JSON. With a control port
 * it asks that server too, in turn: an idle server's longest round trip is what the machine's
 * scheduling alone does to a probe at that time.
 *
 * @module
 */

import { setPriority } from "node:os";
import { quantile } from "./statistics.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { WireConnection } from "./wire.ts";

/** The round trips to one server. */
export interface RoundTrips {
  /** How many there were. */
  readonly count: number;
  /** The longest of them. */
  readonly longestMs: number;
  /** All but one in a thousand were within it. */
  readonly p999Ms: number;
  /** How many took longer than 10 ms. */
  readonly overTenMs: number;
}

/** What a probe prints. */
export interface ProbeReport {
  /** Of the server that is loaded. */
  readonly server: RoundTrips;
  /** Of the idle one, if there is one. */
  readonly control: RoundTrips | null;
}

const PING = encodeRequest(["PING"]);
const WARM_UP_ROUNDS = 300;
const INTERVAL_MS = 1;
const MOST_SAMPLES = 2_000_000;

/** A connection with the durations of its round trips. */
class Target {
  readonly #connection: WireConnection;
  readonly #durationsMs = new Float64Array(MOST_SAMPLES);
  #count = 0;

  private constructor(connection: WireConnection) {
    this.#connection = connection;
  }

  static async open(port: number): Promise<Target> {
    return new Target(await WireConnection.open(port));
  }

  async ask(): Promise<void> {
    const startedAt = performance.now();
    await this.#connection.exchange(PING, 1);
    this.#durationsMs[this.#count % MOST_SAMPLES] = performance.now() - startedAt;
    this.#count++;
  }

  forget(): void {
    this.#count = 0;
  }

  report(): RoundTrips {
    const ascending = this.#durationsMs.slice(0, Math.min(this.#count, MOST_SAMPLES)).sort();
    return {
      count: this.#count,
      longestMs: quantile(ascending, 1),
      p999Ms: quantile(ascending, 0.999),
      overTenMs: ascending.reduce((total, duration) => total + (duration > 10 ? 1 : 0), 0),
    };
  }
}

async function runProbe(ports: readonly number[]): Promise<void> {
  try {
    setPriority(0, -10); // else its own turn in the queue for a processor counts as a pause
  } catch {
    // needs privileges; the control shows what it cost
  }
  const targets = await Promise.all(ports.map((port) => Target.open(port)));
  // A blocking wait: it is exact to a tenth of a millisecond where a timer adds one or two, and
  // nothing else happens in this process.
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const askAll = async () => {
    for (const target of targets) await target.ask();
    Atomics.wait(sleeper, 0, 0, INTERVAL_MS);
  };
  for (let round = 0; round < WARM_UP_ROUNDS; round++) await askAll();
  for (const target of targets) target.forget();
  let inputEnded = false;
  Deno.stdin.readable.pipeTo(new WritableStream()).then(() => inputEnded = true);
  console.log("ready");
  while (!inputEnded) await askAll();
  const [server, control = null] = targets.map((target) => target.report());
  const report: ProbeReport = { server, control };
  console.log(JSON.stringify(report));
  Deno.exit();
}

if (import.meta.main) await runProbe(Deno.args.map(Number));
