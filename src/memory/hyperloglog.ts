/**
 * HyperLogLog: how many different elements there were, in 12 KiB, give or take 0.81 %.
 *
 * **The idea.** Hash each element. In a row of random hashes, one in two ends in a 1, one in four
 * in 10, one in 2^n in n - 1 zeros behind a 1; so the longest such ending that was ever seen tells
 * how many different hashes there were, and seeing one again changes nothing. One such *rank* alone
 * is a poor guess. Therefore 14 bits of the hash choose one of 16384 *registers*, the rank of the
 * other 50 goes there if it is higher, and the estimate is taken over all registers.
 *
 * **The value** is an ordinary string, byte for byte what Redis makes of the same commands in the same
 * order, so that it can be read with GET, dumped, and carried to another server:
 *
 * ```text
 * bytes 0-3   "HYLL"
 * byte  4     0 dense, 1 sparse
 * bytes 5-7   zero
 * bytes 8-15  the estimate that was worked out last, low byte first; its top bit says it is out of date
 * from 16     the registers
 * ```
 *
 * *Dense*: registers of 6 bits one behind the other, the low bits of a byte first: 12288 bytes.
 *
 * *Sparse*: runs of equal registers in their order, each a byte or two:
 *
 * ```text
 * 00nnnnnn            n + 1 registers are 0            ("zeros", up to 64)
 * 01nnnnnn nnnnnnnn   n + 1 registers are 0            ("many zeros", up to 16384)
 * 1vvvvvnn            n + 1 registers (up to 4) are v + 1  ("value", up to 32)
 * ```
 *
 * A new value is two bytes of runs; with a few hundred elements it is a few hundred bytes. A register
 * in the middle of a run splits it into up to three, and neighbouring runs of one value are joined
 * afterwards, a few steps around the change. That is a matter of chance and order, so to have the same bytes as
 * Redis one must split and join where Redis does: {@linkcode raiseSparse} looks at five runs, from the
 * one before the change on. A value becomes dense, for good, when a rank above 32 comes, or when the
 * split would make the string longer than a limit (`hll-sparse-max-bytes`).
 *
 * **Cost.** Dense: a hash and two bytes per element. Sparse: the runs up to the register are walked, 1 ns each. An
 * estimate reads all registers (some 20 us), which is why it is kept in the value.
 *
 * The functions take a string as {@linkcode ByteRun}: memory, start and length. Strings come from
 * strangers (SET), so no length in them is trusted.
 *
 * @module
 */

/** Bytes in front of the registers. */
export const HEADER_BYTES = 16;
/** How many registers there are. */
export const REGISTERS = 16384;
/** Length of a dense value. */
export const DENSE_BYTES: number = HEADER_BYTES + REGISTERS * 6 / 8;
/** How much longer a sparse value may become by one element. */
export const SPARSE_GROWTH = 3;

/** The register is as high already. */
export const KEPT = 0;
/** The register was raised. */
export const RAISED = 1;
/** The change doesn't fit in a sparse value. */
export const NEEDS_DENSE = 2;
/** The value isn't one. */
export const CORRUPT = 3;

/** Bits of a hash that choose the register. */
const REGISTER_BITS = 14;
const MAGIC = [0x48, 0x59, 0x4c, 0x4c];
const ENCODING_OFFSET = 4;
const CACHE_OFFSET = 8;
const DENSE = 0;
const SPARSE = 1;
const STALE = 0x80;

const VALUE_BIT = 0x80;
const MANY_BIT = 0x40;
const ZEROS_LIMIT = 64;
const VALUE_RUN_LIMIT = 4;
const SPARSE_RANK_LIMIT = 32;
/** How many runs are looked at, after a change, for neighbours to join. */
const JOIN_STEPS = 5;

/** The hash of an element. */
export interface ElementHash {
  /** Bits 32 to 63. */
  readonly high: number;
  /** Bits 0 to 31. */
  readonly low: number;
}

/** The register of an element. */
export function registerOf(hash: ElementHash): number {
  return hash.low & (REGISTERS - 1);
}

/** The rank of an element: on which of the upper 50 bits of its hash, counted from below, the first 1 is. */
export function rankOf(hash: ElementHash): number {
  const lower = hash.low >>> REGISTER_BITS | hash.high << (32 - REGISTER_BITS);
  if (lower !== 0) return 32 - Math.clz32(lower & -lower);
  // A bit behind the last one ends the row if all of them are 0.
  const upper = hash.high >>> REGISTER_BITS | 1 << (32 - REGISTER_BITS);
  return 64 - Math.clz32(upper & -upper);
}

