/**
 * The nodes, and which of them a command goes to.
 *
 * @module
 */
import { LAST_WORD_MS, type NodeAddress, type Routing } from "../routing.ts";
import type { RouterOptions } from "../options.ts";
import { joinAddress } from "../../runtime/addresses.ts";
import { type Batch, Freshness } from "./freshness.ts";
import { type NodeHost, RouterNode } from "./node.ts";
import type { NodeRole } from "./role.ts";

/** How long connections that wait for something outlive a change of the master, in ms: the node tells them of it. */
const GRACE_MS = 1000;

/**
 * A reader that has got reads in this turn gets more until it has so many commands more to do than another: what leaves together costs
 * both sides less.
 */
const BUNDLE = 8;

/** Nobody is known yet. */
export const NO_ROUTING: Routing = {
  epoch: 0,
  master: null,
  writable: false,
  reason: "no master is known yet",
  replicas: [],
};

/** See the head of this file. */
export class Topology {
  /** What the control plane has said last. */
  routing: Routing = NO_ROUTING;
  /** Until when writes may be sent, by the monotonic clock in ms. */
  leaseUntilMs: number = Infinity;
  /** Until when that replicas have a write may be passed on. */
  private confirmUntilMs = Infinity;
  /** Who takes writes; null while nobody is known. */
  master: RouterNode | null = null;
  /** The nodes that serve reads beside the master. */
  readers: readonly RouterNode[] = [];
  /** How far the nodes' data has come. */
  readonly freshness: Freshness;
  private readonly nodes = new Map<string, RouterNode>();
  /** Those of {@linkcode readers} that are close enough behind the master. */
  private close = new Set<RouterNode>();
  /** Who has got the last reads of this turn; null if nobody has. */
  private chosen: RouterNode | null = null;
  /** Turns in which there were reads: in each, another reader comes first. */
  private turn = 0;
  private readonly endTurn = (): void => {
    this.chosen = null;
    this.turn = (this.turn + 1) & 0xffff;
  };
  /** Questions for the role of nodes other than the master. */
  private questions = 0;
  /** The master that was heard last, and by which of the connections that watch it. */
  private heard: RouterNode | null = null;
  private heardConnection = 0;
  private readonly readsOwnWrites: boolean;

  /** No nodes yet. */
  constructor(private readonly options: RouterOptions, private readonly host: NodeHost) {
    this.freshness = new Freshness(options.maxLagSeconds);
    this.readsOwnWrites = options.consistency === "read-your-writes";
  }

  /** All nodes that are watched. */
  get all(): Iterable<RouterNode> {
    return this.nodes.values();
  }

  /** The node at `host:port`, if it is watched. */
  byName(name: string): RouterNode | undefined {
    return this.nodes.get(name);
  }

  /** Uses other nodes, or the same ones otherwise. */
  apply(routing: Routing): void {
    const before = this.master;
    this.routing = routing;
    const wanted = new Set<string>();
    const node = (address: NodeAddress) => {
      const name = joinAddress(address.host, address.port);
      wanted.add(name);
      let known = this.nodes.get(name);
      if (known === undefined) this.nodes.set(name, known = new RouterNode(address, this.host));
      return known;
    };
    this.master = routing.master === null ? null : node(routing.master);
    this.readers = routing.replicas.filter(({ weight }) => weight > 0).map((replica) => {
      const reader = node(replica);
      reader.weight = replica.weight;
      return reader;
    }).filter((reader) => reader !== this.master);
    if (before !== null && before !== this.master) {
      before.dropClients("another node is the master now", GRACE_MS);
    }
    for (const [name, known] of this.nodes) {
      if (wanted.has(name)) continue;
      this.nodes.delete(name);
      known.close("the node is not used any more");
    }
    if (before !== this.master) this.master?.hurry();
    else this.askForWrites();
    this.judge();
  }

