/**
 * What Tab does with the words that could stand where the cursor is.
 *
 * @module
 */

import { textColumns } from "./text_width.ts";

/** Words that could stand where the cursor is. */
export interface Completion {
  /** Where in the line the word starts that they would replace. */
  readonly start: number;
  /** The words. */
  readonly candidates: readonly string[];
  /**
   * Whether there may be others.
   *
   * @default {false}
   */
  readonly isPartial?: boolean;
}

/** Between two columns of words. */
const GAP_COLUMNS = 2;

/**
 * What all of the words start with.
 *
 * @param words At least one.
 */
export function commonStart(words: readonly string[]): string {
  let start = words[0];
  for (const word of words) {
    while (!word.startsWith(start)) start = start.slice(0, -1);
  }
  // Half of a character is none.
  return start.isWellFormed() ? start : start.slice(0, -1);
}

/**
 * Words in columns, as `ls` shows names.
 *
 * @param words The words.
 * @param columns How wide the window is.
 * @param rows How many rows there may be; what doesn't fit is counted in the last one.
 * @returns Lines with their ends.
 */
export function listWords(words: readonly string[], columns: number, rows: number): string {
  const width = Math.max(...words.map(textColumns)) + GAP_COLUMNS;
  const perRow = Math.max(1, Math.floor((columns - 1) / width));
  const fits = Math.ceil(words.length / perRow) <= rows;
  const shown = fits ? words : words.slice(0, perRow * Math.max(rows - 1, 1));
  const lineCount = Math.ceil(shown.length / perRow);
  let text = "";
  for (let line = 0; line < lineCount; line++) {
    let row = "";
    for (let index = line; index < shown.length; index += lineCount) {
      row += shown[index] + " ".repeat(width - textColumns(shown[index]));
    }
    text += row.trimEnd() + "\n";
  }
  return fits ? text : `${text}... and ${words.length - shown.length} more\n`;
}
