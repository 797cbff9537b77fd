import { assert, assertEquals } from "@std/assert";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import {
  EXPIRY_NONE,
  EXPIRY_SET,
  EXTERNAL_BYTES,
  stringBytes,
} from "../../src/keyspace/strings.ts";
import { ArenaFullError, BLOCK_VALUE } from "../../src/memory/arena.ts";
import { dictScan } from "../../src/memory/dict.ts";
import { copyKey } from "../../src/memory/entry.ts";
import { seededRandom, testSeed } from "../support/random.ts";

import { blocks, DATABASES, Pair, START_MS, step } from "../support/keyspace_model.ts";

const decoder = new TextDecoder();

Deno.test("keyspace: random changes against a Map, and nothing is left at the end", () => {
  const seed = testSeed("keyspace");
  const random = seededRandom(seed);
  const pair = new Pair(seed);
  const empty = pair.keyspace.arena.usedBytes;
  const emptyBlocks = blocks(pair.keyspace);
  for (let round = 0; round < 3; round++) {
    for (let count = 0; count < 4000; count++) {
      step(pair, random);
      if (count % 250 === 0) pair.check();
    }
    pair.check();
    for (let number = 0; number < DATABASES; number++) {
      if (round === 1) pair.flush(number);
      for (const key of [...pair.model[number].keys()]) pair.remove(number, key);
      assertEquals(pair.database(number).size, 0);
      assertEquals(pair.database(number).volatile.length, 0);
    }
    while (pair.freeDetached(100));
    checkKeyspace(pair.keyspace);
    assert(pair.keyspace.arena.usedBytes - empty < 1000, "a dict that was large is small again");
    for (let number = 0; number < DATABASES; number++) pair.flush(number);
    assertEquals(blocks(pair.keyspace), emptyBlocks);
    assert(pair.keyspace.arena.usedBytes - empty < 1000, "but for a bucket or two");
  }
  assert(pair.expired.length > 0, "keys have expired meanwhile");
});

Deno.test("keyspace: a database that shrinks and grows again holds only what was put in", () => {
  const pair = new Pair(77);
  for (let round = 0; round < 4; round++) {
    for (let index = 0; index < 300; index++) pair.set(1, `k${index}`, "v", EXPIRY_NONE, null);
    pair.check();
    for (let index = 0; index < 298; index++) pair.remove(1, `k${index}`);
    pair.check();
  }
});

Deno.test("keyspace: the hook is called once for each key that expires, when it is gone", () => {
  const pair = new Pair(5);
  const events: string[] = [];
  pair.keyspace.listen((database, key, event) => {
    events.push(`${database.number}/${decoder.decode(key)} ${event} ${database.size}`);
  });
  pair.set(2, "gone", "v", EXPIRY_SET, START_MS + 5);
  pair.advance(5);
  assert(pair.find(2, "gone") !== 0);
  pair.advance(1);
  assertEquals(pair.find(2, "gone"), 0);
  assertEquals(pair.find(2, "gone"), 0);
  assertEquals(events, ["2/gone expired 0"]);
});

Deno.test("keyspace: a value that is being sent stays as it is until it is sent", () => {
  const pair = new Pair(9);
  const { keyspace } = pair;
  const empty = blocks(keyspace);
  const value = "s".repeat(EXTERNAL_BYTES);
  const changes: (() => void)[] = [
    () => pair.writeRange(0, "big", 0, "changed"),
    () => pair.set(0, "big", "small", EXPIRY_NONE, null),
    () => pair.remove(0, "big"),
    () => pair.flush(0),
    () => pair.move(0, "big", 1, "elsewhere"),
  ];
  for (const change of changes) {
    pair.set(0, "big", value, EXPIRY_NONE, null);
    pair.find(0, "big");
    let block = 0;
    keyspace.arena.walk((address, _units, kind) => {
      if (kind === BLOCK_VALUE) block = address;
    });
    const sent = stringBytes(keyspace, pair.find(0, "big"), pair.scratch);
    keyspace.pin(block);
    keyspace.pin(block);
    change();
    pair.set(0, "another", "a".repeat(EXTERNAL_BYTES), EXPIRY_NONE, null);
    assert(decoder.decode(sent.slice()) === value);
    keyspace.unpin(block);
    assert(decoder.decode(sent.slice()) === value);
    keyspace.unpin(block);
    pair.check();
    for (let number = 0; number < DATABASES; number++) pair.flush(number);
    assertEquals(blocks(keyspace), empty);
  }
});

Deno.test("keyspace: keys that are renamed and moved during a scan, others are still seen", () => {
  const seed = testSeed("scan while moving");
  const random = seededRandom(seed);
  const pair = new Pair(seed);
  for (let index = 0; index < 400; index++) {
    pair.set(0, `stays${index}`, "v", EXPIRY_NONE, null);
    pair.set(0, `moves${index}`, "v", EXPIRY_NONE, null);
  }
  const seen = new Set<string>();
  let cursor = 0;
  let serial = 0;
  do {
    cursor = dictScan(pair.keyspace.arena, pair.database(0).dict, cursor, (entry) => {
      seen.add(decoder.decode(copyKey(pair.keyspace.arena, entry)));
    });
    for (let count = 0; count < 8; count++) {
      const key = `moves${Math.floor(random() * 400)}`;
      if (random() < 0.5) pair.move(0, key, 0, `renamed${serial++}`);
      else pair.move(0, key, 1, key);
      // A change of the expiry gives the entry another address.
      pair.expire(0, `stays${Math.floor(random() * 400)}`, random() < 0.5 ? null : 2e12);
    }
  } while (cursor !== 0);
  for (let index = 0; index < 400; index++) assert(seen.has(`stays${index}`));
  pair.check();
});

Deno.test("keyspace: no room at any point loses nothing and leaves nothing behind", () => {
  const seed = testSeed("no room");
  const random = seededRandom(seed);
  const pair = new Pair(seed);
  const { arena } = pair.keyspace;
  const empty = blocks(pair.keyspace);
  const allocate = arena.allocate.bind(arena);
  let left = Infinity;
  arena.allocate = (units, kind) => {
    if (--left < 0) throw new ArenaFullError(units);
    return allocate(units, kind);
  };
  const flush = pair.flush.bind(pair);
  pair.flush = (number) => {
    // What a flush needs, it has just freed.
    left = Infinity;
    flush(number);
  };
  let failures = 0;
  for (let count = 0; count < 6000; count++) {
    left = random() < 0.3 ? Math.floor(random() * 4) : Infinity;
    try {
      step(pair, random);
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error;
      failures++;
    }
    left = Infinity;
    if (count % 100 === 0) pair.check();
  }
  pair.check();
  assert(failures > 100, `${failures} failures`);
  for (let number = 0; number < DATABASES; number++) pair.flush(number);
  assertEquals(blocks(pair.keyspace), empty);
});
