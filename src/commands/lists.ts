/**
 * The commands on one list: pushing and popping at its ends, reading it, changing what is in the middle. Those that wait, or that
 * move elements from one list to another, are in `list_moving.ts`.
 *
 * @module
 */
import { removeEntry } from "../keyspace/keyspace.ts";
import { listFind, listRemove, listReplace } from "../keyspace/list_editing.ts";
import { listInsert } from "../keyspace/list_insertion.ts";
import {
  createList,
  listDrop,
  listLength,
  listPush,
  listSeek,
  pushQuickly,
  replyListRange,
} from "../keyspace/lists.ts";
import { replyListpackElement } from "../keyspace/listpack_replies.ts";
import { type Context, type Handler, SYNTAX_ERROR } from "./context.ts";
import {
  findList,
  findListForReading,
  isList,
  NO_LIST,
  popElement,
  popUpTo,
} from "./list_arguments.ts";
import { blmove, blmpop, brpoplpush, lmove, lmpop, popOrWait, rpoplpush } from "./list_moving.ts";
import { lpos } from "./list_positions.ts";
import type { HandlersFor, LIST_SPECS } from "./specs/mod.ts";

const NOT_POSITIVE = "ERR value is out of range, must be positive";

function push(context: Context, front: boolean, onlyExisting: boolean): void {
  const { database, keyspace, starts, lengths, argc } = context;
  let entry = context.findAndTouch(1);
  if (entry !== 0 && argc === 3) {
    const limit = context.limits.listMaxSize;
    const { view } = context;
    const length = pushQuickly(keyspace, entry, front, view, starts[2], lengths[2], limit);
    if (length > 0) return tellPushed(context, front, length);
  }
  if (entry !== 0 && !isList(context, entry)) return;
  if (entry === 0) {
    if (onlyExisting) return context.reply.integer(0);
    let bytes = 0;
    for (let index = 2; index < argc; index++) bytes += lengths[index] + 2;
    entry = createList(database, context.view, starts[1], lengths[1], bytes);
  }
  let pushed = 0;
  try {
    for (; pushed < argc - 2; pushed++) {
      const index = pushed + 2;
      entry = listPush(
        database,
        entry,
        front,
        context.view,
        starts[index],
        lengths[index],
        context.limits.listMaxSize,
        context.list,
      );
    }
  } catch (error) {
    // There is no room for this one: those before it go again, and a key that wasn't there.
    if (listLength(keyspace, entry) === 0) removeEntry(database, keyspace.hash, entry);
    else listDrop(database, entry, front, pushed, context.list);
    throw error;
  }
  tellPushed(context, front, listLength(keyspace, entry));
}

/** Tells of a push that has made the list so long. */
function tellPushed(context: Context, front: boolean, length: number): void {
  context.changed(1, front ? "lpush" : "rpush");
  context.reply.integer(length);
}

function pop(context: Context, front: boolean): void {
  const { reply, argc } = context;
  if (argc > 3) {
    const name = front ? "lpop" : "rpop";
    return reply.error(`ERR wrong number of arguments for '${name}' command`);
  }
  if (argc === 3) {
    if (!context.integer(2, NOT_POSITIVE)) return;
    if (context.number.high < 0) return reply.error(NOT_POSITIVE);
  }
  const entry = findList(context, 1);
  if (entry === NO_LIST) return;
  if (argc === 2) {
    if (entry === 0) reply.nullBulk();
    else popElement(context, 1, entry, front);
  } else if (entry === 0) reply.nullArray();
  else if (context.value === 0) reply.array(0);
  else popUpTo(context, 1, entry, front, context.value);
}

function llen(context: Context): void {
  const entry = findListForReading(context, 1);
  if (entry === NO_LIST) return;
  context.reply.integer(entry === 0 ? 0 : listLength(context.keyspace, entry));
}

function lrange(context: Context): void {
  const { keyspace, reply } = context;
  if (!context.integer(2)) return;
  let start = context.value;
  if (!context.integer(3)) return;
  let end = context.value;
  const entry = findListForReading(context, 1);
  if (entry === NO_LIST) return;
  if (entry === 0) return reply.array(0);
  const length = listLength(keyspace, entry);
  if (start < 0) start = Math.max(0, start + length);
  if (end < 0) end += length;
  if (end >= length) end = length - 1;
  if (start > end) return reply.array(0);
  const count = end - start + 1;
  reply.array(count);
  replyListRange(keyspace, reply, entry, start, count, context.list);
}

