/**
 * Finding specifications, by name and in an argument list.
 *
 * @module
 */

import type { TextAt } from "./keys.ts";
import { lowerCaseAscii } from "./names.ts";
import type { CommandSpec, SpecTable } from "./types.ts";

/** A specification together with the name it goes by: `get`, or `config|get` for a subcommand. */
export interface NamedSpec {
  /** The name in lower case. */
  readonly fullName: string;
  /** What is known of it. */
  readonly spec: CommandSpec;
}

/** What stands between a container and its subcommand in a full name. */
const SEPARATOR = "|";

/**
 * Finds a command or subcommand by its full name, in any case.
 *
 * @param table Where to look.
 * @param fullName A name like `get` or `config|get`.
 * @returns The specification, or `undefined` when there is none by this name.
 *
 * @example
 * ```ts
 * import { ALL_SPECS } from "./mod.ts";
 * import { findSpec } from "./lookup.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(findSpec(ALL_SPECS, "CONFIG|GET")?.fullName, "config|get");
 * assertEquals(findSpec(ALL_SPECS, "CONFIG|GOT"), undefined);
 * ```
 */
export function findSpec(table: SpecTable, fullName: string): NamedSpec | undefined {
  const parts = fullName.split(SEPARATOR);
  if (parts.length > 2) return undefined;
  const command = entry(table, parts[0], "");
  if (parts.length === 1 || command === undefined) return command;
  return entry(command.spec.subcommands, parts[1], command.fullName + SEPARATOR);
}

/**
 * Finds the command or subcommand that an argument list calls.
 *
 * A container called without a subcommand is itself the answer; one called with a subcommand that
 * it doesn't have is not found.
 *
 * @param table Where to look.
 * @param argumentCount The number of arguments, the command's name included.
 * @param textAt Gives an argument as text; 0 is the command's name.
 */
export function findCalledSpec(
  table: SpecTable,
  argumentCount: number,
  textAt: TextAt,
): NamedSpec | undefined {
  const command = argumentCount > 0 ? entry(table, textAt(0), "") : undefined;
  if (command?.spec.subcommands === undefined || argumentCount === 1) return command;
  return entry(command.spec.subcommands, textAt(1), command.fullName + SEPARATOR);
}

/**
 * Calls a function for each command and subcommand, a container before its subcommands.
 *
 * @param table The commands to visit.
 * @param visit Is called with each of them.
 */
export function visitSpecs(table: SpecTable, visit: (named: NamedSpec) => void): void {
  for (const command of namedSpecs(table)) {
    visit(command);
    namedSubcommands(command).forEach(visit);
  }
}

/**
 * The commands of a table with their names, subcommands not among them.
 *
 * @param table The commands.
 */
export function namedSpecs(table: SpecTable): NamedSpec[] {
  return Object.entries(table).map(([fullName, spec]) => ({ fullName, spec }));
}

/**
 * The subcommands of a command with their full names; none for an ordinary command.
 *
 * @param command The container.
 */
export function namedSubcommands(command: NamedSpec): NamedSpec[] {
  return Object.entries(command.spec.subcommands ?? {})
    .map(([name, spec]) => ({ fullName: command.fullName + SEPARATOR + name, spec }));
}

/**
 * Whether a call has as many arguments as the command takes.
 *
 * @param spec The command, or the subcommand that is called.
 * @param argumentCount The number of arguments, all names included.
 */
export function acceptsArgumentCount(spec: CommandSpec, argumentCount: number): boolean {
  return spec.arity < 0 ? argumentCount >= -spec.arity : argumentCount === spec.arity;
}

/** Looks a name up among a table's own entries: `constructor` is no command. */
function entry(
  table: SpecTable | undefined,
  name: string,
  prefix: string,
): NamedSpec | undefined {
  const lowerCaseName = lowerCaseAscii(name);
  if (table === undefined || !Object.hasOwn(table, lowerCaseName)) return undefined;
  return { fullName: prefix + lowerCaseName, spec: table[lowerCaseName] };
}
