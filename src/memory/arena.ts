/**
 * The arena: one address space of bytes in which all keys, values and indexes live.
 *
 * **Why.** A JavaScript object per key costs 100 bytes and more, and each one is work for the
 * collector. Here a million keys are a few dozen buffers, which the collector never looks into, and
 * which a worker can read while the server goes on (snapshots without `fork`).
 *
 * **Three layers.** `segments.ts`: addresses, the buffers behind them, and the one face for stores.
 * `bins.ts`: how blocks lie in a segment, and where the free ones are found. Here: blocks in use. A block
 * that no bin has is cut from the top of the newest segment, whose rest needs no header until somebody
 * else wants it. Segments start at 1 MiB and double, up to 64 MiB, so that a small server stays small.
 *
 * **Large blocks.** One that fits into no segment has one of its own, and so has one above 8 MiB while there are
 * segment numbers to spare: its memory goes back when it is freed, and nobody has to move it.
 *
 * **Giving memory back.** A segment whose last block goes is dropped. One that is nearly empty can be emptied by moving what
 * is in it: {@linkcode Arena.close} keeps new blocks out of it, {@linkcode Arena.nextBlock} walks through what is left; see
 * `evacuation.ts`.
 *
 * **Cost.** Allocating and freeing are O(1): 20 to 60 ns. A block costs 4 bytes of header, and on
 * average half a unit of rounding.
 *
 * @module
 */
import { assert } from "@std/assert";
import {
  Bins,
  KIND_MASK,
  KIND_SHIFT,
  LENGTH_SHIFT,
  MINIMUM_UNITS,
  PREVIOUS_FREE,
  USED,
} from "./bins.ts";
import {
  ArenaFullError,
  SEGMENT_LIMIT,
  SEGMENT_MASK,
  SEGMENT_OVERHEAD_UNITS,
  SEGMENT_SHIFT,
  SEGMENT_UNITS,
  UNIT_BYTES,
} from "./segments.ts";

export {
  ArenaFullError,
  type PageWatcher,
  type ReadonlyBytes,
  type ReadonlyView,
  type ReadonlyWords,
  SEGMENT_LIMIT,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  SEGMENT_UNITS,
  UNIT_BYTES,
} from "./segments.ts";

/** A block that only its owner understands, and that nobody may move. */
export const BLOCK_PLAIN = 0;
/** A keyspace entry: a key with its value or the way to it. */
export const BLOCK_ENTRY = 1;
/** The bytes of one large value, with the address of its entry. */
export const BLOCK_VALUE = 2;
/** The head of a dict. */
export const BLOCK_DICT = 3;
/** The addresses of a dict's pieces. */
export const BLOCK_DIRECTORY = 4;
/** A piece of a dict's buckets. */
export const BLOCK_BUCKETS = 5;
/** One bucket behind another. */
export const BLOCK_OVERFLOW = 6;
/** The root of a large collection; see root.ts. */
export const BLOCK_ROOT = 7;
/** A member of a set or sorted set, a field of a hash with its value; see member.ts. */
export const BLOCK_MEMBER = 8;
/** The head of a tree; see tree.ts. */
export const BLOCK_TREE = 9;
/** A node of a tree whose slots are children. */
export const BLOCK_INNER = 10;
/** A node of a tree that holds what the tree is for. */
export const BLOCK_LEAF = 11;
/** A listpack with room around it, one of many in a tree. */
export const BLOCK_CHUNK = 12;

const FIRST_SEGMENT_UNITS = 1 << 17;
const LARGE_STEP_UNITS = 1 << 17;
/** From so many words on, one `set` with its `subarray` is cheaper than copying word by word. */
const LOOPED_WORDS = 64;
/** Blocks above this get a segment of their own... */
const OWN_SEGMENT_UNITS = 1 << 20;
/** ... while no more segment numbers than this are taken. */
const OWN_SEGMENT_NUMBERS = SEGMENT_LIMIT >> 1;

