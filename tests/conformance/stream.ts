/**
 * Runs a stream of steps on both servers and says where they first disagree.
 *
 * @module
 */

import { latin1Text } from "../../src/client/quoting.ts";
import { parseReply, type ReplyNode } from "../support/reference_redis.ts";
import { canonical, sameReply } from "./comparison.ts";
import { COMPARED_EVENTS } from "./event_listener.ts";
import type { Answers, Peer, Peers } from "./peers.ts";
import { encodeStep, nameOf, ReplyMode, type Step } from "./step.ts";

/** Where the servers disagree. */
export interface Disagreement {
  /** Index of the step. */
  readonly index: number;
  /** The step, or what was looked at when all of them were done. */
  readonly step: Step;
  /** What redis-server replied. */
  readonly expected: string;
  /** What miniredis replied. */
  readonly actual: string;
}

/** Most steps that are sent at once... */
const BATCH_STEPS = 200;
/** ... and most bytes. */
const BATCH_BYTES = 1 << 20;
const PING = encodeStep({ words: ["PING"] });
const OK = "+OK\r\n";
const SCAN_LIMIT = 100_000;
/** So many events are shown from the one before the first that differs on. */
const SHOWN_EVENTS = 4;
/** What payloads of hash tables start with. */
const HASH_TABLES = "\x02\x04";
/** So many values of a database go from one server to the other. */
const MOST_EXCHANGED = 50;
/** The key that they get there. */
const EXCHANGED = "!exchanged";

/**
 * SORT in Redis looks whether `errno` says that a number is out of range, and never clears it. So it says so of numbers that are
 * fine if another command has read one that isn't, in whatever pipeline before. This reads one that is fine, and clears it.
 */
const CLEARS_ERRNO: Step = { words: ["ZUNION", "1", "!nosuch", "WEIGHTS", "1"] };

/** Brings both servers back to where they were after their start. */
export async function startAfresh(peers: Peers): Promise<void> {
  await both(peers, (peer) => peer.reconnect());
  // A server that is about to crash may still have taken the connection.
  if ((await peers.miniredis.exchange(PING, 1)).trouble !== undefined) {
    await both(peers, (peer) => peer.reconnect());
  }
  const words = [
    ["FLUSHALL"],
    ["DEBUG", "SET-ACTIVE-EXPIRE", "0"],
    [
      "CONFIG",
      "SET",
      "hz",
      "10",
      "loglevel",
      "notice",
      "timeout",
      "0",
      "hll-sparse-max-bytes",
      "3000",
    ],
    ["CONFIG", "SET", "list-max-listpack-size", "-2"],
    ["CONFIG", "SET", "set-max-intset-entries", "512"],
    ["CONFIG", "SET", "hash-max-listpack-entries", "512", "hash-max-listpack-value", "64"],
    ["CONFIG", "SET", "zset-max-listpack-entries", "128", "zset-max-listpack-value", "64"],
    ["CONFIG", "SET", "stream-node-max-entries", "100"],
    // What is slow is another command each time.
    ["CONFIG", "SET", "slowlog-log-slower-than", "-1"],
    ["SLOWLOG", "RESET"],
    ["CONFIG", "RESETSTAT"],
    ["CONFIG", "SET", "notify-keyspace-events", COMPARED_EVENTS],
  ];
  for (const step of words) await both(peers, (peer) => ask(peer, { words: step }));
  if (await checkMemory(peers, 0, new ReplyMode()) !== undefined) {
    await peers.restart();
    for (const step of words) await ask(peers.miniredis, { words: step });
  }
  await both(peers, (peer) => peer.events.open());
}

/** Runs `steps`, which go on from what is in the servers; the first disagreement, if there is one. */
export async function runSteps(
  peers: Peers,
  steps: readonly Step[],
): Promise<Disagreement | undefined> {
  const mode = { current: new ReplyMode() };
  for (let from = 0; from < steps.length;) {
    const special = isSpecial(steps[from]);
    let to = from + 1;
    let bytes = 0;
    while (!special && to < steps.length && !isSpecial(steps[to]) && to - from < BATCH_STEPS) {
      bytes += steps[to - 1].words.reduce((sum, word) => sum + word.length, 0);
      if (bytes > BATCH_BYTES) break;
      to++;
    }
    const found = steps[from].toCompletion
      ? await compareScans(peers, steps[from], from, mode.current)
      : await compareBatch(peers, steps, from, to, mode.current);
    const difference = found ?? await compareEvents(peers, to - 1);
    if (difference !== undefined) return difference;
    if (nameOf(steps[from]) === "quit") {
      await both(peers, (peer) => peer.reconnect());
      mode.current = new ReplyMode();
    }
    const broken = await checkMemory(peers, to - 1, mode.current);
    if (broken !== undefined) return broken;
    from = to;
  }
  return undefined;
}

