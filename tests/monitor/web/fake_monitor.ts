/**
 * A monitor that only plays one: what it shows is what the test has it show.
 *
 * @module
 */

import type {
  EventView,
  GroupView,
  MonitorFace,
  NodeView,
  PeerView,
  RouterView,
  SampleView,
  StateView,
} from "../../../src/monitor/view.ts";

/** A fixed point in time, so that what is shown is the same in each run. */
const START_MS = Date.UTC(2026, 10, 26, 16, 0, 0);
const ADDRESSES = ["127.0.0.1:6380", "127.0.0.1:6381", "127.0.0.1:6382"];

/** See the head of this file. */
export class FakeMonitor implements MonitorFace {
  /** The group, of which tests change what they like. */
  group: GroupView;
  /** The router, or null for a monitor without one. */
  router: RouterView | null;
  /** The time that it tells, unix ms. */
  nowMs: number;
  /** What FAILOVER answers. */
  failoverProblem: string | undefined;
  /** The groups that a failover was asked for. */
  readonly failovers: string[] = [];
  readonly #listeners = new Set<(event: EventView) => void>();
  #events: EventView[] = [];
  #samples: SampleView[] = [];
  #noise = 1;

  /** Makes a monitor of a master and two replicas, with other monitors beside it. */
  constructor(peers = 2, nowMs = START_MS) {
    this.nowMs = nowMs;
    this.router = fakeRouter();
    this.group = {
      name: "mymaster",
      status: "ok",
      trouble: "",
      configEpoch: 3,
      quorum: 2,
      downAfterMs: 5000,
      failoverState: "none",
      master: ADDRESSES[0],
      nodes: ADDRESSES.map((address, index) => fakeNode(address, index === 0)),
      peers: Array.from({ length: peers }, (_, index) => fakePeer(26380 + index)),
      lease: { mode: "held", leftMs: 1800 },
      routed: true,
      writable: true,
      unwritableReason: "",
    };
  }

  /** As {@linkcode MonitorFace.state}. */
  state(): StateView {
    return {
      version: "0.1.0",
      runId: "8c1f0e5d7b3a49260f1e2d3c4b5a69788796a5b4",
      timeMs: this.nowMs,
      uptimeMs: this.nowMs - START_MS + 3_723_000,
      currentEpoch: this.group.configEpoch,
      tilt: false,
      router: this.router,
      groups: [this.group],
      events: this.#events,
      samples: this.#samples,
    };
  }

  /** As {@linkcode MonitorFace.failover}; plays the switch to the second node. */
  failover(group: string): string | undefined {
    this.failovers.push(group);
    if (this.failoverProblem === undefined) this.switchMaster(ADDRESSES[1]);
    return this.failoverProblem;
  }