/** Counts of an arena, all in bytes. */
export interface ArenaUsage {
  /** In blocks that are in use, headers included. */
  readonly usedBytes: number;
  /** In free blocks, and behind the top of the newest segment. */
  readonly freeBytes: number;
  /** In all segments. */
  readonly segmentBytes: number;
  /** How many segments there are. */
  readonly segments: number;
}

/** An allocator over segments of shared memory; see the head of this file. */
export class Arena extends Bins {
  private topAddress = 0;
  private topUnits = 0;
  /** No address from here on, up to the end of the newest segment, has ever been in use. */
  private freshAddress = 0;
  private nextSegmentUnits = FIRST_SEGMENT_UNITS;
  private outer = 0;

  /** Length in units of the block at `address`, its header included. */
  unitsOf(address: number): number {
    const units = this.mutableWords[address >>> SEGMENT_SHIFT][(address & SEGMENT_MASK) << 1] >>>
      LENGTH_SHIFT;
    return units !== 0
      ? units
      : this.segmentUnits[address >>> SEGMENT_SHIFT] - SEGMENT_OVERHEAD_UNITS;
  }

  /** What the block at `address` holds (one of the `BLOCK_` constants). */
  kindOf(address: number): number {
    const header = this.mutableWords[address >>> SEGMENT_SHIFT][(address & SEGMENT_MASK) << 1];
    return (header >>> KIND_SHIFT) & KIND_MASK;
  }

  /**
   * Takes a block of at least `units` units (header included, at least 2); its bytes behind the
   * header are not cleared.
   *
   * @throws {ArenaFullError} when there is no room.
   */
  allocate(units: number, kind: number): number {
    if (units < MINIMUM_UNITS) units = MINIMUM_UNITS;
    if (kind === BLOCK_VALUE || kind === BLOCK_ROOT) this.outer++;
    if (units > OWN_SEGMENT_UNITS && this.wantsOwnSegment(units)) {
      return this.allocateLarge(units, kind);
    }
    const free = this.takeFree(units, kind);
    if (free !== 0) return free;
    if (this.topUnits < units) this.makeRoom(units);
    const address = this.topAddress;
    // One unit alone could never be a free block: whoever leaves just one gets it too.
    if (this.topUnits - units === 1) units++;
    this.topUnits -= units;
    this.topAddress = address + units;
    if (this.topAddress > this.freshAddress) this.freshAddress = this.topAddress;
    this.count(address, units);
    const words = this.writable(address, 4);
    words[(address & SEGMENT_MASK) << 1] = (units << LENGTH_SHIFT) | (kind << KIND_SHIFT) | USED;
    return address;
  }

  /**
   * How many values lie outside of the entries that they belong to, long strings and the roots of collections; after a lack of room
   * somewhat more.
   */
  get outerValues(): number {
    return this.outer;
  }

  /**
   * Takes a block of the kind of the one at `address`, with its first `units` units.
   *
   * @throws {ArenaFullError} when there is no room.
   */
  duplicate(address: number, units: number): number {
    const copy = this.allocate(units, this.kindOf(address));
    const source = this.mutableWords[address >>> SEGMENT_SHIFT];
    const target = this.writable(copy, units * UNIT_BYTES);
    const from = (address & SEGMENT_MASK) << 1;
    const to = (copy & SEGMENT_MASK) << 1;
    const words = units << 1;
    if (words > LOOPED_WORDS) target.set(source.subarray(from + 1, from + words), to + 1);
    else for (let word = 1; word < words; word++) target[to + word] = source[from + word];
    return copy;
  }

