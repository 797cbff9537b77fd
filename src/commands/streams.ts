/**
 * Handlers of the commands on streams and their entries; their descriptions are in `specs/streams.ts`, reading from several streams
 * is in `stream_reading.ts`, and XINFO in `stream_info.ts`.
 *
 * @module
 */
import { entryIdText } from "../keyspace/entry_ids.ts";
import {
  appendEntry,
  fitsIntoNode,
  nextEntryId,
  payloadBytes,
} from "../keyspace/stream_appending.ts";
import { countEntries, lastLiveId, replyEntries, replyEntryId } from "../keyspace/stream_ranges.ts";
import {
  setRootNumber,
  STREAM_ADDED,
  STREAM_DELETED_ID,
  STREAM_FIRST_ID,
  STREAM_LAST_ID,
  streamLength,
} from "../keyspace/stream_root.ts";
import { deleteEntry, dropEmptyEnd, noteDeleted, trimStream } from "../keyspace/stream_trimming.ts";
import { addStream } from "../keyspace/streams.ts";
import { compareIds, EntryId, readId, writeId } from "../memory/id_tree.ts";
import type { RequestArgument } from "../protocol/request_writer.ts";
import { type Context, type Handler, SYNTAX_ERROR } from "./context.ts";
import type { STREAM_SPECS } from "./specs/streams.ts";
import type { HandlersFor } from "./specs/types.ts";
import {
  idArgument,
  intervalStart,
  intervalStop,
  streamForReading,
  streamForWriting,
} from "./stream_arguments.ts";
import { STREAM_INFO_HANDLERS } from "./stream_info.ts";
import { xread } from "./stream_reading.ts";
import { ID_FREE, ID_GIVEN, type StreamOptions } from "./stream_tools.ts";
import { readAddOptions, readTrimOptions } from "./trim_arguments.ts";

const LOW_ID = "ERR The ID specified in XADD is equal or smaller than the target stream top item";
const NO_ID_LEFT = "ERR The stream has exhausted the last possible ID, unable to add more items";
const TOO_LARGE = "ERR Elements are too large to be stored";

function xadd(context: Context): void {
  const { argc, reply, keyspace, streams: { options, place } } = context;
  const idIndex = readAddOptions(context);
  if (idIndex < 0) return;
  const first = idIndex + 1;
  if (argc - first < 2 || (argc - first) % 2 === 1) {
    return reply.error("ERR wrong number of arguments for 'xadd' command");
  }
  if (options.idForm === ID_GIVEN && options.id.isLowest) {
    return reply.error("ERR The ID specified in XADD must be greater than 0-0");
  }
  let root = streamForWriting(context, 1);
  if (root < 0) return;
  if (root === 0 && options.onlyExisting) return reply.nullBulk();
  if (!chooseId(context, root)) return;
  if (!fitsIntoNode(payloadBytes(context, first, argc))) return reply.error(TOO_LARGE);
  const { arena } = keyspace;
  if (root !== 0) {
    appendEntry(arena, root, options.id, context, first, argc, context.limits, place);
  } else root = makeStream(context, first);
  const trimmed = options.trims ? trimStream(arena, root, options, place) : 0;
  context.changed(1, "xadd");
  if (trimmed > 0) context.changedToo(1, "xtrim");
  if (options.idForm !== ID_GIVEN || options.approximate) {
    context.journaled = true;
    if (context.journal.listening) journalAddition(context, root, idIndex);
  }
  replyEntryId(reply, options.id, place);
}

/** Journals what XADD has done. (A function of its own, since one in which a closure is made pays for it in each call.) */
function journalAddition(context: Context, root: number, idIndex: number): void {
  context.effect(() => addEffect(context, root, idIndex));
}

/** Makes the stream that XADD adds its entry to. */
function makeStream(context: Context, first: number): number {
  const { database, view, starts, lengths, argc, limits, keyspace, streams } = context;
  const { options, place } = streams;
  return addStream(
    database,
    view,
    starts[1],
    lengths[1],
    (root) => appendEntry(keyspace.arena, root, options.id, context, first, argc, limits, place),
  );
}

/** Has `options.id` be the id of the new entry of the stream `root` (0 for a new one); false after an error reply. */
function chooseId(context: Context, root: number): boolean {
  const { reply, keyspace, streams: { options, other: last } } = context;
  if (root === 0) last.setLowest();
  else readId(keyspace.arena, root, STREAM_LAST_ID, last);
  if (last.isHighest) {
    reply.error(NO_ID_LEFT);
    return false;
  }
  const { id } = options;
  if (options.idForm === ID_FREE) return nextEntryId(last, keyspace.now, id);
  const sameTime = id.msHigh === last.msHigh && id.msLow === last.msLow;
  if (options.idForm !== ID_GIVEN && sameTime) {
    // The number behind the last one, unless that is in the next millisecond.
    id.copy(last);
    id.increment();
    if (id.msLow === last.msLow) return true;
    id.copy(last);
  }
  if (compareIds(id, last) > 0) return true;
  reply.error(LOW_ID);
  return false;
}

/** XADD as it is repeated: with its id, and trimming exactly what was trimmed. */
function addEffect(context: Context, root: number, idIndex: number): RequestArgument[] {
  const { options } = context.streams;
  const args: RequestArgument[] = context.allArguments();
  if (options.idForm !== ID_GIVEN) args[idIndex] = entryIdText(options.id);
  if (options.approximate) makeExact(context, root, options, args);
  return args;
}

