/**
 * Full synchronisation: replicas that have nothing to go on with are sent a snapshot, and then the stream from that moment on.
 *
 * **One for all who wait.** A snapshot takes as long as there is data, so replicas that ask for it at about the same time share one:
 * with `repl-diskless-sync` the first waits `repl-diskless-sync-delay` seconds for others. Who comes later, while a
 * snapshot is written to a file for others, takes part in that.
 *
 * **From a file, or as it is made.** A file is the server's snapshot, which BGSAVE would write, and is sent when it is whole. Without
 * one, the pieces go to the replicas as the worker makes them ({@linkcode Relay}); it goes on no faster than the slowest of them.
 *
 * @module
 */
import { RdbFileWriter } from "../persistence/rdb_file_writer.ts";
import type { SnapshotJob } from "../persistence/snapshot_engine.ts";
import { joinBytes } from "../protocol/joined_bytes.ts";
import { type InputFile, systemReason } from "../runtime/files.ts";
import { goOn, whyNotPartial } from "./partial_sync.ts";
import { Relay } from "./relay.ts";
import type { Replica, Replicas } from "./replicas.ts";
import type { Replication } from "./replication.ts";
import type { Server } from "./server.ts";
import type { OutputSource } from "./session_host.ts";

const MARK_DIGITS = 40;
const FILE_PIECE_BYTES = 64 * 1024;
const EMPTY_LINE: Uint8Array = new TextEncoder().encode("\n");
const encoder = new TextEncoder();

/** The snapshot that is being made for replicas. */
interface Transfer {
  /** Bytes of the stream that it has. */
  readonly offset: number;
  /** Sends it as it is made; null if it is a file. */
  readonly relay: Relay | null;
  /** The position of the journal that has to be on the disk before any of it may leave. */
  readonly position: number;
  /** How many snapshots had been saved before it, */
  readonly savedBefore: number;
  /** and where it is put, if it is a file. */
  readonly path: string;
}

/** Makes snapshots for the replicas of one server; see the head of this file. */
export class FullSync {
  /** The snapshot that goes to replicas as it is made; null if there is none. */
  job: SnapshotJob | null = null;
  private transfer: Transfer | null = null;

  /** For `replicas` of `server`. */
  constructor(
    private readonly server: Server,
    private readonly replication: Replication,
    private readonly replicas: Replicas,
  ) {}

  /** A replica wants all of the data. */
  request(replica: Replica): void {
    const { replication, server: { clock, logger, persistence: { snapshots } }, transfer } = this;
    this.replicas.fullSyncs++;
    if (replica.withoutKeys) return this.sendKeyless(replica);
    replica.state = "waits";
    replica.waitsSinceMs = clock.now();
    this.replicas.add(replica);
    if (replication.stream === null) replication.beginStream();
    if (transfer !== null && transfer.relay !== null) {
      logger.log("notice", "Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC");
    } else if (snapshots.job !== null) this.joinFile(replica);
    else if (this.isDelayed(replica)) {
      logger.log("notice", "Delay next BGSAVE for diskless SYNC");
    } else this.startIfFree();
  }

  /**
   * Sends who asks for no keys (redis-cli --functions-rdb, --replica) a snapshot that nobody has to wait for, and then the stream,
   * unless that isn't wanted either.
   */
  private sendKeyless(replica: Replica): void {
    const { replicas, replication, server: { journal, keyspace, persistence } } = this;
    const pieces: Uint8Array[] = [];
    const writer = new RdbFileWriter(keyspace, persistence.snapshots.form, (bytes) => {
      pieces.push(bytes.slice());
    });
    writer.begin(persistence.snapshotFacts(false));
    writer.end();
    if (replication.stream === null) replication.beginStream();
    journal.endTurn();
    journal.selectAnew();
    const { offset } = replication.history;
    this.announce(replica, offset);
    replica.session.push(encoder.encode(`$${writer.bytes}\r\n`));
    replica.session.push(joinBytes(pieces));
    if (replica.snapshotOnly) return;
    replicas.add(replica);
    replicas.attach(replica, offset);
    replicas.sentSnapshot(replica, false);
  }

  /** A snapshot is being written to a file: it will do if it is one for replicas. */
  private joinFile(replica: Replica): void {
    const { server: { logger }, transfer } = this;
    if (transfer === null) {
      return logger.log(
        "notice",
        "Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC",
      );
    }
    this.begin(replica, transfer);
    logger.log("notice", "Waiting for end of BGSAVE for SYNC");
  }

  /** Whether a snapshot for it is to wait for other replicas. */
  private isDelayed(replica: Replica): boolean {
    const { settings } = this.server;
    return settings.isOn("repl-diskless-sync") && replica.knowsMark &&
      settings.number("repl-diskless-sync-delay") > 0;
  }

