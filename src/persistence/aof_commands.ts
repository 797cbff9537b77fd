/**
 * Writes the data of a keyspace as the commands that make it: what an append-only file begins with when
 * `aof-use-rdb-preamble` is off.
 *
 * ```text
 * #TS:seconds                                                 no command: a note, with `aof-timestamp-enabled`
 * FUNCTION LOAD code                                          per library
 * SELECT number                                               per database
 * SET key value
 * RPUSH key element ...                                       up to 64 elements a command,
 * SADD key member ...                                         however many there are
 * ZADD key score member ...
 * HMSET key field value ...
 * XADD key id field value ...                                 per entry, or, for a stream without entries,
 * XADD key MAXLEN 0 0-1 x y                                   one that goes as it comes
 * XSETID key id ENTRIESADDED count MAXDELETEDID id
 * XSETID key id                                               if the last id is behind a deleted one
 * XGROUP CREATE key group id ENTRIESREAD count                per group
 * XGROUP CREATECONSUMER key group consumer                    per consumer that nothing is pending for
 * XCLAIM key group consumer 0 id TIME ms RETRYCOUNT count JUSTID FORCE      for all else that is pending
 * PEXPIREAT key ms                                            if the key has an expiry
 * ```
 *
 * These are the commands of Redis 7.0, word for word (but for the second XSETID, without which the id would be lost),
 * so that both load what the other has written. The members of a collection come in the order in which they lie here,
 * and those of a large sorted set by score, since a set that grows at its end grows fastest. As in Redis, two things
 * don't come back: when a consumer was seen (it is when the file is loaded), and what is pending of an entry that is
 * deleted, which XCLAIM passes over.
 *
 * **Cost.** One buffer of 64 KiB, however much there is: a collection is walked, and never put together; a long
 * string goes to the sink from where it lies. Only the arena is read, so this also works over a copy of it.
 *
 * @module
 */
import { rootOf } from "../keyspace/collections.ts";
import { CollectionWalk } from "../keyspace/collection_walk.ts";
import { ElementPlace } from "../keyspace/element_place.ts";
import { entryType, hasExpiry, readExpiry } from "../keyspace/entry_facts.ts";
import { ID_TEXT_BYTES, writeEntryId } from "../keyspace/entry_ids.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { listLength } from "../keyspace/lists.ts";
import { forEachListElement } from "../keyspace/list_transfer.ts";
import { forEachScored } from "../keyspace/sorted_set_transfer.ts";
import { SortedSetPlace } from "../keyspace/sorted_set_place.ts";
import {
  childName,
  GROUP_LAST_ID,
  GROUP_READ,
  type Name,
  pendingCount,
} from "../keyspace/stream_groups.ts";
import { FLAG_SAME_FIELDS, StreamPlace } from "../keyspace/stream_nodes.ts";
import { PendingPlace } from "../keyspace/stream_pending.ts";
import { EntryRange, visitEntries } from "../keyspace/stream_ranges.ts";
import {
  readRootNumber,
  STREAM_ADDED,
  STREAM_DELETED_ID,
  STREAM_LAST_ID,
  streamLength,
} from "../keyspace/stream_root.ts";
import { forEachPending } from "../keyspace/stream_transfer.ts";
import { placeString } from "../keyspace/strings.ts";
import { TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_STREAM, TYPE_ZSET } from "../keyspace/types.ts";
import { type Arena, type ReadonlyView, SEGMENT_SHIFT } from "../memory/arena.ts";
import { copyBytes } from "../memory/copy.ts";
import { DictWalk } from "../memory/dict_walk.ts";
import { keyLength, keyStart } from "../memory/entry.ts";
import { compareIds, EntryId, readId } from "../memory/id_tree.ts";
import {
  elementBytes,
  integerHighAt,
  integerLowAt,
  isIntegerAt,
  stringLengthAt,
  stringStartAt,
} from "../memory/listpack_element.ts";
import { memberChild } from "../memory/member.ts";
import { ROOT_DICT, rootWord } from "../memory/root.ts";
import { writeDouble17g } from "../protocol/doubles.ts";
import { Int64, writeInteger, writeInteger64 } from "../protocol/integers.ts";
import type { SnapshotFacts } from "./rdb_file_writer.ts";

