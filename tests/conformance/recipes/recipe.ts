/**
 * What a recipe is, and the recipes that several families share.
 *
 * @module
 */

import type { Values } from "../values.ts";

/** Makes the words behind a command's name. */
export type Recipe = (values: Values) => string[];

/** Commands of one family by name (`config|get` for a subcommand), with a weight and the way to make one. */
export type RecipeTable = Readonly<Record<string, readonly [weight: number, recipe: Recipe]>>;

/** No arguments. */
export function none(): string[] {
  return [];
}

/** One key. */
export function key(values: Values): string[] {
  return [values.key()];
}

/** A few keys. */
export function keys(values: Values): string[] {
  return values.some(1, 4, () => values.key());
}

/** A key and a value. */
export function keyAndValue(values: Values): string[] {
  return [values.key(), values.value()];
}

/** A few keys with a value each. */
export function pairs(values: Values): string[] {
  return values.some(1, 4, () => keyAndValue(values)).flat();
}

/** One of the given lists of arguments. */
export function oneOf(calls: readonly (readonly string[])[]): Recipe {
  return (values) => [...values.one(calls)];
}
