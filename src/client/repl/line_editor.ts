/**
 * Reads lines on a terminal: a thin layer over `node:readline` that adds what it lacks, which is
 * hints, Ctrl-R, pastes, and lines that others print while one is being typed.
 *
 * Keys come through one queue, in the order in which they were pressed. While no line is read (a
 * command runs) they wait there for the next line; but Ctrl-C counts at once, and clears the queue.
 * A paste of several lines is put into the queue line by line.
 *
 * @module
 */

import type { Keyboard, RedrawReason } from "../keyboard.ts";
import type { Terminal } from "../terminal.ts";
import { commonStart, type Completion, listWords } from "./completion_list.ts";
import { EditArea, type WindowSize } from "./edit_area.ts";
import { HistorySearch } from "./history_search.ts";
import { type Input, type Key, KeyDecoder } from "./key_decoder.ts";
import { LineBuffer } from "./line_buffer.ts";
import { cutPaste } from "./paste.ts";

/** What an editor asks for while a line is typed. */
export interface EditorOptions {
  /** Lines that were typed before, the latest last. */
  readonly history: () => readonly string[];
  /** What is shown behind a line. */
  readonly hint: (line: string) => string;
  /** The words that could stand at the end of a line. */
  readonly complete: (line: string) => Promise<Completion>;
  /** Takes Ctrl-C while no line is read. */
  readonly onInterrupt: () => void;
  /** What makes a text look like a hint: a control sequence. */
  readonly hintStyle: string;
}

/** What waits to be done: an input, a whole line, or the start of one. */
type Queued =
  | Input
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "text"; readonly text: string; readonly cursor: number };

/** A line that is being read. */
interface Reading {
  readonly prompt: () => string;
  readonly resolve: (line: string | undefined) => void;
}

const BRACKETS_ON = "\x1b[?2004h";
const BRACKETS_OFF = "\x1b[?2004l";
/** How long a window keeps its size, twice, before the line is drawn for it. */
const RESIZE_DELAY_MS = 20;
const CLEAR_SCREEN = "\x1b[H\x1b[2J";

/** The size of a window that doesn't tell it. */
const USUAL_SIZE: WindowSize = { columns: 80, rows: 24 };

const encoder = new TextEncoder();

/** Reads lines on a terminal, which it has for itself until it is closed. */
export class LineEditor {
  readonly #terminal: Terminal;
  readonly #options: EditorOptions;
  readonly #keyboard: Keyboard;
  readonly #area: EditArea;
  readonly #buffer = new LineBuffer();
  readonly #decoder = new KeyDecoder((input) => this.#take(input));
  readonly #forget: readonly (() => void)[];
  #queue: Queued[] = [];
  #reading: Reading | undefined;
  #ended = false;
  #search: HistorySearch | undefined;
  /** The line of the history that is shown; the number of lines for the one that is typed. */
  #historyIndex = 0;
  /** What was typed before going through the history. */
  #draft = "";
  /** The completion that is being looked for; keys wait for it. */
  #completing: symbol | undefined;
  /** Draws the line for another size of the window. */
  #redrawTimer: ReturnType<typeof setTimeout> | undefined;

  /** Takes over the keyboard. */
  constructor(terminal: Terminal, options: EditorOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#area = new EditArea(
      (text) => this.#write(text),
      () => this.#size(),
      options.hintStyle,
    );
    this.#keyboard = terminal.openKeyboard();
    this.#forget = [
      terminal.onInterrupt(() => this.#interrupt()),
      terminal.onRedraw((reason) => this.#redraw(reason)),
    ];
    this.#write(BRACKETS_ON);
    this.#readKeyboard();
  }

