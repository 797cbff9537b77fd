/**
 * The keyspace: numbered databases, each a dict of entries, with expiry.
 *
 * Everything that looks a key up, adds, moves or removes one goes through here, so that the dict, the
 * index of volatile keys, the counters and the hook for changed keys always agree.
 *
 * A key whose time has come is gone for whoever asks: {@linkcode findEntry} removes it on sight ("lazy"
 * expiry), and `active_expiry.ts` looks for those that nobody asks for ("active" expiry).
 *
 * @module
 */
import { assert } from "@std/assert";
import {
  Arena,
  BLOCK_ENTRY,
  BLOCK_ROOT,
  type ReadonlyView,
  SEGMENT_SHIFT,
} from "../memory/arena.ts";
import { copyBytes } from "../memory/copy.ts";
import {
  dictCount,
  dictCreate,
  dictFind,
  dictInsert,
  dictRemove,
  dictReplace,
} from "../memory/dict.ts";
import {
  copyKey,
  ENTRY_FIXED_BYTES,
  ENTRY_KEY,
  ENTRY_META,
  ENTRY_VALUE,
  HAS_DATABASE,
  HAS_EXPIRY,
  KEY_LENGTH_MASK,
  keyWord,
  wordIndex,
  wordsAt,
} from "../memory/entry.ts";
import { hashBytes } from "../memory/hash.ts";
import {
  orphan,
  ROOT_HANDLE,
  rootEffort,
  rootFreeSome,
  rootParts,
  Roots,
  rootWord,
} from "../memory/root.ts";
import { Int64 } from "../protocol/integers.ts";
import { systemRandomness } from "../runtime/random.ts";
import {
  ACCESS_SHIFT,
  FIRST_FREQUENCY,
  FrequencyClock,
  secondsClock,
  touchEntry,
} from "./access_clock.ts";
import {
  expiryOf,
  hasExpiry,
  readExpiry,
  tailLength,
  tailStart,
  valueBlock,
} from "./entry_facts.ts";
import type { Journal } from "./journal.ts";
import {
  EVENT_NEW,
  eventClassOf,
  keyBytesOf,
  keyIsNew,
  type NotificationSink,
} from "./notifications.ts";
import { ObservedKeys } from "./observed_keys.ts";
import { EXPIRY_HIGH, EXPIRY_LOW, VolatileIndex } from "./volatile_index.ts";

const EXPIRY_BYTES = 12;
const NO_KEY = new Uint8Array(0);
const DATABASE_BYTES = 4;
/** Somebody listens to all changes: */
const HEARD_BY_LISTENERS = 1;
/** somebody is told of events: */
const HEARD_BY_SINK = 2;
/** somebody observes certain keys. */
const HEARD_BY_OBSERVERS = 4;
/** A collection that takes fewer steps is freed at once, */
const FREED_AT_ONCE_STEPS = 512;
/** and one with more parts than this later, if that is asked for. */
const FREED_AT_ONCE_PARTS = 64;
/** Word of a value block with the address of its entry; 0 while the value is being filled. */
export const VALUE_OWNER = 1;

/** One numbered database. */
export class Database {
  /** Entries of the keys that have an expiry. */
  readonly volatile: VolatileIndex;

  /** The number by which clients select it; SWAPDB changes it. */
  number: number;
  /** How many ms volatile keys have to live on average, as far as active expiry has seen. */
  averageTtlMs = 0;

  /** Makes a database whose keys `dict` finds; `id` stands in its entries and never changes. */
  constructor(
    readonly keyspace: Keyspace,
    readonly id: number,
    public dict: number,
    number: number = id,
  ) {
    this.number = number;
    this.volatile = new VolatileIndex(keyspace.arena, keyspace);
  }

  /** How many keys there are, expired ones that are still stored included. */
  get size(): number {
    return dictCount(this.keyspace.arena, this.dict);
  }
}

/**
 * Told about a key whose value or existence has changed, or that has expired: the event by Redis' name, and its class
 * (one of the `EVENT_` constants).
 * An empty event is for those who watch the key only: Redis tells nobody else of it.
 */
