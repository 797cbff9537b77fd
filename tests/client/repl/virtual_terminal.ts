import type { Keyboard, RedrawReason } from "../../../src/client/keyboard.ts";
import { FakeTerminal } from "../fake_terminal.ts";
import { Screen } from "./screen.ts";

/** A terminal whose keys a test presses, and whose screen it looks at. */
export class VirtualTerminal extends FakeTerminal {
  /** What is shown. */
  readonly screen: Screen;
  override readonly variables: Record<string, string> = {};
  /** Whether the keyboard was given back. */
  keyboardIsClosed = false;
  readonly #decoder = new TextDecoder();
  #redraw: (reason: RedrawReason) => void = () => {};
  #keys: Uint8Array[] = [];
  #waiting: ((bytes: Uint8Array | null) => void) | undefined;

  /** Makes a terminal with an empty screen. */
  constructor(columns = 80, rows = 24) {
    super();
    this.screen = new Screen(columns, rows);
    this.inputIsTerminal = this.outputIsTerminal = this.errorIsTerminal = true;
  }

  /** Presses keys, or pastes: what the keyboard would send, as text. */
  press(keys: string): void {
    this.pressBytes(new TextEncoder().encode(keys));
  }

  /** The same as bytes. */
  pressBytes(bytes: Uint8Array): void {
    if (this.#waiting === undefined) this.#keys.push(bytes);
    else this.#waiting(bytes);
    this.#waiting = undefined;
  }

  /** Closes the window. */
  hangUp(): void {
    this.#waiting?.(null);
  }

  /** Makes the window wider or narrower. */
  resize(columns: number): void {
    this.screen.resize(columns);
    this.#redraw("resized");
  }

  /** Stops the program, lets another one write a line, and continues it. */
  interlude(text: string): void {
    this.screen.write(`\n${text}\n`);
    this.#redraw("continued");
  }

  /** Waits until the screen shows a text. */
  async shows(text: string | RegExp): Promise<void> {
    const found = () =>
      typeof text === "string" ? this.screen.text.includes(text) : text.test(this.screen.text);
    for (let waited = 0; !found(); waited++) {
      if (waited > 5000) throw new Error(`no ${text} on the screen:\n${this.screen.text}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Waits until something is written. */
  async drawn(): Promise<void> {
    const { length } = this.output;
    while (this.output.length === length) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  override write(bytes: Uint8Array): void {
    super.write(bytes);
    this.screen.write(this.#decoder.decode(bytes, { stream: true }));
  }

  override writeError(line: string): void {
    super.writeError(line);
    this.screen.write(line + "\n");
  }

  override columns(): number {
    return this.screen.columns;
  }

  override rows(): number {
    return this.screen.rows;
  }

  override onRedraw(handler: (reason: RedrawReason) => void): () => void {
    this.#redraw = handler;
    return () => this.#redraw = () => {};
  }

  override openKeyboard(): Keyboard {
    return {
      read: () => {
        const bytes = this.#keys.shift();
        if (bytes !== undefined) return Promise.resolve(bytes);
        return new Promise((resolve) => this.#waiting = resolve);
      },
      close: () => {
        this.keyboardIsClosed = true;
        this.#waiting?.(null);
      },
    };
  }
}
