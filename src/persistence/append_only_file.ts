/**
 * The append-only file: each change, as soon as it has happened, in files that give all of them back.
 *
 * ```text
 * journal -> buffer -> (write, before replies leave) -> increment -> (sync, beside the event loop) -> disk
 * ```
 *
 * **Files.** A base with the data of some moment, and increments with what has changed since (see
 * `aof_manifest.ts`). A rewrite makes a new base of a snapshot; from that moment on, changes go to a new increment. No byte
 * of it is written before all of the increment before it is on the disk, so that a power cut never takes something from the middle.
 *
 * **Offsets** are those of the journal. What stands before `written` is in a file and outlives the process; what stands
 * before `durable` outlives a power cut. With `appendfsync always` replies wait for that (`OutputGate`): while one sync
 * runs, all that is said meanwhile gathers for the next.
 *
 * **What goes wrong.** With `always`, the server ends: it can't take back what it said. Otherwise changes are refused
 * until it is mended. A write that failed is tried again. A sync that failed isn't: the system may have dropped what it
 * couldn't write, and say afterwards that all is well. The data is in memory, so it is rewritten to new files
 * instead.
 *
 * @module
 */
import type { Journal } from "../keyspace/journal.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { ByteAccumulator } from "../protocol/byte_accumulator.ts";
import { type Files, folderOf, type OutputFile, systemReason } from "../runtime/files.ts";
import type { LogLevel } from "../runtime/logging.ts";
import {
  type AofManifest,
  temporaryIncrementName,
  withNewBase,
  withNewIncrement,
  withRewrittenIncrements,
} from "./aof_manifest.ts";
import type { SnapshotFacts, SnapshotForm } from "./rdb_file_writer.ts";
import type { SnapshotEngine, SnapshotJob } from "./snapshot_engine.ts";
import { AofFiles } from "./aof_files.ts";
import { writeCommands } from "./aof_commands.ts";
import { type PacingHost, SyncPacing } from "./sync_pacing.ts";
import { removeQuietly, writeAll, writeKeyspace, writeLasting } from "./snapshot_file.ts";

/** With `everysec`, a sync begins when the last one began so long ago: half a second leaves as much for it to take. */
const SYNC_INTERVAL_MS = 500;
/** While a sync runs, writes wait for it, but not longer than this: the system may have a write wait for the sync to end. */
const POSTPONE_MS = 200;
/** What failed is tried again after so long. */
const RETRY_MS = 1000;
/** After so many rewrites that failed in a row, the next one waits, longer and longer: minutes by number of failures. */
const FAILURES_BEFORE_WAITING = 3;
const LONGEST_WAIT_MINUTES = 60;
const MINUTE_MS = 60_000;

/** When what was appended is made to last. */
export type SyncPolicy = "always" | "everysec" | "no";

/** The settings of the append-only file. */
export interface AofSettings {
  /** `appendfsync`. */
  policy: SyncPolicy;
  /** `appenddirname`, as a whole path. */
  folder: string;
  /** `appendfilename`. */
  name: string;
  /** The file that a new base is written to. */
  temporary: string;
  /** `aof-use-rdb-preamble`. */
  asSnapshot: boolean;
  /** `no-appendfsync-on-rewrite`. */
  pausesSync: boolean;
  /** `auto-aof-rewrite-percentage`. */
  growthPercentage: number;
  /** `auto-aof-rewrite-min-size`. */
  leastBytes: number;
  /** `aof-rewrite-incremental-fsync`. */
  syncsInSteps: boolean;
  /** `aof-disable-auto-gc`. */
  keepsHistory: boolean;
  /** `aof-timestamp-enabled`. */
  timestamps: boolean;
  /** `rdb-key-save-delay`. */
  keyDelay: number;
}