export type KeyListener = (
  database: Database,
  key: Uint8Array,
  event: string,
  eventClass: number,
) => void;

/** What the keyspace has counted since it was made or reset. */
export interface KeyspaceCounters {
  /** Look-ups by reading commands that found their key. */
  hits: number;
  /** Look-ups by reading commands that didn't. */
  misses: number;
  /** Keys removed because their time had come. */
  expired: number;
  /** Keys removed to make room for others. */
  evicted: number;
}

/** What a database held before it was flushed, until all of it is freed; see `flushing.ts`. */
export interface DetachedDict {
  /** {@linkcode Database.id} in its entries. */
  readonly id: number;
  /** Where its entries are found. */
  dict: number;
  /** Its buckets from this one on haven't been freed yet. */
  bucket: number;
  /** How many buckets it has. */
  readonly buckets: number;
  /** How many entries it still has. */
  entries: number;
}

/** Which removals leave the freeing of large collections for later even if they aren't very large. */
export interface LazyFreeing {
  /** `lazyfree-lazy-user-del`: by DEL. */
  userDelete: boolean;
  /** `lazyfree-lazy-server-del`: of a key that a command replaces. */
  serverDelete: boolean;
  /** `lazyfree-lazy-expire`: of a key whose time has come. */
  expire: boolean;
  /** `lazyfree-lazy-eviction`: of a key that had to go. */
  evict: boolean;
}

/** A text whose hash has been worked out before the command that names it runs. */
export interface HashedText {
  /** Where the text is; */
  view: ReadonlyView | null;
  /** its first byte there, or -1 if there is no such text. */
  start: number;
  /** Its hash under the keyspace's seeds. */
  hash: number;
}

/** All databases of one server. */
export class Keyspace {
  /** Where all keys and values live. */
  readonly arena: Arena = new Arena();
  /** The databases by number. */
  readonly databases: Database[] = [];
  /** The databases by {@linkcode Database.id}. */
  readonly databasesById: Database[];
  /** Counters for INFO. */
  readonly counters: KeyspaceCounters = { hits: 0, misses: 0, expired: 0, evicted: 0 };
  /** The time in unix ms that commands go by; set by the server at the start of each turn. */
  now = 0;
  /** Keys whose expiry is before this have had their time: `now`, or 0 while what has happened long ago is done again. */
  dueBefore = 0;
  /** What is done was decided elsewhere: no key expires before somebody says so. */
  isTold = false;
  /** The LRU clock: seconds of `now`, 24 bits. */
  clock = 0;
  /** Whether entries count how often they are used (LFU) and not when (LRU); see `access_clock.ts`. */
  countsUses = false;
  /**
   * Whether keys are said to share small integers. Here each has its own, but in Redis they do, unless memory is limited
   * and what goes first depends on when or how often it was used.
   */
  sharesIntegers = true;
  /** What a new entry remembers of its use. */
  firstAccess = 0;
  /** How uses are counted. */
  readonly frequency: FrequencyClock;
  /** How often an entry was freed or moved: an address found before may be another thing now. */
  moves = 0;
  /** How many changes there have been. */
  dirty = 0;
  /** Bytes of the indexes of volatile keys of all databases. */
  indexBytes = 0;
  /** Whether keys whose time has come stay where they are, though nobody sees them (CLIENT PAUSE). */
  keepExpired = false;
  /** Hash of the key that was looked up last. */
  hash = 0;
  /** The first member that the running command names, if its hash is known. */
  readonly hashedMember: HashedText = { view: null, start: -1, hash: 0 };
  /** The expiry that an entry is to get, in unix ms. */
  readonly expiry: Int64 = new Int64();
  /** Keys whose changes somebody waits for. */
  readonly observed: ObservedKeys;
  /** Who hears of changed keys, a bit for each kind; 0 while nobody does. */
  heard = 0;
  /** Told about each key that was removed without a command: it has expired, or was evicted. */
  journal: Journal | null = null;
  /** Told about each database before all of its keys are removed at once. */
  onFlush: ((database: Database) => void) | null = null;
  /** What is left to free of databases that were flushed. */
  readonly detached: DetachedDict[] = [];
  /** How many entries have been freed after the command that removed them. */
  lazilyFreed = 0;
  /** Large collections. */
  readonly roots: Roots = new Roots();
  /** Handles of collections that nobody has any more, to be freed in slices; negative where it was asked for. */
  readonly dying: number[] = [];
  /** When freeing is left for later. */
  readonly lazyFreeing: LazyFreeing = {
    userDelete: false,
    serverDelete: false,
    expire: false,
    evict: false,
  };
  /** Whether what is being removed is asked to be freed later, where that isn't the case of a replaced key. */
  lazily: boolean | null = null;
  private readonly orphaned: number[] = [];
  /** The classes of events that {@linkcode tellEvents} asked for; 0 while nobody listens. */
  eventClasses = 0;
  private sink: NotificationSink | null = null;
  private readonly listeners: KeyListener[] = [];
  /** Values that somebody sends from where they lie, with how many do. */
  private readonly pins = new Map<number, number>();
  /** Pinned values that nobody else wants any more. */
  private readonly orphans = new Set<number>();

