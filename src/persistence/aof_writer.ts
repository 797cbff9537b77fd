/**
 * The end of an append-only file: takes changes, writes them, and makes them last.
 *
 * **Offsets** are those of the journal. What stands before `written` is in a file and outlives the process; what stands
 * before `durable` outlives a power cut. With `appendfsync always` replies wait for that (`OutputGate`): while one sync
 * runs, all that is said meanwhile gathers for the next.
 *
 * **What goes wrong.** With `always`, the server ends: it can't take back what it said. Otherwise changes are refused
 * until it is mended. A write that failed is tried again. A sync that failed isn't: the system may have dropped what it
 * couldn't write, and say afterwards that all is well. Whoever owns the files is told, and has the data written anew.
 *
 * @module
 */
import type { Journal } from "../keyspace/journal.ts";
import { ByteAccumulator } from "../protocol/byte_accumulator.ts";
import { type OutputFile, systemReason, writeWhole } from "../runtime/files.ts";
import type { LogLevel } from "../runtime/logging.ts";
import { type PacingHost, SyncPacing } from "./sync_pacing.ts";

/** With `everysec`, a sync begins when the last one began so long ago: half a second leaves as much for it to take. */
const SYNC_INTERVAL_MS = 500;
/** While a sync runs, writes wait for it, but not longer than this: the system may have a write wait for the sync to end. */
const POSTPONE_MS = 200;
/** A write that failed is tried again after so long. */
const RETRY_MS = 1000;

/** When what was appended is made to last. */
export type SyncPolicy = "always" | "everysec" | "no";

/** How changes are written. */
export interface AofWriterSettings {
  /** `appendfsync`. */
  readonly policy: SyncPolicy;
  /** `aof-timestamp-enabled`. */
  readonly timestamps: boolean;
}

/** What the writing needs of its server. */
export interface AofWriterHost extends PacingHost {
  /** Changes. */
  readonly journal: Journal;
  /** Whether changes are being handed over in the turns of a round, which ends with {@linkcode AofWriter.flush}. */
  readonly inRound: boolean;
  /** Unix time in ms. */
  now(): number;
  /** Lets so many microseconds pass, while everybody waits. */
  pause(microseconds: number): void;
  /** Writes a line of the log. */
  log(level: LogLevel, line: string): void;
  /** Everything before this offset of the journal is on the disk. */
  becameDurable(offset: number): void;
  /** The server can't keep what it has promised: it ends. */
  fail(line: string): void;
}

/** Writes changes to one increment after the other; see the head of this file. */
export class AofWriter {
  /** Offset of the journal before which everything is on the disk. */
  durable = 0;
  /** Bytes that were written since whoever counts them has set it to 0. */
  appendedBytes = 0;
  /** How often a write didn't wait for a sync any longer. */
  delayedSyncs = 0;
  /** For tests (`DEBUG AOF-FLUSH-SLEEP`): microseconds that pass before each write. */
  flushDelay = 0;
  /** Why the last write failed; null if it didn't. */
  writeError: string | null = null;
  /** Why a sync failed; null if the files are sound. */
  syncError: string | null = null;
  private file: OutputFile | null = null;
  private readonly buffer = new ByteAccumulator();
  /** Offset of the journal before which everything is in a file. */
  private written = 0;
  private syncing = false;
  private readonly pacing: SyncPacing;
  private readonly syncNow = (): void => {
    if (this.isBehind) this.startSync();
  };
  /** Between two increments: nothing is written. */
  private holding = false;
  private syncStartedMs = 0;
  private postponedMs = -1;
  private retryMs = 0;
  /** The second that the last timestamp names. */
  private stampedSecond = 0;
  /** Counts what is under way and may be overtaken: a sync that ends after {@linkcode interrupt} says nothing. */
  private generation = 0;
  private readonly listener = (bytes: Uint8Array): void => this.append(bytes);

  /** Writes the changes of `host`; `lost` is called when a sync has failed, so that only writing the data anew helps. */
  constructor(
    private readonly host: AofWriterHost,
    private readonly settings: AofWriterSettings,
    private readonly lost: () => void,
  ) {
    this.pacing = new SyncPacing(host);
  }

  /** Bytes that aren't in a file yet. */
  get bufferedBytes(): number {
    return this.buffer.length;
  }

  /** Whether a sync is under way. */
  get syncPending(): boolean {
    return this.syncing;
  }

  /** Why changes are refused; null if they aren't. */
  get refusal(): string | null {
    const reason = this.writeError ?? this.syncError;
    return reason === null ? null : `MISCONF Errors writing to the AOF file: ${reason}`;
  }

