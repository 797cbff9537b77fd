/**
 * Sets that belong to no key yet: the result of an operation, or what a payload tells.
 *
 * A builder takes members in any order and any number of times, in the same forms as a set under a key (`sets.ts`): a small set is in
 * memory of the builder, a large one in the arena, where its root is owned by nobody until it is stored. What isn't stored
 * must be discarded.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import type { IntegerHalves } from "../memory/decimal.ts";
import {
  intsetBytes,
  intsetCreate,
  intsetFind,
  intsetInsert,
  intsetInsertBytes,
  intsetLength,
} from "../memory/intset.ts";
import {
  listpackAppend,
  listpackBytes,
  listpackFind,
  listpackFirst,
  listpackLength,
  listpackStringBytes,
} from "../memory/listpack.ts";
import { ROOT_SET } from "../memory/root.ts";
import { ByteRoom } from "./byte_room.ts";
import { CollectionWalk } from "./collection_walk.ts";
import { storeRoot, storeSmall } from "./collection_store.ts";
import { type ElementPlace, readIntegerText } from "./element_place.ts";
import type { Database, Keyspace } from "./keyspace.ts";
import { addMember, findMemberAt, membersOf } from "./member_roots.ts";
import {
  listpackOfIntegers,
  META_INTSET,
  META_SMALL_SET,
  SMALL_MEMBER_BYTES,
  SMALL_SET_MEMBERS,
} from "./sets.ts";
import { ENCODING_INTSET, ENCODING_LISTPACK, ENCODING_ROOT, TYPE_SET } from "./types.ts";

/** Builds a set; see the head of this file. */
export class SetBuilder {
  private encoding: number = ENCODING_INTSET;
  /** A small set, from its start on. */
  private readonly room = new ByteRoom();
  /** The root of a large one. */
  private root = 0;
  private readonly walk = new CollectionWalk();
  private readonly integer: IntegerHalves = { high: 0, low: 0 };

  /** An empty set, of up to `maxIntegers` integers as long as it has nothing else. */
  constructor(private readonly keyspace: Keyspace, private readonly maxIntegers: number) {
    intsetCreate(this.room.view, 0);
  }

  /** How many members there are. */
  get count(): number {
    this.enter(this.walk);
    return this.walk.count;
  }

  /** Has `walk` go before the first member; the set must not change meanwhile. */
  enter(walk: CollectionWalk): void {
    if (this.encoding === ENCODING_ROOT) walk.enterRoot(this.keyspace, this.root);
    else walk.enterSmall(this.room.view, this.room.bytes, 0, this.encoding, false);
  }

  /** Adds all that `walk` has before it. */
  addAll(walk: CollectionWalk): void {
    while (walk.next()) this.addElement(walk);
  }

  /** Adds the element that a place tells; false if it is there already. */
  addElement(place: ElementPlace): boolean {
    if (place.isInteger && this.encoding === ENCODING_INTSET) {
      const added = this.addInteger(place.high, place.low);
      if (added !== undefined) return added;
    }
    place.spell();
    return this.add(place.view, place.start, place.length);
  }

  /**
   * Adds a member; false if it is there already.
   *
   * @throws {ArenaFullError} with nothing changed, when there is no room.
   */
  add(view: ReadonlyView, start: number, length: number): boolean {
    if (this.encoding === ENCODING_INTSET) {
      const { integer } = this;
      const added = readIntegerText(view, start, length, integer)
        ? this.addInteger(integer.high, integer.low)
        : undefined;
      if (added !== undefined) return added;
      this.leaveIntset(length);
    }
    if (this.encoding === ENCODING_LISTPACK) {
      const first = listpackFirst(this.room.view, 0);
      if (listpackFind(this.room.view, first, view, start, length, 0) !== 0) return false;
      if (length <= SMALL_MEMBER_BYTES && listpackLength(this.room.view, 0) < SMALL_SET_MEMBERS) {
        this.room.reserve(listpackBytes(this.room.view, 0) + listpackStringBytes(length));
        listpackAppend(this.room.view, 0, view, start, length);
        return true;
      }
      this.becomeLarge();
    }
    return addMember(this.keyspace, this.root, view, start, length);
  }

  /** Adds an integer to an intset; undefined if it can't take more. */
  private addInteger(high: number, low: number): boolean | undefined {
    if (intsetFind(this.room.view, 0, high, low) >= 0) return false;
    if (intsetLength(this.room.view, 0) >= this.maxIntegers) return undefined;
    this.room.reserve(intsetInsertBytes(this.room.view, 0, high, low));
    return intsetInsert(this.room.view, 0, high, low);
  }

  /** Whether the element that a place tells is a member. */
  has(place: ElementPlace): boolean {
    if (this.encoding === ENCODING_ROOT) return findMemberAt(this.keyspace, this.root, place) !== 0;
    if (this.encoding === ENCODING_INTSET) {
      const { integer } = this;
      return place.readInteger(integer) &&
        intsetFind(this.room.view, 0, integer.high, integer.low) >= 0;
    }
    place.spell();
    const { view, start, length } = place;
    return listpackFind(
      this.room.view,
      listpackFirst(this.room.view, 0),
      view,
      start,
      length,
      0,
    ) !== 0;
  }

  /**
   * Gives the set, which isn't empty, to the key in `view`, in place of what it holds; returns its entry (see
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
    if (this.encoding === ENCODING_ROOT) {
      const { root } = this;
      const entry = storeRoot(database, old, view, start, length, TYPE_SET, root, volatile);
      this.root = 0;
      return entry;
    }
    const integers = this.encoding === ENCODING_INTSET;
    const kind = integers ? META_INTSET : META_SMALL_SET;
    const bytes = integers ? intsetBytes(this.room.view, 0) : listpackBytes(this.room.view, 0);
    return storeSmall(database, old, view, start, length, kind, this.room.view, 0, bytes, volatile);
  }

  /** Gives back what a set that wasn't stored has taken. */
  discard(): void {
    if (this.root !== 0) this.keyspace.freeValueBlock(this.root);
    this.root = 0;
  }

  /** Has a set of integers take a form that has room for a member of `length` bytes more. */
  private leaveIntset(length: number): void {
    const members = intsetLength(this.room.view, 0);
    if (length > SMALL_MEMBER_BYTES || members >= SMALL_SET_MEMBERS) return this.becomeLarge();
    this.room.use(new Uint8Array(listpackOfIntegers(this.room.view, 0).buffer));
    this.encoding = ENCODING_LISTPACK;
  }

  /** Goes on in the large form, with the members so far. */
  private becomeLarge(): void {
    this.enter(this.walk);
    this.root = membersOf(this.keyspace, ROOT_SET, this.walk);
    this.encoding = ENCODING_ROOT;
  }
}
