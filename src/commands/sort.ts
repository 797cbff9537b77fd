/**
 * SORT and SORT_RO; their descriptions are in `specs/sort.ts`.
 *
 * **In three steps.** Load: name each element of the list, set or sorted set in a {@linkcode SortVector}, in the order in which it is
 * stored. Sort: by the number that the element says, or that `BY` leads to, or, with `ALPHA`, by bytes; equal numbers are
 * sorted by the bytes of their elements. Answer: the elements, or what each `GET` leads to, as a reply or as a list at another key.
 * Redis sorts text by the collation of its locale, which is by bytes unless somebody has set one up; here it is always by bytes.
 *
 * **Not sorted** is what `BY` has a pattern without a `*` for. A list and a sorted set have an order then, which is kept, and
 * only what `LIMIT` asks for is loaded. A set has none; it is sorted after all if it is stored, so that replicas store the same.
 *
 * @module
 */
import { CollectionWalk } from "../keyspace/collection_walk.ts";
import { becomeRoot } from "../keyspace/collections.ts";
import { entryType } from "../keyspace/entry_facts.ts";
import { removeEntry } from "../keyspace/keyspace.ts";
import { forEachListElement, ListBuilder } from "../keyspace/list_transfer.ts";
import {
  listLength,
  listNextNode,
  ListPlace,
  listPreviousNode,
  listSeek,
} from "../keyspace/lists.ts";
import { setLength } from "../keyspace/sets.ts";
import {
  isSmallSortedSet,
  sortedRootOf,
  sortedSetLength,
  SortedSetPlace,
} from "../keyspace/sorted_sets.ts";
import { TYPE_LIST, TYPE_SET, TYPE_ZSET } from "../keyspace/types.ts";
import { chunkView } from "../memory/chunk.ts";
import { listpackNext, listpackPrevious } from "../memory/listpack.ts";
import { type Context, type Handler, SYNTAX_ERROR, WRONG_TYPE } from "./context.ts";
import { isConstantPattern, SortPattern } from "./sort_patterns.ts";
import { SortVector } from "./sort_vector.ts";
import type { SORT_SPECS } from "./specs/sort.ts";
import type { HandlersFor } from "./specs/types.ts";

const NOT_A_NUMBER = "ERR One or more scores can't be converted into double";
const SORTED_TYPES = (1 << TYPE_LIST) | (1 << TYPE_SET) | (1 << TYPE_ZSET);

/** What is asked for. */
interface SortOptions {
  descending: boolean;
  /** By bytes. */
  alphabetic: boolean;
  /** The order that there is is kept. */
  unsorted: boolean;
  /** Number of the first element that is wanted, and how many are, both as they were asked for. */
  offset: number;
  count: number;
  by: SortPattern | null;
  readonly gets: SortPattern[];
  /** Which argument is the key that the result is stored at; 0 for none. */
  store: number;
}

/** SORT; SORT_RO, which is `readOnly`, knows no STORE. */
function sort(context: Context, readOnly: boolean): void {
  const { keyspace, reply } = context;
  const options = parseOptions(context, readOnly);
  if (options === undefined) return;
  let entry = context.findForReading(1);
  const type = entry === 0 ? TYPE_LIST : entryType(keyspace, entry);
  if (((SORTED_TYPES >>> type) & 1) === 0) return reply.error(WRONG_TYPE);
  if (options.unsorted && type === TYPE_SET && options.store !== 0) {
    options.unsorted = false;
    options.alphabetic = true;
    options.by = null;
  }
  if (type === TYPE_ZSET) entry = becomeLarge(context, entry);
  const length = entry === 0 ? 0 : collectionLength(context, entry, type);
  const [first, end] = limits(options, length);
  const vector = new SortVector();
  const ordered = options.unsorted && type !== TYPE_SET;
  if (entry !== 0) {
    if (!ordered) loadAll(context, entry, type, vector);
    else if (type === TYPE_LIST) loadList(context, entry, vector, options, first, end - first);
    else loadSortedSet(context, entry, vector, options, first, end - first);
  }
  const order = sortedOrder(vector, options);
  if (order === null) return reply.error(NOT_A_NUMBER);
  const wanted = ordered ? order : order.slice(first, end);
  if (options.store === 0) answer(context, vector, wanted, options.gets);
  else store(context, vector, wanted, options);
}

