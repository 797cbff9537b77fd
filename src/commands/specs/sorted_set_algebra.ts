/**
 * The commands that combine several sorted sets into one.
 *
 * @module
 */

import { keyAt, KEYS, keysCountedAt, word } from "./parts.ts";
import type { CommandSpec } from "./types.ts";

/** The commands that combine several sorted sets into one. */
export const SORTED_SET_ALGEBRA_SPECS = {
  zunion: {
    summary: "Runs ZUNION.",
    since: "6.2.0",
    group: "sorted-set",
    complexity: "O(N)",
    arity: -3,
    flags: ["readonly", "movablekeys"],
    acl: ["read", "sortedset", "slow"],
    keys: [keysCountedAt(1, ["RO", "access"])],
    arguments: [{ name: "numkeys", type: "integer" }, KEYS, {
      name: "weight",
      type: "integer",
      token: "WEIGHTS",
      flags: ["optional", "multiple"],
    }, {
      name: "aggregate",
      type: "oneof",
      token: "AGGREGATE",
      flags: ["optional"],
      arguments: [word("SUM"), word("MIN"), word("MAX")],
    }, { name: "withscores", type: "pure-token", token: "WITHSCORES", flags: ["optional"] }],
  },
  zunionstore: {
    summary: "Runs ZUNIONSTORE.",
    since: "2.0.0",
    group: "sorted-set",
    complexity: "O(N)",
    arity: -4,
    flags: ["write", "denyoom", "movablekeys"],
    acl: ["write", "sortedset", "slow"],
    keys: [keyAt(1, ["OW", "update"]), keysCountedAt(2, ["RO", "access"])],
    arguments: [
      { name: "destination", type: "key", keySpecIndex: 0 },
      { name: "numkeys", type: "integer" },
      { name: "key", type: "key", keySpecIndex: 1, flags: ["multiple"] },
      { name: "weight", type: "integer", token: "WEIGHTS", flags: ["optional", "multiple"] },
      {
        name: "aggregate",
        type: "oneof",
        token: "AGGREGATE",
        flags: ["optional"],
        arguments: [word("SUM"), word("MIN"), word("MAX")],
      },
    ],
  },
  zinter: {
    summary: "Runs ZINTER.",
    since: "6.2.0",
    group: "sorted-set",
    complexity: "O(N*K)",
    arity: -3,
    flags: ["readonly", "movablekeys"],
    acl: ["read", "sortedset", "slow"],
    keys: [keysCountedAt(1, ["RO", "access"])],
    arguments: [{ name: "numkeys", type: "integer" }, KEYS, {
      name: "weight",
      type: "integer",
      token: "WEIGHTS",
      flags: ["optional", "multiple"],
    }, {
      name: "aggregate",
      type: "oneof",
      token: "AGGREGATE",
      flags: ["optional"],
      arguments: [word("SUM"), word("MIN"), word("MAX")],
    }, { name: "withscores", type: "pure-token", token: "WITHSCORES", flags: ["optional"] }],
  },
  zinterstore: {
    summary: "Runs ZINTERSTORE.",
    since: "2.0.0",
    group: "sorted-set",
    complexity: "O(N*K)",
    arity: -4,
    flags: ["write", "denyoom", "movablekeys"],
    acl: ["write", "sortedset", "slow"],
    keys: [keyAt(1, ["OW", "update"]), keysCountedAt(2, ["RO", "access"])],
    arguments: [
      { name: "destination", type: "key", keySpecIndex: 0 },
      { name: "numkeys", type: "integer" },
      { name: "key", type: "key", keySpecIndex: 1, flags: ["multiple"] },
      { name: "weight", type: "integer", token: "WEIGHTS", flags: ["optional", "multiple"] },
      {
        name: "aggregate",
        type: "oneof",
        token: "AGGREGATE",
        flags: ["optional"],
        arguments: [word("SUM"), word("MIN"), word("MAX")],
      },
    ],
  },
  zintercard: {
    summary: "Runs ZINTERCARD.",
    since: "7.0.0",
    group: "sorted-set",
    complexity: "O(N*K)",
    arity: -3,
    flags: ["readonly", "movablekeys"],
    acl: ["read", "sortedset", "slow"],
    keys: [keysCountedAt(1, ["RO", "access"])],
    arguments: [{ name: "numkeys", type: "integer" }, KEYS, {
      name: "limit",
      type: "integer",
      token: "LIMIT",
      flags: ["optional"],
    }],
  },
  zdiff: {
    summary: "Runs ZDIFF.",
    since: "6.2.0",
    group: "sorted-set",
    complexity: "O(L + (N-K))",
    arity: -3,
    flags: ["readonly", "movablekeys"],
    acl: ["read", "sortedset", "slow"],
    keys: [keysCountedAt(1, ["RO", "access"])],
    arguments: [{ name: "numkeys", type: "integer" }, KEYS, {
      name: "withscores",
      type: "pure-token",
      token: "WITHSCORES",
      flags: ["optional"],
    }],
  },
  zdiffstore: {
    summary: "Runs ZDIFFSTORE.",
    since: "6.2.0",
    group: "sorted-set",
    complexity: "O(L + (N-K))",
    arity: -4,
    flags: ["write", "denyoom", "movablekeys"],
    acl: ["write", "sortedset", "slow"],
    keys: [keyAt(1, ["OW", "update"]), keysCountedAt(2, ["RO", "access"])],
    arguments: [{ name: "destination", type: "key", keySpecIndex: 0 }, {
      name: "numkeys",
      type: "integer",
    }, { name: "key", type: "key", keySpecIndex: 1, flags: ["multiple"] }],
  },
} as const satisfies Record<string, CommandSpec>;
