/**
 * What connects a replica to its master: it connects, introduces itself, takes a snapshot if it must, and runs the stream.
 *
 * ```text
 *   connect -> introduction -+-> CONTINUE ------------------------> stream
 *      ^                     +-> FULLRESYNC -> snapshot -> loading ---^ |
 *      +----------------------- the connection ends -------------------+
 * ```
 *
 * The stream is run by a session like that of any client: it has its turns in the rounds of all others. When the connection ends, the
 * replica keeps its data, and knows up to which byte of the stream that goes; it comes back with that, and as a rule gets
 * the rest. The old data stays until the new is there and known to be whole.
 *
 * @module
 */
import { encodeRequest } from "../protocol/request_writer.ts";
import {
  HandshakeError,
  type HandshakeOutcome,
  introduce,
  type Introduction,
} from "../replication/handshake.ts";
import { Peer, PeerError } from "../replication/peer.ts";
import { systemReason } from "../runtime/files.ts";
import type { LogLevel } from "../runtime/logging.ts";
import type { Connection } from "../runtime/sockets.ts";
import type { Replication } from "./replication.ts";
import type { Server } from "./server.ts";
import { closeQuietly, Session } from "./session.ts";
import { takeSnapshot, type Transfer } from "./snapshot_intake.ts";

/** After a try that failed, the next one waits for so long, */
const RETRY_MS = 1000;
/** or longer, if the master was there and it failed nevertheless: twice as long each time, up to this. */
const LONGEST_RETRY_MS = 16_000;
const EMPTY_LINE: Uint8Array = new TextEncoder().encode("\n");

/** How far the link is, in the words of ROLE. */
export type LinkState = "connect" | "connecting" | "handshake" | "sync" | "connected";

/** In the place of a database's number: the stream will say which it goes on in. */
export const ANY_DATABASE: number = -1;

/** The link of one server to its master; see the head of this file. */
export class MasterLink {
  /** How far it is. */
  state: LinkState = "connect";
  /** The session that runs the stream; null while there is none. */
  session: Session | null = null;
  /** Unix time in ms when the stream ended, or 0. */
  downSinceMs = 0;
  /** Unix time in ms when something was last heard of the master. */
  heardMs: number;
  /** The snapshot that is being received; null if there is none. */
  transfer: Transfer | null = null;
  private peer: Peer | null = null;
  /** Counts tries: what an older one brings comes too late. */
  private attempt = 0;
  private failures = 0;
  /** By the monotonic clock: one that is set back must not keep it from trying. */
  private nextTryMs = 0;

  /**
   * A link to `host` and `port`; `last`: the database in which the history goes on from where it is, if the master has it; null if there
   * is nothing to go on with.
   */
  constructor(
    private readonly server: Server,
    private readonly replication: Replication,
    readonly host: string,
    readonly port: number,
    private last: number | null,
  ) {
    this.heardMs = server.clock.now();
    this.downSinceMs = this.heardMs;
  }

  /** Whether the stream comes. */
  get isUp(): boolean {
    return this.state === "connected";
  }

  /** Offset of the stream behind what has come, whether it was run or not. */
  get readOffset(): number {
    const { replication: { history, stream }, session } = this;
    if (session === null || stream === null) return history.offset;
    return stream.written + session.waitingBytes;
  }

  /** The database that the stream has selected, or {@linkcode ANY_DATABASE}; null if there is nothing that can be gone on with. */
  get database(): number | null {
    return this.session === null ? this.last : this.session.database;
  }

  /** What was loaded at the start has been in this database, and can be gone on with. */
  recall(database: number): void {
    this.last = database;
  }

  /** Connects. */
  start(): void {
    this.log("notice", `Connecting to MASTER ${this.host}:${this.port}`);
    this.connect();
  }

  /** Ends it for good; what it knows stays. */
  stop(): void {
    this.last = this.database;
    this.abandon();
  }

