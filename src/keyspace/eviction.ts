/**
 * Eviction: which keys go when `maxmemory` is reached.
 *
 * **Approximate, with a memory.** To know which key was idle for longest, all keys would have to be in order of
 * their use, and each access would move one. Instead a few keys are looked at for each that has to go
 * (`maxmemory-samples`), and the best candidates of earlier looks stay in a pool of 16: so the key that goes is
 * the best of many looks, not of one. With 5 samples that comes close to true LRU.
 *
 * **The pool** is sorted by score, best last. A candidate is an address with the hash of its key, and both may
 * have become wrong since: the key may be gone, another entry may be at its address, or the key may have been
 * used. So when its turn comes, it is looked up in the dict by both (which doesn't touch the entry), and has
 * to have its score still; what was used meanwhile isn't evicted. An entry that was put at the very address and
 * has the very hash is as good a candidate, since its score is looked at, too.
 *
 * **In slices.** Before each command, keys go until there is room or a time is up that
 * `maxmemory-eviction-tenacity` gives; what is left to do is done between the turns of the clients, who
 * meanwhile may go on: the limit is passed for a moment, rather than everybody kept waiting.
 *
 * **Cost.** While there is room: a comparison. A key that goes: one miss of the cache for a bucket, one
 * for each sample (they overlap), and its removal.
 *
 * @module
 */
import { dictHas, dictHashEntry, dictSample, SAMPLE_SPARE } from "../memory/dict.ts";
import { afterSockets, type Clock } from "../runtime/clock.ts";
import { HIGHEST_FREQUENCY, idleSeconds, useFrequency } from "./access_clock.ts";
import { expiryOf, hasExpiry } from "./entry_facts.ts";
import { freeDetached } from "./flushing.ts";
import { type Database, type Keyspace, removeEvicted } from "./keyspace.ts";

/** The values of `maxmemory-policy`. */
export const EVICTION_POLICIES = [
  "volatile-lru",
  "volatile-lfu",
  "volatile-random",
  "volatile-ttl",
  "allkeys-lru",
  "allkeys-lfu",
  "allkeys-random",
  "noeviction",
] as const;

/** A value of `maxmemory-policy`. */
export type EvictionPolicy = typeof EVICTION_POLICIES[number];

/** Settings of eviction. */
export interface EvictionSettings {
  /** `maxmemory` in bytes; 0 for no limit. */
  readonly limit: number;
  /** `maxmemory-policy`. */
  readonly policy: EvictionPolicy;
  /** `maxmemory-samples`. */
  readonly samples: number;
  /** `maxmemory-eviction-tenacity`. */
  readonly tenacity: number;
}

/** Where it is noted what kept a server busy. */
export interface EvictionEvents {
  /** From so many ms on an event is noted; 0 if none is. */
  readonly threshold: number;
  /** Notes an event that took so long. */
  add(name: string, milliseconds: number): void;
}

/** What eviction needs of its server. */
export interface EvictionHost {
  /** Databases. */
  readonly keyspace: Keyspace;
  /** Time. */
  readonly clock: Clock;
  /** Bytes that count against the limit; asked for each command. */
  readonly countedMemory: number;
  /** Whether no key may go now: clients are paused, or the server stops. */
  readonly evictionPaused: boolean;
  /** Takes note of what takes long. @default nobody does */
  readonly latency?: EvictionEvents;
  /** Sets the keyspace's time to now, for a slice between two turns. */
  refreshTime(): void;
  /** A slice between two turns has ended. */
  afterEviction(): void;
}

const POOL_LENGTH = 16;
/** The time is looked at each time so many keys have gone. */
const KEYS_PER_CLOCK = 16;
/** Leaves and buckets of collections that are freed in one step. */
const FREED_PER_STEP = 64;
/** More samples than this for one key don't make a better choice. */
const SAMPLE_LIMIT = 1024;
/** Tenacity up to 10 means steps of so many ms; */
const TENACITY_STEP_MS = 0.05;
const TENACITY_STEPS = 10;
/** each step beyond multiplies the time by this; */
const TENACITY_GROWTH = 1.15;
/** and the last one gives all the time that it takes. */
const TENACITY_UNLIMITED = 100;
/** How long a slice between two turns is at least. */
const BACKGROUND_MS = 2;

/** How candidates are compared: each score is higher for a key that should go sooner. */
type Score = (keyspace: Keyspace, entry: number) => number;

/** Evicts keys of one server; see the head of this file. */
export class Eviction {
  /** `maxmemory` in bytes; 0 for no limit. */
  limit = 0;
  /** How many ms the memory was over the limit, in times that are over. */
  exceededMs = 0;
  private score: Score | null = null;
  private policy: EvictionPolicy = "noeviction";
  private onlyVolatile = false;
  private samples = 0;
  private sliceMs = 0;
  /** When the memory was found to be over the limit, by the monotonic clock; -1 if it isn't. */
  private exceededSince: number = -1;
  /** Whether a slice waits for its turn. */
  private waiting = false;
  /** Number of the database that random policies take from next. */
  private nextDatabase = 0;

