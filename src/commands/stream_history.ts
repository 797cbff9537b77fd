/**
 * The history of a consumer: entries that were delivered to it and that it hasn't acknowledged, delivered once more.
 *
 * @module
 */
import { findStreamEntry, replyEntry, replyEntryId } from "../keyspace/stream_ranges.ts";
import { findPending, seekPending, writePending } from "../keyspace/stream_pending.ts";
import { type EntryId, slotId } from "../memory/id_tree.ts";
import { treeNext } from "../memory/tree.ts";
import type { Context } from "./context.ts";

/** The streams and groups that a history is of, by their roots. */
export interface HistoryHolder {
  /** The stream. */
  readonly root: number;
  /** The group. */
  readonly group: number;
}

/**
 * The ids of up to `limit` entries from `from` on that are pending for a consumer of a group. Those that the stream still has count as
 * delivered once more.
 */
export function repeatHistory(
  context: Context,
  { root, group }: HistoryHolder,
  consumer: number,
  from: EntryId,
  limit: number,
): EntryId[] {
  const { keyspace: { arena, now }, streams: { id, place, pending } } = context;
  const { consumerCursor } = pending;
  const ids: EntryId[] = [];
  let more = seekPending(arena, consumer, from, consumerCursor);
  for (; more && ids.length < limit; more = treeNext(arena, consumerCursor)) {
    slotId(arena, consumerCursor, id);
    ids.push(id.clone());
    if (!findStreamEntry(arena, root, id, place)) continue;
    findPending(arena, group, id, pending);
    pending.pending.time = now;
    pending.pending.countDelivery();
    writePending(arena, pending);
  }
  return ids;
}

/** Replies with entries of a stream, without the array around them; those that are gone have a null for their fields. */
export function replyHistory(context: Context, root: number, ids: readonly EntryId[]): void {
  const { keyspace: { arena }, reply, streams: { place } } = context;
  for (const id of ids) {
    if (findStreamEntry(arena, root, id, place)) replyEntry(reply, place);
    else {
      reply.array(2);
      replyEntryId(reply, id, place);
      reply.nullArray();
    }
  }
}
