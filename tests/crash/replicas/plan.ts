/**
 * What is to happen in a group of a master and its replicas, made up from a seed.
 *
 * @module
 */

import type { RandomSource } from "../../fuzz/random_source.ts";
import type { Pace, Waiting } from "../writer.ts";

/** A master and two replicas. */
export const NODES = 3;

/** How many kills a group sees before the next one begins with empty folders. */
export const ROUNDS_PER_LIFE = 20;

/** How each of the writers sends. */
export const PACES: readonly Pace[] = [
  { burst: 1, restMs: 0 },
  { burst: 1, restMs: 0 },
  { burst: 1, restMs: 1 },
  { burst: 4, restMs: 0 },
  { burst: 16, restMs: 2 },
];

/** One replica of two has to say that it has a write. */
export const WAITING: Waiting = { replicas: 1, limitMs: 300 };

const SHORTEST_LOAD_MS = 200;
const LONGEST_LOAD_MS = 1400;
const LONGEST_ABSENCE_MS = 500;
const SHORTEST_DISTURBANCE_MS = 20;
const LONGEST_DISTURBANCE_MS = 500;
const BACKLOG_SIZES = ["16kb", "256kb", "1mb", "16mb"];

/**
 * What may befall a replica before the kill. `cut`: it loses its connection and makes another.
 * `aside`: it is told to follow somebody who isn't there, and falls behind. `stall`: its process is
 * stopped, and the master doesn't know.
 */
export type Disturbance = "cut" | "aside" | "stall";

/** What is to happen in a round. */
export interface RoundPlan {
  /** How long the load lasts before the disturbance, if there is one. */
  readonly calmMs: number;
  /** What befalls one of the replicas. */
  readonly disturbance: { readonly kind: Disturbance; readonly replica: number } | undefined;
  /** From the disturbance to the kill. */
  readonly disturbedMs: number;
  /** Which node makes a snapshot before the kill, by its number; undefined for none. */
  readonly saver: number | undefined;
  /** Whom the kill hits: the master, or one of the replicas by its place among them. */
  readonly victim: "master" | number;
  /** How long a killed replica stays away. */
  readonly absenceMs: number;
  /** Whether all have to be equal before the next round. */
  readonly settles: boolean;
}

/** Makes up a round. */
export function planRound(random: RandomSource): RoundPlan {
  const replica = random.below(NODES - 1);
  const kinds: readonly Disturbance[] = ["cut", "aside", "stall"];
  return {
    calmMs: random.between(SHORTEST_LOAD_MS, LONGEST_LOAD_MS),
    disturbance: random.chance(0.4) ? { kind: random.pick(kinds), replica } : undefined,
    disturbedMs: random.between(SHORTEST_DISTURBANCE_MS, LONGEST_DISTURBANCE_MS),
    saver: random.chance(0.3) ? random.below(NODES) : undefined,
    // A third of the kills would be a random node's; those of the master are what this is about.
    victim: random.chance(0.5) ? "master" : random.below(NODES - 1),
    absenceMs: random.below(LONGEST_ABSENCE_MS),
    settles: random.chance(0.15),
  };
}

/**
 * How a process of a node is started: others than the one before it in the same folder, so that it
 * may find a file that is older than what its node has already had.
 */
export function startSettings(random: RandomSource): string[] {
  return [
    ...["--save", "", "--databases", "16", "--enable-debug-command", "local"],
    ...["--appendonly", random.chance(0.6) ? "yes" : "no"],
    ...["--appendfsync", random.pick(["always", "everysec", "no"])],
    ...["--aof-use-rdb-preamble", random.chance(0.7) ? "yes" : "no"],
    ...["--repl-diskless-sync", random.chance(0.5) ? "yes" : "no"],
    ...["--repl-diskless-sync-delay", "0"],
    ...["--repl-diskless-load", random.pick(["disabled", "on-empty-db", "swapdb"])],
    ...["--repl-backlog-size", random.pick(BACKLOG_SIZES)],
    ...["--repl-ping-replica-period", "1"],
  ];
}
