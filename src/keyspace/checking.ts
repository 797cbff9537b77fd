/**
 * Checks everything that the keyspace keeps against everything else.
 *
 * @module
 */
import { assert } from "@std/assert";
import { BLOCK_ENTRY, BLOCK_ROOT, BLOCK_VALUE, SEGMENT_SHIFT } from "../memory/arena.ts";
import { dictBuckets, dictCheck, dictCount, dictFind, dictVisitBucket } from "../memory/dict.ts";
import { dictOwner } from "../memory/dict_table.ts";
import { keyLength, keyStart, wordIndex, wordsAt } from "../memory/entry.ts";
import { hashBytes } from "../memory/hash.ts";
import { memberChild, memberHandle, memberScore } from "../memory/member.ts";
import {
  ROOT_COUNT,
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
} from "../memory/root.ts";
import { compareBytes, slotMember, slotScore } from "../memory/score_tree.ts";
import { TreeCursor, treeFirst, treeNext } from "../memory/tree.ts";
import { treeCheck, treeOwner, treeWeight } from "../memory/tree_nodes.ts";
import { databaseId, entryEncoding, entryType, hasExpiry, valueBlock } from "./entry_facts.ts";
import { type Keyspace, VALUE_OWNER } from "./keyspace.ts";
import { checkListRoot } from "./list_check.ts";
import { checkStreamRoot } from "./stream_check.ts";
import { checkSmallSortedSet } from "./sorted_set_check.ts";
import { META_SMALL_SORTED_SET } from "./sorted_sets.ts";
import { ENCODING_ROOT } from "./types.ts";

/**
 * Checks arena, dicts and indexes of volatile keys against each other.
 *
 * @throws {AssertionError} at the first thing that doesn't agree.
 */
export function checkKeyspace(keyspace: Keyspace): void {
  const { arena } = keyspace;
  arena.check();
  const detached = detachedEntries(keyspace);
  let entries = 0;
  let roots = 0;
  /** Roots that say what holds them, and what holds one. */
  let owned = 0;
  let holders = 0;
  const volatile = new Map<number, number>();
  arena.walk((address, _units, kind) => {
    if (kind === BLOCK_VALUE) return checkValue(keyspace, address);
    if (kind === BLOCK_ROOT) {
      roots++;
      if (rootWord(arena, address, ROOT_OWNER) !== 0) owned++;
      holders += nestedRoots(keyspace, address);
      return checkRoot(keyspace, address);
    }
    if (kind !== BLOCK_ENTRY) return;
    if (entryEncoding(keyspace, address) === ENCODING_ROOT) holders++;
    if (detached.delete(address)) return;
    entries++;
    const id = databaseId(keyspace, address);
    const database = keyspace.databasesById[id];
    const view = arena.views[address >>> SEGMENT_SHIFT];
    const start = keyStart(arena, address);
    const length = keyLength(arena, address);
    const hash = hashBytes(view, start, length, keyspace.seed0, keyspace.seed1);
    const found = dictFind(arena, database.dict, hash, view, start, length);
    assert(found === address, `entry ${address} is found by its key`);
    if (
      (entryType(keyspace, address) | entryEncoding(keyspace, address) << 4) ===
        META_SMALL_SORTED_SET
    ) checkSmallSortedSet(keyspace, address);
    if (!hasExpiry(keyspace, address)) return;
    volatile.set(id, (volatile.get(id) ?? 0) + 1);
    assert(database.volatile.at(database.volatile.positionOf(address)) === address);
  });
  assert(roots === keyspace.roots.count, `${roots} roots, ${keyspace.roots.count} handles`);
  assert(owned === holders, `${owned} roots are held by ${holders}`);
  let counted = 0;
  for (const database of keyspace.databasesById) {
    dictCheck(arena, database.dict);
    counted += database.size;
    assert(database.volatile.length === (volatile.get(database.id) ?? 0));
  }
  assert(counted === entries, `entries: ${entries} in the arena, ${counted} in the dicts`);
  assert(detached.size === 0, `${detached.size} entries that wait to be freed are gone`);
}

/** A value belongs to an entry that says so, or somebody has pinned it. */
function checkValue(keyspace: Keyspace, block: number): void {
  const owner = wordsAt(keyspace.arena, block)[wordIndex(block) + VALUE_OWNER];
  assert(
    keyspace.isPinned(block) || (owner !== 0 && valueBlock(keyspace, owner) === block),
    `value ${block} has an owner`,
  );
}

