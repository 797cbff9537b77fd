/**
 * The counted tree: a sequence of slots in the arena that is found by position or by order in O(log n).
 *
 * It is a B+tree. **Slots** lie in the leaves, each of the same few words, which mean nothing here: a sorted set keeps a
 * score and the address of a member, a stream an id and the address of a chunk, a list the address of a chunk and
 * how many elements are in it. Each slot has a **weight**: one of its words, or 1. Inner nodes know the weight of each child, so
 * that the slot at a position, and the position of a slot, are found on the way down or up. They also keep a copy of the first words of
 * each child's first slot (the **key words**), by which an ordered tree is searched; it is exact at all times.
 *
 * ```text
 * head    | header | owner | top node | height | shape | weight |
 * leaf    | header | parent | slots in use | slot | slot | ...
 * inner   | header | parent | slots in use | child, weight, key words | child, weight, key words | ...
 * ```
 *
 * **Parents.** Word 1 of a node is its parent (of the top node: the head), so that every node can be moved by whoever empties a
 * segment. Where one word of a slot is the address of a block that belongs to the tree (a chunk), that block's word
 * 1 is kept at the leaf that holds the slot.
 *
 * **Growing and shrinking.** A full node is split in two halves, or, at either end of the whole sequence, into a full one and an
 * empty one: what is appended in order fills its leaves. A node that is less than a quarter full is joined with a neighbour if both
 * together are at most three quarters full, so that a split doesn't follow at once. A tree begins with one small leaf that grows.
 *
 * **Without room** nothing is changed: all nodes that an insertion needs are taken before the first is touched. Removing needs none.
 *
 * **Cost.** 64 slots a node: 10 M slots are 4 levels. An insertion moves half a leaf on average; random ones leave leaves 69 %
 * full. The weight of a level above is 1/44 of the level below.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type Arena, BLOCK_LEAF, BLOCK_TREE } from "./arena.ts";
import { wordIndex, wordsAt } from "./entry.ts";
import {
  allocateNode,
  CHILD_WEIGHT,
  CHILD_WORDS,
  closeSlot,
  FIRST_SLOTS,
  HEAD_BYTES,
  HEAD_UNITS,
  HEIGHT,
  innerWidth,
  NODE_SLOTS,
  nodeBytes,
  openSlot,
  OWNER,
  PARENT,
  SHAPE,
  SLOT_WORDS,
  SLOTS,
  SPARSE_SLOTS,
  sum,
  TOP,
  TreeCursor,
  treeHeight,
  type TreeShape,
  treeTop,
  treeWeight,
  treeWidth,
  USED,
  WEIGHT,
} from "./tree_nodes.ts";
import { joinPath, splitPath, takeSpares } from "./tree_balance.ts";

export { TreeCursor, type TreeShape } from "./tree_nodes.ts";

/** Makes an empty tree that the block at `owner` holds, and returns its address. */
export function treeCreate(arena: Arena, owner: number, shape: TreeShape): number {
  assert(shape.width <= SLOT_WORDS && shape.keyWords <= shape.width);
  const tree = arena.allocate(HEAD_UNITS, BLOCK_TREE);
  let leaf = 0;
  try {
    leaf = allocateNode(arena, BLOCK_LEAF, FIRST_SLOTS * shape.width);
  } catch (error) {
    arena.free(tree);
    throw error;
  }
  const words = arena.writable(tree, HEAD_BYTES);
  const at = wordIndex(tree);
  words[at + OWNER] = owner;
  words[at + TOP] = leaf;
  words[at + HEIGHT] = 0;
  words[at + SHAPE] = shape.width | (shape.keyWords << 4) | ((shape.weightWord + 1) << 8) |
    ((shape.ownedWord + 1) << 12);
  words[at + WEIGHT] = 0;
  const node = arena.writable(leaf, 16);
  node[wordIndex(leaf) + PARENT] = tree;
  node[wordIndex(leaf) + USED] = 0;
  return tree;
}

/** Index, in the words of the leaf's segment, of the first word of the cursor's slot. */
export function slotIndex(arena: Arena, cursor: TreeCursor): number {
  return wordIndex(cursor.nodes[0]) + SLOTS + cursor.indexes[0] * treeWidth(arena, cursor.tree);
}

