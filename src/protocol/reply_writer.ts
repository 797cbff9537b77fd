/**
 * The reply half of RESP: writes replies of either version into the output of a session.
 *
 * One writer serves a whole server: a session's turn begins with the session's version in `resp`,
 * its commands append here, and at its end the session takes the bytes. A full buffer becomes a
 * chunk and writing goes on in the next, so a long reply is never moved.
 *
 * Shapes: https://redis.io/docs/reference/protocol-spec/. Where RESP2 lacks a type, the reply is
 * what Redis sends then: a map is a flat array, a double a bulk string, a null a bulk string of
 * length -1.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import { copyBytes } from "../memory/copy.ts";
import { type BufferPool, ByteBuffer } from "./byte_buffer.ts";
import { writeDouble17g } from "./doubles.ts";
import { writeInteger, writeInteger64 } from "./integers.ts";

const CR = 13;
const LF = 10;
const CRLF = 0x0a0d;
const DOLLAR = 36;
const ZERO = 48;
/** From this length on, one `set` with its `subarray` is cheaper than copying by steps. */
const BLOCK_COPY_BYTES = 4096;
/** Room that any integer with its type byte and line end fits in. */
const NUMBER_BYTES = 32;

const encoder = new TextEncoder();

/** A full buffer, or memory that somebody else keeps unchanged until it is sent. */
export interface OutputChunk {
  /** The bytes to send. */
  readonly bytes: Uint8Array;
  /** The buffer to give back to the pool afterwards, if it came from one. */
  readonly buffer: ByteBuffer | null;
  /** Called after the bytes are sent, or when they never will be. */
  readonly release: (() => void) | null;
}

/** Writes replies; see the head of this file. */
export class ReplyWriter {
  /** Version of the protocol in which the current session wants its replies. */
  resp: 2 | 3 = 2;
  /** Chunks that are full, in order; the current buffer comes after them. */
  chunks: OutputChunk[] = [];
  /** Bytes in {@linkcode chunks}. */
  chunkBytes = 0;
  /** The current buffer. */
  buffer: ByteBuffer;
  /** How many errors have been written. */
  errors = 0;
  /** Told the text of each error, when somebody wants to know. */
  onError: ((text: string) => void) | null = null;
  /** Bytes used of the current buffer. */
  position = 0;
  private bytes: Uint8Array;
  private view: DataView;

  /** Takes its buffers from `pool`, and larger ones, when they are needed, from `largePool`. */
  constructor(private readonly pool: BufferPool, private readonly largePool: BufferPool) {
    this.buffer = pool.take();
    this.bytes = this.buffer.bytes;
    this.view = this.buffer.view;
  }

  /** Bytes written since the output was last taken. */
  get length(): number {
    return this.chunkBytes + this.position;
  }

  /** Goes on in a fresh buffer; the caller has taken the current one and the chunks. */
  startFresh(): void {
    this.use(this.pool.take());
    if (this.chunkBytes > 0) {
      this.chunks = [];
      this.chunkBytes = 0;
    }
  }

  /** Forgets what was written since `length` was `mark`; for replies that nobody wants. */
  truncate(mark: number): void {
    while (this.chunkBytes > mark) {
      const chunk = this.chunks.pop()!;
      this.chunkBytes -= chunk.bytes.length;
      this.giveBack(this.buffer);
      chunk.release?.();
      if (chunk.buffer !== null) {
        this.use(chunk.buffer);
        this.position = chunk.bytes.length;
      } else this.use(this.pool.take());
    }
    this.position = Math.max(0, mark - this.chunkBytes);
  }

  /** Gives a buffer back to the pool it is from. */
  giveBack(buffer: ByteBuffer): void {
    if (buffer.bytes.length === this.pool.size) this.pool.give(buffer);
    else if (buffer.bytes.length === this.largePool.size) this.largePool.give(buffer);
  }

  /** A simple string, `+text`. */
  simple(text: string): void {
    this.line(43, text);
  }