/** How many roots a root holds: groups of a stream, or consumers of a group; those that it still has while it is freed. */
function nestedRoots({ arena }: Keyspace, root: number): number {
  const kind = rootWord(arena, root, ROOT_KIND);
  const dict = rootWord(arena, root, ROOT_DICT);
  if (dict === 0 || (kind !== ROOT_STREAM && kind !== ROOT_GROUP)) return 0;
  let count = 0;
  for (let bucket = 0; bucket < dictBuckets(arena, dict); bucket++) {
    dictVisitBucket(arena, dict, bucket, () => count++);
  }
  return count;
}

/** A root knows what holds it, and dict and tree know their root and agree with each other. */
function checkRoot(keyspace: Keyspace, root: number): void {
  const { arena, roots } = keyspace;
  const handle = rootWord(arena, root, ROOT_HANDLE);
  assert(roots.at(handle) === root, `handle ${handle} is that of root ${root}`);
  const owner = rootWord(arena, root, ROOT_OWNER);
  if (owner === 0) {
    const dying = keyspace.dying.some((one) => Math.abs(one) === handle);
    return assert(dying, `root ${root} without an owner is being freed`);
  }
  // An entry and a member have it in the same word.
  assert(memberChild(arena, owner) === root, `root ${root} has an owner`);
  const kind = rootWord(arena, root, ROOT_KIND);
  const dict = rootWord(arena, root, ROOT_DICT);
  if (dict !== 0) checkMembers(keyspace, root, handle, dict, kind);
  const tree = rootWord(arena, root, ROOT_TREE);
  if (tree === 0) return;
  assert(treeOwner(arena, tree) === root, "a tree knows its root");
  treeCheck(arena, tree);
  if (kind === ROOT_ZSET) checkOrder(keyspace, root, dict, tree);
  if (kind === ROOT_LIST) checkListRoot(arena, root);
  if (kind >= ROOT_STREAM) checkStreamRoot(keyspace, root);
}

/** The members of a collection know it, and they are as many as it says. */
function checkMembers(
  keyspace: Keyspace,
  root: number,
  handle: number,
  dict: number,
  kind: number,
): void {
  const { arena } = keyspace;
  assert(dictOwner(arena, dict) === root, "a dict knows its root");
  dictCheck(arena, dict);
  const nested = kind === ROOT_STREAM || kind === ROOT_GROUP;
  if (!nested) {
    assert(dictCount(arena, dict) === rootWord(arena, root, ROOT_COUNT), "members are counted");
  }
  for (let bucket = 0; bucket < dictBuckets(arena, dict); bucket++) {
    dictVisitBucket(arena, dict, bucket, (member) => {
      assert(memberHandle(arena, member) === handle, "a member knows its collection");
      if (!nested) return;
      const child = memberChild(arena, member);
      assert(rootWord(arena, child, ROOT_OWNER) === member, "a group knows what holds it");
    });
  }
}

/** The slots of a sorted set are its members in their order, with their scores. */
function checkOrder(keyspace: Keyspace, root: number, dict: number, tree: number): void {
  const { arena } = keyspace;
  assert(treeWeight(arena, tree) === rootWord(arena, root, ROOT_COUNT), "slots are counted");
  assert(dictCount(arena, dict) === treeWeight(arena, tree), "each member has a slot");
  const cursor = new TreeCursor();
  let before = 0;
  for (let more = treeFirst(arena, tree, cursor); more; more = treeNext(arena, cursor)) {
    const member = slotMember(arena, cursor);
    const score = memberScore(arena, member);
    assert(slotScore(arena, cursor) === score, "slot and member have the same score");
    if (before !== 0) {
      const last = memberScore(arena, before);
      const order = last === score
        ? compareBytes(
          arena.views[before >>> SEGMENT_SHIFT],
          keyStart(arena, before),
          keyLength(arena, before),
          arena.views[member >>> SEGMENT_SHIFT],
          keyStart(arena, member),
          keyLength(arena, member),
        )
        : last - score;
      assert(order < 0, "members are in order");
    }
    before = member;
  }
}

/** The entries of flushed databases that aren't freed yet. */
function detachedEntries(keyspace: Keyspace): Set<number> {
  const found = new Set<number>();
  for (const { dict, bucket, buckets, entries } of keyspace.detached) {
    const before = found.size;
    for (let number = bucket; number < buckets; number++) {
      dictVisitBucket(keyspace.arena, dict, number, (entry) => found.add(entry));
    }
    assert(found.size - before === entries, "entries that wait to be freed are counted");
  }
  return found;
}
