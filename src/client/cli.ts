/**
 * `miniredis client`: one command from the command line, or a dialogue.
 *
 * @module
 */

import { formatOptions, UsageError } from "../runtime/arguments.ts";
import { versionLine } from "../runtime/subcommands.ts";
import { CLIENT_OPTIONS } from "./option_table.ts";
import { type ClientSettings, parseClientOptions } from "./options.ts";
import { latin1Bytes, latin1Text, splitLine } from "./quoting.ts";
import { runRepl } from "./repl/repl.ts";
import { Session } from "./session.ts";
import { systemTerminal, type Terminal } from "./terminal.ts";
import { runTool } from "./tools/mod.ts";

const encoder = new TextEncoder();

/**
 * Runs `miniredis client`.
 *
 * @param args The arguments behind the subcommand's name.
 * @param terminal Where to read and write; by default where the program was started.
 * @returns The exit code: 1 if the server wasn't there or went away, or, with `-e`, if the command
 * failed.
 * @throws {UsageError} if the arguments make no sense.
 */
export async function runClient(
  args: string[],
  terminal: Terminal = systemTerminal(),
): Promise<number> {
  let settings = parseClientOptions(args, terminal.environment("REDISCLI_AUTH"));
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
  const session = new Session(settings, terminal);
  try {
    if (settings.tool !== undefined) return await runTool(settings.tool, { settings, terminal });
    if (settings.words.length > 0) return await runOnce(settings, session, terminal);
    await runRepl(session, terminal);
    return 0;
  } catch (error) {
    // Nobody reads the output any more (`| head`).
    if (error instanceof Deno.errors.BrokenPipe) return 1;
    throw error;
  } finally {
    session.disconnect();
  }
}

/** Runs the command that stands on the command line. */
async function runOnce(
  settings: ClientSettings,
  session: Session,
  terminal: Terminal,
): Promise<number> {
  const words = await readWords(settings, terminal);
  if (!await session.connect()) return 1;
  for (let run = 0; run !== settings.repeat; run++) {
    if (run > 0 && settings.intervalSeconds > 0) await wait(settings.intervalSeconds);
    const outcome = await session.run(words, { errorsApart: settings.failOnError });
    if (outcome === "disconnected") return 1;
    if (outcome === "refused" && settings.failOnError) return 1;
  }
  return 0;
}

/** The command's words as bytes. */
async function readWords(settings: ClientSettings, terminal: Terminal): Promise<Uint8Array[]> {
  const { inputArgument } = settings;
  const words: Uint8Array[] = settings.words.map((word) => {
    const bytes = encoder.encode(word);
    return settings.quotedInput ? unquote(bytes) : bytes;
  });
  if (inputArgument === "last") return [...words, await terminal.readAll()];
  if (inputArgument === undefined) return words;
  const index = settings.words.indexOf(inputArgument.tag);
  if (index < 0) throw new UsageError("Using -X option but stdin tag not match.");
  words[index] = await terminal.readAll();
  return words;
}

function unquote(word: Uint8Array): Uint8Array<ArrayBuffer> {
  const unquoted = splitLine(latin1Text(word));
  if (unquoted?.length !== 1) throw new UsageError("Invalid quoted string");
  return latin1Bytes(unquoted[0]);
}

function wait(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
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
