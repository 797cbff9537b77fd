/**
 * How many of each writer's operations a server has promised to keep, whatever happens next.
 *
 * **`appendfsync always`**: all that somebody has seen, from the moment that he saw it. **`everysec`**: what somebody saw a second
 * ago. **`no`**: nothing. A process that is killed while the machine goes on loses less: with each policy what was seen a second
 * ago is with the system by then. A writer's operations come in order, so that a promise for one of them is
 * a promise for all before it.
 *
 * The promises of snapshots are others: what had been seen when the last one began that succeeded.
 *
 * @module
 */
import type { SnapshotJob } from "../../src/persistence/snapshot_engine.ts";
import type { Server } from "../../src/server/mod.ts";
import type { Writer } from "./writer.ts";

/** With `everysec`, what is older than this is kept. */
const KEPT_AFTER_MS = 1000;

/** What a server does to keep what it is sent. */
interface Mode {
  /** The append-only file is on, and nothing is known to be wrong with it. */
  readonly on: boolean;
  readonly policy: string;
}

/** So many operations had been seen at some time. */
interface Sighting {
  readonly ms: number;
  readonly count: number;
}

/** What was promised to one writer, as numbers of operations. */
interface Promised {
  readonly writer: Writer;
  /** The append-only file has them, and outlives a power cut; */
  synced: number;
  /** or at least the end of the process. */
  written: number;
  /** The snapshot has them. */
  saved: number;
  /** What is getting older, for each of the first two. */
  toSync: Sighting[];
  toWrite: Sighting[];
}

/** The promises of one server; see the head of this file. */
export class Promises {
  /** Whether the append-only file has what was promised, and not only what was there before. */
  fileIsCurrent = false;
  /** Likewise the snapshot. */
  snapshotIsCurrent = false;
  private readonly all: Promised[];
  private mode: Mode = { on: false, policy: "no" };
  private onSinceMs = Infinity;
  private syncsSinceMs = Infinity;
  private snapshots = 0;
  /** What had been seen before the last turn, */
  private before: readonly number[];
  /** and before the snapshot under way was begun. */
  private beforeSnapshot: readonly number[];
  private job: SnapshotJob | null = null;

  /** Nothing has been promised to `writers` yet. */
  constructor(writers: readonly Writer[]) {
    this.all = writers.map((writer) => ({
      writer,
      synced: 0,
      written: 0,
      saved: 0,
      toSync: [],
      toWrite: [],
    }));
    this.before = writers.map(() => 0);
    this.beforeSnapshot = this.before;
  }

  /** What is kept of a writer's operations. */
  kept(writer: Writer, by: "synced" | "written" | "saved"): number {
    return this.all.find((one) => one.writer === writer)![by];
  }

  /** All that writers have sent is on the disk. */
  keepAll(): void {
    for (const one of this.all) one.synced = one.written = one.writer.operations.length;
  }

  /** Nobody has anything to lose: the server has just been looked at, and loaded what it has from `source`. */
  restart(source: "file" | "snapshot"): void {
    for (const one of this.all) {
      Object.assign(one, { synced: 0, written: 0, saved: 0, toSync: [], toWrite: [] });
    }
    this.fileIsCurrent = source === "file";
    this.snapshotIsCurrent = source === "snapshot";
    this.before = this.all.map(() => 0);
  }

  /** Another server is going to start. */
  forgetServer(): void {
    this.mode = { on: false, policy: "no" };
    this.onSinceMs = Infinity;
    this.syncsSinceMs = Infinity;
    this.snapshots = 0;
    this.job = null;
  }

  /** A turn is over: what was seen in it is promised, as far as it is. */
  afterTurn(server: Server, nowMs: number): void {
    const { aof } = server.persistence;
    const was = this.mode;
    const on = aof.state === "on" && aof.refusal === null;
    const mode = { on, policy: aof.settings.policy };
    this.mode = mode;
    if (!mode.on) this.onSinceMs = Infinity;
    else this.onSinceMs = Math.min(this.onSinceMs, nowMs);
    if (!mode.on || mode.policy === "no") this.syncsSinceMs = Infinity;
    else this.syncsSinceMs = Math.min(this.syncsSinceMs, nowMs);
    if (mode.on) this.fileIsCurrent = true;
    // What was done before it was turned off is on the disk.
    const wasTurnedOff = was.on && aof.state === "off";
    const waited = [was, mode].every((one) => one.on && one.policy === "always");
    for (const [index, one] of this.all.entries()) {
      const { writer } = one;
      if (waited) one.synced = Math.max(one.synced, writer.witnessedNow);
      if (wasTurnedOff) one.synced = Math.max(one.synced, this.before[index]);
      one.synced = this.age(one.toSync, one.synced, writer.witnessed, nowMs, this.syncsSinceMs);
      one.written = this.age(one.toWrite, one.written, writer.witnessed, nowMs, this.onSinceMs);
      one.written = Math.max(one.written, one.synced);
      writer.witnessedNow = 0;
    }
    this.noteSnapshot(server);
    this.before = this.all.map(({ writer }) => writer.witnessed);
  }

  /** The server ends in order, and has kept what had been seen before. */
  ended(): void {
    if (!this.mode.on) return;
    for (const [index, one] of this.all.entries()) {
      one.synced = Math.max(one.synced, this.before[index]);
    }
  }

  /** How many operations are kept since they were seen long enough ago. */
  private age(
    sightings: Sighting[],
    kept: number,
    seen: number,
    nowMs: number,
    sinceMs: number,
  ): number {
    if (seen > (sightings.at(-1)?.count ?? kept)) sightings.push({ ms: nowMs, count: seen });
    let count = kept;
    while (
      sightings.length > 0 && nowMs - Math.max(sightings[0].ms, sinceMs) >= KEPT_AFTER_MS
    ) count = Math.max(count, sightings.shift()!.count);
    return count;
  }

  private noteSnapshot({ persistence: { snapshots } }: Server): void {
    const { job } = snapshots;
    if (snapshots.count > this.snapshots) {
      this.snapshots = snapshots.count;
      // DEBUG RELOAD may write one while another is under way, which is older and will replace it.
      const saved = job === this.job && job === null ? this.before : this.beforeSnapshot;
      for (const [index, one] of this.all.entries()) one.saved = saved[index];
      this.snapshotIsCurrent = true;
    }
    if (job === this.job) return;
    this.job = job;
    this.beforeSnapshot = this.before;
  }
}