  /**
   * Makes `count` empty databases whose hashes depend on the two seeds (32 bits each); `random` gives
   * numbers from 0 up to 1.
   */
  constructor(
    count: number,
    readonly seed0: number,
    readonly seed1: number,
    random: () => number = systemRandomness.number,
  ) {
    this.frequency = new FrequencyClock(random);
    this.observed = new ObservedKeys(seed0, seed1, () => {
      this.setHeard(HEARD_BY_OBSERVERS, this.observed.count > 0);
    });
    for (let number = 0; number < count; number++) {
      this.databases.push(new Database(this, number, dictCreate(this.arena, seed0, seed1)));
    }
    this.databasesById = [...this.databases];
  }

  /** Bytes of memory for keys and values, with all indexes. */
  get dataBytes(): number {
    return this.arena.usedBytes + this.indexBytes + this.roots.bytes;
  }

  /** Sets the time by which commands go, in unix ms. */
  setTime(now: number): void {
    this.now = now;
    this.dueBefore = this.isTold ? 0 : now;
    this.clock = secondsClock(now);
    if (this.countsUses) this.countUses(true);
    else this.firstAccess = this.clock;
  }

  /** Has entries remember how often they are used, or when. What they remember already means nothing then. */
  countUses(on: boolean): void {
    this.countsUses = on;
    this.frequency.setTime(this.now);
    this.firstAccess = on ? this.frequency.withFrequency(FIRST_FREQUENCY) : this.clock;
  }

  /** Has `sink` told of the events of `classes` (`EVENT_` constants), or nobody with `null`. */
  tellEvents(sink: NotificationSink | null, classes: number): void {
    this.sink = sink;
    this.eventClasses = sink === null ? 0 : classes;
    this.setHeard(HEARD_BY_SINK, this.eventClasses !== 0);
  }

  /** Has `listener` told of each key that changes, from now on. */
  listen(listener: KeyListener): void {
    this.listeners.push(listener);
    this.setHeard(HEARD_BY_LISTENERS, true);
  }

  /** Ends {@linkcode listen}. */
  unlisten(listener: KeyListener): void {
    const index = this.listeners.indexOf(listener);
    if (index >= 0) this.listeners.splice(index, 1);
    this.setHeard(HEARD_BY_LISTENERS, this.listeners.length > 0);
  }

  /** Notes whether those of one kind hear of changed keys. */
  private setHeard(bit: number, on: boolean): void {
    if (on) this.heard |= bit;
    else this.heard &= ~bit;
  }

  /** Tells those who hear of changed keys, of whom there are some, that the key in `view` has. */
  tellChange(
    database: Database,
    view: ReadonlyView,
    start: number,
    length: number,
    event: string,
  ): void {
    const { heard } = this;
    if ((heard & HEARD_BY_OBSERVERS) !== 0) {
      this.observed.changed(database.number, view, start, length);
      if (heard === HEARD_BY_OBSERVERS) return;
    }
    const key = keyBytesOf(view, start, length);
    const eventClass = eventClassOf(event);
    for (const listener of this.listeners) listener(database, key, event, eventClass);
    if (event !== "") this.notify(database, key, event, eventClass);
  }

