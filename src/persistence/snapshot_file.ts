/**
 * Snapshots as files: written under another name, made to last, and only then put in their place.
 *
 * @module
 */
import type { Keyspace } from "../keyspace/keyspace.ts";
import { DictWalk } from "../memory/dict_walk.ts";
import {
  type Files,
  folderOf,
  type OutputFile,
  removeQuietly,
  writeWhole,
} from "../runtime/files.ts";
import { RdbFileWriter, type SnapshotFacts, type SnapshotForm } from "./rdb_file_writer.ts";

/** After so many bytes the disk is asked to begin with them (`rdb-save-incremental-fsync`). */
const SYNC_STEP_BYTES = 4 * 1024 * 1024;

/** Writes to a file, and has it made to last bit by bit. */
class SyncingSink {
  private unsynced = 0;

  /** `steps`: whether not all of it is left for the end. */
  constructor(private readonly file: OutputFile, private readonly steps: boolean) {}

  /** Writes all of `bytes`. */
  write(bytes: Uint8Array): void {
    writeWhole((piece) => this.file.write(piece), bytes);
    this.unsynced += bytes.length;
    if (!this.steps || this.unsynced < SYNC_STEP_BYTES) return;
    this.unsynced = 0;
    this.file.syncNow();
  }
}

/** Writes the keys of all databases, one database after the other; `each` is called at each key. */
export function writeKeyspace(
  keyspace: Keyspace,
  form: SnapshotForm,
  facts: SnapshotFacts,
  sink: (bytes: Uint8Array) => void,
  each?: () => void,
): RdbFileWriter {
  const writer = new RdbFileWriter(keyspace, form, sink);
  const walk = new DictWalk();
  writer.begin(facts);
  for (const database of keyspace.databases) {
    if (database.size === 0) continue;
    writer.select(database.number);
    writer.sizes(database.size, database.volatile.length);
    walk.begin(keyspace.arena, database.dict);
    for (let entry = walk.next(); entry !== 0; entry = walk.next()) {
      writer.entry(entry);
      each?.();
    }
  }
  writer.end();
  return writer;
}

/**
 * Writes the file `path` by way of `temporary`, with what `write` gives to its sink, so that `path` is what it was or the new
 * file, whole and lasting.
 *
 * @throws {Error} as the system says; `temporary` is gone then.
 */
export function replaceFile(
  files: Files,
  path: string,
  temporary: string,
  steps: boolean,
  write: (sink: (bytes: Uint8Array) => void) => void,
): void {
  try {
    writeLasting(files, temporary, steps, write);
    files.rename(temporary, path);
    files.syncFolder(folderOf(path));
  } catch (error) {
    removeQuietly(files, temporary);
    throw error;
  }
}

/** Writes a file and makes its bytes last, but not yet its name. */
export function writeLasting(
  files: Files,
  path: string,
  steps: boolean,
  write: (sink: (bytes: Uint8Array) => void) => void,
): void {
  const file = files.create(path);
  try {
    const sink = new SyncingSink(file, steps);
    write((bytes) => sink.write(bytes));
    file.syncNow();
  } finally {
    file.close();
  }
}
