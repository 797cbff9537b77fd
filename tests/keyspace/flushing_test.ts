import { assert, assertEquals, assertThrows } from "@std/assert";
import { flushDatabases, freeDetached, pendingObjects } from "../../src/keyspace/flushing.ts";
import { EXPIRY_NONE, EXPIRY_SET, EXTERNAL_BYTES } from "../../src/keyspace/strings.ts";
import { ArenaFullError, BLOCK_VALUE } from "../../src/memory/arena.ts";
import { DATABASES, Pair, START_MS } from "../support/keyspace_model.ts";

function fill(pair: Pair, number: number, count: number): void {
  for (let index = 0; index < count; index++) {
    if (index % 3 === 0) pair.set(number, `k${index}`, "v", EXPIRY_SET, START_MS + 1e6);
    else pair.set(number, `k${index}`, "v".repeat(index % 90), EXPIRY_NONE, null);
  }
}

function flush(pair: Pair, numbers: readonly number[], lazily: boolean): number {
  const databases = numbers.map((number) => pair.database(number));
  for (const number of numbers) pair.model[number].clear();
  return flushDatabases(pair.keyspace, databases, lazily);
}

Deno.test("flushing: all databases at once leave nothing but empty ones", () => {
  const pair = new Pair(21);
  const empty = pair.keyspace.arena.usedBytes;
  for (const lazily of [false, true]) {
    for (let number = 0; number < DATABASES; number++) fill(pair, number, 2000);
    pair.set(0, "large", "x".repeat(EXTERNAL_BYTES), EXPIRY_NONE, null);
    assertEquals(flush(pair, [0, 1, 2], lazily), 6001);
    pair.check();
    assert(pair.keyspace.arena.usedBytes <= empty + 100);
    assertEquals(pair.keyspace.arena.usage().segments, 1);
  }
  assertEquals(pair.keyspace.lazilyFreed, 6001, "what was asked to be done later is counted");
});

Deno.test("flushing: one of several databases, at once or in slices, leaves the others", () => {
  const pair = new Pair(22);
  for (let number = 0; number < DATABASES; number++) fill(pair, number, 3000);
  assertEquals(flush(pair, [1], false), 3000);
  pair.check();
  assertEquals(pendingObjects(pair.keyspace), 0);
  const before = pair.keyspace.arena.usedBytes;
  assertEquals(flush(pair, [2], true), 3000);
  assertEquals(pendingObjects(pair.keyspace), 3000);
  assertEquals(pair.database(2).size, 0);
  assertEquals(pair.database(2).volatile.length, 0);
  fill(pair, 2, 500);
  let slices = 0;
  for (; freeDetached(pair.keyspace, 10); slices++) pair.check();
  assert(slices > 10);
  pair.check();
  assertEquals(pair.keyspace.lazilyFreed, 3000);
  assert(pair.keyspace.arena.usedBytes < before);
});

Deno.test("flushing: all databases, while one that was flushed before isn't freed yet", () => {
  const pair = new Pair(23);
  fill(pair, 0, 1000);
  fill(pair, 1, 1000);
  flush(pair, [1], true);
  freeDetached(pair.keyspace, 5);
  assertEquals(flush(pair, [0, 1, 2], false), 1000);
  assertEquals(pendingObjects(pair.keyspace), 0);
  assert(!freeDetached(pair.keyspace, 5));
  pair.check();
});

Deno.test("flushing: a value that is being sent, or filled, outlives it", () => {
  const pair = new Pair(24);
  const { keyspace } = pair;
  fill(pair, 0, 1000);
  for (const name of ["a", "b", "c"]) {
    pair.set(0, name, name.repeat(EXTERNAL_BYTES), EXPIRY_NONE, null);
  }
  const blocks: number[] = [];
  keyspace.arena.walk((address, _units, kind) => {
    if (kind === BLOCK_VALUE) blocks.push(address);
  });
  keyspace.pin(blocks[1]);
  const sent = keyspace.arena.slice(blocks[1], 16, EXTERNAL_BYTES);
  const expected = sent[0];
  flush(pair, [0], false);
  fill(pair, 0, 5000);
  pair.check();
  assert(sent.every((byte) => byte === expected));
  keyspace.unpin(blocks[1]);
  pair.check();
  let values = 0;
  keyspace.arena.walk((_address, _units, kind) => {
    if (kind === BLOCK_VALUE) values++;
  });
  assertEquals(values, 0);
});

Deno.test("flushing: who wants to know hears of each database before its keys go", () => {
  const pair = new Pair(25);
  fill(pair, 1, 10);
  const heard: string[] = [];
  pair.keyspace.onFlush = (database) => heard.push(`${database.number}: ${database.size}`);
  flush(pair, [0, 1, 2], false);
  assertEquals(heard, ["0: 0", "1: 10", "2: 0"]);
});

Deno.test("flushing: without room for another dict, nothing has changed", () => {
  const pair = new Pair(26);
  fill(pair, 0, 100);
  fill(pair, 1, 100);
  const { arena } = pair.keyspace;
  const allocate = arena.allocate;
  for (let left = 0; left < 3; left++) {
    let rest = left;
    arena.allocate = (units, kind) => {
      if (--rest < 0) throw new ArenaFullError(units);
      return allocate.call(arena, units, kind);
    };
    assertThrows(() => flushDatabases(pair.keyspace, [pair.database(1)], true), ArenaFullError);
    arena.allocate = allocate;
    pair.check();
  }
  assertEquals(pair.database(1).size, 100);
});
