/**
 * Loading at the start: the append-only file if that is on, else the last snapshot.
 *
 * It goes in slices, so that clients can connect and be told that the server is loading. Between two of them time passes where
 * `key-load-delay` says so, for tests that need a loading to last. Whatever is wrong with the files
 * ends the server with a line that says what and where; nothing is changed on the disk then. Only an end that is missing
 * (the power failed) is cut off, if `aof-load-truncated` allows it.
 *
 * @module
 */
import type { AofManifest } from "../persistence/aof_manifest.ts";
import type { Database } from "../keyspace/keyspace.ts";
import { checkRdb } from "../persistence/check_rdb.ts";
import type { ReplicationFacts } from "../persistence/rdb_file_writer.ts";
import { RDB_MAGIC } from "../persistence/rdb_format.ts";
import { LoadError } from "../persistence/rdb_frame.ts";
import { type LoadForm, RdbLoader } from "../persistence/rdb_loader.ts";
import { RdbFormatError } from "../persistence/rdb_reader.ts";
import { RdbWindow } from "../persistence/rdb_window.ts";
import type { SnapshotStream } from "../replication/snapshot_stream.ts";
import { ArenaFullError } from "../memory/arena.ts";
import { type InputFile, systemReason } from "../runtime/files.ts";
import {
  AofReplay,
  REPLAY_ENDED,
  REPLAY_GOES_ON,
  REPLAY_UNFINISHED_TRANSACTION,
  ReplayError,
} from "./aof_replay.ts";
import type { Server } from "./server.ts";

/** A slice lasts so long. */
const SLICE_MS = 10;

/** The data can't be loaded; the log knows why. */
export class FatalLoadError extends Error {
  /** With the last line for the log. */
  constructor(line: string) {
    super(line);
    this.name = "FatalLoadError";
  }
}

/** The steps of a loading: each is a slice, and tells how many ms shall pass before the next one, or what it waits for. */
export type LoadSteps = Generator<number | Promise<void>, void, void>;

/** Where a loading reads and writes, and what happens meanwhile. */
interface RdbLoad {
  /** What is read. */
  readonly window: RdbWindow;
  /** What it is called. */
  readonly path: string;
  /** Whether keys whose time has come are loaded: something that follows says what becomes of them. */
  readonly keepsExpired: boolean;
  /** Whether keys may be there already. @default false */
  readonly merges?: boolean;
  /** Where keys are put, by number. @default those that clients see */
  readonly databases?: readonly Database[];
  /** Resolves when so many bytes more can be read of what isn't whole yet. */
  readonly arrival?: (bytes: number) => Promise<void>;
  /** What is said of a snapshot that is broken. */
  readonly broken: (error: LoadError) => FatalLoadError;
}

/** What kind of loading it is. */
export interface LoadingOptions {
  /** Whether there was nothing before. @default false */
  readonly atStart?: boolean;
  /** Whether clients go on with what there was before. @default false */
  readonly isAsync?: boolean;
}

/** One loading; see the head of this file. */
export class Loading {
  /** Unix time in ms when it began. */
  readonly startedMs: number;
  /** Whether clients go on with what there was before. */
  readonly isAsync: boolean;
  /** Bytes of all files. */
  totalBytes = 0;
  /** What the snapshot says of replication; null for nothing. */
  replication: ReplicationFacts | null = null;
  /** Memory that the data took when the snapshot was made, or 0. */
  snapshotMemory = 0;
  /** Bytes of files that are done. */
  private doneBytes = 0;
  private window: RdbWindow | null = null;
  private readonly atStart: boolean;
  private restored = false;
  private sliceStart = 0;
  /** Milliseconds that shall pass at each key or command. */
  private keyDelayMs = 0;
  /** How many there have been, */
  private count: () => number = () => 0;
  /** and for how many of them the time has passed. */
  private paidCount = 0;
  private readonly isTime = (): boolean =>
    this.server.clock.monotonic() - this.sliceStart > SLICE_MS || this.owedMs() >= SLICE_MS;

  /** Loads into `server`. */
  constructor(private readonly server: Server, { atStart, isAsync }: LoadingOptions = {}) {
    this.atStart = atStart ?? false;
    this.isAsync = isAsync ?? false;
    this.startedMs = server.clock.now();
    this.startSlice();
  }

  /** Bytes that have been loaded. */
  get loadedBytes(): number {
    return this.doneBytes + (this.window === null ? 0 : this.window.position);
  }

  /** A slice begins. */
  startSlice(): void {
    this.sliceStart = this.server.clock.monotonic();
    // In microseconds; below 0, one microsecond for every so many keys.
    const delay = this.server.settings.number("key-load-delay");
    this.keyDelayMs = (delay < 0 ? -1 / delay : delay) / 1000;
  }

