/**
 * A frozen arena as its reader sees it: memory of its own, into which what is needed is brought, page by page.
 *
 * Code that reads an arena serves here as well, as long as what it reads has been brought before: a block with
 * {@linkcode FrozenArena.bring}, a collection with all that hangs on it with {@linkcode FrozenArena.bringCollection}, or bit by
 * bit with {@linkcode FrozenArena.bringDict} and {@linkcode FrozenArena.visitSlots}. It lies at its address then. {@linkcode FrozenArena.forget} gives the memory back; pages can be brought again until they are said to be
 * done.
 *
 * {@linkcode FrozenArena.walkCopies} goes through all blocks in the order of their addresses, over copies of some hundred pages at a
 * time, which lie elsewhere.
 *
 * @module
 */
import {
  Arena,
  BLOCK_ENTRY,
  type ReadonlyWords,
  SEGMENT_LIMIT,
  SEGMENT_MASK,
  SEGMENT_SHIFT,
  SEGMENT_UNITS,
} from "./arena.ts";
import { KIND_MASK, KIND_SHIFT, LENGTH_SHIFT, USED } from "./bins.ts";
import { bucketAddress, DIRECTORY, NEXT_WORD, SLOTS } from "./dict_table.ts";
import { dictBuckets } from "./dict.ts";
import { wordIndex, wordsAt } from "./entry.ts";
import {
  type FrozenMemory,
  type FrozenSegment,
  PAGE_ASIDE,
  PAGE_BYTES,
  PAGE_DONE,
  PAGE_PENDING,
  PAGE_UNIT_SHIFT,
  SEGMENT_PAGE_SHIFT,
} from "./frozen_pages.ts";
import { memberChild } from "./member.ts";
import { ROOT_DICT, ROOT_GROUP, ROOT_KIND, ROOT_STREAM, ROOT_TREE, rootWord } from "./root.ts";
import {
  CHILD_WORDS,
  SHAPE,
  SLOTS as NODE_SLOTS_AT,
  treeHeight,
  treeTop,
  USED as NODE_USED,
} from "./tree_nodes.ts";

/** Pages that a walk copies at once. */
const RUN_PAGES = 256;
const PAGE_UNITS = 1 << PAGE_UNIT_SHIFT;
const BUCKET_BYTES = 64;
const HEADER_BYTES = 8;

/** A frozen arena; see the head of this file. */
export class FrozenArena extends Arena {
  /** Bytes of pages that were brought and not forgotten. */
  broughtBytes = 0;
  private readonly states: Uint8Array;
  /** The pages that are there. */
  private readonly present: Uint8Array;
  private readonly live: Uint8Array[] = [];
  private readonly aside: Uint8Array[] = [];
  /** What {@linkcode FrozenArena.walkCopies} copies to, */
  private run = makeRun(RUN_PAGES);
  /** and the number of the segment that it is. */
  private readonly runSegment: number;

  /** Reads `memory`. */
  constructor(private readonly memory: FrozenMemory) {
    super();
    this.states = new Uint8Array(memory.states);
    this.present = new Uint8Array(this.states.length);
    this.reserveNumbers(SEGMENT_LIMIT);
    for (const { number, units, live, aside } of memory.segments) {
      this.live[number] = new Uint8Array(live);
      this.aside[number] = new Uint8Array(aside);
      this.segmentUnits[number] = units;
    }
    this.runSegment = this.findRunSegment();
  }

  /** Has the `byteLength` bytes from `address` there. */
  bring(address: number, byteLength: number): void {
    const { present } = this;
    const last = (address + ((byteLength + 7) >>> 3) - 1) >>> PAGE_UNIT_SHIFT;
    for (let page = address >>> PAGE_UNIT_SHIFT; page <= last; page++) {
      if (present[page] === 0) this.bringPage(address >>> SEGMENT_SHIFT, page);
    }
  }

  /** Has the block at `address` there. */
  bringBlock(address: number): void {
    this.bring(address, HEADER_BYTES);
    this.bring(address, this.unitsOf(address) * 8);
  }

  /** Has the large collection there whose root is at `root`, with all that hangs on it. */
  bringCollection(root: number): void {
    this.bringBlock(root);
    const kind = rootWord(this, root, ROOT_KIND);
    const dict = rootWord(this, root, ROOT_DICT);
    const tree = rootWord(this, root, ROOT_TREE);
    if (dict !== 0) {
      const nested = kind === ROOT_STREAM || kind === ROOT_GROUP;
      this.bringDict(dict, (member) => {
        this.bringBlock(member);
        if (nested) this.bringCollection(memberChild(this, member));
      });
    }
    if (tree !== 0) this.bringTree(tree);
  }

