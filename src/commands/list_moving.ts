/**
 * Commands that move elements from one list to another, pop from the first of several lists that has some, or wait for one.
 *
 * Each that waits does at first what its sibling does that doesn't: {@linkcode moveElement} or {@linkcode popFrom}. When there is
 * nothing yet, it waits for its keys, and does the same again for the key that has become ready. What goes to the journal is the
 * sibling.
 *
 * @module
 */
import { removeEntry } from "../keyspace/keyspace.ts";
import { listReturn } from "../keyspace/list_editing.ts";
import { createList, listDrop, listEnd, listPush } from "../keyspace/lists.ts";
import { TYPE_LIST } from "../keyspace/types.ts";
import { elementBytes } from "../memory/listpack_element.ts";
import { type Context, SYNTAX_ERROR } from "./context.ts";
import { findList, NO_LIST, parseEnd, popElement, popUpTo, tellPopped } from "./list_arguments.ts";
import { parseTimeout } from "./timeouts.ts";

const LISTS = 1 << TYPE_LIST;
const MOST_KEYS = 0x7fffffff;

/** What LMPOP and BLMPOP are asked for. */
interface MultiPop {
  readonly firstKey: number;
  readonly keyCount: number;
  readonly front: boolean;
  readonly count: number;
}

/** BLPOP and BRPOP. */
export function popOrWait(context: Context, front: boolean): void {
  const last = context.argc - 1;
  const timeoutMs = parseTimeout(context, last);
  if (timeoutMs === undefined) return;
  const attempt = (context: Context, index: number) => popFrom(context, index, front);
  for (let index = 1; index < last; index++) if (attempt(context, index)) return;
  if (!context.mayBlock) return context.reply.nullArray();
  context.waitForKeys({
    firstKey: 1,
    keyCount: last - 1,
    timeoutMs,
    types: LISTS,
    attempt,
    timeOut: (reply) => reply.nullArray(),
  });
}

/** Replies with the key in argument `index` and an element of its list, or an error; false if there is no such key. */
function popFrom(context: Context, index: number, front: boolean): boolean {
  const entry = findList(context, index);
  if (entry === 0) return false;
  if (entry === NO_LIST) return true;
  const { reply, view, starts, lengths } = context;
  reply.array(2);
  reply.bulkView(view, starts[index], lengths[index]);
  popElement(context, index, entry, front);
  context.effect(() => [front ? "LPOP" : "RPOP", context.argument(index)]);
  return true;
}

/** LMPOP. */
export function lmpop(context: Context): void {
  const pop = parseMultiPop(context, 1);
  if (pop !== undefined && !popFromFirst(context, pop)) context.reply.nullArray();
}

/** BLMPOP. */
export function blmpop(context: Context): void {
  const pop = parseMultiPop(context, 2);
  if (pop === undefined) return;
  const timeoutMs = parseTimeout(context, 1);
  if (timeoutMs === undefined || popFromFirst(context, pop)) return;
  if (!context.mayBlock) return context.reply.nullArray();
  context.waitForKeys({
    firstKey: pop.firstKey,
    keyCount: pop.keyCount,
    timeoutMs,
    types: LISTS,
    attempt: (context, index) => popSome(context, index, pop),
    timeOut: (reply) => reply.nullArray(),
  });
}

/** The arguments from `index` on: how many keys, the keys, which end, and how many elements; undefined after an error reply. */
function parseMultiPop(context: Context, index: number): MultiPop | undefined {
  const noKeys = "ERR numkeys should be greater than 0";
  if (!context.integer(index, noKeys)) return undefined;
  const keyCount = context.value;
  if (keyCount < 1) {
    context.reply.error(noKeys);
    return undefined;
  }
  const where = index + keyCount + 1;
  if (keyCount > MOST_KEYS || where >= context.argc) {
    context.reply.error(SYNTAX_ERROR);
    return undefined;
  }
  const front = parseEnd(context, where);
  if (front === undefined) return undefined;
  let count = 1;
  if (context.argc > where + 1) {
    if (context.argc === where + 2 || !context.isWord(where + 1, "COUNT")) {
      context.reply.error(SYNTAX_ERROR);
      return undefined;
    }
    const noCount = "ERR count should be greater than 0";
    if (!context.integer(where + 2, noCount)) return undefined;
    count = context.value;
    if (count < 1) {
      context.reply.error(noCount);
      return undefined;
    }
    if (context.argc > where + 3) {
      context.reply.error(SYNTAX_ERROR);
      return undefined;
    }
  }
  return { firstKey: index + 1, keyCount, front, count };
}

