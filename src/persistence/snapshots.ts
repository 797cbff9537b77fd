/**
 * The snapshots of one server: SAVE, BGSAVE, and those that are due by the setting `save`.
 *
 * @module
 */
import type { Keyspace } from "../keyspace/keyspace.ts";
import { type Files, systemReason } from "../runtime/files.ts";
import type { LogLevel } from "../runtime/logging.ts";
import type { SavedUse, SnapshotFacts, SnapshotForm } from "./rdb_file_writer.ts";
import type { SnapshotEngine, SnapshotJob } from "./snapshot_engine.ts";
import { replaceFile, writeKeyspace } from "./snapshot_file.ts";

/** After a snapshot that failed, none is begun by itself for so long. */
const RETRY_MS = 5000;

/** What is kept when. */
export interface SavePoint {
  /** So many seconds after the last snapshot... */
  readonly seconds: number;
  /** ... one is due if there were so many changes. */
  readonly changes: number;
}

/** The settings of snapshots. */
export interface SnapshotSettings {
  /** `save`. */
  savePoints: readonly SavePoint[];
  /** `dbfilename`, as a whole path. */
  path: string;
  /** The file that it is written to before that. */
  temporary: string;
  /**
   * Likewise of the `number`-th one in the background: DEBUG RELOAD writes one while another may be under way, and one that was given up
   * may still be writing to its file, or remove it.
   */
  backgroundTemporary(number: number): string;
  /** `rdbcompression`. */
  compress: boolean;
  /** `rdbchecksum`. */
  checksum: boolean;
  /** What is kept of the use of keys. */
  use: SavedUse;
  /** `rdb-save-incremental-fsync`. */
  syncsInSteps: boolean;
  /** `stop-writes-on-bgsave-error`. */
  stopsWrites: boolean;
  /** `rdb-key-save-delay`. */
  keyDelay: number;
}

/** What snapshots need of their server. */
export interface SnapshotHost {
  /** The data. */
  readonly keyspace: Keyspace;
  /** Files. */
  readonly files: Files;
  /** Writes beside the server. */
  readonly engine: SnapshotEngine;
  /** Unix time in ms. */
  now(): number;
  /** Writes a line of the log. */
  log(level: LogLevel, line: string): void;
  /** What a snapshot says besides keys. */
  snapshotFacts(aofBase: boolean): SnapshotFacts;
  /** Whether the append-only file is being rewritten: only one writes at a time. */
  readonly rewriting: boolean;
  /** Lets so many microseconds pass, while everybody waits. */
  pause(microseconds: number): void;
  /** One has been begun beside the server. */
  begun(): void;
}

/** The snapshots of one server; see the head of this file. */
export class Snapshots {
  /** Settings. */
  readonly settings: SnapshotSettings = {
    savePoints: [],
    path: "dump.rdb",
    temporary: "temp.rdb",
    backgroundTemporary: (number) => `temp-bg.${number}.rdb`,
    compress: true,
    checksum: true,
    use: "none",
    syncsInSteps: true,
    stopsWrites: true,
    keyDelay: 0,
  };
  /** Unix time in seconds of the last one that succeeded. */
  lastSave: number;
  /** Whether the last one in the background failed. */
  failed = false;
  /** Seconds that the last one in the background took, or -1. */
  lastSeconds: number = -1;
  /** Unix time in ms when the one that is being written was begun, or -1. */
  startedMs: number = -1;
  /** How many have been written. */
  count = 0;
  /** Bytes of memory that the last one took beside the data. */
  lastExtraBytes = 0;
  /** One is to be begun as soon as the append-only file is rewritten. */
  scheduled = false;
  /** The one that is being written. */
  job: SnapshotJob | null = null;
  /** Told how the one in the background ends. */
  private tellEnd: (error: string | null) => void = () => {};
  /** How many have been begun in the background. */
  private begun = 0;
  /** How many changes the last one that succeeded doesn't have. */
  private savedDirty = 0;
  private startDirty = 0;
  /** Unix time in ms when one was last begun in the background. */
  private triedMs = 0;

  /** The snapshots of `host`, which has just started. */
  constructor(private readonly host: SnapshotHost) {
    this.lastSave = Math.floor(host.now() / 1000);
  }

  /** How many changes there were since the last one. */
  get changes(): number {
    return this.host.keyspace.dirty - this.savedDirty;
  }

  /** All changes so far count as saved: the data has just been loaded. */
  forgetChanges(): void {
    this.savedDirty = this.host.keyspace.dirty;
  }