/** What an append-only file needs of its server. */
export interface AofHost extends PacingHost {
  /** The data. */
  readonly keyspace: Keyspace;
  /** Changes. */
  readonly journal: Journal;
  /** Files. */
  readonly files: Files;
  /** Writes a new base beside the server. */
  readonly engine: SnapshotEngine;
  /** Whether a snapshot is being written: only one writes at a time. */
  readonly saving: boolean;
  /** Whether changes are being handed over in the turns of a round, which ends with {@linkcode AppendOnlyFile.flush}. */
  readonly inRound: boolean;
  /** Whether commands of a transaction are being run. */
  readonly inTransaction: boolean;
  /** Unix time in ms. */
  now(): number;
  /** Lets so many microseconds pass, while everybody waits. */
  pause(microseconds: number): void;
  /** Writes a line of the log. */
  log(level: LogLevel, line: string): void;
  /** The form of a base. */
  snapshotForm(): SnapshotForm;
  /** What a base says besides keys. */
  snapshotFacts(aofBase: boolean): SnapshotFacts;
  /** A rewrite has been begun beside the server. */
  begun(): void;
  /** Everything before this offset of the journal is on the disk. */
  becameDurable(offset: number): void;
  /** It is on now, or off. */
  aofChanged(): void;
  /** The server can't keep what it has promised: it ends. */
  fail(line: string): void;
}

/** How far it is from being on. */
export type AofState = "off" | "waiting" | "on";

/** The append-only file of one server; see the head of this file. */
export class AppendOnlyFile {
  /** Settings. */
  readonly settings: AofSettings = {
    policy: "everysec",
    folder: "appendonlydir",
    name: "appendonly.aof",
    temporary: "temp-rewriteaof.aof",
    asSnapshot: true,
    pausesSync: false,
    growthPercentage: 100,
    leastBytes: 0,
    syncsInSteps: true,
    keepsHistory: false,
    timestamps: false,
    keyDelay: 0,
  };
  /** Whether changes are kept; `waiting` for the first base. */
  state: AofState = "off";
  /** Offset of the journal before which everything is on the disk. */
  durable = 0;
  /** Bytes of all files that make it up, */
  currentSize = 0;
  /** and what they were when it was last rewritten, or loaded. */
  baseSize = 0;
  /** A rewrite is to be begun as soon as nothing else is written. */
  scheduled = false;
  /** Unix time in ms when the rewrite under way was begun, or -1. */
  rewriteStartedMs: number = -1;
  /** Seconds that the last one took, or -1. */
  lastRewriteSeconds: number = -1;
  /** Whether the last one failed. */
  rewriteFailed = false;
  /** How many failed in a row. */
  failures = 0;
  /** How many have been begun. */
  rewrites = 0;
  /** Bytes of memory that the last one took beside the data. */
  lastExtraBytes = 0;
  /** How often a write didn't wait for a sync any longer. */
  delayedSyncs = 0;
  /** For tests (`DEBUG AOF-FLUSH-SLEEP`): microseconds that pass before each write. */
  flushDelay = 0;
  /** Why the last write failed; null if it didn't. */
  writeError: string | null = null;
  /** Why the last sync failed; null if the files are sound. */
  syncError: string | null = null;
  /** The snapshot that is to be the new base. */
  job: SnapshotJob | null = null;
  /** Its files. */
  private readonly parts: AofFiles;
  private file: OutputFile | null = null;
  private readonly buffer = new ByteAccumulator();
  /** Offset of the journal before which everything is in a file. */
  private written = 0;
  private syncing = false;
  private readonly pacing: SyncPacing;
  private readonly syncNow = (): void => {
    if (this.durable < this.written && !this.syncing && !this.holding) this.startSync();
  };
  /** Between two increments: nothing is written. */
  private holding = false;
  private syncStartedMs = 0;
  private postponedMs = -1;
  private retryMs = 0;
  /** The second that the last timestamp names. */
  private stampedSecond = 0;
  /** Counts what is under way and may be overtaken: turning it off ends a rewrite. */
  private generation = 0;
  private nextTryMs = 0;
  /** The file that the new base is being written to. */
  private temporary = "";
  /** Whether the log knows that this is a while. */
  private limitNoted = false;
  /** Has the snapshot under way fail. */
  private failSnapshot: (reason: string) => void = () => {};
  private readonly listener = (bytes: Uint8Array): void => this.append(bytes);

  /** The append-only file of `host`. */
  constructor(private readonly host: AofHost) {
    this.pacing = new SyncPacing(host);
    this.parts = new AofFiles(host, this.settings);
  }

