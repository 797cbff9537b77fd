/**
 * Command lines for a server with the data of {@linkcode DATA}: commands whose replies are of all
 * types, options, and input that isn't a terminal's.
 *
 * @module
 */

import type { CommandLine } from "./command_line.ts";
import { FORMATS } from "./replies.ts";

/** The commands that make the data. */
export const DATA: readonly (readonly string[])[] = [
  ["FLUSHALL"],
  ["SET", "text", "hello"],
  ["SET", "tab", "tab\tnew\nline"],
  ["SET", "utf", "grüße €"],
  ["SET", "number", "41"],
  ["SETRANGE", "zeros", "3", "x"],
  ["SET", '{"\\x41"}', "quoted name"],
  ["RPUSH", "list", "a", "b c", '"'],
  ["SADD", "numbers", "1", "2", "3"],
  ["HSET", "hash", "field", "value", "tab\t", "\n"],
  ["ZADD", "scores", "1", "one", "2.5", "two", "-inf", "least"],
  ["XADD", "stream", "1-1", "k", "v"],
  ["XGROUP", "CREATE", "stream", "group", "0"],
  ["GEOADD", "places", "13.361389", "38.115556", "Palermo"],
  ["PFADD", "loglog", "a"],
  ["SETBIT", "bits", "7", "1"],
  ["CONFIG", "SET", "hz", "10"],
];

/** Commands that change nothing. */
// deno-fmt-ignore
const READING: readonly string[] = [
  "PING", "PING hello", "ECHO grüße", "GET text", "GET tab", "GET utf", "GET zeros", "GET missing", "GET list",
  "NOSUCHCOMMAND a", "GET", "MGET text missing number", "EXISTS text missing", "TYPE list", "STRLEN utf",
  "LRANGE list 0 -1", "LRANGE missing 0 -1", "LLEN list", "LPOS list a COUNT 0", "SMEMBERS numbers", "SMISMEMBER numbers 1 9",
  "SISMEMBER numbers 2", "HGETALL hash", "HGETALL missing", "HMGET hash field none", "HKEYS hash",
  "ZRANGE scores 0 -1", "ZRANGE scores 0 -1 WITHSCORES", "ZSCORE scores two", "ZSCORE scores least", "ZMSCORE scores one nobody",
  "XRANGE stream - +", "XINFO STREAM stream", "XINFO GROUPS stream", "XREAD STREAMS stream 0", "XPENDING stream group",
  "GEOPOS places Palermo nowhere", "GEODIST places Palermo Palermo", "PFCOUNT loglog", "BITCOUNT bits",
  "OBJECT ENCODING text", "OBJECT HELP", "CONFIG GET hz", "CONFIG GET h*", "COMMAND COUNT", "COMMAND INFO get", "COMMAND DOCS get",
  "COMMAND GETKEYS SET k v", "SCAN 0 COUNT 1000 MATCH text", "HSCAN hash 0", "LCS text text IDX", "DBSIZE", "ACL WHOAMI",
  "MEMORY HELP", "CLUSTER INFO", "CLUSTER NODES x", "LATENCY LATEST", "LATENCY HISTOGRAM nosuchcommand", "LATENCY GRAPH x", "LOLWUT VERSION 5 1 1 1",
  "SCRIPT EXISTS aaaa", "FUNCTION LIST", "EVAL", "SLOWLOG GET 0", "HELLO 9", "SELECT 99", "SELECT 3", "AUTH wrong",
  "DEBUG PROTOCOL string", "DEBUG PROTOCOL integer", "DEBUG PROTOCOL double", "DEBUG PROTOCOL null", "DEBUG PROTOCOL array",
  "DEBUG PROTOCOL set", "DEBUG PROTOCOL map", "DEBUG PROTOCOL true", "DEBUG PROTOCOL false", "DEBUG PROTOCOL verbatim",
  "DEBUG PROTOCOL bignum", "DEBUG PROTOCOL attrib", "DEBUG JMAP", "DEBUG SLEEP 0", "QUIT", "RESET", "MULTI", "EXEC", "DISCARD",
  "UNSUBSCRIBE", "UNSUBSCRIBE one",
];

