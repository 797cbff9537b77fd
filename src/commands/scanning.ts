/**
 * What SCAN and its kin for collections have in common: cursors, options, and the walk through a large collection.
 *
 * @module
 */
import type { CollectionWalk } from "../keyspace/collection_walk.ts";
import { rootOf } from "../keyspace/collections.ts";
import type { ElementPlace } from "../keyspace/element_place.ts";
import { dictScan } from "../memory/dict.ts";
import { ROOT_DICT, rootWord } from "../memory/root.ts";
import { type Context, NOT_AN_INTEGER, SYNTAX_ERROR, WRONG_TYPE } from "./context.ts";
import { entryType } from "../keyspace/entry_facts.ts";

const DEFAULT_COUNT = 10;
/** How many buckets are looked at for each element that was asked for. */
const STEPS_PER_ELEMENT = 10;
/** What C's strtoul takes for a number to its end: a sign is fine, and so is nothing at all. */
const CURSOR_TEXT = /^(?:[+-]?[0-9]+)?$/;

/** The options of a scan. */
export interface ScanOptions {
  /** About how many elements are wanted. */
  count: number;
  /** Which argument is the pattern; 0 if everything matches. */
  pattern: number;
}

/** Replies with what the walk is at: one reply for each that {@linkcode scanCollection} was told. */
export type ReplyElement = (walk: CollectionWalk) => void;

/** The cursor that a client sends back, of which our own need 32 bits; undefined for another text. */
export function parseCursor(text: string): number | undefined {
  if (!CURSOR_TEXT.test(text)) return undefined;
  const cursor = BigInt(text.replace(/^[+-]/, ""));
  if (cursor >= 1n << 64n) return undefined;
  return Number(BigInt.asUintN(32, text.startsWith("-") ? -cursor : cursor));
}

/** The options from argument 3 on, or undefined after an error. */
export function parseScanOptions(context: Context): ScanOptions | undefined {
  const options = { count: DEFAULT_COUNT, pattern: 0 };
  for (let index = 3; index < context.argc; index += 2) {
    const more = index + 1 < context.argc;
    if (more && context.isWord(index, "COUNT")) {
      if (!context.integer(index + 1, NOT_AN_INTEGER)) return undefined;
      options.count = context.value;
      if (options.count < 1) {
        context.reply.error(SYNTAX_ERROR);
        return undefined;
      }
    } else if (more && context.isWord(index, "MATCH")) {
      options.pattern = context.isWord(index + 1, "*") ? 0 : index + 1;
    } else {
      context.reply.error(SYNTAX_ERROR);
      return undefined;
    }
  }
  return options;
}

/** Whether the element matches the pattern, if there is one. */
function matches(context: Context, place: ElementPlace, pattern: number): boolean {
  if (pattern === 0) return true;
  const from = context.starts[pattern];
  return place.matches(context.bytes, from, from + context.lengths[pattern]);
}

/**
 * SSCAN, HSCAN, ZSCAN of the key in argument 1 with the cursor in argument 2: `replyElement` writes `parts` replies for the element
 * that the walk is at. A small collection comes as a whole.
 */
export function scanCollection(
  context: Context,
  type: number,
  parts: number,
  replyElement: ReplyElement,
): void {
  const { keyspace, reply, walk } = context;
  let cursor = parseCursor(context.quoted(2));
  if (cursor === undefined) return reply.error("ERR invalid cursor");
  const entry = context.findForReading(1);
  if (entry === 0) {
    reply.array(2);
    reply.bulk("0");
    return reply.array(0);
  }
  if (entryType(keyspace, entry) !== type) return reply.error(WRONG_TYPE);
  const options = parseScanOptions(context);
  if (options === undefined) return;
  const { count, pattern } = options;
  walk.enter(keyspace, entry);
  let positions: number[] = [];
  if (walk.isLarge) {
    const dict = rootWord(keyspace.arena, rootOf(keyspace, entry), ROOT_DICT);
    let steps = count * STEPS_PER_ELEMENT;
    do {
      cursor = dictScan(keyspace.arena, dict, cursor, (member) => positions.push(member));
    } while (cursor !== 0 && --steps > 0 && positions.length < count);
  } else {
    cursor = 0;
    while (walk.advance()) positions.push(walk.position);
  }
  if (pattern !== 0) {
    positions = positions.filter((position) => {
      walk.goTo(position);
      return matches(context, walk, pattern);
    });
  }
  reply.array(2);
  reply.bulk(String(cursor));
  reply.array(positions.length * parts);
  for (const position of positions) {
    walk.goTo(position);
    replyElement(walk);
  }
}
