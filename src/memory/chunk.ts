/**
 * Chunks: blocks with one listpack each and room around it, of which a tree holds many.
 *
 * ```text
 * word 0   block header
 * word 1   the leaf that points here (the tree keeps it right)
 * word 2   where the listpack starts, in bytes from the start of the block
 * bytes    room, the listpack, room
 * ```
 *
 * With room before and behind, an element is added or taken at either end without moving the others. A chunk that nobody
 * adds to any more is {@linkcode chunkTrim trimmed} to what it needs.
 *
 * **Cost.** 12 bytes before the listpack, and 4 of rounding on average.
 *
 * @module
 */
import { type Arena, BLOCK_CHUNK, SEGMENT_MASK, SEGMENT_SHIFT, UNIT_BYTES } from "./arena.ts";
import { copyBytes, moveBytes } from "./copy.ts";
import { wordIndex, wordsAt } from "./entry.ts";
import type { ReadonlyView } from "./segments.ts";

/** Bytes of a chunk before the first that the listpack may use. */
export const CHUNK_BYTES = 12;
/** Word of a chunk: the leaf that points at it. */
export const CHUNK_OWNER = 1;
/** Word of a chunk: where its listpack starts. */
export const CHUNK_START = 2;
/** Room below that isn't worth moving the listpack for. */
const SPARED_BYTES = 64;

/**
 * A chunk with room for `front` bytes, a listpack of `bytes`, and `back` more bytes at least. What is in it is the caller's
 * to write.
 *
 * @throws {ArenaFullError} when there is no room for it.
 */
export function chunkCreate(arena: Arena, front: number, bytes: number, back: number): number {
  const units = (CHUNK_BYTES + front + bytes + back + UNIT_BYTES - 1) >>> 3;
  const chunk = arena.allocate(units, BLOCK_CHUNK);
  const words = arena.writable(chunk, CHUNK_BYTES);
  const at = wordIndex(chunk);
  words[at + CHUNK_OWNER] = 0;
  words[at + CHUNK_START] = CHUNK_BYTES + front;
  return chunk;
}

/**
 * A chunk with the `bytes` bytes of the listpack at `from` in `view`, and room before and behind it.
 *
 * @throws {ArenaFullError} when there is no room for it.
 */
export function chunkOf(
  arena: Arena,
  front: number,
  view: ReadonlyView,
  from: number,
  bytes: number,
  back: number,
): number {
  const chunk = chunkCreate(arena, front, bytes, back);
  copyBytes(view, from, chunkWritable(arena, chunk), chunkListpack(arena, chunk), bytes);
  return chunk;
}

/** The view of the segment in which a chunk is, to be read. */
export function chunkView(arena: Arena, chunk: number): ReadonlyView {
  return arena.views[chunk >>> SEGMENT_SHIFT];
}

/** The same, to write anywhere in the chunk. */
export function chunkWritable(arena: Arena, chunk: number): DataView {
  return arena.writableView(chunk, arena.unitsOf(chunk) * UNIT_BYTES);
}

/** Byte offset of a chunk's listpack in the view of its segment. */
export function chunkListpack(arena: Arena, chunk: number): number {
  return (chunk & SEGMENT_MASK) * UNIT_BYTES +
    wordsAt(arena, chunk)[wordIndex(chunk) + CHUNK_START];
}

/** Notes that the listpack starts at byte offset `start` of the view. */
export function chunkSetListpack(arena: Arena, chunk: number, start: number): void {
  arena.writable(chunk, CHUNK_BYTES)[wordIndex(chunk) + CHUNK_START] = start -
    (chunk & SEGMENT_MASK) * UNIT_BYTES;
}

/** How many bytes are free before the listpack. */
export function chunkFront(arena: Arena, chunk: number): number {
  return wordsAt(arena, chunk)[wordIndex(chunk) + CHUNK_START] - CHUNK_BYTES;
}

/** How many bytes the listpack may use at most. */
export function chunkCapacity(arena: Arena, chunk: number): number {
  return arena.unitsOf(chunk) * UNIT_BYTES - CHUNK_BYTES;
}

/** Moves the listpack, of `bytes` bytes, so that `front` bytes are free before it. */
export function chunkSlide(arena: Arena, chunk: number, bytes: number, front: number): void {
  const from = chunkListpack(arena, chunk);
  const to = (chunk & SEGMENT_MASK) * UNIT_BYTES + CHUNK_BYTES + front;
  if (from === to) return;
  moveBytes(chunkWritable(arena, chunk), from, to, bytes);
  chunkSetListpack(arena, chunk, to);
}

/**
 * Gives back what a chunk has besides its listpack, of `bytes` bytes, where that is more than a little, but for `front` bytes
 * before and `back` bytes behind it. It stays where it is.
 */
export function chunkTrim(
  arena: Arena,
  chunk: number,
  bytes: number,
  front = 0,
  back = 0,
): void {
  if (chunkCapacity(arena, chunk) < front + bytes + back + SPARED_BYTES) return;
  chunkSlide(arena, chunk, bytes, front);
  arena.shrink(chunk, (CHUNK_BYTES + front + bytes + back + UNIT_BYTES - 1) >>> 3);
}
