import { assert, assertEquals } from "@std/assert";
import { chooseDistinct, chooseRepeatedly } from "../../src/keyspace/random_elements.ts";
import { SetBuilder } from "../../src/keyspace/set_builder.ts";
import {
  createSet,
  setAdd,
  setEncodingName,
  setHas,
  setHasElement,
  setLength,
  setRemove,
  setRemoveAt,
} from "../../src/keyspace/sets.ts";
import { removeEntry } from "../../src/keyspace/keyspace.ts";
import { CollectionPair, someText, textOf, viewOf } from "../support/collection_model.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const MAX_INTEGERS = 40;
const LONG_MEMBER = 64;

class SetPair extends CollectionPair<Set<string>> {
  constructor(seed: number) {
    super(seed, (members) => new Set(members), (entry, members) => {
      const found: string[] = [];
      while (this.walk.next()) {
        found.push(textOf(this.walk));
        assert(setHasElement(this.keyspace, entry, this.walk));
      }
      assertEquals(found.sort(), [...members].sort());
    });
  }

  add(number: number, key: string, member: string): void {
    const entry = this.find(number, key);
    const view = viewOf(member);
    const length = view.byteLength;
    const database = this.databases[number];
    const known = this.model[number].get(key);
    assertEquals(entry !== 0, known !== undefined);
    if (known === undefined) {
      const name = viewOf(key);
      const room = 1 + member.length % 3;
      createSet(database, name, 0, name.byteLength, view, 0, length, MAX_INTEGERS, room);
      this.model[number].set(key, new Set([member]));
      return;
    }
    const changed = setAdd(database, entry, view, 0, length, MAX_INTEGERS);
    assertEquals(changed !== 0, !known.has(member), `${member} is new`);
    if (changed !== 0) assertEquals(changed, this.find(number, key));
    known.add(member);
    assertEquals(setLength(this.keyspace, this.find(number, key)), known.size);
  }

  take(number: number, key: string, member: string): void {
    const entry = this.find(number, key);
    if (entry === 0) return;
    const view = viewOf(member);
    const known = this.model[number].get(key)!;
    assertEquals(setHas(this.keyspace, entry, view, 0, view.byteLength), known.has(member));
    const removed = setRemove(this.databases[number], entry, view, 0, view.byteLength);
    assertEquals(removed, known.delete(member));
    this.removeIfEmpty(number, key, entry);
  }

  pop(number: number, key: string, random: () => number): void {
    const entry = this.find(number, key);
    if (entry === 0) return;
    this.walk.enter(this.keyspace, entry);
    this.walk.goToRandom(random);
    const member = textOf(this.walk);
    assert(this.model[number].get(key)!.delete(member), `${member} was there`);
    setRemoveAt(this.databases[number], entry, this.walk);
    this.removeIfEmpty(number, key, entry);
  }

  unite(number: number, keys: readonly string[], target: string): void {
    const builder = new SetBuilder(this.keyspace, MAX_INTEGERS);
    const union = new Set<string>();
    try {
      for (const key of keys) {
        const entry = this.find(number, key);
        if (entry === 0) continue;
        this.walk.enter(this.keyspace, entry);
        builder.addAll(this.walk);
        this.walk.enter(this.keyspace, entry);
        while (this.walk.next()) {
          assert(builder.has(this.walk));
          assert(!builder.addElement(this.walk));
        }
        this.model[number].get(key)!.forEach((member) => union.add(member));
      }
      assertEquals(builder.count, union.size);
      if (union.size === 0) return;
      const old = this.find(number, target);
      const name = viewOf(target);
      builder.store(this.databases[number], old, name, 0, name.byteLength, false);
      this.model[number].set(target, union);
      this.expiries[number].delete(target);
    } finally {
      builder.discard();
    }
  }

  step(random: () => number): void {
    const number = Math.floor(random() * 2);
    const key = () => `k${Math.floor(random() * 12)}`.repeat(1 + Math.floor(random() * 1.2));
    const choice = random();
    if (choice < 0.6) this.add(number, key(), someText(random, LONG_MEMBER));
    else if (choice < 0.7) this.take(number, key(), someText(random, LONG_MEMBER));
    else if (choice < 0.75) this.pop(number, key(), random);
    else if (choice < 0.77) this.crowd(number, key(), random);
    else if (choice < 0.79) this.unite(number, [key(), key()], key());
    else this.generalStep(random, key(), key());
  }

  /** Members by the hundred, so that the set gets large. */
  crowd(number: number, key: string, random: () => number): void {
    const prefix = random() < 0.5 ? "" : "x";
    const from = Math.floor(random() * 1000);
    for (let index = 0; index < 150; index++) this.add(number, key, `${prefix}${from + index}`);
  }

