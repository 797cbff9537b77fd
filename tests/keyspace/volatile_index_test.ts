import { assertEquals } from "@std/assert";
import { VolatileIndex } from "../../src/keyspace/volatile_index.ts";
import { Arena, BLOCK_ENTRY } from "../../src/memory/arena.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const ENTRY_UNITS = 5;

Deno.test("volatile index: random changes against a Set, across the edges of its pieces", () => {
  const random = seededRandom(testSeed("volatile index"));
  const arena = new Arena();
  const index = new VolatileIndex(arena);
  const model: number[] = [];
  for (let step = 0; step < 40_000; step++) {
    const growing = step % 20_000 < 12_000 ? 0.75 : 0.2;
    const position = Math.floor(random() * model.length);
    if (random() < growing || model.length === 0) {
      const entry = arena.allocate(ENTRY_UNITS, BLOCK_ENTRY);
      index.add(entry);
      model.push(entry);
    } else if (random() < 0.2) {
      const moved = arena.allocate(ENTRY_UNITS, BLOCK_ENTRY);
      index.replace(model[position], moved);
      arena.free(model[position]);
      model[position] = moved;
    } else {
      index.remove(model[position]);
      arena.free(model[position]);
      model[position] = model[model.length - 1];
      model.pop();
    }
    assertEquals(index.length, model.length);
  }
  assertEquals(Array.from(model, (_, position) => index.at(position)).sort(), [...model].sort());
  for (const entry of model) assertEquals(index.at(index.positionOf(entry)), entry);
});

Deno.test("volatile index: its memory goes with its entries, but for a spare piece", () => {
  const arena = new Arena();
  const tally = { indexBytes: 0 };
  const index = new VolatileIndex(arena, tally);
  assertEquals(index.bytes, 0);
  const entries: number[] = [];
  for (let count = 0; count < 10_000; count++) {
    const entry = arena.allocate(ENTRY_UNITS, BLOCK_ENTRY);
    index.add(entry);
    entries.push(entry);
  }
  const full = index.bytes;
  assertEquals(tally.indexBytes, full);
  for (const entry of entries.splice(1)) index.remove(entry);
  assertEquals(index.length, 1);
  assertEquals(index.at(0), entries[0]);
  assertEquals(index.bytes < full, true);
  assertEquals(tally.indexBytes, index.bytes);
  index.clear();
  assertEquals(index.length, 0);
  assertEquals(index.bytes, 0);
  assertEquals(tally.indexBytes, 0);
});
