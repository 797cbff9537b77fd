/**
 * Segments: the memory under the arena, and the one face for reading and storing in it.
 *
 * **Addresses.** An address counts units of 8 bytes and is below 2^31, so that it stays a small
 * integer in V8. Its upper bits name a segment (one `SharedArrayBuffer` of up to 64 MiB), its lower 23
 * bits a unit in it. A value larger than a segment gets a longer buffer of its own that takes as many
 * segment numbers as it needs, and is always reached from its first address: no object spans two
 * buffers. Address 0 is nothing.
 *
 * **Stores.** Code outside reads through {@linkcode Segments.words}, {@linkcode Segments.bytes} and
 * {@linkcode Segments.views}, which are read-only to the type checker, and gets something writable only
 * from {@linkcode Segments.writable} and its siblings, which first touch the pages about to change. While
 * a snapshot runs, touching copies a page aside before its first change.
 *
 * @module
 */

/** Bytes in one unit of address. */
export const UNIT_BYTES = 8;
/** Bits of an address that count units within a segment. */
export const SEGMENT_SHIFT = 23;
/** Units that one segment number stands for (64 MiB). */
export const SEGMENT_UNITS = 1 << SEGMENT_SHIFT;
/** Picks the unit within a segment out of an address. */
export const SEGMENT_MASK = SEGMENT_UNITS - 1;
/** How many segment numbers there are: 16 GiB in all. */
export const SEGMENT_LIMIT = 1 << (31 - SEGMENT_SHIFT);

/** One unit at the start (so that no block has address 0) and one for the sentinel. */
export const SEGMENT_OVERHEAD_UNITS = 2;
const PAGE_SHIFT = 9;
/** When a dropped segment hasn't left after so many questions, the next one is let go, too. */
const PATIENCE = 3;
/** After so many, it isn't waited for any more. */
const QUESTIONS = 20;
/** Above so many bytes, segments of large values that were freed don't wait for each other to leave. */
const DROPPED_LIMIT = 256 * 1024 * 1024;

/** 32-bit words that can be read but not stored to. */
export interface ReadonlyWords {
  /** Element by index. */
  readonly [index: number]: number;
  /** Number of words. */
  readonly length: number;
}

/** Bytes that can be read but not stored to. */
export interface ReadonlyBytes {
  /** Element by index. */
  readonly [index: number]: number;
  /** Number of bytes. */
  readonly length: number;
}

/** The reading half of a `DataView`. */
export type ReadonlyView = Pick<
  DataView,
  | "getInt32"
  | "getUint8"
  | "getInt16"
  | "getUint16"
  | "getBigUint64"
  | "getFloat64"
  | "getUint32"
  | "byteLength"
>;

/** Told about pages just before they change; a snapshot is one. */
export interface PageWatcher {
  /** Pages `first` to `last` (4 KiB each, numbered through all segments) are about to change. */
  touch(first: number, last: number): void;
  /** The segment with the first number `segment`, which takes `numbers` of them, is gone; nobody writes to its buffer any more. */
  dropped(segment: number, numbers: number): void;
}

/** No room is left: the address space is used up, or the system gave no memory. */
export class ArenaFullError extends Error {
  /** Makes the error for a request of `units`. */
  constructor(units: number) {
    super(`no room for ${units * UNIT_BYTES} bytes in the arena`);
    this.name = "ArenaFullError";
  }
}

const EMPTY_BUFFER = new SharedArrayBuffer(0);

/** Buffers of shared memory under one address space; see the head of this file. */
export class Segments {
  /** {@linkcode Segments.words}, to be stored to after a touch. */
  protected readonly mutableWords: Int32Array[] = [];
  /** {@linkcode Segments.bytes}, to be stored to after a touch. */
  protected readonly mutableBytes: Uint8Array[] = [];
  /** {@linkcode Segments.views}, to be stored to after a touch. */
  protected readonly mutableViews: DataView[] = [];
  /** Each segment as 32-bit words; word `(address & SEGMENT_MASK) * 2` is a block's header. */
  readonly words: readonly ReadonlyWords[] = this.mutableWords;
  /** Each segment as bytes. */
  readonly bytes: readonly ReadonlyBytes[] = this.mutableBytes;
  /** Each segment as a view for unaligned access. */
  readonly views: readonly ReadonlyView[] = this.mutableViews;

