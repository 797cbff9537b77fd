import { assert, assertEquals } from "@std/assert";
import {
  Arena,
  ArenaFullError,
  BLOCK_BUCKETS,
  BLOCK_DICT,
  BLOCK_DIRECTORY,
  BLOCK_ENTRY,
  BLOCK_OVERFLOW,
} from "../../src/memory/arena.ts";
import {
  dictBuckets,
  dictCheck,
  dictCount,
  dictCreate,
  dictFind,
  dictFree,
  dictGrowthAhead,
  dictHas,
  dictHashEntry,
  dictInsert,
  dictRandom,
  dictReadAhead,
  dictRemove,
  dictReplace,
  dictSample,
  dictScan,
  SAMPLE_SPARE,
  SPLIT_ENTRIES_AHEAD,
} from "../../src/memory/dict.ts";
import { moveDict, moveDirectory, moveOverflow, movePiece } from "../../src/memory/dict_table.ts";
import { copyKey } from "../../src/memory/entry.ts";
import { hashBytes } from "../../src/memory/hash.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const SEED_0 = 0x1234567;
const SEED_1 = 0x7654321;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function makeEntry(arena: Arena, key: string): number {
  const bytes = encoder.encode(key);
  const entry = arena.allocate((16 + bytes.length + 7) >>> 3, BLOCK_ENTRY);
  const at = (entry & 0x7fffff) << 1;
  const words = arena.writable(entry, 16);
  words[at + 1] = 0;
  words[at + 2] = bytes.length;
  arena.slice(entry, 16, bytes.length).set(bytes);
  return entry;
}

function find(arena: Arena, dict: number, key: string): number {
  const bytes = encoder.encode(key);
  const view = new DataView(bytes.buffer);
  const hash = hashBytes(view, 0, bytes.length, SEED_0, SEED_1);
  return dictFind(arena, dict, hash, view, 0, bytes.length);
}

function insert(arena: Arena, dict: number, key: string): number {
  const entry = makeEntry(arena, key);
  dictInsert(arena, dict, dictHashEntry(arena, dict, entry), entry);
  return entry;
}

function keyOf(arena: Arena, entry: number): string {
  return decoder.decode(copyKey(arena, entry));
}

Deno.test("dict: random inserts, removes, replacements and look-ups against a Map", () => {
  const random = seededRandom(testSeed("dict"));
  const arena = new Arena();
  const dict = dictCreate(arena, SEED_0, SEED_1);
  const empty = arena.usedBytes;
  const model = new Map<string, number>();
  for (let step = 0; step < 60_000; step++) {
    const key = `k${Math.floor(random() * 9000)}`.repeat(1 + Math.floor(random() * 1.2));
    const known = model.get(key);
    assertEquals(find(arena, dict, key), known ?? 0);
    const removing = (step >> 13) % 2 === 1 ? 0.8 : 0.2;
    if (known === undefined) {
      if (random() > removing) model.set(key, insert(arena, dict, key));
    } else if (random() < removing) {
      assert(dictRemove(arena, dict, dictHashEntry(arena, dict, known), known));
      assert(!dictRemove(arena, dict, dictHashEntry(arena, dict, known), known));
      arena.free(known);
      model.delete(key);
    } else {
      const replacement = makeEntry(arena, key);
      dictReplace(arena, dict, dictHashEntry(arena, dict, known), known, replacement);
      arena.free(known);
      model.set(key, replacement);
    }
    assertEquals(dictCount(arena, dict), model.size);
    if (step % 5000 === 0) dictCheck(arena, dict);
  }
  dictCheck(arena, dict);
  arena.check();
  for (const [, entry] of model) {
    dictRemove(arena, dict, dictHashEntry(arena, dict, entry), entry);
    arena.free(entry);
  }
  assert(dictBuckets(arena, dict) < 10, "an empty dict is small again");
  dictCheck(arena, dict);
  assert(arena.usedBytes - empty < 20_000);
  dictFree(arena, dict);
  arena.check();
  assertEquals(arena.usedBytes, 0);
});

Deno.test("dict: a scan sees what stays, while the dict grows and shrinks under it", () => {
  const random = seededRandom(testSeed("dict scan"));
  for (let round = 0; round < 30; round++) {
    const arena = new Arena();
    const dict = dictCreate(arena, SEED_0, SEED_1);
    const stay = new Set<string>();
    for (let count = 0; count < 300; count++) {
      stay.add(`stay${count}`);
      insert(arena, dict, `stay${count}`);
    }
    const others: number[] = [];
    const seen = new Set<string>();
    const growing = random() < 0.5;
    if (!growing) {
      for (let count = 0; count < 4000; count++) others.push(insert(arena, dict, `other${count}`));
    }
    let cursor = 0;
    let serial = 0;
    do {
      cursor = dictScan(arena, dict, cursor, (entry) => seen.add(keyOf(arena, entry)));
      for (let count = Math.floor(random() * 60); count > 0; count--) {
        if (growing) others.push(insert(arena, dict, `new${serial++}`));
        else if (others.length > 0) {
          const entry = others.splice(Math.floor(random() * others.length), 1)[0];
          dictRemove(arena, dict, dictHashEntry(arena, dict, entry), entry);
        }
      }
    } while (cursor !== 0 && serial < 200_000);
    for (const key of stay) assert(seen.has(key), `${key} was missed (growing: ${growing})`);
  }
});

