/**
 * Evacuation: empties one segment by moving its blocks, so that its memory goes back to the system.
 *
 * The runtime gives memory back only as whole buffers, and there is no way to tell the system that a page
 * within one isn't needed. So what deletions leave behind, a few blocks in each of many segments, has to be
 * brought together. That takes three walks, in steps as small as the caller likes, with commands in between:
 *
 * 1. The segment is closed, and its free blocks are taken out of their bins.
 * 2. Each block in use is moved by the {@linkcode Mover} of its kind, into holes of other segments or to the
 *    top of the newest. When the last one has gone, the segment is dropped.
 * 3. Only if some couldn't be moved: the segment is opened again.
 *
 * **Cost.** A block is moved in 0.3 to 1 us, most of which are the misses of the cache at what points to it.
 * A segment of which 1 of 10 bytes is in use is a hundred thousand entries or less: 50 to 100 ms of work,
 * in slices, for 64 MiB.
 *
 * @module
 */
import type { Arena } from "./arena.ts";

/**
 * Gives the block at `from` another place: allocates, copies, has what pointed to `from` point there, and
 * frees `from`. False, with nothing changed, if it can't be moved now.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export type Mover = (from: number) => boolean;

/** Longest block that is moved: more would take longer than a slice of time is. */
const LONGEST_UNITS = 1 << 20;
/** A step ends when it has copied so many units. */
const STEP_UNITS = 1 << 13;
/** Free blocks are passed by in less time than others are moved. */
const FREE_PER_BLOCK = 4;

const IDLE = 0;
const CLOSING = 1;
const MOVING = 2;
const REOPENING = 3;

/** What evacuations have done. */
export interface EvacuationCounters {
  /** Blocks that were moved. */
  moved: number;
  /** Blocks that couldn't be moved. */
  refused: number;
  /** Segments that were emptied. */
  segments: number;
}

/** Empties one segment at a time; see the head of this file. */
export class Evacuation {
  /** What has been done. */
  readonly counters: EvacuationCounters = { moved: 0, refused: 0, segments: 0 };
  private phase = IDLE;
  private refusedHere = 0;

  /** Empties segments of `arena`; `movers` has a function for each kind of block that can be moved. */
  constructor(private readonly arena: Arena, private readonly movers: readonly (Mover | null)[]) {}

  /** Whether a segment is being emptied. */
  get running(): boolean {
    return this.phase !== IDLE;
  }

  /** Whether something of the last segment couldn't be moved, so that it is there still. */
  get left(): boolean {
    return this.refusedHere > 0;
  }

  /** Starts to empty `segment`. */
  start(segment: number): void {
    this.arena.close(segment);
    this.phase = CLOSING;
    this.refusedHere = 0;
  }

  /** Goes on with about `blocks` blocks; whether there is more to do. */
  step(blocks: number): boolean {
    const { arena } = this;
    if (this.phase === REOPENING) {
      if (arena.offerNext(blocks * FREE_PER_BLOCK)) this.phase = IDLE;
      return this.phase !== IDLE;
    }
    // Others may have freed the last block of the segment, or all of them.
    if (arena.closedSegment < 0) return this.finish();
    if (this.phase === CLOSING) {
      for (let looked = 0; looked < blocks * FREE_PER_BLOCK; looked++) {
        if (arena.nextBlock(1) !== 0) continue;
        if (arena.closedSegment < 0) return this.finish();
        arena.rewind();
        this.phase = MOVING;
        break;
      }
      return true;
    }
    return this.move(blocks);
  }

  /** Moves about `blocks` blocks; whether there is more to do. */
  private move(blocks: number): boolean {
    const { arena } = this;
    let units = 0;
    for (let looked = 0; looked < blocks && units < STEP_UNITS; looked++) {
      const block = arena.nextBlock(FREE_PER_BLOCK);
      if (block < 0) continue;
      if (block === 0) return arena.closedSegment < 0 ? this.finish() : this.giveUp();
      const length = arena.unitsOf(block);
      const mover = length > LONGEST_UNITS ? null : this.movers[arena.kindOf(block)];
      if (mover === null || mover === undefined || !mover(block)) {
        this.counters.refused++;
        this.refusedHere++;
        continue;
      }
      units += length;
      this.counters.moved++;
      if (arena.closedSegment < 0) return this.finish();
    }
    return true;
  }

  /** Opens the segment again, of which something can't be moved. */
  giveUp(): boolean {
    this.arena.reopen();
    this.phase = REOPENING;
    return true;
  }

  /** The segment is gone. */
  private finish(): boolean {
    this.counters.segments++;
    this.refusedHere = 0;
    this.phase = IDLE;
    return false;
  }
}
