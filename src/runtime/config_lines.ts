/**
 * Lines of configurations: of a config file, what it includes, the standard input, the command line.
 *
 * @module
 */
import { quoteWord, splitLine } from "./config_words.ts";
import { type Files, isAbsolutePath, systemReason } from "./files.ts";
import { operatingSystem } from "./operating_system.ts";
import { REDIS_VERSION } from "./version.ts";

/** A setting or another directive with its words, as in a line of the config file. */
export type Directive = readonly [name: string, ...words: string[]];

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

/** A configuration that the program can't start with, in words for the user. */
export class ConfigError extends Error {
  /** Makes an error with a text for the user. */
  constructor(message: string) {
    super(message);
    this.name = "ConfigError";
  }
}

/** Files that include files that include files... */
const DEEPEST_INCLUDE = 16;

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
  const parts = pattern.split(operatingSystem.pathSeparator);
  let found = [isAbsolutePath(pattern) ? parts.shift()! : "."];
  for (const part of parts) {
    found = found.flatMap((folder) => {
      if (!/[*?[]/.test(part)) return [`${folder}/${part}`];
      const matching = namePattern(part);
      return listOrNothing(`${folder}/`, files)
        .filter((name) => !name.startsWith(".") || part.startsWith("."))
        .filter((name) => matching.test(name))
        .map((name) => `${folder}/${name}`);
    });
  }
  return found;
}

/** The names that a part of a pattern stands for, where `*`, `?` and `[...]` mean what they mean to a shell. */
function namePattern(part: string): RegExp {
  const source = part.replace(
    /\[[!^]?\]?[^\]]*\]|[\\^$.|?*+(){}[\]]/g,
    (found) =>
      found === "*"
        ? ".*"
        : found === "?"
        ? "."
        : found.length > 1
        ? found.replace(/^\[[!^]/, "[^").replaceAll("\\", "\\\\").replace(/(?<=^\[\^?)\]/, "\\]")
        : `\\${found}`,
  );
  return new RegExp(`^${source}$`, "su");
}

function listOrNothing(folder: string, files: Files): string[] {
  try {
    return files.list(folder);
  } catch {
    return [];
  }
}

/** What Redis prints when it can't start with a line, and in which file that is. */
export function explain(line: Omit<ConfigLine, "words">, reason: string): string {
  const place = line.number === 0
    ? `Reading the configuration of ${line.source}`
    : `Reading the configuration file, at line ${line.number} of ${line.source}`;
  return `
*** FATAL CONFIG FILE ERROR (Redis ${REDIS_VERSION}) ***
${place}
>>> '${line.text}'
${reason}`;
}
