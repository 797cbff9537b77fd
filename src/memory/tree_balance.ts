/**
 * Balance of a tree: full nodes are split before an insertion, sparse ones are joined after a removal. The rules stand at the
 * head of `tree.ts`.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type Arena, BLOCK_INNER, BLOCK_LEAF } from "./arena.ts";
import { wordIndex, wordsAt } from "./entry.ts";
import {
  allocateNode,
  capacity,
  CHILD_WEIGHT,
  CHILD_WORDS,
  closeSlot,
  HEAD_BYTES,
  HEIGHT,
  innerWidth,
  isFull,
  JOINED_SLOTS,
  moveSlots,
  NODE_SLOTS,
  nodeBytes,
  nodeWeight,
  openSlot,
  PARENT,
  SLOTS,
  SPARSE_SLOTS,
  TOP,
  TreeCursor,
  treeWeight,
  USED,
  writeChild,
} from "./tree_nodes.ts";

/** Takes all blocks that an insertion at the cursor will need; none if its leaf has room. */
export function takeSpares(arena: Arena, cursor: TreeCursor, width: number): void {
  const { spare, height } = cursor;
  const leaf = cursor.nodes[0];
  if (height === 0 && !isFull(arena, leaf)) {
    const room = capacity(arena, leaf, width);
    if (wordsAt(arena, leaf)[wordIndex(leaf) + USED] < room) return;
    growLeaf(arena, cursor, Math.min(NODE_SLOTS, room * 2), width);
    return;
  }
  if (!isFull(arena, leaf)) return;
  const stride = innerWidth(arena, cursor.tree);
  try {
    spare.push(allocateNode(arena, BLOCK_LEAF, NODE_SLOTS * width));
    let level = 1;
    for (; level <= height && isFull(arena, cursor.nodes[level]); level++) {
      spare.push(allocateNode(arena, BLOCK_INNER, NODE_SLOTS * stride));
    }
    if (level > height) spare.push(allocateNode(arena, BLOCK_INNER, NODE_SLOTS * stride));
  } catch (error) {
    for (const node of spare) arena.free(node);
    spare.length = 0;
    throw error;
  }
}

/** Gives the only leaf of a tree room for `slots` slots. */
function growLeaf(arena: Arena, cursor: TreeCursor, slots: number, width: number): void {
  const from = cursor.nodes[0];
  const leaf = allocateNode(arena, BLOCK_LEAF, slots * width);
  const used = wordsAt(arena, from)[wordIndex(from) + USED];
  const words = arena.writable(leaf, nodeBytes(slots, width));
  words[wordIndex(leaf) + PARENT] = cursor.tree;
  words[wordIndex(leaf) + USED] = 0;
  moveSlots(arena, cursor.tree, 0, from, 0, leaf, used);
  arena.free(from);
  arena.writable(cursor.tree, HEAD_BYTES)[wordIndex(cursor.tree) + TOP] = leaf;
  cursor.nodes[0] = leaf;
}

/** Splits the leaf and as many nodes above as are full, with the blocks in `cursor.spare`; the cursor follows. */
export function splitPath(arena: Arena, cursor: TreeCursor, width: number): void {
  const { spare, tree } = cursor;
  // From the top down, so that each node has room in its parent when it is split.
  for (let level = spare.length - 1; level >= 0; level--) {
    if (level > cursor.height) growTop(arena, cursor, spare[level]);
    else {splitNode(
        arena,
        cursor,
        level,
        spare[level],
        level === 0 ? width : innerWidth(arena, tree),
      );}
  }
  spare.length = 0;
}

/** Whether the cursor goes along the edge of the whole tree: through the last slots, or the first ones. */
function isAtEdge(arena: Arena, cursor: TreeCursor, level: number, last: boolean): boolean {
  for (let above = level + 1; above <= cursor.height; above++) {
    const node = cursor.nodes[above];
    const edge = last ? wordsAt(arena, node)[wordIndex(node) + USED] - 1 : 0;
    if (cursor.indexes[above] !== edge) return false;
  }
  return true;
}

