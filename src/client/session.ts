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
import { ConnectionState } from "./connection_state.ts";
import { ConnectionClosedError } from "./errors.ts";
import { reportFailure } from "./failures.ts";
import { FatalError } from "./fatal_error.ts";
import { introduce, refusalOf } from "./introduction.ts";
import type { ClientSettings } from "./options.ts";
import { Printer, type PrinterSettings } from "./output/printer.ts";
import { latin1Text } from "./quoting.ts";
import { readRedirection, type Redirection } from "./redirection.ts";
import { subscriptionChange } from "./subscriptions.ts";
import type { Terminal } from "./terminal.ts";

/** How a command ended: with a reply, with an error in reply, or without one. */
export type Outcome = "answered" | "refused" | "disconnected" | "interrupted";

/** Takes what happens between two commands. */
export interface SessionObserver {
  /** There is a new connection; it may be asked something when no command runs. */
  onConnected(): void;
  /** The connection was lost while no command ran. */
  onLost(reason: Error): void;
  /** A message that nobody asked for has come; `print` prints it, if such are shown. */
  onPush(print: () => void): void;
}

/** What a session must know of the settings. */
export type SessionSettings =
  & PrinterSettings
  & Pick<ClientSettings, "address" | "username" | "password" | "database" | "resp">
  & Pick<ClientSettings, "followsRedirections" | "words" | "scriptFile">;

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

/** Nodes that send a command on more often than this don't know where it belongs. */
const MOST_REDIRECTIONS = 16;

/** With so many pushes held back, they are printed though no reply has come. */
const MOST_HELD_PUSHES = 1000;

/** A dialogue with a server. */
export class Session {
  /** Prints for this session. */
  readonly printer: Printer;
  /**
   * Is told what happens between two commands. Without it, messages are printed with the next
   * reply, and only the next command finds out that there is no connection any more.
   */
  observer: SessionObserver | undefined;
  /** What the server is, if that is to be shown in the prompt; forgotten with the connection. */
  role: string | undefined;
  readonly #terminal: Terminal;
  readonly #settings: SessionSettings;
  /** Whether commands come one by one, rather than from the command line. */
  readonly #isDialogue: boolean;

  #address: ServerAddress;
  #client: Client | undefined;
  readonly #state: ConnectionState;
  #isRunning = false;
  #isInterrupted = false;
  /** Whether pushes are what the running command is about, and printed as they come. */
  #printsPushes = false;
  #isAccepted = false;
  /** Why a push couldn't be printed. */
  #pushFailure: unknown;
  /** Pushes that came without being asked for; they are printed in front of the next reply. */
  #heldPushes: Reply[] = [];

  /** Makes a session that isn't connected. */
  constructor(settings: SessionSettings, terminal: Terminal) {
    this.#settings = settings;
    this.#terminal = terminal;
    this.#address = settings.address;
    this.#state = new ConnectionState(settings.database, settings.resp);
    this.#isDialogue = settings.words.length === 0 && settings.scriptFile === undefined;
    this.printer = new Printer(settings, terminal);
  }

  /** Whether the server took the password, the database and the protocol that it was offered. */
  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  /** Whether there is a connection, as far as is known. */
  get isConnected(): boolean {
    return this.#client !== undefined;
  }

  /** Whether {@linkcode Session.ask} asks: there is a connection, without a command or MULTI. */
  get isIdle(): boolean {
    return this.isConnected && !this.#isRunning && !this.#state.inTransaction;
  }

