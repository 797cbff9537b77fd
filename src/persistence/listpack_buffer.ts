/**
 * A listpack that is put together outside of the arena, element by element, in a buffer that grows.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import {
  listpackAppend,
  listpackAppendInteger,
  listpackBytes,
  listpackCreate,
  listpackIntegerBytes,
  listpackLength,
  listpackStringBytes,
} from "../memory/listpack.ts";

const FIRST_BYTES = 256;

/** A listpack that grows; see the head of this file. */
export class ListpackBuffer {
  /** The memory in which it starts at 0. */
  view: DataView = new DataView(new ArrayBuffer(FIRST_BYTES));

  /** An empty one. */
  constructor() {
    listpackCreate(this.view, 0);
  }

  /** Bytes that it takes. */
  get bytes(): number {
    return listpackBytes(this.view, 0);
  }

  /** How many elements it has. */
  get length(): number {
    return listpackLength(this.view, 0);
  }

  /** Adds a text behind the last element. */
  append(text: ReadonlyView, from: number, length: number): void {
    this.reserve(listpackStringBytes(length));
    listpackAppend(this.view, 0, text, from, length);
  }

  /** Adds an integer. */
  appendInteger(high: number, low: number): void {
    this.reserve(listpackIntegerBytes(high, low));
    listpackAppendInteger(this.view, 0, high, low);
  }

  /** Makes it empty again. */
  clear(): void {
    listpackCreate(this.view, 0);
  }

  /** Has room for so many bytes in all. */
  private reserve(bytes: number): void {
    const used = this.bytes;
    if (used + bytes <= this.view.byteLength) return;
    const larger = new Uint8Array(Math.max(used + bytes, this.view.byteLength * 2));
    larger.set(new Uint8Array(this.view.buffer, 0, used));
    this.view = new DataView(larger.buffer);
  }
}
