/**
 * Reading configurations: the config file, what it includes, the standard input, the command line.
 *
 * @module
 */
import { ALL_SPECS } from "../commands/specs/mod.ts";
import { globMatch } from "../keyspace/glob.ts";
import { type Files, isAbsolutePath, pathFrom, systemReason } from "../runtime/files.ts";
import { REDIS_VERSION } from "../runtime/version.ts";
import { quoteWord, splitLine } from "./config_words.ts";
import { type Directive, findSetting, Settings, SettingsError } from "./settings.ts";

/** A directive and where it stands. */
export interface ConfigLine {
  /** Its words. */
  readonly words: Directive;
  /** As it stands there. */
  readonly text: string;
  /** The file, or what else it stands in. */
  readonly source: string;
  /** Number of the line, from 1; 0 where there are no lines. */
  readonly number: number;
}

/** A configuration that the server can't start with, in words for the user. */
export class ConfigError extends Error {
  /** Makes an error with a text for the user. */
  constructor(message: string) {
    super(message);
    this.name = "ConfigError";
  }
}

/** Files that include files that include files... */
const DEEPEST_INCLUDE = 16;

const BAD_DIRECTIVE = "Bad directive or wrong number of arguments";

/** Directives that only a config file or the command line has, and why some are refused. */
const OTHER_DIRECTIVES: ReadonlyMap<string, string | undefined> = new Map([
  ["rename-command", undefined],
  ["list-max-ziplist-entries", undefined],
  ["list-max-ziplist-value", undefined],
  [
    "user",
    "there are no users with rights of their own yet, and without its rules this server " +
    "would serve everybody; use 'requirepass'",
  ],
  ["loadmodule", "modules of Redis are machine code, which this server can't load"],
  ["sentinel", "Unrecognized sentinel configuration statement."],
]);

/**
 * The directives of a config file and of all that it includes, in order.
 *
 * @throws {ConfigError} A file can't be read, or its quotes are out of order.
 */
export function readConfigFile(path: string, files: Files): ConfigLine[] {
  return readFile(path, files, 0);
}

/** The directives of a text that is called `source`; see {@linkcode readConfigFile}. */
export function readConfigText(
  text: string,
  source: string,
  files: Files,
  depth = 0,
): ConfigLine[] {
  const lines: ConfigLine[] = [];
  text.split("\n").forEach((whole, index) => {
    const trimmed = whole.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
    if (trimmed === "" || trimmed.startsWith("#")) return;
    const words = splitLine(trimmed);
    const place = { text: trimmed, source, number: index + 1 };
    if (words === undefined) {
      throw new ConfigError(explain(place, "Unbalanced quotes in configuration line"));
    }
    if (words.length === 0) return;
    const line: ConfigLine = { ...place, words: [words[0].toLowerCase(), ...words.slice(1)] };
    lines.push(
      ...words.length === 2 && line.words[0] === "include"
        ? readIncluded(line, files, depth + 1)
        : [line],
    );
  });
  return lines;
}

/** The directive of an option of the command line. */
export function optionLine(words: Directive): ConfigLine {
  const [name, ...values] = words;
  const text = [name, ...values.map(quoteWord)].join(" ");
  return { words, text, source: "the command line", number: 0 };
}

function readFile(path: string, files: Files, depth: number): ConfigLine[] {
  let text: string;
  try {
    text = files.readText(path);
  } catch (error) {
    throw new ConfigError(`Fatal error, can't open config file '${path}': ${systemReason(error)}`);
  }
  return readConfigText(text, path, files, depth);
}

