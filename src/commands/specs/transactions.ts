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
    summary: "Starts to collect commands that run as one step.",
    since: "1.2.0",
    group: "transactions",
    complexity: "O(1)",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    acl: ["fast", "transaction"],
    keys: [],
  },
  exec: {
    summary: "Runs the commands collected since `MULTI`, unless a key that is watched has changed.",
    since: "1.2.0",
    group: "transactions",
    complexity: "Depends on the commands collected.",
    arity: 1,
    flags: ["noscript", "loading", "stale", "skip_slowlog"],
    acl: ["slow", "transaction"],
    keys: [],
  },
  discard: {
    summary: "Forgets the commands collected since `MULTI`, and the keys watched.",
    since: "2.0.0",
    group: "transactions",
    complexity: "O(N), N being the number of commands collected.",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    acl: ["fast", "transaction"],
    keys: [],
  },
  watch: {
    summary: "Lets the next `EXEC` run only if none of the keys changes until then.",
    since: "2.2.0",
    group: "transactions",
    complexity: "O(1) for each key.",
    arity: -2,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    acl: ["fast", "transaction"],
    keys: [keysToEnd(1, 1, ["RO"])],
    arguments: [KEYS],
  },
  unwatch: {
    summary: "Forgets all keys that are watched.",
    since: "2.2.0",
    group: "transactions",
    complexity: "O(1)",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
    acl: ["fast", "transaction"],
    keys: [],
  },
} as const satisfies Record<string, CommandSpec>;
