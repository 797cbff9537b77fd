/**
 * MEMORY with its subcommands: what takes how much memory.
 *
 * @module
 */

import { KEY, keyAt } from "./parts.ts";
import type { CommandSpec } from "./types.ts";

const TELLS_OF_ONE_SERVER = [
  "nondeterministic_output",
  "request_policy:all_shards",
  "response_policy:special",
] as const;

/** MEMORY with its subcommands: what takes how much memory. */
export const MEMORY_SPECS = {
  memory: {
    summary: "Holds the commands that look at memory.",
    since: "4.0.0",
    group: "server",
    complexity: "Depends on the subcommand.",
    arity: -2,
    flags: [],
    acl: ["slow"],
    keys: [],
    subcommands: {
      doctor: {
        summary: "Says what is wrong with memory, in words.",
        since: "4.0.0",
        group: "server",
        complexity: "O(1)",
        arity: 2,
        flags: [],
        acl: ["slow"],
        keys: [],
        tips: TELLS_OF_ONE_SERVER,
      },
      stats: {
        summary: "Returns what takes how much memory.",
        since: "4.0.0",
        group: "server",
        complexity: "O(1)",
        arity: 2,
        flags: [],
        acl: ["slow"],
        keys: [],
        tips: TELLS_OF_ONE_SERVER,
      },
      "malloc-stats": {
        summary: "Returns what the allocator knows of itself.",
        since: "4.0.0",
        group: "server",
        complexity: "Depends on how many blocks there are.",
        arity: 2,
        flags: [],
        acl: ["slow"],
        keys: [],
        tips: TELLS_OF_ONE_SERVER,
      },
      usage: {
        summary: "Returns how many bytes a key and its value take.",
        since: "4.0.0",
        group: "server",
        complexity: "O(N), N being the number of samples.",
        arity: -3,
        flags: ["readonly"],
        acl: ["read", "slow"],
        keys: [keyAt(2, ["RO"])],
        arguments: [
          KEY,
          { name: "count", type: "integer", token: "SAMPLES", flags: ["optional"] },
        ],
      },
      help: {
        summary: "Lists the subcommands with a line on each.",
        since: "4.0.0",
        group: "server",
        complexity: "O(1)",
        arity: 2,
        flags: ["loading", "stale"],
        acl: ["slow"],
        keys: [],
      },
      purge: {
        summary: "Gives back memory that isn't in use.",
        since: "4.0.0",
        group: "server",
        complexity: "Depends on how much memory there is.",
        arity: 2,
        flags: [],
        acl: ["slow"],
        keys: [],
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
      },
    },
  },
} as const satisfies Record<string, CommandSpec>;
