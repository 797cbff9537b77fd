import { assert, assertEquals } from "@std/assert";
import { Defragmentation } from "../../src/keyspace/defragmentation.ts";
import { findEntry } from "../../src/keyspace/keyspace.ts";
import {
  EXPIRY_NONE,
  EXPIRY_SET,
  EXTERNAL_BYTES,
  stringBytes,
} from "../../src/keyspace/strings.ts";
import { ArenaFullError, BLOCK_PLAIN, BLOCK_VALUE } from "../../src/memory/arena.ts";
import { Evacuation } from "../../src/memory/evacuation.ts";
import { DATABASES, Pair, START_MS, step } from "../support/keyspace_model.ts";
import { seededRandom, testSeed } from "../support/random.ts";

/** Fills the first segments with what is soon deleted, so that the rest lies among holes. */
function fillAndThin(pair: Pair, keys: number, random: () => number): void {
  for (let index = 0; index < keys; index++) {
    const value = "v".repeat(20 + Math.floor(random() * 200));
    if (index % 5 === 0) pair.set(index % 3, `f${index}`, value, EXPIRY_SET, START_MS + 1e9);
    else pair.set(index % 3, `f${index}`, value, EXPIRY_NONE, null);
  }
  for (let index = 0; index < keys; index++) {
    if (random() < 0.9) pair.remove(index % 3, `f${index}`);
  }
}

/** Has it work as long as it wants to. */
function defragment(defragmentation: Defragmentation): void {
  for (let slices = 0; defragmentation.effort(true) > 0; slices++) {
    assert(slices < 100_000, "it comes to an end");
    defragmentation.step(64);
  }
}

Deno.test("defragmentation: what nine of ten deleted keys leave behind is brought together", () => {
  const pair = new Pair(11);
  const { arena } = pair.keyspace;
  fillAndThin(pair, 60_000, seededRandom(testSeed("thin")));
  const before = arena.usage();
  const defragmentation = new Defragmentation(pair.keyspace);
  assert(defragmentation.wastedPercent > 100);
  defragment(defragmentation);
  pair.check();
  const after = arena.usage();
  const waste = arena.touchedBytes - after.usedBytes;
  assert(waste < 2.1 * 2 ** 20, `${waste} bytes are wasted`);
  assert(after.usedBytes <= before.usedBytes * 1.01, "nothing is there twice");
  const { hits, misses, keyHits, keyMisses } = defragmentation.counters;
  assert(hits > keyHits && keyHits > 3000);
  assertEquals([misses, keyMisses], [0, 0]);
  defragmentation.resetCounters();
  assertEquals(defragmentation.counters, { hits: 0, misses: 0, keyHits: 0, keyMisses: 0 });
});

Deno.test("defragmentation: random changes between its steps, against a Map", () => {
  const seed = testSeed("defragmentation");
  const random = seededRandom(seed);
  const pair = new Pair(seed);
  const { arena } = pair.keyspace;
  for (let round = 0; round < 3; round++) {
    fillAndThin(pair, 20_000, random);
    const defragmentation = new Defragmentation(pair.keyspace);
    Object.assign(defragmentation.bounds, { active: true, ignoreBytes: 0, lower: 0 });
    const pinned: number[] = [];
    for (let count = 0; count < 3000; count++) {
      step(pair, random);
      if (defragmentation.effort(true) > 0) defragmentation.step(1 + Math.floor(random() * 8));
      if (random() < 0.01 && pinned.length < 3) {
        arena.walk((address, _units, kind) => {
          if (kind === BLOCK_VALUE && random() < 0.2 && pinned.length < 3) {
            pair.keyspace.pin(address);
            pinned.push(address);
          }
        });
      } else if (random() < 0.05 && pinned.length > 0) pair.keyspace.unpin(pinned.pop()!);
      if (count % 300 === 0) pair.check();
    }
    for (const address of pinned) pair.keyspace.unpin(address);
    defragment(defragmentation);
    pair.check();
    assert(defragmentation.counters.hits > 1000);
  }
});

Deno.test("defragmentation: entries of a flushed database move, too, until they are freed", () => {
  const random = seededRandom(testSeed("detached"));
  const pair = new Pair(12);
  fillAndThin(pair, 30_000, random);
  pair.flushLazily(1);
  // The same names again: the database's own dict has them, and so has the one that was put aside.
  for (let index = 1; index < 3000; index += 3) pair.set(1, `f${index}`, "new", EXPIRY_NONE, null);
  pair.flushLazily(1);
  for (let index = 1; index < 900; index += 3) pair.set(1, `f${index}`, "newer", EXPIRY_NONE, null);
  const defragmentation = new Defragmentation(pair.keyspace);
  Object.assign(defragmentation.bounds, { active: true, ignoreBytes: 0, lower: 0 });
  for (let slices = 0; defragmentation.effort(true) > 0; slices++) {
    defragmentation.step(20);
    if (slices % 10 === 0) pair.freeDetached(1);
    if (slices % 100 === 0) pair.check();
  }
  pair.check();
  assert(defragmentation.counters.keyHits > 1000);
  assertEquals(defragmentation.counters.misses, 0);
  while (pair.freeDetached(64));
  pair.check();
  assertEquals(pair.keyspace.detached, []);
});

