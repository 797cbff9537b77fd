/**
 * One connection to a server, with commands as promises.
 *
 * Commands are written in the order of the calls, all those of one turn of the event loop with one
 * write, and while a write is under way the next ones gather behind it: a loop that doesn't wait
 * for replies becomes a pipeline by itself. Replies come in the same order.
 *
 * @module
 */

import { type Reply } from "../protocol/reply.ts";
import { ReplyReader } from "../protocol/reply_reader.ts";
import { type ReplyLimits, ReplyProtocolError } from "../protocol/reply_types.ts";
import { type RequestArgument, RequestWriter } from "../protocol/request_writer.ts";
import { closedBecause, ConnectionClosedError, isDisconnect, ReplyError } from "./errors.ts";
import {
  asPush,
  type Confirmations,
  expectedConfirmations,
  type Subscriptions,
  SubscriptionState,
} from "./subscriptions.ts";

/** What a client needs of a socket. */
export interface Channel {
  /** Reads into `bytes`; the number of bytes read, or null at the end. */
  read(bytes: Uint8Array): Promise<number | null>;
  /** Writes from `bytes`, which don't change meanwhile; the number of bytes written. */
  write(bytes: Uint8Array): Promise<number>;
  /** Closes it; pending reads and writes are rejected. */
  close(): void;
}

/** How a client behaves. */
export interface ClientOptions {
  /** What replies may ask for. */
  limits?: ReplyLimits;
  /**
   * Takes what answers no command; see {@linkcode Client.onPush}.
   *
   * @default {undefined}
   */
  onPush?: (message: Reply) => void;
  /**
   * From how many unsent bytes on {@linkcode Client.ready} waits.
   *
   * @default {1048576}
   */
  highWaterBytes?: number;
}

/** A command without a reply. */
interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  /** Whether an error reply rejects. */
  readonly throwErrors: boolean;
  readonly confirmations: Confirmations | undefined;
  /** What a status in reply means for the connection. */
  readonly effect: "monitor" | "reset" | undefined;
}

const FIRST_READ_BYTES = 4 << 10;
const LARGEST_READ_BYTES = 64 << 10;

/**
 * A connection to a server; {@linkcode connect} opens one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { plainValue } from "../protocol/reply.ts";
 *
 * // A server that answers anything with 7.
 * const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const connection = await Promise.all([
 *   Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
 *   listener.accept(),
 * ]);
 * await connection[1].write(new TextEncoder().encode(":7\r\n"));
 *
 * using client = new Client(connection[0]);
 * assertEquals(plainValue(await client.command("INCR", "counter")), 7);
 *
 * connection[1].close();
 * listener.close();
 * ```
 */
export class Client {
  /**
   * Takes what answers no command: push messages, in RESP2 the messages of channels (which are
   * given as pushes), confirmations of subscriptions, and the lines of MONITOR. If it throws, the
   * connection is closed.
   */
  onPush: ((message: Reply) => void) | undefined;

  readonly #channel: Channel;
  readonly #reader: ReplyReader;
  readonly #writer = new RequestWriter();
  readonly #subscriptions = new SubscriptionState();
  readonly #highWaterBytes: number;
  readonly #closed = Promise.withResolvers<Error>();

  // A queue: the elements before `#answered` are done with.
  #pending: Pending[] = [];
  #answered = 0;

  #waiting: (() => void)[] = [];
  #flushScheduled = false;
  #writing = false;
  #unsentBytes = 0;
  #failure: Error | undefined;

  /** Makes a client on a connected socket, which it owns from now on. */
  constructor(channel: Channel, options: ClientOptions = {}) {
    this.#channel = channel;
    this.#reader = new ReplyReader(options.limits);
    this.#highWaterBytes = options.highWaterBytes ?? 1 << 20;
    this.onPush = options.onPush;
    this.#readReplies();
  }

  /** Whether commands can be sent: neither side has closed the connection, as far as is known. */
  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /** Fulfilled with the reason, never rejected, when the connection is closed by either side. */
  get closed(): Promise<Error> {
    return this.#closed.promise;
  }

  /** How many bytes of commands the system hasn't taken yet. */
  get bufferedBytes(): number {
    return this.#unsentBytes + this.#writer.length;
  }

  /** How many commands wait for their reply. */
  get pendingCommands(): number {
    return this.#pending.length - this.#answered;
  }

  /** What the server has confirmed to be subscribed to; the last ones, once the connection is closed. */
  get subscriptions(): Subscriptions {
    return this.#subscriptions.all;
  }

  /** Whether messages may come that answer no command: there are subscriptions, or MONITOR. */
  get isStreaming(): boolean {
    return this.#subscriptions.streaming;
  }

  /**
   * Sends a command and waits for its reply. For SUBSCRIBE and its like, that is the confirmation
   * of the last channel; each confirmation is also given to {@linkcode Client.onPush}.
   *
   * @throws {ReplyError} if the server answers with an error.
   * @throws {ConnectionClosedError} if the connection ends before the reply.
   * @throws {ReplyProtocolError} if the server sends what is no reply.
   */
  command(name: RequestArgument, ...args: readonly RequestArgument[]): Promise<Reply> {
    return this.#enqueue(name, args, true);
  }

  /**
   * Sends a command and waits for its reply, even if that is an error.
   *
   * @throws {ConnectionClosedError} if the connection ends before the reply.
   * @throws {ReplyProtocolError} if the server sends what is no reply.
   */
  send(name: RequestArgument, ...args: readonly RequestArgument[]): Promise<Reply> {
    return this.#enqueue(name, args, false);
  }