  /** As {@linkcode tellChange}, where the value of the key is the same as before: who watches values isn't told. */
  tellNote(
    database: Database,
    view: ReadonlyView,
    start: number,
    length: number,
    event: string,
  ): void {
    if ((this.heard & HEARD_BY_OBSERVERS) !== 0) {
      this.observed.noted(database.number, view, start, length);
    }
    if (this.eventClasses === 0 || event === "") return;
    this.notify(database, keyBytesOf(view, start, length), event, eventClassOf(event));
  }

  /** Tells of an event, if it is of one of {@linkcode eventClasses}. */
  notify(database: Database, key: Uint8Array, event: string, eventClass: number): void {
    if ((this.eventClasses & eventClass) === 0) return;
    this.sink!.notify(eventClass, event, key, database.number);
  }

  /** Keeps the value block at `address` as it is until {@linkcode unpin}. */
  pin(address: number): void {
    this.pins.set(address, (this.pins.get(address) ?? 0) + 1);
  }

  /** Ends one {@linkcode pin}. */
  unpin(address: number): void {
    const count = this.pins.get(address)! - 1;
    if (count > 0) {
      this.pins.set(address, count);
      return;
    }
    this.pins.delete(address);
    if (this.orphans.delete(address)) this.arena.free(address);
  }

  /** Whether the value block at `address` must not change now. */
  isPinned(address: number): boolean {
    return this.pins.size !== 0 && this.pins.has(address);
  }

  /** Forgets that anybody wants the pinned values, and returns their addresses. */
  abandonPinned(): number[] {
    for (const block of this.pins.keys()) {
      // One that is still being filled is its session's, which frees it or stores it.
      if (wordsAt(this.arena, block)[wordIndex(block) + VALUE_OWNER] !== 0) this.orphans.add(block);
    }
    return [...this.pins.keys()].sort((first, second) => first - second);
  }

  /** Gives what a value has outside of its entry back, at once or when nobody sends from it any more. */
  freeValueBlock(address: number): void {
    if (this.arena.kindOf(address) === BLOCK_ROOT) this.releaseRoot(address);
    else if (this.isPinned(address)) this.orphans.add(address);
    else this.arena.free(address);
  }

  /** Frees the root of a value, or leaves it for later. */
  private releaseRoot(root: number): void {
    const later = rootEffort(this.arena, root) > FREED_AT_ONCE_STEPS;
    const lazily = this.lazily ?? this.lazyFreeing.serverDelete;
    const asked = lazily && rootParts(this.arena, root) > FREED_AT_ONCE_PARTS;
    const before = this.dying.length;
    this.leaveRoot(root, asked);
    if (!later && !asked) this.freeDying(Infinity, before);
  }

  /** Has a root that nobody holds any more freed later; `asked`: it counts as freed lazily. */
  leaveRoot(root: number, asked: boolean): void {
    orphan(this.arena, root, this.orphaned);
    this.takeOrphans(asked);
  }

  /** Puts what was orphaned among the dying, the first of them last. */
  private takeOrphans(asked: boolean): void {
    for (const root of this.orphaned) {
      const handle = rootWord(this.arena, root, ROOT_HANDLE);
      this.dying.push(asked ? -handle : handle);
      asked = false;
    }
    this.orphaned.length = 0;
  }

  /**
   * Frees about `steps` leaves and buckets of collections that nobody has any more, all but the first `kept`; whether there are
   * more.
   */
  freeDying(steps: number, kept = 0): boolean {
    const { dying, arena, roots } = this;
    this.moves++;
    while (steps > 0 && dying.length > kept) {
      const handle = dying[dying.length - 1];
      const root = roots.at(Math.abs(handle));
      steps = rootFreeSome(arena, roots, root, steps, this.orphaned);
      if (steps > 0) {
        dying.pop();
        if (handle < 0) this.lazilyFreed++;
      }
      if (this.orphaned.length > 0) this.takeOrphans(false);
    }
    return dying.length > kept;
  }
}

