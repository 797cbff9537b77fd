/**
 * What is known of commands without asking a server, in a module of its own: the table of them takes
 * some time to load, and only who asks for help or edits lines needs it.
 *
 * @module
 */

import { ALL_SPECS } from "../../commands/specs/mod.ts";
import { CommandGuide } from "./mod.ts";

export { ansiHelpStyle, type CommandGuide } from "./mod.ts";

/** Makes a guide that knows the commands of the program's own server. */
export function makeGuide(): CommandGuide {
  return new CommandGuide(ALL_SPECS);
}
