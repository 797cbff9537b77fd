/**
 * How random geo commands are made.
 *
 * Each member has a place that it is always given, and no two have the same: which of several at the same distance come first is open.
 * Distances are printed with four digits and then agree; a whole one depends on the last bit of the C library's sine. So
 * whole ones are stored only for members on one meridian, where no sine is needed.
 *
 * @module
 */

import type { Values } from "../values.ts";
import type { Recipe, RecipeTable } from "./recipe.ts";

const KEYS = ["places:0", "places:1", "places:2"];
/** Their members are all on one meridian, */
const MERIDIAN_KEYS = ["meridian:0", "meridian:1"];
/** with this longitude. */
const MERIDIAN = "10";
const MEMBERS = 60;
const UNITS = ["m", "km", "KM", "ft", "mi"];
const LONGITUDES = ["-180", "180", "0", "179.99999", "181", "-181", "a", "nan", "inf", "1e3", ""];
const LATITUDES = ["-85.05112878", "85.05112878", "0", "86", "-86", "x", "89.9", "inf", ""];

function key(values: Values): string {
  return values.chance(0.9) ? values.one(KEYS) : values.keyOf("zset");
}

/** Degrees that look like any, and are always the same for `number`. */
function degrees(number: number, factor: number, most: number): string {
  return ((((number + 1) * factor) % 1) * 2 * most - most).toFixed(5);
}

/** The longitude of member `number`: some of them are near each other. */
function longitude(number: number): string {
  return number < MEMBERS / 2
    ? degrees(number, 0.6180339887, 180)
    : (13 + Number(degrees(number, 0.7548776662, 2))).toFixed(6);
}

function latitude(number: number): string {
  return number < MEMBERS / 2
    ? degrees(number, 0.5698402910, 85)
    : (38 + Number(degrees(number, 0.3247179572, 2))).toFixed(6);
}

function member(values: Values): string {
  return `p${values.below(MEMBERS)}`;
}

function placed(values: Values): string[] {
  const number = values.below(MEMBERS);
  return [longitude(number), latitude(number), `p${number}`];
}

/** Where to look. */
function middle(values: Values): string[] {
  if (values.chance(0.08)) return [values.one(LONGITUDES), values.one(LATITUDES)];
  const number = values.below(MEMBERS);
  if (values.chance(0.5)) return [longitude(number), latitude(number)];
  return [degrees(values.random(), 1, 180), degrees(values.random(), 1, 85)];
}

/** A length and its unit. */
function length(values: Values): string[] {
  if (values.chance(0.05)) {
    return [values.one(["-1", "a", "nan", "", "inf", "0"]), values.one(["km", "foo", ""])];
  }
  return [(10 ** (values.random() * 6 - 1)).toFixed(3), values.one(UNITS)];
}

function sides(values: Values): string[] {
  const [width] = length(values);
  return [width, ...length(values)];
}

/** Options of all searches. */
function options(values: Values, details: boolean): string[] {
  const words = details ? ["WITHDIST", "WITHHASH", "WITHCOORD"] : [];
  return [
    ...words.filter(() => values.chance(0.4)).map((word) => values.anyCase(word)),
    ...values.chance(0.5) ? [values.anyCase(values.one(["ASC", "DESC"]))] : [],
    ...values.chance(0.3) ? ["COUNT", values.one(["1", "2", "5", "100", "0", "-1", "a"])] : [],
    ...values.chance(0.1) ? [values.anyCase("ANY")] : [],
  ];
}

function origin(values: Values): string[] {
  return values.chance(0.5)
    ? [values.anyCase("FROMMEMBER"), member(values)]
    : [values.anyCase("FROMLONLAT"), ...middle(values)];
}

function area(values: Values): string[] {
  return values.chance(0.5)
    ? [values.anyCase("BYRADIUS"), ...length(values)]
    : [values.anyCase("BYBOX"), ...sides(values)];
}

