/**
 * Deleting entries of a stream: single ones, and the oldest ones. Both mark entries, and drop a node as a whole where all of it goes;
 * neither can fail for lack of memory, see `stream_root.ts`.
 *
 * What trimming keeps is decided as Redis does, so that the same nodes are left: node by node from the oldest on, and within a
 * node only if it is to be exact.
 *
 * @module
 */
import type { Arena } from "../memory/arena.ts";
import { chunkWritable } from "../memory/chunk.ts";
import { compareIds, type EntryId, readId, writeId } from "../memory/id_tree.ts";
import { listpackReplaceInteger } from "../memory/listpack.ts";
import { ROOT_COUNT, setRootWord, STREAM_LAST } from "../memory/root.ts";
import { slotWord, treeRemove } from "../memory/tree.ts";
import {
  behindEntry,
  deletedEntries,
  enterNode,
  entryBefore,
  FLAG_DELETED,
  isLive,
  liveEntries,
  NODE_CHUNK,
  readEntry,
  setEntryCounts,
  type StreamPlace,
} from "./stream_nodes.ts";
import { enterEndNode, findEndEntry, findStreamEntry } from "./stream_ranges.ts";
import { STREAM_DELETED_ID, STREAM_FIRST_ID, streamLength } from "./stream_root.ts";

/** How much of a stream is to stay. */
export interface StreamTrim {
  /** Whether the entries with the lowest ids go, up to {@linkcode minimum}, and not all but the last {@linkcode length}. */
  readonly byId: boolean;
  /** How many entries stay. */
  readonly length: number;
  /** The lowest id that stays. */
  readonly minimum: EntryId;
  /** Whether only whole nodes go. */
  readonly approximate: boolean;
  /** How many entries may go; 0 for any number. */
  readonly limit: number;
}

/** Deletes the entry with this id; whether there was one. */
export function deleteEntry(arena: Arena, root: number, id: EntryId, place: StreamPlace): boolean {
  if (!findStreamEntry(arena, root, id, place)) return false;
  const live = liveEntries(place);
  if (live === 1) dropNode(arena, root, place);
  else {
    const view = chunkWritable(arena, place.chunk);
    markDeleted(view, place);
    setEntryCounts(view, place, live - 1, deletedEntries(place) + 1);
  }
  setRootWord(arena, root, ROOT_COUNT, streamLength(arena, root) - 1);
  return true;
}

/**
 * Notes what has been deleted: `highest` is the highest of the ids. (Trimming doesn't count as deleting in this sense.)
 */
export function noteDeleted(
  arena: Arena,
  root: number,
  highest: EntryId,
  place: StreamPlace,
): void {
  readId(arena, root, STREAM_DELETED_ID, place.nodeId);
  if (compareIds(highest, place.nodeId) > 0) writeId(arena, root, STREAM_DELETED_ID, highest);
  renewFirstId(arena, root, place);
}

/** Has the stream know its first entry, which may be another one than before. */
function renewFirstId(arena: Arena, root: number, place: StreamPlace): void {
  if (streamLength(arena, root) === 0 || !findEndEntry(arena, root, false, place)) {
    place.id.setLowest();
  }
  writeId(arena, root, STREAM_FIRST_ID, place.id);
}

/** Marks the entry at the place, which was read, as deleted. */
function markDeleted(view: DataView, place: StreamPlace): void {
  // The flags are one byte before and after, so nothing moves.
  listpackReplaceInteger(view, place.start, place.at, 0, place.flags | FLAG_DELETED);
}

/** Takes the node that is entered away; whether the cursor is at the next one. The entries are the caller's to count. */
function dropNode(arena: Arena, root: number, place: StreamPlace): boolean {
  const { cursor, chunk } = place;
  const more = treeRemove(arena, cursor);
  arena.free(chunk);
  if (!more) {
    // It was the last one.
    const last = enterEndNode(arena, root, true, place) ? slotWord(arena, cursor, NODE_CHUNK) : 0;
    setRootWord(arena, root, STREAM_LAST, last);
  }
  return more;
}

/** Drops what `trim` says from the start of a stream; returns how many entries that were. */
export function trimStream(
  arena: Arena,
  root: number,
  trim: StreamTrim,
  place: StreamPlace,
): number {
  const before = streamLength(arena, root);
  let length = before;
  let more = enterEndNode(arena, root, false, place);
  while (more) {
    if (!trim.byId && length <= trim.length) break;
    const live = liveEntries(place);
    if (trim.limit !== 0 && before - length + live > trim.limit) break;
    if (trim.byId ? !isBelow(place, trim.minimum) : length - live < trim.length) {
      if (!trim.approximate) length -= trimNodeEntries(arena, trim, length, place);
      break;
    }
    length -= live;
    more = dropNode(arena, root, place);
    if (more) enterNode(arena, place);
  }
  if (length === before) return 0;
  setRootWord(arena, root, ROOT_COUNT, length);
  renewFirstId(arena, root, place);
  return before - length;
}

/**
 * Drops nodes at the end in which all entries are deleted, as trimming by id may leave one: before ids go back to where they were, so
 * that new entries come behind all nodes.
 */
export function dropEmptyEnd(arena: Arena, root: number, place: StreamPlace): void {
  while (enterEndNode(arena, root, true, place) && liveEntries(place) === 0) {
    dropNode(arena, root, place);
  }
}

/** Whether all entries of the node that is entered, deleted ones as well, are below `id`. */
function isBelow(place: StreamPlace, id: EntryId): boolean {
  place.at = entryBefore(place.view, place.end);
  readEntry(place);
  return compareIds(place.id, id) < 0;
}

/** Deletes the oldest entries of the node that is entered, as far as has to be; returns how many. */
function trimNodeEntries(
  arena: Arena,
  trim: StreamTrim,
  length: number,
  place: StreamPlace,
): number {
  const view = chunkWritable(arena, place.chunk);
  let deleted = 0;
  for (place.at = place.entriesAt; place.at < place.end; place.at = behindEntry(place)) {
    readEntry(place);
    const stop = trim.byId
      ? compareIds(place.id, trim.minimum) >= 0
      : length - deleted <= trim.length;
    if (stop) break;
    if (!isLive(place)) continue;
    markDeleted(view, place);
    deleted++;
  }
  setEntryCounts(view, place, liveEntries(place) - deleted, deletedEntries(place) + deleted);
  return deleted;
}
