/**
 * A client that writes and reads what it has just written, again and again.
 *
 * @module
 */

import { type Client, plainValue, type Reply } from "../../../src/client/mod.ts";
import type { RandomSource } from "../../fuzz/random_source.ts";
import { sleep } from "../waiting.ts";

/** How a client sends its pairs. */
export interface PairStyle {
  /** How many clients do so. */
  readonly clients: number;
  /** How many pairs go out in one write. */
  readonly pairs: number;
  /** How long it waits with the read when the write has been answered; undefined if the read is sent right behind the write. */
  readonly restMs: number | undefined;
}

/** Counts, for all clients together. */
export class PairTally {
  /** Writes whose reads were answered. */
  pairs = 0;
  /** Reads that showed something older than what the client had written before. */
  stale = 0;
  /** Replies that were errors, and connections that ended. */
  errors = 0;
  /** Some of what was wrong, in words. */
  readonly examples: string[] = [];

  /** A read showed something else than it should. */
  noteStale(key: string, shown: unknown, expected: string): void {
    this.stale++;
    this.#tell(`${key} is ${shown}, not ${expected}`);
  }

  /** Something failed. */
  noteError(text: string): void {
    this.errors++;
    this.#tell(text);
  }

  #tell(example: string): void {
    if (this.examples.length < MOST_EXAMPLES) this.examples.push(example);
  }
}

const MOST_EXAMPLES = 10;
const KEYS = 50;
const SCRIPT = "return redis.call('set', KEYS[1], ARGV[1])";

/** A write and the read behind it. */
interface Pair {
  readonly key: string;
  readonly value: string;
  readonly writes: readonly (readonly string[])[];
}

/** One client, with one connection. */
export class PairClient {
  /** How many of its pairs are done. */
  pairs = 0;
  readonly #values = new Map<string, string>();
  #number = 0;

  /** Takes a connection of its own; its number, by which it has keys of its own; and whether the nodes know EVAL. */
  constructor(
    private readonly client: Client,
    private readonly number: number,
    private readonly style: PairStyle,
    private readonly random: RandomSource,
    private readonly tally: PairTally,
    private readonly usesScripts: boolean,
  ) {}

  /** Sends pairs until somebody says that it is over. */
  async run(isOver: () => boolean): Promise<void> {
    try {
      while (!isOver()) await (this.style.restMs === undefined ? this.#atOnce() : this.#oneByOne());
    } catch (error) {
      this.tally.noteError(String(error));
    } finally {
      this.client.close();
    }
  }

  /** Pairs of which no read waits for its write. */
  async #atOnce(): Promise<void> {
    const pairs = Array.from({ length: this.style.pairs }, () => this.#makePair());
    const commands = pairs.flatMap(({ key, writes }) => [...writes, ["GET", key]]);
    const replies = await this.client.pipeline(commands);
    let at = 0;
    for (const { key, value, writes } of pairs) {
      this.#requireDone(replies.slice(at, at += writes.length));
      this.#requireShown(key, replies[at++], value);
      this.#done(1);
    }
  }

  /** Writes, then reads, then reads something that was written before. */
  async #oneByOne(): Promise<void> {
    const pairs = Array.from({ length: this.style.pairs }, () => this.#makePair());
    this.#requireDone(await this.client.pipeline(pairs.flatMap(({ writes }) => writes)));
    for (const { key, value } of pairs) this.#values.set(key, value);
    if (this.style.restMs! > 0) await sleep(this.random.below(this.style.restMs! + 1));
    const older = this.random.pick([...this.#values.keys()]);
    const keys = [...pairs.map(({ key }) => key), older];
    const replies = await this.client.pipeline(keys.map((key) => ["GET", key]));
    for (const [at, key] of keys.entries()) {
      this.#requireShown(key, replies[at], this.#values.get(key)!);
    }
    this.#done(pairs.length);
  }

  #done(pairs: number): void {
    this.pairs += pairs;
    this.tally.pairs += pairs;
  }

  #makePair(): Pair {
    const key = `pair:${this.number}:${this.random.below(KEYS)}`;
    const value = String(++this.#number);
    const draw = this.random.below(100);
    if (draw < 4) return { key, value, writes: [["MULTI"], ["SET", key, value], ["EXEC"]] };
    if (draw < 8 && this.usesScripts) {
      return { key, value, writes: [["EVAL", SCRIPT, "1", key, value]] };
    }
    return { key, value, writes: [["SET", key, value]] };
  }

  #requireDone(replies: readonly Reply[]): void {
    for (const reply of replies) if (reply.kind === "error") this.tally.noteError(reply.text());
  }

  #requireShown(key: string, reply: Reply, expected: string): void {
    if (reply.kind === "error") return this.tally.noteError(reply.text());
    const shown = plainValue(reply);
    if (shown !== expected) this.tally.noteStale(key, shown, expected);
  }
}
