/**
 * What the server tells of its commands: the replies of `COMMAND` and its subcommands.
 *
 * Each function writes one reply from a table of specifications. What is a set, a map or an array in
 * RESP3 is the same here as in Redis (the writer turns sets and maps into arrays for RESP2), and so
 * is what is a status and what is a bulk string.
 *
 * @module
 */

import {
  acceptsArgumentCount,
  type ArgumentSpec,
  type BeginSearch,
  extractKeys,
  findCalledSpec,
  type FindKeys,
  findSpec,
  type KeyReference,
  type KeySpec,
  legacyKeyRange,
  type NamedSpec,
  namedSpecs,
  namedSubcommands,
  type SpecTable,
  takesKeys,
  visitSpecs,
} from "../commands/specs/mod.ts";
import { lowerCaseAscii } from "../commands/specs/names.ts";
import { globMatch } from "../keyspace/glob.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";

/** A command line inside another one: what follows `COMMAND GETKEYS`. */
export interface InnerCall {
  /** The number of its arguments, its command's name included. */
  readonly argumentCount: number;
  /** Gives an argument as text; 0 is the command's name. */
  textAt(index: number): string;
  /** Gives an argument as the bytes it came in. */
  bytesAt(index: number): Uint8Array;
}

/** The lines of `COMMAND HELP`. */
const HELP_LINES: readonly string[] = [
  "COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "(no subcommand)",
  "    Describe every command.",
  "COUNT",
  "    Return how many commands there are.",
  "LIST [FILTERBY <MODULE <module>|ACLCAT <category>|PATTERN <pattern>>]",
  "    Return the names of the commands, all or filtered.",
  "INFO [<command-name> ...]",
  "    Describe the commands named, or all of them.",
  "DOCS [<command-name> ...]",
  "    Return the documentation of the commands named, or of all of them.",
  "GETKEYS <full-command>",
  "    Return the keys in a full command line.",
  "GETKEYSANDFLAGS <full-command>",
  "    Return the keys in a full command line, each with what would happen to it.",
  "HELP",
  "    Show this help.",
];

/**
 * Writes the reply of `COMMAND`: every command described.
 *
 * @param reply Takes the reply.
 * @param table The commands of the server.
 */
export function replyCommand(reply: ReplyWriter, table: SpecTable): void {
  writeDescriptions(reply, namedSpecs(table));
}

/**
 * Writes the reply of `COMMAND COUNT`: the number of commands, subcommands not counted.
 *
 * @param reply Takes the reply.
 * @param table The commands of the server.
 */
export function replyCommandCount(reply: ReplyWriter, table: SpecTable): void {
  reply.integer(Object.keys(table).length);
}

/**
 * Writes the reply of `COMMAND INFO`: a description for each name, null for a name that isn't known.
 *
 * @param reply Takes the reply.
 * @param table The commands of the server.
 * @param names Names like `get` and `config|get`; none for all commands.
 */
export function replyCommandInfo(
  reply: ReplyWriter,
  table: SpecTable,
  names: readonly string[],
): void {
  if (names.length === 0) return replyCommand(reply, table);
  writeDescriptions(reply, names.map((name) => findSpec(table, name)));
}

/**
 * Writes the reply of `COMMAND DOCS`: documentation by name, without the names that aren't known.
 *
 * @param reply Takes the reply.
 * @param table The commands of the server.
 * @param names Names like `get` and `config|get`; none for all commands.
 */
export function replyCommandDocs(
  reply: ReplyWriter,
  table: SpecTable,
  names: readonly string[],
): void {
  if (names.length === 0) return writeDocs(reply, namedSpecs(table));
  const found = names.map((name) => findSpec(table, name));
  writeDocs(reply, found.filter((named) => named !== undefined));
}

/**
 * Writes the reply of `COMMAND LIST`: names of commands and subcommands, all or those that pass a
 * filter.
 *
 * @param reply Takes the reply, or the error about a filter that isn't understood.
 * @param table The commands of the server.
 * @param filter What follows `LIST`: nothing, or `FILTERBY`, the kind of filter and its value.
 */
export function replyCommandList(
  reply: ReplyWriter,
  table: SpecTable,
  filter: readonly string[],
): void {
  const passes = listFilter(filter);
  if (passes === undefined) return reply.error("ERR syntax error");
  const names: string[] = [];
  visitSpecs(table, (named) => {
    if (passes(named)) names.push(named.fullName);
  });
  reply.array(names.length);
  for (const name of names) reply.bulk(name);
}

/**
 * Writes the reply of `COMMAND GETKEYS`: the keys in a command line.
 *
 * @param reply Takes the reply, or the error about a command line that isn't one.
 * @param table The commands of the server.
 * @param call The command line to look at.
 */
