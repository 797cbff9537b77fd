/**
 * What a writer sends: all sorts of changes of keys that nobody else touches.
 *
 * What is written is the number of the operation, so that each state of a key tells which
 * operations made it. A counter is never set back and a ledger only trimmed, so that one lost or
 * doubled INCR is seen for ever after; other keys come and go.
 *
 * @module
 */

import type { RandomSource } from "../fuzz/random_source.ts";

/** The commands of one operation. */
export type Commands = readonly (readonly string[])[];

const LARGE_CHARACTERS = 100_000;
const LEDGER_LENGTH = 500;
const STREAM_LENGTH = 80;
const HASH_FIELDS = 50;
const SORTED_MEMBERS = 60;
// Long enough that none of these keys ends while a life of the server's folder is played.
const LONG_LIFE_SECONDS = 100_000;
const SHORTEST_LIFE_MS = 20;
const LONGEST_LIFE_MS = 1500;

type Maker = (key: (name: string) => string, number: number, random: RandomSource) => Commands;

/** What is sent, and how often in relation to the others. */
const makers: readonly (readonly [weight: number, make: Maker])[] = [
  [12, (key) => [["INCR", key("counter")]]],
  [14, (key, number) => [["RPUSH", key("ledger"), String(number)]]],
  [0.3, (key) => [["LTRIM", key("ledger"), String(-LEDGER_LENGTH), "-1"]]],
  [12, (key, number, random) => [["SET", key(`string:${random.below(4)}`), text(number, random)]]],
  [3, (key, number) => [["APPEND", key("text"), `${number} `]]],
  [6, (key, number, random) => [["RPUSH", key(`list:${random.below(2)}`), text(number, random)]]],
  [3, (key, _, random) => [["LPOP", key(`list:${random.below(2)}`)]]],
  [2, (key) => [["LMOVE", key("list:0"), key("list:1"), "LEFT", "RIGHT"]]],
  [7, (key, number, random) => [
    ["HSET", key(`hash:${random.below(2)}`), `field${random.below(HASH_FIELDS)}`, String(number)],
  ]],
  [3, (key, _, random) => [
    ["HDEL", key(`hash:${random.below(2)}`), `field${random.below(HASH_FIELDS)}`],
  ]],
  [6, (key, number, random) => [
    ["ZADD", key(`sorted:${random.below(2)}`), String(number), member(random)],
  ]],
  [3, (key, _, random) => [["ZREM", key(`sorted:${random.below(2)}`), member(random)]]],
  [6, (key, number) => [["SADD", key("set"), String(number)]]],
  [4, (key) => [["SPOP", key("set")]]],
  [6, (key, number, random) => [[
    "XADD",
    key(`stream:${random.below(2)}`),
    "MAXLEN",
    String(STREAM_LENGTH),
    "*",
    "number",
    String(number),
  ]]],
  [6, (key, number) => [
    ["RPUSH", key("pair:left"), String(number)],
    ["RPUSH", key("pair:right"), String(number)],
  ]],
  [2, (key, number, random) => [
    ["SET", key(`string:${random.below(4)}`), text(number, random)],
    ["INCR", key("counter")],
    ["HSET", key("hash:0"), "pair", String(number)],
    ["SADD", key("set"), String(number)],
    ["SPOP", key("set")],
  ]],
  [0.2, (key) => [["DEL", key("pair:left")], ["DEL", key("pair:right")]]],
  [2, (key, _, random) => [["DEL", key(random.pick(PASSING_KEYS))]]],
  [3, (key, number, random) => [
    ["EXPIRE", key(random.pick(PASSING_KEYS)), String(LONG_LIFE_SECONDS + number)],
  ]],
  [1, (key, _, random) => [["PERSIST", key(random.pick(PASSING_KEYS))]]],
  // Each has a name of its own: a key that may be gone already would make all that follows a guess.
  [2, (key, number, random) => {
    const lifeMs = random.between(SHORTEST_LIFE_MS, LONGEST_LIFE_MS);
    return [["SET", key(`brief:${number}`), String(number), "PX", String(lifeMs)]];
  }],
  [0.15, (key, number, random) => [["SET", key(`large:${random.below(2)}`), largeText(number)]]],
];

const TOTAL_WEIGHT = makers.reduce((sum, [weight]) => sum + weight, 0);

const PASSING_KEYS = [
  "string:0",
  "string:1",
  "text",
  "list:0",
  "list:1",
  "hash:0",
  "hash:1",
  "sorted:0",
  "sorted:1",
  "set",
  "stream:0",
  "stream:1",
  "large:0",
  "large:1",
];

/** Which writer a key belongs to, or undefined if its name is nothing that a writer uses. */
export function writerOfKey(key: string): number | undefined {
  const match = /^writer(\d+):/.exec(key);
  return match === null ? undefined : Number(match[1]);
}

/** Makes up the operation of this number for a writer. */
export function makeCommands(writer: number, number: number, random: RandomSource): Commands {
  let left = random.below(TOTAL_WEIGHT * 1000) / 1000;
  for (const [weight, make] of makers) {
    left -= weight;
    if (left < 0) return make((name) => `writer${writer}:${name}`, number, random);
  }
  throw new Error("the weights don't add up");
}

function member(random: RandomSource): string {
  return `member${random.below(SORTED_MEMBERS)}`;
}

/** Some texts look like the file's own format, which a reader must not mistake for it. */
function text(number: number, random: RandomSource): string {
  switch (random.below(8)) {
    case 0:
      return `${number}\r\n*3\r\n$3\r\nSET\r\n`;
    case 1:
      return `${number} äöü €\0`;
    case 2:
      return `${number}${".".repeat(random.below(400))}`;
    default:
      return String(number);
  }
}

function largeText(number: number): string {
  return `${number} `.repeat(Math.ceil(LARGE_CHARACTERS / (String(number).length + 1)));
}
