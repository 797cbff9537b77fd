import { assert, assertEquals } from "@std/assert";
import { Eviction, EVICTION_POLICIES, type EvictionPolicy } from "../../src/keyspace/eviction.ts";
import { setIdleSeconds, touchEntry } from "../../src/keyspace/access_clock.ts";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { type Database, findEntry, Keyspace } from "../../src/keyspace/keyspace.ts";
import { EXPIRY_NONE, EXPIRY_SET, setString } from "../../src/keyspace/strings.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const START_MS = 1_700_000_000_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A keyspace with eviction, whose memory is what the test says. */
class Bed {
  readonly keyspace: Keyspace;
  readonly eviction: Eviction;
  /** Keys that went, with the number of their database. */
  readonly evicted: string[] = [];
  nowMs = START_MS;
  /** How far each look moves the monotonic clock. */
  lookMs = 0;
  paused = false;
  slices = 0;
  /** What was noted as slow, with how long it took. */
  readonly slow: [name: string, milliseconds: number][] = [];
  readonly latency = {
    threshold: 0,
    add: (name: string, milliseconds: number): void => {
      this.slow.push([name, milliseconds]);
    },
  };
  /** Bytes outside of the keyspace that each eviction takes. */
  bytesPerEviction = 0;
  private elapsedMs = 0;

  constructor(seed: number, policy: EvictionPolicy, samples = 5, tenacity = 10) {
    const random = seededRandom(seed);
    this.keyspace = new Keyspace(3, seed, 1, random);
    this.keyspace.setTime(this.nowMs);
    this.keyspace.listen((database, key, event) => {
      assertEquals(event, "evicted");
      this.evicted.push(`${database.number}/${decoder.decode(key)}`);
    });
    const countedMemory = () =>
      this.keyspace.arena.usedBytes + this.evicted.length * this.bytesPerEviction;
    const isPaused = () => this.paused;
    this.eviction = new Eviction({
      keyspace: this.keyspace,
      clock: { now: () => this.nowMs, monotonic: () => this.elapsedMs += this.lookMs },
      get countedMemory(): number {
        return countedMemory();
      },
      get evictionPaused(): boolean {
        return isPaused();
      },
      refreshTime: () => this.keyspace.setTime(this.nowMs),
      latency: this.latency,
      afterEviction: () => this.slices++,
    }, random);
    this.settings = { limit: 0, policy, samples, tenacity };
    this.eviction.configure(this.settings);
  }

  settings: { limit: number; policy: EvictionPolicy; samples: number; tenacity: number };

  database(number: number): Database {
    return this.keyspace.databases[number];
  }

  find(database: Database, key: string): number {
    const bytes = encoder.encode(key);
    return findEntry(database, new DataView(bytes.buffer), 0, bytes.length);
  }

  /** Stores a key that expires in `ttlMs`, or never. */
  set(number: number, key: string, ttlMs: number | null = null): void {
    const database = this.database(number);
    const old = this.find(database, key);
    const bytes = encoder.encode(key);
    const view = new DataView(bytes.buffer);
    const when = this.nowMs + (ttlMs ?? 0);
    this.keyspace.expiry.high = Math.floor(when / 2 ** 32);
    this.keyspace.expiry.low = (when - this.keyspace.expiry.high * 2 ** 32) | 0;
    const kind = ttlMs === null ? EXPIRY_NONE : EXPIRY_SET;
    setString(database, old, view, 0, bytes.length, view, 0, bytes.length, kind);
  }

  /** Uses a key. */
  use(number: number, key: string): void {
    touchEntry(this.keyspace, this.find(this.database(number), key));
  }

  advance(ms: number): void {
    this.nowMs += ms;
    this.keyspace.setTime(this.nowMs);
  }

  /** Evicts until `count` keys are gone, one at a time; false when none can go any more. */
  evict(count: number): boolean {
    for (const goal = this.evicted.length + count; this.evicted.length < goal;) {
      this.settings.limit = this.keyspace.arena.usedBytes - 1;
      this.eviction.configure(this.settings);
      if (!this.eviction.makeRoom()) return false;
    }
    return true;
  }
}

/** Share of those that went whose number is below `border`. */
function shareBelow(evicted: readonly string[], border: number): number {
  const numbers = evicted.map((name) => Number(name.match(/\d+$/)![0]));
  return numbers.filter((number) => number < border).length / numbers.length;
}

