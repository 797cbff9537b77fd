/**
 * Freezing: the memory of the arena as it is at one instant, for a reader on another thread, while the owner goes on to write.
 *
 * **Pages.** Each page (4 KiB) of a frozen segment has a state in shared memory:
 *
 * ```text
 * PENDING   nobody has changed it since: it is read where it lies
 * ASIDE     the owner has changed it, after copying it aside: it is read there
 * DONE      the reader needs it no more: the owner may change it as it likes
 * ```
 *
 * **No locks.** The owner, before it first changes a page that is pending, copies it aside, *then* swaps PENDING for
 * ASIDE, and only then writes. The reader copies a page that seems pending, *then* swaps PENDING for PENDING or DONE. If that
 * fails, the page was changed meanwhile and may be torn, and the reader takes the copy, which is whole since
 * it was made before the swap. Swaps are of one order on all threads, and neither side's copies pass its swaps. A plain look at the state
 * before a swap only saves work.
 *
 * **Memory.** Each segment has a second one of its size aside, at the same offsets. The system gives memory only for
 * the pages that are copied; when the freezing ends it is given back as that of segments that were dropped, or used for one.
 *
 * **Segments that come and go.** What is allocated after the freezing isn't frozen. The buffer of a segment that is dropped is
 * the reader's until the end: nobody writes to it, so its pages stay as they are.
 *
 * **Cost.** For the owner, a comparison for each store; 1 to 4 us for each page that it copies. Freezing takes some 25 us a
 * segment.
 *
 * @module
 */
import {
  type Arena,
  type PageWatcher,
  SEGMENT_LIMIT,
  SEGMENT_SHIFT,
  SEGMENT_UNITS,
  UNIT_BYTES,
} from "./arena.ts";

/** Bits of a page's number that count units. */
export const PAGE_UNIT_SHIFT = 9;
/** Bytes of a page. */
export const PAGE_BYTES = 4096;
/** Bits of a page's number that count within its segment. */
export const SEGMENT_PAGE_SHIFT: number = SEGMENT_SHIFT - PAGE_UNIT_SHIFT;

/**
 * Least bytes of memory aside, however short the segment is: the system's allocator keeps shorter pieces for itself, and clears
 * them before they are used again.
 */
const ASIDE_BYTES = SEGMENT_UNITS * UNIT_BYTES;

/** Nobody has changed the page. */
export const PAGE_PENDING = 0;
/** It was copied aside. */
export const PAGE_ASIDE = 1;
/** Nobody needs it any more. */
export const PAGE_DONE = 2;

/** A segment as it was frozen. */
export interface FrozenSegment {
  /** Its number. */
  readonly number: number;
  /** Its length in units. */
  readonly units: number;
  /** Its memory. */
  readonly live: SharedArrayBuffer;
  /** Where its pages are copied to before they change. */
  readonly aside: SharedArrayBuffer;
}

/** All memory of an arena as it was frozen; goes from thread to thread as a message. */
export interface FrozenMemory {
  /** The segments, in order. */
  readonly segments: readonly FrozenSegment[];
  /** A byte for each page, of all segments up to the last. */
  readonly states: SharedArrayBuffer;
  /** Address of the first unit that no block has, in the newest segment; */
  readonly topAddress: number;
  /** how many there are from there on. */
  readonly topUnits: number;
}

/** Keeps the memory of an arena as it was when this was made, until {@linkcode FrozenPages.end}. */
export class FrozenPages implements PageWatcher {
  /** What the reader gets. */
  readonly memory: FrozenMemory;
  /** How many pages were copied aside. */
  copied = 0;
  private readonly states: Uint8Array;
  /** By segment number: the first number of the frozen segment, plus 1; 0 if it isn't frozen, or not any more. */
  private readonly frozen = new Uint16Array(SEGMENT_LIMIT + 1);
  private readonly live: (Uint8Array | null)[] = [];
  private readonly aside: (Uint8Array | null)[] = [];

  /** Freezes `arena`, which nobody else may have frozen. */
  constructor(private readonly arena: Arena) {
    const segments: FrozenSegment[] = [];
    let end = 0;
    arena.forEachSegment((number, units, live) => {
      const aside = arena.takeSpare(Math.max(live.byteLength, ASIDE_BYTES));
      segments.push({ number, units, live, aside });
      const numbers = Math.ceil(units / SEGMENT_UNITS);
      for (let tail = number; tail < number + numbers; tail++) this.frozen[tail] = number + 1;
      this.live[number] = new Uint8Array(live);
      this.aside[number] = new Uint8Array(aside);
      end = Math.max(end, number + numbers);
    });
    const states = new SharedArrayBuffer(Math.max(1, end << SEGMENT_PAGE_SHIFT));
    this.states = new Uint8Array(states);
    this.memory = { segments, states, ...arena.top };
    arena.watchPages(this);
  }

  /** Bytes of pages that were copied aside. */
  get copiedBytes(): number {
    return this.copied * PAGE_BYTES;
  }

  /** See {@linkcode PageWatcher}. */
  touch(first: number, last: number): void {
    for (let page = first; page <= last; page++) {
      if (this.frozen[page >>> SEGMENT_PAGE_SHIFT] === 0) continue;
      if (this.states[page] === PAGE_PENDING) this.keep(page);
    }
  }

  /** See {@linkcode PageWatcher}. */
  dropped(segment: number, numbers: number): void {
    this.frozen.fill(0, segment, segment + numbers);
  }

  /** The reader is done, or given up. */
  end(): void {
    this.arena.watchPages(null);
    // They serve for the next freezing, or as segments, until the collector gets them.
    for (const { aside } of this.memory.segments) this.arena.giveSpare(aside);
    this.live.length = 0;
    this.aside.length = 0;
  }

  /** Copies a page aside, unless the reader is faster. */
  private keep(page: number): void {
    const segment = this.frozen[page >>> SEGMENT_PAGE_SHIFT] - 1;
    const live = this.live[segment]!;
    const at = (page - (segment << SEGMENT_PAGE_SHIFT)) * PAGE_BYTES;
    if (at >= live.length) return;
    this.aside[segment]!.set(live.subarray(at, at + PAGE_BYTES), at);
    if (Atomics.compareExchange(this.states, page, PAGE_PENDING, PAGE_ASIDE) === PAGE_PENDING) {
      this.copied++;
    }
  }
}
