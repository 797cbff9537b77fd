/**
 * A file of any size, seen through a window of a few bytes.
 *
 * The window is a buffer whose bytes from `start` up to `end` are the next ones of the file. It moves on with
 * {@linkcode FileWindow.ensure}, which asks for bytes to look at, and with {@linkcode FileWindow.skip}, which
 * passes over those that nobody wants to see, without reading them.
 *
 * @module
 */
import { type InputFile, systemReason } from "../runtime/files.ts";

/** A file that could not be read on. */
export class FileReadError extends Error {
  /** Says what the system says. */
  constructor(reason: string) {
    super(reason);
    this.name = "FileReadError";
  }
}

/** Bytes that are read in one go, unless somebody asks for more. */
const WINDOW_BYTES = 1 << 18;

/** A file seen through a window; see the head of this file. */
export class FileWindow {
  /** The bytes that are read; those that count are between `start` and `end`. */
  bytes: Uint8Array;
  /** Where the next byte is. Whoever has looked at bytes moves it on. */
  start = 0;
  /** Behind the last byte that was read. */
  end = 0;
  /** Bytes of the file that are in front of `end`. */
  private taken: number;

  /**
   * Reads `file` from `position` up to the size it had when it was opened.
   *
   * @param onMove called with the position whenever the window moves
   */
  constructor(
    private readonly file: InputFile,
    position = 0,
    private readonly onMove: (position: number) => void = () => {},
    windowBytes = WINDOW_BYTES,
  ) {
    this.bytes = new Uint8Array(windowBytes);
    this.taken = position;
    if (position !== 0) file.seek(position);
  }

  /** Where the next byte is in the file. */
  get position(): number {
    return this.taken - (this.end - this.start);
  }

  /** Bytes of the file that are still to come. */
  get left(): number {
    return this.file.size - this.position;
  }

  /**
   * Has the next `count` bytes in the window, or all that there are; whether they are `count`.
   *
   * @throws {FileReadError}
   */
  ensure(count: number): boolean {
    return this.end - this.start >= count || this.move(count);
  }

  /** Passes over `count` bytes, or all that there are; whether they are `count`. */
  skip(count: number): boolean {
    const isWhole = count <= this.left;
    if (!isWhole) count = this.left;
    const inside = this.end - this.start;
    if (count <= inside) {
      this.start += count;
      return isWhole;
    }
    this.taken += count - inside;
    this.start = this.end = 0;
    this.file.seek(this.taken);
    this.onMove(this.taken);
    return isWhole;
  }

  /** Reads on, until `count` bytes are in the window. */
  private move(count: number): boolean {
    if (this.taken >= this.file.size) return false;
    const room = count <= this.bytes.length ? this.bytes : new Uint8Array(count);
    room.set(this.bytes.subarray(this.start, this.end));
    this.bytes = room;
    this.end -= this.start;
    this.start = 0;
    while (this.end < count && this.taken < this.file.size) {
      const size = this.read();
      if (size === 0) break;
      this.end += size;
      this.taken += size;
    }
    this.onMove(this.position);
    return this.end >= count;
  }

  /** Reads what there is room for; how many bytes came. */
  private read(): number {
    const end = Math.min(this.bytes.length, this.end + this.file.size - this.taken);
    try {
      return this.file.read(this.bytes.subarray(this.end, end));
    } catch (error) {
      throw new FileReadError(systemReason(error));
    }
  }
}
