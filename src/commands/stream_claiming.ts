/**
 * Handlers of XCLAIM and XAUTOCLAIM: entries that are pending for one consumer go to another, for instance because the first one is
 * gone. What isn't in the stream any more isn't pending any more then, either.
 *
 * If memory ends on the way, what has been claimed until then is replied, and the rest stays where it is.
 *
 * @module
 */
import { findChild, GROUP_LAST_ID } from "../keyspace/stream_groups.ts";
import { entryIdText } from "../keyspace/entry_ids.ts";
import {
  addPending,
  dropPending,
  findPending,
  givePending,
  seekPending,
} from "../keyspace/stream_pending.ts";
import { findStreamEntry, replyEntry, replyEntryId } from "../keyspace/stream_ranges.ts";
import { ArenaFullError } from "../memory/arena.ts";
import { compareIds, EntryId, readId, slotId, writeId } from "../memory/id_tree.ts";
import type { RequestArgument } from "../protocol/request_writer.ts";
import { type Context, SYNTAX_ERROR } from "./context.ts";
import {
  idArgument,
  intervalStart,
  isIdArgument,
  nameArgument,
  streamForReading,
} from "./stream_arguments.ts";
import {
  claimEffect,
  consumerOf,
  type GroupArguments,
  groupEffect,
  takeBackConsumer,
  tellConsumer,
} from "./stream_effects.ts";
import { refuseGroup } from "./stream_pending.ts";

const ARGUMENTS: GroupArguments = { keyIndex: 1, groupIndex: 2, consumerIndex: 3 };
const FIRST_ID = 5;
const DEFAULT_COUNT = 100;
/** XAUTOCLAIM looks at so many times as many entries as it claims. */
const LOOKS_PER_CLAIM = 10;
/** A larger count might take more memory than can be named. */
const MOST_COUNT = 576460752303423488;
/** Redis takes room for so many ids, which no machine has. */
const HOPELESS_COUNT = 2 ** 43;
const HOPELESS = "ERR Insufficient memory, failed allocating transient memory, COUNT too high.";
const BAD_COUNT = "ERR COUNT must be > 0";

/** An entry isn't pending, or not for long enough. */
const LEFT = 0;
/** An entry isn't in the stream, and not pending any more. */
const DROPPED = 1;
/** An entry is the consumer's now. */
const CLAIMED = 2;

/** What a command does with each entry. */
interface Claim {
  /** Root of the stream. */
  readonly stream: number;
  /** Root of the group. */
  readonly group: number;
  /** Root of the consumer, which isn't looked for, or made, before there is something for it; until then 0. */
  consumer: number;
  /** Whether it has just been made. */
  isNew: boolean;
  /** How long nothing must have happened to an entry, in ms. */
  minimumIdle: number;
  /** When it counts as delivered, in unix ms. */
  time: number;
  /** How often it counts as delivered: upper half, or below 0 for once more than before. */
  deliveriesHigh: number;
  /** The lower half. */
  deliveriesLow: number;
  /** Whether an entry that isn't pending becomes so. */
  force: boolean;
  /** Whether only ids are replied, and nothing counts as delivered. */
  idsOnly: boolean;
}

/** A claim in a stream and a group of it. */
function newClaim(stream: number, group: number, time: number): Claim {
  return {
    stream,
    group,
    consumer: 0,
    isNew: false,
    minimumIdle: 0,
    time,
    deliveriesHigh: -1,
    deliveriesLow: -1,
    force: false,
    idsOnly: false,
  };
}

/** The stream in argument 1 and the group in argument 2 as a claim; null after an error reply. */
function findClaim(context: Context): Claim | null {
  const { keyspace } = context;
  const stream = streamForReading(context, 1);
  if (stream < 0) return null;
  const group = stream === 0 ? 0 : findChild(keyspace, stream, nameArgument(context, 2));
  if (group !== 0) return newClaim(stream, group, keyspace.now);
  refuseGroup(context);
  return null;
}

/** Reads the least idle time; -1 after an error reply. */
function idleArgument(context: Context, command: string): number {
  if (!context.integer(4, `ERR Invalid min-idle-time argument for ${command}`)) return -1;
  return Math.max(0, context.value);
}

