/**
 * What changes of groups are repeated as: XCLAIM with the time and the number of deliveries that came out, and XGROUP.
 *
 * @module
 */
import { entryIdText } from "../keyspace/entry_ids.ts";
import {
  childNameBytes,
  CONSUMER_SEEN,
  createConsumer,
  findChild,
  GROUP_LAST_ID,
  GROUP_READ,
  removeChild,
} from "../keyspace/stream_groups.ts";
import { readRootNumber, setRootNumber } from "../keyspace/stream_root.ts";
import { readId } from "../memory/id_tree.ts";
import type { RequestArgument } from "../protocol/request_writer.ts";
import type { Context } from "./context.ts";
import { nameArgument } from "./stream_arguments.ts";

const TWO_32 = 4294967296;

/** A group that a command works on: its root, and the arguments that name it. */
export interface GroupArguments {
  /** The key of the stream. */
  readonly keyIndex: number;
  /** The group. */
  readonly groupIndex: number;
  /** The consumer. */
  readonly consumerIndex: number;
}

/** Effect: the entry with this id is pending as `streams.pending` says. `idText` is the id as it is to be written. */
export function claimEffect(
  context: Context,
  { keyIndex, groupIndex }: GroupArguments,
  group: number,
  idText: RequestArgument,
): void {
  context.journaled = true;
  if (!context.journal.listening) return;
  const { keyspace: { arena, roots }, streams: { pending: { pending }, last } } = context;
  readId(arena, group, GROUP_LAST_ID, last);
  context.effect(() => [
    "XCLAIM",
    context.argument(keyIndex),
    context.argument(groupIndex),
    childNameBytes(arena, roots.at(pending.consumer)),
    "0",
    idText,
    "TIME",
    integerArgument(pending.timeHigh, pending.timeLow),
    "RETRYCOUNT",
    integerArgument(pending.deliveriesHigh, pending.deliveriesLow),
    "FORCE",
    "JUSTID",
    "LASTID",
    entryIdText(last),
  ]);
}

/** Effect: the group has come as far as it has. */
export function groupEffect(
  context: Context,
  { keyIndex, groupIndex }: GroupArguments,
  group: number,
): void {
  context.journaled = true;
  if (!context.journal.listening) return;
  const { keyspace: { arena }, streams: { number, last } } = context;
  readId(arena, group, GROUP_LAST_ID, last);
  readRootNumber(arena, group, GROUP_READ, number);
  context.effect(() => [
    "XGROUP",
    "SETID",
    context.argument(keyIndex),
    context.argument(groupIndex),
    entryIdText(last),
    "ENTRIESREAD",
    integerArgument(number.high, number.low),
  ]);
}

/** Effect: the consumer is there. */
export function consumerEffect(context: Context, args: GroupArguments): void {
  context.journaled = true;
  if (!context.journal.listening) return;
  context.effect(() => [
    "XGROUP",
    "CREATECONSUMER",
    context.argument(args.keyIndex),
    context.argument(args.groupIndex),
    context.argument(args.consumerIndex),
  ]);
}

function integerArgument(high: number, low: number): RequestArgument {
  const value = high * TWO_32 + (low >>> 0);
  if (Number.isSafeInteger(value)) return value;
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** A consumer that a command works for. */
export interface ConsumerFound {
  /** Its root. */
  readonly consumer: number;
  /** Whether it has just been made. */
  readonly isNew: boolean;
}

/** The consumer that a command names, which is made if there is none; it was seen now. {@linkcode tellConsumer} tells of it. */
export function consumerOf(
  context: Context,
  args: GroupArguments,
  group: number,
): ConsumerFound {
  const { keyspace } = context;
  const name = nameArgument(context, args.consumerIndex);
  let consumer = findChild(keyspace, group, name);
  const isNew = consumer === 0;
  if (isNew) consumer = createConsumer(keyspace, group, name);
  noteSeen(context, consumer);
  return { consumer, isNew };
}

/** Tells that a consumer was made. */
export function tellConsumer(context: Context, args: GroupArguments): void {
  context.noted(args.keyIndex, "xgroup-createconsumer");
}

/** Takes a consumer that was just made away again, since there is no room for what it was made for. */
export function takeBackConsumer(context: Context, args: GroupArguments, group: number): void {
  removeChild(context.keyspace, group, nameArgument(context, args.consumerIndex));
}

/** The consumer was seen now. */
export function noteSeen({ keyspace: { arena, now } }: Context, consumer: number): void {
  const high = Math.floor(now / TWO_32);
  setRootNumber(arena, consumer, CONSUMER_SEEN, high, now - high * TWO_32);
}
