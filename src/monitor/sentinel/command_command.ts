/**
 * COMMAND: which commands there are. They are those of redis-sentinel, by which clients and tests know one.
 *
 * @module
 */
import type { SentinelCall } from "./call.ts";
import { globMatcher } from "./glob.ts";

/** Commands by name: how many words they have, their flags, and their subcommands. */
const TABLE: Readonly<Record<string, readonly [number, string, string]>> = {
  "acl": [
    -2,
    "",
    "cat deluser dryrun genpass getuser help list load log save setuser users whoami",
  ],
  "auth": [-2, "noscript loading stale fast no_auth allow_busy", ""],
  "client": [
    -2,
    "",
    "caching getname getredir help id info kill list no-evict pause reply setname tracking trackinginfo unblock unpause",
  ],
  "command": [-1, "loading stale", "count docs getkeys getkeysandflags help info list"],
  "hello": [-1, "noscript loading stale fast no_auth allow_busy", ""],
  "info": [-1, "loading stale", ""],
  "ping": [-1, "fast", ""],
  "psubscribe": [-2, "pubsub noscript loading stale", ""],
  "publish": [3, "pubsub loading stale fast", ""],
  "punsubscribe": [-1, "pubsub noscript loading stale", ""],
  "role": [1, "noscript loading stale fast", ""],
  "sentinel": [
    -2,
    "admin only_sentinel",
    "ckquorum config debug failover flushconfig get-master-addr-by-name help info-cache is-master-down-by-addr master " +
    "masters monitor myid pending-scripts remove replicas reset sentinels set simulate-failure slaves",
  ],
  "shutdown": [-1, "admin noscript loading stale no_multi allow_busy", ""],
  "subscribe": [-2, "pubsub noscript loading stale", ""],
  "unsubscribe": [-1, "pubsub noscript loading stale", ""],
};

/** Answers COMMAND. */
export function command(call: SentinelCall): void {
  const { words, writer } = call;
  const names = Object.keys(TABLE);
  switch (words[1]?.toLowerCase()) {
    case undefined:
      return describeAll(call, names);
    case "count":
      return writer.integer(names.length);
    case "docs":
      return writer.map(0);
    case "info":
      return describeAll(call, words.length > 2 ? words.slice(2) : names);
    case "list":
      return list(call);
    case "help":
      return call.list([
        "COMMAND COUNT | DOCS | INFO [<name> ...] | LIST [FILTERBY PATTERN <pattern>]",
      ]);
    default:
      return call.error(`unknown subcommand '${words[1].slice(0, 128)}'. Try COMMAND HELP.`);
  }
}

function list(call: SentinelCall): void {
  const { words } = call;
  const all = Object.entries(TABLE).flatMap(([name, [, , subcommands]]) => [
    name,
    ...(subcommands === "" ? [] : subcommands.split(" ")).map((sub) => `${name}|${sub}`),
  ]);
  if (words.length === 2) return call.list(all);
  const filtered = words.length === 5 && words[2].toLowerCase() === "filterby" &&
    words[3].toLowerCase() === "pattern";
  if (!filtered) return call.error("syntax error");
  call.list(all.filter(globMatcher(words[4], true)));
}

function describeAll({ writer }: SentinelCall, names: readonly string[]): void {
  writer.array(names.length);
  for (const given of names) {
    const name = given.toLowerCase();
    if (!Object.hasOwn(TABLE, name)) {
      writer.nullArray();
      continue;
    }
    const [arity, flags] = TABLE[name];
    const words = flags === "" ? [] : flags.split(" ");
    writer.array(10);
    writer.bulk(name);
    writer.integer(arity);
    writer.set(words.length);
    for (const word of words) writer.simple(word);
    for (let position = 0; position < 3; position++) writer.integer(0);
    writer.set(0);
    for (let rest = 0; rest < 3; rest++) writer.array(0);
  }
}
