/**
 * What a server keeps on disk: its snapshots, its append-only file, and the loading of both at the start.
 *
 * @module
 */
import type { Journal } from "../keyspace/journal.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { flushDatabases } from "../keyspace/flushing.ts";
import type { SyncPolicy } from "../persistence/aof_writer.ts";
import { type AofHost, AppendOnlyFile } from "../persistence/append_only_file.ts";
import type { SavedUse, SnapshotFacts, SnapshotForm } from "../persistence/rdb_file_writer.ts";
import {
  type PieceReceiver,
  PlainSnapshotEngine,
  type SnapshotEngine,
  type SnapshotJob,
} from "../persistence/snapshot_engine.ts";
import { WorkerSnapshotEngine } from "../persistence/worker_engine.ts";
import { type SavePoint, type SnapshotHost, Snapshots } from "../persistence/snapshots.ts";
import { afterOthers } from "../runtime/clock.ts";
import { type Files, folderOf, systemFiles, systemReason } from "../runtime/files.ts";
import type { LogLevel } from "../runtime/logging.ts";
import { FatalLoadError, Loading, type LoadSteps } from "./loading.ts";
import { readManifest } from "./manifest_loading.ts";
import { OutputGate } from "./output_gate.ts";
import type { Server, ShutdownManner } from "./server.ts";

/** Snapshots, append-only file and loading of one server. */
export class Persistence implements SnapshotHost, AofHost {
  /** Snapshots. */
  readonly snapshots: Snapshots;
  /** The append-only file. */
  readonly aof: AppendOnlyFile;
  /** Holds replies back until what they tell is on the disk. */
  readonly gate: OutputGate;
  /** Writes beside the server. */
  readonly engine: SnapshotEngine;
  /** The loading under way; null if there is none. */
  loading: Loading | null = null;
  /** Libraries of functions that came with a snapshot, which nobody can call here and which are kept. */
  functions: readonly Uint8Array[] = [];
  /** How many keys the last snapshot had that was loaded, */
  loadedKeys = 0;
  /** and how many were left out since their time had come. */
  expiredKeys = 0;
  private started = false;

  /** What `server` keeps; `engine` writes beside it. @default a worker if the files are those of the machine, else nobody's help */
  constructor(private readonly server: Server, engine?: SnapshotEngine) {
    // Only the files of the machine can be reached from another thread.
    this.engine = engine ??
      (server.files === systemFiles
        ? new WorkerSnapshotEngine(server.keyspace)
        : new PlainSnapshotEngine(server.keyspace, server.files));
    this.gate = new OutputGate(server.journal);
    this.snapshots = new Snapshots(this);
    this.aof = new AppendOnlyFile(this);
  }

  /** The data. */
  get keyspace(): Keyspace {
    return this.server.keyspace;
  }

  /** Changes. */
  get journal(): Journal {
    return this.server.journal;
  }

  /** Files. */
  get files(): Files {
    return this.server.files;
  }

  /** Whether the append-only file is being rewritten, or something else keeps snapshots from being written. */
  get rewriting(): boolean {
    return this.aof.rewriting || this.streams;
  }

  /** Whether a snapshot is being written, to a file or to replicas. */
  get saving(): boolean {
    return this.snapshots.job !== null || this.streams;
  }

  /** Whether anything is being written beside the server. */
  get isWriting(): boolean {
    return this.aof.rewriting || this.saving;
  }

  /** Whether a snapshot goes to replicas as it is made. */
  private get streams(): boolean {
    return this.server.replication.replicas.fullSync.job !== null;
  }

  /** Whether sessions are having turns, after which all is written together. */
  get inRound(): boolean {
    return this.server.inRound;
  }

  /** Whether commands of a transaction are being run. */
  get inTransaction(): boolean {
    return !this.server.dispatcher.runner.context.mayBlock;
  }

  /** Unix time in ms. */
  now(): number {
    return this.server.clock.now();
  }

  /** Lets so many microseconds pass, while everybody waits. */
  pause(microseconds: number): void {
    const { clock } = this.server;
    const end = clock.monotonic() + microseconds / 1000;
    while (clock.monotonic() < end);
  }