/** Compares all that is in the servers, and has miniredis check itself. */
export async function compareContents(
  peers: Peers,
  index: number,
): Promise<Disagreement | undefined> {
  await both(peers, (peer) => peer.reconnect());
  const unlimited = { words: ["CONFIG", "SET", "maxmemory", "0"] };
  await both(peers, (peer) => ask(peer, unlimited));
  for (let database = 0; database < 16; database++) {
    const select = { words: ["SELECT", String(database)] };
    await both(peers, (peer) => ask(peer, select));
    const list = { words: ["KEYS", "*"] };
    const keys = parseReply(await ask(peers.redis, list)).items.map((item) => item.text!);
    const steps: Step[] = [list];
    for (const key of keys) {
      const type = parseReply(await ask(peers.redis, { words: ["TYPE", key] })).text!;
      steps.push({ words: ["TYPE", key] }, { words: ["OBJECT", "ENCODING", key] });
      steps.push({ words: ["PEXPIRETIME", key] }, ...wholeValue(type, key));
      steps.push({ words: ["DEBUG", "DIGEST-VALUE", key] });
    }
    // Expired keys that nobody has asked for count as long as they are there.
    steps.push({ words: ["DBSIZE"] });
    const found = await runSteps(peers, steps) ?? await exchangeValues(peers, keys);
    if (found !== undefined) {
      return {
        ...found,
        index,
        step: { words: ["SELECT", String(database), ";", ...found.step.words] },
      };
    }
  }
  return undefined;
}

/** Restores what each server dumps into the other, and compares what becomes of it. */
async function exchangeValues(
  peers: Peers,
  keys: readonly string[],
): Promise<Disagreement | undefined> {
  for (const key of keys.slice(0, MOST_EXCHANGED)) {
    const dump = { words: ["DUMP", key] };
    const [theirs, ours] = await both(peers, (peer) => ask(peer, dump));
    const restore = (dumped: string) => ({
      words: ["RESTORE", EXCHANGED, "0", parseReply(dumped).text!, "REPLACE"],
    });
    const [first, second] = await Promise.all([
      ask(peers.redis, restore(ours)),
      ask(peers.miniredis, restore(theirs)),
    ]);
    if (first !== OK || second !== OK) {
      return {
        index: 0,
        step: dump,
        expected: `${first}: ${ours}`,
        actual: `${second}: ${theirs}`,
      };
    }
    const words = [["OBJECT", "ENCODING"], ["DEBUG", "DIGEST-VALUE"], ["DEL"]];
    // What was a hash table has its elements in any order, and may now be a listpack of that order.
    if (!HASH_TABLES.includes(parseReply(theirs).text![0])) words.unshift(["DUMP"]);
    const found = await runSteps(peers, words.map((word) => ({ words: [...word, EXCHANGED] })));
    if (found !== undefined) {
      return { ...found, step: { words: [...dump.words, ";", ...found.step.words] } };
    }
  }
  return undefined;
}

/** Steps whose replies are all that a value of this type holds. */
function wholeValue(type: string, key: string): Step[] {
  switch (type) {
    case "list":
      return [{ words: ["LRANGE", key, "0", "-1"] }];
    case "set":
      return [{ words: ["SMEMBERS", key] }];
    case "hash":
      return [{ words: ["HGETALL", key] }];
    case "zset":
      return [{ words: ["ZRANGE", key, "0", "-1", "WITHSCORES"] }];
    case "stream":
      return [{ words: ["XRANGE", key, "-", "+"] }, { words: ["XINFO", "GROUPS", key] }];
    default:
      return [{ words: ["GET", key] }];
  }
}

