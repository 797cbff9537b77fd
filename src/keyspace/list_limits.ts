/**
 * How large a node of a list may get: the rules of `list-max-listpack-size`, which are Redis', so that a list has its elements
 * in the same nodes, and DUMP gives the same bytes.
 *
 * A negative setting is a size in bytes, from -1 (4 KiB) to -5 (64 KiB); a positive one a number of elements, for which a
 * node must stay below 8 KiB, too. What an element will take is guessed as its length and eight bytes more. An element that is longer
 * than any node may be has one of its own.
 *
 * @module
 */

/** A list of one node that takes no more bytes than this is kept in its entry. */
export const SMALL_LIST_BYTES = 512;
/** A large list that has become so small goes back into its entry. */
export const SHRUNK_LIST_BYTES: number = SMALL_LIST_BYTES >> 1;

/** Most bytes of a node with the setting -1, doubled for each step below, */
const SMALLEST_BYTES = 4096;
/** of which there are so many. */
const SIZE_STEPS = 4;
/** Most bytes of a node whose elements are counted. */
const COUNTED_BYTES = 8192;
/** Most elements that the setting can ask for. */
const MOST_ELEMENTS = 0x7fff;
/** What an element is thought to take beside its bytes. */
const GUESSED_BYTES = 8;
/**
 * What joining two nodes is thought to save. Redis reckons with header and end of the format before listpacks; with
 * seven bytes some nodes would stay apart that it joins.
 */
const JOINED_BYTES = 11;

/** Most bytes of a node. */
export function nodeBytesLimit(setting: number): number {
  if (setting >= 0) return COUNTED_BYTES;
  return SMALLEST_BYTES << (setting < -SIZE_STEPS ? SIZE_STEPS : -1 - setting);
}

/** Whether a node of `bytes` bytes and `count` elements takes one more, of `length` bytes. One without any takes whatever comes. */
export function nodeTakes(bytes: number, count: number, length: number, setting: number): boolean {
  return count === 0 || nodeMayBe(bytes + length + GUESSED_BYTES, count + 1, setting);
}

/** Whether two nodes, of so many bytes and elements together, may be one. */
export function nodesJoin(bytes: number, count: number, setting: number): boolean {
  return nodeMayBe(bytes - JOINED_BYTES, count, setting);
}

function nodeMayBe(bytes: number, count: number, setting: number): boolean {
  if (bytes > nodeBytesLimit(setting)) return false;
  return setting < 0 || count <= Math.min(setting, MOST_ELEMENTS);
}