/** Word `word` of the cursor's slot. */
export function slotWord(arena: Arena, cursor: TreeCursor, word: number): number {
  return wordsAt(arena, cursor.nodes[0])[slotIndex(arena, cursor) + word];
}

/** Whether the cursor is at a slot, not behind the last one. */
export function atSlot(arena: Arena, cursor: TreeCursor): boolean {
  const leaf = cursor.nodes[0];
  return cursor.indexes[0] < wordsAt(arena, leaf)[wordIndex(leaf) + USED];
}

/** Goes to the first slot; false if there is none. */
export function treeFirst(arena: Arena, tree: number, cursor: TreeCursor): boolean {
  treeStart(arena, tree, cursor);
  cursor.indexes[cursor.height] = 0;
  descendFirst(arena, cursor, cursor.height);
  return atSlot(arena, cursor);
}

/** Goes to the last slot; false if there is none. */
export function treeLast(arena: Arena, tree: number, cursor: TreeCursor): boolean {
  treeEnd(arena, tree, cursor);
  if (cursor.indexes[0] === 0) return false;
  cursor.indexes[0]--;
  return true;
}

/** Goes behind the last slot, to where {@linkcode treeInsert} appends. */
export function treeEnd(arena: Arena, tree: number, cursor: TreeCursor): void {
  treeStart(arena, tree, cursor);
  for (let level = cursor.height; level > 0; level--) {
    const node = cursor.nodes[level];
    cursor.indexes[level] = wordsAt(arena, node)[wordIndex(node) + USED] - 1;
    cursor.nodes[level - 1] = childAt(arena, cursor, level);
  }
  const leaf = cursor.nodes[0];
  cursor.indexes[0] = wordsAt(arena, leaf)[wordIndex(leaf) + USED];
}

/** Goes to the next slot; false, behind the last one, if there is none. */
export function treeNext(arena: Arena, cursor: TreeCursor): boolean {
  cursor.indexes[0]++;
  return atSlot(arena, cursor) || nextLeaf(arena, cursor);
}

/**
 * Goes from behind the last slot of a leaf to the first of the next one; false, with the cursor where it was, if it
 * is the last leaf.
 */
export function nextLeaf(arena: Arena, cursor: TreeCursor): boolean {
  for (let level = 1; level <= cursor.height; level++) {
    const node = cursor.nodes[level];
    if (cursor.indexes[level] + 1 === wordsAt(arena, node)[wordIndex(node) + USED]) continue;
    cursor.indexes[level]++;
    descendFirst(arena, cursor, level);
    return true;
  }
  return false;
}

/** Goes to the slot before; false, with the cursor where it was, if there is none. */
export function treePrevious(arena: Arena, cursor: TreeCursor): boolean {
  if (cursor.indexes[0] > 0) {
    cursor.indexes[0]--;
    return true;
  }
  for (let level = 1; level <= cursor.height; level++) {
    if (cursor.indexes[level] === 0) continue;
    cursor.indexes[level]--;
    for (let below = level; below > 0; below--) {
      const child = childAt(arena, cursor, below);
      cursor.nodes[below - 1] = child;
      cursor.indexes[below - 1] = wordsAt(arena, child)[wordIndex(child) + USED] - 1;
    }
    return true;
  }
  return false;
}

/**
 * Goes to the slot at `position`, counted by weight from 0. Returns how much of the slot's weight lies before it,
 * or -1 if the tree's weight isn't above `position`.
 */
export function treeAt(arena: Arena, tree: number, position: number, cursor: TreeCursor): number {
  treeStart(arena, tree, cursor);
  if (position < 0 || position >= treeWeight(arena, tree)) return -1;
  const stride = innerWidth(arena, tree);
  for (let level = cursor.height; level > 0; level--) {
    const node = cursor.nodes[level];
    const words = wordsAt(arena, node);
    let at = wordIndex(node) + SLOTS;
    let index = 0;
    for (; position >= words[at + CHILD_WEIGHT]; index++, at += stride) {
      position -= words[at + CHILD_WEIGHT];
    }
    cursor.indexes[level] = index;
    cursor.nodes[level - 1] = words[at];
  }
  const shape = wordsAt(arena, tree)[wordIndex(tree) + SHAPE];
  const weightWord = ((shape >>> 8) & 15) - 1;
  if (weightWord < 0) {
    cursor.indexes[0] = position;
    return 0;
  }
  const leaf = cursor.nodes[0];
  const words = wordsAt(arena, leaf);
  let at = wordIndex(leaf) + SLOTS + weightWord;
  let index = 0;
  for (; position >= words[at]; index++, at += shape & 15) position -= words[at];
  cursor.indexes[0] = index;
  return position;
}

