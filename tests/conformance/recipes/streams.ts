/**
 * How random commands on streams and their groups are made.
 *
 * Ids are small numbers, so that they meet; none is left to the clock, which isn't the same in both servers. What has been idle for
 * how long isn't either, so a least time is none, or longer than any.
 *
 * @module
 */

import type { Values } from "../values.ts";
import type { RecipeTable } from "./recipe.ts";

// deno-fmt-ignore
const EDGE_IDS = [
  "0", "0-0", "0-1", "1", "-", "+", "$", ">", "5-", "-5", "5-*", "0-*", "a", "", "5-5-5", "05-05", " 5-1", "+5-1", "5--1", "5-+1",
  "18446744073709551615", "18446744073709551615-18446744073709551615", "18446744073709551616", "5-18446744073709551615",
  "9223372036854775807-9223372036854775808", "(5", "((5", "(-", "(+", "(", "5-1\x00x", "18446744073709551615-*", "5-18446744073709551616",
];
const COUNTS = ["0", "1", "2", "3", "10", "1000", "-1", "a", "9223372036854775807"];
const LENGTHS = ["0", "1", "2", "5", "10", "20", "50", "200", "-1", "a", "9223372036854775807"];
const IDLE = ["0", "0", "0", "1000000000", "-1", "a", "9223372036854775807"];

function key(values: Values): string {
  return values.keyOf("stream");
}

/** An id of an entry that may be there: times rise slowly, and several entries share one. */
function id(values: Values): string {
  if (values.chance(0.04)) return values.one(EDGE_IDS);
  const ms = values.below(40);
  const kind = values.random();
  if (kind < 0.3) return String(ms);
  return `${ms}-${values.below(kind < 0.9 ? 4 : 300)}`;
}

function ids(values: Values): string[] {
  return values.some(1, 5, () => id(values));
}

/** The id of a new entry. */
function newId(values: Values): string {
  const kind = values.random();
  if (kind < 0.03) return values.one(EDGE_IDS);
  if (kind < 0.1) return id(values);
  const ms = values.below(45);
  return kind < 0.85 ? `${ms}-*` : `${ms}-${values.below(5)}`;
}

/** Mostly the same fields, since those are kept in another way. */
function fields(values: Values): string[] {
  const kind = values.random();
  if (kind < 0.5) return ["name", values.element(), "count", String(values.below(300))];
  if (kind < 0.6) return ["count", values.element(), "name", values.element()];
  if (kind < 0.7) return ["1", values.element()];
  if (kind < 0.72) return ["odd"];
  return values.some(1, 4, () => [values.element(), values.value()]).flat();
}

function bound(values: Values): string[] {
  const byId = values.chance(0.4);
  return [
    values.anyCase(byId ? "MINID" : "MAXLEN"),
    ...values.one([[], [], ["="], ["~"], ["~"]]),
    byId ? id(values) : values.one(LENGTHS),
  ];
}

function limit(values: Values): string[] {
  if (values.chance(0.8)) return [];
  return [values.anyCase("LIMIT"), values.one([...COUNTS, "30", "100", "-5"])];
}

function trim(values: Values): string[] {
  return values.chance(0.97) ? [...bound(values), ...limit(values)] : [
    ...limit(values),
    ...values.some(0, 2, () => bound(values)).flat(),
  ];
}

function xadd(values: Values): string[] {
  return [
    key(values),
    ...(values.chance(0.05) ? [values.anyCase("NOMKSTREAM")] : []),
    ...(values.chance(0.2) ? trim(values) : []),
    newId(values),
    ...fields(values),
  ];
}

function count(values: Values): string[] {
  if (values.chance(0.5)) return [];
  return [values.chance(0.97) ? values.anyCase("COUNT") : "FOO", values.one(COUNTS)];
}

/** An end of a range. */
function end(values: Values, all: string): string {
  const kind = values.random();
  if (kind < 0.3) return all;
  return kind < 0.6 ? id(values) : `(${id(values)}`;
}

function range(values: Values): string[] {
  return [key(values), end(values, "-"), end(values, "+"), ...count(values)];
}

function reverse(values: Values): string[] {
  return [key(values), end(values, "+"), end(values, "-"), ...count(values)];
}

function group(values: Values): string {
  return values.chance(0.95) ? `g${values.below(3)}` : values.element();
}

function consumer(values: Values): string {
  return values.chance(0.95) ? `c${values.below(4)}` : values.element();
}

/** A wait that is over soon. */
function block(values: Values): string[] {
  return values.chance(0.03) ? ["BLOCK", values.one(["1", "1", "-1", "a", "1.5"])] : [];
}

/** Keys and as many ids. */
function streams(values: Values, one: () => string): string[] {
  const keys = values.some(1, 3, () => key(values));
  const ids = keys.map(one);
  if (values.chance(0.03)) ids.pop();
  return [values.anyCase("STREAMS"), ...keys, ...ids];
}

