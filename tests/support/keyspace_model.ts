/**
 * A keyspace beside plain Maps that say what must be in it, and random changes of both.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { clearDatabase, flushDatabases, freeDetached } from "../../src/keyspace/flushing.ts";
import { expiryOf, hasExpiry, tailLength } from "../../src/keyspace/entry_facts.ts";
import {
  type Database,
  findEntry,
  Keyspace,
  moveEntry,
  removeEntry,
  resizeEntry,
} from "../../src/keyspace/keyspace.ts";
import {
  allocateValue,
  copyString,
  EXPIRY_KEEP,
  EXPIRY_NONE,
  EXPIRY_SET,
  EXTERNAL_BYTES,
  setExternal,
  setStringOrInteger,
  stringBytes,
  stringLength,
  valueRoom,
  writeRange,
} from "../../src/keyspace/strings.ts";
import { copyKey } from "../../src/memory/entry.ts";
import { Int64 } from "../../src/protocol/integers.ts";
import { ActiveExpiry } from "../../src/keyspace/active_expiry.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const DATABASES = 3;
export const START_MS = 1_700_000_000_000;

/** What a key should be. */
export interface Known {
  readonly value: string;
  readonly expiryMs: number | null;
}

/** A keyspace beside plain Maps that say what must be in it. */
export class Pair {
  readonly keyspace: Keyspace;
  readonly model: Map<string, Known>[] = Array.from({ length: DATABASES }, () => new Map());
  readonly expired: string[] = [];
  readonly scratch = new Uint8Array(64);
  nowMs = START_MS;

  constructor(seed: number) {
    this.keyspace = new Keyspace(DATABASES, seed, seed ^ 0x5a5a5a5a);
    this.keyspace.setTime(this.nowMs);
    this.keyspace.listen((database, key, event) => {
      if (event === "expired") this.expired.push(`${database.number}/${decoder.decode(key)}`);
    });
  }

  database(number: number): Database {
    return this.keyspace.databases[number];
  }

  /** What the model holds of a key whose time hasn't come. */
  known(number: number, key: string): Known | undefined {
    const known = this.model[number].get(key);
    if (known === undefined || known.expiryMs === null) return known;
    return known.expiryMs < this.nowMs ? undefined : known;
  }

  /** Looks at `count` volatile keys at random. */
  expireSome(number: number, count: number, random: () => number): void {
    const database = this.database(number);
    const expiry = new ActiveExpiry({
      keyspace: this.keyspace,
      clock: { now: () => this.nowMs, monotonic: () => this.nowMs },
      expiryPaused: false,
      refreshTime: () => this.keyspace.setTime(this.nowMs),
      afterExpiry: () => {},
    }, random);
    for (let look = 0; look < count && database.volatile.length > 0; look++) {
      expiry.expireStretch(database, Math.floor(random() * database.volatile.length), 1);
    }
  }

  find(number: number, key: string): number {
    const bytes = encoder.encode(key);
    const entry = findEntry(this.database(number), new DataView(bytes.buffer), 0, bytes.length);
    const known = this.known(number, key);
    assertEquals(entry !== 0, known !== undefined, `${number}/${key} is there`);
    if (known === undefined) this.model[number].delete(key);
    else this.compare(entry, key, known);
    return entry;
  }

  compare(entry: number, key: string, known: Known): void {
    assertEquals(decoder.decode(copyKey(this.keyspace.arena, entry)), key);
    const bytes = stringBytes(this.keyspace, entry, this.scratch).slice();
    assertEquals(stringLength(this.keyspace, entry, this.scratch), bytes.length);
    // Comparing by the assertion would take long for big values.
    assert(decoder.decode(bytes) === known.value, `value of ${key}, ${bytes.length} bytes`);
    const expiryMs = hasExpiry(this.keyspace, entry) ? expiryOf(this.keyspace, entry) : null;
    assertEquals(expiryMs, known.expiryMs);
  }

  setExpiry(ms: number): void {
    this.keyspace.expiry.high = Math.floor(ms / 4294967296);
    this.keyspace.expiry.low = ms | 0;
    if (ms > 0x7fffffff) {
      this.keyspace.expiry.low = (ms - this.keyspace.expiry.high * 4294967296) | 0;
    }
  }

