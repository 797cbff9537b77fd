/**
 * `miniredis monitor`: holds the subcommand's place, and says that the monitor is not there yet.
 *
 * @module
 */

import { COMMON_OPTIONS, formatOptions, parseOptions } from "../runtime/arguments.ts";
import { versionLine } from "../runtime/subcommands.ts";

const HELP_TEXT = `Usage: miniredis monitor [option]...

Will put one address in front of a master and its replicas. It is not there yet.

Options:
${formatOptions(COMMON_OPTIONS)}`;

/**
 * Runs `miniredis monitor`.
 *
 * @param args The arguments behind the subcommand's name.
 * @returns The exit code: 1, since there is no monitor yet, or 0 for `--help` and `--version`.
 */
export function runMonitor(args: readonly string[]): Promise<number> {
  const { switches } = parseOptions(args, COMMON_OPTIONS);
  if (switches.has("help")) {
    console.log(HELP_TEXT);
  } else if (switches.has("version")) {
    console.log(versionLine("miniredis monitor"));
  } else {
    console.error("miniredis monitor: the monitor is not there yet.");
    return Promise.resolve(1);
  }
  return Promise.resolve(0);
}
