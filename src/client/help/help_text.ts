/**
 * The texts that `help` shows.
 *
 * @module
 */

import { lowerCaseAscii } from "../../commands/specs/names.ts";
import { nearestWord } from "../../runtime/arguments.ts";
import { VERSION } from "../../runtime/version.ts";
import { type CommandDescription, type Descriptions, sortedDescriptions } from "./descriptions.ts";
import { isLocalCommand } from "./local_commands.ts";

/** What a piece of a help text is: a command's name, its arguments, or the title of a fact. */
export type HelpRole = "name" | "arguments" | "title";

/** Gives a piece of a help text its colour. */
export type HelpStyle = (text: string, role: HelpRole) => string;

/** The lines of help end as those of redis-cli do. */
const LINE_END = "\r\n";

const GENERAL_HELP = `miniredis client ${VERSION}
Help on the commands of the server:
      "help <command>" shows what a command does and takes
      "help @<group>" shows all commands of a group
      "help <tab>" lists what help can be asked for
In the dialogue:
      "<count> <command>" runs the command that many times
      "connect <hostname> <port>" goes on with another server
      "clear" clears the screen
      "quit" ends it
Preferences, which may also stand in ~/.redisclirc:
      ":set hints" shows what a command takes while it is typed
      ":set nohints" doesn't
`;

/**
 * The colours of redis-cli: names bold, arguments grey, titles yellow.
 *
 * @param text A piece of a help text.
 * @param role What it is.
 */
export function ansiHelpStyle(text: string, role: HelpRole): string {
  const code = role === "name" ? 1 : role === "arguments" ? 90 : 33;
  return `\x1b[${code}m${text}\x1b[0m`;
}

/**
 * The text that `help` shows on a topic.
 *
 * @param descriptions The commands.
 * @param topic What stands behind `help`: nothing, a command's words, or a group with its `@`.
 * @param style Gives the pieces their colours.
 * @returns the text with its last line's end; on a topic that there isn't, it says what was meant.
 */
export function helpOn(
  descriptions: Descriptions,
  topic: readonly string[],
  style: HelpStyle,
): string {
  if (topic.length === 0) return GENERAL_HELP;
  const isGroup = topic[0].startsWith("@");
  const found = isGroup
    ? commandsOfGroup(descriptions, lowerCaseAscii(topic[0].slice(1)))
    : commandsNamed(descriptions, topic.map(lowerCaseAscii));
  if (found.length === 0 && isLocalCommand(topic[0])) return GENERAL_HELP;
  if (found.length === 0) return unknownTopic(descriptions, topic) + LINE_END;
  return found.map((command) => commandHelp(command, style, !isGroup)).join("") + LINE_END;
}

/**
 * The groups that there are commands of, in alphabetical order.
 *
 * @param descriptions The commands.
 */
export function groupsOf(descriptions: Descriptions): string[] {
  const groups = allCommands(descriptions).map(({ facts }) => facts.group ?? "");
  return [...new Set(groups)].filter((group) => group !== "").sort();
}

/** All commands and subcommands, in the order of their names. */
function allCommands(descriptions: Descriptions): CommandDescription[] {
  return sortedDescriptions(descriptions)
    .flatMap((command) => [command, ...sortedDescriptions(command.subcommands)]);
}

function commandsOfGroup(descriptions: Descriptions, group: string): CommandDescription[] {
  return allCommands(descriptions)
    .filter(({ facts }) => lowerCaseAscii(facts.group ?? "") === group);
}

/** The command or subcommand of this name; a container with all that it holds. */
function commandsNamed(
  descriptions: Descriptions,
  [name, subname, ...rest]: readonly string[],
): CommandDescription[] {
  const command = descriptions.get(name);
  if (command === undefined || rest.length > 0) return [];
  if (subname === undefined) return [command, ...sortedDescriptions(command.subcommands)];
  const subcommand = command.subcommands.get(subname);
  return subcommand === undefined ? [] : [subcommand];
}

function commandHelp(
  { name, syntax, facts }: CommandDescription,
  style: HelpStyle,
  withGroup: boolean,
): string {
  const told: [title: string, text: string | undefined][] = [
    ["summary", facts.summary],
    ["since", facts.since],
    ["group", withGroup ? facts.group : undefined],
  ];
  const lines = told.filter(([, text]) => text !== undefined)
    .map(([title, text]) => `  ${style(`${title}:`, "title")} ${text}`);
  const head = `  ${style(name, "name")} ${style(syntax, "arguments")}`;
  return ["", head, ...lines, ""].join(LINE_END);
}

/** Says that there is no such topic, and which there are. */
function unknownTopic(descriptions: Descriptions, topic: readonly string[]): string {
  const [name, subname] = topic;
  if (name.startsWith("@")) {
    const groups = groupsOf(descriptions).map((group) => `@${group}`);
    const nearest = nearestWord(name, groups);
    return nearest === undefined
      ? `unknown group '${name}'; the groups are ${groups.join(", ")}`
      : `unknown group '${name}'; did you mean '${nearest}'?`;
  }
  const command = descriptions.get(lowerCaseAscii(name));
  if (command === undefined) return `unknown command '${name}'${meant(name, descriptions)}`;
  return command.subcommands.size === 0
    ? `${command.name} has no subcommands`
    : `${command.name} has no subcommand '${subname}'${meant(subname, command.subcommands)}`;
}

function meant(word: string, descriptions: Descriptions): string {
  const nearest = nearestWord(word, descriptions.keys());
  return nearest === undefined ? "" : `; did you mean '${nearest.toUpperCase()}'?`;
}
