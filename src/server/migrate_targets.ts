/**
 * Connections to the servers that keys move to.
 *
 * Who moves one key after the other to the same place would connect each time; so a connection is kept for ten seconds
 * after its last use, with the number of the database that is selected there. Meanwhile nobody reads from it: that the
 * other side has closed it is noticed when it is used again, and then the caller connects anew.
 *
 * @module
 */
import type { Reply } from "../protocol/reply.ts";
import { ReplyReader } from "../protocol/reply_reader.ts";
import { ReplyProtocolError } from "../protocol/reply_types.ts";
import type { Connection } from "../runtime/sockets.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";
import { closeQuietly } from "./session.ts";

/** So long is a connection kept that nobody uses. */
const IDLE_MS = 10_000;
const MOST_CONNECTIONS = 64;
const READ_BYTES = 16 * 1024;
/** The most that is handed to the socket at once: each such part has the whole timeout. */
const WRITE_BYTES = 64 * 1024;

/** A step that has failed: the peer is gone or doesn't speak RESP, or it took too long, or was called off. */
export class StepError extends Error {
  /** The name of this class. */
  override readonly name = "StepError";

  /** `timedOut`: it has only taken too long. */
  constructor(readonly timedOut: boolean, options?: ErrorOptions) {
    super(timedOut ? "it took too long" : "it has failed", options);
  }
}

/** Steps, one at a time, of which none may take longer than the client allows. */
export class TimedSteps implements Deadline {
  /** When the present step has taken too long, in unix ms. */
  dueMs = 0;
  /** Its place among the deadlines. */
  heapIndex: number = -1;
  private reject: (error: StepError) => void = () => {};
  private cancelled = false;

  /** Each step may take `timeoutMs` by the clock that tells `now`. */
  constructor(
    private readonly deadlines: Deadlines,
    private readonly now: () => number,
    private readonly timeoutMs: number,
  ) {}

  /**
   * The outcome of a step that has just begun.
   *
   * @throws {StepError} if it fails, takes too long, or is cancelled.
   */
  take<T>(step: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.reject = reject;
    this.dueMs = this.now() + this.timeoutMs;
    if (this.cancelled) reject(new StepError(false));
    else this.deadlines.add(this);
    step.then(resolve, (cause) => reject(new StepError(false, { cause })));
    return promise.finally(() => this.deadlines.remove(this));
  }

  /** The present step fails, and so does every one that is begun after it. */
  cancel(): void {
    this.cancelled = true;
    this.deadlines.remove(this);
    this.reject(new StepError(false));
  }

  /** The present step has taken too long. */
  due(): void {
    this.reject(new StepError(true));
  }
}

/** One connection to a server that keys move to. */
export class Target implements Deadline {
  /** The database that is selected there, in decimal; empty if that isn't known. */
  database = "";
  /** When it is closed if nobody has used it until then, in unix ms. */
  dueMs = 0;
  /** Its place among the deadlines. */
  heapIndex: number = -1;
  private readonly reader = new ReplyReader();
  private readonly room = new Uint8Array(READ_BYTES);

  /** Wraps a connection, which `targets` keep under `name`. */
  constructor(
    private readonly targets: Targets,
    readonly name: string,
    private readonly connection: Connection,
  ) {}

  /** Whether everything that the other side has said has been read, as far as it has come. */
  get isQuiet(): boolean {
    return this.reader.atBoundary;
  }

  /**
   * Sends `bytes`, which don't change meanwhile.
   *
   * @throws {StepError} if that fails.
   */
  async write(bytes: Uint8Array, steps: TimedSteps): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      const part = bytes.subarray(sent, sent + WRITE_BYTES);
      sent += await steps.take(this.connection.write(part));
    }
  }

  /**
   * The next reply.
   *
   * @throws {StepError} if none comes.
   */
  async reply(steps: TimedSteps): Promise<Reply> {
    for (;;) {
      const reply = this.readReply();
      if (reply !== undefined) return reply;
      const count = await steps.take(this.connection.read(this.room));
      if (count === null) throw new StepError(false);
      this.reader.push(this.room.subarray(0, count));
    }
  }

  /** The next reply, if it has come as a whole. */
  private readReply(): Reply | undefined {
    try {
      return this.reader.next();
    } catch (cause) {
      if (cause instanceof ReplyProtocolError) throw new StepError(false, { cause });
      throw cause;
    }
  }

  /** Nobody has used it for long. */
  due(): void {
    this.targets.drop(this);
  }

  /** Closes it. */
  close(): void {
    closeQuietly(this.connection);
  }
}

/** The connections of one server to others that keys move to. */
export class Targets {
  /** By host and port; the one that was used last stands last. */
  private readonly kept = new Map<string, Target>();

  /** `deadlines` and `now` go by the same clock. */
  constructor(private readonly deadlines: Deadlines, private readonly now: () => number) {}

  /** How many connections there are. */
  get count(): number {
    return this.kept.size;
  }

  /** The connection that is kept under a name; it isn't closed until {@linkcode release}. */
  find(name: string): Target | undefined {
    const target = this.kept.get(name);
    if (target !== undefined) this.deadlines.remove(target);
    return target;
  }

  /** Keeps a new connection, if need be in the place of the one that hasn't been used for longest. */
  add(name: string, connection: Connection): Target {
    if (this.kept.size >= MOST_CONNECTIONS) {
      for (const oldest of this.kept.values()) {
        this.drop(oldest);
        break;
      }
    }
    const target = new Target(this, name, connection);
    this.kept.set(name, target);
    return target;
  }

  /** Nobody uses a connection any more for now. */
  release(target: Target): void {
    this.kept.delete(target.name);
    this.kept.set(target.name, target);
    target.dueMs = this.now() + IDLE_MS;
    this.deadlines.add(target);
  }

  /** Closes a connection and forgets it. */
  drop(target: Target): void {
    this.deadlines.remove(target);
    if (this.kept.get(target.name) === target) this.kept.delete(target.name);
    target.close();
  }

  /** Closes all. */
  stop(): void {
    for (const target of [...this.kept.values()]) this.drop(target);
  }
}
