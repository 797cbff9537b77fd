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

/** The longest time for `setTimeout`, in milliseconds; what is longer, it takes for no time at all. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/**
 * Deno has `setImmediate`, but the types of older versions don't say so. It is looked up at each call: a simulation puts an event
 * loop of its own in its place.
 */
const timers = globalThis as unknown as {
  setImmediate: (callback: () => void) => unknown;
};

/**
 * Calls `callback` after the events that wait now have been handled: about 10 us later, where
 * `setTimeout` takes 2 ms.
 */
export function afterOthers(callback: () => void): void {
  timers.setImmediate(callback);
}

/**
 * Calls `callback` after whatever waits on the sockets, too, has been handled: about 2 ms later. Work that goes on
 * by {@linkcode afterOthers} alone keeps the runtime from looking at the sockets for several rounds (61, unless it is told
 * otherwise).
 */
export function afterSockets(callback: () => void): void {
  setTimeout(callback, 0);
}