Deno.test("eviction: LRU takes those that were idle for longest, whatever their database", () => {
  const bed = new Bed(testSeed("eviction LRU"), "allkeys-lru");
  for (let index = 0; index < 2000; index++) {
    bed.set(index % 3, `k${index}`);
    if (index % 20 === 19) bed.advance(1000);
  }
  // The oldest are used again, so they are the youngest.
  for (let index = 0; index < 200; index++) bed.use(index % 3, `k${index}`);
  assert(bed.evict(800));
  assertEquals(shareBelow(bed.evicted, 200), 0);
  assert(shareBelow(bed.evicted, 1100) > 0.85, `${shareBelow(bed.evicted, 1100)}`);
  checkKeyspace(bed.keyspace);
});

Deno.test("eviction: a key that was used after it became a candidate stays", () => {
  const bed = new Bed(3, "allkeys-lru", 64);
  for (let index = 0; index < 40; index++) bed.set(0, `old${index}`);
  bed.advance(100_000);
  for (let index = 0; index < 40; index++) bed.set(0, `young${index}`);
  assert(bed.evict(1), "fills the pool with old ones");
  bed.advance(1000);
  for (let index = 0; index < 40; index++) {
    if (!bed.evicted.includes(`0/old${index}`)) bed.use(0, `old${index}`);
  }
  assert(bed.evict(20));
  assert(bed.evicted.slice(1).every((name) => name.startsWith("0/young")), `${bed.evicted}`);
});

Deno.test("eviction: LFU takes those that are used least, new ones last of these", () => {
  const bed = new Bed(testSeed("eviction LFU"), "allkeys-lfu");
  for (let index = 0; index < 1000; index++) bed.set(0, `k${index}`);
  for (let use = 0; use < 30; use++) {
    for (let index = 500; index < 1000; index++) bed.use(0, `k${index}`);
  }
  assert(bed.evict(300));
  assert(shareBelow(bed.evicted, 500) > 0.95, `${shareBelow(bed.evicted, 500)}`);
});

Deno.test("eviction: volatile-ttl takes those that expire first", () => {
  const bed = new Bed(testSeed("eviction TTL"), "volatile-ttl");
  for (let index = 0; index < 1000; index++) {
    bed.set(index % 2, `k${index}`, 10_000 + index * 1000);
    bed.set(2, `stays${index}`);
  }
  assert(bed.evict(300));
  assert(shareBelow(bed.evicted, 450) > 0.9, `${shareBelow(bed.evicted, 450)}`);
  assert(bed.evicted.every((name) => !name.includes("stays")));
});

Deno.test("eviction: volatile policies leave the others, and fail when there is no other left", () => {
  for (const policy of EVICTION_POLICIES) {
    if (!policy.startsWith("volatile-")) continue;
    const bed = new Bed(7, policy);
    for (let index = 0; index < 50; index++) bed.set(index % 2, `stays${index}`);
    for (let index = 0; index < 30; index++) bed.set(index % 3, `goes${index}`, 60_000 + index);
    assert(bed.evict(30), policy);
    assertEquals(new Set(bed.evicted).size, 30);
    assert(bed.evicted.every((name) => name.includes("goes")));
    assertEquals(bed.evict(1), false);
    checkKeyspace(bed.keyspace);
  }
});

Deno.test("eviction: allkeys policies empty all databases, each key once", () => {
  for (const policy of EVICTION_POLICIES) {
    if (!policy.startsWith("allkeys-")) continue;
    const bed = new Bed(11, policy);
    for (let index = 0; index < 300; index++) {
      bed.set(index % 3, `k${index}`, index % 4 === 0 ? 60_000 : null);
    }
    assert(bed.evict(300), policy);
    assertEquals(new Set(bed.evicted).size, 300);
    assertEquals(bed.evict(1), false);
    assertEquals(bed.keyspace.counters.evicted, 300);
    checkKeyspace(bed.keyspace);
  }
});

