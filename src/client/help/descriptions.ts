/**
 * What the client knows of one command, wherever it knows it from.
 *
 * @module
 */

import type { ArgumentSpec, SpecTable } from "../../commands/specs/types.ts";
import { grammarOf, type NameEntry, type Part, writePart } from "./grammar.ts";

/** Descriptions by their names in lower case; subcommands without their container's name. */
export type Descriptions = ReadonlyMap<string, CommandDescription>;

/** What documentation says of a command. */
export interface CommandFacts {
  /** What it does, in one sentence. */
  readonly summary?: string;
  /** The version that brought it. */
  readonly since?: string;
  /** The family it belongs to. */
  readonly group?: string;
  /** What it takes. */
  readonly arguments?: readonly ArgumentSpec[];
  /** The commands that it holds. */
  readonly subcommands?: Descriptions;
  /** Whether a command that holds others also runs alone. */
  readonly runsAlone?: boolean;
}

/** A command or subcommand. */
export class CommandDescription {
  /** The whole name as it is shown: `CONFIG GET`. */
  readonly name: string;
  /** What documentation says of it. */
  readonly facts: CommandFacts;
  /** The commands that it holds. */
  readonly subcommands: Descriptions;
  #grammar: Part | undefined;

  /** Describes a command. */
  constructor(name: string, facts: CommandFacts) {
    this.name = name;
    this.facts = facts;
    this.subcommands = facts.subcommands ?? new Map();
  }

  /** What follows its name, in one line: `key [count]`. */
  get syntax(): string {
    return writePart(grammarOf(this.facts.arguments ?? []));
  }

  /** What follows its name; a container is followed by the names of its subcommands. */
  get grammar(): Part {
    this.#grammar ??= this.#makeGrammar();
    return this.#grammar;
  }

  #makeGrammar(): Part {
    if (this.subcommands.size === 0) return grammarOf(this.facts.arguments ?? []);
    const names: Part = { kind: "names", entries: () => nameEntries(this.subcommands) };
    return this.facts.runsAlone ? { kind: "optional", part: names } : names;
  }
}

/**
 * Describes the commands of a table of specifications.
 *
 * @param table The commands.
 * @param container The name of the command that holds them, as it is shown.
 */
export function describeTable(table: SpecTable, container?: string): Descriptions {
  return new Map(
    Object.entries(table).map(([name, spec]) => {
      const fullName = joinNames(container, name.toUpperCase());
      const subcommands = describeTable(spec.subcommands ?? {}, fullName);
      const facts = { ...spec, subcommands, runsAlone: spec.arity === -1 };
      return [name, new CommandDescription(fullName, facts)];
    }),
  );
}

/**
 * Names with what follows them, in alphabetical order.
 *
 * @param descriptions The commands.
 */
export function nameEntries(descriptions: Descriptions): NameEntry[] {
  return sortedDescriptions(descriptions).map((description) => ({
    name: lastName(description),
    body: () => description.grammar,
  }));
}

/**
 * Commands in the order of their names.
 *
 * @param descriptions The commands.
 */
export function sortedDescriptions(descriptions: Descriptions): CommandDescription[] {
  return [...descriptions.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

/** The name without that of the container. */
function lastName({ name }: CommandDescription): string {
  return name.slice(name.indexOf(" ") + 1);
}

/**
 * The name of a subcommand as it is shown.
 *
 * @param container The name of the command that holds it, if there is one.
 * @param name Its own name.
 */
export function joinNames(container: string | undefined, name: string): string {
  return container === undefined ? name : `${container} ${name}`;
}
