/**
 * Checks a stream's nodes, and what is pending in a group, against all that is said of them.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Arena } from "../memory/arena.ts";
import { chunkCapacity, chunkListpack, chunkView } from "../memory/chunk.ts";
import { compareIds, EntryId, readId, slotId } from "../memory/id_tree.ts";
import { listpackBytes } from "../memory/listpack.ts";
import {
  ROOT_COUNT,
  ROOT_GROUP,
  ROOT_KIND,
  ROOT_STREAM,
  ROOT_TREE,
  rootWord,
  STREAM_LAST,
} from "../memory/root.ts";
import { slotWord, TreeCursor, treeFirst, treeNext } from "../memory/tree.ts";
import type { Keyspace } from "./keyspace.ts";
import { childrenOf, pendingCount } from "./stream_groups.ts";
import {
  countersRoom,
  deletedEntries,
  liveEntries,
  NODE_CHUNK,
  StreamPlace,
} from "./stream_nodes.ts";
import { findPending, PendingPlace } from "./stream_pending.ts";
import { findEndEntry } from "./stream_ranges.ts";
import { STREAM_FIRST_ID, STREAM_LAST_ID } from "./stream_root.ts";
import { isStreamNode } from "./stream_validation.ts";

/**
 * Checks the root of a stream, of a group or of a consumer, whose tree is sound.
 *
 * @throws {AssertionError} at the first thing that doesn't agree.
 */
export function checkStreamRoot(keyspace: Keyspace, root: number): void {
  const kind = rootWord(keyspace.arena, root, ROOT_KIND);
  if (kind === ROOT_STREAM) return checkNodes(keyspace.arena, root);
  checkIds(keyspace.arena, root);
  if (kind === ROOT_GROUP) checkPending(keyspace, root);
}

/** Nodes are sound, in order, have room for their counters, and are what the root says. */
function checkNodes(arena: Arena, root: number): void {
  const place = new StreamPlace();
  const { cursor } = place;
  const last = new EntryId();
  let entries = 0;
  let chunk = 0;
  const tree = rootWord(arena, root, ROOT_TREE);
  for (let more = treeFirst(arena, tree, cursor); more; more = treeNext(arena, cursor)) {
    slotId(arena, cursor, place.nodeId);
    chunk = slotWord(arena, cursor, NODE_CHUNK);
    const view = chunkView(arena, chunk);
    const start = chunkListpack(arena, chunk);
    const bytes = listpackBytes(view, start);
    assert(isStreamNode(view, start, bytes, last, place), `chunk ${chunk} is a node of a stream`);
    const live = liveEntries(place);
    const room = countersRoom(live, deletedEntries(place));
    assert(chunkCapacity(arena, chunk) >= bytes + room, "the counters of a node have room");
    entries += live;
  }
  assert(entries === rootWord(arena, root, ROOT_COUNT), "a stream's entries are counted");
  assert(chunk === rootWord(arena, root, STREAM_LAST), "a stream knows its last node");
  const id = new EntryId();
  readId(arena, root, STREAM_LAST_ID, id);
  assert(compareIds(last, id) <= 0, "no entry is behind a stream's last id");
  readId(arena, root, STREAM_FIRST_ID, id);
  if (!findEndEntry(arena, root, false, place)) place.id.setLowest();
  assert(compareIds(place.id, id) === 0, "a stream knows its first id");
}

/** Ids are in order. */
function checkIds(arena: Arena, root: number): void {
  const cursor = new TreeCursor();
  const id = new EntryId();
  const before = new EntryId();
  const tree = rootWord(arena, root, ROOT_TREE);
  let isFirst = true;
  for (let more = treeFirst(arena, tree, cursor); more; more = treeNext(arena, cursor)) {
    slotId(arena, cursor, id);
    assert(isFirst || compareIds(before, id) < 0, "what is pending is in order");
    before.copy(id);
    isFirst = false;
  }
}

/** What is pending in a group is pending for its consumers. */
function checkPending(keyspace: Keyspace, group: number): void {
  const { arena, roots } = keyspace;
  const place = new PendingPlace();
  const cursor = new TreeCursor();
  const id = new EntryId();
  let count = 0;
  for (const consumer of childrenOf(arena, group)) {
    count += pendingCount(arena, consumer);
    const tree = rootWord(arena, consumer, ROOT_TREE);
    if (tree === 0) continue;
    for (let more = treeFirst(arena, tree, cursor); more; more = treeNext(arena, cursor)) {
      slotId(arena, cursor, id);
      assert(findPending(arena, group, id, place), "what a consumer has is pending in its group");
      assert(roots.at(place.pending.consumer) === consumer, "what is pending knows its consumer");
    }
  }
  assert(count === pendingCount(arena, group), "what is pending is pending for somebody");
}