Deno.test("defragmentation: a pinned value stays where it is until nobody sends it", () => {
  const pair = new Pair(13);
  const { keyspace } = pair;
  const value = "p".repeat(EXTERNAL_BYTES);
  for (let index = 0; index < 200; index++) pair.set(0, `k${index}`, value, EXPIRY_NONE, null);
  for (let index = 0; index < 200; index++) if (index % 20 !== 0) pair.remove(0, `k${index}`);
  const pinned: number[] = [];
  keyspace.arena.walk((address, _units, kind) => {
    if (kind === BLOCK_VALUE) pinned.push(address);
  });
  for (const address of pinned) keyspace.pin(address);
  const defragmentation = new Defragmentation(keyspace);
  defragment(defragmentation);
  assert(defragmentation.counters.misses > 0);
  const still: number[] = [];
  keyspace.arena.walk((address, _units, kind) => {
    if (kind === BLOCK_VALUE) still.push(address);
  });
  assertEquals(still, pinned);
  pair.check();
  for (const address of pinned) keyspace.unpin(address);
  assertEquals(defragmentation.effort(true), 0, "it rests before it tries again");
  while (defragmentation.effort(true) === 0);
  defragment(defragmentation);
  pair.check();
  assert(keyspace.arena.touchedBytes < 4 * 1024 * 1024);
});

Deno.test("defragmentation: what nobody knows how to move keeps its segment", () => {
  const pair = new Pair(14);
  const { arena } = pair.keyspace;
  const blocks = Array.from({ length: 3000 }, () => arena.allocate(400, BLOCK_PLAIN));
  const kept = blocks.filter((_, index) => index % 20 === 0);
  for (const block of blocks) if (!kept.includes(block)) arena.free(block);
  const evacuation = new Evacuation(arena, []);
  const segment = kept[0] >>> 23;
  evacuation.start(segment);
  while (evacuation.step(16));
  assert(evacuation.left);
  assertEquals(evacuation.counters.moved, 0);
  arena.check();
  for (const block of kept) arena.free(block);
  arena.check();
  pair.check();
});

Deno.test("defragmentation: without room it gives up, and nothing is lost", () => {
  const seed = testSeed("defragmentation without room");
  const random = seededRandom(seed);
  const pair = new Pair(seed);
  const { arena } = pair.keyspace;
  const allocate = arena.allocate.bind(arena);
  let left = Infinity;
  arena.allocate = (units, kind) => {
    if (--left < 0) throw new ArenaFullError(units);
    return allocate(units, kind);
  };
  fillAndThin(pair, 20_000, random);
  const defragmentation = new Defragmentation(pair.keyspace);
  for (let count = 0; count < 4000; count++) {
    left = random() < 0.05 ? Math.floor(random() * 20) : Infinity;
    if (defragmentation.effort(true) > 0) defragmentation.step(10);
    left = Infinity;
    if (count % 400 === 0) pair.check();
  }
  pair.check();
});

Deno.test("defragmentation: it rests while somebody watches the pages", () => {
  const pair = new Pair(15);
  fillAndThin(pair, 30_000, seededRandom(testSeed("watched")));
  const defragmentation = new Defragmentation(pair.keyspace);
  pair.keyspace.arena.watchPages({ touch: () => {}, dropped: () => {} });
  assertEquals(defragmentation.effort(true), 0);
  assert(!defragmentation.step(100));
  pair.keyspace.arena.watchPages(null);
  assert(defragmentation.effort(true) > 0);
});

Deno.test("defragmentation: its share of the time is between the bounds, by how much is wasted", () => {
  const pair = new Pair(16);
  const defragmentation = new Defragmentation(pair.keyspace);
  assertEquals(defragmentation.effort(true), 0, "nothing is wasted");
  fillAndThin(pair, 60_000, seededRandom(testSeed("effort")));
  Object.assign(defragmentation.bounds, { cycleMin: 3, cycleMax: 40 });
  assertEquals(defragmentation.effort(false), 40, "most is wasted");
  defragmentation.bounds.upper = defragmentation.wastedPercent * 2 - 10;
  const effort = defragmentation.effort(false);
  assert(Math.abs(effort - 21.5) < 0.5, `${effort}`);
  assertEquals(defragmentation.effort(true), 40, "an idle server has all of it");
});

Deno.test("defragmentation: a value that is moved is found by its key, and changes as before", () => {
  const pair = new Pair(17);
  const { keyspace } = pair;
  const value = "x".repeat(EXTERNAL_BYTES + 5);
  for (let index = 0; index < 100; index++) {
    pair.set(index % DATABASES, `k${index}`, value, EXPIRY_SET, START_MS + 1e6);
  }
  for (let index = 0; index < 100; index++) {
    if (index % 10 > 0) pair.remove(index % DATABASES, `k${index}`);
  }
  const defragmentation = new Defragmentation(keyspace);
  defragment(defragmentation);
  assert(defragmentation.counters.hits > 0);
  for (let index = 0; index < 100; index += 10) {
    pair.writeRange(index % DATABASES, `k${index}`, EXTERNAL_BYTES, "changed");
    pair.expire(index % DATABASES, `k${index}`, null);
    const name = new TextEncoder().encode(`k${index}`);
    const entry = findEntry(
      pair.database(index % DATABASES),
      new DataView(name.buffer),
      0,
      name.length,
    );
    assert(stringBytes(keyspace, entry, pair.scratch).length === EXTERNAL_BYTES + 7);
  }
  pair.check();
});
