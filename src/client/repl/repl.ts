/**
 * The dialogue: reads lines, runs them as commands, prints the replies.
 *
 * On a terminal that can move its cursor, lines are edited; that is a module of its own, which
 * others need not load. From elsewhere, lines are read as they come.
 *
 * @module
 */

import { latin1Bytes, splitLine } from "../quoting.ts";
import type { Session } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { LineRunner } from "./line_runner.ts";
import { Preferences } from "./preferences.ts";

/** Terminals that can't do more than print. */
const PLAIN_TERMINALS: readonly string[] = ["dumb", "cons25", "emacs"];

const CLEAR_SCREEN = latin1Bytes("\x1b[H\x1b[2J");

/**
 * Runs lines as commands until they end, or one of them says to quit.
 *
 * @param session Where the commands go.
 * @param terminal Where the lines come from.
 * @param intervalSeconds How long to wait from one run of a repeated command to the next.
 */
export async function runRepl(
  session: Session,
  terminal: Terminal,
  intervalSeconds: number,
): Promise<void> {
  if (canEdit(terminal)) {
    const { Dialogue } = await import("./dialogue.ts");
    await new Dialogue(session, terminal, intervalSeconds).run();
    return;
  }
  const prompts = terminal.inputIsTerminal && terminal.outputIsTerminal;
  const preferences = new Preferences();
  const runner = new LineRunner({
    session,
    preferences,
    intervalSeconds,
    handlesInterrupts: true,
    clearScreen: () => {
      if (terminal.outputIsTerminal) terminal.write(CLEAR_SCREEN);
    },
    help: plainHelp,
  });
  const showPrompt = () => {
    if (prompts) terminal.write(latin1Bytes(session.prompt));
  };
  await session.connect();
  showPrompt();
  for await (const line of terminal.readLines()) {
    if (!await runner.run(splitLine(line))) return;
    showPrompt();
  }
  // Whatever comes next on the terminal starts on a line of its own.
  if (prompts) session.printer.printLine("");
}

async function plainHelp(topic: readonly string[]): Promise<string> {
  const { makeGuide } = await import("../help/known_commands.ts");
  return makeGuide().help(topic);
}

/** Whether lines can be edited: somebody types, and the terminal can move its cursor. */
function canEdit(terminal: Terminal): boolean {
  return terminal.inputIsTerminal && terminal.outputIsTerminal &&
    !PLAIN_TERMINALS.includes((terminal.environment("TERM") ?? "").toLowerCase());
}
