/**
 * The command that moves keys to another server.
 *
 * @module
 */

import { keyAt } from "./parts.ts";
import type { CommandSpec } from "./types.ts";

/** The command that moves keys to another server. */
export const MIGRATE_SPECS = {
  migrate: {
    summary: "Moves keys to another server, each as a whole.",
    since: "2.6.0",
    group: "generic",
    complexity:
      "That of `DUMP` and `DEL` here and of `RESTORE` there, and O(N) for the way between them, N being the bytes of the values.",
    arity: -6,
    flags: ["write", "movablekeys"],
    acl: ["keyspace", "write", "slow", "dangerous"],
    keys: [
      keyAt(3, ["RW", "access", "delete"]),
      {
        flags: ["RW", "access", "delete", "incomplete"],
        beginSearch: { type: "keyword", keyword: "KEYS", startFrom: -2 },
        findKeys: { type: "range", lastKey: -1, keyStep: 1, limit: 0 },
      },
    ],
    keyRule: "migrate",
    tips: ["nondeterministic_output"],
    history: [
      ["3.0.0", "Options `COPY` and `REPLACE`."],
      ["3.0.6", "Option `KEYS`."],
      ["4.0.7", "Option `AUTH`."],
      ["6.0.0", "Option `AUTH2`."],
    ],
    arguments: [
      { name: "host", type: "string" },
      { name: "port", type: "integer" },
      {
        name: "key_or_empty_string",
        type: "oneof",
        arguments: [
          { name: "key", type: "key", keySpecIndex: 0 },
          { name: "empty_string", type: "pure-token", token: "" },
        ],
      },
      { name: "destination-db", type: "integer" },
      { name: "timeout", type: "integer" },
      { name: "copy", type: "pure-token", token: "COPY", since: "3.0.0", flags: ["optional"] },
      {
        name: "replace",
        type: "pure-token",
        token: "REPLACE",
        since: "3.0.0",
        flags: ["optional"],
      },
      {
        name: "authentication",
        type: "oneof",
        flags: ["optional"],
        arguments: [
          { name: "password", type: "string", token: "AUTH", since: "4.0.7", flags: ["optional"] },
          {
            name: "username_password",
            type: "block",
            token: "AUTH2",
            since: "6.0.0",
            flags: ["optional"],
            arguments: [
              { name: "username", type: "string" },
              { name: "password", type: "string" },
            ],
          },
        ],
      },
      {
        name: "key",
        type: "key",
        keySpecIndex: 1,
        token: "KEYS",
        since: "3.0.6",
        flags: ["optional", "multiple"],
      },
    ],
  },
} as const satisfies Record<string, CommandSpec>;