/** The directives of the files that a line includes; a pattern may match none. */
function readIncluded(line: ConfigLine, files: Files, depth: number): ConfigLine[] {
  if (depth > DEEPEST_INCLUDE) {
    throw new ConfigError(explain(line, "Files include each other too deeply"));
  }
  const path = line.words[1];
  const paths = /[*?[]/.test(path) ? matchingPaths(path, files) : [path];
  return paths.flatMap((found) => readFile(found, files, depth));
}

/** The paths of a pattern, in order. */
function matchingPaths(pattern: string, files: Files): string[] {
  const encoder = new TextEncoder();
  const parts = pattern.split("/");
  let found = [isAbsolutePath(pattern) ? parts.shift()! : "."];
  for (const part of parts) {
    found = found.flatMap((folder) => {
      if (!/[*?[]/.test(part)) return [`${folder}/${part}`];
      return listOrNothing(`${folder}/`, files)
        .filter((name) => !name.startsWith(".") || part.startsWith("."))
        .filter((name) => globMatch(encoder.encode(part), encoder.encode(name), false))
        .map((name) => `${folder}/${name}`);
    });
  }
  return found;
}

function listOrNothing(folder: string, files: Files): string[] {
  try {
    return files.list(folder);
  } catch {
    return [];
  }
}

/** What a server starts with. */
export class Configuration {
  /** Settings. */
  readonly settings: Settings = new Settings();
  /** New names of commands by their own names; an empty one takes the command away. */
  readonly renamed: Map<string, string> = new Map();
  private readonly commands = new Set(Object.keys(ALL_SPECS));

  /**
   * Takes a directive.
   *
   * @throws {SettingsError} with the reason that Redis would give.
   */
  load(words: Directive): void {
    const name = words[0].toLowerCase();
    if (!OTHER_DIRECTIVES.has(name)) return this.settings.load(words);
    const [least, most] = name === "rename-command"
      ? [3, 3]
      : name === "user"
      ? [2, Infinity]
      : [2, 2];
    if (words.length < least || words.length > most) throw new SettingsError(BAD_DIRECTIVE);
    const refusal = OTHER_DIRECTIVES.get(name);
    if (refusal !== undefined) throw new SettingsError(refusal);
    if (name === "rename-command") this.rename(words[1], words[2]);
  }

  /** Gives a command another name. */
  private rename(from: string, to: string): void {
    const own = from.toLowerCase();
    if (!this.commands.delete(own)) throw new SettingsError("No such command in rename-command");
    if (this.commands.has(to.toLowerCase())) {
      throw new SettingsError("Target command name already exists");
    }
    if (to !== "") this.commands.add(to.toLowerCase());
    // A command may be renamed again, under its new name.
    const first = [...this.renamed].find(([, name]) => name === own)?.[0] ?? own;
    this.renamed.set(first, to.toLowerCase());
  }
}

/**
 * What a server would start with.
 *
 * @throws {ConfigError} with the first line that it can't start with, and the reason.
 */
export function checkConfig(lines: readonly ConfigLine[], files: Files): Configuration {
  const configuration = new Configuration();
  for (const line of lines) {
    try {
      configuration.load(line.words);
    } catch (error) {
      if (error instanceof SettingsError) throw new ConfigError(explain(line, error.message));
      throw error;
    }
  }
  const { settings } = configuration;
  const refused = settings.refused();
  if (refused !== undefined) {
    throw new ConfigError(explain(lastLineOf(refused.name, lines), refused.refused!));
  }
  const problem = findLogProblem(settings, files);
  if (problem !== undefined) throw new ConfigError(explain(lastLineOf("logfile", lines), problem));
  return configuration;
}

/** The line that a setting has its value from: a later one would have changed it. */
function lastLineOf(name: string, lines: readonly ConfigLine[]): ConfigLine {
  return lines.findLast(({ words }) => findSetting(words[0])?.name === name)!;
}

function findLogProblem(settings: Settings, files: Files): string | undefined {
  const path = settings.text("logfile");
  if (path === "") return undefined;
  try {
    files.appendText(pathFrom(settings.text("dir"), path), "");
    return undefined;
  } catch (error) {
    return `Can't open the log file: ${systemReason(error)}`;
  }
}

/** What Redis prints when it can't start with a line, and in which file that is. */
function explain(line: Omit<ConfigLine, "words">, reason: string): string {
  const place = line.number === 0
    ? `Reading the configuration of ${line.source}`
    : `Reading the configuration file, at line ${line.number} of ${line.source}`;
  return `
*** FATAL CONFIG FILE ERROR (Redis ${REDIS_VERSION}) ***
${place}
>>> '${line.text}'
${reason}`;
}

/** Whether a name is a directive, in a config file or on the command line. */
export function isDirective(name: string): boolean {
  return findSetting(name) !== undefined || OTHER_DIRECTIVES.has(name) || name === "include";
}