  /** Whether a sync is wanted: something that is written isn't on the disk, nor on its way there. */
  private get isBehind(): boolean {
    return this.durable < this.written && !this.syncing && !this.holding;
  }

  /** Takes changes from now on; a base has, or will have, all that there was before. */
  begin(): void {
    const { journal } = this.host;
    this.buffer.take();
    journal.listen(this.listener);
    this.written = journal.offset;
    this.durable = journal.offset;
    this.writeError = null;
    this.syncError = null;
    this.syncStartedMs = this.host.now();
    this.stampedSecond = 0;
  }

  /** Changes go to `file` from now on. */
  use(file: OutputFile): void {
    this.file?.close();
    this.file = file;
  }

  /** Takes changes over, whose bytes are only good during the call. */
  private append(bytes: Uint8Array): void {
    if (this.settings.timestamps) this.stamp();
    this.buffer.appendBytes(bytes);
    if (!this.host.inRound) this.flush();
  }

  /** Notes the time in the file, once a second at most. */
  private stamp(): void {
    const second = Math.floor(this.host.now() / 1000);
    if (second <= this.stampedSecond) return;
    this.stampedSecond = second;
    this.buffer.appendLatin1(`#TS:${second}\r\n`);
  }

  /** Writes what has gathered; before replies to it leave. */
  flush(): void {
    this.writeGathered(false);
    if (this.settings.policy === "always" && !this.host.inRound) this.syncBehind();
  }

  /** Writes what has gathered, whatever speaks for waiting; whether nothing is left. It is synced later, or by who calls. */
  flushNow(): boolean {
    this.writeGathered(true);
    return this.buffer.length === 0;
  }

  /** Replies have been sent, or wait now: with `always`, what they wait for is synced. */
  afterSending(): void {
    if (this.settings.policy === "always" && this.file !== null) this.syncBehind();
  }

  /** Writes what has gathered, if it may be written. */
  private writeGathered(force: boolean): void {
    if (this.buffer.length > 0 && this.file !== null && !this.holding && this.mayWrite(force)) {
      this.write(this.file);
    }
  }

  /** Whether a write isn't better put off: the last one failed just now, or a sync is under way. */
  private mayWrite(force: boolean): boolean {
    if (this.writeError !== null) return force || this.host.now() >= this.retryMs;
    if (!this.syncing || this.settings.policy !== "everysec" || force) return true;
    const now = this.host.now();
    if (this.postponedMs < 0) this.postponedMs = now;
    if (now - this.postponedMs < POSTPONE_MS && now >= this.postponedMs) return false;
    this.delayedSyncs++;
    return true;
  }

  /** Writes all that has gathered to the increment. */
  private write(file: OutputFile): void {
    this.postponedMs = -1;
    const { journal } = this.host;
    if (this.flushDelay > 0) this.host.pause(this.flushDelay);
    const before = file.size;
    const bytes = this.buffer.take();
    try {
      writeWhole((piece) => file.write(piece), bytes);
    } catch (error) {
      return this.writeFailed(file, before, bytes, error);
    }
    this.appendedBytes += bytes.length;
    this.written = journal.offset;
    this.buffer.recycle(bytes);
    if (this.writeError === null) return;
    this.writeError = null;
    this.host.log("warning", "AOF write error looks solved, Redis can write again.");
  }

  /** A write has failed, maybe after a part of it: what is in the file must end with a whole change. */
  private writeFailed(file: OutputFile, before: number, bytes: Uint8Array, error: unknown): void {
    const reason = systemReason(error);
    const done = file.size - before;
    if (this.writeError === null || done > 0) {
      this.host.log(
        "warning",
        done > 0
          ? `Short write while writing to the AOF file: (nwritten=${done}, expected=${bytes.length})`
          : `Error writing to the AOF file: ${reason}`,
      );
    }
    const left = done > 0 && !this.takeBack(file, before) ? bytes.subarray(done) : bytes;
    this.appendedBytes += bytes.length - left.length;
    // What has come since stands behind it.
    const behind = this.buffer.length > 0 ? this.buffer.take() : null;
    this.buffer.appendBytes(left);
    if (behind !== null) this.buffer.appendBytes(behind);
    this.writeError = reason;
    this.retryMs = this.host.now() + RETRY_MS;
    if (this.settings.policy !== "always") return;
    this.host.fail(
      "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...",
    );
  }

