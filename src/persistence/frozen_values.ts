/**
 * Writes large collections of frozen memory bit by bit, so that the worker needn't hold one as a whole.
 *
 * Their elements are brought one by one, from wherever they lie, and forgotten when they are too many. What comes out is the same as
 * what {@linkcode writeValue} writes of a collection that lies in memory. Streams have no form of their own here: they are brought
 * whole.
 *
 * @module
 */
import { chunkListpack } from "../memory/chunk.ts";
import { keyLength, keyStart } from "../memory/entry.ts";
import type { FrozenArena } from "../memory/frozen_arena.ts";
import { listpackBytes } from "../memory/listpack.ts";
import { memberValueLength, memberValueStart } from "../memory/member.ts";
import {
  ROOT_COUNT,
  ROOT_DICT,
  ROOT_HASH,
  ROOT_KIND,
  ROOT_LIST,
  ROOT_SET,
  ROOT_TREE,
  ROOT_ZSET,
  rootWord,
} from "../memory/root.ts";
import { SCORE_MEMBER } from "../memory/score_tree.ts";
import { SEGMENT_SHIFT } from "../memory/arena.ts";
import {
  NODE_PACKED,
  RDB_TYPE_HASH,
  RDB_TYPE_LIST_QUICKLIST_2,
  RDB_TYPE_SET,
  RDB_TYPE_ZSET_2,
} from "./rdb_format.ts";
import type { RdbWriter } from "./rdb_writer.ts";

/** Writes large collections; see the head of this file. */
export class FrozenValues {
  private readonly score = new DataView(new ArrayBuffer(8));

  /** Brings what it needs into `arena`; `wrote` is called after each element, and may have all of it forgotten. */
  constructor(private readonly arena: FrozenArena, private readonly wrote: () => void) {}

  /** Writes the collection whose root is at `root`; false, with nothing written, if it has to be brought as a whole. */
  write(writer: RdbWriter, root: number): boolean {
    const { arena } = this;
    arena.bringBlock(root);
    switch (rootWord(arena, root, ROOT_KIND)) {
      case ROOT_LIST:
        this.list(writer, root);
        return true;
      case ROOT_SET:
        this.members(writer, root, RDB_TYPE_SET);
        return true;
      case ROOT_HASH:
        this.members(writer, root, RDB_TYPE_HASH);
        return true;
      case ROOT_ZSET:
        this.sortedSet(writer, root);
        return true;
      default:
        return false;
    }
  }

  /** The nodes of a list. */
  private list(writer: RdbWriter, root: number): void {
    const { arena } = this;
    const tree = rootWord(arena, root, ROOT_TREE);
    let nodes = 0;
    arena.visitSlots(tree, false, () => nodes++);
    writer.type(RDB_TYPE_LIST_QUICKLIST_2);
    writer.length(nodes);
    arena.visitSlots(tree, false, (words, at) => {
      const chunk = words[at];
      arena.bringBlock(chunk);
      const start = chunkListpack(arena, chunk);
      const view = arena.views[chunk >>> SEGMENT_SHIFT];
      writer.length(NODE_PACKED);
      writer.text(view, start, listpackBytes(view, start));
      this.wrote();
    });
  }

  /** The members of a set, or the fields of a hash with their values. */
  private members(writer: RdbWriter, root: number, type: number): void {
    const { arena } = this;
    const dict = rootWord(arena, root, ROOT_DICT);
    writer.type(type);
    writer.length(rootWord(arena, root, ROOT_COUNT));
    arena.bringDict(dict, (member) => {
      arena.bringBlock(member);
      const bytes = arena.bytes[member >>> SEGMENT_SHIFT] as Uint8Array;
      writer.stringIn(bytes, keyStart(arena, member), keyLength(arena, member));
      if (type === RDB_TYPE_HASH) {
        writer.stringIn(bytes, memberValueStart(arena, member), memberValueLength(arena, member));
      }
      this.wrote();
    });
  }

  /** The members of a sorted set with their scores, the highest first. */
  private sortedSet(writer: RdbWriter, root: number): void {
    const { arena, score } = this;
    const tree = rootWord(arena, root, ROOT_TREE);
    writer.type(RDB_TYPE_ZSET_2);
    writer.length(rootWord(arena, root, ROOT_COUNT));
    arena.visitSlots(tree, true, (words, at) => {
      const member = words[at + SCORE_MEMBER];
      arena.bringBlock(member);
      const bytes = arena.bytes[member >>> SEGMENT_SHIFT] as Uint8Array;
      writer.stringIn(bytes, keyStart(arena, member), keyLength(arena, member));
      score.setInt32(0, words[at], true);
      score.setInt32(4, words[at + 1], true);
      writer.double(score.getFloat64(0, true));
      this.wrote();
    });
  }
}
