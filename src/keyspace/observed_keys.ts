/**
 * Keys whose changes somebody waits for: by name, in a numbered database, whether they exist or not.
 *
 * WATCH and commands that block ask for few keys out of many, so a change has to find out quickly that
 * nobody asked for its key. A change costs one comparison while there are no observed keys, and one hash and one
 * look-up in a map of integers while there are (some 50 ns). Keys with the same hash form a chain, and so do those who
 * observe a key, since some come and go with each transaction: an {@linkcode Observation} is a link of that chain.
 *
 * What is observed is a name in the database of a *number*: SWAPDB puts other keys there, and whoever waits for
 * the name is told. FLUSHALL and SWAPDB tell of the keys that existed before or exist after; they collect them with
 * {@linkcode ObservedKeys.inDatabase}.
 *
 * Invariants: each key in the map has at least one observer, and none twice; `count` is the number of keys in the map.
 *
 * @module
 */
import { hashBytes } from "../memory/hash.ts";
import type { ReadonlyView } from "../memory/arena.ts";
import { copyBytes } from "../memory/copy.ts";

/** Keys of so many bytes are used again, since memory for bytes costs more to get than all the rest. */
const SPARE_BYTES = 64;
const MOST_SPARES = 64;

/** Somebody who wants to know of the changes of keys. */
export interface KeyObserver {
  /** The key has another value, or none any more, or a time to live. It may end this observation, but no other one of the key. */
  keyChanged(observation: Observation): void;
  /** What hangs on the key is another, such as the groups of a stream, but its value isn't. */
  keyNoted?(observation: Observation): void;
}

/** That somebody observes a key. */
export class Observation {
  /** The neighbours among those who observe the same key. */
  previous: Observation | null = null;
  /** The one who came next. */
  next: Observation | null = null;

  /** Made by {@linkcode ObservedKeys.observe}; `note` is what the observer keeps about the key. */
  constructor(readonly key: ObservedKey, readonly observer: KeyObserver, public note: number) {}
}

/** A key that somebody observes. */
export class ObservedKey {
  /** Who observes it, first one first. */
  first: Observation | null = null;
  /** The one who came last. */
  last: Observation | null = null;
  /** The next key with the same hash. */
  next: ObservedKey | null = null;
  /** Number of its database. */
  database = 0;
  /** Its hash. */
  hash = 0;
  /** How many bytes it has, */
  length = 0;
  /** which stand at the start of this. */
  readonly view: DataView;

  /** A key without a name yet, with room for one of so many bytes. */
  constructor(capacity: number) {
    this.view = new DataView(new ArrayBuffer(capacity));
  }

  /** Tells all who observe it that it has changed. */
  tell(): void {
    let observation = this.first;
    while (observation !== null) {
      const { next } = observation;
      observation.observer.keyChanged(observation);
      observation = next;
    }
  }

  /** Tells those who want to know that what hangs on it has changed. */
  tellNote(): void {
    let observation = this.first;
    while (observation !== null) {
      const { next } = observation;
      observation.observer.keyNoted?.(observation);
      observation = next;
    }
  }

  /** Whether it is the key in `view`. */
  is(database: number, view: ReadonlyView, start: number, length: number): boolean {
    if (this.database !== database || this.length !== length) return false;
    for (let index = 0; index < length; index++) {
      if (this.view.getUint8(index) !== view.getUint8(start + index)) return false;
    }
    return true;
  }
}

/** All keys of one keyspace that somebody observes; see the head of this file. */
export class ObservedKeys {
  /** How many there are. */
  count = 0;
  private readonly byHash = new Map<number, ObservedKey>();
  /** Keys that nobody uses, in a chain. */
  private spare: ObservedKey | null = null;
  private spares = 0;

  /** Hashes keys as the keyspace with these seeds does; `onUse` is told when the first one comes and the last one goes. */
  constructor(
    private readonly seed0: number,
    private readonly seed1: number,
    private readonly onUse: () => void,
  ) {}

