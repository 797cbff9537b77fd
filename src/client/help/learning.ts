/**
 * Reading the reply of COMMAND DOCS: how a server describes the commands that it has.
 *
 * RESP3 says it in maps and sets, RESP2 in arrays. The reply comes from outside: what isn't as it
 * should be is left out, command by command, and nothing of it that a terminal would take for an
 * order gets through.
 *
 * @module
 */

import { lowerCaseAscii } from "../../commands/specs/names.ts";
import type { ArgumentFlag, ArgumentSpec, ArgumentType } from "../../commands/specs/types.ts";
import { type Reply, textOf } from "../../protocol/reply.ts";
import { CommandDescription, type CommandFacts, joinNames } from "./descriptions.ts";

/**
 * How deep arguments may hold arguments; Redis' own go five deep. What is repeated is written twice,
 * so each level can double the length of a hint.
 */
const DEPTH_LIMIT = 8;

/** How many arguments may stand side by side; Redis' own are twelve at most. */
const ARGUMENTS_LIMIT = 256;

const ARGUMENT_TYPES: ReadonlySet<string> = new Set<ArgumentType>([
  "string",
  "integer",
  "double",
  "key",
  "pattern",
  "unix-time",
  "pure-token",
  "oneof",
  "block",
]);

const ARGUMENT_FLAGS: ReadonlySet<string> = new Set<ArgumentFlag>([
  "optional",
  "multiple",
  "multiple_token",
]);

/** Printable ASCII without white space, quotes, and what stands between names. */
const NAME_PATTERN = /^[!#-&(-{}~]+$/;

// What a terminal would obey: ESC and its like, in both of their ranges.
// deno-lint-ignore no-control-regex
const CONTROL_CHARACTERS = /[\x00-\x1f\x7f-\x9f]+/g;

/** A part of the reply isn't what it should be. */
class MalformedError extends Error {}

/**
 * Reads how a server describes its commands.
 *
 * @param reply The reply of COMMAND DOCS.
 * @returns the commands by their names in lower case; none if the reply is something else.
 */
export function readCommandDocs(reply: Reply): Map<string, CommandDescription> {
  return readCommands(reply, undefined);
}

function readCommands(
  reply: Reply,
  container: string | undefined,
): Map<string, CommandDescription> {
  const commands = new Map<string, CommandDescription>();
  for (const [key, value] of lenient(() => fieldsOf(reply)) ?? []) {
    const description = lenient(() => readCommand(key, value, container));
    if (description !== undefined) commands.set(nameIn(key, container), description);
  }
  return commands;
}

function readCommand(
  key: string,
  reply: Reply,
  container: string | undefined,
): CommandDescription {
  const name = nameIn(key, container);
  if (!NAME_PATTERN.test(name)) throw new MalformedError();
  const fullName = joinNames(container, name.toUpperCase());
  return new CommandDescription(fullName, readFacts(reply, fullName));
}

/** The name in lower case; a subcommand's stands behind its container's: `config|get`. */
function nameIn(key: string, container: string | undefined): string {
  const name = lowerCaseAscii(key);
  const prefix = container === undefined ? "" : `${lowerCaseAscii(container)}|`;
  return name.startsWith(prefix) ? name.slice(prefix.length) : "";
}

function readFacts(reply: Reply, fullName: string): CommandFacts {
  const fields = new Map(fieldsOf(reply));
  const text = (name: string) => {
    const field = fields.get(name);
    return field === undefined ? undefined : readText(field);
  };
  const inner = fields.get("arguments");
  const subcommands = fields.get("subcommands");
  return {
    summary: text("summary"),
    since: text("since"),
    group: text("group"),
    arguments: inner === undefined ? [] : readArguments(inner, 1),
    // Names of commands have two words at most.
    subcommands: subcommands === undefined || fullName.includes(" ")
      ? undefined
      : readCommands(subcommands, fullName),
  };
}

function readArguments(reply: Reply, depth: number): ArgumentSpec[] {
  const items = itemsOf(reply);
  if (depth > DEPTH_LIMIT || items.length > ARGUMENTS_LIMIT) throw new MalformedError();
  return items.map((item) => readArgument(item, depth));
}

function readArgument(reply: Reply, depth: number): ArgumentSpec {
  const fields = new Map(fieldsOf(reply));
  const type = fields.get("type");
  // Newer servers say apart what is to be shown.
  const name = fields.get("display_text") ?? fields.get("name");
  if (type === undefined || name === undefined) throw new MalformedError();
  const typeName = readText(type);
  const token = fields.get("token");
  const inner = fields.get("arguments");
  const flags = fields.get("flags");
  return {
    name: readText(name),
    // Types that are yet to be invented are words that the user chooses.
    type: ARGUMENT_TYPES.has(typeName) ? typeName as ArgumentType : "string",
    token: token === undefined ? undefined : readText(token),
    flags: flags === undefined ? [] : readFlags(flags),
    arguments: inner === undefined ? [] : readArguments(inner, depth + 1),
  };
}

function readFlags(reply: Reply): ArgumentFlag[] {
  return itemsOf(reply).map(readText)
    .filter((flag): flag is ArgumentFlag => ARGUMENT_FLAGS.has(flag));
}

/** The fields of a map, or of an array in which names and values alternate. */
function fieldsOf(reply: Reply): [string, Reply][] {
  const items = reply.kind === "map" ? reply.items : itemsOf(reply);
  if (items.length % 2 !== 0) throw new MalformedError();
  return Array.from(
    { length: items.length / 2 },
    (_, index) => [readText(items[index * 2]), items[index * 2 + 1]],
  );
}

function itemsOf(reply: Reply): readonly Reply[] {
  if (reply.kind !== "array" && reply.kind !== "set") throw new MalformedError();
  return reply.items;
}

function readText(reply: Reply): string {
  const text = reply.kind === "error" ? undefined : textOf(reply);
  if (text === undefined) throw new MalformedError();
  return text.replace(CONTROL_CHARACTERS, " ");
}

/** What a function gives, or `undefined` if what it reads is malformed. */
function lenient<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}
