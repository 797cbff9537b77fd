/**
 * Lists as a whole: going through their nodes, making one out of nodes or elements, copying one.
 *
 * What DUMP and a snapshot write is the nodes as they are; what RESTORE and a loading server read are nodes or elements,
 * which {@linkcode ListBuilder} puts together.
 *
 * @module
 */
import { type ReadonlyView, UNIT_BYTES } from "../memory/arena.ts";
import { chunkListpack, chunkOf, chunkView } from "../memory/chunk.ts";
import {
  LISTPACK_EMPTY_BYTES,
  listpackBytes,
  listpackCreate,
  listpackFirst,
  listpackLength,
  listpackNext,
} from "../memory/listpack.ts";
import {
  LIST_FIRST,
  LIST_LAST,
  ROOT_COUNT,
  ROOT_TREE,
  rootFreeSome,
  rootWord,
  setRootWord,
} from "../memory/root.ts";
import { slotWord, TreeCursor, treeEnd, treeFirst, treeNext } from "../memory/tree.ts";
import { treeBytes } from "../memory/tree_nodes.ts";
import { storeRoot, storeSmall } from "./collection_store.ts";
import { rootOf, tailStart, tailView } from "./collections.ts";
import type { Database, Keyspace } from "./keyspace.ts";
import { SMALL_LIST_BYTES } from "./list_limits.ts";
import { pushLarge } from "./list_ends.ts";
import { insertNode, ListPlace, listRootOf, SLOT_CHUNK, trimNode } from "./list_root.ts";
import { isSmallList, META_SMALL_LIST } from "./lists.ts";
import { TYPE_LIST } from "./types.ts";

/** Calls `visit` with where the listpack of each node of the list in `entry` is, from the first to the last. */
export function forEachListNode(
  keyspace: Keyspace,
  entry: number,
  visit: (view: ReadonlyView, start: number) => void,
): void {
  if (isSmallList(keyspace, entry)) {
    return visit(tailView(keyspace, entry), tailStart(keyspace, entry));
  }
  const { arena } = keyspace;
  const cursor = new TreeCursor();
  const tree = rootWord(arena, rootOf(keyspace, entry), ROOT_TREE);
  for (let more = treeFirst(arena, tree, cursor); more; more = treeNext(arena, cursor)) {
    const chunk = slotWord(arena, cursor, SLOT_CHUNK);
    visit(chunkView(arena, chunk), chunkListpack(arena, chunk));
  }
}

/** Calls `visit` with where each element of the list in `entry` is, from the first to the last. */
export function forEachListElement(
  keyspace: Keyspace,
  entry: number,
  visit: (view: ReadonlyView, at: number) => void,
): void {
  forEachListNode(keyspace, entry, (view, start) => {
    for (let at = listpackFirst(view, start); at !== 0; at = listpackNext(view, at)) {
      visit(view, at);
    }
  });
}

/** How many nodes the list in `entry` has. */
export function listNodeCount(keyspace: Keyspace, entry: number): number {
  let count = 0;
  forEachListNode(keyspace, entry, () => count++);
  return count;
}

/** Bytes that the list in `entry` takes outside of it. */
export function listBytes(keyspace: Keyspace, entry: number): number {
  if (isSmallList(keyspace, entry)) return 0;
  const { arena } = keyspace;
  const root = rootOf(keyspace, entry);
  const tree = rootWord(arena, root, ROOT_TREE);
  let units = arena.unitsOf(root);
  const cursor = new TreeCursor();
  for (let more = treeFirst(arena, tree, cursor); more; more = treeNext(arena, cursor)) {
    units += arena.unitsOf(slotWord(arena, cursor, SLOT_CHUNK));
  }
  return units * UNIT_BYTES + treeBytes(arena, tree);
}

