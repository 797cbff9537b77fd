/**
 * A client that outlives its connection.
 *
 * - Commands that come while there is no connection wait for the next one, up to a limit.
 * - Commands whose connection ends before their reply fail: nobody knows whether the server has
 *   carried them out. Who knows that a second time does no harm says so, and they are sent again.
 * - Attempts come at ever longer intervals, of which a part is left to chance, so that the clients
 *   of a server that is back don't all come at once.
 * - Subscriptions are made again before anything else is sent.
 *
 * What belongs to one connection doesn't go with that: a transaction goes into one
 * {@linkcode ReconnectingClient.pipeline} from MULTI to EXEC; database, user and protocol are
 * options, which hold for each connection.
 *
 * @module
 */

import type { Reply } from "../protocol/reply.ts";
import type { RequestArgument } from "../protocol/request_writer.ts";
import type { Client } from "./client.ts";
import { connect, type ConnectOptions } from "./connect.ts";
import { ConnectionClosedError, ReplyError } from "./errors.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** What happens to a connection. */
export type ConnectionEvent =
  /** There is one; commands are sent. */
  | { readonly type: "connected" }
  /** It ended, and not because we closed it. */
  | { readonly type: "lost"; readonly reason: Error }
  /** An attempt to make one failed; the next one comes later, if there will be one. */
  | { readonly type: "failed"; readonly reason: Error; readonly retryMs: number | undefined };

/** Which server to stay connected to, and how. */
export interface ReconnectOptions extends ConnectOptions {
  /**
   * How long to wait before the first attempt after a connection has ended; twice as long before
   * each further one.
   *
   * @default {50}
   */
  firstRetryMs?: number;
  /**
   * How long to wait at most.
   *
   * @default {2000}
   */
  lastRetryMs?: number;
  /**
   * After how many failed attempts in a row to give up.
   *
   * @default {Infinity}
   */
  maxAttempts?: number;
  /**
   * How many commands may wait for a connection; one more fails at once.
   *
   * @default {1000}
   */
  maxWaitingCommands?: number;
  /**
   * Whether a command may be sent again that the server may have carried out already.
   *
   * @default {none may}
   */
  mayRepeat?: (command: readonly RequestArgument[]) => boolean;
  /** Is told what happens to the connection. */
  onEvent?: (event: ConnectionEvent) => void;
}

/** Commands that are sent together. */
interface Batch {
  readonly commands: readonly (readonly RequestArgument[])[];
  readonly resolve: (replies: Reply[]) => void;
  readonly reject: (error: Error) => void;
}

const NO_SUBSCRIPTIONS: Subscriptions = { channels: [], patterns: [], shardChannels: [] };

/**
 * A client that connects again.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { plainValue } from "../protocol/reply.ts";
 *
 * // A server that answers two commands with 7, and then closes the connection.
 * const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const serving = (async () => {
 *   for await (const connection of listener) {
 *     for (let command = 0; command < 2; command++) {
 *       await connection.read(new Uint8Array(100));
 *       await connection.write(new TextEncoder().encode(":7\r\n"));
 *     }
 *     connection.close();
 *   }
 * })();
 *
 * const { port } = listener.addr;
 * using client = new ReconnectingClient({ port, mayRepeat: ([name]) => name === "GET" });
 * assertEquals(plainValue(await client.command("GET", "counter")), 7);
 * assertEquals(plainValue(await client.command("GET", "counter")), 7);
 *
 * listener.close();
 * await serving;
 * ```
 */
export class ReconnectingClient {
  readonly #options: ReconnectOptions;
  readonly #maxWaitingCommands: number;
  readonly #ended = Promise.withResolvers<Error>();
  /** The connection, or the last one. */
  #client: Client | undefined;
  /** The connection that was opened last, which may not be ready for commands. */
  #attempt: Client | undefined;
  #connections = 0;
  #subscriptions = NO_SUBSCRIPTIONS;
  /** What is sent again, which goes before what waits. */
  #interrupted: Batch[] = [];
  #waiting: Batch[] = [];
  #waitingCommands = 0;
  #failure: Error | undefined;
  #endPause: () => void = () => {};

  /** Makes a client, which starts to connect. */
  constructor(options: ReconnectOptions = {}) {
    this.#options = options;
    this.#maxWaitingCommands = options.maxWaitingCommands ?? 1000;
    this.#stayConnected();
  }

  /** Whether there is a connection, as far as is known. */
  get isConnected(): boolean {
    return this.#client?.isOpen === true;
  }

  /** How many connections there were so far: another number than before is another connection. */
  get connections(): number {
    return this.#connections;
  }

  /** Fulfilled with the reason, never rejected, when there will be no connection any more. */
  get ended(): Promise<Error> {
    return this.#ended.promise;
  }

  /**
   * Sends a command, as soon as there is a connection, and waits for its reply.
   *
   * @throws {ReplyError} if the server answers with an error.
   * @throws {ConnectionClosedError} if the connection ends before the reply, too many commands wait
   * for one, or there will be none any more.
   * @throws {ReplyProtocolError} if the server sends what is no reply.
   */
  async command(name: RequestArgument, ...args: readonly RequestArgument[]): Promise<Reply> {
    const reply = await this.send(name, ...args);
    if (reply.kind === "error") throw new ReplyError(reply);
    return reply;
  }

