/**
 * What a server starts with, out of the lines of its config file and of the command line.
 *
 * @module
 */
import { ALL_SPECS } from "../commands/specs/mod.ts";
import { ConfigError, type ConfigLine, explain } from "../runtime/config_lines.ts";
import { type Files, pathFrom, systemReason } from "../runtime/files.ts";
import { type Directive, findSetting, Settings, SettingsError } from "./settings.ts";

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

/** Whether a name is a directive, in a config file or on the command line. */
export function isDirective(name: string): boolean {
  return findSetting(name) !== undefined || OTHER_DIRECTIVES.has(name) || name === "include";
}
