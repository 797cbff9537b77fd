/**
 * Command line options, in every spelling that users of Redis and of Go programs type:
 * `--port 6380`, `--port=6380`, `-port 6380`, and `--bind 127.0.0.1 ::1` with several values.
 *
 * `@std/cli` reads the arguments; this module first brings the spellings to the one that it knows
 * without guessing (`--name=value`), and turns what is left over into an error that says what was
 * meant.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { levenshteinDistance } from "@std/text";

/** An option of a subcommand. */
export interface Option {
  /** The name, without dashes. */
  readonly name: string;
  /** Other names for it. */
  readonly aliases?: readonly string[];
  /** What its value is, for the help text; an option without one is a switch. */
  readonly placeholder?: string;
  /**
   * Whether several values may follow, which are then joined by spaces.
   *
   * @default {false}
   */
  readonly takesMany?: boolean;
  /** What it does, in one line. */
  readonly summary: string;
}

/** What stood on the command line. */
export interface ParsedOptions {
  /** The values that were given, by the option's name. */
  readonly values: ReadonlyMap<string, string>;
  /** The switches that were given. */
  readonly switches: ReadonlySet<string>;
  /** The arguments that belong to no option. */
  readonly rest: readonly string[];
}

/** The user typed something that does not exist; the program prints the message and exits 2. */
export class UsageError extends Error {
  /** The name of this kind of error. */
  override readonly name = "UsageError";
}

/** The switches that every subcommand has. */
export const COMMON_OPTIONS: readonly Option[] = [
  { name: "help", aliases: ["h"], summary: "Print this help and exit" },
  { name: "version", aliases: ["v"], summary: "Print the version and exit" },
];

// A dash and a letter make an option; `-1` is a value.
const OPTION_PATTERN = /^--?(?<name>[A-Za-z][^=]*)(?:=(?<value>.*))?$/s;

/**
 * Reads the options of a subcommand.
 *
 * @example
 * ```ts
 * import { parseOptions } from "./arguments.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const port = { name: "port", placeholder: "number", summary: "TCP port" };
 * assertEquals(parseOptions(["-port", "6380"], [port]).values.get("port"), "6380");
 * ```
 *
 * @param args What stood behind the subcommand's name.
 * @param options The options that it knows.
 * @returns What was given.
 * @throws {UsageError} An option is unknown, lacks its value, or is a switch and has one.
 */
export function parseOptions(args: readonly string[], options: readonly Option[]): ParsedOptions {
  const byName = new Map<string, Option>();
  for (const option of options) {
    for (const name of [option.name, ...option.aliases ?? []]) byName.set(name, option);
  }
  const switchNames = options.filter((option) => option.placeholder === undefined)
    .map((option) => option.name);
  const valueNames = options.filter((option) => option.placeholder !== undefined)
    .map((option) => option.name);
  const parsed = parseArgs(toPlainSpelling(args, byName), {
    boolean: switchNames,
    string: ["_", ...valueNames],
  });
  return {
    values: new Map(
      valueNames.filter((name) => parsed[name] !== undefined)
        .map((name) => [name, String(parsed[name])]),
    ),
    switches: new Set(switchNames.filter((name) => parsed[name] === true)),
    rest: parsed._.map(String),
  };
}

/**
 * The candidate that `word` was most likely meant to be.
 *
 * @param word What was typed.
 * @param candidates What could have been typed.
 * @returns The nearest candidate, or `undefined` if none is near.
 */
export function nearestWord(word: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  // At most half of the letters may be wrong, and three in long words, so that no far-fetched word is
  // offered. (Two letters that changed places count as two.)
  let nearestDistance = Math.min(3, Math.ceil(word.length / 2)) + 1;
  for (const candidate of candidates) {
    const distance = levenshteinDistance(word.toLowerCase(), candidate);
    if (distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/**
 * The lines of a help text: what is typed on the left, what it does on the right.
 *
 * @param entries Pairs of what is typed and what it does.
 * @returns The lines, indented and aligned.
 */
export function formatHelpLines(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([typed]) => typed.length));
  return entries.map(([typed, summary]) => `  ${typed.padEnd(width)}  ${summary}`).join("\n");
}

/**
 * The lines of a help text for some options.
 *
 * @param options The options.
 * @returns The lines, indented and aligned.
 */
export function formatOptions(options: readonly Option[]): string {
  return formatHelpLines(options.map((option) => {
    const names = [option.name, ...option.aliases ?? []]
      .map((name) => name.length === 1 ? `-${name}` : `--${name}`);
    const value = option.placeholder === undefined ? "" : ` <${option.placeholder}>`;
    return [names.join(", ") + value, option.summary] as const;
  }));
}

/** Rewrites the arguments so that each option is one word, with its full name and its value. */
function toPlainSpelling(args: readonly string[], byName: ReadonlyMap<string, Option>): string[] {
  const options: string[] = [];
  const rest: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const match = OPTION_PATTERN.exec(args[index])?.groups;
    if (match === undefined) {
      rest.push(args[index]);
      continue;
    }
    const typed = args[index].slice(0, args[index].length - (match.value?.length ?? -1) - 1);
    const option = byName.get(match.name.toLowerCase());
    if (option === undefined) throw unknownOption(typed, match.name, byName);
    if (option.placeholder === undefined) {
      if (match.value !== undefined) throw new UsageError(`option '${typed}' takes no value`);
      options.push(`--${option.name}`);
      continue;
    }
    const values = match.value === undefined ? [] : [match.value];
    while (
      (values.length === 0 || option.takesMany) && index + 1 < args.length &&
      !OPTION_PATTERN.test(args[index + 1])
    ) {
      values.push(args[++index]);
    }
    if (values.length === 0) throw new UsageError(`option '${typed}' needs a value`);
    options.push(...optionWords(option.name, values.join(" ")));
  }
  // Behind `--`, parseArgs takes words as they are.
  return [...options, "--", ...rest];
}

/** The words that make `parseArgs` set the option. */
function optionWords(name: string, value: string): string[] {
  // parseArgs reads `--no-x=yes` as `--x=yes`; as two words it is read as it stands. The settings
  // with such names are of yes or no, so the value is never empty and has no dash.
  return name.startsWith("no-") ? [`--${name}`, value] : [`--${name}=${value}`];
}

function unknownOption(
  typed: string,
  name: string,
  byName: ReadonlyMap<string, Option>,
): UsageError {
  const names = [...byName.keys()].filter((known) => known.length > 1);
  const nearest = nearestWord(name, names);
  const hint = nearest === undefined ? "" : `; did you mean '--${nearest}'?`;
  return new UsageError(`unknown option '${typed}'${hint}`);
}