  /**
   * Reads a line.
   *
   * @param prompt Gives what stands in front of it; asked each time the line is drawn.
   * @returns The line, or `undefined` at the end: Ctrl-D, Ctrl-C, or no terminal any more.
   */
  readLine(prompt: () => string): Promise<string | undefined> {
    if (this.#ended) return Promise.resolve(undefined);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#reading = { prompt, resolve };
    this.#historyIndex = this.#options.history().length;
    this.#buffer.set("");
    this.#work();
    this.refresh();
    return promise;
  }

  /** Draws the line again: its prompt or hint has changed, or the window. */
  refresh(): void {
    if (this.#reading === undefined) return;
    const { prompt } = this.#reading;
    const { text, cursor } = this.#buffer;
    const search = this.#search;
    this.#area.draw(
      search === undefined
        ? { prompt: prompt(), line: text, cursor, hint: this.#options.hint(text) }
        : { prompt: search.prompt, line: search.line, cursor: search.cursor, hint: "" },
    );
  }

  /** Calls `print`, which writes whole lines; they come above the line that is being typed. */
  interject(print: () => void): void {
    this.#area.erase();
    print();
    this.refresh();
  }

  /** Clears the screen. */
  clearScreen(): void {
    this.#area.erase();
    this.#write(CLEAR_SCREEN);
  }

  /** Gives the keyboard back. */
  close(): void {
    this.#end();
    for (const forget of this.#forget) forget();
    clearTimeout(this.#redrawTimer);
    this.#write(BRACKETS_OFF);
    this.#keyboard.close();
    this.#buffer.close();
  }

  #redraw(reason: RedrawReason): void {
    clearTimeout(this.#redrawTimer);
    if (reason === "continued") {
      this.#area.forget();
      this.refresh();
    } else {
      // A window that is drawn larger tells it many times. In two steps, since a program that was
      // stopped finds the first one over when it goes on, before it learns that the line isn't where
      // it was.
      this.#redrawTimer = setTimeout(() => {
        this.#redrawTimer = setTimeout(() => this.refresh(), RESIZE_DELAY_MS);
      }, RESIZE_DELAY_MS);
    }
  }

  async #readKeyboard(): Promise<void> {
    for (let bytes = await this.#keyboard.read(); bytes !== null;) {
      this.#decoder.push(bytes);
      this.refresh();
      bytes = await this.#keyboard.read();
    }
    this.#end();
  }

  #take(input: Input): void {
    if (input.kind === "key" && isControl(input.key, "c")) {
      this.#interrupt();
      return;
    }
    this.#queue.push(input);
    this.#work();
  }

