/**
 * Handlers of XREAD and XREADGROUP: entries of several streams, and waiting for some.
 *
 * Both go through their streams twice. First every one is looked at, so that an error in the last one leaves all as it was: what the id
 * of each means, and its group. Then each is served that has something. A group's entries are delivered at that moment; how many there
 * are is known then, and the reply is written when all streams have been served.
 *
 * **Waiting.** Where there is nothing, the client waits for an entry to be added, and then gets what is behind the id, even if
 * that has been deleted meanwhile and the array is empty, as in Redis. Other changes of a stream (of its groups, say) make the
 * client try again, too; whether something was added it sees from what the stream counts.
 *
 * @module
 */
import { rootOf } from "../keyspace/collections.ts";
import { entryType } from "../keyspace/entry_facts.ts";
import { entryIdText } from "../keyspace/entry_ids.ts";
import { deliverEntries } from "../keyspace/stream_delivery.ts";
import { findChild, GROUP_LAST_ID } from "../keyspace/stream_groups.ts";
import { countEntries, EntryRange, lastLiveId, replyEntries } from "../keyspace/stream_ranges.ts";
import {
  readRootNumber,
  STREAM_ADDED,
  STREAM_LAST_ID,
  streamLength,
} from "../keyspace/stream_root.ts";
import { TYPE_STREAM } from "../keyspace/types.ts";
import { ArenaFullError } from "../memory/arena.ts";
import { compareIds, EntryId, readId } from "../memory/id_tree.ts";
import { ROOT_HANDLE, rootWord } from "../memory/root.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { type Context, SYNTAX_ERROR } from "./context.ts";
import { idArgument, isCharacter, nameArgument, streamForReading } from "./stream_arguments.ts";
import {
  claimEffect,
  consumerEffect,
  consumerOf,
  type GroupArguments,
  groupEffect,
  takeBackConsumer,
  tellConsumer,
} from "./stream_effects.ts";
import { repeatHistory, replyHistory } from "./stream_history.ts";
import { parseTimeoutMilliseconds } from "./timeouts.ts";
import type { KeyWait } from "./wait.ts";

const DOLLAR = 0x24;
const GREATER = 0x3e;
/** Most entries for a client that has waited and named no number. */
const WAITED_LIMIT = 1000;
const UNBALANCED = "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must " +
  "be specified.";
const MEANINGLESS = "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read " +
  "the history of this consumer by specifying a proper ID, or use the > ID to get new messages. " +
  "The $ ID would just return an empty result set.";
const NEW_ALONE = "ERR The > ID can be specified only when calling XREADGROUP using the GROUP " +
  "<group> <consumer> option.";
const NO_KEY = "UNBLOCKED the stream key no longer exists";
const NO_GROUP = "NOGROUP the consumer group this client was blocked on no longer exists";

/** What a call asks for. */
interface Reading {
  /** Whether it is XREADGROUP. */
  readonly forGroup: boolean;
  /** Most entries of a stream; Infinity for all. */
  limit: number;
  /** How long to wait, in ms, 0 for ever; -1 for not at all. */
  timeoutMs: number;
  /** The argument that is the first key. */
  firstKey: number;
  /** How many keys there are. */
  keyCount: number;
  /** The argument that is the group; the consumer follows. */
  groupIndex: number;
  /** Whether what is delivered counts as acknowledged. */
  acknowledged: boolean;
}

/** One of the streams, and what its id means. */
interface Source {
  /** The argument that is its key. */
  readonly keyIndex: number;
  /** Its root, or 0. */
  readonly root: number;
  /** Root of the group. */
  readonly group: number;
  /** What is asked for lies behind this id; null for what the group hasn't got yet. */
  readonly behind: EntryId | null;
}

/** What one of the streams has to reply. */
interface Served {
  /** The stream. */
  readonly source: Source;
  /** The entries are the first of these. */
  readonly range: EntryRange;
  /** How many there are. */
  readonly count: number;
  /** Instead, the entries of a consumer's history. */
  readonly history: readonly EntryId[] | null;
}

/** XREAD. */
export function xread(context: Context): void {
  read(context, false);
}

