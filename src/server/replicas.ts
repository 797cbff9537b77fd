/**
 * The replicas of a server: who they are, how far they have come, and what they are sent.
 *
 * A replica is a session that has asked for the stream. It waits for a snapshot, gets it, and from then on the stream, which it
 * reads from where it lies (`replication/stream.ts`); or the stream at once, if it has all that came before. What it has taken in it
 * acknowledges once a second, and when it is asked to.
 *
 * With `appendfsync always` nobody is sent what isn't on the disk yet.
 *
 * @module
 */
import type { Blocked, Wait } from "../commands/wait.ts";
import type { StreamReader } from "../replication/stream.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import { splitAddress } from "../runtime/addresses.ts";
import { NORMAL_CLASS, REPLICA_CLASS } from "./client_classes.ts";
import { describeClient } from "./client_info.ts";
import type { FailoverTarget } from "./failover.ts";
import { FullSync } from "./full_sync.ts";
import type { Replication } from "./replication.ts";
import type { Server } from "./server.ts";
import type { ServerContext } from "./server_context.ts";
import type { Session } from "./session.ts";
import type { OutputSource } from "./session_host.ts";

/** So many bytes of an error are logged at most. */
const LOGGED_BYTES = 1024;
const MINUS = 45;

/** How far a replica is. */
export type ReplicaState = "none" | "waits" | "saving" | "receives" | "online";

/** The states in the words of INFO and of the log. */
const SHOWN_STATES = {
  none: "",
  waits: "wait_bgsave",
  saving: "wait_bgsave",
  receives: "send_bulk",
  online: "online",
} as const;

/** What a replica has, and could go on with. */
export interface Asked {
  /** The history that it has a part of. */
  readonly id: string;
  /** Bytes of that. */
  readonly offset: number;
}

/** What is known of a replica, from its first REPLCONF on. */
export class Replica {
  /** How far it is. */
  state: ReplicaState = "none";
  /** The port at which it listens, or 0. */
  port = 0;
  /** The address that it says it has; empty for the one that it comes from. */
  announced = "";
  /** Whether it understands a snapshot whose end is marked. */
  knowsMark = false;
  /** Whether it understands that a stream may go on under another id. */
  knowsIds = false;
  /** Bytes of the stream that it has acknowledged; -1 as long as it hasn't loaded the snapshot, and said so. */
  acknowledged: number = -1;
  /** Unix time in ms when it did so last. */
  acknowledgedMs = 0;
  /** It wants the snapshot and nothing else (redis-cli --rdb). */
  snapshotOnly = false;
  /** It wants the libraries of functions, but no keys. */
  withoutKeys = false;
  /** What it has said that it has; null for nothing. */
  asked: Asked | null = null;
  /** It knows nothing of PSYNC, and gets the snapshot without a word. */
  isOld = false;
  /** The stream goes to it once it has acknowledged the snapshot. */
  startsOnAck = false;
  /** Unix time in ms when it last took a part of the snapshot. */
  movedMs = 0;
  /** When it began to wait, in unix ms. */
  waitsSinceMs = 0;
  /** Where it is in the stream. */
  reader: StreamReader | null = null;

  /** What is known of the client of `session`. */
  constructor(readonly session: Session) {}

  /** Bytes of the stream that it has yet to be sent. */
  get pendingBytes(): number {
    return this.reader === null ? 0 : this.reader.pending;
  }

  /** Its state in the words of INFO and of the log. */
  get shownState(): string {
    return SHOWN_STATES[this.state];
  }

  /** How many seconds before `now` (unix ms) it acknowledged something last; 0 as long as it isn't online. */
  silentSeconds(now: number): number {
    return this.state === "online" ? Math.floor((now - this.acknowledgedMs) / 1000) : 0;
  }

  /** Its address, `host:port`, as people know it. */
  get address(): string {
    const { port } = splitAddress(this.session.connection.remote);
    return `${this.host}:${this.port === 0 ? port : this.port}`;
  }

