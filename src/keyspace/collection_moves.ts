/**
 * How the blocks of large collections get another place while their segment is emptied (`defragmentation.ts`): each is found from what
 * it says of itself in its first words, see `memory/root.ts`.
 *
 * @module
 */
import { type Arena, SEGMENT_SHIFT } from "../memory/arena.ts";
import { dictHashEntry, dictReplace } from "../memory/dict.ts";
import { setOwner } from "../memory/dict_table.ts";
import { ENTRY_VALUE, keyLength, keyStart, wordIndex } from "../memory/entry.ts";
import { memberChild, memberHandle, memberScore } from "../memory/member.ts";
import {
  LIST_FIRST,
  LIST_LAST,
  ROOT_DICT,
  ROOT_GROUP,
  ROOT_HANDLE,
  ROOT_KIND,
  ROOT_LIST,
  ROOT_OWNER,
  ROOT_STREAM,
  ROOT_TREE,
  ROOT_ZSET,
  rootWord,
  setRootWord,
  STREAM_LAST,
} from "../memory/root.ts";
import { SCORE_MEMBER, SCORE_SHAPE, scoreSeek } from "../memory/score_tree.ts";
import {
  atSlot,
  nextLeaf,
  slotIndex,
  slotWord,
  type TreeCursor,
  treeRefresh,
} from "../memory/tree.ts";
import {
  moveOwned,
  moveTree,
  NODE_SLOTS,
  nodeBytes,
  PARENT,
  treeOfNode,
  treeOwner,
  treeSetOwner,
} from "../memory/tree_nodes.ts";
import type { Keyspace } from "./keyspace.ts";

/** Words of a root that name a chunk. */
const LIST_ENDS = [LIST_FIRST, LIST_LAST];
const STREAM_ENDS = [STREAM_LAST];

/** Moves a root; what holds it, its dict and its tree follow. */
export function moveRoot(keyspace: Keyspace, from: number): void {
  const { arena, roots } = keyspace;
  const to = arena.duplicate(from, arena.unitsOf(from));
  roots.move(rootWord(arena, to, ROOT_HANDLE), to);
  const owner = rootWord(arena, to, ROOT_OWNER);
  // The word of a member that names its child is the same.
  if (owner !== 0) arena.writable(owner, 16)[wordIndex(owner) + ENTRY_VALUE] = to;
  const dict = rootWord(arena, to, ROOT_DICT);
  if (dict !== 0) setOwner(arena, dict, to);
  const tree = rootWord(arena, to, ROOT_TREE);
  if (tree !== 0) treeSetOwner(arena, tree, to);
  arena.free(from);
}

/**
 * Moves a member; its dict, its place in the order of a sorted set, which `cursor` looks for, and its child follow. False if its dict
 * has forgotten it.
 */
export function moveMember(keyspace: Keyspace, from: number, cursor: TreeCursor): boolean {
  const { arena, roots } = keyspace;
  const root = roots.at(memberHandle(arena, from));
  const dict = rootWord(arena, root, ROOT_DICT);
  const to = arena.duplicate(from, arena.unitsOf(from));
  if (!dictReplace(arena, dict, dictHashEntry(arena, dict, from), from, to)) {
    arena.free(to);
    return false;
  }
  const kind = rootWord(arena, root, ROOT_KIND);
  if (kind === ROOT_STREAM || kind === ROOT_GROUP) {
    setRootWord(arena, memberChild(arena, to), ROOT_OWNER, to);
  } else if (kind === ROOT_ZSET) {
    moveInOrder(arena, rootWord(arena, root, ROOT_TREE), from, to, cursor);
  }
  keyspace.moves++;
  arena.free(from);
  return true;
}

/** Has the slot that names the member `from` name `to`; while the set is being freed it may be gone. */
function moveInOrder(
  arena: Arena,
  tree: number,
  from: number,
  to: number,
  cursor: TreeCursor,
): void {
  if (tree === 0) return;
  const view = arena.views[from >>> SEGMENT_SHIFT];
  const score = memberScore(arena, from);
  scoreSeek(arena, tree, score, view, keyStart(arena, from), keyLength(arena, from), cursor);
  if (!atSlot(arena, cursor) && !nextLeaf(arena, cursor)) return;
  if (slotWord(arena, cursor, SCORE_MEMBER) !== from) return;
  const at = slotIndex(arena, cursor) + SCORE_MEMBER;
  arena.writable(cursor.leaf, nodeBytes(NODE_SLOTS, SCORE_SHAPE.width))[at] = to;
  treeRefresh(arena, cursor);
}

/** Moves the head of a tree; its root follows. */
export function moveTreeHead(arena: Arena, from: number): void {
  const root = treeOwner(arena, from);
  setRootWord(arena, root, ROOT_TREE, moveTree(arena, from));
}

/** Moves a chunk; the leaf that names it follows, and a list or stream that has it at one of its ends. */
export function moveChunk(keyspace: Keyspace, from: number): void {
  const { arena } = keyspace;
  const leaf = arena.words[from >>> SEGMENT_SHIFT][wordIndex(from) + PARENT];
  const root = treeOwner(arena, treeOfNode(arena, leaf));
  const to = moveOwned(arena, from);
  const ends = rootWord(arena, root, ROOT_KIND) === ROOT_LIST ? LIST_ENDS : STREAM_ENDS;
  for (const end of ends) {
    if (rootWord(arena, root, end) === from) setRootWord(arena, root, end, to);
  }
}
