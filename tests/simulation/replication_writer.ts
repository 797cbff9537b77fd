/**
 * A writer: sends commands to whoever is the master, and counts what replicas have confirmed.
 *
 * Besides all kinds of commands it has two sorts of keys that only it writes. A *counter* only ever grows: so whoever has had a value of
 * it and has a smaller one later has lost something. A *pair* are two keys that are only written together in a transaction: whoever has
 * different ones has half of it.
 *
 * @module
 */
import { type PlainValue, plainValue, type Reply } from "../../src/protocol/reply.ts";
import type { RandomSource } from "../fuzz/random_source.ts";
import type { NetworkClient } from "./network_client.ts";
import { CommandSource, isExpectedError } from "./replication_commands.ts";
import { DATABASES, type ReplicationPlan } from "./replication_plan.ts";

/** Counters that a writer has. */
const COUNTERS = 2;
/** Requests of one client that wait for their replies. */
const UNANSWERED_AT_MOST = 30;
const COUNTER_CHANCE = 0.3;
const PAIR_CHANCE = 0.15;
const TRANSACTION_CHANCE = 0.15;
const SELECT_CHANCE = 0.05;

/** What a writer tells of. */
export interface WriterHost {
  /** So many replicas have confirmed that a counter has come to `value`. */
  confirmed(key: string, value: number, replicas: number): void;
  /** A reply that no server may give. */
  fail(message: string): void;
}

/** One writer; see the head of this file. */
export class ReplicationWriter {
  /** The connection that it has now. */
  client: NetworkClient | null = null;
  /** Replies that were no errors. */
  answered = 0;
  /** What replicas have confirmed. */
  confirmations = 0;
  readonly name: string;
  private readonly source: CommandSource;
  private pairs = 0;

  /** Writer number `number`. */
  constructor(
    number: number,
    private readonly plan: ReplicationPlan,
    private readonly random: RandomSource,
    private readonly host: WriterHost,
  ) {
    this.name = `w${number}`;
    this.source = new CommandSource(this.name, random, {
      chance: plan.bigChance,
      bytes: plan.bigBytes,
    });
  }

  /** The names of its counters. */
  get counters(): string[] {
    return Array.from({ length: COUNTERS }, (_, index) => `${this.name}:counter:${index}`);
  }

  /** The names of the two keys that are always written together. */
  get pair(): readonly [string, string] {
    return [`${this.name}:pair:left`, `${this.name}:pair:right`];
  }

  /** Sends something, if not too much waits already. */
  send(client: NetworkClient): void {
    const { plan, random } = this;
    if (client.unanswered > UNANSWERED_AT_MOST) return;
    if (random.chance(SELECT_CHANCE)) this.ask(client, ["SELECT", random.below(DATABASES)]);
    for (let sent = random.between(1, plan.burst); sent > 0; sent--) {
      if (random.chance(COUNTER_CHANCE)) this.count(client);
      else if (random.chance(PAIR_CHANCE)) this.sendPair(client);
      else if (random.chance(TRANSACTION_CHANCE)) this.sendTransaction(client);
      else this.askAnything(client);
    }
    if (random.chance(plan.waitChance)) {
      this.count(client);
      this.wait(client);
    }
  }

  private lastCount: { key: string; value: number } | null = null;

  /** Has a counter grow, in the first database. */
  private count(client: NetworkClient): void {
    const key = this.random.pick(this.counters);
    this.ask(client, ["SELECT", 0]);
    this.lastCount = null;
    this.ask(client, ["INCR", key], (value) => this.lastCount = { key, value: Number(value) });
  }

  /** Waits for replicas to have what was sent. */
  private wait(client: NetworkClient): void {
    const ms = this.random.pick([5, 100, 1000]);
    this.ask(client, ["WAIT", 1, ms], (count) => {
      const { lastCount } = this;
      if (lastCount === null || Number(count) < 1) return;
      this.confirmations++;
      this.host.confirmed(lastCount.key, lastCount.value, Number(count));
    }, () => this.lastCount = null);
  }

  private sendPair(client: NetworkClient): void {
    const value = `${this.name}-${++this.pairs}`;
    this.ask(client, ["SELECT", 0]);
    this.ask(client, ["MULTI"]);
    this.ask(client, ["SET", this.pair[0], value]);
    if (this.random.chance(0.5)) this.askAnything(client);
    this.ask(client, ["SELECT", 0]);
    this.ask(client, ["SET", this.pair[1], value]);
    this.ask(client, ["EXEC"]);
  }

  private sendTransaction(client: NetworkClient): void {
    this.ask(client, ["MULTI"]);
    for (let left = this.random.between(1, 4); left > 0; left--) {
      this.askAnything(client);
    }
    this.ask(client, [this.random.chance(0.9) ? "EXEC" : "DISCARD"]);
  }

  private askAnything(client: NetworkClient): void {
    for (const words of this.source.next()) this.ask(client, words);
  }

  /** Sends one command; `answered` gets a reply that is no error. */
  private ask(
    client: NetworkClient,
    words: readonly (string | number)[],
    answered: (value: PlainValue) => void = () => {},
    failed: () => void = () => {},
  ): void {
    client.send(words, (reply) => {
      if (reply === undefined) return failed();
      const errors = errorsIn(reply);
      const wrong = errors.find((text) => !isExpectedError(text));
      if (wrong !== undefined) {
        this.host.fail(`${this.name} got "${wrong}" for ${words.join(" ").slice(0, 100)}`);
      }
      if (errors.length > 0) return failed();
      this.answered++;
      answered(plainValue(reply));
    });
  }
}

/** The texts of errors in a reply. */
function errorsIn(reply: Reply): string[] {
  if (reply.kind === "error") return [reply.text()];
  if (reply.kind !== "array") return [];
  return reply.items.flatMap(errorsIn);
}
