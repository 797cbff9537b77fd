/**
 * Settings of the server as a whole: its address, its clients, its log, its process.
 *
 * @module
 */
import {
  checkTitleTemplate,
  readAddresses,
  readEvents,
  readOomScores,
  readOutputLimits,
  readPercentiles,
  readPermissions,
  readShutdown,
  showEvents,
  SHUTDOWN_WORDS,
} from "./lists.ts";
import {
  FIXED_BACKLOG,
  NO_AFFINITY,
  NO_HZ,
  NO_OOM_SCORE,
  NO_SCRIPTS_YET,
  NO_SYSLOG,
  NO_TITLE,
  NO_TLS,
  NO_USERS_YET,
  ONE_THREAD,
} from "./reasons.ts";
import {
  choice,
  clamped,
  INT_MAX,
  integer,
  manyWords,
  memory,
  memoryOrPercent,
  oneWord,
  type Setting,
  text,
  yesNo,
} from "../../runtime/setting.ts";

const MEBIBYTE = 1024 * 1024;
const PORT = [0, 65535] as const;
const COUNT = [0, INT_MAX] as const;
const LONG = [0, Infinity] as const;
const FIXED = { fixed: true } as const;
const WHO = ["no", "yes", "local"] as const;
const SIGNAL_WORDS = SHUTDOWN_WORDS.join("|");

/** Where the server listens, and to whom. */
export const NETWORK_SETTINGS: readonly Setting[] = [
  integer("port", 6379, PORT, "TCP port to listen on"),
  manyWords(
    "bind",
    "* -::*",
    "address...",
    "addresses to listen on; * is every address, and one with a dash may be missing",
    readAddresses,
  ),
  text("unixsocket", "", "path of a Unix socket to listen on as well", FIXED),
  oneWord("unixsocketperm", "0", "octal", "permissions of the Unix socket", readPermissions, FIXED),
  yesNo("protected-mode", "yes", "without a password, serve only clients of this machine"),
  integer("tcp-backlog", 511, COUNT, "length of the queue of connections to accept", {
    fixed: true,
    noEffect: FIXED_BACKLOG,
  }),
  integer(
    "tcp-keepalive",
    300,
    COUNT,
    "probe idle connections; 0 never, else as often as the system is set to",
  ),
  integer("socket-mark-id", 0, [0, 4294967295], "mark of the listening sockets", {
    fixed: true,
    noEffect: "the runtime can't mark sockets",
  }),
  text("bind-source-addr", "", "address from which to connect to the master"),
  integer("timeout", 0, COUNT, "seconds after which an idle client is closed; 0 never"),
  integer("maxclients", 10000, [1, 4294967295], "how many clients may be connected at once"),
  memory("proto-max-bulk-len", 512 * MEBIBYTE, MEBIBYTE, "longest argument and longest string"),
  memory(
    "client-query-buffer-limit",
    1024 * MEBIBYTE,
    MEBIBYTE,
    "most bytes of requests that a client may have waiting",
  ),
  manyWords(
    "client-output-buffer-limit",
    "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
    "class hard soft seconds...",
    "most bytes of replies that a client of a class may have waiting, for ever or for a time",
    readOutputLimits,
  ),
  memoryOrPercent("maxmemory-clients", "most memory of all clients; a percentage is of maxmemory"),
  integer("tracking-table-max-keys", 1000000, LONG, "most keys remembered for clients' caches"),
];

