/**
 * LZF, the compression of strings in snapshots and in DUMP's payloads: weak, simple, and quick.
 *
 * The compressed form is a row of items, each with a control byte in front:
 *
 * ```text
 * 000lllll                       l + 1 bytes follow as they are
 * lllooooo oooooooo              l + 2 bytes are those from o + 1 bytes ago; l is 1 to 6
 * 111ooooo llllllll oooooooo     l + 9 bytes are those from o + 1 bytes ago
 * ```
 *
 * So a repetition is found up to 8 KiB back and is 3 to 264 bytes long, and it may overlap itself: a run of one
 * byte is a repetition from 1 byte ago.
 *
 * The compressor is greedy: a table of 65 536 places remembers by a hash of three bytes where these were seen last,
 * and the first repetition found is taken at its full length. The table isn't cleared between two inputs: positions in
 * it count on from one input to the next, so that those of earlier ones are known by being too small. The
 * parameters (hash, table, which places within a repetition are remembered) are the ones in common use, so that the
 * output is byte for byte what Redis makes of the same input; any other choice would be loaded as well.
 *
 * The decompressor trusts nothing: it checks each item against both ends before it moves a byte.
 *
 * @module
 */

const TABLE_BITS = 16;
const TABLE_MASK = (1 << TABLE_BITS) - 1;
const LONGEST_LITERAL = 32;
const LONGEST_REPETITION = 264;
const FARTHEST = 8192;
/** Repetitions of this length and more take a byte more for the length. */
const LONG_REPETITION = 9;
/** Positions in the table stay below this, so that they are small integers for V8. */
const POSITION_LIMIT = 0x3fffffff;

/** Most bytes that one byte of compressed text can stand for: 264 for 3. */
export const LZF_GREATEST_RATIO = 88;

/** Compresses; holds the table, so that one serves for many strings. */
export class LzfCompressor {
  private readonly table = new Int32Array(1 << TABLE_BITS);
  private base = 0;

  /**
   * Compresses `input` into `output`; how many bytes that took, or 0 if `output` is too short for it
   * or `input` too short to hold a repetition.
   */
  compress(input: Uint8Array, output: Uint8Array): number {
    return this.compressRange(input, 0, input.length, output, output.length);
  }

  /** As {@linkcode compress}, for the `length` bytes of `input` from `start`, into the first `room` bytes of `output`. */
  compressRange(
    input: Uint8Array,
    start: number,
    length: number,
    output: Uint8Array,
    room: number,
  ): number {
    if (length < 4) return 0;
    if (this.base + length >= POSITION_LIMIT) {
      this.table.fill(0);
      this.base = 0;
    }
    const { table } = this;
    const base = this.base - start;
    this.base += length;
    const end = start + length;
    const last = end - 2;
    let at = start;
    // Each run of literals gets its control byte beforehand, which is taken back if the run stays empty.
    let to = 1;
    let literals = 0;
    // The three bytes from `at` on, the last one of which comes in at each step.
    let three = (input[start] << 8) | input[start + 1];
    while (at < last) {
      three = ((three << 8) | input[at + 2]) & 0xffffff;
      const slot = hash(three);
      const from = table[slot] - base;
      table[slot] = base + at;
      const distance = at - from - 1;
      if (
        from > start && distance < FARTHEST && input[from] === (three >>> 16) &&
        input[from + 1] === ((three >>> 8) & 0xff) && input[from + 2] === (three & 0xff)
      ) {
        if (to + 4 - (literals === 0 ? 1 : 0) >= room) return 0;
        if (literals > 0) output[to - literals - 1] = literals - 1;
        else to--;
        const longest = longestFrom(last - at);
        let size = 3;
        while (size < longest && input[from + size] === input[at + size]) size++;
        if (size < LONG_REPETITION) output[to++] = (distance >> 8) | ((size - 2) << 5);
        else {
          output[to++] = (distance >> 8) | 0xe0;
          output[to++] = size - LONG_REPETITION;
        }
        output[to++] = distance & 0xff;
        to++;
        literals = 0;
        at += size;
        if (at >= last) break;
        // Of the places within the repetition, the last two are worth remembering.
        three = (input[at - 2] << 16) | (input[at - 1] << 8) | input[at];
        table[hash(three)] = base + at - 2;
        three = ((three << 8) | input[at + 1]) & 0xffffff;
        table[hash(three)] = base + at - 1;
        continue;
      }
      if (to >= room) return 0;
      output[to++] = input[at++];
      if (++literals === LONGEST_LITERAL) {
        output[to - literals - 1] = literals - 1;
        literals = 0;
        to++;
      }
    }
    if (to + 3 > room) return 0;
    while (at < end) {
      output[to++] = input[at++];
      if (++literals === LONGEST_LITERAL) {
        output[to - literals - 1] = literals - 1;
        literals = 0;
        to++;
      }
    }
    if (literals > 0) output[to - literals - 1] = literals - 1;
    else to--;
    return to;
  }
}

/**
 * How long a repetition may get where so many bytes are left before the last two, which stay literals.
 * Common compressors look at 16 bytes beyond the first three in one go, if there may be more than 16 at all, and then
 * take the last two as well.
 */
function longestFrom(left: number): number {
  return left === 17 || left === 18 ? 19 : Math.min(left, LONGEST_REPETITION);
}

/** Place in the table for three bytes. */
function hash(three: number): number {
  return ((three >>> 8) - three * 5) & TABLE_MASK;
}

/** Decompresses `input` into `output`; whether it was well-formed and filled all of `output`. */
export function lzfDecompress(input: Uint8Array, output: Uint8Array): boolean {
  let at = 0;
  let to = 0;
  const end = input.length;
  const room = output.length;
  while (at < end) {
    const control = input[at++];
    if (control < LONGEST_LITERAL) {
      const size = control + 1;
      if (at + size > end || to + size > room) return false;
      for (const stop = to + size; to < stop;) output[to++] = input[at++];
      continue;
    }
    let size = (control >> 5) + 2;
    if (size === LONG_REPETITION) {
      if (at >= end) return false;
      size += input[at++];
    }
    if (at >= end || to + size > room) return false;
    let from = to - 1 - ((control & 0x1f) << 8) - input[at++];
    if (from < 0) return false;
    for (const stop = to + size; to < stop;) output[to++] = output[from++];
  }
  return to === room;
}
