/**
 * The commands on sorted sets that name members, or take them from the ends.
 *
 * @module
 */

import { KEY, keyAt, KEYS, keysCountedAt, word } from "./parts.ts";
import type { ArgumentSpec, CommandSpec } from "./types.ts";

/** Whether the lowest or the highest scores are taken. */
const END = {
  name: "where",
  type: "oneof",
  arguments: [word("MIN"), word("MAX")],
} as const satisfies ArgumentSpec;

/** The commands on sorted sets that name members, or take them from the ends. */
export const SORTED_SET_SPECS = {
  zadd: {
    summary: "Adds members with their scores to a sorted set, or gives members other scores.",
    since: "1.2.0",
    group: "sorted-set",
    complexity: "O(log(N)) for each member, N being the number of members in the sorted set.",
    arity: -4,
    flags: ["write", "denyoom", "fast"],
    acl: ["write", "sortedset", "fast"],
    keys: [keyAt(1, ["RW", "update"])],
    history: [
      ["2.4.0", "Takes more than one member."],
      ["3.0.2", "Options `XX`, `NX`, `CH` and `INCR`."],
      ["6.2.0", "Options `GT` and `LT`."],
    ],
    arguments: [
      KEY,
      {
        name: "condition",
        type: "oneof",
        since: "3.0.2",
        flags: ["optional"],
        arguments: [word("NX"), word("XX")],
      },
      {
        name: "comparison",
        type: "oneof",
        since: "6.2.0",
        flags: ["optional"],
        arguments: [word("GT"), word("LT")],
      },
      { name: "change", type: "pure-token", token: "CH", since: "3.0.2", flags: ["optional"] },
      { name: "increment", type: "pure-token", token: "INCR", since: "3.0.2", flags: ["optional"] },
      {
        name: "score_member",
        type: "block",
        flags: ["multiple"],
        arguments: [
          { name: "score", type: "double" },
          { name: "member", type: "string" },
        ],
      },
    ],
  },
  zincrby: {
    summary: "Adds a number to the score of a member; a missing member counts as 0.",
    since: "1.2.0",
    group: "sorted-set",
    complexity: "O(log(N)), N being the number of members in the sorted set.",
    arity: 4,
    flags: ["write", "denyoom", "fast"],
    acl: ["write", "sortedset", "fast"],
    keys: [keyAt(1, ["RW", "access", "update"])],
    arguments: [
      KEY,
      { name: "increment", type: "integer" },
      { name: "member", type: "string" },
    ],
  },
  zrem: {
    summary: "Removes members from a sorted set.",
    since: "1.2.0",
    group: "sorted-set",
    complexity:
      "O(M*log(N)), N being the number of members in the sorted set and M that of the members removed.",
    arity: -3,
    flags: ["write", "fast"],
    acl: ["write", "sortedset", "fast"],
    keys: [keyAt(1, ["RW", "delete"])],
    history: [["2.4.0", "Takes more than one member."]],
    arguments: [
      KEY,
      { name: "member", type: "string", flags: ["multiple"] },
    ],
  },
  zcard: {
    summary: "Returns the number of members in a sorted set.",
    since: "1.2.0",
    group: "sorted-set",
    complexity: "O(1)",
    arity: 2,
    flags: ["readonly", "fast"],
    acl: ["read", "sortedset", "fast"],
    keys: [keyAt(1, ["RO"])],
    arguments: [KEY],
  },
  zscore: {
    summary: "Returns the score of a member of a sorted set.",
    since: "1.2.0",
    group: "sorted-set",
    complexity: "O(1)",
    arity: 3,
    flags: ["readonly", "fast"],
    acl: ["read", "sortedset", "fast"],
    keys: [keyAt(1, ["RO", "access"])],
    arguments: [
      KEY,
      { name: "member", type: "string" },
    ],
  },
  zmscore: {
    summary: "Returns the scores of several members of a sorted set.",
    since: "6.2.0",
    group: "sorted-set",
    complexity: "O(N), N being the number of members asked for.",
    arity: -3,
    flags: ["readonly", "fast"],
    acl: ["read", "sortedset", "fast"],
    keys: [keyAt(1, ["RO", "access"])],
    arguments: [
      KEY,
      { name: "member", type: "string", flags: ["multiple"] },
    ],
  },
  zrank: {
    summary: "Returns how many members stand before one in a sorted set, the lowest score first.",
    since: "2.0.0",
    group: "sorted-set",
    complexity: "O(log(N)), N being the number of members in the sorted set.",
    arity: 3,
    flags: ["readonly", "fast"],
    acl: ["read", "sortedset", "fast"],
    keys: [keyAt(1, ["RO", "access"])],
    arguments: [
      KEY,
      { name: "member", type: "string" },
    ],
  },
  zrevrank: {
    summary: "Returns how many members stand before one in a sorted set, the highest score first.",
    since: "2.0.0",
    group: "sorted-set",
    complexity: "O(log(N)), N being the number of members in the sorted set.",
    arity: 3,
    flags: ["readonly", "fast"],
    acl: ["read", "sortedset", "fast"],
    keys: [keyAt(1, ["RO", "access"])],
    arguments: [
      KEY,
      { name: "member", type: "string" },
    ],
  },
  zrandmember: {
    summary: "Returns members of a sorted set picked at random.",
    since: "6.2.0",
    group: "sorted-set",
    complexity: "O(N), N being the number of members returned.",
    arity: -2,
    flags: ["readonly"],
    acl: ["read", "sortedset", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    tips: ["nondeterministic_output"],
    arguments: [
      KEY,
      {
        name: "options",
        type: "block",
        flags: ["optional"],
        arguments: [
          { name: "count", type: "integer" },
          { name: "withscores", type: "pure-token", token: "WITHSCORES", flags: ["optional"] },
        ],
      },
    ],
  },
  zscan: {
    summary: "Walks over the members of a sorted set with their scores, some at each call.",
    since: "2.8.0",
    group: "sorted-set",
    complexity: "O(1) for each call; O(N) for a whole walk, N being the number of members.",
    arity: -3,
    flags: ["readonly"],
    acl: ["read", "sortedset", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    tips: ["nondeterministic_output"],
    arguments: [
      KEY,
      { name: "cursor", type: "integer" },
      { name: "pattern", type: "pattern", token: "MATCH", flags: ["optional"] },
      { name: "count", type: "integer", token: "COUNT", flags: ["optional"] },
    ],
  },
  zpopmin: {
    summary: "Takes the members with the lowest scores out of a sorted set and returns them.",
    since: "5.0.0",
    group: "sorted-set",
    complexity:
      "O(log(N)*M), N being the number of members in the sorted set and M that of the members taken out.",
    arity: -2,
    flags: ["write", "fast"],
    acl: ["write", "sortedset", "fast"],
    keys: [keyAt(1, ["RW", "access", "delete"])],
    arguments: [
      KEY,
      { name: "count", type: "integer", flags: ["optional"] },
    ],
  },
  zpopmax: {
    summary: "Takes the members with the highest scores out of a sorted set and returns them.",
    since: "5.0.0",
    group: "sorted-set",
    complexity:
      "O(log(N)*M), N being the number of members in the sorted set and M that of the members taken out.",
    arity: -2,
    flags: ["write", "fast"],
    acl: ["write", "sortedset", "fast"],
    keys: [keyAt(1, ["RW", "access", "delete"])],
    arguments: [
      KEY,
      { name: "count", type: "integer", flags: ["optional"] },
    ],
  },
  zmpop: {
    summary: "Takes members out of the first sorted set among several keys that isn't empty.",
    since: "7.0.0",
    group: "sorted-set",
    complexity:
      "O(K) + O(M*log(N)), K being the number of keys given, M the number of members taken out and N that of the members in the sorted set.",
    arity: -4,
    flags: ["write", "movablekeys"],
    acl: ["write", "sortedset", "slow"],
    keys: [keysCountedAt(1, ["RW", "access", "delete"])],
    keyRule: "counted",
    arguments: [
      { name: "numkeys", type: "integer" },
      KEYS,
      END,
      { name: "count", type: "integer", token: "COUNT", flags: ["optional"] },
    ],
  },
  bzpopmin: {
    summary:
      "Takes the member with the lowest score out of the first sorted set that isn't empty, and waits for one.",
    since: "5.0.0",
    group: "sorted-set",
    complexity: "O(log(N)), N being the number of members in the sorted set.",
    arity: -3,
    flags: ["write", "noscript", "blocking", "fast"],
    acl: ["write", "sortedset", "fast", "blocking"],
    keys: [{
      flags: ["RW", "access", "delete"],
      beginSearch: { type: "index", index: 1 },
      findKeys: { type: "range", lastKey: -2, keyStep: 1, limit: 0 },
    }],
    history: [["6.0.0", "The timeout may have a fraction."]],
    arguments: [
      KEYS,
      { name: "timeout", type: "double" },
    ],
  },
  bzpopmax: {
    summary:
      "Takes the member with the highest score out of the first sorted set that isn't empty, and waits for one.",
    since: "5.0.0",
    group: "sorted-set",
    complexity: "O(log(N)), N being the number of members in the sorted set.",
    arity: -3,
    flags: ["write", "noscript", "blocking", "fast"],
    acl: ["write", "sortedset", "fast", "blocking"],
    keys: [{
      flags: ["RW", "access", "delete"],
      beginSearch: { type: "index", index: 1 },
      findKeys: { type: "range", lastKey: -2, keyStep: 1, limit: 0 },
    }],
    history: [["6.0.0", "The timeout may have a fraction."]],
    arguments: [
      KEYS,
      { name: "timeout", type: "double" },
    ],
  },
  bzmpop: {
    summary: "Does what `ZMPOP` does, and waits when all sorted sets are empty.",
    since: "7.0.0",
    group: "sorted-set",
    complexity:
      "O(K) + O(M*log(N)), K being the number of keys given, M the number of members taken out and N that of the members in the sorted set.",
    arity: -5,
    flags: ["write", "blocking", "movablekeys"],
    acl: ["write", "sortedset", "slow", "blocking"],
    keys: [keysCountedAt(2, ["RW", "access", "delete"])],
    keyRule: "counted",
    arguments: [
      { name: "timeout", type: "double" },
      { name: "numkeys", type: "integer" },
      KEYS,
      END,
      { name: "count", type: "integer", token: "COUNT", flags: ["optional"] },
    ],
  },
} as const satisfies Record<string, CommandSpec>;
