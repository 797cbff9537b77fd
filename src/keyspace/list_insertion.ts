/**
 * LINSERT: one more element in the middle of a list.
 *
 * It goes into the node where it belongs if that takes it, or to the near end of a neighbour, or into a node of its own
 * between two, or, in the middle of a full node, that is split. After a split, neighbours that fit into one node are joined.
 * These are Redis' rules, so that a list ends up in the same nodes.
 *
 * **Without room** nothing is changed: what is new is made and put into the tree before anything is taken from what is old.
 * Joining needs room, too, and isn't done without.
 *
 * @module
 */
import { type Arena, ArenaFullError, type ReadonlyView } from "../memory/arena.ts";
import {
  chunkCreate,
  chunkListpack,
  chunkOf,
  chunkSetListpack,
  chunkView,
  chunkWritable,
} from "../memory/chunk.ts";
import {
  LISTPACK_EMPTY_BYTES,
  LISTPACK_HEADER_BYTES,
  listpackAppend,
  listpackAppendEncoded,
  listpackBytes,
  listpackCreate,
  listpackDropBefore,
  listpackDropFrom,
  listpackEncodedBytes,
  listpackEnd,
  listpackInsert,
  listpackLength,
  listpackSkip,
} from "../memory/listpack.ts";
import { ROOT_COUNT, rootWord, setRootWord } from "../memory/root.ts";
import {
  slotWord,
  type TreeCursor,
  treeNext,
  treePrevious,
  treeRemove,
  treeSetWeight,
} from "../memory/tree.ts";
import { growTail, rootOf, setTailLength, tailStart, writableTail } from "./collections.ts";
import { tailLength } from "./entry_facts.ts";
import type { Database } from "./keyspace.ts";
import { nodesJoin, nodeTakes, SMALL_LIST_BYTES } from "./list_limits.ts";
import { becomeLarge, growNode } from "./list_editing.ts";
import {
  enterNode,
  insertNode,
  type ListPlace,
  renewEnds,
  replaceChunk,
  SLOT_CHUNK,
  SLOT_COUNT,
  trimNode,
} from "./list_root.ts";
import { listLength } from "./lists.ts";

/**
 * Puts the text before or after the element at the place, which {@linkcode listFind} or `listSeek` has just found; returns the
 * entry.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function listInsert(
  database: Database,
  entry: number,
  after: boolean,
  text: ReadonlyView,
  from: number,
  length: number,
  limit: number,
  place: ListPlace,
): number {
  const { keyspace } = database;
  if (place.chunk === 0) {
    const bytes = tailLength(keyspace, entry) + listpackEncodedBytes(text, from, length);
    const count = listLength(keyspace, entry);
    const had = tailLength(keyspace, entry);
    if (bytes <= SMALL_LIST_BYTES && nodeTakes(had, count, length, limit)) {
      return insertSmall(database, entry, after, text, from, length, bytes, place);
    }
    entry = becomeLarge(database, entry, place);
  }
  const root = rootOf(keyspace, entry);
  insertLarge(keyspace.arena, root, after, text, from, length, limit, place);
  return entry;
}

function insertSmall(
  database: Database,
  entry: number,
  after: boolean,
  text: ReadonlyView,
  from: number,
  length: number,
  bytes: number,
  place: ListPlace,
): number {
  const { keyspace } = database;
  const offset = place.at - place.start;
  entry = growTail(database, entry, bytes);
  const view = writableTail(keyspace, entry);
  const start = tailStart(keyspace, entry);
  const at = start + offset;
  listpackInsert(view, start, after ? listpackSkip(view, at) : at, text, from, length);
  setTailLength(keyspace, entry, bytes);
  return entry;
}

/** {@linkcode listInsert} in a large list. */
function insertLarge(
  arena: Arena,
  root: number,
  after: boolean,
  text: ReadonlyView,
  from: number,
  length: number,
  limit: number,
  place: ListPlace,
): void {
  const { cursor, start } = place;
  const view = chunkView(arena, place.chunk);
  const at = after ? listpackSkip(view, place.at) : place.at;
  const atEdge = after ? at === listpackEnd(view, start) : at === start + LISTPACK_HEADER_BYTES;
  if (takes(arena, place.chunk, length, limit)) {
    insertInNode(arena, root, at, text, from, length, place);
  } else if (!atEdge) splitAround(arena, root, after, at, text, from, length, limit, place);
  else if (after ? treeNext(arena, cursor) : treePrevious(arena, cursor)) {
    // It goes to the near end of the neighbour, if that takes it.
    enterNode(arena, place);
    if (takes(arena, place.chunk, length, limit)) {
      const near = after
        ? place.start + LISTPACK_HEADER_BYTES
        : listpackEnd(chunkView(arena, place.chunk), place.start);
      insertInNode(arena, root, near, text, from, length, place);
    } else {
      if (!after) treeNext(arena, cursor);
      insertAlone(arena, cursor, text, from, length);
    }
  } else insertAlone(arena, cursor, text, from, length);
  setRootWord(arena, root, ROOT_COUNT, rootWord(arena, root, ROOT_COUNT) + 1);
  renewEnds(arena, root, cursor);
}

function takes(arena: Arena, chunk: number, length: number, limit: number): boolean {
  const view = chunkView(arena, chunk);
  const start = chunkListpack(arena, chunk);
  return nodeTakes(listpackBytes(view, start), listpackLength(view, start), length, limit);
}

