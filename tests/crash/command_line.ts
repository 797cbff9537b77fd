/**
 * What the values of options may be.
 *
 * @module
 */

/**
 * One of several words.
 *
 * @throws {Error} It is none of them.
 */
export function choice<T extends string>(name: string, value: string, choices: readonly T[]): T {
  const found = choices.find((known) => known === value);
  if (found === undefined) throw new Error(`--${name} is one of ${choices.join(", ")}`);
  return found;
}

/**
 * A whole number.
 *
 * @throws {Error} It isn't one.
 */
export function whole(name: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new Error(`--${name} is a whole number`);
  return Number(value);
}
