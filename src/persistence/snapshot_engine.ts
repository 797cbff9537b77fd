/**
 * Who writes a snapshot while the server goes on, as the snapshots and the append-only file see it.
 *
 * A snapshot is of one instant, that of {@linkcode SnapshotEngine.start}, which is between two commands. One is written at a
 * time, whoever it is for.
 *
 * @module
 */
import type { Keyspace } from "../keyspace/keyspace.ts";
import { afterOthers } from "../runtime/clock.ts";
import { type Files, folderOf, removeQuietly, systemReason, writeWhole } from "../runtime/files.ts";
import { writeCommands } from "./aof_commands.ts";
import type { SnapshotFacts, SnapshotForm } from "./rdb_file_writer.ts";
import { writeKeyspace } from "./snapshot_file.ts";

/** What is to be written. */
export interface SnapshotOrder {
  /** The file that it is written to, and made to last; null if it goes to whoever asked, piece by piece, and to no file. */
  readonly temporary: string | null;
  /** The name that it gets then, which is made to last too; null if whoever asks gives it one. */
  readonly target: string | null;
  /** As commands instead of RDB. */
  readonly asCommands: boolean;
  /** How it is written. */
  readonly form: SnapshotForm;
  /** What it says besides keys. */
  readonly facts: SnapshotFacts;
  /** Whether the disk gets it bit by bit. */
  readonly syncsInSteps: boolean;
  /** For tests: microseconds to wait at each key. */
  readonly keyDelay: number;
}

/** Takes the pieces of a snapshot that goes to no file; each stays as it is until it is {@linkcode SnapshotJob.taken}. */
export type PieceReceiver = (bytes: Uint8Array) => void;

/** So many pieces may wait until somebody says that they are taken. */
export const PIECES_LIMIT = 16;

/** A snapshot that is being written. */
export interface SnapshotJob {
  /** Keys that have been written. */
  readonly processed: number;
  /** Bytes of memory that it takes now beside the data. */
  readonly extraBytes: number;
  /** Gives it up; its file is removed, and nobody is told. */
  cancel(): void;
  /** The oldest piece that was handed over isn't needed any more. */
  taken(): void;
}

/** How a snapshot has ended. */
export interface SnapshotResult {
  /** Why it wasn't written; null if it was. */
  readonly error: string | null;
  /** Bytes of memory that it took beside the data, at most. */
  readonly extraBytes: number;
}

/** Writes snapshots; see the head of this file. */
export interface SnapshotEngine {
  /** Writes one of the data as it is now, and tells how that has ended; `receive`, needed if it goes to no file, gets it then. */
  start(
    order: SnapshotOrder,
    ended: (result: SnapshotResult) => void,
    receive?: PieceReceiver,
  ): SnapshotJob;
  /** Ends what it keeps running between snapshots. */
  stop(): void;
}

/** Bytes that are written at once. */
const PIECE_BYTES = 256 * 1024;

/**
 * Writes snapshots without anybody's help: all of the data is put together at once, in memory, and written bit by bit. For
 * tests and small data; it makes everybody wait as long as there is data.
 */
export class PlainSnapshotEngine implements SnapshotEngine {
  /** Writes what is in `keyspace` to `files`. */
  constructor(private readonly keyspace: Keyspace, private readonly files: Files) {}

  /** See {@linkcode SnapshotEngine}. */
  start(
    order: SnapshotOrder,
    ended: (result: SnapshotResult) => void,
    receive?: PieceReceiver,
  ): SnapshotJob {
    const pieces: Uint8Array[] = [];
    const keep = (bytes: Uint8Array): void => {
      pieces.push(bytes.slice());
    };
    if (order.asCommands) writeCommands(this.keyspace, order.facts, keep);
    else writeKeyspace(this.keyspace, order.form, order.facts, keep);
    const job = new PlainJob(this.files, order, pieces);
    const { temporary } = order;
    const result = temporary === null ? job.stream(receive!) : job.run(temporary);
    result.then(ended);
    return job;
  }

  /** Nothing is kept. */
  stop(): void {}
}

/** Writes the pieces of a snapshot. */
class PlainJob implements SnapshotJob {
  processed = 0;
  readonly extraBytes: number;
  private cancelled = false;
  private untaken = 0;
  private goOn: () => void = () => {};

  constructor(
    private readonly files: Files,
    private readonly order: SnapshotOrder,
    private readonly pieces: readonly Uint8Array[],
  ) {
    this.extraBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  cancel(): void {
    this.cancelled = true;
    const { temporary } = this.order;
    if (temporary !== null) removeQuietly(this.files, temporary);
  }

  taken(): void {
    this.untaken--;
    this.goOn();
  }

  /** Hands everything over; never settles if it is cancelled. */
  async stream(receive: PieceReceiver): Promise<SnapshotResult> {
    await this.turn();
    for (const piece of this.pieces) {
      while (this.untaken >= PIECES_LIMIT) {
        await new Promise<void>((resolve) => this.goOn = resolve);
      }
      this.untaken++;
      receive(piece);
      await this.turn();
    }
    return { error: null, extraBytes: this.extraBytes };
  }

  /** Writes everything to a file; never settles if it is cancelled. */
  async run(temporary: string): Promise<SnapshotResult> {
    const { files, order: { target } } = this;
    try {
      await this.turn();
      const file = files.create(temporary);
      try {
        for (const piece of this.pieces) {
          for (let from = 0; from < piece.length; from += PIECE_BYTES) {
            writeWhole((bytes) => file.write(bytes), piece.subarray(from, from + PIECE_BYTES));
            await this.turn();
          }
        }
        await file.sync();
        await this.turn();
      } finally {
        file.close();
      }
      if (target !== null) {
        files.rename(temporary, target);
        await files.syncFolderAside(folderOf(target));
        await this.turn();
      }
      return { error: null, extraBytes: this.extraBytes };
    } catch (error) {
      removeQuietly(files, temporary);
      return { error: systemReason(error), extraBytes: this.extraBytes };
    }
  }

  /** Lets others have a turn. */
  private turn(): Promise<void> {
    return new Promise((resolve) =>
      afterOthers(() => {
        if (!this.cancelled) resolve();
      })
    );
  }
}