/** Commands with numbers that change by themselves. */
const COUNTING: readonly string[] = [
  "HELLO",
  "INFO server",
  "INFO nosuchsection",
  "CLIENT LIST ID 999999",
  "CLIENT INFO",
  "MEMORY DOCTOR",
  "TIME",
  "CLIENT ID",
  "OBJECT IDLETIME text",
];

/** Commands that change the data. */
// deno-fmt-ignore
const WRITING: readonly string[] = [
  "SET text new", "SET text new GET", "SET text new NX", "INCR number", "INCR text", "INCRBYFLOAT number 1.5", "APPEND text x",
  "RPUSH list d", "LPOP list 2", "SADD numbers 7 8", "HINCRBYFLOAT hash n 0.1", "ZADD scores INCR 1 one", "ZPOPMAX scores",
  "XADD stream 2-1 a b", "EXPIRE text 100", "DEL text list nothing", "GETDEL text", "RENAME text other", "FLUSHALL",
];

/**
 * All command lines.
 *
 * @param scriptFile A file with a Lua script.
 */
export function commandLines(scriptFile: string): CommandLine[] {
  const lines: CommandLine[] = [];
  for (const format of FORMATS) {
    // What differs by protocol is the same in these two as in JSON.
    const isAlike = format === "--csv" || format === "--quoted-json";
    for (const protocol of isAlike ? ["-3"] : ["-2", "-3"]) {
      for (const command of READING) {
        // Over RESP3, redis-cli waits for a reply that doesn't come.
        if (command.startsWith("UNSUBSCRIBE") && protocol === "-3") continue;
        lines.push({ args: [protocol, format, ...command.split(" ")] });
      }
      for (const command of COUNTING) {
        lines.push({ args: [protocol, format, ...command.split(" ")], counts: true });
      }
    }
    if (isAlike) continue;
    for (const command of WRITING) {
      lines.push({ args: [format, ...command.split(" ")], changes: true });
    }
  }
  return [...lines, ...optionLines(scriptFile), ...inputLines()];
}

function optionLines(scriptFile: string): CommandLine[] {
  const eval_ = (...words: string[]): CommandLine => ({ args: ["--eval", scriptFile, ...words] });
  const typed: CommandLine[] = [
    ["--raw", "--no-raw", "GET", "text"],
    ["--csv", "--raw", "GET", "tab"],
    ["--json", "--csv", "HGETALL", "hash"],
    ["-3", "--json", "HGETALL", "hash"],
    ["-2", "--json", "HGETALL", "hash"],
    ["-r", "3", "PING"],
    ["-r", "3", "-i", "0.01", "PING", "x"],
    ["-r", "0", "PING"],
    ["-r", "2", "NOSUCHCOMMAND"],
    ["-e", "-r", "2", "NOSUCHCOMMAND"],
    ["-e", "GET", "text"],
    ["-e", "--json", "GET", "list"],
    ["-d", ", ", "LRANGE", "list", "0", "-1"],
    ["-d", "", "-D", "", "LRANGE", "list", "0", "-1"],
    ["-D", "--", "-r", "2", "LRANGE", "list", "0", "-1"],
    ["-D", "--", "--csv", "LRANGE", "list", "0", "-1"],
    ["-3", "-d", "|", "HGETALL", "hash"],
    ["-n", "3", "GET", "text"],
    ["-n", "99", "GET", "text"],
    ["-n", "-1", "PING"],
    ["-n", "99", "-3", "HGETALL", "hash"],
    ["-a", "wrong", "PING"],
    ["--pass", "wrong", "--no-auth-warning", "PING"],
    ["--user", "nobody", "--pass", "x", "PING"],
    ["--user", "default", "PING"],
    ["--no-auth-warning", "-a", "wrong", "-n", "3", "GET", "text"],
    ["--quoted-input", "GET", '"te\\x78t"'],
    ["--quoted-input", "GET", "'text'"],
    ["--quoted-input", "GET", '"text'],
    ["--quoted-input", "GET", "a b"],
    ["--quoted-input", "GET", ""],
    ["GET", '"te\\x78t"'],
    ["GET", '{"\\x41"}'],
    ["--verbose", "GET", "text"],
    ["--show-pushes", "yes", "GET", "text"],
    ["--show-pushes", "no", "-3", "GET", "text"],
    ["get", "text"],
    ["GeT", "--raw"],
    ["ECHO", "-3"],
    ["ECHO", ""],
    [""],
    ["-x", "-X", "a", "GET"],
    ["-2", "-3", "PING"],
    ["-c", "PING"],
    ["--rdb", "a", "--functions-rdb", "b"],
    ["-X"],
    ["-h"].concat("nowhere.invalid", "-p"),
    ["--no-such-option"],
    ["-"],
    ["--"],
    ["--eval"],
    ["-u", "http://localhost", "PING"],
    ["-u", "redis://a%4@h", "PING"],
    ["-u", "redis://a%zz@h", "PING"],
  ].map((args) => ({ args }));
  return [
    ...typed,
    eval_(),
    eval_("k1", "k2", ",", "a", ","),
    eval_(",", "a"),
    eval_("k1,", "a"),
    { args: ["--csv", ...eval_("k", ",", "a").args] },
    { args: ["-r", "2", ...eval_("k").args] },
    { args: ["-a", "wrong", ...eval_("k").args] },
    { args: ["--eval", "no/such/file.lua"] },
    { args: ["-x", "SET", "text"], input: "from\xff\n\0input\n", changes: true },
    { args: ["-x", "SET", "text"], input: "", changes: true },
    { args: ["-X", "tag", "SET", "tag", "tag"], input: "k", changes: true },
    { args: ["-X", "tag", "SET", "a", "b"], input: "k" },
    { args: ["-x", "--json", "ECHO"], input: "\xff\n" },
    { args: ["GET", "tab"], variables: { FAKETTY: "1" } },
    { args: ["--raw", "GET", "tab"], variables: { FAKETTY: "1" } },
    { args: ["LRANGE", "list", "0", "-1"], variables: { FAKETTY: "1" } },
    { args: ["-3", "HGETALL", "hash"], variables: { FAKETTY: "1" } },
    { args: ["PING"], variables: { REDISCLI_AUTH: "wrong" } },
    { args: ["-a", "other", "PING"], variables: { REDISCLI_AUTH: "wrong" } },
  ];
}

