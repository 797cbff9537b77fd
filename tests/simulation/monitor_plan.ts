/**
 * What is to happen to monitors, nodes and clients, made up from a seed.
 *
 * @module
 */
import type { Consistency } from "../../src/monitor/options.ts";
import type { RandomSource } from "../fuzz/random_source.ts";
import type { Delay } from "./network.ts";

/** What can happen, besides that clients use the routers. */
export type MonitorEventKind =
  | "kill the master"
  | "kill a node"
  | "power cut of a node"
  | "kill a node at an operation"
  | "lose a disk"
  | "kill a monitor"
  | "power cut of a monitor"
  | "kill a monitor at an operation"
  | "restart a monitor"
  | "full disk of a monitor"
  | "stop the master"
  | "stop a node"
  | "stop a monitor"
  | "cut"
  | "cut at a byte"
  | "cut all of one"
  | "partition"
  | "one-way partition"
  | "island"
  | "slow"
  | "refuse"
  | "clock"
  | "failover by hand"
  | "quiet";

/** What is to happen. */
export interface MonitorPlan {
  /** How many there are. */
  readonly monitors: number;
  readonly nodes: number;
  /** How many nodes monitors are told of at first; they find the others. */
  readonly named: number;
  /** What the monitors are told, by the names of their options. */
  readonly options: Readonly<Record<string, string>>;
  readonly minAcks: number;
  readonly consistency: Consistency;
  /** Periods of the Sentinel API, by the names of SENTINEL DEBUG: shorter than Sentinel's, so that less time has to pass. */
  readonly periods: Readonly<Record<string, number>>;
  /** The settings of all nodes. */
  readonly settings: Readonly<Record<string, string>>;
  /** Clients of each monitor, each with one connection at a time. */
  readonly clients: number;
  /** How likely a client sends in a turn, and how many commands at once at most. */
  readonly sendChance: number;
  readonly burst: number;
  /** How many turns there are before all heals, and at most how many ms pass in one. */
  readonly turns: number;
  readonly turnMs: number;
  /** The network. */
  readonly delay: Delay;
  readonly bufferBytes: number;
  readonly pieceChance: number;
  /** At most so long takes what goes on beside the event loops of nodes, syncs above all. */
  readonly asideMs: number;
  /** How likely something happens in a turn, and what. */
  readonly eventChance: number;
  readonly events: readonly MonitorEventKind[];
  /** How long at most something that goes wrong stays so. */
  readonly troubleMs: number;
}

/** How often each kind is in a plan, and how often it comes then in relation to the others. */
const EVENTS: readonly (readonly [kind: MonitorEventKind, chance: number, weight: number])[] = [
  ["kill the master", 0.6, 3],
  ["kill a node", 0.4, 2],
  ["power cut of a node", 0.3, 2],
  ["kill a node at an operation", 0.2, 1],
  ["lose a disk", 0.3, 1],
  ["kill a monitor", 0.4, 2],
  ["power cut of a monitor", 0.3, 1],
  ["kill a monitor at an operation", 0.3, 2],
  ["restart a monitor", 0.2, 1],
  ["full disk of a monitor", 0.2, 1],
  ["stop the master", 0.5, 3],
  ["stop a node", 0.3, 1],
  ["stop a monitor", 0.4, 2],
  ["cut", 0.4, 2],
  ["cut at a byte", 0.3, 2],
  ["cut all of one", 0.3, 1],
  ["partition", 0.4, 3],
  ["one-way partition", 0.5, 3],
  ["island", 0.4, 5],
  ["slow", 0.4, 2],
  ["refuse", 0.1, 1],
  ["clock", 0.15, 1],
  ["failover by hand", 0.4, 2],
  ["quiet", 0.2, 1],
];

const PERIODS = {
  "ask-period": 250,
  "publish-period": 500,
  "tilt-trigger": 1000,
  "tilt-period": 2000,
  "slave-reconf-timeout": 2000,
  "min-link-reconnect-period": 2000,
  "election-timeout": 2000,
} as const;

/** Makes up a plan. */
export function makeMonitorPlan(random: RandomSource): MonitorPlan {
  const monitors = random.pick([1, 3]);
  const nodes = random.pick([3, 3, 4, 5]);
  const minAcks = random.chance(0.8) ? 1 : 0;
  const consistency = random.chance(0.8)
    ? "read-your-writes"
    : random.pick(["strong", "eventual"] as const);
  const downAfterMs = random.pick([200, 400, 1000]);
  const turnMs = random.pick([10, 30, 80]);
  const playedMs = random.pick([1500, 3000, 3000, 6000]);
  const events = EVENTS.filter(([, chance]) => random.chance(chance))
    .flatMap(([kind, , weight]) => Array.from({ length: weight }, () => kind));
  // So many things happen, of all of which some take a while.
  const happenings = random.pick([3, 8, 15, 25]);
  const turns = Math.round(playedMs / (turnMs / 2));
  return {
    monitors,
    nodes,
    named: random.chance(0.7) ? nodes : 1,
    options: {
      quorum: String(Math.floor(monitors / 2) + 1),
      "down-after-milliseconds": String(downAfterMs),
      "failover-timeout": String(random.pick([1000, 2000, 4000])),
      "parallel-syncs": String(random.pick([1, 1, 3])),
      "min-acks": String(minAcks),
      "ack-timeout-ms": String(random.pick([100, 500])),
      "hold-ms": String(random.pick([500, 2000, 5000])),
      "node-timeout-ms": String(random.pick([300, 1000])),
      "node-connections": String(random.pick([1, 1, 2])),
      "read-from": random.pick(["prefer-replicas", "prefer-replicas", "any", "replicas", "master"]),
      consistency,
    },
    minAcks,
    consistency,
    periods: PERIODS,
    settings: planSettings(random),
    clients: random.between(1, monitors === 1 ? 3 : 2),
    sendChance: Math.min(0.9, turnMs / random.pick([40, 100, 300])),
    burst: random.pick([1, 1, 3, 6]),
    turns,
    turnMs,
    delay: { lowMs: 0, highMs: random.pick([1, 2, 10]) },
    bufferBytes: random.pick([4096, 65_536]),
    pieceChance: random.pick([0, 0.05, 0.3]),
    asideMs: random.pick([0, 2, 10]),
    eventChance: events.length === 0 ? 0 : Math.min(0.5, happenings / turns),
    events,
    troubleMs: random.pick([200, 1000, 3000]),
  };
}

/** What a node has written is on its disk when it says so: a write that two nodes have outlives them. */
function planSettings(random: RandomSource): Record<string, string> {
  return {
    databases: "1",
    appendonly: "yes",
    appendfsync: "always",
    save: "",
    "repl-backlog-size": random.pick(["16kb", "1mb"]),
    "repl-diskless-sync": random.pick(["yes", "no"]),
    "repl-diskless-sync-delay": "0",
    "repl-diskless-load": random.pick(["disabled", "swapdb"]),
    "repl-timeout": random.pick(["3", "10"]),
    "repl-ping-replica-period": "1",
    "replica-serve-stale-data": random.chance(0.8) ? "yes" : "no",
  };
}
