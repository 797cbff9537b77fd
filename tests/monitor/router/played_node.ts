/**
 * Nodes that answer as a test has them, and clients that send and see plain bytes: for what no real server or client does.
 *
 * @module
 */
import {
  parseRequest,
  REQUEST_COMPLETE,
  RequestFrame,
} from "../../../src/protocol/request_parser.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { systemFiles } from "../../../src/runtime/files.ts";
import { Logger } from "../../../src/runtime/logging.ts";
import { systemRandomness } from "../../../src/runtime/random.ts";
import { systemSockets } from "../../../src/runtime/sockets.ts";
import type { RouterOptions } from "../../../src/monitor/options.ts";
import type { NodeAddress, Routing } from "../../../src/monitor/routing.ts";
import { Router } from "../../../src/monitor/router/router.ts";
import { ROUTER_OPTIONS } from "./routed_group.ts";

/** What a node says to a command: RESP, nothing, or (null) the end of the connection. Until it is there, nothing more is read. */
export type Answer = (
  words: string[],
  connection: Deno.TcpConn,
) => string | null | Promise<string | null>;

/** What a master with one replica says to ROLE. */
export function roleOfMaster(offset: number, replica: PlayedNode): string {
  const port = String(replica.address.port);
  return `*3\r\n$6\r\nmaster\r\n:${offset}\r\n*1\r\n*3\r\n$9\r\n127.0.0.1\r\n` +
    `$${port.length}\r\n${port}\r\n$1\r\n0\r\n`;
}

/** What a replica says to ROLE. */
export function roleOfReplica(offset: number | string, { address: { port } }: PlayedNode): string {
  return `*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:${port}\r\n$9\r\nconnected\r\n:${offset}\r\n`;
}

/** A node that a test plays; a master unless its answers say otherwise. */
export class PlayedNode implements Disposable {
  /** The commands that it got, but for those by which it is watched. */
  readonly commands: string[] = [];
  /** The connections that are open. */
  readonly connections = new Set<Deno.TcpConn>();
  /** As a master says it. */
  role = "*3\r\n$6\r\nmaster\r\n:100\r\n*0\r\n";
  private readonly listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  /** Listens. */
  constructor(private readonly answer: Answer) {
    this.accept();
  }

  /** Where it listens. */
  get address(): NodeAddress {
    return { host: "127.0.0.1", port: this.listener.addr.port };
  }

  private async accept(): Promise<void> {
    try {
      for await (const connection of this.listener) this.serve(connection);
    } catch {
      // It was closed.
    }
  }

  private async serve(connection: Deno.TcpConn): Promise<void> {
    this.connections.add(connection);
    const frame = new RequestFrame();
    let bytes = new Uint8Array();
    try {
      for (const room = new Uint8Array(1 << 16);;) {
        const count = await connection.read(room);
        if (count === null) break;
        const joined = new Uint8Array(bytes.length + count);
        joined.set(bytes);
        joined.set(room.subarray(0, count), bytes.length);
        bytes = joined;
        for (;;) {
          frame.reset(0);
          if (parseRequest(frame, bytes, bytes.length, 1 << 30, true) !== REQUEST_COMPLETE) break;
          const words = Array.from({ length: frame.argc }, (_, index) => {
            const start = frame.starts[index];
            return new TextDecoder().decode(bytes.subarray(start, start + frame.lengths[index]));
          });
          bytes = bytes.slice(frame.position);
          await this.say(connection, words);
        }
      }
    } catch {
      // It was closed.
    }
    this.drop(connection);
  }

  private async say(connection: Deno.TcpConn, words: string[]): Promise<void> {
    const isRole = words[0] === "ROLE";
    if (!isRole) this.commands.push(words.join(" "));
    const reply = isRole ? this.role : await this.answer(words, connection);
    if (reply === null) return this.drop(connection);
    const bytes = new TextEncoder().encode(reply);
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
  }

  private drop(connection: Deno.TcpConn): void {
    if (!this.connections.delete(connection)) return;
    connection.close();
  }

  /** Closes everything. */
  [Symbol.dispose](): void {
    this.listener.close();
    for (const connection of [...this.connections]) this.drop(connection);
  }
}

/** A router whose nodes a test plays. */
export class PlayedRouter implements Disposable {
  /** The router. */
  readonly router: Router;
  private epoch = 0;

  /** Starts it; nobody is known to it yet. `suspects` is called, once, when it complains about a node. */
  constructor(options: Partial<RouterOptions> = {}, suspects: () => void = () => {}) {
    let isFirst = true;
    const observer = {
      suspects: () => {
        if (isFirst) suspects();
        isFirst = false;
      },
    };
    this.router = new Router({ ...ROUTER_OPTIONS, ...options }, { user: "", pass: "" }, {
      sockets: systemSockets,
      clock: systemClock,
      files: systemFiles,
      randomness: systemRandomness,
      logger: new Logger(() => {}, Date.now),
    }, observer);
    this.router.start();
  }

  /** Tells it who is who. */
  route(master: PlayedNode, replicas: PlayedNode[] = [], changes: Partial<Routing> = {}): void {
    this.router.apply({
      epoch: ++this.epoch,
      master: master.address,
      writable: true,
      reason: "",
      replicas: replicas.map(({ address }) => ({ ...address, weight: 1 })),
      ...changes,
    });
  }

  /** Ends it. */
  [Symbol.dispose](): void {
    this.router.stop();
  }
}

/** A client that sends and sees plain bytes. */
export class PlainClient implements Disposable {
  /** All that came and wasn't taken by {@linkcode PlainClient.read}. */
  text = "";
  /** Whether the connection was closed. */
  isClosed = false;
  private wake = () => {};

  private constructor(private readonly connection: Deno.TcpConn) {
    this.receive();
  }

  /** Connects. */
  static async connect(port: number): Promise<PlainClient> {
    return new PlainClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  private async receive(): Promise<void> {
    const room = new Uint8Array(1 << 16);
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const count = await this.connection.read(room);
        if (count === null) break;
        this.text += decoder.decode(room.subarray(0, count), { stream: true });
        this.wake();
      }
    } catch {
      // It was closed.
    }
    this.isClosed = true;
    this.wake();
  }

  /** Sends bytes: lines of words, or RESP. */
  async send(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.connection.write(bytes.subarray(sent));
    }
  }

  /** Sends nothing more, and goes on reading. */
  async endWriting(): Promise<void> {
    await this.connection.closeWrite();
  }

  /** The next `length` characters, or what there is when they don't come within `waitMs`. */
  async read(length: number, waitMs = 3000): Promise<string> {
    const deadline = Date.now() + waitMs;
    while (this.text.length < length && !this.isClosed && Date.now() < deadline) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        timer = setTimeout(resolve, Math.max(1, deadline - Date.now()));
      });
      clearTimeout(timer);
    }
    const taken = this.text.slice(0, length);
    this.text = this.text.slice(length);
    return taken;
  }

  /** Sends, and checks nothing: what comes back, which should be as long as `expected`. */
  async ask(text: string, expected: string): Promise<string> {
    await this.send(text);
    return await this.read(expected.length);
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    try {
      this.connection.close();
    } catch {
      // It was closed.
    }
  }
}
