/**
 * The settings of a redis.conf that a monitor doesn't have: a sentinel.conf may hold any of them, and redis-sentinel reads most without
 * doing anything by them.
 *
 * @module
 */

/** Names that are read and passed over. */
const NAMES: ReadonlySet<string> = new Set(
  `
  acl-pubsub-default aclfile acllog-max-len active-defrag-cycle-max active-defrag-cycle-min
  active-defrag-ignore-bytes active-defrag-max-scan-fields active-defrag-threshold-lower
  active-defrag-threshold-upper active-expire-effort activedefrag activerehashing always-show-logo
  aof-disable-auto-gc aof-load-truncated aof-rewrite-incremental-fsync aof-timestamp-enabled
  aof-use-rdb-preamble aof_rewrite_cpulist appenddirname appendfilename appendfsync appendonly
  auto-aof-rewrite-min-size auto-aof-rewrite-percentage bgsave_cpulist bind-source-addr
  bio_cpulist busy-reply-threshold client-output-buffer-limit cluster-allow-pubsubshard-when-down
  cluster-allow-reads-when-down cluster-allow-replica-migration cluster-announce-bus-port
  cluster-announce-hostname cluster-announce-ip cluster-announce-port cluster-announce-tls-port
  cluster-config-file cluster-enabled cluster-link-sendbuf-limit cluster-migration-barrier
  cluster-node-timeout cluster-port cluster-preferred-endpoint-type cluster-replica-no-failover
  cluster-replica-validity-factor cluster-require-full-coverage cluster-slave-no-failover
  cluster-slave-validity-factor crash-log-enabled crash-memcheck-enabled daemonize databases
  dbfilename disable-thp dynamic-hz enable-debug-command enable-module-command
  enable-protected-configs hash-max-listpack-entries hash-max-listpack-value
  hash-max-ziplist-entries hash-max-ziplist-value hll-sparse-max-bytes hz ignore-warnings
  io-threads io-threads-do-reads jemalloc-bg-thread latency-monitor-threshold latency-tracking
  latency-tracking-info-percentiles lazyfree-lazy-eviction lazyfree-lazy-expire
  lazyfree-lazy-server-del lazyfree-lazy-user-del lazyfree-lazy-user-flush lfu-decay-time
  lfu-log-factor list-compress-depth list-max-listpack-size list-max-ziplist-entries
  list-max-ziplist-size list-max-ziplist-value lua-time-limit masterauth masteruser maxmemory
  maxmemory-clients maxmemory-eviction-tenacity maxmemory-policy maxmemory-samples
  min-replicas-max-lag min-replicas-to-write min-slaves-max-lag min-slaves-to-write
  no-appendfsync-on-rewrite notify-keyspace-events oom-score-adj oom-score-adj-values
  proc-title-template propagation-error-behavior proto-max-bulk-len rdb-del-sync-files
  rdb-save-incremental-fsync rdbchecksum rdbcompression repl-backlog-size repl-backlog-ttl
  repl-disable-tcp-nodelay repl-diskless-load repl-diskless-sync repl-diskless-sync-delay
  repl-diskless-sync-max-replicas repl-ping-replica-period repl-ping-slave-period repl-timeout
  replica-announce-ip replica-announce-port replica-announced replica-ignore-disk-write-errors
  replica-ignore-maxmemory replica-lazy-flush replica-priority replica-read-only
  replica-serve-stale-data replicaof sanitize-dump-payload save server_cpulist
  set-max-intset-entries set-proc-title shutdown-on-sigint shutdown-on-sigterm shutdown-timeout
  slave-announce-ip slave-announce-port slave-ignore-maxmemory slave-lazy-flush slave-priority
  slave-read-only slave-serve-stale-data slaveof slowlog-log-slower-than slowlog-max-len
  socket-mark-id stop-writes-on-bgsave-error stream-node-max-bytes stream-node-max-entries
  supervised syslog-enabled syslog-facility syslog-ident tcp-backlog tcp-keepalive
  tls-auth-clients tls-ca-cert-dir tls-ca-cert-file tls-cert-file tls-ciphers tls-ciphersuites
  tls-client-cert-file tls-client-key-file tls-client-key-file-pass tls-cluster tls-dh-params-file
  tls-key-file tls-key-file-pass tls-port tls-prefer-server-ciphers tls-protocols tls-replication
  tls-session-cache-size tls-session-cache-timeout tls-session-caching tracking-table-max-keys
  unixsocket unixsocketperm use-exit-on-panic zset-max-listpack-entries zset-max-listpack-value
  zset-max-ziplist-entries zset-max-ziplist-value
  key-load-delay loading-process-events-interval-bytes rdb-key-save-delay watchdog-period
`.trim().split(/\s+/),
);

