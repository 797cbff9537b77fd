/**
 * When two replies are the same: byte for byte, but for what Redis leaves open.
 *
 * Open are the order of keys, a clock that is read twice, and what names one server or connection:
 * ids, addresses, counters.
 *
 * @module
 */

import { ALL_SPECS, type SpecTable } from "../../src/commands/specs/mod.ts";
import { latin1Text } from "../../src/client/quoting.ts";
import { parseReply, type ReplyNode } from "../support/reference_redis.ts";
import { dumpText } from "./dump_text.ts";
import { splitMessages } from "./messages.ts";
import { nameOf, type Step } from "./step.ts";

/** Times to live may differ by so many seconds: the servers don't run a command at the same time. */
const TOLERANCE_SECONDS = 10;
const SECONDS = new Set(["ttl", "expiretime"]);
const MILLISECONDS = new Set(["pttl", "pexpiretime"]);
/** Their arrays have no order. */
const UNORDERED = new Set([
  ...["keys", "scan", "command|info", "command|docs"],
  ...["pubsub|channels", "pubsub|shardchannels", "smembers"],
  ...["sinter", "sunion", "sdiff", "sscan", "spop", "hkeys", "hvals"],
]);
/** Their arrays are names and values in turn, in no order. */
const PAIRED = new Set(["config|get", "hgetall"]);
/** Scans, of the keys or of a collection. */
const SCAN = /^[hsz]?scan$/;
/** Elements at random: only how many there are, and of which kind, is compared. */
const RANDOM = new Set(["srandmember", "hrandfield", "zrandmember"]);
/** They tell when entries were delivered and consumers seen, or how long ago that was. */
const TIMED = new Set(["xpending", "xinfo|stream", "xinfo|consumers"]);
/** Descriptions of commands are in our own words: what follows these names isn't compared. */
const OWN_WORDS = new Set(["summary", "complexity", "notes", "history"]);
/** The reply says something about one server: only its form is compared. */
const FORM_ONLY = new Set([
  "time",
  "randomkey",
  "info",
  "command",
  "command|count",
  "command|list",
  "command|help",
  "client|id",
  "client|help",
  "config|help",
  "slowlog|help",
  "latency|help",
  "latency|doctor",
  "latency|histogram",
  "module|help",
  "lolwut",
  "memory|doctor",
  "memory|help",
  "memory|malloc-stats",
  "memory|stats",
  "memory|usage",
  // Redis shares small integers among keys and counts that; nobody should build upon it.
  "object|refcount",
  "object|help",
  "xgroup|help",
  "xinfo|help",
  "pubsub|help",
  "object|idletime",
]);

/** Whether both servers may have replied so to `step`, which has run the steps in `ran` if it is an EXEC. */
export function sameReply(
  step: Step,
  expected: Uint8Array,
  actual: Uint8Array,
  ran: readonly Step[],
): boolean {
  if (sameBytes(expected, actual)) return true;
  const [first, second] = [expected, actual].map(splitMessages);
  // Which of the patterns that a channel matches comes first is open.
  if (first.messages.toSorted().join("") !== second.messages.toSorted().join("")) return false;
  const [left, right] = [first, second].map(({ reply }) => parseReply(latin1Text(reply)));
  const parts = ran.length;
  if (parts === 0 || left.items.length !== parts || right.items.length !== parts) {
    return sameNode(step, left, right);
  }
  return ran.every((inner, index) => sameNode(inner, left.items[index], right.items[index]));
}

function sameNode(step: Step, left: ReplyNode, right: ReplyNode): boolean {
  if (canonical(left, false) === canonical(right, false)) return true;
  const name = fullName(step);
  if (left.marker !== right.marker || isError(left)) return false;
  if (SECONDS.has(name)) return sameTime(left, right, TOLERANCE_SECONDS);
  if (MILLISECONDS.has(name)) return sameTime(left, right, TOLERANCE_SECONDS * 1000);
  if (name === "info" && /^(errorstats|commandstats)$/i.test(step.words.slice(1).join(" "))) {
    return counts(left.text!) === counts(right.text!);
  }
  if (FORM_ONLY.has(name)) return (left.text === null) === (right.text === null);
  if (SCAN.test(name) && !isWholeScan(step)) return true;
  // Of all commands, of which Redis has more.
  if (/^command\|(info|docs)$/.test(name) && step.words.length === 2) return true;
  if (name === "dump" && left.text !== null && right.text !== null) {
    return dumpText(left.text) === dumpText(right.text);
  }
  // Texts that are the same up to a zero byte are equal to the collation of C.
  if (/^sort(_ro)?$/.test(name) && [left, right].some(hasZero)) return true;
  if (PAIRED.has(name)) {
    return canonical({ ...left, marker: "%" }, true) === canonical({ ...right, marker: "%" }, true);
  }
  if (RANDOM.has(name)) return shape(left) === shape(right);
  if (TIMED.has(name)) {
    return canonical(withTimesOf(right, left), false) === canonical(right, false);
  }
  if (name === "hscan" || name === "zscan") {
    return canonical(pairsFound(left), true) === canonical(pairsFound(right), true);
  }
  if (UNORDERED.has(name)) return canonical(left, true) === canonical(right, true);
  if (name === "hello") return withoutId(left) === withoutId(right);
  if (name === "client|list" || name === "client|info") {
    return fieldNames(left.text!) === fieldNames(right.text!);
  }
  return false;
}

