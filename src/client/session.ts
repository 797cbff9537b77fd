/**
 * What the command line client does with a server, one command after the other: connect and connect
 * again, run commands, and keep up with what they change (database, transaction, subscriptions).
 *
 * @module
 */

import type { Reply } from "../protocol/reply.ts";
import { ReplyProtocolError } from "../protocol/reply_types.ts";
import { Client } from "./client.ts";
import { openSocket, type ServerAddress } from "./connect.ts";
import { ConnectError, ConnectionClosedError } from "./errors.ts";
import type { ClientSettings } from "./options.ts";
import { Printer, type PrinterSettings } from "./output/printer.ts";
import { latin1Text } from "./quoting.ts";
import type { Terminal } from "./terminal.ts";

/** How a command ended: with a reply, with an error in reply, or without one. */
export type Outcome = "answered" | "refused" | "disconnected";

/** What a session must know of the settings. */
export type SessionSettings =
  & PrinterSettings
  & Pick<ClientSettings, "address" | "username" | "password" | "database" | "resp">;

/** How a command is run. */
export interface RunOptions {
  /**
   * Whether an error in reply goes to the error output.
   *
   * @default {false}
   */
  errorsApart?: boolean;
  /**
   * Whether Ctrl-C ends an endless command, such as MONITOR, rather than the program.
   *
   * @default {false}
   */
  interruptible?: boolean;
}

const SUBSCRIBE_COMMANDS: readonly string[] = ["subscribe", "psubscribe", "ssubscribe"];
const UNSUBSCRIBE_COMMANDS: readonly string[] = ["unsubscribe", "punsubscribe", "sunsubscribe"];

/** A dialogue with a server. */
export class Session {
  /** Prints for this session. */
  readonly printer: Printer;
  readonly #terminal: Terminal;
  readonly #settings: SessionSettings;

  #address: ServerAddress;
  #client: Client | undefined;
  /** The database that the user wants; selected again on each new connection. */
  #wantedDatabase: number;
  /** The database that the connection is in. */
  #database = 0;
  /** The database before MULTI, which is the one again if the transaction isn't carried out. */
  #databaseBefore = 0;
  #inTransaction = false;
  /** Whether pushes are what the running command is about, and printed as they come. */
  #printsPushes = false;
  /** Pushes that came without being asked for; they are printed in front of the next reply. */
  #heldPushes: Reply[] = [];

  /** Makes a session that isn't connected. */
  constructor(settings: SessionSettings, terminal: Terminal) {
    this.#settings = settings;
    this.#terminal = terminal;
    this.#address = settings.address;
    this.#wantedDatabase = settings.database;
    this.printer = new Printer(settings, terminal);
  }

  /** What stands in front of the user's input. */
  get prompt(): string {
    if (this.#client === undefined) return "not connected> ";
    const { hostname = "127.0.0.1", port = 6379, path } = this.#address;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    const server = path === undefined ? `${host}:${port}` : `redis ${path}`;
    const database = this.#database === 0 ? "" : `[${this.#database}]`;
    return `${server}${database}${this.#inTransaction ? "(TX)" : ""}> `;
  }

  /**
   * Connects, or connects again; to another server, if one is given.
   *
   * What goes wrong is said on the error output. If the server refuses the password, the database
   * or the protocol, the session is connected all the same.
   *
   * @returns whether there is a connection.
   */
  async connect(address: ServerAddress = this.#address): Promise<boolean> {
    this.disconnect();
    this.#address = address;
    try {
      this.#client = new Client(await openSocket(address), {
        // Replies reach their command a microtask later; this keeps messages behind them.
        onPush: (message) => queueMicrotask(() => this.#takePush(message)),
      });
      await this.#prepareConnection(this.#client);
      return true;
    } catch (error) {
      this.#drop(error);
      return false;
    }
  }

  /** Closes the connection. */
  disconnect(): void {
    this.#client?.close();
    this.#client = undefined;
    this.#database = 0;
    this.#inTransaction = false;
    this.#heldPushes = [];
  }

