/**
 * How random SORTs are made.
 *
 * Redis leaves open in which order elements come that `BY` finds equal by text, and the members of a set that isn't sorted. So `BY` goes
 * with numbers here, and with a constant only where the result is stored, since then a set is sorted all the same.
 *
 * @module
 */

import { COLLECTIONS, type Values } from "../values.ts";
import type { RecipeTable } from "./recipe.ts";

const GETS = ["#", "k*", "w_*", "f*->e1", "f0->*", "nokey", "*", "k*->", "f*->e2"];
function options(values: Values, readOnly: boolean): string[] {
  const words: string[][] = [];
  const store = !readOnly && values.chance(0.4);
  if (store) words.push(["STORE", values.key()]);
  const alphabetic = values.chance(0.6);
  if (alphabetic) words.push(["ALPHA"]);
  else if (values.chance(0.4)) words.push(["BY", values.one(["k*", "w_*", "f*->e1", "f0->*"])]);
  if (store && values.chance(0.3)) words.push(["BY", "nosort"]);
  if (values.chance(0.3)) words.push([values.one(["ASC", "DESC", "desc"])]);
  if (values.chance(0.3)) {
    const bound = () => values.chance(0.9) ? String(values.below(8) - 2) : values.integer();
    words.push(["LIMIT", bound(), bound()]);
  }
  if (store || !alphabetic) {
    words.push(...values.some(0, values.chance(0.3) ? 2 : 0, () => ["GET", values.one(GETS)]));
  }
  if (values.chance(0.02)) words.push(["FOO"]);
  return words.sort(() => values.random() - 0.5).flat();
}

function sort(values: Values, readOnly: boolean): string[] {
  return [values.keyOf(values.one(COLLECTIONS)), ...options(values, readOnly)];
}

/** The family's recipes. */
export const SORT_RECIPES: RecipeTable = {
  "sort": [10, (values) => sort(values, false)],
  "sort_ro": [5, (values) => sort(values, true)],
};
