/**
 * Picks the subcommand, and answers for the program as a whole: its help, its version, and names
 * that it doesn't know.
 *
 * @module
 */

import {
  COMMON_OPTIONS,
  formatHelpLines,
  formatOptions,
  nearestWord,
  parseOptions,
  UsageError,
} from "./arguments.ts";
import { REDIS_VERSION, VERSION } from "./version.ts";

/** A subcommand of the program. */
export interface Subcommand {
  /** What it is, in one line. */
  readonly summary: string;
  /** Runs it with the arguments behind its name, and gives the exit code. */
  readonly run: (args: string[]) => Promise<number>;
}

/**
 * Runs the subcommand that the first argument names.
 *
 * @param args All arguments of the program.
 * @param subcommands The subcommands by name.
 * @returns The exit code: the subcommand's, or 2 if the arguments make no sense.
 */
export async function runSubcommand(
  args: readonly string[],
  subcommands: Readonly<Record<string, Subcommand>>,
): Promise<number> {
  const named = args.length > 0 && Object.hasOwn(subcommands, args[0]) ? args[0] : undefined;
  try {
    if (named !== undefined) return await subcommands[named].run(args.slice(1));
    if (args.length > 0 && !args[0].startsWith("-")) {
      throw unknownSubcommand(args[0], Object.keys(subcommands));
    }
    const { switches } = parseOptions(args, COMMON_OPTIONS);
    console.log(switches.has("version") ? versionLine("miniredis") : helpText(subcommands));
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const command = named === undefined ? "miniredis" : `miniredis ${named}`;
    console.error(`${command}: ${error.message}\nTry '${command} --help'.`);
    return 2;
  }
}

/**
 * The line that `--version` prints.
 *
 * @param program The program's name, as the user types it.
 * @returns The line, without its end.
 */
export function versionLine(program: string): string {
  return `${program} v=${VERSION} (redis ${REDIS_VERSION} compatible) bits=64 ` +
    `deno=${Deno.version.deno} target=${Deno.build.target}`;
}

function unknownSubcommand(typed: string, names: readonly string[]): UsageError {
  const nearest = nearestWord(typed, names);
  const hint = nearest === undefined
    ? `; there are ${names.join(", ")}`
    : `; did you mean '${nearest}'?`;
  return new UsageError(`unknown subcommand '${typed}'${hint}`);
}

function helpText(subcommands: Readonly<Record<string, Subcommand>>): string {
  const summaries = Object.entries(subcommands)
    .map(([name, subcommand]) => [name, subcommand.summary] as const);
  return `Usage: miniredis <subcommand> [option]...

An in-memory data store that speaks the protocol of Redis.

Subcommands:
${formatHelpLines(summaries)}

Options:
${formatOptions(COMMON_OPTIONS)}

'miniredis <subcommand> --help' tells more.`;
}
