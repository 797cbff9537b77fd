/**
 * The keys that have an expiry, as a dense array of the addresses of their entries.
 *
 * A dense array can be sampled at random however few of the keys are volatile, which is what active
 * expiry and the `volatile-*` eviction policies need; a walk over all keys would mostly find others. Each
 * entry holds its position, so that it leaves in constant time: the last one takes its place.
 *
 * Pieces of 4096 addresses make growth free of copying.
 *
 * @module
 */
import type { Arena } from "../memory/arena.ts";
import { wordIndex, wordsAt } from "../memory/entry.ts";

/** Word of a volatile entry that holds the low half of its expiry, in unix ms. */
export const EXPIRY_LOW = 4;
/** Word of a volatile entry that holds the high half of its expiry. */
export const EXPIRY_HIGH = 5;
const POSITION = 6;
const PIECE_SHIFT = 12;
const PIECE_LENGTH = 1 << PIECE_SHIFT;
const PIECE_MASK = PIECE_LENGTH - 1;
const PIECE_BYTES = PIECE_LENGTH * 4;

/** Sums up the bytes of several indexes. */
export interface IndexTally {
  /** The sum. */
  indexBytes: number;
}

/** The volatile keys of one database. */
export class VolatileIndex {
  private readonly pieces: Int32Array[] = [];
  /** How many volatile keys there are. */
  length = 0;

  /** Keeps entries of `arena`, and adds its own bytes to those of `tally`. */
  constructor(
    private readonly arena: Arena,
    private readonly tally: IndexTally = { indexBytes: 0 },
  ) {}

  /** The entry at `position`, from 0 to `length` - 1. */
  at(position: number): number {
    return this.pieces[position >>> PIECE_SHIFT][position & PIECE_MASK];
  }

  /** Adds `entry`, whose layout has an expiry. */
  add(entry: number): void {
    const position = this.length++;
    const piece = position >>> PIECE_SHIFT;
    if (piece === this.pieces.length) {
      this.pieces.push(new Int32Array(PIECE_LENGTH));
      this.tally.indexBytes += PIECE_BYTES;
    }
    this.pieces[piece][position & PIECE_MASK] = entry;
    this.setPosition(entry, position);
  }

  /** Takes `entry` out. */
  remove(entry: number): void {
    const position = this.positionOf(entry);
    const last = --this.length;
    const moved = this.at(last);
    if (moved !== entry) {
      this.pieces[position >>> PIECE_SHIFT][position & PIECE_MASK] = moved;
      this.setPosition(moved, position);
    }
    // One spare piece stays, so that a key that comes and goes at the edge costs nothing.
    if ((last >>> PIECE_SHIFT) + 2 < this.pieces.length) {
      this.pieces.pop();
      this.tally.indexBytes -= PIECE_BYTES;
    }
  }

  /** The entry in the place of `entry` is now at the address `moved`, with the same content. */
  replace(entry: number, moved: number): void {
    const position = this.positionOf(entry);
    this.pieces[position >>> PIECE_SHIFT][position & PIECE_MASK] = moved;
    this.setPosition(moved, position);
  }

  /** Forgets all entries. */
  clear(): void {
    this.tally.indexBytes -= this.bytes;
    this.pieces.length = 0;
    this.length = 0;
  }

  /** Bytes that the array takes. */
  get bytes(): number {
    return this.pieces.length * PIECE_BYTES;
  }

  /** Position that `entry` says it has. */
  positionOf(entry: number): number {
    return wordsAt(this.arena, entry)[wordIndex(entry) + POSITION];
  }

  /** Tells `entry` where it is. */
  private setPosition(entry: number, position: number): void {
    this.arena.writable(entry, 28)[wordIndex(entry) + POSITION] = position;
  }
}
