/**
 * Active expiry: it looks for keys whose time has come and that nobody asks for.
 *
 * It bounds two things at once: the share of expired keys among the volatile ones, and the time that looking for
 * them takes. Ten times a second a cycle does two things for each database:
 *
 * **A round.** A thousand volatile keys are looked at, further along the index each time, so that every expired
 * key is found in the end, however rare they are: with a million volatile ones within 100 s.
 *
 * **A harvest.** Stretches of 32 keys are looked at. As long as more than about one in ten has expired, the
 * next stretch is looked at; else it goes on somewhere else in the index, at random, since keys
 * that expire together were often set together and lie together. After eight poor stretches in a row, few are left.
 * `active-expire-effort` makes it content later and gives it more time.
 *
 * **In slices.** After each stretch the time is looked at; a slice ends after 1 ms, and the clients have
 * their turn before the next. A cycle has 25 slices at most, a quarter of the time. So a million
 * keys that expire at once cost no one more than 1 ms.
 *
 * **Misses of the cache overlap.** A key that goes needs its place in the index, its entry and its bucket, each a
 * wait for memory. So a stretch is walked three times: once for the expiries (and hashes of those that
 * are over), once for the buckets, and once to remove. It is walked downwards: the last entry of the
 * index takes the place of one that goes, and that one has been looked at, or is the very one.
 *
 * @module
 */
import { dictHashEntry, dictReadAhead } from "../memory/dict.ts";
import { afterSockets, type Clock } from "../runtime/clock.ts";
import { expiryOf } from "./entry_facts.ts";
import { type Database, type Keyspace, removeExpired } from "./keyspace.ts";

const STRETCH = 32;
const ROUND_STRETCHES = 32;
const POOR_STRETCHES = 8;
const SLICE_MS = 1;
/** Slices in a cycle with the least effort, and more for each step of it. */
const SLICES = 25;
const SLICES_PER_EFFORT = 2;
/** Per cent of a stretch that may have expired, with the least effort; one less for each step. */
const STALE_PERCENT = 10;
/** How much of the averages is old. */
const STALE_MEMORY = 0.95;
const TTL_MEMORY = 49 / 50;

/** What active expiry needs of its server. */
export interface ExpiryHost {
  /** Databases. */
  readonly keyspace: Keyspace;
  /** Time. */
  readonly clock: Clock;
  /** Whether no key may go now: clients are paused, or the server stops. */
  readonly expiryPaused: boolean;
  /** Sets the keyspace's time to now, for a slice between two turns. */
  refreshTime(): void;
  /** A slice that took so long has ended. */
  afterExpiry(elapsedMs: number): void;
}

/** Removes the expired keys of one server; see the head of this file. */
export class ActiveExpiry {
  /** `active-expire-effort`, from 1 to 10. */
  effort = 1;
  /** Whether a cycle is under way. */
  running = false;
  /** How many per cent of the volatile keys had expired, on average over the last cycles. */
  stalePercent = 0;
  /** How many cycles ended before they were done. */
  timeCapReached = 0;
  /** Time that cycles have taken in all. */
  elapsedMs = 0;

  private slicesLeft = 0;
  private looked = 0;
  private found = 0;
  private ttlSum = 0;
  private ttlCount = 0;

  /** The database that is worked on, and how many are left with it. */
  private current = 0;
  private databasesLeft = 0;
  private roundLeft = 0;
  private poorLeft = 0;
  /** Where the round goes on in the index of each database, */
  private readonly roundAt = new Map<Database, number>();
  /** and the harvest in that of the current one; -1 for somewhere else. */
  private harvestAt: number = -1;

  private readonly entries = new Int32Array(STRETCH);
  private readonly hashes = new Int32Array(STRETCH);
  private readonly buckets = new Int32Array(STRETCH);
  private readonly candidates = new Int32Array(STRETCH);
  /** Takes what was read ahead, so that reading it isn't idle. */
  sink = 0;

  /** Makes the active expiry of `host`; `random` gives numbers from 0 up to 1. */
  constructor(private readonly host: ExpiryHost, private readonly random: () => number) {}

  /** Starts a cycle, unless the last one is still under way. */
  startCycle(): void {
    if (this.running || this.host.expiryPaused) return;
    this.running = true;
    this.slicesLeft = SLICES + SLICES_PER_EFFORT * (this.effort - 1);
    this.looked = 0;
    this.found = 0;
    this.databasesLeft = this.host.keyspace.databases.length;
    this.enterDatabase();
    this.slice();
  }

