/**
 * Long rows of bits: counting them, finding one, combining several rows.
 *
 * A row is a run of bytes whose first bit is the most significant bit of its first byte, as Redis
 * numbers them. In all three tasks the order of bits within a word doesn't matter until the very
 * end, so that the middle of a row is taken as 32-bit words, wherever they start on a boundary of 4
 * bytes; what is before and behind is taken byte by byte.
 *
 * **Counting.** A word's bits are summed in place: pairs, then nibbles, then bytes, and one
 * multiplication adds the four bytes. That is a dozen operations a word, so before it eight words
 * are added into one another with full adders (carry-save adders): seven adders of five operations
 * leave one word whose bits count for eight each, and three with the rest. A quarter of the
 * operations are left, and the loop runs as fast as memory delivers.
 *
 * @module
 */

const WORD_BYTES = 4;
/** Words that one step of counting takes. */
const STEP_WORDS = 8;
/** Rows shorter than that aren't worth a view of words. */
const SHORT_BYTES = 64;

/** What {@linkcode combineBits} does with the bits at one place. */
export type BitOperation = "and" | "or" | "xor" | "not";

/** Number of bits that are set in a word of 32 bits. */
export function countWordBits(word: number): number {
  word -= (word >>> 1) & 0x55555555;
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  word = (word + (word >>> 4)) & 0x0f0f0f0f;
  return Math.imul(word, 0x01010101) >>> 24;
}

/** Number of bits that are set in `bytes`. */
export function countBits(bytes: Uint8Array): number {
  if (bytes.length < SHORT_BYTES) return countByteBits(bytes, 0, bytes.length);
  const words = alignedWords(bytes);
  const head = words.byteOffset - bytes.byteOffset;
  const tail = head + words.length * WORD_BYTES;
  return countByteBits(bytes, 0, head) + countWords(words) +
    countByteBits(bytes, tail, bytes.length);
}

function countByteBits(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let index = from; index < to; index++) count += countWordBits(bytes[index]);
  return count;
}

/** The whole words within `bytes` that start on a boundary. */
function alignedWords(bytes: Uint8Array): Int32Array {
  const start = Math.ceil(bytes.byteOffset / WORD_BYTES) * WORD_BYTES;
  const end = bytes.byteOffset + bytes.length;
  return new Int32Array(bytes.buffer, start, Math.max(0, Math.floor((end - start) / WORD_BYTES)));
}

function countWords(words: Int32Array): number {
  const whole = words.length - words.length % STEP_WORDS;
  let eights = 0;
  // Sums and carries that stay between steps: their bits count for one, two and four each.
  let ones = 0;
  let twos = 0;
  let fours = 0;
  for (let at = 0; at < whole; at += STEP_WORDS) {
    // Each adder takes three words of one weight: their sum stays, their carry weighs double.
    let a = words[at];
    let b = words[at + 1];
    let half = ones ^ a;
    const twosA = (ones & a) | (half & b);
    ones = half ^ b;
    a = words[at + 2];
    b = words[at + 3];
    half = ones ^ a;
    const twosB = (ones & a) | (half & b);
    ones = half ^ b;
    half = twos ^ twosA;
    const foursA = (twos & twosA) | (half & twosB);
    twos = half ^ twosB;
    a = words[at + 4];
    b = words[at + 5];
    half = ones ^ a;
    const twosC = (ones & a) | (half & b);
    ones = half ^ b;
    a = words[at + 6];
    b = words[at + 7];
    half = ones ^ a;
    const twosD = (ones & a) | (half & b);
    ones = half ^ b;
    half = twos ^ twosC;
    const foursB = (twos & twosC) | (half & twosD);
    twos = half ^ twosD;
    half = fours ^ foursA;
    eights += countWordBits((fours & foursA) | (half & foursB));
    fours = half ^ foursB;
  }
  let count = eights * 8 + countWordBits(fours) * 4 + countWordBits(twos) * 2 +
    countWordBits(ones);
  for (let at = whole; at < words.length; at++) count += countWordBits(words[at]);
  return count;
}

/**
 * Number of bits that are set from bit `from` to bit `to`, both included, which lie within `bytes`.
 */
