import { assert, assertEquals } from "@std/assert";
import { HashBuilder } from "../../src/keyspace/hash_builder.ts";
import {
  createHash,
  findField,
  hashDelete,
  hashEncodingName,
  hashHas,
  hashLength,
  hashSet,
} from "../../src/keyspace/hashes.ts";
import { removeEntry } from "../../src/keyspace/keyspace.ts";
import { CollectionPair, someText, textOf, viewOf } from "../support/collection_model.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const MAX_FIELDS = 30;
const MAX_BYTES = 40;

class HashPair extends CollectionPair<Map<string, string>> {
  constructor(seed: number) {
    super(seed, (fields) => new Map(fields), (entry, fields) => {
      const found = new Map<string, string>();
      while (this.walk.next()) {
        this.walk.readValue(this.value);
        found.set(textOf(this.walk), textOf(this.value));
      }
      assertEquals([...found].sort(), [...fields].sort());
      for (const [field, value] of fields) {
        const view = viewOf(field);
        assert(findField(this.keyspace, entry, view, 0, view.byteLength, this.value));
        assertEquals(textOf(this.value), value);
      }
    });
  }

  set(number: number, key: string, field: string, value: string): void {
    const entry = this.find(number, key);
    const known = this.model[number].get(key);
    assertEquals(entry !== 0, known !== undefined);
    const database = this.databases[number];
    const name = viewOf(field);
    const view = viewOf(value);
    if (known === undefined) {
      const keyView = viewOf(key);
      createHash(
        database,
        keyView,
        0,
        keyView.byteLength,
        name,
        0,
        name.byteLength,
        view,
        0,
        view.byteLength,
        MAX_FIELDS,
        MAX_BYTES,
        value.length % 3 * 40,
      );
      this.model[number].set(key, new Map([[field, value]]));
      return;
    }
    const changed = hashSet(
      database,
      entry,
      name,
      0,
      name.byteLength,
      view,
      0,
      view.byteLength,
      MAX_FIELDS,
      MAX_BYTES,
    );
    assertEquals(changed, this.find(number, key) * (known.has(field) ? -1 : 1));
    known.set(field, value);
    assertEquals(hashLength(this.keyspace, Math.abs(changed)), known.size);
  }

  delete(number: number, key: string, field: string): void {
    const entry = this.find(number, key);
    if (entry === 0) return;
    const view = viewOf(field);
    const known = this.model[number].get(key)!;
    assertEquals(hashHas(this.keyspace, entry, view, 0, view.byteLength), known.has(field));
    const deleted = hashDelete(this.databases[number], entry, view, 0, view.byteLength);
    assertEquals(deleted, known.delete(field));
    if (hashLength(this.keyspace, entry) > 0) return;
    assertEquals(known.size, 0);
    this.find(number, key);
    removeEntry(this.databases[number], this.keyspace.hash, entry);
    this.forget(number, key);
  }

  /** Builds a hash from the fields of another, in another order. */
  rebuild(number: number, key: string, target: string): void {
    const fields = [...this.model[number].get(key) ?? []].reverse();
    if (fields.length === 0) return;
    const builder = new HashBuilder(this.keyspace, MAX_FIELDS, MAX_BYTES);
    try {
      for (const [field, value] of fields) {
        const name = viewOf(field);
        const view = viewOf(value);
        const add = () => builder.add(name, 0, name.byteLength, view, 0, view.byteLength);
        assert(add());
        assert(!add(), "it is there already");
      }
      assertEquals(builder.count, fields.length);
      const old = this.find(number, target);
      const view = viewOf(target);
      builder.store(this.databases[number], old, view, 0, view.byteLength, false);
      this.model[number].set(target, new Map(fields));
      this.expiries[number].delete(target);
    } finally {
      builder.discard();
    }
  }

  step(random: () => number): void {
    const number = Math.floor(random() * 2);
    const key = () => `k${Math.floor(random() * 12)}`.repeat(1 + Math.floor(random() * 1.2));
    const text = () => someText(random, MAX_BYTES);
    const choice = random();
    if (choice < 0.65) this.set(number, key(), text(), text());
    else if (choice < 0.75) this.delete(number, key(), text());
    else if (choice < 0.76) this.crowd(number, key(), random);
    else if (choice < 0.78) this.rebuild(number, key(), key());
    else this.generalStep(random, key(), key());
  }