  /** Whether a rewrite is under way. */
  get rewriting(): boolean {
    return this.rewriteStartedMs >= 0;
  }

  /** Bytes that aren't in a file yet. */
  get bufferedBytes(): number {
    return this.buffer.length;
  }

  /** Whether a sync is under way. */
  get syncPending(): boolean {
    return this.syncing;
  }

  /** Why changes are refused; null if they aren't. */
  get refusal(): string | null {
    const reason = this.writeError ?? this.syncError;
    return reason === null || this.state === "off"
      ? null
      : `MISCONF Errors writing to the AOF file: ${reason}`;
  }

  /**
   * Goes on with the files of `manifest`, whose data has been loaded, or begins with a first base if there are none.
   *
   * @throws {Error} as the system says.
   */
  open(manifest: AofManifest): void {
    const { parts } = this;
    parts.manifest = manifest;
    parts.makeFolderLast();
    let next = manifest;
    if (manifest.base === undefined && manifest.increments.length === 0) {
      next = this.makeFirstBase();
    }
    if (next.increments.length === 0) next = withNewIncrement(next, this.settings.name);
    const last = next.increments[next.increments.length - 1];
    if (next !== manifest) {
      this.host.log("notice", `Creating AOF incr file ${last.name} on server start`);
      if (manifest.base !== undefined) parts.syncBase(manifest.base.name);
    }
    const file = next === manifest ? parts.openIncrement(last.name) : parts.create(last.name);
    if (next !== manifest) parts.storeNow(next);
    // What was loaded may have been in nobody's memory but the system's.
    file.syncNow();
    this.file = file;
    this.currentSize = this.parts.size;
    this.baseSize = this.currentSize;
    this.begin();
    this.state = "on";
    this.host.aofChanged();
  }

  /** Knows the files that there are, though it is off: a rewrite goes on from their numbers. */
  know(manifest: AofManifest): void {
    this.parts.manifest = manifest;
  }

  /** Makes a manifest the one that is read at the next start, while everybody waits. */
  storeManifestNow(next: AofManifest): void {
    this.parts.storeNow(next);
  }

  /** `aof-disable-auto-gc` allows it again: removes the files that count no more, while everybody waits. */
  removeHistoryNow(): void {
    // A rewrite does so at its end, and is the one to store the list until then.
    if (!this.rewriting && this.state === "on") this.parts.removeHistoryNow();
  }

  /** Writes a base with the data as it is, while everybody waits; at the start there is little of it. */
  private makeFirstBase(): AofManifest {
    const { host, settings } = this;
    const next = withNewBase(this.parts.manifest, settings.name, settings.asSnapshot);
    const { name } = next.base!;
    host.log("notice", `Creating AOF base file ${name} on server start`);
    const facts = host.snapshotFacts(true);
    writeLasting(host.files, this.parts.pathOf(name), settings.syncsInSteps, (sink) => {
      if (settings.asSnapshot) writeKeyspace(host.keyspace, host.snapshotForm(), facts, sink);
      else writeCommands(host.keyspace, facts, sink);
    });
    return next;
  }

  /** Starts to take changes. */
  private begin(): void {
    const { journal } = this.host;
    journal.listen(this.listener);
    this.written = journal.offset;
    this.durable = journal.offset;
    this.writeError = null;
    this.syncError = null;
    this.syncStartedMs = this.host.now();
    this.stampedSecond = 0;
  }

  /** Takes changes over, whose bytes are only good during the call. */
  private append(bytes: Uint8Array): void {
    if (this.settings.timestamps) this.stamp();
    this.buffer.appendBytes(bytes);
    if (!this.host.inRound) this.flush();
  }

  /** Notes the time in the file, once a second at most. */
  private stamp(): void {
    const second = Math.floor(this.host.now() / 1000);
    if (second <= this.stampedSecond) return;
    this.stampedSecond = second;
    this.buffer.appendLatin1(`#TS:${second}\r\n`);
  }

  /** Writes what has gathered; before replies to it leave. */
  flush(force = false): void {
    if (this.buffer.length > 0 && this.file !== null && !this.holding && this.mayWrite(force)) {
      this.write(this.file);
    }
    if (this.settings.policy === "always" && !this.host.inRound) this.syncBehind();
  }

