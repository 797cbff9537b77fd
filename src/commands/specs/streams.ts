/**
 * The commands on streams and their entries.
 *
 * @module
 */

import { KEY, keyAt, KEYS, word } from "./parts.ts";
import type { ArgumentSpec, CommandSpec } from "./types.ts";

/** What bounds a stream: its length, or the oldest ID that it keeps. */
const TRIM_STRATEGY = {
  name: "strategy",
  type: "oneof",
  arguments: [word("MAXLEN"), word("MINID", "6.2.0")],
} as const satisfies ArgumentSpec;

/** Whether the bound is kept exactly, or as far as whole nodes go. */
const TRIM_OPERATOR = {
  name: "operator",
  type: "oneof",
  flags: ["optional"],
  arguments: [
    { name: "equal", type: "pure-token", token: "=" },
    { name: "approximately", type: "pure-token", token: "~" },
  ],
} as const satisfies ArgumentSpec;

/** How many entries may be dropped in one call. */
const TRIM_LIMIT = {
  name: "count",
  type: "integer",
  token: "LIMIT",
  since: "6.2.0",
  flags: ["optional"],
} as const satisfies ArgumentSpec;

/** The commands on streams and their entries. */
export const STREAM_SPECS = {
  xadd: {
    summary: "Adds an entry to the end of a stream, and makes the stream if need be.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(1), and O(N) for trimming, N being the number of entries trimmed away.",
    arity: -5,
    flags: ["write", "denyoom", "fast"],
    acl: ["write", "stream", "fast"],
    keys: [{
      ...keyAt(1, ["RW", "update"]),
      notes: "Counts as an update rather than an insert since it may trim the stream as well",
    }],
    tips: ["nondeterministic_output"],
    history: [
      ["6.2.0", "Option `NOMKSTREAM`; trimming by `MINID`, and with `LIMIT`."],
      ["7.0.0", "IDs of the form `<ms>-*`."],
    ],
    arguments: [
      KEY,
      {
        name: "nomkstream",
        type: "pure-token",
        token: "NOMKSTREAM",
        since: "6.2.0",
        flags: ["optional"],
      },
      {
        name: "trim",
        type: "block",
        flags: ["optional"],
        arguments: [
          TRIM_STRATEGY,
          TRIM_OPERATOR,
          { name: "threshold", type: "string" },
          TRIM_LIMIT,
        ],
      },
      {
        name: "id_or_auto",
        type: "oneof",
        arguments: [
          { name: "auto_id", type: "pure-token", token: "*" },
          { name: "id", type: "string" },
        ],
      },
      {
        name: "field_value",
        type: "block",
        flags: ["multiple"],
        arguments: [
          { name: "field", type: "string" },
          { name: "value", type: "string" },
        ],
      },
    ],
  },
  xdel: {
    summary: "Deletes entries of a stream by their IDs.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(1) for each entry, however long the stream is.",
    arity: -3,
    flags: ["write", "fast"],
    acl: ["write", "stream", "fast"],
    keys: [keyAt(1, ["RW", "delete"])],
    arguments: [
      KEY,
      { name: "id", type: "string", flags: ["multiple"] },
    ],
  },
  xtrim: {
    summary: "Drops the oldest entries of a stream.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(N), N being the number of entries dropped; whole nodes go at once.",
    arity: -4,
    flags: ["write"],
    acl: ["write", "stream", "slow"],
    keys: [keyAt(1, ["RW", "delete"])],
    tips: ["nondeterministic_output"],
    history: [["6.2.0", "Trimming by `MINID`, and with `LIMIT`."]],
    arguments: [
      KEY,
      {
        name: "trim",
        type: "block",
        arguments: [
          TRIM_STRATEGY,
          TRIM_OPERATOR,
          { name: "threshold", type: "string" },
          TRIM_LIMIT,
        ],
      },
    ],
  },
  xlen: {
    summary: "Returns the number of entries in a stream.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(1)",
    arity: 2,
    flags: ["readonly", "fast"],
    acl: ["read", "stream", "fast"],
    keys: [keyAt(1, ["RO"])],
    arguments: [KEY],
  },
  xrange: {
    summary: "Returns the entries between two IDs, the oldest first.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(N), N being the number of entries returned; O(1) when `COUNT` bounds it.",
    arity: -4,
    flags: ["readonly"],
    acl: ["read", "stream", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    history: [["6.2.0", "The bounds may be excluded."]],
    arguments: [
      KEY,
      { name: "start", type: "string" },
      { name: "end", type: "string" },
      { name: "count", type: "integer", token: "COUNT", flags: ["optional"] },
    ],
  },
  xrevrange: {
    summary: "Returns the entries between two IDs, the newest first.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(N), N being the number of entries returned; O(1) when `COUNT` bounds it.",
    arity: -4,
    flags: ["readonly"],
    acl: ["read", "stream", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    history: [["6.2.0", "The bounds may be excluded."]],
    arguments: [
      KEY,
      { name: "end", type: "string" },
      { name: "start", type: "string" },
      { name: "count", type: "integer", token: "COUNT", flags: ["optional"] },
    ],
  },
  xread: {
    summary: "Returns the entries of several streams behind the IDs given, and can wait for some.",
    since: "5.0.0",
    group: "stream",
    complexity:
      "O(N) for each stream, N being the number of entries returned; an `XADD` spends O(M) on the M clients that wait for it.",
    arity: -4,
    flags: ["readonly", "blocking", "movablekeys"],
    acl: ["read", "stream", "slow", "blocking"],
    keys: [{
      flags: ["RO", "access"],
      beginSearch: { type: "keyword", keyword: "STREAMS", startFrom: 1 },
      findKeys: { type: "range", lastKey: -1, keyStep: 1, limit: 2 },
    }],
    arguments: [
      { name: "count", type: "integer", token: "COUNT", flags: ["optional"] },
      { name: "milliseconds", type: "integer", token: "BLOCK", flags: ["optional"] },
      {
        name: "streams",
        type: "block",
        token: "STREAMS",
        arguments: [
          KEYS,
          { name: "id", type: "string", flags: ["multiple"] },
        ],
      },
    ],
  },
  xsetid: {
    summary: "Sets the last ID of a stream and its counters, for replication.",
    since: "5.0.0",
    group: "stream",
    complexity: "O(1)",
    arity: -3,
    flags: ["write", "denyoom", "fast"],
    acl: ["write", "stream", "fast"],
    keys: [keyAt(1, ["RW", "update"])],
    history: [["7.0.0", "The count of entries ever added, and the highest ID ever deleted."]],
    arguments: [
      KEY,
      { name: "last-id", type: "string" },
      {
        name: "entries_added",
        type: "integer",
        token: "ENTRIESADDED",
        since: "7.0.0",
        flags: ["optional"],
      },
      {
        name: "max_deleted_entry_id",
        type: "string",
        token: "MAXDELETEDID",
        since: "7.0.0",
        flags: ["optional"],
      },
    ],
  },
  xinfo: {
    summary: "Holds the commands that tell of a stream, its groups and its consumers.",
    since: "5.0.0",
    group: "stream",
    complexity: "Depends on the subcommand.",
    arity: -2,
    flags: [],
    acl: ["slow"],
    keys: [],
    subcommands: {
      consumers: {
        summary: "Lists the consumers of a group.",
        since: "5.0.0",
        group: "stream",
        complexity: "O(1)",
        arity: 4,
        flags: ["readonly"],
        acl: ["read", "stream", "slow"],
        keys: [keyAt(2, ["RO", "access"])],
        tips: ["nondeterministic_output"],
        arguments: [
          KEY,
          { name: "groupname", type: "string" },
        ],
      },
      groups: {
        summary: "Lists the consumer groups of a stream.",
        since: "5.0.0",
        group: "stream",
        complexity: "O(1)",
        arity: 3,
        flags: ["readonly"],
        acl: ["read", "stream", "slow"],
        keys: [keyAt(2, ["RO", "access"])],
        history: [["7.0.0", "Fields `entries-read` and `lag`."]],
        arguments: [KEY],
      },
      stream: {
        summary:
          "Tells of a stream: its length, its IDs, its ends, and with `FULL` all that it holds.",
        since: "5.0.0",
        group: "stream",
        complexity: "O(1)",
        arity: -3,
        flags: ["readonly"],
        acl: ["read", "stream", "slow"],
        keys: [keyAt(2, ["RO", "access"])],
        history: [
          ["6.0.0", "Option `FULL`."],
          [
            "7.0.0",
            "Fields `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag`.",
          ],
        ],
        arguments: [
          KEY,
          {
            name: "full",
            type: "block",
            token: "FULL",
            flags: ["optional"],
            arguments: [{ name: "count", type: "integer", token: "COUNT", flags: ["optional"] }],
          },
        ],
      },
      help: {
        summary: "Lists the subcommands with a line on each.",
        since: "5.0.0",
        group: "stream",
        complexity: "O(1)",
        arity: 2,
        flags: ["loading", "stale"],
        acl: ["stream", "slow"],
        keys: [],
      },
    },
  },
} as const satisfies Record<string, CommandSpec>;
