/**
 * Clients that wait for keys: BLPOP, BZPOPMIN, XREAD BLOCK and their like.
 *
 * Each key that somebody waits for has a queue of those who do, in the order in which they came. A queue is told of each
 * change of its key, whatever made it (a push, RENAME, RESTORE, SWAPDB, a key that expired...), and puts itself at the
 * end of the *ready* ones. After the command that is running, or after EXEC as a whole, the ready keys are
 * served one after the other: whoever waits for a key tries again, oldest first. What is served may change other keys,
 * which become ready in turn (a chain of BLMOVEs), until nothing is ready any more.
 *
 * **A client that tries again** is not in its turn: its session's buffer may have moved and its reply goes elsewhere. So
 * the arguments are copied when it begins to wait, and lent to the context for the attempt.
 *
 * **Cost.** While nobody waits, one comparison a command, and none where keys change that isn't there anyway. A client that
 * waits takes some 500 bytes and as much for each key; it comes and goes in constant time a key. A key that changes
 * costs its look-up (`keyspace/observed_keys.ts`), and nothing more if nobody waits for it.
 *
 * **Invariants.** A waiter is in the queues of all of its keys, and its session is blocked, or in none; a queue is observed
 * while it has waiters. A queue is among the ready ones at most once.
 *
 * @module
 */
import type { KeyWait, Wait } from "../commands/wait.ts";
import { entryType } from "../keyspace/entry_facts.ts";
import { TYPE_NAMES } from "../keyspace/types.ts";
import { storedEntry } from "../keyspace/flushing.ts";
import { findHashed } from "../keyspace/keyspace.ts";
import type { KeyObserver, Observation, ObservedKey } from "../keyspace/observed_keys.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { RequestCopies, type RequestCopy } from "./request_copy.ts";
import type { Server } from "./server.ts";
import type { ServerContext } from "./server_context.ts";
import type { Session } from "./session.ts";

/** A client that waits for keys, and what its command said. */
export class KeyWaiter implements Wait {
  /** Who it is. */
  readonly session: Session;
  /** The command's arguments. */
  readonly request: RequestCopy;
  /** Where it stands. */
  readonly queues: KeyQueue[] = [];

  /** Has the command wait that runs in `context`. */
  constructor(
    private readonly keys: BlockedKeys,
    context: ServerContext,
    readonly wait: KeyWait,
  ) {
    this.session = context.client;
    this.request = keys.copies.take(context);
  }

  /** The timeout, or CLIENT UNBLOCK. */
  timeOut(reply: ReplyWriter): void {
    this.wait.timeOut(reply);
  }

  /** It waits no longer. */
  ended(): void {
    this.keys.countTypes(this.wait.types, -1);
    for (const queue of this.queues) queue.leave(this);
    this.keys.copies.give(this.request);
  }
}

/** Those who wait for one key. */
export class KeyQueue implements KeyObserver {
  /** The waiters, oldest first, each with the argument that is this key. */
  readonly waiters = new Map<KeyWaiter, number>();
  /** That it observes the key; null once nobody waits for that. */
  observation: Observation | null = null;
  /** How many of them want to know when it is gone. */
  mourners = 0;
  /** It is among the ready ones. */
  isReady = false;

  /** A queue of `keys`. */
  constructor(private readonly keys: BlockedKeys) {}

  /** The key has changed: if that may be what somebody waits for, it is served when the running command is done. */
  keyChanged(): void {
    // A transaction may go on to make something else of it, and its turn is that of the change that counts.
    if (!this.isReady && this.keys.mayServe(this)) this.becomeReady();
  }

  /** The same for what hangs on the key. */
  keyNoted(): void {
    if (!this.isReady) this.becomeReady();
  }

  /** Puts it at the end of the ready ones. */
  private becomeReady(): void {
    this.isReady = true;
    this.keys.ready.push(this);
  }

  /** A waiter comes, to whose command the key is argument `index`; a key may be named twice. */
  join(waiter: KeyWaiter, index: number): void {
    if (this.waiters.has(waiter)) return;
    this.waiters.set(waiter, index);
    if (waiter.wait.whenGone) this.mourners++;
    waiter.queues.push(this);
  }

  /** A waiter goes. */
  leave(waiter: KeyWaiter): void {
    this.waiters.delete(waiter);
    if (waiter.wait.whenGone) this.mourners--;
    if (this.waiters.size > 0) return;
    this.keys.drop(this.observation!);
    this.observation = null;
  }
}

