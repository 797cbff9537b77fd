/**
 * What is shown behind the cursor while a command is typed: what it still takes.
 *
 * @module
 */

import { lowerCaseAscii } from "../../commands/specs/names.ts";
import { type Part, type Token, writePart } from "./grammar.ts";
import { continueWord } from "./letter_case.ts";
import { type Readings, readWord, type Step, stepsOf } from "./matching.ts";
import type { TypedLine, TypedWord } from "./typed_line.ts";

/**
 * What is still to come behind a line, with a space in front if the line doesn't end in one.
 *
 * A word that is half typed and can only become one thing is completed first: behind `pexpirea`
 * comes `t key unix-time-milliseconds ...`.
 *
 * @param line The line.
 * @param rests What may follow its finished words.
 * @returns the hint; empty if there is nothing to say, or the words make no sense.
 */
export function hintBehind({ last }: TypedLine, rests: readonly Part[]): string {
  if (rests.length === 0) return "";
  if (last === undefined) return writePart(rests[0]);
  const readings = readWord(rests, last.text, true);
  if (readings.endsInToken) return behindSpace(readings);
  const steps = rests.flatMap(stepsOf);
  const longer = longerTokens(steps, last);
  if (longer.length === 0 || steps.some(({ word }) => isKey(word))) return behindSpace(readings);
  if (longer.length === 1) {
    const [{ word, rest }] = longer;
    return continueWord(last.text, word.token).slice(last.text.length) +
      behindSpace({ rests: [rest()], endsInToken: true });
  }
  // Of hundreds of commands that start with these letters, none is worth showing.
  if (longer.some(({ word }) => word.isOneOfMany)) return "";
  return ` ${longer.map(({ word }) => word.token).join("|")}`;
}

function behindSpace({ rests }: Readings): string {
  const text = rests.length === 0 ? "" : writePart(rests[0]);
  return text === "" ? "" : ` ${text}`;
}

function isKey(word: Step["word"]): boolean {
  return word.kind === "value" && word.type === "key";
}

/** The fixed words that a half typed word can become. */
function longerTokens(
  steps: readonly Step[],
  { text, isQuoted }: TypedWord,
): (Step & { readonly word: Token })[] {
  if (text === "" || isQuoted) return [];
  const prefix = lowerCaseAscii(text);
  const byName = new Map<string, Step & { readonly word: Token }>();
  for (const { word, rest } of steps) {
    if (word.kind !== "token") continue;
    const name = lowerCaseAscii(word.token);
    if (name.startsWith(prefix) && !byName.has(name)) byName.set(name, { word, rest });
  }
  return [...byName.values()];
}
