import { assert, assertEquals } from "@std/assert";
import {
  mirrorRange,
  NAME_EXCLUDED,
  NAME_FIRST,
  NAME_INCLUDED,
  NAME_LAST,
  type NameBound,
  NameBounds,
  nameRange,
  rankRange,
  ScoreBounds,
  scoreRange,
  skipMembers,
} from "../../src/keyspace/sorted_set_ranges.ts";
import {
  copySortedSet,
  forEachScored,
  SortedSetBuilder,
  sortedSetBytes,
  storeSortedListpack,
} from "../../src/keyspace/sorted_set_transfer.ts";
import {
  addToSortedSet,
  createSortedSet,
  findInSortedSet,
  isSmallSortedSet,
  rankInSortedSet,
  removeAtPlace,
  removeFromSortedSet,
  removeRanks,
  rescoreInSortedSet,
  scoreAtWalk,
  scoreInSortedSet,
  sortedSetEncodingName,
  sortedSetLength,
  SortedSetPlace,
} from "../../src/keyspace/sorted_sets.ts";
import { tailStart, tailView } from "../../src/keyspace/collections.ts";
import { removeEntry } from "../../src/keyspace/keyspace.ts";
import { SEGMENT_SHIFT } from "../../src/memory/arena.ts";
import { compareBytes } from "../../src/memory/score_tree.ts";
import { CollectionPair, someText, textOf, viewOf } from "../support/collection_model.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const LIMITS = { zsetMaxEntries: 40, zsetMaxValueBytes: 20 };
const LONG_MEMBER = 20;

type Model = Map<string, number>;

function compareTexts(first: string, second: string): number {
  const [left, right] = [viewOf(first), viewOf(second)];
  return compareBytes(left, 0, left.byteLength, right, 0, right.byteLength);
}

function ordered(model: Model): [member: string, score: number][] {
  return [...model].sort(([first, score], [second, other]) =>
    // A difference of infinities is none.
    score === other ? compareTexts(first, second) : score < other ? -1 : 1
  );
}

function someScore(random: () => number): number {
  const kind = random();
  if (kind < 0.5) return Math.floor(random() * 20) - 5;
  if (kind < 0.6) return (random() - 0.5) * 100;
  if (kind < 0.7) return Math.floor(random() * 2 ** 53);
  if (kind < 0.9) return 7;
  // deno-fmt-ignore
  const edges = [0, -0, Infinity, -Infinity, 1e300, -1e300, 5e-324, 2 ** 62, -(2 ** 62), 2 ** 62 + 1024, 0.1, 1e17, -1];
  return edges[Math.floor(random() * edges.length)];
}

class SortedPair extends CollectionPair<Model> {
  readonly place = new SortedSetPlace();

  constructor(seed: number, private readonly limits = LIMITS) {
    super(seed, (model) => new Map(model), (entry, model) => this.compareAll(entry, model));
  }

  private compareAll(entry: number, model: Model): void {
    const { keyspace, place } = this;
    const found: [string, number][] = [];
    forEachScored(keyspace, entry, place, () => found.push([textOf(place.element), place.score]));
    // A small set has no negative zero.
    const plain = (pairs: [string, number][]) =>
      pairs.map(([member, score]) => [member, score + 0]);
    assertEquals(plain(found), plain(ordered(model)));
    assertEquals(sortedSetLength(keyspace, entry), model.size);
    while (this.walk.next()) {
      const score = scoreAtWalk(keyspace, this.walk, new SortedSetPlace());
      assertEquals(score + 0, model.get(textOf(this.walk))! + 0);
    }
    if (!isSmallSortedSet(keyspace, entry)) assert(sortedSetBytes(keyspace, entry, 1000) > 200);
  }

