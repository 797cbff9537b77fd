/**
 * A walk through the elements of a set, a hash or a sorted set, in the order in which they are stored.
 *
 * The walk is at one element at a time, and tells it as an {@linkcode ElementPlace} does: the member of a set or sorted set, or the field of
 * a hash; the field's value can be read into another place. The walk can be told to go to an element that it was at before, by
 * {@linkcode CollectionWalk.position}: an index in an intset, a byte offset in a listpack, a member's address in a large
 * collection. The collection must not change meanwhile.
 *
 * @module
 */
import { type ReadonlyBytes, type ReadonlyView, SEGMENT_SHIFT } from "../memory/arena.ts";
import type { IntegerHalves } from "../memory/decimal.ts";
import { dictRandom } from "../memory/dict.ts";
import { DictWalk } from "../memory/dict_walk.ts";
import { keyLength, keyStart } from "../memory/entry.ts";
import { intsetGet, intsetLength } from "../memory/intset.ts";
import {
  LISTPACK_HEADER_BYTES,
  listpackEnd,
  listpackLength,
  listpackSeek,
  listpackSkip,
} from "../memory/listpack.ts";
import { memberValueLength, memberValueStart } from "../memory/member.ts";
import { ROOT_COUNT, ROOT_DICT, rootWord } from "../memory/root.ts";
import { rootOf, tailStart } from "./collections.ts";
import { ElementPlace } from "./element_place.ts";
import { entryEncoding, entryType } from "./entry_facts.ts";
import type { Keyspace } from "./keyspace.ts";
import { ENCODING_INTSET, ENCODING_LISTPACK, ENCODING_ROOT, TYPE_SET } from "./types.ts";

/** See the head of this file. */
export class CollectionWalk extends ElementPlace {
  /** Which element the walk is at; what the number means depends on the form. */
  position = 0;
  private keyspace: Keyspace | null = null;
  private encoding = 0;
  /** Where a small collection is, */
  private source: ReadonlyView = this.view;
  private sourceBytes: ReadonlyBytes = [];
  /** where it starts there, */
  private first = 0;
  /** and what ends it: how many integers, or the place of a listpack's last byte. */
  private end = 0;
  /** Elements of a listpack from one position to the next. */
  private step = 1;
  /** The root of a large collection. */
  private root = 0;
  private readonly members = new DictWalk();
  private readonly integer: IntegerHalves = { high: 0, low: 0 };

  /** Goes before the first element of the set, hash or sorted set in `entry`. */
  enter(keyspace: Keyspace, entry: number): void {
    const encoding = entryEncoding(keyspace, entry);
    if (encoding === ENCODING_ROOT) return this.enterRoot(keyspace, rootOf(keyspace, entry));
    this.enterSmall(
      keyspace.arena.views[entry >>> SEGMENT_SHIFT],
      keyspace.arena.bytes[entry >>> SEGMENT_SHIFT],
      tailStart(keyspace, entry),
      encoding,
      entryType(keyspace, entry) !== TYPE_SET,
    );
  }

  /**
   * Goes before the first element of the listpack (with `pairs`, each second element is one) or intset at `first`; `view` and
   * `bytes` show the same memory, which may be anywhere.
   */
  enterSmall(
    view: ReadonlyView,
    bytes: ReadonlyBytes,
    first: number,
    encoding: number,
    pairs: boolean,
  ): void {
    this.encoding = encoding;
    this.source = view;
    this.sourceBytes = bytes;
    this.first = first;
    this.step = pairs ? 2 : 1;
    if (encoding === ENCODING_INTSET) {
      this.end = intsetLength(view, first);
      this.position = -1;
    } else {
      this.end = listpackEnd(view, first);
      this.position = 0;
    }
  }

  /** Goes before the first member of the large collection at `root`, which may belong to nobody. */
  enterRoot(keyspace: Keyspace, root: number): void {
    this.keyspace = keyspace;
    this.encoding = ENCODING_ROOT;
    this.root = root;
    this.members.begin(keyspace.arena, rootWord(keyspace.arena, root, ROOT_DICT));
  }

  /** Whether it is a large collection. */
  get isLarge(): boolean {
    return this.encoding === ENCODING_ROOT;
  }

  /** How many elements there are. */
  get count(): number {
    if (this.encoding === ENCODING_ROOT) {
      return rootWord(this.keyspace!.arena, this.root, ROOT_COUNT);
    }
    if (this.encoding === ENCODING_INTSET) return this.end;
    return listpackLength(this.source, this.first) / this.step;
  }

  /** Goes to the next element; false behind the last. */
  next(): boolean {
    if (!this.advance()) return false;
    this.goTo(this.position);
    return true;
  }

  /** As {@linkcode next}, without a look at the element: only its position is known until {@linkcode goTo}. */
  advance(): boolean {
    if (this.encoding === ENCODING_ROOT) {
      const member = this.members.next();
      if (member === 0) return false;
      this.position = member;
      return true;
    }
    const next = this.encoding === ENCODING_INTSET ? this.position + 1 : this.nextOffset();
    if (next >= this.end) return false;
    this.position = next;
    return true;
  }

  /** Goes to the element at a position; in a large collection, {@linkcode next} doesn't go on from there. */
  goTo(position: number): void {
    this.position = position;
    if (this.encoding === ENCODING_ROOT) {
      const { arena } = this.keyspace!;
      const segment = position >>> SEGMENT_SHIFT;
      const start = keyStart(arena, position);
      this.setBytes(arena.views[segment], arena.bytes[segment], start, keyLength(arena, position));
    } else if (this.encoding === ENCODING_INTSET) {
      const { integer } = this;
      intsetGet(this.source, this.first, position, integer);
      this.setInteger(integer.high, integer.low);
    } else this.setListpackElement(this.source, this.sourceBytes, position);
  }

  /** Goes to an element at random, each as likely as the next; there is one. */
  goToRandom(random: () => number): void {
    if (this.encoding === ENCODING_ROOT) {
      const { arena } = this.keyspace!;
      return this.goTo(dictRandom(arena, rootWord(arena, this.root, ROOT_DICT), random));
    }
    const index = Math.floor(random() * this.count);
    if (this.encoding === ENCODING_INTSET) this.goTo(index);
    else this.goTo(listpackSeek(this.source, this.first, index * this.step));
  }

  /** Has `place` tell the value of the field that the walk is at. */
  readValue(place: ElementPlace): void {
    const { position } = this;
    if (this.encoding === ENCODING_LISTPACK) {
      const at = listpackSkip(this.source, position);
      return place.setListpackElement(this.source, this.sourceBytes, at);
    }
    const { arena } = this.keyspace!;
    const segment = position >>> SEGMENT_SHIFT;
    const start = memberValueStart(arena, position);
    const length = memberValueLength(arena, position);
    place.setBytes(arena.views[segment], arena.bytes[segment], start, length);
  }

  /** Where the element behind the one at {@linkcode position} is in a listpack, or the end. */
  private nextOffset(): number {
    if (this.position === 0) return this.first + LISTPACK_HEADER_BYTES;
    const next = listpackSkip(this.source, this.position);
    return this.step === 1 ? next : listpackSkip(this.source, next);
  }
}
