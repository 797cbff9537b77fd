/**
 * Settings of the data: memory, encodings, files, replicas, cluster.
 *
 * @module
 */
import { EVICTION_POLICIES } from "../../keyspace/eviction.ts";
import { checkFileName, checkHostname, readMaster, readSave } from "./lists.ts";
import { NO_CLUSTER_YET, NO_JEMALLOC, UNCOMPRESSED } from "./reasons.ts";
import {
  anyMemory,
  choice,
  clamped,
  INT_MAX,
  integer,
  manyWords,
  memory,
  type Setting,
  text,
  yesNo,
} from "../../runtime/setting.ts";

const MEBIBYTE = 1024 * 1024;
const COUNT = [0, INT_MAX] as const;
const POSITIVE = [1, INT_MAX] as const;
const LONG = [0, Infinity] as const;
const PORT = [0, 65535] as const;
const FIXED = { fixed: true } as const;
const CLUSTER = { noEffect: NO_CLUSTER_YET } as const;

/** Memory: its limit, who has to go, how it is given back. */
export const MEMORY_SETTINGS: readonly Setting[] = [
  anyMemory("maxmemory", "most memory for keys, values and buffers; 0 without limit"),
  choice(
    "maxmemory-policy",
    "noeviction",
    EVICTION_POLICIES,
    "which keys go when the memory is full",
  ),
  integer("maxmemory-samples", 5, POSITIVE, "keys looked at to find one that goes"),
  integer("maxmemory-eviction-tenacity", 10, [0, 100], "how long to look for keys that go"),
  integer("lfu-log-factor", 10, COUNT, "how slowly the counter of uses grows"),
  integer("lfu-decay-time", 1, COUNT, "minutes after which the counter of uses falls"),
  integer("active-expire-effort", 1, [1, 10], "how hard to look for expired keys"),
  ...[
    ["lazyfree-lazy-eviction", "evicted keys"],
    ["lazyfree-lazy-expire", "expired keys"],
    ["lazyfree-lazy-server-del", "keys that are replaced"],
    ["lazyfree-lazy-user-del", "keys that DEL removes"],
  ].map(([name, what]) => yesNo(name, "no", `free ${what} in the background`)),
  yesNo("lazyfree-lazy-user-flush", "no", "free keys that FLUSHALL removes in the background"),
  yesNo("activerehashing", "yes", "use idle time to resize the tables of keys", {
    noEffect: "tables of keys grow and shrink piece by piece anyway",
  }),
  yesNo("activedefrag", "no", "move values so that memory can be given back"),
  memory("active-defrag-ignore-bytes", 100 * MEBIBYTE, 1, "waste from which to begin"),
  integer("active-defrag-threshold-lower", 10, [0, 1000], "percent of waste from which to begin"),
  integer("active-defrag-threshold-upper", 100, [0, 1000], "percent at which to do the most"),
  integer("active-defrag-cycle-min", 1, [1, 99], "percent of the time for it at the least"),
  integer("active-defrag-cycle-max", 25, [1, 99], "percent of the time for it at the most"),
  integer(
    "active-defrag-max-scan-fields",
    1000,
    [1, Infinity],
    "fields of a value in one go",
    { noEffect: "the memory of a collection is given back block by block, however large it is" },
  ),
  yesNo("jemalloc-bg-thread", "yes", "let the allocator have a thread", { noEffect: NO_JEMALLOC }),
];

/** Up to where values are kept in their small form. */
export const ENCODING_SETTINGS: readonly Setting[] = [
  memory("hll-sparse-max-bytes", 3000, 0, "longest sparse HyperLogLog"),
  integer("hash-max-listpack-entries", 512, LONG, "most fields of a small hash", {
    aliases: ["hash-max-ziplist-entries"],
  }),
  memory("hash-max-listpack-value", 64, 0, "longest field or value of a small hash", {
    aliases: ["hash-max-ziplist-value"],
  }),
  integer("list-max-listpack-size", -2, [-INT_MAX - 1, INT_MAX], "size of a node of a list", {
    aliases: ["list-max-ziplist-size"],
  }),
  integer("list-compress-depth", 0, COUNT, "nodes at each end of a list left as they are", {
    noEffect: UNCOMPRESSED,
  }),
  integer("set-max-intset-entries", 512, LONG, "most integers of a small set"),
  integer("zset-max-listpack-entries", 128, LONG, "most members of a small sorted set", {
    aliases: ["zset-max-ziplist-entries"],
  }),
  memory("zset-max-listpack-value", 64, 0, "longest member of a small sorted set", {
    aliases: ["zset-max-ziplist-value"],
  }),
  memory("stream-node-max-bytes", 4096, 0, "largest node of a stream"),
  integer("stream-node-max-entries", 100, LONG, "most entries in a node of a stream"),
];

