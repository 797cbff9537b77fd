/**
 * The commands that combine several sorted sets into one.
 *
 * @module
 */

import { keyAt, KEYS, keysCountedAt, word } from "./parts.ts";
import type { ArgumentSpec, CommandSpec } from "./types.ts";

/** By what the scores of each sorted set are multiplied. */
const WEIGHTS = {
  name: "weight",
  type: "integer",
  token: "WEIGHTS",
  flags: ["optional", "multiple"],
} as const satisfies ArgumentSpec;

/** What becomes of the scores of a member of several sorted sets. */
const AGGREGATE = {
  name: "aggregate",
  type: "oneof",
  token: "AGGREGATE",
  flags: ["optional"],
  arguments: [word("SUM"), word("MIN"), word("MAX")],
} as const satisfies ArgumentSpec;

/** The commands that combine several sorted sets into one. */
export const SORTED_SET_ALGEBRA_SPECS = {
  zunion: {
    summary: "Returns the members of any of several sorted sets, with their scores combined.",
    since: "6.2.0",
    group: "sorted-set",
    complexity:
      "O(N)+O(M*log(M)), N being the number of members in all sorted sets together and M that of the result.",
    arity: -3,
    flags: ["readonly", "movablekeys"],
    acl: ["read", "sortedset", "slow"],
    keys: [keysCountedAt(1, ["RO", "access"])],
    keyRule: "counted",
    arguments: [
      { name: "numkeys", type: "integer" },
      KEYS,
      WEIGHTS,
      AGGREGATE,
      { name: "withscores", type: "pure-token", token: "WITHSCORES", flags: ["optional"] },
    ],
  },
  zunionstore: {
    summary: "Stores the members of any of several sorted sets, with their scores combined.",
    since: "2.0.0",
    group: "sorted-set",
    complexity:
      "O(N)+O(M*log(M)), N being the number of members in all sorted sets together and M that of the result.",
    arity: -4,
    flags: ["write", "denyoom", "movablekeys"],
    acl: ["write", "sortedset", "slow"],
    keys: [keyAt(1, ["OW", "update"]), keysCountedAt(2, ["RO", "access"])],
    keyRule: "counted",
    arguments: [
      { name: "destination", type: "key", keySpecIndex: 0 },
      { name: "numkeys", type: "integer" },
      { name: "key", type: "key", keySpecIndex: 1, flags: ["multiple"] },
      WEIGHTS,
      AGGREGATE,
    ],
  },
  zinter: {
    summary:
      "Returns the members that several sorted sets have in common, with their scores combined.",
    since: "6.2.0",
    group: "sorted-set",
    complexity:
      "O(N*K)+O(M*log(M)) at worst, N being the number of members in the smallest sorted set, K the number of sorted sets and M the number of members in the result.",
    arity: -3,
    flags: ["readonly", "movablekeys"],
    acl: ["read", "sortedset", "slow"],
    keys: [keysCountedAt(1, ["RO", "access"])],
    keyRule: "counted",
    arguments: [
      { name: "numkeys", type: "integer" },
      KEYS,
      WEIGHTS,
      AGGREGATE,
      { name: "withscores", type: "pure-token", token: "WITHSCORES", flags: ["optional"] },
    ],
  },
  zinterstore: {
    summary:
      "Stores the members that several sorted sets have in common, with their scores combined.",
    since: "2.0.0",
    group: "sorted-set",
    complexity:
      "O(N*K)+O(M*log(M)) at worst, N being the number of members in the smallest sorted set, K the number of sorted sets and M the number of members in the result.",
    arity: -4,
    flags: ["write", "denyoom", "movablekeys"],
    acl: ["write", "sortedset", "slow"],
    keys: [keyAt(1, ["OW", "update"]), keysCountedAt(2, ["RO", "access"])],
    keyRule: "counted",
    arguments: [
      { name: "destination", type: "key", keySpecIndex: 0 },
      { name: "numkeys", type: "integer" },
      { name: "key", type: "key", keySpecIndex: 1, flags: ["multiple"] },
      WEIGHTS,
      AGGREGATE,
    ],
  },
  zintercard: {
    summary: "Counts the members that several sorted sets have in common, up to a limit.",
    since: "7.0.0",
    group: "sorted-set",
    complexity:
      "O(N*K) at worst, N being the number of members in the smallest sorted set and K the number of sorted sets.",
    arity: -3,
    flags: ["readonly", "movablekeys"],
    acl: ["read", "sortedset", "slow"],
    keys: [keysCountedAt(1, ["RO", "access"])],
    keyRule: "counted",
    arguments: [
      { name: "numkeys", type: "integer" },
      KEYS,
      { name: "limit", type: "integer", token: "LIMIT", flags: ["optional"] },
    ],
  },
  zdiff: {
    summary: "Returns the members of a sorted set that none of the others has.",
    since: "6.2.0",
    group: "sorted-set",
    complexity:
      "O(L + (N-K)log(N)) at worst, L being the number of members in all sorted sets together, N that of the first one and K that of the result.",
    arity: -3,
    flags: ["readonly", "movablekeys"],
    acl: ["read", "sortedset", "slow"],
    keys: [keysCountedAt(1, ["RO", "access"])],
    keyRule: "counted",
    arguments: [
      { name: "numkeys", type: "integer" },
      KEYS,
      { name: "withscores", type: "pure-token", token: "WITHSCORES", flags: ["optional"] },
    ],
  },
  zdiffstore: {
    summary: "Stores the members of a sorted set that none of the others has.",
    since: "6.2.0",
    group: "sorted-set",
    complexity:
      "O(L + (N-K)log(N)) at worst, L being the number of members in all sorted sets together, N that of the first one and K that of the result.",
    arity: -4,
    flags: ["write", "denyoom", "movablekeys"],
    acl: ["write", "sortedset", "slow"],
    keys: [keyAt(1, ["OW", "update"]), keysCountedAt(2, ["RO", "access"])],
    keyRule: "counted",
    arguments: [
      { name: "destination", type: "key", keySpecIndex: 0 },
      { name: "numkeys", type: "integer" },
      { name: "key", type: "key", keySpecIndex: 1, flags: ["multiple"] },
    ],
  },
} as const satisfies Record<string, CommandSpec>;
