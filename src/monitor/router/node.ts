/**
 * A node as the router sees it: its connections, and what it says of itself.
 *
 * A connection of the node's own watches it: it asks for the role and the offset ({@linkcode NodeRole}), four times a second at rest,
 * and more often while a client waits to hear that a replica has its writes. As long as that is answered, the node is up.
 *
 * @module
 */
import { connect } from "../../client/connect.ts";
import type { Client } from "../../client/client.ts";
import { joinAddress } from "../../runtime/addresses.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Sockets } from "../../runtime/sockets.ts";
import type { NodeAddress } from "../routing.ts";
import { openConnection } from "./opening.ts";
import { isBusy, type NodeRole, readRole } from "./role.ts";
import { Upstream, type UpstreamHost, type UpstreamOwner, type UpstreamShape } from "./upstream.ts";
import { within } from "./within.ts";

/** How often a node is asked at rest, in ms... */
const REST_MS = 250;
/** ... and, if it is a master, at most: a shorter time has more reads served by replicas, and costs all nodes more. */
const MASTER_HURRY_MS = 20;
/** A replica is asked so long after the master: most have come as far by then. */
const HURRY_MS = 5;
/** How long an answer may take before the node isn't up any more. */
const ANSWER_MS = 1000;
const CONNECT_MS = 1000;
/** How long to wait before another try to connect: first, and at most. */
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 500;
/** A node that has said that it can't serve is left alone for so long. */
const AVOID_MS = 50;
/** More connections than this aren't shared for one database. */
const MOST_LANES = 64;
/** So many connections that one client has used are kept for the next. */
const IDLE_CONNECTIONS = 16;

/** What nodes need of the router. */
export interface NodeHost extends UpstreamHost {
  /** Connections. */
  readonly sockets: Sockets;
  /** Time. */
  readonly clock: Clock;
  /** User and password for nodes; empty for none. */
  readonly user: string;
  /** The password for nodes; empty for none. */
  readonly pass: string;
  /** How many replicas have to confirm writes, and within what time. */
  readonly acks: number;
  /** How long confirmations may take, in ms. */
  readonly ackTimeoutMs: number;
  /** How long a replica may be silent, in ms, before what was asked of it is asked elsewhere; 0 for any time. */
  readonly nodeTimeoutMs: number;
  /** A node will be asked for its role now; what this gives comes back with the answer, or with nothing. */
  asks(node: RouterNode): unknown;
  /** It has answered, or (null) it is lost. */
  hears(node: RouterNode, role: NodeRole | null, token: unknown): void;
  /** Something is wrong with a node. */
  suspects(node: RouterNode, reason: string): void;
}

/** See the head of this file. */
export class RouterNode implements UpstreamOwner {
  /** `host:port`. */
  readonly name: string;
  /** Whether it answers. */
  isUp = false;
  /** Why not, for people. */
  trouble = "not connected yet";
  /** What it has said last. */
  role: NodeRole | null = null;
  /** How far its data has come, where that counts in the master's history; else -1. */
  offset: number = -1;
  /**
   * As long as nobody knows whether its data is of the history of the master's present process, the offset that it was known to have before
   * (0 if none), which means nothing; else -1.
   */
  staleOffset: number = 0;
  /** Answers to what it was asked before this question count no more. */
  firstQuestion = 0;
  /** How often the connection that watches it was opened. */
  connections = 0;
  /** On which of its {@linkcode connections} it has said its offset. */
  offsetConnection: number = -1;
  /** Share of the reads that it gets. */
  weight = 1;
  /** Commands that wait for replies... */
  outstandingCommands = 0;
  /** ... and those of them that change data. */
  outstandingWrites = 0;
  /** Commands that were sent to it. */
  sent = 0;
  private readonly lanes = new Map<number, Upstream>();
  private readonly exclusives = new Set<Upstream>();
  private idle: Upstream[] = [];
  private client: Client | null = null;
  /** It is busy with a script, behind which commands on the usual connections wait. On others it says so. */
  private isBusy = false;
  private avoidUntilMs = 0;
  private isClosed = false;
  private isHurried = false;
  private wake: (() => void) | null = null;
  private failures = 0;
  /** When it was asked last, by the monotonic clock in ms. */
  private askedMs = -Infinity;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;

  /** Watches the node at `address` from now on. */
  constructor(readonly address: NodeAddress, private readonly host: NodeHost) {
    this.name = joinAddress(address.host, address.port);
    this.watch();
  }

  /** Whether commands can be sent to it. */
  get isUsable(): boolean {
    return this.isUp && (this.avoidUntilMs === 0 || !this.isAvoided());
  }

  /** Whether it can take writes, as far as it has said. */
  get isMaster(): boolean {
    return this.isUsable && this.role!.isMaster;
  }

