/**
 * Bins: the free blocks of the arena, by their length.
 *
 * **Blocks.** A segment is an unbroken row of blocks, ended by a sentinel. The first word (32 bits)
 * of each block is its header:
 *
 * ```text
 * bit 0      the block is in use
 * bit 1      the block before it is free (then the last word before this header is its length)
 * bits 2-7   what the block holds: BLOCK_PLAIN, BLOCK_ENTRY, ...; of a free one, whether it is withheld
 * bits 8-31  length in units, header included; 0: the block is too long for a segment and has its own
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
 * **Withheld blocks.** When a segment is to be emptied, nothing new may go into it. Its free blocks are taken out of
 * their bins and marked as withheld, and what is freed in it from then on is withheld at once. The mark
 * stands in each block, so blocks of both kinds can be neighbours and joined at any time.
 *
 * @module
 */
import { assert } from "@std/assert";
import { SEGMENT_LIMIT, SEGMENT_MASK, SEGMENT_SHIFT, Segments } from "./segments.ts";

/** Bit of a header: the block is in use. */
export const USED = 1;
/** Bit of a header: the block before it is free. */
export const PREVIOUS_FREE = 2;
/** How far a header is shifted to have the kind in its lowest bits. */
export const KIND_SHIFT = 2;
/** Picks the kind out of a shifted header. */
export const KIND_MASK = 0x3f;
/** How far a header is shifted to have the length. */
export const LENGTH_SHIFT = 8;
/** Units of the smallest block. */
export const MINIMUM_UNITS = 2;
/** Bit of a free block's header: it hangs in no bin. */
const WITHHELD = 4;

const SMALL_UNITS = 128;
const SMALL_SHIFT = 7;
const BINS = SMALL_UNITS + (28 - SMALL_SHIFT) * 16;
const OWN_BIN_TRIES = 8;

/** The free blocks over segments of shared memory; see the head of this file. */
export class Bins extends Segments {
  private readonly heads = new Int32Array(BINS);
  private readonly bitmap = new Int32Array((BINS + 31) >>> 5);
  private summary = 0;
  /** Units in use, all segments together. */
  protected usedUnits = 0;
  /** Units in use of each segment. */
  protected readonly segmentUsed: Int32Array = new Int32Array(SEGMENT_LIMIT);
  /** The segment that takes no new blocks; -1 for none. */
  protected closed: number = -1;
  /** Where the walk through the segment closed last stands: always the start of a block; 0 for no walk. */
  protected cursor = 0;

  /** A block of at least `units` from the bins, in use from now on; 0 if no bin has one. */
  protected takeFree(units: number, kind: number): number {
    if (this.summary === 0) return 0;
    if (units >= SMALL_UNITS) return this.takeLarge(units, kind);
    const address = this.heads[units];
    if (address === 0) return this.takeFrom(units + 1, units, kind);
    this.unlink(address, units);
    this.claim(address, units, units, kind);
    return address;
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
    const length = this.freeUnits(address);
    this.unlink(address, length);
    this.claim(address, length, units, kind);
    return address;
  }

  /** Cuts `units`, too many for a bin of one length, from a free block; 0 if none is long enough. */
  private takeLarge(units: number, kind: number): number {
    const bin = binOf(units);
    let address = this.heads[bin];
    for (let tries = 0; address !== 0 && tries < OWN_BIN_TRIES; tries++) {
      const length = this.freeUnits(address);
      if (length >= units) {
        this.unlink(address, length);
        this.claim(address, length, units, kind);
        return address;
      }
      address = this.mutableWords[address >>> SEGMENT_SHIFT][((address & SEGMENT_MASK) << 1) + 1];
    }
    return this.takeFrom(bin + 1, units, kind);
  }