/** Replies with elements of the first list that there is, or an error; false if there is none. */
function popFromFirst(context: Context, pop: MultiPop): boolean {
  for (let key = 0; key < pop.keyCount; key++) {
    if (popSome(context, pop.firstKey + key, pop)) return true;
  }
  return false;
}

/** Replies with the key in argument `index` and elements of its list, or an error; false if there is no such key. */
function popSome(context: Context, index: number, { front, count }: MultiPop): boolean {
  const entry = findList(context, index);
  if (entry === 0) return false;
  if (entry === NO_LIST) return true;
  const { reply, view, starts, lengths } = context;
  reply.array(2);
  reply.bulkView(view, starts[index], lengths[index]);
  const popped = popUpTo(context, index, entry, front, count);
  context.effect(() => [front ? "LPOP" : "RPOP", context.argument(index), String(popped)]);
  return true;
}

/** LMOVE. */
export function lmove(context: Context): void {
  const from = parseEnd(context, 3);
  if (from === undefined) return;
  const to = parseEnd(context, 4);
  if (to !== undefined && !moveElement(context, from, to)) context.reply.nullBulk();
}

/** RPOPLPUSH. */
export function rpoplpush(context: Context): void {
  if (!moveElement(context, false, true)) context.reply.nullBulk();
}

/** BLMOVE. */
export function blmove(context: Context): void {
  const from = parseEnd(context, 3);
  if (from === undefined) return;
  const to = parseEnd(context, 4);
  if (to === undefined) return;
  moveOrWait(context, 5, (context) => {
    if (!moveElement(context, from, to)) return false;
    const argument = (index: number) => context.argument(index);
    context.effect(() => ["LMOVE", argument(1), argument(2), argument(3), argument(4)]);
    return true;
  });
}

/** BRPOPLPUSH. */
export function brpoplpush(context: Context): void {
  moveOrWait(context, 3, (context) => {
    if (!moveElement(context, false, true)) return false;
    context.effect(() => ["RPOPLPUSH", context.argument(1), context.argument(2)]);
    return true;
  });
}

/** Has `attempt` move an element, or waits for one; argument `timeout` says for how long. */
function moveOrWait(
  context: Context,
  timeout: number,
  attempt: (context: Context) => boolean,
): void {
  const timeoutMs = parseTimeout(context, timeout);
  if (timeoutMs === undefined || attempt(context)) return;
  if (!context.mayBlock) return context.reply.nullBulk();
  context.waitForKeys({
    firstKey: 1,
    keyCount: 1,
    timeoutMs,
    types: LISTS,
    attempt,
    timeOut: (reply) => reply.nullArray(),
  });
}

/**
 * Moves an element from one end of the list in argument 1 to one end of that in argument 2, and replies with it, or an error; false
 * if there is no such list.
 */
function moveElement(context: Context, fromFront: boolean, toFront: boolean): boolean {
  const { database, keyspace, list } = context;
  const source = findList(context, 1);
  if (source === 0) return false;
  if (source === NO_LIST) return true;
  const sourceHash = keyspace.hash;
  const target = findList(context, 2);
  if (target === NO_LIST) return true;
  const view = listEnd(keyspace, source, fromFront, list);
  list.text.takeElement(view, list.at);
  let left = source;
  if (source !== target) {
    pushText(context, target, toFront, 0);
    keyspace.hash = sourceHash;
    left = listDrop(database, source, fromFront, 1, list);
  } else if (fromFront === toFront) {
    left = listReturn(database, source, fromFront, context.limits.listMaxSize, list);
  } else {
    const leaving = elementBytes(view, list.at);
    left = listDrop(database, pushText(context, target, toFront, leaving), fromFront, 1, list);
  }
  context.changed(2, toFront ? "lpush" : "rpush");
  context.reply.bulkView(list.text.view, 0, list.text.length);
  list.text.release();
  tellPopped(context, 1, fromFront, left);
  return true;
}

/** Pushes the text at hand to the list in `entry`, or to a new one with the key in argument 2; returns the entry. */
function pushText(context: Context, entry: number, front: boolean, leaving: number): number {
  const { database, keyspace, list } = context;
  const { text } = list;
  const missing = entry === 0;
  if (missing) {
    const { view, starts, lengths } = context;
    entry = createList(database, view, starts[2], lengths[2], text.length + 2);
  }
  const limit = context.limits.listMaxSize;
  try {
    return listPush(database, entry, front, text.view, 0, text.length, limit, list, leaving);
  } catch (error) {
    if (missing) removeEntry(database, keyspace.hash, entry);
    throw error;
  }
}