/** What serving needs of the server. */
export interface AttemptHost {
  /** Lets a client that waits try again, since key `index` has changed; whether it has got its reply. */
  attempt(waiter: KeyWaiter, index: number): boolean;
}

/** All clients of a server that wait for keys; see the head of this file. */
export class BlockedKeys {
  /** The queues of keys that have changed, in the order in which they did. */
  readonly ready: KeyQueue[] = [];
  /** Copies of arguments. */
  readonly copies: RequestCopies = new RequestCopies();
  private readonly queues = new Map<ObservedKey, KeyQueue>();
  /** How many clients can do something with values of each type. */
  private readonly awaited = new Int32Array(TYPE_NAMES.length);

  /** Watches the keys of `server`. */
  constructor(private readonly server: Server) {}

  /** Has the client whose command runs in `context` wait. */
  wait(context: ServerContext, wait: KeyWait): void {
    const waiter = new KeyWaiter(this, context, wait);
    const { firstKey, keyCount, keyStep = 1 } = wait;
    this.countTypes(wait.types, 1);
    for (let key = 0; key < keyCount; key++) {
      this.enqueue(context, waiter, firstKey + key * keyStep);
    }
    context.waitFor(waiter, wait.timeoutMs);
  }

  /** A client that can do something with `types` begins to wait (1), or waits no longer (-1). */
  countTypes(types: number, change: 1 | -1): void {
    for (let type = 0; type < TYPE_NAMES.length; type++) {
      if ((types & (1 << type)) !== 0) this.awaited[type] += change;
    }
  }

  /**
   * Whether a queue is to be served for what its key is now. As in Redis, that any client waits for the type is enough: the
   * order in which keys become ready can be seen. A key whose time has come counts, too: it goes when the queue is served, and not within
   * the command that has changed it, of which its end isn't a part.
   */
  mayServe({ observation, mourners }: KeyQueue): boolean {
    const type = this.storedType(observation);
    return type < 0 ? mourners > 0 : this.awaited[type] > 0 || mourners > 0;
  }

  /** Nobody waits in the queue of the observed key any more. */
  drop(observation: Observation): void {
    this.queues.delete(observation.key);
    this.server.keyspace.observed.ignore(observation);
  }

  /** Serves all ready keys; to be called between two commands while there are any. */
  serve(host: AttemptHost): void {
    const { ready } = this;
    for (let index = 0; index < ready.length; index++) {
      const queue = ready[index];
      queue.isReady = false;
      this.serveQueue(host, queue);
    }
    ready.length = 0;
  }

  /** Lets those who wait for a key try again. */
  private serveQueue(host: AttemptHost, queue: KeyQueue): void {
    let type = this.typeOf(queue.observation);
    for (const [waiter, index] of queue.waiters) {
      if (type < 0 && queue.mourners === 0) return;
      const { types, whenGone } = waiter.wait;
      const wanted = type >= 0 && (types & (1 << type)) !== 0;
      if ((wanted || whenGone) && host.attempt(waiter, index)) {
        type = this.typeOf(queue.observation);
      }
    }
  }

  /** The type of the value of a key, whether its time has come or not; -1 if there is none. */
  private storedType(observation: Observation | null): number {
    if (observation === null) return -1;
    const { key } = observation;
    const { keyspace } = this.server;
    const entry = storedEntry(keyspace.databases[key.database], key);
    return entry === 0 ? -1 : entryType(keyspace, entry);
  }

  /** The type of the value of a key, or -1 if there is none. */
  private typeOf(observation: Observation | null): number {
    if (observation === null) return -1;
    const { keyspace } = this.server;
    const { database, hash, view, length } = observation.key;
    const entry = findHashed(keyspace.databases[database], hash, view, 0, length);
    return entry === 0 ? -1 : entryType(keyspace, entry);
  }

  /** Puts a waiter in the queue of the key in argument `index`. */
  private enqueue(context: ServerContext, waiter: KeyWaiter, index: number): void {
    const { observed } = this.server.keyspace;
    const { view, starts, lengths, database: { number } } = context;
    const known = observed.find(number, view, starts[index], lengths[index]);
    let queue = known === null ? undefined : this.queues.get(known);
    if (queue === undefined) {
      queue = new KeyQueue(this);
      const observation = observed.observe(number, view, starts[index], lengths[index], queue, 0)!;
      queue.observation = observation;
      this.queues.set(observation.key, queue);
    }
    queue.join(waiter, index);
  }
}
