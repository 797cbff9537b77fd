/**
 * Handlers of XINFO: what can be told of a stream, of its groups, and of their consumers.
 *
 * @module
 */
import { radixNodes, streamNodes } from "../keyspace/stream_facts.ts";
import {
  childCount,
  childName,
  childrenOf,
  CONSUMER_SEEN,
  findChild,
  GROUP_LAST_ID,
  GROUP_READ,
  pendingCount,
} from "../keyspace/stream_groups.ts";
import { findPending, seekPending } from "../keyspace/stream_pending.ts";
import {
  countEntries,
  findEndEntry,
  replyEntries,
  replyEntry,
  replyEntryId,
} from "../keyspace/stream_ranges.ts";
import {
  readRootNumber,
  STREAM_ADDED,
  STREAM_DELETED_ID,
  STREAM_FIRST_ID,
  STREAM_LAST_ID,
  streamLength,
} from "../keyspace/stream_root.ts";
import { readId, slotId } from "../memory/id_tree.ts";
import { treeNext } from "../memory/tree.ts";
import type { Context, Handler } from "./context.ts";
import { replyHelp } from "./generic.ts";
import type { STREAM_SPECS } from "./specs/streams.ts";
import type { HandlersFor } from "./specs/types.ts";
import { nameArgument, streamForReading } from "./stream_arguments.ts";

const DEFAULT_COUNT = 10;
const TWO_32 = 4294967296;

/** The stream in argument 2; 0 after an error reply. */
function streamToTell(context: Context): number {
  const root = streamForReading(context, 2);
  if (root === 0) context.reply.error("ERR no such key");
  return Math.max(0, root);
}

/** Replies with the error for arguments that no subcommand has. */
export function refuseSubcommand(context: Context, container: string): void {
  context.reply.error(
    `ERR unknown subcommand or wrong number of arguments for '${context.quoted(1, 128)}'. ` +
      `Try ${container} HELP.`,
  );
}

/** Replies with one of the ids of a root. */
function replyRootId(context: Context, root: number, word: number): void {
  const { keyspace: { arena }, reply, streams: { id, place } } = context;
  readId(arena, root, word, id);
  replyEntryId(reply, id, place);
}

/** Replies with one of the 64-bit numbers of a root. */
function replyRootNumber(context: Context, root: number, word: number): void {
  const { keyspace: { arena }, reply, streams: { number } } = context;
  readRootNumber(arena, root, word, number);
  reply.integer64(number.high, number.low);
}

function infoStream(context: Context): void {
  const { argc, reply, keyspace: { arena }, streams: { place } } = context;
  const root = streamToTell(context);
  if (root === 0) return;
  const isFull = argc > 3;
  let count = DEFAULT_COUNT;
  if (isFull) {
    const fits = context.isWord(3, "FULL") &&
      (argc === 4 || (argc === 6 && context.isWord(4, "COUNT")));
    if (!fits) return refuseSubcommand(context, "XINFO");
    if (argc === 6) {
      if (!context.integer(5)) return;
      count = context.value < 0 ? DEFAULT_COUNT : context.value;
    }
  }
  reply.map(isFull ? 9 : 10);
  reply.bulk("length");
  reply.integer(streamLength(arena, root));
  reply.bulk("radix-tree-keys");
  reply.integer(streamNodes(arena, root));
  reply.bulk("radix-tree-nodes");
  reply.integer(radixNodes(arena, root, place));
  reply.bulk("last-generated-id");
  replyRootId(context, root, STREAM_LAST_ID);
  reply.bulk("max-deleted-entry-id");
  replyRootId(context, root, STREAM_DELETED_ID);
  reply.bulk("entries-added");
  replyRootNumber(context, root, STREAM_ADDED);
  reply.bulk("recorded-first-entry-id");
  replyRootId(context, root, STREAM_FIRST_ID);
  if (isFull) replyContents(context, root, count === 0 ? Infinity : count);
  else replyEnds(context, root);
}

/** Replies with the number of groups and with the first and the last entry. */
function replyEnds(context: Context, root: number): void {
  const { reply, keyspace: { arena }, streams: { place } } = context;
  reply.bulk("groups");
  reply.integer(childCount(arena, root));
  for (const backwards of [false, true]) {
    reply.bulk(backwards ? "last-entry" : "first-entry");
    if (findEndEntry(arena, root, backwards, place)) replyEntry(reply, place);
    else reply.nullBulk();
  }
}

/** Replies with entries and groups, up to `limit` of each sort. */
function replyContents(context: Context, root: number, limit: number): void {
  const { reply, keyspace: { arena }, streams: { place, range } } = context;
  reply.bulk("entries");
  range.setAll();
  const count = countEntries(arena, root, range, limit, place);
  reply.array(count);
  replyEntries(arena, reply, root, range, count, place);
  reply.bulk("groups");
  const groups = childrenOf(arena, root);
  reply.array(groups.length);
  for (const group of groups) {
    reply.map(7);
    replyGroupName(context, group);
    replyProgress(context, root, group);
    reply.bulk("pel-count");
    reply.integer(pendingCount(arena, group));
    reply.bulk("pending");
    replyPending(context, group, group, limit);
    reply.bulk("consumers");
    const consumers = childrenOf(arena, group);
    reply.array(consumers.length);
    for (const consumer of consumers) replyConsumer(context, group, consumer, limit);
  }
}

