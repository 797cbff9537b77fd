/**
 * Roots: what a large collection hangs on.
 *
 * ```text
 * word 0   block header
 * word 1   what holds it: an entry, or, for a group or consumer of a stream, a member; 0 while it is being freed
 * word 2   handle
 * word 3   kind: one of the ROOT_ constants
 * word 4   dict of members, 0 for none
 * word 5   tree, 0 for none
 * word 6   number of elements
 * word 7   and on: what the kind needs besides
 * ```
 *
 * | kind     | dict                        | tree                                       |
 * | -------- | --------------------------- | ------------------------------------------ |
 * | list     |                             | chunks, by position                        |
 * | set      | members                     |                                            |
 * | zset     | members                     | members, by score and bytes                |
 * | hash     | fields with values          |                                            |
 * | stream   | groups: members with a root | chunks, by id                              |
 * | group    | consumers: the same         | entries that are pending, by id            |
 * | consumer |                             | the same, for this consumer                |
 *
 * All kinds alike hang together, so moving and freeing them needs no knowledge of what they are for.
 *
 * **Handles.** A root may move between two turns, but its members, which may be millions, have to name it. So they name a number,
 * for which {@linkcode Roots} has the address.
 *
 * **Freeing in slices.** {@linkcode rootFreeSome} takes a leaf or a bucket at a time, a few dozen blocks; the tree goes first,
 * since its slots name members. Roots within members are not freed on the way, but handed out to be freed likewise.
 *
 * @module
 */
import { type Arena, BLOCK_ROOT, UNIT_BYTES } from "./arena.ts";
import { dictBuckets, dictFree, dictTakeBucket, dictVisitBucket } from "./dict.ts";
import { wordIndex, wordsAt } from "./entry.ts";
import { memberChild } from "./member.ts";
import { treeDropLeaf } from "./tree.ts";
import { treeSlots } from "./tree_nodes.ts";
import { NODE_SLOTS, treeWeight } from "./tree_nodes.ts";

/** The root of a list. */
export const ROOT_LIST = 1;
/** The root of a set. */
export const ROOT_SET = 2;
/** The root of a sorted set. */
export const ROOT_ZSET = 3;
/** The root of a hash. */
export const ROOT_HASH = 4;
/** The root of a stream. */
export const ROOT_STREAM = 6;
/** The root of a group of a stream. */
export const ROOT_GROUP = 7;
/** The root of a consumer of a group. */
export const ROOT_CONSUMER = 8;

/** Word of a root: what holds it. */
export const ROOT_OWNER = 1;
/** Word of a root: its handle. */
export const ROOT_HANDLE = 2;
/** Word of a root: its kind. */
export const ROOT_KIND = 3;
/** Word of a root: its dict. */
export const ROOT_DICT = 4;
/** Word of a root: its tree. */
export const ROOT_TREE = 5;
/** Word of a root: how many elements there are; while it is freed, how far that has come. */
export const ROOT_COUNT = 6;
/** First word of a root that is its kind's own. */
export const ROOT_EXTRA = 7;

/** Word of a list's root: its first chunk, */
export const LIST_FIRST: number = ROOT_EXTRA;
/** and its last one; whoever moves a chunk looks at both. */
export const LIST_LAST: number = ROOT_EXTRA + 1;

/** Word of a stream's root: its last chunk, 0 for none; whoever moves a chunk looks at it, too. */
export const STREAM_LAST: number = ROOT_EXTRA;

/** Beyond this, nobody asks how much more effort it is. */
const MUCH_EFFORT = 1024;

/** Addresses of roots by their handles. */
export class Roots {
  private table = new Int32Array(16);
  private free = 0;
  private next = 1;
  /** How many roots there are. */
  count = 0;

  /** Address of the root with this handle. */
  at(handle: number): number {
    return this.table[handle];
  }

  /** Bytes of the table. */
  get bytes(): number {
    return this.table.byteLength;
  }

  /** A handle for the root at `root`. */
  take(root: number): number {
    let handle = this.free;
    if (handle !== 0) this.free = -this.table[handle];
    else {
      handle = this.next++;
      if (handle === this.table.length) {
        const larger = new Int32Array(handle * 2);
        larger.set(this.table);
        this.table = larger;
      }
    }
    this.table[handle] = root;
    this.count++;
    return handle;
  }

  /** The root with this handle is at `root` now. */
  move(handle: number, root: number): void {
    this.table[handle] = root;
  }

  /** The handle names no root any more. */
  release(handle: number): void {
    this.table[handle] = -this.free;
    this.free = handle;
    this.count--;
  }

  /** All roots are gone. */
  clear(): void {
    this.table = new Int32Array(16);
    this.free = 0;
    this.next = 1;
    this.count = 0;
  }
}

