/**
 * The clients of a load of reads and writes, in a process of their own.
 *
 * Run as a program with a {@linkcode MixedLoadOrder} as JSON; it prints `WorkloadFigures` as JSON.
 *
 * It has to cost less than the proxy that it measures. So each client has a few pipelines that were
 * built beforehand, and only the digits of their keys are written anew before one is sent; and
 * since all keys are there, with values of one length, the length of the replies is known: nothing
 * is parsed, bytes are counted.
 *
 * @module
 */

import type { WorkloadFigures } from "./redis_benchmark.ts";
import { quantile } from "./statistics.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";

/** What is to be sent. */
export interface MixedLoadOrder {
  /** To which port of the loopback address. */
  readonly port: number;
  /** From how many connections. */
  readonly clients: number;
  /** How many commands each of them has in flight. */
  readonly pipeline: number;
  /** The length of all values, also of those that are there. */
  readonly valueBytes: number;
  /** The keys are `key:000000000000` and the next ones, so many; all are there. */
  readonly keyspace: number;
  /** How many commands are sent, by all clients together. */
  readonly requests: number;
}

/** One command in so many is a SET. */
const COMMANDS_PER_WRITE = 10;
/** Commands in all pipelines of a client: as many as hold whole pipelines and the right share of writes. */
const LEAST_COMMANDS = 160;
const KEY_DIGITS = 12;
const READ_BYTES = 64 * 1024;
const MOST_SAMPLES = 2_000_000;
/** How errors begin, and behind its first byte a nil. */
const DASH = 0x2d;
const OK_BYTES = "+OK\r\n".length;

/** Some commands that are sent in one go. */
interface Pipeline {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Behind the last digit of each key. */
  readonly keyEnds: readonly number[];
  readonly replyBytes: number;
}

function pipelineOf(areWrites: readonly boolean[], valueBytes: number): Pipeline {
  const key = `key:${"0".repeat(KEY_DIGITS)}`;
  const get = encodeRequest(["GET", key]);
  const set = encodeRequest(["SET", key, "x".repeat(valueBytes)]);
  const getReplyBytes = `$${valueBytes}\r\n`.length + valueBytes + 2;
  const bytes = new Uint8Array(
    areWrites.reduce((sum, isWrite) => sum + (isWrite ? set : get).length, 0),
  );
  const headBytes = "*2\r\n$3\r\nGET\r\n$16\r\n".length + key.length;
  const keyEnds: number[] = [];
  let end = 0;
  let replyBytes = 0;
  for (const isWrite of areWrites) {
    bytes.set(isWrite ? set : get, end);
    keyEnds.push(end + headBytes);
    end += (isWrite ? set : get).length;
    replyBytes += isWrite ? OK_BYTES : getReplyBytes;
  }
  return { bytes, keyEnds, replyBytes };
}

/** The pipelines of a client, with the writes strewn over them. */
function pipelinesOf({ pipeline, valueBytes }: MixedLoadOrder): Pipeline[] {
  const count = Math.ceil(LEAST_COMMANDS / pipeline);
  const commands = count * pipeline;
  const areWrites = Array.from(
    { length: commands },
    (_, index) => index % COMMANDS_PER_WRITE === 0,
  );
  for (let index = commands - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1));
    [areWrites[index], areWrites[other]] = [areWrites[other], areWrites[index]];
  }
  return Array.from(
    { length: count },
    (_, index) => pipelineOf(areWrites.slice(index * pipeline, (index + 1) * pipeline), valueBytes),
  );
}

/** What all clients have in common. */
class Progress {
  readonly #durationsMs = new Float64Array(MOST_SAMPLES);
  #exchanges = 0;
  #left: number;

  constructor(exchanges: number) {
    this.#left = exchanges;
  }

  /** Whether one more pipeline is to be sent; then it counts as sent. */
  takeOne(): boolean {
    return this.#left-- > 0;
  }

  note(durationMs: number): void {
    this.#durationsMs[this.#exchanges++ % MOST_SAMPLES] = durationMs;
  }

