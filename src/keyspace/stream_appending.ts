/**
 * Adding entries to a stream: the next id, room, and the bytes of an entry. The layout stands at the heads of `stream_root.ts` and
 * `stream_nodes.ts`.
 *
 * @module
 */
import type { Arena, ReadonlyView } from "../memory/arena.ts";
import {
  CHUNK_OWNER,
  chunkCapacity,
  chunkCreate,
  chunkListpack,
  chunkOf,
  chunkTrim,
  chunkView,
  chunkWritable,
} from "../memory/chunk.ts";
import { wordIndex, wordsAt } from "../memory/entry.ts";
import { type EntryId, readId, setIdSlot, writeId } from "../memory/id_tree.ts";
import {
  LISTPACK_EMPTY_BYTES,
  LISTPACK_HEADER_BYTES,
  listpackBytes,
  listpackClose,
  listpackCreate,
  listpackMatches,
  listpackReplaceInteger,
  listpackStringBytes,
} from "../memory/listpack.ts";
import {
  elementBytes,
  sameBytes,
  writeElement,
  writeIntegerElement,
} from "../memory/listpack_element.ts";
import { ROOT_COUNT, ROOT_TREE, rootWord, setRootWord, STREAM_LAST } from "../memory/root.ts";
import { type TreeCursor, treeEnd, treeInsert } from "../memory/tree.ts";
import { replaceOwned, SLOTS, USED } from "../memory/tree_nodes.ts";
import {
  countersRoom,
  deletedEntries,
  enterChunk,
  FLAG_SAME_FIELDS,
  liveEntries,
  NODE_CHUNK,
  type StreamPlace,
} from "./stream_nodes.ts";
import { STREAM_ADDED, STREAM_FIRST_ID, STREAM_LAST_ID, STREAM_ROOT_BYTES } from "./stream_root.ts";

const NODE_WORDS = NODE_CHUNK + 1;
/** Most bytes that flags, id, number of fields and number of elements of an entry take together. */
const ENTRY_BYTES = 34;
/** Most bytes that numbers and the last element of the master take together. */
const MASTER_BYTES = 20;
/** Room for what the counters of a node may grow by. */
const COUNTERS_BYTES = 8;
/** No node is larger than this, whatever the settings say; nor is an entry. */
const MOST_NODE_BYTES = 1 << 30;
/** The next node has so much more room than the last one took, as a share of that. */
const NEXT_ROOM_SHIFT = 4;
const TWO_32 = 4294967296;

/** How large nodes may be. */
export interface NodeLimits {
  /** `stream-node-max-bytes`; 0 for no limit. */
  readonly streamNodeBytes: number;
  /** `stream-node-max-entries`; 0 for no limit. */
  readonly streamNodeEntries: number;
}

/** Where fields and values of an entry stand: as arguments of a command do, in turn. */
export interface FieldSource {
  /** What they stand in. */
  readonly view: ReadonlyView;
  /** Where each starts. */
  readonly starts: ArrayLike<number>;
  /** How long each is. */
  readonly lengths: ArrayLike<number>;
}

/** Has `id` be the next one after `last` at the time `now`, in unix ms; false if there is none. */
export function nextEntryId(last: EntryId, now: number, id: EntryId): boolean {
  const high = Math.floor(now / TWO_32);
  const low = now - high * TWO_32;
  const lastHigh = last.msHigh >>> 0;
  if (high > lastHigh || (high === lastHigh && low > last.msLow >>> 0)) {
    id.set(high, low, 0, 0);
    return true;
  }
  id.copy(last);
  return id.increment();
}

/** How many bytes the fields and values from number `first` to `end` have together. */
export function payloadBytes(source: FieldSource, first: number, end: number): number {
  const { lengths } = source;
  let bytes = 0;
  for (let index = first; index < end; index++) bytes += lengths[index];
  return bytes;
}

/** Whether an entry with so many bytes of fields and values can be in a stream. */
export function fitsIntoNode(payload: number): boolean {
  return payload <= MOST_NODE_BYTES;
}

