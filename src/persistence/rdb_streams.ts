/**
 * Streams in RDB: their nodes as they lie in memory, what is known of them, and their groups. The older form lacks the first id, the
 * highest deleted one, and all counts, which are then worked out as far as can be.
 *
 * ```text
 * nodes    | count | id (16 bytes) | listpack | ...
 * stream   | entries | last id | [first id | highest deleted id | entries added] |
 * groups   | count | name | last id | [entries read] | pending | consumers | ...
 * pending  | count | id (16 bytes) | time | deliveries | ...
 * consumer | name | time | [time] | count | id (16 bytes) | ...
 * ```
 *
 * @module
 */
import { rootOf } from "../keyspace/collections.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { StreamFacts, streamNodes } from "../keyspace/stream_facts.ts";
import {
  childName,
  childrenOf,
  CONSUMER_SEEN,
  findChild,
  GROUP_LAST_ID,
  GROUP_READ,
  type Name,
  pendingCount,
} from "../keyspace/stream_groups.ts";
import { StreamPlace } from "../keyspace/stream_nodes.ts";
import {
  assignPending,
  findPending,
  insertPending,
  PendingPlace,
} from "../keyspace/stream_pending.ts";
import {
  readRootNumber,
  STREAM_ADDED,
  STREAM_DELETED_ID,
  STREAM_FIRST_ID,
  STREAM_LAST_ID,
  streamLength,
} from "../keyspace/stream_root.ts";
import { forEachPending, forEachStreamNode, StreamBuilder } from "../keyspace/stream_transfer.ts";
import { isStreamNode } from "../keyspace/stream_validation.ts";
import { TYPE_STREAM } from "../keyspace/types.ts";
import { compareIds, EntryId, readId } from "../memory/id_tree.ts";
import { listpackBytes } from "../memory/listpack.ts";
import { Int64 } from "../protocol/integers.ts";
import { LoadedRoot } from "./loaded_values.ts";
import {
  RDB_TYPE_STREAM_LISTPACKS,
  RDB_TYPE_STREAM_LISTPACKS_2,
  RDB_TYPE_STREAM_LISTPACKS_3,
} from "./rdb_format.ts";
import type { RdbReader } from "./rdb_reader.ts";
import { RdbText } from "./rdb_text.ts";
import type { LoadedValue, LoadSettings } from "./rdb_values.ts";
import type { RdbWriter } from "./rdb_writer.ts";

const ID_BYTES = 16;

/** Writes the stream in `entry`. */
export function writeStream(writer: RdbWriter, keyspace: Keyspace, entry: number): void {
  new StreamWriter(writer, keyspace).write(rootOf(keyspace, entry));
}

/** Writes one stream. */
class StreamWriter {
  private readonly id = new EntryId();
  private readonly number = new Int64();
  private readonly place = new PendingPlace();
  private readonly idBytes = new Uint8Array(ID_BYTES);
  private readonly idView = new DataView(this.idBytes.buffer);

  constructor(private readonly writer: RdbWriter, private readonly keyspace: Keyspace) {}

  write(root: number): void {
    const { writer, keyspace: { arena } } = this;
    writer.type(RDB_TYPE_STREAM_LISTPACKS_2);
    writer.length(streamNodes(arena, root));
    forEachStreamNode(arena, root, (id, view, start) => {
      this.fillIdBytes(id);
      writer.string(this.idBytes);
      writer.text(view, start, listpackBytes(view, start));
    });
    writer.length(streamLength(arena, root));
    this.rootId(root, STREAM_LAST_ID);
    this.rootId(root, STREAM_FIRST_ID);
    this.rootId(root, STREAM_DELETED_ID);
    this.rootNumber(root, STREAM_ADDED);
    const groups = childrenOf(arena, root);
    writer.length(groups.length);
    for (const group of groups) this.group(group);
  }

