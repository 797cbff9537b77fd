/**
 * The client that feels how far a replica is behind: writes to the master about every millisecond,
 * and reads at the replica what it wrote.
 *
 * Run as a program: `lag_probe.ts MASTER_PORT REPLICA_PORT`. It prints `ready` after a warm-up,
 * measures until its standard input ends, and prints a {@linkcode LagReport} as JSON.
 *
 * A loop of GETs at the replica would be one more load on it and on the machine, and no finer than
 * its own round trip. So the read is one that waits: XREAD BLOCK for the entry that XADD is about
 * to make. Each entry's id is known beforehand, so the read finds it whichever of the two commands
 * comes first, and the replica is asked once a write. It answers as soon as it has applied the
 * write, which is when any other read would see it.
 *
 * @module
 */

import { setPriority } from "node:os";
import { quantile } from "./statistics.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { WireConnection } from "./wire.ts";

/** How long something took. */
export interface Delays {
  /** Half of them were within it. */
  readonly p50Ms: number;
  /** All but one in a hundred were within it. */
  readonly p99Ms: number;
  /** The longest of them. */
  readonly longestMs: number;
}

/** What a probe prints. */
export interface LagReport {
  /** How many writes there were. */
  readonly count: number;
  /** From the master's reply until the replica shows the write; 0 where it shows it before. */
  readonly fromReply: Delays;
  /** The same from the sending of the write. */
  readonly fromSending: Delays;
}

const WARM_UP_WRITES = 300;
const INTERVAL_MS = 1;
const MOST_SAMPLES = 1_000_000;
/** Of the reply to XREAD with one entry that has one field. */
const READ_REPLY_LINES = 13;

/** A master and a replica, and what was seen of them. */
class Pair {
  readonly #master: WireConnection;
  readonly #replica: WireConnection;
  // Of this run alone, so that the replica can have no entry of these ids from another one.
  readonly #key = `lag:${Date.now()}`;
  readonly #fromReplyMs = new Float64Array(MOST_SAMPLES);
  readonly #fromSendingMs = new Float64Array(MOST_SAMPLES);
  #lastId = 0;
  #count = 0;

  private constructor(master: WireConnection, replica: WireConnection) {
    this.#master = master;
    this.#replica = replica;
  }

  static async open(masterPort: number, replicaPort: number): Promise<Pair> {
    return new Pair(await WireConnection.open(masterPort), await WireConnection.open(replicaPort));
  }

  async writeAndRead(): Promise<void> {
    const read = encodeRequest(["XREAD", "BLOCK", "0", "STREAMS", this.#key, `${this.#lastId}-0`]);
    const id = `${++this.#lastId}-0`;
    const write = encodeRequest(["XADD", this.#key, "MAXLEN", "1", id, "n", "1"]);
    let repliedAt = 0;
    let shownAt = 0;
    const shown = this.#replica.exchange(read, READ_REPLY_LINES)
      .then(() => shownAt = performance.now());
    const sentAt = performance.now();
    const replied = this.#master.exchange(write, 2).then(() => repliedAt = performance.now());
    await Promise.all([shown, replied]);
    const place = this.#count++ % MOST_SAMPLES;
    this.#fromReplyMs[place] = Math.max(0, shownAt - repliedAt);
    this.#fromSendingMs[place] = shownAt - sentAt;
  }

  forget(): void {
    this.#count = 0;
  }

  report(): LagReport {
    const delays = (samples: Float64Array): Delays => {
      const ascending = samples.slice(0, Math.min(this.#count, MOST_SAMPLES)).sort();
      return {
        p50Ms: quantile(ascending, 0.5),
        p99Ms: quantile(ascending, 0.99),
        longestMs: quantile(ascending, 1),
      };
    };
    return {
      count: this.#count,
      fromReply: delays(this.#fromReplyMs),
      fromSending: delays(this.#fromSendingMs),
    };
  }
}

async function runProbe(masterPort: number, replicaPort: number): Promise<void> {
  try {
    setPriority(0, -10); // else its own turn in the queue for a processor counts as lag
  } catch {
    // needs privileges; both contenders' figures have it in them then
  }
  const pair = await Pair.open(masterPort, replicaPort);
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const step = async () => {
    await pair.writeAndRead();
    Atomics.wait(sleeper, 0, 0, INTERVAL_MS);
  };
  for (let write = 0; write < WARM_UP_WRITES; write++) await step();
  pair.forget();
  let inputEnded = false;
  Deno.stdin.readable.pipeTo(new WritableStream()).then(() => inputEnded = true);
  console.log("ready");
  while (!inputEnded) await step();
  console.log(JSON.stringify(pair.report()));
  Deno.exit();
}

if (import.meta.main) {
  const [masterPort, replicaPort] = Deno.args.map(Number);
  await runProbe(masterPort, replicaPort);
}