  /** As {@linkcode MonitorFace.onEvent}. */
  onEvent(listener: (event: EventView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How many listen to the events. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** Adds an event. */
  emit(type: string, text: string): void {
    const event = { number: this.#events.length + 1, timeMs: this.nowMs, type, text };
    this.#events = [...this.#events, event];
    for (const listener of this.#listeners) listener(event);
  }

  /** Plays seconds of load. */
  tick(seconds = 1): void {
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1000;
      const reads = this.#wander(5200, 700);
      const writes = this.group.writable ? this.#wander(610, 90) : 0;
      const latency = 0.35 + this.#wander(0, 0.08);
      this.#loadNodes(reads, writes);
      const lagBytes = Object.fromEntries(
        this.group.nodes.filter(({ lagBytes }) => lagBytes !== null)
          .map(({ address, lagBytes }) => [address, lagBytes!]),
      );
      this.#samples = [...this.#samples, {
        timeMs: this.nowMs,
        reads,
        writes,
        readP50: latency,
        readP99: latency * 3 + this.#wander(0, 0.2),
        writeP50: latency * 1.6,
        writeP99: latency * 5 + this.#wander(0, 0.4),
        lagBytes,
      }].slice(-300);
    }
  }

  /** Changes the group. */
  change(changes: Partial<GroupView>): void {
    this.group = { ...this.group, ...changes };
  }

  /** Changes a node. */
  changeNode(address: string, changes: Partial<NodeView>): void {
    this.change({
      nodes: this.group.nodes.map((node) =>
        node.address === address ? { ...node, ...changes } : node
      ),
    });
  }

  /** The master doesn't answer any more; writes wait. */
  loseMaster(): void {
    const { name, master } = this.group;
    this.changeNode(master, {
      flags: ["s_down", "o_down"],
      readable: false,
      commandsPerSecond: 0,
      lastOkPingMs: 5200,
    });
    for (const { address, role } of this.group.nodes) {
      if (role === "replica") this.changeNode(address, { linkUp: false });
    }
    this.change({
      status: "failover",
      failoverState: "select_slave",
      writable: false,
      unwritableReason: "a failover is under way",
    });
    this.emit("+sdown", `master ${name} ${master.replace(":", " ")}`);
    this.emit("+odown", `master ${name} ${master.replace(":", " ")} #quorum 2/2`);
    this.emit("+try-failover", `master ${name} ${master.replace(":", " ")}`);
  }

  /** Another node is the master from now on. */
  switchMaster(address: string): void {
    const { name, master, configEpoch } = this.group;
    this.change({
      status: "ok",
      failoverState: "none",
      master: address,
      configEpoch: configEpoch + 1,
      writable: true,
      unwritableReason: "",
      nodes: this.group.nodes.map((node) =>
        node.address === address
          ? { ...node, role: "master", linkUp: null, lagBytes: null, lagMs: null }
          : { ...node, role: "replica", linkUp: node.flags.length === 0, lagBytes: 0, lagMs: 0 }
      ),
    });
    const addresses = `${master.replace(":", " ")} ${address.replace(":", " ")}`;
    this.emit("+switch-master", `${name} ${addresses}`);
  }

  /** All lets the load of a second be seen at the nodes. */
  #loadNodes(reads: number, writes: number): void {
    const readable = this.group.nodes.filter((node) => node.readable && node.role === "replica");
    for (const node of this.group.nodes) {
      if (node.flags.length > 0) continue;
      const isMaster = node.address === this.group.master;
      const rate = isMaster ? writes : node.readable ? Math.round(reads / readable.length) : 0;
      this.changeNode(node.address, {
        commandsPerSecond: rate,
        offset: (node.offset ?? 0) + writes * 64,
        lagBytes: isMaster ? null : this.#wander(120, 60),
      });
    }
    this.router &&= { ...this.router, readsPerSecond: reads, writesPerSecond: writes };
  }

  /** A number around `middle` that is the same in each run; whole if `spread` is. */
  #wander(middle: number, spread: number): number {
    this.#noise = (this.#noise * 48271) % 2147483647;
    const value = middle + spread * (2 * this.#noise / 2147483647 - 1);
    return Number.isInteger(spread) ? Math.round(value) : Math.abs(value);
  }
}

function fakeNode(address: string, isMaster: boolean): NodeView {
  return {
    address,
    role: isMaster ? "master" : "replica",
    flags: [],
    runId: address.replace(/\D/g, "").padStart(40, "0"),
    offset: 8_412_992,
    lagBytes: isMaster ? null : 0,
    lagMs: isMaster ? null : 0,
    linkUp: isMaster ? null : true,
    priority: isMaster ? null : 100,
    weight: 1,
    readable: !isMaster,
    unreadableReason: isMaster ? "reads go to replicas" : "",
    lastOkPingMs: 320,
    commandsPerSecond: isMaster ? 610 : 2600,
    outstanding: 2,
  };
}

function fakePeer(port: number): PeerView {
  return {
    address: `127.0.0.1:${port}`,
    runId: String(port).padStart(40, "a"),
    flags: [],
    knowsLease: true,
    lastHelloMs: 900,
  };
}

function fakeRouter(): RouterView {
  return {
    listens: "127.0.0.1:6379",
    clients: 48,
    heldClients: 0,
    totals: {
      connections: 1204,
      reads: 18_204_117,
      writes: 2_004_301,
      errors: {},
      retriedReads: 12,
      unknownOutcomes: 0,
      bytesIn: 1_204_881_203,
      bytesOut: 5_912_774_110,
    },
    readsPerSecond: 5200,
    writesPerSecond: 610,
    readLatency: { p50: 0.36, p99: 1.24, max: 4.1 },
    writeLatency: { p50: 0.61, p99: 2.07, max: 6.3 },
    consistency: "read-your-writes",
    readFrom: "replicas",
    minAcks: 1,
  };
}
