/**
 * How random commands on lists are made.
 *
 * @module
 */

import type { Values } from "../values.ts";
import type { RecipeTable } from "./recipe.ts";

/** How long a command waits: hardly, since nobody will push what it waits for. */
const SHORT_TIMEOUTS = ["0.001", "0.01", "1e-3", "0x0.01", "0.0001"];
const NO_TIMEOUTS = ["-1", "a", "", "nan", "inf", "-0.1", "1e400", "9223372036854775807"];

function list(values: Values): string {
  return values.keyOf("list");
}

function timeout(values: Values): string {
  return values.one(values.chance(0.9) ? SHORT_TIMEOUTS : NO_TIMEOUTS);
}

function end(values: Values): string {
  return values.chance(0.97) ? values.anyCase(values.one(["LEFT", "RIGHT"])) : values.value();
}

function elements(values: Values): string[] {
  const most = values.chance(0.9) ? 4 : 120;
  return values.some(1, most, () => values.element());
}

/** Keys with their number before them, which is now and then another one. */
function countedKeys(values: Values): string[] {
  const keys = values.some(1, 3, () => list(values));
  return [values.chance(0.95) ? String(keys.length) : values.integer(), ...keys];
}

function multiPop(values: Values): string[] {
  const count = values.chance(0.5) ? [] : [values.anyCase("COUNT"), amount(values)];
  return [...countedKeys(values), end(values), ...count];
}

function amount(values: Values): string {
  return values.chance(0.8) ? String(values.below(9)) : values.integer();
}

function positionOptions(values: Values): string[] {
  return values.some(0, 3, () => {
    const option = values.one(["RANK", "RANK", "COUNT", "COUNT", "MAXLEN", "FOO"]);
    const number = values.chance(0.85) ? String(values.below(12) - 4) : values.integer();
    return [values.anyCase(option), number];
  }).flat();
}

function range(values: Values): string[] {
  return [values.integer(), values.integer()];
}

/** Bounds that mostly leave something. */
function wideRange(values: Values): string[] {
  if (values.chance(0.2)) return range(values);
  return [String(values.below(4)), String(-1 - values.below(4))];
}

/** Commands whose arguments stay as they are: with others they might wait for ever. */
export const FRAGILE_LISTS: readonly string[] = [
  "blpop",
  "brpop",
  "blmpop",
  "blmove",
  "brpoplpush",
];

/** The family's recipes. */
export const LIST_RECIPES: RecipeTable = {
  "lpush": [15, (values) => [list(values), ...elements(values)]],
  "rpush": [15, (values) => [list(values), ...elements(values)]],
  "lpushx": [4, (values) => [list(values), ...elements(values)]],
  "rpushx": [4, (values) => [list(values), ...elements(values)]],
  "lpop": [6, (values) => [list(values), ...values.chance(0.5) ? [] : [amount(values)]]],
  "rpop": [6, (values) => [list(values), ...values.chance(0.5) ? [] : [amount(values)]]],
  "lmpop": [5, multiPop],
  "llen": [4, (values) => [list(values)]],
  "lindex": [6, (values) => [list(values), values.integer()]],
  "lset": [8, (values) => [list(values), values.integer(), values.element()]],
  "lrange": [8, (values) => [list(values), ...range(values)]],
  "linsert": [
    14,
    (values) => [
      list(values),
      values.chance(0.97) ? values.anyCase(values.one(["BEFORE", "AFTER"])) : values.value(),
      values.element(),
      values.element(),
    ],
  ],
  "lrem": [6, (values) => [list(values), values.integer(), values.element()]],
  "ltrim": [5, (values) => [list(values), ...wideRange(values)]],
  "lpos": [8, (values) => [list(values), values.element(), ...positionOptions(values)]],
  "lmove": [8, (values) => [list(values), list(values), end(values), end(values)]],
  "rpoplpush": [5, (values) => [list(values), list(values)]],
  "blpop": [2, (values) => [...values.some(1, 3, () => list(values)), timeout(values)]],
  "brpop": [2, (values) => [...values.some(1, 3, () => list(values)), timeout(values)]],
  "blmpop": [2, (values) => [timeout(values), ...multiPop(values)]],
  "blmove": [
    2,
    (values) => [list(values), list(values), end(values), end(values), timeout(values)],
  ],
  "brpoplpush": [2, (values) => [list(values), list(values), timeout(values)]],
};