/**
 * The entry of the key in `view`, or 0. An expired one is removed first. The key's hash is then in
 * `keyspace.hash`.
 */
export function findEntry(
  database: Database,
  view: ReadonlyView,
  start: number,
  length: number,
): number {
  const { seed0, seed1 } = database.keyspace;
  return findHashed(database, hashBytes(view, start, length, seed0, seed1), view, start, length);
}

/** As {@linkcode findEntry}, for a key whose hash is known. */
export function findHashed(
  database: Database,
  hash: number,
  view: ReadonlyView,
  start: number,
  length: number,
): number {
  const keyspace = database.keyspace;
  keyspace.hash = hash;
  const entry = dictFind(keyspace.arena, database.dict, hash, view, start, length);
  return entry === 0 ? 0 : liveEntry(database, hash, entry);
}

/** `entry`, or 0 after removing it if its time has come. */
export function liveEntry(database: Database, hash: number, entry: number): number {
  const keyspace = database.keyspace;
  if (!hasExpiry(keyspace, entry) || expiryOf(keyspace, entry) >= keyspace.dueBefore) return entry;
  removeExpired(database, hash, entry);
  return 0;
}

/** Counts the look-up of a command that reads, and notes the access if it found its key. */
export function countReading(keyspace: Keyspace, entry: number): void {
  if (entry === 0) {
    keyspace.counters.misses++;
    return;
  }
  keyspace.counters.hits++;
  touchEntry(keyspace, entry);
}

/**
 * A new entry with room for `tailBytes` behind the key, in the dict and, if `volatile`, with the expiry
 * in `keyspace.expiry`. `keyspace.hash` is the hash of the key. The value's type, encoding, word and
 * tail are the caller's to write.
 */
export function addEntry(
  database: Database,
  view: ReadonlyView,
  start: number,
  length: number,
  tailBytes: number,
  volatile: boolean,
): number {
  const keyspace = database.keyspace;
  const flags = layoutFlags(database, volatile);
  const hash = keyspace.hash;
  const bytes = entryBytes(flags, length, tailBytes);
  const entry = keyspace.arena.allocate((bytes + 7) >>> 3, BLOCK_ENTRY);
  writeLayout(database, entry, flags, view, start, length);
  try {
    dictInsert(keyspace.arena, database.dict, hash, entry);
  } catch (error) {
    keyspace.arena.free(entry);
    throw error;
  }
  if (volatile) database.volatile.add(entry);
  if ((keyspace.eventClasses & EVENT_NEW) !== 0) keyIsNew(database, view, start, length);
  return entry;
}

/**
 * Makes room for `tailBytes` behind the key of `entry`, and gives it the expiry in `keyspace.expiry`
 * or none. Returns the entry's address, which may be another one than before; of the tail, as much is kept as
 * was there and still fits. `keyspace.hash` is the hash of the key.
 */
export function resizeEntry(
  database: Database,
  entry: number,
  tailBytes: number,
  volatile: boolean,
): number {
  const keyspace = database.keyspace;
  const arena = keyspace.arena;
  const words = wordsAt(arena, entry);
  const at = wordIndex(entry);
  const keyField = words[at + ENTRY_KEY];
  const length = keyField & KEY_LENGTH_MASK;
  const flags = layoutFlags(database, volatile);
  const bytes = entryBytes(flags, length, tailBytes);
  const units = (bytes + 7) >>> 3;
  const had = (keyField & HAS_EXPIRY) !== 0;
  if (had === volatile && units <= arena.unitsOf(entry)) {
    if (volatile) writeExpiry(keyspace, entry);
    arena.shrink(entry, units);
    return entry;
  }
  const moved = arena.allocate(units, BLOCK_ENTRY);
  const view = arena.views[entry >>> SEGMENT_SHIFT];
  const oldTail = (at + keyWord(keyField)) * 4 + length;
  writeLayout(database, moved, flags, view, oldTail - length, length);
  const target = arena.writableView(moved, bytes);
  const kept = Math.min(tailBytes, at * 4 + arena.unitsOf(entry) * 8 - oldTail);
  const newTail = (wordIndex(moved) + keyWord(flags)) * 4 + length;
  copyBytes(view, oldTail, target, newTail, kept);
  const movedWords = arena.writable(moved, 16);
  const movedAt = wordIndex(moved);
  movedWords[movedAt + ENTRY_META] = words[at + ENTRY_META];
  movedWords[movedAt + ENTRY_VALUE] = words[at + ENTRY_VALUE];
  ownValue(keyspace, moved);
  if (had && volatile) database.volatile.replace(entry, moved);
  else if (had) database.volatile.remove(entry);
  else if (volatile) database.volatile.add(moved);
  keyspace.moves++;
  const replaced = dictReplace(arena, database.dict, keyspace.hash, entry, moved);
  assert(replaced, "an entry that is replaced is in its dict");
  arena.free(entry);
  return moved;
}