  /** Does what is queued, as far as a line is read. */
  #work(): void {
    let done = 0;
    while (
      done < this.#queue.length && this.#reading !== undefined && this.#completing === undefined
    ) {
      this.#handle(this.#queue[done++], done);
    }
    this.#queue.splice(0, done);
  }

  #handle(input: Queued, next: number): void {
    switch (input.kind) {
      case "key":
        this.#press(input.text, input.key);
        break;
      case "paste":
        this.#paste(input.text, next);
        break;
      case "line":
        this.#buffer.set(input.text);
        this.#accept();
        break;
      case "text":
        this.#buffer.set(input.text, input.cursor);
        break;
    }
  }

  #paste(pasted: string, next: number): void {
    this.#leaveSearch();
    const { text, cursor } = this.#buffer;
    const behind = text.slice(cursor);
    const lines = cutPaste(text.slice(0, cursor) + pasted + behind);
    const last = lines.pop()!;
    // In front of what was typed after the paste.
    const queued = lines.map((line): Queued => ({ kind: "line", text: line }));
    queued.push({ kind: "text", text: last, cursor: Math.max(last.length - behind.length, 0) });
    this.#queue = [...this.#queue.slice(0, next), ...queued, ...this.#queue.slice(next)];
  }

  #press(text: string | undefined, key: Key): void {
    if (this.#search !== undefined && this.#searchFor(this.#search, text, key)) return;
    const name = key.ctrl ? `ctrl-${key.name}` : key.name;
    switch (name) {
      case "return":
      case "enter":
        return this.#accept();
      case "tab":
        this.#complete();
        return;
      case "up":
      case "ctrl-p":
        return this.#showHistory(this.#historyIndex - 1);
      case "down":
      case "ctrl-n":
        return this.#showHistory(this.#historyIndex + 1);
      case "ctrl-r":
        this.#search = new HistorySearch(this.#options.history(), this.#buffer.text);
        return;
      case "ctrl-l":
        return this.clearScreen();
      case "ctrl-d":
        if (this.#buffer.text === "") return this.#end();
        break;
      case "ctrl-z":
        // Readline would stop the program, which takes a permission that it doesn't have.
        return;
    }
    if (isText(text, key)) this.#buffer.insert(text);
    else this.#buffer.press(text, key);
  }

  /** Does what a key means to a search; false if it ends the search and means something else. */
  #searchFor(search: HistorySearch, text: string | undefined, key: Key): boolean {
    if (isControl(key, "r") || key.name === "up") search.older();
    else if (isControl(key, "s") || key.name === "down") search.newer();
    else if (key.name === "backspace") search.erase();
    else if (isControl(key, "g")) this.#search = undefined;
    else if (isText(text, key)) search.type(text);
    else {
      this.#leaveSearch();
      return key.name === "escape";
    }
    return true;
  }

  /** Ends the search, if there is one, with what it has found. */
  #leaveSearch(): void {
    if (this.#search === undefined) return;
    this.#buffer.set(this.#search.line);
    this.#search = undefined;
  }

  #showHistory(index: number): void {
    const lines = this.#options.history();
    if (index < 0 || index > lines.length) return;
    if (this.#historyIndex === lines.length) this.#draft = this.#buffer.text;
    this.#historyIndex = index;
    this.#buffer.set(index === lines.length ? this.#draft : lines[index]);
  }

  async #complete(): Promise<void> {
    const completing = Symbol();
    this.#completing = completing;
    const { text, cursor } = this.#buffer;
    const completion = await this.#options.complete(text.slice(0, cursor));
    // Meanwhile, Ctrl-C may have ended it all.
    if (this.#completing !== completing) return;
    this.#completing = undefined;
    this.#offer(completion);
    this.#work();
    this.refresh();
  }

  /** Types as much as all candidates have in common; shows them if that is nothing. */
  #offer({ start, candidates, isPartial = false }: Completion): void {
    if (candidates.length === 0 && !isPartial) return;
    const { text, cursor } = this.#buffer;
    const behind = text.slice(cursor);
    // What those have in common that weren't found, nobody knows.
    const common = isPartial && candidates.length !== 1
      ? text.slice(start, cursor)
      : commonStart(candidates);
    const isWhole = candidates.length === 1 && !isPartial && !behind.startsWith(" ");
    // The next word can be typed at once.
    const word = isWhole ? common + " " : common;
    if (word !== text.slice(start, cursor) && word.length >= cursor - start) {
      this.#buffer.set(text.slice(0, start) + word + behind, start + word.length);
      return;
    }
    const { columns, rows } = this.#size();
    this.#area.finish({ prompt: this.#reading!.prompt(), line: text, cursor, hint: "" });
    if (candidates.length > 0) this.#write(listWords(candidates, columns, rows - 2));
    if (isPartial) this.#write("...\n");
  }

  #accept(): void {
    this.#leaveSearch();
    this.#leaveLine(this.#buffer.text);
  }

  /**
   * Ctrl-C: at the prompt it ends the dialogue, as in redis-cli; else, what runs: a command, a
   * completion, a search.
   */
  #interrupt(): void {
    this.#queue = [];
    if (this.#reading === undefined) this.#options.onInterrupt();
    else if (this.#completing !== undefined) this.#completing = undefined;
    else if (this.#search !== undefined) {
      this.#search = undefined;
      this.refresh();
    } else this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.#completing = undefined;
    this.#search = undefined;
    if (this.#reading !== undefined) this.#leaveLine(undefined);
  }

  /** The line stays on the screen as it is; what comes next comes below. */
  #leaveLine(result: string | undefined): void {
    const { prompt, resolve } = this.#reading!;
    const { text, cursor } = this.#buffer;
    this.#area.finish({ prompt: prompt(), line: text, cursor, hint: "" });
    this.#reading = undefined;
    resolve(result);
  }

  #size(): WindowSize {
    return {
      columns: this.#terminal.columns() ?? USUAL_SIZE.columns,
      rows: this.#terminal.rows() ?? USUAL_SIZE.rows,
    };
  }

  #write(text: string): void {
    this.#terminal.write(encoder.encode(text));
  }
}

/** Whether a key adds its text to the line. */
function isText(text: string | undefined, key: Key): text is string {
  return text !== undefined && text >= " " && text !== "\x7f" && !key.ctrl && !key.meta;
}

function isControl(key: Key, name: string): boolean {
  return key.ctrl === true && key.name === name;
}
