/**
 * The recipes of all families, and the source of random steps that follows them.
 *
 * A family of commands has a file here with its recipes; adding one is a line in {@linkcode RECIPES}.
 *
 * @module
 */

import { nameOf, type Step } from "../step.ts";
import { Values } from "../values.ts";
import { BITMAP_RECIPES } from "./bitmaps.ts";
import { CONNECTION_RECIPES } from "./connection.ts";
import { GENERIC_RECIPES } from "./generic.ts";
import { FRAGILE_GEO, GEO_RECIPES } from "./geo.ts";
import { HASH_RECIPES } from "./hashes.ts";
import { HYPERLOGLOG_RECIPES } from "./hyperloglog.ts";
import { FRAGILE_LISTS, LIST_RECIPES } from "./lists.ts";
import { MEMORY_RECIPES } from "./memory.ts";
import { PERSISTENCE_RECIPES } from "./persistence.ts";
import { OBSERVATION_RECIPES } from "./observation.ts";
import { endOf, isSubscription, PUBSUB_RECIPES } from "./pubsub.ts";
import type { RecipeTable } from "./recipe.ts";
import { SERVER_RECIPES } from "./server.ts";
import { SET_RECIPES } from "./sets.ts";
import { SORT_RECIPES } from "./sort.ts";
import { FRAGILE_SORTED_SETS, SORTED_SET_RECIPES } from "./sorted_sets.ts";
import { STREAM_RECIPES } from "./streams.ts";
import { STRING_RECIPES } from "./strings.ts";
import { TRANSACTION_RECIPES } from "./transactions.ts";

// With a zero byte behind it, no name that Redis knows: it finds one where both happen to fall into the same bucket.
// deno-fmt-ignore
const UNKNOWN: readonly (readonly string[])[] = [
  ["foo"], ["FOO", "bar"], ["", "x"], ["gett", "a", "b"], ["foo\x00", "a", "b"], ["foo\r\nbar", "x\r\ny"],
  ["x".repeat(200), "y".repeat(200), "z"], ["foo", "y".repeat(100), "z".repeat(100), "w"], ["\xff\x80", "\xff"],
  ["client", "nosuch"], ["config", "nosuch", "x"], ["object", "nosuch", "k1"], ["command", "x".repeat(200)],
  ["client", "a\r\nb"], ["client|id"], ["client", ""], ["object"], ["config"], ["foo", ""], ["client"], ["foo", "'", "a"],
];

/**
 * All commands by name (`config|get` for a subcommand), with a weight and the way to make one. Words behind
 * a space say for what else a family needs a command.
 */
export const RECIPES: RecipeTable = {
  ...STRING_RECIPES,
  ...BITMAP_RECIPES,
  ...HYPERLOGLOG_RECIPES,
  ...LIST_RECIPES,
  ...STREAM_RECIPES,
  ...SET_RECIPES,
  ...HASH_RECIPES,
  ...SORTED_SET_RECIPES,
  ...GEO_RECIPES,
  ...SORT_RECIPES,
  ...GENERIC_RECIPES,
  ...MEMORY_RECIPES,
  ...PERSISTENCE_RECIPES,
  ...CONNECTION_RECIPES,
  ...TRANSACTION_RECIPES,
  ...PUBSUB_RECIPES,
  ...SERVER_RECIPES,
  ...OBSERVATION_RECIPES,
};

/** Commands of ours that can't be in a random stream, and why not. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  "monitor": "its lines come between the replies, with times and addresses",
  "debug": "what it tells is about the inside of one server",
  "shutdown": "it ends the stream",
  "save": "it writes a file, whose content has tests of its own",
  "bgsave": "when it is done, and what is refused meanwhile, depends on time",
  "bgrewriteaof": "when it is done, and what is refused meanwhile, depends on time",
  "migrate": "it needs a third server; tests/conformance/migrate_test.ts has those",
  "replicaof": "it needs another server; tests/conformance/replication_test.ts has those",
  "slaveof": "likewise",
  "failover": "likewise",
  "psync": "what it replies isn't RESP",
  "sync": "likewise",
  "replconf": "some of it gets no reply",
  "lastsave": "it tells the time",
};

/** Names whose arguments stay as they are: with others they would end the connection, or be answered more than once. */
const FRAGILE = new Set([
  "client|kill",
  "client|reply",
  "client|pause",
  "client|tracking",
  "wait",
  "quit",
  "config|set",
  // What they take is chance, and a huge count of it would be no good.
  "spop",
  "sadd single",
  "srandmember",
  "hrandfield",
  ...FRAGILE_LISTS,
  ...FRAGILE_SORTED_SETS,
  ...FRAGILE_GEO,
  ...Object.keys(PUBSUB_RECIPES).filter(isSubscription),
]);

