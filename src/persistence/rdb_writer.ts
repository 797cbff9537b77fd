/**
 * Writes the parts that RDB is made of: lengths, and strings in the shortest of their forms.
 *
 * A string of up to 11 bytes that is the text of an integer of 32 bits is written as that integer in 1, 2 or 4
 * bytes; one of more than 20 bytes is compressed, if that makes it shorter; any other is its length and its
 * bytes. These are Redis' own choices, so that the same value gives the same bytes.
 *
 * What is written is collected in pieces: short things in a buffer, while a long string is a piece where it
 * lies, uncopied. Whoever takes the pieces must have pinned it until they are sent or written. A writer that has a sink gives
 * it each piece as soon as there is one, and writes on in the same buffer.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import { EXTERNAL_BYTES } from "../keyspace/strings.ts";
import { Int64, parseInteger64, writeInteger64 } from "../protocol/integers.ts";
import { LzfCompressor } from "./lzf.ts";
import {
  LENGTH_14_BITS,
  LENGTH_32_BITS,
  LENGTH_64_BITS,
  LENGTH_ENCODED,
  STRING_INT16,
  STRING_INT32,
  STRING_INT8,
  STRING_LZF,
} from "./rdb_format.ts";

const FIRST_BUFFER_BYTES = 256;
/** From this length on, a string is a piece of its own: shorter ones may move when their entry does. */
const PIECE_BYTES = EXTERNAL_BYTES;
/** A buffer grows up to this. */
const BUFFER_BYTES = 16 * 1024;
/** One in front of a sink has this length. */
const SINK_BUFFER_BYTES = 64 * 1024;
/** Up to so many bytes are copied one by one. */
const LOOPED_BYTES = 128;
const LONGEST_INTEGER_TEXT = 11;
/** Only longer strings are compressed... */
const COMPRESSED_FROM_BYTES = 21;
/** ... into at least so many bytes less. */
const COMPRESSION_GAIN_BYTES = 4;
/** Room for any length with its first byte. */
const LENGTH_BYTES = 9;
const INTEGER_TEXT_BYTES = 20;
const NINE = 57;
const TWO_32 = 4294967296;

/** Writes parts of RDB; see the head of this file. */
export class RdbWriter {
  /** Whether strings are compressed (`rdbcompression`). */
  compress = true;
  private buffer: Uint8Array;
  private position = 0;
  /** Where in the buffer the piece that is being written starts. */
  private pieceStart = 0;
  private pieces: Uint8Array[] = [];
  private nameBytes: Uint8Array | null = null;
  private nameStart = 0;
  private nameLength = 0;
  private compressed = new Uint8Array(FIRST_BUFFER_BYTES);
  private readonly compressor = new LzfCompressor();
  private readonly number = new Int64();
  private readonly numberView = new DataView(new ArrayBuffer(8));
  private readonly digits = new Uint8Array(INTEGER_TEXT_BYTES);

  /** `sink` takes pieces, whose bytes are only good during the call. @default pieces are collected */
  constructor(private readonly sink: ((bytes: Uint8Array) => void) | null = null) {
    this.buffer = new Uint8Array(sink === null ? FIRST_BUFFER_BYTES : SINK_BUFFER_BYTES);
  }

  /** Gives the sink what is in the buffer. */
  flush(): void {
    this.endPiece();
  }

  /** Ends a run of writing: what was written since the last one, in pieces. */
  take(): Uint8Array[] {
    this.endPiece();
    const pieces = this.pieces;
    this.pieces = [];
    this.buffer = new Uint8Array(FIRST_BUFFER_BYTES);
    this.position = 0;
    this.pieceStart = 0;
    return pieces;
  }

  /** One byte. */
  byte(value: number): void {
    this.ensure(1);
    this.buffer[this.position++] = value;
  }

  /** Has the type byte that is written next be followed by the name of a key: `length` bytes of `bytes` from `start`. */
  nameNext(bytes: Uint8Array, start: number, length: number): void {
    this.nameBytes = bytes;
    this.nameStart = start;
    this.nameLength = length;
  }

  /** The type byte of a value. */
  type(value: number): void {
    this.byte(value);
    const bytes = this.nameBytes;
    if (bytes === null) return;
    this.nameBytes = null;
    this.stringIn(bytes, this.nameStart, this.nameLength);
  }

  /** A length below 2^53. */
  length(value: number): void {
    this.ensure(LENGTH_BYTES);
    const { buffer } = this;
    if (value < 1 << 6) {
      buffer[this.position++] = value;
    } else if (value < 1 << 14) {
      buffer[this.position++] = (LENGTH_14_BITS << 6) | (value >>> 8);
      buffer[this.position++] = value & 0xff;
    } else {
      const long = value >= TWO_32;
      buffer[this.position++] = long ? LENGTH_64_BITS : LENGTH_32_BITS;
      if (long) this.bigEndian(Math.floor(value / TWO_32));
      this.bigEndian(value % TWO_32);
    }
  }

  /** A length of 64 bits. */
  long(high: number, low: number): void {
    if (high === 0) return this.length(low >>> 0);
    this.ensure(LENGTH_BYTES);
    this.buffer[this.position++] = LENGTH_64_BITS;
    this.bigEndian(high);
    this.bigEndian(low);
  }

