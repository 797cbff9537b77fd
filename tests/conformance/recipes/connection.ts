/**
 * How random commands about the connection are made.
 *
 * @module
 */

import { none, oneOf, type RecipeTable } from "./recipe.ts";

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

// deno-fmt-ignore
const LISTS: readonly (readonly string[])[] = [
  [], ["TYPE", "normal"], ["TYPE", "pubsub"], ["TYPE", "x"], ["ID", "999999"], ["ID"], ["ID", "a"],
  ["ID", "999999", "999998"], ["FOO"], ["TYPE"], ["ID", "-1"],
];

// deno-fmt-ignore
const PAUSES: readonly (readonly string[])[] = [
  ["abc"], ["-1"], ["1.5"], ["99999999999999999999"], ["1", "foo"], ["abc", "foo"], ["1", "all", "x"], ["0"], ["1"],
  ["2", "WRITE"], ["1", "all"], [],
];
// deno-fmt-ignore
const TRACKINGS: readonly (readonly string[])[] = [
  ["foo"], ["ON", "foo"], ["OFF"], ["off", "bcast"], ["OFF", "OPTIN", "OPTOUT"], ["ON", "REDIRECT", "999999"],
  ["ON", "REDIRECT", "a"], ["ON", "REDIRECT", "0"], ["ON", "REDIRECT"], ["OFF", "REDIRECT", "-1"], ["ON", "PREFIX"],
  ["ON", "PREFIX", "a"], ["ON", "OPTIN", "OPTOUT"], ["ON", "BCAST", "OPTIN"], ["ON", "optout", "bcast", "prefix", "a"],
  ["ON", "BCAST", "PREFIX", "a", "PREFIX", "ab"], ["ON", "BCAST", "PREFIX", "", "PREFIX", "ab"], ["foo", "bar"], [],
];
// deno-fmt-ignore
const WAITS: readonly (readonly string[])[] = [
  ["0", "0"], ["0", "1"], ["1", "1"], ["-1", "0"], ["a", "1"], ["1", "a"], ["1", "-1"], ["0", "99999999999999999999"],
  ["99999999999999999999", "1"], ["1", "1.5"], ["99999999999", "1"], ["1"], ["1", "2", "3"], ["a", "b"],
];
// deno-fmt-ignore
const UNBLOCKS: readonly (readonly string[])[] = [
  ["999999"], ["abc"], ["999999", "TIMEOUT"], ["999999", "error"], ["999999", "foo"], ["abc", "foo"], ["-1"],
  ["99999999999999999999"], ["1", "TIMEOUT", "x"], [],
];
const ON_OR_OFF = [["ON"], ["OFF"], ["off"], ["YES"], ["NO"], ["foo"], []];

/** The family's recipes. */
export const CONNECTION_RECIPES: RecipeTable = {
  "ping": [2, (values) => values.some(0, 1, () => values.text())],
  "echo": [2, (values) => [values.value()]],
  "hello": [3, oneOf(HELLOS)],
  "select": [5, (values) => [values.database()]],
  "quit": [0.1, none],
  "reset": [0.3, none],
  "auth": [0.5, (values) => values.one([["x"], ["default", "x"], ["bob", "x"], ["a", "b", "c"]])],
  "client|id": [0.3, none],
  "client|info": [0.3, none],
  "client|list": [0.5, oneOf(LISTS)],
  "client|setname": [0.5, (values) => [values.one(["a", "", "b c", "x\n", "\xff", "~!"])]],
  "client|getname": [0.5, none],
  "client|kill": [1, oneOf(KILLS)],
  "client|reply": [0.5, (values) => [values.one(["ON", "SKIP", "skip", "FOO", "OFF"])]],
  "client|no-evict": [0.5, oneOf(ON_OR_OFF)],
  "client|caching": [0.5, oneOf(ON_OR_OFF)],
  "client|tracking": [1, oneOf(TRACKINGS)],
  "client|trackinginfo": [0.5, none],
  "client|getredir": [0.5, none],
  "client|pause": [0.5, oneOf(PAUSES)],
  "client|unpause": [0.5, none],
  "client|unblock": [0.5, oneOf(UNBLOCKS)],
  "wait": [0.5, oneOf(WAITS)],
  "readonly": [0.2, none],
  "readwrite": [0.2, none],
  "client|help": [0.1, none],
};
