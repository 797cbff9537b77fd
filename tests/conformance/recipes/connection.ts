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
  "client|help": [0.1, none],
};
