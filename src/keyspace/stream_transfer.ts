/**
 * Streams as a whole: making one out of nodes and groups, copying one, its nodes and what it takes.
 *
 * What DUMP and a snapshot write is the nodes as they are, and groups with what is pending; what RESTORE and a loading server
 * read goes to a {@linkcode StreamBuilder}.
 *
 * @module
 */
import { type ReadonlyView, UNIT_BYTES } from "../memory/arena.ts";
import type { Arena } from "../memory/arena.ts";
import { chunkListpack, chunkOf, chunkView } from "../memory/chunk.ts";
import { dictBuckets, dictVisitBucket } from "../memory/dict.ts";
import { dictBytes } from "../memory/dict_statistics.ts";
import { compareIds, EntryId, readId, slotId, writeId } from "../memory/id_tree.ts";
import { listpackBytes } from "../memory/listpack.ts";
import { memberChild } from "../memory/member.ts";
import {
  ROOT_COUNT,
  ROOT_DICT,
  ROOT_HANDLE,
  ROOT_KIND,
  ROOT_STREAM,
  ROOT_TREE,
  rootBytes,
  rootWord,
  setRootWord,
  STREAM_LAST,
} from "../memory/root.ts";
import { slotWord, TreeCursor, treeEnd, treeFirst, treeNext } from "../memory/tree.ts";
import { treeBytes } from "../memory/tree_nodes.ts";
import { Int64 } from "../protocol/integers.ts";
import { storeRoot } from "./collection_store.ts";
import { rootOf } from "./collections.ts";
import type { Database, Keyspace } from "./keyspace.ts";
import { insertNode } from "./stream_appending.ts";
import {
  childName,
  childrenOf,
  CONSUMER_SEEN,
  createConsumer,
  createGroup,
  GROUP_LAST_ID,
  GROUP_READ,
  type Name,
} from "./stream_groups.ts";
import {
  countersRoom,
  deletedEntries,
  enterListpack,
  liveEntries,
  NODE_CHUNK,
  StreamPlace,
} from "./stream_nodes.ts";
import { addPending, findPending, PendingPlace } from "./stream_pending.ts";
import { findEndEntry } from "./stream_ranges.ts";
import {
  createStreamRoot,
  readRootNumber,
  setRootNumber,
  STREAM_ADDED,
  STREAM_DELETED_ID,
  STREAM_FIRST_ID,
  STREAM_LAST_ID,
} from "./stream_root.ts";
import { dropEmptyEnd } from "./stream_trimming.ts";
import { TYPE_STREAM } from "./types.ts";

/** Calls `visit` with the id of each node of a stream and where its listpack is, from the first to the last. */
export function forEachStreamNode(
  arena: Arena,
  root: number,
  visit: (id: EntryId, view: ReadonlyView, start: number) => void,
): void {
  const cursor = new TreeCursor();
  const id = new EntryId();
  const tree = rootWord(arena, root, ROOT_TREE);
  for (let more = treeFirst(arena, tree, cursor); more; more = treeNext(arena, cursor)) {
    const chunk = slotWord(arena, cursor, NODE_CHUNK);
    slotId(arena, cursor, id);
    visit(id, chunkView(arena, chunk), chunkListpack(arena, chunk));
  }
}

/**
 * Calls `visit` with the id of each entry that is pending in a group, or for one of its consumers (`holder`), in order; what is
 * known of it is in `place.pending`.
 */
export function forEachPending(
  arena: Arena,
  group: number,
  holder: number,
  place: PendingPlace,
  visit: (id: EntryId) => void,
): void {
  const cursor = new TreeCursor();
  const id = new EntryId();
  const tree = rootWord(arena, holder, ROOT_TREE);
  if (tree === 0) return;
  for (let more = treeFirst(arena, tree, cursor); more; more = treeNext(arena, cursor)) {
    slotId(arena, cursor, id);
    findPending(arena, group, id, place);
    visit(id);
  }
}

/** Puts a new stream together: nodes first, from the first to the last, then what is known of it, then groups. */
export class StreamBuilder {
  /** Its root, which nobody holds. */
  readonly root: number;
  private readonly place = new StreamPlace();

  /**
   * A stream without anything.
   *
   * @throws {ArenaFullError} when there is no room.
   */
  constructor(private readonly keyspace: Keyspace) {
    this.root = createStreamRoot(keyspace);
  }

  /**
   * Adds the node with this id, whose listpack at `start` is known to be one.
   *
   * @throws {ArenaFullError} when there is no room: {@linkcode abandon} the stream then.
   */
  addNode(id: EntryId, view: ReadonlyView, start: number): void {
    const { place, root, keyspace: { arena } } = this;
    enterListpack(view, start, place);
    const live = liveEntries(place);
    const spare = countersRoom(live, deletedEntries(place));
    const chunk = chunkOf(arena, 0, view, start, listpackBytes(view, start), spare);
    treeEnd(arena, rootWord(arena, root, ROOT_TREE), place.cursor);
    try {
      insertNode(arena, place.cursor, id, chunk);
    } catch (error) {
      arena.free(chunk);
      throw error;
    }
    setRootWord(arena, root, STREAM_LAST, chunk);
    setRootWord(arena, root, ROOT_COUNT, rootWord(arena, root, ROOT_COUNT) + live);
  }

  /** Whether all entries have ids up to `last`, perhaps after empty nodes at the end have been dropped. */
  endsBefore(last: EntryId): boolean {
    const { place, root, keyspace: { arena } } = this;
    dropEmptyEnd(arena, root, place);
    return !findEndEntry(arena, root, true, place) || compareIds(place.id, last) <= 0;
  }

