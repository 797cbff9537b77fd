/**
 * The commands that estimate how many different elements there were.
 *
 * @module
 */

import { KEY, keyAt, KEYS, keysToEnd } from "./parts.ts";
import type { CommandSpec } from "./types.ts";

/** The commands that estimate how many different elements there were. */
export const HYPERLOGLOG_SPECS = {
  pfadd: {
    summary: "Shows elements to a HyperLogLog, which is made if there is none.",
    since: "2.8.9",
    group: "hyperloglog",
    complexity: "O(1) for each element.",
    arity: -2,
    flags: ["write", "denyoom", "fast"],
    acl: ["write", "hyperloglog", "fast"],
    keys: [keyAt(1, ["RW", "insert"])],
    arguments: [
      KEY,
      { name: "element", type: "string", flags: ["optional", "multiple"] },
    ],
  },
  pfcount: {
    summary: "Estimates how many different elements one HyperLogLog has seen, or several together.",
    since: "2.8.9",
    group: "hyperloglog",
    complexity:
      "O(1) for one key whose number is known already; else O(N), N being the number of keys, with a large constant.",
    arity: -2,
    flags: ["readonly"],
    acl: ["read", "hyperloglog", "slow"],
    keys: [{
      ...keysToEnd(1, 1, ["RW", "access"]),
      notes: "The number that was worked out is kept in the value, also on replicas",
    }],
    arguments: [KEYS],
  },
  pfmerge: {
    summary: "Makes a HyperLogLog that has seen what several others have.",
    since: "2.8.9",
    group: "hyperloglog",
    complexity: "O(N), N being the number of keys, with a large constant.",
    arity: -2,
    flags: ["write", "denyoom"],
    acl: ["write", "hyperloglog", "slow"],
    keys: [keyAt(1, ["RW", "access", "insert"]), keysToEnd(2, 1, ["RO", "access"])],
    arguments: [
      { name: "destkey", type: "key", keySpecIndex: 0 },
      { name: "sourcekey", type: "key", keySpecIndex: 1, flags: ["multiple"] },
    ],
  },
  pfdebug: {
    summary: "Looks into a HyperLogLog, for those who test it.",
    since: "2.8.9",
    group: "hyperloglog",
    complexity: "N/A",
    arity: 3,
    flags: ["write", "denyoom", "admin"],
    acl: ["write", "hyperloglog", "admin", "slow", "dangerous"],
    keys: [keyAt(2, ["RW", "access"])],
    docFlags: ["syscmd"],
    arguments: [
      { name: "subcommand", type: "string" },
      { name: "key", type: "key", keySpecIndex: 0 },
    ],
  },
  pfselftest: {
    summary: "Has the server test its HyperLogLog.",
    since: "2.8.9",
    group: "hyperloglog",
    complexity: "N/A",
    arity: 1,
    flags: ["admin"],
    acl: ["hyperloglog", "admin", "slow", "dangerous"],
    keys: [],
    docFlags: ["syscmd"],
  },
} as const satisfies Record<string, CommandSpec>;
