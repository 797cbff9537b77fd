/**
 * Sets and hashes of a keyspace beside plain Maps that say what must be in them.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { CollectionWalk } from "../../src/keyspace/collection_walk.ts";
import { copyCollection } from "../../src/keyspace/collection_store.ts";
import { rootOf, tailStart, tailView } from "../../src/keyspace/collections.ts";
import { moversOf } from "../../src/keyspace/defragmentation.ts";
import { ElementPlace } from "../../src/keyspace/element_place.ts";
import {
  entryEncoding,
  expiryOf,
  hasExpiry,
  tailCapacity,
  tailLength,
} from "../../src/keyspace/entry_facts.ts";
import {
  type Database,
  findEntry,
  Keyspace,
  moveEntry,
  removeEntry,
  resizeEntry,
} from "../../src/keyspace/keyspace.ts";
import { membersBytes } from "../../src/keyspace/member_roots.ts";
import { ENCODING_INTSET, ENCODING_ROOT } from "../../src/keyspace/types.ts";
import { ArenaFullError } from "../../src/memory/arena.ts";
import { intsetValidate } from "../../src/memory/intset.ts";
import { listpackValidate } from "../../src/memory/listpack_validation.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const START_MS = 1_700_000_000_000;

/** The bytes of a text as a view. */
export function viewOf(text: string): DataView {
  return new DataView(encoder.encode(text).buffer);
}

/** The text that a place tells. */
export function textOf(place: ElementPlace): string {
  return decoder.decode(place.copy());
}

/** Texts as members and fields are: integers of all widths, short and long strings, few enough to meet again. */
export function someText(random: () => number, longest: number): string {
  const kind = random();
  const number = Math.floor(random() * 60);
  if (kind < 0.4) return String(number - 20);
  if (kind < 0.5) return String((number - 30) * 10_000);
  if (kind < 0.55) return String(BigInt(number - 30) * 3n ** 38n / 7n);
  if (kind < 0.6) return ["", "-0", "007", "9223372036854775808", "1e5"][number % 5];
  if (kind < 0.97) return `m${number}`.repeat(1 + number % 4);
  return "long".repeat(longest).slice(0, longest - 2 + number % 5) + number % 3;
}

/** A keyspace of two databases beside Maps by key; `T` is what stands for a value. */
export class CollectionPair<T extends { size: number }> {
  readonly keyspace: Keyspace;
  readonly databases: readonly Database[];
  readonly model: readonly [Map<string, T>, Map<string, T>] = [new Map(), new Map()];
  readonly expiries: readonly [Map<string, number>, Map<string, number>] = [new Map(), new Map()];
  readonly walk = new CollectionWalk();
  readonly value = new ElementPlace();
  /** How many blocks have been moved. */
  moved = 0;
  private readonly movers: ReturnType<typeof moversOf>;
  /** After so many more blocks there is no room. */
  room = Infinity;

  constructor(
    seed: number,
    private readonly copyModel: (value: T) => T,
    private readonly compare: (entry: number, value: T) => void,
  ) {
    this.keyspace = new Keyspace(2, seed, seed ^ 0x5a5a5a5a);
    this.keyspace.setTime(START_MS);
    this.databases = this.keyspace.databases;
    this.movers = moversOf(this.keyspace, () => {});
    const { arena } = this.keyspace;
    const allocate = arena.allocate.bind(arena);
    arena.allocate = (units, kind) => {
      if (--this.room < 0) throw new ArenaFullError(units);
      return allocate(units, kind);
    };
  }

  /** The entry of a key. */
  find(number: number, key: string): number {
    const view = viewOf(key);
    return findEntry(this.databases[number], view, 0, view.byteLength);
  }

  /** Removes a key. */
  remove(number: number, key: string): void {
    const entry = this.find(number, key);
    assertEquals(entry !== 0, this.model[number].has(key));
    if (entry !== 0) removeEntry(this.databases[number], this.keyspace.hash, entry);
    this.forget(number, key);
  }

  /** The key is gone. */
  forget(number: number, key: string): void {
    this.model[number].delete(key);
    this.expiries[number].delete(key);
  }

  /** Gives a key an expiry, or takes it away. */
  expire(number: number, key: string, volatile: boolean): void {
    const entry = this.find(number, key);
    if (entry === 0) return;
    const when = START_MS + 1000 + this.expiries[number].size;
    this.setExpiry(when);
    resizeEntry(this.databases[number], entry, tailLength(this.keyspace, entry), volatile);
    if (volatile) this.expiries[number].set(key, when);
    else this.expiries[number].delete(key);
  }

