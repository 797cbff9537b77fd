/**
 * The router: clients connect to it as to a single server. It sends writes to the master, reads to the nodes that are up to
 * date, and holds back for a while what nobody can take.
 *
 * @module
 */
import type { RequestFrame } from "../../protocol/request_parser.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Connection, Sockets } from "../../runtime/sockets.ts";
import type { MonitorEnvironment } from "../environment.ts";
import type { RouterOptions } from "../options.ts";
import type { RouterObserver, RouterSteering, Routing } from "../routing.ts";
import { BlockingCommand } from "./blocking_command.ts";
import { answerLocally } from "./local_commands.ts";
import { type Listening, listenOn } from "./listening.ts";
import { Holding } from "./holding.ts";
import type { NodeHost, RouterNode } from "./node.ts";
import { BlockPool } from "./outgoing.ts";
import { doubtWrites, errorRun, nextWrites, rescueLost, rescueRefused } from "./rescue.ts";
import type { NodeRole } from "./role.ts";
import {
  BLOCKING,
  LOCAL,
  MULTI,
  READ,
  REFUSED,
  type Route,
  RouteTable,
  SUBSCRIBE,
  WAIT,
  WATCH,
  WRITE,
} from "./routes.ts";
import { Run } from "./run.ts";
import { RouterSession } from "./session.ts";
import { type Group, REPLY_ON, REPLY_SKIP, type SessionHost } from "./session_host.ts";
import { Statistics } from "./statistics.ts";
import { Subscriber } from "./subscriber.ts";
import { Topology } from "./topology.ts";
import { TransactionLane } from "./transaction_lane.ts";
import { closeQuietly, type Upstream, type UpstreamShape } from "./upstream.ts";

/** With so many bytes waiting for a node, clients wait. */
const UPSTREAM_PAUSE_BYTES = 16 << 20;
const SECOND_MS = 1000;

/** The code of errors about commands of which nobody knows whether they were carried out. */
export const UNKNOWN_OUTCOME = "UNCERTAIN";

/** See the head of this file. */
export class Router implements RouterSteering, NodeHost, SessionHost {
  /** Connections. */
  readonly sockets: Sockets;
  /** Time. */
  readonly clock: Clock;
  readonly blocks: BlockPool = new BlockPool();
  /** What is done with each command. */
  readonly routes: RouteTable = new RouteTable();
  /** What is counted. */
  readonly statistics: Statistics = new Statistics();
  /** The nodes. */
  readonly topology: Topology;
  /** What waits. */
  readonly holding: Holding;
  /** The clients, by their numbers. */
  readonly sessions: Map<number, RouterSession> = new Map();
  nowMs: number;
  /** The port that it listens on; 0 while it doesn't. */
  port = 0;
  private readonly observer: RouterObserver | null;
  private listening: Listening | null = null;
  private touched: RouterSession[] = [];
  private isFlushing = false;
  /** Connections that a client needs no more, to be given back when the turn is over. */
  private returned: { node: RouterNode; upstream: Upstream }[] = [];
  private lastId = 0;
  private drainWaiters: (() => void)[] = [];
  private timer: ReturnType<typeof setInterval> | undefined;
  /** Databases that the nodes are known to have. */
  readonly databases: Set<number> = new Set([0]);
  /** The lowest number of which the master has said that there is no such database. */
  databaseLimit: number = Infinity;

  /** A router that doesn't listen yet; `nodeLogin` is what nodes ask for. */
  constructor(
    readonly options: RouterOptions,
    private readonly nodeLogin: { readonly user: string; readonly pass: string },
    readonly environment: MonitorEnvironment,
    observer: RouterObserver | null,
  ) {
    this.sockets = environment.sockets;
    this.clock = environment.clock;
    this.nowMs = this.clock.monotonic();
    this.observer = observer;
    this.topology = new Topology(options, this);
    this.holding = new Holding(this);
  }

