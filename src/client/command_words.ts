/**
 * Makes the command to send of what stands on the command line, on standard input, and in files.
 *
 * @module
 */

import { UsageError } from "../runtime/arguments.ts";
import { systemReason } from "../runtime/files.ts";
import type { ClientSettings } from "./options.ts";
import { bytewise, latin1Text, unquote } from "./quoting.ts";
import type { Terminal } from "./terminal.ts";

const encoder = new TextEncoder();

/**
 * The command that the command line gives, with an argument from standard input if that is asked
 * for; `undefined` if words are to be quoted strings, and one is none.
 *
 * @throws {UsageError} if no word is the tag of the input.
 */
export async function readCommandWords(
  settings: ClientSettings,
  terminal: Terminal,
): Promise<Uint8Array[] | undefined> {
  const { inputArgument } = settings;
  const words: Uint8Array[] = [];
  for (const typed of settings.words) {
    const bytes = encoder.encode(typed);
    const word = settings.quotedInput ? unquote(bytes) : bytes;
    if (word === undefined) return undefined;
    words.push(word);
  }
  if (inputArgument === "last") return [...words, await terminal.readAll()];
  if (inputArgument === undefined) return words;
  const tag = bytewise(inputArgument.tag);
  const index = words.findIndex((word) => latin1Text(word) === tag);
  if (index < 0) throw new UsageError("Using -X option but stdin tag not match.");
  words[index] = await terminal.readAll();
  return words;
}

/**
 * The EVAL of a script in a file; of the words, those in front of the first lone comma are its keys.
 *
 * @param file The file's path; `/dev/stdin` is the standard input.
 * @param words The keys and arguments.
 * @param terminal Where the standard input is.
 * @throws {UsageError} if the file can't be read.
 */
export async function readScriptWords(
  file: string,
  words: readonly string[],
  terminal: Terminal,
): Promise<Uint8Array[]> {
  const comma = words.indexOf(",");
  const keys = comma < 0 ? words : words.slice(0, comma);
  const args = comma < 0 ? [] : words.slice(comma + 1);
  const script = await readScript(file, terminal);
  const encoded = ["EVAL", String(keys.length), ...keys, ...args].map((word) =>
    encoder.encode(word)
  );
  return [encoded[0], script, ...encoded.slice(1)];
}

async function readScript(file: string, terminal: Terminal): Promise<Uint8Array> {
  // Of this name, the runtime opens nothing for a program with our permissions.
  if (file === "/dev/stdin") return await terminal.readAll();
  try {
    return await Deno.readFile(file);
  } catch (error) {
    throw new UsageError(`Can't open file '${file}': ${systemReason(error)}`);
  }
}