  /** Looks at `count` volatile keys of `database`, from `position` downwards; how many had expired. */
  expireStretch(database: Database, position: number, count: number): number {
    const { keyspace } = this.host;
    const { arena } = keyspace;
    const { entries, hashes } = this;
    let stale = 0;
    for (let index = 0; index < count; index++) {
      const entry = database.volatile.at(position - index);
      const left = expiryOf(keyspace, entry) - keyspace.now;
      if (left >= 0) {
        this.ttlSum += left;
        this.ttlCount++;
      } else {
        entries[stale] = entry;
        hashes[stale++] = dictHashEntry(arena, database.dict, entry);
      }
    }
    if (stale > 1) {
      this.sink = dictReadAhead(
        arena,
        database.dict,
        hashes,
        0,
        stale,
        this.buckets,
        this.candidates,
      );
    }
    for (let index = 0; index < stale; index++) {
      removeExpired(database, hashes[index], entries[index]);
    }
    this.looked += count;
    this.found += stale;
    return stale;
  }

  /** Sets what is counted to zero. */
  resetStatistics(): void {
    this.stalePercent = 0;
    this.timeCapReached = 0;
    this.elapsedMs = 0;
  }

  /** Works for a slice of time, and has the next one follow. */
  private slice(): void {
    const { clock } = this.host;
    const start = clock.monotonic();
    this.host.refreshTime();
    const done = this.work(start + SLICE_MS);
    const elapsed = clock.monotonic() - start;
    this.elapsedMs += elapsed;
    this.host.afterExpiry(elapsed);
    if (done || --this.slicesLeft === 0) {
      if (!done) this.timeCapReached++;
      this.endCycle();
    } else {
      afterSockets(() => {
        if (this.host.expiryPaused) this.endCycle();
        else this.slice();
      });
    }
  }

  /** A cycle has ended. */
  private endCycle(): void {
    this.running = false;
    const percent = this.looked === 0 ? 0 : this.found / this.looked * 100;
    this.stalePercent = percent * (1 - STALE_MEMORY) + this.stalePercent * STALE_MEMORY;
  }

  /** Works until `stopMs` by the monotonic clock; whether all databases are done. */
  private work(stopMs: number): boolean {
    const { databases } = this.host.keyspace;
    const stalePercent = STALE_PERCENT - (this.effort - 1);
    for (;;) {
      const database = databases[this.current];
      while (database.volatile.length > 0 && (this.roundLeft > 0 || this.poorLeft > 0)) {
        if (this.roundLeft > 0) this.goRound(database);
        else this.harvest(database, stalePercent);
        if (this.host.clock.monotonic() >= stopMs) return false;
      }
      this.noteTtl(database);
      this.current = (this.current + 1) % databases.length;
      if (--this.databasesLeft === 0) return true;
      this.enterDatabase();
    }
  }

  /** Gets ready for the current database. */
  private enterDatabase(): void {
    const { length } = this.host.keyspace.databases[this.current].volatile;
    this.roundLeft = Math.min(ROUND_STRETCHES, Math.ceil(length / STRETCH));
    this.poorLeft = this.roundLeft < ROUND_STRETCHES ? 0 : POOR_STRETCHES;
    // The end comes first: keys that go from there leave no hole to be filled.
    this.harvestAt = length - 1;
  }

  /** Looks at the next stretch of the round. */
  private goRound(database: Database): void {
    const last = database.volatile.length - 1;
    const before = this.roundAt.get(database) ?? -1;
    const position = before < 0 || before > last ? last : before;
    const count = Math.min(STRETCH, position + 1);
    this.expireStretch(database, position, count);
    this.roundAt.set(database, position - count);
    this.roundLeft--;
  }

  /** Looks at the next stretch of the harvest. */
  private harvest(database: Database, stalePercent: number): void {
    const { length } = database.volatile;
    if (this.harvestAt < 0 || this.harvestAt >= length) {
      this.harvestAt = Math.floor(this.random() * length);
    }
    const count = Math.min(STRETCH, this.harvestAt + 1);
    const stale = this.expireStretch(database, this.harvestAt, count);
    if (stale * 100 > count * stalePercent) {
      this.poorLeft = POOR_STRETCHES;
      this.harvestAt -= count;
    } else {
      this.poorLeft--;
      this.harvestAt = -1;
    }
  }

  /** Brings the average time to live of `database` up to date. */
  private noteTtl(database: Database): void {
    if (database.volatile.length === 0) database.averageTtlMs = 0;
    else if (this.ttlCount > 0) {
      const seen = this.ttlSum / this.ttlCount;
      const before = database.averageTtlMs === 0 ? seen : database.averageTtlMs;
      database.averageTtlMs = before * TTL_MEMORY + seen * (1 - TTL_MEMORY);
    }
    this.ttlSum = 0;
    this.ttlCount = 0;
  }
}
