/**
 * The commands that sort what a list, a set or a sorted set holds.
 *
 * @module
 */

import { KEY, keyAt, word } from "./parts.ts";
import type { CommandSpec } from "./types.ts";

/** The commands that sort what a list, a set or a sorted set holds. */
export const SORT_SPECS = {
  sort: {
    summary: "Runs SORT.",
    since: "1.0.0",
    group: "generic",
    complexity: "O(N+M*log(M))",
    arity: -2,
    flags: ["write", "denyoom", "movablekeys"],
    acl: ["write", "set", "sortedset", "list", "slow", "dangerous"],
    keys: [keyAt(1, ["RO", "access"]), {
      flags: ["RO", "access"],
      beginSearch: { type: "unknown" },
      findKeys: { type: "unknown" },
      notes: "Notes.",
    }, {
      flags: ["OW", "update"],
      beginSearch: { type: "unknown" },
      findKeys: { type: "unknown" },
      notes: "Notes.",
    }],
    keyRule: "sort",
    arguments: [
      KEY,
      { name: "pattern", type: "pattern", keySpecIndex: 1, token: "BY", flags: ["optional"] },
      {
        name: "offset_count",
        type: "block",
        token: "LIMIT",
        flags: ["optional"],
        arguments: [{ name: "offset", type: "integer" }, { name: "count", type: "integer" }],
      },
      {
        name: "pattern",
        type: "pattern",
        keySpecIndex: 1,
        token: "GET",
        flags: ["optional", "multiple", "multiple_token"],
      },
      {
        name: "order",
        type: "oneof",
        flags: ["optional"],
        arguments: [word("ASC"), word("DESC")],
      },
      { name: "sorting", type: "pure-token", token: "ALPHA", flags: ["optional"] },
      { name: "destination", type: "key", keySpecIndex: 2, token: "STORE", flags: ["optional"] },
    ],
  },
  sort_ro: {
    summary: "Runs SORT_RO.",
    since: "7.0.0",
    group: "generic",
    complexity: "O(N+M*log(M))",
    arity: -2,
    flags: ["readonly", "movablekeys"],
    acl: ["read", "set", "sortedset", "list", "slow", "dangerous"],
    keys: [keyAt(1, ["RO", "access"]), {
      flags: ["RO", "access"],
      beginSearch: { type: "unknown" },
      findKeys: { type: "unknown" },
      notes: "Notes.",
    }],
    keyRule: "sort_ro",
    arguments: [KEY, {
      name: "pattern",
      type: "pattern",
      keySpecIndex: 1,
      token: "BY",
      flags: ["optional"],
    }, {
      name: "offset_count",
      type: "block",
      token: "LIMIT",
      flags: ["optional"],
      arguments: [{ name: "offset", type: "integer" }, { name: "count", type: "integer" }],
    }, {
      name: "pattern",
      type: "pattern",
      keySpecIndex: 1,
      token: "GET",
      flags: ["optional", "multiple", "multiple_token"],
    }, {
      name: "order",
      type: "oneof",
      flags: ["optional"],
      arguments: [word("ASC"), word("DESC")],
    }, { name: "sorting", type: "pure-token", token: "ALPHA", flags: ["optional"] }],
  },
} as const satisfies Record<string, CommandSpec>;