/**
 * Stores a copy of the list in `source`, node by node, in place of what the key holds (`old` is its entry or 0,
 * `keyspace.hash` its hash), with the expiry in `keyspace.expiry` if `volatile`. Returns the entry.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function copyList(
  database: Database,
  old: number,
  keyView: ReadonlyView,
  keyStart: number,
  keyLength: number,
  source: number,
  volatile: boolean,
): number {
  const builder = new ListBuilder(database.keyspace, 0);
  try {
    forEachListNode(database.keyspace, source, (view, start) => builder.addNode(view, start));
    return builder.store(database, old, keyView, keyStart, keyLength, volatile);
  } catch (error) {
    builder.abandon();
    throw error;
  }
}

/** Puts a new list together, from its first element to its last one; see the head of this file. */
export class ListBuilder {
  private root = 0;
  private readonly place = new ListPlace();
  private readonly empty = new DataView(new ArrayBuffer(LISTPACK_EMPTY_BYTES));

  /** Makes a list in `keyspace`, whose `list-max-listpack-size` is `limit`. */
  constructor(private readonly keyspace: Keyspace, private readonly limit: number) {
    listpackCreate(this.empty, 0);
  }

  /** How many elements there are. */
  get length(): number {
    return this.root === 0 ? 0 : rootWord(this.keyspace.arena, this.root, ROOT_COUNT);
  }

  /**
   * Adds a node as it is: the listpack at `start`, which has been validated. One without elements is passed over.
   *
   * @throws {ArenaFullError} when there is no room: {@linkcode abandon} the list then.
   */
  addNode(view: ReadonlyView, start: number): void {
    const { arena } = this.keyspace;
    const bytes = listpackBytes(view, start);
    const count = listpackLength(view, start);
    if (count === 0) return;
    if (this.root === 0) {
      this.root = listRootOf(this.keyspace, 0, view, start, bytes, 0, this.place);
      return;
    }
    const chunk = chunkOf(arena, 0, view, start, bytes, 0);
    treeEnd(arena, rootWord(arena, this.root, ROOT_TREE), this.place.cursor);
    try {
      insertNode(arena, this.place.cursor, chunk, count);
    } catch (error) {
      arena.free(chunk);
      throw error;
    }
    setRootWord(arena, this.root, LIST_LAST, chunk);
    setRootWord(arena, this.root, ROOT_COUNT, this.length + count);
  }

  /**
   * Adds an element behind the last one, as RPUSH does.
   *
   * @throws {ArenaFullError} when there is no room: {@linkcode abandon} the list then.
   */
  addElement(text: ReadonlyView, from: number, length: number): void {
    if (this.root === 0) {
      this.root = listRootOf(this.keyspace, 0, this.empty, 0, LISTPACK_EMPTY_BYTES, 0, this.place);
    }
    pushLarge(this.keyspace.arena, this.root, false, text, from, length, this.limit, this.place);
  }

  /**
   * Makes the list, which isn't empty, the value of a key, in place of what it holds (`old` is its entry or 0, `keyspace.hash` its
   * hash), with the expiry in `keyspace.expiry` if `volatile`. Returns the entry.
   *
   * @throws {ArenaFullError} with nothing changed, when there is no room: {@linkcode abandon} the list then.
   */
  store(
    database: Database,
    old: number,
    keyView: ReadonlyView,
    keyStart: number,
    keyLength: number,
    volatile: boolean,
  ): number {
    const { root } = this;
    const { arena } = this.keyspace;
    const chunk = rootWord(arena, root, LIST_FIRST);
    const view = chunkView(arena, chunk);
    const start = chunkListpack(arena, chunk);
    const bytes = listpackBytes(view, start);
    let entry = 0;
    if (chunk === rootWord(arena, root, LIST_LAST) && bytes <= SMALL_LIST_BYTES) {
      const kind = META_SMALL_LIST;
      entry = storeSmall(
        database,
        old,
        keyView,
        keyStart,
        keyLength,
        kind,
        view,
        start,
        bytes,
        volatile,
      );
      this.abandon();
      return entry;
    }
    trimNode(arena, rootWord(arena, root, LIST_LAST));
    entry = storeRoot(database, old, keyView, keyStart, keyLength, TYPE_LIST, root, volatile);
    this.root = 0;
    return entry;
  }

  /** Frees what has been put together. */
  abandon(): void {
    if (this.root === 0) return;
    setRootWord(this.keyspace.arena, this.root, ROOT_COUNT, 0);
    rootFreeSome(this.keyspace.arena, this.keyspace.roots, this.root, Infinity, []);
    this.root = 0;
  }
}
