/**
 * What a tool's connection begins with: the user, the database and the protocol.
 *
 * @module
 */

import type { ClientSettings } from "../options.ts";

/** A command, behind what it is called when the server refuses it. */
export type IntroductionStep = readonly [title: string, command: string, ...args: string[]];

/** The commands that the settings ask for, in redis-cli's order. */
export function introductionOf(settings: ClientSettings): readonly IntroductionStep[] {
  const { username, password, database, resp } = settings;
  const steps: IntroductionStep[] = [];
  if (password !== undefined) {
    steps.push(["AUTH", "AUTH", ...username === undefined ? [] : [username], password]);
  }
  if (database !== 0) steps.push([`SELECT ${database}`, "SELECT", String(database)]);
  if (resp === 3) steps.push(["HELLO 3", "HELLO", "3"]);
  return steps;
}
