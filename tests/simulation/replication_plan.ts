/**
 * What is to happen to a few servers that replicate each other, made up from a seed.
 *
 * @module
 */
import type { RandomSource } from "../fuzz/random_source.ts";
import type { Delay } from "./network.ts";

/** Databases in use. */
export const DATABASES = 4;

/** What can happen, besides that clients use the servers. */
export type EventKind =
  | "cut"
  | "cut at a byte"
  | "cut all"
  | "partition"
  | "one-way partition"
  | "slow"
  | "refuse"
  | "stop"
  | "kill"
  | "kill at an operation"
  | "power cut"
  | "shutdown"
  | "promote"
  | "fail over"
  | "re-point"
  | "there and back"
  | "hand over"
  | "cycle"
  | "config"
  | "save"
  | "rewrite"
  | "reload"
  | "client kill"
  | "quiet";

/** What is to happen. */
export interface ReplicationPlan {
  /** The settings of each server. */
  readonly nodes: readonly Readonly<Record<string, string>>[];
  /** The number of the server that each follows at first; null for the master. */
  readonly masters: readonly (number | null)[];
  /** How many write, each through a connection of its own. */
  readonly writers: number;
  /** How likely a writer sends in a turn, and how much in one go. */
  readonly sendChance: number;
  readonly burst: number;
  /** How likely a command has a big value, of up to so many bytes. */
  readonly bigChance: number;
  readonly bigBytes: number;
  /** How many big values there are from the start. */
  readonly ballast: number;
  /** How likely a writer waits for replicas behind what it has sent. */
  readonly waitChance: number;
  /** Whether somebody waits for lists to be pushed to, */
  readonly blocks: boolean;
  /** and whether somebody reads from replicas. */
  readonly reads: boolean;
  /** How many turns there are before all heals, and at most how many ms pass in one. */
  readonly turns: number;
  readonly turnMs: number;
  /** The network. */
  readonly delay: Delay;
  readonly bufferBytes: number;
  readonly pieceChance: number;
  /** At most so long takes what goes on beside the event loops, syncs above all. */
  readonly asideMs: number;
  /** How likely something happens in a turn, and what. */
  readonly eventChance: number;
  readonly events: readonly EventKind[];
  /** How long at most something that goes wrong stays so. */
  readonly troubleMs: number;
}

/** How often each kind is in a plan, and how often it comes then in relation to the others. */
const EVENTS: readonly (readonly [kind: EventKind, chance: number, weight: number])[] = [
  ["cut", 0.8, 6],
  ["cut at a byte", 0.6, 5],
  ["cut all", 0.3, 1],
  ["partition", 0.4, 2],
  ["one-way partition", 0.25, 1],
  ["slow", 0.4, 2],
  ["refuse", 0.2, 1],
  ["stop", 0.3, 2],
  ["kill", 0.5, 2],
  ["kill at an operation", 0.3, 1],
  ["power cut", 0.3, 1],
  ["shutdown", 0.4, 2],
  ["promote", 0.5, 2],
  ["fail over", 0.5, 3],
  ["re-point", 0.5, 2],
  ["there and back", 0.3, 1],
  ["hand over", 0.3, 2],
  ["cycle", 0.2, 1],
  ["config", 0.3, 1],
  ["save", 0.3, 1],
  ["rewrite", 0.2, 1],
  ["reload", 0.2, 1],
  ["client kill", 0.2, 1],
  ["quiet", 0.5, 2],
];

/** Makes up a plan. */
export function makeReplicationPlan(random: RandomSource): ReplicationPlan {
  const count = random.pick([2, 3, 3, 4]);
  const events = EVENTS.filter(([, chance]) => random.chance(chance)).flatMap(([kind, , weight]) =>
    Array.from({ length: weight }, () => kind)
  );
  const turnMs = random.pick([20, 60, 200]);
  return {
    nodes: planSettings(random, count),
    masters: Array.from({ length: count }, (_, index) => {
      if (index === 0) return null;
      return random.chance(0.7) ? 0 : random.below(index);
    }),
    writers: random.between(1, 3),
    sendChance: random.pick([0.2, 0.5, 0.9]),
    burst: random.pick([1, 2, 6]),
    bigChance: random.pick([0, 0, 0.02, 0.1]),
    bigBytes: random.pick([500, 3000, 40_000]),
    ballast: random.chance(0.1) ? random.pick([10, 100]) : 0,
    waitChance: random.pick([0, 0.2, 0.6]),
    blocks: random.chance(0.4),
    reads: random.chance(0.3),
    turns: random.between(40, 120),
    turnMs,
    delay: random.pick([{ lowMs: 0, highMs: 0 }, { lowMs: 0, highMs: 2 }, {
      lowMs: 1,
      highMs: 40,
    }]),
    bufferBytes: random.pick([4000, 16_000, 64_000, 200_000]),
    pieceChance: random.pick([0, 0.1, 0.5]),
    asideMs: random.pick([0, 1, 20, 120]),
    eventChance: events.length === 0 ? 0 : random.pick([0.03, 0.1, 0.25]),
    events,
    troubleMs: random.pick([50, 500, 3000, 8000]),
  };
}

/** The settings of all servers: most of them have them in common. */
function planSettings(random: RandomSource, count: number): Record<string, string>[] {
  const common = planNode(random);
  const differ = random.chance(0.3);
  return Array.from({ length: count }, () => differ ? planNode(random) : { ...common });
}

function planNode(random: RandomSource): Record<string, string> {
  const yesNo = (chance: number) => random.chance(chance) ? "yes" : "no";
  const policy = random.pick(["always", "everysec", "everysec", "no"]);
  return {
    databases: String(DATABASES),
    appendonly: yesNo(0.4),
    appendfsync: policy,
    save: random.pick(["", "", "1 5", "3600 1"]),
    "aof-use-rdb-preamble": yesNo(0.8),
    "auto-aof-rewrite-min-size": random.chance(0.3) ? String(random.between(2000, 20_000)) : "64mb",
    "repl-backlog-size": random.pick(["16kb", "16kb", "50kb", "1mb"]),
    "repl-backlog-ttl": random.pick(["3600", "3600", "2", "0"]),
    "repl-diskless-sync": yesNo(0.5),
    "repl-diskless-sync-delay": random.pick(["0", "0", "1", "2"]),
    "repl-diskless-load": random.pick(["disabled", "swapdb", "on-empty-db"]),
    "repl-timeout": random.pick(["3", "6", "20"]),
    "repl-ping-replica-period": random.pick(["1", "1", "2"]),
    "replica-serve-stale-data": yesNo(0.7),
    "replica-lazy-flush": yesNo(0.3),
    "client-output-buffer-limit": random.chance(0.15)
      ? "replica 300kb 100kb 2"
      : "replica 256mb 64mb 60",
    "min-replicas-to-write": random.chance(0.1) ? "1" : "0",
    // In microseconds a key: so that things happen while it loads.
    "key-load-delay": random.pick(["0", "0", "0", "300", "10000"]),
    "shutdown-timeout": random.pick(["0", "1", "3"]),
  };
}
