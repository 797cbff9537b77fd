/**
 * How random commands for keys of any type are made.
 *
 * @module
 */

import type { Values } from "../values.ts";
import { key, keys, none, type Recipe, type RecipeTable } from "./recipe.ts";

function timed(unit: "EX" | "PX" | "EXAT" | "PXAT"): Recipe {
  return (values) => [values.key(), values.time(unit), ...values.conditions()];
}

function scanOptions(values: Values): string[] {
  return values.some(0, 2, () => {
    const kind = values.below(4);
    if (kind === 0) return ["MATCH", values.pattern()];
    if (kind === 1) return ["COUNT", values.one(["1", "5", "100", "1000"])];
    if (kind === 2) {
      return [
        "TYPE",
        values.one(["string", "list", "set", "zset", "hash", "stream", "STRING", "nosuch"]),
      ];
    }
    return values.one([["COUNT", "0"], ["COUNT", "-1"], ["COUNT", "a"], ["FOO"], ["MATCH"]]);
  }).flat();
}

/** The family's recipes. */
export const GENERIC_RECIPES: RecipeTable = {
  "del": [5, keys],
  "unlink": [3, keys],
  "exists": [4, keys],
  "touch": [2, keys],
  "expire": [5, timed("EX")],
  "pexpire": [5, timed("PX")],
  "expireat": [6, timed("EXAT")],
  "pexpireat": [6, timed("PXAT")],
  "ttl": [3, key],
  "pttl": [3, key],
  "expiretime": [3, key],
  "pexpiretime": [3, key],
  "persist": [4, key],
  "type": [3, key],
  "keys": [1, (values) => [values.pattern()]],
  "scan": [
    2,
    (values) =>
      values.chance(0.3)
        ? [
          values.one(["0", "a", "-0", "18446744073709551616", "", "00", "+", "1x"]),
          "COUNT",
          "100000",
        ]
        : ["0", ...scanOptions(values), "COUNT", "100000"],
  ],
  "randomkey": [1, none],
  "rename": [5, (values) => [values.key(), values.key()]],
  "renamenx": [5, (values) => [values.key(), values.key()]],
  "copy": [
    8,
    (values) => [
      values.key(),
      values.key(),
      ...values.some(0, 2, () => values.chance(0.5) ? ["REPLACE"] : ["DB", values.database()])
        .flat(),
    ],
  ],
  "move": [5, (values) => [values.key(), values.database()]],
  "object|encoding": [10, key],
  "object|freq": [1, key],
  "object|idletime": [1, key],
  "object|refcount": [1, key],
  "object|help": [0.2, none],
};
