/**
 * The pieces that many specifications share, so that a specification reads as a few short lines.
 *
 * @module
 */

import type { ArgumentSpec, KeyFlag, KeySpec } from "./types.ts";

/**
 * One key at a fixed place.
 *
 * @param index Where it stands; 0 is the command's name.
 * @param flags What the command does with it.
 */
export function keyAt(index: number, flags: readonly KeyFlag[]): KeySpec {
  return {
    flags,
    beginSearch: { type: "index", index },
    findKeys: { type: "range", lastKey: 0, keyStep: 1, limit: 0 },
  };
}

/**
 * Keys from a fixed place to the end of the arguments.
 *
 * @param index Where the first one stands; 0 is the command's name.
 * @param keyStep How far the next key is: 2 when a value follows each key.
 * @param flags What the command does with them.
 */
export function keysToEnd(index: number, keyStep: number, flags: readonly KeyFlag[]): KeySpec {
  return {
    flags,
    beginSearch: { type: "index", index },
    findKeys: { type: "range", lastKey: -1, keyStep, limit: 0 },
  };
}

/**
 * As many keys as an argument says, right behind that argument.
 *
 * @param index Where the number of keys stands; 0 is the command's name.
 * @param flags What the command does with the keys.
 */
export function keysCountedAt(index: number, flags: readonly KeyFlag[]): KeySpec {
  return {
    flags,
    beginSearch: { type: "index", index },
    findKeys: { type: "keynum", keyNumIndex: 0, firstKey: 1, keyStep: 1 },
  };
}

/**
 * One key right behind a word that may stand anywhere among the options.
 *
 * @param keyword The word, in upper case.
 * @param startFrom Where the options start; 0 is the command's name.
 * @param flags What the command does with the key.
 */
export function keyBehind(
  keyword: string,
  startFrom: number,
  flags: readonly KeyFlag[],
): KeySpec {
  return {
    flags,
    beginSearch: { type: "keyword", keyword, startFrom },
    findKeys: { type: "range", lastKey: 0, keyStep: 1, limit: 0 },
  };
}

/** The argument that nearly every command starts with: its one key. */
export const KEY: ArgumentSpec = { name: "key", type: "key", keySpecIndex: 0 };

/** The same for commands that take as many keys as the caller likes. */
export const KEYS: ArgumentSpec = {
  name: "key",
  type: "key",
  keySpecIndex: 0,
  flags: ["multiple"],
};

/**
 * An argument that is just a word; its name is the word in lower case.
 *
 * @param token The word as it is shown, in upper case.
 * @param since The version that brought it, when that is later than the command.
 */
export function word(token: string, since?: string): ArgumentSpec {
  const name = token.toLowerCase();
  return since === undefined
    ? { name, type: "pure-token", token }
    : { name, type: "pure-token", token, since };
}
