import { assert, assertEquals } from "@std/assert";
import { ActiveExpiry } from "../../src/keyspace/active_expiry.ts";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { type Database, findEntry, Keyspace } from "../../src/keyspace/keyspace.ts";
import { EXPIRY_NONE, EXPIRY_SET, setString } from "../../src/keyspace/strings.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const START_MS = 1_700_000_000_000;
const encoder = new TextEncoder();

/** A keyspace with active expiry whose clock goes on by itself as it is looked at. */
class Bed {
  readonly keyspace: Keyspace;
  readonly expiry: ActiveExpiry;
  readonly sliceMs: number[] = [];
  nowMs = START_MS;
  lookMs = 0;
  paused = false;
  private elapsedMs = 0;

  constructor(seed: number, databases = 2) {
    const random = seededRandom(seed);
    this.keyspace = new Keyspace(databases, seed, 1, random);
    this.keyspace.setTime(this.nowMs);
    const isPaused = () => this.paused;
    this.expiry = new ActiveExpiry({
      keyspace: this.keyspace,
      clock: {
        now: () => this.nowMs,
        monotonic: () => this.elapsedMs += this.lookMs,
      },
      get expiryPaused(): boolean {
        return isPaused();
      },
      refreshTime: () => this.keyspace.setTime(this.nowMs),
      afterExpiry: (ms) => this.sliceMs.push(ms),
    }, random);
  }

  /** Stores `count` keys that expire at `expiryMs`, or never. */
  fill(database: Database, prefix: string, count: number, expiryMs: number | null): void {
    const { expiry } = this.keyspace;
    for (let index = 0; index < count; index++) {
      const key = encoder.encode(prefix + index);
      const view = new DataView(key.buffer);
      const old = findEntry(database, view, 0, key.length);
      expiry.high = Math.floor((expiryMs ?? 0) / 2 ** 32);
      expiry.low = (expiryMs ?? 0) | 0;
      if (expiryMs !== null) expiry.low = (expiryMs - expiry.high * 2 ** 32) | 0;
      const kind = expiryMs === null ? EXPIRY_NONE : EXPIRY_SET;
      setString(database, old, view, 0, key.length, view, 0, key.length, kind);
    }
  }

  /** Plays `count` cycles to their ends. */
  async cycles(count: number): Promise<void> {
    for (let cycle = 0; cycle < count; cycle++) {
      this.expiry.startCycle();
      do await new Promise((resolve) => setTimeout(resolve, 0)); while (this.expiry.running);
    }
  }
}

Deno.test("active expiry: removes all whose time has come, in all databases, and only those", async () => {
  const bed = new Bed(testSeed("active expiry"));
  const [first, second] = bed.keyspace.databases;
  for (const database of [first, second]) {
    bed.fill(database, "stays", 300, null);
    bed.fill(database, "long", 300, START_MS + 60_000);
    bed.fill(database, "just", 50, START_MS + 250);
    bed.fill(database, "short", 2000, START_MS + 249);
  }
  bed.nowMs += 250;
  await bed.cycles(3);
  assertEquals(
    [first.size, second.size],
    [650, 650],
    "a key is there in the ms in which it expires",
  );
  assertEquals([first.volatile.length, second.volatile.length], [350, 350]);
  assertEquals(bed.keyspace.counters.expired, 4000);
  checkKeyspace(bed.keyspace);
});

Deno.test("active expiry: one expired key of many is found in a known number of cycles", async () => {
  const bed = new Bed(testSeed("active expiry, one of many"));
  const [database] = bed.keyspace.databases;
  bed.fill(database, "long", 10_000, START_MS + 60_000);
  bed.fill(database, "short", 1, START_MS + 1);
  bed.fill(database, "later", 10_000, START_MS + 60_000);
  bed.nowMs += 2;
  await bed.cycles(21);
  assertEquals(bed.keyspace.counters.expired, 1);
});

Deno.test("active expiry: stays within its slices, and says so", async () => {
  const bed = new Bed(testSeed("active expiry, slices"));
  const [database] = bed.keyspace.databases;
  bed.fill(database, "short", 20_000, START_MS + 1);
  bed.nowMs += 2;
  // Each look at the clock takes this long, so that a slice has about five stretches.
  bed.lookMs = 0.2;
  await bed.cycles(1);
  assertEquals(bed.sliceMs.length, 25);
  assertEquals(bed.expiry.timeCapReached, 1);
  const afterOne = database.volatile.length;
  assert(
    afterOne > 20_000 - 25 * 7 * 32 && afterOne < 20_000 - 25 * 3 * 32,
    `${afterOne} are left`,
  );
  bed.expiry.effort = 10;
  await bed.cycles(1);
  assertEquals(bed.sliceMs.length, 25 + 43);
  while (bed.expiry.timeCapReached < 10 && database.size > 0) await bed.cycles(1);
  assertEquals(database.size, 0);
  checkKeyspace(bed.keyspace);
});

Deno.test("active expiry: leaves at most about a tenth of the volatile keys, wherever they lie", async () => {
  const bed = new Bed(testSeed("active expiry, share"));
  const [database] = bed.keyspace.databases;
  bed.fill(database, "long a", 20_000, START_MS + 60_000);
  bed.fill(database, "short", 20_000, START_MS + 1);
  bed.fill(database, "long b", 20_000, START_MS + 60_000);
  bed.nowMs += 2;
  await bed.cycles(20);
  const stale = database.volatile.length - 40_000;
  assert(stale < 0.2 * database.volatile.length, `${stale} expired keys are left`);
  assert(bed.expiry.stalePercent > 0);
});

Deno.test("active expiry: does nothing while it is paused", async () => {
  const bed = new Bed(3);
  const [database] = bed.keyspace.databases;
  bed.fill(database, "short", 20_000, START_MS + 1);
  bed.nowMs += 2;
  bed.paused = true;
  await bed.cycles(3);
  assertEquals(database.size, 20_000);
  bed.paused = false;
  bed.lookMs = 0.2;
  bed.expiry.startCycle();
  bed.paused = true;
  await bed.cycles(1);
  assertEquals(bed.sliceMs.length, 1, "slices that wait are dropped");
});

Deno.test("active expiry: the average time to live of those that have one", async () => {
  const bed = new Bed(5);
  const [database, other] = bed.keyspace.databases;
  bed.fill(database, "long", 100, START_MS + 60_000);
  bed.fill(database, "longer", 100, START_MS + 80_000);
  bed.fill(other, "stays", 100, null);
  await bed.cycles(1);
  assertEquals(Math.round(database.averageTtlMs), 70_000);
  assertEquals(other.averageTtlMs, 0);
  bed.nowMs += 100_000;
  await bed.cycles(1);
  assertEquals(database.size, 0);
  assertEquals(database.averageTtlMs, 0);
});
