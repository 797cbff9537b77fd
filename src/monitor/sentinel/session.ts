/**
 * One connection to the Sentinel API: reads requests, has them answered one after the other, and sends the replies and
 * the messages of its channels in that order.
 *
 * @module
 */
import {
  parseRequest,
  REQUEST_COMPLETE,
  REQUEST_ERROR,
  REQUEST_INCOMPLETE,
  RequestFrame,
} from "../../protocol/request_parser.ts";
import type { Connection } from "../../runtime/sockets.ts";
import { globMatcher } from "./glob.ts";

const FIRST_BUFFER_BYTES = 4 << 10;
/** No command of this API is longer. */
const LARGEST_BUFFER_BYTES = 1 << 20;
/** Whoever doesn't read this much of what was sent to him is disconnected. */
const MOST_UNSENT_BYTES = 8 << 20;

const decoder = new TextDecoder();

/** What a session needs of the server. */
export interface SessionOwner {
  /** Answers a command by {@linkcode SentinelSession.send}; a promise if the next has to wait for it. */
  answer(session: SentinelSession, words: readonly string[]): void | Promise<void>;
  /** What is sent is an error of the protocol. */
  refuse(session: SentinelSession, error: string): void;
  /** The connection has ended. */
  ended(session: SentinelSession): void;
}

/** See the head of this file. */
export class SentinelSession {
  /** The version of the protocol. */
  resp: 2 | 3 = 2;
  /** CLIENT SETNAME. */
  name = "";
  /** Whether it has given the password. */
  authenticated: boolean;
  /** The name of its last command. */
  lastCommand = "NULL";
  /** When that came, by the monotonic clock. */
  lastActivity: number;
  /** Whether replies are sent: CLIENT REPLY. */
  replyMode: "on" | "off" | "skip" | "skip next" = "on";
  /** Channels that it listens to. */
  readonly channels: Set<string> = new Set();
  /** Patterns of channels that it listens to, with their tests. */
  readonly patterns: Map<string, (channel: string) => boolean> = new Map();
  /** Whether it is closed as soon as all is sent. */
  closing = false;
  #frame = new RequestFrame();
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  #end = 0;
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;
  #writing = false;
  #closed = false;

  /** Makes a session on a connection, which is read after {@linkcode SentinelSession.run}. */
  constructor(
    readonly id: number,
    readonly connection: Connection,
    private readonly owner: SessionOwner,
    authenticated: boolean,
    readonly since: number,
  ) {
    this.authenticated = authenticated;
    this.lastActivity = since;
  }

  /** How many subscriptions it has. */
  get subscriptions(): number {
    return this.channels.size + this.patterns.size;
  }

  /** Subscribes to a pattern of channels. */
  addPattern(pattern: string): void {
    this.patterns.set(pattern, globMatcher(pattern));
  }

  /** Reads until the connection ends. */
  async run(): Promise<void> {
    try {
      while (!this.closing) {
        if (this.#end === this.#buffer.length) this.#grow();
        const count = await this.connection.read(this.#buffer.subarray(this.#end));
        if (count === null) break;
        this.#end += count;
        await this.#answerAll();
      }
    } catch {
      // The connection was lost, which is nothing special.
    }
    if (!this.closing) this.close();
  }

  /** Sends bytes, which don't change any more. */
  send(bytes: Uint8Array): void {
    if (this.#closed || bytes.length === 0) return;
    this.#unsent.push(bytes);
    this.#unsentBytes += bytes.length;
    if (this.#unsentBytes > MOST_UNSENT_BYTES) return this.close();
    if (!this.#writing) this.#write();
  }

  /** Closes as soon as all is sent. */
  closeSoon(): void {
    this.closing = true;
    if (!this.#writing) this.close();
  }

  /** Closes at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = this.closing = true;
    this.connection.close();
    this.owner.ended(this);
  }

  async #answerAll(): Promise<void> {
    const frame = this.#frame;
    while (!this.closing) {
      const outcome = parseRequest(
        frame,
        this.#buffer,
        this.#end,
        LARGEST_BUFFER_BYTES,
        this.authenticated,
      );
      if (outcome === REQUEST_INCOMPLETE) break;
      if (outcome === REQUEST_ERROR) return this.owner.refuse(this, frame.error);
      if (outcome === REQUEST_COMPLETE && frame.argc > 0) {
        const words = Array.from({ length: frame.argc }, (_, index) => {
          const start = frame.starts[index];
          return decoder.decode(this.#buffer.subarray(start, start + frame.lengths[index]));
        });
        await this.owner.answer(this, words);
      }
      frame.reset(frame.position);
    }
    this.#compact();
  }

  /** Moves what isn't read yet to the buffer's start. */
  #compact(): void {
    const { start } = this.#frame;
    if (start === 0) return;
    this.#buffer.copyWithin(0, start, this.#end);
    this.#end -= start;
    this.#frame.shift(start);
  }

  #grow(): void {
    if (this.#buffer.length >= LARGEST_BUFFER_BYTES) {
      throw new Error("the request is too long");
    }
    const larger = new Uint8Array(this.#buffer.length * 4);
    larger.set(this.#buffer.subarray(0, this.#end));
    this.#buffer = larger;
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      for (let bytes = this.#unsent.shift(); bytes !== undefined; bytes = this.#unsent.shift()) {
        for (let sent = 0; sent < bytes.length;) {
          sent += await this.connection.write(bytes.subarray(sent));
        }
        this.#unsentBytes -= bytes.length;
      }
      this.#writing = false;
      if (this.closing) this.close();
    } catch {
      this.#writing = false;
      this.close();
    }
  }
}
