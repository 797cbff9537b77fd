/**
 * The dialogue: reads lines, runs them as commands, prints the replies.
 *
 * @module
 */

import { latin1Bytes, splitLine } from "../quoting.ts";
import type { Session } from "../session.ts";
import type { Terminal } from "../terminal.ts";

/** Commands that took longer than this are shown with the time they took. */
const SLOW_COMMAND_SECONDS = 0.5;

const HELP = `To get help about a command's syntax and meaning:
      "COMMAND DOCS <command>" asks the server
What isn't sent to the server:
      "connect <hostname> <port>" goes on with another server
      "<count> <command>" runs the command that many times
      "clear" clears the screen
      "quit" to exit`;

/**
 * Runs lines as commands until they end, or one of them says to quit.
 *
 * @param session Where the commands go.
 * @param terminal Where the lines come from.
 */
export async function runRepl(session: Session, terminal: Terminal): Promise<void> {
  const prompts = terminal.inputIsTerminal && terminal.outputIsTerminal;
  const showPrompt = () => {
    if (prompts) terminal.write(latin1Bytes(session.prompt));
  };
  await session.connect();
  showPrompt();
  for await (const line of terminal.readLines()) {
    if (!await runLine(line, session, terminal)) return;
    showPrompt();
  }
  // Whatever comes next on the terminal starts on a line of its own.
  if (prompts) session.printer.printLine("");
}

/** Runs one line; false if it said to quit. */
async function runLine(line: string, session: Session, terminal: Terminal): Promise<boolean> {
  const words = splitLine(line);
  if (words === undefined) {
    session.printer.printLine("Invalid argument(s)");
    return true;
  }
  if (words.length === 0) return true;
  if (words[0].startsWith(":")) {
    session.printer.printLine(
      words[0] === ":set" && words.length > 1
        ? `unknown redis-cli preference '${words[1]}'`
        : `unknown redis-cli internal command '${words[0]}'`,
    );
    return true;
  }
  switch (words[0].toLowerCase()) {
    case "quit":
    case "exit":
      return false;
    case "help":
    case "?":
      session.printer.printLine(HELP);
      return true;
    case "clear":
      if (terminal.outputIsTerminal) terminal.write(latin1Bytes("\x1b[H\x1b[2J"));
      return true;
    case "connect":
      if (words.length !== 3) break;
      await session.connect({ hostname: words[1], port: Number(words[2]) });
      return true;
  }
  await runCommand(words, session);
  return true;
}

async function runCommand(words: readonly string[], session: Session): Promise<void> {
  const hasCount = words.length > 1 && /^[+-]?[0-9]+$/.test(words[0]);
  const count = hasCount ? Number(words[0]) : 1;
  if (count <= 0) {
    session.printer.printLine("Invalid redis-cli repeat command option value.");
    return;
  }
  const command = words.slice(hasCount ? 1 : 0).map(latin1Bytes);
  const start = performance.now();
  for (let run = 0; run < count; run++) {
    if (await session.run(command, { interruptible: true }) === "disconnected") break;
  }
  const seconds = (performance.now() - start) / 1000;
  if (session.printer.forPeople && seconds >= SLOW_COMMAND_SECONDS) {
    session.printer.printLine(`(${seconds.toFixed(2)}s)`);
  }
}