  /** Ends all connections. */
  stop(): void {
    for (const node of this.nodes.values()) node.close("the monitor stops");
    this.nodes.clear();
    this.master = null;
    this.readers = [];
  }

  /** Why no writes are sent; empty if they are. */
  get writeTrouble(): string {
    const { master, routing } = this;
    if (!routing.writable) return routing.reason === "" ? "no master is known" : routing.reason;
    if (master === null) return "no master is known";
    if (!master.isUsable) return `the master ${master.name} doesn't answer: ${master.trouble}`;
    if (!master.isMaster) return `the node ${master.name} is no master`;
    return this.hasLease ? "" : "the lease has run out: no majority of the monitors is heard";
  }

  /** Whether writes can be sent to the master. */
  get mayWrite(): boolean {
    const { master } = this;
    return master !== null && this.routing.writable && master.isMaster && this.hasLease;
  }

  /** Whether the other monitors have given their word for now. */
  get hasLease(): boolean {
    return this.leaseUntilMs === Infinity ||
      this.host.clock.monotonic() < this.leaseUntilMs;
  }

  /** The other monitors give their word until then, or (if that is earlier than before) take none any more. */
  setLease(untilMs: number): void {
    const isGivenBack = untilMs < this.leaseUntilMs;
    this.confirmUntilMs = isGivenBack
      ? Math.min(this.confirmUntilMs, this.host.clock.monotonic() + LAST_WORD_MS)
      : untilMs;
    this.leaseUntilMs = untilMs;
  }

  /** Why it mustn't be passed on that enough replicas have a write: whoever chooses another master may not know of it. Empty if it may. */
  get confirmTrouble(): string {
    if (this.routing.fenced === true) return "it is being replaced";
    const { confirmUntilMs } = this;
    const isInTime = confirmUntilMs === Infinity || this.host.clock.monotonic() < confirmUntilMs;
    return isInTime ? "" : "the lease has run out before that was confirmed";
  }

  /** A node that may answer a client that has written `batch` last; null if there is none. */
  reader(batch: Batch | null): RouterNode | null {
    const { options: { consistency, readFrom }, master } = this;
    const usable = master !== null && master.isMaster ? master : null;
    if (consistency === "strong" || readFrom === "master") return usable;
    if (batch !== null && batch.offset < 0 && this.readsOwnWrites) return usable;
    let best: RouterNode | null = readFrom === "any" ? usable : null;
    let bestLoad = best === null ? Infinity : this.loadOf(best);
    const { readers, turn } = this;
    for (let index = 0; index < readers.length; index++) {
      const node = readers[(turn + index) % readers.length];
      if (!node.isUsable || !this.close.has(node)) continue;
      if (batch !== null && this.readsOwnWrites && node.offset < batch.offset) continue;
      const load = this.loadOf(node);
      if (load < bestLoad) {
        best = node;
        bestLoad = load;
      }
    }
    if (best === null) return readFrom === "replicas" && batch === null ? null : usable;
    // Reads that have come at the same time are handed out before the microtasks end.
    if (this.chosen === null) queueMicrotask(this.endTurn);
    return this.chosen = best;
  }

  /** How much a node has to do, as far as that counts for who gets the next read. */
  private loadOf(node: RouterNode): number {
    return (node.outstandingCommands - (node === this.chosen ? BUNDLE : 0)) / node.weight;
  }

  /** Why there is no {@linkcode reader}. */
  get readTrouble(): string {
    if (this.readers.length === 0) return this.writeTrouble || "there are no replicas";
    const [node] = this.readers;
    return node.trouble === ""
      ? "no replica is up to date"
      : `the node ${node.name} doesn't answer: ${node.trouble}`;
  }

  /** Why a node gets no reads; empty if it does. */
  whyNot(node: RouterNode): string {
    if (!node.isUp) return node.trouble;
    if (node === this.master) return "";
    if (!this.readers.includes(node)) return "it is no replica of the master";
    return this.close.has(node) ? "" : "it is too far behind";
  }

