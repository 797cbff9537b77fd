/**
 * `miniredis client`: one command from the command line, or a dialogue.
 *
 * @module
 */

import { formatOptions, UsageError } from "../runtime/arguments.ts";
import { LONGEST_TIMER_MS } from "../runtime/clock.ts";
import { versionLine } from "../runtime/subcommands.ts";
import { readCommandWords, readScriptWords } from "./command_words.ts";
import { CLIENT_OPTIONS } from "./option_table.ts";
import { type ClientSettings, parseClientOptions } from "./options.ts";
import { FatalError } from "./fatal_error.ts";
import { latin1Text } from "./quoting.ts";
import { runRepl } from "./repl/repl.ts";
import { Session } from "./session.ts";
import { systemTerminal, type Terminal } from "./terminal.ts";
import { runTool } from "./tools/mod.ts";

/**
 * The exit code if nobody reads the output any more (`| head`): a shell says the same of a program
 * that the broken pipe's signal has ended.
 */
const BROKEN_PIPE_EXIT_CODE = 141;

const encoder = new TextEncoder();

/**
 * Runs `miniredis client`.
 *
 * @param args The arguments behind the subcommand's name.
 * @param terminal Where to read and write; by default where the program was started.
 * @returns The exit code: 1 if the arguments make no sense, if the server wasn't there, went away,
 * or sent what can't be printed, or, with `-e`, if the command failed.
 */
export async function runClient(
  args: string[],
  terminal: Terminal = systemTerminal(),
): Promise<number> {
  try {
    const settings = parseClientOptions(args, {
      password: terminal.environment("REDISCLI_AUTH"),
      // Redis' own tests set the variable, to see without a terminal what is printed on one.
      forPeople: terminal.outputIsTerminal || terminal.environment("FAKETTY") !== undefined,
    });
    return await run(settings, terminal);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return BROKEN_PIPE_EXIT_CODE;
    if (!(error instanceof UsageError || error instanceof FatalError)) throw error;
    terminal.writeError(error.message);
    return 1;
  }
}

async function run(given: ClientSettings, terminal: Terminal): Promise<number> {
  let settings = given;
  if (settings.answer !== undefined) {
    const text = settings.answer === "help" ? helpText() : versionLine("miniredis client");
    terminal.write(encoder.encode(text + "\n"));
    return 0;
  }
  if (settings.warnAboutPassword) {
    terminal.writeError(
      "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.",
    );
  }
  if (settings.askPassword) {
    settings = {
      ...settings,
      password: terminal.askSecret("Please input password: ") ?? undefined,
    };
  }
  if (settings.tls !== undefined) {
    const { loadTls } = await import("./tls_files.ts");
    const tls = await loadTls(settings.tls);
    settings = { ...settings, address: { ...settings.address, tls } };
  }
  if (settings.tool !== undefined) return await runTool(settings.tool, { settings, terminal });
  const session = new Session(settings, terminal);
  try {
    if (settings.scriptFile !== undefined) {
      return await runScript(settings.scriptFile, settings, session, terminal);
    }
    if (settings.words.length > 0) return await runOnce(settings, session, terminal);
    await runRepl(session, terminal, settings.intervalSeconds);
    return 0;
  } finally {
    session.disconnect();
  }
}

/** Whether a command is none of the server's. */
function asksForHelp([name]: readonly Uint8Array[]): boolean {
  return ["help", "?"].includes(latin1Text(name).toLowerCase());
}

/** Whether a command makes a replica of us. */
function asksForReplication([name]: readonly Uint8Array[]): boolean {
  return ["sync", "psync"].includes(latin1Text(name).toLowerCase());
}

/** Runs the command that stands on the command line. */
async function runOnce(
  settings: ClientSettings,
  session: Session,
  terminal: Terminal,
): Promise<number> {
  const words = await readCommandWords(settings, terminal);
  if (words === undefined) {
    // Where the reply would stand: so do redis-cli, and Redis' own tests of it.
    session.printer.printLine("Invalid quoted string");
    return 1;
  }
  if (asksForHelp(words)) {
    const { printCommandHelp } = await import("./command_help.ts");
    await printCommandHelp(words.slice(1), { settings, terminal });
    return 0;
  }
  if (asksForReplication(words)) {
    // What follows the reply is no reply.
    session.printer.printLine("Entering replica output mode...  (press Ctrl-C to quit)");
    return await runTool("replica", { settings, terminal });
  }
  if (!await session.connect()) return 1;
  return await repeat(words, settings, session);
}

/** Runs the script of a file; unlike a command, only if the server has taken us in. */
async function runScript(
  file: string,
  settings: ClientSettings,
  session: Session,
  terminal: Terminal,
): Promise<number> {
  if (!await session.connect() || !session.isAccepted) return 1;
  return await repeat(await readScriptWords(file, settings.words, terminal), settings, session);
}

/** Runs a command as often as it is to be. */
async function repeat(
  words: readonly Uint8Array[],
  settings: ClientSettings,
  session: Session,
): Promise<number> {
  for (let run = 0; run !== settings.repeat; run++) {
    if (run > 0 && settings.intervalSeconds > 0) await wait(settings.intervalSeconds);
    const outcome = await session.run(words, { errorsApart: settings.failOnError });
    if (outcome === "disconnected") return 1;
    if (outcome === "refused" && settings.failOnError) return 1;
  }
  return 0;
}

function wait(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.min(seconds * 1000, LONGEST_TIMER_MS));
  });
}

function helpText(): string {
  return `Usage: miniredis client [option]... [command [argument]...]

Runs the command, or, without one, reads commands from standard input.

Options:
${formatOptions(CLIENT_OPTIONS)}

Examples:
  miniredis client -p 6380 set key value
  miniredis client -x set key < file
  miniredis client -r 100 -i 1 info`;
}