  private removeIfEmpty(number: number, key: string, entry: number): void {
    const length = setLength(this.keyspace, entry);
    assertEquals(length, this.model[number].get(key)!.size);
    if (length > 0) return;
    this.find(number, key);
    removeEntry(this.databases[number], this.keyspace.hash, entry);
    this.forget(number, key);
  }
}

Deno.test("sets: random changes, moved between them, against JavaScript's sets", () => {
  const seed = testSeed("sets");
  const random = seededRandom(seed);
  for (let round = 0; round < 4; round++) {
    const pair = new SetPair(seed + round);
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

Deno.test("sets: a change that finds no room has changed nothing", () => {
  const seed = testSeed("sets without room");
  const random = seededRandom(seed);
  const pair = new SetPair(seed);
  let failed = 0;
  for (let count = 0; count < 5000; count++) {
    const key = `k${Math.floor(random() * 8)}`;
    const done = pair.withLittleRoom(Math.floor(random() * 12), () => {
      const choice = random();
      if (choice < 0.6) pair.add(0, key, someText(random, LONG_MEMBER));
      else if (choice < 0.63) pair.crowd(0, key, random);
      else if (choice < 0.8) pair.unite(0, [key, "k1", "k2"], `k${Math.floor(random() * 8)}`);
      else if (choice < 0.9) pair.copy(0, key, 0, `k${Math.floor(random() * 8)}`, false);
      else pair.take(0, key, someText(random, LONG_MEMBER));
    });
    if (!done) failed++;
    if (random() < 0.005) pair.remove(0, key);
    if (count % 250 === 0) pair.check();
  }
  pair.check();
  assert(failed > 300, `${failed} steps found no room`);
});

Deno.test("sets: the encoding changes when Redis' does, and not back", () => {
  const pair = new SetPair(1);
  const encoding = () => setEncodingName(pair.keyspace, pair.find(0, "k"));
  for (let index = 0; index < MAX_INTEGERS; index++) pair.add(0, "k", String(index * 1000));
  assertEquals(encoding(), "intset");
  pair.add(0, "k", "0");
  assertEquals(encoding(), "intset");
  pair.add(0, "k", "-5");
  assertEquals(encoding(), "hashtable");
  for (let index = 0; index < MAX_INTEGERS; index++) pair.take(0, "k", String(index * 1000));
  assertEquals(encoding(), "hashtable");
  pair.add(0, "other", "1");
  pair.add(0, "other", "a");
  pair.take(0, "other", "a");
  assertEquals(setEncodingName(pair.keyspace, pair.find(0, "other")), "hashtable");
  pair.check();
});

/** How far the counts are from even, as the chi-square test measures. */
function unevenness(counts: ReadonlyMap<string, number>, elements: number): number {
  let sum = 0;
  let total = 0;
  for (const count of counts.values()) total += count;
  const expected = total / elements;
  for (const count of counts.values()) sum += (count - expected) ** 2 / expected;
  return sum + (elements - counts.size) * expected;
}

Deno.test("sets: members at random are each as likely as the next, in all forms", () => {
  const seed = testSeed("fair");
  const random = seededRandom(seed);
  for (const [prefix, elements] of [["", 30], ["x", 60], ["x", 500], ["x", 3000]] as const) {
    const pair = new SetPair(seed);
    for (let index = 0; index < elements; index++) pair.add(0, "k", `${prefix}${index}`);
    const { keyspace, walk } = pair;
    const entry = pair.find(0, "k");
    const counts = new Map<string, number>();
    const count = () => {
      const member = textOf(walk);
      counts.set(member, (counts.get(member) ?? 0) + 1);
    };
    // Beyond five standard deviations of the distribution, and a little for the long tail of few elements.
    const most = elements + 6 * Math.sqrt(2 * elements) + 20;
    walk.enter(keyspace, entry);
    for (let draw = 0; draw < elements * 30; draw++) {
      walk.goToRandom(random);
      count();
    }
    assert(unevenness(counts, elements) < most, "one at a time");
    for (const wanted of [3, Math.ceil(elements / 2), elements - 1]) {
      counts.clear();
      for (let draws = 0; draws * wanted < elements * 30; draws++) {
        walk.enter(keyspace, entry);
        const seen = new Set<number>();
        chooseDistinct(walk, wanted, random, () => {
          seen.add(walk.position);
          count();
        });
        assertEquals(seen.size, wanted);
      }
      assert(unevenness(counts, elements) < most, `${wanted} of ${elements}`);
    }
    counts.clear();
    walk.enter(keyspace, entry);
    chooseRepeatedly(walk, elements * 30, random, count);
    assert(unevenness(counts, elements) < most, "with repetition");
    walk.enter(keyspace, entry);
    let all = 0;
    chooseDistinct(walk, elements + 5, random, () => all++);
    assertEquals(all, elements);
  }
});
