/**
 * Defragmentation: brings together what deletions have left in many segments, and gives the memory of the others
 * back.
 *
 * **When.** The arena wastes what its segments hold and no block uses. Above {@linkcode START_PERCENT} of what is used (and
 * {@linkcode IGNORED_BYTES}) it begins to empty segments, those first of which the smallest part is in use, and stops
 * below {@linkcode STOP_PERCENT}. With `activedefrag yes` the bounds of the settings `active-defrag-threshold-lower` and
 * `active-defrag-ignore-bytes` make it begin as well. Redis without jemalloc has nothing of the kind, and with it
 * the allocator gives single pages back by itself, whatever `activedefrag` says; here nobody else does.
 *
 * **How much.** A share of the time between `active-defrag-cycle-min` and `-max` per cent: the more waste, the more. A server
 * that has nothing else to do takes the most at once. It works in slices between the turns of clients, which are
 * the server's to time.
 *
 * **How.** For each kind of block there is a {@linkcode Mover} that finds what points to it: an entry by its key in the
 * dict and by its position in the index of volatile keys, a value by the entry that it names, blocks of a dict
 * by their owners. What is pinned stays, and so does its segment, for a while.
 *
 * **Cost, as a sketch.** To take 10 % of a segment of 64 MiB back, 90 % of it have to be copied: 58 MiB, half a
 * million entries of 100 bytes, 0.5 s of work. After nine of ten keys have gone, 10 % are copied to gain 90 %:
 * 5 M keys are 0.5 M entries to move, 0.5 s altogether, 2 s at 25 %.
 *
 * @module
 */
import { Evacuation, type Mover } from "../memory/evacuation.ts";
import {
  ArenaFullError,
  BLOCK_BUCKETS,
  BLOCK_CHUNK,
  BLOCK_DICT,
  BLOCK_DIRECTORY,
  BLOCK_ENTRY,
  BLOCK_INNER,
  BLOCK_LEAF,
  BLOCK_MEMBER,
  BLOCK_OVERFLOW,
  BLOCK_ROOT,
  BLOCK_TREE,
  BLOCK_VALUE,
} from "../memory/arena.ts";
import { dictHashEntry, dictReplace } from "../memory/dict.ts";
import {
  dictOwner,
  moveDict,
  moveDirectory,
  moveOverflow,
  movePiece,
} from "../memory/dict_table.ts";
import { ENTRY_VALUE, wordIndex, wordsAt } from "../memory/entry.ts";
import { ROOT_DICT, setRootWord } from "../memory/root.ts";
import { moveNode, TreeCursor } from "../memory/tree_nodes.ts";
import { moveChunk, moveMember, moveRoot, moveTreeHead } from "./collection_moves.ts";
import { replaceDetached } from "./flushing.ts";
import { databaseId, entryUnits, hasExpiry } from "./entry_facts.ts";
import { type Keyspace, ownValue, VALUE_OWNER } from "./keyspace.ts";

/** It begins when more than so many per cent of what is used are wasted... */
const START_PERCENT = 10;
/** ... and more than so many bytes. */
const IGNORED_BYTES = 2 * 1024 * 1024;
/** It stops when less than so many per cent are wasted. */
const STOP_PERCENT = 5;
/** A segment of which a larger share is in use isn't worth the work. */
const FULL_SHARE = 0.97;
/** A segment in which something couldn't be moved isn't tried again before so many others have been. */
const AVOIDED_SEGMENTS = 8;
/** When no segment is worth it though too much is wasted, it rests until it has been asked so many times (5 s). */
const RESTS = 50;
const PERCENT = 100;

/** What the settings say of it. */
export interface DefragmentationBounds {
  /** `activedefrag`. */
  active: boolean;
  /** `active-defrag-ignore-bytes`. */
  ignoreBytes: number;
  /** `active-defrag-threshold-lower`, in per cent. */
  lower: number;
  /** `active-defrag-threshold-upper`, in per cent. */
  upper: number;
  /** `active-defrag-cycle-min`, in per cent. */
  cycleMin: number;
  /** `active-defrag-cycle-max`, in per cent. */
  cycleMax: number;
}

