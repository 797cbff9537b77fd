/**
 * Where the command line client reads and writes, so that a test can sit in the user's place.
 *
 * @module
 */

import { promptSecret } from "@std/cli";
import { TextLineStream, toBytes } from "@std/streams";
import { LINE_FEED } from "../protocol/reply_types.ts";
import { systemReason, writeWhole } from "../runtime/files.ts";
import { addListeners, systemSignals } from "../runtime/signals.ts";
import { FatalError } from "./fatal_error.ts";
import {
  type Keyboard,
  onSystemRedraw,
  openSystemKeyboard,
  type RedrawReason,
} from "./keyboard.ts";
import { latin1Text } from "./quoting.ts";

/** The descriptors of the standard input and output. */
const INPUT = 0;
const OUTPUT = 1;

/** Standard input and output, and what else a command line program finds around it. */
export interface Terminal {
  /** Whether somebody types the input. */
  readonly inputIsTerminal: boolean;
  /** Whether somebody reads the output. */
  readonly outputIsTerminal: boolean;
  /** Whether somebody reads the error output. */
  readonly errorIsTerminal: boolean;
  /** The lines of the input, without their ends: strings with a character for each byte. */
  readLines(): ReadableStream<string>;
  /** The whole input. */
  readAll(): Promise<Uint8Array>;
  /**
   * Reads the next bytes of the input.
   *
   * @param room Where they go; it must not be touched before they are there.
   * @returns How many there are, or `null` at the input's end.
   * @throws {Error} as the system says: the input may be a folder.
   */
  readInput(room: Uint8Array): Promise<number | null>;
  /** How long the input is in bytes, if it is a file, which has a length. */
  inputLength(): Promise<number | undefined>;
  /**
   * Asks for a secret without showing what is typed; where nobody types, it is the first line of
   * the input, of which the rest stays there. `null` if there is none.
   */
  askSecret(question: string): string | null;
  /** Writes to the standard output. */
  write(bytes: Uint8Array): void;
  /** Writes a line to the standard error output. */
  writeError(line: string): void;
  /** Writes a text to the standard error output as it is: for what is overwritten in its place. */
  writeErrorText(text: string): void;
  /** Whether the output goes to a file: not to a terminal, a pipe or a device. */
  outputIsFile(): Promise<boolean>;
  /** How many columns the window has now, or `undefined` where there is no window. */
  columns(): number | undefined;
  /** How many rows it has, likewise. */
  rows(): number | undefined;
  /** The value of a variable of the environment. */
  environment(name: string): string | undefined;
  /**
   * Calls `handler` instead of ending the program on Ctrl-C, until the returned function is called.
   */
  onInterrupt(handler: () => void): () => void;
  /**
   * Calls `handler` when what is on the screen should be drawn anew, until the returned function is
   * called.
   */
  onRedraw(handler: (reason: RedrawReason) => void): () => void;
  /** Takes over the keyboard. */
  openKeyboard(): Keyboard;
}

/** Turns bytes into strings with a character for each, which loses nothing. */
class Latin1Stream extends TransformStream<Uint8Array, string> {
  constructor() {
    super({ transform: (bytes, controller) => controller.enqueue(latin1Text(bytes)) });
  }
}

/**
 * Makes lines out of bytes: strings with a character for each byte, without their ends.
 *
 * @param input The bytes.
 */
export function linesOf(input: ReadableStream<Uint8Array>): ReadableStream<string> {
  return input.pipeThrough(new Latin1Stream()).pipeThrough(new TextLineStream());
}

/** The terminal that the program was started from. */
export function systemTerminal(): Terminal {
  return {
    inputIsTerminal: Deno.stdin.isTerminal(),
    outputIsTerminal: Deno.stdout.isTerminal(),
    errorIsTerminal: Deno.stderr.isTerminal(),
    readLines: () => linesOf(ReadableStream.from(readStandardInput())),
    readAll: () => toBytes(ReadableStream.from(readStandardInput())),
    readInput: (room) => Deno.stdin.read(room),
    inputLength: async () => (await fileAt(INPUT))?.size,
    askSecret: (question) => Deno.stdin.isTerminal() ? promptSecret(question) : readFirstLine(),
    write: writeStandardOutput,
    writeError: (line) => writeErrorText(line + "\n"),
    writeErrorText,
    outputIsFile: async () => await fileAt(OUTPUT) !== undefined,
    columns: () => windowSize()?.columns,
    rows: () => windowSize()?.rows,
    environment: (name) => Deno.env.get(name),
    onInterrupt: (handler) => addListeners([["SIGINT", handler]], systemSignals),
    onRedraw: (handler) => onSystemRedraw(handler),
    openKeyboard: () => openSystemKeyboard(),
  };
}

/** The file behind a descriptor, if it is one: neither a terminal, nor a pipe, nor a device. */
async function fileAt(descriptor: number): Promise<{ readonly size: number } | undefined> {
  // Deno itself doesn't tell. Loaded when it is wanted: it takes as long as the rest of a short
  // command.
  const { fstatSync } = await import("node:fs");
  try {
    const found = fstatSync(descriptor);
    return found.isFile() ? found : undefined;
  } catch {
    // The descriptor may be closed.
    return undefined;
  }
}

/** Reads byte by byte, so that what stands behind the line is there for others. */
function readFirstLine(): string | null {
  const bytes: number[] = [];
  const byte = new Uint8Array(1);
  while (Deno.stdin.readSync(byte) !== null && byte[0] !== LINE_FEED) bytes.push(byte[0]);
  return bytes.length === 0 ? null : new TextDecoder().decode(Uint8Array.from(bytes));
}

async function* readStandardInput(): AsyncGenerator<Uint8Array> {
  try {
    yield* Deno.stdin.readable;
  } catch (error) {
    throw new FatalError(`Reading from standard input: ${systemReason(error)}`);
  }
}

function writeStandardOutput(bytes: Uint8Array): void {
  try {
    writeWhole((piece) => Deno.stdout.writeSync(piece), bytes);
  } catch (error) {
    // A reader that goes away is no fault: `| head`.
    if (error instanceof Deno.errors.BrokenPipe) throw error;
    throw new FatalError(`Writing to standard output: ${systemReason(error)}`);
  }
}

function writeErrorText(text: string): void {
  try {
    writeWhole((piece) => Deno.stderr.writeSync(piece), new TextEncoder().encode(text));
  } catch {
    // There is no place left to say so.
  }
}

function windowSize(): { columns: number; rows: number } | undefined {
  try {
    const size = Deno.consoleSize();
    // Some terminals, serial ones above all, say that they have none.
    return size.columns > 0 && size.rows > 0 ? size : undefined;
  } catch {
    return undefined;
  }
}
