/**
 * Fills a server with exactly the keys or elements asked for, and deletes them again. `redis-benchmark`
 * draws them at random, so it can neither make a known number of them nor leave a known rest.
 *
 * Each connection keeps one pre-built pipeline and only overwrites the twelve digits of each number
 * in it before it is sent, so that generating the load costs little beside serving it.
 *
 * @module
 */

import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { WireConnection } from "./wire.ts";

const NUMBER_DIGITS = 12;
const VALUE_BYTES = 64;

/** How a load is spread: over how many connections, and how many commands in flight on each. */
export interface LoadShape {
  /** Connections at a time. */
  readonly connections: number;
  /** Commands in flight on each of them. */
  readonly pipeline: number;
}

/** Stands in a command for a number of twelve digits that differs from turn to turn. */
export const NUMBER = "0".repeat(NUMBER_DIGITS);

const KEY = `key:${NUMBER}`;

/** A command that is sent many times, each time with other numbers in the places of {@linkcode NUMBER}. */
export interface LoadCommand {
  /** The command's words; {@linkcode NUMBER} may stand in any of them, any number of times. */
  readonly words: readonly string[];
  /** The number for a place (counted from 0) of the command at a turn (counted from 0). */
  numberAt(turn: number, place: number): number;
  /** How many lines its reply has; 1 unless it is said. */
  readonly replyLines?: number;
}

/** A pipeline of one command, with the digits of its numbers rewritten in place. */
class Pipeline {
  readonly #stride: number;
  /** Behind the last digit of each number in the first command. */
  readonly #numberEnds: readonly number[];
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(private readonly command: LoadCommand, commandCount: number) {
    const encoded = encodeRequest(command.words);
    const text = new TextDecoder().decode(encoded);
    this.#numberEnds = [...text.matchAll(new RegExp(NUMBER, "g"))]
      .map(({ index }) => index + NUMBER_DIGITS);
    this.#stride = encoded.length;
    this.#bytes = new Uint8Array(encoded.length * commandCount);
    for (let slot = 0; slot < commandCount; slot++) this.#bytes.set(encoded, slot * this.#stride);
  }

  setTurn(slot: number, turn: number): void {
    for (let place = 0; place < this.#numberEnds.length; place++) {
      let at = slot * this.#stride + this.#numberEnds[place];
      let rest = this.command.numberAt(turn, place);
      for (let digit = 0; digit < NUMBER_DIGITS; digit++) {
        const tenth = Math.floor(rest / 10);
        this.#bytes[--at] = 48 + rest - tenth * 10;
        rest = tenth;
      }
    }
  }

  firstCommands(count: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, count * this.#stride);
  }
}

/** Runs `command` `count` times, once for each turn. */
export async function drive(
  port: number,
  command: LoadCommand,
  count: number,
  shape: LoadShape,
): Promise<void> {
  let nextTurn = 0;
  const runConnection = async () => {
    const connection = await WireConnection.open(port);
    const pipeline = new Pipeline(command, shape.pipeline);
    try {
      while (nextTurn < count) {
        const first = nextTurn;
        const size = Math.min(shape.pipeline, count - first);
        nextTurn += size;
        for (let slot = 0; slot < size; slot++) pipeline.setTurn(slot, first + slot);
        const lines = size * (command.replyLines ?? 1);
        await connection.exchange(pipeline.firstCommands(size), lines);
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: shape.connections }, runConnection));
}

/**
 * Sets the `count` keys from `key:<firstKey>` on, twelve digits each (16 bytes, the same names
 * that `redis-benchmark -r` draws from), to values of 64 bytes, or as many as are said.
 */
export async function fill(
  port: number,
  firstKey: number,
  count: number,
  shape: LoadShape,
  valueBytes = VALUE_BYTES,
): Promise<void> {
  const words = ["SET", KEY, "x".repeat(valueBytes)];
  await drive(port, { words, numberAt: (turn) => firstKey + turn }, count, shape);
}

/** As {@linkcode fill}, for keys that expire at a unix time in milliseconds. */
export async function fillExpiring(
  port: number,
  firstKey: number,
  count: number,
  unixMs: number,
  shape: LoadShape,
): Promise<void> {
  const words = ["SET", KEY, "x".repeat(VALUE_BYTES), "PXAT", String(unixMs)];
  await drive(port, { words, numberAt: (turn) => firstKey + turn }, count, shape);
}

/**
 * Of `count` keys from number 0 on, deletes all but each tenth.
 *
 * @returns how many keys it deleted
 */
export async function deleteNineTenths(
  port: number,
  count: number,
  shape: LoadShape,
): Promise<number> {
  const deletions = Math.floor(count * 9 / 10);
  const numberAt = (turn: number) => turn + Math.floor(turn / 9) + 1;
  await drive(port, { words: ["DEL", KEY], numberAt }, deletions, shape);
  return deletions;
}
