/**
 * A client that costs next to nothing: requests are built beforehand, replies are not parsed but
 * counted by their line ends. Under load, the benchmark has its own so that it measures the servers
 * and not this project's client library.
 *
 * @module
 */

import { plainValue, type Reply } from "../../src/client/mod.ts";
import { ReplyReader } from "../../src/protocol/reply_reader.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";

const LINE_FEED = 10;
const decoder = new TextDecoder();

/** One connection to a server on this machine. */
export class WireConnection {
  readonly #connection: Deno.TcpConn;
  readonly #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(16 * 1024);

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects to `port` of the loopback address; rejects as `Deno.connect` does. */
  static async open(port: number): Promise<WireConnection> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    return new WireConnection(connection);
  }

  /**
   * Sends `request` and waits for `lineCount` lines of reply: as many as it holds commands, when
   * each is answered by a status, an error or an integer.
   *
   * @throws {Error} if the server closes the connection, or a reply is an error
   */
  async exchange(request: Uint8Array, lineCount: number): Promise<void> {
    await this.#send(request);
    let missing = lineCount;
    while (missing > 0) {
      const size = await this.#receive();
      // Commands of one kind get replies of one kind, so a look at the first byte is enough to
      // notice that a server refuses them.
      if (this.#buffer[0] === 0x2d) {
        throw new Error(
          `the server says: ${decoder.decode(this.#buffer.subarray(1, size)).trim()}`,
        );
      }
      const end = this.#buffer.subarray(0, size);
      for (let at = end.indexOf(LINE_FEED); at >= 0; at = end.indexOf(LINE_FEED, at + 1)) missing--;
    }
  }

  /** Sends one command and gives its reply as text; null for a nil. */
  async command(...words: string[]): Promise<string | null> {
    await this.#send(encodeRequest(words));
    const reader = new ReplyReader();
    let reply: Reply | undefined;
    while (reply === undefined) {
      reader.push(this.#buffer.subarray(0, await this.#receive()));
      reply = reader.next();
    }
    if (reply.kind === "error") throw new Error(`the server says: ${reply.text()}`);
    const value = plainValue(reply);
    return value === null ? null : String(value);
  }

  /** Closes the connection. */
  close(): void {
    this.#connection.close();
  }

  async #send(request: Uint8Array): Promise<void> {
    let sent = 0;
    while (sent < request.length) sent += await this.#connection.write(request.subarray(sent));
  }

  async #receive(): Promise<number> {
    const size = await this.#connection.read(this.#buffer);
    if (size === null) throw new Error("the server closed the connection");
    return size;
  }
}
