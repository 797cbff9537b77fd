/**
 * The dialogue on a terminal: lines are edited, with a history, hints and completion; what happens
 * meanwhile is told above the line.
 *
 * What makes typing easier comes after the first prompt and never holds it up: the table of commands
 * is loaded, and the server asked what it is (ROLE) and what it knows (COMMAND DOCS), once for each
 * connection. A server that doesn't answer such questions changes nothing.
 *
 * @module
 */

import type { CommandGuide } from "../help/known_commands.ts";
import { bytewise, isRepeatCount, splitLine } from "../quoting.ts";
import type { Session, SessionObserver } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { textOf } from "../../protocol/reply.ts";
import { HINT_STYLES, REPLY_COLOURS, wantsColours } from "./colours.ts";
import type { Completion } from "./completion_list.ts";
import { dotFilePath } from "./dot_files.ts";
import { History } from "./history.ts";
import { type Ask, findKeyNames } from "./key_names.ts";
import { LineEditor } from "./line_editor.ts";
import { LineRunner } from "./line_runner.ts";
import { Preferences } from "./preferences.ts";
import { guessWords, holdsSecret } from "./secrets.ts";

/** What the prompt calls a server that is no ordinary master. */
const ROLE_NAMES: ReadonlyMap<string, string> = new Map([
  ["slave", "replica"],
  ["sentinel", "sentinel"],
]);

/** After these the server may be another, or allow more, than before. */
const CHANGING_COMMANDS: readonly string[] = [
  "acl",
  "auth",
  "failover",
  "hello",
  "replicaof",
  "slaveof",
];

/** A dialogue with a server, on a terminal. */
export class Dialogue implements SessionObserver {
  readonly #session: Session;
  readonly #terminal: Terminal;
  readonly #preferences = new Preferences();
  readonly #history: History;
  readonly #hasColours: boolean;
  readonly #runner: LineRunner;
  readonly #editor: LineEditor;
  #guide: CommandGuide | undefined;
  /** Whether the server is still to be asked what it is. */
  #wantsRole = true;
  /** Whether it is still to be asked what it knows. */
  #wantsDocs = false;
  /** Whether it has refused that: it may answer when the user has logged in. */
  #docsWereRefused = false;
  /** Whether the user was told that there is no connection. */
  #isLost = false;
  readonly #abandoned = Promise.withResolvers<false>();
  #isAbandoned = false;

