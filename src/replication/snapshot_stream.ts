/**
 * A snapshot that is loaded while it comes from the master, without ever being kept as a whole.
 *
 * Pieces are put in at one end as the connection brings them, and read at the other as from a file. When nothing is left to read, the
 * reader waits for {@linkcode SnapshotStream.arrival} with as much as it says that it needs; when more is there than
 * {@linkcode ROOM_BYTES} and than what the reader waits for, the connection isn't read: so the master is slowed down to what this
 * server can load.
 *
 * @module
 */
import type { InputFile } from "../runtime/files.ts";

/** So much may wait to be read. */
const ROOM_BYTES = 1024 * 1024;

/** A snapshot between connection and loader; see the head of this file. */
export class SnapshotStream implements InputFile {
  /** How long it will be, or -1 if nobody knows. */
  totalBytes: number = -1;
  /** Bytes that have come. */
  receivedBytes = 0;
  /** Unix time in ms when some came last, or when somebody began to wait for some. */
  receivedMs: number;
  /** Nothing will come any more. */
  isEnded = false;
  /** All of it has come. */
  isWhole = false;
  private readonly pieces: Uint8Array[] = [];
  /** How much of the first piece has been read. */
  private from = 0;
  /** Bytes that wait to be read. */
  private waitingBytes = 0;
  /** How many the reader waits for; 0 if it doesn't wait. */
  private neededBytes = 0;
  private wakeReader: () => void = () => {};
  private wakeWriter: () => void = () => {};

  /** A snapshot that is about to come; `now` tells unix time in ms. */
  constructor(private readonly now: () => number) {
    this.receivedMs = now();
  }

  /** Bytes up to the end, which is unknown until it has come. */
  get size(): number {
    return this.isEnded ? this.receivedBytes : Infinity;
  }

  /** Whether the reader waits for more. */
  get isStarving(): boolean {
    return this.neededBytes > 0;
  }

  /** Whether all that has come has been read. */
  get isEmpty(): boolean {
    return this.waitingBytes === 0;
  }

  /** Takes bytes, which are only good during the call. */
  write(bytes: Uint8Array): void {
    this.receivedMs = this.now();
    if (bytes.length === 0 || this.isEnded) return;
    this.receivedBytes += bytes.length;
    this.waitingBytes += bytes.length;
    this.pieces.push(bytes.slice());
    if (this.neededBytes > 0 && this.waitingBytes >= this.neededBytes) this.feed();
  }

  /** Nothing comes any more; `isWhole`: since all has come. */
  end(isWhole: boolean): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.isWhole = isWhole;
    this.feed();
    this.wakeWriter();
  }

  /** Nobody wants the rest. */
  discard(): void {
    this.end(false);
  }

  /** Resolves when there is room for more. */
  room(): Promise<void> {
    if (this.hasRoom) return Promise.resolve();
    return new Promise((resolve) => this.wakeWriter = resolve);
  }

  /** Whether it takes more at present. */
  private get hasRoom(): boolean {
    return this.isEnded || this.waitingBytes < Math.max(ROOM_BYTES, this.neededBytes);
  }

  /** Resolves when so many bytes wait to be read, or nothing more will come. */
  arrival(bytes: number): Promise<void> {
    if (this.isEnded || this.waitingBytes >= bytes) return Promise.resolve();
    this.neededBytes = bytes;
    this.receivedMs = this.now();
    this.wakeWriter();
    return new Promise((resolve) => this.wakeReader = resolve);
  }

  /** Lets the reader go on. */
  private feed(): void {
    this.neededBytes = 0;
    this.wakeReader();
  }

  /** Reads what is there; 0 if that is nothing, at present or at the end. */
  read(room: Uint8Array): number {
    const [piece] = this.pieces;
    if (piece === undefined) return 0;
    const count = Math.min(room.length, piece.length - this.from);
    room.set(piece.subarray(this.from, this.from + count));
    this.from += count;
    this.waitingBytes -= count;
    if (this.from === piece.length) {
      this.pieces.shift();
      this.from = 0;
    }
    if (this.hasRoom) this.wakeWriter();
    return count;
  }

  /** Not possible. */
  seek(_position: number): void {
    throw new Error("what was read of a stream is gone");
  }

  /** Nobody reads any more. */
  close(): void {
    this.discard();
  }
}
