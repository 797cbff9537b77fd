/**
 * Nodes of streams: the listpack that many entries share, byte for byte as Redis has it.
 *
 * ```text
 * master   | entries | deleted ones | fields | name | name | ... | 0 |
 * entry    | flags | ms | number |                value | value | ...              | elements |
 * entry    | flags | ms | number | fields | name | value | name | value | ... | elements |
 * ```
 *
 * Ids are kept as differences from the node's own, which is that of its first entry and stands in the slot of the stream's tree.
 * An entry with the fields of the first one, in the same order, has only its values (the flag {@linkcode FLAG_SAME_FIELDS}). The last
 * element of an entry says how many elements stand before it, so that one can walk backwards; that of the master is 0. A deleted entry
 * stays, with {@linkcode FLAG_DELETED}, until no other is left in its node; its id may be any, since XSETID can go back behind it. Those of
 * the others rise.
 *
 * **Cost.** Ten bytes an entry besides its values: 1 M entries of one value of 3 bytes take 15 MB.
 *
 * @module
 */
import type { Arena, ReadonlyView } from "../memory/arena.ts";
import { chunkListpack, chunkView } from "../memory/chunk.ts";
import { EntryId, slotId } from "../memory/id_tree.ts";
import {
  LISTPACK_HEADER_BYTES,
  listpackBytes,
  listpackIntegerBytes,
  listpackReplaceInteger,
} from "../memory/listpack.ts";
import {
  elementBefore,
  elementBytes,
  integerHighAt,
  integerLowAt,
} from "../memory/listpack_element.ts";
import { slotWord, TreeCursor } from "../memory/tree.ts";
import { ID_TEXT_BYTES } from "./entry_ids.ts";

/** Flag of an entry: it is deleted. */
export const FLAG_DELETED = 1;
/** Flag of an entry: it has the fields of the node's first one. */
export const FLAG_SAME_FIELDS = 2;
/** Word of a slot of a stream's tree: the chunk. */
export const NODE_CHUNK = 4;

/** Text of an id in replies: of those that follow each other, most have the same time. */
export class RepliedId {
  /** The text. */
  readonly bytes: Uint8Array = new Uint8Array(ID_TEXT_BYTES);
  /** The same, for replies. */
  readonly view: DataView = new DataView(this.bytes.buffer);
  /** The time that it starts with: upper half, */
  msHigh = 0;
  /** and lower half. */
  msLow = 0;
  /** Bytes of that time and the dash behind it, or 0 before the first. */
  prefix = 0;
}

/** A place in a stream, and what functions that work on one need besides; to be kept and used again. */
export class StreamPlace {
  /** The node in the stream's tree. */
  readonly cursor: TreeCursor = new TreeCursor();
  /** The node's chunk. */
  chunk = 0;
  /** The view that the node's listpack is in. */
  view: ReadonlyView = new DataView(new ArrayBuffer(0));
  /** Byte offset of the listpack. */
  start = 0;
  /** Byte offset of its last byte. */
  end = 0;
  /** Id of the node. */
  readonly nodeId: EntryId = new EntryId();
  /** How many fields the master has. */
  masterFields = 0;
  /** Byte offset of the first of their names. */
  masterAt = 0;
  /** Byte offset of the first entry. */
  entriesAt = 0;
  /** Byte offset of the entry. */
  at = 0;
  /** Its id. */
  readonly id: EntryId = new EntryId();
  /** Its flags. */
  flags = 0;
  /** How many fields it has. */
  fields = 0;
  /** Byte offset of its first value, or of the name before it. */
  dataAt = 0;
  /** Room for the text of an id. */
  readonly text: Uint8Array = new Uint8Array(ID_TEXT_BYTES);
  /** Text of the id that was replied last. */
  readonly replied: RepliedId = new RepliedId();
}

/** Enters the node at the place's cursor. */
export function enterNode(arena: Arena, place: StreamPlace): void {
  const { cursor } = place;
  slotId(arena, cursor, place.nodeId);
  enterChunk(arena, slotWord(arena, cursor, NODE_CHUNK), place);
}

/** Enters the node in `chunk`, whose id is in `place.nodeId`. */
export function enterChunk(arena: Arena, chunk: number, place: StreamPlace): void {
  place.chunk = chunk;
  enterListpack(chunkView(arena, chunk), chunkListpack(arena, chunk), place);
}