/**
 * Adds an entry with the id `id`, which is above the stream's last one, and the fields and values in the arguments from `first` to `end`.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function appendEntry(
  arena: Arena,
  root: number,
  id: EntryId,
  source: FieldSource,
  first: number,
  end: number,
  limits: NodeLimits,
  place: StreamPlace,
): void {
  const chunk = rootWord(arena, root, STREAM_LAST);
  if (chunk === 0 || isFull(arena, chunk, payloadBytes(source, first, end), limits, place)) {
    appendNode(arena, root, id, source, first, end, limits, place);
  } else {
    const same = hasMasterFields(source, first, end, place);
    readLastNodeId(arena, chunk, place.nodeId);
    makeRoom(arena, root, entryBytes(source, first, end, same), limits, place);
    writeEntry(chunkWritable(arena, place.chunk), id, source, first, end, same, place);
    // The counter last, since what is behind it may move.
    const { start } = place;
    const live = liveEntries(place) + 1;
    const view = place.view as DataView;
    const at = start + LISTPACK_HEADER_BYTES;
    if (live <= 127) view.setUint8(at, live);
    else listpackReplaceInteger(view, start, at, live >> 31, live);
  }
  noteEntry(arena, root, id);
}

/** Has the root know of an entry that was added with this id. */
function noteEntry(arena: Arena, root: number, id: EntryId): void {
  const words = arena.writable(root, STREAM_ROOT_BYTES);
  const at = wordIndex(root);
  if (words[at + ROOT_COUNT]++ === 0) writeId(arena, root, STREAM_FIRST_ID, id);
  words[at + STREAM_LAST_ID] = id.msHigh;
  words[at + STREAM_LAST_ID + 1] = id.msLow;
  words[at + STREAM_LAST_ID + 2] = id.seqHigh;
  words[at + STREAM_LAST_ID + 3] = id.seqLow;
  words[at + STREAM_ADDED + 1] = words[at + STREAM_ADDED + 1] + 1;
  if (words[at + STREAM_ADDED + 1] === 0) words[at + STREAM_ADDED]++;
}

/** Enters the last node; whether an entry with so many bytes of fields and values needs a new one. */
function isFull(
  arena: Arena,
  chunk: number,
  payload: number,
  limits: NodeLimits,
  place: StreamPlace,
): boolean {
  enterChunk(arena, chunk, place);
  if (listpackBytes(place.view, place.start) + payload >= nodeBytesLimit(limits)) return true;
  const most = limits.streamNodeEntries;
  return most !== 0 && liveEntries(place) + deletedEntries(place) >= most;
}

/** Most bytes of a node. */
function nodeBytesLimit(limits: NodeLimits): number {
  const bytes = limits.streamNodeBytes;
  return bytes === 0 || bytes > MOST_NODE_BYTES ? MOST_NODE_BYTES : bytes;
}

/** Whether an entry has the fields of the node's master, in the same order. */
function hasMasterFields(
  source: FieldSource,
  first: number,
  end: number,
  place: StreamPlace,
): boolean {
  if (place.masterFields * 2 !== end - first) return false;
  const { view, starts, lengths } = source;
  const { view: node } = place;
  let at = place.masterAt;
  for (let index = first; index < end; index += 2) {
    const length = lengths[index];
    // Most names are strings of up to 63 bytes.
    if (length < 64 && node.getUint8(at) === (0x80 | length)) {
      if (!sameBytes(node, at + 1, view, starts[index], length)) return false;
      at += length + 2;
    } else {
      if (!listpackMatches(node, at, view, starts[index], length)) return false;
      at += elementBytes(node, at);
    }
  }
  return true;
}

/** The id of the node in `chunk`, which is the last one: its slot is the last of its leaf. */
function readLastNodeId(arena: Arena, chunk: number, id: EntryId): void {
  const leaf = wordsAt(arena, chunk)[wordIndex(chunk) + CHUNK_OWNER];
  const used = wordsAt(arena, leaf)[wordIndex(leaf) + USED];
  readId(arena, leaf, SLOTS + (used - 1) * NODE_WORDS, id);
}

/** Most bytes that an entry will take, and as much as counters may grow by. */
function entryBytes(source: FieldSource, first: number, end: number, same: boolean): number {
  const { lengths } = source;
  let bytes = ENTRY_BYTES + COUNTERS_BYTES;
  for (let index = first; index < end; index += 2) {
    if (!same) bytes += listpackStringBytes(lengths[index]);
    bytes += listpackStringBytes(lengths[index + 1]);
  }
  return bytes;
}

/** Makes room for `needed` bytes behind the last node's listpack, which is entered. */
function makeRoom(
  arena: Arena,
  root: number,
  needed: number,
  limits: NodeLimits,
  place: StreamPlace,
): void {
  const { chunk } = place;
  const bytes = place.end + 1 - place.start;
  if (chunkCapacity(arena, chunk) - bytes < needed) {
    const spare = Math.max(0, Math.min(bytes, nodeBytesLimit(limits) - bytes - needed));
    const larger = chunkOf(arena, 0, place.view, place.start, bytes, needed + spare);
    replaceOwned(arena, chunk, larger);
    setRootWord(arena, root, STREAM_LAST, larger);
    arena.free(chunk);
    enterChunk(arena, larger, place);
  }
  place.view = chunkWritable(arena, place.chunk);
}

