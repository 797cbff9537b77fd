/**
 * Keys whose changes somebody waits for: by name, in a numbered database, whether they exist or not.
 *
 * WATCH and commands that block ask for few keys out of many, so a change has to find out quickly that
 * nobody asked for its key. A change costs one comparison while there are no observed keys, and one hash and one
 * look-up in a map of integers while there are (some 50 ns). Keys with the same hash form a chain.
 *
 * What is observed is a name in the database of a *number*: SWAPDB puts other keys there, and whoever waits for
 * the name is told. FLUSHALL and SWAPDB tell of the keys that existed before or exist after; they collect them with
 * {@linkcode ObservedKeys.inDatabase}.
 *
 * Invariants: each key in the map has at least one observer; `count` is the number of keys in the map.
 *
 * @module
 */
import { hashBytes } from "../memory/hash.ts";
import type { ReadonlyView } from "../memory/arena.ts";
import { keyBytesOf } from "./notifications.ts";

/** Somebody who wants to know of the changes of a key. */
export interface KeyObserver {
  /** The key has another value, or none any more, or a time to live. */
  keyChanged(key: ObservedKey): void;
  /** What hangs on the key is another, such as the groups of a stream, but its value isn't. */
  keyNoted?(key: ObservedKey): void;
}

/** A key that somebody observes. */
export class ObservedKey {
  /** Who does. */
  readonly observers: Set<KeyObserver> = new Set();
  /** The next one with the same hash. */
  next: ObservedKey | null = null;
  /** Its bytes, for look-ups. */
  readonly view: DataView;

  /** Key `bytes`, which has this hash, in the database of this number. */
  constructor(readonly database: number, readonly bytes: Uint8Array, readonly hash: number) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Tells all who observe it that it has changed. */
  tell(): void {
    for (const observer of this.observers) observer.keyChanged(this);
  }

  /** Tells those who want to know that what hangs on it has changed. */
  tellNote(): void {
    for (const observer of this.observers) observer.keyNoted?.(this);
  }

  /** Whether it is the key in `view`. */
  is(database: number, view: ReadonlyView, start: number, length: number): boolean {
    const { bytes } = this;
    if (this.database !== database || bytes.length !== length) return false;
    for (let index = 0; index < length; index++) {
      if (bytes[index] !== view.getUint8(start + index)) return false;
    }
    return true;
  }
}

/** All keys of one keyspace that somebody observes; see the head of this file. */
export class ObservedKeys {
  /** How many there are. */
  count = 0;
  private readonly byHash = new Map<number, ObservedKey>();

  /** Hashes keys as the keyspace with these seeds does; `onUse` is told when the first one comes and the last one goes. */
  constructor(
    private readonly seed0: number,
    private readonly seed1: number,
    private readonly onUse: () => void,
  ) {}

  /** Has `observer` told of the changes of the key in `view`, in the database of this number. */
  observe(
    database: number,
    view: ReadonlyView,
    start: number,
    length: number,
    observer: KeyObserver,
  ): ObservedKey {
    const key = this.find(database, view, start, length) ?? this.add(database, view, start, length);
    key.observers.add(observer);
    return key;
  }

  /** Ends {@linkcode observe}. */
  ignore(key: ObservedKey, observer: KeyObserver): void {
    if (!key.observers.delete(observer) || key.observers.size > 0) return;
    const first = this.byHash.get(key.hash)!;
    if (first !== key) {
      let before = first;
      while (before.next !== key) before = before.next!;
      before.next = key.next;
    } else if (key.next === null) this.byHash.delete(key.hash);
    else this.byHash.set(key.hash, key.next);
    if (--this.count === 0) this.onUse();
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
    let key = this.byHash.get(hash) ?? null;
    while (key !== null && !key.is(database, view, start, length)) key = key.next;
    return key;
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

  private add(database: number, view: ReadonlyView, start: number, length: number): ObservedKey {
    const hash = hashBytes(view, start, length, this.seed0, this.seed1);
    const key = new ObservedKey(database, keyBytesOf(view, start, length), hash);
    key.next = this.byHash.get(hash) ?? null;
    this.byHash.set(hash, key);
    if (this.count++ === 0) this.onUse();
    return key;
  }
}
