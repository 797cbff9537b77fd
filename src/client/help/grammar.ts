/**
 * What a command takes, as a grammar of words: made from the description of its arguments, written
 * out as the line that documentation shows.
 *
 * A grammar is a tree of parts. The rest of a grammar, after some words were read, is a grammar
 * again (`matching.ts`), so what is still to come is written out by the same function as the whole.
 *
 * @module
 */

import type { ArgumentSpec } from "../../commands/specs/types.ts";

/** A piece of a grammar. */
export type Part =
  | Token
  | Value
  | Sequence
  | Choice
  | Optional
  | AnyOrder
  | Repeat
  | More
  | Counted
  | Names;

/** A fixed word, in any case. */
export interface Token {
  /** What kind of part it is. */
  readonly kind: "token";
  /** The word. */
  readonly token: string;
  /** Whether it is one of so many that nobody wants to see them all in a hint. */
  readonly isOneOfMany?: boolean;
}

/** A word that the user chooses. */
export interface Value {
  /** What kind of part it is. */
  readonly kind: "value";
  /** What documentation calls it. */
  readonly name: string;
  /** The type of the argument: `key`, `integer`, ... */
  readonly type: string;
}

/** Parts one after the other. */
export interface Sequence {
  /** What kind of part it is. */
  readonly kind: "sequence";
  /** The parts. */
  readonly parts: readonly Part[];
}

/** One of several parts. */
export interface Choice {
  /** What kind of part it is. */
  readonly kind: "choice";
  /** The alternatives. */
  readonly parts: readonly Part[];
}

/** A part that may be left out. */
export interface Optional {
  /** What kind of part it is. */
  readonly kind: "optional";
  /** The part. */
  readonly part: Part;
}

/** Parts that may be left out, in any order, each of them once: options. */
export interface AnyOrder {
  /** What kind of part it is. */
  readonly kind: "anyOrder";
  /** The parts. */
  readonly parts: readonly Part[];
}

/** A part, and then another any number of times. */
export interface Repeat {
  /** What kind of part it is. */
  readonly kind: "repeat";
  /** What must stand there once; it may have a token in front. */
  readonly first: Part;
  /** What may follow. */
  readonly next: Part;
}

/** What remains of a repetition: any number of parts, or none. */
export interface More {
  /** What kind of part it is. */
  readonly kind: "more";
  /** What may follow. */
  readonly next: Part;
}

/** As many parts as a number in front of them says (`numkeys`). */
export interface Counted {
  /** What kind of part it is. */
  readonly kind: "counted";
  /** The part. */
  readonly part: Part;
  /** How many are still to come; at least one. */
  readonly left: number;
}

/** Names of commands, each followed by what that command takes. */
export interface Names {
  /** What kind of part it is. */
  readonly kind: "names";
  /** What is written instead of all the names. */
  readonly label?: string;
  /** The names in the order in which they are offered. */
  readonly entries: () => Iterable<NameEntry>;
}

/** A name and what follows it. */
export interface NameEntry {
  /** The name. */
  readonly name: string;
  /** What follows it; made when it is asked for. */
  readonly body: () => Part;
}

/** Nothing more. */
export const EMPTY: Sequence = { kind: "sequence", parts: [] };

/**
 * Makes a grammar of the arguments of a command.
 *
 * @param specs The arguments in order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const count = { name: "count", type: "integer", flags: ["optional"] } as const;
 * const grammar = grammarOf([{ name: "key", type: "key" }, count]);
 * assertEquals(writePart(grammar), "key [count]");
 * ```
 */
export function grammarOf(specs: readonly ArgumentSpec[]): Part {
  const parts: Part[] = [];
  for (const spec of specs) {
    const part = partOf(spec);
    const previous = parts.at(-1);
    // Options that stand side by side may be given in any order.
    if (part.kind !== "optional") parts.push(part);
    else if (previous?.kind !== "anyOrder") parts.push({ kind: "anyOrder", parts: [part] });
    else parts[parts.length - 1] = { kind: "anyOrder", parts: [...previous.parts, part] };
  }
  return sequence(parts);
}

/**
 * Puts parts one after the other.
 *
 * @param parts The parts; those that are sequences are taken apart.
 */
export function sequence(parts: readonly Part[]): Part {
  const flat = parts.flatMap((part) => part.kind === "sequence" ? part.parts : [part]);
  return flat.length === 1 ? flat[0] : { kind: "sequence", parts: flat };
}

/**
 * Writes a grammar as documentation shows it: `key [key ...]`, `[NX|XX]`.
 *
 * @param part The grammar.
 */
export function writePart(part: Part): string {
  switch (part.kind) {
    case "token":
      return part.token === "" ? '""' : part.token;
    case "value":
      return part.name === "" ? '""' : part.name;
    case "sequence":
    case "anyOrder":
      return writeAll(part.parts, " ");
    case "choice":
      return writeAll(part.parts, "|");
    case "optional":
      return `[${writePart(part.part)}]`;
    case "repeat":
      return `${writePart(part.first)} [${writePart(part.next)} ...]`;
    case "more":
      return `[${writePart(part.next)} ...]`;
    case "counted":
      return part.left === 1 ? writePart(part.part) : writePart({
        kind: "repeat",
        first: part.part,
        next: part.part,
      });
    case "names":
      return part.label ?? Array.from(part.entries(), ({ name }) => name).join("|");
  }
}

function writeAll(parts: readonly Part[], separator: string): string {
  return parts.map(writePart).filter((text) => text !== "").join(separator);
}

function partOf(spec: ArgumentSpec): Part {
  const flags = spec.flags ?? [];
  const token: Part[] = spec.token === undefined ? [] : [{ kind: "token", token: spec.token }];
  const base = baseOf(spec);
  let part = sequence([...token, base]);
  if (flags.includes("multiple")) {
    part = { kind: "repeat", first: part, next: flags.includes("multiple_token") ? part : base };
  }
  return flags.includes("optional") ? { kind: "optional", part } : part;
}

/** An argument without its token. */
function baseOf({ name, type, arguments: inner = [] }: ArgumentSpec): Part {
  switch (type) {
    case "pure-token":
      return EMPTY;
    case "oneof":
      return { kind: "choice", parts: inner.map(partOf) };
    case "block":
      return grammarOf(inner);
    default:
      return { kind: "value", name, type };
  }
}