/** A string in some memory. */
export interface ByteRun {
  /** The memory. */
  bytes: Uint8Array;
  /** Where the string starts. */
  start: number;
  /** Its length in bytes. */
  length: number;
}

/** A sparse value that has seen nothing. */
export function emptySparse(): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + 2);
  bytes.set(MAGIC);
  bytes[ENCODING_OFFSET] = SPARSE;
  writeZeros(bytes, HEADER_BYTES, REGISTERS);
  return bytes;
}

/** Whether a string looks like a HyperLogLog. */
export function isHyperLogLog(run: ByteRun): boolean {
  const { bytes, start, length } = run;
  if (length < HEADER_BYTES || MAGIC.some((byte, index) => bytes[start + index] !== byte)) {
    return false;
  }
  const encoding = bytes[start + ENCODING_OFFSET];
  return encoding === SPARSE || (encoding === DENSE && length === DENSE_BYTES);
}

/** Whether a HyperLogLog is dense. */
export function isDense(run: ByteRun): boolean {
  return run.bytes[run.start + ENCODING_OFFSET] === DENSE;
}

/** Notes that the estimate in a HyperLogLog is out of date. */
export function forgetEstimate(run: ByteRun): void {
  run.bytes[run.start + HEADER_BYTES - 1] |= STALE;
}

/** Whether the estimate in a HyperLogLog is up to date. */
export function hasEstimate(run: ByteRun): boolean {
  return (run.bytes[run.start + HEADER_BYTES - 1] & STALE) === 0;
}

/** One half of the estimate in a HyperLogLog, as a signed 32-bit integer. */
export function estimateHalf(run: ByteRun, high: boolean): number {
  const at = run.start + CACHE_OFFSET + (high ? 4 : 0);
  const { bytes } = run;
  return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24;
}

/** Writes an estimate into a HyperLogLog, as two halves. */
export function writeEstimate(run: ByteRun, high: number, low: number): void {
  for (let index = 0; index < 4; index++) {
    run.bytes[run.start + CACHE_OFFSET + index] = low >>> (index * 8);
    run.bytes[run.start + CACHE_OFFSET + 4 + index] = high >>> (index * 8);
  }
}

/** Register `index` of a dense value. */
export function denseRegister(run: ByteRun, index: number): number {
  const at = run.start + HEADER_BYTES + (index * 6 >>> 3);
  const shift = index * 6 & 7;
  const { bytes } = run;
  // A register that goes on in the next byte has its upper bits there; the last one doesn't.
  const upper = shift > 2 ? bytes[at + 1] << (8 - shift) : 0;
  return (bytes[at] >>> shift | upper) & 63;
}

/** Raises register `index` of a dense value to `rank`; whether it was lower. */
export function raiseDense(run: ByteRun, index: number, rank: number): boolean {
  if (denseRegister(run, index) >= rank) return false;
  const at = run.start + HEADER_BYTES + (index * 6 >>> 3);
  const shift = index * 6 & 7;
  const { bytes } = run;
  bytes[at] = bytes[at] & ~(63 << shift) | rank << shift;
  if (shift > 2) {
    bytes[at + 1] = bytes[at + 1] & ~(63 >>> (8 - shift)) | rank >>> (8 - shift);
  }
  return true;
}

/** How many registers the run whose first byte is at `at` stands for. */
function runLength(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if ((byte & VALUE_BIT) !== 0) return (byte & 3) + 1;
  if ((byte & MANY_BIT) === 0) return (byte & 63) + 1;
  return ((byte & 63) << 8 | bytes[at + 1]) + 1;
}

/** How many bytes the run that starts with `byte` takes. */
function runBytes(byte: number): number {
  return (byte & (VALUE_BIT | MANY_BIT)) === MANY_BIT ? 2 : 1;
}

/** The registers of the run that starts with `byte`. */
function runValue(byte: number): number {
  return (byte & VALUE_BIT) === 0 ? 0 : (byte >>> 2 & 31) + 1;
}

function valueRun(value: number, length: number): number {
  return VALUE_BIT | (value - 1) << 2 | (length - 1);
}

