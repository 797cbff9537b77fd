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
import {
  type AofManifest,
  EMPTY_MANIFEST,
  ManifestError,
  manifestName,
  manifestOfOldFile,
  parseManifest,
  temporaryIncrementName,
  withoutHistory,
} from "../persistence/aof_manifest.ts";
import { checkRdb } from "../persistence/check_rdb.ts";
import type { ReplicationFacts } from "../persistence/rdb_file_writer.ts";
import { RDB_MAGIC } from "../persistence/rdb_format.ts";
import { LoadError } from "../persistence/rdb_frame.ts";
import { type LoadForm, RdbLoader } from "../persistence/rdb_loader.ts";
import { RdbFormatError } from "../persistence/rdb_reader.ts";
import { RdbWindow } from "../persistence/rdb_window.ts";
import { ArenaFullError } from "../memory/arena.ts";
import { folderOf, type InputFile, removeQuietly, systemReason } from "../runtime/files.ts";
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

/** The steps of a loading: each is a slice, and tells how many ms shall pass before the next one. */
export type LoadSteps = Generator<number, void, void>;

/** One loading; see the head of this file. */
export class Loading {
  /** Unix time in ms when it began. */
  readonly startedMs: number;
  /** Bytes of all files. */
  totalBytes = 0;
  /** What the snapshot says of replication; null for nothing. */
  replication: ReplicationFacts | null = null;
  /** Memory that the data took when the snapshot was made, or 0. */
  snapshotMemory = 0;
  /** Bytes of files that are done. */
  private doneBytes = 0;
  private window: RdbWindow | null = null;
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

  /** Loads into `server`; `atStart`: there was nothing before. */
  constructor(private readonly server: Server, private readonly atStart = false) {
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
      yield* this.rdb(new RdbWindow(file), path, false, merges);
      const seconds = (this.server.clock.monotonic() - started) / 1000;
      logger.log("notice", `DB loaded from disk: ${seconds.toFixed(3)} seconds`);
    } finally {
      file.close();
      this.window = null;
    }
  }

  /** Loads the snapshot in `window`. */
  private *rdb(window: RdbWindow, path: string, inAof: boolean, merges: boolean): LoadSteps {
    const { server, server: { logger, persistence } } = this;
    this.window = window;
    let loader: RdbLoader | null = null;
    const form: LoadForm = {
      limits: server.dispatcher.limits,
      keepsExpired: inAof || this.keepsForReplicas,
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
        yield this.takeDelay();
      }
    } catch (error) {
      if (error instanceof ArenaFullError) {
        logger.log("warning", "Short read or OOM loading DB. Unrecoverable error, aborting now.");
        throw new FatalLoadError(`Out of memory loading ${path} at byte ${window.position}`);
      }
      if (!(error instanceof LoadError)) throw error;
      throw this.rdbIsBroken(error, path, inAof);
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

  /** Tells the log what is wrong with a snapshot; the error that ends the loading. */
  private rdbIsBroken(error: LoadError, path: string, inAof: boolean): FatalLoadError {
    const { files, logger } = this.server;
    if (error.message.startsWith("Unexpected EOF")) {
      logger.log("warning", "Short read or OOM loading DB. Unrecoverable error, aborting now.");
    }
    logger.log(
      "warning",
      `Internal error in RDB reading offset ${error.position} of ${path} -> ${error.message}`,
    );
    // As `--check-rdb` does, which names the key and counts what is good. The base of an append-only file is its folder's.
    if (!inAof) {
      checkRdb(files, path, {
        print: (text) => logger.raw(text),
        confirm: () => false,
        progress: () => {},
      });
    }
    logger.log("warning", "Terminating server after rdb file reading failure.");
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
      yield* this.rdb(new RdbWindow(input), path, true, false);
    } finally {
      this.window = null;
    }
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
        yield* this.rdb(window, name, true, false);
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

  /**
   * The manifest of the append-only file, with files removed that no start needs any more, and with a file of versions before
   * 7.0 brought into the folder; one without files if there is nothing. `prepares`: whether the disk may be changed.
   *
   * @throws {FatalLoadError} if it can't be used.
   */
  readManifest(prepares: boolean): AofManifest {
    const { files, persistence: { aof } } = this.server;
    const { folder, name } = aof.settings;
    const path = `${folder}/${manifestName(name)}`;
    let manifest: AofManifest | null = null;
    try {
      if (files.exists(path)) manifest = parseManifest(files.readText(path));
    } catch (error) {
      if (!(error instanceof ManifestError)) {
        throw new FatalLoadError(
          `Fatal error: can't open the AOF manifest file ${manifestName(name)} for reading: ${
            systemReason(error)
          }`,
        );
      }
      for (const text of error.logTexts) this.server.logger.log("warning", text.trim());
      throw new FatalLoadError("Fatal error loading the AOF manifest, check server logs. Exiting.");
    }
    if (!prepares) return manifest ?? EMPTY_MANIFEST;
    try {
      return this.prepare(manifest);
    } catch (error) {
      throw new FatalLoadError(`Can't prepare the append-only file: ${systemReason(error)}`);
    }
  }

  /** Upgrades what is old, and removes what is left over. */
  private prepare(read: AofManifest | null): AofManifest {
    const { server, server: { files, logger, persistence: { aof } } } = this;
    const { folder, name } = aof.settings;
    const old = server.pathOf(name);
    let manifest = read ?? EMPTY_MANIFEST;
    const begun = manifest.base?.name === name && manifest.increments.length === 0 &&
      !files.exists(`${folder}/${name}`);
    if ((read === null || begun) && files.exists(old)) {
      logger.log(
        "notice",
        `Successfully migrated an old-style AOF configuration (${name}) into the AOF directory (${folder}).`,
      );
      files.makeFolder(folder);
      files.syncFolder(folderOf(folder));
      manifest = manifestOfOldFile(name);
      aof.storeManifestNow(manifest);
      // That this lasts is seen to when the file is opened.
      files.rename(old, `${folder}/${name}`);
    }
    removeQuietly(files, `${folder}/${temporaryIncrementName(name)}`);
    if (manifest.history.length > 0 && !aof.settings.keepsHistory) {
      for (const one of manifest.history) removeQuietly(files, `${folder}/${one.name}`);
      manifest = withoutHistory(manifest);
      aof.storeManifestNow(manifest);
    }
    return manifest;
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
