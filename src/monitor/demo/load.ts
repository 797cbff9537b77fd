/**
 * A little load for the demo: some clients that read, and some that write and read what they wrote.
 *
 * @module
 */

import { ReconnectingClient, type Reply } from "../../client/mod.ts";

/** What has come of the load. */
export interface LoadTotals {
  /** Commands that were answered. */
  readonly answered: number;
  /** Those of them whose answer was an error, by its first word. */
  readonly errors: Readonly<Record<string, number>>;
  /** How often a client's connection was lost. */
  readonly lostConnections: number;
  /** Replies that were not what the same client had written before. */
  readonly stale: number;
}

const READERS = 4;
const WRITERS = 2;
const KEYS = 500;
const PERIOD_MS = 20;
const RETRY_MS = 200;
/** Reads of a client in a period, which go up and down slowly, so that there is something to see. */
const READS = { least: 4, spread: 6, periodMs: 40_000 };

/** Clients that are at it until they are stopped. */
export class DemoLoad {
  readonly #port: number;
  readonly #errors = new Map<string, number>();
  readonly #clients: ReconnectingClient[] = [];
  readonly #ended: Promise<unknown>;
  #stopped = false;
  #answered = 0;
  #lostConnections = 0;
  #stale = 0;

  /** Starts clients of the server on a port of this machine. */
  constructor(port: number) {
    this.#port = port;
    const readers = Array.from(
      { length: READERS },
      (_, index) => this.#keepAt((client, round) => this.#read(client, round * READERS + index)),
    );
    const writers = Array.from(
      { length: WRITERS },
      (_, index) =>
        this.#keepAt((client, round) => this.#write(client, `demo:writer:${index}`, round)),
    );
    this.#ended = Promise.all([...readers, ...writers]);
  }

  /** What has come of it so far. */
  get totals(): LoadTotals {
    return {
      answered: this.#answered,
      errors: Object.fromEntries(this.#errors),
      lostConnections: this.#lostConnections,
      stale: this.#stale,
    };
  }

  /** Ends it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const client of this.#clients) client.close();
    await this.#ended;
  }

  /** Has one client work, period after period, on as many connections as it takes. */
  async #keepAt(
    work: (client: ReconnectingClient, round: number) => Promise<void>,
  ): Promise<void> {
    const client = new ReconnectingClient({
      port: this.#port,
      clientName: "demo",
      firstRetryMs: RETRY_MS,
      lastRetryMs: RETRY_MS,
      onEvent: ({ type }) => {
        if (type === "lost") this.#lostConnections++;
      },
    });
    this.#clients.push(client);
    for (let round = 0; !this.#stopped; round++) {
      // What is lost with a connection is counted there.
      await work(client, round).catch(() => {});
      await pause(PERIOD_MS);
    }
  }

  async #read(client: ReconnectingClient, round: number): Promise<void> {
    const wave = 1 + Math.sin(2 * Math.PI * performance.now() / READS.periodMs);
    const count = Math.round(READS.least + READS.spread * wave / 2);
    const commands = Array.from(
      { length: count },
      (_, index) => ["GET", `demo:key:${(round * 7 + index * 13) % KEYS}`],
    );
    this.#count(await client.pipeline(commands));
  }

  async #write(client: ReconnectingClient, own: string, round: number): Promise<void> {
    const value = String(round);
    const { connections } = client;
    const replies = await client.pipeline([
      ["SET", `demo:key:${round % KEYS}`, value],
      ["SET", own, value],
    ]);
    this.#count(replies);
    const [read] = await client.pipeline([["GET", own]]);
    this.#count([read]);
    const isWritten = replies[1].kind === "simple";
    const isRead = read.kind === "bulk" && read.text() === value;
    // Who comes on another connection is a new client to the monitor, and may read what is older.
    const isSame = client.connections === connections;
    if (isSame && isWritten && !isRead && read.kind !== "error") this.#stale++;
  }

  #count(replies: readonly Reply[]): void {
    this.#answered += replies.length;
    for (const reply of replies) {
      if (reply.kind !== "error") continue;
      const [code] = reply.text().split(" ");
      this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
