/**
 * The types of what this project uses of `@std/cli`.
 *
 * The npm package holds plain JavaScript, so the types are declared here.
 *
 * @module
 */

/** How `parseArgs` reads its arguments. */
export interface ParseArgsOptions {
  /** Other names for an option; the value is set under each of them. */
  alias?: Record<string, string | readonly string[]>;
  /** Options that take no value, or `true` for every option in the form `--name`. */
  boolean?: boolean | string | readonly string[];
  /** Options that take a value, which is kept as it was written. */
  string?: string | readonly string[];
  /** Options that may be given several times: all values are kept, in an array. */
  collect?: string | readonly string[];
  /** Options that `--no-name` sets to `false`. */
  negatable?: string | readonly string[];
  /** Values of options that were not given. */
  default?: Record<string, unknown>;
  /**
   * Whether what stands behind the first argument that is no option is left unparsed.
   *
   * @default {false}
   */
  stopEarly?: boolean;
  /**
   * Whether what stands behind `--` is kept apart, under that name.
   *
   * @default {false}
   */
  "--"?: boolean;
  /** Called for each argument that is not declared; `false` leaves it out of the result. */
  unknown?: (argument: string, key?: string, value?: unknown) => unknown;
}

/** What `parseArgs` found: values by option, and the other arguments under `_`. */
export interface ParsedArgs {
  /** The arguments that belong to no option. */
  _: (string | number)[];
  /** The value of an option. */
  [option: string]: unknown;
}

/** Reads command line arguments: options by name, the rest under `_`. */
export function parseArgs(args: readonly string[], options?: ParseArgsOptions): ParsedArgs;

/** How `promptSecret` shows what is typed. */
export interface PromptSecretOptions {
  /**
   * What stands for each typed character.
   *
   * @default {"*"}
   */
  mask?: string;
  /**
   * Whether the line is cleared afterwards.
   *
   * @default {false}
   */
  clear?: boolean;
}

/** Asks for a secret without showing it; `null` where standard input is no terminal. */
export function promptSecret(message?: string, options?: PromptSecretOptions): string | null;
