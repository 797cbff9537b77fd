/**
 * The commands on ranges of a sorted set: by rank, by score and by the order of its members.
 *
 * @module
 */

import { KEY, keyAt, word } from "./parts.ts";
import type { ArgumentSpec, CommandSpec } from "./types.ts";

/** How many members of a range to skip, and how many to return. */
const LIMIT = {
  name: "offset_count",
  type: "block",
  token: "LIMIT",
  flags: ["optional"],
  arguments: [
    { name: "offset", type: "integer" },
    { name: "count", type: "integer" },
  ],
} as const satisfies ArgumentSpec;

/** The commands on ranges of a sorted set: by rank, by score and by the order of its members. */
export const SORTED_SET_RANGE_SPECS = {
  zrange: {
    summary: "Returns the members within a range of ranks, of scores or of names.",
    since: "1.2.0",
    group: "sorted-set",
    complexity:
      "O(log(N)+M), N being the number of members in the sorted set and M that of the members returned.",
    arity: -4,
    flags: ["readonly"],
    acl: ["read", "sortedset", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    history: [["6.2.0", "Options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`."]],
    arguments: [
      KEY,
      { name: "start", type: "string" },
      { name: "stop", type: "string" },
      {
        name: "sortby",
        type: "oneof",
        since: "6.2.0",
        flags: ["optional"],
        arguments: [word("BYSCORE"), word("BYLEX")],
      },
      { name: "rev", type: "pure-token", token: "REV", since: "6.2.0", flags: ["optional"] },
      {
        name: "offset_count",
        type: "block",
        token: "LIMIT",
        since: "6.2.0",
        flags: ["optional"],
        arguments: [
          { name: "offset", type: "integer" },
          { name: "count", type: "integer" },
        ],
      },
      { name: "withscores", type: "pure-token", token: "WITHSCORES", flags: ["optional"] },
    ],
  },
  zrangestore: {
    summary: "Stores the members within a range of a sorted set as another sorted set.",
    since: "6.2.0",
    group: "sorted-set",
    complexity:
      "O(log(N)+M), N being the number of members in the sorted set and M that of the members stored.",
    arity: -5,
    flags: ["write", "denyoom"],
    acl: ["write", "sortedset", "slow"],
    keys: [keyAt(1, ["OW", "update"]), keyAt(2, ["RO", "access"])],
    arguments: [
      { name: "dst", type: "key", keySpecIndex: 0 },
      { name: "src", type: "key", keySpecIndex: 1 },
      { name: "min", type: "string" },
      { name: "max", type: "string" },
      {
        name: "sortby",
        type: "oneof",
        flags: ["optional"],
        arguments: [word("BYSCORE"), word("BYLEX")],
      },
      { name: "rev", type: "pure-token", token: "REV", flags: ["optional"] },
      LIMIT,
    ],
  },
  zrevrange: {
    summary: "Returns the members within a range of ranks, the highest score first.",
    since: "1.2.0",
    group: "sorted-set",
    complexity:
      "O(log(N)+M), N being the number of members in the sorted set and M that of the members returned.",
    arity: -4,
    flags: ["readonly"],
    acl: ["read", "sortedset", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    docFlags: ["deprecated"],
    deprecatedSince: "6.2.0",
    replacedBy: "`ZRANGE` with option `REV`",
    arguments: [
      KEY,
      { name: "start", type: "integer" },
      { name: "stop", type: "integer" },
      { name: "withscores", type: "pure-token", token: "WITHSCORES", flags: ["optional"] },
    ],
  },
  zrangebyscore: {
    summary: "Returns the members within a range of scores, the lowest first.",
    since: "1.0.5",
    group: "sorted-set",
    complexity:
      "O(log(N)+M), N being the number of members in the sorted set and M that of the members returned.",
    arity: -4,
    flags: ["readonly"],
    acl: ["read", "sortedset", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    docFlags: ["deprecated"],
    deprecatedSince: "6.2.0",
    replacedBy: "`ZRANGE` with option `BYSCORE`",
    history: [["2.0.0", "Option `WITHSCORES`."]],
    arguments: [
      KEY,
      { name: "min", type: "double" },
      { name: "max", type: "double" },
      {
        name: "withscores",
        type: "pure-token",
        token: "WITHSCORES",
        since: "2.0.0",
        flags: ["optional"],
      },
      LIMIT,
    ],
  },
  zrevrangebyscore: {
    summary: "Returns the members within a range of scores, the highest first.",
    since: "2.2.0",
    group: "sorted-set",
    complexity:
      "O(log(N)+M), N being the number of members in the sorted set and M that of the members returned.",
    arity: -4,
    flags: ["readonly"],
    acl: ["read", "sortedset", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    docFlags: ["deprecated"],
    deprecatedSince: "6.2.0",
    replacedBy: "`ZRANGE` with options `REV` and `BYSCORE`",
    history: [["2.1.6", "The bounds may be excluded."]],
    arguments: [
      KEY,
      { name: "max", type: "double" },
      { name: "min", type: "double" },
      { name: "withscores", type: "pure-token", token: "WITHSCORES", flags: ["optional"] },
      LIMIT,
    ],
  },
  zrangebylex: {
    summary: "Returns the members within a range of names, where all scores are equal.",
    since: "2.8.9",
    group: "sorted-set",
    complexity:
      "O(log(N)+M), N being the number of members in the sorted set and M that of the members returned.",
    arity: -4,
    flags: ["readonly"],
    acl: ["read", "sortedset", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    docFlags: ["deprecated"],
    deprecatedSince: "6.2.0",
    replacedBy: "`ZRANGE` with option `BYLEX`",
    arguments: [
      KEY,
      { name: "min", type: "string" },
      { name: "max", type: "string" },
      LIMIT,
    ],
  },
  zrevrangebylex: {
    summary:
      "Returns the members within a range of names, the last one first, where all scores are equal.",
    since: "2.8.9",
    group: "sorted-set",
    complexity:
      "O(log(N)+M), N being the number of members in the sorted set and M that of the members returned.",
    arity: -4,
    flags: ["readonly"],
    acl: ["read", "sortedset", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    docFlags: ["deprecated"],
    deprecatedSince: "6.2.0",
    replacedBy: "`ZRANGE` with options `REV` and `BYLEX`",
    arguments: [
      KEY,
      { name: "max", type: "string" },
      { name: "min", type: "string" },
      LIMIT,
    ],
  },
  zcount: {
    summary: "Counts the members within a range of scores.",
    since: "2.0.0",
    group: "sorted-set",
    complexity: "O(log(N)), N being the number of members in the sorted set.",
    arity: 4,
    flags: ["readonly", "fast"],
    acl: ["read", "sortedset", "fast"],
    keys: [keyAt(1, ["RO", "access"])],
    arguments: [
      KEY,
      { name: "min", type: "double" },
      { name: "max", type: "double" },
    ],
  },
  zlexcount: {
    summary: "Counts the members within a range of names, where all scores are equal.",
    since: "2.8.9",
    group: "sorted-set",
    complexity: "O(log(N)), N being the number of members in the sorted set.",
    arity: 4,
    flags: ["readonly", "fast"],
    acl: ["read", "sortedset", "fast"],
    keys: [keyAt(1, ["RO", "access"])],
    arguments: [
      KEY,
      { name: "min", type: "string" },
      { name: "max", type: "string" },
    ],
  },
  zremrangebyrank: {
    summary: "Removes the members within a range of ranks.",
    since: "2.0.0",
    group: "sorted-set",
    complexity:
      "O(log(N)+M), N being the number of members in the sorted set and M that of the members removed.",
    arity: 4,
    flags: ["write"],
    acl: ["write", "sortedset", "slow"],
    keys: [keyAt(1, ["RW", "delete"])],
    arguments: [
      KEY,
      { name: "start", type: "integer" },
      { name: "stop", type: "integer" },
    ],
  },
  zremrangebyscore: {
    summary: "Removes the members within a range of scores.",
    since: "1.2.0",
    group: "sorted-set",
    complexity:
      "O(log(N)+M), N being the number of members in the sorted set and M that of the members removed.",
    arity: 4,
    flags: ["write"],
    acl: ["write", "sortedset", "slow"],
    keys: [keyAt(1, ["RW", "delete"])],
    arguments: [
      KEY,
      { name: "min", type: "double" },
      { name: "max", type: "double" },
    ],
  },
  zremrangebylex: {
    summary: "Removes the members within a range of names, where all scores are equal.",
    since: "2.8.9",
    group: "sorted-set",
    complexity:
      "O(log(N)+M), N being the number of members in the sorted set and M that of the members removed.",
    arity: 4,
    flags: ["write"],
    acl: ["write", "sortedset", "slow"],
    keys: [keyAt(1, ["RW", "delete"])],
    arguments: [
      KEY,
      { name: "min", type: "string" },
      { name: "max", type: "string" },
    ],
  },
} as const satisfies Record<string, CommandSpec>;