/** Snapshots and the append-only file. */
export const FILE_SETTINGS: readonly Setting[] = [
  text("dir", ".", "folder for the server's files", { guarded: true, needsData: true }),
  text("dbfilename", "dump.rdb", "name of the snapshot file", {
    guarded: true,
  }, checkFileName("dbfilename", "filename", true)),
  manyWords(
    "save",
    "3600 1 300 100 60 10000",
    "seconds changes...",
    "write a snapshot after so many seconds if there were so many changes",
    readSave,
  ),
  yesNo("stop-writes-on-bgsave-error", "yes", "refuse changes when a snapshot failed"),
  yesNo("rdbcompression", "yes", "compress strings in snapshots and for DUMP"),
  yesNo("rdbchecksum", "yes", "end snapshots with a checksum", FIXED),
  yesNo("rdb-del-sync-files", "no", "remove snapshots that were for replicas"),
  yesNo("rdb-save-incremental-fsync", "yes", "sync while a snapshot is written"),
  yesNo("appendonly", "no", "write each change to the append-only file", { needsData: true }),
  text(
    "appendfilename",
    "appendonly.aof",
    "beginning of the names of its files",
    FIXED,
    checkFileName("appendfilename"),
  ),
  text(
    "appenddirname",
    "appendonlydir",
    "folder of its files within 'dir'",
    FIXED,
    checkFileName("appenddirname", "dirname"),
  ),
  choice(
    "appendfsync",
    "everysec",
    ["everysec", "always", "no"],
    "when what was appended is made to last",
  ),
  yesNo("no-appendfsync-on-rewrite", "no", "don't sync while it is rewritten"),
  integer("auto-aof-rewrite-percentage", 100, COUNT, "growth after which it is rewritten"),
  memory("auto-aof-rewrite-min-size", 64 * MEBIBYTE, 0, "size below which it is not"),
  yesNo("aof-load-truncated", "yes", "start with a file whose end is missing"),
  yesNo("aof-use-rdb-preamble", "yes", "begin a rewritten file with a snapshot"),
  yesNo("aof-timestamp-enabled", "no", "note the time in the file"),
  yesNo("aof-rewrite-incremental-fsync", "yes", "sync while it is rewritten"),
  yesNo("aof-disable-auto-gc", "no", "keep files that are no longer needed"),
];

/** A replica or its master; `older` is the name with the older word, where there was one. */
function replica(setting: Setting, older?: string): Setting {
  return { ...setting, aliases: older === undefined ? [] : [older] };
}

/** What Redis' own tests slow down or look at. */
export const HIDDEN_SETTINGS: readonly Setting[] = [
  integer("watchdog-period", 0, COUNT, "ms after which a command is logged", {
    hidden: true,
    noEffect: "the runtime can't look at a command while it runs",
  }),
  integer("key-load-delay", 0, [-INT_MAX - 1, INT_MAX], "microseconds between keys loaded", {
    hidden: true,
  }),
  integer("rdb-key-save-delay", 0, [-INT_MAX - 1, INT_MAX], "microseconds between keys saved", {
    hidden: true,
  }),
  integer(
    "loading-process-events-interval-bytes",
    2 * MEBIBYTE,
    [1024, INT_MAX],
    "bytes loaded between turns of others",
    { hidden: true, noEffect: "others have their turns after some milliseconds of loading" },
  ),
];