Deno.test("eviction: random policies take from all databases, any key", () => {
  const bed = new Bed(testSeed("eviction random"), "allkeys-random");
  for (let index = 0; index < 900; index++) bed.set(index % 3, `k${index}`);
  assert(bed.evict(450));
  for (let number = 0; number < 3; number++) {
    assertEquals(bed.evicted.filter((name) => name.startsWith(`${number}/`)).length, 150);
  }
  const share = shareBelow(bed.evicted, 450);
  assert(share > 0.38 && share < 0.62, `${share}`);
});

Deno.test("eviction: without a policy nothing goes", () => {
  const bed = new Bed(1, "noeviction");
  for (let index = 0; index < 30; index++) bed.set(0, `k${index}`);
  assertEquals(bed.evict(1), false);
  assertEquals(bed.evicted, []);
});

Deno.test("eviction: what the tenacity leaves is done between turns", async () => {
  const bed = new Bed(5, "allkeys-lru");
  for (let index = 0; index < 1000; index++) bed.set(0, `k${index}`);
  bed.lookMs = 0.3;
  bed.settings.limit = bed.keyspace.arena.usedBytes / 2;
  bed.eviction.configure(bed.settings);
  assert(bed.eviction.makeRoom(), "the command may run");
  assertEquals(bed.evicted.length, 48, "0.5 ms are over at the third look at the clock");
  assert(bed.eviction.exceedingMs > 0);
  assert(bed.eviction.makeRoom());
  assertEquals(bed.evicted.length, 96);
  while (bed.keyspace.arena.usedBytes > bed.settings.limit) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert(bed.slices > 5);
  assertEquals(bed.eviction.exceedingMs, 0);
  assert(bed.eviction.exceededMs > 0);
  bed.eviction.resetStatistics();
  assertEquals(bed.eviction.exceededMs, 0);
});

Deno.test("eviction: the highest tenacity goes on until there is room", () => {
  const bed = new Bed(5, "allkeys-lru", 5, 100);
  for (let index = 0; index < 1000; index++) bed.set(0, `k${index}`);
  bed.lookMs = 10;
  bed.settings.limit = bed.keyspace.arena.usedBytes / 2;
  bed.eviction.configure(bed.settings);
  assert(bed.eviction.makeRoom());
  assert(bed.keyspace.arena.usedBytes <= bed.settings.limit);
});

Deno.test("eviction: memory that evicting itself takes doesn't lead to more of it", () => {
  const bed = new Bed(5, "allkeys-lru", 5, 100);
  for (let index = 0; index < 200; index++) bed.set(0, `k${index}`);
  bed.bytesPerEviction = 1000;
  bed.settings.limit = bed.keyspace.arena.usedBytes - 400;
  bed.eviction.configure(bed.settings);
  assert(bed.eviction.makeRoom());
  assert(bed.evicted.length > 5 && bed.evicted.length < 30, `${bed.evicted.length}`);
});

Deno.test("eviction: waits while it is paused", () => {
  const bed = new Bed(5, "allkeys-lru");
  for (let index = 0; index < 10; index++) bed.set(0, `k${index}`);
  bed.paused = true;
  assertEquals(bed.evict(1), false);
  bed.paused = false;
  assert(bed.evict(1));
});

Deno.test("eviction: an idle time that was set counts", () => {
  const bed = new Bed(5, "allkeys-lru", 64);
  for (let index = 0; index < 20; index++) bed.set(0, `k${index}`);
  setIdleSeconds(bed.keyspace, bed.find(bed.database(0), "k7"), 5000);
  assert(bed.evict(1));
  assertEquals(bed.evicted, ["0/k7"]);
});

Deno.test("eviction: how long it took is noted, if somebody wants to know", () => {
  const bed = new Bed(17, "allkeys-random");
  for (let key = 0; key < 100; key++) bed.set(0, `key:${key}`);
  bed.lookMs = 2;
  const limit = bed.keyspace.arena.usedBytes - 1;
  bed.eviction.configure({ ...bed.settings, limit });
  assertEquals(bed.eviction.makeRoom(), true);
  assertEquals(bed.slow, []);
  bed.latency.threshold = 1;
  bed.eviction.configure({ ...bed.settings, limit: bed.keyspace.arena.usedBytes - 1 });
  assertEquals(bed.eviction.makeRoom(), true);
  assertEquals(bed.slow.map(([name]) => name), ["eviction-cycle"]);
  assert(bed.slow[0][1] >= 2);
});