function lindex(context: Context): void {
  const { keyspace, reply, list } = context;
  const entry = findListForReading(context, 1);
  if (entry === NO_LIST) return;
  if (entry === 0) return reply.nullBulk();
  if (!context.integer(2)) return;
  const index = indexIn(context, entry);
  if (index < 0) return reply.nullBulk();
  const view = listSeek(keyspace, entry, index, list);
  replyListpackElement(reply, view, list.at);
}

/** The integer that was parsed last as an index in the list in `entry`, from 0 on; -1 if there is no such element. */
function indexIn(context: Context, entry: number): number {
  const length = listLength(context.keyspace, entry);
  const index = context.value < 0 ? context.value + length : context.value;
  return index >= 0 && index < length ? index : -1;
}

function lset(context: Context): void {
  const { database, keyspace, reply, list } = context;
  const entry = findList(context, 1);
  if (entry === NO_LIST) return;
  if (entry === 0) return reply.error("ERR no such key");
  if (!context.integer(2)) return;
  const index = indexIn(context, entry);
  if (index < 0) return reply.error("ERR index out of range");
  listSeek(keyspace, entry, index, list);
  const { view, starts, lengths } = context;
  listReplace(database, entry, view, starts[3], lengths[3], list);
  context.changed(1, "lset");
  reply.simple("OK");
}

function linsert(context: Context): void {
  const { database, keyspace, reply, list } = context;
  const after = context.isWord(2, "AFTER");
  if (!after && !context.isWord(2, "BEFORE")) return reply.error(SYNTAX_ERROR);
  let entry = findList(context, 1);
  if (entry === NO_LIST) return;
  if (entry === 0) return reply.integer(0);
  const { view, starts, lengths } = context;
  if (!listFind(keyspace, entry, view, starts[3], lengths[3], list)) return reply.integer(-1);
  const limit = context.limits.listMaxSize;
  entry = listInsert(database, entry, after, view, starts[4], lengths[4], limit, list);
  context.changed(1, "linsert");
  reply.integer(listLength(keyspace, entry));
}

function lrem(context: Context): void {
  const { database, keyspace, reply, list } = context;
  if (!context.integer(2)) return;
  const count = context.value;
  const entry = findList(context, 1);
  if (entry === NO_LIST) return;
  if (entry === 0) return reply.integer(0);
  const { view, starts, lengths } = context;
  const had = listLength(keyspace, entry);
  const most = Math.abs(count);
  const removed = listRemove(
    database,
    entry,
    count < 0,
    most,
    view,
    starts[3],
    lengths[3],
    list,
  );
  if (removed > 0) {
    context.changed(1, "lrem");
    if (removed === had) context.changedToo(1, "del");
  }
  reply.integer(removed);
}

function ltrim(context: Context): void {
  const { database, keyspace, reply, list } = context;
  if (!context.integer(2)) return;
  let start = context.value;
  if (!context.integer(3)) return;
  let end = context.value;
  let entry = findList(context, 1);
  if (entry === NO_LIST) return;
  if (entry === 0) return reply.simple("OK");
  const length = listLength(keyspace, entry);
  if (start < 0) start = Math.max(0, start + length);
  if (end < 0) end += length;
  if (end >= length) end = length - 1;
  if (start > end) entry = listDrop(database, entry, true, length, list);
  else {
    entry = listDrop(database, entry, false, length - 1 - end, list);
    entry = listDrop(database, entry, true, start, list);
  }
  // One that takes nothing away is told of all the same, but isn't repeated elsewhere.
  if (entry !== 0 && listLength(keyspace, entry) === length) context.changedToo(1, "ltrim");
  else context.changed(1, "ltrim");
  if (entry === 0) context.changedToo(1, "del");
  reply.simple("OK");
}

/** The handlers of the commands on lists. */
export const LIST_HANDLERS: HandlersFor<typeof LIST_SPECS, Handler> = {
  lpush: (context) => push(context, true, false),
  rpush: (context) => push(context, false, false),
  lpushx: (context) => push(context, true, true),
  rpushx: (context) => push(context, false, true),
  lpop: (context) => pop(context, true),
  rpop: (context) => pop(context, false),
  lmpop,
  llen,
  lindex,
  lset,
  lrange,
  linsert,
  lrem,
  ltrim,
  lpos,
  lmove,
  rpoplpush,
  blpop: (context) => popOrWait(context, true),
  brpop: (context) => popOrWait(context, false),
  blmpop,
  blmove,
  brpoplpush,
};
