/**
 * The nodes of a tree: how they lie in the arena, how slots get from one to another, and how each can be moved. What a tree is
 * for, and its layout, stand at the head of `tree.ts`.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type Arena, BLOCK_CHUNK, BLOCK_TREE, UNIT_BYTES } from "./arena.ts";
import { moveBytes } from "./copy.ts";
import { wordIndex, wordsAt } from "./entry.ts";

/** Most slots in a node. */
export const NODE_SLOTS = 64;
/** Slots of a tree's first leaf. */
export const FIRST_SLOTS = 4;
/** A node with fewer slots looks for a neighbour to join... */
export const SPARSE_SLOTS = NODE_SLOTS >> 2;
/** ... that leaves no more than so many in one. */
export const JOINED_SLOTS = (NODE_SLOTS * 3) >> 2;
/** Word of a node: its parent, or the head. */
export const PARENT = 1;
/** Word of a node: how many slots it has. */
export const USED = 2;
/** Word of a node where its first slot starts. */
export const SLOTS = 3;
/** Word of an inner node's slot: the weight of the child. */
export const CHILD_WEIGHT = 1;
/** Words of an inner node's slot before its key words. */
export const CHILD_WORDS = 2;
/** Word of a head: what holds it. */
export const OWNER = 1;
/** Word of a head: the top node. */
export const TOP = 2;
/** Word of a head: how many levels are above the leaves. */
export const HEIGHT = 3;
/** Word of a head: what a slot is like. */
export const SHAPE = 4;
/** Word of a head: the weight of all slots. */
export const WEIGHT = 5;
/** Units of a head, */
export const HEAD_UNITS = 3;
/** and its bytes. */
export const HEAD_BYTES: number = HEAD_UNITS * 8;
/** More levels than any tree can have. */
export const LEVELS = 12;
/** Most words of a slot. */
export const SLOT_WORDS = 15;

/** What the slots of a tree are like. */
export interface TreeShape {
  /** Words of a slot, 15 at most. */
  readonly width: number;
  /** How many of its first words are its key; 0 if the tree is only searched by position. */
  readonly keyWords: number;
  /** The word with a slot's weight; -1 if each weighs 1. */
  readonly weightWord: number;
  /** The word with the address of a block whose word 1 is to be the leaf; -1 for none. */
  readonly ownedWord: number;
}

/** A way from the top of a tree to one of its slots; good until the tree changes by other hands. */
export class TreeCursor {
  /** The tree it is in. */
  tree = 0;
  /** How many levels are above the leaf. */
  height = 0;
  /** Node on each level, the leaf's is 0. */
  readonly nodes: Int32Array = new Int32Array(LEVELS);
  /** Which slot of each node. */
  readonly indexes: Int32Array = new Int32Array(LEVELS);
  /** Words of the slot that {@linkcode treeInsert} is to insert. */
  readonly slot: Int32Array<ArrayBuffer> = new Int32Array(SLOT_WORDS + 1);
  /** The same words, for what isn't one. */
  readonly slotView: DataView = new DataView(this.slot.buffer);
  /** Takes what was read ahead, so that reading it isn't idle. */
  sink = 0;
  /** Nodes for an insertion that have been taken already. */
  readonly spare: number[] = [];

  /** The leaf. */
  get leaf(): number {
    return this.nodes[0];
  }

  /** Number of the slot in the leaf. */
  get index(): number {
    return this.indexes[0];
  }
}

/** The weight of all slots. */
export function treeWeight(arena: Arena, tree: number): number {
  return wordsAt(arena, tree)[wordIndex(tree) + WEIGHT];
}

/** The top node. */
export function treeTop(arena: Arena, tree: number): number {
  return wordsAt(arena, tree)[wordIndex(tree) + TOP];
}

/** How many levels are above the leaves. */
export function treeHeight(arena: Arena, tree: number): number {
  return wordsAt(arena, tree)[wordIndex(tree) + HEIGHT];
}

/** Words of a slot. */
export function treeWidth(arena: Arena, tree: number): number {
  return wordsAt(arena, tree)[wordIndex(tree) + SHAPE] & 15;
}

/** Words of a slot of an inner node. */
export function innerWidth(arena: Arena, tree: number): number {
  return CHILD_WORDS + ((wordsAt(arena, tree)[wordIndex(tree) + SHAPE] >>> 4) & 15);
}

