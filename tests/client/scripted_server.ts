import { plainValue } from "../../src/protocol/reply.ts";
import { ReplyReader } from "../../src/protocol/reply_reader.ts";
import { eventually } from "../support/waiting.ts";

/** What the server does with a command: sends these bytes (a character each), closes, or both. */
export type Answer = string | "close" | { readonly lastWords: string };

/** A server for tests: it knows nothing but what a function answers. */
export class ScriptedServer {
  /** All commands that arrived, of all connections. */
  readonly commands: string[][] = [];
  /** What it says to each connection before it was asked for anything. */
  greeting = "";
  /** How many connections there were. */
  acceptedConnections = 0;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #done: Promise<void>;

  /** Listens, on a free port unless told; `answer` gets each command with its words. */
  constructor(answer: (words: string[]) => Answer, port = 0) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#done = this.#accept(answer);
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** How many connections there are. */
  get openConnections(): number {
    return this.#connections.size;
  }

  /** Sends bytes (a character each) to all connections. */
  async broadcast(text: string): Promise<void> {
    for (const connection of this.#connections) await writeAll(connection, text);
  }

  /** Closes all connections, but goes on listening. */
  dropConnections(): void {
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  /** Says good-bye to all connections, and waits until the other sides have noticed. */
  async endConnections(): Promise<void> {
    for (const connection of this.#connections) await connection.closeWrite();
    await eventually(() => this.#connections.size === 0);
  }

  /** Closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.dropConnections();
    await this.#done;
  }

  async #accept(answer: (words: string[]) => Answer): Promise<void> {
    const running: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      // Each reply is written by itself, and none is to wait for an acknowledgement.
      connection.setNoDelay(true);
      this.#connections.add(connection);
      this.acceptedConnections++;
      running.push(this.#serve(connection, answer));
    }
    await Promise.all(running);
  }

  async #serve(connection: Deno.TcpConn, answer: (words: string[]) => Answer): Promise<void> {
    // A request has the form of a reply: an array of bulks.
    const reader = new ReplyReader();
    const buffer = new Uint8Array(4096);
    try {
      await writeAll(connection, this.greeting);
      for (;;) {
        const size = await connection.read(buffer);
        if (size === null) break;
        reader.push(buffer.subarray(0, size));
        for (let request = reader.next(); request !== undefined; request = reader.next()) {
          const words = plainValue(request) as string[];
          this.commands.push(words);
          const text = answer(words);
          if (typeof text === "object") await writeAll(connection, text.lastWords);
          if (typeof text === "object" || text === "close") throw new Deno.errors.Interrupted();
          await writeAll(connection, text);
        }
      }
    } catch (error) {
      if (!isEnd(error)) throw error;
    }
    if (this.#connections.delete(connection)) connection.close();
  }
}

/** Whether an error is that of a connection which either side has closed. */
export function isEnd(error: unknown): boolean {
  return error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe;
}

async function writeAll(connection: Deno.TcpConn, text: string): Promise<void> {
  let bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  while (bytes.length > 0) bytes = bytes.subarray(await connection.write(bytes));
}
