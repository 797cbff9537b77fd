/**
 * What SORT sorts: many texts, each of which stays where it lies, with what they are compared by.
 *
 * A text is named by view, start and length, so sorting a million of them copies none. Integers, which compact collections don't keep
 * as text, are spelled out into pieces of memory of the vector's own. Nothing in the arena may change place or be freed
 * while a vector names it.
 *
 * **Cost.** 24 bytes a text, and 8 for what it is compared by; sorting is the runtime's own, which is stable.
 *
 * @module
 */
import type { ElementPlace } from "../keyspace/element_place.ts";
import type { ReadonlyView } from "../memory/arena.ts";
import {
  integerHighAt,
  integerLowAt,
  isIntegerAt,
  stringLengthAt,
  stringStartAt,
} from "../memory/listpack_element.ts";
import { compareBytes } from "../memory/score_tree.ts";
import { parseSortWeight } from "../protocol/doubles.ts";
import { MAX_INTEGER_TEXT_BYTES, writeInteger64 } from "../protocol/integers.ts";

/** Integers are spelled out into pieces of so many bytes. */
const PIECE_BYTES = 16 * 1024;
/** Length of what isn't there. */
const NOTHING = -1;
const EMPTY = new DataView(new ArrayBuffer(0));

/** Texts in a row; see the head of this file. */
export class SortVector {
  private readonly views: ReadonlyView[] = [];
  private readonly starts: number[] = [];
  private readonly lengths: number[] = [];
  private piece = new Uint8Array(0);
  private pieceView = EMPTY;
  private pieceUsed = 0;
  private lastView: ReadonlyView = EMPTY;
  private lastBytes = new Uint8Array(0);

  /** How many texts there are. */
  get length(): number {
    return this.starts.length;
  }

  /** The view in which text `index` lies. */
  view(index: number): ReadonlyView {
    return this.views[index];
  }

  /** Where text `index` starts. */
  start(index: number): number {
    return this.starts[index];
  }

  /** How many bytes text `index` has; negative if there is none. */
  bytes(index: number): number {
    return this.lengths[index];
  }

  /** Adds the `length` bytes of `view` from `start`. */
  add(view: ReadonlyView, start: number, length: number): void {
    this.views.push(view);
    this.starts.push(start);
    this.lengths.push(length);
  }

  /** Adds the text of an integer. */
  addInteger(high: number, low: number): void {
    if (this.pieceUsed + MAX_INTEGER_TEXT_BYTES > this.piece.length) {
      this.piece = new Uint8Array(PIECE_BYTES);
      this.pieceView = new DataView(this.piece.buffer);
      this.pieceUsed = 0;
    }
    const length = writeInteger64(this.piece, this.pieceUsed, high, low);
    this.add(this.pieceView, this.pieceUsed, length);
    this.pieceUsed += length;
  }

  /** Adds the element that a place tells. */
  addPlace(place: ElementPlace): void {
    if (place.isInteger) this.addInteger(place.high, place.low);
    else this.add(place.view, place.start, place.length);
  }

  /** Adds the element at `at` of a listpack. */
  addElement(view: ReadonlyView, at: number): void {
    if (isIntegerAt(view, at)) {
      const low = integerLowAt(view, at);
      this.addInteger(integerHighAt(view, at, low), low);
    } else this.add(view, stringStartAt(view, at), stringLengthAt(view, at));
  }

  /** Adds a text that isn't there. */
  addNothing(): void {
    this.add(EMPTY, 0, NOTHING);
  }

  /** Compares two texts byte by byte; one that isn't there comes first. */
  compare(first: number, second: number): number {
    const { views, starts, lengths } = this;
    const firstLength = lengths[first];
    const secondLength = lengths[second];
    if (firstLength < 0 || secondLength < 0) return firstLength - secondLength;
    return compareBytes(
      views[first],
      starts[first],
      firstLength,
      views[second],
      starts[second],
      secondLength,
    );
  }

  /** The number that text `index` says: 0 if it isn't there, NaN if it is none. */
  weight(index: number): number {
    const length = this.lengths[index];
    if (length < 0) return 0;
    const view = this.views[index];
    if (view !== this.lastView) {
      const { buffer, byteOffset, byteLength } = view as DataView<ArrayBuffer>;
      this.lastView = view;
      this.lastBytes = new Uint8Array(buffer, byteOffset, byteLength);
    }
    return parseSortWeight(this.lastBytes, this.starts[index], length) ?? NaN;
  }

  /** The numbers that all texts say, or null if there is one that says none. */
  weights(): Float64Array | null {
    const weights = new Float64Array(this.length);
    for (let index = 0; index < weights.length; index++) {
      const weight = this.weight(index);
      if (weight !== weight) return null;
      weights[index] = weight;
    }
    return weights;
  }
}
