/**
 * What is to happen in a life of a server's folder and in each of its rounds, made up from a seed.
 *
 * @module
 */

import { RandomSource } from "../fuzz/random_source.ts";
import type { Keeping } from "./durability.ts";
import type { Pace } from "./writer.ts";

/** How many kills a folder sees before the next one begins empty. */
export const ROUNDS_PER_LIFE = 20;

/** The databases in use: the file must tell them apart. */
export const DATABASES = 3;

const PACES: readonly Pace[] = [
  { burst: 1, restMs: 0 },
  { burst: 1, restMs: 0 },
  { burst: 1, restMs: 1 },
  { burst: 8, restMs: 0 },
  { burst: 32, restMs: 0 },
  { burst: 64, restMs: 2 },
];

/** How many write at once. */
export const WRITERS: number = PACES.length;

const LONGEST_LOAD_MS = 300;
const LONGEST_QUIET_MS = 40;
// Only what is older than two seconds is promised with `everysec`, so some rounds last longer; they
// are paced, since all that was sent is gone through again.
const LONG_LOAD_MS = [2400, 3200] as const;
const LONG_REST_MS = 5;

/** When the kill is to happen. */
export type Moment = "load" | "start" | "rewrite" | "save";

/** What is to happen in a round. */
export interface RoundPlan {
  /** When the kill is to happen. */
  readonly moment: Moment;
  /** How long the load lasts until then, or until what is to be hit begins. */
  readonly loadMs: number;
  /** When within what is to be hit, as a part of the time that it takes; more than 1 is after it. */
  readonly fraction: number;
  /** How long nobody has written when the kill comes, or undefined if it comes in the middle. */
  readonly quietMs: number | undefined;
  /** How each writer sends. */
  readonly paces: readonly Pace[];
  /** Whether the end of the file is cut afterwards, as if the power had failed. */
  readonly isTorn: boolean;
}

// From this size on the server rewrites a file that has doubled: small, so that it does so often.
const REWRITE_MIN_SIZE = "1mb";

/** What the rounds of a life have in common. */
export function lifeSettings(keeping: Keeping, isCalm: boolean, random: RandomSource): string[] {
  const settings = ["--save", "", "--databases", "16"];
  if (keeping === "snapshots") return [...settings, "--appendonly", "no"];
  return [
    ...settings,
    ...["--appendonly", "yes", "--appendfsync", keeping, "--aof-load-truncated", "yes"],
    ...["--auto-aof-rewrite-percentage", isCalm ? "0" : "100"],
    ...["--auto-aof-rewrite-min-size", REWRITE_MIN_SIZE],
    ...["--aof-use-rdb-preamble", random.chance(0.7) ? "yes" : "no"],
    ...["--aof-timestamp-enabled", random.chance(0.3) ? "yes" : "no"],
  ];
}

/** Makes up a round. */
export function planRound(keeping: Keeping, isCalm: boolean, random: RandomSource): RoundPlan {
  const isLong = keeping === "everysec" && random.chance(0.1);
  const draw = random.below(100);
  const moment = draw < 12 ? "start" : draw < 27 ? "rewrite" : draw < 35 ? "save" : "load";
  const possible = isCalm && moment !== "start"
    ? "load"
    : keeping === "snapshots" && moment === "rewrite"
    ? "save"
    : moment;
  return {
    moment: isLong ? "load" : possible,
    loadMs: isLong ? random.between(...LONG_LOAD_MS) : random.between(0, LONGEST_LOAD_MS),
    fraction: random.below(1400) / 1000,
    quietMs: !isLong && possible === "load" && random.chance(0.2)
      ? random.below(LONGEST_QUIET_MS)
      : undefined,
    paces: isLong ? PACES.map(({ burst }) => ({ burst, restMs: LONG_REST_MS })) : PACES,
    isTorn: keeping !== "snapshots" && random.chance(0.1),
  };
}