  /** Milliseconds since some moment. */
  monotonic(): number {
    return this.server.clock.monotonic();
  }

  /** How many clients wait for the disk. */
  get waitingClients(): number {
    return this.gate.count;
  }

  /** Writes a line of the log. */
  log(level: LogLevel, line: string): void {
    this.server.logger.log(level, line);
  }

  /** What a snapshot says besides keys. */
  snapshotFacts(aofBase: boolean): SnapshotFacts {
    return {
      seconds: Math.floor(this.now() / 1000),
      usedMemory: this.server.usedMemory,
      aofBase,
      stamped: aofBase && this.aof.settings.timestamps,
      // A base is followed by changes, so that nobody could go on with what it has.
      replication: aofBase ? null : this.server.replication.facts,
      functions: this.functions,
    };
  }

  /** Begins a snapshot that goes to `receive`, piece by piece. */
  streamSnapshot(receive: PieceReceiver, ended: (error: string | null) => void): SnapshotJob {
    const job = this.engine.start(
      {
        temporary: null,
        target: null,
        asCommands: false,
        form: this.snapshots.form,
        facts: this.snapshotFacts(false),
        syncsInSteps: false,
        keyDelay: this.snapshots.settings.keyDelay,
      },
      ({ error }) => ended(error),
      receive,
    );
    this.begun();
    this.log("notice", `Background RDB transfer started by pid ${Deno.pid}`);
    return job;
  }

  /** The form of a base of the append-only file. */
  snapshotForm(): SnapshotForm {
    return this.snapshots.form;
  }

  /** A snapshot or a rewrite has been begun beside the server. */
  begun(): void {
    this.server.counters.forks++;
  }

  /** Everything before this offset of the journal is on the disk. */
  becameDurable(offset: number): void {
    this.gate.open(offset);
    this.server.replication.replicas.passGate();
  }

  /** The append-only file is on or off now. */
  aofChanged(): void {
    const { aof } = this;
    this.gate.setActive(aof.state === "on" && aof.settings.policy === "always", aof.writer.durable);
  }

  /** The server can't keep what it has promised. */
  fail(line: string): void {
    if (this.server.isStopping) return;
    // It ends first, so that the reason is the last line of the log, where people look.
    this.server.end(1);
    this.log("warning", line);
  }

  /** Takes the settings over. */
  applySettings(): void {
    const { server, server: { settings }, snapshots, aof } = this;
    const words = settings.words("save").map(Number);
    const savePoints: SavePoint[] = [];
    for (let index = 0; index + 1 < words.length; index += 2) {
      savePoints.push({ seconds: words[index], changes: words[index + 1] });
    }
    const syncsInSteps = settings.isOn("rdb-save-incremental-fsync");
    const keyDelay = settings.number("rdb-key-save-delay");
    Object.assign(snapshots.settings, {
      savePoints,
      path: server.pathOf(settings.text("dbfilename")),
      temporary: server.pathOf(`temp-${Deno.pid}.rdb`),
      backgroundTemporary: (number: number) => server.pathOf(`temp-bg-${Deno.pid}.${number}.rdb`),
      compress: settings.isOn("rdbcompression"),
      checksum: settings.isOn("rdbchecksum"),
      use: savedUse(settings.text("maxmemory-policy")),
      syncsInSteps,
      stopsWrites: settings.isOn("stop-writes-on-bgsave-error"),
      keyDelay,
    });
    const { keepsHistory, policy: before } = aof.settings;
    Object.assign(aof.settings, {
      policy: settings.text("appendfsync") as SyncPolicy,
      folder: server.pathOf(settings.text("appenddirname")),
      name: settings.text("appendfilename"),
      temporary: (number: number) => server.pathOf(`temp-rewriteaof-bg-${Deno.pid}.${number}.aof`),
      asSnapshot: settings.isOn("aof-use-rdb-preamble"),
      pausesSync: settings.isOn("no-appendfsync-on-rewrite"),
      growthPercentage: settings.number("auto-aof-rewrite-percentage"),
      leastBytes: settings.number("auto-aof-rewrite-min-size"),
      syncsInSteps: settings.isOn("aof-rewrite-incremental-fsync"),
      keepsHistory: settings.isOn("aof-disable-auto-gc"),
      timestamps: settings.isOn("aof-timestamp-enabled"),
      keyDelay,
    });
    if (before !== aof.settings.policy) this.aofChanged();
    if (!this.started || this.loading !== null) return;
    if (keepsHistory && !aof.settings.keepsHistory) aof.removeHistoryNow();
    const on = settings.isOn("appendonly");
    if (on && aof.state === "off") aof.turnOn();
    else if (!on && aof.state !== "off") aof.turnOff();
  }