/** The weight of all slots before the cursor's. */
export function treePosition(arena: Arena, cursor: TreeCursor): number {
  const shape = wordsAt(arena, cursor.tree)[wordIndex(cursor.tree) + SHAPE];
  const weightWord = ((shape >>> 8) & 15) - 1;
  let position = weightWord < 0
    ? cursor.indexes[0]
    : sum(arena, cursor.nodes[0], cursor.indexes[0], shape & 15, weightWord);
  const stride = CHILD_WORDS + ((shape >>> 4) & 15);
  for (let level = 1; level <= cursor.height; level++) {
    position += sum(arena, cursor.nodes[level], cursor.indexes[level], stride, CHILD_WEIGHT);
  }
  return position;
}

/**
 * Inserts `cursor.slot` before the cursor's slot; the cursor is at the new one afterwards.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function treeInsert(arena: Arena, cursor: TreeCursor): void {
  const { tree, slot } = cursor;
  const shape = wordsAt(arena, tree)[wordIndex(tree) + SHAPE];
  const width = shape & 15;
  takeSpares(arena, cursor, width);
  if (cursor.spare.length > 0) splitPath(arena, cursor, width);
  const leaf = cursor.nodes[0];
  const index = cursor.indexes[0];
  openSlot(arena, leaf, index, width);
  const words = arena.writable(leaf, nodeBytes(NODE_SLOTS, width));
  const at = wordIndex(leaf) + SLOTS + index * width;
  for (let word = 0; word < width; word++) words[at + word] = slot[word];
  const owned = ((shape >>> 12) & 15) - 1;
  if (owned >= 0) arena.writable(slot[owned], 8)[wordIndex(slot[owned]) + PARENT] = leaf;
  const weightWord = ((shape >>> 8) & 15) - 1;
  addWeight(arena, cursor, weightWord < 0 ? 1 : slot[weightWord]);
  if (index === 0) treeRefresh(arena, cursor);
}

/** Has the inner nodes know the key words of the cursor's slot, which may be the first of its leaf and have changed. */
export function treeRefresh(arena: Arena, cursor: TreeCursor): void {
  const stride = innerWidth(arena, cursor.tree);
  const source = wordsAt(arena, cursor.nodes[0]);
  const from = wordIndex(cursor.nodes[0]) + SLOTS;
  for (let level = 1; level <= cursor.height; level++) {
    if (cursor.indexes[level - 1] > 0) return;
    const node = cursor.nodes[level];
    const words = arena.writable(node, nodeBytes(NODE_SLOTS, stride));
    const at = wordIndex(node) + SLOTS + cursor.indexes[level] * stride + CHILD_WORDS;
    for (let word = 0; word < stride - CHILD_WORDS; word++) words[at + word] = source[from + word];
  }
}

/** Gives the cursor's slot another weight, in a tree whose slots have one. */
export function treeSetWeight(arena: Arena, cursor: TreeCursor, weight: number): void {
  const shape = wordsAt(arena, cursor.tree)[wordIndex(cursor.tree) + SHAPE];
  const leaf = cursor.nodes[0];
  const at = slotIndex(arena, cursor) + ((shape >>> 8) & 15) - 1;
  const words = arena.writable(leaf, nodeBytes(NODE_SLOTS, shape & 15));
  const difference = weight - words[at];
  words[at] = weight;
  addWeight(arena, cursor, difference);
}

/**
 * Takes the cursor's slot out; what it names is the caller's. The cursor is at the slot that followed, and false is returned if
 * there is none.
 */
