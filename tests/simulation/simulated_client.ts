/**
 * A client of a simulated server: what it sends is there at once, and what it is sent is looked at when the simulation says so.
 *
 * @module
 */
import type { Client } from "../../src/client/mod.ts";
import type { Reply } from "../../src/protocol/reply.ts";
import { RequestWriter } from "../../src/protocol/request_writer.ts";
import type { MemoryConnection } from "../support/memory_server.ts";

/** A connection and whoever waits for its replies. */
export class SimulatedClient {
  private readonly waiting: ((reply: Reply) => void)[] = [];
  /** Takes what answers no command. */
  onMessage: (message: Reply) => void = () => {};

  /** A client at this end of a connection. */
  constructor(private readonly connection: MemoryConnection) {}

  /** Whether the server has closed the connection. */
  get isClosed(): boolean {
    return this.connection.closed;
  }

  /** How many replies are to come. */
  get unanswered(): number {
    return this.waiting.length;
  }

  /** Sends a command; `answered` gets its reply. */
  send(words: readonly (string | number)[], answered: (reply: Reply) => void = () => {}): void {
    this.waiting.push(answered);
    this.connection.send(encoded([words]));
  }

  /** Sends several commands in one piece; `answered` gets the replies of all of them. */
  sendTogether(
    commands: readonly (readonly string[])[],
    answered: (replies: readonly Reply[]) => void,
  ): void {
    const replies: Reply[] = [];
    for (let index = 0; index < commands.length; index++) {
      this.waiting.push((reply) => {
        replies.push(reply);
        if (replies.length === commands.length) answered(replies);
      });
    }
    this.connection.send(encoded(commands));
  }

  /** Hands over what has come. */
  receive(): void {
    for (;;) {
      const reply = this.connection.received();
      if (reply === undefined) return;
      const waiting = this.waiting.shift();
      if (waiting === undefined) this.onMessage(reply);
      else waiting(reply);
    }
  }

  /**
   * This client for who knows those of real servers, as far as they send commands and wait for replies. `turn` lets the server
   * work and throws if that has ended.
   */
  asClient(turn: () => Promise<void>): Client {
    const pipeline = async (commands: readonly string[][]) => {
      let replies: readonly Reply[] | undefined;
      if (commands.length === 0) return [];
      this.sendTogether(commands, (all) => replies = all);
      while (replies === undefined) await turn();
      return replies;
    };
    const command = async (...words: (string | number)[]) =>
      (await pipeline([words.map(String)]))[0];
    return { command, pipeline } as unknown as Client;
  }
}

/** One for all: what is taken from it is copied. */
const writer = new RequestWriter();

function encoded(commands: readonly (readonly (string | number)[])[]): Uint8Array {
  for (const words of commands) writer.write(words);
  const bytes = writer.take();
  const copy = bytes.slice();
  writer.recycle(bytes);
  return copy;
}
