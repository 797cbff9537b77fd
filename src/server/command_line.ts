/**
 * The command line of `miniredis server`, as redis-server takes it:
 * `[config-file] [--option value ...] [-]`.
 *
 * An option of one value takes the next word whatever it is; one of several takes all words up to the
 * next option. Beside Redis' spelling there are `-port 6380`, `--port=6380`, a file behind the options
 * of one value, and `--dbfile`.
 *
 * @module
 */
import { nearestWord, UsageError } from "../runtime/arguments.ts";
import { isDirective } from "./config_file.ts";
import { splitLine } from "./config_words.ts";
import { type Directive, findSetting, SETTINGS } from "./settings.ts";

/** What stands on the command line. */
export interface ServerArguments {
  /** What to print instead of running a server. */
  readonly answer?: "help" | "version";
  /** The config file. */
  readonly file?: string;
  /** Whether more of the configuration is on the standard input. */
  readonly readsInput: boolean;
  /** The options, in order. */
  readonly options: readonly Directive[];
}

/** Other names of settings, on the command line alone. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([["dbfile", "dbfilename"]]);

// A dash and a letter make an option; `-1` is a value.
const OPTION_PATTERN = /^(?<dashes>--?)(?<name>[A-Za-z][^=\s]*)(?:=(?<value>.*))?$/s;

/**
 * Reads the arguments behind `miniredis server`.
 *
 * @throws {UsageError} An option is unknown or lacks its value, or there are two files.
 */
export function parseServerArguments(args: readonly string[]): ServerArguments {
  const options: [string, ...string[]][] = [];
  let file: string | undefined;
  let readsInput = false;
  for (let index = 0; index < args.length; index++) {
    const word = args[index];
    if (word === "-" && (index === 0 || isInput(args, index))) {
      readsInput = true;
    } else if (/^(--?help|-h)$/.test(word)) {
      return { answer: "help", readsInput, options };
    } else if (/^(--?version|-v)$/.test(word)) {
      return { answer: "version", readsInput, options };
    } else if (/^--[A-Za-z]\S*\s/.test(word)) {
      options.push(splitOption(word));
    } else if (OPTION_PATTERN.test(word)) {
      index += readOption(args, index, options);
    } else if (file === undefined) {
      file = word;
    } else {
      throw new UsageError(`unexpected argument '${word}'`);
    }
  }
  return { file, readsInput, options };
}

/** An option that stands with its values in one word: `"--save 900 1"`. */
function splitOption(word: string): [string, ...string[]] {
  const words = splitLine(word.slice(2));
  if (words === undefined) throw new UsageError(`unbalanced quotes in '${word}'`);
  return [knownName(`--${words[0]}`, words[0]), ...words.slice(1)];
}

/** Reads the option at `index`; how many words it takes besides itself. */
function readOption(
  args: readonly string[],
  index: number,
  options: [string, ...string[]][],
): number {
  const { name, value } = OPTION_PATTERN.exec(args[index])!.groups!;
  const typed = value === undefined ? args[index] : args[index].slice(0, -value.length - 1);
  const known = knownName(typed, name);
  const setting = findSetting(known);
  if (value !== undefined) {
    options.push([known, ...setting?.manyWords ? value.split(" ") : [value]]);
    return 0;
  }
  if (setting !== undefined && !setting.manyWords) {
    if (index + 1 === args.length) throw new UsageError(`option '${typed}' needs a value`);
    options.push([known, args[index + 1]]);
    return 1;
  }
  let end = index + 1;
  while (end < args.length && !startsOption(args[end]) && !isInput(args, end)) end++;
  const values = args.slice(index + 1, end);
  // A single word may hold all of them: --save "900 1 300 10".
  options.push([known, ...values.length === 1 ? values[0].split(" ") : values]);
  return end - index - 1;
}

function isInput(args: readonly string[], index: number): boolean {
  return args[index] === "-" && index === args.length - 1;
}

function startsOption(word: string): boolean {
  const groups = OPTION_PATTERN.exec(word.split(" ")[0])?.groups;
  if (groups === undefined) return false;
  return groups.dashes === "--" || fullName(groups.name) !== undefined;
}

function fullName(name: string): string | undefined {
  const lower = name.toLowerCase();
  const full = OTHER_NAMES.get(lower) ?? lower;
  return isDirective(full) ? full : undefined;
}

function knownName(typed: string, name: string): string {
  const known = fullName(name);
  if (known !== undefined) return known;
  const names = [...SETTINGS.map((setting) => setting.name), "help", "version"];
  const nearest = nearestWord(name, names);
  const hint = nearest === undefined ? "" : `; did you mean '--${nearest}'?`;
  throw new UsageError(`unknown option '${typed}'${hint}`);
}