  private group(group: number): void {
    const { writer, place: { pending }, keyspace: { arena } } = this;
    this.name(group);
    this.rootId(group, GROUP_LAST_ID);
    this.rootNumber(group, GROUP_READ);
    writer.length(pendingCount(arena, group));
    forEachPending(arena, group, group, this.place, (id) => {
      this.rawId(id);
      writer.fixedLong(pending.timeHigh, pending.timeLow);
      writer.long(pending.deliveriesHigh, pending.deliveriesLow);
    });
    const consumers = childrenOf(arena, group);
    writer.length(consumers.length);
    for (const consumer of consumers) {
      this.name(consumer);
      readRootNumber(arena, consumer, CONSUMER_SEEN, this.number);
      writer.fixedLong(this.number.high, this.number.low);
      writer.length(pendingCount(arena, consumer));
      forEachPending(arena, group, consumer, this.place, (id) => this.rawId(id));
    }
  }

  private name(child: number): void {
    const { view, start, length } = childName(this.keyspace.arena, child);
    this.writer.text(view, start, length);
  }

  private rootId(root: number, word: number): void {
    const { id, writer } = this;
    readId(this.keyspace.arena, root, word, id);
    writer.long(id.msHigh, id.msLow);
    writer.long(id.seqHigh, id.seqLow);
  }

  private rootNumber(root: number, word: number): void {
    readRootNumber(this.keyspace.arena, root, word, this.number);
    this.writer.long(this.number.high, this.number.low);
  }

  private rawId(id: EntryId): void {
    this.fillIdBytes(id);
    this.writer.raw(this.idBytes);
  }

  private fillIdBytes(id: EntryId): void {
    this.idView.setInt32(0, id.msHigh);
    this.idView.setInt32(4, id.msLow);
    this.idView.setInt32(8, id.seqHigh);
    this.idView.setInt32(12, id.seqLow);
  }
}

/** Reads a stream that was written in the form `type`. */
export function readStream(
  reader: RdbReader,
  keyspace: Keyspace,
  _settings: LoadSettings,
  type: number,
): LoadedValue {
  const builder = new StreamBuilder(keyspace);
  try {
    const counts = type !== RDB_TYPE_STREAM_LISTPACKS;
    const active = type === RDB_TYPE_STREAM_LISTPACKS_3;
    new StreamReader(reader, keyspace, builder, counts, active).read();
  } catch (error) {
    builder.abandon();
    throw error;
  }
  return new LoadedRoot(keyspace, TYPE_STREAM, builder.root);
}

/** Reads one stream. */
class StreamReader {
  private readonly text = new RdbText();
  private readonly id = new EntryId();
  private readonly place = new PendingPlace();

  /** `counts` says whether it has counts, `active` whether consumers say when they were active. */
  constructor(
    private readonly reader: RdbReader,
    private readonly keyspace: Keyspace,
    private readonly builder: StreamBuilder,
    private readonly counts: boolean,
    private readonly active: boolean,
  ) {}

  read(): void {
    const { reader, builder, keyspace: { arena } } = this;
    const highest = this.readNodes();
    const length = reader.length();
    if (length !== streamLength(arena, builder.root)) {
      throw reader.wrong("a stream whose entries were counted wrong");
    }
    const last = new EntryId();
    const deleted = new EntryId();
    this.longId(last);
    if (compareIds(last, highest) < 0 && !builder.endsBefore(last)) {
      throw reader.wrong("a stream whose last id isn't the last");
    }
    const added = new Int64(0, length);
    if (this.counts) {
      // The first id follows from the nodes.
      this.longId(this.id);
      this.longId(deleted);
      this.long(added);
      // What can't be would be refused when it is told as a command.
      if (added.high < 0 || (added.high === 0 && added.low >>> 0 < length)) {
        Object.assign(added, { high: 0, low: length });
      }
    }
    builder.setFacts(last, deleted, added);
    const facts = new StreamFacts();
    facts.look(arena, builder.root);
    for (let groups = reader.length(); groups > 0; groups--) this.readGroup(facts);
  }

