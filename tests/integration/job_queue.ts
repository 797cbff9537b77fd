/**
 * A job queue on a stream and a group of consumers, for the tests of foreign clients. Jobs are entries, workers are
 * consumers. A job is acknowledged when it is done; until then it is pending for its worker, and after a lease any other worker
 * claims it. One that was delivered too often goes to the dead letters, another stream.
 *
 * @module
 */

import { Redis } from "../support/packages/ioredis.ts";
import { createClient } from "../support/packages/redis.ts";

const JOBS = "jobs";
const DEAD = "jobs:dead";
const GROUP = "workers";
/** After so long a job that isn't acknowledged may be claimed, where a test doesn't say otherwise. */
const LEASE_MS = 150;
/** How long a worker waits for jobs at once. */
const BLOCK_MS = 20;
/** How often a job is tried. */
const ATTEMPTS = 3;
const BATCH = 5;
/** After so long something has been lost. */
const PATIENCE_MS = 15_000;

/** A job. */
export interface Job {
  /** Id of its entry. */
  readonly id: string;
  /** What to do. */
  readonly task: string;
}

/** What a client library does for a queue. */
export interface QueueClient {
  /** Makes queue and group, if they aren't there. */
  prepare(): Promise<void>;
  /** Adds a job; its id. */
  add(task: string): Promise<string>;
  /** Waits for jobs that nobody has got yet. */
  take(worker: string): Promise<Job[]>;
  /** What is pending for a worker already. */
  history(worker: string): Promise<Job[]>;
  /** Claims jobs whose lease, of so many ms, is over. */
  claim(worker: string, leaseMs: number): Promise<Job[]>;
  /** How often a job was delivered. */
  deliveries(id: string): Promise<number>;
  /** A job is done; false if somebody else had done it before. */
  done(id: string): Promise<boolean>;
  /** Puts a job that nobody has done among the dead letters; false if somebody had. */
  bury(job: Job): Promise<boolean>;
  /** Asks for anything else. */
  ask(command: string, ...args: string[]): Promise<unknown>;
  /** Cuts the connection, as a crash does. */
  crash(): Promise<void>;
}

/** A way to connect. */
export interface QueueLibrary {
  /** Its name. */
  readonly name: string;
  /** Connects to `port`. */
  connect(port: number): Promise<QueueClient>;
}

type Entry = [id: string, fields: string[] | null];

function jobsOf(entries: readonly Entry[]): Job[] {
  return entries.flatMap(([id, fields]) => fields === null ? [] : [{ id, task: fields[1] }]);
}

function isBusyGroup(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("BUSYGROUP");
}

async function connectByIoredis(port: number): Promise<QueueClient> {
  const client = new Redis({ port, host: "127.0.0.1", retryStrategy: () => null });
  client.on("error", () => {});
  await client.ping();
  type Read = [key: string, entries: Entry[]][] | null;
  return {
    async prepare() {
      try {
        await client.xgroup("CREATE", JOBS, GROUP, "0", "MKSTREAM");
      } catch (error) {
        if (!isBusyGroup(error)) throw error;
      }
    },
    add: async (task) => (await client.xadd(JOBS, "*", "task", task))!,
    async take(worker) {
      const read = await client.xreadgroup(
        "GROUP",
        GROUP,
        worker,
        "COUNT",
        BATCH,
        "BLOCK",
        BLOCK_MS,
        "STREAMS",
        JOBS,
        ">",
      ) as Read;
      return read === null ? [] : jobsOf(read[0][1]);
    },
    async history(worker) {
      const read = await client.xreadgroup("GROUP", GROUP, worker, "STREAMS", JOBS, "0") as Read;
      return jobsOf(read![0][1]);
    },
    async claim(worker, leaseMs) {
      const [, entries] = await client.xautoclaim(
        JOBS,
        GROUP,
        worker,
        leaseMs,
        "0",
        "COUNT",
        BATCH,
      ) as [string, Entry[], string[]];
      return jobsOf(entries);
    },
    async deliveries(id) {
      const [found] = await client.xpending(JOBS, GROUP, id, id, 1) as [
        string,
        string,
        number,
        number,
      ][];
      return found?.[3] ?? 0;
    },
    async done(id) {
      const replies = await client.multi().xack(JOBS, GROUP, id).xdel(JOBS, id).exec();
      return replies![0][1] === 1;
    },
    async bury({ id, task }) {
      if (await client.xack(JOBS, GROUP, id) === 0) return false;
      await client.multi().xadd(DEAD, "*", "task", task, "id", id).xdel(JOBS, id).exec();
      return true;
    },
    ask: (command, ...args) => client.call(command, ...args),
    async crash() {
      const ended = new Promise((resolve) => client.once("end", resolve));
      client.disconnect();
      await ended;
    },
  };
}

