/**
 * How random commands on sorted sets are made.
 *
 * A range of names means something where all scores are the same. Where they aren't, what Redis finds in a skiplist is chance. So
 * such ranges are asked of keys whose scores are all the same, and of keys that stay small.
 *
 * @module
 */

import type { Values } from "../values.ts";
import type { Recipe, RecipeTable } from "./recipe.ts";
import { wholeScan } from "./sets.ts";

/** Their members all have the score 0. */
const NAME_KEYS = ["names:0", "names:1"];
/** Their members have different scores, and are few and short. */
const MIXED_KEYS = ["mixed:0", "mixed:1"];
const CROWDS = [40, 126, 127, 128, 129, 200, 600];
const EDGE_SCORES = [
  ..."inf,-inf,+inf,nan,-0,1e17,1e300,-1e300,0.1,1.5,-2.25,4611686018427387904,4611686018427388928"
    .split(","),
  ..."9007199254740993,100000000000000000,-4611686018427387904,3.0e3,0x10,,abc, 1,1 ".split(
    ",",
  ),
  ..."1e400,1e-400,5e-324,0x1p-1074".split(","),
];
const RANKS = ["0", "1", "2", "-1", "-2", "-3", "5", "100", "-100", "a", "9223372036854775807"];
const COUNTS = ["0", "1", "3", "10", "1000", "-1", "-3", "-200", "a", "", "1.0"];
const WEIGHTS = ["1", "2", "0", "-1", "0.5", "inf", "-inf", "1e300", "nan", "a"];

function key(values: Values): string {
  return values.keyOf("zset");
}

/** A key of a sorted set or a set. */
function source(values: Values): string {
  return values.chance(0.2) ? values.keyOf("set") : key(values);
}

function score(values: Values): string {
  const kind = values.random();
  if (kind < 0.6) return String(values.below(20) - 5);
  if (kind < 0.75) return (values.random() * 100 - 20).toFixed(values.below(4));
  if (kind < 0.8) return String(values.random() * 10 ** (values.below(40) - 20));
  return values.one(EDGE_SCORES);
}

function pairs(values: Values): string[] {
  return values.some(1, 4, () => [score(values), values.element()]).flat();
}

function addOptions(values: Values): string[] {
  if (values.chance(0.6)) return [];
  return values.some(
    1,
    2,
    () => values.anyCase(values.one(["NX", "XX", "GT", "LT", "CH", "INCR"])),
  );
}

/** So many members that the form of the set changes. */
function crowd(values: Values): string[] {
  const prefix = values.one(["", "m", "m", "y".repeat(63), "y".repeat(64)]);
  const step = values.one([0, 1, 7, 0.1]);
  const count = values.one(CROWDS);
  const members = Array.from({ length: count }, (_, index) => {
    const number = (index * 31) % count;
    return [String(number * step), `${prefix}${number}`];
  });
  return [key(values), ...members.flat()];
}

function keyAndMember(values: Values): string[] {
  return [key(values), values.element()];
}

function keyAndMembers(values: Values): string[] {
  return [key(values), ...values.some(1, 5, () => values.element())];
}

/** One end of a range of scores. */
function bound(values: Values): string {
  if (values.chance(0.2)) return values.one(["-inf", "+inf", "inf", "(inf", "(-inf"]);
  return `${values.chance(0.3) ? "(" : ""}${score(values)}`;
}

function bounds(values: Values): string[] {
  return [bound(values), bound(values)];
}

function ranks(values: Values): string[] {
  return [values.one(RANKS), values.one(RANKS)];
}

/** One end of a range of names. */
function nameBound(values: Values): string {
  const kind = values.random();
  if (kind < 0.3) return values.one(["-", "+"]);
  if (kind < 0.35) return values.one(["", "a", "--", "+x", "(", "["]);
  return `${values.chance(0.5) ? "[" : "("}${name(values)}`;
}

function nameBounds(values: Values): string[] {
  return [nameBound(values), nameBound(values)];
}