  /** Ends the connection, or whatever is on its way to one. */
  private abandon(): void {
    this.attempt++;
    if (this.peer !== null) closeQuietly(this.peer.connection);
    this.peer = null;
    this.transfer?.discard();
    this.transfer = null;
    const { session } = this;
    this.session = null;
    if (session === null) return;
    this.replication.stream?.rollBack();
    session.close();
  }

  /** Begins a try. */
  private connect(): void {
    const attempt = ++this.attempt;
    this.state = "connecting";
    this.heardMs = this.server.clock.now();
    const isCurrent = (): boolean => attempt === this.attempt;
    this.log("notice", "MASTER <-> REPLICA sync started");
    const source = this.server.settings.text("bind-source-addr");
    this.server.sockets.connect(this.host, this.port, source).then(
      (connection) => {
        if (isCurrent()) this.talk(connection, isCurrent);
        else closeQuietly(connection);
      },
      (error) => {
        if (!isCurrent()) return;
        this.log(
          "warning",
          `Error condition on socket for SYNC: ${systemReason(error)}`,
        );
        this.tryAgain(RETRY_MS);
      },
    );
  }

  /** Introduces this server, and takes what the master has for it. */
  private async talk(connection: Connection, isCurrent: () => boolean): Promise<void> {
    const peer = new Peer(connection, (count) => {
      this.heardMs = this.server.clock.now();
      this.replication.receivedBytes += count;
    });
    this.peer = peer;
    this.state = "handshake";
    this.log("notice", "Non blocking connect for SYNC fired the event.");
    try {
      const outcome = await introduce(peer, this.introduction(), (level, line) => {
        if (isCurrent()) this.log(level, line);
      });
      if (!isCurrent()) return;
      this.replication.failover.succeeded();
      if (outcome.kind === "continue") this.goOn(outcome.id);
      else await this.takeSnapshot(peer, outcome, isCurrent);
      if (!isCurrent()) return;
      this.failures = 0;
      this.runStream(peer);
    } catch (error) {
      if (!isCurrent()) return;
      if (!(error instanceof HandshakeError || error instanceof PeerError)) throw error;
      this.failed(error);
    }
  }