  /**
   * Runs a command and prints its reply.
   *
   * If there is no connection, or the server has closed it since the last command, it connects
   * first; but not in the middle of a transaction, whose rest would be run outside of it.
   *
   * @param words The command's name and arguments.
   */
  async run(words: readonly Uint8Array[], options: RunOptions = {}): Promise<Outcome> {
    if (this.#client?.isOpen === false && !this.#inTransaction) this.disconnect();
    if (this.#client === undefined && !await this.connect()) return "disconnected";
    const client = this.#client!;
    const command = latin1Text(words[0]).toLowerCase();
    const subscribes = SUBSCRIBE_COMMANDS.includes(command);
    const isConfirmed = subscribes || UNSUBSCRIBE_COMMANDS.includes(command);
    if (subscribes && this.printer.forPeople) {
      this.printer.printLine("Reading messages... (press Ctrl-C to quit)");
    }
    try {
      this.#printsPushes = isConfirmed;
      const reply = await client.send(words[0], ...words.slice(1));
      this.#printHeldPushes();
      if (reply.kind === "error" && options.errorsApart) this.#terminal.writeError(reply.text());
      // Confirmations were printed as they came.
      else if (!isConfirmed || reply.kind === "error" || reply.kind === "simple") {
        this.printer.printReply(reply, words);
      }
      await this.#follow(client, command, words, reply);
      if (client.isStreaming && (subscribes || command === "monitor")) {
        await this.#stream(client, options.interruptible ?? false);
      }
      return reply.kind === "error" ? "refused" : "answered";
    } catch (error) {
      const expected = command === "shutdown" && error instanceof ConnectionClosedError;
      if (expected) this.disconnect();
      else this.#drop(error);
      return expected ? "answered" : "disconnected";
    } finally {
      this.#printsPushes = false;
    }
  }

  /** Logs in, and selects database and protocol, as far as that is asked for and goes well. */
  async #prepareConnection(client: Client): Promise<void> {
    const { username, password, resp } = this.#settings;
    if (password !== undefined) {
      const user = username === undefined ? [] : [username];
      if (!await this.#prepare(client, "AUTH", "AUTH", ...user, password)) return;
    }
    if (!await this.#selectWanted(client)) return;
    if (resp !== undefined) await this.#prepare(client, `HELLO ${resp}`, "HELLO", String(resp));
  }

  async #selectWanted(client: Client): Promise<boolean> {
    const database = this.#wantedDatabase;
    if (database === this.#database) return true;
    const done = await this.#prepare(client, `SELECT ${database}`, "SELECT", String(database));
    if (done) this.#database = database;
    return done;
  }

  async #prepare(
    client: Client,
    title: string,
    ...command: [string, ...string[]]
  ): Promise<boolean> {
    const reply = await client.send(...command);
    if (reply.kind !== "error") return true;
    this.#terminal.writeError(`${title} failed: ${reply.text()}`);
    return false;
  }

  /** Keeps up with what a command changed. */
  async #follow(
    client: Client,
    command: string,
    words: readonly Uint8Array[],
    reply: Reply,
  ): Promise<void> {
    const failed = reply.kind === "error";
    switch (command) {
      case "exec":
      case "discard":
        if (!this.#inTransaction || (failed && command === "discard")) return;
        this.#inTransaction = false;
        if (command === "discard" || failed || reply.kind === "null") {
          this.#database = this.#databaseBefore;
          this.#wantedDatabase = this.#databaseBefore;
        }
        return;
      case "multi":
        if (failed) return;
        this.#inTransaction = true;
        this.#databaseBefore = this.#database;
        return;
      case "select":
        if (failed) return;
        this.#database = Number(latin1Text(words[1]));
        this.#wantedDatabase = this.#database;
        return;
      case "auth":
        // Before, the database could be refused.
        if (!failed) await this.#selectWanted(client);
        return;
      case "reset":
        if (failed) return;
        this.#inTransaction = false;
        this.#database = 0;
        this.#wantedDatabase = 0;
        return;
    }
  }

  /**
   * Lets messages be printed until the connection ends or, if that is allowed, the user has enough.
   */
  async #stream(client: Client, interruptible: boolean): Promise<void> {
    this.#printsPushes = true;
    const interrupted = Promise.withResolvers<undefined>();
    const forget = interruptible
      ? this.#terminal.onInterrupt(() => interrupted.resolve(undefined))
      : undefined;
    try {
      const end = await Promise.race([client.closed, interrupted.promise]);
      if (end !== undefined) throw end;
    } finally {
      forget?.();
    }
    // A new connection: on this one, messages that are still under way would mix with later
    // replies.
    await this.connect();
  }

  #takePush(message: Reply): void {
    if (this.#printsPushes) this.printer.print(message);
    else this.#heldPushes.push(message);
  }

  #printHeldPushes(): void {
    for (const message of this.#heldPushes.splice(0)) this.printer.printPush(message);
  }

  /** Says why there is no connection (any more). */
  #drop(error: unknown): void {
    if (error instanceof ConnectError) this.#terminal.writeError(error.message);
    else if (error instanceof ConnectionClosedError || error instanceof ReplyProtocolError) {
      this.#terminal.writeError(`Error: ${error.message}`);
    } else throw error;
    this.disconnect();
  }
}
