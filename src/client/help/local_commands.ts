/**
 * The words that the dialogue itself understands, described as commands are.
 *
 * @module
 */

import { lowerCaseAscii } from "../../commands/specs/names.ts";
import { word } from "../../commands/specs/parts.ts";
import type { ArgumentSpec } from "../../commands/specs/types.ts";
import { grammarOf, type NameEntry, type Part } from "./grammar.ts";

const PREFERENCE: ArgumentSpec = {
  name: "preference",
  type: "oneof",
  arguments: [word("hints"), word("nohints")],
};

const LOCAL_COMMANDS: Readonly<Record<string, readonly ArgumentSpec[]>> = {
  ":set": [PREFERENCE],
  "clear": [],
  "connect": [{ name: "hostname", type: "string" }, { name: "port", type: "integer" }],
  "exit": [],
  "quit": [],
  "restart": [],
};

/**
 * Whether the dialogue itself understands a word, though no server may.
 *
 * @param word The word in any case.
 */
export function isLocalCommand(word: string): boolean {
  return Object.hasOwn(LOCAL_COMMANDS, lowerCaseAscii(word));
}

/**
 * The words of the dialogue with what follows them.
 *
 * @param topics What `help` can be asked for.
 */
export function localEntries(topics: Part): NameEntry[] {
  const own = Object.entries(LOCAL_COMMANDS).map(([name, specs]) => ({
    name,
    body: () => grammarOf(specs),
  }));
  const help: Part = { kind: "optional", part: topics };
  return [
    ...own,
    { name: "help", body: () => help },
    { name: "?", body: () => help },
  ];
}
