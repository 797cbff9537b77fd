/**
 * Runs a line that was typed or read: as a command of the server, a number of times if the line
 * starts with one, or as one of the few that the dialogue itself understands.
 *
 * @module
 */

import { LONGEST_TIMER_MS } from "../../runtime/clock.ts";
import { bytewise, isRepeatCount, latin1Bytes, textOfBytewise } from "../quoting.ts";
import type { Session } from "../session.ts";
import type { Preferences } from "./preferences.ts";

/** What a runner needs of the dialogue that it runs lines for. */
export interface LineRunnerOptions {
  /** Where the commands go. */
  readonly session: Session;
  /** What `:set` changes. */
  readonly preferences: Preferences;
  /** How long to wait from one run of a repeated command to the next. */
  readonly intervalSeconds: number;
  /** Whether Ctrl-C ends MONITOR and its like here; else, the dialogue sees to that. */
  readonly handlesInterrupts: boolean;
  /** Clears the screen. */
  readonly clearScreen: () => void;
  /** The text about a topic: nothing, a command's words, or a group. */
  readonly help: (topic: readonly string[]) => Promise<string>;
}

/** Commands that took longer than this are shown with the time they took. */
const SLOW_COMMAND_SECONDS = 0.5;

/** The largest number that is still one to redis-cli. */
const MAX_COUNT = 2n ** 63n - 1n;

/** Runs lines. */
export class LineRunner {
  readonly #options: LineRunnerOptions;
  /** Ends the wait between two runs. */
  #stopWaiting: (() => void) | undefined;
  #isStopped = false;

  /** Makes a runner. */
  constructor(options: LineRunnerOptions) {
    this.#options = options;
  }

  /**
   * Runs a line.
   *
   * @param words Its words, a character for each byte; `undefined` if its quotes are out of order.
   * @returns false if it said to quit.
   */
  async run(words: readonly string[] | undefined): Promise<boolean> {
    const { session, preferences } = this.#options;
    if (words === undefined) {
      session.printer.printLine("Invalid argument(s)");
      return true;
    }
    if (words.length === 0) return true;
    const count = words.length > 1 && isRepeatCount(words[0]) ? BigInt(words[0]) : undefined;
    if (count !== undefined) {
      if (count <= 0n || count > MAX_COUNT) {
        session.printer.printLine("Invalid redis-cli repeat command option value.");
      } else await this.#repeat(words.slice(1), count);
      return true;
    }
    if (words[0].startsWith(":")) {
      const mistake = preferences.set(words);
      if (mistake !== undefined) session.printer.printLine(mistake);
      return true;
    }
    const goesOn = await this.#runOwn(words);
    if (goesOn === undefined) await this.#repeat(words, 1n);
    return goesOn ?? true;
  }

  /** Stops what is running, as far as it can; false if there is nothing to stop. */
  stop(): boolean {
    this.#isStopped = true;
    this.#stopWaiting?.();
    return this.#stopWaiting !== undefined || this.#options.session.interrupt();
  }

  /** Runs what isn't sent; `undefined` if the line is to be sent. */
  async #runOwn(words: readonly string[]): Promise<boolean | undefined> {
    const { session, clearScreen, help } = this.#options;
    switch (words[0].toLowerCase()) {
      case "quit":
      case "exit":
        return false;
      case "help":
      case "?":
        session.printer.printLine(
          bytewise(await help(words.slice(1).map(textOfBytewise))).replace(/\n$/, ""),
        );
        return true;
      case "restart":
        session.printer.printLine("'restart' is for debugging scripts, which isn't there.");
        return true;
      case "clear":
        if (words.length !== 1) return undefined;
        clearScreen();
        return true;
      case "connect":
        if (words.length !== 3) return undefined;
        await this.#connect(words[1], words[2]);
        return true;
      default:
        return undefined;
    }
  }

  async #connect(hostname: string, port: string): Promise<void> {
    const { session } = this.#options;
    if (/^[0-9]+$/.test(port) && Number(port) <= 65535) {
      await session.connect({ hostname, port: Number(port) });
    } else session.printer.printLine("Invalid server port.");
  }

  async #repeat(words: readonly string[], count: bigint): Promise<void> {
    const { session, intervalSeconds, handlesInterrupts } = this.#options;
    const command = words.map(latin1Bytes);
    const start = performance.now();
    this.#isStopped = false;
    for (let run = 0n; run < count && !this.#isStopped; run++) {
      if (run > 0n && intervalSeconds > 0) await this.#wait(intervalSeconds);
      if (this.#isStopped) break;
      const outcome = await session.run(command, { interruptible: handlesInterrupts });
      if (outcome === "disconnected" || outcome === "interrupted") break;
    }
    const seconds = (performance.now() - start) / 1000;
    if (session.printer.forPeople && seconds >= SLOW_COMMAND_SECONDS) {
      session.printer.printLine(`(${seconds.toFixed(2)}s)`);
    }
  }

  async #wait(seconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.min(seconds * 1000, LONGEST_TIMER_MS));
    this.#stopWaiting = resolve;
    await promise;
    clearTimeout(timer);
    this.#stopWaiting = undefined;
  }
}
