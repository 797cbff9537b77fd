/**
 * The figures of a run.
 *
 * @module
 */

/** What was counted. */
export class Tally {
  /** Kills. */
  kills = 0;
  /** Folders that were begun. */
  lives = 0;
  /** Kills before the server served. */
  hitStarts = 0;
  /** Kills while the last look, some milliseconds before, showed a rewrite. */
  hitRewrites = 0;
  /** The same with a snapshot. */
  hitSaves = 0;
  /** Kills while the append-only file was off or behind. */
  hitSuspended = 0;
  /** Kills when nobody had written for a moment. */
  quiet = 0;
  /** Files whose end was cut after the kill. */
  torn = 0;
  /** Starts whose log tells of a truncated file. */
  truncatedStarts = 0;
  /** Files that were changed to see whether it is noticed. */
  sabotaged = 0;
  /** Operations with a reply. */
  acknowledged = 0;
  /** Operations without one when the server was killed. */
  inFlight = 0;
  /** Of those without a reply, how many were there afterwards. */
  survivedInFlight = 0;
  /** Looks at what all writers find after a start. */
  checks = 0;
  /** Of operations that had to be there, how many were found. */
  promised = 0;
  /** The most that one writer lost of what was acknowledged, where that was allowed. */
  largestLoss = { operations: 0, ms: 0 };
  /** How long starts took that were waited for. */
  readonly startsMs: number[] = [];
  /** How long rounds took. */
  readonly roundsMs: number[] = [];

  /** Notes what one writer lost of what was acknowledged. */
  noteLoss(operations: number, ms: number): void {
    this.largestLoss = {
      operations: Math.max(this.largestLoss.operations, operations),
      ms: Math.max(this.largestLoss.ms, ms),
    };
  }

  /** The figures in some lines. */
  report(): string {
    const lines = [
      `${this.kills} kills in ${this.lives} folders, ${this.checks} starts checked`,
      `kills that hit a start ${this.hitStarts}, a rewrite ${this.hitRewrites}, a snapshot ` +
      `${this.hitSaves}, a file that was off or behind ${this.hitSuspended}, a quiet moment ` +
      `${this.quiet}`,
      `operations acknowledged ${this.acknowledged}, of which ${this.promised} were promised to ` +
      `last; in flight at the kill ${this.inFlight}, of which ${this.survivedInFlight} survived`,
      `files cut after the kill ${this.torn}; starts that told of a truncated file ` +
      `${this.truncatedStarts}`,
      `largest loss of one connection, files that were cut or off and snapshots left out: ` +
      `${this.largestLoss.operations} acknowledged operations, ${this.largestLoss.ms} ms`,
      `start ${spread(this.startsMs)}, round ${spread(this.roundsMs)}`,
    ];
    if (this.sabotaged > 0) lines.push(`files sabotaged ${this.sabotaged}`);
    return lines.join("\n");
  }
}

/** Median and longest, in words. */
export function spread(valuesMs: readonly number[]): string {
  if (valuesMs.length === 0) return "never";
  const sorted = valuesMs.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)].toFixed(0);
  return `${at(0.5)} ms (median), ${at(1)} ms (longest)`;
}
