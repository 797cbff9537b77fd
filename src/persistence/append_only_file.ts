/**
 * The append-only file: each change, as soon as it has happened, in files that give all of them back.
 *
 * ```text
 * journal -> buffer -> (write, before replies leave) -> increment -> (sync, beside the event loop) -> disk
 * ```
 *
 * Writing and syncing is the business of the {@linkcode AofWriter}; which files there are, and when there are others, is decided here.
 *
 * **Files.** A base with the data of some moment, and increments with what has changed since (see
 * `aof_manifest.ts`). A rewrite makes a new base of a snapshot; from that moment on, changes go to a new increment. No byte
 * of it is written before all of the increment before it is on the disk, so that a power cut never takes something from the middle.
 * Files that a failed sync has made doubtful are replaced the same way: the data is in memory.
 *
 * @module
 */
import type { Keyspace } from "../keyspace/keyspace.ts";
import { type Files, folderOf, removeQuietly, systemReason } from "../runtime/files.ts";
import {
  type AofManifest,
  temporaryIncrementName,
  withNewBase,
  withNewIncrement,
  withRewrittenIncrements,
} from "./aof_manifest.ts";
import { replicationNote } from "./aof_note.ts";
import type { ReplicationFacts, SnapshotFacts, SnapshotForm } from "./rdb_file_writer.ts";
import type { SnapshotEngine, SnapshotJob } from "./snapshot_engine.ts";
import { AofFiles } from "./aof_files.ts";
import { writeCommands } from "./aof_commands.ts";
import { AofWriter, type AofWriterHost, type SyncPolicy } from "./aof_writer.ts";
import { writeKeyspace, writeLasting } from "./snapshot_file.ts";

/** A rewrite that failed is tried again after so long. */
const RETRY_MS = 1000;
/** After so many rewrites that failed in a row, the next one waits, longer and longer: minutes by number of failures. */
const FAILURES_BEFORE_WAITING = 3;
const LONGEST_WAIT_MINUTES = 60;
const MINUTE_MS = 60_000;

/** The settings of the append-only file. */
export interface AofSettings {
  /** `appendfsync`. */
  policy: SyncPolicy;
  /** `appenddirname`, as a whole path. */
  folder: string;
  /** `appendfilename`. */
  name: string;
  /**
   * The file that the `number`-th rewrite writes its base to: a snapshot that was given up may still be writing to its own,
   * or remove it.
   */
  temporary(number: number): string;
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
export interface AofHost extends AofWriterHost {
  /** The data. */
  readonly keyspace: Keyspace;
  /** Files. */
  readonly files: Files;
  /** Writes a new base beside the server. */
  readonly engine: SnapshotEngine;
  /** Whether a snapshot is being written: only one writes at a time. */
  readonly saving: boolean;
  /** Whether commands of a transaction are being run. */
  readonly inTransaction: boolean;
  /** The form of a base. */
  snapshotForm(): SnapshotForm;
  /** What a base says besides keys. */
  snapshotFacts(aofBase: boolean): SnapshotFacts;
  /** A rewrite has been begun beside the server. */
  begun(): void;
  /** It is on now, or off. */
  aofChanged(): void;
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
    temporary: (number) => `temp-rewriteaof.${number}.aof`,
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
  /** Writes changes, and makes them last. */
  readonly writer: AofWriter;
  /** Bytes of all files that made it up when it was last rewritten, or loaded. */
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
  /** The snapshot that is to be the new base. */
  job: SnapshotJob | null = null;
  /** Its files. */
  private readonly parts: AofFiles;
  /** Counts what is under way and may be overtaken: turning it off ends a rewrite. */
  private generation = 0;
  private nextTryMs = 0;
  /** The file that the new base is being written to. */
  private temporary = "";
  /** Whether the log knows that this is a while. */
  private limitNoted = false;
  /** Has the snapshot under way fail. */
  private failSnapshot: (reason: string) => void = () => {};

  /** The append-only file of `host`. */
  constructor(private readonly host: AofHost) {
    this.writer = new AofWriter(host, this.settings, () => {
      this.scheduled = true;
    });
    this.parts = new AofFiles(host, this.settings);
  }

  /** Whether a rewrite is under way. */
  get rewriting(): boolean {
    return this.rewriteStartedMs >= 0;
  }

  /** Bytes of all files that make it up. */
  get currentSize(): number {
    return this.baseSize + this.writer.appendedBytes;
  }

  /** Why changes are refused; null if they aren't. */
  get refusal(): string | null {
    return this.state === "off" ? null : this.writer.refusal;
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
    this.measure();
    this.writer.begin();
    this.writer.use(file);
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

  /** Looks how many bytes there are in all files. */
  private measure(): void {
    this.baseSize = this.parts.size;
    this.writer.appendedBytes = 0;
  }

  /** What is due: syncs, tries again, rewrites; called ten times a second. */
  tick(): void {
    const { settings } = this;
    const writes = this.job !== null || this.host.saving;
    if (this.state !== "off") this.writer.tick(settings.pausesSync && writes);
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
    this.temporary = settings.temporary(this.rewrites);
    const { generation, state: started, writer } = this;
    // What commands of this turn have changed is in the snapshot, so it belongs to the old increment.
    host.journal.endTurn();
    // Without a base, what has gathered, or went to the file of a rewrite that failed, counts for nothing.
    if (started === "waiting") writer.begin();
    else if (started === "on" && !writer.flushNow()) {
      return this.rewriteEnded("the last changes couldn't be written");
    }
    // The journal begins anew with the database that it selects, as the file that it goes to does.
    host.journal.selectAnew();
    const cut = host.journal.offset;
    const switched = started === "off" ? Promise.resolve(null) : this.switchIncrement(cut);
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
    const { generation, parts, settings, writer } = this;
    const isCurrent = (): boolean => generation === this.generation;
    writer.hold();
    try {
      await writer.syncUpTo(cut);
      if (!isCurrent()) return null;
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
        if (isCurrent()) writer.noteLoss(problem);
      }
      if (!isCurrent()) {
        file.close();
        return null;
      }
      writer.use(file);
      return problem;
    } catch (error) {
      return systemReason(error);
    } finally {
      if (isCurrent()) writer.goOn();
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
      let next = withNewBase(parts.manifest, settings.name, settings.asSnapshot);
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
    this.measure();
    if (started === "waiting") {
      this.state = "on";
      this.host.aofChanged();
    }
    this.writer.noteRepair();
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
    if (this.state === "waiting" || this.writer.syncError !== null) this.scheduled = true;
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
    this.close();
    this.scheduled = false;
    this.host.aofChanged();
  }

  /**
   * The server is about to end, and may not end after all: all that there is is made to last, and a rewrite under way given up. `facts`:
   * what is said of the data for replicas, if anything.
   */
  makeLast(facts: ReplicationFacts | null): void {
    this.cancelRewrite();
    const tells = facts !== null && this.state === "on";
    this.writer.makeLast(tells ? replicationNote(facts) : null);
  }

  /** The server ends: everything is written and made to last, as far as that can be. */
  close(): void {
    if (this.state === "off") return;
    this.cancelRewrite();
    this.writer.close();
    this.state = "off";
  }

  /** Gives up the rewrite under way. */
  private cancelRewrite(): void {
    this.generation++;
    if (this.rewriting) {
      this.host.log("notice", `Killing running AOF rewrite child: ${Deno.pid}`);
    }
    this.job?.cancel();
    this.job = null;
    this.rewriteStartedMs = -1;
  }
}