  /** Password and user for nodes. */
  get user(): string {
    return this.nodeLogin.user;
  }
  /** The password for nodes. */
  get pass(): string {
    return this.nodeLogin.pass;
  }
  /** How many replicas have to confirm writes. */
  get acks(): number {
    return this.options.minAcks;
  }
  /** How long confirmations may take, in ms. */
  get ackTimeoutMs(): number {
    return this.options.ackTimeoutMs;
  }
  /** How long a replica may be silent, in ms. */
  get nodeTimeoutMs(): number {
    return this.options.nodeTimeoutMs;
  }
  /** Longest command of a client, in bytes. */
  get queryBufferLimit(): number {
    return this.options.queryBufferLimit;
  }
  /** Most bytes of replies that may wait for a client. */
  get outputBufferLimit(): number {
    return this.options.outputBufferLimit;
  }

  /**
   * Listens.
   *
   * @throws {Error} as the system says, if it can't on any address.
   */
  start(): void {
    const { options } = this;
    this.timer = setInterval(() => this.endSecond(), SECOND_MS);
    if (options.port === null) return;
    this.listening = listenOn(this.sockets, options.bind, options.port, (connection) => {
      this.welcome(connection);
    }, this.environment.logger);
    this.port = this.listening.port;
  }

  /** Ends all connections. */
  stop(): void {
    clearInterval(this.timer);
    this.listening?.close();
    this.holding.stop();
    for (const session of [...this.sessions.values()]) session.close();
    this.topology.stop();
  }

  /** Takes effect before it returns; see {@linkcode RouterSteering.apply}. */
  apply(routing: Routing): void {
    this.tick();
    this.topology.apply(routing);
    this.holding.wake();
    this.flushClients();
  }

  /** Until when writes may be sent; see {@linkcode RouterSteering.lease}. */
  lease(untilMs: number): void {
    const hadNone = !this.topology.hasLease;
    this.topology.setLease(untilMs);
    if (hadNone) this.holding.wake();
  }