  /** An error, `-text`; `text` starts with its code, as in `ERR syntax error`. */
  error(text: string): void {
    this.errors++;
    this.onError?.(text);
    this.line(45, text.replace(/[\r\n]+$/, "").replace(/[\r\n]/g, " "));
  }

  /** An integer that a double holds exactly. */
  integer(value: number): void {
    this.ensure(NUMBER_BYTES);
    const at = this.position;
    this.bytes[at] = 58;
    if (value >= 0 && value < 10) {
      this.bytes[at + 1] = ZERO + value;
      this.endLine(at + 2);
    } else this.endLine(at + 1 + writeInteger(this.bytes, at + 1, value));
  }

  /** A signed 64-bit integer as two halves. */
  integer64(high: number, low: number): void {
    if (high === low >> 31) return this.integer(low);
    this.ensure(NUMBER_BYTES);
    const at = this.position;
    this.bytes[at] = 58;
    this.endLine(at + 1 + writeInteger64(this.bytes, at + 1, high, low));
  }

  /** A bulk string of `length` bytes of `view` from `start`. */
  bulkView(view: ReadonlyView, start: number, length: number): void {
    this.ensure(length + NUMBER_BYTES);
    this.header(DOLLAR, length);
    const at = this.position;
    if (length < BLOCK_COPY_BYTES) copyBytes(view, start, this.view, at, length);
    else {
      const source = view as DataView;
      this.bytes.set(new Uint8Array(source.buffer, source.byteOffset + start, length), at);
    }
    this.endLine(at + length);
  }

  /** A bulk string. */
  bulkBytes(bytes: Uint8Array): void {
    this.bulkView(
      new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
      0,
      bytes.length,
    );
  }

  /**
   * A bulk string that is sent from where it lies: `bytes` stay unchanged until `release` is
   * called.
   */
  bulkShared(bytes: Uint8Array, release: () => void): void {
    this.bulkPieces([bytes], release);
  }

  /**
   * A bulk string in pieces, each of which is sent from where it lies: they stay unchanged until
   * `release` is called.
   */
  bulkPieces(pieces: readonly Uint8Array[], release: () => void): void {
    this.ensure(NUMBER_BYTES);
    this.header(DOLLAR, pieces.reduce((sum, piece) => sum + piece.length, 0));
    this.closeBuffer();
    pieces.forEach((bytes, index) => {
      const last = index === pieces.length - 1;
      this.chunks.push({ bytes, buffer: null, release: last ? release : null });
      this.chunkBytes += bytes.length;
    });
    this.use(this.pool.take());
    this.endLine(0);
  }

  /** A bulk string of the UTF-8 of `text`. */
  bulk(text: string): void {
    this.bulkBytes(encoder.encode(text));
  }

  /** A bulk string of the decimal text of a signed 64-bit integer. */
  bulkInteger64(high: number, low: number): void {
    this.ensure(NUMBER_BYTES * 2);
    // No such text is longer than 20 bytes, so its length takes one or two digits.
    const at = this.position;
    let length = writeInteger64(this.bytes, at + 4, high, low);
    if (length > 9) {
      length = writeInteger64(this.bytes, at + 5, high, low);
    }
    this.header(DOLLAR, length);
    this.endLine(this.position + length);
  }

  /** No value. */
  nullBulk(): void {
    if (this.resp === 3) this.line(95, "");
    else this.line(DOLLAR, "-1");
  }

  /** No array. */
  nullArray(): void {
    if (this.resp === 3) this.line(95, "");
    else this.line(42, "-1");
  }

  /** Starts an array of `count` replies. */
  array(count: number): void {
    this.aggregate(42, count);
  }

  /** Starts a map of `pairs` keys and values, which follow in turn. */
  map(pairs: number): void {
    if (this.resp === 3) this.aggregate(37, pairs);
    else this.aggregate(42, pairs * 2);
  }

  /** Starts a set of `count` replies. */
  set(count: number): void {
    this.aggregate(this.resp === 3 ? 126 : 42, count);
  }

  /** Starts an out-of-band message of `count` replies. */
  push(count: number): void {
    this.aggregate(this.resp === 3 ? 62 : 42, count);
  }

