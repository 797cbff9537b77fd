/**
 * What the user prefers: `:set` in the dialogue, and the file `~/.redisclirc`, whose lines are such
 * commands.
 *
 * @module
 */

import { latin1Text, splitLine } from "../quoting.ts";
import type { Terminal } from "../terminal.ts";
import { dotFilePath, readEnd } from "./dot_files.ts";

/** How much of the file is read. */
const MAX_FILE_BYTES = 64 << 10;

/** The user's preferences. */
export class Preferences {
  /** Whether hints are shown while a command is typed. */
  showsHints = true;

  /**
   * Reads the file, if there is one.
   *
   * @param terminal Knows where the file is, and shows what is wrong in it.
   */
  load(terminal: Pick<Terminal, "environment" | "writeError">): void {
    const path = dotFilePath(terminal, "REDISCLI_RCFILE", ".redisclirc");
    const bytes = path === undefined ? undefined : readEnd(path, MAX_FILE_BYTES);
    if (bytes === undefined) return;
    for (const line of latin1Text(bytes).split("\n")) {
      const words = splitLine(line);
      const mistake = words === undefined || words.length === 0 ? undefined : this.set(words);
      if (mistake !== undefined) terminal.writeError(`.redisclirc: ${mistake}`);
    }
  }

  /**
   * Does what a line says that starts with a colon.
   *
   * @param words The line's words, at least one.
   * @returns What is wrong with it, if anything is.
   */
  set(words: readonly string[]): string | undefined {
    const [command, preference] = words;
    if (command.toLowerCase() !== ":set" || preference === undefined) {
      return `unknown redis-cli internal command '${command}'`;
    }
    switch (preference.toLowerCase()) {
      case "hints":
        this.showsHints = true;
        return undefined;
      case "nohints":
        this.showsHints = false;
        return undefined;
      default:
        return `unknown redis-cli preference '${preference}'`;
    }
  }
}