  /** Length in units of the free block at `address`. */
  private freeUnits(address: number): number {
    return this.mutableWords[address >>> SEGMENT_SHIFT][(address & SEGMENT_MASK) << 1] >>>
      LENGTH_SHIFT;
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
      this.count(address, length);
      return;
    }
    words[at] = (units << LENGTH_SHIFT) | flags;
    this.count(address, units);
    this.link(address + units, rest);
  }

  /** Counts `units` at `address` as in use; negative ones as free again. */
  protected count(address: number, units: number): void {
    this.usedUnits += units;
    this.segmentUsed[address >>> SEGMENT_SHIFT] += units;
  }

  /** Makes a free block of `units` at `address`: writes its own words, and hangs it into its bin. */
  protected link(address: number, units: number): void {
    const at = (address & SEGMENT_MASK) << 1;
    const words = this.writable(address, 12);
    this.writable(address + units - 1, 8)[at + (units << 1) - 1] = units;
    if (address < this.cursor && this.cursor < address + units) this.cursor = address;
    if (address >>> SEGMENT_SHIFT === this.closed) {
      words[at] = (units << LENGTH_SHIFT) | WITHHELD;
      return;
    }
    const bin = binOf(units);
    const head = this.heads[bin];
    words[at] = units << LENGTH_SHIFT;
    words[at + 1] = head;
    words[at + 2] = 0;
    if (head !== 0) {
      this.writable(head, 12)[((head & SEGMENT_MASK) << 1) + 2] = address;
    } else {
      this.bitmap[bin >>> 5] |= 1 << (bin & 31);
      this.summary |= 1 << (bin >>> 5);
    }
    this.heads[bin] = address;
  }

  /** Takes a free block out of its bin, if it hangs in one. */
  protected detach(address: number, units: number): void {
    const header = this.mutableWords[address >>> SEGMENT_SHIFT][(address & SEGMENT_MASK) << 1];
    if ((header & WITHHELD) === 0) this.unlink(address, units);
  }

  /** Takes a free block out of its bin and marks it as withheld. */
  protected withhold(address: number, units: number): void {
    this.detach(address, units);
    this.writable(address, 4)[(address & SEGMENT_MASK) << 1] = (units << LENGTH_SHIFT) | WITHHELD;
  }

  /** Hangs a free block that may be withheld into its bin. */
  protected offer(address: number, units: number): void {
    this.detach(address, units);
    this.link(address, units);
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

  /** Forgets all free blocks. */
  protected forgetFree(): void {
    this.heads.fill(0);
    this.bitmap.fill(0);
    this.summary = 0;
  }

  /** Checks bins and bitmaps; returns how many blocks hang in bins. */
  protected checkBins(): number {
    let binned = 0;
    for (let bin = 0; bin < BINS; bin++) {
      let previous = 0;
      const marked = (this.bitmap[bin >>> 5] & (1 << (bin & 31))) !== 0;
      assert(marked === (this.heads[bin] !== 0), `bitmap of bin ${bin}`);
      for (let address = this.heads[bin]; address !== 0;) {
        const words = this.mutableWords[address >>> SEGMENT_SHIFT];
        const at = (address & SEGMENT_MASK) << 1;
        assert(binOf(words[at] >>> LENGTH_SHIFT) === bin, `block ${address} is in its bin`);
        assert((words[at] & (USED | WITHHELD)) === 0, `block ${address} is free`);
        assert(words[at + 2] === previous, `link back of ${address}`);
        previous = address;
        address = words[at + 1];
        binned++;
      }
    }
    return binned;
  }

  /** Whether the free block with this header hangs in no bin. */
  protected isWithheld(header: number): boolean {
    return (header & WITHHELD) !== 0;
  }
}

/** The bin in which a free block of `units` hangs. */
function binOf(units: number): number {
  if (units < SMALL_UNITS) return units;
  const power = 31 - Math.clz32(units);
  return SMALL_UNITS + ((power - SMALL_SHIFT) << 4) + ((units >>> (power - 4)) & 15);
}
