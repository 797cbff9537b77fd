/**
 * Reading a command's words along its grammar, as far as they were typed.
 *
 * A grammar is stepped through word by word: its *steps* are the words that may come next, each
 * with the grammar of what follows it. A word can fit several steps (`XREAD STREAMS a b`: a second
 * key, or the first id), so all of them are followed, fixed words before words that could be
 * anything. Nothing is ever searched backwards, and the number of readings is bounded, so that the
 * work per word is too.
 *
 * @module
 */

import { lowerCaseAscii } from "../../commands/specs/names.ts";
import {
  type AnyOrder,
  EMPTY,
  type Part,
  sequence,
  type Token,
  type Value,
  writePart,
} from "./grammar.ts";

/** A word that may come next. */
export interface Step {
  /** The word, or what kind of word. */
  readonly word: Token | Value;
  /** What follows it. */
  readonly rest: () => Part;
}

/** What may follow after some words, the likeliest first. */
export interface Readings {
  /** The grammars of what follows; none if the words don't fit. */
  readonly rests: readonly Part[];
  /** Whether the last word was a fixed one in the likeliest of them. */
  readonly endsInToken: boolean;
}

/** How many readings of a line are followed; what Redis' own commands need is three. */
const READINGS_LIMIT = 8;

/** Redis counts fields of a string in bits or, behind a `#`, in their own widths. */
const INTEGER = /^[+\-#]?[0-9]+$/;
const UNFINISHED_INTEGER = /^[+\-#]?[0-9]*$/;
const DOUBLE =
  /^[+-]?(?:[0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?|0x[0-9a-f]+|inf(?:inity)?)$/i;
const UNFINISHED_DOUBLE = /^[+-]?(?:[0-9]*\.?[0-9]*(?:e[+-]?[0-9]*)?|0x[0-9a-f]*|in?f?[inty]*)$/i;

/**
 * The words that may come next.
 *
 * @param part The grammar of what follows.
 */
export function stepsOf(part: Part): Step[] {
  switch (part.kind) {
    case "token":
    case "value":
      return [{ word: part, rest: () => EMPTY }];
    case "optional":
      return stepsOf(part.part);
    case "choice":
      return part.parts.flatMap(stepsOf);
    case "sequence":
      return stepsOfSequence(part.parts);
    case "anyOrder":
      return part.parts.flatMap((_, index) => stepsOfOption(part, index));
    case "repeat":
      return followedBy(stepsOf(part.first), { kind: "more", next: part.next });
    case "more":
      return followedBy(stepsOf(part.next), part);
    case "counted":
      return followedBy(
        stepsOf(part.part),
        part.left === 1 ? EMPTY : { ...part, left: part.left - 1 },
      );
    case "names":
      return Array.from(part.entries(), ({ name, body }) => ({
        word: { kind: "token", token: name, isOneOfMany: part.label !== undefined },
        rest: body,
      }));
  }
}

/**
 * Reads one more word.
 *
 * @param rests What may follow; see {@linkcode Readings}.
 * @param word The word.
 * @param isUnfinished Whether the user may be about to type more of it: a `-` can become a number.
 */
export function readWord(rests: readonly Part[], word: string, isUnfinished = false): Readings {
  const lowerCaseWord = lowerCaseAscii(word);
  const byToken: Part[] = [];
  const byValue: Part[] = [];
  for (const step of rests.flatMap(stepsOf)) {
    if (step.word.kind === "token") {
      if (lowerCaseAscii(step.word.token) === lowerCaseWord) byToken.push(step.rest());
    } else if (fits(step.word, word, isUnfinished)) {
      byValue.push(step.word.name === "numkeys" ? countKeys(step.rest(), word) : step.rest());
    }
  }
  return { rests: distinct([...byToken, ...byValue]), endsInToken: byToken.length > 0 };
}

/**
 * Whether nothing needs to follow.
 *
 * @param part What may follow.
 */
export function mayEnd(part: Part): boolean {
  switch (part.kind) {
    case "optional":
    case "anyOrder":
    case "more":
      return true;
    case "sequence":
      return part.parts.every(mayEnd);
    case "choice":
      return part.parts.some(mayEnd);
    case "repeat":
      return mayEnd(part.first);
    default:
      return false;
  }
}

/** The first words of the parts up to one that can't be left out. */
function stepsOfSequence(parts: readonly Part[]): Step[] {
  const steps: Step[] = [];
  for (const [index, part] of parts.entries()) {
    steps.push(...followedBy(stepsOf(part), ...parts.slice(index + 1)));
    if (!mayEnd(part)) break;
  }
  return steps;
}

/**
 * The first words of one option among several.
 *
 * An option that may be repeated with its token stays one of them: in
 * `SORT key GET pattern ALPHA GET pattern`, the second GET.
 */
function stepsOfOption({ parts }: AnyOrder, index: number): Step[] {
  const others = parts.filter((_, other) => other !== index);
  return stepsOf(parts[index]).map(({ word, rest }) => ({
    word,
    rest: () => {
      const left = rest();
      const needed = left.kind === "sequence" ? [...left.parts] : [left];
      const options = [...others];
      while (needed.length > 0 && repeatsToken(needed[needed.length - 1])) {
        options.unshift(needed.pop()!);
      }
      return sequence([...needed, anyOrder(options)]);
    },
  }));
}

function repeatsToken(part: Part): boolean {
  return part.kind === "more" && stepsOf(part).every(({ word }) => word.kind === "token");
}

function anyOrder(parts: readonly Part[]): Part {
  const flat = parts.flatMap((part) => part.kind === "anyOrder" ? part.parts : [part]);
  return flat.length === 0 ? EMPTY : { kind: "anyOrder", parts: flat };
}

function followedBy(steps: readonly Step[], ...parts: readonly Part[]): Step[] {
  return steps.map(({ word, rest }) => ({ word, rest: () => sequence([rest(), ...parts]) }));
}

/** Whether a word can be such a value. */
function fits(value: Value, word: string, isUnfinished: boolean): boolean {
  switch (value.type) {
    case "integer":
    case "unix-time":
      return (isUnfinished ? UNFINISHED_INTEGER : INTEGER).test(word);
    case "double":
      return (isUnfinished ? UNFINISHED_DOUBLE : DOUBLE).test(word);
    default:
      return true;
  }
}

/** Turns the keys that a number stands in front of into as many as it says. */
function countKeys(rest: Part, word: string): Part {
  const [first, ...others] = rest.kind === "sequence" ? rest.parts : [rest];
  // EVAL may have no keys: there they are the first of several options.
  const options = first?.kind === "anyOrder" ? first.parts : [];
  const keys = options[0]?.kind === "optional" ? options[0].part : first;
  const isRepeatedKey = keys?.kind === "repeat" && keys.next.kind === "value" &&
    keys.next.type === "key";
  const left = Number(word);
  if (!isRepeatedKey || !Number.isSafeInteger(left) || left < 0) return rest;
  const counted: Part[] = left === 0 ? [] : [{ kind: "counted", part: keys.next, left }];
  return sequence([...counted, anyOrder(options.slice(1)), ...others]);
}

/** Leaves out what is twice, and what is too much. */
function distinct(parts: readonly Part[]): readonly Part[] {
  if (parts.length < 2) return parts;
  const byText = new Map<string, Part>();
  for (const part of parts) {
    const text = writePart(part);
    if (!byText.has(text)) byText.set(text, part);
  }
  return [...byText.values()].slice(0, READINGS_LIMIT);
}
