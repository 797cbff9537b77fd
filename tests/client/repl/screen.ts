/**
 * What a terminal shows: as much of a VT100 as the dialogue's output needs.
 *
 * @module
 */

import { characterColumns } from "../../../src/client/repl/text_width.ts";

interface Cell {
  text: string;
  style: string;
}

/** A screen that control sequences and text are written to. */
export class Screen {
  #columns: number;
  readonly #rows: number;
  #lines: Cell[][] = [[]];
  #row = 0;
  #column = 0;
  #style = "";

  /** Makes an empty screen. */
  constructor(columns: number, rows = 24) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** How wide it is. */
  get columns(): number {
    return this.#columns;
  }

  /** How high it is. */
  get rows(): number {
    return this.#rows;
  }

  /** All lines, those that have left the window too, without what is empty behind them. */
  get text(): string {
    return this.#lines.map((line) => rowText(line)).join("\n").trimEnd();
  }

  /** Where the cursor is, the row counted from the first line. */
  get cursor(): [row: number, column: number] {
    return [this.#row, Math.min(this.#column, this.#columns - 1)];
  }

  /** The text that has a style: the parameters of its control sequence. */
  styled(style: string): string {
    const cells = this.#lines.flat().filter((cell) => cell?.style === style);
    return cells.map(({ text }) => text).join("");
  }

  /** Writes to it. */
  write(text: string): void {
    // deno-lint-ignore no-control-regex -- these are what it is about
    for (const [part, parameters, command] of text.matchAll(/\x1b\[([?0-9;]*)([A-Za-z])|[^]/gu)) {
      if (command !== undefined) this.#control(command, parameters);
      else this.#put(part);
    }
  }

  #put(character: string): void {
    if (character === "\r") this.#column = 0;
    else if (character === "\n") {
      // As terminals do for programs that didn't ask for less.
      this.#column = 0;
      this.#down();
    } else {
      const width = characterColumns(character);
      if (width === 0) {
        const cell = this.#lines[this.#row][this.#column - 1];
        if (cell !== undefined) cell.text += character;
        return;
      }
      if (this.#column + width > this.#columns) {
        this.#column = 0;
        this.#down();
      }
      const line = this.#lines[this.#row];
      line[this.#column] = { text: character, style: this.#style };
      if (width === 2) line[this.#column + 1] = { text: "", style: this.#style };
      this.#column += width;
    }
  }

  #down(): void {
    this.#row++;
    if (this.#row === this.#lines.length) this.#lines.push([]);
  }

  #control(command: string, parameters: string): void {
    const count = Number(parameters) || 1;
    // Nothing that has left the window can be reached.
    const top = Math.max(0, this.#lines.length - this.#rows);
    switch (command) {
      case "A":
        this.#row = Math.max(top, this.#row - count);
        break;
      case "C":
        this.#column = Math.min(this.#columns - 1, this.#column + count);
        break;
      case "H":
        this.#row = top;
        this.#column = 0;
        break;
      case "J":
        if (parameters === "2") {
          for (let row = top; row < this.#lines.length; row++) this.#lines[row] = [];
        } else {
          this.#lines[this.#row].length = Math.min(this.#column, this.#lines[this.#row].length);
          // A window keeps its height; what is below is empty and will be filled again.
          this.#lines.length = this.#row + 1;
        }
        break;
      case "m":
        this.#style = parameters === "0" ? "" : parameters;
        break;
      case "h":
      case "l":
        break;
      default:
        throw new Error(`the screen knows no ESC [${parameters}${command}`);
    }
  }

  /** Another width: long lines wrap anew, as in most terminals. Only for text without wide ones. */
  resize(columns: number): void {
    const paragraphs: Cell[][] = [];
    let cursor = 0;
    let continues = false;
    this.#lines.forEach((line, row) => {
      if (!continues) paragraphs.push([]);
      const paragraph = paragraphs.at(-1)!;
      if (row === this.#row) cursor = paragraph.length + this.#column;
      if (row <= this.#row && row === this.#row) this.#paragraph = paragraphs.length - 1;
      paragraph.push(...line);
      continues = line.length === this.#columns;
    });
    this.#columns = columns;
    this.#lines = [];
    paragraphs.forEach((cells, index) => {
      if (index === this.#paragraph) {
        this.#row = this.#lines.length + Math.floor(cursor / columns);
        this.#column = cursor % columns;
      }
      do this.#lines.push(cells.splice(0, columns)); while (cells.length > 0);
    });
    while (this.#lines.length <= this.#row) this.#lines.push([]);
  }

  #paragraph = 0;
}

function rowText(cells: readonly Cell[]): string {
  let text = "";
  for (let column = 0; column < cells.length; column++) text += cells[column]?.text ?? " ";
  return text.trimEnd();
}