  /** Replies have been sent, or wait now: with `always`, what they wait for is synced. */
  afterSending(): void {
    if (this.settings.policy === "always" && this.file !== null) this.syncBehind();
  }

  /** Whether a write isn't better put off: the last one failed just now, or a sync is under way. */
  private mayWrite(force: boolean): boolean {
    if (this.writeError !== null) return force || this.host.now() >= this.retryMs;
    if (!this.syncing || this.settings.policy !== "everysec" || force) return true;
    const now = this.host.now();
    if (this.postponedMs < 0) this.postponedMs = now;
    if (now - this.postponedMs < POSTPONE_MS && now >= this.postponedMs) return false;
    this.delayedSyncs++;
    return true;
  }

  /** Writes all that has gathered to the increment. */
  private write(file: OutputFile): void {
    this.postponedMs = -1;
    const { journal } = this.host;
    if (this.flushDelay > 0) this.host.pause(this.flushDelay);
    const before = file.size;
    const bytes = this.buffer.take();
    try {
      writeAll(file, bytes);
    } catch (error) {
      return this.writeFailed(file, before, bytes, error);
    }
    this.currentSize += bytes.length;
    this.written = journal.offset;
    this.buffer.recycle(bytes);
    if (this.writeError === null) return;
    this.writeError = null;
    this.host.log("warning", "AOF write error looks solved, Redis can write again.");
  }

  /** A write has failed, maybe after a part of it: what is in the file must end with a whole change. */
  private writeFailed(file: OutputFile, before: number, bytes: Uint8Array, error: unknown): void {
    const reason = systemReason(error);
    const { size } = file;
    const partial = size > before;
    if (this.writeError === null || partial) {
      this.host.log(
        "warning",
        partial
          ? `Short write while writing to the AOF file: (nwritten=${size - before}, ` +
            `expected=${bytes.length})`
          : `Error writing to the AOF file: ${reason}`,
      );
    }
    let left = bytes;
    if (partial) {
      try {
        file.truncate(before);
      } catch (problem) {
        this.host.log(
          "warning",
          "Could not remove short write from the append-only file. The file may be corrupted until " +
            `the rest is written. ftruncate: ${systemReason(problem)}`,
        );
        // What is there stays there, and the rest belongs behind it.
        left = bytes.subarray(size - before);
        this.currentSize += size - before;
      }
    }
    // What has come since stands behind it.
    const behind = this.buffer.length > 0 ? this.buffer.take() : null;
    this.buffer.appendBytes(left);
    if (behind !== null) this.buffer.appendBytes(behind);
    this.writeError = reason;
    this.retryMs = this.host.now() + RETRY_MS;
    if (this.settings.policy !== "always") return;
    this.host.fail(
      "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...",
    );
  }

  /** With `always`: syncs what is written, if that isn't under way, once it is time. */
  private syncBehind(): void {
    if (this.durable < this.written && !this.syncing && !this.holding) {
      this.pacing.whenReady(this.syncNow);
    }
  }

  /** Begins a sync of what is written. */
  private startSync(): void {
    const { file, generation, written } = this;
    if (file === null) return;
    this.syncing = true;
    this.syncStartedMs = this.host.now();
    this.pacing.began();
    file.sync().then(
      () => this.synced(generation, written),
      (error) => this.syncFailed(generation, error),
    );
  }

  /** A sync has ended; everything before `offset` was written when it began. */
  private synced(generation: number, offset: number): void {
    if (generation !== this.generation) return;
    this.syncing = false;
    this.pacing.ended();
    this.settle(offset);
    if (this.postponedMs >= 0) this.flush();
    if (this.settings.policy === "always") this.syncBehind();
  }

  /** Everything before `offset` is on the disk now, unless an earlier part is lost. */
  private settle(offset: number): void {
    if (offset <= this.durable || this.syncError !== null) return;
    this.durable = offset;
    this.host.becameDurable(offset);
  }

  /** A sync has failed. */
  private syncFailed(generation: number, error: unknown): void {
    if (generation !== this.generation) return;
    this.syncing = false;
    this.noteSyncError(systemReason(error));
  }