  /** Length in units of each segment's buffer; 0 for a number that is free or a large one's tail. */
  protected readonly segmentUnits: number[] = [];
  /** Numbers of the segments that hold one very large block each. */
  protected readonly largeSegments: Set<number> = new Set();
  /** Units in all segments. */
  protected totalUnits = 0;
  private watcher: PageWatcher | null = null;
  /** Buffers of dropped segments, whose memory hasn't gone back to the system yet. */
  private readonly dropped: SharedArrayBuffer[] = [];
  /** The same of segments that were dropped while somebody watches. */
  private readonly withheldBuffers: SharedArrayBuffer[] = [];
  /** Bytes of those that nobody holds any more, which the collector hasn't found out yet. */
  private leavingBytes = 0;
  /** How often somebody has asked since one was let go. */
  private waited = 0;
  private readonly left = new FinalizationRegistry<number>((bytes) => this.leavingBytes -= bytes);

  /** Has `watcher` told of each page before it changes, or nobody with `null`. */
  watchPages(watcher: PageWatcher | null): void {
    this.watcher = watcher;
    if (watcher !== null) return;
    this.dropped.push(...this.withheldBuffers);
    this.withheldBuffers.length = 0;
  }

  /** Memory of `byteLength` bytes that holds anything, for who copies pages aside; {@linkcode giveSpare} takes it back. */
  takeSpare(byteLength: number): SharedArrayBuffer {
    return this.takeBuffer(byteLength / UNIT_BYTES);
  }

  /** Memory that the next segment may have, or that goes back to the system with {@linkcode releaseDropped}. */
  giveSpare(memory: SharedArrayBuffer): void {
    this.dropped.push(memory);
  }

  /** Whether somebody watches the pages (a snapshot runs). */
  get watched(): boolean {
    return this.watcher !== null;
  }

  /** Tells the watcher which pages are about to change. */
  private touch(address: number, byteLength: number): void {
    const last = address + ((byteLength + 7) >>> 3) - 1;
    this.watcher!.touch(address >>> PAGE_SHIFT, last >>> PAGE_SHIFT);
  }

  /** The words of the segment of `address`, of which `byteLength` bytes from there may be stored to. */
  writable(address: number, byteLength: number): Int32Array {
    if (this.watcher !== null) this.touch(address, byteLength);
    return this.mutableWords[address >>> SEGMENT_SHIFT];
  }

  /** The bytes of the segment of `address`, of which `byteLength` from there may be stored to. */
  writableBytes(address: number, byteLength: number): Uint8Array {
    if (this.watcher !== null) this.touch(address, byteLength);
    return this.mutableBytes[address >>> SEGMENT_SHIFT];
  }

  /**
   * As {@linkcode writableBytes}, where `byteLength` bytes may be stored to from `start` bytes behind
   * `address` on: for a part of a large block.
   */
  writableBytesBehind(address: number, start: number, byteLength: number): Uint8Array {
    if (this.watcher !== null) this.touch(address + (start >>> 3), byteLength + (start & 7));
    return this.mutableBytes[address >>> SEGMENT_SHIFT];
  }

  /** A view of the segment of `address`, in which `byteLength` bytes from there may be stored to. */
  writableView(address: number, byteLength: number): DataView {
    if (this.watcher !== null) this.touch(address, byteLength);
    return this.mutableViews[address >>> SEGMENT_SHIFT];
  }

  /** The bytes `start` to `start + length` behind `address`, without copying; only to be read. */
  slice(address: number, start: number, length: number): Uint8Array {
    const from = (address & SEGMENT_MASK) * UNIT_BYTES + start;
    return this.mutableBytes[address >>> SEGMENT_SHIFT].subarray(from, from + length);
  }

  /** Makes a segment of `units` that takes `numbers` segment numbers; returns the first. */
  protected openSegment(units: number, numbers: number): number {
    const segment = this.findNumbers(numbers);
    if (segment < 0) throw new ArenaFullError(units);
    const buffer = this.takeBuffer(units);
    for (let number = segment; number < segment + numbers; number++) {
      this.install(number, number === segment ? buffer : EMPTY_BUFFER);
      this.segmentUnits[number] = number === segment ? units : 0;
      if (number > segment) this.largeSegments.add(number);
    }
    this.totalUnits += units;
    return segment;
  }