  /** Resolves when all writes are answered; see {@linkcode RouterSteering.drained}. */
  async drained(timeoutMs: number): Promise<boolean> {
    const isDrained = () => (this.topology.master?.outstandingWrites ?? 0) === 0;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.checkDrained();
    }, timeoutMs);
    while (!isDrained() && !isLate) {
      await new Promise<void>((resolve) => this.drainWaiters.push(resolve));
    }
    clearTimeout(timer);
    return isDrained();
  }

  // What sessions ask for.

  /** A turn begins. */
  tick(): void {
    this.nowMs = this.clock.monotonic();
  }

  /** A session has something to send. */
  flushLater(session: RouterSession): void {
    this.touched.push(session);
  }

  /** Sends what waits for clients, and lets those go on who can. */
  flushClients(): void {
    if (this.isFlushing) return;
    this.isFlushing = true;
    for (let index = 0; index < this.touched.length; index++) this.touched[index].endTurn();
    this.touched.length = 0;
    this.isFlushing = false;
    if (this.returned.length > 0) this.giveBackAll();
    if (this.drainWaiters.length > 0) this.checkDrained();
  }

  /** Sends a group where it belongs; see {@linkcode SessionHost.dispatch}. */
  dispatch(session: RouterSession, group: Group): boolean {
    const upstream = this.pick(session, group);
    if (upstream === null) return session.isWaiting ? false : this.holding.hold(session, group);
    if (upstream.unsentBytes > UPSTREAM_PAUSE_BYTES) return this.holding.stall(session);
    session.heldSinceMs = -1;
    const last = session.line.last;
    const { bytes, start, end, count, writes } = group;
    if (
      last !== undefined && last.upstream === upstream && upstream.lastRun === last &&
      !last.isVoid && !last.isSilent && upstream.extend(last, bytes, start, end, count, writes)
    ) {
      last.toMaster ||= group.toMaster;
      return true;
    }
    const run = this.newRun(session, count, writes, group.toMaster);
    session.line.push(run);
    upstream.send(run, bytes, start, end);
    return true;
  }

  /** Does what is to be done with one command; see {@linkcode SessionHost.single}. */
  single(
    session: RouterSession,
    route: Route,
    bytes: Uint8Array,
    frame: RequestFrame,
  ): boolean {
    session.lastCommand = route.name;
    const isDone = session.own !== null
      ? session.own.take(route, bytes, frame)
      : this.begin(session, route, bytes, frame);
    if (isDone && session.replyMode === REPLY_SKIP && !this.skipsNext) {
      session.replyMode = REPLY_ON;
    }
    this.skipsNext = false;
    return isDone;
  }

  /** CLIENT REPLY SKIP is not the command whose reply is skipped. */
  skipsNext = false;

  /** Does what is to be done with a command of a client that has no connection of its own. */
  private begin(
    session: RouterSession,
    route: Route,
    bytes: Uint8Array,
    frame: RequestFrame,
  ): boolean {
    const { kind } = route;
    if (kind === LOCAL || !session.isAuthenticated) {
      const answer = answerLocally(this, session, route, bytes, frame);
      if (answer !== "send") return answer === "done";
    }
    if (kind === REFUSED) {
      this.sayError(
        session,
        `ERR ${route.name.toUpperCase()} is not sent on by the monitor: ask the node itself`,
      );
      return true;
    }
    if (kind === MULTI || kind === WATCH) {
      return TransactionLane.begin(this, session, route, bytes, frame);
    }
    if (kind === SUBSCRIBE) return Subscriber.begin(this, session, route, bytes, frame);
    if (kind === BLOCKING || kind === WAIT || route.blocksByWord) {
      return BlockingCommand.begin(this, session, route, bytes, frame);
    }
    return this.dispatchSingle(session, kind, bytes, frame);
  }

  /** Sends one command that may not be answered. */
  private dispatchSingle(
    session: RouterSession,
    kind: number,
    bytes: Uint8Array,
    frame: RequestFrame,
  ): boolean {
    const writes = kind >= WRITE ? 1 : 0;
    const group: Group = {
      bytes,
      start: frame.start,
      end: frame.position,
      count: 1,
      writes,
      toMaster: kind !== READ,
    };
    const upstream = this.pick(session, group);
    if (upstream === null) return session.isWaiting ? false : this.holding.hold(session, group);
    if (upstream.unsentBytes > UPSTREAM_PAUSE_BYTES) return this.holding.stall(session);
    session.heldSinceMs = -1;
    const run = this.newRun(session, 1, writes, group.toMaster);
    run.isSilent = session.replyMode !== REPLY_ON;
    session.line.push(run);
    upstream.send(run, bytes, group.start, group.end);
    return true;
  }

  /**
   * Whether a client may get a connection to the master of its own for a command: nothing of it is under way, and the master is there. If
   * not, `isDone` says whether the command was answered (with an error, as it has waited for too long); else it waits.
   */
  admit(
    session: RouterSession,
    bytes: Uint8Array,
    frame: RequestFrame,
    writes: number,
  ): { readonly master: RouterNode } | { readonly isDone: boolean } {
    if (session.pendingRuns > 0) {
      session.isWaiting = true;
      return { isDone: false };
    }
    const { mayWrite, master } = this.topology;
    if (master !== null && (writes > 0 ? mayWrite : master.isMaster)) {
      session.heldSinceMs = -1;
      return { master };
    }
    const { start, position: end } = frame;
    const group: Group = { bytes, start, end, count: 1, writes, toMaster: true };
    return { isDone: this.holding.hold(session, group) };
  }

  /** A run that is sent now. */
  newRun(session: RouterSession, count: number, writes: number, toMaster: boolean): Run {
    const run = new Run(session, count);
    run.writes = writes;
    run.toMaster = toMaster;
    run.startedMs = run.sentMs = this.nowMs;
    return run;
  }

  /** The connection for a group of commands; null if there is none, or (then the session waits) if others must be done first. */
  private pick(session: RouterSession, group: Group): Upstream | null {
    const { topology, options } = this;
    const isOrdered = options.consistency !== "eventual";
    if (group.toMaster) {
      const { master } = topology;
      const isThere = group.writes > 0 ? topology.mayWrite : master !== null && master.isMaster;
      if (!isThere) return null;
      const upstream = this.masterLane(master!, session, session, group.writes > 0);
      if (isOrdered && session.pendingRuns > 0 && session.line.hasRunsElsewhere(upstream)) {
        session.isWaiting = true;
        return null;
      }
      return upstream;
    }
    if (isOrdered && session.pendingRuns > 0) {
      const upstream = session.line.writingUpstream;
      if (upstream !== null && !upstream.isClosed) {
        const { shape } = upstream;
        if (shape.database === session.database && shape.resp === session.resp) return upstream;
        session.isWaiting = true;
        return null;
      }
    }
    const node = topology.reader(session.batch);
    if (node === null) return null;
    if (node === topology.master) return this.masterLane(node, session, session, false);
    return node.lane(session.resp, session.database, false, session.id % options.sharedConnections);
  }

  /** With confirmations, what writes has a connection of its own: what reads must not wait for replicas. */
  masterLane(
    master: RouterNode,
    { id }: RouterSession,
    { resp, database }: Pick<UpstreamShape, "resp" | "database">,
    writes: boolean,
  ): Upstream {
    const { minAcks, sharedConnections } = this.options;
    return master.lane(resp, database, writes || minAcks === 0, id % sharedConnections);
  }

  /** A reply of the router's own that is an error. */
  sayError(session: RouterSession, error: string): void {
    this.statistics.error(error, 1);
    // It may quote what the client has sent.
    session.reply(`-${error.replace(/[\r\n]/g, " ")}\r\n`);
  }

  /** A node refuses a command of a run: it is sent elsewhere. */
  refused(session: RouterSession, run: Run, error: string, isRefusal: boolean): boolean {
    const { upstream } = run;
    if (session.own !== null && session.own.refused(run, error)) return true;
    // What comes behind a refused command, but was carried out, is done.
    if (!isRefusal && nextWrites(run, this.routes)) return false;
    if (isRefusal) this.nodeOf(upstream)?.avoid(error);
    this.noteAnswered(session, run);
    const doubt =
      `${UNKNOWN_OUTCOME} The node can't serve any more, and nobody has confirmed the write`;
    const { runs, again, unknown } = rescueRefused(
      run,
      this.routes,
      doubt,
      session.line.repeatedBefore(run),
    );
    if (unknown > 0) this.noteUnknown(session, unknown, doubt);
    const keepsRun = run.count > 0;
    session.replace(run, runs, keepsRun);
    if (!run.isVoid) session.line.voidRunsOn(upstream);
    if (run.isExclusive) {
      upstream!.isTainted = true;
      this.giveBack(upstream!);
    }
    this.holding.repeat(session, again);
    return true;
  }

  /** A run has lost its connection: what can be is sent elsewhere, the rest is answered with an error. */
  lost(session: RouterSession, run: Run, reason: string): void {
    if (session.own !== null && session.own.lost(run, reason)) return;
    const error = `${UNKNOWN_OUTCOME} The master was lost before it answered (${reason}): ` +
      "whether the command was carried out is unknown";
    this.noteAnswered(session, run);
    const { runs, again, unknown } = run.isBound
      ? { runs: [errorRun(run, run.count, error)], again: [], unknown: run.writes }
      : rescueLost(run, this.routes, error);
    if (unknown > 0) this.noteUnknown(session, unknown, error);
    session.replace(run, runs, false);
    this.holding.repeat(session, again);
  }

  /** A run won't be answered to its end, but what the client has heard of it counts: what comes next must have seen it. */
  private noteAnswered(session: RouterSession, run: Run): void {
    if (run.answered > 0 && run.writes > 0) session.batch = this.topology.noteWrite();
  }

  /** Too few replicas have confirmed a run. */
  unconfirmed(session: RouterSession, run: Run, failure: string): void {
    const error = unconfirmedError(failure);
    this.noteUnknown(session, doubtWrites(run, this.routes, error), error);
  }

  /** The reply to a write of a client that is passed on as it is, of which too few replicas have confirmed that they have it. */
  doubt(session: RouterSession, failure: string): Uint8Array {
    const error = unconfirmedError(failure);
    this.noteUnknown(session, 1, error);
    return new TextEncoder().encode(`-${error}\r\n`);
  }

  /** Nobody knows the outcome of some writes, which a client is told. */
  private noteUnknown(session: RouterSession, count: number, error: string): void {
    this.statistics.unknownOutcomes += count;
    this.statistics.error(error, count);
    session.batch = this.topology.noteWrite();
  }

  /** All replies of a run are there. */
  finished(session: RouterSession, run: Run): void {
    const { count, writes } = run;
    if (run.upstream === null) return;
    this.statistics.answered(count - writes, writes, this.nowMs - run.startedMs);
    if (writes > 0) session.batch = this.topology.noteWrite();
    if (run.isExclusive) this.giveBack(run.upstream);
    session.own?.finished(run);
  }

  /** A client is gone. */
  left(session: RouterSession): void {
    this.sessions.delete(session.id);
    this.holding.forget(session);
  }

  /** A connection of a client's own is of no use to it any more. */
  giveBack(upstream: Upstream): void {
    const node = this.nodeOf(upstream);
    if (node === undefined) upstream.fail("not needed any more");
    else this.returned.push({ node, upstream });
  }

  // What nodes ask for.

  /** Whether what changes data may leave now. */
  mayWrite(): boolean {
    return this.topology.hasLease;
  }

  /** Why it doesn't count that replicas have what was changed; empty if it does. */
  get confirmTrouble(): string {
    return this.topology.confirmTrouble;
  }

  /** A connection has room again for what is to be sent. */
  hasRoom(): void {
    this.holding.unstall();
  }

  /** A node will be asked for its role. */
  asks(node: RouterNode): unknown {
    return this.topology.asks(node);
  }

  /** A node has told its role, or won't. */
  hears(node: RouterNode, role: NodeRole | null, token: unknown): void {
    this.topology.hears(node, role, token);
    this.holding.wakeSoon();
  }

  /** Something is wrong with a node. */
  suspects(node: RouterNode, reason: string): void {
    // It may answer with another routing, which ends connections: not while one of them hands out what it has read.
    queueMicrotask(() => this.observer?.suspects(node.address, reason));
  }

  /** The node that a connection leads to. */
  private nodeOf(upstream: Upstream | null): RouterNode | undefined {
    for (const node of this.topology.all) if (node.owns(upstream)) return node;
    return undefined;
  }

  /** Gives connections back that clients have done with. */
  private giveBackAll(): void {
    const { returned } = this;
    this.returned = [];
    for (const { node, upstream } of returned) if (!upstream.isClosed) node.giveBack(upstream);
  }

  /** Has those look again who wait for the last write. */
  private checkDrained(): void {
    const waiters = this.drainWaiters;
    this.drainWaiters = [];
    for (const resolve of waiters) resolve();
  }

  /** Takes in a client, or turns it away. */
  private welcome(connection: Connection): void {
    const { options } = this;
    this.tick();
    if (this.sessions.size >= options.maxClients) {
      return turnAway(connection, "-ERR max number of clients reached\r\n");
    }
    if (options.protectedMode && options.requirePass === "" && !connection.fromLoopback) {
      return turnAway(connection, PROTECTED_MODE);
    }
    this.statistics.connections++;
    const id = ++this.lastId;
    const session = new RouterSession(this, connection, id, options.requirePass === "");
    this.sessions.set(id, session);
  }

  /** A second is over. */
  private endSecond(): void {
    const { statistics, options } = this;
    statistics.endSecond();
    this.tick();
    if (options.timeoutSeconds === 0) return;
    const oldest = this.nowMs - options.timeoutSeconds * 1000;
    for (const session of this.sessions.values()) {
      const { pendingRuns, own, waitingBytes } = session;
      const isIdle = pendingRuns === 0 && own === null && waitingBytes === 0;
      if (isIdle && session.lastInteractionMs < oldest) session.close();
    }
  }
}

/** What a client of another machine is told in protected mode. */
const PROTECTED_MODE =
  "-DENIED the monitor is running in protected mode because no password is set for its clients. " +
  "In this mode connections are only accepted from the loopback interface. To serve other " +
  "machines, set a password with '--requirepass', or turn protected mode off with " +
  "'--protected-mode no'.\r\n";

function unconfirmedError(failure: string): string {
  return `${UNKNOWN_OUTCOME} The master has carried it out, but ${failure}`;
}

/** Says one thing to a client, and closes. */
function turnAway(connection: Connection, text: string): void {
  const close = () => closeQuietly(connection);
  connection.write(new TextEncoder().encode(text)).then(close, close);
}