/** Has `args`, those of the command that runs, trim exactly what was trimmed. */
function makeExact(
  context: Context,
  root: number,
  options: StreamOptions,
  args: RequestArgument[],
): void {
  const { keyspace: { arena }, streams: { other } } = context;
  const { boundIndex } = options;
  args[boundIndex - 1] = "=";
  if (!options.byId) args[boundIndex] = streamLength(arena, root);
  else {
    if (streamLength(arena, root) === 0) other.setHighest();
    else readId(arena, root, STREAM_FIRST_ID, other);
    args[boundIndex] = entryIdText(other);
  }
  if (options.limitIndex > 0) args.splice(options.limitIndex, 2);
}

function xtrim(context: Context): void {
  const { reply, keyspace: { arena }, streams: { options, place } } = context;
  if (!readTrimOptions(context)) return;
  const root = streamForWriting(context, 1);
  if (root < 0) return;
  const trimmed = root === 0 ? 0 : trimStream(arena, root, options, place);
  if (trimmed > 0) {
    context.changed(1, "xtrim");
    context.keyspace.dirty += trimmed - 1;
    if (options.approximate) {
      context.effect(() => {
        const args: RequestArgument[] = context.allArguments();
        makeExact(context, root, options, args);
        return args;
      });
    }
  }
  reply.integer(trimmed);
}

function xlen(context: Context): void {
  const root = streamForReading(context, 1);
  if (root >= 0) context.reply.integer(root === 0 ? 0 : streamLength(context.keyspace.arena, root));
}

function range(context: Context, backwards: boolean): void {
  const { argc, reply, keyspace: { arena }, streams: { range, place } } = context;
  range.backwards = backwards;
  if (!intervalStart(context, backwards ? 3 : 2, range.from)) return;
  if (!intervalStop(context, backwards ? 2 : 3, range.to)) return;
  let limit = Infinity;
  for (let index = 4; index < argc; index += 2) {
    if (!context.isWord(index, "COUNT") || index + 1 === argc) return reply.error(SYNTAX_ERROR);
    if (!context.integer(index + 1)) return;
    limit = Math.max(0, context.value);
  }
  const root = streamForReading(context, 1);
  if (root < 0) return;
  if (root === 0) return reply.array(0);
  if (limit === 0) return reply.nullArray();
  const count = countEntries(arena, root, range, limit, place);
  reply.array(count);
  replyEntries(arena, reply, root, range, count, place);
}

function xdel(context: Context): void {
  const { argc, reply, keyspace: { arena }, streams: { id, other, place } } = context;
  const root = streamForWriting(context, 1);
  if (root < 0) return;
  if (root === 0) return reply.integer(0);
  for (let index = 2; index < argc; index++) if (!idArgument(context, index, id)) return;
  let deleted = 0;
  other.setLowest();
  for (let index = 2; index < argc; index++) {
    idArgument(context, index, id);
    if (!deleteEntry(arena, root, id, place)) continue;
    deleted++;
    if (compareIds(id, other) > 0) other.copy(id);
  }
  if (deleted > 0) {
    noteDeleted(arena, root, other, place);
    context.changed(1, "xdel");
    context.keyspace.dirty += deleted - 1;
  }
  reply.integer(deleted);
}

function xsetid(context: Context): void {
  const { argc, reply, keyspace: { arena }, streams: { id, other, number } } = context;
  if (!idArgument(context, 2, id)) return;
  let added = -1;
  let highest: EntryId | null = null;
  for (let index = 3; index < argc; index += 2) {
    if (index + 1 === argc) return reply.error(SYNTAX_ERROR);
    if (context.isWord(index, "ENTRIESADDED")) {
      if (!context.integer(index + 1)) return;
      added = context.value;
      if (added < 0) return reply.error("ERR entries_added must be positive");
      number.high = context.number.high;
      number.low = context.number.low;
    } else if (context.isWord(index, "MAXDELETEDID")) {
      highest ??= new EntryId();
      if (!idArgument(context, index + 1, highest)) return;
      if (compareIds(id, highest) < 0) {
        return tooSmall(context, "the provided max_deleted_entry_id");
      }
    } else return reply.error(SYNTAX_ERROR);
  }
  const root = streamForWriting(context, 1);
  if (root < 0) return;
  if (root === 0) return reply.error("ERR no such key");
  const length = streamLength(arena, root);
  if (length > 0) {
    lastLiveId(arena, root, other, context.streams.place);
    if (compareIds(id, other) < 0) return tooSmall(context, "the target stream top item");
    if (added >= 0 && length > added) {
      return reply.error(
        "ERR The entries_added specified in XSETID is smaller than the target stream length",
      );
    }
  }
  readId(arena, root, STREAM_LAST_ID, other);
  if (compareIds(id, other) < 0) dropEmptyEnd(arena, root, context.streams.place);
  writeId(arena, root, STREAM_LAST_ID, id);
  if (added >= 0) setRootNumber(arena, root, STREAM_ADDED, number.high, number.low);
  if (highest !== null && !highest.isLowest) writeId(arena, root, STREAM_DELETED_ID, highest);
  context.noted(1, "xsetid");
  reply.simple("OK");
}

function tooSmall(context: Context, than: string): void {
  context.reply.error(`ERR The ID specified in XSETID is smaller than ${than}`);
}

/** The handlers of the commands on streams. */
export const STREAM_HANDLERS: HandlersFor<typeof STREAM_SPECS, Handler> = {
  xadd,
  xdel,
  xtrim,
  xlen,
  xrange: (context) => range(context, false),
  xrevrange: (context) => range(context, true),
  xread,
  xsetid,
  xinfo: STREAM_INFO_HANDLERS,
};