  set(number: number, key: string, value: string, expiry: number, expiryMs: number | null): void {
    const old = this.find(number, key);
    const before = this.known(number, key);
    if (expiry === EXPIRY_SET) this.setExpiry(expiryMs!);
    const bytes = encoder.encode(value);
    const name = encoder.encode(key);
    setStringOrInteger(
      this.database(number),
      old,
      new DataView(name.buffer),
      0,
      name.length,
      bytes,
      new DataView(bytes.buffer),
      0,
      bytes.length,
      expiry,
      new Int64(),
    );
    const kept = expiry === EXPIRY_KEEP ? before?.expiryMs ?? null : null;
    this.model[number].set(key, { value, expiryMs: expiry === EXPIRY_SET ? expiryMs : kept });
  }

  /** As SET does with an argument that was read straight into its block. */
  setBlock(number: number, key: string, value: string): void {
    const bytes = encoder.encode(value);
    const block = allocateValue(this.keyspace, bytes.length);
    valueRoom(this.keyspace, block, 0, bytes.length).set(bytes);
    const old = this.find(number, key);
    const name = encoder.encode(key);
    const view = new DataView(name.buffer);
    try {
      setExternal(this.database(number), old, view, 0, name.length, block, EXPIRY_NONE);
    } catch (error) {
      this.keyspace.freeValueBlock(block);
      throw error;
    }
    this.model[number].set(key, { value, expiryMs: null });
  }

  writeRange(number: number, key: string, offset: number, piece: string): void {
    const entry = this.find(number, key);
    const known = this.known(number, key);
    if (known === undefined) return;
    const bytes = encoder.encode(piece);
    writeRange(
      this.database(number),
      entry,
      offset,
      new DataView(bytes.buffer),
      0,
      bytes.length,
      this.scratch,
    );
    const padded = known.value.padEnd(offset, "\0");
    const value = padded.slice(0, offset) + piece + padded.slice(offset + piece.length);
    this.model[number].set(key, { value, expiryMs: known.expiryMs });
  }

  expire(number: number, key: string, expiryMs: number | null): void {
    const entry = this.find(number, key);
    const known = this.known(number, key);
    if (known === undefined) return;
    if (expiryMs !== null) this.setExpiry(expiryMs);
    const tail = tailLength(this.keyspace, entry);
    resizeEntry(this.database(number), entry, tail, expiryMs !== null);
    this.model[number].set(key, { value: known.value, expiryMs });
  }

  /** RENAME within a database, MOVE between two. */
  move(from: number, key: string, to: number, other: string): void {
    const entry = this.find(from, key);
    const hash = this.keyspace.hash;
    const known = this.known(from, key);
    const replaced = this.find(to, other);
    if (known === undefined || (from === to && key === other)) return;
    const name = encoder.encode(other);
    const view = new DataView(name.buffer);
    const source = this.database(from);
    moveEntry(source, hash, entry, this.database(to), replaced, view, 0, name.length);
    this.model[from].delete(key);
    this.model[to].set(other, known);
  }

  copy(from: number, key: string, to: number, other: string): void {
    const entry = this.find(from, key);
    const known = this.known(from, key);
    const old = this.find(to, other);
    if (known === undefined || (from === to && key === other)) return;
    if (known.expiryMs !== null) this.setExpiry(known.expiryMs);
    const name = encoder.encode(other);
    copyString(
      this.database(to),
      old,
      new DataView(name.buffer),
      0,
      name.length,
      entry,
      known.expiryMs === null ? EXPIRY_NONE : EXPIRY_SET,
      this.scratch,
    );
    this.model[to].set(other, known);
  }

  remove(number: number, key: string): void {
    const entry = this.find(number, key);
    if (entry !== 0) removeEntry(this.database(number), this.keyspace.hash, entry);
    this.model[number].delete(key);
  }

  swap(first: number, second: number): void {
    const { databases } = this.keyspace;
    [databases[first], databases[second]] = [databases[second], databases[first]];
    databases[first].number = first;
    databases[second].number = second;
    [this.model[first], this.model[second]] = [this.model[second], this.model[first]];
  }

