/**
 * What the client knows of commands: hints while one is typed, completion, help.
 *
 * It needs no terminal and no socket: lines go in, texts come out. What it knows of commands comes
 * from the table of specifications that the program carries, and from servers' replies to COMMAND
 * DOCS.
 *
 * @module
 */

export type { Completion, KeySearch } from "./completion.ts";
export { CommandGuide } from "./guide.ts";
export { ansiHelpStyle, type HelpRole, type HelpStyle } from "./help_text.ts";
