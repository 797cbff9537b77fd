/**
 * The commands that turn data into bytes that outlive the server, and back.
 *
 * @module
 */

import { KEY, keyAt } from "./parts.ts";
import type { CommandSpec } from "./types.ts";

/** The commands that turn data into bytes that outlive the server, and back. */
export const PERSISTENCE_SPECS = {
  dump: {
    summary: "Returns the value at a key as bytes from which it can be restored.",
    since: "2.6.0",
    group: "generic",
    complexity:
      "O(1) for the look-up and O(N*M) for the value, N being the number of its parts and M their average length; O(M) for a string.",
    arity: 2,
    flags: ["readonly"],
    acl: ["keyspace", "read", "slow"],
    keys: [keyAt(1, ["RO", "access"])],
    tips: ["nondeterministic_output"],
    arguments: [KEY],
  },
  restore: {
    summary: "Creates a key from bytes that `DUMP` made.",
    since: "2.6.0",
    group: "generic",
    complexity:
      "O(1) for the key and O(N*M) for the value, N being the number of its parts and M their average length; O(N*M*log(N)) for a sorted set.",
    arity: -4,
    flags: ["write", "denyoom"],
    acl: ["keyspace", "write", "slow", "dangerous"],
    keys: [keyAt(1, ["OW", "update"])],
    history: [
      ["3.0.0", "Option `REPLACE`."],
      ["5.0.0", "Option `ABSTTL`."],
      ["5.0.0", "Options `IDLETIME` and `FREQ`."],
    ],
    arguments: [
      KEY,
      { name: "ttl", type: "integer" },
      { name: "serialized-value", type: "string" },
      {
        name: "replace",
        type: "pure-token",
        token: "REPLACE",
        since: "3.0.0",
        flags: ["optional"],
      },
      { name: "absttl", type: "pure-token", token: "ABSTTL", since: "5.0.0", flags: ["optional"] },
      { name: "seconds", type: "integer", token: "IDLETIME", since: "5.0.0", flags: ["optional"] },
      { name: "frequency", type: "integer", token: "FREQ", since: "5.0.0", flags: ["optional"] },
    ],
  },
} as const satisfies Record<string, CommandSpec>;