/** Who may do what. */
export const SECURITY_SETTINGS: readonly Setting[] = [
  text("requirepass", "", "password that clients have to give with AUTH"),
  choice("enable-protected-configs", "no", WHO, "who may change settings that reach files", FIXED),
  choice("enable-debug-command", "no", WHO, "who may use DEBUG", FIXED),
  choice("enable-module-command", "no", WHO, "who may use MODULE", FIXED),
  text("aclfile", "", "file of the users and their rights; refused until there are any", {
    fixed: true,
    refused: "there are no users with rights of their own yet, and without its rules this server " +
      "would serve everybody; use 'requirepass'",
  }),
  choice(
    "acl-pubsub-default",
    "resetchannels",
    ["allchannels", "resetchannels"],
    "which channels a new user may use",
    { noEffect: NO_USERS_YET },
  ),
  integer("acllog-max-len", 128, LONG, "how many denied attempts ACL LOG keeps", {
    noEffect: NO_USERS_YET,
  }),
  choice(
    "sanitize-dump-payload",
    "no",
    ["no", "yes", "clients"],
    "whether what RESTORE is given is looked at in depth (it always is)",
  ),
];

/** The process: its log, its end, its place in the system. */
export const PROCESS_SETTINGS: readonly Setting[] = [
  integer("databases", 16, [1, INT_MAX], "number of databases", FIXED),
  clamped(
    integer("hz", 10, COUNT, "how often a second background work is done", {
      noEffect: NO_HZ,
    }),
    1,
    500,
  ),
  yesNo("dynamic-hz", "yes", "do background work more often when many clients are connected", {
    noEffect: NO_HZ,
  }),
  choice(
    "loglevel",
    "notice",
    ["debug", "verbose", "notice", "warning"],
    "lines below this level are not logged",
  ),
  text("logfile", "", "file for the log instead of the standard output", FIXED),
  yesNo("always-show-logo", "no", "show who starts here even if nobody watches", FIXED),
  yesNo("crash-log-enabled", "yes", "log where an error of our own happened"),
  yesNo("use-exit-on-panic", "no", "end without a core dump after an error of our own", {
    hidden: true,
    noEffect: "there is never one",
  }),
  yesNo("crash-memcheck-enabled", "yes", "test the memory after a crash", {
    noEffect: "the runtime has no way to test memory",
  }),
  yesNo("syslog-enabled", "no", "log to the system's log", { fixed: true, noEffect: NO_SYSLOG }),
  text("syslog-ident", "redis", "name in the system's log", { fixed: true, noEffect: NO_SYSLOG }),
  choice(
    "syslog-facility",
    "local0",
    ["user", ...Array.from({ length: 8 }, (_, index) => `local${index}`)],
    "part of the system's log",
    { fixed: true, noEffect: NO_SYSLOG },
  ),
  yesNo("daemonize", "no", "refused: let a service manager run the server", {
    fixed: true,
    refused: "the runtime can't go on in the background without its terminal; start it with " +
      "'nohup miniredis server ... &', or from systemd with Type=simple",
  }),
  choice("supervised", "no", ["upstart", "systemd", "auto", "no"], "who watches the server", {
    fixed: true,
    noEffect: "the runtime can't tell a service manager that it is ready; let it run 'Type=simple'",
  }),
  text("pidfile", "", "file for the number of the process", FIXED),
  yesNo("set-proc-title", "yes", "show the server's state in its title", {
    fixed: true,
    noEffect: NO_TITLE,
  }),
  text(
    "proc-title-template",
    "{title} {listen-addr} {server-mode}",
    "what the title shows",
    { noEffect: NO_TITLE },
    checkTitleTemplate,
  ),
  manyWords("shutdown-on-sigint", "default", SIGNAL_WORDS, "how SIGINT ends it", readShutdown),
  manyWords("shutdown-on-sigterm", "default", SIGNAL_WORDS, "how SIGTERM ends it", readShutdown),
  integer("shutdown-timeout", 10, COUNT, "seconds to wait for replicas at the end"),
  text("ignore-warnings", "", "warnings about the system that don't stop the start", {
    noEffect: "nothing in the system stops the start",
  }),
  integer("io-threads", 1, [1, 128], "threads that read and write", {
    fixed: true,
    noEffect: ONE_THREAD,
  }),
  yesNo("io-threads-do-reads", "no", "whether these threads read, too", {
    fixed: true,
    noEffect: ONE_THREAD,
  }),
  ...["server_cpulist", "bio_cpulist", "aof_rewrite_cpulist", "bgsave_cpulist"].map((name) =>
    text(name, "", "processors to run on", { fixed: true, noEffect: NO_AFFINITY })
  ),
  choice(
    "oom-score-adj",
    "no",
    ["no", "yes", "relative", "absolute"],
    "tell the kernel whom to end when memory runs out",
    { noEffect: NO_OOM_SCORE },
  ),
  manyWords("oom-score-adj-values", "0 200 800", "integer...", "what to tell it", readOomScores, {
    noEffect: NO_OOM_SCORE,
  }),
  yesNo("disable-thp", "yes", "turn off huge pages for the process", {
    fixed: true,
    noEffect: "the runtime can't change how the kernel gives it memory",
  }),
];

