/**
 * The other end of a connection, as long as it is talked to line by line.
 *
 * Who waits for it too long closes it: what waits then is rejected.
 *
 * @module
 */
import type { Connection } from "../runtime/sockets.ts";

const FIRST_BYTES = 16 * 1024;
/** A longer line is none of this protocol. */
const LONGEST_LINE_BYTES = 1024;
const LF = 10;
const CR = 13;

const decoder = new TextDecoder();

/** The peer can't be talked to: it has gone, or isn't what it should be. */
export class PeerError extends Error {
  /** Says why. */
  constructor(reason: string) {
    super(reason);
    this.name = "PeerError";
  }
}

/** A connection that is read line by line, or in pieces. */
export class Peer {
  /** What has come and wasn't read: from `from` up to `end`. */
  private bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES);
  private from = 0;
  private end = 0;

  /** Talks through `connection`; `heard` is told how many bytes have come, each time that some have. */
  constructor(readonly connection: Connection, private readonly heard: (count: number) => void) {}

  /** What has come and wasn't read; good until the next call. */
  get rest(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(this.from, this.end);
  }

  /**
   * Sends all of `bytes`.
   *
   * @throws {PeerError} if the peer has gone.
   */
  async write(bytes: Uint8Array): Promise<void> {
    let from = 0;
    while (from < bytes.length) {
      from += await this.guard(this.connection.write(bytes.subarray(from)));
    }
  }

  /**
   * The next line, without its end.
   *
   * @throws {PeerError} if the peer has gone, or sends what is no line.
   */
  async line(): Promise<string> {
    let searched = this.from;
    for (;;) {
      const at = this.bytes.subarray(0, this.end).indexOf(LF, searched);
      if (at >= 0) {
        const end = at > this.from && this.bytes[at - 1] === CR ? at - 1 : at;
        const line = decoder.decode(this.bytes.subarray(this.from, end));
        this.from = at + 1;
        return line;
      }
      if (this.end - this.from > LONGEST_LINE_BYTES) {
        throw new PeerError("it sends what is no line of this protocol");
      }
      searched = this.end;
      const gone = this.from;
      await this.readMore();
      searched -= gone - this.from;
    }
  }

  /**
   * Reads into `room` what has come, or comes next; how many bytes.
   *
   * @throws {PeerError} if the peer has gone.
   */
  async read(room: Uint8Array): Promise<number> {
    const there = Math.min(room.length, this.end - this.from);
    if (there > 0) {
      room.set(this.bytes.subarray(this.from, this.from + there));
      this.from += there;
      return there;
    }
    return await this.readInto(room);
  }

  /** Reads behind what is there. */
  private async readMore(): Promise<void> {
    if (this.from > 0) {
      this.bytes.copyWithin(0, this.from, this.end);
      this.end -= this.from;
      this.from = 0;
    }
    this.end += await this.readInto(this.bytes.subarray(this.end));
  }

  /** Reads what comes next. */
  private async readInto(room: Uint8Array): Promise<number> {
    const count = await this.guard(this.connection.read(room));
    if (count === null) throw new PeerError("connection lost");
    this.heard(count);
    return count;
  }

  /** What a read or a write gives; its failure as a {@linkcode PeerError}. */
  private async guard<T>(done: Promise<T>): Promise<T> {
    try {
      return await done;
    } catch (error) {
      throw new PeerError(error instanceof Error ? error.message : String(error));
    }
  }
}
