/**
 * The part of the screen where a line is edited: the prompt, the line, the hint behind it.
 *
 * It is drawn anew after each key, with one write: back to where the prompt starts, clear from
 * there to the end of the screen, prompt, line, hint, and back to the cursor. Where the line is
 * longer than the window is wide, the terminal wraps it; so all that must be known is in which row
 * below the prompt's start the cursor stands. A terminal that gets another width wraps the line
 * anew, and the cursor moves along with its character: the row can be computed for the new width.
 *
 * A line that doesn't fit into the window is shown in part, around the cursor; otherwise the way
 * back would lead above the window, where nothing can be overwritten.
 *
 * @module
 */

import { characterColumns, cutToColumns, textColumns, visibleText } from "./text_width.ts";

/** What is shown. */
export interface EditFrame {
  /** What stands in front of the line. */
  readonly prompt: string;
  /** What was typed so far. */
  readonly line: string;
  /** The place in the line that the cursor stands in front of. */
  readonly cursor: number;
  /** What is shown behind the line, as far as there is room in its row. */
  readonly hint: string;
}

/** The size of a window, in characters. */
export interface WindowSize {
  /** How wide it is. */
  readonly columns: number;
  /** How high it is. */
  readonly rows: number;
}

/** A place below and right of the prompt's start. */
interface Place {
  row: number;
  column: number;
}

const CLEAR_BELOW = "\x1b[J";
const CUT_MARK = "\u2026";

/** Draws a line that is being edited. */
export class EditArea {
  readonly #write: (text: string) => void;
  readonly #size: () => WindowSize;
  readonly #hintStyle: string;
  /** What is on the screen, if anything is. */
  #shown: EditFrame | undefined;

  /**
   * Makes an area that shows nothing.
   *
   * @param write Writes to the terminal.
   * @param size How large the window is now.
   * @param hintStyle What makes a text look like a hint: a control sequence.
   */
  constructor(write: (text: string) => void, size: () => WindowSize, hintStyle: string) {
    this.#write = write;
    this.#size = size;
    this.#hintStyle = hintStyle;
  }

  /** Shows a line instead of what is shown now; it starts where the cursor is if nothing is. */
  draw(frame: EditFrame): void {
    const size = this.#size();
    const shown = fitFrame(frame, size);
    const { columns } = size;
    const text = shown.prompt + shown.line;
    const end = placeBehind(text, columns);
    let output = this.#backToStart() + text;
    if (end.column === columns) {
      // The terminal wraps only when something comes behind: so that is written and left again.
      output += " \r" + CLEAR_BELOW;
      end.row++;
      end.column = 0;
    }
    // The last column stays free, so that nothing wraps.
    const hint = cutToColumns(shown.hint, columns - end.column - 1);
    if (hint !== "" && shown.cursor === shown.line.length) {
      output += `${this.#hintStyle}${hint}\x1b[0m`;
      end.column += textColumns(hint);
    }
    this.#write(output + moveFrom(end, cursorPlace(shown, columns)));
    this.#shown = shown;
  }

  /** Takes the line off the screen; the cursor then stands where the prompt stood. */
  erase(): void {
    if (this.#shown === undefined) return;
    this.#write(this.#backToStart());
    this.#shown = undefined;
  }

  /** Others have written on the screen: what was shown can't be found any more. */
  forget(): void {
    this.#shown = undefined;
  }

  /** Leaves the line on the screen, without a hint, and goes to the row below it. */
  finish(frame: EditFrame): void {
    this.draw({ ...frame, cursor: frame.line.length, hint: "" });
    this.#write("\n");
    this.#shown = undefined;
  }

  /** Back to the prompt's start, and nothing on the screen from there on. */
  #backToStart(): string {
    if (this.#shown === undefined) return "";
    // With the width of now: the terminal has wrapped the line anew.
    const { row } = cursorPlace(this.#shown, this.#size().columns);
    return "\r" + (row > 0 ? `\x1b[${row}A` : "") + CLEAR_BELOW;
  }
}

/** What of a frame is shown in a window of this size; control characters are made visible. */
function fitFrame(frame: EditFrame, { columns, rows }: WindowSize): EditFrame {
  const prompt = visibleText(frame.prompt);
  const line = visibleText(frame.line);
  // One row less, since wide characters leave some of the rows' ends empty.
  const room = columns * Math.max(rows - 1, 1) - textColumns(prompt) - 2;
  if (textColumns(line) <= room) return { ...frame, prompt, line };
  const before = line.slice(0, frame.cursor);
  const start = startOfLast(before, Math.floor(room / 2));
  const head = (start > 0 ? CUT_MARK : "") + before.slice(start);
  const rest = cutToColumns(line.slice(frame.cursor), Math.max(room - textColumns(head) - 1, 0));
  const tail = frame.cursor + rest.length < line.length ? rest + CUT_MARK : rest;
  return { prompt, line: head + tail, cursor: head.length, hint: frame.hint };
}

/** Where the last so many columns of a text start. */
function startOfLast(text: string, columns: number): number {
  let start = text.length;
  for (const character of [...text].reverse()) {
    columns -= characterColumns(character);
    if (columns < 0) break;
    start -= character.length;
  }
  return start;
}

/** Where the cursor stands: on the character behind it, which may be in the next row. */
function cursorPlace(frame: EditFrame, columns: number): Place {
  const place = placeBehind(frame.prompt + frame.line.slice(0, frame.cursor), columns);
  const next = frame.line.codePointAt(frame.cursor);
  const needed = next === undefined ? 1 : characterColumns(String.fromCodePoint(next));
  return place.column + needed > columns ? { row: place.row + 1, column: 0 } : place;
}

/** The place behind a text; its column is the window's width if the text fills its row. */
function placeBehind(text: string, columns: number): Place {
  const place = { row: 0, column: 0 };
  for (const character of text) {
    const width = characterColumns(character);
    if (place.column + width > columns) {
      place.row++;
      place.column = 0;
    }
    place.column += width;
  }
  return place;
}

function moveFrom(from: Place, to: Place): string {
  const up = from.row - to.row;
  return "\r" + (up > 0 ? `\x1b[${up}A` : "") + (to.column > 0 ? `\x1b[${to.column}C` : "");
}