/** What the server tells of itself. */
export const OBSERVATION_SETTINGS: readonly Setting[] = [
  integer(
    "slowlog-log-slower-than",
    10000,
    [-1, Infinity],
    "microseconds from which a command is slow; 0 all are, -1 none",
  ),
  integer("slowlog-max-len", 128, LONG, "how many slow commands are kept"),
  integer(
    "latency-monitor-threshold",
    0,
    LONG,
    "milliseconds from which an event is kept; 0 never",
  ),
  yesNo("latency-tracking", "yes", "keep how long each command takes"),
  manyWords(
    "latency-tracking-info-percentiles",
    "50 99 99.9",
    "percentile...",
    "percentiles of it that INFO shows",
    readPercentiles,
  ),
  oneWord(
    "notify-keyspace-events",
    "",
    "letters",
    "which changes of keys are published",
    readEvents,
    { shown: showEvents },
  ),
  integer("busy-reply-threshold", 5000, LONG, "milliseconds after which a script is slow", {
    aliases: ["lua-time-limit"],
    noEffect: NO_SCRIPTS_YET,
  }),
];

/** Encryption, which there is none of. */
export const TLS_SETTINGS: readonly Setting[] = [
  integer("tls-port", 0, PORT, "port for TLS; refused, as there is none", { refused: NO_TLS }),
  ...[
    ["tls-cert-file", "certificate"],
    ["tls-key-file", "its key"],
    ["tls-key-file-pass", "password of the key"],
    ["tls-client-cert-file", "certificate as a client"],
    ["tls-client-key-file", "its key"],
    ["tls-client-key-file-pass", "password of the key"],
    ["tls-dh-params-file", "parameters of the key exchange"],
    ["tls-ca-cert-file", "certificates of authorities"],
    ["tls-ca-cert-dir", "folder of certificates of authorities"],
    ["tls-protocols", "versions of TLS"],
    ["tls-ciphers", "ciphers up to TLS 1.2"],
    ["tls-ciphersuites", "ciphers of TLS 1.3"],
  ].map(([name, summary]) => text(name, "", summary, { noEffect: NO_TLS })),
  choice("tls-auth-clients", "yes", ["no", "yes", "optional"], "ask clients for certificates", {
    noEffect: NO_TLS,
  }),
  ...[
    ["tls-replication", "no", "encrypt the connection to the master"],
    ["tls-cluster", "no", "encrypt the connections of a cluster"],
    ["tls-prefer-server-ciphers", "no", "the server chooses the cipher"],
    ["tls-session-caching", "yes", "let clients resume sessions"],
  ].map(([name, preset, summary]) =>
    yesNo(name, preset as "yes" | "no", summary, { noEffect: NO_TLS })
  ),
  integer("tls-session-cache-size", 20480, COUNT, "sessions kept", { noEffect: NO_TLS }),
  integer("tls-session-cache-timeout", 300, COUNT, "seconds that they are kept", {
    noEffect: NO_TLS,
  }),
];