  /** ZADD of one member. */
  add(number: number, key: string, member: string, score: number): void {
    const { place, keyspace, limits } = this;
    const database = this.databases[number];
    const view = viewOf(member);
    const length = view.byteLength;
    let entry = this.find(number, key);
    const model = this.model[number].get(key) ?? new Map<string, number>();
    if (entry === 0) {
      const name = viewOf(key);
      entry = createSortedSet(database, name, 0, name.byteLength, length, limits);
    }
    try {
      const before = model.get(member);
      assertEquals(findInSortedSet(keyspace, entry, view, 0, length, place), before !== undefined);
      if (before === undefined) {
        entry = addToSortedSet(database, entry, view, 0, length, score, limits, place);
      } else {
        assertEquals(place.score + 0, before + 0);
        if (score !== before) {
          entry = rescoreInSortedSet(database, entry, view, 0, length, score, place);
        } else score = before;
      }
    } catch (error) {
      // The form may have changed.
      entry = this.find(number, key);
      if (model.size === 0) removeEntry(database, keyspace.hash, entry);
      throw error;
    }
    assertEquals(entry, this.find(number, key));
    model.set(member, score);
    this.model[number].set(key, model);
    assertEquals(scoreInSortedSet(keyspace, entry, view, 0, length, place) + 0, score + 0);
  }

  take(number: number, key: string, member: string): void {
    const { place, keyspace } = this;
    const entry = this.find(number, key);
    if (entry === 0) return;
    const view = viewOf(member);
    const model = this.model[number].get(key)!;
    const found = findInSortedSet(keyspace, entry, view, 0, view.byteLength, place);
    assertEquals(found, model.has(member));
    if (!found) return;
    const rank = rankInSortedSet(keyspace, place);
    assertEquals(ordered(model)[rank][0], member);
    findInSortedSet(keyspace, entry, view, 0, view.byteLength, place);
    this.expectEntry(number, key, removeFromSortedSet(this.databases[number], entry, place));
    model.delete(member);
    this.forgetIfEmpty(number, key);
  }

  /** Takes the first or last member, or some from the middle. */
  takeRanks(number: number, key: string, random: () => number): void {
    const { place, keyspace } = this;
    const entry = this.find(number, key);
    if (entry === 0) return;
    const database = this.databases[number];
    const pairs = ordered(this.model[number].get(key)!);
    const first = random() < 0.3
      ? 0
      : random() < 0.3
      ? pairs.length - 1
      : Math.floor(random() * pairs.length);
    let count = 1;
    let left = 0;
    if (random() < 0.5) {
      place.enter(keyspace, entry);
      place.goTo(first);
      place.read();
      assertEquals(textOf(place.element), pairs[first][0]);
      left = removeAtPlace(database, entry, place);
    } else {
      count = Math.floor(random() * (pairs.length - first + 1));
      left = removeRanks(database, entry, first, count, place);
    }
    this.expectEntry(number, key, left);
    for (const [member] of pairs.slice(first, first + count)) {
      this.model[number].get(key)!.delete(member);
    }
    this.forgetIfEmpty(number, key);
  }

  /** Compares ranges of all kinds, and steps in both directions. */
  lookAtRanges(number: number, key: string, random: () => number): void {
    const { place, keyspace } = this;
    const entry = this.find(number, key);
    if (entry === 0) return;
    const pairs = ordered(this.model[number].get(key)!);
    place.enter(keyspace, entry);
    const [from, to] = [0, 0].map(() => Math.floor((random() - 0.5) * (pairs.length + 4) * 2));
    rankRange(place, from, to);
    const absolute = (rank: number) => rank < 0 ? rank + pairs.length : rank;
    const members = pairs.map(([member]) => member);
    const sliced = members.slice(Math.max(0, absolute(from)), Math.max(0, absolute(to) + 1));
    assertEquals(this.rangeMembers(random() < 0.5), sliced);
    mirrorRange(place);
    assertEquals(place.end - place.first, sliced.length);

    const bounds = new ScoreBounds();
    bounds.min = someScore(random);
    bounds.max = someScore(random);
    bounds.minExcluded = random() < 0.5;
    bounds.maxExcluded = random() < 0.5;
    scoreRange(keyspace.arena, place, bounds);
    const within = pairs.filter(([, score]) =>
      (bounds.minExcluded ? score > bounds.min : score >= bounds.min) &&
      (bounds.maxExcluded ? score < bounds.max : score <= bounds.max)
    ).map(([member]) => member);
    assertEquals(this.rangeMembers(random() < 0.5), within);
    const skipped = Math.floor(random() * 5) - 1;
    skipMembers(place, skipped, random() < 0.5);
    const kept = skipped < 0 ? 0 : Math.max(0, within.length - skipped);
    assertEquals(place.end - place.first, kept);
  }