  /** What was written may be lost, whatever a later sync says. */
  private noteSyncError(reason: string): void {
    if (this.settings.policy === "always") {
      this.host.fail(
        "Can't persist AOF for fsync error when the AOF fsync policy is 'always': " +
          `${reason}. Exiting...`,
      );
      return;
    }
    this.host.log("warning", `Fail to fsync the AOF file: ${reason}`);
    this.syncError = reason;
    this.scheduled = true;
  }

  /** What is due: syncs, tries again, rewrites; called ten times a second. */
  tick(): void {
    const { settings } = this;
    if (this.state !== "off") {
      this.flush();
      const now = this.host.now();
      const due = now - this.syncStartedMs >= SYNC_INTERVAL_MS || now < this.syncStartedMs;
      const pauses = settings.pausesSync && (this.job !== null || this.host.saving);
      if (
        settings.policy === "everysec" && due && !pauses && this.durable < this.written &&
        !this.syncing && !this.holding && this.syncError === null
      ) this.startSync();
    }
    if (this.rewriting || this.host.saving) return;
    if (this.scheduled && this.host.now() >= this.nextTryMs) return this.rewrite();
    if (this.state !== "on" || settings.growthPercentage === 0) return;
    if (this.currentSize <= settings.leastBytes) return;
    const base = this.baseSize === 0 ? 1 : this.baseSize;
    const growth = Math.floor(this.currentSize * 100 / base) - 100;
    if (growth < settings.growthPercentage || this.isLimited()) return;
    this.host.log("notice", `Starting automatic rewriting of AOF on ${growth}% growth`);
    this.rewrite();
  }

  /** Whether rewrites fail so often that none is begun by itself for a while; the log hears of it once. */
  private isLimited(): boolean {
    const leftMs = this.nextTryMs - this.host.now();
    if (this.failures < FAILURES_BEFORE_WAITING || leftMs <= 0) return false;
    if (this.limitNoted) return true;
    this.limitNoted = true;
    this.host.log(
      "warning",
      "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in " +
        `${Math.ceil(leftMs / MINUTE_MS)} minutes`,
    );
    return true;
  }

  /** Has one made as soon as nothing else is written. */
  scheduleRewrite(): void {
    this.scheduled = true;
    this.failures = 0;
    this.nextTryMs = 0;
  }

  /** Has a new base made of the data as it is now. Neither a snapshot nor another rewrite may be under way. */
  rewrite(): void {
    const { host, settings } = this;
    this.scheduled = false;
    this.rewriteStartedMs = host.now();
    this.rewrites++;
    // A snapshot that was given up may still be writing to its file, or remove it.
    this.temporary = settings.temporary.replace(/\.aof$/, `.${this.rewrites}.aof`);
    const { generation, state: started } = this;
    // What commands of this turn have changed is in the snapshot, so it belongs to the old increment.
    host.journal.endTurn();
    if (this.state === "waiting") {
      // The base will have all that has gathered, or went to the file of a rewrite that failed.
      this.buffer.take();
      this.begin();
    } else if (this.state === "on") {
      this.flush(true);
      if (this.buffer.length > 0) {
        return this.rewriteEnded("the last changes couldn't be written");
      }
    }
    // The journal begins anew with the database that it selects, as the file that it goes to does.
    host.journal.selectAnew();
    const cut = host.journal.offset;
    const switched = this.state === "off" ? Promise.resolve(null) : this.switchIncrement(cut);
    const snapshot = new Promise<string | null>((resolve) => {
      this.failSnapshot = resolve;
      this.job = host.engine.start({
        temporary: this.temporary,
        target: null,
        asCommands: !settings.asSnapshot,
        form: host.snapshotForm(),
        facts: host.snapshotFacts(true),
        syncsInSteps: settings.syncsInSteps,
        keyDelay: settings.keyDelay,
      }, ({ error, extraBytes }) => {
        this.lastExtraBytes = extraBytes;
        this.job = null;
        resolve(error);
      });
    });
    host.begun();
    host.log("notice", `Background append only file rewriting started by pid ${Deno.pid}`);
    Promise.all([switched, snapshot]).then(async ([problem, error]) => {
      if (generation !== this.generation) return;
      let reason = problem ?? error;
      if (reason === null) reason = await this.finish(generation, started);
      if (generation !== this.generation) return;
      this.rewriteEnded(reason);
    });
  }

