/**
 * A client that reads and writes through a monitor, as an application does with ioredis, and keeps a
 * record of what it was told.
 *
 * Each has its own keys, so that it knows what they must show: a set, a list and a pair of lists
 * with the numbers of its writes, a counter, and a string with the last number. Sets and lists begin
 * anew with each page, so that they stay small; the last two pages are there to be looked at.
 *
 * @module
 */

import { Redis } from "../../support/packages/ioredis.ts";
import type { RandomSource } from "../../fuzz/random_source.ts";
import { sleep } from "../waiting.ts";
import { type Finding, WriteRecord } from "./record.ts";
import { outcomeOf, type Watch } from "./watch.ts";

/** How a client sends. */
export interface LoadStyle {
  /** Which share of its commands are writes. */
  readonly writes: number;
  /** Whether ioredis sends the commands of one turn as one pipeline. */
  readonly autoPipelining: boolean;
  /** How many commands it has under way at a time. */
  readonly strands: number;
  /** How long each of them rests behind a command, at most. */
  readonly restMs: number;
}

/** Something that a server has to show. */
export interface Expectation {
  /** The command that shows it. */
  readonly command: readonly string[];
  /** Holds its reply against what was written. */
  readonly check: (reply: unknown) => Finding;
}

/** The keys that begin anew with each page. */
class Page {
  readonly members: WriteRecord;
  readonly ledger: WriteRecord;
  readonly pairs: WriteRecord;

  constructor(readonly prefix: string) {
    this.members = new WriteRecord(`${prefix}:members`);
    this.ledger = new WriteRecord(`${prefix}:ledger`);
    this.pairs = new WriteRecord(`${prefix}:left`);
  }

  get keys(): string[] {
    return ["members", "ledger", "left", "right"].map((name) => `${this.prefix}:${name}`);
  }

  get expectations(): Expectation[] {
    const [members, ledger, pairs] = [this.members.done, this.ledger.done, this.pairs.done];
    const [membersKey, ledgerKey, leftKey, rightKey] = this.keys;
    let left: readonly number[] = [];
    return [
      {
        command: ["SMEMBERS", membersKey],
        check: (reply) => this.members.check(numbersIn(reply), members, false),
      },
      {
        command: ["LRANGE", ledgerKey, "0", "-1"],
        check: (reply) => this.ledger.check(numbersIn(reply), ledger, true),
      },
      {
        command: ["LRANGE", leftKey, "0", "-1"],
        check: (reply) => this.pairs.check(left = numbersIn(reply), pairs, true),
      },
      {
        command: ["LRANGE", rightKey, "0", "-1"],
        check: (reply) => {
          const isSame = numbersIn(reply).join() === left.join();
          return { lost: 0, fault: isSame ? undefined : `half a transaction: ${rightKey}` };
        },
      },
    ];
  }
}

/** One client, with one connection. */
export class LoadClient {
  readonly #redis: Redis;
  readonly #style: LoadStyle;
  readonly #random: RandomSource;
  readonly #watch: Watch;
  readonly #prefix: string;
  readonly #counter: WriteRecord;
  readonly #last: WriteRecord;
  #pages: Page[];
  #pageNumber = 0;
  #number = 0;
  #lastDone = 0;
  #counterDone = 0;
  #latestWriteMs = 0;
  #isStopped = false;
  #ended: Promise<unknown> = Promise.resolve();