/** Enters a node whose listpack is at `start` of `view`, and whose id is in `place.nodeId`. */
export function enterListpack(view: ReadonlyView, start: number, place: StreamPlace): void {
  place.view = view;
  place.start = start;
  place.end = start + listpackBytes(view, start) - 1;
  let at = start + LISTPACK_HEADER_BYTES;
  at += elementBytes(view, at);
  at += elementBytes(view, at);
  const fields = integerLowAt(view, at);
  at += elementBytes(view, at);
  place.masterFields = fields;
  place.masterAt = at;
  for (let field = 0; field < fields; field++) at += elementBytes(view, at);
  place.entriesAt = at + elementBytes(view, at);
}

/** How many entries of the node that is entered aren't deleted. */
export function liveEntries(place: StreamPlace): number {
  return integerLowAt(place.view, place.start + LISTPACK_HEADER_BYTES);
}

/** How many are. */
export function deletedEntries(place: StreamPlace): number {
  const { view } = place;
  const at = place.start + LISTPACK_HEADER_BYTES;
  return integerLowAt(view, at + elementBytes(view, at));
}

/** Reads what the entry at `place.at` says of itself. */
export function readEntry(place: StreamPlace): void {
  const { view, id, nodeId } = place;
  let at = place.at;
  place.flags = integerLowAt(view, at);
  at += elementBytes(view, at);
  let low = integerLowAt(view, at);
  let high = integerHighAt(view, at, low);
  at += elementBytes(view, at);
  id.msLow = (nodeId.msLow + low) | 0;
  id.msHigh = (nodeId.msHigh + high + carry(id.msLow, low)) | 0;
  low = integerLowAt(view, at);
  high = integerHighAt(view, at, low);
  at += elementBytes(view, at);
  id.seqLow = (nodeId.seqLow + low) | 0;
  id.seqHigh = (nodeId.seqHigh + high + carry(id.seqLow, low)) | 0;
  if ((place.flags & FLAG_SAME_FIELDS) !== 0) place.fields = place.masterFields;
  else {
    place.fields = integerLowAt(view, at);
    at += elementBytes(view, at);
  }
  place.dataAt = at;
}

/** What an addition of low halves with this sum, of which `low` is one, carries into the high ones. */
function carry(sum: number, low: number): number {
  return (sum >>> 0) < (low >>> 0) ? 1 : 0;
}

/** Whether the entry that was read is there, and not deleted. */
export function isLive(place: StreamPlace): boolean {
  return (place.flags & FLAG_DELETED) === 0;
}

/** Byte offset of what is behind the entry that was read: the next one, or the end. */
export function behindEntry(place: StreamPlace): number {
  const { view } = place;
  const elements = (place.flags & FLAG_SAME_FIELDS) !== 0 ? place.fields : place.fields * 2;
  let at = place.dataAt;
  for (let count = 0; count <= elements; count++) at += elementBytes(view, at);
  return at;
}

/** Byte offset of the entry whose last element is followed by `behind`; 0 if that is the master. */
export function entryBefore(view: ReadonlyView, behind: number): number {
  let at = elementBefore(view, behind);
  const elements = integerLowAt(view, at);
  if (elements === 0) return 0;
  for (let count = 0; count < elements; count++) at = elementBefore(view, at);
  return at;
}

/**
 * Has the node that is entered say that it has `live` entries and `deleted` ones: the same number together as before, so that
 * {@linkcode countersRoom} is enough.
 */
export function setEntryCounts(
  view: DataView,
  place: StreamPlace,
  live: number,
  deleted: number,
): void {
  const at = place.start + LISTPACK_HEADER_BYTES;
  listpackReplaceInteger(view, place.start, at, live >> 31, live);
  const next = at + elementBytes(view, at);
  listpackReplaceInteger(view, place.start, next, deleted >> 31, deleted);
}

/** How many bytes a listpack with so many entries may get longer by just deleting some. */
export function countersRoom(live: number, deleted: number): number {
  return 2 * listpackIntegerBytes(0, live + deleted) - listpackIntegerBytes(0, live) -
    listpackIntegerBytes(0, deleted);
}