  /** Gives the block at `address` back. */
  free(address: number): void {
    let at = (address & SEGMENT_MASK) << 1;
    let words = this.writable(address, 4);
    const header = words[at];
    assert((header & USED) !== 0, "a block is freed once");
    const kind = (header >>> KIND_SHIFT) & KIND_MASK;
    if (kind === BLOCK_VALUE || kind === BLOCK_ROOT) this.outer--;
    const segment = address >>> SEGMENT_SHIFT;
    let units = header >>> LENGTH_SHIFT;
    if (units === 0) {
      this.count(address, -this.unitsOf(address));
      this.dropLarge(segment);
      this.limitDropped();
      return;
    }
    this.count(address, -units);
    if ((header & PREVIOUS_FREE) !== 0) {
      const previousUnits = words[at - 1];
      address -= previousUnits;
      units += previousUnits;
      this.detach(address, previousUnits);
      at = (address & SEGMENT_MASK) << 1;
    }
    const next = address + units;
    if (next === this.topAddress) {
      this.topAddress = address;
      this.topUnits += units;
      return;
    }
    const nextHeader = words[at + (units << 1)];
    if ((nextHeader & USED) === 0) {
      const nextUnits = nextHeader >>> LENGTH_SHIFT;
      this.detach(next, nextUnits);
      units += nextUnits;
    }
    if (this.segmentUsed[segment] === 0 && (segment === this.closed || this.canSpare(units))) {
      this.forgetSegment(segment);
      return;
    }
    words = this.writable(address + units, 4);
    words[at + (units << 1)] |= PREVIOUS_FREE;
    this.link(address, units);
  }

  /**
   * Reads what {@linkcode free} will need of the neighbours of the first `count` of `blocks`, so that the waits for memory overlap; what is returned
   * says nothing.
   */
  readNeighbours(blocks: Int32Array, count: number): number {
    let sink = 0;
    for (let index = 0; index < count; index++) {
      const address = blocks[index];
      const words = this.mutableWords[address >>> SEGMENT_SHIFT];
      const at = (address & SEGMENT_MASK) << 1;
      const header = words[at];
      sink ^= words[at + (header >>> LENGTH_SHIFT << 1)];
      if ((header & PREVIOUS_FREE) !== 0) sink ^= words[at - (words[at - 1] << 1)];
    }
    return sink;
  }

  /** Shortens the block at `address` to `units` where that frees a block worth having. */
  shrink(address: number, units: number): void {
    if (units < MINIMUM_UNITS) units = MINIMUM_UNITS;
    const at = (address & SEGMENT_MASK) << 1;
    const words = this.writable(address, 4);
    const header = words[at];
    const rest = (header >>> LENGTH_SHIFT) - units;
    if (rest < MINIMUM_UNITS) return;
    words[at] = (units << LENGTH_SHIFT) | (header & ((1 << LENGTH_SHIFT) - 1));
    const tail = address + units;
    this.writable(tail, 4)[at + (units << 1)] = (rest << LENGTH_SHIFT) | USED;
    this.free(tail);
  }

  /** Where the newest segment has no blocks yet: the first unit, and how many. */
  get top(): { topAddress: number; topUnits: number } {
    return { topAddress: this.topAddress, topUnits: this.topUnits };
  }

  /** How much memory there is and how much of it is in use. */
  usage(): ArenaUsage {
    return {
      usedBytes: this.usedUnits * UNIT_BYTES,
      freeBytes: (this.totalUnits - this.usedUnits) * UNIT_BYTES,
      segmentBytes: this.totalUnits * UNIT_BYTES,
      segments: this.segmentUnits.reduce((count, units) => units > 0 ? count + 1 : count, 0),
    };
  }

  /** Bytes in blocks that are in use, headers included. */
  get usedBytes(): number {
    return this.usedUnits * UNIT_BYTES;
  }

  /** Bytes that the system may have given memory for: all but what was never in use. */
  get touchedBytes(): number {
    const fresh = this.topAddress + this.topUnits - this.freshAddress;
    return (this.totalUnits - fresh) * UNIT_BYTES;
  }

  /** Calls `visit` for each block in use, in the order of addresses. */
  walk(visit: (address: number, units: number, kind: number) => void): void {
    for (let segment = 0; segment < this.segmentUnits.length; segment++) {
      const length = this.segmentUnits[segment];
      if (length === 0) continue;
      const words = this.mutableWords[segment];
      let at = 1;
      const end = length - 1;
      while (at < end) {
        const address = segment * SEGMENT_UNITS + at;
        if (address === this.topAddress) {
          at += this.topUnits;
          continue;
        }
        const header = words[at << 1];
        const units = this.unitsOf(address);
        if ((header & USED) !== 0) visit(address, units, (header >>> KIND_SHIFT) & KIND_MASK);
        at += units;
      }
    }
  }