  /** The connection that all clients of a protocol and a database share. */
  lane(resp: 2 | 3, database: number, writes: boolean, number: number): Upstream {
    const kind = (resp === 3 ? 1 : 0) + (writes ? 2 : 0) + (this.isBusy ? 4 : 0);
    const key = (database * MOST_LANES + number) * 8 + kind;
    const known = this.lanes.get(key);
    if (known !== undefined) return known;
    const lane = this.open(resp, database, writes, false);
    this.lanes.set(key, lane);
    return lane;
  }

  /** A connection for one client alone, until {@linkcode RouterNode.giveBack}. */
  exclusive(resp: 2 | 3, database: number): Upstream {
    const index = this.idle.findIndex(({ shape }) =>
      shape.resp === resp && shape.database === database
    );
    if (index >= 0) return this.idle.splice(index, 1)[0];
    return this.open(resp, database, true, true);
  }

  /** The client needs it no more; nothing is under way on it. */
  giveBack(upstream: Upstream): void {
    const isGood = upstream.isReady && !upstream.isTainted && upstream.pendingRuns === 0;
    if (!isGood || this.idle.length >= IDLE_CONNECTIONS) {
      return upstream.fail("not needed any more");
    }
    // Until a transaction takes it, nobody waits for what is done on it.
    upstream.countsWrites = false;
    this.idle.push(upstream);
  }

  /** Whether a connection is one of its own. */
  owns(upstream: Upstream | null): boolean {
    if (upstream === null) return false;
    if (this.exclusives.has(upstream)) return true;
    for (const lane of this.lanes.values()) if (lane === upstream) return true;
    return false;
  }

  /** It has said that it can't serve now. */
  avoid(reason: string): void {
    this.avoidUntilMs = this.host.clock.monotonic() + AVOID_MS;
    this.trouble = reason;
    this.hurry();
    this.host.suspects(this, reason);
  }

  /** Asks it as soon as may be. */
  hurry(): void {
    this.isHurried = true;
    this.wake?.();
  }

  /**
   * Has it answer a command of the router's own, whose effect is on no client's connection: `OK`, or the text of an error.
   *
   * @throws {Error} if it can't be asked.
   */
  async ask(...command: [string, ...(string | number)[]]): Promise<string> {
    if (this.client === null) throw new Error(this.trouble);
    const reply = await within(this.client.send(...command), ANSWER_MS);
    return reply.kind === "error" ? reply.text() : "OK";
  }

  /** Ends all connections but those that wait for something, which have `graceMs` to be told that the node is no master any more. */
  dropClients(reason: string, graceMs: number): void {
    for (const lane of [...this.lanes.values()]) lane.fail(reason);
    for (const upstream of [...this.exclusives]) {
      if (graceMs === 0 || upstream.pendingRuns === 0) upstream.fail(reason);
      else {
        upstream.expectRefusal(reason);
        setTimeout(() => upstream.fail(reason), graceMs);
      }
    }
  }

  /**
   * The node may be another process than before, whose machine had no time to say so: what was connected to the old one, and isn't in
   * use, would fail whoever uses it next.
   */
  private dropIdle(): void {
    for (const upstream of [...this.lanes.values(), ...this.idle]) {
      if (upstream.isReady && upstream.pendingRuns === 0) {
        upstream.fail("the node was connected to anew");
      }
    }
  }

  /** Ends all connections; nobody asks for it any more. */
  close(reason: string): void {
    this.isClosed = true;
    this.isUp = false;
    clearTimeout(this.silenceTimer);
    this.wake?.();
    this.client?.close();
    this.dropClients(reason, 0);
  }

  /** More, or fewer, commands wait for replies. */
  outstanding(count: number, writes: number): void {
    this.outstandingCommands += count;
    this.outstandingWrites += writes;
    if (count > 0) this.sent += count;
  }

  /** A connection is lost. */
  upstreamLost(upstream: Upstream): void {
    for (const [key, lane] of this.lanes) if (lane === upstream) this.lanes.delete(key);
    this.exclusives.delete(upstream);
    this.idle = this.idle.filter((one) => one !== upstream);
    if (!this.isClosed) this.hurry();
  }

  /** Whether it has said lately that it can't serve. */
  private isAvoided(): boolean {
    if (this.host.clock.monotonic() < this.avoidUntilMs) return true;
    this.avoidUntilMs = 0;
    return false;
  }

  /** A new connection; commands can be given to it at once. */
  private open(resp: 2 | 3, database: number, writes: boolean, isExclusive: boolean): Upstream {
    const { host } = this;
    const shape: UpstreamShape = {
      resp,
      database,
      isExclusive,
      carriesWrites: writes,
      acks: writes ? host.acks : 0,
      ackTimeoutMs: host.ackTimeoutMs,
    };
    const upstream = new Upstream(host, this, shape);
    if (isExclusive) this.exclusives.add(upstream);
    this.connect(upstream);
    return upstream;
  }

