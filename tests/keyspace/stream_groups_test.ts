import { assert, assertEquals } from "@std/assert";
import { ArenaFullError } from "../../src/memory/arena.ts";
import { seededRandom, testSeed } from "../support/random.ts";
import { StreamPair } from "../support/stream_model.ts";

const LIMITS = { streamNodeBytes: 4096, streamNodeEntries: 20 };

function one<T>(items: Iterable<T>, random: () => number): T | undefined {
  const all = [...items];
  return all[Math.floor(random() * all.length)];
}

/** One change of a stream's groups. */
function change(pair: StreamPair, random: () => number): void {
  const kind = random();
  const group = one(pair.groups.keys(), random);
  if (kind < 0.25) {
    return pair.append(pair.last + 1n + BigInt(Math.floor(random() * 4)), ["f", "v"]);
  }
  if (kind < 0.28 || group === undefined) {
    return pair.makeGroup(`group-${Math.floor(random() * 5)}`, random() < 0.7 ? 0n : pair.last);
  }
  const known = pair.groups.get(group)!;
  const consumer = `consumer-${Math.floor(random() * 6)}`;
  const id = one(random() < 0.7 ? known.pending.keys() : pair.live().map(({ id }) => id), random);
  if (kind < 0.285) pair.removeGroup(group);
  else if (kind < 0.3) pair.removeConsumer(group, consumer);
  else if (kind < 0.55) {
    pair.deliver(group, consumer, Math.floor(random() * 8), random() < 0.2);
  } else if (kind < 0.6 && id !== undefined) pair.delete(id);
  else if (kind < 0.75 && id !== undefined) pair.acknowledge(group, id);
  else if (kind < 0.95 && id !== undefined) pair.claim(group, consumer, id);
  else if (kind < 0.96) {
    pair.trim(false, BigInt(Math.floor(pair.live().length * random())), false, 0);
  }
}

Deno.test("stream groups: random changes agree with Maps", () => {
  const random = seededRandom(testSeed("stream groups"));
  const pair = new StreamPair(1, LIMITS);
  const before = pair.arena.usedBytes;
  for (let step = 0; step < 8000; step++) {
    change(pair, random);
    if (random() < 0.02) pair.move(random(), random);
    if (step % 40 === 0) pair.check();
    if (step % 1000 === 0 && pair.entry() !== 0) pair.checkCopy();
  }
  pair.check();
  assert(pair.moved > 1000);
  pair.remove();
  while (pair.keyspace.freeDying(1)) {
    pair.move(0.3, random);
    pair.check();
  }
  pair.check();
  // Blocks that have moved may have got a unit more than they need.
  assert(pair.arena.usedBytes < before + 100);
  assertEquals(pair.keyspace.roots.count, 0);
});

Deno.test("stream groups: thousands of consumers, thousands pending, freed in slices", () => {
  const random = seededRandom(testSeed("large groups"));
  const pair = new StreamPair(2, LIMITS);
  const before = pair.arena.usedBytes;
  for (let index = 0; index < 12_000; index++) pair.append(pair.last + 1n, ["f", "v"]);
  pair.makeGroup("many", 0n);
  for (let index = 0; index < 3000; index++) pair.deliver("many", `consumer-${index}`, 1, false);
  pair.makeGroup("one", 0n);
  pair.deliver("one", "alone", 12_000, false);
  pair.check();
  pair.move(0.2, random);
  pair.check();
  // What is pending is known by all that hangs together with it, whatever has moved.
  pair.removeConsumer("many", "consumer-17");
  pair.check();
  pair.remove();
  let slices = 0;
  while (pair.keyspace.freeDying(20)) {
    if (slices++ % 40 === 0) {
      pair.move(0.1, random);
      pair.check();
    }
  }
  assert(slices > 20, `${slices} slices`);
  assert(pair.arena.usedBytes < before + 100);
  assertEquals(pair.keyspace.roots.count, 0);
});

Deno.test("stream groups: what finds no room changes nothing, or delivers fewer", () => {
  const random = seededRandom(testSeed("groups without room"));
  const pair = new StreamPair(3, LIMITS);
  for (let index = 0; index < 500; index++) pair.append(pair.last + 1n, ["f", "v"]);
  let refused = 0;
  for (let step = 0; step < 6000; step++) {
    pair.room = Math.floor(random() * 4);
    try {
      change(pair, random);
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error;
      refused++;
      pair.check();
    }
    pair.room = Infinity;
    if (step % 100 === 0) pair.check();
  }
  pair.check();
  assert(refused > 30, `${refused} were refused`);
});

Deno.test("stream groups: idle consumers and groups keep little", () => {
  const pair = new StreamPair(4, LIMITS);
  pair.append(1n, ["f", "v"]);
  pair.makeGroup("jobs", 0n);
  pair.consumer("jobs", "worker");
  const before = pair.arena.usedBytes;
  for (let round = 0; round < 50; round++) {
    for (let index = 0; index < 200; index++) pair.append(pair.last + 1n, ["f", "v"]);
    pair.deliver("jobs", "worker", Infinity, false);
    for (const id of [...pair.groups.get("jobs")!.pending.keys()]) pair.acknowledge("jobs", id);
    pair.trim(false, 1n, false, 0);
  }
  pair.check();
  // Two small trees, and the marks of deleted entries.
  assert(pair.arena.usedBytes - before < 1500, `${pair.arena.usedBytes - before} bytes`);
});
