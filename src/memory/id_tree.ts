/**
 * Ids of 128 bits, and trees in their order: the nodes of a stream, and what is pending in its groups.
 *
 * An id is a time in ms and a number within it, both unsigned and of 64 bits. Since a double holds 53 of them, an id is four words
 * of 32 bits, the most significant first, wherever it is: in an {@linkcode EntryId}, in a root, or in the first four words of a
 * tree's slot, which are its key words.
 *
 * ```text
 * slot     | ms, high | ms, low | number, high | number, low | what the tree is for ...
 * ```
 *
 * **Cost.** A search compares two words at most steps, since ids of one tree mostly differ in the lower half of their times. With
 * 64 slots a node, three levels are 260 000 slots.
 *
 * @module
 */
import { type Arena, SEGMENT_MASK, SEGMENT_SHIFT } from "./arena.ts";
import { wordIndex, wordsAt } from "./entry.ts";
import { atSlot, nextLeaf, slotIndex, type TreeCursor, treePrevious, treeStart } from "./tree.ts";
import { CHILD_WORDS, SLOTS, treeWidth, USED } from "./tree_nodes.ts";

/** Words of an id. */
export const ID_WORDS = 4;

/** An id: four words that functions read and fill; see the head of this file. */
export class EntryId {
  /** Bits 32 to 63 of the time. */
  msHigh = 0;
  /** Bits 0 to 31 of the time. */
  msLow = 0;
  /** Bits 32 to 63 of the number. */
  seqHigh = 0;
  /** Bits 0 to 31 of the number. */
  seqLow = 0;

  /** Becomes the id of these words. */
  set(msHigh: number, msLow: number, seqHigh: number, seqLow: number): void {
    this.msHigh = msHigh | 0;
    this.msLow = msLow | 0;
    this.seqHigh = seqHigh | 0;
    this.seqLow = seqLow | 0;
  }

  /** Becomes the same as `other`. */
  copy(other: EntryId): void {
    this.msHigh = other.msHigh;
    this.msLow = other.msLow;
    this.seqHigh = other.seqHigh;
    this.seqLow = other.seqLow;
  }

  /** Becomes the lowest id, */
  setLowest(): void {
    this.set(0, 0, 0, 0);
  }

  /** or the highest. */
  setHighest(): void {
    this.set(-1, -1, -1, -1);
  }

  /** Whether it is the lowest id. */
  get isLowest(): boolean {
    return (this.msHigh | this.msLow | this.seqHigh | this.seqLow) === 0;
  }

  /** Whether it is the highest. */
  get isHighest(): boolean {
    return (this.msHigh & this.msLow & this.seqHigh & this.seqLow) === -1;
  }

  /** An id of its own with the same words. */
  clone(): EntryId {
    const id = new EntryId();
    id.copy(this);
    return id;
  }

  /** Becomes the next id; false, with nothing changed, if it is the highest. */
  increment(): boolean {
    if (this.isHighest) return false;
    this.seqLow = (this.seqLow + 1) | 0;
    if (this.seqLow !== 0) return true;
    this.seqHigh = (this.seqHigh + 1) | 0;
    if (this.seqHigh !== 0) return true;
    this.msLow = (this.msLow + 1) | 0;
    if (this.msLow === 0) this.msHigh = (this.msHigh + 1) | 0;
    return true;
  }

  /** Becomes the id before; false, with nothing changed, if it is the lowest. */
  decrement(): boolean {
    if (this.isLowest) return false;
    this.seqLow = (this.seqLow - 1) | 0;
    if (this.seqLow !== -1) return true;
    this.seqHigh = (this.seqHigh - 1) | 0;
    if (this.seqHigh !== -1) return true;
    this.msLow = (this.msLow - 1) | 0;
    if (this.msLow === -1) this.msHigh = (this.msHigh - 1) | 0;
    return true;
  }
}

/** Below 0 if `first` comes before `second`, above 0 if it comes after it, 0 if both are the same. */
export function compareIds(first: EntryId, second: EntryId): number {
  if (first.msHigh !== second.msHigh) return (first.msHigh >>> 0) - (second.msHigh >>> 0);
  if (first.msLow !== second.msLow) return (first.msLow >>> 0) - (second.msLow >>> 0);
  if (first.seqHigh !== second.seqHigh) return (first.seqHigh >>> 0) - (second.seqHigh >>> 0);
  return (first.seqLow >>> 0) - (second.seqLow >>> 0);
}

