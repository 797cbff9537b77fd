/**
 * The subcommands of DEBUG that look into one value.
 *
 * @module
 */
import { accessOf, idleSeconds } from "../keyspace/access_clock.ts";
import { rootOf, tailStart, tailView } from "../keyspace/collections.ts";
import { entryEncoding, entryType } from "../keyspace/entry_facts.ts";
import { forEachListNode } from "../keyspace/list_transfer.ts";
import { listLength } from "../keyspace/lists.ts";
import { setLength } from "../keyspace/sets.ts";
import { referenceCount } from "../keyspace/strings.ts";
import { TextScratch } from "../keyspace/text_scratch.ts";
import {
  ENCODING_LISTPACK,
  ENCODING_ROOT,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
} from "../keyspace/types.ts";
import { valueTypeOf } from "../keyspace/values.ts";
import { type ReadonlyView, UNIT_BYTES } from "../memory/arena.ts";
import { type DictStatistics, dictStatistics } from "../memory/dict_statistics.ts";
import {
  LISTPACK_HEADER_BYTES,
  listpackBytes,
  listpackEnd,
  listpackLength,
  listpackSkip,
} from "../memory/listpack.ts";
import { ROOT_DICT, rootWord } from "../memory/root.ts";
import { writeValue } from "../persistence/rdb_values.ts";
import { parseMemorySize } from "../runtime/memory_size.ts";
import { debuggedEntry, tableText } from "./debug_inspection.ts";
import type { ServerContext } from "./server_context.ts";

/** Gives each byte a character of its own. */
const decoder = new TextDecoder("latin1");
/** What Redis may call large, at most. */
const LARGEST_THRESHOLD = 2 ** 32 - 2 ** 20;

/** DEBUG OBJECT: where and how a value is stored. */
export function debugObject(context: ServerContext): void {
  const { keyspace } = context;
  const entry = debuggedEntry(context);
  if (entry === 0) return;
  context.reply.simple(
    `Value at:0x${(entry * UNIT_BYTES).toString(16)} ` +
      `refcount:${referenceCount(keyspace, entry)} ` +
      `encoding:${valueTypeOf(keyspace, entry).encodingName(keyspace, entry)} ` +
      `serializedlength:${serializedLength(context, entry)} ` +
      `lru:${accessOf(keyspace, entry)} ` +
      `lru_seconds_idle:${keyspace.countsUses ? 0 : idleSeconds(keyspace, entry)}` +
      (entryType(keyspace, entry) === TYPE_LIST ? listFacts(context, entry) : ""),
  );
}

/** Bytes of the value in a snapshot. */
function serializedLength(context: ServerContext, entry: number): number {
  const { writer } = context.server.dumpState;
  writeValue(writer, context.keyspace, entry);
  const typeByte = 1;
  return writer.take().reduce((sum, piece) => sum + piece.length, -typeByte);
}

/** What DEBUG OBJECT says of a list besides: its nodes, and what they take. */
function listFacts({ keyspace, limits }: ServerContext, entry: number): string {
  let nodes = 0;
  let bytes = 0;
  forEachListNode(keyspace, entry, (view, start) => {
    nodes++;
    bytes += listpackBytes(view, start);
  });
  const average = (listLength(keyspace, entry) / nodes).toFixed(2);
  return ` ql_nodes:${nodes} ql_avg_node:${average} ql_listpack_max:${limits.listMaxSize} ` +
    `ql_compressed:${limits.listCompressDepth === 0 ? 0 : 1} ql_uncompressed_size:${bytes}`;
}

/** DEBUG LISTPACK: writes the elements of a small collection to the log. */
export function debugListpack(context: ServerContext): void {
  const { keyspace, reply } = context;
  const entry = debuggedEntry(context);
  if (entry === 0) return;
  // A small set of strings is one, too, but in Redis it isn't.
  const isListpack = valueTypeOf(keyspace, entry).encodingName(keyspace, entry) === "listpack";
  if (!isListpack) return reply.error("ERR Not a listpack encoded object.");
  logListpack(context, tailView(keyspace, entry), tailStart(keyspace, entry));
  reply.simple("Listpack structure printed on stdout");
}

/** DEBUG QUICKLIST: the same for the nodes of a list. */
export function debugQuicklist(context: ServerContext): void {
  const { keyspace, reply } = context;
  const entry = debuggedEntry(context);
  if (entry === 0) return;
  if (entryType(keyspace, entry) !== TYPE_LIST) {
    return reply.error("ERR Not a quicklist encoded object.");
  }
  forEachListNode(keyspace, entry, (view, start) => logListpack(context, view, start));
  reply.simple("Quicklist structure printed on stdout");
}

/** Writes what a listpack has to the log. */
function logListpack(
  { server: { logger } }: ServerContext,
  view: ReadonlyView,
  start: number,
): void {
  const bytes = listpackBytes(view, start);
  logger.log("notice", `listpack: ${bytes} bytes, ${listpackLength(view, start)} elements`);
  const text = new TextScratch();
  const end = listpackEnd(view, start);
  for (let at = start + LISTPACK_HEADER_BYTES; at < end;) {
    text.takeElement(view, at);
    const next = listpackSkip(view, at);
    const characters = decoder.decode(text.bytes.subarray(0, text.length));
    logger.log("notice", `  at ${at - start}, ${next - at} bytes: ${JSON.stringify(characters)}`);
    at = next;
  }
}

/**
 * DEBUG QUICKLIST-PACKED-THRESHOLD: from which size on an element has a node of its own that is no listpack. Here every node is one, so
 * there is nothing to set, and only a wrong value is told.
 */
export function debugPackedThreshold(context: ServerContext): void {
  const bytes = parseMemorySize(context.text(2));
  if (bytes === undefined || bytes > LARGEST_THRESHOLD) {
    return context.reply.error(
      "ERR argument must be a memory value bigger than 1 and smaller than 4gb",
    );
  }
  context.reply.simple("OK");
}

/** DEBUG HTSTATS-KEY: how the elements of a large collection are spread over its table. */
export function debugTableOfKey(context: ServerContext): void {
  const { reply } = context;
  const entry = debuggedEntry(context);
  if (entry === 0) return;
  const statistics = tableOf(context, entry);
  if (statistics === null) {
    return reply.error(
      "ERR The value stored at the specified key is not represented using an hash table",
    );
  }
  reply.verbatim("txt", tableText(statistics));
}

/** How the elements of the collection in `entry` are spread; null for one without a table. */
function tableOf({ keyspace }: ServerContext, entry: number): DictStatistics | null {
  const { arena } = keyspace;
  const encoding = entryEncoding(keyspace, entry);
  const type = entryType(keyspace, entry);
  if (encoding === ENCODING_ROOT && type !== TYPE_LIST && type !== TYPE_STREAM) {
    return dictStatistics(arena, rootWord(arena, rootOf(keyspace, entry), ROOT_DICT));
  }
  if (encoding !== ENCODING_LISTPACK || type !== TYPE_SET) return null;
  // It says that it is a table, so it is one of a single bucket.
  const entries = setLength(keyspace, entry);
  const bucketsByLength = new Array<number>(entries + 1).fill(0);
  bucketsByLength[entries] = 1;
  return { buckets: 1, entries, bucketsByLength, longest: entries };
}
