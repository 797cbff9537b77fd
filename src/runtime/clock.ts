/**
 * Time, as a server sees it; a test puts its own in its place.
 *
 * @module
 */

/** Where a server reads the time. */
export interface Clock {
  /** Unix time in ms, a whole number. */
  now(): number;
  /** Milliseconds since some moment, with a fraction; never goes backwards. */
  monotonic(): number;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
