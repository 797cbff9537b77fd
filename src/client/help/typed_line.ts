/**
 * A line while it is typed: finished words, and the one that the cursor stands behind.
 *
 * @module
 */

import { splitLine } from "../quoting.ts";

/** A word of the line. */
export interface TypedWord {
  /** The word without its quotes. */
  readonly text: string;
  /** Where it starts in the line, its quote included. */
  readonly start: number;
  /** Whether it has quotes. */
  readonly isQuoted: boolean;
}

/** A line taken apart. */
export interface TypedLine {
  /** The words that have an end: white space follows. */
  readonly finished: readonly TypedWord[];
  /** The word that may go on, with its quote open or closed; none behind white space. */
  readonly last: TypedWord | undefined;
}

// Quotes may start within a word; a word with quotes ends with them, or with the line.
const WORD = /[^ \t-\r"']*(?:(?<double>"(?:\\[^]?|[^"\\])*"?)|(?<single>'(?:\\'|[^'])*'?))?/y;
const SPACE = /[ \t-\r]*/y;

/**
 * Takes a line apart that isn't finished.
 *
 * @param line What was typed.
 * @returns its words, or `undefined` if the line can't become a command: something follows a
 * closing quote.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const { finished, last } = readTypedLine(`set "my k`)!;
 * assertEquals(finished.map(({ text }) => text), ["set"]);
 * assertEquals(last, { text: "my k", start: 4, isQuoted: true });
 * ```
 */
export function readTypedLine(line: string): TypedLine | undefined {
  const finished: TypedWord[] = [];
  for (let at = endOf(SPACE, line, 0); at < line.length; at = endOf(SPACE, line, at)) {
    const start = at;
    WORD.lastIndex = at;
    const match = WORD.exec(line)!;
    at = WORD.lastIndex;
    const quoted = match.groups?.double ?? match.groups?.single;
    const word = {
      text: unquote(match[0], quoted?.[0]),
      start,
      isQuoted: quoted !== undefined,
    };
    if (at === line.length) return { finished, last: word };
    if (endOf(SPACE, line, at) === at) return undefined;
    finished.push(word);
  }
  return { finished, last: undefined };
}

/** Where the match of a pattern at a place ends. */
function endOf(pattern: RegExp, line: string, at: number): number {
  pattern.lastIndex = at;
  pattern.test(line);
  return pattern.lastIndex;
}

/** Takes the quotes off; one that is still open is closed first. */
function unquote(word: string, quote: string | undefined): string {
  if (quote === undefined) return word;
  // Behind a single backslash, the quote would be part of the text.
  const words = splitLine(word) ?? splitLine(word + quote) ?? splitLine(word.slice(0, -1) + quote);
  return words?.[0] ?? "";
}
