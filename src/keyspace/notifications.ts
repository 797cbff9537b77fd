/**
 * Events of keys: what happened to which key, for those who want to know.
 *
 * Each event has a name (`set`, `expired`) and a class, and `notify-keyspace-events` says which classes are
 * told, and in which of two ways: `K` as a message with the event's name on the key's channel, `E` as one with the
 * key on the event's channel. Most events are changes of a key ({@linkcode keyChanged}); `new` and `keymiss` aren't, so
 * that who watches a key isn't told of them.
 *
 * An event's class follows from its name. That is looked up in a table, and only when somebody listens: the
 * code that changes a key just names the event.
 *
 * @module
 */
import type { ReadonlyView } from "../memory/arena.ts";
import type { Database } from "./keyspace.ts";

/** Messages on the channel of the key (`K`). */
const NOTIFY_KEYSPACE = 1 << 0;
/** Messages on the channel of the event (`E`). */
const NOTIFY_KEYEVENT = 1 << 1;
/** A change without a name, of which only those hear who watch the key. */
export const EVENT_NONE = 0;
/** What may happen to any key (`g`): `del`, `expire`, `rename_from`, ... */
export const EVENT_GENERIC = 1 << 2;
/** Changes of strings (`$`). */
export const EVENT_STRING = 1 << 3;
/** Changes of lists (`l`). */
export const EVENT_LIST = 1 << 4;
/** Changes of sets (`s`). */
export const EVENT_SET = 1 << 5;
/** Changes of hashes (`h`). */
export const EVENT_HASH = 1 << 6;
/** Changes of sorted sets (`z`). */
export const EVENT_SORTED_SET = 1 << 7;
/** A key's time has come (`x`). */
export const EVENT_EXPIRED = 1 << 8;
/** A key had to go for lack of memory (`e`). */
export const EVENT_EVICTED = 1 << 9;
/** Changes of streams (`t`). */
export const EVENT_STREAM = 1 << 10;
/** Somebody read a key that isn't there (`m`). */
export const EVENT_MISS = 1 << 11;
/** What modules tell (`d`). */
export const EVENT_MODULE = 1 << 13;
/** A key that wasn't there is (`n`). */
export const EVENT_NEW = 1 << 14;

/** The classes that `A` stands for: all but `m` and `n`. */
const EVENT_ALL = EVENT_GENERIC | EVENT_STRING | EVENT_LIST | EVENT_SET | EVENT_HASH |
  EVENT_SORTED_SET | EVENT_EXPIRED | EVENT_EVICTED | EVENT_STREAM | EVENT_MODULE;

/** Letters of the classes in the order in which CONFIG GET shows them. */
const CLASS_LETTERS: readonly (readonly [letter: string, flag: number])[] = [
  ["g", EVENT_GENERIC],
  ["$", EVENT_STRING],
  ["l", EVENT_LIST],
  ["s", EVENT_SET],
  ["h", EVENT_HASH],
  ["z", EVENT_SORTED_SET],
  ["x", EVENT_EXPIRED],
  ["e", EVENT_EVICTED],
  ["t", EVENT_STREAM],
  ["d", EVENT_MODULE],
  ["n", EVENT_NEW],
];
const OTHER_LETTERS: readonly (readonly [letter: string, flag: number])[] = [
  ["K", NOTIFY_KEYSPACE],
  ["E", NOTIFY_KEYEVENT],
  ["m", EVENT_MISS],
];

/** What `notify-keyspace-events` says when a letter means nothing. */
export const NOTIFY_FLAGS_ERROR = "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";

const CLASSES_BY_LETTER: ReadonlyMap<string, number> = new Map([
  ["A", EVENT_ALL],
  ...CLASS_LETTERS,
  ...OTHER_LETTERS,
]);

/** The flags of a value of `notify-keyspace-events`, or undefined if a letter means nothing. */
export function parseNotifyFlags(text: string): number | undefined {
  let flags = 0;
  for (const letter of text) {
    const flag = CLASSES_BY_LETTER.get(letter);
    if (flag === undefined) return undefined;
    flags |= flag;
  }
  return flags;
}

/**
 * The flags as CONFIG GET shows them, which is always the same text for the same flags. As in Redis, `n` isn't shown
 * beside `A`, though it holds.
 */
