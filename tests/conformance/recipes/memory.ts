/**
 * How random commands about memory are made.
 *
 * @module
 */

import type { Values } from "../values.ts";
import { none, type RecipeTable } from "./recipe.ts";

function usage(values: Values): string[] {
  const options = [[], ["SAMPLES", values.integer()], ["samples", "5"], ["FOO"], ["SAMPLES"]];
  return [values.key(), ...values.some(0, 2, () => values.one(options)).flat()];
}

/** The family's recipes. */
export const MEMORY_RECIPES: RecipeTable = {
  "memory|doctor": [0.1, none],
  "memory|help": [0.1, none],
  "memory|malloc-stats": [0.05, none],
  "memory|purge": [0.1, none],
  "memory|stats": [0.2, none],
  "memory|usage": [2, usage],
};
