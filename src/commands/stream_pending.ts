/**
 * Handlers of XACK and XPENDING: what is pending in a group.
 *
 * @module
 */
import { childName, childrenOf, findChild, pendingCount } from "../keyspace/stream_groups.ts";
import { dropPending, findPending, seekPending } from "../keyspace/stream_pending.ts";
import { replyEntryId } from "../keyspace/stream_ranges.ts";
import { compareIds, EntryId, slotId } from "../memory/id_tree.ts";
import { ROOT_TREE, rootWord } from "../memory/root.ts";
import { treeLast, treeNext } from "../memory/tree.ts";
import { type Context, SYNTAX_ERROR } from "./context.ts";
import {
  idArgument,
  intervalStart,
  intervalStop,
  nameArgument,
  streamForReading,
} from "./stream_arguments.ts";

/** Replies that the stream in argument 1 has no group as argument 2 names it, or isn't there. */
export function refuseGroup(context: Context): void {
  context.reply.error(
    `NOGROUP No such key '${context.quoted(1)}' or consumer group '${context.quoted(2)}'`,
  );
}

/** XACK. */
export function xack(context: Context): void {
  const { argc, reply, keyspace, streams: { id, pending } } = context;
  const root = streamForReading(context, 1);
  if (root < 0) return;
  const group = root === 0 ? 0 : findChild(keyspace, root, nameArgument(context, 2));
  if (group === 0) return reply.integer(0);
  for (let index = 3; index < argc; index++) if (!idArgument(context, index, id)) return;
  let acknowledged = 0;
  for (let index = 3; index < argc; index++) {
    idArgument(context, index, id);
    if (!findPending(keyspace.arena, group, id, pending)) continue;
    dropPending(keyspace, group, id, pending);
    acknowledged++;
  }
  keyspace.dirty += acknowledged;
  reply.integer(acknowledged);
}

/** What XPENDING asks for. */
interface PendingQuery {
  /** The argument that is the lowest id; the highest one and the count follow. */
  readonly startIndex: number;
  /** How long nothing must have happened to an entry, in ms. */
  readonly minimumIdle: number;
}

/** XPENDING. */
export function xpending(context: Context): void {
  const { argc, reply, keyspace, streams: { range } } = context;
  if (argc !== 3 && (argc < 6 || argc > 9)) return reply.error(SYNTAX_ERROR);
  const query = argc === 3 ? null : readQuery(context);
  if (query === undefined) return;
  let count = 0;
  if (query !== null) {
    if (!context.integer(query.startIndex + 2)) return;
    count = Math.max(0, context.value);
    if (!intervalStart(context, query.startIndex, range.from)) return;
    if (!intervalStop(context, query.startIndex + 1, range.to)) return;
  }
  const root = streamForReading(context, 1);
  if (root < 0) return;
  const group = root === 0 ? 0 : findChild(keyspace, root, nameArgument(context, 2));
  if (group === 0) return refuseGroup(context);
  if (query === null) return replySummary(context, group);
  const consumerIndex = query.startIndex + 3;
  let holder = group;
  if (consumerIndex < argc) {
    holder = findChild(keyspace, group, nameArgument(context, consumerIndex));
    if (holder === 0) return reply.array(0);
  }
  replyList(context, group, holder, findIdle(context, group, holder, query.minimumIdle, count));
}

/** Reads where the ids start, and IDLE; undefined after an error reply. */
function readQuery(context: Context): PendingQuery | undefined {
  if (!context.isWord(3, "IDLE")) return { startIndex: 3, minimumIdle: 0 };
  if (!context.integer(4)) return undefined;
  const minimumIdle = context.value;
  if (context.argc >= 8) return { startIndex: 5, minimumIdle };
  context.reply.error(SYNTAX_ERROR);
  return undefined;
}

/** Replies with how much is pending, the ids of the first and the last entry, and how many each consumer has. */
function replySummary(context: Context, group: number): void {
  const { reply, keyspace: { arena }, streams: { id, place, pending: { cursor } } } = context;
  const count = pendingCount(arena, group);
  reply.array(4);
  reply.integer(count);
  if (count === 0) {
    reply.nullBulk();
    reply.nullBulk();
    return reply.nullArray();
  }
  id.setLowest();
  seekPending(arena, group, id, cursor);
  slotId(arena, cursor, id);
  replyEntryId(reply, id, place);
  treeLast(arena, rootWord(arena, group, ROOT_TREE), cursor);
  slotId(arena, cursor, id);
  replyEntryId(reply, id, place);
  const holders = childrenOf(arena, group).filter((consumer) => pendingCount(arena, consumer) > 0);
  reply.array(holders.length);
  for (const consumer of holders) {
    const { view, start, length } = childName(arena, consumer);
    reply.array(2);
    reply.bulkView(view, start, length);
    reply.bulk(String(pendingCount(arena, consumer)));
  }
}

/** The ids in `streams.range` that are pending in the group or for one of its consumers, and have been for long; `count` at most. */
function findIdle(
  context: Context,
  group: number,
  holder: number,
  minimumIdle: number,
  count: number,
): EntryId[] {
  const { keyspace: { arena, now }, streams: { id, range, pending } } = context;
  const found: EntryId[] = [];
  const { consumerCursor } = pending;
  let more = seekPending(arena, holder, range.from, consumerCursor);
  for (; more && found.length < count; more = treeNext(arena, consumerCursor)) {
    slotId(arena, consumerCursor, id);
    if (compareIds(id, range.to) > 0) break;
    if (minimumIdle !== 0) {
      findPending(arena, group, id, pending);
      if (now - pending.pending.time < minimumIdle) continue;
    }
    found.push(id.clone());
  }
  return found;
}

/** Replies with what is known of entries that are pending. */
function replyList(context: Context, group: number, holder: number, ids: EntryId[]): void {
  const { reply, keyspace: { arena, roots, now }, streams: { place, pending: found } } = context;
  const { pending } = found;
  reply.array(ids.length);
  for (const id of ids) {
    findPending(arena, group, id, found);
    const consumer = holder === group ? roots.at(pending.consumer) : holder;
    const { view, start, length } = childName(arena, consumer);
    reply.array(4);
    replyEntryId(reply, id, place);
    reply.bulkView(view, start, length);
    // A time may be anything, if a payload has brought it.
    reply.integer(Math.min(Math.max(0, now - pending.time), Number.MAX_SAFE_INTEGER));
    reply.integer64(pending.deliveriesHigh, pending.deliveriesLow);
  }
}
