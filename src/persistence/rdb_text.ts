/**
 * Strings of RDB as text in memory, whatever form they are written in.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import { MAX_INTEGER_TEXT_BYTES, writeInteger64 } from "../protocol/integers.ts";
import { type RdbReader, READ_INTEGER, READ_PLAIN } from "./rdb_reader.ts";

/** Where the text of a string that was read is; to be kept and used again. */
export class RdbText {
  /** The memory it lies in. */
  bytes: Uint8Array;
  /** The same, for unaligned access. */
  view: ReadonlyView;
  /** Where it starts there. */
  start = 0;
  /** How many bytes it has. */
  length = 0;
  private readonly digits = new Uint8Array(MAX_INTEGER_TEXT_BYTES);
  private readonly digitsView = new DataView(this.digits.buffer);

  /** A text that is nowhere yet. */
  constructor() {
    this.bytes = this.digits;
    this.view = this.digitsView;
  }

  /** The text of a string that is read. */
  static of(reader: RdbReader): RdbText {
    const text = new RdbText();
    text.read(reader);
    return text;
  }

  /** A view of the text alone. */
  alone(): DataView {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + this.start, this.length);
  }

  /** Has this be the text of an integer. */
  spell(high: number, low: number): void {
    this.start = 0;
    this.length = writeInteger64(this.digits, 0, high, low);
    this.bytes = this.digits;
    this.view = this.digitsView;
  }

  /**
   * Reads a string, and has this be its text: where it was read from, unless it was written as a number or compressed.
   *
   * @throws {RdbFormatError} if it isn't one.
   */
  read(reader: RdbReader): void {
    const form = reader.string();
    if (form === READ_PLAIN) {
      this.bytes = reader.bytes;
      this.view = reader.view;
      this.start = reader.start;
      this.length = reader.stringLength;
      return;
    }
    if (form === READ_INTEGER) return this.spell(reader.number.high, reader.number.low);
    this.start = 0;
    this.length = reader.fullLength;
    this.bytes = new Uint8Array(this.length);
    reader.decompress(this.bytes);
    this.view = new DataView(this.bytes.buffer);
  }
}