const NO_TLS = "connections are not encrypted; put a TLS proxy in front of the port";
const NO_OTHER_LOG = "the runtime has no access to the system's log; use 'logfile'";

/** Those that mean something to redis-sentinel, and why they mean nothing here. */
const WITHOUT_EFFECT: ReadonlyMap<string, string> = new Map([
  ["bind-source-addr", "connections come from the address that the system chooses"],
  [
    "client-output-buffer-limit",
    "the Sentinel API has limits of its own; see 'client-reply-limit'",
  ],
  ["syslog-enabled", NO_OTHER_LOG],
  ["syslog-facility", NO_OTHER_LOG],
  ["syslog-ident", NO_OTHER_LOG],
  ["tcp-backlog", "the runtime chooses the length of the queue itself"],
  ["unixsocket", "there is only the TCP port"],
  ["unixsocketperm", "there is only the TCP port"],
]);

/** What makes of a value, beside others, that nothing is lost by passing over it. */
const HARMLESS: ReadonlyMap<string, string> = new Map([
  ["daemonize", "no"],
  ["supervised", "no"],
  ["syslog-enabled", "no"],
  ["tls-port", "0"],
  ["tls-replication", "no"],
]);

/** What is to be done with a line. */
export type Verdict = { readonly refused: string } | { readonly warning: string } | undefined;

/** Whether this is a line of a redis.conf that a monitor passes over. */
export function isForeign(name: string): boolean {
  // A dot is in the names of settings of modules.
  return NAMES.has(name) || ["user", "loadmodule", "rename-command"].includes(name) ||
    name.includes(".");
}

/**
 * What is to be said about such a line; nothing about most.
 *
 * @param hasPassword Whether the Sentinel API asks for a password.
 */
export function judgeForeign(words: readonly string[], hasPassword: boolean): Verdict {
  const [name, ...values] = words;
  if (HARMLESS.get(name) === values[0]?.toLowerCase()) return undefined;
  if (name === "tls-port" || name === "tls-replication") return { refused: NO_TLS };
  if (name === "loadmodule") {
    return { refused: "modules of Redis are machine code, which can't be loaded" };
  }
  if (name === "aclfile" && values[0] !== "") return { warning: warningOf(name, NO_USERS) };
  if (name === "user") return judgeUser(values, hasPassword);
  if (name === "rename-command") {
    return { warning: warningOf(name, "commands of the Sentinel API keep their names") };
  }
  if (name === "daemonize" || name === "supervised") {
    return {
      warning: warningOf(
        name,
        "it runs in the foreground; let a service manager start it, systemd with 'Type=simple'",
      ),
    };
  }
  const reason = WITHOUT_EFFECT.get(name);
  return reason === undefined ? undefined : { warning: warningOf(name, reason) };
}

const NO_USERS =
  "there are no users beside the default one, who may do everything; use 'requirepass'";

/** A user: the default one, as redis-sentinel writes it, says nothing that isn't so. */
function judgeUser([name, ...rules]: readonly string[], hasPassword: boolean): Verdict {
  const isUsual = name === "default" && rules.includes("on") && rules.includes("+@all") &&
    (rules.includes("nopass") || hasPassword);
  return isUsual ? undefined : { warning: warningOf(`user ${name}`, NO_USERS) };
}

function warningOf(name: string, reason: string): string {
  return `'${name}' has no effect here: ${reason}`;
}