  /** Reads the nodes; returns the id of the last entry, or of the last node. */
  private readNodes(): EntryId {
    const { reader, builder, text } = this;
    const place = new StreamPlace();
    const last = new EntryId();
    for (let nodes = reader.length(); nodes > 0; nodes--) {
      text.read(reader);
      if (text.length !== ID_BYTES) {
        throw reader.wrong("Stream node key entry is not the size of a stream ID");
      }
      fillId(text.view as DataView, text.start, place.nodeId);
      const id = place.nodeId.clone();
      text.read(reader);
      if (!isStreamNode(text.view, text.start, text.length, last, place)) {
        throw reader.wrong("Stream listpack integrity check failed.");
      }
      builder.addNode(id, text.view, text.start);
    }
    return last;
  }

  private readGroup(facts: StreamFacts): void {
    const { reader, builder, keyspace } = this;
    const name = this.name();
    const last = new EntryId();
    this.longId(last);
    const read = new Int64(-1, -1);
    if (this.counts) {
      this.long(read);
      // No count is known: -1; another one below 0 would be refused when it is told as a command.
      if (read.high < 0) Object.assign(read, { high: -1, low: -1 });
    } else if (facts.countUpTo(last)) Object.assign(read, facts.count);
    if (findChild(keyspace, builder.root, name) !== 0) {
      throw reader.wrong("Duplicated consumer group name detected");
    }
    const group = builder.addGroup(name, last, read);
    const pending = reader.length();
    for (let left = pending; left > 0; left--) this.readPending(group);
    let given = 0;
    for (let left = reader.length(); left > 0; left--) given += this.readConsumer(group);
    if (given !== pending) throw reader.wrong("NACK entry without consumer");
  }

  private readPending(group: number): void {
    const { reader, place, id, keyspace: { arena } } = this;
    this.rawId();
    if (findPending(arena, group, id, place)) {
      throw reader.wrong("Duplicated global PEL entry loading stream consumer group");
    }
    const { pending } = place;
    reader.fixedLong();
    pending.timeHigh = reader.number.high;
    pending.timeLow = reader.number.low;
    reader.long();
    pending.deliveriesHigh = reader.number.high;
    pending.deliveriesLow = reader.number.low;
    pending.consumer = 0;
    insertPending(arena, group, id, place);
  }

  /** Reads a consumer; how many entries are pending for it. */
  private readConsumer(group: number): number {
    const { reader, builder, place, id, keyspace } = this;
    const name = this.name();
    if (findChild(keyspace, group, name) !== 0) {
      throw reader.wrong("Duplicate stream consumer detected");
    }
    reader.fixedLong();
    const consumer = builder.addConsumer(group, name, reader.number);
    if (this.active) reader.fixedLong();
    const pending = reader.length();
    for (let left = pending; left > 0; left--) {
      this.rawId();
      if (!findPending(keyspace.arena, group, id, place)) {
        throw reader.wrong("Consumer entry not found in group global PEL");
      }
      if (place.pending.consumer !== 0) {
        throw reader.wrong("Stream consumer PEL entry already has a consumer assigned");
      }
      assignPending(keyspace.arena, consumer, id, place);
    }
    return pending;
  }

  private name(): Name {
    const { text } = this;
    text.read(this.reader);
    return { view: text.view, start: text.start, length: text.length };
  }

  private rawId(): void {
    const { reader } = this;
    fillId(reader.view, reader.skip(ID_BYTES), this.id);
  }

  private longId(id: EntryId): void {
    const { reader } = this;
    reader.long();
    const { high, low } = reader.number;
    reader.long();
    id.set(high, low, reader.number.high, reader.number.low);
  }

  private long(number: Int64): void {
    this.reader.long();
    Object.assign(number, this.reader.number);
  }
}

/** Reads the 16 bytes of an id. */
function fillId(view: DataView, at: number, id: EntryId): void {
  id.set(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
}