/** Elements of a collection in one command at most, a field with its value being one. */
const ELEMENTS_PER_COMMAND = 64;
const BUFFER_BYTES = 64 * 1024;
/** Room for the line that announces a count, and some. */
const COUNT_LINE_BYTES = 24;
const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

const encoder = new TextEncoder();

/** Words that are always the same, as the protocol has them. */
const SELECT = words("SELECT");
const FUNCTION_LOAD = words("FUNCTION", "LOAD");
const SET = words("SET");
const RPUSH = words("RPUSH");
const SADD = words("SADD");
const ZADD = words("ZADD");
const HMSET = words("HMSET");
const XADD = words("XADD");
const NO_ENTRIES = words("MAXLEN", "0", "0-1", "x", "y");
const XSETID = words("XSETID");
const ENTRIES_ADDED = words("ENTRIESADDED");
const MAX_DELETED_ID = words("MAXDELETEDID");
const XGROUP_CREATE = words("XGROUP", "CREATE");
const ENTRIES_READ = words("ENTRIESREAD");
const XGROUP_CREATE_CONSUMER = words("XGROUP", "CREATECONSUMER");
const XCLAIM = words("XCLAIM");
const NOT_IDLE = words("0");
const TIME = words("TIME");
const RETRY_COUNT = words("RETRYCOUNT");
const JUST_ID_FORCE = words("JUSTID", "FORCE");
const PEXPIREAT = words("PEXPIREAT");

function words(...texts: readonly string[]): Uint8Array {
  return encoder.encode(texts.map((text) => `$${text.length}\r\n${text}\r\n`).join(""));
}

/** Writes words of commands into a buffer that goes to the sink when it is full. */
class CommandOutput {
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private readonly view = new DataView(this.buffer.buffer);
  private position = 0;
  /** Room for the text of a number or an id. */
  private readonly text = new Uint8Array(ID_TEXT_BYTES);
  private readonly textView = new DataView(this.text.buffer);
  /** The name of the key that commands are about. */
  private keyView: ReadonlyView = this.view;
  private keyAt = 0;
  private keyBytes = 0;

  constructor(private readonly sink: (bytes: Uint8Array) => void) {}

  /** The commands that follow are about the key with this name. */
  setKey(view: ReadonlyView, start: number, length: number): void {
    this.keyView = view;
    this.keyAt = start;
    this.keyBytes = length;
  }

  /** Begins a command of `count` words, the first of which are `first`. */
  command(count: number, first: Uint8Array): void {
    this.countLine(ASTERISK, count);
    this.fixed(first);
  }

  /** Words as the protocol has them. */
  fixed(encoded: Uint8Array): void {
    this.ensure(encoded.length);
    const { buffer } = this;
    let to = this.position;
    for (let from = 0; from < encoded.length; from++) buffer[to++] = encoded[from];
    this.position = to;
  }

  /** The name of the key. */
  key(): void {
    this.bytes(this.keyView, this.keyAt, this.keyBytes);
  }

  /** The `length` bytes of `view` from `start`. */
  bytes(view: ReadonlyView, start: number, length: number): void {
    this.countLine(DOLLAR, length);
    if (length >= BUFFER_BYTES) {
      this.flush();
      const { buffer, byteOffset } = view as DataView;
      this.sink(new Uint8Array(buffer, byteOffset + start, length));
    } else {
      this.ensure(length);
      copyBytes(view, start, this.view, this.position, length);
      this.position += length;
    }
    this.lineEnd();
  }

  /** The name of a group or consumer. */
  name({ view, start, length }: Name): void {
    this.bytes(view, start, length);
  }

  /** The element at `at` of a listpack; returns where the next one is. */
  listpackElement(view: ReadonlyView, at: number): number {
    if (isIntegerAt(view, at)) {
      const low = integerLowAt(view, at);
      this.integer(integerHighAt(view, at, low), low);
    } else this.bytes(view, stringStartAt(view, at), stringLengthAt(view, at));
    return at + elementBytes(view, at);
  }