  /** A try has failed although the master was there. */
  private failed(error: HandshakeError | PeerError): void {
    const inTransfer = this.state === "sync";
    this.log(
      "warning",
      error instanceof HandshakeError
        ? error.message
        : inTransfer
        ? `I/O error trying to sync with MASTER: ${error.message}`
        : `Error reading from or writing to MASTER: ${error.message}`,
    );
    this.abandon();
    if (this.isFailingOver && error instanceof HandshakeError) {
      return this.replication.failover.rejected();
    }
    const passing = error instanceof HandshakeError && error.passing;
    if (!passing) this.failures++;
    this.tryAgain(Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** Math.max(0, this.failures - 1)));
  }

  /** Connects again after so many ms. */
  private tryAgain(delayMs: number): void {
    this.state = "connect";
    this.nextTryMs = this.server.clock.monotonic() + delayMs;
  }

  /** What this server says of itself. */
  private introduction(): Introduction {
    const { replication: { history: { id, offset } }, server, server: { settings } } = this;
    const announcedPort = settings.number("replica-announce-port");
    return {
      port: announcedPort === 0 ? server.port : announcedPort,
      address: settings.text("replica-announce-ip"),
      user: settings.text("masteruser"),
      password: settings.text("masterauth"),
      has: this.last === null ? null : { id, offset },
      failover: this.isFailingOver,
    };
  }

  /** Whether the one at the other end is yet to become a master. */
  private get isFailingOver(): boolean {
    return this.replication.failover.isHandingOver;
  }

  /** The master has all that comes behind what is here. */
  private goOn(id: string | null): void {
    const { history, replicas } = this.replication;
    this.log("notice", "MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.");
    if (id === null || id === history.id) return;
    history.follow(id);
    this.log("warning", `Master replication ID changed to ${id}`);
    // They are to hear of it too.
    replicas.disconnect();
  }

  /**
   * Receives a snapshot, and replaces the data by it.
   *
   * @throws {PeerError} if it doesn't come, or is broken: the data is what it was then.
   */
  private async takeSnapshot(
    peer: Peer,
    outcome: HandshakeOutcome,
    isCurrent: () => boolean,
  ): Promise<void> {
    const { replication, server } = this;
    this.state = "sync";
    const intake = {
      server,
      peer,
      isCurrent,
      continues: outcome.kind === "full" && outcome.id === replication.history.id,
      began: (transfer: Transfer) => this.transfer = transfer,
      before: () => {
        this.last = null;
        replication.forsakeHistory();
      },
    };
    const keepAlive = setInterval(() => this.keepAlive(peer), RETRY_MS);
    let database: number | null;
    try {
      database = await takeSnapshot(intake);
    } finally {
      clearInterval(keepAlive);
    }
    if (database === null || !isCurrent()) return;
    this.transfer = null;
    this.last = database;
    this.log("notice", "MASTER <-> REPLICA sync: Finished with success");
    // A master that doesn't tell what its history is called leaves it at the one that has just begun.
    if (outcome.kind === "full") replication.history.adopt(outcome.id, outcome.offset);
    replication.keepStream();
  }

  /** Tells the master that this server is there, though it loads. */
  private keepAlive(peer: Peer): void {
    if (this.server.persistence.loading === null) return;
    peer.connection.write(EMPTY_LINE).catch(() => {});
  }

  /** Runs the stream from now on. */
  private runStream(peer: Peer): void {
    const { server } = this;
    const rest = peer.rest.slice();
    // It counts when it is run.
    this.replication.receivedBytes -= rest.length;
    this.peer = null;
    const session = server.adopt(peer.connection);
    session.isMaster = true;
    session.authenticated = true;
    session.database = Math.max(0, this.last ?? 0);
    this.session = session;
    this.last = null;
    this.state = "connected";
    this.downSinceMs = 0;
    this.replication.applySettings();
    this.acknowledge();
    if (rest.length > 0) {
      session.preload(rest);
      server.process(session);
    } else session.startRead();
  }

  /** The session that runs the stream has ended. */
  lost(session: Session): void {
    if (session !== this.session) return;
    this.last = session.database;
    this.session = null;
    this.state = "connect";
    this.replication.stream?.rollBack();
    this.downSinceMs = this.server.clock.now();
    this.log("notice", "Connection with master lost.");
    this.log("notice", "Caching the disconnected master state.");
    this.replication.applySettings();
    if (this.server.isStopping) return;
    this.log("notice", `Reconnecting to MASTER ${this.host}:${this.port}`);
    this.connect();
  }

  /** Tells the master how far this server has come. */
  acknowledge(): void {
    const { offset } = this.replication.history;
    this.session?.push(encodeRequest(["REPLCONF", "ACK", offset]));
  }

  /** Once a second: tries again, gives up what takes too long, acknowledges. */
  tick(): void {
    const now = this.server.clock.now();
    const timeoutMs = this.server.settings.number("repl-timeout") * 1000;
    // A loading that has all it needs at present says nothing of the master.
    const { loading } = this.server.persistence;
    if (loading !== null && this.transfer?.isStarving !== true) return;
    if (this.state === "connect") {
      if (this.server.clock.monotonic() < this.nextTryMs) return;
      return this.start();
    }
    const heardMs = this.session === null
      ? Math.max(this.heardMs, this.transfer?.receivedMs ?? 0)
      : this.session.lastInteraction;
    if (now - heardMs > timeoutMs) return this.giveUp();
    this.acknowledge();
  }

  /** The master has been silent for too long. */
  private giveUp(): void {
    const { session } = this;
    if (session !== null) {
      this.log("warning", "MASTER timeout: no data nor PING received...");
      return session.close();
    }
    this.log(
      "warning",
      this.state === "sync"
        ? "Timeout receiving bulk data from MASTER... If the problem persists try to set the " +
          "'repl-timeout' parameter in redis.conf to a larger value."
        : "Timeout connecting to the MASTER...",
    );
    this.abandon();
    this.tryAgain(0);
  }

  /** Writes a line of the log. */
  private log(level: LogLevel, line: string): void {
    this.server.logger.log(level, line);
  }
}
