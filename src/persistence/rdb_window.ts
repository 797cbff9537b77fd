/**
 * A window over a file that is longer than memory should be: the part of it that is being read.
 *
 * Whoever reads takes one *item* after the other (a key with its value, say). An item that reaches beyond the window throws
 * {@linkcode RdbEndError}; then {@linkcode RdbWindow.slide} moves the window on to where this item starts, and it is
 * read again from its start. A window grows until an item fits, so it is as long as the longest value at most, and
 * reading an item again costs as much again in all.
 *
 * The checksum is carried on over what is behind, at each slide.
 *
 * @module
 */
import { Int64 } from "../protocol/integers.ts";
import type { InputFile } from "../runtime/files.ts";
import { updateCrc64 } from "./crc64.ts";
import { RdbReader } from "./rdb_reader.ts";

/** Length of a window for most files. */
const WINDOW_BYTES = 1024 * 1024;
/** The longest: typed arrays aren't longer everywhere. */
const WINDOW_LIMIT = 0x7fffffff;

/** A part of a file; see the head of this file. */
export class RdbWindow {
  /** Reads the window. */
  reader: RdbReader;
  /** The checksum of what is behind the last slide. */
  readonly crc: Int64 = new Int64();
  /** Whether it is worked out. */
  checks = true;
  private bytes: Uint8Array<ArrayBuffer>;
  /** Where the window starts in the file, */
  private start: number;
  /** and how much of the window the checksum has. */
  private summed = 0;

  /** The window at the start of `file`, or at `position`, which the file must have been sought to. */
  constructor(private readonly file: InputFile, position = 0) {
    this.start = position;
    this.bytes = new Uint8Array(Math.max(1, Math.min(WINDOW_BYTES, file.size - position)));
    this.reader = new RdbReader(this.bytes, 0, this.fill(0));
  }

  /** The memory that the window is in. */
  get memory(): Uint8Array<ArrayBuffer> {
    return this.bytes;
  }

  /** Where in the file the next byte is read. */
  get position(): number {
    return this.start + this.reader.position;
  }

  /** Bytes of the file. */
  get size(): number {
    return this.file.size;
  }

  /** Whether the file is still being written to, and nobody knows yet how long it will be. */
  get isGrowing(): boolean {
    return this.file.size === Infinity;
  }

  /** Bytes of the window, from the next one on. */
  get left(): number {
    return this.reader.end - this.reader.position;
  }

  /**
   * Moves the window on, so that it starts with byte `item` of it and has more behind; false if there is no more in the file, at present if that
   * is growing.
   * The reader is another one then.
   */
  slide(item: number): boolean {
    const { reader } = this;
    const left = reader.end - item;
    if (this.start + reader.end >= this.file.size) return false;
    this.sumUp(item);
    let { bytes } = this;
    // An item that fills half of the window may well fill all of it.
    if (left > bytes.length >>> 1) {
      if (bytes.length >= WINDOW_LIMIT) throw reader.wrong("a value that is too long");
      bytes = new Uint8Array(Math.min(WINDOW_LIMIT, bytes.length * 2));
      bytes.set(this.bytes.subarray(item, reader.end));
    } else bytes.copyWithin(0, item, reader.end);
    this.bytes = bytes;
    this.start += item;
    this.summed = 0;
    const end = this.fill(left);
    this.reader = new RdbReader(bytes, 0, end);
    return end > left;
  }

  /** Carries the checksum on to byte `end` of the window. */
  sumUp(end: number): void {
    if (this.checks) updateCrc64(this.crc, this.bytes, this.summed, end);
    this.summed = end;
  }

  /** Reads as much as there is room for behind byte `from` of the window; where that ends. */
  private fill(from: number): number {
    let end = from;
    while (end < this.bytes.length) {
      const count = this.file.read(this.bytes.subarray(end));
      if (count === 0) break;
      end += count;
    }
    return end;
  }
}
