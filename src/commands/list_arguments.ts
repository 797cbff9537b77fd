/**
 * What commands on lists ask of their arguments alike, and how elements leave a list.
 *
 * @module
 */
import { entryType } from "../keyspace/entry_facts.ts";
import {
  listDrop,
  listEnd,
  listLength,
  popQuickly,
  replyListBackwards,
  replyListRange,
} from "../keyspace/lists.ts";
import { replyListpackElement } from "../keyspace/listpack_replies.ts";
import { TYPE_LIST } from "../keyspace/types.ts";
import { type Context, SYNTAX_ERROR, WRONG_TYPE } from "./context.ts";

/** What {@linkcode findList} returns after an error reply. */
export const NO_LIST: number = -1;

/** The entry of the list in argument `index`, 0 if there is none, {@linkcode NO_LIST} if the key holds something else. */
export function findList(context: Context, index: number): number {
  const entry = context.findAndTouch(index);
  return entry === 0 || isList(context, entry) ? entry : NO_LIST;
}

/** As {@linkcode findList}, for a command that reads. */
export function findListForReading(context: Context, index: number): number {
  const entry = context.findForReading(index);
  return entry === 0 || isList(context, entry) ? entry : NO_LIST;
}

/** Whether `entry` is a list; an error is replied if not. */
export function isList(context: Context, entry: number): boolean {
  if (entryType(context.keyspace, entry) === TYPE_LIST) return true;
  context.reply.error(WRONG_TYPE);
  return false;
}

/** Whether argument `index` says the front of a list (LEFT) or the back (RIGHT); undefined after an error reply. */
export function parseEnd(context: Context, index: number): boolean | undefined {
  if (context.isWord(index, "LEFT")) return true;
  if (context.isWord(index, "RIGHT")) return false;
  context.reply.error(SYNTAX_ERROR);
  return undefined;
}

/** Replies with the first or last element of `entry`, whose key is argument `index`, and takes it away. */
export function popElement(context: Context, index: number, entry: number, front: boolean): void {
  const { keyspace, list, reply } = context;
  if (popQuickly(keyspace, entry, front, reply, list)) {
    return context.changed(index, front ? "lpop" : "rpop");
  }
  const view = listEnd(keyspace, entry, front, list);
  replyListpackElement(reply, view, list.at);
  tellPopped(context, index, front, listDrop(context.database, entry, front, 1, list));
}

/** Replies with an array of the first or last `count` elements, which are there, and takes them away. */
export function popElements(
  context: Context,
  index: number,
  entry: number,
  front: boolean,
  count: number,
): void {
  const { keyspace, list, reply } = context;
  reply.array(count);
  if (front) replyListRange(keyspace, reply, entry, 0, count, list);
  else replyListBackwards(keyspace, reply, entry, count, list);
  tellPopped(context, index, front, listDrop(context.database, entry, front, count, list));
}

/** As {@linkcode popElements}, of as many as there are, `count` at most; returns how many. */
export function popUpTo(
  context: Context,
  index: number,
  entry: number,
  front: boolean,
  count: number,
): number {
  const popped = Math.min(count, listLength(context.keyspace, entry));
  popElements(context, index, entry, front, popped);
  return popped;
}

/** Tells that something has left the list in argument `index`; `left` is its entry, or 0. */
export function tellPopped(context: Context, index: number, front: boolean, left: number): void {
  context.changed(index, front ? "lpop" : "rpop");
  if (left === 0) context.changedToo(index, "del");
}
