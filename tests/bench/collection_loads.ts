/**
 * Collections as loads: the commands by which one large collection grows, or many small ones are made, the same on every server.
 *
 * @module
 */

import { type LoadCommand, NUMBER } from "./loader.ts";

/** One type of collection. */
export interface CollectionLoad {
  /** Adds an element per turn to `key`, a new one each time. */
  growing(key: string): LoadCommand;
}

const ELEMENT = `element:${NUMBER}`;
/** Larger than any count of elements, and prime to {@linkcode SCORE_STEP}: scores come in no order and hardly twice. */
const SCORES = 2 ** 24;
const SCORE_STEP = 7_654_321;

function scoreOf(turn: number): number {
  return (turn * SCORE_STEP) % SCORES;
}

/** The types by their names. */
export const COLLECTIONS = {
  zset: {
    growing: (key) => ({
      words: ["ZADD", key, NUMBER, ELEMENT],
      numberAt: (turn, place) => place === 0 ? scoreOf(turn) : turn,
    }),
  },
  hash: {
    growing: (key) => ({
      words: ["HSET", key, ELEMENT, `value:${NUMBER}`],
      numberAt: (turn) => turn,
    }),
  },
  set: { growing: (key) => ({ words: ["SADD", key, ELEMENT], numberAt: (turn) => turn }) },
  list: { growing: (key) => ({ words: ["RPUSH", key, ELEMENT], numberAt: (turn) => turn }) },
  stream: {
    growing: (key) => ({
      words: ["XADD", key, "*", "field", `value:${NUMBER}`],
      numberAt: (turn) => turn,
      replyLines: 2,
    }),
  },
} as const satisfies Record<string, CollectionLoad>;

const FIELDS = 10;
const INTEGERS = 20;

/** Makes a hash of ten small fields per turn. */
export const SMALL_HASHES: LoadCommand = {
  words: [
    "HSET",
    `hash:${NUMBER}`,
    ...Array.from({ length: FIELDS }, (_, field) => [`field${field}`, `value${field}`]).flat(),
  ],
  numberAt: (turn) => turn,
};

/** Makes a set of twenty integers per turn. */
export const SMALL_SETS: LoadCommand = {
  words: [
    "SADD",
    `set:${NUMBER}`,
    ...Array.from({ length: INTEGERS }, (_, n) => String(n * 5_003)),
  ],
  numberAt: (turn) => turn,
};
