/**
 * Prints replies the way the user wants them.
 *
 * @module
 */

import type { Reply } from "../../protocol/reply.ts";
import { formatForPeople, formatRaw } from "./formatting.ts";
import type { ClientSettings } from "../options.ts";
import { latin1Bytes, latin1Text } from "../quoting.ts";
import type { Terminal } from "../terminal.ts";

/** What a printer must know of the settings. */
export type PrinterSettings = Pick<
  ClientSettings,
  "format" | "delimiter" | "replyDelimiter" | "showPushes"
>;

/**
 * Commands whose reply is text for people, and so is printed as it is. Where subcommands are named,
 * it is only those.
 */
const TEXT_COMMANDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["info", []],
  ["lolwut", []],
  ["debug", ["htstats", "htstats-key"]],
  ["memory", ["malloc-stats", "doctor"]],
  ["cluster", ["nodes", "info"]],
  ["client", ["list", "info"]],
  ["latency", ["graph", "doctor"]],
]);

const NEW_LINE = 0x0a;

const encoder = new TextEncoder();

/** Prints replies. */
export class Printer {
  /** Whether replies are formatted for people. */
  readonly forPeople: boolean;
  readonly #terminal: Terminal;
  readonly #showPushes: boolean;
  readonly #delimiter: Uint8Array;
  readonly #replyDelimiter: Uint8Array;

  /** Makes a printer; what the settings leave open depends on whether the output is a terminal. */
  constructor(settings: PrinterSettings, terminal: Terminal) {
    this.#terminal = terminal;
    this.forPeople = settings.format === undefined
      ? terminal.outputIsTerminal
      : settings.format === "standard";
    this.#showPushes = settings.showPushes ?? terminal.outputIsTerminal;
    this.#delimiter = encoder.encode(settings.delimiter);
    this.#replyDelimiter = encoder.encode(settings.replyDelimiter);
  }

  /** Prints the reply to a command, which is given as its words. */
  printReply(reply: Reply, words: readonly Uint8Array[]): void {
    if (!isTextCommand(words)) {
      this.print(reply);
      return;
    }
    const text = formatRaw(reply, this.#delimiter);
    this.#terminal.write(text);
    if (text[text.length - 1] !== NEW_LINE) this.printLine("");
  }

  /** Prints a push message that nobody asked for, if such are shown. */
  printPush(message: Reply): void {
    if (!this.#showPushes || message.kind !== "push") return;
    const keys = this.forPeople ? invalidatedKeys(message) : undefined;
    if (keys === undefined) this.print(message);
    else this.printLine(`-> invalidate: ${keys.map((key) => `'${key}'`).join(", ")}`);
  }

  /** Prints any reply. */
  print(reply: Reply): void {
    if (this.forPeople) {
      this.#terminal.write(formatForPeople(reply));
      this.printLine("");
    } else {
      this.#terminal.write(formatRaw(reply, this.#delimiter));
      this.#terminal.write(this.#replyDelimiter);
    }
  }

  /** Prints a line: a character for each byte. */
  printLine(line: string): void {
    this.#terminal.write(latin1Bytes(line + "\n"));
  }
}

function isTextCommand(words: readonly Uint8Array[]): boolean {
  const subcommands = TEXT_COMMANDS.get(latin1Text(words[0]).toLowerCase());
  if (subcommands === undefined || subcommands.length === 0) return subcommands !== undefined;
  return words.length > 1 && subcommands.includes(latin1Text(words[1]).toLowerCase());
}

/**
 * The keys (a character for each byte) that a message tells to be invalid; `undefined` if it is
 * another.
 */
function invalidatedKeys(message: Reply & { kind: "push" }): string[] | undefined {
  if (message.topic() !== "invalidate" || message.items[1]?.kind !== "array") return undefined;
  const names: string[] = [];
  for (const item of message.items[1].items) {
    if (item.kind !== "bulk") return undefined;
    names.push(latin1Text(item.bytes));
  }
  return names;
}
