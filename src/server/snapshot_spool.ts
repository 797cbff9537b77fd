/**
 * The file in which a snapshot is kept that comes from the master, until it is whole.
 *
 * It is looked through before the data makes way for it: whether it is whole, and nothing in it is broken or can't be loaded here.
 *
 * @module
 */
import { checkRdbSteps } from "../persistence/check_rdb.ts";
import { afterOthers } from "../runtime/clock.ts";
import {
  folderOf,
  type InputFile,
  type OutputFile,
  removeQuietly,
  writeWhole,
} from "../runtime/files.ts";
import type { Server } from "./server.ts";

/** A slice of looking through it lasts so long. */
const SLICE_MS = 5;
/** The disk is asked to take what has come after so many bytes. */
const SYNC_STEP_BYTES = 8 * 1024 * 1024;

/** A snapshot on its way to this server; see the head of this file. */
export class SnapshotSpool {
  /** How long it will be, or -1 if nobody knows. */
  totalBytes: number = -1;
  /** Bytes that have come. */
  receivedBytes = 0;
  /** Unix time in ms when some came last. */
  receivedMs: number;
  /** Nothing waits for it but the check at its end. */
  readonly isStarving = false;
  private file: OutputFile | null;
  private unsynced = 0;
  private syncing = false;
  private readonly temporary: string;

  /** For the data of `server`. */
  constructor(private readonly server: Server) {
    const { clock } = server;
    this.receivedMs = clock.now();
    this.temporary = server.pathOf(`temp-${Math.floor(clock.now() / 1000)}.${Deno.pid}.rdb`);
    this.file = server.files.create(this.temporary);
  }

  /** What it is called in the log. */
  get path(): string {
    return this.server.persistence.snapshots.settings.path;
  }

  /**
   * Takes bytes, which are only good during the call.
   *
   * @throws {Error} as the system says.
   */
  write(bytes: Uint8Array): void {
    this.receivedBytes += bytes.length;
    this.receivedMs = this.server.clock.now();
    const { file } = this;
    if (file === null) return;
    writeWhole((piece) => file.write(piece), bytes);
    this.unsynced += bytes.length;
    if (this.unsynced < SYNC_STEP_BYTES || this.syncing) return;
    this.unsynced = 0;
    this.syncing = true;
    file.sync().catch(() => {}).then(() => this.syncing = false);
  }

  /** Looks through all of it; what is wrong with it, or null. */
  async check(isCurrent: () => boolean): Promise<string | null> {
    const { clock } = this.server;
    const lines: string[] = [];
    const input = this.server.files.openToRead(this.temporary);
    try {
      const steps = checkRdbSteps(input, this.path, {
        print: (line) => lines.push(line),
        confirm: () => false,
        progress: () => {},
      });
      for (let sliceMs = clock.monotonic();;) {
        const { done, value } = steps.next();
        if (done) return value.isValid ? null : faultOf(lines);
        if (clock.monotonic() - sliceMs < SLICE_MS) continue;
        await new Promise<void>((resolve) => afterOthers(resolve));
        if (!isCurrent()) return null;
        sliceMs = clock.monotonic();
      }
    } finally {
      input.close();
    }
  }

  /**
   * It is whole: it becomes the server's snapshot. What is to be loaded; null if nobody wants it any more.
   *
   * @throws {Error} as the system says.
   */
  async open(): Promise<InputFile | null> {
    const { files, persistence: { snapshots: { settings: { path } } } } = this.server;
    const { file } = this;
    if (file === null) return null;
    // The next start may find it under its new name: its bytes have to be there before.
    await file.sync();
    if (this.file === null) return null;
    file.close();
    this.file = null;
    files.rename(this.temporary, path);
    // Until that lasts, there is the old one.
    files.syncFolderAside(folderOf(path)).catch(() => {});
    return files.openToRead(path);
  }

  /** It is loaded. */
  finished(): void {
    const { files, persistence: { aof, snapshots: { settings: { path, savePoints } } }, settings } =
      this.server;
    const isKept = savePoints.length > 0 || aof.state !== "off" ||
      !settings.isOn("rdb-del-sync-files");
    if (!isKept) removeQuietly(files, path);
  }

  /** Nobody wants it. */
  discard(): void {
    if (this.file === null) return;
    this.file.close();
    this.file = null;
    removeQuietly(this.server.files, this.temporary);
  }
}

/** The line that says what is wrong, of all that a check has printed. */
function faultOf(lines: readonly string[]): string {
  return lines.findLast((line) => line.startsWith("[offset") || line.startsWith("Cannot")) ??
    "it can't be read";
}