  flush(number: number): void {
    clearDatabase(this.database(number));
    this.model[number].clear();
  }

  /** Empties a database, and leaves most of the work for later. */
  flushLazily(number: number): void {
    flushDatabases(this.keyspace, [this.database(number)], true);
    this.model[number].clear();
  }

  /** Goes on with what flushes have left. */
  freeDetached(buckets: number): boolean {
    return freeDetached(this.keyspace, buckets);
  }

  advance(ms: number): void {
    this.nowMs += ms;
    this.keyspace.setTime(this.nowMs);
  }

  /** Everything that must agree. */
  check(): void {
    checkKeyspace(this.keyspace);
    for (let number = 0; number < DATABASES; number++) {
      const volatile = [...this.model[number].values()].filter((one) => one.expiryMs !== null);
      assert(this.database(number).volatile.length <= volatile.length);
      for (const key of [...this.model[number].keys()]) this.find(number, key);
      assertEquals(this.database(number).size, this.model[number].size);
    }
  }
}

/** How many blocks are in use. */
export function blocks(keyspace: Keyspace): number {
  let count = 0;
  keyspace.arena.walk(() => count++);
  return count;
}

export function randomText(random: () => number): string {
  const kind = random();
  if (kind < 0.15) return String(Math.floor(random() * 2000) - 1000);
  if (kind < 0.25) return String(Math.floor((random() - 0.5) * 2 ** 53));
  if (kind < 0.3) {
    return ["9223372036854775807", "-9223372036854775808", "-0", "007"][
      Math.floor(random() * 4)
    ];
  }
  const letter = String.fromCharCode(97 + Math.floor(random() * 26));
  if (kind < 0.9) return letter.repeat(Math.floor(random() * 120));
  return letter.repeat(EXTERNAL_BYTES - 20 + Math.floor(random() * 3000 * random()));
}

/** One random step; some keys are long, and some pairs of keys share a database entry's size. */
export function step(pair: Pair, random: () => number): void {
  const number = Math.floor(random() * DATABASES);
  const other = Math.floor(random() * DATABASES);
  const name = () => {
    const index = Math.floor(random() * 90);
    return `k${index}${index % 7 === 0 ? "-long".repeat(index) : ""}`;
  };
  const key = name();
  const soon = pair.nowMs + Math.floor(random() * 400);
  const choice = random();
  if (choice < 0.25) pair.set(number, key, randomText(random), EXPIRY_NONE, null);
  else if (choice < 0.35) pair.set(number, key, randomText(random), EXPIRY_SET, soon);
  else if (choice < 0.4) pair.set(number, key, randomText(random), EXPIRY_KEEP, null);
  else if (choice < 0.42) {
    pair.setBlock(number, key, "B".repeat(EXTERNAL_BYTES + Math.floor(random() * 100)));
  } else if (choice < 0.5) {
    const length = pair.known(number, key)?.value.length ?? 0;
    pair.writeRange(number, key, length, randomText(random));
  } else if (choice < 0.57) {
    const far = random() < 0.2 ? EXTERNAL_BYTES : 150;
    pair.writeRange(number, key, Math.floor(random() * far), randomText(random).slice(0, 5000));
  } else if (choice < 0.65) pair.expire(number, key, soon);
  else if (choice < 0.7) pair.expire(number, key, null);
  else if (choice < 0.77) pair.move(number, key, number, name());
  else if (choice < 0.82) pair.move(number, key, other, random() < 0.5 ? key : name());
  else if (choice < 0.88) pair.copy(number, key, other, name());
  else if (choice < 0.95) pair.remove(number, key);
  else if (choice < 0.96) pair.swap(number, other);
  else if (choice < 0.961) pair.flush(number);
  else if (choice < 0.962) pair.flushLazily(number);
  else if (choice < 0.967) pair.freeDetached(1 + Math.floor(random() * 5));
  else if (choice < 0.98) pair.advance(Math.floor(random() * 100));
  else pair.expireSome(number, 5, random);
}