/** XCLAIM. */
export function xclaim(context: Context): void {
  const { argc, keyspace, journal, streams: { last, other: lastId } } = context;
  const claim = findClaim(context);
  if (claim === null) return;
  claim.minimumIdle = idleArgument(context, "XCLAIM");
  if (claim.minimumIdle < 0) return;
  const ids: EntryId[] = [];
  for (let index = FIRST_ID; index < argc; index++) {
    const id = new EntryId();
    if (!isIdArgument(context, index, id)) break;
    ids.push(id);
  }
  if (!readOptions(context, claim, FIRST_ID + ids.length)) return;
  context.journaled = true;
  readId(keyspace.arena, claim.group, GROUP_LAST_ID, last);
  const movesOn = compareIds(lastId, last) > 0;
  const before = last.clone();
  if (movesOn) writeId(keyspace.arena, claim.group, GROUP_LAST_ID, lastId);
  const claimed: EntryId[] = [];
  let changed = false;
  try {
    ids.forEach((id, index) => {
      const idText = journal.listening ? context.argument(FIRST_ID + index) : "";
      const outcome = claimEntry(context, claim, id, idText);
      if (outcome !== LEFT) changed = true;
      if (outcome === CLAIMED) claimed.push(id);
    });
  } catch (error) {
    if (!changed) writeId(keyspace.arena, claim.group, GROUP_LAST_ID, before);
    if (!(error instanceof ArenaFullError) || !changed) throw error;
  }
  if (movesOn && !changed) {
    groupEffect(context, ARGUMENTS, claim.group);
    keyspace.dirty++;
  }
  if (claim.isNew) tellConsumer(context, ARGUMENTS);
  replyClaimed(context, claim, claimed);
}

/** Reads the options of XCLAIM from argument `index` on, and LASTID into `streams.other`; false after an error reply. */
function readOptions(context: Context, claim: Claim, index: number): boolean {
  const { argc, number, keyspace: { now }, streams: { other: lastId } } = context;
  lastId.setLowest();
  for (; index < argc; index++) {
    const isLast = index + 1 === argc;
    if (context.isWord(index, "FORCE")) claim.force = true;
    else if (context.isWord(index, "JUSTID")) claim.idsOnly = true;
    else if (!isLast && context.isWord(index, "IDLE")) {
      if (!numberOption(context, ++index, "IDLE")) return false;
      claim.time = now - context.value;
    } else if (!isLast && context.isWord(index, "TIME")) {
      if (!numberOption(context, ++index, "TIME")) return false;
      claim.time = context.value;
    } else if (!isLast && context.isWord(index, "RETRYCOUNT")) {
      if (!numberOption(context, ++index, "RETRYCOUNT")) return false;
      claim.deliveriesHigh = number.high;
      claim.deliveriesLow = number.low;
    } else if (!isLast && context.isWord(index, "LASTID")) {
      if (!idArgument(context, ++index, lastId)) return false;
    } else {
      context.reply.error(`ERR Unrecognized XCLAIM option '${context.quoted(index)}'`);
      return false;
    }
  }
  // Clients reckon by clocks of their own, so a time that can't be isn't an error.
  if (claim.time < 0 || claim.time > now) claim.time = now;
  return true;
}

function numberOption(context: Context, index: number, option: string): boolean {
  return context.integer(index, `ERR Invalid ${option} option argument for XCLAIM`);
}

/** Claims the entry with this id, if it may be; one of {@linkcode LEFT}, {@linkcode DROPPED} and {@linkcode CLAIMED}. */
function claimEntry(
  context: Context,
  claim: Claim,
  id: EntryId,
  idText: RequestArgument,
): number {
  const { keyspace, streams: { place, pending: found } } = context;
  const { stream, group } = claim;
  const { pending } = found;
  const isPending = findPending(keyspace.arena, group, id, found);
  if (!findStreamEntry(keyspace.arena, stream, id, place)) {
    if (!isPending) return LEFT;
    claimEffect(context, ARGUMENTS, group, idText);
    dropPending(keyspace, group, id, found);
    keyspace.dirty++;
    return DROPPED;
  }
  if (!isPending && !claim.force) return LEFT;
  if (isPending && claim.minimumIdle > 0) {
    if (keyspace.now - pending.time < claim.minimumIdle) return LEFT;
  }
  pending.time = claim.time;
  if (!isPending) pending.setDeliveries(1);
  if (claim.deliveriesHigh >= 0) {
    pending.deliveriesHigh = claim.deliveriesHigh;
    pending.deliveriesLow = claim.deliveriesLow;
  } else if (!claim.idsOnly) pending.countDelivery();
  giveToClaimer(context, claim, id, isPending);
  claimEffect(context, ARGUMENTS, group, idText);
  keyspace.dirty++;
  return CLAIMED;
}

