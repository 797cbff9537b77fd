/**
 * Reads the parts that RDB is made of, from bytes that may be anything.
 *
 * Each length is checked against what is left before it is used, and that of a compressed string against what
 * its bytes could stand for at most, so that nothing makes a reader take more memory than some 90 times the
 * bytes it was given. What is wrong throws {@linkcode RdbFormatError}.
 *
 * @module
 */
import { Int64 } from "../protocol/integers.ts";
import { LZF_GREATEST_RATIO, lzfDecompress } from "./lzf.ts";
import {
  LENGTH_14_BITS,
  LENGTH_32_BITS,
  LENGTH_64_BITS,
  LENGTH_6_BITS,
  LENGTH_ENCODED,
  STRING_INT16,
  STRING_INT32,
  STRING_INT8,
  STRING_LZF,
} from "./rdb_format.ts";

/** Bytes that aren't RDB. */
export class RdbFormatError extends Error {
  /** Says what is wrong, and where. */
  constructor(readonly what: string, readonly position: number) {
    super(`${what} at byte ${position}`);
    this.name = "RdbFormatError";
  }
}

/** Bytes that end too early: there may be more of them elsewhere. */
export class RdbEndError extends RdbFormatError {
  /** Says where. */
  constructor(position: number) {
    super("the end, too early,", position);
  }
}

/** A whole value that has no elements: earlier versions of Redis wrote some by mistake. */
export class RdbEmptyError extends RdbFormatError {}

/** The string that was read last is `bytes[start..start + length)`. */
export const READ_PLAIN = 0;
/** It is the integer `number`. */
export const READ_INTEGER = 1;
/** It is those bytes, decompressed, which makes `fullLength` of them. */
const READ_COMPRESSED = 2;

/** Longest string that is taken for one: what a typed array surely holds. */
const LONGEST_STRING = 0x7fffffff;
const TWO_32 = 4294967296;

/** Reads parts of RDB; see the head of this file. */
export class RdbReader {
  /** Where the string that was read last starts. */
  start = 0;
  /** So many bytes of it are there. */
  stringLength = 0;
  /** So long it is when it is decompressed. */
  fullLength = 0;
  /** The string that was read last, if it is an integer. */
  readonly number: Int64 = new Int64();
  /** The bytes that are read, for unaligned access. */
  readonly view: DataView;

  /** Reads `bytes` from `position` up to `end`. */
  constructor(readonly bytes: Uint8Array, public position: number, readonly end: number) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** One byte. */
  byte(): number {
    return this.bytes[this.skip(1)];
  }

  /** A length. */
  length(): number {
    const first = this.byte();
    if (first >>> 6 === LENGTH_ENCODED) throw this.wrong("a string's form instead of a length");
    return this.restOfLength(first);
  }

  /** A length as 64 bits, which may be any, into {@linkcode number}. */
  long(): void {
    const first = this.byte();
    if (first >>> 6 === LENGTH_ENCODED) throw this.wrong("a string's form instead of a length");
    if (first === LENGTH_64_BITS) {
      const at = this.skip(8);
      this.number.high = this.view.getInt32(at);
      this.number.low = this.view.getInt32(at + 4);
      return;
    }
    this.number.high = 0;
    this.number.low = this.restOfLength(first) | 0;
  }

  /** A number of 64 bits, the least significant byte first, into {@linkcode number}. */
  fixedLong(): void {
    const at = this.skip(8);
    this.number.low = this.view.getInt32(at, true);
    this.number.high = this.view.getInt32(at + 4, true);
  }

  /** A double. */
  double(): number {
    return this.view.getFloat64(this.skip(8), true);
  }

  /** Where the next `count` bytes start, which are then behind. */
  skip(count: number): number {
    const at = this.position;
    if (count > this.end - at) throw new RdbEndError(at);
    this.position = at + count;
    return at;
  }

  /** Reads a string into the fields of this reader; one of the `READ_` constants says which. */
  string(): number {
    const first = this.byte();
    if (first >>> 6 !== LENGTH_ENCODED) {
      this.stringLength = this.restOfLength(first);
      this.fullLength = this.stringLength;
      this.start = this.skip(this.stringLength);
      return READ_PLAIN;
    }
    switch (first & 0x3f) {
      case STRING_INT8:
        this.setNumber(this.view.getInt8(this.skip(1)));
        return READ_INTEGER;
      case STRING_INT16:
        this.setNumber(this.view.getInt16(this.skip(2), true));
        return READ_INTEGER;
      case STRING_INT32:
        this.setNumber(this.view.getInt32(this.skip(4), true));
        return READ_INTEGER;
      case STRING_LZF:
        this.stringLength = this.length();
        this.fullLength = this.length();
        this.start = this.skip(this.stringLength);
        if (
          this.fullLength > this.stringLength * LZF_GREATEST_RATIO ||
          this.fullLength > LONGEST_STRING
        ) throw this.wrong("a length that can't be");
        return READ_COMPRESSED;
      default:
        throw this.wrong("an unknown form of a string");
    }
  }

  /** Decompresses the string that was read last into `target`, which is as long as it is. */
  decompress(target: Uint8Array): void {
    const source = this.bytes.subarray(this.start, this.start + this.stringLength);
    // Redis' decompressor says 0 when it fails, which is right for a string of no bytes.
    if (target.length > 0 && !lzfDecompress(source, target)) {
      throw this.wrong("a broken compressed string");
    }
  }

  /** The error for what was read last. */
  wrong(what: string): RdbFormatError {
    return new RdbFormatError(what, this.position);
  }

  /** The error for a value without elements. */
  empty(what: string): RdbEmptyError {
    return new RdbEmptyError(what, this.position);
  }

  /** The length whose first byte is `first`. */
  private restOfLength(first: number): number {
    const kind = first >>> 6;
    if (kind === LENGTH_6_BITS) return first;
    if (kind === LENGTH_14_BITS) return ((first & 0x3f) << 8) | this.byte();
    if (first === LENGTH_32_BITS) return this.view.getUint32(this.skip(4));
    if (first !== LENGTH_64_BITS) throw this.wrong("an unknown form of a length");
    const at = this.skip(8);
    return this.view.getUint32(at) * TWO_32 + this.view.getUint32(at + 4);
  }

  /** Puts an integer of 32 bits into {@linkcode number}. */
  private setNumber(value: number): void {
    this.number.low = value;
    this.number.high = value >> 31;
  }
}