  /**
   * Sends a command, as soon as there is a connection, and waits for its reply, even if that is an
   * error.
   *
   * @throws {ConnectionClosedError} as {@linkcode ReconnectingClient.command}.
   * @throws {ReplyProtocolError} if the server sends what is no reply.
   */
  async send(name: RequestArgument, ...args: readonly RequestArgument[]): Promise<Reply> {
    return (await this.pipeline([[name, ...args]]))[0];
  }

  /**
   * Sends commands on one connection, with none of another caller between them, and waits for all
   * replies, of which some may be errors. They are sent again only if each of them may be.
   *
   * @throws {ConnectionClosedError} as {@linkcode ReconnectingClient.command}.
   * @throws {ReplyProtocolError} if the server sends what is no reply.
   */
  pipeline(commands: Iterable<readonly RequestArgument[]>): Promise<Reply[]> {
    return new Promise((resolve, reject) => {
      this.#accept({ commands: [...commands], resolve, reject });
    });
  }

  /** Closes the connection for good: commands without a reply fail. */
  close(): void {
    this.#end(new ConnectionClosedError("The connection was closed"));
  }

  /** Closes the connection at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #accept(batch: Batch): void {
    if (this.#failure !== undefined) batch.reject(this.#failure);
    else if (this.#client?.isOpen) this.#transmit(this.#client, batch);
    else if (this.#waitingCommands + batch.commands.length > this.#maxWaitingCommands) {
      batch.reject(new ConnectionClosedError("Too many commands wait for a connection"));
    } else {
      this.#waitingCommands += batch.commands.length;
      this.#waiting.push(batch);
    }
  }

  #transmit(client: Client, batch: Batch): void {
    client.pipeline(batch.commands).then(batch.resolve, (error: Error) => {
      const { mayRepeat = () => false } = this.#options;
      const isRepeated = this.#failure === undefined && error instanceof ConnectionClosedError &&
        batch.commands.every(mayRepeat);
      if (isRepeated) this.#interrupted.push(batch);
      else batch.reject(error);
    });
  }

  async #stayConnected(): Promise<void> {
    const { firstRetryMs = 50, lastRetryMs = 2000, maxAttempts = Infinity } = this.#options;
    for (let failures = 0; this.#failure === undefined;) {
      let failed: Error | undefined;
      try {
        const client = await this.#connect();
        failures = 0;
        const reason = await client.closed;
        this.#subscriptions = client.subscriptions;
        if (this.#failure === undefined) this.#tell({ type: "lost", reason });
      } catch (error) {
        failures++;
        failed = error as Error;
      }
      if (this.#failure !== undefined) return;
      const retryMs = failures < maxAttempts
        ? retryDelayMs(failures, firstRetryMs, lastRetryMs, Math.random())
        : undefined;
      if (failed !== undefined) this.#tell({ type: "failed", reason: failed, retryMs });
      if (retryMs !== undefined) await this.#pause(retryMs);
      else this.#end(new ConnectionClosedError(failed!.message, { cause: failed }));
    }
  }

  async #connect(): Promise<Client> {
    const client = await connect(this.#options);
    this.#attempt = client;
    try {
      if (this.#failure !== undefined) throw this.#failure;
      await expectService(client);
      await subscribe(client, this.#subscriptions);
    } catch (error) {
      client.close();
      throw error;
    }
    this.#client = client;
    this.#connections++;
    this.#tell({ type: "connected" });
    const batches = [...this.#interrupted.splice(0), ...this.#waiting.splice(0)];
    this.#waitingCommands = 0;
    for (const batch of batches) this.#transmit(client, batch);
    return client;
  }

  /** Waits, but not longer than until the end. */
  async #pause(durationMs: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, durationMs);
    this.#endPause = over.resolve;
    await over.promise;
    clearTimeout(timer);
  }

  #tell(event: ConnectionEvent): void {
    this.#options.onEvent?.(event);
  }

  #end(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#attempt?.close();
    for (const batch of [...this.#interrupted.splice(0), ...this.#waiting.splice(0)]) {
      batch.reject(reason);
    }
    this.#endPause();
    this.#ended.resolve(reason);
  }
}

/**
 * How long to wait before the next attempt.
 *
 * @param failures How many attempts failed since the last connection.
 * @param firstMs The time if there were none.
 * @param lastMs The time that isn't exceeded.
 * @param chance A number from 0 to 1, which half of the time depends on.
 */
export function retryDelayMs(
  failures: number,
  firstMs: number,
  lastMs: number,
  chance: number,
): number {
  return Math.min(lastMs, firstMs * 2 ** failures) * (1 + chance) / 2;
}

/**
 * Makes sure that the server serves us: it may have no room for another client, load its data, or
 * want a password. A user that may not even ask for that is served.
 */
async function expectService(client: Client): Promise<void> {
  const reply = await client.send("PING");
  if (reply.kind === "error" && reply.code() !== "NOPERM") throw new ReplyError(reply);
}

/** Makes subscriptions, or throws the server's refusal. */
async function subscribe(client: Client, subscriptions: Subscriptions): Promise<void> {
  const { channels, patterns, shardChannels } = subscriptions;
  const commands = [
    ["SUBSCRIBE", ...channels],
    ["PSUBSCRIBE", ...patterns],
    ["SSUBSCRIBE", ...shardChannels],
  ];
  for (const reply of await client.pipeline(commands.filter(({ length }) => length > 1))) {
    if (reply.kind === "error") throw new ReplyError(reply);
  }
}
