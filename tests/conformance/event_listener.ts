/**
 * A second connection to a server, on which it tells of what happens to keys.
 *
 * @module
 */

import { latin1Text } from "../../src/client/quoting.ts";
import { ReplyReader } from "../../src/protocol/reply_reader.ts";
import { encodeStep } from "./step.ts";

const READ_BYTES = 1 << 16;

/**
 * The classes of events that are compared. When a key expires depends on which keys a server looks at while it scans,
 * and which one is evicted on chance, so neither is among them.
 */
export const COMPARED_EVENTS = "Kg$lshzt";

/** Hears the events of all keys of one server. */
export class EventListener {
  #connection: Deno.Conn | undefined;
  #reader = new ReplyReader();
  #buffer = new Uint8Array(READ_BYTES);
  #calls = 0;

  /** Connects by `connect` when it is asked to. */
  constructor(private readonly connect: () => Promise<Deno.Conn>) {}

  /** Begins to listen, anew if it has before. */
  async open(): Promise<void> {
    this.close();
    this.#connection = await this.connect();
    this.#reader = new ReplyReader();
    await this.#send(["HELLO", "3"]);
    await this.#send(["PSUBSCRIBE", "__keyspace@*"]);
    await this.take();
  }

  /** The events since the last call, as channel and name; undefined if the connection is lost. */
  async take(): Promise<string[] | undefined> {
    const mark = `mark ${this.#calls++}`;
    const events: string[] = [];
    try {
      await this.#send(["ECHO", mark]);
      for (;;) {
        const reply = this.#reader.next();
        if (reply === undefined) {
          const size = await this.#connection!.read(this.#buffer);
          if (size === null) return undefined;
          this.#reader.push(this.#buffer.slice(0, size));
        } else if (reply.kind === "bulk" && latin1Text(reply.bytes) === mark) return events;
        else if (reply.kind === "push" && reply.items.length === 4) {
          const words = reply.items.map((item) =>
            item.kind === "bulk" ? latin1Text(item.bytes) : ""
          );
          events.push(words.slice(2).join(" "));
        }
      }
    } catch (error) {
      // Random commands may close all connections but their own.
      if (error instanceof Deno.errors.ConnectionReset) return undefined;
      if (error instanceof Deno.errors.BrokenPipe) return undefined;
      throw error;
    }
  }

  /** Listens no longer. */
  close(): void {
    try {
      this.#connection?.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    this.#connection = undefined;
  }

  async #send(words: readonly string[]): Promise<void> {
    await this.#connection!.write(encodeStep({ words }));
  }
}
