/**
 * How random commands on sets are made.
 *
 * What SPOP takes is chance, and would be another thing in each server. So it meets only sets of one member, or takes all.
 *
 * @module
 */

import type { Values } from "../values.ts";
import type { Recipe, RecipeTable } from "./recipe.ts";

/** Sets that have one member, always the same. */
const SINGLE_KEYS = ["single:0", "single:1"];
/** The edges of the intset, and of the listpack that miniredis has. */
const CROWDS = [40, 127, 128, 129, 200, 511, 512, 513];
const COUNTS = [
  "0",
  "1",
  "3",
  "10",
  "1000",
  "-1",
  "-3",
  "-200",
  "a",
  "",
  "1.0",
  "-9223372036854775808",
];

function key(values: Values): string {
  return values.keyOf("set");
}

function keys(values: Values): string[] {
  return values.some(1, 4, () => key(values));
}

function keyAndElement(values: Values): string[] {
  return [key(values), values.element()];
}

function keyAndElements(values: Values): string[] {
  return [key(values), ...values.some(1, 5, () => values.element())];
}

const target: Recipe = (values) => [key(values), ...keys(values)];

function limits(values: Values): string[] {
  return values.some(0, 1, () => ["LIMIT", values.one(["0", "1", "3", "-1", "a", "99999999999"])])
    .flat();
}

/** So many members that the form of the set changes. */
function crowd(values: Values): string[] {
  const prefix = values.one(["", "", "x", `${"y".repeat(70)}`]);
  const from = values.below(1000);
  const members = Array.from(
    { length: values.one(CROWDS) },
    (_, index) => `${prefix}${from + index}`,
  );
  return [key(values), ...members];
}

function scanOptions(values: Values): string[] {
  return values.some(
    0,
    2,
    () =>
      values.chance(0.5)
        ? ["MATCH", values.one(["*", "e*", "*1*", "[1-5]", "-?", ""])]
        : ["COUNT", values.one(["1", "100", "0", "-1", "a"])],
  ).flat();
}

/** The arguments of a scan of a collection that finds everything at once. */
export function wholeScan(name: (values: Values) => string): Recipe {
  return (values) => {
    const cursor = values.chance(0.9) ? "0" : values.one(["a", "", "-0", "18446744073709551616"]);
    return [name(values), cursor, ...scanOptions(values), "COUNT", "100000"];
  };
}

/** The family's recipes. */
export const SET_RECIPES: RecipeTable = {
  "sadd": [30, keyAndElements],
  "sadd crowd": [2, crowd],
  "sadd single": [6, (values) => [values.one(SINGLE_KEYS), "one"]],
  "srem": [15, keyAndElements],
  "smove": [10, (values) => [key(values), ...keyAndElement(values)]],
  "sismember": [8, keyAndElement],
  "smismember": [6, keyAndElements],
  "scard": [5, (values) => [key(values)]],
  "smembers": [8, (values) => [key(values)]],
  "spop": [
    4,
    (values) =>
      values.chance(0.7)
        ? [
          values.one(SINGLE_KEYS),
          ...values.some(0, 1, () => values.one(["0", "1", "5", "-1", "a"])),
        ]
        : [key(values), ...values.one([["1000000"], ["0"], ["-1"], ["x"], ["1", "2"]])],
  ],
  "srandmember": [
    8,
    (
      values,
    ) => [key(values), ...values.some(0, values.chance(0.05) ? 2 : 1, () => values.one(COUNTS))],
  ],
  "sinter": [8, keys],
  "sinterstore": [8, target],
  "sintercard": [
    8,
    (values) => {
      const names = keys(values);
      const count = values.chance(0.9)
        ? String(names.length)
        : values.one(["0", "-1", "a", "5", "99999999999"]);
      return [count, ...names, ...limits(values)];
    },
  ],
  "sunion": [6, keys],
  "sunionstore": [8, target],
  "sdiff": [8, keys],
  "sdiffstore": [8, target],
  "sscan": [5, wholeScan(key)],
  "config|set intsets": [
    1,
    (values) => ["set-max-intset-entries", values.one(["512", "512", "0", "5", "20"])],
  ],
};
