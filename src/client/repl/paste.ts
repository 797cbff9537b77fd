/**
 * Cuts pasted text into lines.
 *
 * Each line of it is a command, but for line ends in quotes, which belong to the word: so a script
 * of several lines, or any text, can be pasted as an argument. Such a command becomes one line that
 * means the same, since only such can be edited: the word is quoted anew, with `\n` in it.
 *
 * @module
 */

/** What a character that can't stand on a line by itself is in double quotes. */
const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n" };

/**
 * Cuts text into lines.
 *
 * @param text What stands on the line, with what was pasted.
 * @returns The lines that have an end, and what comes behind the last line end.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cutPaste("get a\nget b"), ["get a", "get b"]);
 * assertEquals(cutPaste(`eval 'return\n"x"' 0\n`), [`eval "return\\n\\"x\\"" 0`, ""]);
 * ```
 */
export function cutPaste(text: string): string[] {
  const rest = text.replace(/\r\n?/g, "\n");
  const lines: string[] = [];
  let line = "";
  for (let at = 0; at < rest.length; at++) {
    const character = rest[at];
    if (character === "\n") {
      lines.push(line);
      line = "";
      continue;
    }
    const end = character === '"' || character === "'" ? closingQuote(rest, at) : at;
    // A quote that nothing closes: line ends are line ends then.
    if (end < 0) {
      const [first, ...more] = rest.slice(at).split("\n");
      return [...lines, line + first, ...more];
    }
    line += onOneLine(rest.slice(at, end + 1));
    at = end;
  }
  return [...lines, line];
}

/** The place of the quote that closes the one at `start`; -1 if there is none. */
function closingQuote(text: string, start: number): number {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === quote) return at;
    // In single quotes, a backslash means something before such a quote only.
    if (text[at] === "\\" && (quote === '"' || text[at + 1] === quote)) at++;
  }
  return -1;
}

/** A character, or a word in quotes, without line ends. */
function onOneLine(word: string): string {
  if (!word.includes("\n")) return word;
  const content = word.slice(1, -1);
  // What else stands in double quotes means the same as before.
  if (word[0] === '"') return `"${content.replaceAll("\\\n", "\n").replaceAll("\n", "\\n")}"`;
  const plain = content.replaceAll("\\'", "'");
  return `"${plain.replace(/["\\\n]/g, (character) => ESCAPES[character])}"`;
}
