/**
 * The arena: one address space of bytes in which all keys, values and indexes live.
 *
 * **Why.** A JavaScript object per key costs 100 bytes and more, and each one is work for the
 * collector. Here a million keys are a few dozen buffers, which the collector never looks into, and
 * which a worker can read while the server goes on (snapshots without `fork`).
 *
 * **Segments.** Addresses, the buffers behind them, and the one face for stores stand in `segments.ts`.
 * Segments start at 1 MiB and double, up to 64 MiB, so that a small server stays small.
 *
 * **Blocks.** A segment is an unbroken row of blocks, ended by a sentinel. The first word (32 bits)
 * of each block is its header:
 *
 * ```text
 * bit 0      the block is in use
 * bit 1      the block before it is free (then the last word before this header is its length)
 * bits 2-3   what the block holds: BLOCK_PLAIN, BLOCK_ENTRY, BLOCK_VALUE, BLOCK_INDEX
 * bits 4-31  length in units, header included
 *
 * in use:  | header | caller's bytes ...                          |
 * free:    | header | next free | previous free | ... | length    |
 * ```
 *
 * So the arena can be walked from its start to its top, and a freed block finds both neighbours in
 * constant time. Neighbours that are free are joined at once; a segment that is wholly free is given
 * back.
 *
 * **Bins.** Free blocks below 128 units hang in a bin for their exact length. Longer ones share 16 bins for each
 * power of two; there the first few of the bin are tried, then any block of the next bin fits. Two levels of
 * bitmaps find the next bin that isn't empty. What no bin has is cut from the top of the newest
 * segment, whose rest needs no header until somebody else wants it.
 *
 * **Cost.** Allocating and freeing are O(1): 20 to 60 ns. A block costs 4 bytes of header, and on
 * average half a unit of rounding.
 *
 * @module
 */