/** Lines on standard input, each a command. */
function inputLines(): CommandLine[] {
  const inputs = [
    "",
    "\n\n",
    "PING",
    "PING\n",
    "PING\r\nGET text\r\n",
    'SET "a b" \'it\\\'s\'\nGET "a b"\n',
    'GET "te\\x78t"\n',
    'GET "text\nGET \'text\nGET "text"x\nPING\n',
    "NOSUCHCOMMAND\nPING\n",
    "3 PING\n",
    "0 PING\n-1 PING\n99999999999999999999 PING\n",
    "2 NOSUCHCOMMAND\n",
    "5\n",
    "quit\nPING\n",
    "EXIT\nPING\n",
    ":set hints\n:set nothing\n:nothing\nPING\n",
    "SELECT 3\nGET text\nSELECT 99\nSELECT 0\nGET text\n",
    "MULTI\nGET text\nINCR number\nEXEC\nGET number\n",
    "MULTI\nSELECT 3\nDISCARD\nGET text\n",
    "MULTI\nNOSUCHCOMMAND\nEXEC\nPING\n",
    "HELLO 3\nHGETALL hash\nRESET\nHGETALL hash\n",
    "AUTH wrong\nPING\n",
    "HELLO 3\nCLIENT TRACKING ON\nGET text\nSET text x\nPING\n",
    "SET utf \xc3\xbc\xff\nGET utf\n",
    "LRANGE list 0 -1\nHGETALL hash\nGET missing\n",
    "LOLWUT VERSION 5 1 1 1\nPING\n",
    "DEBUG PROTOCOL bignum\nPING\n",
    "DEBUG PROTOCOL map\nPING\n",
    "CONFIG GET hz\n  PING  \n\tPING\n",
  ];
  const options = [
    [],
    ["--no-raw"],
    ["--csv"],
    ["-3", "--json"],
    ["-n", "3"],
    ["-e"],
    ["-r", "2"],
    [
      "--no-raw",
      "--show-pushes",
      "yes",
    ],
  ];
  return inputs.flatMap((input) =>
    options.map((args): CommandLine => ({
      args,
      input,
      changes: /SET |INCR /.test(input),
      counts: input.includes("HELLO"),
    }))
  );
}