/** XREADGROUP. */
export function xreadgroup(context: Context): void {
  read(context, true);
}

function read(context: Context, forGroup: boolean): void {
  const reading = readOptions(context, forGroup);
  if (reading === null) return;
  const sources: Source[] = [];
  for (let stream = 0; stream < reading.keyCount; stream++) {
    const source = findSource(context, reading, reading.firstKey + stream);
    if (source === null) return;
    sources.push(source);
  }
  if (forGroup) context.journaled = true;
  const served = serveAll(context, reading, sources);
  if (served.length > 0) return replyServed(context, served);
  if (reading.timeoutMs < 0 || !context.mayBlock) return context.reply.nullArray();
  context.waitForKeys(new StreamWait(context, reading, sources));
}

/** What all streams have to reply; without those for which there was no room, if some had been served before. */
function serveAll(context: Context, reading: Reading, sources: readonly Source[]): Served[] {
  const served: Served[] = [];
  try {
    for (const source of sources) {
      // Redis looks for each key twice, and counts both.
      context.findForReading(source.keyIndex);
      const one = source.root === 0 ? null : serve(context, reading, source);
      if (one !== null) served.push(one);
    }
  } catch (error) {
    if (!(error instanceof ArenaFullError) || served.length === 0) throw error;
  }
  return served;
}

/** Reads all but the ids; null after an error reply. */
function readOptions(context: Context, forGroup: boolean): Reading | null {
  const { argc, reply } = context;
  const reading: Reading = {
    forGroup,
    limit: Infinity,
    timeoutMs: -1,
    firstKey: 0,
    keyCount: 0,
    groupIndex: 0,
    acknowledged: false,
  };
  for (let index = 1; reading.firstKey === 0; index++) {
    if (index >= argc) return refuse(reply, SYNTAX_ERROR);
    const more = argc - 1 - index;
    if (more > 0 && context.isWord(index, "STREAMS")) {
      reading.firstKey = index + 1;
    } else if (more > 0 && context.isWord(index, "BLOCK")) {
      const timeoutMs = parseTimeoutMilliseconds(context, ++index);
      if (timeoutMs === undefined) return null;
      reading.timeoutMs = timeoutMs;
    } else if (more > 0 && context.isWord(index, "COUNT")) {
      if (!context.integer(++index)) return null;
      reading.limit = context.value > 0 ? context.value : Infinity;
    } else if (more > 1 && context.isWord(index, "GROUP")) {
      if (!forGroup) return refuse(reply, onlyForGroups("GROUP"));
      reading.groupIndex = index + 1;
      index += 2;
    } else if (context.isWord(index, "NOACK")) {
      if (!forGroup) return refuse(reply, onlyForGroups("NOACK"));
      reading.acknowledged = true;
    } else return refuse(reply, SYNTAX_ERROR);
  }
  const words = argc - reading.firstKey;
  if (words % 2 !== 0) return refuse(reply, UNBALANCED);
  reading.keyCount = words / 2;
  if (forGroup && reading.groupIndex === 0) {
    return refuse(reply, "ERR Missing GROUP option for XREADGROUP");
  }
  return reading;
}

function onlyForGroups(option: string): string {
  return `ERR The ${option} option is only supported by XREADGROUP. You called XREAD instead.`;
}

function refuse(reply: ReplyWriter, error: string): null {
  reply.error(error);
  return null;
}