/** Puts the text at `at` into the node at the place. */
function insertInNode(
  arena: Arena,
  root: number,
  at: number,
  text: ReadonlyView,
  from: number,
  length: number,
  place: ListPlace,
): void {
  const offset = at - place.start;
  growNode(arena, root, listpackEncodedBytes(text, from, length), place);
  const view = chunkWritable(arena, place.chunk);
  listpackInsert(view, place.start, place.start + offset, text, from, length);
  treeSetWeight(arena, place.cursor, slotWord(arena, place.cursor, SLOT_COUNT) + 1);
}

/** Puts the text into a node of its own before the cursor's node. */
function insertAlone(
  arena: Arena,
  cursor: TreeCursor,
  text: ReadonlyView,
  from: number,
  length: number,
): void {
  const needed = listpackEncodedBytes(text, from, length);
  const chunk = chunkCreate(arena, 0, LISTPACK_EMPTY_BYTES + needed, 0);
  const view = chunkWritable(arena, chunk);
  const start = chunkListpack(arena, chunk);
  listpackCreate(view, start);
  listpackAppend(view, start, text, from, length);
  insertOrFree(arena, cursor, chunk, 1);
}

function insertOrFree(
  arena: Arena,
  cursor: TreeCursor,
  chunk: number,
  count: number,
): void {
  try {
    insertNode(arena, cursor, chunk, count);
  } catch (error) {
    arena.free(chunk);
    throw error;
  }
}

/**
 * Splits the node at the place at `at`, and puts the text there: behind a first half that it ends, if it goes `after` an element,
 * the second half begins with it; else it ends the first half. The half with it is the new node.
 */
function splitAround(
  arena: Arena,
  root: number,
  after: boolean,
  at: number,
  text: ReadonlyView,
  from: number,
  length: number,
  limit: number,
  place: ListPlace,
): void {
  const { cursor, chunk, start } = place;
  const view = chunkView(arena, chunk);
  const first = start + LISTPACK_HEADER_BYTES;
  const end = listpackEnd(view, start);
  const count = listpackLength(view, start);
  let before = 0;
  for (let walked = first; walked < at; walked = listpackSkip(view, walked)) before++;
  const needed = LISTPACK_EMPTY_BYTES + listpackEncodedBytes(text, from, length);
  const taken = after ? end - at : at - first;
  const moved = after ? count - before : before;
  const half = chunkCreate(arena, 0, needed + taken, 0);
  const target = chunkWritable(arena, half);
  const halfStart = chunkListpack(arena, half);
  listpackCreate(target, halfStart);
  if (after) listpackAppend(target, halfStart, text, from, length);
  listpackAppendEncoded(target, halfStart, view, after ? at : first, taken, moved);
  if (!after) listpackAppend(target, halfStart, text, from, length);
  if (after) treeNext(arena, cursor);
  insertOrFree(arena, cursor, half, moved + 1);
  if (after) treePrevious(arena, cursor);
  else treeNext(arena, cursor);
  const writable = chunkWritable(arena, chunk);
  if (after) listpackDropFrom(writable, start, at, moved);
  else chunkSetListpack(arena, chunk, listpackDropBefore(writable, start, at, moved));
  treeSetWeight(arena, cursor, count - moved);
  trimNode(arena, chunk);
  joinAround(arena, root, limit, place);
}

/** Joins the nodes around the cursor's that fit into one: two before it, two behind it, then it with what is on either side. */
function joinAround(arena: Arena, root: number, limit: number, place: ListPlace): void {
  const { cursor } = place;
  try {
    if (treePrevious(arena, cursor)) {
      if (treePrevious(arena, cursor)) {
        if (!joinNext(arena, root, limit, place)) treeNext(arena, cursor);
      }
      treeNext(arena, cursor);
    }
    if (treeNext(arena, cursor)) joinNext(arena, root, limit, place);
    treePrevious(arena, cursor);
    if (treePrevious(arena, cursor) && !joinNext(arena, root, limit, place)) {
      treeNext(arena, cursor);
    }
    joinNext(arena, root, limit, place);
  } catch (error) {
    // Nodes that could be joined can stay apart.
    if (!(error instanceof ArenaFullError)) throw error;
  }
}

/** Joins the cursor's node with the next one if both fit into one; whether they did. The cursor is at the node that was first. */
function joinNext(arena: Arena, root: number, limit: number, place: ListPlace): boolean {
  const { cursor } = place;
  const first = slotWord(arena, cursor, SLOT_CHUNK);
  const count = slotWord(arena, cursor, SLOT_COUNT);
  if (!treeNext(arena, cursor)) {
    treePrevious(arena, cursor);
    return false;
  }
  const second = slotWord(arena, cursor, SLOT_CHUNK);
  const added = slotWord(arena, cursor, SLOT_COUNT);
  const view = chunkView(arena, first);
  const start = chunkListpack(arena, first);
  const bytes = listpackBytes(view, start);
  const source = chunkView(arena, second);
  const sourceStart = chunkListpack(arena, second);
  const moved = listpackBytes(source, sourceStart) - LISTPACK_EMPTY_BYTES;
  if (!nodesJoin(bytes + moved + LISTPACK_EMPTY_BYTES, count + added, limit)) {
    treePrevious(arena, cursor);
    return false;
  }
  const joined = chunkOf(arena, 0, view, start, bytes, moved);
  const target = chunkWritable(arena, joined);
  const from = sourceStart + LISTPACK_HEADER_BYTES;
  listpackAppendEncoded(target, chunkListpack(arena, joined), source, from, moved, added);
  treeRemove(arena, cursor);
  arena.free(second);
  treePrevious(arena, cursor);
  replaceChunk(arena, root, first, joined);
  treeSetWeight(arena, cursor, count + added);
  return true;
}