/** Compares what has happened to keys since the last time; `index` is that of the last step. */
async function compareEvents(peers: Peers, index: number): Promise<Disagreement | undefined> {
  const [expected, actual] = await both(peers, (peer) => peer.events.take());
  if (expected === undefined || actual === undefined) {
    await both(peers, (peer) => peer.events.open());
    return undefined;
  }
  const at = expected.findIndex((event, place) => event !== actual[place]);
  if (at < 0 && expected.length === actual.length) return undefined;
  const from = Math.max(0, (at < 0 ? expected.length : at) - 1);
  const shown = (events: readonly string[]) => events.slice(from, from + SHOWN_EVENTS).join(", ");
  const step = { words: ["(events)"] };
  return { index, step, expected: shown(expected), actual: shown(actual) };
}

/** Has miniredis compare everything in its memory with everything else. */
async function checkMemory(
  peers: Peers,
  index: number,
  mode: ReplyMode,
): Promise<Disagreement | undefined> {
  const step = { words: ["DEBUG", "CHECK"] };
  if (!mode.open) return undefined;
  const { replies, trouble } = await peers.miniredis.exchange(encodeStep(step), 1);
  const actual = trouble ?? latin1Text(replies[0]);
  return actual === OK ? undefined : { index, step, expected: OK, actual };
}

async function both<T>(peers: Peers, work: (peer: Peer) => Promise<T>): Promise<[T, T]> {
  return await Promise.all([work(peers.redis), work(peers.miniredis)]);
}

/** A step that doesn't fit in a pipeline: it goes on depending on a reply, or ends the connection. */
function isSpecial(step: Step): boolean {
  return step.toCompletion === true || nameOf(step) === "quit";
}

/** A step and what has to be sent before it. */
function withPreparation(step: Step): readonly Step[] {
  return /^sort(_ro)?$/.test(nameOf(step)) ? [CLEARS_ERRNO, step] : [step];
}

async function compareBatch(
  peers: Peers,
  steps: readonly Step[],
  from: number,
  to: number,
  mode: ReplyMode,
): Promise<Disagreement | undefined> {
  const parts: Uint8Array[] = [];
  const answered: number[] = [];
  const ran: (readonly Step[])[] = [];
  for (let index = from; index < to; index++) {
    for (const sent of withPreparation(steps[index])) {
      parts.push(encodeStep(sent));
      for (let replies = mode.answers(sent); replies > 0; replies--) {
        answered.push(index);
        ran.push(mode.ran);
      }
    }
  }
  const request = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  const [expected, actual] = await both(peers, (peer) => peer.exchange(request, answered.length));
  for (let index = 0; index < answered.length; index++) {
    const step = steps[answered[index]];
    const [left, right] = [expected.replies[index], actual.replies[index]];
    const answers = left !== undefined && right !== undefined;
    if (!answers || !sameReply(step, left, right, ran[index])) {
      return {
        index: answered[index],
        step,
        expected: shown(expected, index),
        actual: shown(actual, index),
      };
    }
  }
  return undefined;
}

function shown(answers: Answers, index: number): string {
  const reply = answers.replies[index];
  return reply === undefined ? `(${answers.trouble})` : latin1Text(reply);
}

async function compareScans(
  peers: Peers,
  step: Step,
  index: number,
  mode: ReplyMode,
): Promise<Disagreement | undefined> {
  // A client that gets no replies can't go on with a cursor.
  if (!mode.open) return undefined;
  const [expected, actual] = await both(peers, (peer) => scan(peer, step));
  return expected === actual ? undefined : { index, step, expected, actual };
}

/** All that a SCAN finds, in order and once. */
async function scan(peer: Peer, step: Step): Promise<string> {
  const found = new Set<string>();
  let cursor = "0";
  for (let calls = 0; calls < SCAN_LIMIT; calls++) {
    const words = step.words.with(nameOf(step) === "scan" ? 1 : 2, cursor);
    const reply = await ask(peer, { words });
    const [next, keys]: readonly ReplyNode[] = parseReply(reply).items;
    if (next === undefined) return reply;
    for (const item of keys.items) found.add(canonical(item, false));
    cursor = next.text!;
    if (cursor === "0") return [...found].sort().join("\n");
  }
  return `no end after ${SCAN_LIMIT} calls`;
}

async function ask(peer: Peer, step: Step): Promise<string> {
  const { replies, trouble } = await peer.exchange(encodeStep(step), 1);
  if (trouble !== undefined) throw new Error(`${peer.name}: ${trouble}`);
  return latin1Text(replies[0]);
}
