/**
 * The options of `miniredis server` that ask for a look at files instead of a server.
 *
 * @module
 */
import type { Option } from "../runtime/arguments.ts";

/** The options, for the help text. */
export const CHECK_OPTIONS: readonly Option[] = [
  {
    name: "check-aof",
    placeholder: "file",
    summary: "Check an append-only file, or the manifest of one, and exit",
  },
  { name: "fix", summary: "With --check-aof: cut off what is broken at its end" },
  {
    name: "truncate-to-timestamp",
    placeholder: "seconds",
    summary: "With --check-aof: cut off what was written after this unix time",
  },
  { name: "check-rdb", placeholder: "file", summary: "Check a snapshot, and exit" },
];

const CHECK_PATTERN = /^--?(?<name>[a-z-]+)(?:=|$)/i;

/**
 * Whether the first of the arguments asks for the check of a file.
 *
 * @param args The arguments behind the subcommand's name.
 */
export function asksForFileCheck(args: readonly string[]): boolean {
  const first = CHECK_PATTERN.exec(args[0] ?? "")?.groups?.name.toLowerCase();
  return CHECK_OPTIONS.some(({ name }) => name === first);
}
