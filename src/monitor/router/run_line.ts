/**
 * The line of a client's runs, in the order of its commands.
 *
 * @module
 */
import type { Run } from "./run.ts";

/** So many runs at its start that are done with are kept before they are cut off. */
const DONE_RUNS = 256;

/** See the head of this file. */
export class RunLine {
  private runs: Run[] = [];
  private firstIndex = 0;

  /** How many runs are in line. */
  get length(): number {
    return this.runs.length - this.firstIndex;
  }

  /** The run whose turn it is. */
  get first(): Run | undefined {
    return this.runs[this.firstIndex];
  }

  /** The last run in line, if more commands may be added to it. */
  get last(): Run | undefined {
    return this.length > 0 ? this.runs[this.runs.length - 1] : undefined;
  }

  /** Puts a run at the end of the line. */
  push(run: Run): void {
    this.runs.push(run);
  }

  /** The first run is done with. */
  shift(): void {
    this.runs[this.firstIndex++] = undefined as unknown as Run;
  }

  /** Lets go of the places of runs that are done with. */
  trim(): void {
    if (this.firstIndex === this.runs.length) this.runs.length = 0;
    else if (this.firstIndex > DONE_RUNS) this.runs.splice(0, this.firstIndex);
    else return;
    this.firstIndex = 0;
  }

  /** Puts runs in the place of `run`, or before it. */
  replace(run: Run, others: readonly Run[], keepsRun: boolean): void {
    const index = this.runs.indexOf(run, this.firstIndex);
    this.runs.splice(index, keepsRun ? 0 : 1, ...others);
  }

  /** Whether a run in line was sent on another connection than `upstream`. */
  hasRunsElsewhere(upstream: unknown): boolean {
    for (let index = this.firstIndex; index < this.runs.length; index++) {
      const run = this.runs[index];
      if (!run.isDone && run.upstream !== upstream) return true;
    }
    return false;
  }

  /** The connection on which the last run before `run` that writes waits for replies; null if there is none. */
  writingUpstreamBefore(run: Run): Run["upstream"] {
    let found: Run["upstream"] = null;
    for (
      let index = this.firstIndex;
      this.runs[index] !== run && index < this.runs.length;
      index++
    ) {
      const other = this.runs[index];
      if (!other.isDone && other.writes > 0) found = other.upstream;
    }
    return found;
  }

  /** Whether a run before `run` waits for replies on another connection than `upstream`. */
  hasRunsElsewhereBefore(run: Run, upstream: unknown): boolean {
    for (
      let index = this.firstIndex;
      this.runs[index] !== run && index < this.runs.length;
      index++
    ) {
      if (!this.runs[index].isDone && this.runs[index].upstream !== upstream) return true;
    }
    return false;
  }

  /** The run before `run`, if more commands may be added to what of it waits to be sent once more; else null. */
  repeatedBefore(run: Run): Run | null {
    const index = this.runs.indexOf(run, this.firstIndex);
    const before = index > this.firstIndex ? this.runs[index - 1] : undefined;
    if (before === undefined || before.copy === null || before.isDone) return null;
    const isAlike = before.isSilent === run.isSilent && before.origin === run.upstream?.shape;
    return isAlike && !before.isExclusive && !run.isExclusive ? before : null;
  }

  /** What was sent on a connection behind a command that was refused must be read once more. */
  voidRunsOn(upstream: unknown): void {
    for (let index = this.firstIndex; index < this.runs.length; index++) {
      const run = this.runs[index];
      if (!run.isDone && run.upstream === upstream) run.isVoid = true;
    }
  }

  /** The run that has a connection of its own; null if there is none. */
  get exclusiveRun(): Run | null {
    for (let index = this.firstIndex; index < this.runs.length; index++) {
      const run = this.runs[index];
      if (!run.isDone && run.isExclusive) return run;
    }
    return null;
  }

  /** The connection on which a run of it that writes waits for replies; null if there is none. */
  get writingUpstream(): Run["upstream"] {
    for (let index = this.runs.length - 1; index >= this.firstIndex; index--) {
      const run = this.runs[index];
      if (!run.isDone && run.writes > 0) return run.upstream;
    }
    return null;
  }
}