/** Counters for INFO. */
export interface DefragmentationCounters {
  /** Blocks that were moved. */
  hits: number;
  /** Blocks that should have been, and couldn't. */
  misses: number;
  /** Keys that were moved. */
  keyHits: number;
  /** Keys that weren't. */
  keyMisses: number;
}

/** Empties segments of a keyspace's arena; see the head of this file. */
export class Defragmentation {
  /** What the settings say. */
  readonly bounds: DefragmentationBounds = {
    active: false,
    ignoreBytes: 100 * 1024 * 1024,
    lower: 10,
    upper: 100,
    cycleMin: 1,
    cycleMax: 25,
  };
  private readonly evacuation: Evacuation;
  private keyHits = 0;
  private keyMisses = 0;
  /** Counters when they were reset. */
  private base = { moved: 0, refused: 0 };
  private current = -1;
  private wanted = false;
  private rests = 0;
  /** Segments in which something couldn't be moved, the last one last. */
  private readonly avoided: number[] = [];

  /** Works on the arena of `keyspace`. */
  constructor(private readonly keyspace: Keyspace) {
    this.evacuation = new Evacuation(
      keyspace.arena,
      moversOf(keyspace, (moved) => {
        if (moved) this.keyHits++;
        else this.keyMisses++;
      }),
    );
  }

  /** What has been done. */
  get counters(): DefragmentationCounters {
    const { moved, refused } = this.evacuation.counters;
    return {
      hits: moved - this.base.moved,
      misses: refused - this.base.refused,
      keyHits: this.keyHits,
      keyMisses: this.keyMisses,
    };
  }

  /** Sets the counters to zero. */
  resetCounters(): void {
    this.base = { ...this.evacuation.counters };
    this.keyHits = 0;
    this.keyMisses = 0;
  }

  /** Bytes that segments hold and no block uses. */
  get wastedBytes(): number {
    return this.keyspace.arena.touchedBytes - this.keyspace.arena.usedBytes;
  }

  /** The same in per cent of what is used. */
  get wastedPercent(): number {
    return this.wastedBytes * PERCENT / this.keyspace.arena.usedBytes;
  }

  /**
   * How many per cent of the time it should have until it is asked again, 100 ms later; 0 if there is nothing to
   * do. `idle`: nobody else wants the time.
   */
  effort(idle: boolean): number {
    const { active, ignoreBytes, lower, upper, cycleMin, cycleMax } = this.bounds;
    const wasted = this.wastedBytes;
    const percent = this.wastedPercent;
    if (percent > START_PERCENT && wasted > IGNORED_BYTES) this.wanted = true;
    else if (active && percent > lower && wasted > ignoreBytes) this.wanted = true;
    else if (percent < Math.min(STOP_PERCENT, lower) || wasted < IGNORED_BYTES) this.wanted = false;
    if (this.rests > 0) this.rests--;
    if ((!this.wanted || this.rests > 0) && !this.evacuation.running) return 0;
    if (this.keyspace.arena.watched) return 0;
    if (idle) return cycleMax;
    const share = (percent - lower) / Math.max(1, upper - lower);
    return cycleMin + (cycleMax - cycleMin) * Math.min(1, Math.max(0, share));
  }

  /** Goes on with about `blocks` blocks; false if there is nothing to do for now. */
  step(blocks: number): boolean {
    if (this.keyspace.arena.watched) return false;
    try {
      if (!this.evacuation.running && !this.startNext()) return false;
      if (!this.evacuation.step(blocks)) this.ended();
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error;
      this.evacuation.giveUp();
      this.rests = RESTS;
    }
    return true;
  }