  /** Calls `visit` for each entry of a dict, which isn't brought; it may {@linkcode forget} everything. */
  bringDict(dict: number, visit: (entry: number) => void): void {
    this.bringBlock(dict);
    const buckets = dictBuckets(this, dict);
    for (let bucket = 0; bucket < buckets; bucket++) {
      this.bringBlock(dict);
      this.bringBlock(wordsAt(this, dict)[wordIndex(dict) + DIRECTORY]);
      for (let at = bucketAddress(this, dict, bucket); at !== 0;) {
        this.bring(at, BUCKET_BYTES);
        const words = wordsAt(this, at);
        const index = wordIndex(at);
        for (let slot = 0; slot < SLOTS; slot++) {
          if (words[index + slot] !== 0) visit(words[index + slot]);
        }
        at = words[index + NEXT_WORD];
      }
    }
  }

  /**
   * Calls `visit` for each slot of the leaves of a tree, backwards if asked to, with the words that it is in and the index of
   * its first one; it may {@linkcode forget} everything.
   */
  visitSlots(
    tree: number,
    backwards: boolean,
    visit: (words: ReadonlyWords, at: number) => void,
  ): void {
    this.bringBlock(tree);
    const shape = wordsAt(this, tree)[wordIndex(tree) + SHAPE];
    this.visitNode(treeTop(this, tree), treeHeight(this, tree), shape, backwards, visit);
  }

  /** Visits the slots of the leaves below a node, or of the node itself if it is one. */
  private visitNode(
    node: number,
    level: number,
    shape: number,
    backwards: boolean,
    visit: (words: ReadonlyWords, at: number) => void,
  ): void {
    this.bringBlock(node);
    const words = wordsAt(this, node);
    const at = wordIndex(node);
    const stride = level === 0 ? shape & 15 : CHILD_WORDS + ((shape >>> 4) & 15);
    const used = words[at + NODE_USED];
    for (let index = 0; index < used; index++) {
      const slot = at + NODE_SLOTS_AT + (backwards ? used - 1 - index : index) * stride;
      if (level === 0) visit(words, slot);
      else this.visitNode(words[slot], level - 1, shape, backwards, visit);
    }
  }

  /** Has a tree there, with the blocks that its leaves own. */
  private bringTree(tree: number): void {
    this.bringBlock(tree);
    const owned = ((wordsAt(this, tree)[wordIndex(tree) + SHAPE] >>> 12) & 15) - 1;
    this.visitSlots(tree, false, (words, at) => {
      if (owned >= 0) this.bringBlock(words[at + owned]);
    });
  }

  /** Gives the memory of all that was brought back. */
  forget(): void {
    if (this.broughtBytes === 0) return;
    this.broughtBytes = 0;
    this.present.fill(0);
    for (const { number } of this.memory.segments) this.discard(number);
  }

  /**
   * Calls `visit` for each block that was in use, in the order of addresses, with its address, kind, and a place where a copy of it
   * lies until `visit` returns. With `last`, nobody needs the pages afterwards. It stops now and then, when nothing is half done. Of
   * blocks that have a segment for themselves, only entries are visited.
   */
  *walkCopies(
    last: boolean,
    visit: (address: number, kind: number, copy: number) => void,
  ): Generator<void, void, void> {
    for (const segment of this.memory.segments) {
      if (isLarge(segment)) this.visitLarge(segment, visit);
      else yield* this.walkSegment(segment, last, visit);
    }
  }

  /** Visits the only block of a segment. */
  private visitLarge(
    { number }: FrozenSegment,
    visit: (address: number, kind: number, copy: number) => void,
  ): void {
    const address = number * SEGMENT_UNITS + 1;
    this.bring(address, HEADER_BYTES);
    const kind = this.kindOf(address);
    // A value is brought when its entry wants it.
    if (kind !== BLOCK_ENTRY) return;
    this.bringBlock(address);
    visit(address, kind, address);
    this.forget();
  }

  /** Visits the blocks of a segment. */
  private *walkSegment(
    segment: FrozenSegment,
    last: boolean,
    visit: (address: number, kind: number, copy: number) => void,
  ): Generator<void, void, void> {
    const { topAddress, topUnits } = this.memory;
    const start = segment.number * SEGMENT_UNITS;
    const hasTop = topUnits > 0 && topAddress >>> SEGMENT_SHIFT === segment.number;
    // What is behind the top, or the sentinel at the end, is no block.
    const end = hasTop ? topAddress & SEGMENT_MASK : segment.units - 1;
    const pages = (end + PAGE_UNITS - 1) >>> PAGE_UNIT_SHIFT;
    let { run } = this;
    let capacity = run.length / PAGE_BYTES;
    /** The unit that comes next, and the first one that the run has. */
    let unit = 1;
    let runStart = 0;
    let runPages = 0;
    let read = 0;
    while (unit < end) {
      // A block at the end of the run goes to the start of the next, with its page.
      const keptFrom = unit >>> PAGE_UNIT_SHIFT;
      const kept = runStart + runPages - keptFrom;
      const needed = kept > capacity >>> 1 ? capacity * 2 : capacity;
      if (needed > capacity) {
        const longer = makeRun(needed);
        longer.set(run.subarray((keptFrom - runStart) * PAGE_BYTES, runPages * PAGE_BYTES));
        run = longer;
        this.run = longer;
        capacity = needed;
      } else if (kept > 0) {
        run.copyWithin(0, (keptFrom - runStart) * PAGE_BYTES, runPages * PAGE_BYTES);
      }
      this.useRun(run);
      runStart = keptFrom;
      runPages = Math.max(0, kept);
      if (kept <= 0) read = keptFrom;
      const more = Math.min(capacity - runPages, pages - read);
      if (more > 0) {
        this.copyPages(segment.number, read, more, run, runPages * PAGE_BYTES, last);
        read += more;
        runPages += more;
      }
      const before = unit;
      unit = this.visitRun(
        unit,
        Math.min(end, (runStart + runPages) << PAGE_UNIT_SHIFT),
        runStart,
        start,
        visit,
      );
      if (unit === before && read === pages) throw new Error("blocks don't fill their segment");
      yield;
    }
  }

