/**
 * A server's part in replication: which history its data has, who it is sent to, and where it comes from.
 *
 * ```text
 *                                     +-> append-only file
 *   master:   commands -> journal ----+-> stream -> replicas
 *
 *                                     +-> commands -> journal -> append-only file
 *   replica:  link to the master -----+-> stream -> replicas of its own
 * ```
 *
 * A master's stream is its journal, byte for byte. A replica's is its master's, as it came, so that everybody who replicates, directly
 * or through others, has the same offsets; what it writes itself, if it may at all, goes no further. The
 * protocol is PSYNC as Redis has it since 4.0 (https://redis.io/docs/management/replication/).
 *
 * @module
 */
import type { RequestArgument } from "../protocol/request_writer.ts";
import { ReplicationHistory } from "../replication/history.ts";
import { ReplicationStream } from "../replication/stream.ts";
import type { ReplicationFacts } from "../persistence/rdb_file_writer.ts";
import type { Command } from "./command_table.ts";
import { Failover } from "./failover.ts";
import { ANY_DATABASE, MasterLink } from "./master_link.ts";
import { OwnExpiries } from "./own_expiries.ts";
import { Replicas } from "./replicas.ts";
import type { Server } from "./server.ts";
import type { Session } from "./session.ts";
import type { Transaction } from "./transactions.ts";

const READ_ONLY = "READONLY You can't write against a read only replica.";
const NOT_ENOUGH = "NOREPLICAS Not enough good replicas to write.";
const MASTER_DOWN =
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
const TICKS_PER_SECOND = 10;

/** A server's part in replication; see the head of this file. */
export class Replication {
  /** The history of its data. */
  readonly history: ReplicationHistory;
  /** The stream's last bytes; null as long as nobody has asked for them. */
  stream: ReplicationStream | null = null;
  /** Those who replicate it. */
  readonly replicas: Replicas;
  /** What connects it to its master; null if it is one itself. */
  link: MasterLink | null = null;
  /** FAILOVER. */
  readonly failover: Failover;
  /** Keys that only this server can expire: its clients have written them, and its master doesn't know of them. */
  readonly ownExpiries: OwnExpiries;
  /** Whether clients may write what the master doesn't know of. */
  takesOwnWrites = false;
  /** Whether there is something that {@linkcode refusalOf} may have to say. */
  restricts = false;
  /** Whether clients may change nothing. */
  refusesWrites = false;
  /** Whether what clients read has to be looked at. */
  restrictsReads = false;
  /** For tests and simulations: told of each piece of the stream, with the id and the offset before it. */
  onAppend: ((id: string, offset: number, bytes: Uint8Array) => void) | null = null;
  /** Bytes that came from a master. */
  receivedBytes = 0;
  /** What has come is to be acknowledged as soon as it is in the append-only file, where there is one: then a kill can't take it back. */
  acknowledgesTurn = false;
  private ticks = 0;
  private readonly onJournal = (bytes: Uint8Array): void => {
    this.onAppend?.(this.history.id, this.history.offset, bytes);
    this.stream!.append(bytes);
    this.history.offset = this.stream!.end;
    this.replicas.streamGrew();
  };
  private readonly countRefusal: (text: string) => void;
  private readonly noteRefusal = (text: string): void => {
    this.logRefusal(text);
    this.countRefusal(text);
  };

  /** The part of `server`, whose settings, journal and writer exist already. */
  constructor(private readonly server: Server) {
    this.history = new ReplicationHistory(() => server.randomness.hex(40));
    this.replicas = new Replicas(server, this);
    this.failover = new Failover(server, this);
    this.ownExpiries = new OwnExpiries(server.keyspace);
    this.countRefusal = (text) => server.counters.countError(text);
  }

  /** Whether it has a master. */
  get isReplica(): boolean {
    return this.link !== null;
  }

  /** The settings have changed. */
  applySettings(): void {
    const { link, server: { logger, settings } } = this;
    if (logger.role !== "C") logger.role = link === null ? "M" : "S";
    this.stream?.resize(settings.number("repl-backlog-size"));
    this.replicas.countGood();
    const isReplica = link !== null;
    const readOnly = isReplica && settings.isOn("replica-read-only");
    this.refusesWrites = readOnly || (!isReplica && this.replicas.areTooFew);
    this.takesOwnWrites = isReplica && !readOnly;
    this.restrictsReads = this.takesOwnWrites || (isReplica && this.isStale);
    this.restricts = this.refusesWrites || this.restrictsReads;
    this.server.keyspace.keepExpired = isReplica;
  }