  /**
   * The segment of which the smallest share is in use, below `most` (1 is all), and for which `eligible` says yes; -1
   * for none. One that holds a single large block is none.
   */
  emptiestSegment(most: number, eligible: (segment: number) => boolean): number {
    let best = -1;
    for (let segment = 0; segment < this.segmentUnits.length; segment++) {
      if (this.segmentUnits[segment] === 0 || this.largeSegments.has(segment)) continue;
      const share = this.segmentUsed[segment] / this.touchedUnits(segment);
      if (share >= most || !eligible(segment)) continue;
      best = segment;
      most = share;
    }
    return best;
  }

  /** Keeps new blocks out of `segment` from now on; {@linkcode nextBlock} walks through it. */
  close(segment: number): void {
    assert(this.closed < 0, "one segment is closed at a time");
    this.closed = segment;
    if (this.topAddress !== 0 && this.topAddress >>> SEGMENT_SHIFT === segment) this.retireTop();
    this.rewind();
  }

  /** The segment that is closed; -1 once it is open again, or empty and gone. */
  get closedSegment(): number {
    return this.closed;
  }

  /** Starts the walk through the closed segment from its start. */
  rewind(): void {
    this.cursor = this.closed * SEGMENT_UNITS + 1;
  }

  /**
   * Goes on in the closed segment, past `limit` blocks at most, and withholds those that are free. Returns
   * the next block in use, 0 at the end of the segment (which is dropped if nothing in it is in use), or -1 if
   * it didn't get that far. Blocks may come and go between two calls.
   */
  nextBlock(limit: number): number {
    for (let looked = 0; looked < limit; looked++) {
      const address = this.cursor;
      const at = address & SEGMENT_MASK;
      if (at === this.segmentUnits[this.closed] - 1) {
        if (this.segmentUsed[this.closed] === 0) this.forgetSegment(this.closed);
        return 0;
      }
      const header = this.mutableWords[this.closed][at << 1];
      const units = header >>> LENGTH_SHIFT;
      this.cursor = address + units;
      if ((header & USED) !== 0) return address;
      this.withhold(address, units);
    }
    return -1;
  }

  /** Lets new blocks into the closed segment again; its free blocks are back once {@linkcode offerNext} says so. */
  reopen(): void {
    this.rewind();
    this.closed = -1;
  }

  /** Goes on, past `limit` blocks at most, to hang the free ones of the segment that was reopened into bins; whether that is all. */
  offerNext(limit: number): boolean {
    for (let looked = 0; looked < limit; looked++) {
      const address = this.cursor;
      // The segment has become empty meanwhile, and is gone.
      if (address === 0) return true;
      const segment = address >>> SEGMENT_SHIFT;
      const at = address & SEGMENT_MASK;
      if (at === this.segmentUnits[segment] - 1) {
        this.cursor = 0;
        return true;
      }
      const header = this.mutableWords[segment][at << 1];
      const units = header >>> LENGTH_SHIFT;
      this.cursor = address + units;
      if ((header & USED) === 0) this.offer(address, units);
    }
    return false;
  }

  /**
   * Frees all blocks but those in `kept` (in the order of addresses), without looking at each: what holds none
   * of them is dropped as a whole.
   */
  clear(kept: readonly number[]): void {
    const keptUnits = kept.map((address) => this.unitsOf(address));
    this.outer = kept.filter((address) => {
      const kind = this.kindOf(address);
      return kind === BLOCK_VALUE || kind === BLOCK_ROOT;
    }).length;
    this.forgetFree();
    this.topAddress = 0;
    this.topUnits = 0;
    this.freshAddress = 0;
    this.nextSegmentUnits = FIRST_SEGMENT_UNITS;
    this.closed = -1;
    this.cursor = 0;
    this.usedUnits = 0;
    this.segmentUsed.fill(0);
    const keptSegments = new Set(kept.map((address) => address >>> SEGMENT_SHIFT));
    this.reuseSegment(keptSegments);
    for (let segment = 0; segment < this.segmentUnits.length; segment++) {
      if (this.segmentUnits[segment] === 0 || keptSegments.has(segment)) continue;
      if (this.topUnits > 0 && this.topAddress >>> SEGMENT_SHIFT === segment) continue;
      if (this.largeSegments.has(segment)) this.dropLarge(segment);
      else this.dropSegment(segment);
    }
    for (const [index, address] of kept.entries()) this.count(address, keptUnits[index]);
    for (const segment of keptSegments) {
      if (!this.largeSegments.has(segment)) this.freeBetween(segment, kept);
    }
  }

