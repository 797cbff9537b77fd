/**
 * A place for one text that is on its way from one part of the arena to another, where what it comes from may move meanwhile.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import { copyBytes } from "../memory/copy.ts";
import {
  integerHighAt,
  integerLowAt,
  isIntegerAt,
  stringLengthAt,
  stringStartAt,
} from "../memory/listpack_element.ts";
import { writeInteger64 } from "../protocol/integers.ts";

const FIRST_BYTES = 256;
/** A longer text gets room that isn't kept. */
const KEPT_BYTES = 64 * 1024;

/** Room for a text that grows when it has to; see the head of this file. */
export class TextScratch {
  /** The text's bytes, from 0 on. */
  bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  /** The same, for unaligned access. */
  view: DataView = new DataView(this.bytes.buffer);
  /** Length of the text. */
  length = 0;

  /** Takes over the element at `at` of a listpack; an integer as its decimal text. */
  takeElement(view: ReadonlyView, at: number): void {
    if (isIntegerAt(view, at)) {
      const low = integerLowAt(view, at);
      this.length = writeInteger64(this.bytes, 0, integerHighAt(view, at, low), low);
      return;
    }
    this.length = stringLengthAt(view, at);
    this.reserve(this.length);
    copyBytes(view, stringStartAt(view, at), this.view, 0, this.length);
  }

  /** Lets go of room for a long text. */
  release(): void {
    if (this.bytes.length > KEPT_BYTES) this.use(FIRST_BYTES);
  }

  /** Has room for a text of `length` bytes. */
  private reserve(length: number): void {
    if (length > this.bytes.length) this.use(Math.max(length, FIRST_BYTES));
  }

  /** Goes on with a scratch of `length` bytes. */
  private use(length: number): void {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }
}