async function connectByNodeRedis(port: number, resp: 2 | 3): Promise<QueueClient> {
  const client = createClient({
    url: `redis://127.0.0.1:${port}`,
    RESP: resp,
    socket: { reconnectStrategy: false },
  });
  client.on("error", () => {});
  await client.connect();
  const send = (...args: string[]) => client.sendCommand(args);
  /** The entries of the only stream that was read, in either protocol. */
  const entriesOf = (read: unknown): Entry[] => {
    if (read === null) return [];
    if (Array.isArray(read)) return (read as [string, Entry[]][])[0][1];
    return Object.values(read as Record<string, Entry[]>)[0];
  };
  return {
    async prepare() {
      try {
        await client.xGroupCreate(JOBS, GROUP, "0", { MKSTREAM: true });
      } catch (error) {
        if (!isBusyGroup(error)) throw error;
      }
    },
    add: (task) => client.xAdd(JOBS, "*", { task }),
    async take(worker) {
      const count = ["COUNT", String(BATCH), "BLOCK", String(BLOCK_MS)];
      const read = await send("XREADGROUP", "GROUP", GROUP, worker, ...count, "STREAMS", JOBS, ">");
      return jobsOf(entriesOf(read));
    },
    async history(worker) {
      return jobsOf(entriesOf(
        await send("XREADGROUP", "GROUP", GROUP, worker, "STREAMS", JOBS, "0"),
      ));
    },
    async claim(worker, leaseMs) {
      const { messages } = await client.xAutoClaim(JOBS, GROUP, worker, leaseMs, "0", {
        COUNT: BATCH,
      });
      return messages.flatMap((one) =>
        one === null ? [] : [{ id: one.id, task: one.message.task }]
      );
    },
    async deliveries(id) {
      const [found] = await client.xPendingRange(JOBS, GROUP, id, id, 1);
      return found?.deliveriesCounter ?? 0;
    },
    async done(id) {
      const [acknowledged] = await client.multi().xAck(JOBS, GROUP, id).xDel(JOBS, id).exec();
      return Number(acknowledged) === 1;
    },
    async bury({ id, task }) {
      if (await client.xAck(JOBS, GROUP, id) === 0) return false;
      await client.multi().xAdd(DEAD, "*", { task, id }).xDel(JOBS, id).exec();
      return true;
    },
    ask: (command, ...args) => send(command, ...args),
    crash() {
      client.destroy();
      return Promise.resolve();
    },
  };
}

/** The ways to connect that are tried. */
export const QUEUE_LIBRARIES: readonly QueueLibrary[] = [
  { name: "ioredis", connect: connectByIoredis },
  { name: "node-redis RESP2", connect: (port) => connectByNodeRedis(port, 2) },
  { name: "node-redis RESP3", connect: (port) => connectByNodeRedis(port, 3) },
];

/** What became of the jobs, told by all workers; the same for all of a test. */
export class Ledger {
  /** Each job that was done, by whom. */
  readonly done: [task: string, worker: string][] = [];
  /** Each attempt that failed. */
  readonly failed: string[] = [];
  /** Each job that was given up. */
  readonly buried: string[] = [];
  private wake: () => void = () => {};

  /** Something has been noted. */
  noted(): void {
    this.wake();
  }

  /**
   * Waits until so many jobs are done or given up.
   *
   * @throws {Error} if they never are
   */
  async settled(count: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<never>((_, fail) => {
      const complain = () => fail(new Error(`only ${this.done.length + this.buried.length} jobs`));
      timer = setTimeout(complain, PATIENCE_MS);
    });
    try {
      while (this.done.length + this.buried.length < count) {
        await Promise.race([new Promise<void>((wake) => this.wake = wake), patience]);
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Does one attempt at a job, and throws if that fails. */
export type Attempt = (job: Job, deliveries: number) => void | Promise<void>;

/** A worker; it runs until it is stopped, or crashes. */
export class Worker implements AsyncDisposable {
  private stopping = false;
  private running: Promise<void> = Promise.resolve();

  private constructor(
    /** Its name in the group. */
    readonly name: string,
    /** Its connection. */
    readonly client: QueueClient,
    private readonly ledger: Ledger,
    private readonly attempt: Attempt,
    private readonly leaseMs: number,
  ) {}

  /** A worker begins with what it had before it ended last. */
  static async start(
    name: string,
    library: QueueLibrary,
    port: number,
    ledger: Ledger,
    attempt: Attempt = () => {},
    leaseMs = LEASE_MS,
  ): Promise<Worker> {
    const worker = new Worker(name, await library.connect(port), ledger, attempt, leaseMs);
    await worker.client.prepare();
    worker.running = worker.run();
    return worker;
  }

  private async run(): Promise<void> {
    for (const job of await this.client.history(this.name)) await this.handle(job);
    while (!this.stopping) {
      for (const job of await this.client.claim(this.name, this.leaseMs)) await this.handle(job);
      for (const job of await this.client.take(this.name)) await this.handle(job);
    }
  }

  private async handle(job: Job): Promise<void> {
    const { ledger } = this;
    const deliveries = await this.client.deliveries(job.id);
    if (deliveries > ATTEMPTS) {
      if (await this.client.bury(job)) ledger.buried.push(job.task);
      return ledger.noted();
    }
    try {
      await this.attempt(job, deliveries);
    } catch {
      ledger.failed.push(job.task);
      return ledger.noted();
    }
    // Whose lease was over, and who was overtaken, has done it in vain.
    if (await this.client.done(job.id)) ledger.done.push([job.task, this.name]);
    ledger.noted();
  }

  /** Ends after the job at hand. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    await this.client.crash();
  }

  /** See {@linkcode stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
