/**
 * Input lines as words, with and without quotes. (`protocol/quoted_bytes.ts` goes the other way.)
 *
 * Lines are handled as strings with a character for each byte, so that input of any encoding, or of
 * none, arrives at the server as it was typed.
 *
 * @module
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a letter behind a backslash stands for. */
const ESCAPED_CHARACTERS: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  a: "\x07",
};

/**
 * Splits a line into its words.
 *
 * Words are separated by white space. In double quotes, `\n`, `\r`, `\t`, `\b`, `\a` and `\x` with
 * two hexadecimal digits stand for a byte, and a backslash before another character for that; in
 * single quotes only `\'` has a meaning. Behind a closing quote, the word must end. Vertical tabs and
 * form feeds separate words, but don't end one without quotes: so it is in Redis.
 *
 * @param line A character for each byte.
 * @returns The words, or `undefined` if the quotes are out of order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(splitLine(`set "a b" 'it\\'s' \\x`), ["set", "a b", "it's", "\\x"]);
 * assertEquals(splitLine(`"a"b`), undefined);
 * ```
 */
export function splitLine(line: string): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && isSpace(line[at])) at++;
    if (at >= line.length) return words;
    let word = "";
    while (at < line.length && !" \t\n\r".includes(line[at])) {
      const character = line[at];
      if (character !== '"' && character !== "'") {
        word += character;
        at++;
        continue;
      }
      const quoted = character === '"'
        ? readDoubleQuoted(line, at + 1)
        : readSingleQuoted(line, at + 1);
      if (quoted === undefined) return undefined;
      word += quoted.text;
      at = quoted.end;
      if (at < line.length && !isSpace(line[at])) return undefined;
      break;
    }
    words.push(word);
  }
}

/**
 * The bytes that a quoted string stands for.
 *
 * @param text The string, with or without quotes.
 * @returns The bytes, or `undefined` if its quotes are out of order, or it isn't one word.
 */
export function unquote(text: Uint8Array): Uint8Array | undefined {
  const words = splitLine(latin1Text(text));
  return words?.length === 1 ? latin1Bytes(words[0]) : undefined;
}

/** Whether the first of several words of a line says how often the others are to run. */
export function isRepeatCount(word: string): boolean {
  return /^[+-]?[0-9]+$/.test(word);
}

/** A string with a character for each byte, as bytes. */
export function latin1Bytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** Text as a string with a character for each byte of its UTF-8: a line as it is sent. */
export function bytewise(text: string): string {
  return latin1Text(encoder.encode(text));
}

/** The text that a string with a character for each byte stands for, if that is UTF-8. */
export function textOfBytewise(line: string): string {
  return decoder.decode(latin1Bytes(line));
}

/** Bytes as a string with a character for each. */
export function latin1Text(bytes: Uint8Array): string {
  let text = "";
  // In steps: a call takes only so many arguments.
  for (let start = 0; start < bytes.length; start += 4096) {
    text += String.fromCharCode(...bytes.subarray(start, start + 4096));
  }
  return text;
}

function readDoubleQuoted(line: string, start: number): { text: string; end: number } | undefined {
  let text = "";
  for (let at = start; at < line.length; at++) {
    const character = line[at];
    if (character === '"') return { text, end: at + 1 };
    if (character !== "\\" || at + 1 >= line.length) {
      text += character;
      continue;
    }
    const hexadecimal = /^x[0-9a-fA-F]{2}$/.test(line.slice(at + 1, at + 4));
    if (hexadecimal) {
      text += String.fromCharCode(parseInt(line.slice(at + 2, at + 4), 16));
      at += 3;
    } else {
      at++;
      text += ESCAPED_CHARACTERS[line[at]] ?? line[at];
    }
  }
  return undefined;
}

function readSingleQuoted(line: string, start: number): { text: string; end: number } | undefined {
  let text = "";
  for (let at = start; at < line.length; at++) {
    if (line[at] === "'") return { text, end: at + 1 };
    if (line[at] === "\\" && line[at + 1] === "'") at++;
    text += line[at];
  }
  return undefined;
}

function isSpace(character: string): boolean {
  return character === " " || (character >= "\t" && character <= "\r");
}
