/**
 * Writes snapshots in a worker, on another core where there is one, while the server goes on.
 *
 * @module
 */
import type { Keyspace } from "../keyspace/keyspace.ts";
import { FrozenPages } from "../memory/frozen_pages.ts";
import { folderOf, removeQuietly, systemFiles, systemReason } from "../runtime/files.ts";
import { frozenData } from "./frozen_snapshot.ts";
import {
  type PieceReceiver,
  PIECES_LIMIT,
  type SnapshotEngine,
  type SnapshotJob,
  type SnapshotOrder,
  type SnapshotResult,
} from "./snapshot_engine.ts";
import {
  CONTROL_CANCEL,
  CONTROL_KEYS,
  CONTROL_KIBIBYTES,
  CONTROL_UNTAKEN,
  CONTROL_WORDS,
  PIECE_BYTES,
  type SnapshotPiece,
  type SnapshotRequest,
} from "./snapshot_request.ts";
import { startSnapshotWorker, type StartWorker } from "./worker_start.ts";

/** What the worker is writing. */
interface CurrentSnapshot {
  readonly pages: FrozenPages;
  /** Told how it ends; null if it was given up. */
  ended: ((result: SnapshotResult) => void) | null;
  /** See {@linkcode SnapshotOrder}. */
  readonly temporary: string | null;
  readonly target: string | null;
  /** Gets the pieces, if it goes to no file, */
  readonly receive: PieceReceiver | undefined;
  /** which take turns in the places of this memory. */
  readonly room: SharedArrayBuffer | null;
  /** How many have come. */
  pieces: number;
}

/** Has a worker write snapshots; see the head of this file. */
export class WorkerSnapshotEngine implements SnapshotEngine {
  private port: MessagePort | null = null;
  private end: () => void = () => {};
  private current: CurrentSnapshot | null = null;

  /** Writes what is in `keyspace`; `start` starts the worker when there is something to write for the first time. */
  constructor(
    private readonly keyspace: Keyspace,
    private readonly startWorker: StartWorker = startSnapshotWorker,
  ) {}

  /** See {@linkcode SnapshotEngine}. */
  start(
    order: SnapshotOrder,
    ended: (result: SnapshotResult) => void,
    receive?: PieceReceiver,
  ): SnapshotJob {
    // The worker hasn't found out yet that it needn't go on with the last one.
    if (this.current !== null) this.stop();
    const port = this.port ?? this.connect();
    const pages = new FrozenPages(this.keyspace.arena);
    const control = new SharedArrayBuffer(CONTROL_WORDS * 4);
    const data = frozenData(this.keyspace, pages.memory);
    const { target, temporary } = order;
    const room = temporary === null ? new SharedArrayBuffer(PIECES_LIMIT * PIECE_BYTES) : null;
    const current: CurrentSnapshot = { pages, ended, target, temporary, receive, room, pieces: 0 };
    this.current = current;
    port.postMessage({ order, data, control, room } satisfies SnapshotRequest);
    const words = new Int32Array(control);
    return {
      get processed(): number {
        return Atomics.load(words, CONTROL_KEYS);
      },
      get extraBytes(): number {
        return pages.copiedBytes + Atomics.load(words, CONTROL_KIBIBYTES) * 1024;
      },
      cancel: () => {
        // What is frozen stays so until the worker answers: it must not read what changes.
        Atomics.store(words, CONTROL_CANCEL, 1);
        current.ended = null;
        Atomics.notify(words, CONTROL_UNTAKEN);
      },
      taken: () => {
        Atomics.sub(words, CONTROL_UNTAKEN, 1);
        Atomics.notify(words, CONTROL_UNTAKEN);
      },
    };
  }

  /** See {@linkcode SnapshotEngine}. */
  stop(): void {
    const { current } = this;
    this.current = null;
    this.port?.close();
    this.port = null;
    this.end();
    this.end = () => {};
    if (current === null) return;
    current.pages.end();
    if (current.temporary !== null) removeQuietly(systemFiles, current.temporary);
  }

  /** Starts the worker. */
  private connect(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<SnapshotPiece | SnapshotResult>) => {
      if ("pieceBytes" in data) this.brought(data.pieceBytes);
      else this.answered(data);
    };
    this.end = this.startWorker(port2, (reason) => this.failed(reason));
    this.port = port1;
    return port1;
  }

  /** The worker has ended by itself; there will be another one when it is needed. */
  private failed(reason: string): void {
    const { current } = this;
    this.stop();
    current?.ended?.({ error: `the snapshot worker failed: ${reason}`, extraBytes: 0 });
  }

  /** The worker has another piece. */
  private brought(bytes: number): void {
    const { current } = this;
    if (current === null || current.ended === null || current.room === null) return;
    const place = current.pieces++ % PIECES_LIMIT;
    current.receive?.(new Uint8Array(current.room, place * PIECE_BYTES, bytes));
  }

  /** The worker is done with the oldest order. */
  private answered(result: SnapshotResult): void {
    const { current } = this;
    if (current === null) return;
    this.current = null;
    current.pages.end();
    // With the worker goes all that it had: the server's memory too, which its collector might not look for in days.
    this.stop();
    const extraBytes = current.pages.copiedBytes + result.extraBytes;
    nameSnapshot(current, result.error).then((error) => current.ended?.({ error, extraBytes }));
  }
}

/** Gives a snapshot that was written its name, unless it was given up; what has gone wrong, or null. */
async function nameSnapshot(
  { ended, target, temporary }: CurrentSnapshot,
  error: string | null,
): Promise<string | null> {
  if (temporary === null) return error;
  if (ended === null) removeQuietly(systemFiles, temporary);
  if (ended === null || error !== null || target === null) return error;
  try {
    systemFiles.rename(temporary, target);
    await systemFiles.syncFolderAside(folderOf(target));
    return null;
  } catch (problem) {
    removeQuietly(systemFiles, temporary);
    return systemReason(problem);
  }
}
