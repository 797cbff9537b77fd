/**
 * Bytes as quoted text: how a terminal shows a reply, and MONITOR a command.
 *
 * @module
 */

import type { ByteAccumulator } from "./byte_accumulator.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Control characters with a short form. */
const SHORT_ESCAPES: ReadonlyMap<number, string> = new Map([
  [QUOTE, '\\"'],
  [BACKSLASH, "\\\\"],
  [0x0a, "\\n"],
  [0x0d, "\\r"],
  [0x09, "\\t"],
  [0x07, "\\a"],
  [0x08, "\\b"],
]);

/** Appends bytes in double quotes, everything but printable ASCII escaped. */
export function appendQuoted(output: ByteAccumulator, bytes: Uint8Array): void {
  output.appendByte(QUOTE);
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== BACKSLASH) {
      output.appendByte(byte);
    } else {
      output.appendLatin1(
        SHORT_ESCAPES.get(byte) ?? `\\x${byte.toString(16).padStart(2, "0")}`,
      );
    }
  }
  output.appendByte(QUOTE);
}