Deno.test("dict: keys whose hashes fall into one bucket are all found", () => {
  const arena = new Arena();
  const dict = dictCreate(arena, SEED_0, SEED_1);
  const keys: string[] = [];
  // All of them end in the same five bits: the first splits leave them together.
  for (let count = 0; keys.length < 60; count++) {
    const bytes = encoder.encode(`c${count}`);
    const hash = hashBytes(new DataView(bytes.buffer), 0, bytes.length, SEED_0, SEED_1);
    if ((hash & 31) === 7) keys.push(`c${count}`);
  }
  for (const key of keys) insert(arena, dict, key);
  dictCheck(arena, dict);
  for (const key of keys) assertEquals(keyOf(arena, find(arena, dict, key)), key);
});

Deno.test("dict: a random entry is one that is there, and each comes up", () => {
  const random = seededRandom(testSeed("dict random"));
  const arena = new Arena();
  const dict = dictCreate(arena, SEED_0, SEED_1);
  for (let count = 0; count < 50; count++) insert(arena, dict, `r${count}`);
  const seen = new Set<string>();
  for (let count = 0; count < 5000; count++) {
    seen.add(keyOf(arena, dictRandom(arena, dict, random)));
  }
  assertEquals(seen.size, 50);
});

Deno.test("dict: a sample has entries that are there, and each comes up about as often", () => {
  const random = seededRandom(testSeed("dict sample"));
  const arena = new Arena();
  const dict = dictCreate(arena, SEED_0, SEED_1);
  const out = new Int32Array(5 + SAMPLE_SPARE);
  assertEquals(dictSample(arena, dict, 5, random, out), 0, "nothing is there");
  const seen = new Map<number, number>();
  for (let count = 0; count < 300; count++) seen.set(insert(arena, dict, `s${count}`), 0);
  let total = 0;
  for (let round = 0; round < 20_000; round++) {
    const found = dictSample(arena, dict, 5, random, out);
    assert(found > 0 && found <= 5);
    for (const entry of out.subarray(0, found)) {
      const before = seen.get(entry);
      assert(before !== undefined, "a sampled entry is in the dict");
      seen.set(entry, before + 1);
    }
    total += found;
  }
  const mean = total / seen.size;
  for (const count of seen.values()) assert(count > mean / 4 && count < mean * 4, `${count}`);
});

Deno.test("dict: a sample of a dict that has nearly emptied finds what is left", () => {
  const random = seededRandom(testSeed("dict sparse sample"));
  const arena = new Arena();
  const dict = dictCreate(arena, SEED_0, SEED_1);
  const entries = Array.from({ length: 1000 }, (_, count) => insert(arena, dict, `e${count}`));
  const [last] = entries.splice(500, 1);
  for (const entry of entries) dictRemove(arena, dict, dictHashEntry(arena, dict, entry), entry);
  const out = new Int32Array(3 + SAMPLE_SPARE);
  for (let round = 0; round < 100; round++) {
    const found = dictSample(arena, dict, 3, random, out);
    assert(found > 0);
    for (const entry of out.subarray(0, found)) assertEquals(entry, last);
  }
});

Deno.test("dict: an address is known as an entry's only with its hash, and only while it is in", () => {
  const arena = new Arena();
  const dict = dictCreate(arena, SEED_0, SEED_1);
  const entries = Array.from({ length: 200 }, (_, count) => insert(arena, dict, `h${count}`));
  const hashes = entries.map((entry) => dictHashEntry(arena, dict, entry));
  for (const [index, entry] of entries.entries()) {
    assert(dictHas(arena, dict, hashes[index], entry));
    assert(!dictHas(arena, dict, hashes[index], entry + 1));
    assert(!dictHas(arena, dict, hashes[index] ^ 1, entry));
  }
  dictRemove(arena, dict, hashes[7], entries[7]);
  assert(!dictHas(arena, dict, hashes[7], entries[7]));
});

Deno.test("dict: a small dict that grows, shrinks and grows again has only what is in it", () => {
  for (let most = 1; most <= 40; most++) {
    const arena = new Arena();
    const dict = dictCreate(arena, SEED_0, SEED_1);
    for (let round = 0; round < 4; round++) {
      const entries: number[] = [];
      for (let count = 0; count < most; count++) {
        entries.push(insert(arena, dict, `g${round}:${count}`));
      }
      dictCheck(arena, dict);
      for (const entry of entries) {
        assert(dictRemove(arena, dict, dictHashEntry(arena, dict, entry), entry));
        arena.free(entry);
      }
      dictCheck(arena, dict);
    }
  }
});