  /** Cuts a file back to `size` bytes; false if it can't: then what is there stays there, and the rest belongs behind it. */
  private takeBack(file: OutputFile, size: number): boolean {
    try {
      file.truncate(size);
      return true;
    } catch (problem) {
      this.host.log(
        "warning",
        "Could not remove short write from the append-only file. The file may be corrupted until " +
          `the rest is written. ftruncate: ${systemReason(problem)}`,
      );
      return false;
    }
  }

  /** With `always`: syncs what is written, if that isn't under way, once it is time. */
  private syncBehind(): void {
    if (this.isBehind) this.pacing.whenReady(this.syncNow);
  }

  /** Begins a sync of what is written. */
  private startSync(): void {
    const { file, generation, written } = this;
    if (file === null) return;
    this.syncing = true;
    this.syncStartedMs = this.host.now();
    this.pacing.began();
    file.sync().then(
      () => this.synced(generation, written),
      (error) => this.syncFailed(generation, error),
    );
  }

  /** A sync has ended; everything before `offset` was written when it began. */
  private synced(generation: number, offset: number): void {
    if (generation !== this.generation) return;
    this.syncing = false;
    this.pacing.ended();
    this.settle(offset);
    if (this.postponedMs >= 0) this.flush();
    if (this.settings.policy === "always") this.syncBehind();
  }

  /** Everything before `offset` is on the disk now, unless an earlier part is lost. */
  private settle(offset: number): void {
    if (offset <= this.durable || this.syncError !== null) return;
    this.durable = offset;
    this.host.becameDurable(offset);
  }

  /** A sync has failed. */
  private syncFailed(generation: number, error: unknown): void {
    if (generation !== this.generation) return;
    this.syncing = false;
    this.noteLoss(systemReason(error));
  }

  /** What was written may be lost, whatever a later sync says. */
  noteLoss(reason: string): void {
    if (this.settings.policy === "always") {
      this.host.fail(
        "Can't persist AOF for fsync error when the AOF fsync policy is 'always': " +
          `${reason}. Exiting...`,
      );
      return;
    }
    this.host.log("warning", `Fail to fsync the AOF file: ${reason}`);
    this.syncError = reason;
    this.lost();
  }

  /** All that was lost is in a new base. */
  noteRepair(): void {
    if (this.syncError === null) return;
    this.syncError = null;
    this.host.log("warning", "AOF fsync error looks solved, Redis can write again.");
  }

  /** What is due; called ten times a second. `pauses`: whether nothing is synced for now. */
  tick(pauses: boolean): void {
    this.flush();
    const now = this.host.now();
    const due = now - this.syncStartedMs >= SYNC_INTERVAL_MS || now < this.syncStartedMs;
    if (this.settings.policy !== "everysec" || !due || pauses) return;
    if (this.isBehind && this.syncError === null) this.startSync();
  }

  /** Nothing is written until {@linkcode goOn}. */
  hold(): void {
    this.holding = true;
  }

  /** What has gathered is written, and what comes. */
  goOn(): void {
    this.holding = false;
    this.flush();
  }

  /**
   * Syncs what is written, which is everything before `offset`; nothing to do if some of it may be lost already.
   *
   * @throws {Error} as the system says; what was written may be lost then.
   */
  async syncUpTo(offset: number): Promise<void> {
    const { file, generation } = this;
    if (file === null || this.syncError !== null) return;
    try {
      await file.sync();
    } catch (error) {
      if (generation === this.generation) this.noteLoss(systemReason(error));
      throw error;
    }
    if (generation === this.generation) this.settle(offset);
  }

  /** Everything is written and made to last, while everybody waits; `note`, if there is one, stands behind it. */
  makeLast(note: string | null): void {
    if (note !== null && this.refusal === null) this.buffer.appendLatin1(note);
    this.interrupt();
    if (this.file === null) return;
    try {
      this.file.syncNow();
      this.settle(this.written);
    } catch (error) {
      this.noteLoss(systemReason(error));
    }
  }

  /** Takes no more changes; what there is is written and made to last, as far as that can be. */
  close(): void {
    const { host } = this;
    host.journal.unlisten(this.listener);
    this.interrupt();
    try {
      this.file?.syncNow();
      this.settle(this.written);
    } catch (error) {
      host.log("warning", `Fail to fsync the AOF file: ${systemReason(error)}`);
    }
    this.file?.close();
    this.file = null;
    // What couldn't be written is in the data, and so in the next base.
    this.buffer.take();
    this.writeError = null;
    this.syncError = null;
  }

  /** Writes everything, and ends what is under way: syncs, and waiting for another increment. */
  private interrupt(): void {
    this.generation++;
    this.holding = false;
    this.syncing = false;
    this.pacing.cancel();
    this.flushNow();
  }
}