/** A master and its replicas. */
export const REPLICATION_SETTINGS: readonly Setting[] = [
  replica(
    manyWords("replicaof", "", "host port", "the master of this server", readMaster, {
      fixed: true,
    }),
    "slaveof",
  ),
  replica(text("masterauth", "", "password for the master")),
  replica(text("masteruser", "", "user for the master")),
  replica(integer("repl-timeout", 60, POSITIVE, "seconds without a word that end a connection")),
  replica(
    integer("repl-ping-replica-period", 10, POSITIVE, "seconds between two pings"),
    "repl-ping-slave-period",
  ),
  replica(clamped(
    memory("repl-backlog-size", MEBIBYTE, 1, "changes kept for replicas that come back"),
    16 * 1024,
    Infinity,
  )),
  replica(integer("repl-backlog-ttl", 3600, LONG, "seconds that they are kept without replicas")),
  replica(yesNo("repl-disable-tcp-nodelay", "no", "send to replicas in larger pieces", {
    noEffect: "what a round has changed is sent as one piece already",
  })),
  replica(yesNo("repl-diskless-sync", "yes", "send snapshots without a file")),
  replica(integer("repl-diskless-sync-delay", 5, COUNT, "seconds to wait for more replicas")),
  replica(integer("repl-diskless-sync-max-replicas", 0, COUNT, "replicas not waited beyond")),
  replica(choice(
    "repl-diskless-load",
    "disabled",
    ["disabled", "on-empty-db", "swapdb"],
    "load a snapshot from the connection",
    { needsData: true },
  )),
  replica(
    yesNo("replica-serve-stale-data", "yes", "a replica without its master answers"),
    "slave-serve-stale-data",
  ),
  replica(yesNo("replica-read-only", "yes", "a replica refuses changes"), "slave-read-only"),
  replica(
    yesNo("replica-ignore-maxmemory", "yes", "a replica evicts nothing"),
    "slave-ignore-maxmemory",
  ),
  replica(yesNo("replica-lazy-flush", "no", "empty it in the background"), "slave-lazy-flush"),
  replica(
    integer("replica-priority", 100, COUNT, "the lowest is made master first; 0 never"),
    "slave-priority",
  ),
  replica(text("replica-announce-ip", "", "address that others are told"), "slave-announce-ip"),
  replica(
    integer("replica-announce-port", 0, PORT, "port that others are told"),
    "slave-announce-port",
  ),
  replica(yesNo("replica-announced", "yes", "whether others are told of it")),
  replica(yesNo("replica-ignore-disk-write-errors", "no", "go on when writing to disk fails", {
    noEffect: "a replica whose disk fails takes in what its master sends all the same",
  })),
  replica(integer("min-replicas-to-write", 0, COUNT, "replicas needed"), "min-slaves-to-write"),
  replica(integer("min-replicas-max-lag", 10, COUNT, "their longest lag"), "min-slaves-max-lag"),
  replica(choice(
    "propagation-error-behavior",
    "ignore",
    ["ignore", "panic", "panic-on-replicas"],
    "what to do when a change that came from elsewhere fails",
    { noEffect: "a change that fails is logged, and the server goes on" },
  )),
];

/** Cluster mode, which there is none of yet. */
export const CLUSTER_SETTINGS: readonly Setting[] = [
  yesNo("cluster-enabled", "no", "refused until there is a cluster mode", {
    fixed: true,
    refused: NO_CLUSTER_YET,
  }),
  text("cluster-config-file", "nodes.conf", "file of the nodes", { fixed: true, ...CLUSTER }),
  integer("cluster-node-timeout", 15000, LONG, "ms after which a node is missed", CLUSTER),
  integer("cluster-port", 0, PORT, "port of the nodes' bus", { fixed: true, ...CLUSTER }),
  integer("cluster-replica-validity-factor", 10, COUNT, "how old a replica's data may be", {
    aliases: ["cluster-slave-validity-factor"],
    ...CLUSTER,
  }),
  yesNo("cluster-replica-no-failover", "no", "a replica never becomes master by itself", {
    aliases: ["cluster-slave-no-failover"],
    ...CLUSTER,
  }),
  integer("cluster-migration-barrier", 1, COUNT, "replicas a master keeps", CLUSTER),
  yesNo("cluster-allow-replica-migration", "yes", "replicas go where they lack", CLUSTER),
  yesNo("cluster-require-full-coverage", "yes", "refuse all if a slot is missing", CLUSTER),
  yesNo("cluster-allow-reads-when-down", "no", "answer reads of a broken cluster", CLUSTER),
  yesNo("cluster-allow-pubsubshard-when-down", "yes", "publish in a broken cluster", CLUSTER),
  anyMemory("cluster-link-sendbuf-limit", "most bytes waiting for a node", CLUSTER),
  text("cluster-announce-ip", "", "address that nodes are told", CLUSTER),
  text("cluster-announce-hostname", "", "name that nodes are told", CLUSTER, checkHostname),
  integer("cluster-announce-port", 0, PORT, "port that nodes are told", CLUSTER),
  integer("cluster-announce-tls-port", 0, PORT, "port for TLS that nodes are told", CLUSTER),
  integer("cluster-announce-bus-port", 0, PORT, "port of the bus that nodes are told", CLUSTER),
  choice(
    "cluster-preferred-endpoint-type",
    "ip",
    ["ip", "hostname", "unknown-endpoint"],
    "what clients are told of a node",
    CLUSTER,
  ),
];
