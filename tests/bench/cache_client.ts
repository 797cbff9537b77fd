/**
 * A client of a cache: asks for keys, and sets those that aren't there. It counts how many were.
 *
 * @module
 */

import type { ZipfSource } from "./zipf.ts";

const KEY_DIGITS = 12;
const VALUE = "x".repeat(64);
const DOLLAR = 36;
const MINUS = 45;
/** Bytes of `$-1\r\n`, and of `$64\r\n`, the value and `\r\n`. */
const MISS_BYTES = 5;
const HIT_BYTES = 5 + VALUE.length + 2;
const STATUS_BYTES = "+OK\r\n".length;
const BATCH = 200;

/** What a stream of requests met. */
export interface CacheFigures {
  /** Keys that were there. */
  readonly hits: number;
  /** Keys that were not. */
  readonly misses: number;
}

/** The name that `loader.ts` gives to key number `number`. */
function keyName(number: number): string {
  return `key:${String(number).padStart(KEY_DIGITS, "0")}`;
}

/** One connection that plays a cache's client. */
export class CacheClient {
  readonly #connection: Deno.TcpConn;
  readonly #encoder = new TextEncoder();
  readonly #buffer = new Uint8Array(BATCH * HIT_BYTES);

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects to `port` of the loopback address. */
  static async open(port: number): Promise<CacheClient> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    return new CacheClient(connection);
  }

  /** Asks for `count` keys that `source` draws, some at a time, and sets those that miss. */
  async ask(source: ZipfSource, count: number): Promise<CacheFigures> {
    let misses = 0;
    for (let left = count; left > 0; left -= BATCH) {
      const size = Math.min(BATCH, left);
      const numbers = Array.from({ length: size }, () => source.next());
      const missing = await this.#get(numbers);
      if (missing.length > 0) await this.#set(missing);
      misses += missing.length;
    }
    return { hits: count - misses, misses };
  }

  /** Closes the connection. */
  close(): void {
    this.#connection.close();
  }

  async #get(numbers: readonly number[]): Promise<number[]> {
    await this.#send(
      numbers.map((number) => `*2\r\n$3\r\nGET\r\n$16\r\n${keyName(number)}\r\n`).join(""),
    );
    const missing: number[] = [];
    let filled = 0;
    let at = 0;
    for (const number of numbers) {
      while (filled - at < MISS_BYTES) filled += await this.#receive(filled);
      if (this.#buffer[at] !== DOLLAR) throw new Error(this.#text(at, filled));
      if (this.#buffer[at + 1] === MINUS) {
        missing.push(number);
        at += MISS_BYTES;
        continue;
      }
      while (filled - at < HIT_BYTES) filled += await this.#receive(filled);
      at += HIT_BYTES;
    }
    return missing;
  }

  async #set(numbers: readonly number[]): Promise<void> {
    await this.#send(
      numbers.map((number) =>
        `*3\r\n$3\r\nSET\r\n$16\r\n${keyName(number)}\r\n$${VALUE.length}\r\n${VALUE}\r\n`
      ).join(""),
    );
    let filled = 0;
    while (filled < numbers.length * STATUS_BYTES) {
      filled += await this.#receive(filled);
      if (this.#buffer[0] === MINUS) throw new Error(this.#text(0, filled));
    }
  }

  #text(from: number, to: number): string {
    return `the server says: ${new TextDecoder().decode(this.#buffer.subarray(from, to))}`;
  }

  async #send(text: string): Promise<void> {
    const bytes = this.#encoder.encode(text);
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#connection.write(bytes.subarray(sent));
    }
  }

  async #receive(at: number): Promise<number> {
    const size = await this.#connection.read(this.#buffer.subarray(at));
    if (size === null) throw new Error("the server closed the connection");
    return size;
  }
}
