/**
 * Large sorted sets: a dict that finds a member by name, and a tree that has the members in their order.
 *
 * ```text
 * root    | ... | dict | tree | members |
 * dict      members, each with its score (memory/member.ts)
 * tree      slots: | score | member |, by score and then by the member's bytes (memory/score_tree.ts)
 * ```
 *
 * **Cost.** A score by name: one hash and two misses of the cache. A change goes down the tree once to where the member is and once to
 * where it belongs, unless its neighbours leave room for the new score: then 16 bytes are overwritten in place. Ranks are counted on
 * the way. A member of 20 bytes takes 40 in its block, 12 in the dict and 17 in the tree: 69; Redis' node, string and
 * dict entry take twice as much.
 *
 * **Without room** nothing changes: a new member's block and its place in the dict are given back when the tree has none, and a member that was
 * taken out of the tree to get another place returns to its old one, where there is still room for it.
 *
 * @module
 */
import { type Arena, type ReadonlyView, SEGMENT_SHIFT } from "../memory/arena.ts";
import { dictCreate, dictFind, dictInsert, dictRemove } from "../memory/dict.ts";
import { setOwner } from "../memory/dict_table.ts";
import { keyLength, keyStart, wordIndex } from "../memory/entry.ts";
import { memberCreateScored, memberScore, memberSetScore } from "../memory/member.ts";
import {
  ROOT_COUNT,
  ROOT_DICT,
  ROOT_HANDLE,
  ROOT_TREE,
  ROOT_ZSET,
  rootCreate,
  rootWord,
  setRootWord,
} from "../memory/root.ts";
import {
  fitsBetween,
  SCORE_SHAPE,
  scoreSeek,
  setScoreSlot,
  setSlotScore,
} from "../memory/score_tree.ts";
import {
  atSlot,
  nextLeaf,
  treeCreate,
  type TreeCursor,
  treeInsert,
  treeRemove,
} from "../memory/tree.ts";
import { isFull } from "../memory/tree_nodes.ts";
import type { Keyspace } from "./keyspace.ts";

/**
 * An empty root of a sorted set, which nobody owns yet.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function createSortedRoot(keyspace: Keyspace): number {
  const { arena, roots } = keyspace;
  const root = rootCreate(arena, roots, ROOT_ZSET, 0);
  try {
    const dict = dictCreate(arena, keyspace.seed0, keyspace.seed1);
    setOwner(arena, dict, root);
    setRootWord(arena, root, ROOT_DICT, dict);
    setRootWord(arena, root, ROOT_TREE, treeCreate(arena, root, SCORE_SHAPE));
  } catch (error) {
    keyspace.freeValueBlock(root);
    throw error;
  }
  return root;
}

/** The member whose name is the text and has the hash `hash`, or 0. */
export function findScored(
  arena: Arena,
  root: number,
  hash: number,
  text: ReadonlyView,
  from: number,
  length: number,
): number {
  return dictFind(arena, rootWord(arena, root, ROOT_DICT), hash, text, from, length);
}

/**
 * Adds a member that isn't there, whose name has the hash `hash`; returns it.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function addScored(
  arena: Arena,
  root: number,
  hash: number,
  text: ReadonlyView,
  from: number,
  length: number,
  score: number,
  cursor: TreeCursor,
): void {
  const member = enterScored(arena, root, hash, text, from, length, score);
  const dict = rootWord(arena, root, ROOT_DICT);
  scoreSeek(arena, rootWord(arena, root, ROOT_TREE), score, text, from, length, cursor);
  setScoreSlot(cursor, score, member);
  try {
    treeInsert(arena, cursor);
  } catch (error) {
    dictRemove(arena, dict, hash, member);
    arena.free(member);
    throw error;
  }
  arena.writable(root, (ROOT_COUNT + 1) * 4)[wordIndex(root) + ROOT_COUNT]++;
}

/**
 * Adds a member to the dict alone; the tree and the count of members are the caller's to bring up to date, see {@linkcode orderScored}.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function enterScored(
  arena: Arena,
  root: number,
  hash: number,
  text: ReadonlyView,
  from: number,
  length: number,
  score: number,
): number {
  const handle = rootWord(arena, root, ROOT_HANDLE);
  const member = memberCreateScored(arena, handle, text, from, length, score);
  try {
    dictInsert(arena, rootWord(arena, root, ROOT_DICT), hash, member);
  } catch (error) {
    arena.free(member);
    throw error;
  }
  return member;
}

/**
 * Gives a member, which {@linkcode enterScored} has added, its place in the tree, and counts it.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function orderScored(
  arena: Arena,
  root: number,
  member: number,
  cursor: TreeCursor,
): void {
  const score = memberScore(arena, member);
  seekMember(arena, root, member, score, cursor);
  setScoreSlot(cursor, score, member);
  treeInsert(arena, cursor);
  arena.writable(root, (ROOT_COUNT + 1) * 4)[wordIndex(root) + ROOT_COUNT]++;
}

/** Goes to where a member is or belongs with this score; the cursor may be behind the last slot of a leaf. */
function seekMember(
  arena: Arena,
  root: number,
  member: number,
  score: number,
  cursor: TreeCursor,
): void {
  scoreSeek(
    arena,
    rootWord(arena, root, ROOT_TREE),
    score,
    arena.views[member >>> SEGMENT_SHIFT],
    keyStart(arena, member),
    keyLength(arena, member),
    cursor,
  );
}

/** Goes to the slot of a member. */
export function goToScored(arena: Arena, root: number, member: number, cursor: TreeCursor): void {
  seekMember(arena, root, member, memberScore(arena, member), cursor);
  if (!atSlot(arena, cursor)) nextLeaf(arena, cursor);
}

/**
 * Gives a member another score.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function rescore(
  arena: Arena,
  root: number,
  member: number,
  score: number,
  cursor: TreeCursor,
): void {
  goToScored(arena, root, member, cursor);
  if (fitsBetween(arena, cursor, score)) setSlotScore(arena, cursor, score);
  else {
    treeRemove(arena, cursor);
    seekMember(arena, root, member, score, cursor);
    setScoreSlot(cursor, score, member);
    try {
      treeInsert(arena, cursor);
    } catch (error) {
      putBack(arena, root, member, cursor);
      throw error;
    }
  }
  memberSetScore(arena, member, score);
}

/**
 * Puts a member that was taken out of the tree just now where it was. That needs no more room than there is: its leaf has a slot to
 * spare, or has been joined with another and left its block.
 */
function putBack(arena: Arena, root: number, member: number, cursor: TreeCursor): void {
  const score = memberScore(arena, member);
  seekMember(arena, root, member, score, cursor);
  // Between two leaves, either end is right, but it may have been the first of the second.
  if (!atSlot(arena, cursor) && isFull(arena, cursor.leaf)) nextLeaf(arena, cursor);
  setScoreSlot(cursor, score, member);
  treeInsert(arena, cursor);
}

/** Takes the member at the cursor, whose name has the hash `hash`, out and frees it; the cursor is at the next one. */
export function removeAtCursor(
  arena: Arena,
  root: number,
  member: number,
  hash: number,
  cursor: TreeCursor,
): void {
  treeRemove(arena, cursor);
  dictRemove(arena, rootWord(arena, root, ROOT_DICT), hash, member);
  arena.free(member);
  arena.writable(root, (ROOT_COUNT + 1) * 4)[wordIndex(root) + ROOT_COUNT]--;
}
