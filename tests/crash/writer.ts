/**
 * One writer: its keys, its connection, and the notes of what it sent and when it was told so.
 *
 * @module
 */

import { type Client, ConnectionClosedError } from "../../src/client/mod.ts";
import type { RandomSource } from "../fuzz/random_source.ts";
import type { KeyStates } from "./key_state.ts";
import { makeCommands } from "./commands.ts";
import { answersOf, describeOperation, errorsIn, framed, type Operation } from "./operation.ts";
import { sleep } from "./waiting.ts";

/** How a writer sends. */
export interface Pace {
  /** At most so many operations are sent in one go; 1 waits for each reply. */
  readonly burst: number;
  /** How long it rests after each burst. */
  readonly restMs: number;
}

/** How a writer has the server say that replicas have what it wrote. */
export interface Waiting {
  /** How many of them are asked for. */
  readonly replicas: number;
  /** How long the server may wait for them. */
  readonly limitMs: number;
}

/** A writer, which lives as long as the server's folder; each round has its own connection. */
export class Writer {
  /** Its number, which is in its keys' names. */
  readonly number: number;
  /** The database that its keys are in. */
  readonly database: number;
  /** What the server showed when the operations began. */
  base: KeyStates = new Map();
  /** What was sent since then, in order. */
  operations: Operation[] = [];
  /** How many of these are acknowledged; since replies come in order, they are the first ones. */
  acknowledged = 0;
  /** How many of these so many replicas have as were asked for; those before the last one are among them. */
  confirmed = 0;
  /** What a server said that it must not say, if it did. */
  fault: string | undefined;

  readonly #waiting: Waiting | undefined;
  #lastNumber = 0;
  #isStopped = false;

  /** Makes a writer that has sent nothing; with `waiting`, it sends WAIT behind each operation. */
  constructor(number: number, database: number, waiting?: Waiting) {
    this.number = number;
    this.database = database;
    this.#waiting = waiting;
  }

  /** Sends until it is stopped or the connection ends; returns when the last reply is noted. */
  async load(client: Client, random: RandomSource, pace: Pace): Promise<void> {
    const pending: Promise<void>[] = [];
    this.#isStopped = false;
    while (client.isOpen && !this.#isStopped && this.fault === undefined) {
      const count = pace.burst === 1 ? 1 : random.between(1, pace.burst);
      for (let sent = 0; sent < count; sent++) pending.push(this.#send(client, random));
      // A burst is on its way while the replies of the one before arrive.
      while (pending.length > (pace.burst === 1 ? 0 : count)) await pending.shift();
      if (pace.restMs > 0) await sleep(pace.restMs);
    }
    await Promise.all(pending);
  }

  /** Sends nothing more in this round. */
  stop(): void {
    this.#isStopped = true;
  }

  /** How many of the operations were acknowledged before this moment. */
  acknowledgedBefore(momentMs: number): number {
    let count = this.acknowledged;
    while (count > 0 && this.operations[count - 1].acknowledgedMs! >= momentMs) count--;
    return count;
  }

  /** Goes on from what the server shows; what is lost stays lost, its numbers are not used again. */
  restFrom(states: KeyStates): void {
    this.base = states;
    this.operations = [];
    this.acknowledged = 0;
    this.confirmed = 0;
  }

  async #send(client: Client, random: RandomSource): Promise<void> {
    const number = ++this.#lastNumber;
    const commands = makeCommands(this.number, number, random);
    const operation: Operation = {
      number,
      commands,
      sentMs: Date.now(),
      acknowledgedMs: undefined,
      answers: undefined,
    };
    this.operations.push(operation);
    try {
      const replies = await client.pipeline([...framed(commands), ...this.#waits()]);
      const [error] = errorsIn(replies);
      if (error !== undefined) {
        this.fault ??= `${describeOperation(operation)} was answered with ${error}`;
        return;
      }
      const waited = this.#waiting === undefined ? undefined : replies.pop();
      operation.answers = answersOf(commands, replies);
      operation.acknowledgedMs = Date.now();
      this.acknowledged++;
      if (waited?.kind === "integer" && Number(waited.value) >= this.#waiting!.replicas) {
        this.confirmed = this.acknowledged;
      }
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) throw error;
    }
  }

  #waits(): readonly (readonly string[])[] {
    if (this.#waiting === undefined) return [];
    const { replicas, limitMs } = this.#waiting;
    return [["WAIT", String(replicas), String(limitMs)]];
  }
}
