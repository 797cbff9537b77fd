/**
 * Lists in RDB. They are written as their nodes, each a listpack as it lies in memory; older forms are one ziplist, several, or the
 * elements one by one.
 *
 * @module
 */
import { forEachListNode, ListBuilder, listNodeCount } from "../keyspace/list_transfer.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { TextScratch } from "../keyspace/text_scratch.ts";
import { listpackBytes, listpackFirst, listpackSkip } from "../memory/listpack.ts";
import { listpackValidate } from "../memory/listpack_validation.ts";
import { ListpackBuffer } from "./listpack_buffer.ts";
import {
  NODE_PACKED,
  NODE_PLAIN,
  RDB_TYPE_LIST,
  RDB_TYPE_LIST_QUICKLIST,
  RDB_TYPE_LIST_QUICKLIST_2,
  RDB_TYPE_LIST_ZIPLIST,
} from "./rdb_format.ts";
import type { RdbReader } from "./rdb_reader.ts";
import { RdbText } from "./rdb_text.ts";
import type { LoadedValue, LoadSettings, LoadTarget } from "./rdb_values.ts";
import type { RdbWriter } from "./rdb_writer.ts";
import { appendZiplist } from "./ziplist.ts";

/** Writes the list in `entry`. */
export function writeList(writer: RdbWriter, keyspace: Keyspace, entry: number): void {
  writer.type(RDB_TYPE_LIST_QUICKLIST_2);
  writer.length(listNodeCount(keyspace, entry));
  forEachListNode(keyspace, entry, (view, start) => {
    writer.length(NODE_PACKED);
    writer.text(view, start, listpackBytes(view, start));
  });
}

/** A list that was read. */
class LoadedList implements LoadedValue {
  constructor(private readonly builder: ListBuilder) {}

  store({ database, old, view, start, length, volatile }: LoadTarget): number {
    return this.builder.store(database, old, view, start, length, volatile);
  }

  discard(): void {
    this.builder.abandon();
  }
}

/** Reads a list that was written in the form `type`. */
export function readList(
  reader: RdbReader,
  keyspace: Keyspace,
  { limits }: LoadSettings,
  type: number,
): LoadedValue {
  const builder = new ListBuilder(keyspace, limits.listMaxSize);
  try {
    const count = type === RDB_TYPE_LIST_ZIPLIST ? 1 : reader.length();
    const text = new RdbText();
    for (let index = 0; index < count; index++) READERS[type](reader, builder, text);
    if (builder.length === 0) throw reader.empty("a list without elements");
  } catch (error) {
    builder.abandon();
    throw error;
  }
  return new LoadedList(builder);
}

/** Reads one element or node, with `text` to work with. */
type PartReader = (reader: RdbReader, builder: ListBuilder, text: RdbText) => void;

const READERS: Record<number, PartReader> = {
  [RDB_TYPE_LIST]: readElement,
  [RDB_TYPE_LIST_ZIPLIST]: readElements,
  [RDB_TYPE_LIST_QUICKLIST]: readZiplist,
  [RDB_TYPE_LIST_QUICKLIST_2]: readNode,
};

function readElement(reader: RdbReader, builder: ListBuilder, text: RdbText): void {
  text.read(reader);
  builder.addElement(text.view, text.start, text.length);
}

function readNode(reader: RdbReader, builder: ListBuilder, text: RdbText): void {
  const kind = reader.length();
  if (kind !== NODE_PLAIN && kind !== NODE_PACKED) {
    throw reader.wrong("Quicklist integrity check failed.");
  }
  text.read(reader);
  if (kind === NODE_PACKED) {
    const count = listpackValidate(text.view, text.start, text.length);
    if (count < 0) throw reader.wrong("Listpack integrity check failed.");
    if (count > 0) builder.addNode(text.view, text.start);
    return;
  }
  if (text.length === 0) throw reader.wrong("a node of nothing");
  // An element that has a node of its own keeps it.
  const node = new ListpackBuffer();
  node.append(text.view, text.start, text.length);
  builder.addNode(node.view, 0);
}

/** Adds the elements of a ziplist one by one: a list of the time of ziplists gets nodes of the size that is set now. */
function readElements(reader: RdbReader, builder: ListBuilder, text: RdbText): void {
  text.read(reader);
  const { view, count } = ziplistElements(reader, text);
  const element = new TextScratch();
  let at = listpackFirst(view, 0);
  for (let left = count; left > 0; left--) {
    element.takeElement(view, at);
    builder.addElement(element.view, 0, element.length);
    at = listpackSkip(view, at);
  }
}

function readZiplist(reader: RdbReader, builder: ListBuilder, text: RdbText): void {
  text.read(reader);
  const { view, count } = ziplistElements(reader, text);
  if (count > 0) builder.addNode(view, 0);
}

/** The elements of the ziplist that was read, as a listpack. */
function ziplistElements(reader: RdbReader, text: RdbText): { view: DataView; count: number } {
  const buffer = new ListpackBuffer();
  const count = appendZiplist(text.alone(), buffer);
  if (count < 0) throw reader.wrong("Ziplist integrity check failed.");
  return { view: buffer.view, count };
}