  /** A number of 64 bits, the least significant byte first. */
  fixedLong(high: number, low: number): void {
    this.ensure(8);
    for (const half of [low, high]) {
      for (let shift = 0; shift < 32; shift += 8) {
        this.buffer[this.position++] = (half >>> shift) & 0xff;
      }
    }
  }

  /** A double. */
  double(value: number): void {
    this.numberView.setFloat64(0, value, true);
    this.fixedLong(this.numberView.getInt32(4, true), this.numberView.getInt32(0, true));
  }

  /** A string that is a signed 64-bit integer. */
  integer(high: number, low: number): void {
    if (high === low >> 31) return this.smallInteger(low);
    this.plain(this.digits.subarray(0, writeInteger64(this.digits, 0, high, low)));
  }

  /** A string. */
  string(bytes: Uint8Array): void {
    const size = bytes.length;
    if (
      size <= LONGEST_INTEGER_TEXT && parseInteger64(bytes, 0, size, this.number) &&
      this.number.high === this.number.low >> 31
    ) {
      return this.smallInteger(this.number.low);
    }
    if (!this.compress || size < COMPRESSED_FROM_BYTES || !this.shorter(bytes, 0, size)) {
      this.plain(bytes);
    }
  }

  /** A string that is the `length` bytes of `view` from `start`. */
  text(view: ReadonlyView, start: number, length: number): void {
    const { buffer, byteOffset } = view as DataView;
    this.string(new Uint8Array(buffer, byteOffset + start, length));
  }

  /** A string that is the `length` bytes of `bytes` from `start`. */
  stringIn(bytes: Uint8Array, start: number, length: number): void {
    if (this.compress && length >= COMPRESSED_FROM_BYTES && this.shorter(bytes, start, length)) {
      return;
    }
    if (length > LOOPED_BYTES) return this.plain(bytes.subarray(start, start + length));
    if (
      length <= LONGEST_INTEGER_TEXT && length > 0 && bytes[start] <= NINE &&
      parseInteger64(bytes, start, length, this.number) &&
      this.number.high === this.number.low >> 31
    ) {
      return this.smallInteger(this.number.low);
    }
    this.length(length);
    this.copy(bytes, start, length);
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    if (bytes.length >= PIECE_BYTES) {
      this.endPiece();
      if (this.sink === null) this.pieces.push(bytes);
      else this.sink(bytes);
      return;
    }
    this.ensure(bytes.length);
    this.buffer.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** A string as it is. */
  private plain(bytes: Uint8Array): void {
    this.length(bytes.length);
    this.raw(bytes);
  }

  /** Writes a string compressed, unless it doesn't get shorter; whether it did. */
  private shorter(bytes: Uint8Array, start: number, length: number): boolean {
    const room = length - COMPRESSION_GAIN_BYTES;
    const long = room >= PIECE_BYTES;
    if (!long && room > this.compressed.length) this.compressed = new Uint8Array(PIECE_BYTES);
    const output = long ? new Uint8Array(room) : this.compressed;
    const size = this.compressor.compressRange(bytes, start, length, output, room);
    if (size === 0) return false;
    this.byte((LENGTH_ENCODED << 6) | STRING_LZF);
    this.length(size);
    this.length(length);
    if (size > LOOPED_BYTES) this.raw(output.subarray(0, size));
    else this.copy(output, 0, size);
    return true;
  }

  /** Copies a few bytes. */
  private copy(bytes: Uint8Array, start: number, length: number): void {
    this.ensure(length);
    const { buffer } = this;
    let to = this.position;
    for (let from = start; from < start + length; from++) buffer[to++] = bytes[from];
    this.position = to;
  }

  /** A string that is an integer of 32 bits. */
  private smallInteger(value: number): void {
    this.ensure(5);
    const { buffer } = this;
    let bytes = 4;
    let form = STRING_INT32;
    if (value === value << 24 >> 24) {
      bytes = 1;
      form = STRING_INT8;
    } else if (value === value << 16 >> 16) {
      bytes = 2;
      form = STRING_INT16;
    }
    buffer[this.position++] = (LENGTH_ENCODED << 6) | form;
    for (; bytes > 0; bytes--, value >>= 8) buffer[this.position++] = value & 0xff;
  }

  /** Four bytes, the most significant first. */
  private bigEndian(value: number): void {
    for (let shift = 24; shift >= 0; shift -= 8) {
      this.buffer[this.position++] = (value >>> shift) & 0xff;
    }
  }

  /** Makes sure that so many bytes fit into the buffer. */
  private ensure(bytes: number): void {
    if (this.position + bytes <= this.buffer.length) return;
    this.endPiece();
    if (this.sink !== null) return;
    this.buffer = new Uint8Array(Math.max(bytes, Math.min(this.buffer.length * 2, BUFFER_BYTES)));
    this.position = 0;
    this.pieceStart = 0;
  }

  /** Makes what was written to the buffer a piece. */
  private endPiece(): void {
    if (this.position === this.pieceStart) return;
    if (this.sink !== null) {
      this.sink(this.buffer.subarray(0, this.position));
      this.position = 0;
      return;
    }
    this.pieces.push(this.buffer.subarray(this.pieceStart, this.position));
    this.pieceStart = this.position;
  }
}
