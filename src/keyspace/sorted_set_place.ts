/**
 * A place in a sorted set: one member with its score, in either form.
 *
 * It is told to {@linkcode SortedSetPlace.enter} a set, and then goes from rank to rank, or is led to a member by name
 * (`sorted_sets.ts`). Of a small set it notes where each pair lies, which makes ranks and searches as cheap as in an array: a walk over
 * 128 pairs is 1 us. In a large one it is a cursor in the tree. What it says is good until the set changes.
 *
 * A place is made once and used again; nothing here allocates, but for the notes of a small set larger than any before.
 *
 * @module
 */
import {
  type Arena,
  type ReadonlyBytes,
  type ReadonlyView,
  SEGMENT_SHIFT,
} from "../memory/arena.ts";
import { keyLength, keyStart } from "../memory/entry.ts";
import { LISTPACK_HEADER_BYTES, listpackEnd } from "../memory/listpack.ts";
import { elementBytes } from "../memory/listpack_element.ts";
import { ROOT_COUNT, ROOT_TREE, rootWord } from "../memory/root.ts";
import { compareBytes, slotMember, slotScore } from "../memory/score_tree.ts";
import { treeAt, TreeCursor, treeFirst, treeLast, treeNext, treePrevious } from "../memory/tree.ts";
import { rootOf, tailStart } from "./collections.ts";
import { ElementPlace } from "./element_place.ts";
import { entryEncoding } from "./entry_facts.ts";
import type { Keyspace } from "./keyspace.ts";
import { ScoreElement } from "./sorted_set_scores.ts";
import { ENCODING_ROOT } from "./types.ts";

const FIRST_OFFSETS = 128;
const FIRST_GIVEN = 16;
/** Room for more scores isn't kept. */
const KEPT_GIVEN = 4096;

/** See the head of this file. */
export class SortedSetPlace {
  /** The root of a large set; 0 for a small one. */
  root = 0;
  /** How many members there are. */
  count = 0;
  /** Score of the member that it is at. */
  score = 0;
  /** The member's text, after {@linkcode read}. */
  readonly element: ElementPlace = new ElementPlace();
  /** Rank of the member in a small set. */
  index = 0;
  /** Address of the member in a large set; 0 if the one that was looked for isn't there. */
  member = 0;
  /** Hash of the member that was looked for in a large set. */
  hash = 0;
  /** The slot of the member in a large set. */
  readonly cursor: TreeCursor = new TreeCursor();
  /** Rank of the first member of a range, */
  first = 0;
  /** and of the first one behind it. */
  end = 0;
  /** Where a small set's listpack starts, */
  start = 0;
  /** what shows it, */
  view: ReadonlyView;
  /** and where each of its pairs lies there. */
  offsets: Int32Array = new Int32Array(FIRST_OFFSETS);
  /** Scores that a command was given. */
  given: Float64Array = new Float64Array(FIRST_GIVEN);
  /** Scores on their way. */
  readonly scores: ScoreElement = new ScoreElement();
  private arena: Arena | null = null;
  private bytes: ReadonlyBytes = [];

  /** A place that is nowhere yet. */
  constructor() {
    this.view = this.element.view;
  }

  /** Room for `count` scores in {@linkcode given}. */
  givenFor(count: number): Float64Array {
    const { length } = this.given;
    if (count > length || (length > KEPT_GIVEN && count <= KEPT_GIVEN)) {
      this.given = new Float64Array(Math.max(count, FIRST_GIVEN));
    }
    return this.given;
  }

  /** Has the place be in the sorted set in `entry`. */
  enter(keyspace: Keyspace, entry: number): void {
    const { arena } = keyspace;
    if (entryEncoding(keyspace, entry) === ENCODING_ROOT) {
      return this.enterRoot(arena, rootOf(keyspace, entry));
    }
    const segment = entry >>> SEGMENT_SHIFT;
    this.enterSmall(arena.views[segment], arena.bytes[segment], tailStart(keyspace, entry));
  }

  /** Has the place be in the large set at `root`, which may belong to nobody. */
  enterRoot(arena: Arena, root: number): void {
    this.arena = arena;
    this.root = root;
    this.count = rootWord(arena, root, ROOT_COUNT);
  }

