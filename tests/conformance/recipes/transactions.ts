/**
 * How random transactions are made.
 *
 * A MULTI by itself would have everything behind it queued; so whoever draws one adds what it needs to
 * end, see `mod.ts`.
 *
 * @module
 */

import { keys, none, type RecipeTable } from "./recipe.ts";

/** The family's recipes. */
export const TRANSACTION_RECIPES: RecipeTable = {
  "multi": [3, none],
  "exec": [0.3, none],
  "discard": [0.3, none],
  "watch": [1.5, keys],
  "unwatch": [0.3, none],
};