/** How many slots stay in a full node that is split to insert one at `index`. */
function keptSlots(arena: Arena, cursor: TreeCursor, level: number, index: number): number {
  // An inner node keeps two children at least, so that each child has a sibling to join.
  const least = level === 0 ? 0 : 2;
  const last = level === 0 ? NODE_SLOTS : NODE_SLOTS - 1;
  if (index === last && isAtEdge(arena, cursor, level, true)) return NODE_SLOTS - least;
  if (index === 0 && isAtEdge(arena, cursor, level, false)) return least;
  return NODE_SLOTS >> 1;
}

/** Makes `node` the top, with the present top as its only child. */
function growTop(arena: Arena, cursor: TreeCursor, node: number): void {
  const { tree } = cursor;
  const stride = innerWidth(arena, tree);
  const child = cursor.nodes[cursor.height];
  const words = arena.writable(node, nodeBytes(NODE_SLOTS, stride));
  const at = wordIndex(node);
  words[at + PARENT] = tree;
  words[at + USED] = 1;
  writeChild(arena, tree, node, 0, child, cursor.height, treeWeight(arena, tree));
  const level = ++cursor.height;
  cursor.nodes[level] = node;
  cursor.indexes[level] = 0;
  const head = arena.writable(tree, HEAD_BYTES);
  head[wordIndex(tree) + TOP] = node;
  head[wordIndex(tree) + HEIGHT] = level;
}

/** Splits a full node into itself and `right`; the cursor's way goes through where its slot has come to. */
function splitNode(
  arena: Arena,
  cursor: TreeCursor,
  level: number,
  right: number,
  stride: number,
): void {
  const { tree } = cursor;
  const left = cursor.nodes[level];
  const index = cursor.indexes[level];
  const kept = keptSlots(arena, cursor, level, index);
  const parent = cursor.nodes[level + 1];
  const place = cursor.indexes[level + 1];
  const fresh = arena.writable(right, nodeBytes(NODE_SLOTS, stride));
  fresh[wordIndex(right) + PARENT] = parent;
  fresh[wordIndex(right) + USED] = 0;
  moveSlots(arena, tree, level, left, kept, right, NODE_SLOTS - kept);
  arena.writable(left, 16)[wordIndex(left) + USED] = kept;
  const parentStride = innerWidth(arena, tree);
  openSlot(arena, parent, place + 1, parentStride);
  const moved = nodeWeight(arena, tree, level, right);
  writeChild(arena, tree, parent, place + 1, right, level, moved);
  const words = arena.writable(parent, nodeBytes(NODE_SLOTS, parentStride));
  words[wordIndex(parent) + SLOTS + place * parentStride + CHILD_WEIGHT] -= moved;
  // A child, unlike a new slot, is where it is: the slot at `kept` itself has gone to the right.
  const goesRight = index > kept || (index === kept && (level > 0 || kept === NODE_SLOTS));
  if (!goesRight) return;
  cursor.nodes[level] = right;
  cursor.indexes[level] = index - kept;
  cursor.indexes[level + 1] = place + 1;
}

/** Joins the cursor's leaf, which has few slots or none, with a neighbour, and so on upwards. */
export function joinPath(arena: Arena, cursor: TreeCursor): void {
  for (let level = 0; level < cursor.height; level++) {
    const node = cursor.nodes[level];
    const used = wordsAt(arena, node)[wordIndex(node) + USED];
    if (used >= SPARSE_SLOTS) break;
    const parent = cursor.nodes[level + 1];
    const siblings = wordsAt(arena, parent)[wordIndex(parent) + USED];
    assert(siblings > 1, "an inner node has two children at least");
    if (!joinSibling(arena, cursor, level, used, siblings)) break;
  }
  dropTops(arena, cursor);
}

/** Joins the node on `level` with the one to its left or right, if both fit into one; whether they did. */
function joinSibling(
  arena: Arena,
  cursor: TreeCursor,
  level: number,
  used: number,
  siblings: number,
): boolean {
  const { tree } = cursor;
  const stride = innerWidth(arena, tree);
  const parent = cursor.nodes[level + 1];
  const place = cursor.indexes[level + 1];
  for (let left = place; left >= place - 1; left--) {
    if (left < 0 || left + 1 >= siblings) continue;
    const words = wordsAt(arena, parent);
    const at = wordIndex(parent) + SLOTS + left * stride;
    const first = words[at];
    const second = words[at + stride];
    const firstUsed = wordsAt(arena, first)[wordIndex(first) + USED];
    const secondUsed = wordsAt(arena, second)[wordIndex(second) + USED];
    if (firstUsed + secondUsed > (used > 1 ? JOINED_SLOTS : NODE_SLOTS)) continue;
    moveSlots(arena, tree, level, second, 0, first, secondUsed);
    const weight = words[at + CHILD_WEIGHT] + words[at + stride + CHILD_WEIGHT];
    closeSlot(arena, parent, left + 1, stride);
    writeChild(arena, tree, parent, left, first, level, weight);
    if (left < place) {
      cursor.indexes[level] += firstUsed;
      cursor.indexes[level + 1] = left;
    }
    cursor.nodes[level] = first;
    arena.free(second);
    refreshUp(arena, cursor, level + 1);
    return true;
  }
  if (used <= 1 && level > 0) borrow(arena, cursor, level);
  return false;
}