export function countBitRange(bytes: Uint8Array, from: number, to: number): number {
  const firstByte = Math.floor(from / 8);
  const lastByte = Math.floor(to / 8);
  let count = countBits(bytes.subarray(firstByte, lastByte + 1));
  const before = from % 8;
  const behind = 7 - to % 8;
  count -= countWordBits(bytes[firstByte] >>> (8 - before));
  count -= countWordBits(bytes[lastByte] & ((1 << behind) - 1));
  return count;
}

/**
 * The first bit with the value `bit` (0 or 1) from bit `from` to bit `to`, both included, which lie
 * within `bytes`; -1 if there is none.
 */
export function findBit(bytes: Uint8Array, bit: number, from: number, to: number): number {
  const skipped = bit === 0 ? 0xff : 0;
  const lastByte = Math.floor(to / 8);
  let at = Math.floor(from / 8);
  // Bits before the first one look like those that aren't wanted.
  const before = from % 8;
  const mask = 0xff00 >>> before & 0xff;
  let byte = bit === 0 ? bytes[at] | mask : bytes[at] & ~mask;
  if (byte === skipped) {
    at = firstOther(bytes, skipped, at + 1, lastByte + 1);
    if (at > lastByte) return -1;
    byte = bytes[at];
  }
  const found = at * 8 + Math.clz32(bit === 0 ? byte ^ 0xff : byte) - 24;
  return found > to ? -1 : found;
}

/** The first place from `from` on where there is another byte than `skipped`; `to` if there is none. */
function firstOther(bytes: Uint8Array, skipped: number, from: number, to: number): number {
  let at = from;
  if (to - from >= SHORT_BYTES) {
    const words = alignedWords(bytes.subarray(from, to));
    const head = words.byteOffset - bytes.byteOffset;
    for (; at < head; at++) if (bytes[at] !== skipped) return at;
    const skippedWord = skipped === 0 ? 0 : -1;
    let word = 0;
    while (word < words.length && words[word] === skippedWord) word++;
    at = head + word * WORD_BYTES;
  }
  while (at < to && bytes[at] === skipped) at++;
  return at;
}

/**
 * Combines `sources` bit by bit into `target`, which is as long as the longest of them; a shorter
 * one goes on with zero bits. `not` takes one source. `target` shares no memory with a source.
 */
export function combineBits(
  operation: BitOperation,
  target: Uint8Array,
  sources: readonly Uint8Array[],
): void {
  const first = sources[0];
  target.set(first);
  target.fill(0, first.length);
  if (operation === "not") return invert(target);
  for (const source of sources.slice(1)) {
    combineInto(operation, target, source);
    if (operation === "and") target.fill(0, source.length);
  }
}

function invert(target: Uint8Array): void {
  const words = alignedWords(target);
  const head = words.byteOffset - target.byteOffset;
  const tail = head + words.length * WORD_BYTES;
  for (let at = 0; at < head; at++) target[at] = ~target[at];
  for (let at = 0; at < words.length; at++) words[at] = ~words[at];
  for (let at = tail; at < target.length; at++) target[at] = ~target[at];
}

function combineInto(operation: BitOperation, target: Uint8Array, source: Uint8Array): void {
  const length = source.length;
  let at = 0;
  // Words can be had if both start at the same distance from a boundary.
  if (length >= SHORT_BYTES && (target.byteOffset - source.byteOffset) % WORD_BYTES === 0) {
    const theirs = alignedWords(source);
    const head = theirs.byteOffset - source.byteOffset;
    const ours = new Int32Array(target.buffer, target.byteOffset + head, theirs.length);
    combineBytes(operation, target, source, 0, head);
    combineWords(operation, ours, theirs);
    at = head + theirs.length * WORD_BYTES;
  }
  combineBytes(operation, target, source, at, length);
}

function combineWords(operation: BitOperation, target: Int32Array, source: Int32Array): void {
  const length = source.length;
  if (operation === "and") { for (let at = 0; at < length; at++) target[at] &= source[at]; }
  else if (operation === "or") { for (let at = 0; at < length; at++) target[at] |= source[at]; }
  else for (let at = 0; at < length; at++) target[at] ^= source[at];
}

function combineBytes(
  operation: BitOperation,
  target: Uint8Array,
  source: Uint8Array,
  from: number,
  to: number,
): void {
  for (let at = from; at < to; at++) {
    const byte = source[at];
    if (operation === "and") target[at] &= byte;
    else if (operation === "or") target[at] |= byte;
    else target[at] ^= byte;
  }
}
