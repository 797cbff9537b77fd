/**
 * A walk through all entries of a dict, bucket by bucket, that goes on when it is asked to.
 *
 * It keeps four numbers, so a walk of millions allocates nothing, and several can go on side by side. The dict must not change
 * meanwhile; the walk that stands changes between its steps is `dictScan`.
 *
 * @module
 */
import { type Arena, type ReadonlyWords, SEGMENT_MASK, SEGMENT_SHIFT } from "./arena.ts";
import { bucketAddress, BUCKETS, NEXT_WORD, SLOTS } from "./dict_table.ts";
import { wordIndex, wordsAt } from "./entry.ts";

/** A walk; see the head of this file. */
export class DictWalk {
  private arena: Arena | null = null;
  private dict = 0;
  private buckets = 0;
  /** Number of the bucket that comes next. */
  private bucket = 0;
  /** Address of the bucket that the walk is in, 0 between two. */
  private address = 0;
  private slot = 0;

  /** Goes before the first entry of `dict`. */
  begin(arena: Arena, dict: number): void {
    this.arena = arena;
    this.dict = dict;
    this.buckets = wordsAt(arena, dict)[wordIndex(dict) + BUCKETS];
    this.bucket = 0;
    this.address = 0;
  }

  /** The next entry; 0 behind the last. */
  next(): number {
    const arena = this.arena!;
    let { address, slot } = this;
    for (;;) {
      if (address === 0) {
        if (this.bucket === this.buckets) return 0;
        address = bucketAddress(arena, this.dict, this.bucket++);
        slot = 0;
      }
      const words: ReadonlyWords = arena.words[address >>> SEGMENT_SHIFT];
      const at: number = (address & SEGMENT_MASK) << 1;
      while (slot < SLOTS) {
        const entry = words[at + slot++];
        if (entry === 0) continue;
        this.address = address;
        this.slot = slot;
        return entry;
      }
      address = words[at + NEXT_WORD];
      slot = 0;
    }
  }
}
