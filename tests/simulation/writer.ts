/**
 * One writer of a simulation: its keys, what it has sent, and how much of that is known to have happened.
 *
 * What it sends and what that does is the load of the crash tests (tests/crash/commands.ts and effects.ts).
 *
 * @module
 */
import type { Reply } from "../../src/protocol/reply.ts";
import { type Commands, makeCommands } from "../crash/commands.ts";
import { touchedKeys } from "../crash/effects.ts";
import type { KeyStates } from "../crash/key_state.ts";
import {
  answersOf,
  describeOperation,
  errorsIn,
  framed,
  type Operation,
} from "../crash/operation.ts";
import type { RandomSource } from "../fuzz/random_source.ts";
import type { SimulatedClient } from "./simulated_client.ts";
import { SimulationFault } from "./simulation_fault.ts";

/** How often a writer that has a database for itself flushes it. */
const FLUSH_CHANCE = 0.02;

/** A writer, which lives as long as its disk. */
export class Writer {
  /** What the last server that was looked at had. */
  base: KeyStates = new Map();
  /** What was sent since, in order. */
  operations: Operation[] = [];
  /** How many of them, the first ones, have been answered. */
  acknowledged = 0;
  /** How many of them somebody has seen happen: by a reply, by reading, by a message. */
  witnessed = 0;
  /** The same, of what was seen in this turn. */
  witnessedNow = 0;
  /** Changes that were refused. */
  refused = 0;
  /** Called with a refusal; whether that was to be expected. */
  mayRefuse: (text: string) => boolean = () => false;
  private lastNumber = 0;
  /** All keys that it has ever had. */
  private readonly names = new Set<string>();

  /** `flushes`: whether it has its database for itself, and flushes it at times. */
  constructor(readonly number: number, readonly database: number, readonly flushes: boolean) {}

  /** Sends an operation. */
  send(client: SimulatedClient, random: RandomSource, now: () => number): void {
    const number = ++this.lastNumber;
    const flushes = this.flushes && random.chance(FLUSH_CHANCE);
    // To the model, a flush is a DEL of each key.
    const commands = flushes
      ? [...this.names].map((name) => ["DEL", name])
      : makeCommands(this.number, number, random);
    const operation = this.note(number, commands, now());
    client.sendTogether(
      flushes ? [random.chance(0.5) ? ["FLUSHDB"] : ["FLUSHDB", "ASYNC"]] : framed(commands),
      (replies) => this.answered(operation, replies, flushes, now()),
    );
  }

  /** Takes down an operation that is sent, or that somebody else has put on the disk for this writer. */
  note(number: number, commands: Commands, sentMs: number): Operation {
    this.lastNumber = number;
    const operation: Operation = {
      number,
      commands,
      sentMs,
      acknowledgedMs: undefined,
      answers: undefined,
    };
    for (const key of touchedKeys(operation)) this.names.add(key);
    this.operations.push(operation);
    return operation;
  }

  /** Somebody has seen what operation `number` wrote. */
  witness(number: number): void {
    // What was there when the server was last looked at proves nothing.
    this.sawFirst(this.operations.findLastIndex((one) => one.number === number) + 1);
  }

  /** Somebody has seen the n-th push to the ledger since the server was last looked at. */
  witnessPush(count: number): void {
    let left = count;
    const isPush = ({ commands }: Operation) =>
      commands.some(([name, key]) => name === "RPUSH" && key.endsWith(":ledger"));
    const index = this.operations.findIndex((one) => isPush(one) && --left === 0);
    if (index < 0) {
      throw new SimulationFault(`writer ${this.number} hasn't pushed ${count} times to its ledger`);
    }
    this.sawFirst(index + 1);
  }

  /** Goes on from what a server has shown; what is lost stays lost, its numbers are not used again. */
  restFrom(states: KeyStates): void {
    this.base = states;
    this.operations = [];
    this.acknowledged = 0;
    this.witnessed = 0;
    this.witnessedNow = 0;
  }

  private sawFirst(count: number): void {
    this.witnessedNow = Math.max(this.witnessedNow, count);
    this.witnessed = Math.max(this.witnessed, count);
  }

  private answered(
    operation: Operation,
    replies: readonly Reply[],
    flushed: boolean,
    now: number,
  ): void {
    // That of a command, or of EXEC, which comes last.
    const error = errorsIn(replies).at(-1);
    if (error !== undefined) {
      if (!this.mayRefuse(error)) {
        throw new SimulationFault(
          `${describeOperation(operation)} of writer ${this.number} was answered with ${error}`,
        );
      }
      this.refused++;
      this.operations.splice(this.acknowledged, 1);
      return;
    }
    if (!flushed) operation.answers = answersOf(operation.commands, replies);
    operation.acknowledgedMs = now;
    this.sawFirst(++this.acknowledged);
  }
}
