/**
 * Hints, completion and help, from all that is known of commands.
 *
 * @module
 */

import { lowerCaseAscii } from "../../commands/specs/names.ts";
import type { SpecTable } from "../../commands/specs/types.ts";
import type { Reply } from "../../protocol/reply.ts";
import { isRepeatCount } from "../quoting.ts";
import { completeLast, type Completion } from "./completion.ts";
import {
  CommandDescription,
  describeTable,
  type Descriptions,
  nameEntries,
  sortedDescriptions,
} from "./descriptions.ts";
import { EMPTY, type NameEntry, type Part } from "./grammar.ts";
import { groupsOf, helpOn, type HelpStyle } from "./help_text.ts";
import { hintBehind } from "./hints.ts";
import { readCommandDocs } from "./learning.ts";
import { localEntries } from "./local_commands.ts";
import { readWord } from "./matching.ts";
import { readTypedLine, type TypedLine } from "./typed_line.ts";

/** Lines longer than this (in characters) get no hints: reading them at each key takes too long. */
const LINE_LIMIT = 2048;

/** Knows the commands, and what may be typed. */
export class CommandGuide {
  readonly #descriptions: Map<string, CommandDescription>;
  /** What a line can start with, and what it can after a repeat count; made when asked for. */
  #grammars: { readonly line: Part; readonly command: Part } | undefined;

  /**
   * Makes a guide.
   *
   * @param table The commands that are known without asking a server.
   *
   * @example
   * ```ts
   * import { ALL_SPECS } from "../../commands/specs/mod.ts";
   * import { assertEquals } from "@std/assert";
   *
   * const guide = new CommandGuide(ALL_SPECS);
   * assertEquals(guide.hint("expire k "), "seconds [NX|XX|GT|LT]");
   * assertEquals(guide.complete("config re").candidates, ["resetstat", "rewrite"]);
   * ```
   */
  constructor(table: SpecTable = {}) {
    this.#descriptions = new Map(describeTable(table));
  }

  /**
   * Takes over how a server describes its commands, which from then on is what is shown of them;
   * commands that it doesn't name stay as they were.
   *
   * @param reply Its reply to COMMAND DOCS, of either protocol. What is malformed is ignored.
   */
  learn(reply: Reply): void {
    for (const [name, { name: shownName, facts }] of readCommandDocs(reply)) {
      // This alone isn't in the reply.
      const runsAlone = this.#descriptions.get(name)?.facts.runsAlone;
      this.#descriptions.set(name, new CommandDescription(shownName, { ...facts, runsAlone }));
    }
    this.#grammars = undefined;
  }

  /**
   * What is to be shown behind the cursor while a line is typed: the arguments that are still to
   * come.
   *
   * It starts with a space where one is to be typed. A word that can only become one thing is
   * completed first.
   *
   * @param line What stands in front of the cursor.
   * @returns the hint; empty if there is none.
   */
  hint(line: string): string {
    const typed = this.#read(line);
    if (typed === undefined) return "";
    const isEmpty = typed.line.finished.length === 0 && typed.line.last === undefined;
    return isEmpty ? "" : hintBehind(typed.line, typed.rests);
  }

  /**
   * What the last word of a line can become.
   *
   * @param line What stands in front of the cursor.
   */
  complete(line: string): Completion {
    const typed = this.#read(line);
    if (typed === undefined) return { start: line.length, candidates: [], key: undefined };
    return completeLast(typed.line, typed.rests, line.length);
  }

  /**
   * The text that `help` shows.
   *
   * Lines end as those of redis-cli do, with CR and LF, except for the general text.
   *
   * @param topic What stands behind `help`: nothing, the words of a command, or a group (`@hash`).
   * @param style Gives the pieces of the text their colours; by default there are none.
   */
  help(topic: readonly string[], style: HelpStyle = (text) => text): string {
    return helpOn(this.#descriptions, topic, style);
  }

  /**
   * What a command takes, in one line as documentation shows it.
   *
   * @param words The command's name, and the subcommand's.
   * @returns the line, or `undefined` if the command isn't known.
   */
  syntax(...words: readonly string[]): string | undefined {
    const [name = "", subname, ...rest] = words.map(lowerCaseAscii);
    const command = this.#descriptions.get(name);
    const found = subname === undefined ? command : command?.subcommands.get(subname);
    return rest.length > 0 ? undefined : found?.syntax;
  }

  /** Takes a line apart, and says what may follow its finished words. */
  #read(line: string): { line: TypedLine; rests: readonly Part[] } | undefined {
    const typed = line.length > LINE_LIMIT ? undefined : readTypedLine(line);
    if (typed === undefined) return undefined;
    this.#grammars ??= makeGrammars(this.#descriptions);
    const isRepeated = isRepeatCount(typed.finished.at(0)?.text ?? "");
    const finished = isRepeated ? typed.finished.slice(1) : typed.finished;
    let rests: readonly Part[] = [isRepeated ? this.#grammars.command : this.#grammars.line];
    for (const { text } of finished) rests = readWord(rests, text).rests;
    return { line: { finished, last: typed.last }, rests };
  }
}

function makeGrammars(descriptions: Descriptions): { line: Part; command: Part } {
  const commands = nameEntries(descriptions);
  let topicsMade: readonly NameEntry[] | undefined;
  const topics: Part = {
    kind: "names",
    label: "command|@group",
    entries: () => topicsMade ??= topicEntries(descriptions),
  };
  // QUIT is both: the server's word for it is the one that is offered.
  const local = localEntries(topics).filter(({ name }) => !descriptions.has(name));
  const entries = [...commands, ...local];
  return {
    line: { kind: "names", label: "", entries: () => entries },
    command: { kind: "names", label: "", entries: () => commands },
  };
}

/** What `help` can be asked for: commands, their subcommands, groups. */
function topicEntries(descriptions: Descriptions): NameEntry[] {
  const commands = sortedDescriptions(descriptions).map(({ name, subcommands }) => ({
    name,
    body: () => subcommandTopics(subcommands),
  }));
  const groups = groupsOf(descriptions).map((group) => ({ name: `@${group}`, body: () => EMPTY }));
  return [...commands, ...groups];
}

function subcommandTopics(subcommands: Descriptions): Part {
  if (subcommands.size === 0) return EMPTY;
  const entries = nameEntries(subcommands).map(({ name }) => ({ name, body: () => EMPTY }));
  return { kind: "optional", part: { kind: "names", entries: () => entries } };
}
