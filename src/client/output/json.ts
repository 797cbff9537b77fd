/**
 * Replies as JSON, as far as they can be: a value may hold any bytes, and JSON is Unicode.
 *
 * Plain JSON gives the bytes as they are, so that it is well-formed where the values are UTF-8.
 * Quoted JSON has the strings in the form in which a terminal shows them, with each backslash doubled:
 * it is ASCII whatever the values are. Errors have the word `error:` in front of their text, infinite
 * numbers are `inf`: both are redis-cli's ways, and no JSON.
 *
 * @module
 */

import { ByteAccumulator } from "../../protocol/byte_accumulator.ts";
import { appendQuoted } from "../../protocol/quoted_bytes.ts";
import type { MapReply, Reply } from "../../protocol/reply.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

/** Control characters with a short form, and what has a meaning within a string. */
const ESCAPES: ReadonlyMap<number, string> = new Map([
  [QUOTE, '\\"'],
  [BACKSLASH, "\\\\"],
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
]);

/** How strings are written: as the bytes that they are, or in ASCII. */
export type JsonStrings = "plain" | "quoted";

/**
 * The reply as JSON in one line, without its end.
 *
 * @param strings How strings are written.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { BulkReply, IntegerReply, MapReply } from "../../protocol/reply.ts";
 *
 * const key = new BulkReply(new TextEncoder().encode("é"));
 * const reply = new MapReply([key, new IntegerReply(1)]);
 * assertEquals(new TextDecoder().decode(formatJson(reply, "plain")), '{"é":1}');
 * assertEquals(new TextDecoder().decode(formatJson(reply, "quoted")), '{"\\\\xc3\\\\xa9":1}');
 * ```
 */
export function formatJson(reply: Reply, strings: JsonStrings): Uint8Array<ArrayBuffer> {
  const output = new ByteAccumulator();
  append(output, reply, strings === "plain" ? appendPlainString : appendQuotedString);
  return output.take();
}

type AppendString = (output: ByteAccumulator, bytes: Uint8Array) => void;

function append(output: ByteAccumulator, reply: Reply, appendString: AppendString): void {
  switch (reply.kind) {
    case "error":
      output.appendLatin1("error:");
      appendString(output, reply.bytes);
      break;
    case "simple":
    case "bulk":
    case "verbatim":
      appendString(output, reply.bytes);
      break;
    case "integer":
    case "double":
    case "bignumber":
      output.appendLatin1(reply.text());
      break;
    case "boolean":
      output.appendLatin1(String(reply.value));
      break;
    case "null":
      output.appendLatin1("null");
      break;
    case "attributed":
      append(output, reply.value, appendString);
      break;
    case "map":
      output.appendLatin1("{");
      appendEntries(output, reply, appendString);
      output.appendLatin1("}");
      break;
    default:
      output.appendLatin1("[");
      for (let index = 0; index < reply.items.length; index++) {
        if (index > 0) output.appendByte(COMMA);
        append(output, reply.items[index], appendString);
      }
      output.appendLatin1("]");
  }
}

function appendEntries(output: ByteAccumulator, map: MapReply, appendString: AppendString): void {
  for (let index = 0; index < map.items.length; index += 2) {
    if (index > 0) output.appendByte(COMMA);
    const key = map.items[index];
    // A key must be a string; one of another type is put in quotes as it would be written.
    const isText = key.kind === "simple" || key.kind === "bulk" || key.kind === "verbatim" ||
      key.kind === "error";
    if (!isText) output.appendByte(QUOTE);
    append(output, key, appendString);
    if (!isText) output.appendByte(QUOTE);
    output.appendByte(COLON);
    append(output, map.items[index + 1], appendString);
  }
}

function appendPlainString(output: ByteAccumulator, bytes: Uint8Array): void {
  output.appendByte(QUOTE);
  for (const byte of bytes) {
    const escape = ESCAPES.get(byte);
    if (escape !== undefined) output.appendLatin1(escape);
    else if (byte < 0x20) output.appendLatin1(`\\u${byte.toString(16).padStart(4, "0")}`);
    else output.appendByte(byte);
  }
  output.appendByte(QUOTE);
}

function appendQuotedString(output: ByteAccumulator, bytes: Uint8Array): void {
  const quoted = new ByteAccumulator(bytes.length + 2);
  appendQuoted(quoted, bytes);
  for (const byte of quoted.take()) {
    if (byte === BACKSLASH) output.appendByte(BACKSLASH);
    output.appendByte(byte);
  }
}
