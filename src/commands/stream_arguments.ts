/**
 * What commands on streams ask of their arguments alike: a stream, ids, names.
 *
 * @module
 */
import { MISSING_HIGHEST, MISSING_LOWEST, WHOLE_ID } from "../keyspace/entry_ids.ts";
import { rootOf } from "../keyspace/collections.ts";
import { entryType } from "../keyspace/entry_facts.ts";
import type { Name } from "../keyspace/stream_groups.ts";
import { TYPE_STREAM } from "../keyspace/types.ts";
import type { EntryId } from "../memory/id_tree.ts";
import { type Context, WRONG_TYPE } from "./context.ts";

/** Reply where an id is wanted and there is none. */
export const NO_ID_ERROR = "ERR Invalid stream ID specified as stream command argument";

const OPEN = 0x28;

/** The root of the stream in `entry`; 0 for no entry; -1, with an error replied, if it isn't a stream. */
export function streamOf(context: Context, entry: number): number {
  if (entry === 0) return 0;
  if (entryType(context.keyspace, entry) === TYPE_STREAM) return rootOf(context.keyspace, entry);
  context.reply.error(WRONG_TYPE);
  return -1;
}

/** The root of the stream in argument `index` for a command that reads, or 0; -1 after an error reply. */
export function streamForReading(context: Context, index: number): number {
  return streamOf(context, context.findForReading(index));
}

/** The same for a command that writes. */
export function streamForWriting(context: Context, index: number): number {
  return streamOf(context, context.findAndTouch(index));
}

/** Reads argument `index` as an id; its number is 0 if there is none. Replies with an error if it is no id. */
export function idArgument(context: Context, index: number, id: EntryId, strict = true): boolean {
  if (readIdArgument(context, index, 0, MISSING_LOWEST, strict, id) === WHOLE_ID) return true;
  context.reply.error(NO_ID_ERROR);
  return false;
}

/** As {@linkcode idArgument}, without a reply. */
export function isIdArgument(context: Context, index: number, id: EntryId): boolean {
  return readIdArgument(context, index, 0, MISSING_LOWEST, true, id) === WHOLE_ID;
}

/** Reads argument `index` but for its first `skipped` bytes as an id, as `EntryIdReader` does. */
export function readIdArgument(
  context: Context,
  index: number,
  skipped: number,
  missing: number,
  strict: boolean,
  id: EntryId,
): number {
  const { bytes, starts, lengths, streams: { reader } } = context;
  return reader.read(bytes, starts[index] + skipped, lengths[index] - skipped, missing, strict, id);
}

/** Reads argument `index` as the lowest id of an interval, which may be excluded by `(`; false after an error reply. */
export function intervalStart(context: Context, index: number, id: EntryId): boolean {
  const excluded = intervalEnd(context, index, MISSING_LOWEST, id);
  if (excluded === undefined) return false;
  if (!excluded || id.increment()) return true;
  context.reply.error("ERR invalid start ID for the interval");
  return false;
}

/** The same for the highest one. */
export function intervalStop(context: Context, index: number, id: EntryId): boolean {
  const excluded = intervalEnd(context, index, MISSING_HIGHEST, id);
  if (excluded === undefined) return false;
  if (!excluded || id.decrement()) return true;
  context.reply.error("ERR invalid end ID for the interval");
  return false;
}

/** Reads an end of an interval; whether it is excluded, or undefined after an error reply. */
function intervalEnd(
  context: Context,
  index: number,
  missing: number,
  id: EntryId,
): boolean | undefined {
  const { bytes, starts, lengths } = context;
  const excluded = lengths[index] > 1 && bytes[starts[index]] === OPEN;
  if (readIdArgument(context, index, excluded ? 1 : 0, missing, excluded, id) === WHOLE_ID) {
    return excluded;
  }
  context.reply.error(NO_ID_ERROR);
  return undefined;
}

/** Argument `index` as a name. */
export function nameArgument(context: Context, index: number): Name {
  return { view: context.view, start: context.starts[index], length: context.lengths[index] };
}

/** Whether argument `index` is the single character `code`. */
export function isCharacter(context: Context, index: number, code: number): boolean {
  return context.lengths[index] === 1 && context.bytes[context.starts[index]] === code;
}
