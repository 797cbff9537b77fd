/**
 * How a random command of each kind is made.
 *
 * @module
 */

import type { Step } from "./step.ts";
import { Values } from "./values.ts";

/** Makes the words behind a command's name. */
type Recipe = (values: Values) => string[];

const UNITS = ["EX", "PX", "EXAT", "PXAT"] as const;
const SET_WORDS = ["NX", "XX", "GET", "KEEPTTL", "PERSIST", "EX", "FOO"];
// deno-fmt-ignore
const SETTING_NAMES = [
  "maxclients", "timeout", "hz", "loglevel", "databases", "nosuch", "HZ", "requirepass", "proto-max-bulk-len",
  "client-query-buffer-limit",
];
// deno-fmt-ignore
const SETTING_PAIRS: readonly (readonly string[])[] = [
  ["timeout", "0"], ["timeout", "-1"], ["timeout", "abc"], ["hz", "10"], ["HZ", "20"], ["hz", "1", "hz", "2"],
  ["loglevel", "notice"], ["loglevel", "foo"], ["LOGLEVEL", "WARNING"], ["databases", "5"], ["nosuch", "1"],
  ["hz"], ["hz", "10", "timeout"], ["proto-max-bulk-len", "foo"],
  ["client-query-buffer-limit", "1gb"], ["maxclients", "0"],
  ["hz", "10", "nosuch", "1"], ["hz", "12", "timeout", "abc"], ["protected-mode", "yes"], ["protected-mode", "1"],
  ["timeout", "9999999999"], ["timeout", ""], ["timeout", "1.5"],
];
// deno-fmt-ignore
const INNER_CALLS: readonly (readonly string[])[] = [
  ["get", "a"], ["mset", "a", "1", "b", "2"], ["mset", "a"], ["set", "a", "1", "GET"], ["ping"], ["nosuch", "a"],
  ["copy", "a", "b"], ["object", "encoding", "a"], ["get"], ["config", "get", "a"], ["set", "a", "1", "NX"],
];
// deno-fmt-ignore
const KILLS: readonly (readonly string[])[] = [
  ["ID", "999999"], ["ID", "0"], ["ID", "-1"], ["ID", "abc"], ["1.2.3.4:5"], ["ADDR", "1.2.3.4:5"],
  ["LADDR", "1.2.3.4:5"], ["USER", "nobody"], ["TYPE", "foo"], ["TYPE", "pubsub"], ["SKIPME", "maybe"], ["FOO", "1"],
  ["ID", "999999", "TYPE"], ["TYPE", "replica", "SKIPME", "no"], ["USER", "default"], ["SKIPME", "yes"],
];
// deno-fmt-ignore
const HELLOS: readonly (readonly string[])[] = [
  [], ["2"], ["3"], ["3"], ["4"], ["1"], ["abc"], ["3", "SETNAME", "bob"], ["2", "SETNAME", "a b"], ["3", "AUTH"],
  ["3", "AUTH", "default", "x"], ["2", "AUTH", "bob", "x"], ["3", "FOO"], ["2", "SETNAME"],
  ["3", "AUTH", "default", "x", "SETNAME", "eve"], ["2", ""], ["99999999999999999999"],
];
const NAMES = ["get", "set", "mset", "ping", "nosuch", "GET", "copy", "expire", ""];
// deno-fmt-ignore
const UNKNOWN: readonly (readonly string[])[] = [
  ["foo"], ["FOO", "bar"], ["", "x"], ["gett", "a", "b"], ["set\x00", "a", "b"], ["foo\r\nbar", "x\r\ny"],
  ["x".repeat(200), "y".repeat(200), "z"], ["foo", "y".repeat(100), "z".repeat(100), "w"], ["\xff\x80", "\xff"],
  ["client", "nosuch"], ["config", "nosuch", "x"], ["object", "nosuch", "k1"], ["command", "x".repeat(200)],
  ["client", "a\r\nb"], ["client|id"], ["client", ""], ["object"], ["config"], ["foo", ""], ["client"], ["foo", "'", "a"],
];

const pairs: Recipe = (values) => values.some(1, 4, () => [values.key(), values.value()]).flat();
const keys: Recipe = (values) => values.some(1, 4, () => values.key());
const key: Recipe = (values) => [values.key()];
const none: Recipe = () => [];

function timed(unit: typeof UNITS[number]): Recipe {
  return (values) => [values.key(), values.time(unit), ...values.conditions()];
}

function setOptions(values: Values): string[] {
  return values.some(0, 3, () => {
    if (values.chance(0.5)) return [values.anyCase(values.one(SET_WORDS))];
    const unit = values.one(UNITS);
    return [values.anyCase(unit), values.time(unit)];
  }).flat();
}