/** Has the tree know that the block at `owner` holds it. */
export function treeSetOwner(arena: Arena, tree: number, owner: number): void {
  arena.writable(tree, HEAD_BYTES)[wordIndex(tree) + OWNER] = owner;
}

/** The block that holds the tree. */
export function treeOwner(arena: Arena, tree: number): number {
  return wordsAt(arena, tree)[wordIndex(tree) + OWNER];
}

/** The sum of word `word` of the first `count` slots of a node. */
export function sum(
  arena: Arena,
  node: number,
  count: number,
  stride: number,
  word: number,
): number {
  const words = wordsAt(arena, node);
  let at = wordIndex(node) + SLOTS + word;
  let total = 0;
  for (let index = 0; index < count; index++, at += stride) total += words[at];
  return total;
}

/** Bytes of a node with `slots` slots of `width` words. */
export function nodeBytes(slots: number, width: number): number {
  return (SLOTS + slots * width) << 2;
}

/** A block for a node whose slots take `words` words. */
export function allocateNode(arena: Arena, kind: number, words: number): number {
  return arena.allocate((SLOTS + words + 1) >> 1, kind);
}

/** How many slots a node has room for. */
export function capacity(arena: Arena, node: number, width: number): number {
  return Math.min(NODE_SLOTS, Math.floor(((arena.unitsOf(node) << 1) - SLOTS) / width));
}

/** Whether a node has no room for one more slot. */
export function isFull(arena: Arena, node: number): boolean {
  return wordsAt(arena, node)[wordIndex(node) + USED] === NODE_SLOTS;
}

/**
 * Appends `count` slots of `from`, from number `first` on, to those of `to`, which is of the same `level`; what they point to knows
 * its new parent. They are still in `from`, too.
 */
export function moveSlots(
  arena: Arena,
  tree: number,
  level: number,
  from: number,
  first: number,
  to: number,
  count: number,
): void {
  const shape = wordsAt(arena, tree)[wordIndex(tree) + SHAPE];
  const stride = level === 0 ? shape & 15 : CHILD_WORDS + ((shape >>> 4) & 15);
  const owned = level === 0 ? ((shape >>> 12) & 15) - 1 : 0;
  const source = wordsAt(arena, from);
  const target = arena.writable(to, nodeBytes(NODE_SLOTS, stride));
  const used = target[wordIndex(to) + USED];
  let read = wordIndex(from) + SLOTS + first * stride;
  let write = wordIndex(to) + SLOTS + used * stride;
  for (let word = 0; word < count * stride; word++) target[write + word] = source[read + word];
  target[wordIndex(to) + USED] = used + count;
  if (owned < 0) return;
  for (let index = 0; index < count; index++, read += stride, write += stride) {
    const block = source[read + owned];
    arena.writable(block, 8)[wordIndex(block) + PARENT] = to;
  }
}

/** Makes room for one slot at `index` of a node that isn't full. */
export function openSlot(arena: Arena, node: number, index: number, stride: number): void {
  const bytes = nodeBytes(NODE_SLOTS, stride);
  const words = arena.writable(node, bytes);
  const at = wordIndex(node);
  const used = words[at + USED]++;
  if (used === index) return;
  const from = (at + SLOTS + index * stride) << 2;
  // `copyWithin` goes byte by byte for most widths of a slot.
  moveBytes(
    arena.writableView(node, bytes),
    from,
    from + (stride << 2),
    ((used - index) * stride) << 2,
  );
}

/** Closes the gap that the slot at `index` leaves. */
export function closeSlot(arena: Arena, node: number, index: number, stride: number): void {
  const bytes = nodeBytes(NODE_SLOTS, stride);
  const words = arena.writable(node, bytes);
  const at = wordIndex(node);
  const behind = --words[at + USED] - index;
  if (behind === 0) return;
  const to = (at + SLOTS + index * stride) << 2;
  moveBytes(arena.writableView(node, bytes), to + (stride << 2), to, (behind * stride) << 2);
}