  /**
   * Has `observer` told of the changes of the key in `view`, in the database of this number, and keeps `note` for it;
   * null if it observes the key already.
   */
  observe(
    database: number,
    view: ReadonlyView,
    start: number,
    length: number,
    observer: KeyObserver,
    note: number,
  ): Observation | null {
    const hash = hashBytes(view, start, length, this.seed0, this.seed1);
    const key = this.findHashed(hash, database, view, start, length) ??
      this.add(hash, database, view, start, length);
    for (let other = key.last; other !== null; other = other.previous) {
      if (other.observer === observer) return null;
    }
    const observation = new Observation(key, observer, note);
    observation.previous = key.last;
    if (key.last === null) key.first = observation;
    else key.last.next = observation;
    key.last = observation;
    return observation;
  }

  /** Ends {@linkcode observe}. */
  ignore({ key, previous, next }: Observation): void {
    if (previous === null) key.first = next;
    else previous.next = next;
    if (next === null) key.last = previous;
    else next.previous = previous;
    if (key.first === null) this.remove(key);
  }

  /** The key in `view` has changed. */
  changed(database: number, view: ReadonlyView, start: number, length: number): void {
    this.find(database, view, start, length)?.tell();
  }

  /** What hangs on the key in `view` has changed, but its value hasn't. */
  noted(database: number, view: ReadonlyView, start: number, length: number): void {
    this.find(database, view, start, length)?.tellNote();
  }

  /** The key in `view`, or null if nobody observes it. */
  find(database: number, view: ReadonlyView, start: number, length: number): ObservedKey | null {
    const hash = hashBytes(view, start, length, this.seed0, this.seed1);
    return this.findHashed(hash, database, view, start, length);
  }

  /** Those in the database of this number for which `matches` holds. */
  inDatabase(database: number, matches: (key: ObservedKey) => boolean): ObservedKey[] {
    const found: ObservedKey[] = [];
    for (const first of this.byHash.values()) {
      for (let key: ObservedKey | null = first; key !== null; key = key.next) {
        if (key.database === database && matches(key)) found.push(key);
      }
    }
    return found;
  }

  /** As {@linkcode find}, for a key whose hash is known. */
  private findHashed(
    hash: number,
    database: number,
    view: ReadonlyView,
    start: number,
    length: number,
  ): ObservedKey | null {
    let key = this.byHash.get(hash) ?? null;
    while (key !== null && !key.is(database, view, start, length)) key = key.next;
    return key;
  }

  /** Makes a key that nobody observes yet. */
  private add(
    hash: number,
    database: number,
    view: ReadonlyView,
    start: number,
    length: number,
  ): ObservedKey {
    const key = this.takeKey(length);
    key.database = database;
    key.hash = hash;
    key.length = length;
    copyBytes(view, start, key.view, 0, length);
    key.next = this.byHash.get(hash) ?? null;
    this.byHash.set(hash, key);
    if (this.count++ === 0) this.onUse();
    return key;
  }

  /** A key that nobody uses, with room for `length` bytes. */
  private takeKey(length: number): ObservedKey {
    const { spare } = this;
    if (length > SPARE_BYTES) return new ObservedKey(length);
    if (spare === null) return new ObservedKey(SPARE_BYTES);
    this.spare = spare.next;
    this.spares--;
    return spare;
  }

  /** Keeps a key that nobody uses any more for the next, if there is room for its kind. */
  private giveKey(key: ObservedKey): void {
    if (key.view.byteLength !== SPARE_BYTES || this.spares === MOST_SPARES) return;
    key.next = this.spare;
    this.spare = key;
    this.spares++;
  }

  /** Forgets a key that nobody observes any more. */
  private remove(key: ObservedKey): void {
    const first = this.byHash.get(key.hash)!;
    if (first !== key) {
      let before = first;
      while (before.next !== key) before = before.next!;
      before.next = key.next;
    } else if (key.next === null) this.byHash.delete(key.hash);
    else this.byHash.set(key.hash, key.next);
    if (--this.count === 0) this.onUse();
    this.giveKey(key);
  }
}