/** A short name of a member. */
function name(values: Values): string {
  if (values.chance(0.2)) return String(values.below(200));
  return values.some(0, 4, () => values.one([..."abz\x00\xff"])).join("");
}

function nameKey(values: Values): string {
  return values.one(values.chance(0.6) ? NAME_KEYS : MIXED_KEYS);
}

function limit(values: Values): string[] {
  if (values.chance(0.6)) return [];
  const [offset, count] = [values.one(RANKS), values.one(RANKS)];
  return [values.anyCase("LIMIT"), offset, ...values.chance(0.97) ? [count] : []];
}

function withScores(values: Values): string[] {
  return values.chance(0.5) ? [values.anyCase("WITHSCORES")] : [];
}

/** Options behind a range, in any order. */
function shuffled(values: Values, ...options: string[][]): string[] {
  return options.map((words) => ({ words, at: values.random() }))
    .sort((first, second) => first.at - second.at).flatMap(({ words }) => words);
}

/** The range, and the options, of ZRANGE and ZRANGESTORE. */
function anyRange(values: Values, scores: boolean): string[] {
  const reverse = values.chance(0.4) ? [values.anyCase("REV")] : [];
  const told = scores ? withScores(values) : [];
  if (values.chance(0.5)) {
    const cut = values.chance(0.05) ? limit(values) : [];
    return [...ranks(values), ...shuffled(values, reverse, told, cut)];
  }
  return [
    ...bounds(values),
    ...shuffled(values, [values.anyCase("BYSCORE")], reverse, told, limit(values)),
  ];
}

function nameRange(values: Values, scores: boolean): string[] {
  const reverse = values.chance(0.4) ? [values.anyCase("REV")] : [];
  const told = scores && values.chance(0.05) ? withScores(values) : [];
  return [
    ...nameBounds(values),
    ...shuffled(values, [values.anyCase("BYLEX")], reverse, told, limit(values)),
  ];
}

const byScore: Recipe = (values) => [
  key(values),
  ...bounds(values),
  ...shuffled(values, withScores(values), limit(values)),
];

const byName: Recipe = (values) => [nameKey(values), ...nameBounds(values), ...limit(values)];

/** How many keys there are, and the keys. */
function counted(values: Values, draw: () => string): string[] {
  const names = values.some(1, 4, draw);
  const count = values.chance(0.94)
    ? String(names.length)
    : values.one(["0", "-1", "a", "5", "99999999999"]);
  return [count, ...names];
}

/** WEIGHTS and AGGREGATE behind `count` keys. */
function combination(values: Values, count: number): string[] {
  const weights = values.chance(0.4)
    ? [values.anyCase("WEIGHTS"), ...Array.from({ length: count }, () => values.one(WEIGHTS))]
    : [];
  const aggregate = values.chance(0.4)
    ? [values.anyCase("AGGREGATE"), values.anyCase(values.one(["SUM", "MIN", "MAX", "FOO"]))]
    : [];
  return shuffled(values, weights, aggregate);
}

function combine(weighted: boolean, stores: boolean): Recipe {
  return (values) => {
    const sources = counted(values, () => source(values));
    const options = weighted ? combination(values, sources.length - 1) : [];
    const told = stores ? [] : withScores(values);
    return [...stores ? [key(values)] : [], ...sources, ...options, ...told];
  };
}

function pop(values: Values): string[] {
  return [key(values), ...values.chance(0.5) ? [] : [values.one(COUNTS)]];
}

function severalPops(values: Values): string[] {
  const end = values.anyCase(values.one(["MIN", "MAX", "MIN", "MAX", "FOO"]));
  const count = values.chance(0.5)
    ? [values.anyCase("COUNT"), values.one(["1", "2", "5", "0", "-1", "a", "1000"])]
    : [];
  return [...counted(values, () => key(values)), end, ...count];
}

/** Timeouts that are over at once. */
function timeout(values: Values): string {
  return values.chance(0.85) ? "0.001" : values.one(["-1", "a", "", "-0.0000001x"]);
}

function blockingPop(values: Values): string[] {
  return [...values.some(1, 3, () => key(values)), timeout(values)];
}