  /** Chooses the next segment; false if none is worth it. */
  private startNext(): boolean {
    if (!this.wanted || this.rests > 0) return false;
    const { arena } = this.keyspace;
    const segment = arena.emptiestSegment(FULL_SHARE, (one) => !this.avoided.includes(one));
    if (segment < 0) {
      this.rests = RESTS;
      this.avoided.length = 0;
      return false;
    }
    this.current = segment;
    this.evacuation.start(segment);
    return true;
  }

  /** A segment is empty, or was given up. */
  private ended(): void {
    if (this.evacuation.left) this.avoided.push(this.current);
    if (this.avoided.length > AVOIDED_SEGMENTS) this.avoided.shift();
  }
}

/** For each kind of block what moves it; `keyMoved` is told of each entry. */
export function moversOf(
  keyspace: Keyspace,
  keyMoved: (moved: boolean) => void,
): (Mover | null)[] {
  const { arena } = keyspace;
  const movers: (Mover | null)[] = [];
  movers[BLOCK_ENTRY] = (from) => {
    const moved = moveEntry(keyspace, from);
    keyMoved(moved);
    return moved;
  };
  movers[BLOCK_VALUE] = (from) => moveValue(keyspace, from);
  movers[BLOCK_DICT] = (from) => {
    const root = dictOwner(arena, from);
    if (root !== 0) {
      setRootWord(arena, root, ROOT_DICT, moveDict(arena, from));
      return true;
    }
    const holder = keyspace.databasesById.find((database) => database.dict === from) ??
      keyspace.detached.find((detached) => detached.dict === from);
    if (holder === undefined) return false;
    holder.dict = moveDict(arena, from);
    keyspace.moves++;
    return true;
  };
  movers[BLOCK_DIRECTORY] = always((from) => moveDirectory(arena, from));
  movers[BLOCK_BUCKETS] = always((from) => movePiece(arena, from));
  movers[BLOCK_OVERFLOW] = always((from) => moveOverflow(arena, from));
  movers[BLOCK_ROOT] = always((from) => moveRoot(keyspace, from));
  const cursor = new TreeCursor();
  movers[BLOCK_MEMBER] = (from) => moveMember(keyspace, from, cursor);
  movers[BLOCK_TREE] = always((from) => moveTreeHead(arena, from));
  movers[BLOCK_INNER] = always((from) => moveNode(arena, from, false));
  movers[BLOCK_LEAF] = always((from) => moveNode(arena, from, true));
  movers[BLOCK_CHUNK] = always((from) => moveChunk(keyspace, from));
  return movers;
}

/** The mover of blocks that can always be moved. */
function always(move: (from: number) => void): Mover {
  return (from) => {
    move(from);
    return true;
  };
}

/** Moves an entry; its dict, the index of volatile keys and its value follow. */
function moveEntry(keyspace: Keyspace, from: number): boolean {
  const { arena } = keyspace;
  const id = databaseId(keyspace, from);
  const database = keyspace.databasesById[id];
  const to = arena.duplicate(from, entryUnits(keyspace, from));
  const hash = dictHashEntry(arena, database.dict, from);
  if (dictReplace(arena, database.dict, hash, from, to)) {
    if (hasExpiry(keyspace, from)) database.volatile.replace(from, to);
  } else if (!replaceDetached(keyspace, id, hash, from, to)) {
    arena.free(to);
    return false;
  }
  ownValue(keyspace, to);
  keyspace.moves++;
  arena.free(from);
  return true;
}

/** Moves a value that nobody sends or fills; its entry follows. */
function moveValue(keyspace: Keyspace, from: number): boolean {
  const { arena } = keyspace;
  const entry = wordsAt(arena, from)[wordIndex(from) + VALUE_OWNER];
  if (entry === 0 || keyspace.isPinned(from)) return false;
  const to = arena.duplicate(from, arena.unitsOf(from));
  arena.writable(entry, 16)[wordIndex(entry) + ENTRY_VALUE] = to;
  arena.free(from);
  return true;
}
