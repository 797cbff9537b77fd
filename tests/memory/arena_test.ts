import { assert, assertEquals, assertThrows } from "@std/assert";
import { Arena, ArenaFullError, BLOCK_ENTRY, BLOCK_PLAIN } from "../../src/memory/arena.ts";
import { seededRandom, testSeed } from "../support/random.ts";

/** Fills a block with a byte that only it has, and checks it later: blocks that overlap show. */
function fill(arena: Arena, address: number, units: number, mark: number): void {
  arena.writableBytes(address, units * 8);
  arena.slice(address, 4, units * 8 - 4).fill(mark);
}

function intact(arena: Arena, address: number, units: number, mark: number): boolean {
  return arena.slice(address, 4, units * 8 - 4).every((byte) => byte === mark);
}

function randomUnits(random: () => number): number {
  const kind = random();
  if (kind < 0.7) return 2 + Math.floor(random() * 40);
  if (kind < 0.98) return 2 + Math.floor(random() * 1000);
  return 2 + Math.floor(random() * 60000);
}

Deno.test("arena: random allocations, frees and shrinks against a Map", () => {
  const random = seededRandom(testSeed("arena"));
  const arena = new Arena();
  const model = new Map<number, { units: number; mark: number }>();
  for (let step = 0; step < 20_000; step++) {
    const grow = (step >> 11) % 2 === 0 ? 0.65 : 0.35;
    if (random() < grow || model.size === 0) {
      const units = randomUnits(random);
      const address = arena.allocate(units, BLOCK_PLAIN);
      assert(!model.has(address));
      assert(arena.unitsOf(address) >= units);
      const mark = step & 0xff;
      fill(arena, address, units, mark);
      model.set(address, { units, mark });
    } else {
      const keys = [...model.keys()];
      const address = keys[Math.floor(random() * keys.length)];
      const block = model.get(address)!;
      if (random() < 0.2 && block.units > 4) {
        block.units = 2 + Math.floor(random() * (block.units - 2));
        arena.shrink(address, block.units);
        assert(intact(arena, address, block.units, block.mark));
      } else {
        assert(intact(arena, address, block.units, block.mark));
        arena.free(address);
        model.delete(address);
      }
    }
    if (step % 500 === 0) arena.check();
  }
  arena.check();
  const walked: number[] = [];
  arena.walk((address) => walked.push(address));
  assertEquals(walked, [...model.keys()].sort((a, b) => a - b));
  for (const [address, block] of model) {
    assert(intact(arena, address, block.units, block.mark));
    arena.free(address);
  }
  arena.check();
  assertEquals(arena.usage().usedBytes, 0);
});

Deno.test("arena: freed neighbours join, so that a larger block fits where small ones were", () => {
  const arena = new Arena();
  const blocks = Array.from({ length: 1000 }, () => arena.allocate(10, BLOCK_PLAIN));
  const before = arena.usage().segmentBytes;
  for (const block of blocks.slice(0, 900)) arena.free(block);
  for (let count = 0; count < 9; count++) arena.allocate(1000, BLOCK_PLAIN);
  assertEquals(arena.usage().segmentBytes, before);
  arena.check();
});

Deno.test("arena: a block larger than a segment is one run of bytes and is given back", () => {
  const arena = new Arena();
  const small = arena.allocate(4, BLOCK_ENTRY);
  const address = arena.allocate(12_000_000, BLOCK_PLAIN);
  const bytes = arena.slice(address, 8, 95_000_000);
  bytes[94_999_999] = 7;
  assertEquals(arena.slice(address, 95_000_007, 1)[0], 7);
  assertEquals(arena.kindOf(small), BLOCK_ENTRY);
  const other = arena.allocate(4, BLOCK_PLAIN);
  arena.check();
  arena.free(address);
  assert(arena.usage().segmentBytes < 10_000_000);
  arena.free(other);
  arena.free(small);
  arena.check();
});