import { assert } from "@std/assert";
import {
  ArenaFullError,
  SEGMENT_MASK,
  SEGMENT_OVERHEAD_UNITS,
  SEGMENT_SHIFT,
  SEGMENT_UNITS,
  Segments,
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

/** A block that only its owner understands. */
export const BLOCK_PLAIN = 0;
/** A keyspace entry: a key with its value or the way to it. */
export const BLOCK_ENTRY = 1;
/** The bytes of one large value, with the address of its entry. */
export const BLOCK_VALUE = 2;
/** A part of an index (directory, buckets). */
export const BLOCK_INDEX = 3;

const USED = 1;
const PREVIOUS_FREE = 2;
const KIND_SHIFT = 2;
const LENGTH_SHIFT = 4;

const SMALL_UNITS = 128;
const SMALL_SHIFT = 7;
const BINS = SMALL_UNITS + (28 - SMALL_SHIFT) * 16;
const MINIMUM_UNITS = 2;
const OWN_BIN_TRIES = 8;
const FIRST_SEGMENT_UNITS = 1 << 17;

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
export class Arena extends Segments {
  private readonly heads = new Int32Array(BINS);
  private readonly bitmap = new Int32Array((BINS + 31) >>> 5);
  private summary = 0;
  private topAddress = 0;
  private topUnits = 0;
  private nextSegmentUnits = FIRST_SEGMENT_UNITS;
  private usedUnits = 0;

  /** Length in units of the block at `address`, its header included. */
  unitsOf(address: number): number {
    return this.mutableWords[address >>> SEGMENT_SHIFT][(address & SEGMENT_MASK) << 1] >>>
      LENGTH_SHIFT;
  }

  /** What the block at `address` holds (one of the `BLOCK_` constants). */
  kindOf(address: number): number {
    const header = this.mutableWords[address >>> SEGMENT_SHIFT][(address & SEGMENT_MASK) << 1];
    return (header >>> KIND_SHIFT) & 3;
  }

  /**
   * Takes a block of at least `units` units (header included, at least 2); its bytes behind the
   * header are not cleared.
   *
   * @throws {ArenaFullError} when there is no room.
   */
  allocate(units: number, kind: number): number {
    if (units < MINIMUM_UNITS) units = MINIMUM_UNITS;
    let address = 0;
    if (this.summary !== 0) {
      if (units < SMALL_UNITS) {
        address = this.heads[units];
        if (address !== 0) {
          this.unlink(address, units);
          this.claim(address, units, units, kind);
          return address;
        }
        address = this.takeFrom(units + 1, units, kind);
      } else {
        address = this.takeLarge(units, kind);
      }
      if (address !== 0) return address;
    }
    if (this.topUnits < units) {
      const large = this.makeRoom(units, kind);
      if (large !== 0) return large;
    }
    address = this.topAddress;
    // One unit alone could never be a free block: whoever leaves just one gets it too.
    if (this.topUnits - units === 1) units++;
    this.topUnits -= units;
    this.topAddress = address + units;
    this.usedUnits += units;
    const words = this.writable(address, 4);
    words[(address & SEGMENT_MASK) << 1] = (units << LENGTH_SHIFT) | (kind << KIND_SHIFT) | USED;
    return address;
  }

  /** Gives the block at `address` back. */
  free(address: number): void {
    let at = (address & SEGMENT_MASK) << 1;
    let words = this.writable(address, 4);
    const header = words[at];
    assert((header & USED) !== 0, "a block is freed once");
    let units = header >>> LENGTH_SHIFT;
    this.usedUnits -= units;
    const segment = address >>> SEGMENT_SHIFT;
    if (this.largeSegments.size !== 0 && this.largeSegments.has(segment)) {
      this.dropLarge(segment);
      return;
    }
    if ((header & PREVIOUS_FREE) !== 0) {
      const previousUnits = words[at - 1];
      address -= previousUnits;
      units += previousUnits;
      this.unlink(address, previousUnits);
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
      this.unlink(next, nextUnits);
      units += nextUnits;
    }
    if (units === this.segmentUnits[segment] - SEGMENT_OVERHEAD_UNITS && this.canSpare(units)) {
      this.dropSegment(segment);
      return;
    }
    words = this.writable(address + units, 4);
    words[at + (units << 1)] |= PREVIOUS_FREE;
    this.link(address, units);
  }

  /** Shortens the block at `address` to `units` where that frees a block worth having. */
  shrink(address: number, units: number): void {
    if (units < MINIMUM_UNITS) units = MINIMUM_UNITS;
    const at = (address & SEGMENT_MASK) << 1;
    const words = this.writable(address, 4);
    const header = words[at];
    const rest = (header >>> LENGTH_SHIFT) - units;
    if (rest < MINIMUM_UNITS || this.largeSegments.has(address >>> SEGMENT_SHIFT)) return;
    words[at] = (units << LENGTH_SHIFT) | (header & ((1 << LENGTH_SHIFT) - 1));
    const tail = address + units;
    this.writable(tail, 4)[at + (units << 1)] = (rest << LENGTH_SHIFT) | USED;
    this.free(tail);
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
        const units = header >>> LENGTH_SHIFT;
        if ((header & USED) !== 0) visit(address, units, (header >>> KIND_SHIFT) & 3);
        at += units;
      }
    }
  }

  /**
   * Checks every block, flag, bin and count against each other.
   *
   * @throws {AssertionError} at the first thing that doesn't agree.
   */
  check(): void {
    let used = 0;
    let free = 0;
    let total = 0;
    let freeBlocks = 0;
    for (let segment = 0; segment < this.segmentUnits.length; segment++) {
      const length = this.segmentUnits[segment];
      if (length === 0) continue;
      total += length;
      const words = this.mutableWords[segment];
      let at = 1;
      let previousFree = false;
      const end = length - 1;
      while (at < end) {
        const address = segment * SEGMENT_UNITS + at;
        if (address === this.topAddress && this.topUnits > 0) {
          assert(!previousFree, "the block before the top is in use");
          at += this.topUnits;
          continue;
        }
        const header = words[at << 1];
        const units = header >>> LENGTH_SHIFT;
        assert(units >= MINIMUM_UNITS && at + units <= end, `block ${address} has a length`);
        assert(((header & PREVIOUS_FREE) !== 0) === previousFree, `flag before ${address}`);
        previousFree = (header & USED) === 0;
        if (previousFree) {
          assert(words[((at + units) << 1) - 1] === units, `length behind ${address}`);
          free += units;
          freeBlocks++;
        } else used += units;
        at += units;
      }
      assert(at === end, "blocks fill their segment");
      assert((words[end << 1] & USED) !== 0, "the sentinel is in use");
    }
    assert(used === this.usedUnits, `units in use: ${used}, counted ${this.usedUnits}`);
    assert(total === this.totalUnits, `units in all: ${total}, counted ${this.totalUnits}`);
    let binned = 0;
    for (let bin = 0; bin < BINS; bin++) {
      let previous = 0;
      const marked = (this.bitmap[bin >>> 5] & (1 << (bin & 31))) !== 0;
      assert(marked === (this.heads[bin] !== 0), `bitmap of bin ${bin}`);
      for (let address = this.heads[bin]; address !== 0;) {
        const words = this.mutableWords[address >>> SEGMENT_SHIFT];
        const at = (address & SEGMENT_MASK) << 1;
        assert(binOf(words[at] >>> LENGTH_SHIFT) === bin, `block ${address} is in its bin`);
        assert(words[at + 2] === previous, `link back of ${address}`);
        previous = address;
        address = words[at + 1];
        binned++;
      }
    }
    assert(binned === freeBlocks, `free blocks: ${freeBlocks}, in bins ${binned}`);
    assert(free >= 0);
  }

  /** Cuts `units` from a block of the first bin at or behind `bin` that has one; 0 if none has. */
  private takeFrom(bin: number, units: number, kind: number): number {
    if (bin >= BINS) return 0;
    let word = bin >>> 5;
    let bits = this.bitmap[word] & (-1 << (bin & 31));
    if (bits === 0) {
      // A shift by 32 is one by 0 in JavaScript: the last word has no words behind it.
      const behind = word === 31 ? 0 : this.summary & (-1 << (word + 1));
      if (behind === 0) return 0;
      word = 31 - Math.clz32(behind & -behind);
      bits = this.bitmap[word];
    }
    const found = (word << 5) + 31 - Math.clz32(bits & -bits);
    const address = this.heads[found];
    const length = this.unitsOf(address);
    this.unlink(address, length);
    this.claim(address, length, units, kind);
    return address;
  }

  /** Cuts `units`, too many for a bin of one length, from a free block; 0 if none is long enough. */
  private takeLarge(units: number, kind: number): number {
    const bin = binOf(units);
    let address = this.heads[bin];
    for (let tries = 0; address !== 0 && tries < OWN_BIN_TRIES; tries++) {
      const length = this.unitsOf(address);
      if (length >= units) {
        this.unlink(address, length);
        this.claim(address, length, units, kind);
        return address;
      }
      address = this.mutableWords[address >>> SEGMENT_SHIFT][((address & SEGMENT_MASK) << 1) + 1];
    }
    return this.takeFrom(bin + 1, units, kind);
  }

  /** Turns the free block of `length` units, in no bin, into one in use, and frees what it can spare. */
  private claim(address: number, length: number, units: number, kind: number): void {
    const at = (address & SEGMENT_MASK) << 1;
    const words = this.writable(address, 4);
    const rest = length - units;
    const flags = (kind << KIND_SHIFT) | USED;
    if (rest < MINIMUM_UNITS) {
      words[at] = (length << LENGTH_SHIFT) | flags;
      this.writable(address + length, 4)[at + (length << 1)] &= ~PREVIOUS_FREE;
      this.usedUnits += length;
      return;
    }
    words[at] = (units << LENGTH_SHIFT) | flags;
    this.usedUnits += units;
    this.link(address + units, rest);
  }

  /** Writes a free block's own words and hangs it into its bin. */
  private link(address: number, units: number): void {
    const at = (address & SEGMENT_MASK) << 1;
    const words = this.writable(address, 12);
    const bin = binOf(units);
    const head = this.heads[bin];
    words[at] = units << LENGTH_SHIFT;
    words[at + 1] = head;
    words[at + 2] = 0;
    this.writable(address + units - 1, 8)[at + (units << 1) - 1] = units;
    if (head !== 0) {
      this.writable(head, 12)[((head & SEGMENT_MASK) << 1) + 2] = address;
    } else {
      this.bitmap[bin >>> 5] |= 1 << (bin & 31);
      this.summary |= 1 << (bin >>> 5);
    }
    this.heads[bin] = address;
  }

  /** Takes a free block out of its bin. */
  private unlink(address: number, units: number): void {
    const at = (address & SEGMENT_MASK) << 1;
    const words = this.mutableWords[address >>> SEGMENT_SHIFT];
    const next = words[at + 1];
    const previous = words[at + 2];
    if (next !== 0) this.writable(next, 12)[((next & SEGMENT_MASK) << 1) + 2] = previous;
    if (previous !== 0) {
      this.writable(previous, 12)[((previous & SEGMENT_MASK) << 1) + 1] = next;
      return;
    }
    const bin = binOf(units);
    this.heads[bin] = next;
    if (next === 0) {
      const left = this.bitmap[bin >>> 5] &= ~(1 << (bin & 31));
      if (left === 0) this.summary &= ~(1 << (bin >>> 5));
    }
  }

  /**
   * Starts a segment with room for `units` at its top, and returns 0; or, for a block that no
   * ordinary segment holds, returns that block in a segment of its own.
   */
  private makeRoom(units: number, kind: number): number {
    if (units + SEGMENT_OVERHEAD_UNITS > SEGMENT_UNITS) return this.allocateLarge(units, kind);
    let length = this.nextSegmentUnits;
    while (length < units + SEGMENT_OVERHEAD_UNITS) length *= 2;
    const segment = this.openSegment(length, 1);
    this.mutableWords[segment][(length - 1) << 1] = (1 << LENGTH_SHIFT) | USED;
    this.retireTop();
    this.nextSegmentUnits = Math.min(SEGMENT_UNITS, Math.max(this.nextSegmentUnits, length) * 2);
    this.topAddress = segment * SEGMENT_UNITS + 1;
    this.topUnits = length - SEGMENT_OVERHEAD_UNITS;
    return 0;
  }

  /** A block in a segment of its own. */
  private allocateLarge(units: number, kind: number): number {
    const length = units + SEGMENT_OVERHEAD_UNITS;
    if (length >= 1 << 28) throw new ArenaFullError(units);
    const segment = this.openSegment(length, Math.ceil(length / SEGMENT_UNITS));
    this.mutableWords[segment][(length - 1) << 1] = (1 << LENGTH_SHIFT) | USED;
    this.largeSegments.add(segment);
    const address = segment * SEGMENT_UNITS + 1;
    this.writable(address, 4)[2] = (units << LENGTH_SHIFT) | (kind << KIND_SHIFT) | USED;
    this.usedUnits += units;
    return address;
  }

  /** What is left of the top becomes a free block like any other. */
  private retireTop(): void {
    const units = this.topUnits;
    const address = this.topAddress;
    this.topUnits = 0;
    this.topAddress = 0;
    if (units === 0) return;
    const behind = ((address & SEGMENT_MASK) + units) << 1;
    this.writable(address + units, 4)[behind] |= PREVIOUS_FREE;
    this.link(address, units);
  }

  /** Whether so much stays free without `units` that they won't be wanted back at once. */
  private canSpare(units: number): boolean {
    return this.totalUnits - this.usedUnits - units > units >>> 2;
  }

  /** Gives a segment back that held one very large block. */
  private dropLarge(segment: number): void {
    const numbers = Math.ceil(this.segmentUnits[segment] / SEGMENT_UNITS);
    this.dropSegment(segment);
    for (let number = segment; number < segment + numbers; number++) {
      this.largeSegments.delete(number);
    }
  }
}

/** The bin in which a free block of `units` hangs. */
function binOf(units: number): number {
  if (units < SMALL_UNITS) return units;
  const power = 31 - Math.clz32(units);
  return SMALL_UNITS + ((power - SMALL_SHIFT) << 4) + ((units >>> (power - 4)) & 15);
}