/** Reads the id in word `word` of the block at `address` and the three behind it. */
export function readId(arena: Arena, address: number, word: number, id: EntryId): void {
  const words = arena.words[address >>> SEGMENT_SHIFT];
  const at = ((address & SEGMENT_MASK) << 1) + word;
  id.msHigh = words[at];
  id.msLow = words[at + 1];
  id.seqHigh = words[at + 2];
  id.seqLow = words[at + 3];
}

/** Writes an id to word `word` of the block at `address` and the three behind it. */
export function writeId(arena: Arena, address: number, word: number, id: EntryId): void {
  const words = arena.writable(address, (word + ID_WORDS) * 4);
  const at = wordIndex(address) + word;
  words[at] = id.msHigh;
  words[at + 1] = id.msLow;
  words[at + 2] = id.seqHigh;
  words[at + 3] = id.seqLow;
}

/** Reads the id of the cursor's slot. */
export function slotId(arena: Arena, cursor: TreeCursor, id: EntryId): void {
  readId(arena, cursor.leaf, slotIndex(arena, cursor) - wordIndex(cursor.leaf), id);
}

/** Puts an id into the slot that the cursor is to insert. */
export function setIdSlot(cursor: TreeCursor, id: EntryId): void {
  const { slot } = cursor;
  slot[0] = id.msHigh;
  slot[1] = id.msLow;
  slot[2] = id.seqHigh;
  slot[3] = id.seqLow;
}

/**
 * Goes to the first slot whose id isn't below `id`, to where a slot with that id would be inserted; whether the cursor is at a
 * slot. If it is behind the last one of a leaf, {@linkcode nextLeaf} goes on.
 */
export function idSeek(arena: Arena, tree: number, id: EntryId, cursor: TreeCursor): boolean {
  treeStart(arena, tree, cursor);
  const width = treeWidth(arena, tree);
  for (let level = cursor.height; level >= 0; level--) {
    const node = cursor.nodes[level];
    const words = wordsAt(arena, node);
    const base = wordIndex(node);
    const isLeaf = level === 0;
    const stride = isLeaf ? width : CHILD_WORDS + ID_WORDS;
    const first = base + SLOTS + (isLeaf ? 0 : CHILD_WORDS);
    // Above the leaves it is the last child whose first slot isn't above the id, or the first child.
    let low = isLeaf ? 0 : 1;
    let high = words[base + USED];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = first + middle * stride;
      const order = compareWords(
        words[at],
        words[at + 1],
        words[at + 2],
        words[at + 3],
        id,
      );
      if (isLeaf ? order < 0 : order <= 0) low = middle + 1;
      else high = middle;
    }
    if (isLeaf) cursor.indexes[0] = low;
    else {
      cursor.indexes[level] = low - 1;
      cursor.nodes[level - 1] = words[base + SLOTS + (low - 1) * stride];
    }
  }
  return atSlot(arena, cursor);
}

/** Goes to the first slot whose id isn't below `id`; false if there is none. */
export function idSeekFrom(arena: Arena, tree: number, id: EntryId, cursor: TreeCursor): boolean {
  return idSeek(arena, tree, id, cursor) || nextLeaf(arena, cursor);
}

/** Goes to the last slot whose id isn't above `id`; false if there is none. */
export function idSeekUpTo(arena: Arena, tree: number, id: EntryId, cursor: TreeCursor): boolean {
  if (idSeek(arena, tree, id, cursor) && slotHasId(arena, cursor, id)) return true;
  return treePrevious(arena, cursor);
}

/** Goes to the slot with this id; false if there is none. */
export function idFind(arena: Arena, tree: number, id: EntryId, cursor: TreeCursor): boolean {
  return idSeek(arena, tree, id, cursor) && slotHasId(arena, cursor, id);
}

/** Whether the cursor's slot has this id. */
function slotHasId(arena: Arena, cursor: TreeCursor, id: EntryId): boolean {
  const words = wordsAt(arena, cursor.leaf);
  const at = slotIndex(arena, cursor);
  return words[at] === id.msHigh && words[at + 1] === id.msLow &&
    words[at + 2] === id.seqHigh && words[at + 3] === id.seqLow;
}

function compareWords(
  msHigh: number,
  msLow: number,
  seqHigh: number,
  seqLow: number,
  id: EntryId,
): number {
  if (msHigh !== id.msHigh) return (msHigh >>> 0) - (id.msHigh >>> 0);
  if (msLow !== id.msLow) return (msLow >>> 0) - (id.msLow >>> 0);
  if (seqHigh !== id.seqHigh) return (seqHigh >>> 0) - (id.seqHigh >>> 0);
  return (seqLow >>> 0) - (id.seqLow >>> 0);
}
