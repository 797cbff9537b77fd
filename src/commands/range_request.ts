/**
 * What the commands on ranges of sorted sets are asked for.
 *
 * @module
 */
import { NameBounds, ScoreBounds } from "../keyspace/sorted_set_ranges.ts";

/** Whether ZRANGE is told what a range is of. */
export const BY_ANYTHING = 0;
/** Ranges are of ranks, */
export const BY_RANK = 1;
/** of scores, */
export const BY_SCORE = 2;
/** of names. */
export const BY_NAME = 3;

/** The direction is an option, */
export const EITHER = 0;
/** is from the lowest score on, */
export const FORWARDS = 1;
/** or from the highest one. */
export const BACKWARDS = 2;

/** One request; made once, and used again for each command. */
export class RangeRequest {
  /** What the range is of: one of the `BY_` constants. */
  kind: number = BY_ANYTHING;
  /** From which end members come: {@linkcode FORWARDS}, {@linkcode BACKWARDS}, or still {@linkcode EITHER}. */
  direction: number = EITHER;
  /** Whether scores are wanted. */
  withScores = false;
  /** How many members are passed by, all if it is negative, */
  offset = 0;
  /** and how many are wanted, all if it is negative. */
  limit: number = -1;
  /** The first rank, */
  start = 0;
  /** and the last one. */
  stop = 0;
  /** The ends of a range of scores. */
  readonly scores: ScoreBounds = new ScoreBounds();
  /** The ends of a range of names. */
  readonly names: NameBounds = new NameBounds();

  /** Whether the highest score comes first. */
  get backwards(): boolean {
    return this.direction === BACKWARDS;
  }

  /** Begins anew, for ranges of `kind` in one direction, or either. Returns the request. */
  begin(kind: number, direction: number): this {
    this.kind = kind;
    this.direction = direction;
    this.withScores = false;
    this.offset = 0;
    this.limit = -1;
    return this;
  }
}
