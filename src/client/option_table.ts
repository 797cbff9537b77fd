/**
 * The options of `miniredis client`: those of redis-cli, and longer names for some of them.
 *
 * @module
 */

import { COMMON_OPTIONS, type Option } from "../runtime/arguments.ts";

/** Where the server is, and who we are there. */
const CONNECTION_OPTIONS: readonly Option[] = [
  {
    name: "host",
    aliases: ["h", "hostname"],
    placeholder: "hostname",
    summary: "Server hostname (default: 127.0.0.1)",
  },
  { name: "port", aliases: ["p"], placeholder: "port", summary: "Server port (default: 6379)" },
  {
    name: "socket",
    aliases: ["s"],
    placeholder: "path",
    summary: "Server socket (overrides hostname and port)",
  },
  {
    name: "pass",
    aliases: ["a", "password"],
    placeholder: "password",
    summary: "Password; the environment variable REDISCLI_AUTH passes it more safely",
  },
  {
    name: "user",
    aliases: ["username"],
    placeholder: "username",
    summary: "User that the password is for",
  },
  { name: "askpass", summary: "Ask for the password instead" },
  {
    name: "uri",
    aliases: ["u"],
    placeholder: "uri",
    summary: "Server as redis://user:password@host:port/database (rediss:// for TLS)",
  },
  { name: "db", aliases: ["n"], placeholder: "number", summary: "Database number" },
  { name: "2", summary: "Start in RESP2 protocol mode" },
  { name: "3", summary: "Start in RESP3 protocol mode" },
  { name: "c", summary: "Follow redirections of a cluster (MOVED and ASK)" },
  { name: "no-auth-warning", summary: "Don't warn about a password on the command line" },
];

const TLS_OPTIONS: readonly Option[] = [
  { name: "tls", summary: "Talk to the server over TLS" },
  { name: "sni", placeholder: "host", summary: "Server name to ask for with TLS" },
  { name: "cacert", placeholder: "file", summary: "Certificates of the authorities to trust" },
  { name: "cacertdir", placeholder: "dir", summary: "Folder of such certificates" },
  { name: "insecure", summary: "Don't check the server's certificate" },
  { name: "cert", placeholder: "file", summary: "Our own certificate" },
  { name: "key", placeholder: "file", summary: "Its private key" },
  { name: "tls-ciphers", placeholder: "list", summary: "Ciphers of TLS 1.2, the preferred first" },
  { name: "tls-ciphersuites", placeholder: "list", summary: "Cipher suites of TLS 1.3, likewise" },
];

/** What is sent, and how replies are printed. */
const COMMAND_OPTIONS: readonly Option[] = [
  { name: "r", placeholder: "count", summary: "Execute the command this many times; -1: for ever" },
  {
    name: "i",
    placeholder: "seconds",
    summary: "Wait this long between two of them, and between the steps of the modes below",
  },
  { name: "x", summary: "Read the last argument from standard input" },
  { name: "X", placeholder: "tag", summary: "Read the argument that is this tag from there" },
  {
    name: "d",
    placeholder: "delimiter",
    summary: "Stands between elements in raw format (default: \\n)",
  },
  {
    name: "D",
    placeholder: "delimiter",
    summary: "Stands between replies in raw format (default: \\n)",
  },
  { name: "e", summary: "Exit with 1 if the command fails" },
  { name: "raw", summary: "Raw format (default if the output isn't a terminal)" },
  { name: "no-raw", summary: "Formatted output even if it isn't a terminal" },
  { name: "csv", summary: "Output as comma separated values" },
  { name: "json", summary: "Output as JSON (over RESP3, unless -2 is given)" },
  { name: "quoted-json", summary: "Likewise, with strings quoted so that they are ASCII" },
  { name: "quoted-input", summary: "Read the command's words as quoted strings" },
  {
    name: "show-pushes",
    placeholder: "yes|no",
    summary: "Print push messages of RESP3 (default: yes on a terminal)",
  },
  { name: "verbose", summary: "Changes nothing: in redis-cli, it is for --cluster" },
];

/** What is done instead of running a command. */
const MODE_OPTIONS: readonly Option[] = [
  { name: "eval", placeholder: "file", summary: "Run this Lua script: keys, a comma, arguments" },
  { name: "ldb", summary: "Debug the script of --eval" },
  { name: "ldb-sync-mode", summary: "Debug it while the server waits" },
  { name: "pipe", summary: "Send the commands on standard input, in the protocol's form" },
  {
    name: "pipe-timeout",
    placeholder: "seconds",
    summary: "How long --pipe waits for the last reply (default: 30; 0: for ever)",
  },
  { name: "rdb", placeholder: "file", summary: "Fetch a snapshot of the server ('-': to output)" },
  { name: "functions-rdb", placeholder: "file", summary: "Likewise, of its functions alone" },
  { name: "replica", aliases: ["slave"], summary: "Show what the master sends its replicas" },
  { name: "scan", summary: "List the keys" },
  { name: "bigkeys", summary: "Look for keys with many elements" },
  { name: "memkeys", summary: "Look for keys that take much memory" },
  {
    name: "memkeys-samples",
    placeholder: "count",
    summary: "Likewise, looking at this many elements of each",
  },
  { name: "hotkeys", summary: "Look for keys that are used much (maxmemory-policy *lfu)" },
  { name: "pattern", placeholder: "pattern", summary: "Which keys these look at (default: *)" },
  { name: "quoted-pattern", placeholder: "pattern", summary: "Likewise, as a quoted string" },
  { name: "stat", summary: "Print how the server does, again and again" },
  { name: "latency", summary: "Measure how long the server takes to answer" },
  { name: "latency-history", summary: "Likewise, a line each 15 seconds (-i changes it)" },
  { name: "latency-dist", summary: "Likewise, as a spectrum of colours" },
  { name: "mono", summary: "Draw that spectrum without colours" },
  { name: "intrinsic-latency", placeholder: "seconds", summary: "Measure this machine's own" },
  { name: "lru-test", placeholder: "keys", summary: "Play a cache of this many keys" },
  { name: "cluster", placeholder: "command", summary: "Not there: no cluster mode" },
];

/** The options that there are, in the order of the help text. */
export const CLIENT_OPTIONS: readonly Option[] = [
  ...CONNECTION_OPTIONS,
  ...TLS_OPTIONS,
  ...COMMAND_OPTIONS,
  ...MODE_OPTIONS,
  ...COMMON_OPTIONS.map((option) => ({
    ...option,
    aliases: option.aliases?.filter((alias) => alias !== "h"),
  })),
];