  /**
   * Ends the increment that is written to at offset `cut` of the journal, and goes on in a new one, as soon as the old one is on the
   * disk; what has gone wrong, or null.
   */
  private async switchIncrement(cut: number): Promise<string | null> {
    const { generation, parts, settings } = this;
    const isCurrent = (): boolean => generation === this.generation;
    const old = this.file;
    this.holding = true;
    try {
      if (old !== null && this.syncError === null) {
        await this.syncIncrement(old, generation);
        if (generation !== this.generation) return null;
        this.settle(cut);
      }
      const waiting = this.state === "waiting";
      const next = waiting ? parts.manifest : withNewIncrement(parts.manifest, settings.name);
      const name = waiting
        ? temporaryIncrementName(settings.name)
        : next.increments[next.increments.length - 1].name;
      if (!waiting) this.host.log("notice", `Creating AOF incr file ${name} on background rewrite`);
      parts.makeFolder();
      const file = parts.create(name);
      let problem: string | null = null;
      try {
        if (!waiting) await parts.store(next, isCurrent);
      } catch (error) {
        // The list may name the new file already, though nobody knows whether the list will last: then it is the one to go on in.
        if (parts.manifest !== next) {
          file.close();
          // By now another rewrite may have a file of this name.
          if (isCurrent()) parts.remove(name);
          throw error;
        }
        problem = systemReason(error);
        if (generation === this.generation) this.noteSyncError(problem);
      }
      if (generation !== this.generation) {
        file.close();
        return null;
      }
      old?.close();
      this.file = file;
      return problem;
    } catch (error) {
      return systemReason(error);
    } finally {
      if (generation === this.generation) {
        this.holding = false;
        this.flush();
      }
    }
  }

  /** Syncs the increment that is about to end; if that fails, what was written may be lost. */
  private async syncIncrement(file: OutputFile, generation: number): Promise<void> {
    try {
      await file.sync();
    } catch (error) {
      if (generation === this.generation) this.noteSyncError(systemReason(error));
      throw error;
    }
  }

  /**
   * Puts the new base in its place; what has gone wrong, or null. `started`: how far it was from being on when the rewrite was begun. If it
   * has been turned on since, the base is older than the changes that are kept, and another rewrite follows.
   */
  private async finish(generation: number, started: AofState): Promise<string | null> {
    const { host: { files }, parts, settings } = this;
    const isCurrent = (): boolean => generation === this.generation;
    try {
      let next = withNewBase(this.parts.manifest, settings.name, settings.asSnapshot);
      parts.makeFolder();
      if (started === "waiting") {
        next = withNewIncrement(next, settings.name);
        const { name } = next.increments[next.increments.length - 1];
        const temporary = parts.pathOf(temporaryIncrementName(settings.name));
        files.rename(temporary, parts.pathOf(name));
      }
      next = withRewrittenIncrements(next, started === "off" ? 0 : 1);
      files.rename(this.temporary, parts.pathOf(next.base!.name));
      if (started !== "on") await files.syncFolderAside(folderOf(settings.folder));
      await parts.store(next, isCurrent);
      if (!isCurrent()) return null;
      this.becomeRewritten(started);
      await parts.removeHistory(isCurrent);
      return null;
    } catch (error) {
      return systemReason(error);
    }
  }

  /** The new base stands, so that what was wrong with the old files matters no more. */
  private becomeRewritten(started: AofState): void {
    this.currentSize = this.parts.size;
    this.baseSize = this.currentSize;
    if (started === "waiting") {
      this.state = "on";
      this.host.aofChanged();
    }
    if (this.syncError === null) return;
    this.syncError = null;
    this.host.log("warning", "AOF fsync error looks solved, Redis can write again.");
  }