/** The options, or undefined after an error. */
function parseOptions(context: Context, readOnly: boolean): SortOptions | undefined {
  const options: SortOptions = {
    descending: false,
    alphabetic: false,
    unsorted: false,
    offset: 0,
    count: -1,
    by: null,
    gets: [],
    store: 0,
  };
  for (let index = 2; index < context.argc; index++) {
    const left = context.argc - index - 1;
    if (context.isWord(index, "ASC")) options.descending = false;
    else if (context.isWord(index, "DESC")) options.descending = true;
    else if (context.isWord(index, "ALPHA")) options.alphabetic = true;
    else if (context.isWord(index, "LIMIT") && left >= 2) {
      if (!context.integer(index + 1)) return undefined;
      options.offset = context.value;
      if (!context.integer(index + 2)) return undefined;
      options.count = context.value;
      index += 2;
    } else if (context.isWord(index, "STORE") && left >= 1 && !readOnly) options.store = ++index;
    else if (context.isWord(index, "BY") && left >= 1) {
      options.by = new SortPattern(context, ++index);
      // Once one BY has said so, no other takes it back.
      if (isConstantPattern(context, index)) options.unsorted = true;
    } else if (context.isWord(index, "GET") && left >= 1) {
      options.gets.push(new SortPattern(context, ++index));
    } else {
      context.reply.error(SYNTAX_ERROR);
      return undefined;
    }
  }
  return options;
}

/** Number of the first element that is wanted, and of the first behind it that isn't, among `length`. */
function limits({ offset, count }: SortOptions, length: number): [first: number, end: number] {
  const first = Math.min(Math.max(offset, 0), length);
  const wanted = count < 0 ? length : Math.min(count, length);
  return [first, Math.min(first + wanted, length)];
}

/** Has the sorted set in `entry` be a large one, as Redis has it whenever it is sorted; returns the entry. */
function becomeLarge({ database, keyspace }: Context, entry: number): number {
  if (!isSmallSortedSet(keyspace, entry)) return entry;
  const place = new SortedSetPlace();
  place.enter(keyspace, entry);
  const root = sortedRootOf(keyspace, place);
  try {
    return becomeRoot(database, entry, TYPE_ZSET, root);
  } catch (error) {
    keyspace.freeValueBlock(root);
    throw error;
  }
}

function collectionLength(context: Context, entry: number, type: number): number {
  const { keyspace } = context;
  if (type === TYPE_LIST) return listLength(keyspace, entry);
  return type === TYPE_SET ? setLength(keyspace, entry) : sortedSetLength(keyspace, entry);
}

/** Loads all elements, in no order. */
function loadAll(context: Context, entry: number, type: number, vector: SortVector): void {
  const { keyspace } = context;
  if (type === TYPE_LIST) {
    return forEachListElement(keyspace, entry, (view, at) => vector.addElement(view, at));
  }
  const walk = new CollectionWalk();
  walk.enter(keyspace, entry);
  while (walk.next()) vector.addPlace(walk);
}

/** Loads `count` elements of a list, from number `first` on, or, descending, so many from its end on. */
function loadList(
  context: Context,
  entry: number,
  vector: SortVector,
  { descending }: SortOptions,
  first: number,
  count: number,
): void {
  if (count <= 0) return;
  const { keyspace } = context;
  const place = new ListPlace();
  const index = descending ? listLength(keyspace, entry) - 1 - first : first;
  let view = listSeek(keyspace, entry, index, place);
  for (;;) {
    vector.addElement(view, place.at);
    if (--count === 0) return;
    place.at = descending
      ? listpackPrevious(view, place.start, place.at)
      : listpackNext(view, place.at);
    if (place.at !== 0) continue;
    if (descending) listPreviousNode(keyspace, place);
    else listNextNode(keyspace, place);
    view = chunkView(keyspace.arena, place.chunk);
  }
}