  /** A double. */
  double(value: number): void {
    if (this.resp === 2) return this.bulkDouble(value);
    this.ensure(NUMBER_BYTES);
    const at = this.position;
    this.bytes[at] = 44;
    this.endLine(at + 1 + writeDouble17g(this.bytes, at + 1, value));
  }

  /** A double, as `text` says it. */
  doubleText(text: string): void {
    if (this.resp === 3) this.line(44, text);
    else this.bulk(text);
  }

  /** A bulk string of the text of a double. */
  bulkDouble(value: number): void {
    this.ensure(NUMBER_BYTES * 2);
    // No such text is longer than 24 bytes, so its length takes one or two digits; nearly always one for integers.
    const at = this.position;
    const length = writeDouble17g(this.bytes, at + 4, value);
    if (length > 9) this.bytes.copyWithin(at + 5, at + 4, at + 4 + length);
    this.header(DOLLAR, length);
    this.endLine(this.position + length);
  }

  /** A truth value; 1 or 0 in RESP2. */
  boolean(value: boolean): void {
    if (this.resp === 3) this.line(35, value ? "t" : "f");
    else this.integer(value ? 1 : 0);
  }

  /** Text of a format of three letters (`txt`, `mkd`). */
  verbatim(format: string, text: string): void {
    if (this.resp === 2) return this.bulk(text);
    const bytes = encoder.encode(`${format}:${text}`);
    this.ensure(bytes.length + NUMBER_BYTES);
    this.header(61, bytes.length);
    this.bytes.set(bytes, this.position);
    this.endLine(this.position + bytes.length);
  }

  /** Bytes that are a whole reply already. */
  raw(bytes: Uint8Array): void {
    this.ensure(bytes.length);
    this.bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** Starts a reply that holds others. */
  private aggregate(type: number, count: number): void {
    this.ensure(NUMBER_BYTES);
    this.header(type, count);
  }

  /** Type byte, decimal number, line end. */
  private header(type: number, value: number): void {
    const bytes = this.bytes;
    let at = this.position;
    bytes[at] = type;
    if (value < 10) {
      bytes[at + 1] = ZERO + value;
      at += 2;
    } else if (value < 100) {
      const tens = (value * 205) >>> 11;
      bytes[at + 1] = ZERO + tens;
      bytes[at + 2] = ZERO + value - tens * 10;
      at += 3;
    } else at += 1 + writeInteger(bytes, at + 1, value);
    this.endLine(at);
  }

  /** Ends the line at `at`, behind which writing goes on. */
  private endLine(at: number): void {
    this.view.setUint16(at, CRLF, true);
    this.position = at + 2;
  }

  /** A reply of one line: a byte for each character, so that what an error quotes stays as it was. */
  private line(type: number, text: string): void {
    this.ensure(text.length + 3);
    const bytes = this.bytes;
    let at = this.position;
    bytes[at++] = type;
    for (let index = 0; index < text.length; index++) {
      bytes[at++] = text.charCodeAt(index);
    }
    bytes[at] = CR;
    bytes[at + 1] = LF;
    this.position = at + 2;
  }

  /** Makes sure that `length` bytes fit in the current buffer. */
  private ensure(length: number): void {
    if (this.position + length <= this.bytes.length) return;
    this.closeBuffer();
    this.use(
      length <= this.largePool.size ? this.largePool.take() : new ByteBuffer(length),
    );
  }

  /** Makes the current buffer a chunk. */
  private closeBuffer(): void {
    if (this.position === 0) {
      this.giveBack(this.buffer);
      return;
    }
    this.chunks.push({
      bytes: this.bytes.subarray(0, this.position),
      buffer: this.buffer,
      release: null,
    });
    this.chunkBytes += this.position;
  }

  /** Goes on at the start of `buffer`. */
  private use(buffer: ByteBuffer): void {
    this.buffer = buffer;
    this.bytes = buffer.bytes;
    this.view = buffer.view;
    this.position = 0;
  }
}