  /** Visits the blocks from unit `unit` on that end before unit `end`; the unit of the next block. */
  private visitRun(
    unit: number,
    end: number,
    runStart: number,
    segmentStart: number,
    visit: (address: number, kind: number, copy: number) => void,
  ): number {
    const base = this.runSegment * SEGMENT_UNITS - (runStart << PAGE_UNIT_SHIFT);
    const words = this.mutableWords[this.runSegment];
    while (unit < end) {
      const header = words[(unit - (runStart << PAGE_UNIT_SHIFT)) << 1];
      const units = header >>> LENGTH_SHIFT;
      if (unit + units > end) break;
      if ((header & USED) !== 0) {
        visit(segmentStart + unit, (header >>> KIND_SHIFT) & KIND_MASK, base + unit);
      }
      unit += units;
    }
    return unit;
  }

  /**
   * Copies `count` pages of a segment, from its page number `first` on, as they were when they were frozen, to `target` from `to` on;
   * with `last`, nobody needs them afterwards.
   */
  private copyPages(
    segment: number,
    first: number,
    count: number,
    target: Uint8Array,
    to: number,
    last: boolean,
  ): void {
    const { states } = this;
    const live = this.live[segment];
    const next = last ? PAGE_DONE : PAGE_PENDING;
    // All at once, since that costs less; those that were changed meanwhile are taken from where they were copied to.
    target.set(live.subarray(first * PAGE_BYTES, (first + count) * PAGE_BYTES), to);
    const base = segment << SEGMENT_PAGE_SHIFT;
    /** The first of the pages in a row that were copied aside. */
    let changed = -1;
    for (let page = first; page <= first + count; page++) {
      const state = page === first + count
        ? PAGE_PENDING
        : Atomics.compareExchange(states, base + page, PAGE_PENDING, next);
      if (state === PAGE_DONE) throw new Error(`page ${base + page} is gone`);
      if (state === PAGE_ASIDE) {
        if (changed < 0) changed = page;
      } else if (changed >= 0) {
        const copies = this.aside[segment].subarray(changed * PAGE_BYTES, page * PAGE_BYTES);
        target.set(copies, to + (changed - first) * PAGE_BYTES);
        changed = -1;
      }
    }
  }

  /** Brings a page of the segment with the first number `segment`. */
  private bringPage(segment: number, page: number): void {
    let bytes = this.mutableBytes[segment];
    if (bytes === undefined || bytes.length === 0) {
      this.installMemory(segment, new SharedArrayBuffer(this.live[segment].length));
      bytes = this.mutableBytes[segment];
    }
    const number = page - (segment << SEGMENT_PAGE_SHIFT);
    const at = number * PAGE_BYTES;
    if (at >= bytes.length) return;
    this.copyPages(segment, number, 1, bytes, at, false);
    this.present[page] = 1;
    this.broughtBytes += PAGE_BYTES;
  }

  /** A segment number that nothing was frozen under. */
  private findRunSegment(): number {
    for (let number = 0; number < SEGMENT_LIMIT; number++) {
      const taken = this.memory.segments.some((one) =>
        number >= one.number && number < one.number + Math.ceil(one.units / SEGMENT_UNITS)
      );
      if (!taken) return number;
    }
    throw new Error("all of the address space is in use");
  }

  /** Has the run be the memory of its segment. */
  private useRun(run: Uint8Array<SharedArrayBuffer>): void {
    if (this.mutableBytes[this.runSegment]?.buffer === run.buffer) return;
    this.installMemory(this.runSegment, run.buffer);
    this.segmentUnits[this.runSegment] = run.length >>> 3;
  }
}

/** Whether a segment has one block that has it for itself. */
function isLarge({ live }: FrozenSegment): boolean {
  const [first] = new Int32Array(live, HEADER_BYTES, 1);
  return first >>> LENGTH_SHIFT === 0;
}

/** Memory for `pages` pages. */
function makeRun(pages: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(pages * PAGE_BYTES));
}