/** Replies with the name of a group or consumer. */
function replyName(context: Context, child: number): void {
  const { view, start, length } = childName(context.keyspace.arena, child);
  context.reply.bulkView(view, start, length);
}

function replyGroupName(context: Context, child: number): void {
  context.reply.bulk("name");
  replyName(context, child);
}

/** Replies with how far a group has come. */
function replyProgress(context: Context, root: number, group: number): void {
  const { reply, keyspace: { arena }, streams: { facts, number } } = context;
  reply.bulk("last-delivered-id");
  replyRootId(context, group, GROUP_LAST_ID);
  reply.bulk("entries-read");
  readRootNumber(arena, group, GROUP_READ, number);
  if ((number.high & number.low) === -1) reply.nullBulk();
  else reply.integer64(number.high, number.low);
  reply.bulk("lag");
  facts.look(arena, root);
  if (facts.countAhead(arena, group)) reply.integer64(facts.count.high, facts.count.low);
  else reply.nullBulk();
}

function replyConsumer(context: Context, group: number, consumer: number, limit: number): void {
  const { reply, keyspace: { arena } } = context;
  reply.map(4);
  replyGroupName(context, consumer);
  reply.bulk("seen-time");
  replyRootNumber(context, consumer, CONSUMER_SEEN);
  reply.bulk("pel-count");
  reply.integer(pendingCount(arena, consumer));
  reply.bulk("pending");
  replyPending(context, group, consumer, limit);
}

/** Replies with what is pending in a group, or for one of its consumers, whose name is then left out; up to `limit`. */
function replyPending(context: Context, group: number, holder: number, limit: number): void {
  const { reply, keyspace: { arena, roots }, streams: { id, place, pending: found } } = context;
  const { pending, consumerCursor } = found;
  let count = Math.min(limit, pendingCount(arena, holder));
  reply.array(count);
  id.setLowest();
  let more = seekPending(arena, holder, id, consumerCursor);
  for (; more && count > 0; count--, more = treeNext(arena, consumerCursor)) {
    slotId(arena, consumerCursor, id);
    findPending(arena, group, id, found);
    reply.array(holder === group ? 4 : 3);
    replyEntryId(reply, id, place);
    if (holder === group) replyName(context, roots.at(pending.consumer));
    reply.integer64(pending.timeHigh, pending.timeLow);
    reply.integer64(pending.deliveriesHigh, pending.deliveriesLow);
  }
}

function infoGroups(context: Context): void {
  const { reply, keyspace: { arena } } = context;
  const root = streamToTell(context);
  if (root === 0) return;
  const groups = childrenOf(arena, root);
  reply.array(groups.length);
  for (const group of groups) {
    reply.map(6);
    replyGroupName(context, group);
    reply.bulk("consumers");
    reply.integer(childCount(arena, group));
    reply.bulk("pending");
    reply.integer(pendingCount(arena, group));
    replyProgress(context, root, group);
  }
}

function infoConsumers(context: Context): void {
  const { reply, keyspace, streams: { number } } = context;
  const { arena, now } = keyspace;
  const root = streamToTell(context);
  if (root === 0) return;
  const group = findChild(keyspace, root, nameArgument(context, 3));
  if (group === 0) {
    return reply.error(
      `NOGROUP No such consumer group '${context.quoted(3)}' for key name '${context.quoted(2)}'`,
    );
  }
  const consumers = childrenOf(arena, group);
  reply.array(consumers.length);
  for (const consumer of consumers) {
    readRootNumber(arena, consumer, CONSUMER_SEEN, number);
    const seen = number.high * TWO_32 + (number.low >>> 0);
    reply.map(3);
    replyGroupName(context, consumer);
    reply.bulk("pending");
    reply.integer(pendingCount(arena, consumer));
    reply.bulk("idle");
    reply.integer(Math.max(0, now - seen));
  }
}

const XINFO_HELP = [
  "XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "CONSUMERS <key> <groupname>",
  "    List the consumers of a group.",
  "GROUPS <key>",
  "    List the groups of a stream, and how far each has come.",
  "STREAM <key> [FULL [COUNT <count>]]",
  "    Tell of a stream; with FULL of all it holds, up to <count> of each sort.",
  "HELP",
  "    Show this help.",
];

/** The handlers of the subcommands of XINFO. */
export const STREAM_INFO_HANDLERS: HandlersFor<typeof STREAM_SPECS, Handler>["xinfo"] = {
  consumers: infoConsumers,
  groups: infoGroups,
  stream: infoStream,
  help: (context) => replyHelp(context, XINFO_HELP),
};
