/**
 * The commands that have data written to files.
 *
 * @module
 */

import type { CommandSpec } from "./types.ts";

/** The commands that have data written to files. */
export const SAVING_SPECS = {
  bgrewriteaof: {
    summary: "Rewrites the append-only file in the background.",
    since: "1.0.0",
    group: "server",
    complexity: "O(1)",
    arity: 1,
    flags: ["admin", "noscript", "no_async_loading"],
    acl: ["admin", "slow", "dangerous"],
    keys: [],
  },
  bgsave: {
    summary: "Saves the data to disk in the background.",
    since: "1.0.0",
    group: "server",
    complexity: "O(1)",
    arity: -1,
    flags: ["admin", "noscript", "no_async_loading"],
    acl: ["admin", "slow", "dangerous"],
    keys: [],
    history: [["3.2.2", "Option `SCHEDULE`."]],
    arguments: [
      {
        name: "schedule",
        type: "pure-token",
        token: "SCHEDULE",
        since: "3.2.2",
        flags: ["optional"],
      },
    ],
  },
  lastsave: {
    summary: "Returns the unix time of the last save that succeeded.",
    since: "1.0.0",
    group: "server",
    complexity: "O(1)",
    arity: 1,
    flags: ["loading", "stale", "fast"],
    acl: ["admin", "fast", "dangerous"],
    keys: [],
    tips: ["nondeterministic_output"],
  },
  save: {
    summary: "Saves the data to disk while everybody waits.",
    since: "1.0.0",
    group: "server",
    complexity: "O(N), N being the number of keys in all databases.",
    arity: 1,
    flags: ["admin", "noscript", "no_async_loading", "no_multi"],
    acl: ["admin", "slow", "dangerous"],
    keys: [],
  },
} as const satisfies Record<string, CommandSpec>;
