/**
 * One direction of a simulated connection: bytes that were taken from the writer, are on their way, and wait to be read.
 *
 * They come in order, each piece at its time; what a cut takes away is the end of what is on its way. The writer gets rid of as many bytes
 * as there is room for until the reader has read them, so that who doesn't read stops who writes.
 *
 * @module
 */

/** Who writes waits until there is so much room, of all. */
const LEAST_ROOM = 0.3;

/** What comes at the end of a direction. */
export type PipeEnd = "end" | "reset";

/** What a pipe needs of the network. */
export interface PipeRoute {
  /** Whether nothing comes through now; then {@linkcode Pipe.deliver} is called when it does again. */
  isBlocked(): boolean;
  /** Calls `callback` in `ms`, whatever processes do. */
  later(ms: number, callback: () => void): void;
  /** Unix time in ms. */
  now(): number;
  /** How many ms the next piece takes. */
  delayMs(): number;
  /** How many of `count` bytes the next piece has. */
  pieceBytes(count: number): number;
  /** Bytes are about to arrive; how many of them still do before the connection is cut. */
  arriving(count: number): number;
}

/** Something on its way. */
interface Piece {
  dueMs: number;
  /** Bytes, or what comes behind the last ones. */
  content: Uint8Array | PipeEnd;
}

/** One direction; see the head of this file. */
export class Pipe {
  /** What came behind the last byte; null as long as nothing has. */
  ended: PipeEnd | null = null;
  /** Nobody reads any more: what arrives is answered with a reset. */
  abandoned = false;
  /** Bytes that were ever delivered. */
  delivered = 0;
  /** Something has come. */
  onArrival: () => void = () => {};
  /** There is room again. */
  onRoom: () => void = () => {};
  /** Bytes have come that nobody will read. */
  onUnwanted: () => void = () => {};
  private readonly flying: Piece[] = [];
  private arrived: Uint8Array[] = [];
  /** Bytes that were taken and haven't been read. */
  private held = 0;
  /** The last piece doesn't come before this. */
  private lastMs = 0;
  /** Nothing that is written from now on arrives. */
  private cutOff = false;

  /** A direction that takes up to `capacity` bytes before they are read. */
  constructor(private readonly route: PipeRoute, readonly capacity: number) {}

  /** How many bytes it would take. */
  get room(): number {
    return Math.max(0, this.capacity - this.held);
  }

  /** Whether it takes bytes now: not a few at a time, or they would come in ever smaller pieces. */
  get isWritable(): boolean {
    return this.room >= this.capacity * LEAST_ROOM;
  }

  /** Whether nothing that is written from now on arrives. */
  get isCut(): boolean {
    return this.cutOff;
  }

  /** Whether there are bytes or an end to be read. */
  get isReadable(): boolean {
    return this.arrived.length > 0 || this.ended !== null;
  }

  /** Whether bytes have come that nobody has read. */
  get hasUnread(): boolean {
    return this.arrived.length > 0;
  }

  /** Bytes on their way. */
  get inFlight(): number {
    return this.flying.reduce((sum, { content }) => sum + lengthOf(content), 0);
  }

  /** Takes a first part of `bytes`; how many. */
  take(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.room);
    if (this.cutOff) return count;
    this.held += count;
    for (let from = 0; from < count;) {
      const length = this.route.pieceBytes(count - from);
      this.fly(bytes.slice(from, from + length));
      from += length;
    }
    return count;
  }

  /** Nothing more is written: behind all bytes comes `how`. */
  end(how: PipeEnd): void {
    if (!this.cutOff) this.fly(how);
    this.cutOff = true;
  }

  /**
   * Loses all that is on its way but for the first `keep` bytes; behind them comes `how`, or nothing at all.
   */
  cut(keep: number, how: PipeEnd | null): void {
    let left = keep;
    const pieces = this.flying.splice(0);
    for (const piece of pieces) {
      const { content } = piece;
      if (typeof content === "string" || left === 0) continue;
      piece.content = content.subarray(0, left);
      left -= piece.content.length;
      this.flying.push(piece);
    }
    this.cutOff = true;
    if (how !== null) this.fly(how);
    // What is lost takes no room: who writes on is told that it is in vain.
    this.held = this.inFlight + this.unread;
    this.onRoom();
  }

  /** Hands over what is due, unless nothing comes through. */
  deliver(): void {
    let came = false;
    while (this.flying.length > 0 && this.flying[0].dueMs <= this.route.now()) {
      if (this.route.isBlocked()) break;
      const { content } = this.flying.shift()!;
      came = true;
      if (typeof content === "string") {
        if (this.ended !== "reset") this.ended = content;
        // What was not read by then is lost.
        if (content === "reset") this.forgetArrived();
      } else this.land(content);
    }
    if (came) this.onArrival();
  }

  /** Reads into `room`; how many bytes. */
  read(room: Uint8Array): number {
    let count = 0;
    while (this.arrived.length > 0 && count < room.length) {
      const [piece] = this.arrived;
      const length = Math.min(piece.length, room.length - count);
      room.set(piece.subarray(0, length), count);
      count += length;
      if (length === piece.length) this.arrived.shift();
      else this.arrived[0] = piece.subarray(length);
    }
    this.held -= count;
    if (this.isWritable) this.onRoom();
    return count;
  }

  /** Nobody reads any more. */
  abandon(): void {
    this.abandoned = true;
    this.forgetArrived();
  }

  /** Bytes that have come and that nobody has read. */
  private get unread(): number {
    return this.arrived.reduce((sum, { length }) => sum + length, 0);
  }

  private forgetArrived(): void {
    this.held -= this.unread;
    this.arrived = [];
  }

  private land(bytes: Uint8Array): void {
    // The connection may be cut by this.
    const count = this.route.arriving(bytes.length);
    this.delivered += count;
    if (this.abandoned || this.ended !== null) {
      this.held -= bytes.length;
      this.onUnwanted();
    } else if (count > 0) {
      this.arrived.push(count < bytes.length ? bytes.subarray(0, count) : bytes);
      this.held -= bytes.length - count;
    }
  }

  private fly(content: Uint8Array | PipeEnd): void {
    const { route } = this;
    this.lastMs = Math.max(this.lastMs, route.now() + route.delayMs());
    this.flying.push({ dueMs: this.lastMs, content });
    route.later(this.lastMs - route.now(), () => this.deliver());
  }
}

function lengthOf(content: Uint8Array | PipeEnd): number {
  return typeof content === "string" ? 0 : content.length;
}
