/**
 * What a writer sent: the unit that a crash must leave whole.
 *
 * @module
 */

import { plainValue, type Reply } from "../../src/protocol/reply.ts";
import type { Commands } from "./commands.ts";

/** What a server answered to one command: text, numbers, nothing, or several of them. */
export type Answer = string | number | null | readonly Answer[];

/** A command, or a transaction of several. */
export interface Operation {
  /** Its number among all of this writer's, from 1 on; it is also what the command writes. */
  readonly number: number;
  /** The commands; more than one are sent between MULTI and EXEC. */
  readonly commands: Commands;
  /** When it was handed to the connection, in milliseconds of the wall clock. */
  readonly sentMs: number;
  /** When its reply arrived, or undefined if none came. */
  acknowledgedMs: number | undefined;
  /** What came for each command, once it is acknowledged. */
  answers: readonly Answer[] | undefined;
}

const SHOWN_CHARACTERS = 60;

/** An operation in a line, for people. */
export function describeOperation({ number, commands }: Operation): string {
  const text = commands.map((words) =>
    words.map((word) =>
      word.length > SHOWN_CHARACTERS
        ? `<${word.length} characters>`
        : /^[!-~]+$/.test(word)
        ? word
        : JSON.stringify(word)
    ).join(" ")
  ).join("; ");
  return `#${number} ${commands.length > 1 ? `MULTI; ${text}; EXEC` : text}`;
}

/** The commands of an operation as they are sent. */
export function framed(commands: Commands): Commands {
  return commands.length === 1 ? commands : [["MULTI"], ...commands, ["EXEC"]];
}

/** All errors among replies, also among what EXEC answers, in order. */
export function errorsIn(replies: readonly Reply[]): string[] {
  return replies.flatMap((reply) => {
    if (reply.kind === "error") return [reply.text()];
    return reply.kind === "array" ? errorsIn(reply.items) : [];
  });
}

/** What came for each command of an operation. */
export function answersOf(commands: Commands, replies: readonly Reply[]): readonly Answer[] {
  const last = plainValue(replies[replies.length - 1]) as Answer;
  return commands.length === 1 ? [last] : last as readonly Answer[];
}