/** Writes an entry behind the last one of the node that is entered. */
function writeEntry(
  view: DataView,
  id: EntryId,
  source: FieldSource,
  first: number,
  end: number,
  same: boolean,
  place: StreamPlace,
): void {
  const { nodeId, start } = place;
  const { view: text, starts, lengths } = source;
  let at = writeIntegerElement(view, place.end, 0, same ? FLAG_SAME_FIELDS : 0);
  at = writeDifference(view, at, id.msHigh, id.msLow, nodeId.msHigh, nodeId.msLow);
  at = writeDifference(view, at, id.seqHigh, id.seqLow, nodeId.seqHigh, nodeId.seqLow);
  const fields = (end - first) >>> 1;
  let elements = 3;
  if (!same) {
    at = writeIntegerElement(view, at, 0, fields);
    elements += 1 + fields;
  }
  elements += fields;
  for (let index = first; index < end; index += 2) {
    if (!same) at = writeElement(view, at, text, starts[index], lengths[index]);
    at = writeElement(view, at, text, starts[index + 1], lengths[index + 1]);
  }
  at = writeIntegerElement(view, at, 0, elements);
  listpackClose(view, start, at, elements + 1);
  place.end = at;
}

/** Writes a difference of two 64-bit numbers as an element. */
function writeDifference(
  view: DataView,
  at: number,
  high: number,
  low: number,
  lessHigh: number,
  lessLow: number,
): number {
  const borrow = (low >>> 0) < (lessLow >>> 0) ? 1 : 0;
  return writeIntegerElement(view, at, (high - lessHigh - borrow) | 0, (low - lessLow) | 0);
}

/** Adds an entry as the first one of a new last node. */
function appendNode(
  arena: Arena,
  root: number,
  id: EntryId,
  source: FieldSource,
  first: number,
  end: number,
  limits: NodeLimits,
  place: StreamPlace,
): void {
  const { cursor } = place;
  const last = rootWord(arena, root, STREAM_LAST);
  const bytes = LISTPACK_EMPTY_BYTES + MASTER_BYTES + entryBytes(source, first, end, false);
  const chunk = chunkCreate(arena, 0, bytes, nextRoom(arena, last, bytes, limits));
  try {
    treeEnd(arena, rootWord(arena, root, ROOT_TREE), cursor);
    insertNode(arena, cursor, id, chunk);
  } catch (error) {
    arena.free(chunk);
    throw error;
  }
  writeMaster(chunkWritable(arena, chunk), chunkListpack(arena, chunk), source, first, end);
  place.nodeId.copy(id);
  enterChunk(arena, chunk, place);
  writeEntry(chunkWritable(arena, chunk), id, source, first, end, true, place);
  if (last !== 0) trimNode(arena, last, place);
  setRootWord(arena, root, STREAM_LAST, chunk);
}

/** How much room a new node, which takes `bytes` bytes so far, gets besides. */
function nextRoom(arena: Arena, last: number, bytes: number, limits: NodeLimits): number {
  const most = Math.max(0, nodeBytesLimit(limits) - bytes);
  if (last === 0) return Math.min(most, bytes);
  const took = listpackBytes(chunkView(arena, last), chunkListpack(arena, last));
  return Math.min(most, Math.max(0, took + (took >>> NEXT_ROOM_SHIFT) - bytes));
}

/** Puts a node into a stream's tree, before the one at the cursor. */
export function insertNode(arena: Arena, cursor: TreeCursor, id: EntryId, chunk: number): void {
  setIdSlot(cursor, id);
  cursor.slot[NODE_CHUNK] = chunk;
  treeInsert(arena, cursor);
}

/** Writes the listpack of a node that is about to have its first entry. */
function writeMaster(
  view: DataView,
  start: number,
  source: FieldSource,
  first: number,
  end: number,
): void {
  const { view: text, starts, lengths } = source;
  listpackCreate(view, start);
  let at = writeIntegerElement(view, start + LISTPACK_HEADER_BYTES, 0, 1);
  at = writeIntegerElement(view, at, 0, 0);
  const fields = (end - first) >>> 1;
  at = writeIntegerElement(view, at, 0, fields);
  for (let index = first; index < end; index += 2) {
    at = writeElement(view, at, text, starts[index], lengths[index]);
  }
  at = writeIntegerElement(view, at, 0, 0);
  listpackClose(view, start, at, fields + 4);
}

/** Cuts a node that nothing will be added to for now to what it needs. */
export function trimNode(arena: Arena, chunk: number, place: StreamPlace): void {
  enterChunk(arena, chunk, place);
  const spare = countersRoom(liveEntries(place), deletedEntries(place));
  chunkTrim(arena, chunk, place.end + 1 - place.start, 0, spare);
}
