/**
 * Groups of consumers: who reads a stream together, and what each has been given and not acknowledged yet.
 *
 * ```text
 * stream     dict: groups      tree: nodes
 *   group    dict: consumers   tree: all that is pending | id (4 words) | time of delivery | deliveries | consumer |
 *     consumer                 tree: what is pending for it | id |
 * ```
 *
 * A group is a member of the stream's dict, under its name, and a consumer one of the group's; each has a root of its own
 * (`memory/root.ts`). Dicts and trees are made when the first thing comes into them. What is pending stands in both trees: in the
 * group's with all that is known of it, and in its consumer's with the id alone. The group's slots name the consumer by its handle,
 * so that nothing has to follow when a consumer's root moves.
 *
 * **Cost.** A consumer takes 100 bytes and its name; what is pending takes 52 bytes, 75 if it comes in no order. Taking a consumer
 * away takes what is pending for it out of the group's tree, one by one.
 *
 * @module
 */
import { type Arena, type ReadonlyView, SEGMENT_SHIFT } from "../memory/arena.ts";
import {
  dictBuckets,
  dictCount,
  dictCreate,
  dictFind,
  dictInsert,
  dictRemove,
  dictVisitBucket,
} from "../memory/dict.ts";
import { setOwner } from "../memory/dict_table.ts";
import { keyLength, keyStart } from "../memory/entry.ts";
import { hashBytes } from "../memory/hash.ts";
import { ID_WORDS } from "../memory/id_tree.ts";
import { memberChild, memberCreate, memberSetChild } from "../memory/member.ts";
import {
  ROOT_CONSUMER,
  ROOT_DICT,
  ROOT_EXTRA,
  ROOT_GROUP,
  ROOT_HANDLE,
  ROOT_OWNER,
  ROOT_TREE,
  rootCreate,
  rootWord,
  setRootWord,
} from "../memory/root.ts";
import { compareBytes } from "../memory/score_tree.ts";
import { treeWeight } from "../memory/tree_nodes.ts";
import type { Keyspace } from "./keyspace.ts";

/** Word of a group's root: id of the entry that was delivered last. */
export const GROUP_LAST_ID: number = ROOT_EXTRA;
/** Word of a group's root: how many entries it has read, upper half; -1 in all if that isn't known. */
export const GROUP_READ: number = GROUP_LAST_ID + ID_WORDS;
/** Word of a consumer's root: when it was last heard of, in unix ms, upper half. */
export const CONSUMER_SEEN: number = ROOT_EXTRA;

const GROUP_WORDS = ID_WORDS + 2;
const CONSUMER_WORDS = 2;

/** Room for a name: where its bytes are. */
export interface Name {
  /** What it stands in. */
  readonly view: ReadonlyView;
  /** Where it starts. */
  readonly start: number;
  /** How long it is. */
  readonly length: number;
}

/** The root of the group or consumer of this name that `root` holds, or 0. */
export function findChild(keyspace: Keyspace, root: number, name: Name): number {
  const member = findMember(keyspace, root, name);
  return member === 0 ? 0 : memberChild(keyspace.arena, member);
}

function findMember(keyspace: Keyspace, root: number, name: Name): number {
  const { arena } = keyspace;
  const dict = rootWord(arena, root, ROOT_DICT);
  if (dict === 0) return 0;
  const { view, start, length } = name;
  return dictFind(arena, dict, hashName(keyspace, name), view, start, length);
}

function hashName(keyspace: Keyspace, { view, start, length }: Name): number {
  return hashBytes(view, start, length, keyspace.seed0, keyspace.seed1);
}