/** Looks at the stream whose key is argument `keyIndex`; null after an error reply. */
function findSource(context: Context, reading: Reading, keyIndex: number): Source | null {
  const { keyspace, reply } = context;
  const { forGroup, groupIndex } = reading;
  const idIndex = keyIndex + reading.keyCount;
  const root = streamForReading(context, keyIndex);
  if (root < 0) return null;
  let group = 0;
  if (forGroup) {
    if (root !== 0) group = findChild(keyspace, root, nameArgument(context, groupIndex));
    if (group === 0) {
      const names = `'${context.quoted(keyIndex)}' or consumer group '${
        context.quoted(groupIndex)
      }'`;
      return refuse(reply, `NOGROUP No such key ${names} in XREADGROUP with GROUP option`);
    }
  }
  const behind = new EntryId();
  if (isCharacter(context, idIndex, DOLLAR)) {
    if (forGroup) return refuse(reply, MEANINGLESS);
    if (root !== 0) readId(keyspace.arena, root, STREAM_LAST_ID, behind);
  } else if (isCharacter(context, idIndex, GREATER)) {
    if (!forGroup) return refuse(reply, NEW_ALONE);
    return { keyIndex, root, group, behind: null };
  } else if (!idArgument(context, idIndex, behind)) return null;
  // To Redis, the highest id is the same as `>`.
  return { keyIndex, root, group, behind: forGroup && behind.isHighest ? null : behind };
}

/** What a stream has to reply now, or null if it has nothing. */
function serve(context: Context, reading: Reading, source: Source): Served | null {
  const { keyspace: { arena }, streams: { place, id, other } } = context;
  const { root, group, behind } = source;
  if (reading.forGroup && behind !== null) return serveHistory(context, reading, source, behind);
  if (streamLength(arena, root) === 0) return null;
  lastLiveId(arena, root, id, place);
  if (behind === null) readId(arena, group, GROUP_LAST_ID, other);
  else other.copy(behind);
  if (compareIds(id, other) <= 0) return null;
  return serveBehind(context, reading, source, reading.limit);
}

/** The entries behind an id, up to `limit`, or those that a group gets now. */
function serveBehind(
  context: Context,
  reading: Reading,
  source: Source,
  limit: number,
): Served {
  const { keyspace: { arena }, streams: { place } } = context;
  const range = new EntryRange();
  if (source.behind === null) {
    const count = deliver(context, reading, source, range, limit);
    return { source, range, count, history: null };
  }
  const count = range.setBehind(source.behind)
    ? countEntries(arena, source.root, range, limit, place)
    : 0;
  return { source, range, count, history: null };
}

/** The arguments that name the group of a stream. */
function groupArguments(reading: Reading, source: Source): GroupArguments {
  const { groupIndex } = reading;
  return { keyIndex: source.keyIndex, groupIndex, consumerIndex: groupIndex + 1 };
}

/** Delivers entries, with all effects; returns how many. */
function deliver(
  context: Context,
  reading: Reading,
  source: Source,
  range: EntryRange,
  limit: number,
): number {
  const { keyspace, streams } = context;
  const { acknowledged } = reading;
  const args = groupArguments(reading, source);
  const { root: stream, group } = source;
  const { consumer, isNew } = consumerOf(context, args, group);
  const delivery = { stream, group, consumer, limit, acknowledged };
  if (isNew && acknowledged) consumerEffect(context, args);
  const noted = acknowledged || !context.journal.listening ? null : (id: EntryId): void => {
    claimEffect(context, args, group, entryIdText(id));
  };
  let count = 0;
  try {
    count = deliverEntries(keyspace, delivery, range, streams, noted);
  } catch (error) {
    if (isNew) takeBackConsumer(context, args, group);
    throw error;
  }
  if (acknowledged && count > 0) groupEffect(context, args, group);
  if (isNew && !acknowledged && count === 0) consumerEffect(context, args);
  context.journaled = true;
  if (isNew) tellConsumer(context, args);
  context.noted(source.keyIndex, "");
  return count;
}

/** What is pending for the consumer behind an id. */
function serveHistory(
  context: Context,
  reading: Reading,
  source: Source,
  behind: EntryId,
): Served {
  const args = groupArguments(reading, source);
  const { consumer, isNew } = consumerOf(context, args, source.group);
  if (isNew) {
    consumerEffect(context, args);
    tellConsumer(context, args);
  }
  context.noted(source.keyIndex, "");
  const range = new EntryRange();
  const history = range.setBehind(behind)
    ? repeatHistory(context, source, consumer, range.from, reading.limit)
    : [];
  return { source, range, count: history.length, history };
}

