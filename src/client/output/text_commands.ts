/**
 * Commands whose reply is text for people, which is printed as it is in any format.
 *
 * @module
 */

import { latin1Text } from "../quoting.ts";

/** Which replies of a command are text. */
interface TextCommand {
  /** The subcommands whose replies they are; all, if none is named. */
  readonly subcommands?: readonly string[];
  /** How many words the command must have, if not any number. */
  readonly words?: number;
}

const TEXT_COMMANDS: ReadonlyMap<string, readonly TextCommand[]> = new Map([
  ["info", [{}]],
  ["lolwut", [{}]],
  ["debug", [{ subcommands: ["htstats", "htstats-key", "client-eviction"] }]],
  ["memory", [{ subcommands: ["malloc-stats", "doctor"] }]],
  ["cluster", [{ subcommands: ["nodes", "info"], words: 2 }]],
  ["client", [{ subcommands: ["list", "info"] }]],
  ["latency", [{ subcommands: ["graph"], words: 3 }, { subcommands: ["doctor"], words: 2 }]],
  ["proxy", [{ subcommands: ["info"] }]],
]);

/**
 * Whether the reply to a command is text.
 *
 * @param words The command's name and arguments.
 */
export function isTextCommand(words: readonly Uint8Array[]): boolean {
  const forms = TEXT_COMMANDS.get(latin1Text(words[0]).toLowerCase());
  if (forms === undefined) return false;
  const subcommand = words.length > 1 ? latin1Text(words[1]).toLowerCase() : "";
  return forms.some((form) =>
    (form.subcommands?.includes(subcommand) ?? true) &&
    (form.words === undefined || form.words === words.length)
  );
}