  /** Fields by the hundred, so that the hash gets large. */
  crowd(number: number, key: string, random: () => number): void {
    const from = Math.floor(random() * 300);
    for (let index = 0; index < 150; index++) {
      this.set(number, key, `f${from + index}`, "v".repeat(Math.floor(random() * 80)));
    }
  }
}

Deno.test("hashes: random changes, moved between them, against JavaScript's maps", () => {
  const seed = testSeed("hashes");
  const random = seededRandom(seed);
  for (let round = 0; round < 4; round++) {
    const pair = new HashPair(seed + round);
    for (let count = 0; count < 2500; count++) {
      pair.step(random);
      if (count % 250 === 0) pair.check();
    }
    pair.check();
    assert(pair.moved > 1000, "blocks were moved");
    for (const number of [0, 1]) {
      for (const key of [...pair.model[number].keys()]) pair.remove(number, key);
    }
    while (pair.keyspace.freeDying(1000));
    pair.check();
    assertEquals(pair.keyspace.roots.count, 0);
  }
});

Deno.test("hashes: a change that finds no room has changed nothing", () => {
  const seed = testSeed("hashes without room");
  const random = seededRandom(seed);
  const pair = new HashPair(seed);
  let failed = 0;
  for (let count = 0; count < 5000; count++) {
    const key = `k${Math.floor(random() * 8)}`;
    const done = pair.withLittleRoom(Math.floor(random() * 12), () => {
      const choice = random();
      if (choice < 0.6) {
        pair.set(0, key, someText(random, MAX_BYTES), someText(random, MAX_BYTES));
      } else if (choice < 0.63) pair.crowd(0, key, random);
      else if (choice < 0.75) pair.rebuild(0, key, `k${Math.floor(random() * 8)}`);
      else if (choice < 0.9) pair.copy(0, key, 0, `k${Math.floor(random() * 8)}`, false);
      else pair.delete(0, key, someText(random, MAX_BYTES));
    });
    if (!done) failed++;
    if (random() < 0.005) pair.remove(0, key);
    if (count % 250 === 0) pair.check();
  }
  pair.check();
  assert(failed > 200, `${failed} steps found no room`);
});

Deno.test("hashes: the encoding changes when Redis' does, and not back", () => {
  const pair = new HashPair(1);
  const encoding = (key: string) => hashEncodingName(pair.keyspace, pair.find(0, key));
  for (let index = 0; index < MAX_FIELDS; index++) pair.set(0, "many", `f${index}`, "v");
  assertEquals(encoding("many"), "listpack");
  pair.set(0, "many", "f0", "another");
  assertEquals(encoding("many"), "listpack");
  pair.set(0, "many", "one more", "v");
  assertEquals(encoding("many"), "hashtable");
  pair.delete(0, "many", "one more");
  assertEquals(encoding("many"), "hashtable");
  pair.set(0, "long", "f", "v".repeat(MAX_BYTES));
  pair.set(0, "long", "g".repeat(MAX_BYTES), "v");
  assertEquals(encoding("long"), "listpack");
  pair.set(0, "long", "f", "v".repeat(MAX_BYTES + 1));
  assertEquals(encoding("long"), "hashtable");
  pair.set(0, "name", "g".repeat(MAX_BYTES + 1), "v");
  assertEquals(encoding("name"), "hashtable");
  pair.check();
});

Deno.test("hashes: room that many values have left is given back", () => {
  const pair = new HashPair(1);
  const { arena } = pair.keyspace;
  for (let index = 0; index < MAX_FIELDS; index++) {
    pair.set(0, "k", `f${index}`, "v".repeat(MAX_BYTES));
  }
  const before = arena.usedBytes;
  for (let index = 0; index < MAX_FIELDS; index++) pair.set(0, "k", `f${index}`, "v");
  assert(arena.usedBytes < before - MAX_FIELDS * MAX_BYTES / 2);
  pair.check();
});