  /** Keys or commands are counted by `count` now. */
  private countBy(count: () => number): void {
    this.count = count;
    this.paidCount = count();
  }

  /** How many ms shall pass for what this slice has loaded. */
  private owedMs(): number {
    return (this.count() - this.paidCount) * this.keyDelayMs;
  }

  /** As {@linkcode owedMs}; after that, they count as passed. */
  private takeDelay(): number {
    const delay = this.owedMs();
    this.paidCount = this.count();
    return delay;
  }

  /**
   * Loads the snapshot, if there is one.
   *
   * @throws {FatalLoadError} if it can't be loaded.
   */
  *snapshot(path: string, merges: boolean): LoadSteps {
    const { files, logger } = this.server;
    let file: InputFile;
    try {
      file = files.openToRead(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw new FatalLoadError(
        `Fatal error: can't open the RDB file ${path} for reading: ${systemReason(error)}`,
      );
    }
    try {
      this.totalBytes = file.size;
      if (file.size === 0) {
        logger.log("warning", "Short read or OOM loading DB. Unrecoverable error, aborting now.");
        throw new FatalLoadError("Fatal error loading the DB, check server logs. Exiting.");
      }
      const started = this.server.clock.monotonic();
      yield* this.rdb({
        window: new RdbWindow(file),
        path,
        keepsExpired: false,
        merges,
        broken: (error) => this.fileIsBroken(error, path),
      });
      const seconds = (this.server.clock.monotonic() - started) / 1000;
      logger.log("notice", `DB loaded from disk: ${seconds.toFixed(3)} seconds`);
    } finally {
      file.close();
      this.window = null;
    }
  }

  /** Loads a snapshot. */
  private *rdb(load: RdbLoad): LoadSteps {
    const { arrival, databases, merges = false, path, window } = load;
    const { server, server: { logger, persistence } } = this;
    this.window = window;
    let loader: RdbLoader | null = null;
    const form: LoadForm = {
      limits: server.dispatcher.limits,
      keepsExpired: load.keepsExpired || this.keepsForReplicas,
      databases,
      checksum: server.settings.isOn("rdbchecksum"),
      merges,
      leftOut: (database, key) => {
        this.noteFacts(loader!);
        this.tellReplicas(database, key);
      },
      isSlow: () => this.keyDelayMs > 0,
      log: (line) => logger.log(/^(Wrong|rdbLoadObject)/.test(line) ? "warning" : "notice", line),
    };
    const loading = loader = new RdbLoader(server.keyspace, window, form);
    this.countBy(() => loading.loaded + loading.expired);
    try {
      while (!loader.loadSome(this.isTime)) {
        this.noteFacts(loader);
        server.journal.endTurn();
        const delayMs = this.takeDelay();
        if (!loader.isStarving || delayMs > 0) yield delayMs;
        // With twice as much it gets further, however long the value is that has come in part.
        else yield arrival!(Math.max(1, window.left));
      }
    } catch (error) {
      if (error instanceof ArenaFullError) {
        logger.log("warning", "Short read or OOM loading DB. Unrecoverable error, aborting now.");
        throw new FatalLoadError(`Out of memory loading ${path} at byte ${window.position}`);
      }
      if (!(error instanceof LoadError)) throw error;
      throw load.broken(error);
    }
    this.noteFacts(loader);
    server.journal.endTurn();
    persistence.functions = loader.functions;
    persistence.loadedKeys = loader.loaded;
    persistence.expiredKeys = loader.expired;
    logger.log(
      "notice",
      loader.empty > 0
        ? `Done loading RDB, keys loaded: ${loader.loaded}, keys expired: ${loader.expired}, ` +
          `empty keys skipped: ${loader.empty}.`
        : `Done loading RDB, keys loaded: ${loader.loaded}, keys expired: ${loader.expired}.`,
    );
  }

  /**
   * Whether keys whose time has come are kept for the sake of replication: a replica is told by its master what becomes of them, and a master's
   * replicas have them, too, and are told when they are removed. A master that has just started can tell them now.
   */
  private get keepsForReplicas(): boolean {
    const { isReplica, stream } = this.server.replication;
    return isReplica || (stream !== null && !this.atStart);
  }

  /** Tells the log what is wrong with a snapshot, without which the server can't go on. */
  private logFatal(error: LoadError, path: string): void {
    const { logger } = this.server;
    if (error.message.startsWith("Unexpected EOF")) {
      logger.log("warning", "Short read or OOM loading DB. Unrecoverable error, aborting now.");
    }
    this.logBroken(error, path);
  }

  /** Tells the log what is wrong with a snapshot. */
  private logBroken(error: LoadError, path: string): void {
    this.server.logger.log(
      "warning",
      `Internal error in RDB reading offset ${error.position} of ${path} -> ${error.message}`,
    );
  }

  /** Likewise of one in a file of its own, as `--check-rdb` does, which names the key and counts what is good. */
  private fileIsBroken(error: LoadError, path: string): FatalLoadError {
    const { files, logger } = this.server;
    this.logFatal(error, path);
    checkRdb(files, path, {
      print: (text) => logger.raw(text),
      confirm: () => false,
      progress: () => {},
    });
    return this.serverEnds();
  }

  /** What ends the loading, and the server. */
  private serverEnds(): FatalLoadError {
    this.server.logger.log("warning", "Terminating server after rdb file reading failure.");
    return new FatalLoadError("Fatal error loading the DB, check server logs. Exiting.");
  }

  /** Keeps what INFO shows of a snapshot. */
  private noteFacts({ facts }: RdbLoader): void {
    this.snapshotMemory = Number(facts.get("used-mem") ?? 0);
    const id = facts.get("repl-id");
    const offset = Number(facts.get("repl-offset") ?? -1);
    if (id === undefined || !(offset >= 0)) return;
    this.replication = { id, offset, database: Number(facts.get("repl-stream-db") ?? -1) };
  }

  /**
   * A key was left out since its time has come. Replicas that go on from where the snapshot was made still have it: they are told.
   */
  private tellReplicas(database: number, key: Uint8Array): void {
    this.restoreHistory();
    this.server.journal.append(database, ["DEL", key]);
  }

  /** Has the server go on with the history that a snapshot, at its start, tells of; done once. */
  restoreHistory(): void {
    const { replication, server } = this;
    if (this.restored || !this.atStart || replication === null) return;
    this.restored = true;
    server.replication.restore(replication);
  }

  /**
   * Loads the snapshot in `input`, which a master has sent; `path` is what it is called.
   *
   * @throws {FatalLoadError} if it can't be loaded.
   */
  *fromMaster(input: InputFile, path: string): LoadSteps {
    this.totalBytes = input.size;
    try {
      yield* this.rdb({
        window: new RdbWindow(input),
        path,
        keepsExpired: true,
        broken: (error) => this.masterIsBroken(error, path),
      });
    } finally {
      this.window = null;
    }
  }

  /**
   * Loads the snapshot that a master is sending into `databases`.
   *
   * @throws {FatalLoadError} if it can't be loaded, or doesn't come to its end.
   */
  *fromStream(stream: SnapshotStream, databases: readonly Database[]): LoadSteps {
    const path = "the master's snapshot";
    this.totalBytes = Math.max(0, stream.totalBytes);
    try {
      yield* this.rdb({
        window: new RdbWindow(stream),
        path,
        keepsExpired: true,
        databases,
        arrival: (bytes) => stream.arrival(bytes),
        broken: (error) => this.masterIsBroken(error, path),
      });
      // Something may still be wrong with the way in which it ends.
      if (!stream.isEnded) yield stream.arrival(1);
      if (stream.isWhole && stream.isEmpty) return;
      throw this.masterIsBroken(new LoadError("Unexpected end", stream.receivedBytes), path);
    } finally {
      this.window = null;
    }
  }

  /** What a master has sent is broken. */
  private masterIsBroken(error: LoadError, path: string): FatalLoadError {
    this.logBroken(error, path);
    return new FatalLoadError(
      "Failed trying to load the MASTER synchronization DB, check server logs.",
    );
  }

  /**
   * Loads the files of an append-only file.
   *
   * @throws {FatalLoadError} if they can't be loaded.
   */
  *appendOnlyFile(manifest: AofManifest): LoadSteps {
    const { server, server: { files, logger, persistence: { aof } } } = this;
    const { folder } = aof.settings;
    const names = manifest.increments.map(({ name }) => name);
    if (manifest.base !== undefined) names.unshift(manifest.base.name);
    if (names.length === 0) return;
    for (const name of names) {
      try {
        const file = files.openToRead(`${folder}/${name}`);
        this.totalBytes += file.size;
        file.close();
      } catch (error) {
        throw new FatalLoadError(
          `Unable to obtain the AOF file ${name} length. stat: ${systemReason(error)}`,
        );
      }
    }
    const started = server.clock.monotonic();
    server.persistence.functions = [];
    const replay = new AofReplay(server, server.dispatcher.runner.context);
    for (const [index, name] of names.entries()) {
      const isBase = index === 0 && manifest.base !== undefined;
      const fileStarted = server.clock.monotonic();
      yield* this.aofFile(replay, `${folder}/${name}`, name, index === names.length - 1);
      const seconds = ((server.clock.monotonic() - fileStarted) / 1000).toFixed(3);
      logger.log(
        "notice",
        `DB loaded from ${isBase ? "base" : "incr"} file ${name}: ${seconds} seconds`,
      );
    }
    const seconds = ((server.clock.monotonic() - started) / 1000).toFixed(3);
    logger.log("notice", `DB loaded from append only file: ${seconds} seconds`);
  }

  /** Loads one file: a snapshot, commands, or commands behind a snapshot. What it tells of replication counts if nothing stands behind it. */
  private *aofFile(replay: AofReplay, path: string, name: string, isLast: boolean): LoadSteps {
    const { files } = this.server;
    const file = files.openToRead(path);
    const { size } = file;
    try {
      this.replication = null;
      if (size === 0) return;
      let position = 0;
      if (startsAsSnapshot(file)) {
        this.server.logger.log("notice", "Reading RDB preamble from AOF file...");
        file.seek(0);
        const window = new RdbWindow(file);
        yield* this.rdb({
          window,
          path: name,
          keepsExpired: true,
          broken: (error) => {
            this.logFatal(error, name);
            return this.serverEnds();
          },
        });
        this.server.logger.log("notice", "Reading the remaining AOF tail...");
        position = window.position;
      }
      file.seek(position);
      const window = new RdbWindow(file, position);
      window.checks = false;
      this.window = window;
      yield* this.commands(replay, window, path, name, isLast);
    } finally {
      file.close();
      this.window = null;
      this.doneBytes += size;
    }
  }

  /** Replays the commands in `window`. */
  private *commands(
    replay: AofReplay,
    window: RdbWindow,
    path: string,
    name: string,
    isLast: boolean,
  ): LoadSteps {
    replay.begin();
    this.countBy(() => replay.commands);
    try {
      for (;;) {
        const ended = replay.run(window, this.isTime);
        if (ended === REPLAY_ENDED) {
          // In a file before the last one, it is the base of what comes.
          this.replication = isLast ? replay.factsAt(window.position) : null;
          return;
        }
        if (ended === REPLAY_GOES_ON) yield this.takeDelay();
        else return this.cut(window.position, path, name, isLast, ended);
      }
    } catch (error) {
      if (error instanceof ReplayError) {
        throw new FatalLoadError(`${error.message} (${name}, at byte ${error.position})`);
      }
      // A command, or a transaction, that is longer than can be read.
      if (error instanceof RdbFormatError) {
        throw new FatalLoadError(`${error.what} (${name}, at byte ${window.position})`);
      }
      if (!(error instanceof ArenaFullError)) throw error;
      throw new FatalLoadError(`Out of memory loading ${name} at byte ${window.position}`);
    }
  }

  /** The file ends too early: it is cut behind its last whole command, if that is allowed. */
  private cut(position: number, path: string, name: string, isLast: boolean, how: number): void {
    const { files, logger, settings } = this.server;
    if (how === REPLAY_UNFINISHED_TRANSACTION) {
      logger.log(
        "warning",
        `Revert incomplete MULTI/EXEC transaction from AOF file ${name}`,
      );
    }
    if (!isLast) {
      throw new FatalLoadError(
        `Fatal error: the truncated file is not the last file (${name}, at byte ${position})`,
      );
    }
    if (!settings.isOn("aof-load-truncated")) {
      throw new FatalLoadError(
        `Unexpected end of file reading the append only file ${name}. You can: 1) Make a backup of ` +
          "your AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively " +
          "you can set the 'aof-load-truncated' configuration option to yes and restart the server.",
      );
    }
    logger.log("warning", `!!! Warning: short read while loading the AOF file ${name}!!!`);
    logger.log("warning", "AOF loaded anyway because aof-load-truncated is enabled");
    logger.log("warning", `Truncating the AOF ${name} at offset ${position}`);
    const file = files.openToAppend(path);
    try {
      // It lasts when the file is opened for writing, before anything comes behind.
      file.truncate(position);
    } catch (error) {
      throw new FatalLoadError(`Error truncating the AOF file ${name}: ${systemReason(error)}`);
    } finally {
      file.close();
    }
  }
}

/** Whether a file begins as a snapshot does. */
function startsAsSnapshot(file: InputFile): boolean {
  const head = new Uint8Array(RDB_MAGIC.length);
  let read = 0;
  while (read < head.length) {
    const count = file.read(head.subarray(read));
    if (count === 0) break;
    read += count;
  }
  return new TextDecoder("latin1").decode(head) === RDB_MAGIC;
}