/**
 * Makes a root of `kind` with `extraWords` words of its kind's own, all 0; dict and tree are the caller's to make.
 *
 * @throws {ArenaFullError} when there is no room for it.
 */
export function rootCreate(arena: Arena, roots: Roots, kind: number, extraWords: number): number {
  const words = ROOT_EXTRA + extraWords;
  const root = arena.allocate((words + 1) >> 1, BLOCK_ROOT);
  const target = arena.writable(root, words * 4);
  const at = wordIndex(root);
  target.fill(0, at + 1, at + arena.unitsOf(root) * 2);
  target[at + ROOT_HANDLE] = roots.take(root);
  target[at + ROOT_KIND] = kind;
  return root;
}

/** Word `word` of a root. */
export function rootWord(arena: Arena, root: number, word: number): number {
  return wordsAt(arena, root)[wordIndex(root) + word];
}

/** Sets word `word` of a root. */
export function setRootWord(arena: Arena, root: number, word: number, value: number): void {
  arena.writable(root, (word + 1) * 4)[wordIndex(root) + word] = value;
}

/**
 * Frees about `steps` leaves and buckets of a root that nobody holds any more, and at last the root itself; what is left of
 * `steps`, or 0 if there is more to free. Roots within it are added to `orphans`, and nobody holds them any more.
 * Its word {@linkcode ROOT_COUNT} must have been set to 0.
 */
export function rootFreeSome(
  arena: Arena,
  roots: Roots,
  root: number,
  steps: number,
  orphans: number[],
): number {
  const tree = rootWord(arena, root, ROOT_TREE);
  if (tree !== 0) {
    for (; steps > 0; steps--) {
      if (treeDropLeaf(arena, tree, (block) => arena.free(block))) continue;
      setRootWord(arena, root, ROOT_TREE, 0);
      break;
    }
  }
  if (steps <= 0) return 0;
  const dict = rootWord(arena, root, ROOT_DICT);
  if (dict !== 0) {
    const kind = rootWord(arena, root, ROOT_KIND);
    const nested = kind === ROOT_STREAM || kind === ROOT_GROUP;
    const buckets = dictBuckets(arena, dict);
    let bucket = rootWord(arena, root, ROOT_COUNT);
    for (; steps > 0 && bucket < buckets; steps--) {
      dictTakeBucket(arena, dict, bucket++, (member) => {
        if (nested) orphan(arena, memberChild(arena, member), orphans);
        arena.free(member);
      });
    }
    setRootWord(arena, root, ROOT_COUNT, bucket);
    if (bucket < buckets) return 0;
    setRootWord(arena, root, ROOT_DICT, 0);
    dictFree(arena, dict);
  }
  roots.release(rootWord(arena, root, ROOT_HANDLE));
  arena.free(root);
  return Math.max(1, steps);
}

/** Makes a root one that nobody holds, to be freed. */
export function orphan(arena: Arena, root: number, orphans: number[]): void {
  setRootWord(arena, root, ROOT_OWNER, 0);
  setRootWord(arena, root, ROOT_COUNT, 0);
  orphans.push(root);
}

/** About how many leaves and buckets there are to free, counted up to {@linkcode MUCH_EFFORT} and somewhat more. */
export function rootEffort(arena: Arena, root: number): number {
  const dict = rootWord(arena, root, ROOT_DICT);
  const tree = rootWord(arena, root, ROOT_TREE);
  const buckets = dict === 0 ? 0 : dictBuckets(arena, dict);
  const slots = tree === 0 ? 0 : treeWeight(arena, tree);
  let effort = buckets + Math.ceil(Math.max(slots, rootWord(arena, root, ROOT_COUNT)) / NODE_SLOTS);
  const kind = rootWord(arena, root, ROOT_KIND);
  if (kind !== ROOT_STREAM && kind !== ROOT_GROUP) return effort;
  for (let bucket = 0; bucket < buckets && effort < MUCH_EFFORT; bucket++) {
    dictVisitBucket(arena, dict, bucket, (member) => {
      effort += rootEffort(arena, memberChild(arena, member));
    });
  }
  return effort;
}

/** How many things hang on a root as Redis counts what it has to free: elements, or nodes of a list or a stream. */
export function rootParts(arena: Arena, root: number): number {
  const kind = rootWord(arena, root, ROOT_KIND);
  const tree = rootWord(arena, root, ROOT_TREE);
  if ((kind !== ROOT_LIST && kind !== ROOT_STREAM) || tree === 0) {
    return rootWord(arena, root, ROOT_COUNT);
  }
  return treeSlots(arena, tree);
}

/** Bytes of a root's own block. */
export function rootBytes(arena: Arena, root: number): number {
  return arena.unitsOf(root) * UNIT_BYTES;
}
