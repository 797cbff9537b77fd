/**
 * Prints replies the way the user wants them.
 *
 * @module
 */

import { joinBytes } from "../../protocol/joined_bytes.ts";
import type { Reply } from "../../protocol/reply.ts";
import { LINE_FEED } from "../../protocol/reply_types.ts";
import type { ClientSettings, OutputFormat } from "../options.ts";
import { latin1Bytes, latin1Text } from "../quoting.ts";
import type { Terminal } from "../terminal.ts";
import { formatCsv } from "./csv.ts";
import { formatForPeople, formatRaw, type ReplyColours } from "./formatting.ts";
import { formatJson } from "./json.ts";
import { isTextCommand } from "./text_commands.ts";
import { refuseUnreadable } from "./unreadable.ts";

/** What a printer must know of the settings. */
export type PrinterSettings = Pick<
  ClientSettings,
  "format" | "delimiter" | "replyDelimiter" | "showPushes"
>;

const encoder = new TextEncoder();

/** Prints replies. */
export class Printer {
  /** How replies are printed. */
  readonly format: OutputFormat;
  /** The colours of replies for people. */
  colours: ReplyColours = {};
  readonly #terminal: Terminal;
  readonly #showPushes: boolean;
  readonly #delimiter: Uint8Array;
  readonly #replyDelimiter: Uint8Array;
  /** Whether a program reads what is printed, or feeds us: then nothing differs from redis-cli. */
  readonly #isStrict: boolean;

  /** Makes a printer. */
  constructor(settings: PrinterSettings, terminal: Terminal) {
    this.#terminal = terminal;
    this.format = settings.format;
    this.#showPushes = settings.showPushes;
    this.#delimiter = encoder.encode(settings.delimiter);
    this.#replyDelimiter = encoder.encode(settings.replyDelimiter);
    this.#isStrict = !terminal.inputIsTerminal || !terminal.outputIsTerminal;
  }

  /** Whether replies are formatted for people. */
  get forPeople(): boolean {
    return this.format === "standard";
  }

  /**
   * Prints the reply to a command, which is given as its words.
   *
   * @throws {FatalError} if redis-cli couldn't, and a program reads the output.
   */
  printReply(reply: Reply, words: readonly Uint8Array[]): void {
    if (!isTextCommand(words)) {
      this.print(reply);
      return;
    }
    if (this.#isStrict) refuseUnreadable(reply);
    const text = formatRaw(reply, this.#delimiter);
    this.#terminal.write(text);
    // The prompt comes next.
    if (!this.#isStrict && text[text.length - 1] !== LINE_FEED) this.printLine("");
  }

  /**
   * Prints a push message that nobody asked for, if such are shown.
   *
   * @throws {FatalError} as {@linkcode Printer.print} does.
   */
  printPush(message: Reply): void {
    if (!this.#showPushes || message.kind !== "push") return;
    const keys = this.forPeople ? invalidatedKeys(message) : undefined;
    if (keys === undefined) this.print(message);
    else this.printLine(`-> invalidate: ${keys.map((key) => `'${key}'`).join(", ")}`);
  }

  /**
   * Prints any reply.
   *
   * @throws {FatalError} if redis-cli couldn't, and a program reads the output.
   */
  print(reply: Reply): void {
    if (this.#isStrict) refuseUnreadable(reply);
    const end = this.format === "raw" ? this.#replyDelimiter : Uint8Array.of(LINE_FEED);
    // One write, so that others who write there don't come in between.
    this.#terminal.write(joinBytes([this.#formatReply(reply), end]));
  }

  /** Prints a line: a character for each byte. */
  printLine(line: string): void {
    this.#terminal.write(latin1Bytes(line + "\n"));
  }

  #formatReply(reply: Reply): Uint8Array {
    switch (this.format) {
      case "standard":
        return formatForPeople(reply, this.colours);
      case "raw":
        return formatRaw(reply, this.#delimiter);
      case "csv":
        return formatCsv(reply);
      case "json":
        return formatJson(reply, "plain");
      case "quoted-json":
        return formatJson(reply, "quoted");
    }
  }
}

/**
 * The keys (a character for each byte) that a message tells to be invalid; `undefined` if it is
 * another.
 */
function invalidatedKeys(message: Reply & { kind: "push" }): string[] | undefined {
  const [, keys] = message.items;
  if (message.items.length !== 2 || message.topic() !== "invalidate") return undefined;
  if (keys.kind !== "array") return undefined;
  const names: string[] = [];
  for (const item of keys.items) {
    if (item.kind !== "bulk") return undefined;
    names.push(latin1Text(item.bytes));
  }
  return names;
}
