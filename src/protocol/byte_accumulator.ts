/**
 * A growing run of bytes that is filled at its end and taken away as a whole.
 *
 * Writes on sockets borrow the bytes they send until they are done, so
 * {@linkcode ByteAccumulator.take} hands the filled memory over and goes on in other memory;
 * {@linkcode ByteAccumulator.recycle} gives it back afterwards. Two blocks that take turns are then
 * enough for a connection that always writes.
 *
 * @module
 */

import { CARRIAGE_RETURN, LINE_FEED } from "./reply_types.ts";

const encoder = new TextEncoder();

/** Blocks above this size are not kept, so that one large request doesn't hold memory for ever. */
const KEPT_BLOCK_LIMIT_BYTES = 1 << 20;

/** Up to this size, a loop costs less than a call into the runtime. */
const SHORT_BYTES = 96;

/**
 * A growing run of bytes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new ByteAccumulator();
 * bytes.appendText("PING\r\n");
 * assertEquals(bytes.take(), new TextEncoder().encode("PING\r\n"));
 * assertEquals(bytes.length, 0);
 * ```
 */
export class ByteAccumulator {
  #block: Uint8Array<ArrayBuffer>;
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #length = 0;
  readonly #initialBytes: number;

  /** Makes an empty one, with room for `initialBytes`. */
  constructor(initialBytes = 512) {
    this.#initialBytes = Math.max(16, initialBytes);
    this.#block = new Uint8Array(this.#initialBytes);
  }

  /** How many bytes it holds. */
  get length(): number {
    return this.#length;
  }

  /** Appends one byte. */
  appendByte(byte: number): void {
    if (this.#length === this.#block.length) this.#reserve(1);
    this.#block[this.#length++] = byte;
  }

  /** Appends bytes, copied. */
  appendBytes(bytes: Uint8Array): void {
    const size = bytes.length;
    if (this.#length + size > this.#block.length) this.#reserve(size);
    if (size <= SHORT_BYTES) {
      const block = this.#block;
      let at = this.#length;
      for (let index = 0; index < size; index++) block[at++] = bytes[index];
    } else {
      this.#block.set(bytes, this.#length);
    }
    this.#length += size;
  }

  /** Appends the bytes of `bytes` from `start` to `end`, copied. */
  appendRange(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    if (this.#length + size > this.#block.length) this.#reserve(size);
    if (size <= SHORT_BYTES) {
      const block = this.#block;
      let at = this.#length;
      for (let index = start; index < end; index++) block[at++] = bytes[index];
    } else {
      this.#block.set(bytes.subarray(start, end), this.#length);
    }
    this.#length += size;
  }

  /** Appends text whose characters are all below 256, a byte each: ASCII, or bytes in a string. */
  appendLatin1(text: string): void {
    const size = text.length;
    if (this.#length + size > this.#block.length) this.#reserve(size);
    const block = this.#block;
    let at = this.#length;
    for (let index = 0; index < size; index++) block[at++] = text.charCodeAt(index);
    this.#length = at;
  }

  /**
   * Appends text as UTF-8.
   *
   * @returns how many bytes that took.
   */
  appendText(text: string): number {
    const mostBytes = text.length * 3;
    if (this.#length + mostBytes > this.#block.length) this.#reserve(mostBytes);
    const start = this.#length;
    if (text.length <= SHORT_BYTES) {
      const block = this.#block;
      let at = start;
      let index = 0;
      for (; index < text.length; index++) {
        const code = text.charCodeAt(index);
        if (code > 127) break;
        block[at++] = code;
      }
      if (index === text.length) {
        this.#length = at;
        return at - start;
      }
    }
    const { written } = encoder.encodeInto(text, this.#block.subarray(start));
    this.#length += written;
    return written;
  }

  /** Appends a line of a type byte and a count: how RESP announces what comes. */
  appendCountLine(type: number, count: number): void {
    if (this.#length + 20 > this.#block.length) this.#reserve(20);
    const block = this.#block;
    let at = this.#length;
    block[at++] = type;
    let unit = 1;
    while (unit * 10 <= count) unit *= 10;
    for (let rest = count; unit >= 1; unit = Math.floor(unit / 10)) {
      const digit = Math.floor(rest / unit);
      block[at++] = 48 + digit;
      rest -= digit * unit;
    }
    block[at++] = CARRIAGE_RETURN;
    block[at++] = LINE_FEED;
    this.#length = at;
  }

  /** Appends the two bytes that end a line. */
  appendLineEnd(): void {
    if (this.#length + 2 > this.#block.length) this.#reserve(2);
    this.#block[this.#length++] = CARRIAGE_RETURN;
    this.#block[this.#length++] = LINE_FEED;
  }

  /** Makes room for `size` bytes at `offset`, moving what stands behind. */
  insertRoom(offset: number, size: number): void {
    if (this.#length + size > this.#block.length) this.#reserve(size);
    this.#block.copyWithin(offset + size, offset, this.#length);
    this.#length += size;
  }

  /** Overwrites the byte at `offset`. */
  setByte(offset: number, byte: number): void {
    this.#block[offset] = byte;
  }

  /** The bytes, which now belong to the caller; it is empty and goes on in other memory. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#block.subarray(0, this.#length);
    this.#block = this.#spare ?? new Uint8Array(this.#initialBytes);
    this.#spare = undefined;
    this.#length = 0;
    return taken;
  }

  /** Gives back what {@linkcode ByteAccumulator.take} gave, for reuse. */
  recycle(taken: Uint8Array<ArrayBuffer>): void {
    if (taken.buffer.byteLength > KEPT_BLOCK_LIMIT_BYTES) return;
    this.#spare = new Uint8Array(taken.buffer);
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    let capacity = this.#block.length * 2;
    while (capacity < needed) capacity *= 2;
    const larger = new Uint8Array(capacity);
    larger.set(this.#block.subarray(0, this.#length));
    this.#block = larger;
  }
}