  /** Makes a snapshot for those who wait, unless something else is being written. */
  private startIfFree(): void {
    if (this.server.persistence.isWriting) {
      return this.server.logger.log(
        "notice",
        "No BGSAVE in progress, but another BG operation is active. BGSAVE for replication delayed",
      );
    }
    this.start();
  }

  /** Those who need no snapshot any more, since what they lacked has come meanwhile, go on with that. */
  private letGoOn(): void {
    const { replication, replicas, server } = this;
    // A master makes the stream itself: who has more of it has it from somewhere else.
    if (!replication.isReplica) return;
    for (const replica of this.inState("waits")) {
      const { asked } = replica;
      if (asked === null || whyNotPartial(replication, replica, asked) !== null) continue;
      replicas.fullSyncs--;
      goOn(server, replica, asked.offset);
    }
  }

  /** Makes a snapshot for all who wait. */
  private start(): void {
    const { replication, server, server: { journal, logger, persistence, settings } } = this;
    this.letGoOn();
    const waiting = this.inState("waits");
    if (waiting.length === 0) return;
    const streams = settings.isOn("repl-diskless-sync") &&
      waiting.every(({ knowsMark }) => knowsMark);
    logger.log(
      "notice",
      `Starting BGSAVE for SYNC with target: ${streams ? "replicas sockets" : "disk"}`,
    );
    journal.endTurn();
    journal.selectAnew();
    const mark = server.randomness.hex(MARK_DIGITS);
    const relay = streams
      ? new Relay(encoder.encode(`$EOF:${mark}\r\n`), encoder.encode(mark), {
        mayLeave: () => this.mayLeave(transfer),
        taken: () => this.job?.taken(),
        moved: (replica) => replica.movedMs = server.clock.now(),
        finished: (replica) => this.sent(replica, true),
      })
      : null;
    const transfer: Transfer = {
      offset: replication.history.offset,
      relay,
      position: journal.changed,
      savedBefore: persistence.snapshots.count,
      path: persistence.snapshots.settings.path,
    };
    this.transfer = transfer;
    for (const replica of waiting) this.begin(replica, transfer);
    if (relay === null) {
      persistence.snapshots.start((error) => this.written(transfer, error));
      return;
    }
    this.job = persistence.streamSnapshot(
      (bytes) => relay.add(bytes),
      (error) => this.streamed(transfer, error),
    );
  }

  /** Whether the data that a snapshot has may be seen: it is on the disk, where that matters. */
  private mayLeave({ position }: Transfer): boolean {
    const { gate } = this.server;
    return !gate.active || gate.durableOffset >= position;
  }

  /** A replica gets the snapshot that is being made. */
  private begin(replica: Replica, transfer: Transfer): void {
    const { offset, relay } = transfer;
    replica.state = "saving";
    replica.movedMs = this.server.clock.now();
    this.replicas.attach(replica, offset);
    this.announce(replica, offset);
    if (relay !== null) {
      replica.session.source = relay.sourceFor(replica);
      replica.session.pull();
    }
  }

  /** A replica hears from where on it will get the stream, if it knows of such things. */
  private announce({ isOld, session }: Replica, offset: number): void {
    if (isOld) return;
    session.push(encoder.encode(`+FULLRESYNC ${this.replication.history.id} ${offset}\r\n`));
  }

  /** The file is written. */
  private written(transfer: Transfer, error: string | null): void {
    if (this.transfer !== transfer) return;
    this.transfer = null;
    if (error !== null || this.isReplaced(transfer)) return this.failed();
    for (const replica of this.inState("saving")) this.sendFile(replica, transfer);
    this.startNext();
  }

  /** Whether somebody has saved another one meanwhile (DEBUG RELOAD does): the file may be that, which is of another offset. */
  private isReplaced({ savedBefore }: Transfer): boolean {
    return this.server.persistence.snapshots.count !== savedBefore + 1;
  }

  /** The snapshot that goes to replicas as it is made, if there is one, fails: replicas are to come again. */
  fail(reason: string): void {
    const { job, transfer } = this;
    if (job === null || transfer === null) return;
    job.cancel();
    this.streamed(transfer, reason);
  }

  /** The snapshot that goes to sockets has been made to its end. */
  private streamed(transfer: Transfer, error: string | null): void {
    if (this.transfer !== transfer) return;
    this.transfer = null;
    this.job = null;
    if (error !== null) {
      this.server.logger.log("warning", `Background transfer error: ${error}`);
      return this.failed();
    }
    const { logger } = this.server;
    const replicas = this.inState("saving");
    logger.log(
      "notice",
      `Diskless rdb transfer, done reading from pipe, ${replicas.length} replicas still up.`,
    );
    logger.log("notice", "Background RDB transfer terminated with success");
    for (const replica of replicas) replica.state = "receives";
    transfer.relay!.end();
    this.startNext();
  }

