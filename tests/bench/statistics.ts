/**
 * The little statistics a benchmark needs. Medians and quartiles, not means: one scheduling
 * hiccup on a shared machine moves a mean by several percent and a median not at all.
 *
 * @module
 */

/** What is kept of a series of measurements. */
export interface Summary {
  /** The smallest value. */
  readonly min: number;
  /** A quarter of the values lie below it. */
  readonly lowerQuartile: number;
  /** Half of the values lie below it. */
  readonly median: number;
  /** Three quarters of the values lie below it. */
  readonly upperQuartile: number;
  /** The largest value. */
  readonly max: number;
}

/**
 * The value below which `fraction` (0 to 1) of the sorted `ascending` values lie, interpolated
 * between neighbours. NaN of no values at all.
 */
export function quantile(ascending: ArrayLike<number>, fraction: number): number {
  if (ascending.length === 0) return NaN;
  const position = (ascending.length - 1) * fraction;
  const below = Math.floor(position);
  const above = Math.min(below + 1, ascending.length - 1);
  return ascending[below] + (ascending[above] - ascending[below]) * (position - below);
}

/** The median of `values`, in any order. */
export function median(values: readonly number[]): number {
  return summarize(values).median;
}

/** The geometric mean of `values`, which are positive. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((total, value) => total + Math.log(value), 0) / values.length);
}

/** Sorts a copy of `values` and takes its extremes, quartiles and median. */
export function summarize(values: readonly number[]): Summary {
  const ascending = Float64Array.from(values).sort();
  return {
    min: quantile(ascending, 0),
    lowerQuartile: quantile(ascending, 0.25),
    median: quantile(ascending, 0.5),
    upperQuartile: quantile(ascending, 0.75),
    max: quantile(ascending, 1),
  };
}

/**
 * The quotients of two series measured in pairs, round by round: what drifts slowly on the
 * machine hits both sides of a pair alike and cancels out.
 */
export function pairedRatios(
  numerators: readonly number[],
  denominators: readonly number[],
): number[] {
  const pairs = Math.min(numerators.length, denominators.length);
  return Array.from({ length: pairs }, (_, round) => numerators[round] / denominators[round]);
}