export function notifyFlagsText(flags: number): string {
  const shown = (letters: typeof CLASS_LETTERS): string =>
    letters.map(([letter, flag]) => (flags & flag) !== 0 ? letter : "").join("");
  const classes = (flags & EVENT_ALL) === EVENT_ALL ? "A" : shown(CLASS_LETTERS);
  return classes + shown(OTHER_LETTERS);
}

/** The classes that are told under these flags: none, if neither of the two ways is on. */
export function notifiedClasses(flags: number): number {
  const ways = NOTIFY_KEYSPACE | NOTIFY_KEYEVENT;
  return (flags & ways) === 0 ? 0 : flags & ~ways;
}

/** Gets the events of keys. */
export interface NotificationSink {
  /** An event of one of the `EVENT_` classes has happened to `key` in database number `database`. */
  notify(eventClass: number, event: string, key: Uint8Array, database: number): void;
}

/** A message on a channel that tells of an event. */
export interface NotificationMessage {
  /** The channel. */
  readonly channel: Uint8Array;
  /** The message. */
  readonly message: Uint8Array;
}

const encoder = new TextEncoder();

/** The messages that tell of an event under these flags, in the order in which they are sent. */
export function notificationMessages(
  flags: number,
  event: string,
  key: Uint8Array,
  database: number,
): NotificationMessage[] {
  const messages: NotificationMessage[] = [];
  const name = encoder.encode(event);
  if ((flags & NOTIFY_KEYSPACE) !== 0) {
    const prefix = encoder.encode(`__keyspace@${database}__:`);
    const channel = new Uint8Array(prefix.length + key.length);
    channel.set(prefix);
    channel.set(key, prefix.length);
    messages.push({ channel, message: name });
  }
  if ((flags & NOTIFY_KEYEVENT) !== 0) {
    messages.push({ channel: encoder.encode(`__keyevent@${database}__:${event}`), message: key });
  }
  return messages;
}

/** Names of the events of each class; what isn't here may happen to any key. */
const EVENTS: readonly (readonly [eventClass: number, names: string])[] = [
  [EVENT_NONE, ""],
  [EVENT_STRING, "set append setrange incrby incrbyfloat setbit pfadd"],
  [EVENT_LIST, "lpush rpush lpop rpop linsert lset lrem ltrim sortstore"],
  [EVENT_SET, "sadd srem spop sinterstore sunionstore sdiffstore"],
  [EVENT_HASH, "hset hincrby hincrbyfloat hdel"],
  [
    EVENT_SORTED_SET,
    "zadd zincr zrem zremrangebyscore zremrangebyrank zremrangebylex zpopmin zpopmax " +
    "zinterstore zunionstore zdiffstore zrangestore geosearchstore georadiusstore",
  ],
  [
    EVENT_STREAM,
    "xadd xdel xtrim xsetid xgroup-create xgroup-createconsumer xgroup-delconsumer " +
    "xgroup-destroy xgroup-setid",
  ],
  [EVENT_EXPIRED, "expired"],
  [EVENT_EVICTED, "evicted"],
  [EVENT_MISS, "keymiss"],
  [EVENT_NEW, "new"],
];

const CLASS_OF_EVENT: ReadonlyMap<string, number> = new Map(
  EVENTS.flatMap(([eventClass, names]) =>
    names.split(" ").map((name) => [name, eventClass] as const)
  ),
);

/** Class of the event with this name. */
export function eventClassOf(event: string): number {
  return CLASS_OF_EVENT.get(event) ?? EVENT_GENERIC;
}

/** Tells that the key in `view`, which wasn't there, is. */
export function keyIsNew(
  database: Database,
  view: ReadonlyView,
  start: number,
  length: number,
): void {
  if ((database.keyspace.eventClasses & EVENT_NEW) === 0) return;
  database.keyspace.notify(database, keyBytesOf(view, start, length), "new", EVENT_NEW);
}

/** Tells that somebody has read the key in `view`, which isn't there. */
export function keyIsMissed(
  database: Database,
  view: ReadonlyView,
  start: number,
  length: number,
): void {
  if ((database.keyspace.eventClasses & EVENT_MISS) === 0) return;
  database.keyspace.notify(database, keyBytesOf(view, start, length), "keymiss", EVENT_MISS);
}

/** A copy of a key's bytes, for whoever keeps them. */
export function keyBytesOf(view: ReadonlyView, start: number, length: number): Uint8Array {
  const source = view as DataView;
  return new Uint8Array(source.buffer, source.byteOffset + start, length).slice();
}