Deno.test("arena: large blocks that come and go use the memory of those before them", () => {
  const arena = new Arena();
  const units = (20 << 20) / 8;
  for (let count = 0; count < 100; count++) {
    arena.free(arena.allocate(units + (count % 50) * 131_072, BLOCK_PLAIN));
    assert(arena.droppedBytes <= 256 << 20, `${arena.droppedBytes}`);
    arena.check();
  }
  const before = arena.droppedBytes;
  const block = arena.allocate(units + 49 * 131_072, BLOCK_PLAIN);
  assert(arena.droppedBytes < before, "one of that length was there");
  assert(arena.unitsOf(block) >= units);
  arena.check();
  while (arena.droppedBytes > 0) {
    const waiting = arena.droppedBytes;
    if (arena.releaseDropped() && arena.droppedBytes === waiting) break;
  }
  assert(arena.releaseDropped(), "one is on its way");
});

Deno.test("arena: segments that are wholly free are given back", () => {
  const arena = new Arena();
  const blocks = Array.from({ length: 40_000 }, () => arena.allocate(250, BLOCK_PLAIN));
  const full = arena.usage().segmentBytes;
  for (const block of blocks) arena.free(block);
  arena.check();
  assert(arena.usage().segmentBytes < full * 0.6, `${arena.usage().segmentBytes} of ${full}`);
});

/** Empties a segment as `evacuation.ts` does, and says where each block went. */
function empty(arena: Arena, segment: number, moved: (from: number, to: number) => void): void {
  arena.close(segment);
  while (arena.nextBlock(3) !== 0);
  if (arena.closedSegment < 0) return;
  arena.rewind();
  for (;;) {
    const from = arena.nextBlock(5);
    if (from === 0 || arena.closedSegment < 0) return;
    if (from < 0) continue;
    moved(from, arena.duplicate(from, arena.unitsOf(from)));
    arena.free(from);
    if (arena.closedSegment < 0) return;
  }
}

Deno.test("arena: a closed segment takes nothing, and is gone when its last block has moved", () => {
  const random = seededRandom(testSeed("arena close"));
  const arena = new Arena();
  const model = new Map<number, { units: number; mark: number }>();
  const add = (mark: number) => {
    const units = randomUnits(random);
    const address = arena.allocate(units, BLOCK_ENTRY);
    assert(address >>> 23 !== arena.closedSegment, "a closed segment takes nothing");
    fill(arena, address, units, mark);
    model.set(address, { units, mark });
  };
  const remove = (): void => {
    const keys = [...model.keys()];
    const address = keys[Math.floor(random() * keys.length)];
    arena.free(address);
    model.delete(address);
  };
  for (let round = 0; round < 12; round++) {
    for (let count = 0; count < 2500; count++) add(count & 0xff);
    while (model.size > 500) remove();
    const before = arena.usage();
    const segment = arena.emptiestSegment(1.1, () => true);
    let moves = 0;
    empty(arena, segment, (from, to) => {
      assertEquals(arena.kindOf(to), BLOCK_ENTRY);
      model.set(to, model.get(from)!);
      model.delete(from);
      // Others come and go meanwhile, also in the segment itself.
      if (++moves % 7 === 0) add(moves & 0xff);
      if (moves % 5 === 0) {
        const [address] = [...model.keys()].filter((one) => one !== to && one !== from);
        arena.free(address);
        model.delete(address);
      }
      // The block that is moving is in use twice, so only now and then all is compared.
      if (moves % 50 === 0) arena.check();
    });
    assertEquals(arena.closedSegment, -1);
    arena.check();
    for (const [address, block] of model) {
      assert(intact(arena, address, block.units, block.mark));
    }
    assert(arena.usage().segmentBytes <= before.segmentBytes + (64 << 20));
  }
});

