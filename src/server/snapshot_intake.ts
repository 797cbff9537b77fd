/**
 * How a replica takes a snapshot from its master: by way of a file, or, with `repl-diskless-load`, as it comes.
 *
 * @module
 */
import { type Peer, PeerError } from "../replication/peer.ts";
import { receiveSnapshot } from "../replication/snapshot_receiver.ts";
import { SnapshotStream } from "../replication/snapshot_stream.ts";
import { systemReason } from "../runtime/files.ts";
import { replaceByFile, replaceByStream } from "./data_replacement.ts";
import type { Server } from "./server.ts";
import { closeQuietly } from "./session.ts";
import { SnapshotSpool } from "./snapshot_spool.ts";

/** A snapshot on its way to this server. */
export interface Transfer {
  /** How long it will be, or -1 if nobody knows. */
  readonly totalBytes: number;
  /** Bytes that have come. */
  readonly receivedBytes: number;
  /** Unix time in ms when some came last, or when somebody began to wait for some. */
  readonly receivedMs: number;
  /** Whether somebody waits for bytes that the master hasn't sent. */
  readonly isStarving: boolean;
  /** Nobody wants it. */
  discard(): void;
}

/** Where a snapshot comes from, and who wants it. */
export interface Intake {
  /** Whose data it replaces. */
  readonly server: Server;
  /** The master. */
  readonly peer: Peer;
  /** Whether the data that there is belongs to the same history. */
  readonly continues: boolean;
  /** Whether anybody still wants it. */
  isCurrent(): boolean;
  /** Told of it when it begins. */
  began(transfer: Transfer): void;
  /** Called before the old data goes. */
  before(): void;
}

/**
 * Takes a snapshot and replaces the data by it; resolves to the database that is selected in the stream behind it, or to null if nobody
 * wants it any more.
 *
 * @throws {PeerError} if it doesn't come, or is broken: the data is what it was then.
 */
export function takeSnapshot(intake: Intake): Promise<number | null> {
  const { keyspace, settings } = intake.server;
  const mode = settings.text("repl-diskless-load");
  const isEmpty = keyspace.databases.every(({ size }) => size === 0);
  return mode === "swapdb" || (mode === "on-empty-db" && isEmpty)
    ? takeAsItComes(intake)
    : takeByFile(intake);
}

/** Keeps it in a file until it is whole, and looks through that before it is loaded. */
async function takeByFile(intake: Intake): Promise<number | null> {
  const { before, isCurrent, peer, server } = intake;
  const spool = await keeping(() => Promise.resolve(new SnapshotSpool(server)));
  intake.began(spool);
  await keeping(() =>
    receiveSnapshot(peer, {
      begins: (bytes) => {
        spool.totalBytes = bytes;
        logBegin(server, bytes, "disk");
      },
      receive: (bytes) => {
        if (isCurrent()) spool.write(bytes);
      },
    })
  );
  if (!isCurrent()) return null;
  const fault = await spool.check(isCurrent);
  if (fault !== null) throw new PeerError(`the snapshot is broken, the old data stays: ${fault}`);
  const input = await keeping(() => spool.open());
  if (!isCurrent() || input === null) return null;
  try {
    return await replaceByFile(server, { input, path: spool.path, before });
  } catch (error) {
    throw new PeerError((error as Error).message);
  } finally {
    input.close();
    spool.finished();
  }
}

/** What `action` gives; a failure to keep what comes as a {@linkcode PeerError}. */
async function keeping<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof PeerError || !(error instanceof Error)) throw error;
    throw new PeerError(`can't keep what it sends: ${systemReason(error)}`);
  }
}

/** Loads it while it comes. */
async function takeAsItComes(intake: Intake): Promise<number | null> {
  const { before, continues, isCurrent, peer, server } = intake;
  const stream = new SnapshotStream(() => server.clock.now());
  intake.began(stream);
  const servesOld = continues && server.settings.text("repl-diskless-load") === "swapdb";
  let loaded: Promise<number | Error> | null = null;
  let failure: unknown = null;
  try {
    await receiveSnapshot(peer, {
      begins: (bytes) => {
        stream.totalBytes = bytes;
        logBegin(server, bytes, "parser");
        // Without the rest, which nobody wants then, the connection is of no use.
        loaded = replaceByStream(server, { stream, servesOld, before })
          .catch((error: Error) => {
            stream.discard();
            closeQuietly(peer.connection);
            return error;
          });
      },
      receive: (bytes) => stream.write(bytes),
      ready: () => stream.room(),
    });
  } catch (error) {
    failure = error;
  }
  stream.end(failure === null && isCurrent());
  if (loaded === null) throw failure;
  const outcome = await (loaded as Promise<number | Error>);
  if (outcome instanceof Error) throw new PeerError(outcome.message);
  return outcome;
}

function logBegin({ logger }: Server, bytes: number, where: string): void {
  logger.log(
    "notice",
    bytes < 0
      ? `MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to ${where}`
      : `MASTER <-> REPLICA sync: receiving ${bytes} bytes from master to ${where}`,
  );
}