  /** Its host. */
  get host(): string {
    return this.announced === ""
      ? splitAddress(this.session.connection.remote).host
      : this.announced;
  }

  /** Whether it is the one that FAILOVER names so. */
  isAt({ host, port }: FailoverTarget): boolean {
    return host === this.host && port === this.port;
  }
}

/** Sends a replica the stream. */
class StreamSource implements OutputSource {
  constructor(private readonly replicas: Replicas, private readonly reader: StreamReader) {}

  get pendingBytes(): number {
    return this.reader.pending;
  }

  next(): Uint8Array | null {
    return this.reader.next(this.replicas.limit);
  }

  sent(count: number): void {
    this.reader.advance(count);
    this.replicas.sentBytes += count;
  }

  close(): void {}
}

/** A client that waits for replicas. */
interface Waiting {
  readonly offset: number;
  readonly count: number;
  readonly blocked: Blocked;
}

/** The replicas of one server; see the head of this file. */
export class Replicas {
  /** Those that have asked for the stream, first one first. */
  readonly all: Set<Replica> = new Set();
  /** Makes and sends snapshots. */
  readonly fullSync: FullSync;
  /** How many have been sent a snapshot, */
  fullSyncs = 0;
  /** how many have gone on without one, */
  partialSyncs = 0;
  /** and how many have asked for that in vain. */
  refusedPartialSyncs = 0;
  /** Bytes that they have been sent. */
  sentBytes = 0;
  /** Unix time in ms since when there is none; 0 while there are some, or never was one. */
  forsakenMs = 0;
  /** Whether there are too few for clients to write. */
  areTooFew = false;
  /** How many are online and not far behind. */
  goodCount = 0;
  private readonly bySession = new Map<Session, Replica>();
  private waiting: Waiting[] = [];
  private wantsAck = false;
  private grew = false;
  private feedScheduled = false;
  private seconds = 0;
  /** What the journal's durable offset was mapped to, where a replica's stream isn't the journal: pairs in order. */
  private readonly marks: { readonly journal: number; readonly stream: number }[] = [];
  /** Bytes of the stream that are on the disk, as far as that matters. */
  private durable = 0;

  /** The replicas of `server`. */
  constructor(private readonly server: Server, private readonly replication: Replication) {
    this.fullSync = new FullSync(server, replication, this);
  }

  /** What is known of a session as a replica, from now on. */
  of(session: Session): Replica {
    let replica = this.bySession.get(session);
    if (replica === undefined) {
      replica = new Replica(session);
      this.bySession.set(session, replica);
    }
    return replica;
  }

  /** What is known of a session as a replica; undefined if it has never said that it is one. */
  find(session: Session): Replica | undefined {
    return this.bySession.get(session);
  }

  /** Whether a session has asked for the stream. */
  isReplica(session: Session): boolean {
    const replica = this.bySession.get(session);
    return replica !== undefined && this.all.has(replica);
  }

  /** Has all replicas say how far they have come, as soon as the round is over. */
  askForAcks(): void {
    this.wantsAck = true;
    // Nothing else may have happened in this round.
    if (!this.server.inRound) this.feed();
  }

  /** A session becomes a replica. */
  add(replica: Replica): void {
    const { session } = replica;
    this.all.add(replica);
    this.forsakenMs = 0;
    session.clientClass = REPLICA_CLASS;
    replica.acknowledgedMs = this.server.clock.now();
  }

  /** A session has gone. */
  forget(session: Session): void {
    const replica = this.bySession.get(session);
    if (replica === undefined) return;
    this.bySession.delete(session);
    replica.reader?.close();
    replica.reader = null;
    if (!this.all.delete(replica)) return;
    session.clientClass = NORMAL_CLASS;
    session.source?.close();
    session.source = null;
    this.fullSync.forget(replica);
    if (this.all.size === 0) this.forsakenMs = this.server.clock.now();
    if (replica.state === "online") {
      this.server.logger.log("notice", `Connection with replica ${replica.address} lost.`);
    }
    this.replication.applySettings();
  }