  /** Connects it, and looks whether the node is what it is taken for. */
  private async connect(upstream: Upstream): Promise<void> {
    const { address, host } = this;
    const { resp, database, carriesWrites } = upstream.shape;
    try {
      const opened = await openConnection(host.sockets, address, {
        resp,
        database,
        user: host.user,
        pass: host.pass,
        timeoutMs: CONNECT_MS,
      });
      if (carriesWrites && opened.role?.isMaster === false) {
        opened.connection.close();
        throw new Error("it is no master");
      }
      if (upstream.isClosed) opened.connection.close();
      else upstream.start(opened.connection);
    } catch (error) {
      const { message } = error as Error;
      // Until it is heard of again, nobody need try.
      if (!this.isClosed && !upstream.isClosed) this.down(message);
      upstream.fail(message);
    }
  }

  /** Asks again and again, until nobody wants to know. */
  private async watch(): Promise<void> {
    while (!this.isClosed) {
      try {
        this.client = await this.openClient();
        if (++this.connections > 1) this.dropIdle();
        for (; !this.isClosed; await this.rest(REST_MS)) await this.askRole(this.client);
      } catch (error) {
        this.client?.close();
        this.client = null;
        this.failures++;
        this.down((error as Error).message);
      }
      if (this.isClosed) break;
      await this.rest(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(8, this.failures)));
    }
    this.client?.close();
  }

  /** The connection that watches the node. */
  private async openClient(): Promise<Client> {
    const { address: { host: hostname, port }, host } = this;
    const login = host.pass === "" ? {} : {
      password: host.pass,
      ...(host.user === "" ? {} : { username: host.user }),
    };
    const opening = connect({
      ...login,
      hostname,
      port,
      openSocket: () => host.sockets.connect(hostname, port),
    });
    try {
      return await within(opening, CONNECT_MS);
    } catch (error) {
      // One that comes too late is closed.
      opening.then((client) => client.close(), () => {});
      throw error;
    }
  }

  /** Asks it for its role once. */
  private async askRole(client: Client): Promise<void> {
    const { host } = this;
    this.isHurried = false;
    this.askedMs = host.clock.monotonic();
    const token = host.asks(this);
    let role: NodeRole;
    try {
      const reply = await within(client.send("ROLE"), ANSWER_MS);
      // A script runs for long: the node says so to all that is asked of it, and is what it was.
      this.isBusy = isBusy(reply);
      if (this.isBusy && this.role !== null) return host.hears(this, null, token);
      role = readRole(reply);
    } catch (error) {
      host.hears(this, null, token);
      throw error;
    }
    if (this.isClosed) return host.hears(this, null, token);
    this.role = role;
    this.isUp = true;
    this.failures = 0;
    clearTimeout(this.silenceTimer);
    this.silenceTimer = undefined;
    this.trouble = "";
    host.hears(this, role, token);
  }

  /** It doesn't answer. */
  private down(reason: string): void {
    this.trouble = reason;
    if (!this.isUp) return;
    this.isUp = false;
    this.hurry();
    this.startSilence();
    this.host.suspects(this, reason);
  }

  /**
   * Replies of a replica that is silent for long are not waited for. What was sent to a master stays, since nobody would know what became of
   * it: that is for the failover to end.
   */
  private startSilence(): void {
    const { nodeTimeoutMs } = this.host;
    if (nodeTimeoutMs === 0 || this.silenceTimer !== undefined) return;
    this.silenceTimer = setTimeout(() => {
      this.silenceTimer = undefined;
      if (!this.isUp && !this.role?.isMaster) {
        this.dropClients(`it has been silent for ${nodeTimeoutMs} ms`, 0);
      }
    }, nodeTimeoutMs);
  }

  /** In how many ms it is to be asked if somebody is in a hurry. */
  private get hurryMs(): number {
    if (!this.role?.isMaster) return HURRY_MS;
    return Math.max(0, this.askedMs + MASTER_HURRY_MS - this.host.clock.monotonic());
  }

  /** Waits, unless somebody is in a hurry. */
  private async rest(ms: number): Promise<void> {
    const isConnected = this.client !== null;
    await new Promise<void>((resolve) => {
      let timer = setTimeout(resolve, this.isHurried && isConnected ? this.hurryMs : ms);
      this.wake = () => {
        this.wake = null;
        clearTimeout(timer);
        timer = setTimeout(resolve, isConnected ? this.hurryMs : Math.min(ms, FIRST_RETRY_MS));
      };
      if (this.isHurried) this.wake = null;
      if (this.isClosed) resolve();
    });
    this.wake = null;
  }
}
