/**
 * The types of what this project uses of `@std/assert`.
 *
 * The npm package holds plain JavaScript, so the types are declared here.
 *
 * @module
 */

/** A class (abstract or not) whose instances are `T`. */
export type ClassOf<T> = abstract new (...args: never[]) => T;

/** Thrown by every failing assertion. */
export class AssertionError extends Error {
  /** Makes an assertion error with the given message. */
  constructor(message: string, options?: ErrorOptions);
}

/** Throws unless `condition` is truthy. */
export function assert(condition: unknown, message?: string): asserts condition;

/** Throws unless `condition` is `false`. */
export function assertFalse(condition: unknown, message?: string): asserts condition is false;

/** Throws unless both values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void;

/** Throws if both values are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;

/** Throws unless both values are the same value (`Object.is`). */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T;

/** Throws if both values are the same value (`Object.is`). */
export function assertNotStrictEquals<T>(actual: T, expected: T, message?: string): void;

/** Throws if the value is `null` or `undefined`. */
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T>;

/** Throws unless `actual` is within `tolerance` of `expected` (by default one part in 10 million). */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  message?: string,
): void;

/** Throws unless `actual` holds every item of `expected`. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  message?: string,
): void;

/** Throws unless `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void;

/** Throws unless `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void;

/** Throws unless `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void;

/** Throws unless `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void;

/** Throws unless `actual` is an instance of `expected`. */
export function assertInstanceOf<T>(
  actual: unknown,
  expected: ClassOf<T>,
  message?: string,
): asserts actual is T;

/** Throws unless `error` is an error of that class whose message holds or matches `messageMatches`. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  errorClass?: ClassOf<E>,
  messageMatches?: string | RegExp,
  message?: string,
): asserts error is E;

/** Throws unless `actual` matches the pattern. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void;

/** Throws if `actual` matches the pattern. */
export function assertNotMatch(actual: string, expected: RegExp, message?: string): void;

/** Throws unless `actual` has all that `expected` has; it may have more. */
export function assertObjectMatch(
  actual: Record<PropertyKey, unknown>,
  expected: Record<PropertyKey, unknown>,
  message?: string,
): void;

/** Throws unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void;

/** Throws unless the promise is rejected; returns the reason. */
export function assertRejects(
  run: () => PromiseLike<unknown>,
  message?: string,
): Promise<unknown>;
/** Throws unless the promise is rejected with such an error; returns the error. */
export function assertRejects<E extends Error = Error>(
  run: () => PromiseLike<unknown>,
  errorClass: ClassOf<E>,
  messageIncludes?: string,
  message?: string,
): Promise<E>;

/** Throws unless the function throws; returns what it threw. */
export function assertThrows(run: () => unknown, message?: string): unknown;
/** Throws unless the function throws such an error; returns the error. */
export function assertThrows<E extends Error = Error>(
  run: () => unknown,
  errorClass: ClassOf<E>,
  messageIncludes?: string,
  message?: string,
): E;

/** Whether both values are deeply equal. */
export function equal(first: unknown, second: unknown): boolean;

/** Throws, always. */
export function fail(message?: string): never;

/** Throws: for a place that no path reaches. */
export function unreachable(reason?: string): never;