  /** Whether its data may be old, and isn't to be shown then. */
  private get isStale(): boolean {
    const { link, server: { settings } } = this;
    return link !== null && !link.isUp && !settings.isOn("replica-serve-stale-data");
  }

  /** Why a command can't run for a client; null if it can. */
  refusalOf(command: Command, transaction: Transaction | null): string | null {
    const queued = transaction !== null && command.name === "exec" ? transaction : null;
    if (command.writes || (queued !== null && queued.writes)) {
      if (!this.isReplica && this.replicas.areTooFew) return NOT_ENOUGH;
      if (this.isReplica && this.refusesWrites) return READ_ONLY;
    }
    const runs = command.whileStale && (queued === null || queued.whileStale);
    return this.isStale && !runs ? MASTER_DOWN : null;
  }

  /** The settings are known: whom it follows, nobody yet. */
  prepare(): void {
    const [host, port] = this.server.settings.words("replicaof");
    if (host === undefined || host === "no") return;
    this.link = new MasterLink(this.server, this, host, Number(port), null);
    this.server.applySettings();
  }

  /** The data is loaded: it goes to whom it follows, if anybody. */
  start(): void {
    this.link?.start();
  }

  /** A session has gone. */
  forget(session: Session): void {
    this.replicas.forget(session);
    if (session.isMaster) this.link?.lost(session);
  }

  /** Bytes of memory of the stream, */
  get streamBytes(): number {
    return this.stream === null ? 0 : this.stream.memory;
  }

  /** and those of them that would be there without replicas that are behind. */
  get backlogBytes(): number {
    if (this.replicas.all.size === 0) return this.streamBytes;
    return Math.min(this.streamBytes, this.server.settings.number("repl-backlog-size"));
  }

  /** Whether nothing is removed to make room: the master decides that. */
  get ignoresMemoryLimit(): boolean {
    return this.isReplica && this.server.settings.isOn("replica-ignore-maxmemory");
  }

  /** Follows the master at `host` and `port`, in the place of whoever it followed. */
  follow(host: string, port: number): void {
    const { server } = this;
    const wasMaster = this.link === null;
    const known = wasMaster ? ANY_DATABASE : this.link!.database;
    this.link?.stop();
    if (wasMaster) {
      server.journal.endTurn();
      // As a master it may have what its new one has too: then a part of the stream is all that it needs.
      this.keepStream();
      this.detachJournal();
      server.logger.log(
        "notice",
        "Before turning into a replica, using my own master parameters to synthesize a cached " +
          "master: I may be able to synchronize with the new master with just a partial transfer.",
      );
      server.clients.disconnectBlocked();
    }
    // Who replicates this server goes on with what it has: only new data, or another id, will part them.
    this.link = new MasterLink(server, this, host, port, known);
    server.settings.replace("replicaof", `${host} ${port}`);
    server.applySettings();
    this.link.start();
  }

  /** Becomes a master, with what it has. */
  lead(): void {
    const { history, link, server, server: { logger } } = this;
    if (link === null) return;
    link.stop();
    this.link = null;
    server.journal.endTurn();
    this.stream?.rollBack();
    history.branch();
    logger.log(
      "warning",
      `Setting secondary replication ID to ${history.secondId}, valid up to offset: ` +
        `${history.secondEnd + 1}. New replication ID is ${history.id}`,
    );
    this.replicas.disconnect();
    this.replicas.forsakenMs = server.clock.now();
    this.attachJournal();
    server.journal.selectAnew();
    server.settings.replace("replicaof", "");
    server.applySettings();
  }

  /** Has the stream kept from now on, if it isn't yet. */
  keepStream(): void {
    if (this.stream !== null) return;
    this.stream = new ReplicationStream(
      this.history.offset,
      this.server.settings.number("repl-backlog-size"),
    );
    this.attachJournal();
  }

  /** A first replica comes: what was before it is a history that nobody has had a part of. */
  beginStream(): void {
    const { history, server: { logger } } = this;
    history.renew();
    this.keepStream();
    logger.log(
      "notice",
      `Replication backlog created, my new replication IDs are '${history.id}' and '${history.secondId}'`,
    );
  }

  /** The data is about to go: what it was called, and how it came about, means nothing from now on. */
  forsakeHistory(): void {
    this.replicas.disconnect();
    this.detachJournal();
    this.stream = null;
    this.history.begin();
  }

  /** Keeps no stream any more. */
  dropStream(): void {
    this.server.journal.endTurn();
    this.detachJournal();
    this.stream = null;
    this.history.renew();
  }

