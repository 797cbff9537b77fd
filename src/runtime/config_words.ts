/**
 * Words of a line of the config file, and back.
 *
 * Words are separated by white space. In double quotes, `\n`, `\r`, `\t`, `\b`, `\a` and `\x` with two
 * hexadecimal digits stand for a byte, and a backslash before another character for that; in single
 * quotes only `\'` has a meaning. Behind a closing quote, the word must end.
 *
 * @module
 */

/** What a letter behind a backslash stands for. */
const ESCAPED: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  a: "\x07",
};

const WORD_CHARACTER = /[^\s\0]/;

/**
 * The words of a line, or undefined if its quotes are out of order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(splitLine(`save "900 1" ''`), ["save", "900 1", ""]);
 * assertEquals(splitLine(`requirepass "open`), undefined);
 * ```
 */
export function splitLine(line: string): string[] | undefined {
  const words: string[] = [];
  let index = 0;
  for (;;) {
    while (index < line.length && !WORD_CHARACTER.test(line[index])) index++;
    if (index === line.length) return words;
    let word = "";
    while (index < line.length && WORD_CHARACTER.test(line[index])) {
      const quote = line[index];
      if (quote !== '"' && quote !== "'") {
        word += line[index++];
        continue;
      }
      const quoted = readQuoted(line, index + 1, quote);
      if (quoted === undefined) return undefined;
      word += quoted.text;
      index = quoted.end;
      if (index < line.length && WORD_CHARACTER.test(line[index])) return undefined;
    }
    words.push(word);
  }
}

/** What stands in quotes from `index` on, and where it goes on behind them. */
function readQuoted(
  line: string,
  index: number,
  quote: string,
): { text: string; end: number } | undefined {
  const pieces: number[] = [];
  const add = (text: string) => pieces.push(...new TextEncoder().encode(text));
  while (index < line.length) {
    const character = String.fromCodePoint(line.codePointAt(index)!);
    if (character === quote) {
      return { text: new TextDecoder().decode(new Uint8Array(pieces)), end: index + 1 };
    }
    const next = line[index + 1];
    if (character !== "\\" || next === undefined || (quote === "'" && next !== "'")) {
      add(character);
      index += character.length;
      continue;
    }
    const hexadecimal = /^x([0-9a-fA-F]{2})/.exec(line.slice(index + 1, index + 4));
    if (quote === '"' && hexadecimal !== null) {
      pieces.push(parseInt(hexadecimal[1], 16));
      index += 4;
    } else {
      add(quote === '"' ? ESCAPED[next] ?? next : next);
      index += 2;
    }
  }
  return undefined;
}

/** Characters with a short form. */
const SHORT_FORMS: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ...Object.entries(ESCAPED).map(([letter, character]) => [character, `\\${letter}`] as const),
]);

/** A word in double quotes, control characters escaped. */
export function quoteWord(word: string): string {
  const escaped = word.replace(/["\\]|\p{Cc}/gu, (character) =>
    SHORT_FORMS.get(character) ??
      `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return `"${escaped}"`;
}

/** A word as it can stand in a line: in quotes if it needs them. */
export function plainWord(word: string): string {
  return /^[^\s"'\\\p{Cc}]+$/u.test(word) ? word : quoteWord(word);
}
