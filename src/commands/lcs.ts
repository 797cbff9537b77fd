/**
 * LCS: the longest common subsequence of two strings.
 *
 * The usual table: cell (i, j) is the length of the longest common subsequence of the first i bytes of
 * one string and the first j bytes of the other. It is one more than the cell up and left of it where
 * the last bytes are equal, else the larger of the cells above and to the left. Walking back from the last
 * cell tells which bytes it is made of. Of several subsequences of one length, that of Redis is
 * found: where both ways are equal, the walk takes a byte off the second string.
 *
 * Lengths alone need two rows. The whole table is made of 16-bit cells as long as the shorter
 * string's length fits in them. Its size, as Redis counts it (four bytes a cell), may not be above
 * `proto-max-bulk-len`.
 *
 * @module
 */
import { entryType } from "../keyspace/entry_facts.ts";
import { stringBytes } from "../keyspace/strings.ts";
import { TYPE_STRING } from "../keyspace/types.ts";
import { type Context, SYNTAX_ERROR } from "./context.ts";

const CELL_BYTES = 4;
const SMALL_CELL_LIMIT = 0xffff;
const EMPTY = new Uint8Array(0);

interface Options {
  readonly onlyLength: boolean;
  readonly indexes: boolean;
  readonly leastMatch: number;
  readonly withLengths: boolean;
}

/** Bytes that the strings have in common: where they are in both (first and last byte). */
interface Match {
  readonly firstA: number;
  readonly firstB: number;
  readonly length: number;
}

/** LCS. */
export function lcs(context: Context): void {
  const { reply } = context;
  const a = stringOf(context, 1);
  const b = stringOf(context, 2);
  if (a === undefined || b === undefined) {
    return reply.error("ERR The specified keys must contain string values");
  }
  const options = parseOptions(context);
  if (options === undefined) return;
  if ((a.length + 1) * (b.length + 1) * CELL_BYTES > context.maximumString) {
    return reply.error(
      "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
    );
  }
  const rows = options.onlyLength ? 1 : a.length + 1;
  const cells = makeCells(rows * (b.length + 1), Math.min(a.length, b.length));
  if (cells === null) {
    return reply.error("ERR Insufficient memory, failed allocating transient memory for LCS");
  }
  if (options.onlyLength) return reply.integer(commonLength(a, b, cells));
  const matches = commonRuns(a, b, cells);
  if (options.indexes) return replyMatches(context, matches, options);
  const total = matches.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(total);
  let at = total;
  for (const { firstA, length } of matches) {
    at -= length;
    bytes.set(a.subarray(firstA, firstA + length), at);
  }
  reply.bulkBytes(bytes);
}

/** The string under the key in argument `index`, empty if there is none; `undefined` for another type. */
function stringOf(context: Context, index: number): Uint8Array | undefined {
  const entry = context.findForReading(index);
  if (entry === 0) return EMPTY;
  if (entryType(context.keyspace, entry) !== TYPE_STRING) return undefined;
  const bytes = stringBytes(context.keyspace, entry, context.scratch);
  // The text of the next integer would take its place.
  return bytes.buffer === context.scratch.buffer ? bytes.slice() : bytes;
}

function parseOptions(context: Context): Options | undefined {
  let onlyLength = false;
  let indexes = false;
  let withLengths = false;
  let leastMatch = 0;
  for (let index = 3; index < context.argc; index++) {
    if (context.isWord(index, "IDX")) indexes = true;
    else if (context.isWord(index, "LEN")) onlyLength = true;
    else if (context.isWord(index, "WITHMATCHLEN")) withLengths = true;
    else if (context.isWord(index, "MINMATCHLEN") && index + 1 < context.argc) {
      if (!context.integer(++index)) return undefined;
      leastMatch = Math.max(0, context.value);
    } else {
      context.reply.error(SYNTAX_ERROR);
      return undefined;
    }
  }
  if (onlyLength && indexes) {
    context.reply.error(
      "ERR If you want both the length and indexes, please just use IDX.",
    );
    return undefined;
  }
  return { onlyLength, indexes, leastMatch, withLengths };
}

/** Lengths of common subsequences. */
type Cells = Uint16Array | Uint32Array;

/** So many cells, all 0, for lengths up to `shorter`; null if the machine has no room for them. */
function makeCells(count: number, shorter: number): Cells | null {
  try {
    return shorter <= SMALL_CELL_LIMIT ? new Uint16Array(count) : new Uint32Array(count);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The length of the longest common subsequence; `row` has room for those of one byte of `a`. */
function commonLength(a: Uint8Array, b: Uint8Array, row: Cells): number {
  for (const byte of a) {
    let corner = 0;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j];
      if (byte === b[j - 1]) row[j] = corner + 1;
      else if (row[j - 1] > above) row[j] = row[j - 1];
      corner = above;
    }
  }
  return row[b.length];
}

/** The longest common subsequence as runs of bytes that follow each other in both strings, last one first. */
function commonRuns(a: Uint8Array, b: Uint8Array, cells: Cells): Match[] {
  const width = b.length + 1;
  for (let i = 1; i <= a.length; i++) {
    const byte = a[i - 1];
    const row = i * width;
    for (let j = 1; j <= b.length; j++) {
      const above = cells[row - width + j];
      const left = cells[row + j - 1];
      if (byte === b[j - 1]) cells[row + j] = cells[row - width + j - 1] + 1;
      else cells[row + j] = left > above ? left : above;
    }
  }
  const runs: Match[] = [];
  let [i, j] = [a.length, b.length];
  let length = 0;
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      i--;
      j--;
      length++;
      continue;
    }
    if (length > 0) runs.push({ firstA: i, firstB: j, length });
    length = 0;
    if (cells[(i - 1) * width + j] > cells[i * width + j - 1]) i--;
    else j--;
  }
  if (length > 0) runs.push({ firstA: i, firstB: j, length });
  return runs;
}

function replyMatches(context: Context, matches: readonly Match[], options: Options): void {
  const { reply } = context;
  const shown = matches.filter(({ length }) => length >= options.leastMatch);
  reply.map(2);
  reply.bulk("matches");
  reply.array(shown.length);
  for (const { firstA, firstB, length } of shown) {
    reply.array(options.withLengths ? 3 : 2);
    for (const first of [firstA, firstB]) {
      reply.array(2);
      reply.integer(first);
      reply.integer(first + length - 1);
    }
    if (options.withLengths) reply.integer(length);
  }
  reply.bulk("len");
  reply.integer(matches.reduce((sum, { length }) => sum + length, 0));
}