/** A random number among their arguments might be a time that passes while they are compared. */
const TIMED = /^(set|getex|p?setex|p?expire|restore)$/;

const MUTATION = 0.05;
const UNKNOWN_COMMANDS = 0.01;
const INLINE = 0.05;
const INLINE_LIMIT = 1000;
const FULL_SCANS = 0.003;
const CROWDS = 0.001;
const FAVOUR = 10;

/** Most commands in a transaction, or before a subscription ends. */
const FEW_STEPS = 6;
/**
 * After EXEC nobody would know where its reply ends if some of it was left out, or after the connection did, or if a
 * message stood within it.
 */
const UNQUEUED = /^(client reply|quit|reset|s?publish|[ps]?(un)?subscribe)/i;
/** What these do depends on whether a subscriber may send them, or they begin what nobody ends. */
const UNCLEAR = /^(client reply|quit|reset|multi|[ps]?subscribe)/i;

/** Makes streams of steps. */
export class StepSource {
  readonly #values: Values;
  readonly #names: readonly string[];
  readonly #sums: readonly number[];
  readonly #waiting: Step[] = [];

  /** Draws from `random`, and commands whose names match `favoured` ten times as often. */
  constructor(random: () => number, favoured?: RegExp) {
    this.#values = new Values(random);
    this.#names = Object.keys(RECIPES);
    let sum = 0;
    this.#sums = this.#names.map((name) =>
      sum += RECIPES[name][0] * (favoured?.test(name) ? FAVOUR : 1)
    );
  }

  /** The next step. */
  next(): Step {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return waiting;
    const values = this.#values;
    if (values.chance(FULL_SCANS)) {
      const count = values.one(["1", "3", "10", "50"]);
      const match = values.chance(0.5) ? [] : ["MATCH", values.pattern()];
      const scan = values.one([
        ["SCAN"],
        ["SSCAN", values.keyOf("set")],
        ["HSCAN", values.keyOf("hash")],
      ]);
      return { words: [...scan, "0", "COUNT", count, ...match], toCompletion: true };
    }
    if (values.chance(CROWDS)) return { words: ["MSET", ...this.#crowd()] };
    if (values.chance(UNKNOWN_COMMANDS)) return { words: values.one(UNKNOWN) };
    return this.#known();
  }

  /** A command, and what has to come behind it. */
  #known(): Step {
    const step = this.#draw();
    const name = nameOf(step);
    const args = step.words.slice(1);
    if (name === "client" && /^reply off$/i.test(args.join(" "))) {
      // Otherwise nothing would be compared for long.
      this.#waiting.push({ words: ["INCR", "k1"] }, { words: ["CLIENT", "REPLY", "ON"] });
    }
    if (name === "multi" && args.length === 0) this.#waiting.push(...this.#transaction());
    if (endOf(name) !== undefined) this.#waiting.push(...this.#whileSubscribed(name, args));
    return step;
  }

  #draw(): Step {
    const values = this.#values;
    const at = values.random() * this.#sums[this.#sums.length - 1];
    const recipe = this.#names[this.#sums.findIndex((sum) => at < sum)];
    const args = RECIPES[recipe][1](values);
    const name = recipe.split(" ")[0];
    const fragile = FRAGILE.has(name) || FRAGILE.has(recipe);
    if (!fragile && values.chance(MUTATION)) this.#mutate(args, TIMED.test(name));
    const words = [...name.split("|").map((word) => values.anyCase(word)), ...args];
    const short = words.reduce((sum, word) => sum + word.length, 0) < INLINE_LIMIT;
    return { words, inline: short && words[0] !== "" && values.chance(INLINE) };
  }

  /** What comes behind MULTI: some commands and, now and then after others, EXEC. */
  #transaction(): Step[] {
    const values = this.#values;
    const steps = this.#fewBut(UNQUEUED);
    if (values.chance(0.1)) steps.push({ words: values.one(UNKNOWN) });
    return [...steps, { words: [values.chance(0.1) ? "DISCARD" : "EXEC"] }];
  }

  /** What comes behind SUBSCRIBE and its like: some commands, and the end of the subscriptions. */
  #whileSubscribed(name: string, channels: readonly string[]): Step[] {
    const ends = channels.map((channel) => ({ words: [endOf(name)!, channel] }));
    return [...this.#fewBut(UNCLEAR), ...ends];
  }

  /** A few commands that do not match `unwanted`. */
  #fewBut(unwanted: RegExp): Step[] {
    return this.#values.some(0, FEW_STEPS, () => this.#draw())
      .filter(({ words }) => !unwanted.test(words.slice(0, 2).join(" ")));
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
