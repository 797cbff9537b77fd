/**
 * Words in the case in which the user types.
 *
 * @module
 */

import { lowerCaseAscii } from "../../commands/specs/names.ts";

/**
 * Completes a word: the letters that were typed stay as they are, the others are like the last of
 * them.
 *
 * @param typed What was typed of the word.
 * @param word The word.
 * @param before What was typed before, whose letters count if the word has none yet.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(continueWord("ge", "GET"), "get");
 * assertEquals(continueWord("", "EX", "set"), "ex");
 * ```
 */
export function continueWord(typed: string, word: string, before = ""): string {
  const rest = word.slice(typed.length);
  const letter = /[a-z](?=[^a-z]*$)/i.exec(typed)?.[0] ?? /[a-z](?=[^a-z]*$)/i.exec(before)?.[0];
  if (letter === undefined) return typed + rest;
  return typed + (letter === lowerCaseAscii(letter) ? lowerCaseAscii(rest) : rest.toUpperCase());
}