/** Writes slot `index` of the inner node `parent`: `child`, which is of `level`. */
export function writeChild(
  arena: Arena,
  tree: number,
  parent: number,
  index: number,
  child: number,
  level: number,
  weight: number,
): void {
  const stride = innerWidth(arena, tree);
  const words = arena.writable(parent, nodeBytes(NODE_SLOTS, stride));
  const at = wordIndex(parent) + SLOTS + index * stride;
  words[at] = child;
  words[at + CHILD_WEIGHT] = weight;
  const source = wordsAt(arena, child);
  const from = wordIndex(child) + SLOTS + (level === 0 ? 0 : CHILD_WORDS);
  for (let word = 0; word < stride - CHILD_WORDS; word++) {
    words[at + CHILD_WORDS + word] = source[from + word];
  }
  arena.writable(child, 8)[wordIndex(child) + PARENT] = parent;
}

/** The weight of all slots of a node. */
export function nodeWeight(arena: Arena, tree: number, level: number, node: number): number {
  const used = wordsAt(arena, node)[wordIndex(node) + USED];
  const shape = wordsAt(arena, tree)[wordIndex(tree) + SHAPE];
  if (level > 0) {
    return sum(arena, node, used, CHILD_WORDS + ((shape >>> 4) & 15), CHILD_WEIGHT);
  }
  const weightWord = ((shape >>> 8) & 15) - 1;
  return weightWord < 0 ? used : sum(arena, node, used, shape & 15, weightWord);
}

/** Bytes that a tree takes, without what its slots name. */
export function treeBytes(arena: Arena, tree: number): number {
  const units = nodeUnits(arena, tree, treeTop(arena, tree), treeHeight(arena, tree));
  return (arena.unitsOf(tree) + units) * UNIT_BYTES;
}

/** Units of a node and all below it. */
function nodeUnits(arena: Arena, tree: number, node: number, level: number): number {
  let units = arena.unitsOf(node);
  if (level === 0) return units;
  const words = wordsAt(arena, node);
  const stride = innerWidth(arena, tree);
  let at = wordIndex(node) + SLOTS;
  for (let left = words[wordIndex(node) + USED]; left > 0; left--, at += stride) {
    units += nodeUnits(arena, tree, words[at], level - 1);
  }
  return units;
}

/** How many slots a tree has; where they have weights of their own, each leaf is looked at. */
export function treeSlots(arena: Arena, tree: number): number {
  const weighted = ((wordsAt(arena, tree)[wordIndex(tree) + SHAPE] >>> 8) & 15) > 0;
  if (!weighted) return treeWeight(arena, tree);
  return slotsBelow(arena, tree, treeTop(arena, tree), treeHeight(arena, tree));
}

/** Slots of the leaves below a node, or of the node itself if it is one. */
function slotsBelow(arena: Arena, tree: number, node: number, level: number): number {
  const words = wordsAt(arena, node);
  const used = words[wordIndex(node) + USED];
  if (level === 0) return used;
  const stride = innerWidth(arena, tree);
  let slots = 0;
  for (let index = 0; index < used; index++) {
    const child = words[wordIndex(node) + SLOTS + index * stride];
    slots += slotsBelow(arena, tree, child, level - 1);
  }
  return slots;
}

/** The head of the tree that a node is in. */
export function treeOfNode(arena: Arena, node: number): number {
  let at = node;
  while (arena.kindOf(at) !== BLOCK_TREE) at = wordsAt(arena, at)[wordIndex(at) + PARENT];
  return at;
}

/** Gives the head of a tree in the block `from` another place and returns it; who holds the tree is the caller's to tell. */
export function moveTree(arena: Arena, from: number): number {
  const to = arena.duplicate(from, HEAD_UNITS);
  const top = wordsAt(arena, to)[wordIndex(to) + TOP];
  arena.writable(top, 8)[wordIndex(top) + PARENT] = to;
  arena.free(from);
  return to;
}

/** Gives the node in the block `from` another place; its parent and what it points to follow. */
export function moveNode(arena: Arena, from: number, isLeaf: boolean): void {
  const tree = treeOfNode(arena, from);
  const to = arena.duplicate(from, arena.unitsOf(from));
  const words = wordsAt(arena, to);
  const parent = words[wordIndex(to) + PARENT];
  if (parent === tree) arena.writable(tree, HEAD_BYTES)[wordIndex(tree) + TOP] = to;
  else replaceWord(arena, parent, innerWidth(arena, tree), 0, from, to);
  const shape = wordsAt(arena, tree)[wordIndex(tree) + SHAPE];
  const stride = isLeaf ? shape & 15 : innerWidth(arena, tree);
  const owned = isLeaf ? ((shape >>> 12) & 15) - 1 : 0;
  if (owned >= 0) {
    const used = words[wordIndex(to) + USED];
    for (let index = 0; index < used; index++) {
      const block = words[wordIndex(to) + SLOTS + index * stride + owned];
      arena.writable(block, 8)[wordIndex(block) + PARENT] = to;
    }
  }
  arena.free(from);
}