  /** The element that `place` tells. */
  element(place: ElementPlace): void {
    if (place.isInteger) this.integer(place.high, place.low);
    else this.bytes(place.view, place.start, place.length);
  }

  /** A signed integer of 64 bits. */
  integer(high: number, low: number): void {
    this.bytes(this.textView, 0, writeInteger64(this.text, 0, high, low));
  }

  /** A double, with as many digits as it takes to read the same one. */
  double(value: number): void {
    this.bytes(this.textView, 0, writeDouble17g(this.text, 0, value));
  }

  /** The id of an entry. */
  id(id: EntryId): void {
    this.bytes(this.textView, 0, writeEntryId(this.text, 0, id));
  }

  /** Gives the sink what is in the buffer. */
  flush(): void {
    if (this.position === 0) return;
    this.sink(this.buffer.subarray(0, this.position));
    this.position = 0;
  }

  private countLine(mark: number, count: number): void {
    this.ensure(COUNT_LINE_BYTES);
    const { buffer } = this;
    buffer[this.position++] = mark;
    this.position += writeInteger(buffer, this.position, count);
    this.lineEnd();
  }

  private lineEnd(): void {
    this.ensure(2);
    this.buffer[this.position++] = CARRIAGE_RETURN;
    this.buffer[this.position++] = LINE_FEED;
  }

  /** Makes sure that so many bytes, at most those of the buffer, fit into it. */
  private ensure(bytes: number): void {
    if (this.position + bytes > BUFFER_BYTES) this.flush();
  }
}

/** Spreads the elements of a collection over commands of up to 64. */
class ElementRun {
  /** Elements that no command has yet. */
  private left = 0;
  /** Elements that the command which was begun last still takes. */
  private room = 0;
  private name = SADD;
  private wordsEach = 1;

  constructor(private readonly output: CommandOutput) {}

  /** `count` elements of `wordsEach` words follow, for commands called `name`. */
  begin(name: Uint8Array, count: number, wordsEach: number): void {
    this.name = name;
    this.left = count;
    this.room = 0;
    this.wordsEach = wordsEach;
  }

  /** The words of an element follow. */
  next(): void {
    if (this.room === 0) {
      this.room = Math.min(this.left, ELEMENTS_PER_COMMAND);
      this.output.command(2 + this.room * this.wordsEach, this.name);
      this.output.key();
    }
    this.room--;
    this.left--;
  }
}

/** Writes streams, whose key the output knows. */
class StreamCommands {
  private readonly range = new EntryRange();
  private readonly place = new StreamPlace();
  private readonly pending = new PendingPlace();
  private readonly groups = new DictWalk();
  private readonly consumers = new DictWalk();
  private readonly last = new EntryId();
  private readonly deleted = new EntryId();
  private readonly number = new Int64();

  constructor(private readonly arena: Arena, private readonly output: CommandOutput) {}

  /** Writes the stream at `root`. */
  write(root: number): void {
    const { arena, output, range } = this;
    if (streamLength(arena, root) === 0) {
      output.command(7, XADD);
      output.key();
      output.fixed(NO_ENTRIES);
    } else {
      range.setAll();
      visitEntries(arena, root, range, Infinity, this.place, (place) => this.entry(place));
    }
    this.ids(root);
    const dict = rootWord(arena, root, ROOT_DICT);
    if (dict === 0) return;
    this.groups.begin(arena, dict);
    for (let group = this.groups.next(); group !== 0; group = this.groups.next()) {
      this.group(memberChild(arena, group));
    }
  }

  /** The id of the last entry, which may be deleted, and what else the entries don't tell. */
  private ids(root: number): void {
    const { arena, output, last, deleted } = this;
    readId(arena, root, STREAM_LAST_ID, last);
    readId(arena, root, STREAM_DELETED_ID, deleted);
    // XSETID may have gone back behind a deleted entry, but refuses to go there when it is told of that entry. Redis
    // writes the one command all the same, and then loads another id.
    const wentBack = compareIds(last, deleted) < 0;
    output.command(7, XSETID);
    output.key();
    output.id(wentBack ? deleted : last);
    output.fixed(ENTRIES_ADDED);
    this.numberOf(root, STREAM_ADDED);
    output.fixed(MAX_DELETED_ID);
    output.id(deleted);
    if (!wentBack) return;
    output.command(3, XSETID);
    output.key();
    output.id(last);
  }

