/**
 * What comes from a keyboard, as keys and pastes.
 *
 * `node:readline` knows the sequences that keys send, but not those between which a terminal puts
 * what is pasted (`ESC [200~` and `ESC [201~`, if it was asked to with `ESC [?2004h`): these are
 * cut out first.
 *
 * @module
 */

import { EventEmitter } from "node:events";
import { emitKeypressEvents } from "node:readline";

/** A key, as `node:readline` names it. */
export interface Key {
  /** Its name: a letter, or `return`, `up`, `home`... */
  readonly name?: string;
  /** Whether Ctrl was held. */
  readonly ctrl?: boolean;
  /** Whether Alt was held. */
  readonly meta?: boolean;
  /** What it sent. */
  readonly sequence?: string;
}

/** One thing that the user did. */
export type Input =
  | { readonly kind: "key"; readonly text: string | undefined; readonly key: Key }
  | { readonly kind: "paste"; readonly text: string };

const PASTE_START = "\x1b[200~";
const PASTE_END = "\x1b[201~";

/** Turns bytes from a keyboard into keys and pastes. */
export class KeyDecoder {
  readonly #onInput: (input: Input) => void;
  readonly #decoder = new TextDecoder();
  readonly #keys = new EventEmitter();
  /** What was pasted so far, while the end of the paste is missing. */
  #paste: string | undefined;
  /** The end of what came, if a sequence may begin there. */
  #kept = "";

  /** Makes a decoder that gives what it finds to `onInput`, within {@linkcode KeyDecoder.push}. */
  constructor(onInput: (input: Input) => void) {
    this.#onInput = onInput;
    this.#keys.on(
      "keypress",
      (text: string | undefined, key: Key) => onInput({ kind: "key", text, key }),
    );
    // It uses nothing of a stream but its events.
    emitKeypressEvents(this.#keys as unknown as NodeJS.ReadableStream);
  }

  /** Takes bytes as they come: characters and sequences may be cut anywhere. */
  push(bytes: Uint8Array): void {
    let text = this.#kept + this.#decoder.decode(bytes, { stream: true });
    this.#kept = "";
    for (;;) {
      const mark = this.#paste === undefined ? PASTE_START : PASTE_END;
      const at = text.indexOf(mark);
      if (at < 0) break;
      this.#take(text.slice(0, at));
      text = text.slice(at + mark.length);
      this.#toggle();
    }
    const keep = startOfMark(text, this.#paste === undefined ? PASTE_START : PASTE_END);
    this.#kept = text.slice(text.length - keep);
    this.#take(text.slice(0, text.length - keep));
  }

  #take(text: string): void {
    if (this.#paste !== undefined) this.#paste += text;
    else if (text !== "") this.#keys.emit("data", text);
  }

  #toggle(): void {
    const text = this.#paste;
    this.#paste = text === undefined ? "" : undefined;
    if (text !== undefined && text !== "") this.#onInput({ kind: "paste", text });
  }
}

/**
 * How many characters at the end of a text may be the start of `mark`.
 *
 * ESC alone may, too: as a key it then counts with the next one, where terminals can't tell Alt and
 * a key from ESC and a key anyway.
 */
function startOfMark(text: string, mark: string): number {
  for (let length = mark.length - 1; length > 0; length--) {
    if (text.endsWith(mark.slice(0, length))) return length;
  }
  return 0;
}
