/**
 * Sorted sets as a whole: made out of pairs or of a listpack, copied, stored in the form that fits, and how much they take.
 *
 * @module
 */
import { type ReadonlyBytes, type ReadonlyView, UNIT_BYTES } from "../memory/arena.ts";
import { dictBytes } from "../memory/dict_statistics.ts";
import { DictWalk } from "../memory/dict_walk.ts";
import { hashBytes } from "../memory/hash.ts";
import {
  LISTPACK_EMPTY_BYTES,
  listpackAppend,
  listpackBytes,
  listpackCreate,
  listpackEncodedBytes,
  listpackEnd,
} from "../memory/listpack.ts";
import { memberScore, memberSetScore } from "../memory/member.ts";
import { ROOT_COUNT, ROOT_DICT, ROOT_TREE, rootBytes, rootWord } from "../memory/root.ts";
import { treeBytes } from "../memory/tree_nodes.ts";
import { copyCollection, storeRoot, storeSmall } from "./collection_store.ts";
import { rootOf } from "./collections.ts";
import type { Database, Keyspace } from "./keyspace.ts";
import {
  addScored,
  createSortedRoot,
  enterScored,
  findScored,
  orderScored,
} from "./sorted_set_root.ts";
import {
  isSmallSortedSet,
  META_SMALL_SORTED_SET,
  sortedRootOf,
  type SortedSetLimits,
  SortedSetPlace,
} from "./sorted_sets.ts";
import { TYPE_ZSET } from "./types.ts";

/**
 * Puts a new sorted set together. What it has nobody owns: it has to be stored or abandoned before the turn ends.
 *
 * There are two ways. {@linkcode SortedSetBuilder.add} gives a member its place at once. Where scores are still to change,
 * {@linkcode SortedSetBuilder.enter} takes members without an order, which {@linkcode SortedSetBuilder.order} brings into one at the end.
 */
export class SortedSetBuilder {
  /** Its root; 0 as long as there is nothing. */
  root = 0;
  /** The member that {@linkcode enter} has met. */
  private member = 0;
  /** Bytes of the longest member. */
  private longest = 0;
  private readonly place: SortedSetPlace = new SortedSetPlace();

  /** Makes a sorted set in `keyspace`. */
  constructor(private readonly keyspace: Keyspace) {}

  /** How many members there are, those without a place not counted. */
  get length(): number {
    return this.root === 0 ? 0 : rootWord(this.keyspace.arena, this.root, ROOT_COUNT);
  }

  /**
   * Adds a member with its score; false if it is there already.
   *
   * @throws {ArenaFullError} when there is no room: {@linkcode abandon} the set then.
   */
  add(text: ReadonlyView, from: number, length: number, score: number): boolean {
    const { keyspace: { arena }, place: { cursor } } = this;
    const hash = this.begin(text, from, length);
    if (findScored(arena, this.root, hash, text, from, length) !== 0) return false;
    addScored(arena, this.root, hash, text, from, length, score, cursor);
    return true;
  }

  /**
   * Adds a member with its score and without a place; false if it is there already, and {@linkcode entered} is its score then.
   *
   * @throws {ArenaFullError} when there is no room: {@linkcode abandon} the set then.
   */
  enter(text: ReadonlyView, from: number, length: number, score: number): boolean {
    const { keyspace: { arena } } = this;
    const hash = this.begin(text, from, length);
    this.member = findScored(arena, this.root, hash, text, from, length);
    if (this.member !== 0) return false;
    this.member = enterScored(arena, this.root, hash, text, from, length, score);
    return true;
  }

  /** Score of the member that {@linkcode enter} was told of last. */
  get entered(): number {
    return memberScore(this.keyspace.arena, this.member);
  }

  set entered(score: number) {
    memberSetScore(this.keyspace.arena, this.member, score);
  }

  /** Gives all members their places that {@linkcode enter} was told of. */
  order(): void {
    const { keyspace: { arena }, root, place: { cursor } } = this;
    if (root === 0) return;
    const walk = new DictWalk();
    walk.begin(arena, rootWord(arena, root, ROOT_DICT));
    for (let member = walk.next(); member !== 0; member = walk.next()) {
      orderScored(arena, root, member, cursor);
    }
  }

  /** Makes sure that there is a root; returns the hash of the text. */
  private begin(text: ReadonlyView, from: number, length: number): number {
    const { keyspace } = this;
    if (this.root === 0) this.root = createSortedRoot(keyspace);
    if (length > this.longest) this.longest = length;
    return hashBytes(text, from, length, keyspace.seed0, keyspace.seed1);
  }

  /** Has `place` be in the set, which has members. */
  show(place: SortedSetPlace): void {
    place.enterRoot(this.keyspace.arena, this.root);
  }

  /**
   * Makes the set, which isn't empty, the value of a key, in place of what it holds (`old` is its entry or 0, `keyspace.hash` its hash),
   * with the expiry in `keyspace.expiry` if `volatile`. Returns the entry.
   *
   * @throws {ArenaFullError} with nothing changed, when there is no room: {@linkcode abandon} the set then.
   */
  store(
    database: Database,
    old: number,
    keyView: ReadonlyView,
    keyStart: number,
    keyLength: number,
    volatile: boolean,
    limits: SortedSetLimits,
  ): number {
    const { root } = this;
    if (this.length > limits.zsetMaxEntries || this.longest > limits.zsetMaxValueBytes) {
      const type = TYPE_ZSET;
      const entry = storeRoot(database, old, keyView, keyStart, keyLength, type, root, volatile);
      this.root = 0;
      return entry;
    }
    const listpack = this.listpack();
    const entry = storeSmall(
      database,
      old,
      keyView,
      keyStart,
      keyLength,
      META_SMALL_SORTED_SET,
      listpack,
      0,
      listpackBytes(listpack, 0),
      volatile,
    );
    this.abandon();
    return entry;
  }