function xread(values: Values): string[] {
  return [
    ...count(values),
    ...block(values),
    ...(values.chance(0.02) ? ["NOACK"] : []),
    ...streams(values, () => values.chance(0.1) ? "$" : id(values)),
  ];
}

function xreadgroup(values: Values): string[] {
  return [
    ...(values.chance(0.98) ? [values.anyCase("GROUP"), group(values), consumer(values)] : []),
    ...count(values),
    ...block(values),
    ...(values.chance(0.15) ? [values.anyCase("NOACK")] : []),
    ...streams(values, () => values.chance(0.7) ? ">" : values.chance(0.5) ? "0" : id(values)),
  ];
}

/** Where a group is. */
function groupId(values: Values): string {
  return values.chance(0.3) ? values.one(["0", "$"]) : id(values);
}

function entriesRead(values: Values): string[] {
  if (values.chance(0.7)) return [];
  return [values.anyCase("ENTRIESREAD"), values.one(["0", "1", "5", "-1", "-2", "a", "100"])];
}

function create(values: Values): string[] {
  const made = values.chance(0.3) ? [values.anyCase("MKSTREAM")] : [];
  const options = values.chance(0.5)
    ? [...made, ...entriesRead(values)]
    : [...entriesRead(values), ...made];
  return [key(values), group(values), groupId(values), ...options];
}

function claimOptions(values: Values): string[] {
  return values.some(0, 3, () =>
    values.one([
      ["FORCE"],
      ["force"],
      ["JUSTID"],
      ["RETRYCOUNT", values.one(COUNTS)],
      ["TIME", values.one(["0", "1000", "-5", "a"])],
      ["IDLE", values.one(["1000000000", "9223372036854775807", "-9223372036854775808", "b"])],
      ["LASTID", id(values)],
      ["FOO"],
      ["TIME"],
    ])).flat();
}

function xautoclaim(values: Values): string[] {
  return [
    key(values),
    group(values),
    consumer(values),
    values.one(IDLE),
    values.chance(0.4) ? "-" : end(values, "0"),
    ...count(values),
    ...(values.chance(0.3) ? [values.anyCase("JUSTID")] : []),
  ];
}

function xpending(values: Values): string[] {
  if (values.chance(0.3)) return [key(values), group(values)];
  return [
    key(values),
    group(values),
    ...(values.chance(0.2) ? [values.anyCase("IDLE"), values.one(IDLE)] : []),
    end(values, "-"),
    end(values, "+"),
    values.one(COUNTS),
    ...(values.chance(0.4) ? [consumer(values)] : []),
  ];
}

function xsetid(values: Values): string[] {
  const added = values.chance(0.3) ? ["ENTRIESADDED", values.one([...COUNTS, "60"])] : [];
  const deleted = values.chance(0.2) ? ["MAXDELETEDID", id(values)] : [];
  // An id that is far ahead would end the stream for all that follow.
  return [
    key(values),
    values.chance(0.1) ? id(values) : `${38 + values.below(8)}`,
    ...added,
    ...deleted,
  ];
}

function infoStream(values: Values): string[] {
  if (values.chance(0.4)) return [key(values)];
  return [key(values), values.anyCase("FULL"), ...count(values)];
}

/** The family's recipes. */
export const STREAM_RECIPES: RecipeTable = {
  "xadd": [80, xadd],
  "xdel": [10, (values) => [key(values), ...ids(values)]],
  "xtrim": [6, (values) => [key(values), ...trim(values)]],
  "xlen": [3, (values) => [key(values)]],
  "xrange": [10, range],
  "xrevrange": [10, reverse],
  "xread": [10, xread],
  "xsetid": [1, xsetid],
  "xinfo|stream": [12, infoStream],
  "xinfo|groups": [6, (values) => [key(values)]],
  "xinfo|consumers": [5, (values) => [key(values), group(values)]],
  "xinfo|help": [1, () => []],
  "xgroup|create": [12, create],
  "xgroup|setid": [
    3,
    (values) => [key(values), group(values), groupId(values), ...entriesRead(values)],
  ],
  "xgroup|destroy": [1, (values) => [key(values), group(values)]],
  "xgroup|createconsumer": [3, (values) => [key(values), group(values), consumer(values)]],
  "xgroup|delconsumer": [2, (values) => [key(values), group(values), consumer(values)]],
  "xgroup|help": [1, () => []],
  "xreadgroup": [40, xreadgroup],
  "xack": [8, (values) => [key(values), group(values), ...ids(values)]],
  "xpending": [12, xpending],
  "xclaim": [
    15,
    (values) => [
      key(values),
      group(values),
      consumer(values),
      values.one(IDLE),
      ...ids(values),
      ...claimOptions(values),
    ],
  ],
  "xautoclaim": [10, xautoclaim],
  // The other limit stays: lowered while there are streams, it has redis-server 7.0.15 break a node and fail an assertion later.
  "config|set streams": [
    1,
    (values) => ["stream-node-max-entries", values.one(["100", "3", "3", "7", "0"])],
  ],
};