  /**
   * A replica has sent a command whose reply is in `reply`: it would stand in the middle of the stream, so the replica has to go.
   */
  refuseReply(session: Session, reply: ReplyWriter): void {
    const { server, server: { logger } } = this;
    const { buffer: { bytes }, position } = reply;
    if (bytes[0] === MINUS) {
      const line = new TextDecoder().decode(bytes.subarray(1, Math.min(position, LOGGED_BYTES)));
      logger.log(
        "warning",
        "== CRITICAL == This master is sending an error to its replica: " +
          `'${line.split("\r\n")[0]}' after processing the command '${session.lastCommand}'`,
      );
    }
    reply.truncate(0);
    logger.log(
      "warning",
      `Replica generated a reply to command '${session.lastCommand}', disconnecting it: ` +
        describeClient(server, session),
    );
    session.close();
  }

  /** Sends a replica the stream from `offset` on. */
  attach(replica: Replica, offset: number): void {
    const { stream } = this.replication;
    replica.reader?.close();
    replica.reader = stream!.reader(offset);
  }

  /** The stream goes to a replica from now on, from where it is to. */
  putOnline(replica: Replica): void {
    replica.state = "online";
    replica.startsOnAck = false;
    replica.acknowledgedMs = this.server.clock.now();
    replica.session.source = new StreamSource(this, replica.reader!);
    this.replication.applySettings();
    replica.session.pull();
  }

  /** A replica has been sent a snapshot; `startsOnAck`: it says when it can take the stream. */
  sentSnapshot(replica: Replica, startsOnAck: boolean): void {
    this.server.logger.log("notice", `Synchronization with replica ${replica.address} succeeded`);
    if (!startsOnAck) return this.putOnline(replica);
    replica.state = "online";
    replica.startsOnAck = true;
    replica.acknowledgedMs = this.server.clock.now();
  }

  /** The stream has grown. */
  streamGrew(): void {
    if (this.all.size === 0) return;
    const { gate, journal } = this.server;
    const { offset } = this.replication.history;
    if (gate.active) this.marks.push({ journal: journal.changed, stream: offset });
    else this.durable = offset;
    this.grew = true;
    if (this.server.inRound || this.feedScheduled) return;
    this.feedScheduled = true;
    queueMicrotask(() => {
      this.feedScheduled = false;
      this.feed();
    });
  }

  /** The offset up to which replicas may have the stream now. */
  get limit(): number {
    const { gate } = this.server;
    if (gate.isOpen) {
      this.marks.length = 0;
      return Infinity;
    }
    const { marks } = this;
    let passed = 0;
    while (passed < marks.length && marks[passed].journal <= gate.durableOffset) passed++;
    if (passed > 0) this.durable = marks[passed - 1].stream;
    marks.splice(0, passed);
    return this.durable;
  }

  /** Sends replicas what has come, as far as they may have it. */
  feed(): void {
    if (this.wantsAck) {
      this.wantsAck = false;
      if (!this.replication.isReplica) this.replication.tellReplicas(["REPLCONF", "GETACK", "*"]);
    }
    if (!this.grew) return;
    this.grew = false;
    for (const { session } of this.all) session.pull();
  }

  /** More of it may leave: it is on the disk. */
  passGate(): void {
    for (const { session } of this.all) session.pull();
  }

  /** A replica has taken in `offset` bytes of the stream. */
  acknowledge(replica: Replica, offset: number): void {
    if (!this.all.has(replica)) return;
    if (offset > replica.acknowledged) replica.acknowledged = offset;
    replica.acknowledgedMs = this.server.clock.now();
    if (replica.startsOnAck) this.putOnline(replica);
    this.countGood();
    this.serveWaiting();
  }

  /** How many replicas have `offset` bytes of the stream. */
  countWith(offset: number): number {
    let count = 0;
    for (const { acknowledged, state } of this.all) {
      if (state === "online" && acknowledged >= offset) count++;
    }
    return count;
  }