/** Has the entry at the place be pending for the consumer in argument 3, who is made if need be. */
function giveToClaimer(context: Context, claim: Claim, id: EntryId, isPending: boolean): void {
  const { keyspace, streams: { pending } } = context;
  const { group } = claim;
  const isFirst = claim.consumer === 0;
  if (isFirst) Object.assign(claim, consumerOf(context, ARGUMENTS, group));
  try {
    if (isPending) givePending(keyspace, claim.consumer, id, pending);
    else addPending(keyspace.arena, group, claim.consumer, id, pending);
  } catch (error) {
    if (isFirst && claim.isNew) {
      takeBackConsumer(context, ARGUMENTS, group);
      claim.isNew = false;
    }
    throw error;
  }
}

/** Replies with what was claimed. */
function replyClaimed(context: Context, claim: Claim, ids: readonly EntryId[]): void {
  const { reply, keyspace: { arena }, streams: { place } } = context;
  reply.array(ids.length);
  for (const id of ids) {
    if (claim.idsOnly) replyEntryId(reply, id, place);
    else if (findStreamEntry(arena, claim.stream, id, place)) replyEntry(reply, place);
  }
}

/** XAUTOCLAIM. */
export function xautoclaim(context: Context): void {
  const { reply, keyspace: { arena }, streams: { range: { from }, place, pending } } = context;
  const minimumIdle = idleArgument(context, "XAUTOCLAIM");
  if (minimumIdle < 0 || !intervalStart(context, 5, from)) return;
  let count = DEFAULT_COUNT;
  let idsOnly = false;
  for (let index = 6; index < context.argc; index++) {
    if (context.isWord(index, "JUSTID")) idsOnly = true;
    else if (context.isWord(index, "COUNT") && index + 1 < context.argc) {
      if (!context.integer(++index, BAD_COUNT)) return;
      count = context.value;
      if (count < 1 || count >= MOST_COUNT) return reply.error(BAD_COUNT);
    } else return reply.error(SYNTAX_ERROR);
  }
  const claim = findClaim(context);
  if (claim === null) return;
  if (count >= HOPELESS_COUNT) return reply.error(HOPELESS);
  Object.assign(claim, { minimumIdle, idsOnly });
  context.journaled = true;
  const claimed: EntryId[] = [];
  const dropped: EntryId[] = [];
  const more = claimFrom(context, claim, from, count, claimed, dropped);
  if (claim.isNew) tellConsumer(context, ARGUMENTS);
  const { cursor } = pending;
  if (more && seekPending(arena, claim.group, from, cursor)) slotId(arena, cursor, from);
  else from.setLowest();
  reply.array(3);
  replyEntryId(reply, from, place);
  replyClaimed(context, claim, claimed);
  reply.array(dropped.length);
  for (const id of dropped) replyEntryId(reply, id, place);
}

/**
 * Claims entries from `from` on, `count` with those that are dropped; `from` is then where the next call goes on. False if there can't
 * be more.
 */
function claimFrom(
  context: Context,
  claim: Claim,
  from: EntryId,
  count: number,
  claimed: EntryId[],
  dropped: EntryId[],
): boolean {
  const { keyspace: { arena }, journal, streams: { pending: { cursor } } } = context;
  for (let looks = count * LOOKS_PER_CLAIM; looks > 0 && count > 0; looks--) {
    if (!seekPending(arena, claim.group, from, cursor)) return false;
    const id = new EntryId();
    slotId(arena, cursor, id);
    from.copy(id);
    let outcome = LEFT;
    try {
      outcome = claimEntry(context, claim, id, journal.listening ? entryIdText(id) : "");
    } catch (error) {
      if (error instanceof ArenaFullError && claimed.length + dropped.length > 0) return true;
      throw error;
    }
    if (outcome !== LEFT) count--;
    if (outcome === CLAIMED) claimed.push(id);
    else if (outcome === DROPPED) dropped.push(id);
    if (!from.increment()) return false;
  }
  return true;
}