export function treeRemove(arena: Arena, cursor: TreeCursor): boolean {
  const { tree } = cursor;
  const shape = wordsAt(arena, tree)[wordIndex(tree) + SHAPE];
  const width = shape & 15;
  const weightWord = ((shape >>> 8) & 15) - 1;
  const leaf = cursor.nodes[0];
  addWeight(arena, cursor, weightWord < 0 ? -1 : -slotWord(arena, cursor, weightWord));
  closeSlot(arena, leaf, cursor.indexes[0], width);
  const used = wordsAt(arena, leaf)[wordIndex(leaf) + USED];
  if (used > 0 && cursor.indexes[0] === 0) treeRefresh(arena, cursor);
  if (used < SPARSE_SLOTS && cursor.height > 0) joinPath(arena, cursor);
  return atSlot(arena, cursor) || nextLeaf(arena, cursor);
}

/**
 * Takes the last leaf off a tree that is being freed, after calling `visit` with the word `ownedWord` of each of its
 * slots (if there is one). Returns false, with the whole tree freed, after the last leaf.
 */
export function treeDropLeaf(
  arena: Arena,
  tree: number,
  visit: (block: number) => void,
): boolean {
  const head = wordsAt(arena, tree);
  const shape = head[wordIndex(tree) + SHAPE];
  const owned = ((shape >>> 12) & 15) - 1;
  let parent = tree;
  let node = head[wordIndex(tree) + TOP];
  for (let level = head[wordIndex(tree) + HEIGHT]; level > 0; level--) {
    parent = node;
    const words = wordsAt(arena, node);
    const last = words[wordIndex(node) + USED] - 1;
    node = words[wordIndex(node) + SLOTS + last * (CHILD_WORDS + ((shape >>> 4) & 15))];
  }
  if (owned >= 0) {
    const used = wordsAt(arena, node)[wordIndex(node) + USED];
    for (let index = 0; index < used; index++) {
      visit(wordsAt(arena, node)[wordIndex(node) + SLOTS + index * (shape & 15) + owned]);
    }
  }
  arena.free(node);
  while (parent !== tree) {
    const words = arena.writable(parent, 16);
    if (--words[wordIndex(parent) + USED] > 0) return true;
    const above = words[wordIndex(parent) + PARENT];
    arena.free(parent);
    parent = above;
  }
  arena.free(tree);
  return false;
}

/** Frees a tree at once; `visit` as for {@linkcode treeDropLeaf}. */
export function treeFree(arena: Arena, tree: number, visit: (block: number) => void): void {
  while (treeDropLeaf(arena, tree, visit));
}

/** Puts the cursor at the top node of `tree`, from which a search goes down. */
export function treeStart(arena: Arena, tree: number, cursor: TreeCursor): void {
  cursor.tree = tree;
  cursor.height = treeHeight(arena, tree);
  cursor.nodes[cursor.height] = treeTop(arena, tree);
}

/** Address of the child that the cursor goes through on `level`. */
function childAt(arena: Arena, cursor: TreeCursor, level: number): number {
  const node = cursor.nodes[level];
  const at = wordIndex(node) + SLOTS + cursor.indexes[level] * innerWidth(arena, cursor.tree);
  return wordsAt(arena, node)[at];
}

/** Goes on from the slot on `level` to the first slot below. */
function descendFirst(arena: Arena, cursor: TreeCursor, level: number): void {
  for (let below = level; below > 0; below--) {
    cursor.nodes[below - 1] = childAt(arena, cursor, below);
    cursor.indexes[below - 1] = 0;
  }
}

/** Adds to the weight of all nodes above the cursor's slot. */
function addWeight(arena: Arena, cursor: TreeCursor, difference: number): void {
  const { tree } = cursor;
  arena.writable(tree, HEAD_BYTES)[wordIndex(tree) + WEIGHT] += difference;
  const stride = innerWidth(arena, tree);
  for (let level = 1; level <= cursor.height; level++) {
    const node = cursor.nodes[level];
    const at = wordIndex(node) + SLOTS + cursor.indexes[level] * stride + CHILD_WEIGHT;
    arena.writable(node, nodeBytes(NODE_SLOTS, stride))[at] += difference;
  }
}
