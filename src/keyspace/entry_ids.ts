/**
 * Ids of stream entries as text: `<ms>-<number>`, two unsigned integers of 64 bits.
 *
 * What is read is what Redis reads, which is more than it writes: each number as C's `strtoull` takes it, with spaces and zeros
 * before it or a sign, up to the first zero byte. The common form, which Redis itself writes, is read without allocation.
 *
 * @module
 */
import type { EntryId } from "../memory/id_tree.ts";
import { Int64, parseInteger64, writeUnsigned64 } from "../protocol/integers.ts";

/** Room for the text of any id. */
export const ID_TEXT_BYTES = 41;

/** What the number of an id is when the text has none: 0, */
export const MISSING_LOWEST = 0;
/** the highest one, */
export const MISSING_HIGHEST: number = -1;
/** or what follows from the stream, where the text has a `*` in its place. */
export const NUMBER_FREE = 1;
/** What a text is that is no id. */
export const NO_ID: number = -1;
/** What it is if it is one. */
export const WHOLE_ID = 0;

const DASH = 0x2d;
const PLUS = 0x2b;
const STAR = 0x2a;
const LONGEST_TEXT = 127;
const TWO_64 = 1n << 64n;
const NUMBER = /^[ \t\n\v\f\r]*([+-]?)([0-9]+)$/;

/** Reads ids; keeps what it works with. */
export class EntryIdReader {
  private readonly number = new Int64();

  /**
   * Reads the `length` bytes from `start` into `id`: {@linkcode WHOLE_ID}, {@linkcode NUMBER_FREE} for `<ms>-*` (whose number is then
   * 0), or {@linkcode NO_ID}. `missing` says what the number is if there is none; `-` and `+` are the lowest and the
   * highest id, unless `strict`.
   */
  read(
    bytes: Uint8Array,
    start: number,
    length: number,
    missing: number,
    strict: boolean,
    id: EntryId,
  ): number {
    if (length > LONGEST_TEXT) return NO_ID;
    let end = start;
    let dash = -1;
    for (; end < start + length && bytes[end] !== 0; end++) {
      if (dash < 0 && bytes[end] === DASH) dash = end;
    }
    if (end - start === 1 && (bytes[start] === DASH || bytes[start] === PLUS)) {
      if (strict) return NO_ID;
      if (bytes[start] === DASH) id.setLowest();
      else id.setHighest();
      return WHOLE_ID;
    }
    if (!this.part(bytes, start, dash < 0 ? end : dash)) return NO_ID;
    const { high, low } = this.number;
    if (dash < 0) {
      id.set(high, low, missing, missing);
      return WHOLE_ID;
    }
    if (end - dash === 2 && bytes[dash + 1] === STAR) {
      id.set(high, low, 0, 0);
      return NUMBER_FREE;
    }
    if (!this.part(bytes, dash + 1, end)) return NO_ID;
    id.set(high, low, this.number.high, this.number.low);
    return WHOLE_ID;
  }

  /** Reads one of the two numbers; whether it is one. */
  private part(bytes: Uint8Array, start: number, end: number): boolean {
    const { number } = this;
    if (parseInteger64(bytes, start, end - start, number)) return number.high >= 0;
    let text = "";
    for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]);
    const match = NUMBER.exec(text);
    if (match === null) return false;
    const magnitude = BigInt(match[2]);
    if (magnitude >= TWO_64) return false;
    const value = match[1] === "-" ? TWO_64 - magnitude : magnitude;
    number.low = Number(BigInt.asIntN(32, value));
    number.high = Number(BigInt.asIntN(32, value >> 32n));
    return true;
  }
}

/** Writes the text of an id at `bytes[at]`; returns how many bytes it takes, {@linkcode ID_TEXT_BYTES} at most. */
export function writeEntryId(bytes: Uint8Array, at: number, id: EntryId): number {
  const length = writeUnsigned64(bytes, at, id.msHigh, id.msLow);
  bytes[at + length] = DASH;
  return length + 1 + writeUnsigned64(bytes, at + length + 1, id.seqHigh, id.seqLow);
}

/** The text of an id. */
export function entryIdText(id: EntryId): string {
  const bytes = new Uint8Array(ID_TEXT_BYTES);
  return String.fromCharCode(...bytes.subarray(0, writeEntryId(bytes, 0, id)));
}