function scanOptions(values: Values): string[] {
  return values.some(0, 2, () => {
    const kind = values.below(4);
    if (kind === 0) return ["MATCH", values.pattern()];
    if (kind === 1) return ["COUNT", values.one(["1", "5", "100", "1000"])];
    if (kind === 2) return ["TYPE", values.one(["string", "list", "STRING", "nosuch"])];
    return values.one([["COUNT", "0"], ["COUNT", "-1"], ["COUNT", "a"], ["FOO"], ["MATCH"]]);
  }).flat();
}

function helloOrClient(words: readonly (readonly string[])[]): Recipe {
  return (values) => [...values.one(words)];
}

/** All commands by name (`config|get` for a subcommand), with a weight and the way to make one. */
export const RECIPES: Readonly<Record<string, readonly [weight: number, recipe: Recipe]>> = {
  "set": [30, (values) => [values.key(), values.value(), ...setOptions(values)]],
  "get": [15, key],
  "getdel": [4, key],
  "getex": [
    10,
    (values) => [values.key(), ...values.chance(0.3) ? ["PERSIST"] : setOptions(values)],
  ],
  "getset": [4, (values) => [values.key(), values.value()]],
  "mset": [5, pairs],
  "mget": [5, keys],
  "msetnx": [4, pairs],
  "setnx": [4, (values) => [values.key(), values.value()]],
  "setex": [4, (values) => [values.key(), values.time("EX"), values.value()]],
  "psetex": [4, (values) => [values.key(), values.time("PX"), values.value()]],
  "incr": [8, key],
  "decr": [8, key],
  "incrby": [8, (values) => [values.key(), values.integer()]],
  "decrby": [8, (values) => [values.key(), values.integer()]],
  "incrbyfloat": [12, (values) => [values.key(), values.float()]],
  "append": [10, (values) => [values.key(), values.value()]],
  "strlen": [5, key],
  "getrange": [8, (values) => [values.key(), values.integer(), values.integer()]],
  "substr": [2, (values) => [values.key(), values.integer(), values.integer()]],
  "setrange": [10, (values) => [values.key(), values.offset(), values.value()]],
  "del": [5, keys],
  "unlink": [3, keys],
  "exists": [4, keys],
  "touch": [2, keys],
  "expire": [5, timed("EX")],
  "pexpire": [5, timed("PX")],
  "expireat": [6, timed("EXAT")],
  "pexpireat": [6, timed("PXAT")],
  "ttl": [3, key],
  "pttl": [3, key],
  "expiretime": [3, key],
  "pexpiretime": [3, key],
  "persist": [4, key],
  "type": [3, key],
  "keys": [1, (values) => [values.pattern()]],
  "scan": [
    2,
    (values) =>
      values.chance(0.3)
        ? [
          values.one(["0", "a", "-0", "18446744073709551616", "", "00", "+", "1x"]),
          "COUNT",
          "100000",
        ]
        : ["0", ...scanOptions(values), "COUNT", "100000"],
  ],
  "randomkey": [1, none],
  "rename": [5, (values) => [values.key(), values.key()]],
  "renamenx": [5, (values) => [values.key(), values.key()]],
  "copy": [
    8,
    (values) => [
      values.key(),
      values.key(),
      ...values.some(0, 2, () => values.chance(0.5) ? ["REPLACE"] : ["DB", values.database()])
        .flat(),
    ],
  ],
  "move": [5, (values) => [values.key(), values.database()]],
  "object|encoding": [10, key],
  "object|freq": [1, key],
  "object|idletime": [1, key],
  "object|refcount": [1, key],
  "object|help": [0.2, none],
  "ping": [2, (values) => values.some(0, 1, () => values.text())],
  "echo": [2, (values) => [values.value()]],
  "hello": [3, helloOrClient(HELLOS)],
  "select": [5, (values) => [values.database()]],
  "quit": [0.1, none],
  "reset": [0.3, none],
  "auth": [0.5, (values) => values.one([["x"], ["default", "x"], ["bob", "x"], ["a", "b", "c"]])],
  "client|id": [0.3, none],
  "client|info": [0.3, none],
  "client|list": [
    0.5,
    helloOrClient([
      [],
      ["TYPE", "normal"],
      ["TYPE", "pubsub"],
      ["TYPE", "x"],
      ["ID", "999999"],
      [
        "ID",
      ],
      ["ID", "a"],
      ["ID", "999999", "999998"],
      ["FOO"],
      ["TYPE"],
      ["ID", "-1"],
    ]),
  ],
  "client|setname": [0.5, (values) => [values.one(["a", "", "b c", "x\n", "\xff", "~!"])]],
  "client|getname": [0.5, none],
  "client|kill": [1, helloOrClient(KILLS)],
  "client|reply": [0.5, (values) => [values.one(["ON", "SKIP", "skip", "FOO", "OFF"])]],
  "client|help": [0.1, none],
  "dbsize": [2, none],
  "flushdb": [0.3, (values) => values.one([[], ["SYNC"], ["async"], ["FOO"], ["SYNC", "ASYNC"]])],
  "flushall": [0.1, (values) => values.one([[], ["SYNC"], ["async"], ["FOO"]])],
  "swapdb": [1, (values) => [values.database(), values.database()]],
  "info": [0.2, (values) => values.one([[], ["server"], ["keyspace", "memory"], ["nosuch"]])],
  "config|get": [1, (values) => values.some(1, 3, () => values.one(SETTING_NAMES))],
  "config|set": [1, helloOrClient(SETTING_PAIRS)],
  "config|resetstat": [0.2, none],
  "config|help": [0.1, none],
  "command": [0.01, none],
  "command|count": [0.1, none],
  "command|docs": [0.3, (values) => values.some(1, 2, () => values.one(NAMES))],
  "command|getkeys": [1, helloOrClient(INNER_CALLS)],
  "command|getkeysandflags": [1, helloOrClient(INNER_CALLS)],
  "command|info": [0.5, (values) => values.some(1, 2, () => values.one(NAMES))],
  "command|list": [0.2, (values) => values.one([[], ["FILTERBY", "PATTERN", "ge*"], ["FOO"]])],
  "command|help": [0.1, none],
  "time": [0.3, none],
};