/** Replies with what all streams have. */
function replyServed(context: Context, served: readonly Served[]): void {
  const { reply, view, starts, lengths, keyspace: { arena }, streams: { place } } = context;
  if (reply.resp === 3) reply.map(served.length);
  else reply.array(served.length);
  for (const { source, range, count, history } of served) {
    const { keyIndex, root } = source;
    if (reply.resp === 2) reply.array(2);
    reply.bulkView(view, starts[keyIndex], lengths[keyIndex]);
    reply.array(count);
    if (history === null) replyEntries(arena, reply, root, range, count, place);
    else replyHistory(context, root, history);
  }
}

/** A client that waits for entries of streams; see the head of this file. */
class StreamWait implements KeyWait {
  readonly firstKey: number;
  readonly keyCount: number;
  readonly timeoutMs: number;
  readonly types: number = 1 << TYPE_STREAM;
  readonly whenGone: boolean;
  /** What each stream was like when it was looked at last: */
  private readonly seen: SeenStream[];

  constructor(
    context: Context,
    private readonly reading: Reading,
    private readonly sources: readonly Source[],
  ) {
    this.firstKey = reading.firstKey;
    this.keyCount = reading.keyCount;
    this.timeoutMs = reading.timeoutMs;
    this.whenGone = reading.forGroup;
    this.seen = sources.map(({ root }) => new SeenStream(context, root));
  }

  attempt(context: Context, index: number): boolean {
    const entry = context.find(index);
    const { keyspace, reply, streams: { id } } = context;
    if (entry === 0 || entryType(keyspace, entry) !== TYPE_STREAM) {
      reply.error(NO_KEY);
      return true;
    }
    const { arena } = keyspace;
    const root = rootOf(keyspace, entry);
    const { behind } = this.sources[index - this.firstKey];
    let group = 0;
    if (this.reading.forGroup) {
      group = findChild(keyspace, root, nameArgument(context, this.reading.groupIndex));
      if (group === 0) {
        reply.error(NO_GROUP);
        return true;
      }
    }
    const from = behind ?? new EntryId();
    if (behind === null) readId(arena, group, GROUP_LAST_ID, from);
    const isNew = this.seen[index - this.firstKey].look(context, root, from);
    readId(arena, root, STREAM_LAST_ID, id);
    if (!isNew || compareIds(id, from) <= 0) return false;
    const limit = this.reading.limit === Infinity ? WAITED_LIMIT : this.reading.limit;
    const source = { keyIndex: index, root, group, behind };
    replyServed(context, [serveBehind(context, this.reading, source, limit)]);
    return true;
  }

  timeOut(reply: ReplyWriter): void {
    reply.nullArray();
  }
}

/** What a stream was like when somebody looked at it last, to see whether entries were added since. */
class SeenStream {
  private handle = -1;
  private addedHigh = 0;
  private addedLow = 0;
  private readonly last = new EntryId();

  /** Looks at the stream with this root, or none if it is 0. */
  constructor(context: Context, root: number) {
    if (root !== 0) this.note(context, root);
  }

  /** Whether entries may have been added since the last look; those behind `from` are of interest. */
  look(context: Context, root: number, from: EntryId): boolean {
    const { keyspace: { arena }, streams: { id, number, place } } = context;
    readRootNumber(arena, root, STREAM_ADDED, number);
    const sameCount = this.handle === rootWord(arena, root, ROOT_HANDLE) &&
      number.high === this.addedHigh && number.low === this.addedLow;
    if (sameCount) {
      readId(arena, root, STREAM_LAST_ID, id);
      if (compareIds(id, this.last) === 0) return false;
      // Another stream may count the same. XSETID makes no entry.
      if (streamLength(arena, root) === 0) return false;
      lastLiveId(arena, root, id, place);
      if (compareIds(id, from) <= 0) return false;
    }
    this.note(context, root);
    return true;
  }

  private note({ keyspace: { arena }, streams: { number } }: Context, root: number): void {
    this.handle = rootWord(arena, root, ROOT_HANDLE);
    readRootNumber(arena, root, STREAM_ADDED, number);
    this.addedHigh = number.high;
    this.addedLow = number.low;
    readId(arena, root, STREAM_LAST_ID, this.last);
  }
}