/** Bytes that a run of `length` times `value` takes; none for no length. */
function bytesNeeded(value: number, length: number): number {
  if (length === 0) return 0;
  return value === 0 && length > ZEROS_LIMIT ? 2 : 1;
}

/** Writes a run of zeros; returns the place behind it. */
function writeZeros(bytes: Uint8Array, at: number, length: number): number {
  if (length > ZEROS_LIMIT) {
    bytes[at] = MANY_BIT | (length - 1) >>> 8;
    bytes[at + 1] = length - 1;
    return at + 2;
  }
  bytes[at] = length - 1;
  return at + 1;
}

/** Writes a run of `length` times `value`, or nothing; returns the place behind it. */
function writeRun(bytes: Uint8Array, at: number, value: number, length: number): number {
  if (length === 0) return at;
  if (value === 0) return writeZeros(bytes, at, length);
  bytes[at] = valueRun(value, length);
  return at + 1;
}

/** Where in a sparse value a search may start: at a run behind which the one that is looked for lies. */
export class SparseCursor {
  /** Where the run starts, from the start of the string. */
  offset: number = HEADER_BYTES;
  /** Its first register. */
  first = 0;
}

/**
 * Raises register `index` of a sparse value to `rank`; one of {@linkcode KEPT}, {@linkcode RAISED},
 * {@linkcode NEEDS_DENSE} (nothing was changed) and {@linkcode CORRUPT}. `run.length` changes with the
 * value, for which there is room up to {@linkcode SPARSE_GROWTH} bytes behind.
 *
 * @param limit No change makes the string longer than that.
 * @param cursor Left where the next search may start if it is for a register further behind.
 */
export function raiseSparse(
  run: ByteRun,
  index: number,
  rank: number,
  limit: number,
  cursor: SparseCursor = new SparseCursor(),
): number {
  if (rank > SPARSE_RANK_LIMIT) return NEEDS_DENSE;
  const { bytes } = run;
  const end = run.start + run.length;
  let at = run.start + cursor.offset;
  let first = cursor.first;
  // What is before the run at the cursor isn't known, but has to be if that run changes.
  if (first > 0 && (at >= end || index < first + runLength(bytes, at))) {
    at = run.start + HEADER_BYTES;
    first = 0;
  }
  let before = at;
  let firstBefore = first;
  for (;;) {
    if (at >= end || at + runBytes(bytes[at]) > end) return CORRUPT;
    const length = runLength(bytes, at);
    if (index < first + length) break;
    before = at;
    firstBefore = first;
    first += length;
    at += runBytes(bytes[at]);
  }
  cursor.offset = before - run.start;
  cursor.first = firstBefore;
  const length = runLength(bytes, at);
  const value = runValue(bytes[at]);
  if (value >= rank) return KEPT;
  const left = index - first;
  const right = length - left - 1;
  const had = runBytes(bytes[at]);
  // A run of one register becomes another one, even where the two bytes of many zeros are wasted on it.
  const growth = bytesNeeded(value, left) + 1 + bytesNeeded(value, right) - had;
  if (growth > 0 && run.length + growth > limit) return NEEDS_DENSE;
  if (growth !== 0) bytes.copyWithin(at + had + growth, at + had, end);
  run.length += growth;
  at = writeRun(bytes, at, value, left);
  bytes[at] = valueRun(rank, 1);
  writeRun(bytes, at + 1, value, right);
  joinValues(run, before);
  return RAISED;
}

/** Joins neighbouring runs of one value, where they fit in one run, looking at a few from `at` on. */
function joinValues(run: ByteRun, at: number): void {
  const { bytes } = run;
  let end = run.start + run.length;
  for (let step = 0; step < JOIN_STEPS && at < end; step++) {
    const byte = bytes[at];
    const next = at + 1 < end ? bytes[at + 1] : 0;
    const length = (byte & 3) + (next & 3) + 2;
    const alike = (byte & next & VALUE_BIT) !== 0 && runValue(byte) === runValue(next);
    if (alike && length <= VALUE_RUN_LIMIT) {
      bytes[at + 1] = valueRun(runValue(byte), length);
      bytes.copyWithin(at, at + 1, end);
      end--;
    } else at += runBytes(byte);
  }
  run.length = end - run.start;
}

