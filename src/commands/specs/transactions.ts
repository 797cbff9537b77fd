/**
 * The commands that make several commands one step.
 *
 * @module
 */

import { KEYS, keysToEnd } from "./parts.ts";
import type { CommandSpec } from "./types.ts";

/** The commands that make several commands one step. */
export const TRANSACTION_SPECS = {
  multi: {
    summary: "Runs MULTI.",
    since: "1.2.0",
    group: "transactions",
    complexity: "O(1)",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    acl: ["fast", "transaction"],
    keys: [],
  },
  exec: {
    summary: "Runs EXEC.",
    since: "1.2.0",
    group: "transactions",
    complexity: "Depends on the subcommand.",
    arity: 1,
    flags: ["noscript", "loading", "stale", "skip_slowlog"],
    acl: ["slow", "transaction"],
    keys: [],
  },
  discard: {
    summary: "Runs DISCARD.",
    since: "2.0.0",
    group: "transactions",
    complexity: "O(N)",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    acl: ["fast", "transaction"],
    keys: [],
  },
  watch: {
    summary: "Runs WATCH.",
    since: "2.2.0",
    group: "transactions",
    complexity: "O(1)",
    arity: -2,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    acl: ["fast", "transaction"],
    keys: [keysToEnd(1, 1, ["RO"])],
    arguments: [KEYS],
  },
  unwatch: {
    summary: "Runs UNWATCH.",
    since: "2.2.0",
    group: "transactions",
    complexity: "O(1)",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    acl: ["fast", "transaction"],
    keys: [],
  },
} as const satisfies Record<string, CommandSpec>;