  private pooled = 0;
  private readonly scores = new Float64Array(POOL_LENGTH);
  private readonly entries = new Int32Array(POOL_LENGTH);
  private readonly hashes = new Int32Array(POOL_LENGTH);
  private readonly databases: (Database | null)[] = new Array(POOL_LENGTH).fill(null);
  private sampled = new Int32Array(SAMPLE_SPARE);
  private sampledScores = new Float64Array(0);

  /** Makes the eviction of `host`; `random` gives numbers from 0 up to 1. */
  constructor(private readonly host: EvictionHost, private readonly random: () => number) {}

  /** Takes new settings. */
  configure(settings: EvictionSettings): void {
    const { policy, tenacity } = settings;
    this.limit = settings.limit;
    this.samples = Math.min(settings.samples, SAMPLE_LIMIT);
    this.sampled = new Int32Array(this.samples + SAMPLE_SPARE);
    this.sampledScores = new Float64Array(this.samples);
    this.sliceMs = tenacity >= TENACITY_UNLIMITED
      ? Infinity
      : Math.min(tenacity, TENACITY_STEPS) * TENACITY_STEP_MS *
        TENACITY_GROWTH ** Math.max(0, tenacity - TENACITY_STEPS);
    if (policy !== this.policy) {
      this.policy = policy;
      this.onlyVolatile = policy.startsWith("volatile-");
      this.score = SCORES[policy];
      const counts = policy.endsWith("-lfu");
      if (counts !== this.host.keyspace.countsUses) this.host.keyspace.countUses(counts);
      this.clearPool();
    }
    if (this.limit === 0) this.settle();
  }

  /** For how many ms the memory has been over the limit, if it is now. */
  get exceedingMs(): number {
    return this.exceededSince < 0 ? 0 : this.host.clock.monotonic() - this.exceededSince;
  }

  /** Evicts for a while if there is need. False if there is no room and nothing that could go. */
  makeRoom(): boolean {
    if (this.host.countedMemory <= this.limit) {
      if (this.exceededSince >= 0) this.settle();
      return true;
    }
    return this.evict(this.sliceMs);
  }

  /** Has keys evicted between the turns of the clients until there is room. */
  evictLater(): void {
    if (this.waiting) return;
    this.waiting = true;
    afterSockets(() => {
      this.waiting = false;
      if (this.limit === 0 || this.host.evictionPaused) return;
      this.host.refreshTime();
      if (this.host.countedMemory > this.limit) this.evict(Math.max(this.sliceMs, BACKGROUND_MS));
      this.host.afterEviction();
    });
  }

  /** Forgets when keys were evicted and for how long there was no room. */
  resetStatistics(): void {
    this.exceededMs = 0;
    if (this.exceededSince >= 0) this.exceededSince = this.host.clock.monotonic();
  }

  /** Evicts until there is room or `sliceMs` are over; false if there is no room and nothing to evict. */
  private evict(sliceMs: number): boolean {
    const { clock, latency } = this.host;
    if (latency === undefined || latency.threshold === 0) return this.evictFor(sliceMs);
    const start = clock.monotonic();
    const result = this.evictFor(sliceMs);
    latency.add("eviction-cycle", clock.monotonic() - start);
    return result;
  }

  /** As {@linkcode evict}, without measuring. */
  private evictFor(sliceMs: number): boolean {
    const { host, host: { keyspace } } = this;
    const mayEvict = this.policy !== "noeviction" && !host.evictionPaused;
    // What evicting itself brings about (clients are told that a key has changed) must not lead to more of it.
    const goal = keyspace.dataBytes - (host.countedMemory - this.limit);
    let start = -1;
    for (let steps = 1;; steps++) {
      // What has gone already may not be freed yet.
      if (keyspace.dying.length > 0) keyspace.freeDying(FREED_PER_STEP);
      else if (keyspace.detached.length > 0) freeDetached(keyspace, FREED_PER_STEP);
      else if (!mayEvict || !this.evictOne()) return this.exceed(false);
      if (keyspace.dataBytes <= goal) {
        this.settle();
        return true;
      }
      if (steps % KEYS_PER_CLOCK !== 0) continue;
      const now = host.clock.monotonic();
      if (start < 0) start = now;
      if (now - start >= sliceMs) {
        this.evictLater();
        return this.exceed(true);
      }
    }
  }

  /** Notes that there is no room; returns `result`. */
  private exceed(result: boolean): boolean {
    if (this.exceededSince < 0) this.exceededSince = this.host.clock.monotonic();
    return result;
  }

  /** Notes that there is room again. */
  private settle(): void {
    if (this.exceededSince < 0) return;
    this.exceededMs += this.host.clock.monotonic() - this.exceededSince;
    this.exceededSince = -1;
  }

  /** Removes one key; false if there is none that may go. */
  private evictOne(): boolean {
    return this.score === null ? this.evictAny() : this.evictBest(this.score);
  }