  /** Memory for a segment of `units`: of one that was dropped just now, or new. */
  private takeBuffer(units: number): SharedArrayBuffer {
    const dropped = this.dropped.findIndex((buffer) => buffer.byteLength === units * UNIT_BYTES);
    if (dropped >= 0) return this.dropped.splice(dropped, 1)[0];
    try {
      return new SharedArrayBuffer(units * UNIT_BYTES);
    } catch {
      throw new ArenaFullError(units);
    }
  }

  /** The first of `numbers` free segment numbers in a row, or -1. */
  private findNumbers(numbers: number): number {
    let run = 0;
    for (let number = 0; number < SEGMENT_LIMIT; number++) {
      const taken = (this.segmentUnits[number] ?? 0) > 0 || this.largeSegments.has(number);
      run = taken ? 0 : run + 1;
      if (run === numbers) return number - numbers + 1;
    }
    return -1;
  }

  /** Makes `buffer` the memory of segment `number`. */
  private install(number: number, buffer: SharedArrayBuffer): void {
    while (this.mutableWords.length < number) {
      const gap = this.mutableWords.length;
      this.segmentUnits[gap] = 0;
      this.install(gap, EMPTY_BUFFER);
    }
    this.mutableWords[number] = new Int32Array(buffer);
    this.mutableBytes[number] = new Uint8Array(buffer);
    this.mutableViews[number] = new DataView(buffer);
  }

  /** Calls `visit` for each segment with its first number, its length in units and its memory. */
  forEachSegment(visit: (number: number, units: number, memory: SharedArrayBuffer) => void): void {
    for (const [number, units] of this.segmentUnits.entries()) {
      if (units > 0) visit(number, units, this.mutableWords[number].buffer as SharedArrayBuffer);
    }
  }

  /** Has numbers of segments up to `count`, without memory, for somebody who only reads. */
  protected reserveNumbers(count: number): void {
    if (count > 0) this.install(count - 1, EMPTY_BUFFER);
  }

  /** Makes `memory` that of segment `number`, for somebody who only reads. */
  protected installMemory(number: number, memory: SharedArrayBuffer): void {
    this.install(number, memory);
  }

  /** Takes the memory of segment `number` away from somebody who only reads. */
  protected discard(number: number): void {
    if (this.mutableWords[number] !== undefined) this.install(number, EMPTY_BUFFER);
  }

  /** Takes a segment out; its memory goes back to the system with {@linkcode releaseDropped}. */
  protected dropSegment(segment: number): void {
    const buffer = this.mutableWords[segment].buffer as SharedArrayBuffer;
    // Who watches may still read it.
    if (this.watcher === null) this.dropped.push(buffer);
    else this.withheldBuffers.push(buffer);
    const numbers = Math.ceil(this.segmentUnits[segment] / SEGMENT_UNITS);
    this.watcher?.dropped(segment, numbers);
    this.totalUnits -= this.segmentUnits[segment];
    this.segmentUnits[segment] = 0;
    this.install(segment, EMPTY_BUFFER);
  }

  /** Bytes of dropped segments that the process still holds, but for the one that is leaving. */
  get droppedBytes(): number {
    return this.dropped.reduce((bytes, buffer) => bytes + buffer.byteLength, 0);
  }

  /**
   * Lets the collector have one dropped segment, after the one before it has really gone. Whether there is one
   * on its way, so that it would be good if the collector ran: it frees shared memory only as a whole buffer, and
   * doesn't run for its sake. One at a time, since unmapping 64 MiB takes some ms.
   */
  releaseDropped(): boolean {
    this.waited++;
    // Somebody may hold one for long, such as a read that a client leaves hanging; others go on.
    const next = this.leavingBytes === 0 || this.waited >= PATIENCE;
    if (next && this.dropped.length > 0) this.letGo();
    return this.leavingBytes > 0 && this.waited < QUESTIONS;
  }

  /** Large values that come and go fast mustn't pile up: better a pause than no memory. */
  protected limitDropped(): void {
    while (this.dropped.length > 1 && this.droppedBytes > DROPPED_LIMIT) this.letGo();
  }

  /** Holds the dropped buffer that has waited for longest no more. */
  private letGo(): void {
    const buffer = this.dropped.shift()!;
    this.left.register(buffer, buffer.byteLength);
    this.leavingBytes += buffer.byteLength;
    this.waited = 0;
  }
}
