/**
 * How many columns of a terminal text takes.
 *
 * Nobody can know for sure: it depends on the terminal and its fonts. These are the widths that
 * most terminals agree on: two columns for the ideographs of East Asia and for pictures, none for
 * marks that stand on the character before them, one for the rest.
 *
 * @module
 */

/** The first and the last code point of each range whose characters take two columns. */
const WIDE_RANGES: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f], // Hangul: leading consonants
  [0x2329, 0x232a], // angle brackets
  [0x2e80, 0x303e], // radicals, CJK punctuation
  [0x3041, 0xa4cf], // kana, CJK, Yi
  [0xa960, 0xa97f], // Hangul: more leading consonants
  [0xac00, 0xd7a3], // Hangul: syllables
  [0xf900, 0xfaff], // CJK: compatibility
  [0xfe10, 0xfe19], // vertical forms
  [0xfe30, 0xfe6f], // compatibility and small forms
  [0xff01, 0xff60], // full-width forms
  [0xffe0, 0xffe6], // full-width signs
  [0x17000, 0x18cff], // Tangut
  [0x1b000, 0x1b2ff], // more kana
  [0x20000, 0x3fffd], // CJK: further planes
];

/** Marks and invisible characters; Hangul's vowels and trailing consonants join the one before. */
const NO_COLUMN = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;
const PICTURE = /^\p{Emoji_Presentation}$/u;
const FLAG_LETTER = /^\p{Regional_Indicator}$/u;

/**
 * How many columns a character takes: 0, 1 or 2.
 *
 * @param character One code point.
 */
export function characterColumns(character: string): number {
  const code = character.codePointAt(0)!;
  if (code < 0x300) return code === 0xad ? 0 : 1;
  if (NO_COLUMN.test(character)) return 0;
  if (WIDE_RANGES.some(([first, last]) => code >= first && code <= last)) return 2;
  return PICTURE.test(character) && !FLAG_LETTER.test(character) ? 2 : 1;
}

/**
 * How many columns a text takes on a line that is long enough.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(textColumns("aé日本"), 6);
 * ```
 */
export function textColumns(text: string): number {
  let columns = 0;
  for (const character of text) columns += characterColumns(character);
  return columns;
}

/** The start of a text that takes no more than this many columns. */
export function cutToColumns(text: string, columns: number): string {
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += characterColumns(character);
    if (used > columns) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/**
 * A text with a picture of each control character (␉ for a tab) in its place, so that all of it is
 * seen and nothing of it moves the cursor. No character's place changes.
 */
export function visibleText(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex -- these are what it is about
    /[\0-\x1f\x7f-\x9f]/g,
    (control) => {
      const code = control.charCodeAt(0);
      if (code < 0x20) return String.fromCharCode(0x2400 + code);
      return code === 0x7f ? "\u2421" : "\ufffd";
    },
  );
}