  /** Notes the id of the entry that was added last, the highest that was deleted, and how many were added in all. */
  setFacts(last: EntryId, deleted: EntryId, added: Int64): void {
    const { place, root, keyspace: { arena } } = this;
    writeId(arena, root, STREAM_LAST_ID, last);
    writeId(arena, root, STREAM_DELETED_ID, deleted);
    setRootNumber(arena, root, STREAM_ADDED, added.high, added.low);
    if (findEndEntry(arena, root, false, place)) writeId(arena, root, STREAM_FIRST_ID, place.id);
  }

  /**
   * Adds a group, which has come to `last` and read so many entries; returns its root.
   *
   * @throws {ArenaFullError} when there is no room: {@linkcode abandon} the stream then.
   */
  addGroup(name: Name, last: EntryId, read: Int64): number {
    const group = createGroup(this.keyspace, this.root, name);
    writeId(this.keyspace.arena, group, GROUP_LAST_ID, last);
    setRootNumber(this.keyspace.arena, group, GROUP_READ, read.high, read.low);
    return group;
  }

  /**
   * Adds a consumer to a group, who was seen at that time; returns its root.
   *
   * @throws {ArenaFullError} when there is no room: {@linkcode abandon} the stream then.
   */
  addConsumer(group: number, name: Name, seen: Int64): number {
    const consumer = createConsumer(this.keyspace, group, name);
    setRootNumber(this.keyspace.arena, consumer, CONSUMER_SEEN, seen.high, seen.low);
    return consumer;
  }

  /** Makes the stream the value of a key, as `storeRoot` does. */
  store(
    database: Database,
    old: number,
    keyView: ReadonlyView,
    keyStart: number,
    keyLength: number,
    volatile: boolean,
  ): number {
    const { root } = this;
    return storeRoot(database, old, keyView, keyStart, keyLength, TYPE_STREAM, root, volatile);
  }

  /** Frees what has been put together. */
  abandon(): void {
    this.keyspace.freeValueBlock(this.root);
  }
}

/**
 * Stores a copy of the stream in `source` in place of what a key holds (`old` is its entry or 0, `keyspace.hash` its hash), with the
 * expiry in `keyspace.expiry` if `volatile`. Returns the entry.
 *
 * @throws {ArenaFullError} with nothing changed, when there is no room.
 */
export function copyStream(
  database: Database,
  old: number,
  keyView: ReadonlyView,
  keyStart: number,
  keyLength: number,
  source: number,
  volatile: boolean,
): number {
  const { keyspace } = database;
  const { arena } = keyspace;
  const root = rootOf(keyspace, source);
  const builder = new StreamBuilder(keyspace);
  try {
    forEachStreamNode(arena, root, (id, view, start) => builder.addNode(id, view, start));
    const last = new EntryId();
    const deleted = new EntryId();
    const added = new Int64();
    readId(arena, root, STREAM_LAST_ID, last);
    readId(arena, root, STREAM_DELETED_ID, deleted);
    readRootNumber(arena, root, STREAM_ADDED, added);
    builder.setFacts(last, deleted, added);
    for (const group of childrenOf(arena, root)) copyGroup(keyspace, builder, group);
    return builder.store(database, old, keyView, keyStart, keyLength, volatile);
  } catch (error) {
    builder.abandon();
    throw error;
  }
}

/** Adds a copy of a group to a stream. */
function copyGroup(keyspace: Keyspace, builder: StreamBuilder, group: number): void {
  const { arena } = keyspace;
  const last = new EntryId();
  const number = new Int64();
  readId(arena, group, GROUP_LAST_ID, last);
  readRootNumber(arena, group, GROUP_READ, number);
  const copy = builder.addGroup(childName(arena, group), last, number);
  const consumers = new Map<number, number>();
  for (const consumer of childrenOf(arena, group)) {
    readRootNumber(arena, consumer, CONSUMER_SEEN, number);
    const handle = rootWord(arena, consumer, ROOT_HANDLE);
    consumers.set(handle, builder.addConsumer(copy, childName(arena, consumer), number));
  }
  const place = new PendingPlace();
  const target = new PendingPlace();
  forEachPending(arena, group, group, place, (id) => {
    findPending(arena, copy, id, target);
    Object.assign(target.pending, place.pending);
    addPending(arena, copy, consumers.get(place.pending.consumer)!, id, target);
  });
}

/** Bytes that the stream in `entry` takes outside of it. */
export function streamBytes(keyspace: Keyspace, entry: number): number {
  return holderBytes(keyspace.arena, rootOf(keyspace, entry));
}

/** Bytes of a stream, a group or a consumer, with all that hangs on it. */
function holderBytes(arena: Arena, root: number): number {
  const tree = rootWord(arena, root, ROOT_TREE);
  const dict = rootWord(arena, root, ROOT_DICT);
  let bytes = rootBytes(arena, root);
  if (tree !== 0) bytes += treeBytes(arena, tree);
  if (rootWord(arena, root, ROOT_KIND) === ROOT_STREAM) bytes += nodesBytes(arena, tree);
  if (dict === 0) return bytes;
  bytes += dictBytes(arena, dict);
  for (let bucket = 0; bucket < dictBuckets(arena, dict); bucket++) {
    dictVisitBucket(arena, dict, bucket, (member) => {
      const child = memberChild(arena, member);
      bytes += arena.unitsOf(member) * UNIT_BYTES + holderBytes(arena, child);
    });
  }
  return bytes;
}

/** Bytes of all nodes in a stream's tree. */
function nodesBytes(arena: Arena, tree: number): number {
  const cursor = new TreeCursor();
  let units = 0;
  for (let more = treeFirst(arena, tree, cursor); more; more = treeNext(arena, cursor)) {
    units += arena.unitsOf(slotWord(arena, cursor, NODE_CHUNK));
  }
  return units * UNIT_BYTES;
}