  /** The stream is the journal from now on, if it has to be. */
  private attachJournal(): void {
    if (this.stream === null || this.isReplica) return;
    this.server.journal.listen(this.onJournal, "all");
  }

  /** It isn't any more. */
  private detachJournal(): void {
    this.server.journal.unlisten(this.onJournal);
  }

  /** The offset of the stream that a position of the journal is at, on a master. */
  offsetAt(position: number): number {
    const { offset, position: end } = this.server.journal;
    // What was written before it was a master has nothing to do with its stream.
    return Math.max(0, this.history.offset + Math.min(position, end) - offset);
  }

  /** Writes what only replicas hear, in no database in particular. */
  tellReplicas(args: readonly RequestArgument[]): void {
    this.server.journal.appendAside(-1, args);
    this.server.journal.endTurn();
  }

  /** What a snapshot says of replication; null where nobody asked for it. */
  get facts(): ReplicationFacts | null {
    const { history, link, server: { journal }, stream } = this;
    journal.endTurn();
    // FLUSHALL saves what its replicas haven't heard of yet.
    if (journal.isWithinUnit) return null;
    const { id, offset } = history;
    if (link === null) {
      if (stream === null) return null;
      return { database: Math.max(0, journal.selectedDatabase), id, offset };
    }
    const { database } = link;
    if (database === null || database === ANY_DATABASE || stream === null) return null;
    return { database, id, offset };
  }

  /** Takes over what a snapshot, or the append-only file, says of the data that was loaded at the start. */
  restore({ database, id, offset }: ReplicationFacts): void {
    const { history } = this;
    if (this.link !== null) {
      history.adopt(id, offset);
      this.link.recall(database);
      this.keepStream();
      return;
    }
    // As a master it goes on under an id of its own, and remembers the one before.
    history.resume(id, offset);
    this.keepStream();
    this.replicas.forsakenMs = this.server.clock.now();
  }

  /** The turn begins of the session that brings the master's stream. */
  beginTurn(): void {
    const { keyspace, reply } = this.server;
    keyspace.isTold = true;
    keyspace.dueBefore = 0;
    reply.onError = this.noteRefusal;
  }

  /**
   * It ends; `bytes` is what was run of the stream. If the session is in a transaction now that this turn has begun, MULTI stands
   * behind `before` of them.
   */
  endTurn(session: Session, bytes: Uint8Array, before: number): void {
    const { history, link, server: { keyspace, reply }, stream } = this;
    keyspace.isTold = false;
    keyspace.dueBefore = keyspace.now;
    reply.onError = this.countRefusal;
    // What it runs may have been to follow somebody else.
    if (link === null || link.session !== session || stream === null || bytes.length === 0) return;
    this.receivedBytes += bytes.length;
    this.onAppend?.(history.id, stream.written, bytes);
    // Half of a transaction counts for nothing, but what came before it has been done.
    const counted = session.transaction === null ? bytes.length : before;
    if (counted > 0) {
      stream.append(bytes.subarray(0, counted));
      history.offset = stream.end;
      this.replicas.streamGrew();
    }
    stream.appendPart(bytes.subarray(counted));
  }

  /** What turns have changed is written: the master may hear of it, if it has asked. */
  afterWriting(): void {
    if (!this.acknowledgesTurn) return;
    this.acknowledgesTurn = false;
    this.link?.acknowledge();
  }

  /** A command of the master was refused: the data may differ from the master's from now on. */
  private logRefusal(refusal: string): void {
    const { clients, logger } = this.server;
    logger.log(
      "warning",
      "== CRITICAL == This replica is sending an error to its master: " +
        `'${refusal}' after processing the command '${clients.running?.lastCommand}'`,
    );
  }

  /** Sets what INFO counts to zero. */
  resetStatistics(): void {
    this.receivedBytes = 0;
    this.replicas.resetStatistics();
  }

  /** Ten times a second. */
  tick(): void {
    this.failover.tick();
    this.expireOwn();
    if (++this.ticks % TICKS_PER_SECOND !== 0) return;
    this.link?.tick();
    this.replicas.tick();
    this.applySettings();
  }

  /** Removes keys that only this server can expire. */
  private expireOwn(): void {
    const { ownExpiries, server } = this;
    if (ownExpiries.count === 0 || !server.activeExpiry || server.persistence.loading !== null) {
      return;
    }
    // A master expires all keys alike.
    if (!this.isReplica) return ownExpiries.forgetAll();
    const start = server.clock.monotonic();
    ownExpiries.expireSome();
    server.afterExpiry(server.clock.monotonic() - start);
  }

  /** The server stops. */
  stop(): void {
    this.link?.stop();
    this.replicas.stop();
  }
}