/** What is told of a stream's groups, with the times that `other` tells where they are about the same. */
function withTimesOf(other: ReplyNode, node: ReplyNode): ReplyNode {
  // What is pending: an id, perhaps a consumer, a time and a number of deliveries.
  const { length } = node.items;
  const timeAt = length === 3 || length === 4 ? length - 2 : -1;
  const items = node.items.map((item, index) => {
    const same = other.items[index];
    if (same === undefined) return item;
    const isTime = index === timeAt || /^(idle|seen-time)$/.test(node.items[index - 1]?.text ?? "");
    if (!isTime || item.marker !== ":") return withTimesOf(same, item);
    return sameTime(item, same, TOLERANCE_SECONDS * 1000) ? same : item;
  });
  return { ...node, items };
}

/** What a scan of a hash or sorted set has found, with the fields and their values as a map. */
function pairsFound(node: ReplyNode): ReplyNode {
  const [cursor, found] = node.items;
  return { ...node, items: [cursor, { ...found, marker: "%" }] };
}

/** A reply without what its parts say. */
function shape(node: ReplyNode): string {
  return `${node.marker}${node.text === null}[${node.items.map(shape).join(",")}]`;
}

/** A reply as text, parts sorted if their order is open; equal text means equal replies. */
export function canonical(node: ReplyNode, unordered: boolean): string {
  const items = node.items.map((item, index) =>
    OWN_WORDS.has(node.items[index - 1]?.text ?? "") ? "" : canonical(item, unordered)
  );
  // The names and values of a map stay together.
  const parts = node.marker === "%" || node.items.length > 0 && isPairs(node)
    ? items.flatMap((item, index) => index % 2 === 0 ? [`${item}=${items[index + 1]}`] : [])
    : items;
  if (unordered) parts.sort();
  return `${node.marker}${node.text === null ? "null" : JSON.stringify(node.text)}[${
    parts.join(",")
  }]`;
}

/** A RESP2 array that stands for a map, as far as can be seen: a text before each other thing. */
function isPairs(node: ReplyNode): boolean {
  return node.marker === "*" && node.items.length % 2 === 0 &&
    node.items.every((item, index) => index % 2 === 1 || item.marker === "$") &&
    node.items.some((item) => item.marker !== "$");
}

/** Whether a SCAN that isn't repeated finds everything. */
function isWholeScan(step: Step): boolean {
  const counts = step.words.filter((word) => word.toUpperCase() === "COUNT");
  const cursor = step.words[nameOf(step) === "scan" ? 1 : 2];
  return counts.length === 1 && /^[-+]?0*$/.test(cursor) &&
    step.words.slice(-2).join(" ").toUpperCase() === "COUNT 100000";
}

function fullName(step: Step): string {
  const name = nameOf(step);
  const container = Object.hasOwn(ALL_SPECS, name) &&
    (ALL_SPECS as SpecTable)[name].subcommands !== undefined;
  return container && step.words.length > 1 ? `${name}|${step.words[1].toLowerCase()}` : name;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** Whether a part of the reply has a zero byte. */
function hasZero(node: ReplyNode): boolean {
  return node.text?.includes("\0") === true || node.items.some(hasZero);
}

function isError(node: ReplyNode): boolean {
  return node.marker === "-" || node.marker === "!";
}

function sameTime(left: ReplyNode, right: ReplyNode, tolerance: number): boolean {
  const [first, second] = [Number(left.text), Number(right.text)];
  return first >= 0 && second >= 0 && Math.abs(first - second) <= tolerance;
}

/**
 * The lines of INFO with their counts but without times. DEBUG looks into miniredis alone, and a scan
 * takes as many calls as the server likes.
 */
function counts(text: string): string {
  return text.split("\r\n").filter((line) => !/^cmdstat_(debug|[hsz]?scan):/.test(line))
    .map((line) => line.replace(/usec=.*?,usec_per_call=.*?,/, "")).sort().join("\n");
}

function withoutId(hello: ReplyNode): string {
  const items = hello.items.filter((_, index) => hello.items[index - 1]?.text !== "id");
  return canonical({ ...hello, marker: "*", items }, false);
}

/** What CLIENT LIST tells of each client, without the values. */
function fieldNames(text: string): string {
  return text.split("\n").map((line) => line.replace(/=\S*/g, "")).join("\n");
}
