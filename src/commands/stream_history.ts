/**
 * The history of a consumer: entries that were delivered to it and that it hasn't acknowledged, delivered once more.
 *
 * @module
 */
import { findStreamEntry, replyEntry, replyEntryId } from "../keyspace/stream_ranges.ts";
import { findPending, seekPending, writePending } from "../keyspace/stream_pending.ts";
import { type EntryId, slotId } from "../memory/id_tree.ts";
import { treeNext, treePosition } from "../memory/tree.ts";
import { treeWeight } from "../memory/tree_nodes.ts";
import type { Context } from "./context.ts";

/** How many entries are pending for a consumer from `from` on, up to `limit`. */
export function countHistory(
  context: Context,
  consumer: number,
  from: EntryId,
  limit: number,
): number {
  const { keyspace: { arena }, streams: { pending: { consumerCursor } } } = context;
  if (!seekPending(arena, consumer, from, consumerCursor)) return 0;
  const behind = treeWeight(arena, consumerCursor.tree) - treePosition(arena, consumerCursor);
  return Math.min(limit, behind);
}

/**
 * Replies with the first `count` entries from `from` on that are pending for a consumer of a group, of which there are so many, without
 * the array around them. Those that the stream still has count as delivered once more.
 */
export function replyHistory(
  context: Context,
  stream: number,
  group: number,
  consumer: number,
  from: EntryId,
  count: number,
): void {
  const { keyspace: { arena, now }, reply, streams: { id, place, pending } } = context;
  const { consumerCursor } = pending;
  let more = seekPending(arena, consumer, from, consumerCursor);
  for (; more && count > 0; count--, more = treeNext(arena, consumerCursor)) {
    slotId(arena, consumerCursor, id);
    if (!findStreamEntry(arena, stream, id, place)) {
      reply.array(2);
      replyEntryId(reply, id, place);
      reply.nullArray();
      continue;
    }
    replyEntry(reply, place);
    findPending(arena, group, id, pending);
    pending.pending.time = now;
    pending.pending.countDelivery();
    writePending(arena, pending);
  }
}