  /** The form of a snapshot by the settings. */
  get form(): SnapshotForm {
    const { compress, checksum, use } = this.settings;
    return { compress, checksum, use };
  }

  /** Writes one while everybody waits; whether that succeeded. */
  save(): boolean {
    const { host, settings: { path, temporary, syncsInSteps, keyDelay } } = this;
    try {
      const facts = host.snapshotFacts(false);
      const each = keyDelay > 0 ? () => host.pause(keyDelay) : undefined;
      replaceFile(host.files, path, temporary, syncsInSteps, (sink) => {
        writeKeyspace(host.keyspace, this.form, facts, sink, each);
      });
    } catch (error) {
      host.log("warning", `Error trying to save the DB: ${systemReason(error)}`);
      return false;
    }
    host.log("notice", "DB saved on disk");
    this.succeeded(host.keyspace.dirty);
    this.failed = false;
    return true;
  }

  /** Begins one in the background, and tells `ended` whether it failed and why; none may be being written. */
  start(ended: (error: string | null) => void = () => {}): void {
    const { host, settings, settings: { path, syncsInSteps, keyDelay } } = this;
    this.scheduled = false;
    this.startDirty = host.keyspace.dirty;
    this.startedMs = host.now();
    this.triedMs = this.startedMs;
    this.job = host.engine.start({
      temporary: settings.backgroundTemporary(++this.begun),
      target: path,
      asCommands: false,
      form: this.form,
      facts: host.snapshotFacts(false),
      syncsInSteps,
      keyDelay,
    }, ({ error, extraBytes }) => this.ended(error, extraBytes));
    this.tellEnd = ended;
    host.begun();
    host.log("notice", `Background saving started by pid ${Deno.pid}`);
  }

  /** For tests: has the one that is being written fail. */
  fail(reason: string): void {
    if (this.job === null) return;
    this.job.cancel();
    this.ended(reason, 0);
  }

  /** Gives up the one that is being written. */
  cancel(): void {
    if (this.job === null) return;
    this.job.cancel();
    this.job = null;
    this.startedMs = -1;
    this.tell("it was given up");
  }

  /** Tells who has begun the one in the background how it has ended. */
  private tell(error: string | null): void {
    const { tellEnd } = this;
    this.tellEnd = () => {};
    tellEnd(error);
  }

  /** Begins what is due; called ten times a second. */
  tick(): void {
    const { host } = this;
    if (this.job !== null || host.rewriting) return;
    if (this.scheduled && this.mayTry()) return this.start();
    const { changes } = this;
    if (changes <= 0) return;
    const seconds = Math.floor(host.now() / 1000) - this.lastSave;
    for (const point of this.settings.savePoints) {
      if (changes < point.changes || seconds <= point.seconds || !this.mayTry()) continue;
      host.log("notice", `${point.changes} changes in ${point.seconds} seconds. Saving...`);
      return this.start();
    }
  }

  /** Why changes are refused; null if they aren't. */
  get refusal(): string | null {
    const { stopsWrites, savePoints } = this.settings;
    if (!this.failed || !stopsWrites || savePoints.length === 0) return null;
    return "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist " +
      "to disk. Commands that may modify the data set are disabled, because this instance is " +
      "configured to report errors during writes if RDB snapshotting fails " +
      "(stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB " +
      "error.";
  }

  /** Whether one may be begun without being asked for. */
  private mayTry(): boolean {
    return !this.failed || this.host.now() - this.triedMs > RETRY_MS;
  }

  /** The one in the background has ended: with an error, or well (null). */
  private ended(error: string | null, extraBytes: number): void {
    const { host } = this;
    this.job = null;
    this.lastSeconds = Math.floor((host.now() - this.startedMs) / 1000);
    this.startedMs = -1;
    this.lastExtraBytes = extraBytes;
    this.failed = error !== null;
    if (error === null) {
      host.log("notice", "DB saved on disk");
      host.log("notice", "Background saving terminated with success");
      this.succeeded(this.startDirty);
    } else {
      host.log("warning", `Error trying to save the DB: ${error}`);
      host.log("warning", "Background saving error");
    }
    this.tell(error);
  }

  /** One was written that has all changes up to `dirty`. */
  private succeeded(dirty: number): void {
    this.savedDirty = dirty;
    this.lastSave = Math.floor(this.host.now() / 1000);
    this.count++;
  }
}