  /** Connects to a monitor. */
  constructor(
    port: number,
    number: number,
    style: LoadStyle,
    random: RandomSource,
    watch: Watch,
  ) {
    this.#style = style;
    this.#random = random;
    this.#watch = watch;
    this.#prefix = `client${number}`;
    this.#counter = new WriteRecord(`${this.#prefix}:counter`);
    this.#last = new WriteRecord(`${this.#prefix}:last`);
    this.#pages = [new Page(`${this.#prefix}:0`)];
    this.#redis = new Redis({
      host: "127.0.0.1",
      port,
      enableAutoPipelining: style.autoPipelining,
      // What was under way when a connection ended fails, and shows.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 50,
    });
    this.#redis.on("error", () => {}); // its command fails as well
    this.#redis.on("close", () => {
      if (!this.#isStopped) watch.dropped++;
    });
  }

  /** Whether it has had a write acknowledged that it sent at this time or later, if it writes at all. */
  hasWrittenSince(ms: number): boolean {
    return this.#style.writes === 0 || this.#latestWriteMs >= ms;
  }

  /** Begins to send. */
  begin(): void {
    this.#isStopped = false;
    this.#ended = Promise.all(Array.from({ length: this.#style.strands }, () => this.#strand()));
  }

  /** Sends nothing more, and waits for all answers. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#ended;
  }

  /** Ends the connection; it has been stopped. */
  close(): void {
    this.#isStopped = true;
    this.#redis.disconnect();
  }

  /** Goes on with new keys; those of the page before the last one are deleted. */
  turnPage(): void {
    this.#pages.push(new Page(`${this.#prefix}:${++this.#pageNumber}`));
    if (this.#pages.length <= 2) return;
    const old = this.#pages.shift()!;
    // Whether it was deleted doesn't matter: nobody looks there any more.
    this.#redis.del(...old.keys).catch(() => {});
  }

  /** What the master has to show of all that was acknowledged until now. */
  get expectations(): Expectation[] {
    const [counter, last] = [this.#counter.doneCount, this.#last.done];
    return [
      ...this.#pages.flatMap((page) => page.expectations),
      {
        command: ["GET", this.#counter.key],
        check: (reply) => this.#counter.checkCount(Number(reply ?? 0), counter),
      },
      {
        command: ["GET", this.#last.key],
        check: (reply) => this.#last.checkLast(Number(reply ?? 0), last),
      },
    ];
  }

  get #page(): Page {
    return this.#pages.at(-1)!;
  }

  async #strand(): Promise<void> {
    const { restMs, writes } = this.#style;
    while (!this.#isStopped) {
      await (this.#random.chance(writes) ? this.#write() : this.#read());
      if (restMs > 0) await sleep(this.#random.below(restMs + 1));
    }
  }

  #write(): Promise<void> {
    const { members, ledger, pairs, keys: [membersKey, ledgerKey, left, right] } = this.#page;
    const kind = this.#random.below(20);
    if (kind < 5) {
      return this.#sent("sadd", members, (number) => this.#redis.sadd(membersKey, number));
    }
    if (kind < 10) {
      return this.#sent("rpush", ledger, (number) => this.#redis.rpush(ledgerKey, number));
    }
    if (kind < 14) return this.#sentCount();
    if (kind < 19) return this.#sentLast();
    return this.#sent(
      "exec",
      pairs,
      (number) => this.#redis.multi().rpush(left, number).rpush(right, number).exec(),
    );
  }

  /** Sends one write, and notes what came of it; gives the reply, or undefined for an error. */
  async #sent(
    command: string,
    record: WriteRecord,
    send: (number: number) => Promise<unknown>,
    done: (number: number, reply: unknown) => void = () => {},
  ): Promise<void> {
    const number = ++this.#number;
    record.begin(number);
    const sentMs = performance.now();
    try {
      const reply = await send(number);
      record.settle(number, "done");
      this.#latestWriteMs = Math.max(this.#latestWriteMs, sentMs);
      this.#watch.writeDone();
      done(number, reply);
    } catch (error) {
      const text = (error as Error).message;
      record.settle(number, outcomeOf(text));
      this.#watch.failedWrites.push({ command, text, sentMs, answeredMs: performance.now() });
    }
  }

  #sentLast(): Promise<void> {
    const { key } = this.#last;
    const send = (number: number) => this.#redis.set(key, number);
    return this.#sent("set", this.#last, send, (number) => {
      this.#lastDone = Math.max(this.#lastDone, number);
    });
  }

  #sentCount(): Promise<void> {
    const { key } = this.#counter;
    return this.#sent("incr", this.#counter, () => this.#redis.incr(key), (_, reply) => {
      const count = Number(reply);
      if (count <= this.#counterDone) {
        this.#watch.wrongAnswers.push(`${key} was ${this.#counterDone}, and counted to ${count}`);
      }
      this.#counterDone = Math.max(this.#counterDone, count);
    });
  }

  /** Reads something, and looks whether it is at least as new as what this client was told last. */
  #read(): Promise<void> {
    const [membersKey, ledgerKey] = this.#page.keys;
    const kind = this.#random.below(4);
    if (kind === 0) return this.#seen("get", this.#last.key, this.#lastDone);
    if (kind === 1) return this.#seen("get", this.#counter.key, this.#counterDone);
    if (kind === 2) return this.#seen("llen", ledgerKey, this.#page.ledger.doneCount);
    return this.#seen("scard", membersKey, this.#page.members.doneCount);
  }

  async #seen(command: "get" | "llen" | "scard", key: string, atLeast: number): Promise<void> {
    const sentMs = performance.now();
    try {
      const reply = Number(await this.#redis[command](key) ?? 0);
      this.#watch.readDone();
      if (reply >= atLeast) return;
      this.#watch.wrongAnswers.push(`${command} ${key} is ${reply}, and has been ${atLeast}`);
    } catch (error) {
      const text = (error as Error).message;
      this.#watch.failedReads.push({ command, text, sentMs, answeredMs: performance.now() });
    }
  }
}

function numbersIn(reply: unknown): number[] {
  return (reply as unknown[]).map(Number);
}
