/**
 * How random commands about the server are made.
 *
 * @module
 */

import { none, oneOf, type RecipeTable } from "./recipe.ts";

// deno-fmt-ignore
const SETTING_NAMES = [
  "maxclients", "timeout", "hz", "loglevel", "databases", "nosuch", "HZ", "requirepass", "proto-max-bulk-len",
  "client-query-buffer-limit", "hll-sparse-max-bytes", "slave-*", "*-max-*-entries", "save", "Slave-Priority",
  "tls-*", "repl-*", "client-output-buffer-limit", "cluster-*",
];
// deno-fmt-ignore
const SETTING_PAIRS: readonly (readonly string[])[] = [
  ["timeout", "0"], ["timeout", "-1"], ["timeout", "abc"], ["hz", "10"], ["HZ", "20"], ["hz", "1", "hz", "2"],
  ["loglevel", "notice"], ["loglevel", "foo"], ["LOGLEVEL", "WARNING"], ["databases", "5"], ["nosuch", "1"],
  ["hz"], ["hz", "10", "timeout"], ["proto-max-bulk-len", "foo"],
  ["client-query-buffer-limit", "1gb"], ["maxclients", "0"],
  ["hz", "10", "nosuch", "1"], ["hz", "12", "timeout", "abc"], ["protected-mode", "yes"], ["protected-mode", "1"],
  ["hll-sparse-max-bytes", "3000"], ["hll-sparse-max-bytes", "100"], ["hll-sparse-max-bytes", "-1"],
  ["timeout", "9999999999"], ["timeout", ""], ["timeout", "1.5"],
  ["save", "5 5"], ["save", ""], ["save", "5"], ["repl-backlog-size", "1"], ["slave-priority", "7"],
  ["slave-priority", "8", "replica-priority", "9"], ["dir", "."], ["replicaof", "a 1"], ["unixsocketperm", "777"],
  ["client-output-buffer-limit", "slave 1mb 2mb 3 replica 4 5 6"], ["client-output-buffer-limit", "nobody 1 2 3"],
  ["maxmemory", "abc"], ["maxmemory", "-1"], ["maxmemory-policy", "foo"], ["maxmemory-samples", "0"],
  ["maxmemory-eviction-tenacity", "101"], ["lfu-log-factor", "-1"], ["lfu-decay-time", "x"],
  ["active-expire-effort", "11"],
  // No memory is left for a while: all that may need some is refused.
  ["maxmemory", "1"], ["maxmemory", "0"], ["maxmemory", "0"], ["maxmemory", "0"], ["maxmemory", "0"],
  ["maxmemory", "0"], ["maxmemory", "0"],
];
// deno-fmt-ignore
const INNER_CALLS: readonly (readonly string[])[] = [
  ["get", "a"], ["mset", "a", "1", "b", "2"], ["mset", "a"], ["set", "a", "1", "GET"], ["ping"], ["nosuch", "a"],
  ["copy", "a", "b"], ["object", "encoding", "a"], ["get"], ["config", "get", "a"], ["set", "a", "1", "NX"],
];
const NAMES = ["get", "set", "mset", "ping", "nosuch", "GET", "copy", "expire", ""];

/** The family's recipes. */
export const SERVER_RECIPES: RecipeTable = {
  "dbsize": [2, none],
  "flushdb": [0.3, (values) => values.one([[], ["SYNC"], ["async"], ["FOO"], ["SYNC", "ASYNC"]])],
  "flushall": [0.1, (values) => values.one([[], ["SYNC"], ["async"], ["FOO"]])],
  "swapdb": [1, (values) => [values.database(), values.database()]],
  "info": [
    0.2,
    (values) =>
      values.one([[], ["server"], ["keyspace", "memory"], ["nosuch"], ["errorstats"], [
        "commandstats",
      ]]),
  ],
  "config|get": [1, (values) => values.some(1, 3, () => values.one(SETTING_NAMES))],
  "config|set": [1, oneOf(SETTING_PAIRS)],
  "config|resetstat": [0.2, none],
  // Neither server has a file.
  "config|rewrite": [0.1, none],
  "config|help": [0.1, none],
  "command": [0.01, none],
  "command|count": [0.1, none],
  "command|docs": [0.3, (values) => values.some(1, 2, () => values.one(NAMES))],
  "command|getkeys": [1, oneOf(INNER_CALLS)],
  "command|getkeysandflags": [1, oneOf(INNER_CALLS)],
  "command|info": [0.5, (values) => values.some(1, 2, () => values.one(NAMES))],
  "command|list": [0.2, (values) => values.one([[], ["FILTERBY", "PATTERN", "ge*"], ["FOO"]])],
  "command|help": [0.1, none],
  "time": [0.3, none],
};
