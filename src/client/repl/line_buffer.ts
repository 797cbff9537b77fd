/**
 * The line that is being typed and the cursor in it; `node:readline` does the editing.
 *
 * Of readline only the editing is used: it draws into nothing, since what it draws doesn't know of
 * hints, messages that come in between, or windows that change their size, and it keeps no history.
 *
 * @module
 */

import { createInterface, type Interface } from "node:readline";
import { PassThrough, Writable } from "node:stream";
import type { Key } from "./key_decoder.ts";

/** What readline lets one change of it: `line` may be set together with `cursor`. */
type Editor = Interface & { line: string; cursor: number };

/** A line and a cursor. */
export class LineBuffer {
  readonly #editor: Editor;

  /** Makes an empty line. */
  constructor() {
    this.#editor = createInterface({
      input: new PassThrough(),
      output: new Writable({ write: (_bytes, _encoding, done) => done() }),
      terminal: true,
      historySize: 0,
    }) as Editor;
  }

  /** What was typed. */
  get text(): string {
    return this.#editor.line;
  }

  /** The place in the text that the cursor stands in front of. */
  get cursor(): number {
    return this.#editor.cursor;
  }

  /** Puts another text in place of this one. */
  set(text: string, cursor = text.length): void {
    this.#editor.line = text;
    this.#editor.cursor = cursor;
  }

  /**
   * Adds text in front of the cursor. Readline could, too, but looks at the whole line each time:
   * a long one that comes letter by letter would take minutes.
   */
  insert(added: string): void {
    const { text, cursor } = this;
    this.set(text.slice(0, cursor) + added + text.slice(cursor), cursor + added.length);
  }

  /** Does what a key does to the line other than adding to it: moves the cursor, deletes. */
  press(text: string | undefined, key: Key): void {
    this.#editor.write(text ?? "", key);
  }

  /** Lets go of it. */
  close(): void {
    this.#editor.close();
  }
}