  /** All pairs as a listpack. */
  private listpack(): DataView {
    const { place, place: { scores, element } } = this;
    this.show(place);
    let bytes = LISTPACK_EMPTY_BYTES;
    this.forEachPair(() => {
      bytes += listpackEncodedBytes(element.view, element.start, element.length);
      bytes += scores.set(place.score);
    });
    const listpack = new DataView(new ArrayBuffer(bytes));
    listpackCreate(listpack, 0);
    this.forEachPair(() => {
      listpackAppend(listpack, 0, element.view, element.start, element.length);
      scores.set(place.score);
      scores.insert(listpack, 0, listpackEnd(listpack, 0));
    });
    return listpack;
  }

  /** Calls `visit` with the place at each pair. */
  private forEachPair(visit: () => void): void {
    const { place } = this;
    place.goTo(0);
    for (let left = place.count; left > 0; left--) {
      place.read();
      visit();
      place.step(false);
    }
  }

  /** Frees what has been put together, now or, if that is very much, later. */
  abandon(): void {
    if (this.root === 0) return;
    this.keyspace.freeValueBlock(this.root);
    this.root = 0;
  }
}

/** Calls `visit` with `place` telling each member of the sorted set in `entry` with its score, the lowest score first. */
export function forEachScored(
  keyspace: Keyspace,
  entry: number,
  place: SortedSetPlace,
  visit: () => void,
): void {
  place.enter(keyspace, entry);
  place.goTo(0);
  for (let left = place.count; left > 0; left--) {
    place.read();
    visit();
    place.step(false);
  }
}

/**
 * Stores a copy of the sorted set in `source` in place of what the key holds (`old` is its entry or 0, `keyspace.hash` its hash), with the
 * expiry in `keyspace.expiry` if `volatile`. Returns the entry.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function copySortedSet(
  database: Database,
  old: number,
  keyView: ReadonlyView,
  keyStart: number,
  keyLength: number,
  source: number,
  volatile: boolean,
): number {
  const { keyspace } = database;
  if (isSmallSortedSet(keyspace, source)) {
    return copyCollection(database, old, keyView, keyStart, keyLength, source, volatile);
  }
  const builder = new SortedSetBuilder(keyspace);
  const place = new SortedSetPlace();
  const { element } = place;
  try {
    forEachScored(keyspace, source, place, () => {
      builder.add(element.view, element.start, element.length, place.score);
    });
    return builder.store(database, old, keyView, keyStart, keyLength, volatile, NEVER_SMALL);
  } catch (error) {
    builder.abandon();
    throw error;
  }
}

const NEVER_SMALL: SortedSetLimits = { zsetMaxEntries: 0, zsetMaxValueBytes: 0 };

/**
 * Stores the listpack of members and scores at `from`, which has been validated, as {@linkcode copySortedSet} does: as it is, or as a large
 * set if it has more than `maxEntries` members. `view` and `bytes` show the same memory.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function storeSortedListpack(
  database: Database,
  old: number,
  keyView: ReadonlyView,
  keyStart: number,
  keyLength: number,
  view: ReadonlyView,
  bytes: ReadonlyBytes,
  from: number,
  volatile: boolean,
  maxEntries: number,
): number {
  const { keyspace } = database;
  const place = new SortedSetPlace();
  place.enterSmall(view, bytes, from);
  if (place.count <= maxEntries) {
    return storeSmall(
      database,
      old,
      keyView,
      keyStart,
      keyLength,
      META_SMALL_SORTED_SET,
      view,
      from,
      listpackBytes(view, from),
      volatile,
    );
  }
  const root = sortedRootOf(keyspace, place);
  try {
    return storeRoot(database, old, keyView, keyStart, keyLength, TYPE_ZSET, root, volatile);
  } catch (error) {
    keyspace.freeValueBlock(root);
    throw error;
  }
}

/**
 * Bytes that the sorted set in `entry` takes outside of it. With more than `samples` members, the others are taken to be as large as
 * these on average.
 */
export function sortedSetBytes(keyspace: Keyspace, entry: number, samples: number): number {
  if (isSmallSortedSet(keyspace, entry)) return 0;
  const { arena } = keyspace;
  const root = rootOf(keyspace, entry);
  const dict = rootWord(arena, root, ROOT_DICT);
  const walk = new DictWalk();
  walk.begin(arena, dict);
  let units = 0;
  let looked = 0;
  for (let member = walk.next(); member !== 0 && looked < samples; member = walk.next()) {
    units += arena.unitsOf(member);
    looked++;
  }
  const members = Math.round((units * rootWord(arena, root, ROOT_COUNT)) / Math.max(1, looked));
  return rootBytes(arena, root) + dictBytes(arena, dict) +
    treeBytes(arena, rootWord(arena, root, ROOT_TREE)) + members * UNIT_BYTES;
}
