/**
 * A server without a machine: its clock is set by hand, its randomness comes from a seed, and its
 * connections are queues in memory.
 *
 * @module
 */
import { encodeRequest, type RequestArgument } from "../../src/protocol/request_writer.ts";
import { plainValue, type Reply } from "../../src/protocol/reply.ts";
import { ReplyReader } from "../../src/protocol/reply_reader.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import type { Connection, SocketListener } from "../../src/runtime/sockets.ts";
import { Server, type ServerEnvironment, startServer } from "../../src/server/mod.ts";
import { IncomingBytes } from "./incoming_bytes.ts";
import { MemoryFiles } from "./memory_files.ts";
import { seededRandom } from "./random.ts";

/** A clock that stands still until somebody moves it. */
export class HandClock implements Clock {
  private ms = 1_700_000_000_000;

  /** The time. */
  now(): number {
    return this.ms;
  }

  /** The time as well. */
  monotonic(): number {
    return this.ms;
  }

  /** Moves the clock. */
  advance(ms: number): void {
    this.ms += ms;
  }
}

/** The server's end of a connection in memory; what the server does is what the test allows it. */
export class MemoryConnection implements Connection {
  readonly remote = "127.0.0.1:40000";
  readonly local = "127.0.0.1:6379";
  readonly fromLoopback = true;
  /** Whether the server has closed it. */
  closed = false;
  /** While false, writes hang, as to a client that doesn't read. */
  open = true;
  private readonly incoming = new IncomingBytes();
  private hanging: { bytes: Uint8Array; done: (count: number) => void } | null = null;
  private readonly replies = new ReplyReader();
  /** Takes what the server sends, where that isn't RESP. */
  raw: ((bytes: Uint8Array) => void) | null = null;
  /** What was written since {@linkcode askRaw}, or null when nobody waits for it. */
  private recorded: string | null = null;
  private wake: () => void = () => {};

  /** Whether the server waits for bytes. */
  get awaited(): boolean {
    return this.incoming.isAwaited;
  }

  read(room: Uint8Array): Promise<number | null> {
    return this.incoming.read(room);
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.open) return Promise.resolve(this.take(bytes));
    return new Promise((done) => this.hanging = { bytes, done });
  }

  close(): void {
    this.closed = true;
    this.wake();
  }

  /** Sends bytes to the server, in the pieces given. */
  send(...pieces: Uint8Array[]): void {
    this.incoming.push(...pieces);
  }

  /** Ends the stream to the server. */
  end(): void {
    this.incoming.end();
  }

  /** Lets a write that hangs, and all later ones, through. */
  readAll(): void {
    this.open = true;
    const hanging = this.hanging;
    this.hanging = null;
    if (hanging !== null) hanging.done(this.take(hanging.bytes));
  }

  /** The next reply. */
  async reply(): Promise<Reply> {
    for (;;) {
      const reply = this.replies.next();
      if (reply !== undefined) return reply;
      if (this.closed) throw new Error("the server closed the connection");
      await new Promise<void>((wake) => this.wake = wake);
    }
  }

  /** The next reply, if it is there already. */
  received(): Reply | undefined {
    return this.replies.next();
  }

  /** Sends one command and gives its reply as plain values; an error as `-` and its text. */
  async ask(...words: RequestArgument[]): Promise<unknown> {
    this.send(encodeRequest(words));
    return plain(await this.reply());
  }

  /** Sends one command and gives the bytes of its reply, a byte a character. */
  async askRaw(...words: RequestArgument[]): Promise<string> {
    this.recorded = "";
    this.send(encodeRequest(words));
    await this.reply();
    const text = this.recorded;
    this.recorded = null;
    return text;
  }

  private take(bytes: Uint8Array): number {
    if (this.recorded !== null) {
      for (const byte of bytes) this.recorded += String.fromCharCode(byte);
    }
    // What was written may change once the write is done.
    if (this.raw === null) this.replies.push(bytes.slice());
    else this.raw(bytes.slice());
    this.wake();
    return bytes.length;
  }
}

/** A reply as plain values; an error as `-` and its text. */
export function plain(reply: Reply): unknown {
  return reply.kind === "error" ? `-${reply.text()}` : plainValue(reply);
}

/** A server of this kind. */
export interface MemoryServer extends AsyncDisposable {
  /** The server itself. */
  readonly server: Server;
  /** Its clock. */
  readonly clock: HandClock;
  /** What it has logged. */
  readonly log: string[];
  /** Opens a connection. */
  connect(): Promise<MemoryConnection>;
  /** Has it take in a connection. */
  accept(connection: Connection): Promise<void>;
  /** Opens a connection from it to another server; there is none unless a test puts one here. */
  reach: (hostname: string, port: number) => Promise<Connection>;
}

/** Starts a server whose keys are hashed by `seed`. */
export async function startMemoryServer(
  seed: number,
  options: Readonly<Record<string, string>> = {},
  environment: ServerEnvironment = {},
): Promise<MemoryServer> {
  const clock = new HandClock();
  const random = seededRandom(seed);
  const log: string[] = [];
  const waiting: ((connection: Connection) => void)[] = [];
  const refusing: ((error: Error) => void)[] = [];
  const listen = (port: number): SocketListener => ({
    port,
    close: () => refusing.forEach((refuse) => refuse(new Error("the listener is closed"))),
    accept: () =>
      new Promise((accepted, refused) => {
        waiting.push(accepted);
        refusing.push(refused);
      }),
  });
  const network: Pick<MemoryServer, "reach"> = {
    reach: () => Promise.reject(new Error("there is nobody else")),
  };
  const server = await startServer({
    bind: "127.0.0.1",
    "enable-debug-command": "yes",
    ...options,
  }, {
    clock,
    randomness: {
      number: random,
      secret: () => (random() * 0x100000000) | 0,
      hex: (length) => "0".repeat(length),
    },
    sockets: {
      // It may look for its master before there is a machine.
      connect: (hostname, port) => network.reach(hostname, port),
      listen: (_hostname, port) => listen(port),
      listenUnix: () => listen(0),
    },
    log: (line) => log.push(line),
    files: new MemoryFiles(),
    ...environment,
  });
  const machine: MemoryServer = {
    server,
    clock,
    log,
    get reach() {
      return network.reach;
    },
    set reach(reach) {
      network.reach = reach;
    },
    async accept(connection: Connection): Promise<void> {
      while (waiting.length === 0) await Promise.resolve();
      waiting.shift()!(connection);
      await Promise.resolve();
    },
    async connect(): Promise<MemoryConnection> {
      const connection = new MemoryConnection();
      await machine.accept(connection);
      return connection;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await server.shutDownNow();
    },
  };
  return machine;
}