/**
 * As {@linkcode resizeEntry}, for an entry that is to get another value: the one it has is freed, but not before
 * there is room.
 */
export function resizeWithoutValue(
  database: Database,
  entry: number,
  tailBytes: number,
  volatile: boolean,
): number {
  const keyspace = database.keyspace;
  const block = valueBlock(keyspace, entry);
  const moved = resizeEntry(database, entry, tailBytes, volatile);
  if (block !== 0) keyspace.freeValueBlock(block);
  return moved;
}

/** Takes `entry` out of its database and frees it with its value; `hash` is that of its key. */
export function removeEntry(database: Database, hash: number, entry: number): void {
  unlinkEntry(database, hash, entry);
  freeEntry(database.keyspace, entry);
}

function unlinkEntry(database: Database, hash: number, entry: number): void {
  database.keyspace.moves++;
  const removed = dictRemove(database.keyspace.arena, database.dict, hash, entry);
  assert(removed, "an entry that is removed is in its dict");
  if (hasExpiry(database.keyspace, entry)) database.volatile.remove(entry);
}

/**
 * Gives the value and the expiry of `entry` in `from`, whose key has the hash `hash`, to the key in
 * `view` in the database `to`, and removes `entry`. `replaced` is the entry that this other key has, or 0,
 * and `keyspace.hash` its hash.
 */
export function moveEntry(
  from: Database,
  hash: number,
  entry: number,
  to: Database,
  replaced: number,
  view: ReadonlyView,
  start: number,
  length: number,
): void {
  const keyspace = from.keyspace;
  const arena = keyspace.arena;
  const volatile = hasExpiry(keyspace, entry);
  if (volatile) readExpiry(keyspace, entry, keyspace.expiry);
  const tail = tailLength(keyspace, entry);
  const moved = replaced === 0
    ? addEntry(to, view, start, length, tail, volatile)
    : resizeWithoutValue(to, replaced, tail, volatile);
  const source = wordsAt(arena, entry);
  const target = arena.writable(moved, arena.unitsOf(moved) * 8);
  const at = wordIndex(moved);
  target[at + ENTRY_META] = source[wordIndex(entry) + ENTRY_META];
  target[at + ENTRY_VALUE] = source[wordIndex(entry) + ENTRY_VALUE];
  copyBytes(
    arena.views[entry >>> SEGMENT_SHIFT],
    tailStart(keyspace, entry),
    arena.writableView(moved, 0),
    tailStart(keyspace, moved),
    tail,
  );
  ownValue(keyspace, moved);
  unlinkEntry(from, hash, entry);
  arena.free(entry);
}

/** Frees `entry`, which no dict holds any more, with what it has outside of itself. */
export function freeEntry(keyspace: Keyspace, entry: number): void {
  const block = valueBlock(keyspace, entry);
  if (block !== 0) keyspace.freeValueBlock(block);
  keyspace.arena.free(entry);
}

/** Has the value that `entry` has outside of it know that it is this entry's. */
export function ownValue(keyspace: Keyspace, entry: number): void {
  const block = valueBlock(keyspace, entry);
  if (block !== 0) keyspace.arena.writable(block, 8)[wordIndex(block) + VALUE_OWNER] = entry;
}

