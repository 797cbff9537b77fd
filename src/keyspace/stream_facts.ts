/**
 * What can be told of a stream besides its entries: how far groups have read, and what it would be like in Redis.
 *
 * **Counting reads.** A stream counts the entries that were ever added, and a group those that it has read, so that what lies between
 * is its lag. Deleting entries in the middle breaks that, since nobody knows on which side of a group's place they were: the highest id
 * ever deleted is kept, and a count is good only if no such id lies ahead. Where a group's own count isn't good, its place may still tell: at
 * the end, at the first entry, or before it, if nothing in the middle is missing.
 *
 * @module
 */
import type { Arena } from "../memory/arena.ts";
import { compareIds, EntryId, readId, slotId } from "../memory/id_tree.ts";
import { ROOT_TREE, rootWord } from "../memory/root.ts";
import { treeFirst, treeNext } from "../memory/tree.ts";
import { treeWeight } from "../memory/tree_nodes.ts";
import { Int64 } from "../protocol/integers.ts";
import { GROUP_LAST_ID, GROUP_READ } from "./stream_groups.ts";
import type { StreamPlace } from "./stream_nodes.ts";
import {
  readRootNumber,
  STREAM_ADDED,
  STREAM_DELETED_ID,
  STREAM_FIRST_ID,
  STREAM_LAST_ID,
  streamLength,
} from "./stream_root.ts";

const ID_BYTES = 16;

/** Looks at one stream; keeps what it works with. */
export class StreamFacts {
  private readonly first = new EntryId();
  private readonly last = new EntryId();
  private readonly deleted = new EntryId();
  private readonly added = new Int64();
  private readonly groupId = new EntryId();
  private length = 0;
  /** What the last question was answered with, if it was. */
  readonly count: Int64 = new Int64();

  /** Looks at the stream with this root, as it is now. */
  look(arena: Arena, root: number): void {
    readId(arena, root, STREAM_FIRST_ID, this.first);
    readId(arena, root, STREAM_LAST_ID, this.last);
    readId(arena, root, STREAM_DELETED_ID, this.deleted);
    readRootNumber(arena, root, STREAM_ADDED, this.added);
    this.length = streamLength(arena, root);
  }

  /** Whether any entry was ever added. */
  get hasAdded(): boolean {
    return (this.added.high | this.added.low) !== 0;
  }

  /** Whether some entry from `id` on may have been deleted from the middle. */
  hasHoles(id: EntryId): boolean {
    const { first, deleted } = this;
    if (this.length === 0 || deleted.isLowest || compareIds(first, deleted) > 0) return false;
    return compareIds(id, deleted) <= 0;
  }

  /** Has {@linkcode count} be how many entries were ever added up to the one with this id; false if that can't be known. */
  countUpTo(id: EntryId): boolean {
    const { first, last, deleted, added, count, length } = this;
    if (!this.hasAdded) {
      setNumber(count, 0, 0);
      return true;
    }
    const order = compareIds(id, last);
    if (order === 0 || (length === 0 && order < 0)) {
      setNumber(count, added.high, added.low);
      return true;
    }
    if (order > 0) return false;
    if (!deleted.isLowest && compareIds(deleted, first) >= 0) return false;
    const place = compareIds(id, first);
    if (place > 0) return false;
    subtract(added, 0, place === 0 ? length - 1 : length, count);
    return true;
  }

  /** Has {@linkcode count} be how many entries a group hasn't read yet; false if that can't be known. */
  countAhead(arena: Arena, group: number): boolean {
    const { added, count, groupId } = this;
    if (!this.hasAdded) {
      setNumber(count, 0, 0);
      return true;
    }
    readId(arena, group, GROUP_LAST_ID, groupId);
    readRootNumber(arena, group, GROUP_READ, count);
    const isKnown = (count.high & count.low) !== -1 && !this.hasHoles(groupId);
    if (!isKnown && !this.countUpTo(groupId)) return false;
    subtract(added, count.high, count.low, count);
    return true;
  }
}

function setNumber(number: Int64, high: number, low: number): void {
  number.high = high;
  number.low = low;
}

/** Has `out` be a 64-bit difference. */
function subtract(from: Int64, high: number, low: number, out: Int64): void {
  const borrow = (from.low >>> 0) < (low >>> 0) ? 1 : 0;
  out.high = (from.high - high - borrow) | 0;
  out.low = (from.low - low) | 0;
}

/** How many nodes a stream has. */
export function streamNodes(arena: Arena, root: number): number {
  return treeWeight(arena, rootWord(arena, root, ROOT_TREE));
}

/**
 * How many nodes the radix tree would have in which Redis keeps the nodes of a stream by their ids. There, bytes that only one way
 * goes on from are one node; so are those from which several do, and so is each end.
 */
export function radixNodes(arena: Arena, root: number, place: StreamPlace): number {
  const { cursor, nodeId, id } = place;
  const tree = rootWord(arena, root, ROOT_TREE);
  if (!treeFirst(arena, tree, cursor)) return 1;
  // Depths at which the way to the last id branches, from the top on.
  const branches: number[] = [];
  let nodes = 1;
  slotId(arena, cursor, id);
  while (treeNext(arena, cursor)) {
    slotId(arena, cursor, nodeId);
    const depth = commonBytes(id, nodeId);
    nodes += 1 + closeBranches(branches, depth);
    if (branches[branches.length - 1] !== depth) branches.push(depth);
    id.copy(nodeId);
  }
  return nodes + closeBranches(branches, -1);
}

/**
 * The way to an id ends, and the next one leaves it at `depth`: forgets the branches below, and counts them with the
 * runs of bytes before each and before the end.
 */
function closeBranches(branches: number[], depth: number): number {
  let nodes = 0;
  let end = ID_BYTES;
  for (;;) {
    const top = branches.length === 0 ? -1 : branches[branches.length - 1];
    const above = Math.max(top, depth);
    // From behind the branch at `above`, or from the start, to what was counted last.
    if (end > above + 1) nodes++;
    if (top <= depth) return nodes;
    branches.pop();
    nodes++;
    end = top;
  }
}

/** How many bytes two ids have in common from their starts on. */
function commonBytes(first: EntryId, second: EntryId): number {
  let bits = Math.clz32(first.msHigh ^ second.msHigh);
  if (bits === 32) bits += Math.clz32(first.msLow ^ second.msLow);
  if (bits === 64) bits += Math.clz32(first.seqHigh ^ second.seqHigh);
  if (bits === 96) bits += Math.clz32(first.seqLow ^ second.seqLow);
  return bits >>> 3;
}
