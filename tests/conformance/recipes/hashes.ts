/**
 * How random commands on hashes are made.
 *
 * @module
 */

import type { Values } from "../values.ts";
import type { RecipeTable } from "./recipe.ts";
import { wholeScan } from "./sets.ts";

/** The edge of the listpack. */
const CROWDS = [30, 511, 512, 513];
const COUNTS = ["0", "1", "3", "1000", "-1", "-3", "-200", "a", "", "-9223372036854775808"];
const LIMITS = [
  ["hash-max-listpack-entries", "512"],
  ["hash-max-listpack-entries", "5"],
  ["hash-max-ziplist-entries", "0"],
  ["hash-max-listpack-value", "64"],
  ["hash-max-listpack-value", "10"],
  ["hash-max-listpack-entries", "512", "hash-max-listpack-value", "64"],
] as const;

function key(values: Values): string {
  return values.keyOf("hash");
}

function keyAndField(values: Values): string[] {
  return [key(values), values.element()];
}

function keyAndFields(values: Values): string[] {
  return [key(values), ...values.some(1, 5, () => values.element())];
}

function pairs(values: Values): string[] {
  return values.some(1, 4, () => [values.element(), values.value()]).flat();
}

function keyAndPairs(values: Values): string[] {
  return [key(values), ...pairs(values)];
}

/** So many fields that the form of the hash changes. */
function crowd(values: Values): string[] {
  const from = values.below(300);
  const fields = Array.from(
    { length: values.one(CROWDS) },
    (_, index) => [`f${from + index}`, String(index)],
  );
  return [key(values), ...fields.flat()];
}

/** The family's recipes. */
export const HASH_RECIPES: RecipeTable = {
  "hset": [30, keyAndPairs],
  "hset crowd": [1, crowd],
  "hmset": [4, keyAndPairs],
  "hsetnx": [8, (values) => [...keyAndField(values), values.value()]],
  "hget": [10, keyAndField],
  "hmget": [6, keyAndFields],
  "hgetall": [8, (values) => [key(values)]],
  "hkeys": [4, (values) => [key(values)]],
  "hvals": [4, (values) => [key(values)]],
  "hlen": [4, (values) => [key(values)]],
  "hstrlen": [5, keyAndField],
  "hexists": [5, keyAndField],
  "hdel": [15, keyAndFields],
  "hincrby": [15, (values) => [...keyAndField(values), values.integer()]],
  "hincrbyfloat": [12, (values) => [...keyAndField(values), values.float()]],
  "hrandfield": [
    8,
    (values) => [
      key(values),
      ...values.some(0, 1, () => [
        values.one(COUNTS),
        ...values.some(0, 1, () => values.chance(0.9) ? values.anyCase("WITHVALUES") : "FOO"),
      ]).flat(),
    ],
  ],
  "hscan": [5, wholeScan(key)],
  "config|set hashes": [1, (values) => [...values.one(LIMITS)]],
};