  /**
   * Checks every block, flag, bin and count against each other.
   *
   * @throws {AssertionError} at the first thing that doesn't agree.
   */
  check(): void {
    let used = 0;
    let total = 0;
    let freeBlocks = 0;
    for (let segment = 0; segment < this.segmentUnits.length; segment++) {
      const length = this.segmentUnits[segment];
      if (length === 0) continue;
      total += length;
      const words = this.mutableWords[segment];
      let at = 1;
      let previousFree = false;
      let segmentUsed = 0;
      const end = length - 1;
      while (at < end) {
        const address = segment * SEGMENT_UNITS + at;
        if (address === this.topAddress && this.topUnits > 0) {
          assert(!previousFree, "the block before the top is in use");
          at += this.topUnits;
          continue;
        }
        const header = words[at << 1];
        const units = this.unitsOf(address);
        assert(units >= MINIMUM_UNITS && at + units <= end, `block ${address} has a length`);
        assert(((header & PREVIOUS_FREE) !== 0) === previousFree, `flag before ${address}`);
        previousFree = (header & USED) === 0;
        if (previousFree) {
          assert(words[((at + units) << 1) - 1] === units, `length behind ${address}`);
          if (!this.isWithheld(header)) freeBlocks++;
        } else segmentUsed += units;
        at += units;
      }
      assert(at === end, "blocks fill their segment");
      assert((words[end << 1] & USED) !== 0, "the sentinel is in use");
      assert(segmentUsed === this.segmentUsed[segment], `units in use of segment ${segment}`);
      used += segmentUsed;
    }
    assert(used === this.usedUnits, `units in use: ${used}, counted ${this.usedUnits}`);
    assert(total === this.totalUnits, `units in all: ${total}, counted ${this.totalUnits}`);
    const binned = this.checkBins();
    assert(binned === freeBlocks, `free blocks: ${freeBlocks}, in bins ${binned}`);
  }

  /** Starts a segment with room for `units` at its top. */
  private makeRoom(units: number): void {
    let length = this.nextSegmentUnits;
    while (length < units + SEGMENT_OVERHEAD_UNITS) length *= 2;
    const segment = this.openSegment(length, 1);
    this.mutableWords[segment][(length - 1) << 1] = (1 << LENGTH_SHIFT) | USED;
    this.retireTop();
    this.nextSegmentUnits = Math.min(SEGMENT_UNITS, Math.max(this.nextSegmentUnits, length) * 2);
    this.topAddress = segment * SEGMENT_UNITS + 1;
    this.topUnits = length - SEGMENT_OVERHEAD_UNITS;
    this.freshAddress = this.topAddress;
  }

  /** Whether a block of `units`, more than is usual, is to have a segment of its own. */
  private wantsOwnSegment(units: number): boolean {
    if (units + SEGMENT_OVERHEAD_UNITS > SEGMENT_UNITS) return true;
    let taken = 0;
    for (let number = 0; number < this.segmentUnits.length; number++) {
      if (this.segmentUnits[number] > 0 || this.largeSegments.has(number)) taken++;
    }
    return taken < OWN_SEGMENT_NUMBERS;
  }

