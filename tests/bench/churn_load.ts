/**
 * A load that makes memory ragged: values of many sizes are set, grown, replaced by others and
 * deleted, at random but from a seed, so that each server gets the very same commands.
 *
 * @module
 */

import { WireConnection } from "./wire.ts";

const KEY_DIGITS = 9;
const VALUE_LIMIT = 2_000;
/** The longest command, with some room. */
const COMMAND_BYTES = VALUE_LIMIT + 128;
const CONNECTIONS = 8;
const PIPELINE = 100;

/** One phase of the load. */
export interface ChurnPhase {
  /** Its name in the tables. */
  readonly name: string;
  /** How many commands it has, in shares of the whole. */
  readonly share: number;
  /** Sizes go up to {@linkcode VALUE_LIMIT}; the higher the skew, the smaller most of them are. */
  readonly skew: number;
  /** Share of SET, and of DEL; the rest are APPEND and SETRANGE in equal parts. */
  readonly sets: number;
  /** Share of DEL. */
  readonly deletions: number;
}

/** What makes ten million commands of it: fill, other sizes, a mixture, smaller sizes. */
export const CHURN_PHASES: readonly ChurnPhase[] = [
  { name: "set", share: 0.2, skew: 6, sets: 1, deletions: 0 },
  { name: "set larger", share: 0.3, skew: 3, sets: 1, deletions: 0 },
  { name: "grow, set, delete", share: 0.3, skew: 5, sets: 0.5, deletions: 0.2 },
  { name: "set smaller", share: 0.2, skew: 8, sets: 1, deletions: 0 },
];

/** Pseudo-random numbers from 0 up to 1 (mulberry32). */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const encoder = new TextEncoder();
const SET = encoder.encode("*3\r\n$3\r\nSET\r\n");
const APPEND = encoder.encode("*3\r\n$6\r\nAPPEND\r\n");
const SETRANGE = encoder.encode("*4\r\n$8\r\nSETRANGE\r\n");
const DEL = encoder.encode("*2\r\n$3\r\nDEL\r\n");

/** A pipeline that is written command by command. */
class PipelineWriter {
  readonly #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(PIPELINE * COMMAND_BYTES);
  #length = 0;

  start(): void {
    this.#length = 0;
  }

  command(head: Uint8Array, key: number): void {
    this.#put(head);
    this.#text(`$${KEY_DIGITS}\r\n${String(key).padStart(KEY_DIGITS, "0")}\r\n`);
  }

  number(value: number): void {
    const text = String(value);
    this.#text(`$${text.length}\r\n${text}\r\n`);
  }

  value(size: number, byte: number): void {
    this.#text(`$${size}\r\n`);
    this.#bytes.fill(byte, this.#length, this.#length + size);
    this.#length += size;
    this.#text("\r\n");
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #put(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #text(text: string): void {
    for (let index = 0; index < text.length; index++) {
      this.#bytes[this.#length++] = text.charCodeAt(index);
    }
  }
}

/** Has connections share `count` commands, which `write` appends one by one. */
async function drive(
  port: number,
  count: number,
  write: (pipeline: PipelineWriter, turn: number) => void,
): Promise<void> {
  let nextTurn = 0;
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    const connection = await WireConnection.open(port);
    const pipeline = new PipelineWriter();
    try {
      while (nextTurn < count) {
        const size = Math.min(PIPELINE, count - nextTurn);
        pipeline.start();
        for (let slot = 0; slot < size; slot++) write(pipeline, nextTurn++);
        await connection.exchange(pipeline.bytes, size);
      }
    } finally {
      connection.close();
    }
  }));
}

/** Runs `count` commands of `phase` over `keys` keys. */
export async function churn(
  port: number,
  phase: ChurnPhase,
  count: number,
  keys: number,
  seed: number,
): Promise<void> {
  const random = seeded(seed);
  await drive(port, count, (pipeline) => {
    const key = Math.floor(random() * keys);
    const size = 1 + Math.floor(VALUE_LIMIT * random() ** phase.skew);
    const byte = 97 + (size % 26);
    const kind = random();
    if (kind < phase.sets) {
      pipeline.command(SET, key);
      pipeline.value(size, byte);
    } else if (kind < phase.sets + phase.deletions) {
      pipeline.command(DEL, key);
    } else if (kind < (1 + phase.sets + phase.deletions) / 2) {
      pipeline.command(APPEND, key);
      pipeline.value(1 + (size >> 3), byte);
    } else {
      pipeline.command(SETRANGE, key);
      pipeline.number(size);
      pipeline.value(1 + (size >> 4), byte);
    }
  });
}

/** Deletes about nine tenths of `keys` keys, which ones by chance. */
export async function deleteMost(port: number, keys: number, seed: number): Promise<void> {
  const random = seeded(seed);
  const names: number[] = [];
  for (let key = 0; key < keys; key++) if (random() < 0.9) names.push(key);
  await drive(port, names.length, (pipeline, turn) => pipeline.command(DEL, names[turn]));
}