  /** Has the place be in the listpack at `start`; `view` and `bytes` show the same memory, which may be anywhere. */
  enterSmall(view: ReadonlyView, bytes: ReadonlyBytes, start: number): void {
    this.root = 0;
    this.view = view;
    this.bytes = bytes;
    this.start = start;
    const end = listpackEnd(view, start);
    let count = 0;
    for (let at = start + LISTPACK_HEADER_BYTES; at < end; count++) {
      if (count === this.offsets.length) this.growOffsets();
      this.offsets[count] = at;
      at += elementBytes(view, at);
      at += elementBytes(view, at);
    }
    this.count = count;
  }

  /** Makes room for more pairs. */
  private growOffsets(): void {
    const offsets = new Int32Array(this.offsets.length * 2);
    offsets.set(this.offsets);
    this.offsets = offsets;
  }

  /** Where the score of pair `index` of a small set lies. */
  scoreOffset(index: number): number {
    const at = this.offsets[index];
    return at + elementBytes(this.view, at);
  }

  /** Score of pair `index` of a small set. */
  scoreAt(index: number): number {
    return this.scores.read(this.view, this.scoreOffset(index));
  }

  /** Compares the member of pair `index` of a small set with the text. */
  compareAt(index: number, text: ReadonlyView, from: number, length: number): number {
    const { element } = this;
    element.setListpackElement(this.view, this.bytes, this.offsets[index]);
    element.spell();
    return compareBytes(element.view, element.start, element.length, text, from, length);
  }

  /** How many pairs of a small set come before the score and the text. */
  rankOf(score: number, text: ReadonlyView, from: number, length: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.scoreAt(middle);
      const before = other < score ||
        (other === score && this.compareAt(middle, text, from, length) < 0);
      if (before) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Goes to the member with this rank, which there is. */
  goTo(rank: number): void {
    if (this.root === 0) {
      this.index = rank;
      return;
    }
    const arena = this.arena!;
    const tree = rootWord(arena, this.root, ROOT_TREE);
    if (rank === 0) treeFirst(arena, tree, this.cursor);
    else if (rank === this.count - 1) treeLast(arena, tree, this.cursor);
    else treeAt(arena, tree, rank, this.cursor);
  }

  /** Goes to the next member, or, if `backwards`, to the one before; there must be one. */
  step(backwards: boolean): void {
    if (this.root === 0) this.index += backwards ? -1 : 1;
    else if (backwards) treePrevious(this.arena!, this.cursor);
    else treeNext(this.arena!, this.cursor);
  }

  /** Tells the member that it is at, and its score. */
  read(): void {
    if (this.root === 0) {
      const at = this.offsets[this.index];
      this.element.setListpackElement(this.view, this.bytes, at);
      this.score = this.scores.read(this.view, at + elementBytes(this.view, at));
    } else {
      const arena = this.arena!;
      this.score = slotScore(arena, this.cursor);
      this.readMember(arena, slotMember(arena, this.cursor));
    }
  }

  /** As {@linkcode read}, but of the member it tells only where it is: {@linkcode position}. */
  readScore(): void {
    if (this.root === 0) this.score = this.scoreAt(this.index);
    else {
      this.score = slotScore(this.arena!, this.cursor);
      this.member = slotMember(this.arena!, this.cursor);
    }
  }

  /** By which {@linkcode readAt} finds the member again: its rank in a small set, its address in a large one. */
  get position(): number {
    return this.root === 0 ? this.index : this.member;
  }

  /** Tells the member that was at this {@linkcode position}. */
  readAt(position: number): void {
    if (this.root === 0) {
      this.element.setListpackElement(this.view, this.bytes, this.offsets[position]);
    } else this.readMember(this.arena!, position);
  }

  /** Tells a member of a large set, but for its score. */
  private readMember(arena: Arena, member: number): void {
    this.member = member;
    const segment = member >>> SEGMENT_SHIFT;
    const start = keyStart(arena, member);
    this.element.setBytes(
      arena.views[segment],
      arena.bytes[segment],
      start,
      keyLength(arena, member),
    );
  }
}
