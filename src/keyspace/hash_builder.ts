/**
 * Hashes that belong to no key yet, put together field by field, as a payload tells them.
 *
 * As with sets (`set_builder.ts`), a small one is in memory of the builder, a large one in the arena, owned by nobody. What isn't
 * stored must be discarded.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import {
  listpackAppend,
  listpackBytes,
  listpackCreate,
  listpackFind,
  listpackFirst,
  listpackLength,
  listpackStringBytes,
} from "../memory/listpack.ts";
import { ROOT_COUNT, ROOT_HASH, rootWord } from "../memory/root.ts";
import { ByteRoom } from "./byte_room.ts";
import { storeRoot, storeSmall } from "./collection_store.ts";
import { CollectionWalk } from "./collection_walk.ts";
import { LISTPACK_LIMIT, META_SMALL_HASH } from "./hashes.ts";
import type { Database, Keyspace } from "./keyspace.ts";
import { findMember, membersOf, setMember } from "./member_roots.ts";
import { ENCODING_LISTPACK, TYPE_HASH } from "./types.ts";

/** Builds a hash; see the head of this file. */
export class HashBuilder {
  /** A small hash, from its start on. */
  private readonly room = new ByteRoom();
  /** The root of a large one, or 0. */
  private root = 0;

  /** An empty hash, small up to so many fields, and values and names of so many bytes. */
  constructor(
    private readonly keyspace: Keyspace,
    private readonly maxFields: number,
    private readonly maxBytes: number,
  ) {
    listpackCreate(this.room.view, 0);
  }

  /** How many fields there are. */
  get count(): number {
    return this.root === 0
      ? listpackLength(this.room.view, 0) >>> 1
      : rootWord(this.keyspace.arena, this.root, ROOT_COUNT);
  }

  /**
   * Adds a field with its value; false if it is there already.
   *
   * @throws {ArenaFullError} with nothing changed, when there is no room.
   */
  add(
    view: ReadonlyView,
    start: number,
    length: number,
    valueView: ReadonlyView,
    valueStart: number,
    valueLength: number,
  ): boolean {
    if (this.root === 0) {
      const { room } = this;
      if (listpackFind(room.view, listpackFirst(room.view, 0), view, start, length, 1) !== 0) {
        return false;
      }
      const bytes = listpackBytes(room.view, 0) + listpackStringBytes(length) +
        listpackStringBytes(valueLength);
      if (
        length <= this.maxBytes && valueLength <= this.maxBytes && bytes <= LISTPACK_LIMIT &&
        this.count < this.maxFields
      ) {
        room.reserve(bytes);
        listpackAppend(room.view, 0, view, start, length);
        listpackAppend(room.view, 0, valueView, valueStart, valueLength);
        return true;
      }
      this.becomeLarge();
    }
    const { keyspace, root } = this;
    if (findMember(keyspace, root, view, start, length) !== 0) return false;
    setMember(keyspace, root, view, start, length, valueView, valueStart, valueLength);
    return true;
  }

  /**
   * Gives the hash, which isn't empty, to the key in `view`, in place of what it holds; returns its entry (see
   * `collection_store.ts`). The builder then has nothing any more.
   *
   * @throws {ArenaFullError} with nothing changed, when there is no room.
   */
  store(
    database: Database,
    old: number,
    view: ReadonlyView,
    start: number,
    length: number,
    volatile: boolean,
  ): number {
    const { root } = this;
    if (root !== 0) {
      const entry = storeRoot(database, old, view, start, length, TYPE_HASH, root, volatile);
      this.root = 0;
      return entry;
    }
    const source = this.room.view;
    const bytes = listpackBytes(source, 0);
    const kind = META_SMALL_HASH;
    return storeSmall(database, old, view, start, length, kind, source, 0, bytes, volatile);
  }

  /** Gives back what a hash that wasn't stored has taken. */
  discard(): void {
    if (this.root !== 0) this.keyspace.freeValueBlock(this.root);
    this.root = 0;
  }

  /** Goes on in the large form, with the fields so far. */
  private becomeLarge(): void {
    const walk = new CollectionWalk();
    walk.enterSmall(this.room.view, this.room.bytes, 0, ENCODING_LISTPACK, true);
    this.root = membersOf(this.keyspace, ROOT_HASH, walk);
  }
}