/** Moves a block of a dict as the defragmentation does, and returns where the dict is then. */
function moveBlock(arena: Arena, dict: number, address: number): number {
  switch (arena.kindOf(address)) {
    case BLOCK_DIRECTORY:
      moveDirectory(arena, address);
      return dict;
    case BLOCK_BUCKETS:
      movePiece(arena, address);
      return dict;
    case BLOCK_OVERFLOW:
      moveOverflow(arena, address);
      return dict;
    case BLOCK_DICT:
      return moveDict(arena, address);
    default:
      return dict;
  }
}

Deno.test("dict: its own blocks can all be given another place, at any time", () => {
  const random = seededRandom(testSeed("dict moves"));
  const arena = new Arena();
  let dict = dictCreate(arena, SEED_0, SEED_1);
  const model = new Map<string, number>();
  for (let round = 0; round < 12; round++) {
    const grow = round % 4 < 2;
    for (let step = 0; step < 3000; step++) {
      const key = `m${Math.floor(random() * 6000)}`;
      const known = model.get(key);
      if (grow && known === undefined) model.set(key, insert(arena, dict, key));
      else if (!grow && known !== undefined) {
        assert(dictRemove(arena, dict, dictHashEntry(arena, dict, known), known));
        arena.free(known);
        model.delete(key);
      }
    }
    const blocks: number[] = [];
    arena.walk((address) => blocks.push(address));
    let moves = 0;
    for (const address of blocks) {
      const before = dict;
      dict = moveBlock(arena, dict, address);
      if (dict !== before || ++moves % 20 === 0) dictCheck(arena, dict);
    }
    dictCheck(arena, dict);
    arena.check();
    for (const [key, entry] of model) assertEquals(find(arena, dict, key), entry);
  }
});

Deno.test("dict: no room at any point leaves a dict that holds what it should", () => {
  const random = seededRandom(testSeed("dict without room"));
  const arena = new Arena();
  const allocate = arena.allocate.bind(arena);
  let left = Infinity;
  arena.allocate = (units, kind) => {
    if (--left < 0) throw new ArenaFullError(units);
    return allocate(units, kind);
  };
  const dict = dictCreate(arena, SEED_0, SEED_1);
  const model = new Map<string, number>();
  let failures = 0;
  for (let step = 0; step < 40_000; step++) {
    const key = `n${Math.floor(random() * 3000)}`;
    const known = model.get(key);
    const removing = (step >> 12) % 2 === 1 ? 0.8 : 0.2;
    left = Infinity;
    const entry = known ?? (random() > removing ? makeEntry(arena, key) : 0);
    const starved = random() < 0.6;
    if (starved) left = Math.floor(random() * 2);
    if (known === undefined && entry !== 0) {
      try {
        dictInsert(arena, dict, dictHashEntry(arena, dict, entry), entry);
        model.set(key, entry);
      } catch (error) {
        assert(error instanceof ArenaFullError);
        arena.free(entry);
        failures++;
      }
    } else if (known !== undefined && random() < removing) {
      assert(dictRemove(arena, dict, dictHashEntry(arena, dict, known), known));
      arena.free(known);
      model.delete(key);
    }
    if (step % 500 === 0) dictCheck(arena, dict);
  }
  dictCheck(arena, dict);
  arena.check();
  assert(failures > 0);
  assertEquals(dictCount(arena, dict), model.size);
  for (const [key, entry] of model) assertEquals(find(arena, dict, key), entry);
});

Deno.test("dict: what is read ahead of look-ups is what they find, at any size; growth is read ahead without a change", () => {
  const arena = new Arena();
  const dict = dictCreate(arena, SEED_0, SEED_1);
  const hashes = new Int32Array(4);
  const buckets = new Int32Array(4);
  const candidates = new Int32Array(4);
  const entries = new Int32Array(SPLIT_ENTRIES_AHEAD);
  let guessed = 0;
  for (let count = 0; count < 2000; count++) {
    for (const added of [1, 16]) dictGrowthAhead(arena, dict, added, entries);
    const entry = insert(arena, dict, `a${count}`);
    hashes.fill(0);
    hashes[1] = dictHashEntry(arena, dict, entry);
    hashes[2] = ~hashes[1];
    dictReadAhead(arena, dict, hashes, 1, 3, buckets, candidates);
    // Another one may have the same tag, as may an empty slot, and chains aren't followed.
    if (candidates[1] === entry) guessed++;
    assertEquals([candidates[0], candidates[3]], [0, 0], "nothing else is written");
  }
  assert(guessed > 1500, `${guessed} of 2000`);
  dictCheck(arena, dict);
});
