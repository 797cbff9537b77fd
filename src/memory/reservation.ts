/**
 * Making sure that there is room before a change that takes many blocks.
 *
 * A change that has begun can't always be taken back; so whoever needs many blocks asks for all of their room first.
 *
 * @module
 */
import { type Arena, BLOCK_PLAIN, UNIT_BYTES } from "./arena.ts";

/** Room is looked for in pieces of so many units (4 MiB): none of them would get a segment of its own. */
const PIECE_UNITS = 1 << 19;

/**
 * Makes sure that blocks of `bytes` bytes altogether, none of them larger than a piece, can be taken from now on, as long as nobody else
 * takes any.
 *
 * @throws {ArenaFullError} when there is no room.
 */
export function reserveRoom(arena: Arena, bytes: number): void {
  let units = Math.ceil(bytes / UNIT_BYTES);
  if (units <= PIECE_UNITS) {
    arena.free(arena.allocate(units, BLOCK_PLAIN));
    return;
  }
  const pieces: number[] = [];
  try {
    for (; units > 0; units -= PIECE_UNITS) {
      pieces.push(arena.allocate(Math.min(units, PIECE_UNITS), BLOCK_PLAIN));
    }
  } finally {
    for (const piece of pieces) arena.free(piece);
  }
}
