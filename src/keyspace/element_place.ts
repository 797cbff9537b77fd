/**
 * One element of a collection, wherever it lies: an integer, as compact forms keep it, or bytes.
 *
 * A place is made once and pointed at one element after the other, so looking at millions allocates nothing. What it says of an
 * element is good until that collection changes.
 *
 * @module
 */
import type { ReadonlyBytes, ReadonlyView } from "../memory/arena.ts";
import {
  type IntegerHalves,
  isLongInteger,
  longIntegerHigh,
  longIntegerLow,
  NOT_SHORT,
  shortInteger,
} from "../memory/decimal.ts";
import { hashBytes } from "../memory/hash.ts";
import {
  integerHighAt,
  integerLowAt,
  isIntegerAt,
  stringLengthAt,
  stringStartAt,
} from "../memory/listpack_element.ts";
import { writeInteger64 } from "../protocol/integers.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { globMatchRange } from "./glob.ts";

/** Longest text of an integer, and some. */
const DIGITS = 24;

/** See the head of this file. */
export class ElementPlace implements IntegerHalves {
  /** Whether the element is an integer: then {@linkcode high} and {@linkcode low} are its halves. */
  isInteger = false;
  /** Bits 32 to 63 of an integer, signed. */
  high = 0;
  /** Bits 0 to 31 of an integer, signed. */
  low = 0;
  /** Where the bytes of a string are; those of an integer only after {@linkcode spell}. */
  view: ReadonlyView;
  /** Byte offset of the first of them. */
  start = 0;
  /** How many they are. */
  length = 0;
  /** The bytes that {@linkcode view} shows. */
  private bytes: ReadonlyBytes;
  private readonly digits = new Uint8Array(DIGITS);
  private readonly digitsView = new DataView(this.digits.buffer);
  private hashed = false;
  private lastHash = 0;

  /** A place that is nowhere yet. */
  constructor() {
    this.view = this.digitsView;
    this.bytes = this.digits;
  }

  /** Has the element be an integer. */
  setInteger(high: number, low: number): void {
    this.isInteger = true;
    this.high = high;
    this.low = low;
    this.hashed = false;
  }

  /** Has the element be the `length` bytes from `start`; `view` and `bytes` show the same memory. */
  setBytes(view: ReadonlyView, bytes: ReadonlyBytes, start: number, length: number): void {
    this.isInteger = false;
    this.view = view;
    this.bytes = bytes;
    this.start = start;
    this.length = length;
    this.hashed = false;
  }

  /** Has the element be the one at `at` of a listpack; `view` and `bytes` show the same memory. */
  setListpackElement(view: ReadonlyView, bytes: ReadonlyBytes, at: number): void {
    if (isIntegerAt(view, at)) {
      const low = integerLowAt(view, at);
      this.setInteger(integerHighAt(view, at, low), low);
    } else this.setBytes(view, bytes, stringStartAt(view, at), stringLengthAt(view, at));
  }

  /** Has {@linkcode view}, {@linkcode start} and {@linkcode length} tell the text of an integer, too. */
  spell(): void {
    if (!this.isInteger) return;
    this.length = writeInteger64(this.digits, 0, this.high, this.low);
    this.view = this.digitsView;
    this.bytes = this.digits;
    this.start = 0;
  }

  /** Puts the integer that the element is, or that its text says, into `out`; false if it is none. */
  readInteger(out: IntegerHalves): boolean {
    if (!this.isInteger) return readIntegerText(this.view, this.start, this.length, out);
    out.high = this.high;
    out.low = this.low;
    return true;
  }

  /** The hash of the element's text under these seeds; it is worked out once. */
  hash(seed0: number, seed1: number): number {
    if (this.hashed) return this.lastHash;
    this.spell();
    this.hashed = true;
    this.lastHash = hashBytes(this.view, this.start, this.length, seed0, seed1);
    return this.lastHash;
  }

  /** Replies with the element as a bulk string. */
  reply(reply: ReplyWriter): void {
    if (this.isInteger) reply.bulkInteger64(this.high, this.low);
    else reply.bulkView(this.view, this.start, this.length);
  }

  /** Whether the element's text matches the glob pattern between `from` and `to`. */
  matches(pattern: Uint8Array, from: number, to: number): boolean {
    this.spell();
    const { bytes, start, length } = this;
    return globMatchRange(pattern, from, to, bytes as Uint8Array, start, start + length, false);
  }

  /** A copy of the element's text. */
  copy(): Uint8Array {
    this.spell();
    return (this.bytes as Uint8Array).slice(this.start, this.start + this.length);
  }
}

/** Puts the integer that the text says, as compact forms recognise it, into `out`; false if it says none. */
export function readIntegerText(
  view: ReadonlyView,
  start: number,
  length: number,
  out: IntegerHalves,
): boolean {
  const short = shortInteger(view, start, length);
  if (short !== NOT_SHORT) {
    out.high = short >> 31;
    out.low = short;
    return true;
  }
  if (!isLongInteger(view, start, length)) return false;
  out.high = longIntegerHigh(view, start, length);
  out.low = longIntegerLow(view, start, length);
  return true;
}