  /** Loads what there is, and calls `ready` once all of it is there and can be changed; if it can't, the server ends. */
  start(ready: () => void): void {
    this.run(this.loadAll(), (error) => this.startFailed(error), () => {
      this.started = true;
      // A setting may have changed meanwhile.
      this.applySettings();
      ready();
    });
  }

  /** Loads what there is, and opens the append-only file. */
  private *loadAll(): LoadSteps {
    const { server, aof, snapshots } = this;
    const loading = new Loading(server, { atStart: true });
    this.loading = loading;
    const on = server.settings.isOn("appendonly");
    const manifest = readManifest(server, on);
    if (on) yield* loading.appendOnlyFile(manifest);
    else {
      yield* loading.snapshot(snapshots.settings.path, false);
      this.keepSnapshot();
    }
    loading.restoreHistory();
    server.keyspace.dirty = 0;
    snapshots.forgetChanges();
    aof.know(manifest);
    if (on) aof.open(manifest);
  }

  /**
   * Makes the name of the snapshot last that was loaded: it may have got it just before the last process ended, and clients are about to
   * see what it holds. Where names can't be changed, they last.
   */
  private keepSnapshot(): void {
    const { server: { files }, snapshots: { settings: { path } } } = this;
    try {
      if (files.exists(path)) files.syncFolder(folderOf(path));
    } catch (error) {
      this.log("verbose", `Can't sync the folder of the RDB file: ${systemReason(error)}`);
    }
  }

  /** Goes through a loading; resolves when it is done. */
  load(loading: Loading, steps: LoadSteps): Promise<void> {
    this.loading = loading;
    return new Promise((resolve, reject) => this.run(steps, reject, resolve));
  }

  /** The data can't be loaded at the start: the server ends. */
  private startFailed(error: unknown): void {
    if (error instanceof FatalLoadError) this.fail(error.message);
    else if (error instanceof Deno.errors.NotFound || isSystemError(error)) {
      this.fail(`Can't open or write the append-only file: ${(error as Error).message}`);
    } else throw error;
  }

  /** Goes on with a loading, slice by slice, and calls `done` at its end, or `failed`. */
  private run(steps: LoadSteps, failed: (error: unknown) => void, done: () => void): void {
    const { server } = this;
    if (server.isStopping) return;
    server.muteEvents(true);
    try {
      this.loading?.startSlice();
      server.refreshTime();
      const { done: isDone, value: pause } = steps.next();
      if (isDone !== true) {
        const goOn = (): void => this.run(steps, failed, done);
        if (this.loading?.isAsync) server.muteEvents(false);
        if (typeof pause !== "number") pause.then(goOn);
        else if (pause > 0) setTimeout(goOn, pause);
        else afterOthers(goOn);
        return;
      }
      this.loading = null;
      server.muteEvents(false);
      done();
    } catch (error) {
      this.loading = null;
      server.muteEvents(false);
      failed(error);
    }
  }

  /**
   * DEBUG RELOAD: replaces the data by what the snapshot holds, while everybody waits; why it failed, or null.
   */
  reload(flushes: boolean, merges: boolean): string | null {
    const { server, snapshots } = this;
    if (flushes) flushDatabases(server.keyspace, server.keyspace.databases, false);
    return this.loadNow((loading) => loading.snapshot(snapshots.settings.path, merges));
  }