function searchArguments(values: Values, details: boolean): string[] {
  const parts = [origin(values), area(values), options(values, details)];
  if (values.chance(0.03)) parts.splice(values.below(2), 1);
  if (values.chance(0.03)) parts.push(values.chance(0.5) ? origin(values) : area(values));
  return (values.chance(0.7) ? parts : parts.reverse()).flat();
}

function radius(byMember: boolean, stores: boolean): Recipe {
  return (values) => [
    values.one(KEYS),
    ...byMember ? [member(values)] : middle(values),
    ...length(values),
    ...options(values, !stores || values.chance(0.05)),
    ...stores ? [values.anyCase("STORE"), values.keyOf("zset")] : [],
  ];
}

/** The family's recipes. */
export const GEO_RECIPES: RecipeTable = {
  "geoadd": [
    15,
    (values) => [
      key(values),
      ...values.chance(0.3) ? [values.anyCase(values.one(["NX", "XX", "CH", "GT"]))] : [],
      ...values.some(1, 6, () => placed(values)).flat(),
    ],
  ],
  "geoadd edge": [
    2,
    (values) => ["edges", values.one(LONGITUDES), values.one(LATITUDES), member(values)],
  ],
  "geoadd meridian": [
    5,
    (values) => [
      values.one(MERIDIAN_KEYS),
      ...values.some(1, 6, () => {
        const number = values.below(MEMBERS);
        return [MERIDIAN, degrees(number, 0.5698402910, 85), `p${number}`];
      }).flat(),
    ],
  ],
  "geodist": [
    10,
    (values) => [
      key(values),
      member(values),
      member(values),
      ...values.chance(0.6) ? [values.one([...UNITS, "foo"])] : [],
    ],
  ],
  "geohash": [6, (values) => [key(values), ...values.some(0, 4, () => member(values))]],
  "geopos": [8, (values) => [key(values), ...values.some(0, 4, () => member(values))]],
  "geopos edge": [2, (values) => ["edges", ...values.some(1, 6, () => member(values))]],
  "geopos scores": [
    2,
    (values) => [values.keyOf("zset"), ...values.some(1, 4, () => values.element())],
  ],
  "geohash scores": [
    2,
    (values) => [values.keyOf("zset"), ...values.some(1, 4, () => values.element())],
  ],
  "geosearch": [20, (values) => [values.one(KEYS), ...searchArguments(values, true)]],
  "geosearch edge": [
    3,
    (values) => [
      "edges",
      "FROMLONLAT",
      ...middle(values),
      ...area(values),
      ...["WITHDIST", "WITHHASH", "WITHCOORD"].filter(() => values.chance(0.5)),
    ],
  ],
  "geosearchstore": [
    8,
    (values) => [
      values.keyOf("zset"),
      values.one(KEYS),
      ...searchArguments(values, values.chance(0.03)),
    ],
  ],
  "geosearchstore distances": [
    5,
    (values) => [
      values.keyOf("zset"),
      values.one(MERIDIAN_KEYS),
      "FROMMEMBER",
      member(values),
      ...area(values),
      values.anyCase("STOREDIST"),
      ...options(values, false),
    ],
  ],
  "georadius": [12, radius(false, false)],
  "georadius store": [4, radius(false, true)],
  "georadius_ro": [4, radius(false, false)],
  "georadiusbymember": [10, radius(true, false)],
  "georadiusbymember store": [4, radius(true, true)],
  "georadiusbymember distances": [
    4,
    (values) => [
      values.one(MERIDIAN_KEYS),
      member(values),
      ...length(values),
      ...options(values, false),
      "STOREDIST",
      values.keyOf("zset"),
    ],
  ],
  "georadiusbymember_ro": [4, radius(true, false)],
};

/** Those whose arguments must stay as they are: other places might be as far away as these, or need a sine. */
export const FRAGILE_GEO: readonly string[] = Object.keys(GEO_RECIPES).filter((recipe) =>
  /^geoadd$| meridian$| distances$/.test(recipe)
);