/** Counts a change of the key in `view`, and tells of it as {@linkcode keyTouched} does. */
export function keyChanged(
  database: Database,
  view: ReadonlyView,
  start: number,
  length: number,
  event: string,
): void {
  database.keyspace.dirty++;
  keyTouched(database, view, start, length, event);
}

/** Tells those who watch keys and those who listen to events what happened to a key; `event` may be empty for these. */
export function keyTouched(
  database: Database,
  view: ReadonlyView,
  start: number,
  length: number,
  event: string,
): void {
  const keyspace = database.keyspace;
  if (keyspace.heard !== 0) keyspace.tellChange(database, view, start, length, event);
}

/**
 * Counts a change of what hangs on the key in `view` but isn't its value, such as a group of a stream, and tells of it: those who
 * listen to events and those who wait, not those who watch the key.
 */
export function keyNoted(
  database: Database,
  view: ReadonlyView,
  start: number,
  length: number,
  event: string,
): void {
  const { keyspace } = database;
  keyspace.dirty++;
  if (keyspace.heard !== 0) keyspace.tellNote(database, view, start, length, event);
}

/** Removes `entry`, whose time has come. */
export function removeExpired(database: Database, hash: number, entry: number): void {
  if (database.keyspace.keepExpired) return;
  const { counters, lazyFreeing } = database.keyspace;
  counters.expired++;
  removeUnasked(database, hash, entry, "expired", lazyFreeing.expire);
}

/** Removes `entry` to make room. */
export function removeEvicted(database: Database, hash: number, entry: number): void {
  const { counters, lazyFreeing } = database.keyspace;
  counters.evicted++;
  removeUnasked(database, hash, entry, "evicted", lazyFreeing.evict);
}

/** Removes an entry that no command has named, and tells journal and hook. */
function removeUnasked(
  database: Database,
  hash: number,
  entry: number,
  event: string,
  lazily: boolean,
): void {
  const keyspace = database.keyspace;
  const journaled = keyspace.journal !== null && keyspace.journal.listening;
  const heard = journaled || keyspace.heard !== 0;
  const key = heard ? copyKey(keyspace.arena, entry) : NO_KEY;
  keyspace.lazily = lazily;
  removeEntry(database, hash, entry);
  keyspace.lazily = null;
  if (!heard) return;
  keyspace.journal?.append(database.number, ["DEL", key]);
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  keyTouched(database, view, 0, key.length, event);
}

function layoutFlags(database: Database, volatile: boolean): number {
  return (volatile ? HAS_EXPIRY : 0) | (database.id === 0 ? 0 : HAS_DATABASE);
}

function entryBytes(flags: number, length: number, tailBytes: number): number {
  let bytes = ENTRY_FIXED_BYTES + length + tailBytes;
  if ((flags & HAS_EXPIRY) !== 0) bytes += EXPIRY_BYTES;
  if ((flags & HAS_DATABASE) !== 0) bytes += DATABASE_BYTES;
  return bytes;
}

/** Writes an entry's key and what the layout needs before it. */
function writeLayout(
  database: Database,
  entry: number,
  flags: number,
  view: ReadonlyView,
  start: number,
  length: number,
): void {
  const keyspace = database.keyspace;
  const arena = keyspace.arena;
  const words = arena.writable(entry, entryBytes(flags, length, 0));
  const at = wordIndex(entry);
  words[at + ENTRY_META] = keyspace.firstAccess << ACCESS_SHIFT;
  words[at + ENTRY_KEY] = flags | length;
  const keyAt = at + keyWord(flags);
  if ((flags & HAS_DATABASE) !== 0) words[keyAt - 1] = database.id;
  if ((flags & HAS_EXPIRY) !== 0) {
    words[at + EXPIRY_HIGH] = keyspace.expiry.high;
    words[at + EXPIRY_LOW] = keyspace.expiry.low;
  }
  copyBytes(view, start, arena.writableView(entry, 0), keyAt * 4, length);
}

function writeExpiry(keyspace: Keyspace, entry: number): void {
  const words = keyspace.arena.writable(entry, 24);
  const at = wordIndex(entry);
  words[at + EXPIRY_HIGH] = keyspace.expiry.high;
  words[at + EXPIRY_LOW] = keyspace.expiry.low;
}
