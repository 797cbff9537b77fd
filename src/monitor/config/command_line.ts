/**
 * The command line of `miniredis monitor`: `[config-file] [--option value]...`.
 *
 * @module
 */
import { COMMON_OPTIONS, type Option, parseOptions, UsageError } from "../../runtime/arguments.ts";
import type { Directive } from "../../runtime/config_lines.ts";
import {
  type MonitorSetting,
  NOT_BESIDE_A_FILE,
  SETTING_GROUPS,
  SETTINGS,
  USUAL_HTTP_PORT,
} from "./settings.ts";

/** What stands on the command line. */
export interface MonitorArguments {
  /** What to print instead of running a monitor. */
  readonly answer?: "help" | "version";
  /** The config file. */
  readonly file?: string;
  /** Whether a whole group of its own is to be shown. */
  readonly isDemo: boolean;
  /** The settings, in the order of the table. */
  readonly directives: readonly Directive[];
}

/** The option that starts a demonstration. */
export const DEMO_OPTION: Option = {
  name: "demo",
  summary: "Run a master and two replicas too, with some load, in a temporary folder",
};

/**
 * Reads the arguments behind `miniredis monitor`.
 *
 * @throws {UsageError} for what makes no sense, with what was probably meant.
 */
export function parseMonitorArguments(args: readonly string[]): MonitorArguments {
  const options = [...SETTINGS.map(toOption), DEMO_OPTION, ...COMMON_OPTIONS];
  const { values, switches, rest } = parseOptions(withUsualPort(args), options);
  if (switches.has("help")) return { answer: "help", isDemo: false, directives: [] };
  if (switches.has("version")) return { answer: "version", isDemo: false, directives: [] };
  const [file, ...others] = rest;
  if (others.length > 0) throw new UsageError(`'${others[0]}' is one config file too many`);
  const isDemo = switches.has(DEMO_OPTION.name);
  const misplaced = NOT_BESIDE_A_FILE.find((name) => values.has(name));
  if (file !== undefined && misplaced !== undefined) {
    throw new UsageError(
      `option '--${misplaced}' can't stand beside a config file, whose 'sentinel' lines say it`,
    );
  }
  if (isDemo && (file !== undefined || values.has("nodes"))) {
    throw new UsageError("option '--demo' has nodes of its own");
  }
  const directives = SETTINGS.filter(({ name }) => values.has(name)).map((setting): Directive => {
    const value = values.get(setting.name)!;
    return [setting.name, ...setting.manyWords ? value.split(" ") : [value]];
  });
  return { file, isDemo, directives };
}

/** The option of a setting, for reading and for `--help`. */
function toOption(setting: MonitorSetting): Option {
  const preset = setting.default === "" ? "" : ` (${setting.default})`;
  const inFile = setting.fileName === "" || setting.fileName === setting.name
    ? ""
    : `; '${setting.fileName}' in a file`;
  return {
    name: setting.name,
    placeholder: setting.placeholder,
    takesMany: setting.manyWords,
    summary: setting.summary + preset + inFile,
  };
}

/** The options of the settings by what they are about, for `--help`. */
export const OPTION_GROUPS: readonly (readonly [string, readonly Option[]])[] = Object.entries(
  SETTING_GROUPS,
).map(([name, settings]) => [name, settings.map(toOption)] as const);

/** `--http` alone means the usual port. */
function withUsualPort(args: readonly string[]): string[] {
  return args.map((word, index) => {
    const isLast = index === args.length - 1 || /^--?[A-Za-z]/.test(args[index + 1]);
    return isLast && /^--?http$/i.test(word) ? `--http=${USUAL_HTTP_PORT}` : word;
  });
}
