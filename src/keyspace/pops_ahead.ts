/**
 * Reading ahead for commands that take members of large collections which they don't name: the lowest or highest of a sorted
 * set, any of a set.
 *
 * Such a command waits for memory again and again: for the member, for its bucket, and for the block behind it, with which
 * its own is joined when it is freed. Which members the next ones will take is known, though: those at the end of the tree, or
 * those that the next random numbers choose. So for a batch of such commands each of these steps is done for all of them, and the waits
 * overlap (see `server/batch.ts`). Nothing is changed, and what is read is only a guess: keys may turn out to be others.
 *
 * @module
 */
import { BUCKETS_AHEAD, dictRandomAhead, dictReadAhead, readBlocks } from "../memory/dict.ts";
import { hashEntry } from "../memory/entry.ts";
import { ROOT_DICT, ROOT_KIND, ROOT_SET, ROOT_TREE, ROOT_ZSET, rootWord } from "../memory/root.ts";
import { SCORE_MEMBER } from "../memory/score_tree.ts";
import {
  slotWord,
  TreeCursor,
  treeFirst,
  treeLast,
  treeNext,
  treePrevious,
} from "../memory/tree.ts";
import type { RandomTape } from "../runtime/random.ts";
import { rootOf } from "./collections.ts";
import { entryEncoding } from "./entry_facts.ts";
import type { Keyspace } from "./keyspace.ts";
import { ENCODING_ROOT } from "./types.ts";

/** Takes no member of its own accord. */
export const POPS_NOTHING = 0;
/** Takes a member at random. */
export const POPS_ANY = 1;
/** Takes the member with the lowest score. */
export const POPS_LOWEST = 2;
/** Takes the member with the highest score. */
export const POPS_HIGHEST = 3;

/** Most members that are read ahead. */
const MEMBERS_AHEAD = 16;

/** Reads ahead; see the head of this file. */
export class PopsAhead {
  private readonly members = new Int32Array(MEMBERS_AHEAD);
  private readonly hashes = new Int32Array(MEMBERS_AHEAD);
  private readonly candidates = new Int32Array(MEMBERS_AHEAD);
  private readonly buckets = new Int32Array(BUCKETS_AHEAD);
  private readonly cursor = new TreeCursor();
  /** Takes what was read ahead, so that reading it isn't idle. */
  sink = 0;

  /** Members at random are those that `tape` will choose. */
  constructor(private readonly keyspace: Keyspace, private readonly tape: RandomTape) {}

  /** Reads what the next `count` commands need that take members (one of the `POPS_` constants) of what is in `entry`, which may be anything. */
  read(entry: number, pops: number, count: number): void {
    const { keyspace } = this;
    if (entry === 0 || entryEncoding(keyspace, entry) !== ENCODING_ROOT) return;
    const { arena } = keyspace;
    const root = rootOf(keyspace, entry);
    if (rootWord(arena, root, ROOT_KIND) !== (pops === POPS_ANY ? ROOT_SET : ROOT_ZSET)) return;
    if (count > MEMBERS_AHEAD) count = MEMBERS_AHEAD;
    const dict = rootWord(arena, root, ROOT_DICT);
    if (pops === POPS_ANY) {
      const { buckets, members, tape } = this;
      const found = dictRandomAhead(arena, dict, tape.peek, count, buckets, members);
      this.sink = readBlocks(arena, members, 0, found) ^ arena.readNeighbours(members, found);
    } else this.readScored(root, dict, pops, count);
  }

  /** Reads the members at the lowest or highest end. */
  private readScored(root: number, dict: number, pops: number, count: number): void {
    const { buckets, candidates, cursor, hashes, members } = this;
    const { arena, seed0, seed1 } = this.keyspace;
    const tree = rootWord(arena, root, ROOT_TREE);
    const lowest = pops === POPS_LOWEST;
    let found = 0;
    let more = lowest ? treeFirst(arena, tree, cursor) : treeLast(arena, tree, cursor);
    while (more && found < count) {
      members[found++] = slotWord(arena, cursor, SCORE_MEMBER);
      more = lowest ? treeNext(arena, cursor) : treePrevious(arena, cursor);
    }
    let sink = readBlocks(arena, members, 0, found);
    for (let index = 0; index < found; index++) {
      hashes[index] = hashEntry(arena, members[index], seed0, seed1);
    }
    sink ^= dictReadAhead(arena, dict, hashes, 0, found, buckets, candidates);
    this.sink = sink ^ arena.readNeighbours(members, found);
  }
}
