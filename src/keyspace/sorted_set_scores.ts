/**
 * Scores as elements of a listpack, the way Redis writes them: an integer up to 2^62 as an integer, anything else as its text of 17
 * digits. A negative zero becomes a zero there.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import { copyBytes } from "../memory/copy.ts";
import {
  integerHighAt,
  integerLowAt,
  isIntegerAt,
  listpackIntegerBytes,
  listpackStringBytes,
  stringLengthAt,
  stringStartAt,
} from "../memory/listpack_element.ts";
import {
  listpackInsert,
  listpackInsertInteger,
  listpackReplace,
  listpackReplaceInteger,
} from "../memory/listpack.ts";
import type { ElementPlace } from "./element_place.ts";
import { parseScoreBound, writeDouble17g } from "../protocol/doubles.ts";

const TWO_32 = 4294967296;
/** Larger ones are text. */
const LARGEST_INTEGER = 2 ** 62;
/** No text of a score is longer, unless it is none of ours. */
const TEXT_BYTES = 64;

/** A score on its way into or out of a listpack; made once and used again. */
export class ScoreElement {
  /** Whether {@linkcode set} was told an integer: then {@linkcode high} and {@linkcode low} are its halves. */
  isInteger = true;
  /** Bits 32 to 63 of an integer, signed. */
  high = 0;
  /** Bits 0 to 31 of an integer, signed. */
  low = 0;
  /** Length of the text of what is none. */
  length = 0;
  private readonly bytes = new Uint8Array(TEXT_BYTES);
  private readonly view = new DataView(this.bytes.buffer);

  /** Makes ready to write `score`; returns how many bytes it takes as an element. */
  set(score: number): number {
    if (score === Math.floor(score) && score <= LARGEST_INTEGER && score >= -LARGEST_INTEGER) {
      this.isInteger = true;
      this.high = Math.floor(score / TWO_32) | 0;
      this.low = (score - this.high * TWO_32) | 0;
      return listpackIntegerBytes(this.high, this.low);
    }
    this.isInteger = false;
    this.length = writeDouble17g(this.bytes, 0, score);
    return listpackStringBytes(this.length);
  }

  /** Inserts the score that was set before the element at `at`, or at the end. */
  insert(view: DataView, start: number, at: number): void {
    if (this.isInteger) listpackInsertInteger(view, start, at, this.high, this.low);
    else listpackInsert(view, start, at, this.view, 0, this.length);
  }

  /** Puts the score that was set in the place of the element at `at`. */
  replace(view: DataView, start: number, at: number): void {
    if (this.isInteger) listpackReplaceInteger(view, start, at, this.high, this.low);
    else listpackReplace(view, start, at, this.view, 0, this.length);
  }

  /** The score that the element at `at` says. */
  read(view: ReadonlyView, at: number): number {
    const byte = view.getUint8(at);
    if (byte < 0x80) return byte;
    if (isIntegerAt(view, at)) {
      const low = integerLowAt(view, at);
      return integerHighAt(view, at, low) * TWO_32 + (low >>> 0);
    }
    return this.readText(view, stringStartAt(view, at), stringLengthAt(view, at));
  }

  /** The score that an element says which `place` tells. */
  readPlace(place: ElementPlace): number {
    if (place.isInteger) return place.high * TWO_32 + (place.low >>> 0);
    return this.readText(place.view, place.start, place.length);
  }

  /** The score that a text says. */
  private readText(view: ReadonlyView, start: number, length: number): number {
    length = Math.min(length, TEXT_BYTES);
    copyBytes(view, start, this.view, 0, length);
    return parseScoreBound(this.bytes, 0, length) ?? 0;
  }
}