  figures(commands: number, seconds: number): WorkloadFigures {
    const kept = Math.min(this.#exchanges, MOST_SAMPLES);
    const ascending = this.#durationsMs.subarray(0, kept).sort();
    return {
      requestsPerSecond: commands / seconds,
      p50Ms: quantile(ascending, 0.5),
      p99Ms: quantile(ascending, 0.99),
    };
  }
}

/** One connection, which sends the next pipeline when it has all replies to the one before. */
class MixedClient {
  readonly #connection: Deno.TcpConn;
  readonly #order: MixedLoadOrder;
  readonly #progress: Progress;
  readonly #pipelines: readonly Pipeline[];
  readonly #buffer = new Uint8Array(READ_BYTES);
  #turn = 0;
  #current: Pipeline;
  #sent = 0;
  #missing = 0;
  #sentMs = 0;
  #end: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  private constructor(connection: Deno.TcpConn, order: MixedLoadOrder, progress: Progress) {
    this.#connection = connection;
    this.#order = order;
    this.#progress = progress;
    this.#pipelines = pipelinesOf(order);
    this.#current = this.#pipelines[0];
  }

  static async open(order: MixedLoadOrder, progress: Progress): Promise<MixedClient> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: order.port });
    connection.setNoDelay(true);
    return new MixedClient(connection, order, progress);
  }

  /** Sends until nothing is left to send. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      [this.#end, this.#fail] = [resolve, reject];
      this.#send(performance.now());
    });
  }

  #send(nowMs: number): void {
    if (!this.#progress.takeOne()) return this.#end();
    this.#current = this.#pipelines[this.#turn++ % this.#pipelines.length];
    this.#drawKeys(this.#current);
    this.#sentMs = nowMs;
    this.#sent = 0;
    this.#missing = this.#current.replyBytes;
    this.#write();
  }

  #drawKeys({ bytes, keyEnds }: Pipeline): void {
    for (let at = 0; at < keyEnds.length; at++) {
      let rest = Math.floor(Math.random() * this.#order.keyspace);
      for (let place = keyEnds[at] - 1; place >= keyEnds[at] - KEY_DIGITS; place--) {
        const tenth = Math.floor(rest / 10);
        bytes[place] = 48 + rest - tenth * 10;
        rest = tenth;
      }
    }
  }

  #write(): void {
    const { bytes } = this.#current;
    const rest = this.#sent === 0 ? bytes : bytes.subarray(this.#sent);
    this.#connection.write(rest).then(this.#onSent, this.#fail);
  }

  readonly #onSent = (size: number): void => {
    this.#sent += size;
    if (this.#sent < this.#current.bytes.length) this.#write();
    else this.#read();
  };

  #read(): void {
    this.#connection.read(this.#buffer).then(this.#onRead, this.#fail);
  }

  readonly #onRead = (size: number | null): void => {
    if (size === null) return this.#fail(new Error("the server closed the connection"));
    // Only at the start: what is amiss elsewhere makes the sum of bytes wrong.
    if (this.#buffer[0] === DASH || this.#buffer[1] === DASH) {
      const said = new TextDecoder().decode(this.#buffer.subarray(0, Math.min(size, 200)));
      return this.#fail(new Error(`a reply is ${said.trim()}`));
    }
    this.#missing -= size;
    if (this.#missing > 0) return this.#read();
    if (this.#missing < 0) return this.#fail(new Error("the replies are longer than the values"));
    const nowMs = performance.now();
    this.#progress.note(nowMs - this.#sentMs);
    this.#send(nowMs);
  };
}

if (import.meta.main) {
  const order: MixedLoadOrder = JSON.parse(Deno.args[0]);
  const exchanges = Math.ceil(order.requests / order.pipeline);
  const progress = new Progress(exchanges);
  const clients: MixedClient[] = [];
  for (let number = 0; number < order.clients; number++) {
    clients.push(await MixedClient.open(order, progress));
  }
  const beganMs = performance.now();
  await Promise.all(clients.map((client) => client.run()));
  const seconds = (performance.now() - beganMs) / 1000;
  console.log(JSON.stringify(progress.figures(exchanges * order.pipeline, seconds)));
  Deno.exit();
}
