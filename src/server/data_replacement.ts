/**
 * How a replica's data makes way for its master's.
 *
 * **By a file.** The snapshot has come as a whole and is known to be good. What was there goes, and clients are told to wait
 * while the new data is loaded.
 *
 * **While it comes** (`repl-diskless-load`). Without data there is nothing to lose, so it is loaded where clients will find it. Else
 * it is loaded beside the old data (`keyspace/replacement.ts`), which it replaces once it is whole. If the old data is an older state
 * of the same history, clients may go on with it meanwhile; what has to do with the disk or with replication waits.
 *
 * Nothing of this goes through the journal: the append-only file is written anew afterwards, in the background.
 *
 * @module
 */
import { flushDatabases } from "../keyspace/flushing.ts";
import { discardSpare, replaceDatabases, spareDatabases } from "../keyspace/replacement.ts";
import type { SnapshotStream } from "../replication/snapshot_stream.ts";
import type { InputFile } from "../runtime/files.ts";
import { Loading } from "./loading.ts";
import type { Server } from "./server.ts";

/** A snapshot that has come, and what it replaces. */
export interface FileReplacement {
  /** The snapshot. */
  readonly input: InputFile;
  /** What it is called. */
  readonly path: string;
  /** Called before the old data goes. */
  before(): void;
}

/** A snapshot that comes, and what it replaces. */
export interface StreamReplacement {
  /** The snapshot. */
  readonly stream: SnapshotStream;
  /** Whether clients go on with the old data until it is replaced. */
  readonly servesOld: boolean;
  /** Called before the old data goes. */
  before(): void;
}

/**
 * Replaces the data of `server` by a snapshot that has come; resolves to the database that is selected in the stream behind it.
 *
 * @throws {Error} if it can't be loaded; there is no data then.
 */
export function replaceByFile(
  server: Server,
  { before, input, path }: FileReplacement,
): Promise<number> {
  const { keyspace, logger, persistence, settings } = server;
  before();
  logger.log("notice", "MASTER <-> REPLICA sync: Flushing old data");
  const goOn = suspendFiles(server);
  flushDatabases(keyspace, keyspace.databases, settings.isOn("replica-lazy-flush"));
  forgetOld(server);
  logger.log("notice", "MASTER <-> REPLICA sync: Loading DB in memory");
  const loading = new Loading(server);
  return persistence.load(loading, loading.fromMaster(input, path)).then(() => {
    goOn();
    return databaseOf(loading);
  }, (error) => {
    // What there is of it is no data that anybody has had.
    flushDatabases(keyspace, keyspace.databases, false);
    goOn();
    throw error;
  });
}

/**
 * Replaces the data of `server` by a snapshot that comes; resolves to the database that is selected in the stream behind it.
 *
 * @throws {Error} if it can't be loaded, or doesn't come to its end; the data is what it was then.
 */
export function replaceByStream(
  server: Server,
  replacement: StreamReplacement,
): Promise<number> {
  const { logger, keyspace: { databases } } = server;
  logger.log("notice", "MASTER <-> REPLICA sync: Loading DB in memory");
  const isEmpty = databases.every(({ size }) => size === 0);
  return isEmpty ? fill(server, replacement) : swap(server, replacement);
}

/** Loads what comes where nothing is. */
async function fill(server: Server, { before, stream }: StreamReplacement): Promise<number> {
  const { keyspace, persistence } = server;
  before();
  const goOn = suspendFiles(server);
  const loading = new Loading(server);
  try {
    await persistence.load(loading, loading.fromStream(stream, keyspace.databases));
    return databaseOf(loading);
  } catch (error) {
    flushDatabases(keyspace, keyspace.databases, false);
    throw error;
  } finally {
    goOn();
  }
}

/** Loads what comes beside what is there. */
async function swap(
  server: Server,
  { before, servesOld, stream }: StreamReplacement,
): Promise<number> {
  const { keyspace, logger, persistence } = server;
  const loading = new Loading(server, { isAsync: servesOld });
  try {
    await persistence.load(loading, loading.fromStream(stream, spareDatabases(keyspace)));
  } catch (error) {
    logger.log("notice", "MASTER <-> REPLICA sync: Discarding temporary DB in background");
    discardSpare(keyspace, true);
    throw error;
  }
  before();
  const goOn = suspendFiles(server);
  logger.log("notice", "MASTER <-> REPLICA sync: Swapping active DB with loaded DB");
  // Whatever 'replica-lazy-flush' says: this is to be a moment that nobody notices.
  replaceDatabases(keyspace, true);
  forgetOld(server);
  logger.log("notice", "MASTER <-> REPLICA sync: Discarding old DB in background");
  goOn();
  return databaseOf(loading);
}

/** Nothing is written any more of what changes; what it returns has all that is there by then written anew. */
function suspendFiles(server: Server): () => void {
  const { journal, keyspace, persistence: { aof, snapshots }, settings } = server;
  const hasAof = aof.state !== "off";
  if (hasAof) aof.turnOff();
  snapshots.cancel();
  journal.muted = true;
  return () => {
    journal.muted = false;
    keyspace.dirty = 0;
    snapshots.forgetChanges();
    if (hasAof && settings.isOn("appendonly") && !server.isStopping) aof.turnOn();
  };
}

/** The old data has gone: nobody is to know anything of it. */
function forgetOld({ clients, replication }: Server): void {
  replication.ownExpiries.forgetAll();
  clients.tracking.afterTurn();
}

function databaseOf({ replication }: Loading): number {
  return replication?.database ?? 0;
}