export function replyCommandGetKeys(reply: ReplyWriter, table: SpecTable, call: InnerCall): void {
  const keys = keysOfCall(reply, table, call);
  if (keys === undefined) return;
  reply.array(keys.length);
  for (const { position } of keys) reply.bulkBytes(call.bytesAt(position));
}

/**
 * Writes the reply of `COMMAND GETKEYSANDFLAGS`: the keys in a command line, each with what the
 * command does to it.
 *
 * @param reply Takes the reply, or the error about a command line that isn't one.
 * @param table The commands of the server.
 * @param call The command line to look at.
 */
export function replyCommandGetKeysAndFlags(
  reply: ReplyWriter,
  table: SpecTable,
  call: InnerCall,
): void {
  const keys = keysOfCall(reply, table, call);
  if (keys === undefined) return;
  reply.array(keys.length);
  for (const { position, flags } of keys) {
    reply.array(2);
    reply.bulkBytes(call.bytesAt(position));
    writeStatusSet(reply, flags);
  }
}

/**
 * Writes the reply of `COMMAND HELP`.
 *
 * @param reply Takes the reply.
 */
export function replyCommandHelp(reply: ReplyWriter): void {
  reply.array(HELP_LINES.length);
  for (const line of HELP_LINES) reply.simple(line);
}

/** Finds the keys in a command line, or writes the error and returns nothing. */
function keysOfCall(
  reply: ReplyWriter,
  table: SpecTable,
  call: InnerCall,
): readonly KeyReference[] | undefined {
  const { argumentCount } = call;
  const textAt = (index: number): string => call.textAt(index);
  const spec = findCalledSpec(table, argumentCount, textAt)?.spec;
  if (spec === undefined) {
    reply.error("ERR Invalid command specified");
    return undefined;
  }
  if (!takesKeys(spec)) {
    reply.error("ERR The command has no key arguments");
    return undefined;
  }
  if (!acceptsArgumentCount(spec, argumentCount)) {
    reply.error("ERR Invalid number of arguments specified for command");
    return undefined;
  }
  const keys = extractKeys(spec, argumentCount, textAt);
  if (keys.length === 0 && !spec.flags.includes("no_mandatory_keys")) {
    reply.error("ERR Invalid arguments specified for command");
    return undefined;
  }
  return keys;
}

/** Reads the filter of `COMMAND LIST`; nothing when it isn't one. */
function listFilter(filter: readonly string[]): ((named: NamedSpec) => boolean) | undefined {
  if (filter.length === 0) return () => true;
  if (filter.length !== 3 || lowerCaseAscii(filter[0]) !== "filterby") return undefined;
  const value = filter[2];
  switch (lowerCaseAscii(filter[1])) {
    case "module":
      // No command comes from a module, whatever its name.
      return () => false;
    case "aclcat": {
      const category = lowerCaseAscii(value);
      return ({ spec }) => spec.acl.some((name) => name === category);
    }
    case "pattern": {
      const encoder = new TextEncoder();
      const pattern = encoder.encode(value);
      return ({ fullName }) => globMatch(pattern, encoder.encode(fullName), true);
    }
    default:
      return undefined;
  }
}

/** Writes an array of descriptions, as `COMMAND INFO` has them. */
function writeDescriptions(
  reply: ReplyWriter,
  commands: readonly (NamedSpec | undefined)[],
): void {
  reply.array(commands.length);
  for (const command of commands) {
    if (command === undefined) reply.nullBulk();
    else writeDescription(reply, command);
  }
}

/** Writes the ten facts of one command; the last are its subcommands, described likewise. */
function writeDescription(reply: ReplyWriter, command: NamedSpec): void {
  const { fullName, spec } = command;
  const { firstKey, lastKey, keyStep } = legacyKeyRange(spec);
  reply.array(10);
  reply.bulk(fullName);
  reply.integer(spec.arity);
  writeStatusSet(reply, spec.flags);
  reply.integer(firstKey);
  reply.integer(lastKey);
  reply.integer(keyStep);
  writeStatusSet(reply, spec.acl.map((category) => "@" + category));
  const tips = spec.tips ?? [];
  reply.set(tips.length);
  for (const tip of tips) reply.bulk(tip);
  reply.set(spec.keys.length);
  for (const keySpec of spec.keys) writeKeySpec(reply, keySpec);
  const subcommands = namedSubcommands(command);
  // Redis sends no subcommands as an empty set, and some as an array.
  if (subcommands.length === 0) reply.set(0);
  else writeDescriptions(reply, subcommands);
}