  /** How many replicas haven't `offset` bytes of the stream, however far they are. */
  countLagging(offset: number): number {
    let count = 0;
    for (const { acknowledged } of this.all) {
      if (acknowledged !== offset) count++;
    }
    return count;
  }

  /** WAIT: has the client wait until `count` replicas have `offset` bytes, or for `timeoutMs` (0: for ever). */
  wait(context: ServerContext, offset: number, count: number, timeoutMs: number): void {
    const wait: Wait = {
      timeOut: (reply) => reply.integer(this.countWith(offset)),
      ended: () => {
        this.waiting = this.waiting.filter(({ blocked: other }) => other !== blocked);
      },
    };
    const blocked = context.waitFor(wait, timeoutMs);
    this.waiting.push({ offset, count, blocked });
    this.askForAcks();
  }

  /** Lets those go on who wait for what replicas have acknowledged. */
  private serveWaiting(): void {
    for (const { blocked, count, offset } of [...this.waiting]) {
      const there = this.countWith(offset);
      if (there >= count) blocked.finish((reply) => reply.integer(there));
    }
  }

  /** Counts those that are online and not far behind, and whether they are too few. */
  countGood(): void {
    const { clock, settings } = this.server;
    const needed = settings.number("min-replicas-to-write");
    const lagMs = settings.number("min-replicas-max-lag") * 1000;
    let count = 0;
    for (const { acknowledgedMs, state } of this.all) {
      if (state === "online" && clock.now() - acknowledgedMs <= lagMs) count++;
    }
    this.goodCount = count;
    this.areTooFew = needed > 0 && lagMs > 0 && count < needed;
  }

  /** Ends the connections of all replicas. */
  disconnect(): void {
    for (const { session } of [...this.all]) session.close();
    this.fullSync.cancel();
  }

  /** Once a second. */
  tick(): void {
    const { clock, settings } = this.server;
    const now = clock.now();
    this.seconds++;
    const pingSeconds = settings.number("repl-ping-replica-period");
    if (
      this.seconds % pingSeconds === 0 && this.all.size > 0 && !this.replication.isReplica &&
      !this.replication.failover.isUnderway
    ) {
      this.replication.tellReplicas(["PING"]);
    }
    this.closeSilent(now, settings.number("repl-timeout") * 1000);
    this.fullSync.tick(now);
    this.dropOldStream(now);
    this.feed();
  }

  /** Closes replicas that have not said a word for too long, or have not taken what they are sent. */
  private closeSilent(now: number, timeoutMs: number): void {
    for (const replica of [...this.all]) {
      const { acknowledgedMs, address, movedMs, session, state } = replica;
      const isOnline = state === "online";
      // One that has taken all there is waits for more of the snapshot to be made.
      if (!isOnline && (movedMs === 0 || !session.writing)) continue;
      const aliveMs = isOnline ? Math.max(acknowledgedMs, session.lastInteraction) : movedMs;
      if (now - aliveMs <= timeoutMs) continue;
      const part = isOnline ? "streaming" : "full";
      this.server.logger.log(
        "warning",
        `Disconnecting timedout replica (${part} sync): ${address}`,
      );
      session.close();
    }
  }

  /** Without replicas for long, there is nothing to be kept for any. */
  private dropOldStream(now: number): void {
    const { replication, server: { logger, settings } } = this;
    const seconds = settings.number("repl-backlog-ttl");
    if (this.all.size > 0 || seconds === 0 || replication.stream === null) return;
    if (replication.isReplica || this.forsakenMs === 0) return;
    if (now - this.forsakenMs <= seconds * 1000) return;
    replication.dropStream();
    logger.log(
      "notice",
      `Replication backlog freed after ${seconds} seconds without connected replicas.`,
    );
  }

  /** Sets what INFO counts to zero. */
  resetStatistics(): void {
    this.fullSyncs = 0;
    this.partialSyncs = 0;
    this.refusedPartialSyncs = 0;
    this.sentBytes = 0;
  }

  /** The server stops. */
  stop(): void {
    this.fullSync.cancel();
  }
}
