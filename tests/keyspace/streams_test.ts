import { assert, assertEquals } from "@std/assert";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { appendEntry, nextEntryId } from "../../src/keyspace/stream_appending.ts";
import { radixNodes } from "../../src/keyspace/stream_facts.ts";
import { StreamPlace } from "../../src/keyspace/stream_nodes.ts";
import { createStreamRoot } from "../../src/keyspace/stream_root.ts";
import { ArenaFullError } from "../../src/memory/arena.ts";
import { EntryId } from "../../src/memory/id_tree.ts";
import { seededRandom, testSeed } from "../support/random.ts";
import { idOf, nameOf, StreamPair, valueOf } from "../support/stream_model.ts";

const SECOND = 1n << 64n;
const DEFAULTS = { streamNodeBytes: 4096, streamNodeEntries: 100 };

/** Fields and values: mostly those of the entry before, some that are numbers, some that are long. */
function someFields(random: () => number): string[] {
  const kind = random();
  const number = String(Math.floor(random() * 10 ** Math.floor(random() * 17)) - 50);
  if (kind < 0.5) return ["name", `value-${Math.floor(random() * 30)}`, "count", number];
  if (kind < 0.6) return ["name", "x", "other", number];
  if (kind < 0.7) return ["17", number];
  if (kind < 0.72) return ["", ""];
  if (kind < 0.97) return [`field${Math.floor(random() * 3)}`, "m".repeat(random() * 100)];
  return ["long", "l".repeat(random() * 6000), "f".repeat(random() * 100), "1"];
}

/** An id behind the last one: near, in the next ms, or somewhere far away. */
function nextId(pair: StreamPair, random: () => number): bigint {
  const kind = random();
  const { last } = pair;
  if (kind < 0.5) return last + 1n + BigInt(Math.floor(random() * 3));
  if (kind < 0.9) return (last / SECOND + 1n + BigInt(Math.floor(random() * 4))) * SECOND;
  if (kind < 0.99) return last + (SECOND << BigInt(Math.floor(random() * 34)));
  return last + (SECOND >> 1n);
}

/** An id of an entry, or near one. */
function someId(pair: StreamPair, random: () => number): bigint {
  const all = pair.nodes.flat();
  if (all.length === 0 || random() < 0.05) return BigInt(Math.floor(random() * 5)) * SECOND;
  const id = all[Math.floor(random() * all.length)].id;
  if (random() < 0.6) return id;
  return random() < 0.5 ? id + 1n : id === 0n ? 0n : id - 1n;
}

function change(pair: StreamPair, random: () => number, approximates: boolean): void {
  const kind = random();
  if (kind < 0.6) pair.append(nextId(pair, random), someFields(random));
  else if (kind < 0.85) pair.delete(someId(pair, random));
  else if (kind < 0.9) {
    const byId = random() < 0.5;
    const bound = byId
      ? someId(pair, random)
      : BigInt(Math.floor(pair.live().length * (0.5 + random() / 2)));
    const approximate = approximates && random() < 0.5;
    const limit = approximate && random() < 0.5 ? Math.floor(random() * 200) : 0;
    pair.trim(byId, bound, approximate, limit);
  } else if (kind < 0.98) pair.checkFound(someId(pair, random));
  else if (kind < 0.981) pair.remove();
}

for (const entries of [100, 3, 1, 0]) {
  Deno.test(`streams: random changes agree with an array, ${entries} entries a node`, () => {
    const random = seededRandom(testSeed(`streams ${entries}`));
    const pair = new StreamPair(3, { streamNodeBytes: 0, streamNodeEntries: entries });
    const before = pair.arena.usedBytes;
    for (let step = 0; step < 4000; step++) {
      change(pair, random, true);
      if (random() < 0.02) pair.move(random(), random);
      if (random() < 0.1) {
        const limit = random() < 0.3 ? Infinity : Math.floor(random() * 50);
        pair.checkRange(someId(pair, random), someId(pair, random), limit, random() < 0.5);
      }
      if (step % 50 === 0) pair.check();
      if (step % 500 === 0 && pair.entry() !== 0) pair.checkCopy();
    }
    pair.check();
    assert(pair.moved > 100);
    pair.remove();
    pair.check();
    // Blocks that have moved may have got a unit more than they need.
    assert(pair.arena.usedBytes < before + 100);
    assertEquals(pair.keyspace.roots.count, 0);
  });
}

Deno.test("streams: nodes of few bytes", () => {
  const random = seededRandom(testSeed("streams of small nodes"));
  for (const streamNodeBytes of [100, 1000, 4096]) {
    const pair = new StreamPair(4, { streamNodeBytes, streamNodeEntries: 0 });
    for (let step = 0; step < 2000; step++) {
      const kind = random();
      if (kind < 0.7) pair.append(nextId(pair, random), someFields(random));
      else if (kind < 0.72) pair.move(0.5, random);
      // Where nodes end isn't known here, so nothing but single entries goes.
      else if (pair.live().length > 0) {
        const live = pair.live();
        const { id } = live[Math.floor(random() * live.length)];
        pair.delete(id);
      }
      if (step % 50 === 0) pair.check();
    }
    pair.check();
  }
});