/** The family's recipes. */
export const SORTED_SET_RECIPES: RecipeTable = {
  "zadd": [40, (values) => [key(values), ...addOptions(values), ...pairs(values)]],
  "zadd crowd": [3, crowd],
  "zadd names": [
    12,
    (values) => [values.one(NAME_KEYS), ...values.some(1, 6, () => ["0", name(values)]).flat()],
  ],
  "zadd manynames": [
    0.5,
    (values) => [
      values.one(NAME_KEYS),
      ...values.some(120, 140, () => ["0", String(values.below(200))]).flat(),
    ],
  ],
  "zadd mixed": [
    8,
    (values) => [
      values.one(MIXED_KEYS),
      ...values.some(1, 4, () => [String(values.below(3)), values.one([..."abcdefg", "12", "7"])])
        .flat(),
    ],
  ],
  "zincrby": [15, (values) => [key(values), score(values), values.element()]],
  "zrem": [12, keyAndMembers],
  "zrem names": [4, (values) => [nameKey(values), ...values.some(1, 3, () => name(values))]],
  "zcard": [4, (values) => [key(values)]],
  "zscore": [10, keyAndMember],
  "zmscore": [6, keyAndMembers],
  "zrank": [8, keyAndMember],
  "zrevrank": [8, keyAndMember],
  "zcount": [8, (values) => [key(values), ...bounds(values)]],
  "zlexcount": [8, (values) => [nameKey(values), ...nameBounds(values)]],
  "zrange": [15, (values) => [key(values), ...anyRange(values, true)]],
  "zrange names": [10, (values) => [nameKey(values), ...nameRange(values, true)]],
  "zrangestore": [8, (values) => [key(values), key(values), ...anyRange(values, false)]],
  "zrangestore names": [
    4,
    (values) => [key(values), nameKey(values), ...nameRange(values, false)],
  ],
  "zrevrange": [5, (values) => [key(values), ...ranks(values), ...withScores(values)]],
  "zrangebyscore": [10, byScore],
  "zrevrangebyscore": [8, byScore],
  "zrangebylex": [8, byName],
  "zrevrangebylex": [8, byName],
  "zremrangebyrank": [5, (values) => [key(values), ...ranks(values)]],
  "zremrangebyscore": [5, (values) => [key(values), ...bounds(values)]],
  "zremrangebylex": [4, (values) => [nameKey(values), ...nameBounds(values)]],
  "zpopmin": [6, pop],
  "zpopmax": [6, pop],
  "zmpop": [6, severalPops],
  "bzpopmin": [2, blockingPop],
  "bzpopmax": [2, blockingPop],
  "bzmpop": [2, (values) => [timeout(values), ...severalPops(values)]],
  "zunion": [8, combine(true, false)],
  "zunionstore": [8, combine(true, true)],
  "zinter": [8, combine(true, false)],
  "zinterstore": [8, combine(true, true)],
  "zdiff": [6, combine(false, false)],
  "zdiffstore": [6, combine(false, true)],
  "zintercard": [
    6,
    (values) => [
      ...counted(values, () => source(values)),
      ...values.some(0, 1, () => ["LIMIT", values.one(["0", "1", "3", "-1", "a"])]).flat(),
    ],
  ],
  "zrandmember": [
    6,
    (values) => [
      key(values),
      ...values.chance(0.3) ? [] : [values.one(COUNTS), ...withScores(values)],
    ],
  ],
  "zscan": [5, wholeScan(key)],
  "config|set zsets": [
    1,
    (values) =>
      values.one([
        ["zset-max-listpack-entries", values.one(["128", "128", "10", "20"])],
        ["zset-max-listpack-value", values.one(["64", "64", "3", "100"])],
      ]),
  ],
};

/** Those whose arguments must stay as they are: a range of names of any key is chance, and a long timeout lasts. */
export const FRAGILE_SORTED_SETS: readonly string[] = [
  ...Object.keys(SORTED_SET_RECIPES).filter((recipe) => /lex|names$| mixed$|^bz/.test(recipe)),
  "zrandmember",
];
