/**
 * What the word at the cursor can become.
 *
 * @module
 */

import { lowerCaseAscii } from "../../commands/specs/names.ts";
import type { Part } from "./grammar.ts";
import { continueWord } from "./letter_case.ts";
import { stepsOf } from "./matching.ts";
import type { TypedLine } from "./typed_line.ts";

/** What a word can become. */
export interface Completion {
  /** Where the word starts in the line, its quote included; the line's length if it is yet to come. */
  readonly start: number;
  /** The words that it can become, whole, in the case in which the user types. */
  readonly candidates: readonly string[];
  /** What to look for on the server, if the word can be a key. */
  readonly key: KeySearch | undefined;
}

/** The beginning of a key's name. */
export interface KeySearch {
  /** The letters that were typed, without quotes. */
  readonly prefix: string;
  /** The pattern that keys with this beginning match, for `SCAN cursor MATCH pattern`. */
  readonly pattern: string;
}

/**
 * Completes the last word of a line.
 *
 * @param line The line.
 * @param rests What may follow its finished words.
 * @param end Where the line ends.
 */
export function completeLast(
  { finished, last }: TypedLine,
  rests: readonly Part[],
  end: number,
): Completion {
  const { text, start, isQuoted } = last ?? { text: "", start: end, isQuoted: false };
  const words = rests.flatMap(stepsOf).map(({ word }) => word);
  const prefix = lowerCaseAscii(text);
  const before = finished.at(0)?.text;
  const candidates = words.flatMap((word) => {
    const fitting = word.kind === "token" && word.token !== "" && !isQuoted &&
      lowerCaseAscii(word.token).startsWith(prefix);
    return fitting ? [continueWord(text, word.token, before)] : [];
  });
  const isKey = words.some((word) => word.kind === "value" && word.type === "key");
  return {
    start,
    candidates: [...new Set(candidates)],
    key: isKey ? { prefix: text, pattern: escapePattern(text) + "*" } : undefined,
  };
}

/** Takes the special meaning off the characters that have one in patterns. */
function escapePattern(text: string): string {
  return text.replace(/[*?[\]\\^]/g, "\\$&");
}
