/**
 * How random string commands are made.
 *
 * @module
 */

import type { Values } from "../values.ts";
import { key, keyAndValue, keys, pairs, type RecipeTable } from "./recipe.ts";

const UNITS = ["EX", "PX", "EXAT", "PXAT"] as const;
const SET_WORDS = ["NX", "XX", "GET", "KEEPTTL", "PERSIST", "EX", "FOO"];

function setOptions(values: Values): string[] {
  return values.some(0, 3, () => {
    if (values.chance(0.5)) return [values.anyCase(values.one(SET_WORDS))];
    const unit = values.one(UNITS);
    return [values.anyCase(unit), values.time(unit)];
  }).flat();
}

/** A key that mostly holds a text with few different letters. */
function textKey(values: Values): string {
  return values.chance(0.9) ? `t${values.below(4)}` : values.key();
}

function commonOptions(values: Values): string[] {
  return values.some(0, 3, () => {
    const kind = values.below(9);
    if (kind < 4) return [values.anyCase("IDX")];
    if (kind < 6) return [values.anyCase("WITHMATCHLEN")];
    if (kind === 6) return [values.anyCase("LEN")];
    return [values.anyCase("MINMATCHLEN"), values.chance(0.8) ? "2" : values.integer()];
  }).flat();
}

/** The family's recipes. */
export const STRING_RECIPES: RecipeTable = {
  "set": [30, (values) => [values.key(), values.value(), ...setOptions(values)]],
  "get": [15, key],
  "getdel": [4, key],
  "getex": [
    10,
    (values) => [values.key(), ...values.chance(0.3) ? ["PERSIST"] : setOptions(values)],
  ],
  "getset": [4, keyAndValue],
  "mset": [5, pairs],
  "mget": [5, keys],
  "msetnx": [4, pairs],
  "setnx": [4, keyAndValue],
  "setex": [4, (values) => [values.key(), values.time("EX"), values.value()]],
  "psetex": [4, (values) => [values.key(), values.time("PX"), values.value()]],
  "incr": [8, key],
  "decr": [8, key],
  "incrby": [8, (values) => [values.key(), values.integer()]],
  "decrby": [8, (values) => [values.key(), values.integer()]],
  "incrbyfloat": [12, (values) => [values.key(), values.float()]],
  "append": [10, keyAndValue],
  "strlen": [5, key],
  "getrange": [8, (values) => [values.key(), values.integer(), values.integer()]],
  "substr": [2, (values) => [values.key(), values.integer(), values.integer()]],
  "lcs": [8, (values) => [textKey(values), textKey(values), ...commonOptions(values)]],
  "set text": [
    3,
    (values) => [textKey(values), values.some(0, 60, () => values.one([..."abcd"])).join("")],
  ],
  "setrange": [10, (values) => [values.key(), values.offset(), values.value()]],
};
