/**
 * Fills a server with exactly the keys asked for, and deletes them again. `redis-benchmark` draws
 * its keys at random, so it can neither make a known number of keys nor leave a known rest.
 *
 * Each connection keeps one pre-built pipeline and only overwrites the twelve digits of each key
 * in it before it is sent, so that generating the load costs little beside serving it.
 *
 * @module
 */

import { encodeCommand, WireConnection } from "./wire.ts";

const KEY_PREFIX = "key:";
const KEY_DIGITS = 12;
const VALUE_BYTES = 64;
const ZERO_KEY = KEY_PREFIX + "0".repeat(KEY_DIGITS);

/** How a load is spread: over how many connections, and how many commands in flight on each. */
export interface LoadShape {
  /** Connections at a time. */
  readonly connections: number;
  /** Commands in flight on each of them. */
  readonly pipeline: number;
}

/** A pipeline of one command, with the digits of the n-th key rewritten in place. */
class Pipeline {
  readonly #stride: number;
  readonly #digitsEnd: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(words: readonly string[], commandCount: number) {
    const command = encodeCommand(...words);
    const keyStart = new TextDecoder().decode(command).indexOf(ZERO_KEY);
    this.#stride = command.length;
    this.#digitsEnd = keyStart + ZERO_KEY.length;
    this.#bytes = new Uint8Array(command.length * commandCount);
    for (let slot = 0; slot < commandCount; slot++) this.#bytes.set(command, slot * command.length);
  }

  setKey(slot: number, keyIndex: number): void {
    let at = slot * this.#stride + this.#digitsEnd;
    let rest = keyIndex;
    for (let digit = 0; digit < KEY_DIGITS; digit++) {
      const tenth = Math.floor(rest / 10);
      this.#bytes[--at] = 48 + rest - tenth * 10;
      rest = tenth;
    }
  }

  firstCommands(count: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, count * this.#stride);
  }
}

/**
 * Runs the command `words` (which holds {@linkcode ZERO_KEY} once) `count` times, with the key
 * that `keyOfTurn` names for each turn.
 */
async function drive(
  port: number,
  words: readonly string[],
  count: number,
  keyOfTurn: (turn: number) => number,
  shape: LoadShape,
): Promise<void> {
  let nextTurn = 0;
  const runConnection = async () => {
    const connection = await WireConnection.open(port);
    const pipeline = new Pipeline(words, shape.pipeline);
    try {
      while (nextTurn < count) {
        const first = nextTurn;
        const size = Math.min(shape.pipeline, count - first);
        nextTurn += size;
        for (let slot = 0; slot < size; slot++) pipeline.setKey(slot, keyOfTurn(first + slot));
        await connection.exchange(pipeline.firstCommands(size), size);
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: shape.connections }, runConnection));
}

/**
 * Sets the `count` keys from `key:<firstKey>` on, twelve digits each (16 bytes, the same names
 * that `redis-benchmark -r` draws from), to values of 64 bytes.
 */
export async function fill(
  port: number,
  firstKey: number,
  count: number,
  shape: LoadShape,
): Promise<void> {
  const words = ["SET", ZERO_KEY, "x".repeat(VALUE_BYTES)];
  await drive(port, words, count, (turn) => firstKey + turn, shape);
}

/** As {@linkcode fill}, for keys that expire at a unix time in milliseconds. */
export async function fillExpiring(
  port: number,
  firstKey: number,
  count: number,
  unixMs: number,
  shape: LoadShape,
): Promise<void> {
  const words = ["SET", ZERO_KEY, "x".repeat(VALUE_BYTES), "PXAT", String(unixMs)];
  await drive(port, words, count, (turn) => firstKey + turn, shape);
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
  const words = ["DEL", ZERO_KEY];
  await drive(port, words, deletions, (turn) => turn + Math.floor(turn / 9) + 1, shape);
  return deletions;
}
