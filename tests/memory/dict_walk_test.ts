import { assert, assertEquals } from "@std/assert";
import { Arena, ArenaFullError, BLOCK_MEMBER } from "../../src/memory/arena.ts";
import {
  BUCKETS_AHEAD,
  dictBuckets,
  dictCreate,
  dictHashEntry,
  dictInsert,
  dictRandom,
  dictRandomAhead,
} from "../../src/memory/dict.ts";
import { DictWalk } from "../../src/memory/dict_walk.ts";
import { memberCreate } from "../../src/memory/member.ts";
import { RandomTape } from "../../src/runtime/random.ts";
import { seededRandom, testSeed } from "../support/random.ts";

function fill(arena: Arena, dict: number, entries: number): Set<number> {
  const members = new Set<number>();
  for (let index = 0; index < entries; index++) {
    const view = new DataView(new TextEncoder().encode(`member ${index}`).buffer);
    const member = memberCreate(arena, 1, view, 0, view.byteLength);
    dictInsert(arena, dict, dictHashEntry(arena, dict, member), member);
    members.add(member);
  }
  return members;
}

Deno.test("dict: a walk meets each entry once, and several go side by side", () => {
  const arena = new Arena();
  for (const entries of [0, 1, 7, 100, 5000]) {
    const dict = dictCreate(arena, 3, 4);
    const members = fill(arena, dict, entries);
    const walk = new DictWalk();
    const other = new DictWalk();
    walk.begin(arena, dict);
    other.begin(arena, dict);
    const met: number[] = [];
    for (let entry = walk.next(); entry !== 0; entry = walk.next()) {
      met.push(entry);
      assertEquals(other.next(), entry);
    }
    assertEquals(walk.next(), 0, "and none behind the last");
    assertEquals(met.length, entries);
    assertEquals(new Set(met), members);
  }
});

Deno.test("dict: an entry at random is as likely as the next, however full its bucket is", () => {
  const random = seededRandom(testSeed("dict random"));
  for (const entries of [1, 6, 40, 700]) {
    const arena = new Arena();
    const dict = dictCreate(arena, 5, 6);
    const members = fill(arena, dict, entries);
    const draws = 200 * entries;
    const counts = new Map<number, number>();
    for (let draw = 0; draw < draws; draw++) {
      const entry = dictRandom(arena, dict, random);
      counts.set(entry, (counts.get(entry) ?? 0) + 1);
    }
    assertEquals(new Set(counts.keys()), members);
    for (const count of counts.values()) assert(count > 120 && count < 290, `${count} of ${draws}`);
  }
});

Deno.test("dict: entries of chains that couldn't be split are met at random, too", () => {
  const random = seededRandom(testSeed("dict random in a chain"));
  const arena = new Arena();
  const dict = dictCreate(arena, 5, 6);
  const allocate = arena.allocate.bind(arena);
  // No room for a second bucket, but for those behind the first.
  arena.allocate = (units, kind) => {
    if (units > 12) throw new ArenaFullError(units);
    return allocate(units, kind);
  };
  const members = fill(arena, dict, 60);
  assertEquals(dictBuckets(arena, dict), 1);
  const met = new Set<number>();
  for (let draw = 0; draw < 2000; draw++) met.add(dictRandom(arena, dict, random));
  assertEquals(met, members);
  assertEquals(arena.kindOf([...met][0]), BLOCK_MEMBER);
});

Deno.test("dict: the entries that will be met at random are known ahead", () => {
  const random = seededRandom(testSeed("dict random ahead"));
  const buckets = new Int32Array(BUCKETS_AHEAD);
  const entries = new Int32Array(16);
  for (const size of [1, 6, 40, 700]) {
    const arena = new Arena();
    const dict = dictCreate(arena, 5, 6);
    fill(arena, dict, size);
    const tape = new RandomTape(random);
    let told = 0;
    for (let round = 0; round < 100; round++) {
      const found = dictRandomAhead(arena, dict, tape.peek, 16, buckets, entries);
      told += found;
      // What is far ahead can't be told.
      if (found === 0) dictRandom(arena, dict, tape.next);
      for (const entry of entries.subarray(0, found)) {
        assertEquals(dictRandom(arena, dict, tape.next), entry);
      }
    }
    assert(told > 100, `${told} of 1600, ${size} entries`);
  }
});