  private entry(place: StreamPlace): void {
    const { output } = this;
    const { view, fields } = place;
    output.command(3 + fields * 2, XADD);
    output.key();
    output.id(place.id);
    let at = place.dataAt;
    if ((place.flags & FLAG_SAME_FIELDS) === 0) {
      for (let word = fields * 2; word > 0; word--) at = output.listpackElement(view, at);
      return;
    }
    let name = place.masterAt;
    for (let field = fields; field > 0; field--) {
      name = output.listpackElement(view, name);
      at = output.listpackElement(view, at);
    }
  }

  private group(group: number): void {
    const { arena, output } = this;
    const groupName = childName(arena, group);
    output.command(7, XGROUP_CREATE);
    output.key();
    output.name(groupName);
    readId(arena, group, GROUP_LAST_ID, this.last);
    output.id(this.last);
    output.fixed(ENTRIES_READ);
    this.numberOf(group, GROUP_READ);
    const dict = rootWord(arena, group, ROOT_DICT);
    if (dict === 0) return;
    this.consumers.begin(arena, dict);
    for (let member = this.consumers.next(); member !== 0; member = this.consumers.next()) {
      this.consumer(group, groupName, memberChild(arena, member));
    }
  }

  private consumer(group: number, groupName: Name, consumer: number): void {
    const { arena, output, pending: { pending } } = this;
    const consumerName = childName(arena, consumer);
    if (pendingCount(arena, consumer) === 0) {
      output.command(5, XGROUP_CREATE_CONSUMER);
      output.key();
      output.name(groupName);
      output.name(consumerName);
      return;
    }
    forEachPending(arena, group, consumer, this.pending, (id) => {
      output.command(12, XCLAIM);
      output.key();
      output.name(groupName);
      output.name(consumerName);
      output.fixed(NOT_IDLE);
      output.id(id);
      output.fixed(TIME);
      output.integer(pending.timeHigh, pending.timeLow);
      output.fixed(RETRY_COUNT);
      output.integer(pending.deliveriesHigh, pending.deliveriesLow);
      output.fixed(JUST_ID_FORCE);
    });
  }

  private numberOf(root: number, word: number): void {
    readRootNumber(this.arena, root, word, this.number);
    this.output.integer(this.number.high, this.number.low);
  }
}

/**
 * Writes the commands; see the head of this file. It is used as an `RdbFileWriter` is: keys may come in any order,
 * and a database more than once.
 */
export class AofCommandWriter {
  /** How many keys have been written. */
  keys = 0;
  /** How many bytes have gone to the sink. */
  bytes = 0;
  private readonly output: CommandOutput;
  private readonly run: ElementRun;
  private readonly streams: StreamCommands;
  private readonly walk = new CollectionWalk();
  private readonly scored = new SortedSetPlace();
  private readonly value = new ElementPlace();
  private readonly expiry = new Int64();
  private selected = -1;

  /** Gives `sink` the bytes, which are only good during the call; what it throws ends the writing. */
  constructor(private readonly keyspace: Keyspace, sink: (bytes: Uint8Array) => void) {
    this.output = new CommandOutput((bytes) => {
      this.bytes += bytes.length;
      sink(bytes);
    });
    this.run = new ElementRun(this.output);
    this.streams = new StreamCommands(keyspace.arena, this.output);
  }

  /** What comes before the keys: libraries of functions. */
  begin(facts: SnapshotFacts): void {
    if (facts.stamped) this.output.fixed(encoder.encode(`#TS:${facts.seconds}\r\n`));
    for (const library of facts.functions) {
      this.output.command(3, FUNCTION_LOAD);
      const { buffer, byteOffset, length } = library;
      this.output.bytes(new DataView(buffer, byteOffset, length), 0, length);
    }
  }