  /** RENAME or MOVE to a key that may be there. */
  move(from: number, key: string, to: number, other: string): void {
    const source = this.find(from, key);
    const { hash } = this.keyspace;
    if (source === 0 || (from === to && key === other)) return;
    const old = this.find(to, other);
    const view = viewOf(other);
    const target = this.databases[to];
    moveEntry(this.databases[from], hash, source, target, old, view, 0, view.byteLength);
    this.model[to].set(other, this.model[from].get(key)!);
    const when = this.expiries[from].get(key);
    this.forget(from, key);
    if (when === undefined) this.expiries[to].delete(other);
    else this.expiries[to].set(other, when);
  }

  /** COPY REPLACE. */
  copy(from: number, key: string, to: number, other: string, volatile: boolean): void {
    const source = this.find(from, key);
    if (source === 0 || (from === to && key === other)) return;
    const old = this.find(to, other);
    const view = viewOf(other);
    const when = START_MS + 5000;
    this.setExpiry(when);
    copyCollection(this.databases[to], old, view, 0, view.byteLength, source, volatile);
    this.model[to].set(other, this.copyModel(this.model[from].get(key)!));
    if (volatile) this.expiries[to].set(other, when);
    else this.expiries[to].delete(other);
  }

  /** What is common to all keys and other than in a plain step: one random change. */
  generalStep(random: () => number, key: string, other: string): void {
    const from = Math.floor(random() * 2);
    const to = Math.floor(random() * 2);
    const choice = random();
    if (choice < 0.2) this.remove(from, key);
    else if (choice < 0.4) this.expire(from, key, random() < 0.6);
    else if (choice < 0.6) this.move(from, key, to, other);
    else if (choice < 0.8) this.copy(from, key, to, other, random() < 0.4);
    else this.moveSome(random);
  }

  /** Moves blocks here and there, as defragmentation does between two turns. */
  moveSome(random: () => number): void {
    const share = random() ** 3;
    const blocks: [number, number][] = [];
    this.keyspace.arena.walk((address, _units, kind) => {
      if (random() < share) blocks.push([address, kind]);
    });
    for (const [address, kind] of blocks) {
      assert(this.movers[kind]!(address), `a block of kind ${kind} is moved`);
      this.moved++;
    }
  }

  /** Runs `step` with room for few blocks; a step that finds none must have changed nothing, so the model stays. */
  withLittleRoom(blocks: number, step: () => void): boolean {
    this.room = blocks;
    try {
      step();
      return true;
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error;
      return false;
    } finally {
      this.room = Infinity;
    }
  }

  /** Checks the keyspace, and each key against the model. */
  check(): void {
    const { keyspace } = this;
    checkKeyspace(keyspace);
    for (const number of [0, 1]) {
      assertEquals(this.databases[number].size, this.model[number].size);
      for (const [key, value] of this.model[number]) {
        const entry = this.find(number, key);
        assert(entry !== 0, `${number}/${key} is there`);
        const expiry = hasExpiry(keyspace, entry) ? expiryOf(keyspace, entry) : undefined;
        assertEquals(expiry, this.expiries[number].get(key));
        this.checkForm(entry);
        this.walk.enter(keyspace, entry);
        assertEquals(this.walk.count, value.size);
        this.compare(entry, value);
      }
    }
  }

  /** The bytes of a small collection are what they should be, and so many as the entry says; a large one takes more. */
  private checkForm(entry: number): void {
    const { keyspace } = this;
    const encoding = entryEncoding(keyspace, entry);
    if (encoding === ENCODING_ROOT) {
      const root = rootOf(keyspace, entry);
      assert(membersBytes(keyspace, root, Infinity) > 200);
      return;
    }
    const length = tailLength(keyspace, entry);
    assert(length <= tailCapacity(keyspace, entry));
    const view = tailView(keyspace, entry);
    const start = tailStart(keyspace, entry);
    if (encoding === ENCODING_INTSET) assert(intsetValidate(view, start, length));
    else assert(listpackValidate(view, start, length) > 0);
  }

  private setExpiry(ms: number): void {
    this.keyspace.expiry.high = Math.floor(ms / 4294967296);
    this.keyspace.expiry.low = ms % 4294967296 | 0;
  }
}
