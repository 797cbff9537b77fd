/**
 * How random subscriptions are made, and messages for them.
 *
 * There is only one connection, which hears its own messages if it speaks RESP3. A subscription ends
 * after some commands (see `mod.ts`), since with one a client that speaks RESP2 may do hardly anything. Who ends all
 * subscriptions at once is told of them in an order that Redis leaves open, so nobody does.
 *
 * @module
 */

import type { Values } from "../values.ts";
import { none, type Recipe, type RecipeTable } from "./recipe.ts";

/** Whether a command of this name begins subscriptions, or ends them. */
export function isSubscription(name: string): boolean {
  return /^[ps]?(un)?subscribe$/.test(name);
}

const CHANNELS = ["a", "b", "ab", "", "news.1", "\xff\r\n", "x".repeat(300)];
// None of them may match the channels of keys' events.
const PATTERNS = ["a*", "?", "[ab]", "news.[^2]", "", "\\a", "*b", "x*x", "[", "\xff*"];

function channel(values: Values): string {
  return values.one(CHANNELS);
}

function message(values: Values): string[] {
  return [channel(values), values.value()];
}

/** Makes calls with names that are all different: with the same ones, only the first has an end. */
function names(from: readonly string[]): Recipe {
  return (values) => [...new Set(values.some(1, 3, () => values.one(from)))];
}

function few(values: Values): string[] {
  return values.some(0, 3, () => channel(values));
}

function pattern(values: Values): string[] {
  return values.some(0, 1, () => values.one(PATTERNS));
}

/** The command that ends what `name` begins, if it begins subscriptions. */
export function endOf(name: string): string | undefined {
  const begins = isSubscription(name) && !name.includes("un");
  return begins ? name.replace("sub", "unsub") : undefined;
}

/** The family's recipes. */
export const PUBSUB_RECIPES: RecipeTable = {
  "publish": [4, message],
  "spublish": [2, message],
  "subscribe": [1, names(CHANNELS)],
  "psubscribe": [1, names(PATTERNS)],
  "ssubscribe": [0.5, names(CHANNELS)],
  "unsubscribe": [0.3, (values) => [channel(values)]],
  "punsubscribe": [0.3, (values) => [values.one(PATTERNS)]],
  "sunsubscribe": [0.3, (values) => [channel(values)]],
  "pubsub|channels": [0.5, pattern],
  "pubsub|numpat": [0.5, none],
  "pubsub|numsub": [0.5, few],
  "pubsub|shardchannels": [0.5, pattern],
  "pubsub|shardnumsub": [0.5, few],
  "pubsub|help": [0.1, none],
};