/**
 * Calls `visit` for each run of a sparse value, in order; false if the runs aren't just as many
 * registers as there are.
 */
function walkSparse(
  run: ByteRun,
  visit: (first: number, length: number, value: number) => void,
): boolean {
  const { bytes } = run;
  const end = run.start + run.length;
  let first = 0;
  for (let at = run.start + HEADER_BYTES; at < end; at += runBytes(bytes[at])) {
    const length = runLength(bytes, at);
    if (at + runBytes(bytes[at]) > end || first + length > REGISTERS) return false;
    visit(first, length, runValue(bytes[at]));
    first += length;
  }
  return first === REGISTERS;
}

/** Adds to `counts[value]` how many registers have each value; false if the value is corrupt. */
export function countRegisters(run: ByteRun, counts: Int32Array): boolean {
  if (!isDense(run)) return walkSparse(run, (_first, length, value) => counts[value] += length);
  const { bytes } = run;
  const end = run.start + DENSE_BYTES;
  // Four registers fill three bytes.
  for (let at = run.start + HEADER_BYTES; at < end; at += 3) {
    const four = bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16;
    counts[four & 63]++;
    counts[four >>> 6 & 63]++;
    counts[four >>> 12 & 63]++;
    counts[four >>> 18]++;
  }
  return true;
}

/** A dense value with the registers and the estimate of a sparse one; `undefined` if that is corrupt. */
export function denseFromSparse(run: ByteRun): Uint8Array | undefined {
  const bytes = new Uint8Array(DENSE_BYTES);
  bytes.set(run.bytes.subarray(run.start, run.start + HEADER_BYTES));
  bytes[ENCODING_OFFSET] = DENSE;
  const dense: ByteRun = { bytes, start: 0, length: DENSE_BYTES };
  const whole = walkSparse(run, (first, length, value) => {
    if (value === 0) return;
    for (let index = first; index < first + length; index++) raiseDense(dense, index, value);
  });
  return whole ? bytes : undefined;
}

/** Writes all registers of a dense value. */
export function writeDense(run: ByteRun, registers: Uint8Array): void {
  const { bytes } = run;
  let at = run.start + HEADER_BYTES;
  for (let index = 0; index < REGISTERS; index += 4, at += 3) {
    const four = registers[index] | registers[index + 1] << 6 | registers[index + 2] << 12 |
      registers[index + 3] << 18;
    bytes[at] = four;
    bytes[at + 1] = four >>> 8;
    bytes[at + 2] = four >>> 16;
  }
}

/** Raises `registers` to those of a HyperLogLog; false if it is corrupt. */
export function mergeRegisters(run: ByteRun, registers: Uint8Array): boolean {
  if (isDense(run)) {
    let at = run.start + HEADER_BYTES;
    for (let index = 0; index < REGISTERS; index += 4, at += 3) {
      const four = run.bytes[at] | run.bytes[at + 1] << 8 | run.bytes[at + 2] << 16;
      if ((four & 63) > registers[index]) registers[index] = four & 63;
      if ((four >>> 6 & 63) > registers[index + 1]) registers[index + 1] = four >>> 6 & 63;
      if ((four >>> 12 & 63) > registers[index + 2]) registers[index + 2] = four >>> 12 & 63;
      if (four >>> 18 > registers[index + 3]) registers[index + 3] = four >>> 18;
    }
    return true;
  }
  return walkSparse(run, (first, length, value) => {
    if (value === 0) return;
    for (let index = first; index < first + length; index++) {
      if (value > registers[index]) registers[index] = value;
    }
  });
}

/** The runs of a sparse value as text, as `PFDEBUG DECODE` shows them. */
export function describeSparse(run: ByteRun): string {
  const parts: string[] = [];
  const { bytes } = run;
  const end = run.start + run.length;
  for (let at = run.start + HEADER_BYTES; at < end; at += runBytes(bytes[at])) {
    // In Redis a zero byte ends every string, and stands for the half of a run that is cut off.
    const whole = at + runBytes(bytes[at]) <= end;
    const length = whole ? runLength(bytes, at) : ((bytes[at] & 63) << 8) + 1;
    const value = runValue(bytes[at]);
    if (value > 0) parts.push(`v:${value},${length}`);
    else parts.push(`${runBytes(bytes[at]) === 1 ? "z" : "Z"}:${length}`);
  }
  return parts.join(" ");
}