  /** A rewrite has ended: with an error, or well (null). */
  private rewriteEnded(reason: string | null): void {
    const { host } = this;
    const now = host.now();
    this.lastRewriteSeconds = Math.floor((now - this.rewriteStartedMs) / 1000);
    this.rewriteStartedMs = -1;
    this.rewriteFailed = reason !== null;
    if (reason === null) {
      this.failures = 0;
      this.nextTryMs = 0;
      host.log("notice", "Background AOF rewrite finished successfully");
      return;
    }
    this.failures++;
    removeQuietly(host.files, this.temporary);
    const minutes = this.failures < FAILURES_BEFORE_WAITING
      ? 0
      : Math.min(LONGEST_WAIT_MINUTES, 2 ** (this.failures - FAILURES_BEFORE_WAITING));
    this.nextTryMs = now + Math.max(RETRY_MS, minutes * MINUTE_MS);
    host.log("warning", `Background AOF rewrite terminated with error: ${reason}`);
    this.limitNoted = false;
    if (this.state === "waiting") this.removeTemporaryIncrement();
    // Where the files aren't sound, or there are none yet, only a rewrite helps.
    if (this.state === "waiting" || this.syncError !== null) this.scheduled = true;
  }

  /**
   * Without a first base, what has been written counts for nothing. The file only loses its name: changes go to it until the
   * next rewrite makes another one.
   */
  private removeTemporaryIncrement(): void {
    const name = temporaryIncrementName(this.settings.name);
    this.host.log("notice", `Removing the temp incr aof file ${name} in the background`);
    this.parts.remove(name);
  }

  /** For tests: has the rewrite under way fail. */
  failRewrite(reason: string): void {
    if (this.job === null) return;
    this.job.cancel();
    this.job = null;
    this.failSnapshot(reason);
  }

  /** Turned on while the server runs: changes are kept from now on, and count once there is a base. */
  turnOn(): void {
    this.state = "waiting";
    // The base of a moment within a transaction would have half of it, and the increment all of it.
    if (this.host.saving || this.rewriting || this.host.inTransaction) {
      this.scheduled = true;
      this.host.log(
        "notice",
        "AOF was enabled but there is already another background operation. " +
          "An AOF background was scheduled to start when possible.",
      );
    } else this.rewrite();
  }

  /** Turned off: what has been promised is kept, and then nothing more. */
  turnOff(): void {
    this.generation++;
    this.cancelRewrite();
    this.host.journal.unlisten(this.listener);
    // A rewrite that was about to go on in another increment does so no more.
    this.holding = false;
    this.flush(true);
    this.closeNow();
    // What couldn't be written is in the data, and so in the next base.
    this.buffer.take();
    this.state = "off";
    this.pacing.cancel();
    this.syncing = false;
    this.scheduled = false;
    this.writeError = null;
    this.syncError = null;
    this.host.aofChanged();
  }

  /** The server is about to end, and may not end after all: all that there is is made to last, and a rewrite under way given up. */
  makeLast(): void {
    const { file } = this;
    this.generation++;
    this.cancelRewrite();
    this.holding = false;
    this.syncing = false;
    this.pacing.cancel();
    this.flush(true);
    if (file === null) return;
    const { written } = this;
    try {
      file.syncNow();
      this.settle(written);
    } catch (error) {
      this.noteSyncError(systemReason(error));
    }
  }

  /** The server ends: everything is written and made to last, as far as that can be. */
  close(): void {
    if (this.state === "off") return;
    this.generation++;
    this.cancelRewrite();
    this.host.journal.unlisten(this.listener);
    this.holding = false;
    this.flush(true);
    this.closeNow();
    this.state = "off";
  }

  /** Gives up the rewrite under way. */
  private cancelRewrite(): void {
    if (this.rewriting) {
      this.host.log("notice", `Killing running AOF rewrite child: ${Deno.pid}`);
    }
    this.job?.cancel();
    this.job = null;
    this.rewriteStartedMs = -1;
  }

  /** Closes the increment, after making it last. */
  private closeNow(): void {
    const { file } = this;
    this.file = null;
    if (file === null) return;
    try {
      file.syncNow();
      this.settle(this.written);
    } catch (error) {
      this.host.log("warning", `Fail to fsync the AOF file: ${systemReason(error)}`);
    }
    file.close();
  }
}