/**
 * Makes a group of a stream, which has none of this name; returns its root.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function createGroup(keyspace: Keyspace, stream: number, name: Name): number {
  return createChild(keyspace, stream, name, ROOT_GROUP, GROUP_WORDS);
}

/**
 * Makes a consumer of a group, which has none of this name; returns its root.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function createConsumer(keyspace: Keyspace, group: number, name: Name): number {
  return createChild(keyspace, group, name, ROOT_CONSUMER, CONSUMER_WORDS);
}

function createChild(
  keyspace: Keyspace,
  root: number,
  name: Name,
  kind: number,
  words: number,
): number {
  const { arena, roots } = keyspace;
  const dict = dictOf(keyspace, root);
  const child = rootCreate(arena, roots, kind, words);
  let member = 0;
  try {
    const handle = rootWord(arena, root, ROOT_HANDLE);
    member = memberCreate(arena, handle, name.view, name.start, name.length);
    dictInsert(arena, dict, hashName(keyspace, name), member);
  } catch (error) {
    if (member !== 0) arena.free(member);
    roots.release(rootWord(arena, child, ROOT_HANDLE));
    arena.free(child);
    throw error;
  }
  memberSetChild(arena, member, child);
  setRootWord(arena, child, ROOT_OWNER, member);
  return child;
}

/** The dict of a root, which is made if there is none. An empty one changes nothing. */
function dictOf(keyspace: Keyspace, root: number): number {
  const { arena } = keyspace;
  let dict = rootWord(arena, root, ROOT_DICT);
  if (dict !== 0) return dict;
  dict = dictCreate(arena, keyspace.seed0, keyspace.seed1);
  setOwner(arena, dict, root);
  setRootWord(arena, root, ROOT_DICT, dict);
  return dict;
}

/** Takes the group or consumer of this name off `root` and frees it, at once or later; whether there was one. */
export function removeChild(keyspace: Keyspace, root: number, name: Name): boolean {
  const member = findMember(keyspace, root, name);
  if (member === 0) return false;
  const { arena } = keyspace;
  const child = memberChild(arena, member);
  dictRemove(arena, rootWord(arena, root, ROOT_DICT), hashName(keyspace, name), member);
  arena.free(member);
  keyspace.freeValueBlock(child);
  return true;
}

/** How many groups a stream has, or consumers a group. */
export function childCount(arena: Arena, root: number): number {
  const dict = rootWord(arena, root, ROOT_DICT);
  return dict === 0 ? 0 : dictCount(arena, dict);
}

/** The roots of the groups of a stream, or of the consumers of a group, by the bytes of their names, as Redis lists them. */
export function childrenOf(arena: Arena, root: number): number[] {
  const dict = rootWord(arena, root, ROOT_DICT);
  const members: number[] = [];
  if (dict === 0) return members;
  for (let bucket = 0; bucket < dictBuckets(arena, dict); bucket++) {
    dictVisitBucket(arena, dict, bucket, (member) => members.push(member));
  }
  members.sort((first, second) =>
    compareBytes(
      arena.views[first >>> SEGMENT_SHIFT],
      keyStart(arena, first),
      keyLength(arena, first),
      arena.views[second >>> SEGMENT_SHIFT],
      keyStart(arena, second),
      keyLength(arena, second),
    )
  );
  return members.map((member) => memberChild(arena, member));
}

/** The name of a group or consumer. */
export function childName(arena: Arena, child: number): Name {
  const member = rootWord(arena, child, ROOT_OWNER);
  return {
    view: arena.views[member >>> SEGMENT_SHIFT],
    start: keyStart(arena, member),
    length: keyLength(arena, member),
  };
}

/** The same as bytes of its own. */
export function childNameBytes(arena: Arena, child: number): Uint8Array {
  const { view, start, length } = childName(arena, child);
  const source = view as DataView;
  return new Uint8Array(source.buffer, source.byteOffset + start, length).slice();
}

/** How many entries are pending in a group, or for a consumer. */
export function pendingCount(arena: Arena, root: number): number {
  const tree = rootWord(arena, root, ROOT_TREE);
  return tree === 0 ? 0 : treeWeight(arena, tree);
}