  /** The keys that follow are in database `number`. */
  select(number: number): void {
    if (number === this.selected) return;
    this.selected = number;
    this.output.command(2, SELECT);
    this.output.integer(0, number);
  }

  /** A key with its value and its expiry. */
  entry(entry: number): void {
    const { keyspace, keyspace: { arena }, output, expiry } = this;
    this.keys++;
    output.setKey(
      arena.views[entry >>> SEGMENT_SHIFT],
      keyStart(arena, entry),
      keyLength(arena, entry),
    );
    this.entryValue(entry);
    if (!hasExpiry(keyspace, entry)) return;
    readExpiry(keyspace, entry, expiry);
    output.command(3, PEXPIREAT);
    output.key();
    output.integer(expiry.high, expiry.low);
  }

  /** Gives the sink the rest. */
  end(): void {
    this.output.flush();
  }

  /** The commands that make the value of `entry`. */
  private entryValue(entry: number): void {
    switch (entryType(this.keyspace, entry)) {
      case TYPE_LIST:
        return this.list(entry);
      case TYPE_SET:
        return this.set(entry);
      case TYPE_ZSET:
        return this.sortedSet(entry);
      case TYPE_HASH:
        return this.hash(entry);
      case TYPE_STREAM:
        return this.streams.write(rootOf(this.keyspace, entry));
      default:
        this.string(entry);
    }
  }

  /** SET. */
  private string(entry: number): void {
    const { output, value } = this;
    placeString(this.keyspace, entry, value);
    output.command(3, SET);
    output.key();
    output.element(value);
  }

  /** RPUSH. */
  private list(entry: number): void {
    const { keyspace, output, run } = this;
    run.begin(RPUSH, listLength(keyspace, entry), 1);
    forEachListElement(keyspace, entry, (view, at) => {
      run.next();
      output.listpackElement(view, at);
    });
  }

  /** SADD. */
  private set(entry: number): void {
    const { keyspace, output, run, walk } = this;
    walk.enter(keyspace, entry);
    run.begin(SADD, walk.count, 1);
    while (walk.next()) {
      run.next();
      output.element(walk);
    }
  }

  /** HMSET. */
  private hash(entry: number): void {
    const { keyspace, output, run, walk, value } = this;
    walk.enter(keyspace, entry);
    run.begin(HMSET, walk.count, 2);
    while (walk.next()) {
      walk.readValue(value);
      run.next();
      output.element(walk);
      output.element(value);
    }
  }

  /** ZADD. */
  private sortedSet(entry: number): void {
    const { keyspace, output, run, scored } = this;
    scored.enter(keyspace, entry);
    run.begin(ZADD, scored.count, 2);
    forEachScored(keyspace, entry, scored, () => {
      run.next();
      output.double(scored.score);
      output.element(scored.element);
    });
  }
}

/**
 * Writes the keys of all databases as commands, one database after the other, to `sink`, to which the bytes are only
 * good during the call.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Keyspace } from "../keyspace/keyspace.ts";
 *
 * let text = "";
 * writeCommands(
 *   new Keyspace(16, 1, 2),
 *   {
 *     seconds: 0,
 *     usedMemory: 0,
 *     aofBase: true,
 *     functions: [new TextEncoder().encode("#!lua name=l")],
 *   },
 *   (bytes) => text += new TextDecoder().decode(bytes),
 * );
 * assertEquals(text, "*3\r\n$8\r\nFUNCTION\r\n$4\r\nLOAD\r\n$12\r\n#!lua name=l\r\n");
 * ```
 */
export function writeCommands(
  keyspace: Keyspace,
  facts: SnapshotFacts,
  sink: (bytes: Uint8Array) => void,
): AofCommandWriter {
  const writer = new AofCommandWriter(keyspace, sink);
  const walk = new DictWalk();
  writer.begin(facts);
  for (const database of keyspace.databases) {
    if (database.size === 0) continue;
    writer.select(database.number);
    walk.begin(keyspace.arena, database.dict);
    for (let entry = walk.next(); entry !== 0; entry = walk.next()) writer.entry(entry);
  }
  writer.end();
  return writer;
}