  /** Removes the key that `score` rates highest of those that are known. */
  private evictBest(score: Score): boolean {
    const { keyspace } = this.host;
    for (;;) {
      let candidates = false;
      for (const database of keyspace.databases) {
        if (this.fillPool(database, score)) candidates = true;
      }
      if (!candidates) return false;
      while (this.pooled > 0) {
        const place = --this.pooled;
        const entry = this.entries[place];
        const hash = this.hashes[place];
        const database = this.databases[place]!;
        if (!dictHas(keyspace.arena, database.dict, hash, entry)) continue;
        if (this.onlyVolatile && !hasExpiry(keyspace, entry)) continue;
        if (score(keyspace, entry) < this.scores[place]) continue;
        removeEvicted(database, hash, entry);
        return true;
      }
    }
  }

  /** Removes a key at random, from the databases in turn. */
  private evictAny(): boolean {
    const { keyspace } = this.host;
    for (let tries = 0; tries < keyspace.databases.length; tries++) {
      const database = keyspace.databases[this.nextDatabase];
      this.nextDatabase = (this.nextDatabase + 1) % keyspace.databases.length;
      if (this.sample(database, 1) === 0) continue;
      const entry = this.sampled[0];
      removeEvicted(database, dictHashEntry(keyspace.arena, database.dict, entry), entry);
      return true;
    }
    return false;
  }

  /** Puts some entries of `database` that may go into {@linkcode sampled}, and returns how many. */
  private sample(database: Database, count: number): number {
    if (!this.onlyVolatile) {
      const { arena } = this.host.keyspace;
      return dictSample(arena, database.dict, count, this.random, this.sampled);
    }
    const { length } = database.volatile;
    if (length === 0) return 0;
    for (let index = 0; index < count; index++) {
      this.sampled[index] = database.volatile.at(Math.floor(this.random() * length));
    }
    return count;
  }

  /** Looks at some entries of `database`; false if it has none that may go. */
  private fillPool(database: Database, score: Score): boolean {
    const { keyspace } = this.host;
    const count = this.sample(database, this.samples);
    // Nothing but reading goes on here, so that the waits for memory overlap.
    for (let index = 0; index < count; index++) {
      this.sampledScores[index] = score(keyspace, this.sampled[index]);
    }
    for (let index = 0; index < count; index++) {
      const entry = this.sampled[index];
      const points = this.sampledScores[index];
      if (this.pooled === POOL_LENGTH && points <= this.scores[0]) continue;
      if (this.isPooled(entry)) continue;
      this.addToPool(database, entry, points);
    }
    return count > 0;
  }

  /** Whether `entry` is a candidate already. */
  private isPooled(entry: number): boolean {
    for (let place = 0; place < this.pooled; place++) {
      if (this.entries[place] === entry) return true;
    }
    return false;
  }

  /** Makes `entry` a candidate, in its place by score. */
  private addToPool(database: Database, entry: number, points: number): void {
    const { scores, entries, hashes, databases } = this;
    let place: number;
    if (this.pooled < POOL_LENGTH) {
      place = this.pooled++;
      for (; place > 0 && scores[place - 1] > points; place--) this.move(place - 1, place);
    } else {
      // The worst one goes.
      place = 0;
      for (; place + 1 < POOL_LENGTH && scores[place + 1] < points; place++) {
        this.move(place + 1, place);
      }
    }
    scores[place] = points;
    entries[place] = entry;
    hashes[place] = dictHashEntry(this.host.keyspace.arena, database.dict, entry);
    databases[place] = database;
  }

  /** Copies the candidate at `from` to `to`. */
  private move(from: number, to: number): void {
    this.scores[to] = this.scores[from];
    this.entries[to] = this.entries[from];
    this.hashes[to] = this.hashes[from];
    this.databases[to] = this.databases[from];
  }

  /** Forgets the candidates. */
  private clearPool(): void {
    this.pooled = 0;
    this.databases.fill(null);
  }
}

/** When the key was used last, the earlier the higher: unlike the idle time, it stays as it is. */
function scoreByIdleTime(keyspace: Keyspace, entry: number): number {
  return idleSeconds(keyspace, entry) - Math.floor(keyspace.now / 1000);
}

function scoreByUses(keyspace: Keyspace, entry: number): number {
  return HIGHEST_FREQUENCY - useFrequency(keyspace, entry);
}

/** A key that expires sooner goes sooner. */
function scoreByExpiry(keyspace: Keyspace, entry: number): number {
  return -expiryOf(keyspace, entry);
}

const SCORES: Readonly<Record<EvictionPolicy, Score | null>> = {
  "volatile-lru": scoreByIdleTime,
  "volatile-lfu": scoreByUses,
  "volatile-random": null,
  "volatile-ttl": scoreByExpiry,
  "allkeys-lru": scoreByIdleTime,
  "allkeys-lfu": scoreByUses,
  "allkeys-random": null,
  noeviction: null,
};