  /** A client's write was answered. */
  noteWrite(): Batch | null {
    if (!this.readsOwnWrites) return null;
    const batch = this.freshness.noteWrite();
    this.askForWrites();
    return batch;
  }

  /** Somebody may want to read what was written: as long as only the master can be read from, there is no hurry. */
  private askForWrites(): void {
    if (this.readers.length > 0 && this.freshness.needsMaster) this.master?.hurry();
  }

  /** A node will be asked for its role. */
  asks(node: RouterNode): unknown {
    return node === this.master ? this.freshness.asks() : ++this.questions;
  }

  /** It has answered, or (null) it won't. */
  hears(node: RouterNode, role: NodeRole | null, token: unknown): void {
    const asked = token as Batch[] | number;
    if (typeof asked !== "number") this.hearsMaster(node, role, asked);
    else if (role !== null) this.hearsReplica(node, role, asked);
    this.judge();
  }

  /** By how many ms a node is behind; null if that isn't known. */
  lagMs(node: RouterNode): number | null {
    if (node === this.master) return 0;
    return node.offset < 0 ? null : this.freshness.lagMs(node.offset, this.host.clock.monotonic());
  }

  /** The one that was the master when it was asked has answered, or won't. */
  private hearsMaster(node: RouterNode, role: NodeRole | null, asked: Batch[]): void {
    const { freshness } = this;
    if (role === null || !role.isMaster || node !== this.master) {
      freshness.failed(asked);
      return;
    }
    const isReset = freshness.answered(asked, role.offset, this.host.clock.monotonic());
    const isAnother = this.heard !== node || this.heardConnection !== node.connections;
    this.heard = node;
    this.heardConnection = node.connections;
    node.offset = role.offset;
    for (const reader of this.readers) {
      if (follows(role, reader.address)) this.trust(reader);
      // What it has may be of a history that the master has lost.
      else if (isReset || isAnother) this.doubt(reader);
      if (asked.length > 0 && reader.offset < role.offset) reader.hurry();
    }
    this.askForWrites();
  }

  /** Another one has answered question number `question`. */
  private hearsReplica(node: RouterNode, role: NodeRole, question: number): void {
    if (question < node.firstQuestion) return;
    if (node.staleOffset >= 0) {
      // In one history no offset ever goes back.
      if (!role.isConnected || role.offset >= node.staleOffset) return;
      node.staleOffset = -1;
    }
    // A replica without its master doesn't say how far it is; as long as it is the same process, it has what it had.
    const hasLink = role.isMaster || role.offset >= 0;
    if (!hasLink && node.offsetConnection === node.connections) return;
    node.offset = role.isMaster ? -1 : role.offset;
    node.offsetConnection = node.connections;
    if (this.readsOwnWrites && node.offset < this.freshness.awaitedOffset) node.hurry();
  }

  /** The master's present process has a node for its replica: what that says from now on is of the same history. */
  private trust(node: RouterNode): void {
    if (node.staleOffset < 0) return;
    node.staleOffset = -1;
    node.firstQuestion = this.questions + 1;
    node.hurry();
  }

  /** It isn't known whether a node has the history of the master's present process. */
  private doubt(node: RouterNode): void {
    if (node.staleOffset >= 0) return;
    node.staleOffset = Math.max(0, node.offset);
    node.offset = -1;
  }

  /** Who is close enough behind the master? */
  private judge(): void {
    const nowMs = this.host.clock.monotonic();
    const limitMs = this.options.maxLagSeconds * 1000;
    this.close.clear();
    for (const node of this.readers) {
      if (node.offset < 0 || node.role?.isMaster) continue;
      if (this.freshness.lagMs(node.offset, nowMs) <= limitMs) this.close.add(node);
    }
  }
}

/** Whether a master has the node at an address for its replica. */
function follows({ replicas }: NodeRole, { host, port }: NodeAddress): boolean {
  return replicas.some((one) => one.port === port && one.host === host);
}