  /** The members in the range of the place. */
  rangeMembers(backwards: boolean): string[] {
    const { place } = this;
    const members: string[] = [];
    let left = place.end - place.first;
    if (left <= 0) return members;
    place.goTo(backwards ? place.end - 1 : place.first);
    for (;;) {
      place.read();
      members.push(textOf(place.element));
      if (--left === 0) break;
      place.step(backwards);
    }
    return backwards ? members.reverse() : members;
  }

  override copy(from: number, key: string, to: number, other: string, volatile: boolean): void {
    const source = this.find(from, key);
    if (source === 0 || volatile || (from === to && key === other)) return;
    const old = this.find(to, other);
    const view = viewOf(other);
    copySortedSet(this.databases[to], old, view, 0, view.byteLength, source, false);
    this.model[to].set(other, new Map(this.model[from].get(key)!));
    this.expiries[to].delete(other);
  }

  /** Stores the sum of two sets, or a listpack as it is. */
  store(number: number, keys: readonly string[], target: string): void {
    const { keyspace, place } = this;
    const builder = new SortedSetBuilder(keyspace);
    const sums: Model = new Map();
    try {
      for (const key of keys) {
        const entry = this.find(number, key);
        if (entry === 0) continue;
        forEachScored(keyspace, entry, place, () => {
          const member = textOf(place.element);
          place.element.spell();
          const { view, start, length } = place.element;
          const isNew = builder.enter(view, start, length, place.score);
          assertEquals(isNew, !sums.has(member));
          const sum = isNew ? place.score : builder.entered + place.score;
          builder.entered = sum === sum ? sum : 0;
          sums.set(member, sum === sum ? sum : 0);
        });
      }
      builder.order();
      assertEquals(builder.length, sums.size);
      if (sums.size === 0) return;
      const old = this.find(number, target);
      const name = viewOf(target);
      builder.store(this.databases[number], old, name, 0, name.byteLength, false, this.limits);
      this.model[number].set(target, sums);
      this.expiries[number].delete(target);
    } finally {
      builder.abandon();
    }
  }

  /** Stores the listpack of a small set under another key, with a limit of its own. */
  restore(number: number, key: string, target: string, maxEntries: number): void {
    const { keyspace } = this;
    const entry = this.find(number, key);
    if (entry === 0 || key === target || !isSmallSortedSet(keyspace, entry)) return;
    const old = this.find(number, target);
    const name = viewOf(target);
    const bytes = keyspace.arena.bytes[entry >>> SEGMENT_SHIFT];
    const start = tailStart(keyspace, entry);
    storeSortedListpack(
      this.databases[number],
      old,
      name,
      0,
      name.byteLength,
      tailView(keyspace, entry),
      bytes,
      start,
      false,
      maxEntries,
    );
    const model = this.model[number].get(key)!;
    assertEquals(
      isSmallSortedSet(keyspace, this.find(number, target)),
      model.size <= maxEntries,
    );
    this.model[number].set(target, new Map(model));
    this.expiries[number].delete(target);
  }

  crowd(number: number, key: string, random: () => number): void {
    const from = Math.floor(random() * 1000);
    const step = [0, 1, 0.5, -3][Math.floor(random() * 4)];
    for (let index = 0; index < 150; index++) {
      this.add(number, key, `m${from + index}`, index * step);
    }
  }

