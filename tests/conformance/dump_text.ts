/**
 * What DUMP gives, as text that is the same for the same value, as far as Redis leaves it open: the elements of a hash table come in
 * any order, and a stream tells when entries were delivered and consumers were seen.
 *
 * @module
 */

import { latin1Bytes, latin1Text } from "../../src/client/quoting.ts";
import { listpackEnd, listpackFirst, listpackSkip } from "../../src/memory/listpack.ts";
import { lzfDecompress } from "../../src/persistence/lzf.ts";

const SET = 2;
const HASH = 4;
const HASH_LISTPACK = 16;
const STREAM = 19;
const FOOTER_BYTES = 10;
const TIME_BYTES = 8;
const ID_BYTES = 16;

/** Reads the parts of a payload, a byte a character. */
class Parts {
  at = 1;

  constructor(readonly payload: string) {}

  bytes(count: number): string {
    return this.payload.slice(this.at, this.at += count);
  }

  number(bytes: number): number {
    return [...this.bytes(bytes)].reduce((sum, digit) => sum * 256 + digit.charCodeAt(0), 0);
  }

  /** A length, or -1 less the form of a string that has none. */
  length(): number {
    const first = this.number(1);
    if (first < 0x40) return first;
    if (first < 0x80) return (first & 0x3f) * 256 + this.number(1);
    if (first === 0x80) return this.number(4);
    if (first === 0x81) return this.number(8);
    return -1 - (first & 0x3f);
  }

  /** A string as it is written. */
  string(): string {
    const start = this.at;
    const length = this.length();
    if (length >= 0) this.bytes(length);
    else if (length >= -3) this.bytes(1 << (-1 - length));
    else {
      const compressed = this.length();
      this.length();
      this.bytes(compressed);
    }
    return this.payload.slice(start, this.at);
  }

  /** The bytes that a string stands for, if it isn't an integer. */
  plainString(): Uint8Array {
    const length = this.length();
    if (length >= 0) return latin1Bytes(this.bytes(length));
    const compressed = this.length();
    const whole = new Uint8Array(this.length());
    lzfDecompress(latin1Bytes(this.bytes(compressed)), whole);
    return whole;
  }

  /** So many things. */
  list<T>(read: () => T, count = this.length()): T[] {
    return Array.from({ length: count }, read);
  }

  /** What is left, but for the footer. */
  rest(): string {
    return this.payload.slice(this.at, -FOOTER_BYTES);
  }
}

/** The text that stands for a payload. */
export function dumpText(payload: string): string {
  const parts = new Parts(payload);
  const type = payload.charCodeAt(0);
  if (type === SET) return JSON.stringify([type, parts.list(() => parts.string()).sort()]);
  if (type === HASH) {
    const fields = parts.list(() => `${parts.string()}=${parts.string()}`);
    return JSON.stringify([type, fields.sort(), parts.rest()]);
  }
  if (type === HASH_LISTPACK) {
    return JSON.stringify([type, pairsText(parts.plainString()), parts.rest()]);
  }
  return type === STREAM ? streamText(parts) : payload.slice(0, -FOOTER_BYTES);
}

/** The elements of a listpack, as they are encoded, each two as one. A hash that was a table once has them in any order. */
function pairsText(listpack: Uint8Array): string[] {
  const view = new DataView(listpack.buffer, listpack.byteOffset, listpack.length);
  const pairs: string[] = [];
  for (let at = listpackFirst(view, 0); at > 0 && at < listpackEnd(view, 0);) {
    const next = listpackSkip(view, listpackSkip(view, at));
    pairs.push(latin1Text(listpack.subarray(at, next)));
    at = next;
  }
  return pairs.sort();
}

function streamText(parts: Parts): string {
  const nodes = parts.list(() => [parts.string(), parts.string()]);
  // Length, three ids of two numbers, and how many were added.
  const facts = parts.list(() => parts.length(), 8);
  const consumer = () => {
    const name = parts.string();
    parts.bytes(TIME_BYTES);
    return [name, parts.list(() => parts.bytes(ID_BYTES))];
  };
  const pending = () => {
    const id = parts.bytes(ID_BYTES);
    parts.bytes(TIME_BYTES);
    return [id, parts.length()];
  };
  const groups = parts.list(() => [
    parts.string(),
    parts.list(() => parts.length(), 3),
    parts.list(pending),
    parts.list(consumer),
  ]);
  return JSON.stringify([nodes, facts, groups, parts.rest()]);
}
