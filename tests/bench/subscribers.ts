/**
 * Subscribers that do nothing but count bytes, so that the server is what is measured: in a process of
 * their own, since a thousand of them keep one busy.
 *
 * Run as a program: `subscribers.ts PORT COUNT CHANNEL`. It prints `ready` when all have subscribed. Each line on its
 * standard input is a number of bytes; when all of them together have been sent as many since the last line, it
 * prints `done`. It ends with its input.
 *
 * @module
 */

import { TextLineStream } from "@std/streams";
import { encodeRequest } from "../../src/protocol/request_writer.ts";

/** One buffer serves all: nobody looks at what was read. */
const READ_BYTES = 256 * 1024;

/** Counts what its connections are sent. */
class Listeners {
  #received = 0;
  #wanted = Infinity;
  #reached: () => void = () => {};
  readonly #buffer = new Uint8Array(READ_BYTES);

  /** Subscribes to `channel` with one more connection. */
  async subscribe(port: number, channel: string): Promise<void> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(encodeRequest(["SUBSCRIBE", channel]));
    if (await connection.read(this.#buffer) === null) throw new Error("the server hung up");
    const onRead = (size: number | null) => {
      if (size === null) throw new Error("the server closed a subscriber's connection");
      this.#received += size;
      if (this.#received >= this.#wanted) this.#arrived();
      connection.read(this.#buffer).then(onRead);
    };
    connection.read(this.#buffer).then(onRead);
  }

  /** Resolves when `bytes` bytes have come since the last ones that were asked for. */
  expect(bytes: number): Promise<void> {
    return new Promise((reached) => {
      this.#wanted = bytes;
      this.#reached = reached;
      if (this.#received >= bytes) this.#arrived();
    });
  }

  #arrived(): void {
    if (this.#received > this.#wanted) throw new Error("more messages than were published");
    this.#received = 0;
    this.#wanted = Infinity;
    this.#reached();
  }
}

if (import.meta.main) {
  const [port, count, channel] = Deno.args;
  const listeners = new Listeners();
  for (let index = 0; index < Number(count); index++) {
    await listeners.subscribe(Number(port), channel);
  }
  console.log("ready");
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) {
    await listeners.expect(Number(line));
    console.log("done");
  }
  Deno.exit();
}
