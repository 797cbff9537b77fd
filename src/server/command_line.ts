/**
 * The command line of `miniredis server`, as redis-server takes it:
 * `[config-file] [--option value ...] [-]`.
 *
 * An option takes the next word as its value whatever that is, and all further ones up to the next
 * option (a value too many is an error of the setting). Words that belong to no option make a line of
 * their own. Beside Redis' spelling there are `-port 6380`, `--port=6380`, `--dbfile`, and a config
 * file behind the option of one value.
 *
 * @module
 */
import { nearestWord, UsageError } from "../runtime/arguments.ts";
import { isDirective } from "./config_file.ts";
import { splitLine } from "../runtime/config_words.ts";
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
  /** What makes no sense behind these options, which may have a fault that Redis would name first. */
  readonly problem?: UsageError;
}

/** Other names of settings, on the command line alone. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([["dbfile", "dbfilename"]]);

// A dash and a letter make an option; `-1` is a value.
const OPTION_PATTERN = /^(?<dashes>--?)(?<name>[A-Za-z][^=\s]*)(?:=(?<value>.*))?$/s;

/**
 * Reads the arguments behind `miniredis server`.
 *
 * @param isFile Whether there is a file of this name.
 */
export function parseServerArguments(
  args: readonly string[],
  isFile: (path: string) => boolean,
): ServerArguments {
  const options: [string, ...string[]][] = [];
  let file: string | undefined;
  let readsInput = false;
  let problem: UsageError | undefined;
  for (let index = 0; index < args.length && problem === undefined; index++) {
    const word = args[index];
    if (word === "-" && (index === 0 || isInput(args, index))) {
      readsInput = true;
    } else if (/^(--?help|-h)$/.test(word)) {
      return { answer: "help", readsInput, options };
    } else if (/^(--?version|-v)$/.test(word)) {
      return { answer: "version", readsInput, options };
    } else if (index === 0 && !word.startsWith("-")) {
      file = word;
    } else {
      try {
        index += readOption(args, index, options);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        problem = error;
      }
      const last = options.at(-1);
      const hasOneTooMany = last?.length === 3 && !findSetting(last[0])?.manyWords;
      if (file === undefined && hasOneTooMany && isFile(last[2])) file = last.pop();
    }
  }
  return { file, readsInput, options, problem };
}

/** An option that stands with its values in one word: `"--save 900 1"`. */
function splitOption(word: string): [string, ...string[]] {
  const words = splitLine(word.slice(2));
  if (words === undefined) throw new UsageError(`unbalanced quotes in '${word}'`);
  return [knownName(`--${words[0]}`, words[0]), ...words.slice(1)];
}

/** Reads the option or the line at `index`; how many words it takes besides the first. */
function readOption(
  args: readonly string[],
  index: number,
  options: [string, ...string[]][],
): number {
  const match = OPTION_PATTERN.exec(args[index])?.groups;
  if (match === undefined) {
    if (/^--[A-Za-z]\S*\s/.test(args[index])) {
      options.push(splitOption(args[index]));
      return 0;
    }
    const end = endOfValues(args, index + 1);
    options.push([args[index], ...args.slice(index + 1, end)]);
    return end - index - 1;
  }
  const { name, value } = match;
  const typed = value === undefined ? args[index] : args[index].slice(0, -value.length - 1);
  const known = knownName(typed, name);
  const setting = findSetting(known);
  if (value !== undefined) {
    options.push([known, ...setting?.manyWords ? value.split(" ") : [value]]);
    return 0;
  }
  const next = args[index + 1];
  if (next === undefined && setting !== undefined && !setting.manyWords) {
    throw new UsageError(`option '${typed}' needs a value ('${known}': wrong number of arguments)`);
  }
  // Redis has this one exception, since `--save` alone was how to turn snapshots off.
  const isAlone = next === undefined || isInput(args, index + 1) ||
    (known === "save" && next.startsWith("--"));
  const end = isAlone ? index + 1 : endOfValues(args, index + 2);
  const values = args.slice(index + 1, end);
  // A single word may hold all of them: --save "900 1 300 10".
  options.push([
    known,
    ...setting?.manyWords && values.length === 1 ? values[0].split(" ") : values,
  ]);
  return end - index - 1;
}

/** Where the next option begins, from `index` on. */
function endOfValues(args: readonly string[], index: number): number {
  let end = index;
  while (end < args.length && !startsOption(args[end]) && !isInput(args, end)) end++;
  return end;
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
