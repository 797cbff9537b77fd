/**
 * The commands of a master and its replicas, for people and among servers.
 *
 * @module
 */

import type { ArgumentSpec, CommandSpec } from "./types.ts";

/** A host and a port, or `NO ONE`. */
const MASTER: readonly ArgumentSpec[] = [{
  name: "args",
  type: "oneof",
  arguments: [
    {
      name: "host-port",
      type: "block",
      arguments: [{ name: "host", type: "string" }, { name: "port", type: "integer" }],
    },
    {
      name: "no-one",
      type: "block",
      arguments: [
        { name: "no", type: "pure-token", token: "NO" },
        { name: "one", type: "pure-token", token: "ONE" },
      ],
    },
  ],
}];

/** The commands of a master and its replicas. */
export const REPLICATION_SPECS = {
  replicaof: {
    summary: "Has this server follow a master, or be one.",
    since: "5.0.0",
    group: "server",
    complexity: "O(1)",
    arity: 3,
    flags: ["admin", "noscript", "stale", "no_async_loading"],
    acl: ["admin", "slow", "dangerous"],
    keys: [],
    arguments: MASTER,
  },
  slaveof: {
    summary: "The older name of `REPLICAOF`.",
    since: "1.0.0",
    group: "server",
    complexity: "O(1)",
    arity: 3,
    flags: ["admin", "noscript", "stale", "no_async_loading"],
    acl: ["admin", "slow", "dangerous"],
    keys: [],
    docFlags: ["deprecated"],
    deprecatedSince: "5.0.0",
    replacedBy: "`REPLICAOF`",
    arguments: MASTER,
  },
  psync: {
    summary: "Among servers: asks for the replication stream, from an offset on if that can be.",
    since: "2.8.0",
    group: "server",
    arity: -3,
    flags: ["admin", "noscript", "no_async_loading", "no_multi"],
    acl: ["admin", "slow", "dangerous"],
    keys: [],
    arguments: [{ name: "replicationid", type: "string" }, { name: "offset", type: "integer" }],
  },
  sync: {
    summary: "Among servers: asks for a snapshot and the replication stream behind it.",
    since: "1.0.0",
    group: "server",
    arity: 1,
    flags: ["admin", "noscript", "no_async_loading", "no_multi"],
    acl: ["admin", "slow", "dangerous"],
    keys: [],
  },
  replconf: {
    summary: "Among servers: says what a replica is, or how far it has come.",
    since: "3.0.0",
    group: "server",
    complexity: "O(1)",
    arity: -1,
    flags: ["admin", "noscript", "loading", "stale", "allow_busy"],
    acl: ["admin", "slow", "dangerous"],
    keys: [],
    docFlags: ["syscmd"],
  },
  failover: {
    summary: "Has this server and one of its replicas change places.",
    since: "6.2.0",
    group: "server",
    complexity: "O(1)",
    arity: -1,
    flags: ["admin", "noscript", "stale"],
    acl: ["admin", "slow", "dangerous"],
    keys: [],
    arguments: [
      {
        name: "target",
        type: "block",
        token: "TO",
        flags: ["optional"],
        arguments: [
          { name: "host", type: "string" },
          { name: "port", type: "integer" },
          { name: "force", type: "pure-token", token: "FORCE", flags: ["optional"] },
        ],
      },
      { name: "abort", type: "pure-token", token: "ABORT", flags: ["optional"] },
      { name: "milliseconds", type: "integer", token: "TIMEOUT", flags: ["optional"] },
    ],
  },
} as const satisfies Record<string, CommandSpec>;
