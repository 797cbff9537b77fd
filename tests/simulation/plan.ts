/**
 * What is to happen to one disk, made up from a seed: how the server is set up, who uses it, and how each of its lives ends.
 *
 * @module
 */
import type { RandomSource } from "../fuzz/random_source.ts";
import type { OperationKind } from "../support/virtual_disk.ts";

/** Databases in use; the last one belongs to the writer who flushes it. */
export const DATABASES = 4;

/** How a life ends. */
export type Ending = "power cut" | "kill" | "shutdown";

/** When and how a life ends. */
export interface LifePlan {
  /** How it ends. */
  readonly ending: Ending;
  /** At which operation of the disk, counted from the start of the server, */
  readonly atOperation: number;
  /** where only those of this kind count, if it isn't null; */
  readonly ofKind: OperationKind | null;
  /** or after so many turns of work, if that is earlier. */
  readonly atTurn: number;
  /** Whether everybody is quiet for so many turns before that. */
  readonly quietTurns: number;
  /** How many ms pass until the next start. */
  readonly downMs: number;
}

/** What is to happen to one disk. */
export interface Plan {
  /** The settings of its servers. */
  readonly settings: Readonly<Record<string, string>>;
  /** Where the first server finds its data: the snapshot means that the append-only file is off. */
  readonly source: "file" | "snapshot";
  /** Whether it begins with an append-only file of a version before 7.0; and whether its end is torn. */
  readonly oldFile: "none" | "whole" | "torn";
  /** How many write. */
  readonly writers: number;
  /** How likely a writer sends in a turn, and how much in one go. */
  readonly sendChance: number;
  readonly burst: number;
  /** How likely somebody looks in a turn. */
  readonly lookChance: number;
  /** Whether somebody listens to the events of keys, */
  readonly subscribes: boolean;
  /** and whether somebody has all commands shown. */
  readonly monitors: boolean;
  /** How likely it is in a turn that settings are changed or something is to be rewritten or saved. */
  readonly housekeepingChance: number;
  /** At most so many ms pass in a turn. */
  readonly turnMs: number;
  /** At most so long takes what goes on beside the event loop, syncs above all. */
  readonly asideMs: number;
  /** Its lives. */
  readonly lives: readonly LifePlan[];
}

/** Rare operations, at which a cut is the most telling. */
const RARE_KINDS: readonly OperationKind[] = [
  "create",
  "rename",
  "remove",
  "sync",
  "syncFolder",
  "makeFolder",
  "truncate",
];

/** Makes up a plan. */
export function makePlan(random: RandomSource): Plan {
  const policy = random.pick(["always", "always", "everysec", "everysec", "no"]);
  // What was seen a second ago is kept, so a life has to last longer than that at times.
  const isSlow = random.chance(policy === "everysec" ? 0.7 : 0.3);
  const lives = Array.from({ length: random.between(1, 3) }, () => planLife(random));
  const oldFile = random.chance(0.1) ? random.pick(["whole", "torn"] as const) : "none";
  const source = oldFile === "none" && random.chance(0.15) ? "snapshot" : "file";
  return {
    settings: {
      appendfsync: policy,
      databases: String(DATABASES),
      save: random.chance(0.1) ? "1 5" : "",
      "aof-use-rdb-preamble": random.chance(0.7) ? "yes" : "no",
      "aof-timestamp-enabled": random.chance(0.1) ? "yes" : "no",
      "auto-aof-rewrite-percentage": "100",
      "auto-aof-rewrite-min-size": random.chance(0.4) ? String(random.between(500, 8000)) : "64mb",
      "notify-keyspace-events": "KA",
    },
    source,
    oldFile,
    writers: random.between(2, 4),
    sendChance: random.pick([0.2, 0.5, 0.9]),
    burst: random.pick([1, 1, 3, 8]),
    lookChance: random.pick([0, 0.2, 0.6]),
    subscribes: random.chance(0.3),
    monitors: random.chance(0.3),
    housekeepingChance: random.pick([0, 0.05, 0.1, 0.2]),
    turnMs: isSlow ? random.pick([50, 100]) : random.pick([1, 5, 20]),
    asideMs: random.pick([0, 1, 20, isSlow ? 120 : 10]),
    lives: lives.map((life, index) => {
      if (oldFile !== "none" && index === 0) return whileStarting(life, random);
      return source === "snapshot" ? whileSaving(life, random) : life;
    }),
  };
}

/** Often cut the first start, which has an old file to move, and its end to cut. */
function whileStarting(life: LifePlan, random: RandomSource): LifePlan {
  if (random.chance(0.3)) return life;
  const ending = random.pick(["kill", "power cut"] as const);
  return { ...life, ending, ofKind: null, atOperation: random.between(1, 30) };
}

/** Often killed when a snapshot has its name, but not yet for good. */
function whileSaving(life: LifePlan, random: RandomSource): LifePlan {
  if (random.chance(0.75)) return life;
  return { ...life, ending: "kill", ofKind: "syncFolder", atOperation: random.between(1, 3) };
}

function planLife(random: RandomSource): LifePlan {
  const ending: Ending = random.pick(["power cut", "power cut", "power cut", "kill", "shutdown"]);
  // What a killed process has left unfinished, the next start has to finish before the power goes.
  const ofKind = random.chance(ending === "kill" ? 0.7 : 0.4) ? random.pick(RARE_KINDS) : null;
  return {
    ending,
    atOperation: random.chance(0.3)
      ? Infinity
      : random.between(1, random.pick(ofKind === null ? [12, 60, 150] : [3, 8, 20])),
    ofKind,
    atTurn: random.between(5, 45),
    quietTurns: random.chance(0.3) ? random.between(1, 10) : 0,
    downMs: random.pick([0, 10, 3000]),
  };
}