/** Gives an inner node with one child half of the children of a neighbour that is full. */
function borrow(arena: Arena, cursor: TreeCursor, level: number): void {
  const { tree } = cursor;
  const stride = innerWidth(arena, tree);
  const parent = cursor.nodes[level + 1];
  const place = cursor.indexes[level + 1];
  const node = cursor.nodes[level];
  const count = NODE_SLOTS >> 1;
  const words = wordsAt(arena, parent);
  const at = wordIndex(parent) + SLOTS + place * stride;
  const fromLeft = place > 0;
  const neighbour = words[fromLeft ? at - stride : at + stride];
  if (fromLeft) {
    // Its own only child goes to the end, behind those of the neighbour's second half.
    moveSlots(arena, tree, level, neighbour, NODE_SLOTS - count, node, count);
    rotateFirst(arena, node, stride);
    cursor.indexes[level] += count;
  } else {
    moveSlots(arena, tree, level, neighbour, 0, node, count);
    const rest = arena.writable(neighbour, nodeBytes(NODE_SLOTS, stride));
    const start = wordIndex(neighbour) + SLOTS;
    rest.copyWithin(start, start + count * stride, start + NODE_SLOTS * stride);
  }
  arena.writable(neighbour, 16)[wordIndex(neighbour) + USED] = NODE_SLOTS - count;
  const other = fromLeft ? place - 1 : place + 1;
  for (const [index, child] of [[place, node], [other, neighbour]]) {
    const weight = nodeWeight(arena, tree, level, child);
    writeChild(arena, tree, parent, index, child, level, weight);
  }
  refreshUp(arena, cursor, level + 1);
}

/** Puts the first slot of a node behind its others. */
function rotateFirst(arena: Arena, node: number, stride: number): void {
  const words = arena.writable(node, nodeBytes(NODE_SLOTS, stride));
  const start = wordIndex(node) + SLOTS;
  const end = start + words[wordIndex(node) + USED] * stride;
  const first = words.slice(start, start + stride);
  words.copyWithin(start, start + stride, end);
  words.set(first, end - stride);
}

/** Has the nodes above `level` know the key words of the first slot below the cursor's node there. */
function refreshUp(arena: Arena, cursor: TreeCursor, level: number): void {
  const stride = innerWidth(arena, cursor.tree);
  const source = wordsAt(arena, cursor.nodes[level]);
  const from = wordIndex(cursor.nodes[level]) + SLOTS + CHILD_WORDS;
  for (let above = level + 1; above <= cursor.height; above++) {
    const node = cursor.nodes[above];
    const words = arena.writable(node, nodeBytes(NODE_SLOTS, stride));
    const at = wordIndex(node) + SLOTS + cursor.indexes[above] * stride + CHILD_WORDS;
    for (let word = 0; word < stride - CHILD_WORDS; word++) words[at + word] = source[from + word];
    if (cursor.indexes[above] > 0) return;
  }
}

/** Drops top nodes that have only one child. */
function dropTops(arena: Arena, cursor: TreeCursor): void {
  const { tree } = cursor;
  while (cursor.height > 0) {
    const top = cursor.nodes[cursor.height];
    const words = wordsAt(arena, top);
    if (words[wordIndex(top) + USED] > 1) return;
    const child = words[wordIndex(top) + SLOTS];
    arena.writable(child, 8)[wordIndex(child) + PARENT] = tree;
    const head = arena.writable(tree, HEAD_BYTES);
    head[wordIndex(tree) + TOP] = child;
    head[wordIndex(tree) + HEIGHT] = --cursor.height;
    arena.free(top);
  }
}
