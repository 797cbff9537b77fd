/**
 * What the command line client does with a server, one command after the other: connect and connect
 * again, print replies, and keep up with what commands change (database, transaction, protocol).
 *
 * @module
 */

import type { Reply } from "../protocol/reply.ts";
import { ReplyProtocolError } from "../protocol/reply_types.ts";
import { Client } from "./client.ts";
import { describeAddress, openSocket, type ServerAddress } from "./connect.ts";
import { ConnectError, ConnectionClosedError } from "./errors.ts";
import { formatForPeople, formatRaw } from "./formatting.ts";
import type { ClientSettings } from "./options.ts";
import { latin1Bytes, latin1Text } from "./quoting.ts";
import type { Terminal } from "./terminal.ts";

/** How a command ended: with a reply, with an error in reply, or without one. */
export type Outcome = "answered" | "refused" | "disconnected";

/** What a session must know of the settings. */
export type SessionSettings = Pick<
  ClientSettings,
  | "address"
  | "username"
  | "password"
  | "database"
  | "resp"
  | "format"
  | "delimiter"
  | "replyDelimiter"
  | "showPushes"
>;

/** Commands whose reply is text for people, printed as it is; an empty set means all of them. */
const TEXT_COMMANDS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["info", new Set()],
  ["lolwut", new Set()],
  ["debug", new Set(["htstats", "htstats-key"])],
  ["memory", new Set(["malloc-stats", "doctor"])],
  ["cluster", new Set(["nodes", "info"])],
  ["client", new Set(["list", "info"])],
  ["latency", new Set(["graph", "doctor"])],
]);

const SUBSCRIBE_COMMANDS: ReadonlySet<string> = new Set(["subscribe", "psubscribe", "ssubscribe"]);
const UNSUBSCRIBE_COMMANDS: ReadonlySet<string> = new Set([
  "unsubscribe",
  "punsubscribe",
  "sunsubscribe",
]);

const encoder = new TextEncoder();

/** A dialogue with a server. */
export class Session {
  readonly #terminal: Terminal;
  readonly #settings: SessionSettings;
  readonly #delimiter: Uint8Array;
  readonly #replyDelimiter: Uint8Array;
  readonly #raw: boolean;
  readonly #showPushes: boolean;

  #address: ServerAddress;
  #client: Client | undefined;
  /** The database that the user wants; selected again on each new connection. */
  #wantedDatabase: number;
  /** The database that the connection is in. */
  #database = 0;
  /** The database before MULTI, which is the one again if the transaction isn't carried out. */
  #databaseBeforeTransaction = 0;
  #inTransaction = false;
  /** Whether push messages are printed because the command that runs asked for them. */
  #printsPushes = false;

  /** Makes a session that isn't connected. */
  constructor(settings: SessionSettings, terminal: Terminal) {
    this.#settings = settings;
    this.#terminal = terminal;
    this.#address = settings.address;
    this.#wantedDatabase = settings.database;
    this.#raw = settings.format === undefined
      ? !terminal.outputIsTerminal
      : settings.format === "raw";
    this.#showPushes = settings.showPushes ?? terminal.outputIsTerminal;
    this.#delimiter = encoder.encode(settings.delimiter);
    this.#replyDelimiter = encoder.encode(settings.replyDelimiter);
  }