  /** There is no snapshot for those who wait for it: they are to come again. */
  private failed(): void {
    for (const { session } of this.inState("saving")) {
      this.server.logger.log("warning", "SYNC failed. BGSAVE child returned an error");
      session.close();
    }
    this.startNext();
  }

  /** Sends a replica the file. */
  private sendFile(replica: Replica, transfer: Transfer): void {
    const { files, logger } = this.server;
    let file: InputFile;
    try {
      file = files.openToRead(transfer.path);
    } catch (error) {
      logger.log("warning", `SYNC failed. Can't open/stat DB after BGSAVE: ${systemReason(error)}`);
      return replica.session.close();
    }
    replica.state = "receives";
    replica.session.source = new FileSource(
      replica,
      file,
      () => this.mayLeave(transfer),
      () => replica.movedMs = this.server.clock.now(),
      (error) => {
        if (error === null) return this.sent(replica, false);
        logger.log("warning", `Read error sending DB to replica: ${error}`);
        replica.session.close();
      },
    );
    replica.session.pull();
  }

  /** A replica has been sent all of the snapshot; `startsOnAck`: it says when it can take the stream. */
  private sent(replica: Replica, startsOnAck: boolean): void {
    replica.session.source = null;
    if (!replica.snapshotOnly) return this.replicas.sentSnapshot(replica, startsOnAck);
    this.server.logger.log(
      "notice",
      "RDB transfer completed, rdb only replica should be disconnected asap",
    );
  }

  /** Once a second: starts what is due, and tells those who wait that they are not forgotten. */
  tick(now: number): void {
    for (const { session, state } of this.replicas.all) {
      const waits = state === "waits" || (state === "saving" && this.transfer?.relay === null);
      if (waits) session.push(EMPTY_LINE);
    }
    this.startIfDue(now);
  }

  /** Another snapshot may be wanted by those who couldn't have the last one. */
  private startNext(): void {
    this.startIfDue(this.server.clock.now());
  }

  /** Makes a snapshot for those who wait, if they have waited long enough. */
  private startIfDue(now: number): void {
    const waiting = this.inState("waits");
    if (waiting.length === 0 || this.server.isStopping || this.server.persistence.isWriting) return;
    const { settings } = this.server;
    const most = settings.number("repl-diskless-sync-max-replicas");
    const delayMs = settings.number("repl-diskless-sync-delay") * 1000;
    const isDue = !settings.isOn("repl-diskless-sync") || (most > 0 && waiting.length >= most) ||
      waiting.some(({ waitsSinceMs }) => now - waitsSinceMs >= delayMs);
    if (isDue) this.start();
  }

  /** A replica has gone. */
  forget(replica: Replica): void {
    const { server: { persistence: { snapshots } }, transfer } = this;
    if (transfer === null) return;
    transfer.relay?.drop(replica);
    if (replica.state !== "saving" || this.inState("saving").length > 0) return;
    if (transfer.relay === null) {
      // Without save points, nobody else has a use for it.
      if (snapshots.settings.savePoints.length === 0) snapshots.cancel();
      return;
    }
    this.server.logger.log(
      "notice",
      "Diskless rdb transfer, last replica dropped, killing fork child.",
    );
    this.cancel();
  }

  /** Gives up what goes to replicas as it is made. */
  cancel(): void {
    if (this.job === null) return;
    this.job.cancel();
    this.job = null;
    this.transfer = null;
  }

  /** The replicas that are so far. */
  private inState(wanted: Replica["state"]): Replica[] {
    return [...this.replicas.all].filter(({ state }) => state === wanted);
  }
}

/** Sends a file, with its length before it. */
class FileSource implements OutputSource {
  private readonly room = new Uint8Array(FILE_PIECE_BYTES);
  private piece: Uint8Array | null;
  private left: number;

  constructor(
    private readonly replica: Replica,
    private readonly file: InputFile,
    private readonly mayLeave: () => boolean,
    private readonly moved: () => void,
    private readonly done: (error: string | null) => void,
  ) {
    this.left = file.size;
    this.piece = encoder.encode(`$${file.size}\r\n`);
  }

  get pendingBytes(): number {
    return this.replica.pendingBytes;
  }

  close(): void {
    if (this.piece !== null) this.file.close();
    this.piece = null;
  }

  next(): Uint8Array | null {
    if (!this.mayLeave()) return null;
    this.moved();
    return this.piece;
  }

  sent(count: number): void {
    this.moved();
    const piece = this.piece!.subarray(count);
    this.piece = piece.length > 0 ? piece : this.read();
  }

  /** The next piece; null at the end. */
  private read(): Uint8Array | null {
    if (this.left === 0) {
      this.file.close();
      this.done(null);
      return null;
    }
    try {
      const count = this.file.read(this.room);
      if (count === 0) throw new Error("the file has become shorter");
      this.left -= count;
      return this.room.subarray(0, count);
    } catch (error) {
      this.file.close();
      this.done(systemReason(error));
      return null;
    }
  }
}
