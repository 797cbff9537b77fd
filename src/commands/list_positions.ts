/**
 * LPOS: where an element is in a list.
 *
 * @module
 */
import { chunkView } from "../memory/chunk.ts";
import {
  listpackEnd,
  listpackMatches,
  listpackPrevious,
  listpackSkip,
} from "../memory/listpack.ts";
import { listLength, listNextNode, listPreviousNode, listSeek } from "../keyspace/lists.ts";
import { type Context, SYNTAX_ERROR } from "./context.ts";
import { findListForReading, NO_LIST } from "./list_arguments.ts";

const ZERO_RANK = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the " +
  "second ... or use negative to start from the end of the list";

/** The options of LPOS. */
interface Search {
  /** Which match is the first that is told, 1 for the first. */
  rank: number;
  /** Whether it goes from the last element to the first. */
  backwards: boolean;
  /** How many matches are told, 0 for all; undefined for one that isn't in an array. */
  count: number | undefined;
  /** How many elements are compared, 0 for all. */
  maximum: number;
  /** Whether rank and count don't matter. */
  unbounded: boolean;
}

/** LPOS. */
export function lpos(context: Context): void {
  const { reply } = context;
  const search = parseSearch(context);
  if (search === undefined) return;
  const entry = findListForReading(context, 1);
  if (entry === NO_LIST) return;
  const found = entry === 0 ? [] : findPositions(context, entry, search);
  if (search.count === undefined) {
    if (found.length === 0) reply.nullBulk();
    else reply.integer(found[0]);
    return;
  }
  reply.array(found.length);
  for (const position of found) reply.integer(position);
}

/** The options; undefined after an error reply. */
function parseSearch(context: Context): Search | undefined {
  const search: Search = {
    rank: 1,
    backwards: false,
    count: undefined,
    maximum: 0,
    unbounded: false,
  };
  for (let index = 3; index < context.argc; index += 2) {
    const last = index + 1 === context.argc;
    if (!last && context.isWord(index, "RANK")) {
      if (!context.integer(index + 1)) return undefined;
      search.backwards = context.value < 0;
      search.rank = Math.abs(context.value);
      // The lowest number has no opposite in 64 bits: all matches are beyond it then, and never too many.
      search.unbounded = context.number.high === -0x80000000 && context.number.low === 0;
      if (search.rank === 0) {
        context.reply.error(ZERO_RANK);
        return undefined;
      }
    } else if (!last && context.isWord(index, "COUNT")) {
      if (!parseNatural(context, index + 1, "ERR COUNT can't be negative")) return undefined;
      search.count = context.value;
    } else if (!last && context.isWord(index, "MAXLEN")) {
      if (!parseNatural(context, index + 1, "ERR MAXLEN can't be negative")) return undefined;
      search.maximum = context.value;
    } else {
      context.reply.error(SYNTAX_ERROR);
      return undefined;
    }
  }
  return search;
}

function parseNatural(context: Context, index: number, error: string): boolean {
  if (!context.integer(index, error)) return false;
  if (context.number.high >= 0) return true;
  context.reply.error(error);
  return false;
}

/** The positions of the matches that are told, in the order in which they are found. */
function findPositions(context: Context, entry: number, search: Search): number[] {
  const { keyspace, list, view, starts, lengths } = context;
  const length = listLength(keyspace, entry);
  const { count, unbounded } = search;
  const wanted = count === undefined ? 1 : count === 0 || unbounded ? Infinity : count;
  const rank = unbounded ? 1 : search.rank;
  const compared = search.maximum === 0 ? length : Math.min(search.maximum, length);
  const found: number[] = [];
  let matches = 0;
  let source = listSeek(keyspace, entry, search.backwards ? length - 1 : 0, list);
  for (let looked = 0; looked < compared; looked++) {
    if (listpackMatches(source, list.at, view, starts[2], lengths[2])) {
      if (++matches >= rank) {
        found.push(search.backwards ? length - 1 - looked : looked);
        if (found.length === wanted) break;
      }
    }
    if (looked + 1 === compared) break;
    list.at = search.backwards
      ? listpackPrevious(source, list.start, list.at)
      : listpackSkip(source, list.at);
    const ended = search.backwards ? list.at === 0 : list.at === listpackEnd(source, list.start);
    if (!ended) continue;
    if (search.backwards) listPreviousNode(keyspace, list);
    else listNextNode(keyspace, list);
    source = chunkView(keyspace.arena, list.chunk);
  }
  return found;
}