/** Loads `count` members of a sorted set, from the one with rank `first` on, upwards or downwards. */
function loadSortedSet(
  context: Context,
  entry: number,
  vector: SortVector,
  { descending }: SortOptions,
  first: number,
  count: number,
): void {
  if (count <= 0) return;
  const place = new SortedSetPlace();
  place.enter(context.keyspace, entry);
  place.goTo(descending ? place.count - 1 - first : first);
  for (; count > 0; count--) {
    place.read();
    vector.addPlace(place.element);
    if (count > 1) place.step(descending);
  }
}

/** The numbers of all elements in the order that is asked for; null if one isn't to be compared. */
function sortedOrder(vector: SortVector, options: SortOptions): number[] | null {
  const { by, descending } = options;
  const order = Array.from({ length: vector.length }, (_, index) => index);
  if (options.unsorted) return order;
  const keys = by === null ? vector : lookedUp(vector, by);
  const sign = descending ? -1 : 1;
  if (options.alphabetic) {
    return order.sort((first, second) => sign * keys.compare(first, second));
  }
  const weights = keys.weights();
  if (weights === null) return null;
  return order.sort((first, second) => {
    const difference = weights[first] - weights[second];
    // Two of the same infinity are equal, too.
    if (difference === 0 || difference !== difference) return sign * vector.compare(first, second);
    return sign * difference;
  });
}

/** What `by` leads to from each element. */
function lookedUp(vector: SortVector, by: SortPattern): SortVector {
  const keys = new SortVector();
  for (let index = 0; index < vector.length; index++) {
    if (by.find(vector.view(index), vector.start(index), vector.bytes(index))) {
      keys.addPlace(by.place);
    } else keys.addNothing();
  }
  return keys;
}

/** Replies with the elements `wanted`, or with what `gets` leads to from each. */
function answer(
  { reply }: Context,
  vector: SortVector,
  wanted: readonly number[],
  gets: readonly SortPattern[],
): void {
  reply.array(wanted.length * Math.max(1, gets.length));
  for (const index of wanted) {
    const view = vector.view(index);
    const start = vector.start(index);
    const length = vector.bytes(index);
    if (gets.length === 0) reply.bulkView(view, start, length);
    for (const get of gets) {
      if (get.find(view, start, length)) get.place.reply(reply);
      else reply.nullBulk();
    }
  }
}

/** Stores them as a list, or removes the key if there are none, and replies with their number. */
function store(
  context: Context,
  vector: SortVector,
  wanted: readonly number[],
  { store: key, gets }: SortOptions,
): void {
  const { database, keyspace, view, starts, lengths, reply } = context;
  const builder = new ListBuilder(keyspace, context.limits.listMaxSize);
  try {
    for (const index of wanted) push(builder, vector, index, gets);
    const old = context.find(key);
    if (wanted.length > 0) {
      builder.store(database, old, view, starts[key], lengths[key], false);
      context.changed(key, "sortstore");
    } else if (old !== 0) {
      removeEntry(database, keyspace.hash, old);
      context.changed(key, "del");
    }
  } catch (error) {
    builder.abandon();
    throw error;
  }
  reply.integer(wanted.length * Math.max(1, gets.length));
}

/** Adds an element, or what `gets` leads to from it, to a list; what isn't there is empty. */
function push(
  builder: ListBuilder,
  vector: SortVector,
  index: number,
  gets: readonly SortPattern[],
): void {
  const view = vector.view(index);
  const start = vector.start(index);
  const length = vector.bytes(index);
  if (gets.length === 0) return builder.addElement(view, start, length);
  for (const get of gets) {
    if (get.find(view, start, length)) {
      const { place } = get;
      place.spell();
      builder.addElement(place.view, place.start, place.length);
    } else builder.addElement(view, start, 0);
  }
}

/** The handlers of the commands that sort. */
export const SORT_HANDLERS: HandlersFor<typeof SORT_SPECS, Handler> = {
  sort: (context) => sort(context, false),
  sort_ro: (context) => sort(context, true),
};