  /** What stands in front of the user's input. */
  get prompt(): string {
    if (this.#client === undefined) return "not connected> ";
    const { hostname = "127.0.0.1", port = 6379, path } = this.#address;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    const server = path === undefined ? `${host}:${port}` : `redis ${path}`;
    const database = this.#state.database === 0 ? "" : `[${this.#state.database}]`;
    const role = this.role === undefined ? "" : `(${this.role})`;
    return `${server}${database}${role}${this.#state.inTransaction ? "(TX)" : ""}> `;
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
    return await this.#connect(address) !== "disconnected";
  }

  /** Connects; "refused" if the server didn't take the password, the database or the protocol. */
  async #connect(given: ServerAddress): Promise<Outcome> {
    // Another server is spoken to like the first one.
    const address = { ...given, tls: this.#settings.address.tls };
    this.disconnect();
    this.#address = address;
    let client: Client | undefined;
    try {
      this.#client = client = new Client(await openSocket(address), {
        // Replies reach their command a microtask later; this keeps messages behind them.
        onPush: (message) => queueMicrotask(() => this.#takePush(message)),
      });
      this.#watch(client);
      this.#isAccepted = await this.#introduce(client);
      this.observer?.onConnected();
      return this.#isAccepted ? "answered" : "refused";
    } catch (error) {
      // Whoever has closed it meanwhile needn't be told.
      if (client === undefined || client === this.#client) this.#drop(error);
      return "disconnected";
    }
  }

  /** Closes the connection. */
  disconnect(): void {
    this.#client?.close();
    this.#client = undefined;
    this.#state.forget();
    this.#heldPushes = [];
    this.role = undefined;
  }

  /**
   * Ends what is running: messages are no longer read, a reply no longer waited for. The connection
   * ends with it, and a new one is made.
   *
   * @returns false if no command waits for a server.
   */
  interrupt(): boolean {
    if (!this.#isRunning || this.#client === undefined) return false;
    this.#isInterrupted = true;
    this.#client.close();
    return true;
  }

  /**
   * Asks the server something beside the user's commands, without printing anything.
   *
   * @returns the reply; `undefined` if it is an error, or if the session isn't idle: it would get
   * in the way of what the user does.
   */
  async ask(name: string, ...args: (string | Uint8Array)[]): Promise<Reply | undefined> {
    if (!this.isIdle) return undefined;
    try {
      const reply = await this.#client!.send(name, ...args);
      return reply.kind === "error" ? undefined : reply;
    } catch {
      // The user learns of it from the next command, or from the observer.
      return undefined;
    }
  }

  /**
   * Runs a command and prints its reply.
   *
   * If there is no connection, or, in a dialogue, if the server has closed it since the last
   * command, it connects first; but not in the middle of a transaction, whose rest would be run
   * outside of it.
   *
   * A node of a cluster may send the command on to another one, to which the session is then
   * connected, if the settings say so.
   *
   * @param words The command's name and arguments.
   * @throws {FatalError} if the reply can't be printed for the program that reads it.
   */
  async run(words: readonly Uint8Array[], options: RunOptions = {}): Promise<Outcome> {
    this.#isRunning = true;
    this.#isInterrupted = false;
    try {
      for (let left = this.#settings.followsRedirections ? MOST_REDIRECTIONS : 0;; left--) {
        const outcome = await this.#runHere(words, options, left > 0);
        if (typeof outcome === "string") return outcome;
        if (!await this.#redirect(outcome)) return "disconnected";
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** Runs a command at the server that there is; gives where it sends us, if that is followed. */
  async #runHere(
    words: readonly Uint8Array[],
    options: RunOptions,
    followsRedirections: boolean,
  ): Promise<Outcome | Redirection> {
    const client = await this.#connected();
    if (client === undefined) return "disconnected";
    const command = latin1Text(words[0]).toLowerCase();
    const change = subscriptionChange(command);
    if (change === "adds" && this.printer.format !== "raw") {
      this.printer.printLine("Reading messages... (press Ctrl-C to quit)");
    }
    try {
      this.#printsPushes = change !== undefined;
      const reply = await client.send(words[0], ...words.slice(1));
      this.#printHeldPushes();
      const redirection = followsRedirections ? readRedirection(reply, this.#address) : undefined;
      if (redirection !== undefined) return redirection;
      if (reply.kind === "error" && options.errorsApart) this.#terminal.writeError(reply.text());
      // Confirmations were printed as they came.
      else if (change === undefined || reply.kind === "error" || reply.kind === "simple") {
        this.printer.printReply(reply, words);
      }
      this.#state.follow(command, words, reply);
      // Before, the database could be refused.
      if (command === "auth") await this.#selectWanted(client);
      if (client.isStreaming && (change === "adds" || command === "monitor")) {
        await this.#stream(client, options.interruptible ?? false);
      }
      return reply.kind === "error" ? "refused" : "answered";
    } catch (error) {
      return await this.#endOf(command, error);
    } finally {
      this.#printsPushes = false;
    }
  }

  /** The connection for a command; `undefined`, having said why, if there is none. */
  async #connected(): Promise<Client | undefined> {
    // The runs of one command, as a command line repeats it, belong to one connection.
    const mayReconnect = this.#isDialogue && !this.#state.inTransaction;
    if (this.#client?.isOpen === false && mayReconnect) this.disconnect();
    // A new connection that isn't what the user wants, another database say, gets no command.
    if (this.#client === undefined && await this.#connect(this.#address) !== "answered") {
      return undefined;
    }
    return this.#client;
  }

  /** How a command ended that wasn't answered, or whose messages have ended. */
  async #endOf(command: string, error: unknown): Promise<Outcome> {
    if (this.#pushFailure !== undefined) throw this.#pushFailure;
    if (this.#isInterrupted) {
      // On the connection that there was, messages that are still under way would mix with later
      // replies.
      await this.connect();
      return "interrupted";
    }
    if (command === "shutdown" && error instanceof ConnectionClosedError) {
      this.disconnect();
      return "answered";
    }
    this.#drop(error);
    return "disconnected";
  }

  /** Goes where a node has sent us; false, having said why, if that can't be done. */
  async #redirect({ slot, hostname, port, isAsk }: Redirection): Promise<boolean> {
    if (this.#isDialogue) {
      this.printer.printLine(`-> Redirected to slot [${slot}] located at ${hostname}:${port}`);
    }
    if (await this.#connect({ hostname, port }) !== "answered") return false;
    try {
      return !isAsk || this.#isTaken(refusalOf("ASKING", await this.#client!.send("ASKING")));
    } catch (error) {
      this.#drop(error);
      return false;
    }
  }

  /**
   * Logs in, and selects database and protocol, until one of them is refused.
   *
   * @returns whether none was; else, it was said which.
   */
  async #introduce(client: Client): Promise<boolean> {
    const { username, password } = this.#settings;
    const { wantedDatabase: database, resp } = this.#state;
    const refusal = await introduce(
      { username, password, database, resp },
      async (name, ...args) => {
        const reply = await client.send(name, ...args);
        if (name === "SELECT" && reply.kind !== "error") this.#state.database = database;
        return reply;
      },
    );
    return this.#isTaken(refusal);
  }

  /** Selects the database that the user wants, if the connection isn't there. */
  async #selectWanted(client: Client): Promise<void> {
    const { database, wantedDatabase: wanted } = this.#state;
    if (wanted === database) return;
    const reply = await client.send("SELECT", String(wanted));
    if (this.#isTaken(refusalOf(`SELECT ${wanted}`, reply))) this.#state.database = wanted;
  }

  /** Whether the server took what it was offered; else, its refusal is told. */
  #isTaken(refusal: string | undefined): boolean {
    if (refusal === undefined) return true;
    this.#terminal.writeError(refusal);
    return false;
  }

  /**
   * Lets messages be printed until the connection ends or, if that is allowed, the user has enough.
   */
  async #stream(client: Client, interruptible: boolean): Promise<void> {
    this.#printsPushes = true;
    // What came together with the reply.
    for (const message of this.#heldPushes.splice(0)) this.printer.print(message);
    const forget = interruptible ? this.#terminal.onInterrupt(() => this.interrupt()) : undefined;
    try {
      const reason = await client.closed;
      throw this.#isFed ? new FatalError(`Error: ${reason.message}`) : reason;
    } finally {
      forget?.();
    }
  }

  /** Notices when a connection is lost that no command uses. */
  async #watch(client: Client): Promise<void> {
    const reason = await client.closed;
    if (this.#client !== client || this.#isRunning || this.observer === undefined) return;
    // Within MULTI, the next command is to fail: it would run outside of the transaction.
    if (!this.#state.inTransaction) this.disconnect();
    this.observer.onLost(reason);
  }

  #takePush(message: Reply): void {
    try {
      this.#placePush(message);
    } catch (error) {
      // Nobody calls this who could take it; the command that waits for messages ends with it.
      this.#pushFailure = error;
      this.disconnect();
    }
  }

  /** Prints a push, or has it printed at a better moment. */
  #placePush(message: Reply): void {
    if (this.#printsPushes) this.printer.print(message);
    else if (this.#isRunning || this.observer === undefined) {
      // A server that answers nothing but sends more and more of them is shown as it comes.
      if (this.#heldPushes.length >= MOST_HELD_PUSHES) this.#printHeldPushes();
      this.#heldPushes.push(message);
    } else this.observer.onPush(() => this.printer.printPush(message));
  }

  #printHeldPushes(): void {
    for (const message of this.#heldPushes.splice(0)) this.printer.printPush(message);
  }

  /** Whether commands come from a program or a file. */
  get #isFed(): boolean {
    return this.#isDialogue && !this.#terminal.inputIsTerminal;
  }

  /** Says why there is no connection (any more). */
  #drop(error: unknown): void {
    // Who feeds us commands can't know which of them a reply belongs to after that.
    if (error instanceof ReplyProtocolError && this.#isFed) {
      throw new FatalError(`Error: ${error.message}`);
    }
    reportFailure(error, this.#terminal);
    this.disconnect();
  }
}
