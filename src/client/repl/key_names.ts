/**
 * Names of keys for the completion, asked from the server.
 *
 * @module
 */

import { type Reply, textOf } from "../../protocol/reply.ts";
import { latin1Bytes, latin1Text } from "../quoting.ts";

/** Asks the server; `undefined` if it can't be asked now. */
export type Ask = (name: string, ...args: (string | Uint8Array)[]) => Promise<Reply | undefined>;

/** What was found. */
export interface KeyNames {
  /** The names as words of a line, in order. */
  readonly words: readonly string[];
  /** Whether there are no others. */
  readonly isComplete: boolean;
}

/** More names than this aren't looked for. */
const MAX_NAMES = 100;

/** How many keys the server looks at with one question: that takes it less than a millisecond. */
const KEYS_PER_SCAN = "1000";

/** How long to look; a server goes through about a million keys in that time. */
const MAX_TIME_MS = 1000;

const encoder = new TextEncoder();

/**
 * The keys that match a pattern, as far as they are found soon.
 *
 * @param ask Asks the server.
 * @param pattern The pattern, a character for each byte.
 * @param isQuoted Whether the names are to stand in quotes, all of them.
 * @param maxTimeMs How long to look.
 */
export async function findKeyNames(
  ask: Ask,
  pattern: string,
  isQuoted = false,
  maxTimeMs = MAX_TIME_MS,
): Promise<KeyNames> {
  const words = new Set<string>();
  const over = Promise.withResolvers<undefined>();
  const timer = setTimeout(over.resolve, maxTimeMs, undefined);
  let cursor = "0";
  let isComplete = false;
  while (!isComplete && words.size < MAX_NAMES) {
    const reply = await Promise.race([
      ask("SCAN", cursor, "MATCH", latin1Bytes(pattern), "COUNT", KEYS_PER_SCAN),
      over.promise,
    ]);
    const [next, names] = reply?.kind === "array" ? reply.items : [];
    if (next === undefined || names?.kind !== "array") break;
    for (const item of names.items) {
      if (item.kind === "bulk") words.add(keyWord(item.bytes, isQuoted));
    }
    cursor = textOf(next) ?? "0";
    isComplete = cursor === "0";
  }
  clearTimeout(timer);
  return { words: [...words].sort().slice(0, MAX_NAMES), isComplete };
}

/**
 * A key as a word of a line.
 *
 * @param name The key.
 * @param isQuoted Whether it stands in quotes even where it could do without.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const word = (text: string) => keyWord(new TextEncoder().encode(text));
 * assertEquals(word("user:1"), "user:1");
 * assertEquals(word('my "日"'), '"my \\"日\\""');
 * assertEquals(keyWord(Uint8Array.of(255)), '"\\xff"');
 * ```
 */
export function keyWord(name: Uint8Array, isQuoted = false): string {
  const text = decodeWhole(name);
  if (!isQuoted && text !== undefined && /^[^\s"'\p{Cc}]+$/u.test(text)) return text;
  const quoted = (text ?? latin1Text(name)).replace(/["\\]/g, "\\$&");
  return text === undefined
    ? `"${quoted.replace(/[^ -~]/g, (character) => escapeBytes(latin1Bytes(character)))}"`
    : `"${quoted.replace(/\p{Cc}/gu, (character) => escapeBytes(encoder.encode(character)))}"`;
}

/** Bytes as text, if they are UTF-8. */
function decodeWhole(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}