  /** What stands in front of the user's input. */
  get prompt(): string {
    if (this.#client === undefined) return "not connected> ";
    const { hostname = "127.0.0.1", port = 6379, path } = this.#address;
    const server = path !== undefined
      ? `redis ${path}`
      : hostname.includes(":")
      ? `[${hostname}]:${port}`
      : `${hostname}:${port}`;
    const database = this.#database === 0 ? "" : `[${this.#database}]`;
    return `${server}${database}${this.#inTransaction ? "(TX)" : ""}> `;
  }

  /** Whether replies are printed for people. */
  get formatsForPeople(): boolean {
    return !this.#raw;
  }

  /**
   * Connects, or connects again, to another server if one is given. Says on the error output what
   * goes wrong; a refused password, database or protocol leaves the session connected.
   *
   * @returns whether there is a connection.
   */
  async connect(address: ServerAddress = this.#address): Promise<boolean> {
    this.disconnect();
    this.#address = address;
    try {
      const client = new Client(await openSocket(address), {
        onPush: (message) => this.#printPush(message),
      });
      this.#client = client;
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      this.#terminal.writeError(error.message);
      return false;
    }
    try {
      await this.#prepareConnection();
    } catch (error) {
      this.#dropConnection(error);
      return false;
    }
    return true;
  }

  /** Closes the connection. */
  disconnect(): void {
    this.#client?.close();
    this.#client = undefined;
    this.#database = 0;
    this.#inTransaction = false;
  }

  /**
   * Runs a command and prints its reply; connects first if there is no connection.
   *
   * @param words The command's name and arguments.
   * @param options `errorsApart` prints an error reply on the error output, `interruptible` lets
   * Ctrl-C end an endless command rather than the program.
   */
  async run(
    words: readonly Uint8Array[],
    options: { errorsApart?: boolean; interruptible?: boolean } = {},
  ): Promise<Outcome> {
    if (this.#client?.isOpen === false && !this.#inTransaction) this.disconnect();
    if (this.#client === undefined && !await this.connect()) return "disconnected";
    const client = this.#client!;
    const command = latin1Text(words[0]).toLowerCase();
    const confirmed = SUBSCRIBE_COMMANDS.has(command) || UNSUBSCRIBE_COMMANDS.has(command);
    if (SUBSCRIBE_COMMANDS.has(command) && !this.#raw) {
      this.#printLine("Reading messages... (press Ctrl-C to quit)");
    }
    try {
      this.#printsPushes = confirmed;
      const reply = await client.send(words[0], ...words.slice(1));
      this.#follow(command, words, reply);
      // Confirmations were printed as they came.
      if (!confirmed || reply.kind === "error" || reply.kind === "simple") {
        this.#printReply(reply, command, words, options.errorsApart ?? false);
      }
      if (client.isStreaming && (SUBSCRIBE_COMMANDS.has(command) || command === "monitor")) {
        await this.#stream(client, options.interruptible ?? false);
      }
      return reply.kind === "error" ? "refused" : "answered";
    } catch (error) {
      if (command === "shutdown" && error instanceof ConnectionClosedError) {
        this.disconnect();
        return "answered";
      }
      this.#dropConnection(error);
      return "disconnected";
    } finally {
      this.#printsPushes = false;
    }
  }

  /** Logs in, and selects database and protocol, as far as that is asked for. */
  async #prepareConnection(): Promise<void> {
    const { username, password, resp } = this.#settings;
    if (password !== undefined) {
      const user = username === undefined ? [] : [username];
      if (!await this.#prepare("AUTH", "AUTH", ...user, password)) return;
    }
    if (!await this.#selectWanted()) return;
    if (resp !== undefined) await this.#prepare(`HELLO ${resp}`, "HELLO", String(resp));
  }

  async #selectWanted(): Promise<boolean> {
    const database = this.#wantedDatabase;
    if (database === this.#database) return true;
    const done = await this.#prepare(`SELECT ${database}`, "SELECT", String(database));
    if (done) this.#database = database;
    return done;
  }

  async #prepare(title: string, name: string, ...args: string[]): Promise<boolean> {
    const reply = await this.#client!.send(name, ...args);
    if (reply.kind !== "error") return true;
    this.#terminal.writeError(`${title} failed: ${reply.text()}`);
    return false;
  }

  /** Waits and prints until the connection ends or, if that is allowed, the user has enough. */
  async #stream(client: Client, interruptible: boolean): Promise<void> {
    this.#printsPushes = true;
    const interrupted = Promise.withResolvers<void>();
    const forget = interruptible
      ? this.#terminal.onInterrupt(() => interrupted.resolve())
      : undefined;
    try {
      const end = await Promise.race([client.closed, interrupted.promise]);
      if (end !== undefined) throw end;
    } finally {
      forget?.();
    }
    // The messages that are still under way would mix with later replies.
    await this.connect();
  }

  /** Keeps up with what the command changed. */
  #follow(command: string, words: readonly Uint8Array[], reply: Reply): void {
    const failed = reply.kind === "error";
    if (command === "exec" || command === "discard") {
      if (!this.#inTransaction || words.length !== 1) return;
      this.#inTransaction = false;
      if (command === "discard" || failed || reply.kind === "null") {
        this.#database = this.#databaseBeforeTransaction;
        this.#wantedDatabase = this.#database;
      }
      return;
    }
    if (failed) return;
    if (command === "select" && words.length === 2) {
      this.#database = Number(latin1Text(words[1]));
      this.#wantedDatabase = this.#database;
    } else if (command === "multi") {
      this.#inTransaction = true;
      this.#databaseBeforeTransaction = this.#database;
    } else if (command === "reset") {
      this.#inTransaction = false;
      this.#database = 0;
      this.#wantedDatabase = 0;
    }
  }

  #printReply(
    reply: Reply,
    command: string,
    words: readonly Uint8Array[],
    errorsApart: boolean,
  ): void {
    if (reply.kind === "error" && errorsApart) {
      this.#terminal.writeError(reply.text());
    } else if (isTextCommand(command, words)) {
      const text = formatRaw(reply, this.#delimiter);
      this.#terminal.write(text);
      if (text[text.length - 1] !== 0x0a) this.#printLine("");
    } else {
      this.#print(reply);
    }
  }

  #print(reply: Reply): void {
    if (this.#raw) {
      this.#terminal.write(formatRaw(reply, this.#delimiter));
      this.#terminal.write(this.#replyDelimiter);
    } else {
      this.#terminal.write(formatForPeople(reply));
      this.#printLine("");
    }
  }

  #printPush(message: Reply): void {
    if (this.#printsPushes) this.#print(message);
    else if (this.#showPushes && message.kind === "push") {
      const [topic, keys] = message.items;
      const names = keys?.kind === "array" && keys.items.every((key) => key.kind === "bulk")
        ? keys.items
        : undefined;
      if (topic?.kind === "bulk" && topic.text() === "invalidate" && names && !this.#raw) {
        this.#terminal.write(latin1Bytes("-> invalidate: "));
        names.forEach((name, index) => {
          this.#terminal.write(latin1Bytes(index === 0 ? "'" : ", '"));
          if (name.kind === "bulk") this.#terminal.write(name.bytes);
          this.#terminal.write(latin1Bytes("'"));
        });
        this.#printLine("");
      } else this.#print(message);
    }
  }

  #printLine(line: string): void {
    this.#terminal.write(encoder.encode(line + "\n"));
  }

  /** Says why the connection is of no use any more. */
  #dropConnection(error: unknown): void {
    if (!(error instanceof ConnectionClosedError || error instanceof ReplyProtocolError)) {
      throw error;
    }
    this.#terminal.writeError(`Error: ${error.message}`);
    this.disconnect();
  }

  /** Selects the wanted database again after the user logged in. */
  async reselect(): Promise<void> {
    await this.#selectWanted();
  }
}

function isTextCommand(command: string, words: readonly Uint8Array[]): boolean {
  const subcommands = TEXT_COMMANDS.get(command);
  if (subcommands === undefined) return false;
  return subcommands.size === 0 ||
    (words.length > 1 && subcommands.has(latin1Text(words[1]).toLowerCase()));
}

/** The server's address as people write it. */
export function showAddress(address: ServerAddress): string {
  return describeAddress(address);
}