/** Writes the map that describes one group of keys. */
function writeKeySpec(reply: ReplyWriter, keySpec: KeySpec): void {
  reply.map(keySpec.notes === undefined ? 3 : 4);
  if (keySpec.notes !== undefined) {
    reply.bulk("notes");
    reply.bulk(keySpec.notes);
  }
  reply.bulk("flags");
  writeStatusSet(reply, keySpec.flags);
  reply.bulk("begin_search");
  writeKeySearchStep(reply, keySpec.beginSearch.type, beginSearchFields(keySpec.beginSearch));
  reply.bulk("find_keys");
  writeKeySearchStep(reply, keySpec.findKeys.type, findKeysFields(keySpec.findKeys));
}

/** A step's own numbers and words, under the names they have on the wire. */
type StepFields = readonly (readonly [name: string, value: string | number])[];

/** Writes one of the two steps that find keys: its type, and what that type needs. */
function writeKeySearchStep(reply: ReplyWriter, type: string, fields: StepFields): void {
  reply.map(2);
  reply.bulk("type");
  reply.bulk(type);
  reply.bulk("spec");
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.bulk(name);
    if (typeof value === "number") reply.integer(value);
    else reply.bulk(value);
  }
}

function beginSearchFields(step: BeginSearch): StepFields {
  switch (step.type) {
    case "index":
      return [["index", step.index]];
    case "keyword":
      return [["keyword", step.keyword], ["startfrom", step.startFrom]];
    case "unknown":
      return [];
  }
}

function findKeysFields(step: FindKeys): StepFields {
  switch (step.type) {
    case "range":
      return [["lastkey", step.lastKey], ["keystep", step.keyStep], ["limit", step.limit]];
    case "keynum":
      return [
        ["keynumidx", step.keyNumIndex],
        ["firstkey", step.firstKey],
        ["keystep", step.keyStep],
      ];
    case "unknown":
      return [];
  }
}

/** A field of a map that is yet to be written: its name, and what writes its value. */
type Field = readonly [name: string, writeValue: () => void];

/** Writes a map of the fields that are there. */
function writeFields(reply: ReplyWriter, fields: readonly (Field | undefined)[]): void {
  const present = fields.filter((field) => field !== undefined);
  reply.map(present.length);
  for (const [name, writeValue] of present) {
    reply.bulk(name);
    writeValue();
  }
}

/** A field that holds text, unless there is none. */
function textField(reply: ReplyWriter, name: string, text: string | undefined): Field | undefined {
  return text === undefined ? undefined : [name, () => reply.bulk(text)];
}

/** Writes a map from names to documentation, as `COMMAND DOCS` has it. */
function writeDocs(reply: ReplyWriter, commands: readonly NamedSpec[]): void {
  reply.map(commands.length);
  for (const command of commands) {
    reply.bulk(command.fullName);
    writeDocumentation(reply, command);
  }
}

/** Writes the map that documents one command; its subcommands are documented inside. */
function writeDocumentation(reply: ReplyWriter, command: NamedSpec): void {
  const { docFlags, history, arguments: parts, subcommands, ...spec } = command.spec;
  writeFields(reply, [
    textField(reply, "summary", spec.summary),
    textField(reply, "since", spec.since),
    textField(reply, "group", spec.group),
    textField(reply, "complexity", spec.complexity),
    docFlags && ["doc_flags", () => writeStatusSet(reply, docFlags)],
    textField(reply, "deprecated_since", spec.deprecatedSince),
    textField(reply, "replaced_by", spec.replacedBy),
    history && ["history", () => {
      reply.set(history.length);
      for (const [version, change] of history) {
        reply.array(2);
        reply.bulk(version);
        reply.bulk(change);
      }
    }],
    parts && ["arguments", () => writeArguments(reply, parts)],
    subcommands && ["subcommands", () => writeDocs(reply, namedSubcommands(command))],
  ]);
}

/** Writes the arguments of a command, or those inside another argument. */
function writeArguments(reply: ReplyWriter, parts: readonly ArgumentSpec[]): void {
  reply.array(parts.length);
  for (const { keySpecIndex, flags, arguments: nested, ...part } of parts) {
    writeFields(reply, [
      textField(reply, "name", part.name),
      textField(reply, "type", part.type),
      keySpecIndex === undefined
        ? undefined
        : ["key_spec_index", () => reply.integer(keySpecIndex)],
      textField(reply, "token", part.token),
      textField(reply, "since", part.since),
      textField(reply, "deprecated_since", part.deprecatedSince),
      flags && ["flags", () => writeStatusSet(reply, flags)],
      nested && ["arguments", () => writeArguments(reply, nested)],
    ]);
  }
}

/** Writes words as a set of status replies. */
function writeStatusSet(reply: ReplyWriter, words: readonly string[]): void {
  reply.set(words.length);
  for (const word of words) reply.simple(word);
}