Deno.test("arena: a segment that is opened again has all its free blocks back in bins", () => {
  const random = seededRandom(testSeed("arena reopen"));
  const arena = new Arena();
  const live: number[] = [];
  for (let count = 0; count < 3000; count++) live.push(arena.allocate(randomUnits(random), 0));
  for (let count = 0; count < 2000; count++) {
    arena.free(live.splice(Math.floor(random() * live.length), 1)[0]);
  }
  for (let round = 0; round < 20; round++) {
    const segment = live[Math.floor(random() * live.length)] >>> 23;
    arena.close(segment);
    for (let count = Math.floor(random() * 60); count > 0; count--) {
      if (arena.nextBlock(10) === 0) arena.rewind();
    }
    arena.check();
    arena.reopen();
    while (!arena.offerNext(1 + Math.floor(random() * 10))) {
      if (random() < 0.5) {
        arena.free(live.splice(Math.floor(random() * live.length), 1)[0]);
      } else live.push(arena.allocate(randomUnits(random), 0));
      if (random() < 0.1) arena.check();
    }
    arena.check();
  }
  for (const address of live) arena.free(address);
  arena.check();
  assertEquals(arena.usedBytes, 0);
});

Deno.test("arena: clearing keeps what is to be kept, and drops the rest as a whole", () => {
  const random = seededRandom(testSeed("arena clear"));
  for (let round = 0; round < 10; round++) {
    const arena = new Arena();
    const live: number[] = [];
    for (let count = 0; count < 3000; count++) live.push(arena.allocate(randomUnits(random), 0));
    live.push(arena.allocate(2 ** 23 + 5, 0), arena.allocate(2 ** 23 + 5, 0));
    for (let count = 0; count < 1000; count++) {
      arena.free(live.splice(Math.floor(random() * live.length), 1)[0]);
    }
    if (round % 2 === 1) arena.close(live[0] >>> 23);
    const kept = live.filter(() => random() < (round % 3) * 0.002).sort((a, b) => a - b);
    kept.forEach((address, mark) => fill(arena, address, arena.unitsOf(address), mark & 0xff));
    arena.clear(kept);
    arena.check();
    const walked: number[] = [];
    arena.walk((address) => walked.push(address));
    assertEquals(walked, kept);
    kept.forEach((address, mark) =>
      assert(intact(arena, address, arena.unitsOf(address), mark & 0xff))
    );
    for (let count = 0; count < 1000; count++) arena.allocate(randomUnits(random), 0);
    arena.check();
    for (const address of kept) arena.free(address);
    arena.check();
  }
});

Deno.test("arena: a request that can't be met throws and changes nothing", () => {
  const arena = new Arena();
  const before = arena.usage();
  assertThrows(() => arena.allocate(2 ** 28, BLOCK_PLAIN), ArenaFullError);
  assertEquals(arena.usage(), before);
});

Deno.test("arena: a watcher hears of every page before it changes", () => {
  const random = seededRandom(testSeed("arena watcher"));
  const arena = new Arena();
  const live: number[] = [];
  for (let count = 0; count < 3000; count++) live.push(arena.allocate(randomUnits(random), 0));
  const before: Uint8Array[] = [];
  for (let segment = 0; segment < arena.words.length; segment++) {
    before.push(arena.slice(segment << 23, 0, arena.bytes[segment].length).slice());
  }
  const touched = new Set<number>();
  arena.watchPages({
    touch: (first, last) => {
      for (let page = first; page <= last; page++) touched.add(page);
    },
    dropped: () => {},
  });
  for (let step = 0; step < 300; step++) {
    arena.free(live.splice(Math.floor(random() * live.length), 1)[0]);
    if (step % 2 === 0) live.push(arena.allocate(randomUnits(random), 0));
  }
  assert(touched.size > 0);
  for (let segment = 0; segment < before.length; segment++) {
    const now = arena.slice(segment << 23, 0, before[segment].length);
    for (let at = 0; at < now.length; at++) {
      if (now[at] !== before[segment][at]) {
        const page = (segment << 14) + (at >>> 12);
        assert(touched.has(page), `page ${page} changed without a touch`);
      }
    }
  }
});
