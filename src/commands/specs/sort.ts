/**
 * The commands that sort what a list, a set or a sorted set holds.
 *
 * @module
 */

import { KEY, keyAt, word } from "./parts.ts";
import type { ArgumentSpec, CommandSpec } from "./types.ts";

/** The keys whose values elements are compared by, with a `*` for the element. */
const BY = {
  name: "pattern",
  type: "pattern",
  keySpecIndex: 1,
  token: "BY",
  flags: ["optional"],
} as const satisfies ArgumentSpec;

/** How many elements to skip, and how many to return. */
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

/** The keys whose values are returned in place of the elements. */
const GET = {
  name: "pattern",
  type: "pattern",
  keySpecIndex: 1,
  token: "GET",
  flags: ["optional", "multiple", "multiple_token"],
} as const satisfies ArgumentSpec;

/** The smallest element first, or the largest. */
const ORDER = {
  name: "order",
  type: "oneof",
  flags: ["optional"],
  arguments: [word("ASC"), word("DESC")],
} as const satisfies ArgumentSpec;

/** Compares elements as text rather than as numbers. */
const ALPHA = {
  name: "sorting",
  type: "pure-token",
  token: "ALPHA",
  flags: ["optional"],
} as const satisfies ArgumentSpec;

/** The commands that sort what a list, a set or a sorted set holds. */
export const SORT_SPECS = {
  sort: {
    summary: "Returns or stores the elements of a list, a set or a sorted set in order.",
    since: "1.0.0",
    group: "generic",
    complexity:
      "O(N+M*log(M)), N being the number of elements in the collection and M that of the elements returned; O(N) when nothing is sorted.",
    arity: -2,
    flags: ["write", "denyoom", "movablekeys"],
    acl: ["write", "set", "sortedset", "list", "slow", "dangerous"],
    keys: [
      keyAt(1, ["RO", "access"]),
      {
        flags: ["RO", "access"],
        beginSearch: { type: "unknown" },
        findKeys: { type: "unknown" },
        notes:
          "Keys that the patterns of `BY` and `GET` name; which ones depends on what the sorted key holds",
      },
      {
        flags: ["OW", "update"],
        beginSearch: { type: "unknown" },
        findKeys: { type: "unknown" },
        notes: "The key behind `STORE`, which may stand anywhere among the options",
      },
    ],
    keyRule: "sort",
    arguments: [
      KEY,
      BY,
      LIMIT,
      GET,
      ORDER,
      ALPHA,
      { name: "destination", type: "key", keySpecIndex: 2, token: "STORE", flags: ["optional"] },
    ],
  },
  sort_ro: {
    summary:
      "Returns the elements of a list, a set or a sorted set in order; a `SORT` that only reads.",
    since: "7.0.0",
    group: "generic",
    complexity:
      "O(N+M*log(M)), N being the number of elements in the collection and M that of the elements returned; O(N) when nothing is sorted.",
    arity: -2,
    flags: ["readonly", "movablekeys"],
    acl: ["read", "set", "sortedset", "list", "slow", "dangerous"],
    keys: [
      keyAt(1, ["RO", "access"]),
      {
        flags: ["RO", "access"],
        beginSearch: { type: "unknown" },
        findKeys: { type: "unknown" },
        notes:
          "Keys that the patterns of `BY` and `GET` name; which ones depends on what the sorted key holds",
      },
    ],
    keyRule: "sort_ro",
    arguments: [KEY, BY, LIMIT, GET, ORDER, ALPHA],
  },
} as const satisfies Record<string, CommandSpec>;
