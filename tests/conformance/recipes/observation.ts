/**
 * How random commands that look at a running server are made, and CLUSTER's.
 *
 * @module
 */

import { CLUSTER_SPECS } from "../../../src/commands/specs/mod.ts";
import { none, oneOf, type RecipeTable } from "./recipe.ts";

const EVENTS = ["command", "fast-command", "expire-cycle", "nosuch", ""];
const COUNTS = ["0", "1", "-1", "-2", "abc", "99999999999", "3000000000"];
// deno-fmt-ignore
const DRAWINGS: readonly (readonly string[])[] = [
  [], ["VERSION"], ["VERSION", "5"], ["version", "6", "3", "3"], ["VERSION", "7"], ["VERSION", "abc"], ["VERSION", "-1"],
  ["VERSION", "5", "a"], ["VERSION", "5", "1", "b"], ["VERSION", "6", "2", "x"], ["VERSION", "9", "a"], ["3"], ["foo", "bar"],
  ["VERSION", "5", "0", "0", "0", "a"], ["VERSION", "99999999999999999999"], ["VERSION", "3000000000"],
];

const CLUSTER_RECIPES: RecipeTable = Object.fromEntries(
  Object.keys(CLUSTER_SPECS.cluster.subcommands).map((name) => [
    `cluster|${name}`,
    [0.02, (values) => values.some(0, 3, () => values.integer())],
  ]),
);

/** The family's recipes. */
export const OBSERVATION_RECIPES: RecipeTable = {
  ...CLUSTER_RECIPES,
  "asking": [0.1, none],
  "slowlog|get": [0.5, (values) => values.some(0, 2, () => values.one(COUNTS))],
  "slowlog|len": [0.3, none],
  "slowlog|reset": [0.2, none],
  "slowlog|help": [0.1, none],
  "latency|latest": [0.3, none],
  "latency|history": [0.3, (values) => [values.one(EVENTS)]],
  "latency|graph": [0.3, (values) => [values.one(EVENTS)]],
  "latency|reset": [0.3, (values) => values.some(0, 2, () => values.one(EVENTS))],
  "latency|doctor": [0.1, none],
  "latency|histogram": [0.2, oneOf([[], ["get"], ["client", "nosuch"], ["config|get"]])],
  "latency|help": [0.1, none],
  "module|list": [0.2, none],
  "module|load": [0.1, oneOf([["/nosuch.so"], ["/nosuch.so", "a"]])],
  "module|loadex": [0.1, oneOf([["/nosuch.so"], ["/nosuch.so", "CONFIG", "a", "b", "ARGS", "c"]])],
  "module|unload": [0.1, oneOf([["nosuch"], ["a", "b"]])],
  "module|help": [0.1, none],
  "role": [0.3, none],
  "lolwut": [0.3, oneOf(DRAWINGS)],
};