  step(random: () => number): void {
    const number = Math.floor(random() * 2);
    const key = () => `k${Math.floor(random() * 10)}`.repeat(1 + Math.floor(random() * 1.2));
    const choice = random();
    if (choice < 0.55) {
      this.add(number, key(), someText(random, LONG_MEMBER), someScore(random));
    } else if (choice < 0.65) this.take(number, key(), someText(random, LONG_MEMBER));
    else if (choice < 0.7) this.takeRanks(number, key(), random);
    else if (choice < 0.71) this.crowd(number, key(), random);
    else if (choice < 0.74) this.store(number, [key(), key()], key());
    else if (choice < 0.76) this.restore(number, key(), key(), 20);
    else if (choice < 0.86) this.lookAtRanges(number, key(), random);
    else this.generalStep(random, key(), key());
  }

  private expectEntry(number: number, key: string, entry: number): void {
    assertEquals(entry, this.find(number, key));
  }

  private forgetIfEmpty(number: number, key: string): void {
    if (this.model[number].get(key)!.size > 0) return;
    assertEquals(this.find(number, key), 0);
    this.forget(number, key);
  }
}

Deno.test("sorted sets: random changes, moved between them, against Maps that are sorted", () => {
  const seed = testSeed("sorted sets");
  const random = seededRandom(seed);
  for (let round = 0; round < 4; round++) {
    const pair = new SortedPair(seed + round);
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

Deno.test("sorted sets: a change that finds no room has changed nothing", () => {
  const seed = testSeed("sorted sets without room");
  const random = seededRandom(seed);
  const pair = new SortedPair(seed);
  let failed = 0;
  for (let count = 0; count < 6000; count++) {
    const key = `k${Math.floor(random() * 8)}`;
    const other = `k${Math.floor(random() * 8)}`;
    const done = pair.withLittleRoom(Math.floor(random() * 14), () => {
      const choice = random();
      if (choice < 0.6) pair.add(0, key, someText(random, LONG_MEMBER), someScore(random));
      else if (choice < 0.63) pair.crowd(0, key, random);
      else if (choice < 0.8) pair.store(0, [key, "k1", "k2"], other);
      else if (choice < 0.87) pair.copy(0, key, 0, other, false);
      else if (choice < 0.9) pair.restore(0, key, other, 10);
      else pair.take(0, key, someText(random, LONG_MEMBER));
    });
    if (!done) failed++;
    if (random() < 0.005) pair.remove(0, key);
    if (count % 250 === 0) pair.check();
  }
  pair.check();
  assert(failed > 300, `${failed} steps found no room`);
});

Deno.test("sorted sets: a member that finds no other place in a tree of many leaves stays where it is", () => {
  const seed = testSeed("full leaves");
  const random = seededRandom(seed);
  const pair = new SortedPair(seed);
  // In order: the leaves are full.
  for (let index = 0; index < 3000; index++) pair.add(0, "k", `m${index}`, index);
  let failed = 0;
  for (let count = 0; count < 3000; count++) {
    const member = `m${Math.floor(random() * 3000)}`;
    const score = random() * 3000;
    if (!pair.withLittleRoom(0, () => pair.add(0, "k", member, score))) failed++;
    if (count % 1000 === 0) pair.check();
  }
  pair.check();
  assert(failed > 100, `${failed} changes found no room`);
});

Deno.test("sorted sets: many members, whose scores change in small and large steps, in a tree of three levels", () => {
  const seed = testSeed("many members");
  const random = seededRandom(seed);
  const pair = new SortedPair(seed);
  for (let index = 0; index < 6000; index++) {
    pair.add(0, "k", `m${Math.floor(random() * 9000)}`, Math.floor(random() * 9000));
  }
  pair.check();
  for (let count = 0; count < 3000; count++) {
    const member = `m${Math.floor(random() * 9000)}`;
    const score = pair.model[0].get("k")!.get(member) ?? 0;
    pair.add(0, "k", member, score + random() * (random() < 0.5 ? 0.01 : 1000));
    if (count % 1000 === 0) pair.moveSome(random);
  }
  pair.check();
  for (let count = 0; count < 200; count++) pair.lookAtRanges(0, "k", random);
  while (pair.model[0].has("k")) {
    pair.takeRanks(0, "k", random);
    pair.take(0, "k", `m${Math.floor(random() * 9000)}`);
  }
  pair.check();
});

function someBound(bound: NameBound, text: string, random: () => number): void {
  bound.kind = Math.floor(random() * 4);
  bound.start = 0;
  bound.length = viewOf(text).byteLength;
  if (random() < 0.7 && bound.kind < 2) bound.kind += 2;
}

Deno.test("sorted sets: ranges of names where all scores are the same", () => {
  const seed = testSeed("names");
  const random = seededRandom(seed);
  for (const size of [5, 30, 200, 5000]) {
    const pair = new SortedPair(seed);
    for (let index = 0; index < size; index++) {
      pair.add(0, "k", `${Math.floor(random() * size)}`.repeat(1 + index % 2), 3);
    }
    const names = ordered(pair.model[0].get("k")!).map(([member]) => member);
    const { place, keyspace } = pair;
    for (let count = 0; count < 300; count++) {
      const [min, max] = [0, 0].map(() => `${Math.floor(random() * size)}`);
      const bounds = new NameBounds();
      someBound(bounds.min, min, random);
      someBound(bounds.max, max, random);
      bounds.max.start = bounds.min.length;
      const within = names.filter((name) =>
        isBehind(name, min, bounds.min) && isBefore(name, max, bounds.max)
      );
      const backwards = random() < 0.5;
      const skipped = random() < 0.5 ? 0 : Math.floor(random() * 4) - 1;
      place.enter(keyspace, pair.find(0, "k"));
      nameRange(keyspace.arena, place, bounds, viewOf(min + max), skipped, backwards);
      const kept = skipped < 0
        ? []
        : backwards
        ? within.slice(0, Math.max(0, within.length - skipped))
        : within.slice(skipped);
      assertEquals(pair.rangeMembers(backwards), kept);
    }
  }
});

function isBehind(name: string, end: string, { kind }: NameBound): boolean {
  if (kind === NAME_FIRST || kind === NAME_LAST) return kind === NAME_FIRST;
  const order = compareTexts(name, end);
  return order > 0 || (order === 0 && kind === NAME_INCLUDED);
}

function isBefore(name: string, end: string, { kind }: NameBound): boolean {
  if (kind === NAME_FIRST || kind === NAME_LAST) return kind === NAME_LAST;
  const order = compareTexts(name, end);
  return order < 0 || (order === 0 && kind !== NAME_EXCLUDED);
}

Deno.test("sorted sets: the encoding changes when Redis' does, and not back unless the whole is stored", () => {
  const pair = new SortedPair(1);
  const encoding = (key: string) => sortedSetEncodingName(pair.keyspace, pair.find(0, key));
  const { zsetMaxEntries, zsetMaxValueBytes } = LIMITS;
  for (let index = 0; index < zsetMaxEntries; index++) pair.add(0, "k", `m${index}`, index);
  assertEquals(encoding("k"), "listpack");
  pair.add(0, "k", "m1", -5);
  assertEquals(encoding("k"), "listpack");
  pair.add(0, "k", "one more", 0);
  assertEquals(encoding("k"), "skiplist");
  for (let index = 0; index < zsetMaxEntries; index++) pair.take(0, "k", `m${index}`);
  assertEquals(encoding("k"), "skiplist");
  pair.store(0, ["k"], "stored");
  assertEquals(encoding("stored"), "listpack");
  pair.add(0, "stored", "x".repeat(zsetMaxValueBytes), 1);
  assertEquals(encoding("stored"), "listpack");
  pair.add(0, "stored", "x".repeat(zsetMaxValueBytes + 1), 1);
  assertEquals(encoding("stored"), "skiplist");
  pair.add(0, "long", "x".repeat(zsetMaxValueBytes + 1), 1);
  assertEquals(encoding("long"), "skiplist");
  pair.check();
});