/** Commands of ours that can't be in a random stream, and why not. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  "debug": "what it tells is about the inside of one server",
  "shutdown": "it ends the stream",
};

/** Names whose arguments stay as they are: with others they would end the connection. */
const FRAGILE = new Set(["client|kill", "client|reply", "quit", "config|set"]);

/** A random number among their arguments might be a time that passes while they are compared. */
const TIMED = /^(set|getex|p?setex|p?expire)$/;

const MUTATION = 0.05;
const UNKNOWN_COMMANDS = 0.01;
const INLINE = 0.05;
const INLINE_LIMIT = 1000;
const FULL_SCANS = 0.003;
const CROWDS = 0.001;

/** Makes streams of steps. */
export class StepSource {
  readonly #values: Values;
  readonly #names: readonly string[];
  readonly #sums: readonly number[];
  readonly #waiting: Step[] = [];

  /** Draws from `random`. */
  constructor(random: () => number) {
    this.#values = new Values(random);
    this.#names = Object.keys(RECIPES);
    let sum = 0;
    this.#sums = this.#names.map((name) => sum += RECIPES[name][0]);
  }

  /** The next step. */
  next(): Step {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return waiting;
    const values = this.#values;
    if (values.chance(FULL_SCANS)) {
      const count = values.one(["1", "3", "10", "50"]);
      const match = values.chance(0.5) ? [] : ["MATCH", values.pattern()];
      return { words: ["SCAN", "0", "COUNT", count, ...match], toCompletion: true };
    }
    if (values.chance(CROWDS)) return { words: ["MSET", ...this.#crowd()] };
    if (values.chance(UNKNOWN_COMMANDS)) return { words: values.one(UNKNOWN) };
    return this.#known();
  }

  #known(): Step {
    const values = this.#values;
    const at = values.random() * this.#sums[this.#sums.length - 1];
    const name = this.#names[this.#sums.findIndex((sum) => at < sum)];
    const args = RECIPES[name][1](values);
    if (!FRAGILE.has(name) && values.chance(MUTATION)) this.#mutate(args, TIMED.test(name));
    const words = [...name.split("|").map((word) => values.anyCase(word)), ...args];
    if (name === "client|reply" && args[0] === "OFF") {
      // Otherwise nothing would be compared for long.
      this.#waiting.push({ words: ["INCR", "k1"] }, { words: ["CLIENT", "REPLY", "ON"] });
    }
    const short = words.reduce((sum, word) => sum + word.length, 0) < INLINE_LIMIT;
    return { words, inline: short && words[0] !== "" && values.chance(INLINE) };
  }

  /** Hundreds of keys, so that databases grow and SCAN has something to do. */
  #crowd(): string[] {
    const values = this.#values;
    return Array.from({ length: 100 + values.below(200) }, (_, index) => [`m:${index}`, "x"])
      .flat();
  }

  /** Takes an argument away, adds one, or puts another in its place. */
  #mutate(args: string[], timed: boolean): void {
    const values = this.#values;
    const index = values.below(args.length + 1);
    const kind = values.below(3);
    if (kind === 0) args.splice(index, 1);
    else args.splice(index, kind === 1 ? 0 : 1, timed ? "nothing" : values.value());
  }
}