  /** DEBUG LOADAOF: likewise, by the append-only file. */
  reloadAof(): string | null {
    const { server, aof } = this;
    server.journal.cut();
    if (!aof.writer.flushNow()) return "The last changes aren't in the append-only file yet";
    flushDatabases(server.keyspace, server.keyspace.databases, false);
    return this.loadNow((loading) => {
      const manifest = readManifest(server, false);
      // As at a start: numbers are those of the files that there are.
      if (aof.state === "off" && !aof.rewriting) aof.know(manifest);
      return loading.appendOnlyFile(manifest);
    });
  }

  /** Runs a loading to its end, while everybody waits; why it failed, or null. */
  private loadNow(steps: (loading: Loading) => LoadSteps): string | null {
    const { server, snapshots } = this;
    const { dirty } = server.keyspace;
    const loading = new Loading(server);
    this.loading = loading;
    server.journal.muted = true;
    server.muteEvents(true);
    try {
      for (const pause of steps(loading)) {
        if (typeof pause === "number" && pause > 0) this.pause(pause * 1000);
        loading.startSlice();
      }
      return null;
    } catch (error) {
      if (!(error instanceof FatalLoadError)) throw error;
      this.log("warning", error.message);
      return error.message;
    } finally {
      server.muteEvents(false);
      server.journal.muted = false;
      this.loading = null;
      server.keyspace.dirty = dirty;
      snapshots.forgetChanges();
    }
  }

  /** FLUSHALL: nobody needs a snapshot of what was there any more; where some are kept, there is one of nothing now. */
  flushedAll(): void {
    const { loading, snapshots } = this;
    if (loading !== null) return;
    snapshots.cancel();
    this.server.replication.replicas.fullSync.fail("its data is gone");
    if (snapshots.settings.savePoints.length > 0) snapshots.save();
  }

  /** The server is to stop: saves what is to be saved; whether that worked, or doesn't matter. */
  finish({ save, force = false }: ShutdownManner): boolean {
    const { aof, snapshots } = this;
    if (this.isLoading) return true;
    if (snapshots.job !== null) {
      this.log("warning", "There is a child saving an .rdb. Killing it!");
      snapshots.cancel();
    }
    const { rewriting } = aof;
    if (aof.state !== "off") {
      if (rewriting) {
        if (aof.state === "waiting") {
          this.log(
            "warning",
            force ? "Writing initial AOF. Exit anyway." : "Writing initial AOF, can't exit",
          );
          if (!force) return false;
        }
        this.log("warning", "There is a child rewriting the AOF. Killing it!");
      }
      this.log("notice", "Calling fsync() on the AOF file.");
      this.journal.endTurn();
      aof.makeLast(this.server.replication.facts);
    }
    const saves = save ?? snapshots.settings.savePoints.length > 0;
    if (!saves) return true;
    this.log("notice", "Saving the final RDB snapshot before exiting.");
    if (snapshots.save()) return true;
    if (force) {
      this.log("warning", "Error trying to save the DB, but it is forced to exit.");
      return true;
    }
    this.log("warning", "Error trying to save the DB, can't exit.");
    if (rewriting) aof.scheduleRewrite();
    return false;
  }

  /** Nothing is written any more. */
  stop(): void {
    this.snapshots.cancel();
    this.aof.close();
    this.engine.stop();
  }

  /** Ten times a second. */
  tick(): void {
    if (this.isLoading) return;
    this.snapshots.tick();
    this.aof.tick();
  }

  /** Whether clients can't have any data, since it is being loaded. */
  get isLoading(): boolean {
    return this.loading !== null && !this.loading.isAsync;
  }

  /** Whether some commands are refused for now: the data is being loaded, or can't be kept. */
  get restricts(): boolean {
    const { aof, loading, snapshots } = this;
    return loading !== null || snapshots.failed || aof.refusal !== null;
  }

  /** Why changes are refused; null if they aren't. */
  get refusal(): string | null {
    return this.snapshots.refusal ?? this.aof.refusal;
  }
}

/** What snapshots keep of the use of keys, by the eviction policy. */
function savedUse(policy: string): SavedUse {
  if (policy.endsWith("-lru")) return "idle";
  return policy.endsWith("-lfu") ? "frequency" : "none";
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && / \(os error \d+\)/.test(error.message);
}