/** Gives the block `from`, which a leaf's slot names and which knows that leaf, another place, and returns it. */
export function moveOwned(arena: Arena, from: number): number {
  const leaf = wordsAt(arena, from)[wordIndex(from) + PARENT];
  const tree = treeOfNode(arena, leaf);
  const shape = wordsAt(arena, tree)[wordIndex(tree) + SHAPE];
  const to = arena.duplicate(from, arena.unitsOf(from));
  replaceWord(arena, leaf, shape & 15, ((shape >>> 12) & 15) - 1, from, to);
  arena.free(from);
  return to;
}

/** Has the slot that names the block `from`, which a leaf owns, name `to`, which gets to know that leaf. */
export function replaceOwned(arena: Arena, from: number, to: number): void {
  const leaf = wordsAt(arena, from)[wordIndex(from) + PARENT];
  const tree = treeOfNode(arena, leaf);
  const shape = wordsAt(arena, tree)[wordIndex(tree) + SHAPE];
  replaceWord(arena, leaf, shape & 15, ((shape >>> 12) & 15) - 1, from, to);
  arena.writable(to, 8)[wordIndex(to) + PARENT] = leaf;
}

/** Puts `to` in the place of `from` in word `word` of one of a node's slots. */
function replaceWord(
  arena: Arena,
  node: number,
  stride: number,
  word: number,
  from: number,
  to: number,
): void {
  const words = arena.writable(node, nodeBytes(NODE_SLOTS, stride));
  const used = words[wordIndex(node) + USED];
  let at = wordIndex(node) + SLOTS + word;
  for (let index = 0; index < used; index++, at += stride) {
    if (words[at] !== from) continue;
    words[at] = to;
    return;
  }
  assert(false, "what knows its node is in it");
}

/**
 * Checks parents, weights, key words and owners of a tree.
 *
 * @throws {AssertionError} at the first thing that doesn't agree.
 */
export function treeCheck(arena: Arena, tree: number): void {
  const weight = checkNode(arena, tree, treeTop(arena, tree), tree, treeHeight(arena, tree));
  assert(weight === treeWeight(arena, tree), `weight: ${weight}`);
}

/** Checks a node and all below it; returns its weight. */
function checkNode(
  arena: Arena,
  tree: number,
  node: number,
  parent: number,
  level: number,
): number {
  const words = wordsAt(arena, node);
  const at = wordIndex(node);
  assert(words[at + PARENT] === parent, `node ${node} knows its parent`);
  const used = words[at + USED];
  assert(used <= NODE_SLOTS && (used > 0 || parent === tree), `node ${node} has ${used} slots`);
  const shape = wordsAt(arena, tree)[wordIndex(tree) + SHAPE];
  const owned = ((shape >>> 12) & 15) - 1;
  if (level === 0) {
    for (let index = 0; owned >= 0 && index < used; index++) {
      const block = words[at + SLOTS + index * (shape & 15) + owned];
      assert(arena.kindOf(block) === BLOCK_CHUNK, `slot ${index} of ${node} names a chunk`);
      assert(wordsAt(arena, block)[wordIndex(block) + PARENT] === node, "a chunk knows its leaf");
    }
    return nodeWeight(arena, tree, 0, node);
  }
  assert(used > 1, "an inner node has two children at least");
  const stride = innerWidth(arena, tree);
  let total = 0;
  for (let index = 0; index < used; index++) {
    const slot = at + SLOTS + index * stride;
    const child = words[slot];
    const weight = checkNode(arena, tree, child, node, level - 1);
    assert(weight === words[slot + CHILD_WEIGHT], `weight of child ${index} of ${node}`);
    const first = wordIndex(child) + SLOTS + (level === 1 ? 0 : CHILD_WORDS);
    for (let word = 0; word < stride - CHILD_WORDS; word++) {
      assert(
        words[slot + CHILD_WORDS + word] === wordsAt(arena, child)[first + word],
        `key words of child ${index} of ${node}`,
      );
    }
    total += weight;
  }
  return total;
}