  /** A block in a segment of its own. */
  private allocateLarge(units: number, kind: number): number {
    // Lengths that are multiples of 1 MiB let a buffer serve the next value of about the same length.
    const length = Math.ceil((units + SEGMENT_OVERHEAD_UNITS) / LARGE_STEP_UNITS) *
      LARGE_STEP_UNITS;
    if (length >= 1 << 28) throw new ArenaFullError(units);
    const segment = this.openSegment(length, Math.ceil(length / SEGMENT_UNITS));
    this.mutableWords[segment][(length - 1) << 1] = (1 << LENGTH_SHIFT) | USED;
    this.largeSegments.add(segment);
    const address = segment * SEGMENT_UNITS + 1;
    this.count(address, length - SEGMENT_OVERHEAD_UNITS);
    this.writable(address, 4)[2] = (kind << KIND_SHIFT) | USED;
    return address;
  }

  /** What is left of the top becomes a free block like any other. */
  private retireTop(): void {
    const units = this.topUnits;
    const address = this.topAddress;
    this.topUnits = 0;
    this.topAddress = 0;
    this.freshAddress = 0;
    if (units === 0) return;
    const behind = ((address & SEGMENT_MASK) + units) << 1;
    this.writable(address + units, 4)[behind] |= PREVIOUS_FREE;
    this.link(address, units);
  }

  /** Whether so much stays free without `units` that they won't be wanted back at once. */
  private canSpare(units: number): boolean {
    return this.totalUnits - this.usedUnits - units > units >>> 2;
  }

  /** Units of a segment that were in use at some time. */
  private touchedUnits(segment: number): number {
    let units = this.segmentUnits[segment] - SEGMENT_OVERHEAD_UNITS;
    if (this.topUnits > 0 && this.topAddress >>> SEGMENT_SHIFT === segment) {
      units -= this.topAddress + this.topUnits - this.freshAddress;
    }
    return Math.max(1, units);
  }

  /** Gives the memory of an ordinary segment back, whose last block has gone and in which no bin finds anything. */
  private forgetSegment(segment: number): void {
    if (segment === this.closed) this.closed = -1;
    if (segment === this.cursor >>> SEGMENT_SHIFT) this.cursor = 0;
    this.dropSegment(segment);
  }

  /** Gives a segment back that held one very large block. */
  private dropLarge(segment: number): void {
    const numbers = Math.ceil(this.segmentUnits[segment] / SEGMENT_UNITS);
    this.dropSegment(segment);
    for (let number = segment; number < segment + numbers; number++) {
      this.largeSegments.delete(number);
    }
  }

  /**
   * Makes a segment of the smallest size the top again, so that there is room for a little whatever the system says; all
   * others are to be dropped.
   */
  private reuseSegment(keptSegments: ReadonlySet<number>): void {
    const units = FIRST_SEGMENT_UNITS;
    const segment = this.segmentUnits.findIndex((length, one) =>
      length === units && !this.largeSegments.has(one) && !keptSegments.has(one)
    );
    if (segment < 0) return;
    this.topAddress = segment * SEGMENT_UNITS + 1;
    this.topUnits = units - SEGMENT_OVERHEAD_UNITS;
    this.freshAddress = this.topAddress + this.topUnits;
    const sentinel = (units - 1) << 1;
    this.writable(this.freshAddress, 4)[sentinel] = (1 << LENGTH_SHIFT) | USED;
    this.nextSegmentUnits = units * 2;
  }

  /** Makes all of a segment free but for the blocks in `kept`. */
  private freeBetween(segment: number, kept: readonly number[]): void {
    const start = segment * SEGMENT_UNITS + 1;
    const end = segment * SEGMENT_UNITS + this.segmentUnits[segment] - 1;
    let from = start;
    for (const address of kept) {
      if (address < start || address >= end) continue;
      this.freeUpTo(from, address);
      from = address + this.unitsOf(address);
    }
    this.freeUpTo(from, end);
  }

  /** Makes what lies between `from` and the block at `to` one free block. */
  private freeUpTo(from: number, to: number): void {
    const header = (to & SEGMENT_MASK) << 1;
    const words = this.writable(to, 4);
    if (to === from) words[header] &= ~PREVIOUS_FREE;
    else {
      words[header] |= PREVIOUS_FREE;
      this.link(from, to - from);
    }
  }
}
