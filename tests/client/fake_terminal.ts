import type { Keyboard, RedrawReason } from "../../src/client/keyboard.ts";
import { linesOf, type Terminal } from "../../src/client/terminal.ts";

/** A terminal whose input is given and whose output is kept. */
export class FakeTerminal implements Terminal {
  /** What was written, a character for each byte. */
  output = "";
  /** The lines of the error output. */
  readonly errors: string[] = [];
  /** Variables of the environment. On a terminal that can do nothing, lines are read as they come. */
  readonly variables: Record<string, string> = { TERM: "dumb" };
  /** What is answered to the question for a secret. */
  secret: string | null = null;
  inputIsTerminal = false;
  outputIsTerminal = false;
  errorIsTerminal = false;
  /** Whether the output goes to a file. */
  writesFile = false;
  /** The window's width; `undefined` for no window. */
  windowColumns: number | undefined;
  /** The window's height, likewise. */
  windowRows: number | undefined;
  /** What was written to the error output without being a line. */
  errorText = "";
  #interrupt: (() => void) | undefined;
  readonly #input: string;
  #inputTaken = 0;

  /** Makes a terminal whose input is this, a character for each byte. */
  constructor(input = "") {
    this.#input = input;
  }

  readLines(): ReadableStream<string> {
    return linesOf(ReadableStream.from([this.#bytes()]));
  }

  readAll(): Promise<Uint8Array> {
    return Promise.resolve(this.#bytes());
  }

  readInput(room: Uint8Array): Promise<number | null> {
    const bytes = this.#bytes().subarray(this.#inputTaken, this.#inputTaken + room.length);
    room.set(bytes);
    this.#inputTaken += bytes.length;
    return Promise.resolve(bytes.length === 0 ? null : bytes.length);
  }

  inputLength(): Promise<number | undefined> {
    return Promise.resolve(this.#input.length);
  }

  askSecret(question: string): string | null {
    this.output += question;
    return this.secret;
  }

  write(bytes: Uint8Array): void {
    for (const byte of bytes) this.output += String.fromCharCode(byte);
  }

  writeError(line: string): void {
    this.errors.push(line);
  }

  writeErrorText(text: string): void {
    this.errorText += text;
  }

  outputIsFile(): Promise<boolean> {
    return Promise.resolve(this.writesFile);
  }

  columns(): number | undefined {
    return this.windowColumns;
  }

  rows(): number | undefined {
    return this.windowRows;
  }

  environment(name: string): string | undefined {
    return this.variables[name];
  }

  onInterrupt(handler: () => void): () => void {
    this.#interrupt = handler;
    return () => this.#interrupt = undefined;
  }

  onRedraw(_handler: (reason: RedrawReason) => void): () => void {
    return () => {};
  }

  openKeyboard(): Keyboard {
    return { read: () => Promise.resolve(null), close: () => {} };
  }

  /** Presses Ctrl-C; false if nothing handles it. */
  interrupt(): boolean {
    const handler = this.#interrupt;
    handler?.();
    return handler !== undefined;
  }

  #bytes(): Uint8Array {
    return Uint8Array.from(this.#input, (character) => character.charCodeAt(0));
  }
}