  /**
   * Sends commands one behind the other, with none of another caller between them, and waits for
   * all replies, of which some may be errors.
   *
   * @throws {ConnectionClosedError} if the connection ends before the last reply.
   * @throws {ReplyProtocolError} if the server sends what is no reply.
   */
  pipeline(commands: Iterable<readonly RequestArgument[]>): Promise<Reply[]> {
    const replies: Promise<Reply>[] = [];
    for (const [name, ...args] of commands) replies.push(this.#enqueue(name, args, false));
    return Promise.all(replies);
  }

  /**
   * Sends a command that gets no reply, such as `CLIENT REPLY SKIP`, or any while replies are off.
   *
   * @throws {ConnectionClosedError} if the connection is closed.
   */
  post(name: RequestArgument, ...args: readonly RequestArgument[]): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#writer.writeCommand(name, args);
    this.#scheduleFlush();
  }

  /**
   * Waits until most of what was sent has left: wait for this now and then when sending a lot, so
   * that commands don't pile up faster than the server takes them.
   *
   * @throws {ConnectionClosedError} if the connection is closed.
   */
  async ready(): Promise<void> {
    while (this.bufferedBytes >= this.#highWaterBytes && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Closes the connection at once: commands without a reply fail, what wasn't sent is lost. */
  close(): void {
    this.#fail(new ConnectionClosedError("The connection was closed"));
  }

  /** Closes the connection at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #enqueue(
    name: RequestArgument,
    args: readonly RequestArgument[],
    throwErrors: boolean,
  ): Promise<Reply> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#writer.writeCommand(name, args);
    this.#scheduleFlush();
    const special = specialName(name);
    return new Promise((resolve, reject) => {
      this.#pending.push({
        resolve,
        reject,
        throwErrors,
        confirmations: special === undefined
          ? undefined
          : expectedConfirmations(special, args.length),
        effect: special === "monitor" || special === "reset" ? special : undefined,
      });
    });
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#writing) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  /** Writes until nothing is left. One write is under way at a time: two could interleave. */
  async #flush(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    try {
      while (this.#writer.length > 0 && this.#failure === undefined) {
        const bytes = this.#writer.take();
        this.#unsentBytes = bytes.length;
        while (this.#unsentBytes > 0) {
          const rest = bytes.subarray(bytes.length - this.#unsentBytes);
          this.#unsentBytes -= await this.#channel.write(rest);
        }
        this.#writer.recycle(bytes);
        if (this.bufferedBytes < this.#highWaterBytes) this.#wakeWaiting();
      }
    } catch (error) {
      // What the server said before it closed may still be unread, and its end is noticed there,
      // too.
      if (!isDisconnect(error)) this.#fail(closedBecause(error));
    } finally {
      this.#writing = false;
    }
  }

  async #readReplies(): Promise<void> {
    let buffer = new Uint8Array(FIRST_READ_BYTES);
    try {
      for (;;) {
        const size = await this.#channel.read(buffer);
        if (size === null) break;
        this.#reader.push(buffer.subarray(0, size));
        for (let reply = this.#reader.next(); reply !== undefined; reply = this.#reader.next()) {
          this.#deliver(reply);
        }
        if (size === buffer.length && size < LARGEST_READ_BYTES) {
          buffer = new Uint8Array(size * 4);
        }
      }
      this.#fail(closedBecause());
    } catch (error) {
      this.#fail(error instanceof ReplyProtocolError ? error : closedBecause(error));
    }
  }

  #deliver(reply: Reply): void {
    const pending = this.#pending[this.#answered];
    if (pending === undefined) {
      // Between commands, servers say only one thing without being subscribed to: why they close.
      if (reply.kind === "error") this.#fail(new ConnectionClosedError(reply.text()));
      else this.onPush?.(asPush(reply));
      return;
    }
    const role = this.#subscriptions.classify(reply, pending.confirmations);
    if (role !== "answer") this.onPush?.(asPush(reply));
    if (role === "push" || role === "confirmation") return;
    this.#takePending();
    if (reply.kind === "error" && pending.throwErrors) {
      pending.reject(new ReplyError(reply));
      return;
    }
    if (pending.effect !== undefined && reply.kind === "simple") {
      if (pending.effect === "reset") this.#subscriptions.reset();
      else if (reply.text() === "OK") this.#subscriptions.startMonitoring();
    }
    pending.resolve(reply);
  }

  #takePending(): void {
    this.#answered++;
    if (this.#answered === this.#pending.length) {
      this.#pending.length = 0;
      this.#answered = 0;
    } else if (this.#answered >= 1024 && this.#answered * 2 > this.#pending.length) {
      this.#pending.splice(0, this.#answered);
      this.#answered = 0;
    }
  }

  #wakeWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#channel.close();
    const pending = this.#pending.slice(this.#answered);
    this.#pending.length = 0;
    this.#answered = 0;
    for (const { reject } of pending) reject(error);
    this.#wakeWaiting();
    this.#closed.resolve(error);
  }
}

/** The command's name in small letters if it changes what replies mean, else `undefined`. */
function specialName(name: RequestArgument): string | undefined {
  if (typeof name === "object") return specialName(String.fromCharCode(...name.subarray(0, 16)));
  if (typeof name !== "string" || name.length < 5) return undefined;
  // The names in question (MONITOR, RESET, SUBSCRIBE...) end in R, T or E; most others end here.
  const last = name.charCodeAt(name.length - 1) | 0x20;
  return last === 0x72 || last === 0x74 || last === 0x65 ? name.toLowerCase() : undefined;
}