Deno.test("streams: ids go back to where entries were deleted", () => {
  const random = seededRandom(testSeed("streams that go back"));
  const pair = new StreamPair(5, { streamNodeBytes: 0, streamNodeEntries: 4 });
  for (let step = 0; step < 3000; step++) {
    if (random() < 0.6) pair.append(nextId(pair, random), someFields(random));
    else if (random() < 0.7) pair.delete(random() < 0.6 ? pair.last : someId(pair, random));
    else pair.goBack((pair.live().at(-1)?.id ?? 0n) + BigInt(Math.floor(random() * 3)));
    if (random() < 0.1) {
      pair.checkRange(someId(pair, random), someId(pair, random), 10, random() < 0.5);
      pair.checkFound(someId(pair, random));
    }
    if (step % 20 === 0) pair.check();
  }
});

Deno.test("streams: the next id follows the clock, and rises where the clock doesn't", () => {
  const id = new EntryId();
  const next = (last: bigint, now: number) => nextEntryId(idOf(last), now, id) ? valueOf(id) : null;
  const at = (ms: bigint, number: bigint) => (ms << 64n) + number;
  assertEquals(next(0n, 1_700_000_000_123), at(1_700_000_000_123n, 0n));
  assertEquals(next(at(1_700_000_000_123n, 5n), 1_700_000_000_123), at(1_700_000_000_123n, 6n));
  assertEquals(next(at(1_700_000_000_124n, 5n), 1_700_000_000_123), at(1_700_000_000_124n, 6n));
  assertEquals(next(at(5n, SECOND - 1n), 5), at(6n, 0n));
  assertEquals(next(at(1n << 63n, 7n), 5), at(1n << 63n, 8n));
  assertEquals(next((1n << 128n) - 1n, 5), null);
});

Deno.test("streams: the radix tree that Redis would have has as many nodes as a plain one", () => {
  const random = seededRandom(testSeed("radix nodes"));
  const place = new StreamPlace();
  for (let round = 0; round < 200; round++) {
    const pair = new StreamPair(6, { streamNodeBytes: 0, streamNodeEntries: 1 });
    const count = Math.floor(random() * 40);
    for (let index = 0; index < count; index++) pair.append(nextId(pair, random), ["f", "v"]);
    const keys = pair.nodes.map(([{ id }]) => id.toString(16).padStart(32, "0"));
    assertEquals(radixNodes(pair.arena, pair.root(), place), plainRadixNodes(keys, 0));
  }
});

/** Nodes of a radix tree of hexadecimal keys, of which the first `depth` bytes are the same. */
function plainRadixNodes(keys: string[], depth: number): number {
  if (keys.length === 0 || depth === 16) return 1;
  let run = 0;
  const byteAt = (key: string) => key.slice((depth + run) * 2, (depth + run) * 2 + 2);
  while (depth + run < 16 && new Set(keys.map(byteAt)).size === 1) run++;
  const above = run > 0 ? 1 : 0;
  if (depth + run === 16) return above + 1;
  const branches = Map.groupBy(keys, byteAt);
  const below = [...branches.values()].map((branch) => plainRadixNodes(branch, depth + run + 1));
  return above + 1 + below.reduce((sum, nodes) => sum + nodes, 0);
}

Deno.test("streams: a million entries take little more than their bytes, and go in slices", () => {
  const keyspace = new Keyspace(1, 7, 8);
  const { arena } = keyspace;
  const before = arena.usedBytes;
  const root = createStreamRoot(keyspace);
  const { view } = nameOf("myfield__data__");
  const source = { view, starts: [0, 7], lengths: [7, 8] };
  const place = new StreamPlace();
  const id = new EntryId();
  id.set(0, 0, 0, 1);
  for (let index = 0; index < 1_000_000; index++) {
    appendEntry(arena, root, id, source, 0, 2, DEFAULTS, place);
    id.increment();
  }
  const bytes = arena.usedBytes - before;
  // Flags, two differences, the value, and the number of elements: 20 bytes, and 50 for each node.
  assert(bytes < 20_600_000, `${bytes} bytes`);
  keyspace.freeValueBlock(root);
  let slices = 0;
  while (keyspace.freeDying(16)) slices++;
  assert(slices > 8, `${slices} slices`);
  assertEquals(arena.usedBytes, before);
  checkKeyspace(keyspace);
});

Deno.test("streams: what finds no room changes nothing", () => {
  const random = seededRandom(testSeed("streams without room"));
  for (const limits of [{ streamNodeBytes: 0, streamNodeEntries: 5 }, DEFAULTS]) {
    const pair = new StreamPair(9, limits);
    pair.root();
    let refused = 0;
    for (let step = 0; step < 1200; step++) {
      pair.room = Math.floor(random() * 3);
      try {
        if (random() < 0.7) pair.append(nextId(pair, random), someFields(random));
        else pair.delete(someId(pair, random));
      } catch (error) {
        if (!(error instanceof ArenaFullError)) throw error;
        refused++;
        pair.check();
      }
      pair.room = Infinity;
      if (step % 100 === 0) pair.check();
    }
    assert(refused > 8, `${refused} were refused`);
  }
});