  /**
   * Makes a dialogue, which has the terminal for itself.
   *
   * @param session Where the commands go.
   * @param terminal Where the user is.
   * @param intervalSeconds How long to wait from one run of a repeated command to the next.
   */
  constructor(session: Session, terminal: Terminal, intervalSeconds: number) {
    this.#session = session;
    this.#terminal = terminal;
    this.#history = new History(dotFilePath(terminal, "REDISCLI_HISTFILE", ".rediscli_history"));
    this.#preferences.load(terminal);
    this.#hasColours = wantsColours(terminal);
    if (this.#hasColours) session.printer.colours = REPLY_COLOURS;
    this.#editor = new LineEditor(terminal, {
      history: () => this.#history.lines,
      hint: (line) => this.#preferences.showsHints ? this.#guide?.hint(line) ?? "" : "",
      complete: (line) => this.#complete(line),
      onInterrupt: () => this.#interrupt(),
      hintStyle: this.#hasColours ? HINT_STYLES.coloured : HINT_STYLES.plain,
    });
    this.#runner = new LineRunner({
      session,
      preferences: this.#preferences,
      intervalSeconds,
      handlesInterrupts: false,
      clearScreen: () => this.#editor.clearScreen(),
      help: (topic) => this.#help(topic),
    });
    session.observer = this;
  }

  /** Connects, and runs lines until the user has enough. */
  async run(): Promise<void> {
    try {
      await this.#unlessAbandoned(this.#session.connect());
      while (!this.#isAbandoned && await this.#unlessAbandoned(this.#runNext()));
    } finally {
      this.#session.observer = undefined;
      this.#editor.close();
    }
  }

  /** The server is another one, or the same again. */
  onConnected(): void {
    this.#wantsRole = true;
    this.#wantsDocs = true;
    if (this.#isLost) this.#session.printer.printLine("Connected again.");
    this.#isLost = false;
  }

  /** Tells that there is no connection, rather than letting the next command find out. */
  onLost(reason: Error): void {
    this.#isLost = true;
    this.#editor.interject(() => this.#terminal.writeError(`Error: ${reason.message}`));
  }

  /** Shows a message without touching what is being typed. */
  onPush(print: () => void): void {
    this.#editor.interject(print);
  }

  /** Reads a line and runs it; false at the end. */
  async #runNext(): Promise<boolean> {
    if (this.#wantsRole || this.#wantsDocs) this.#getToKnow();
    if (!this.#session.isConnected) this.#isLost = true;
    const line = await this.#editor.readLine(() => this.#session.prompt);
    if (line === undefined) return false;
    const words = splitLine(bytewise(line));
    if (isWorthKeeping(words ?? guessWords(line))) this.#history.add(line);
    const goesOn = await this.#runner.run(words);
    if (CHANGING_COMMANDS.includes(words?.[0]?.toLowerCase() ?? "")) {
      this.#wantsRole = true;
      this.#wantsDocs ||= this.#docsWereRefused;
    }
    return goesOn;
  }

  /**
   * Asks what the server is and what it knows; nobody waits for that. What can't be asked now, since
   * the user is faster or within MULTI, is asked before a later line.
   */
  async #getToKnow(): Promise<void> {
    if (this.#wantsRole && this.#session.isIdle) {
      this.#wantsRole = false;
      const reply = await this.#session.ask("ROLE");
      const name = reply?.kind === "array" ? textOf(reply.items[0]) : undefined;
      if (name !== undefined) this.#session.role = ROLE_NAMES.get(name);
    }
    const guide = await this.#loadGuide();
    if (this.#wantsDocs && this.#session.isIdle) {
      this.#wantsDocs = false;
      const reply = await this.#session.ask("COMMAND", "DOCS");
      if (reply !== undefined) guide.learn(reply);
      this.#docsWereRefused = reply === undefined;
    }
    this.#editor.refresh();
  }

  async #loadGuide(): Promise<CommandGuide> {
    this.#guide ??= (await import("../help/known_commands.ts")).makeGuide();
    return this.#guide;
  }

  async #help(topic: readonly string[]): Promise<string> {
    const { ansiHelpStyle } = await import("../help/known_commands.ts");
    const guide = await this.#loadGuide();
    return guide.help(topic, this.#hasColours ? ansiHelpStyle : undefined);
  }

  async #complete(line: string): Promise<Completion> {
    const guide = await this.#loadGuide();
    const { start, candidates } = guide.complete(line);
    // What is asked for are bytes.
    const { key } = guide.complete(bytewise(line));
    if (key === undefined) return { start, candidates };
    const ask: Ask = (...command) => this.#session.ask(...command);
    const keys = await findKeyNames(ask, key.pattern, line[start] === '"');
    return { start, candidates: [...candidates, ...keys.words], isPartial: !keys.isComplete };
  }

  /** Ctrl-C while something runs: ends that or, if it can't be ended, the dialogue. */
  #interrupt(): void {
    if (this.#runner.stop()) return;
    this.#isAbandoned = true;
    this.#abandoned.resolve(false);
  }

  /** What a promise gives, or false if the user doesn't want to wait for it. */
  #unlessAbandoned(promise: Promise<boolean>): Promise<boolean> {
    return Promise.race([promise, this.#abandoned.promise]);
  }
}

/** Whether a line belongs into the history. */
function isWorthKeeping(words: readonly string[]): boolean {
  if (words.length === 0) return false;
  const hasCount = words.length > 1 && isRepeatCount(words[0]);
  return !holdsSecret(hasCount ? words.slice(1) : words);
}
