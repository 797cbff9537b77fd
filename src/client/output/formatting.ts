/**
 * Replies as text for people (quoted, numbered, with types) and for programs (raw).
 *
 * @module
 */

import { ByteAccumulator } from "../../protocol/byte_accumulator.ts";
import type { AggregateReply, MapReply, Reply } from "../../protocol/reply.ts";
import { LINE_FEED } from "../../protocol/reply_types.ts";
import { appendQuoted } from "../../protocol/quoted_bytes.ts";

const SPACE = 0x20;

/** What stands for an aggregate without elements. */
const EMPTY_TEXTS = {
  array: "(empty array)",
  set: "(empty set)",
  map: "(empty hash)",
  push: "(empty push)",
} as const;

/** What stands between an element's number and the element. */
const NUMBER_SIGNS = { array: ") ", set: "~ ", map: "# ", push: ") ", attributes: "| " } as const;

/** A control sequence for each part of a reply that is to have a colour. */
export type ReplyColours = Readonly<Partial<Record<Reply["kind"] | "number" | "empty", string>>>;

/** Ends a colour. */
const PLAIN = "\x1b[0m";

/**
 * The reply for people: types are told, bulks are quoted, elements numbered.
 *
 * @param colours How its parts look; by default all alike.
 * @returns The text, without a line end behind it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ArrayReply, IntegerReply, NullReply } from "../../protocol/reply.ts";
 *
 * const reply = new ArrayReply([new IntegerReply(1), new NullReply()]);
 * assertEquals(new TextDecoder().decode(formatForPeople(reply)), "1) (integer) 1\n2) (nil)");
 * ```
 */
export function formatForPeople(
  reply: Reply,
  colours: ReplyColours = {},
): Uint8Array<ArrayBuffer> {
  const output = new ByteAccumulator();
  appendForPeople(output, reply, "", colours);
  return output.take();
}

/**
 * The reply for programs: just the content.
 *
 * @param delimiter What stands between the elements of an aggregate.
 * @returns The text, without a line end behind it.
 */
export function formatRaw(reply: Reply, delimiter: Uint8Array): Uint8Array<ArrayBuffer> {
  const output = new ByteAccumulator();
  appendRaw(output, reply, delimiter);
  return output.take();
}

/** @param prefix What each line but the first starts with. */
function appendForPeople(
  output: ByteAccumulator,
  reply: Reply,
  prefix: string,
  colours: ReplyColours,
): void {
  const colour = colours[reply.kind];
  if (colour !== undefined) output.appendLatin1(colour);
  switch (reply.kind) {
    case "simple":
    case "verbatim":
      output.appendBytes(reply.bytes);
      break;
    case "error":
      output.appendLatin1("(error) ");
      output.appendBytes(reply.bytes);
      break;
    case "integer":
      output.appendLatin1(`(integer) ${reply.value}`);
      break;
    case "double":
      output.appendLatin1(`(double) ${reply.digits}`);
      break;
    case "bignumber":
      output.appendLatin1(`(big number) ${reply.value}`);
      break;
    case "boolean":
      output.appendLatin1(`(${reply.value})`);
      break;
    case "null":
      output.appendLatin1("(nil)");
      break;
    case "bulk":
      appendQuoted(output, reply.bytes);
      break;
    case "attributed":
      appendElements(output, reply.attributes, "attributes", prefix, colours);
      output.appendByte(LINE_FEED);
      output.appendLatin1(prefix);
      appendForPeople(output, reply.value, prefix, colours);
      break;
    default:
      appendElements(output, reply, reply.kind, prefix, colours);
  }
  if (colour !== undefined) output.appendLatin1(PLAIN);
}

function appendText(output: ByteAccumulator, text: string, colour: string | undefined): void {
  output.appendLatin1(colour === undefined ? text : colour + text + PLAIN);
}

function appendElements(
  output: ByteAccumulator,
  reply: AggregateReply,
  kind: keyof typeof NUMBER_SIGNS,
  prefix: string,
  colours: ReplyColours,
): void {
  const { items } = reply;
  if (items.length === 0) {
    appendText(output, EMPTY_TEXTS[reply.kind], colours.empty);
    return;
  }
  const step = reply.kind === "map" ? 2 : 1;
  const width = String(items.length / step).length;
  // Lines inside an element stand behind its number and sign.
  const innerPrefix = prefix + " ".repeat(width + 2);
  for (let index = 0; index < items.length; index += step) {
    if (index > 0) {
      output.appendByte(LINE_FEED);
      output.appendLatin1(prefix);
    }
    const number = String(index / step + 1).padStart(width);
    appendText(output, number + NUMBER_SIGNS[kind], colours.number);
    appendForPeople(output, items[index], innerPrefix, colours);
    if (step === 2) appendMapValue(output, items[index + 1], innerPrefix, colours);
  }
}

function appendMapValue(
  output: ByteAccumulator,
  value: Reply,
  prefix: string,
  colours: ReplyColours,
): void {
  output.appendLatin1(" => ");
  if (takesSeveralLines(value)) {
    output.appendByte(LINE_FEED);
    output.appendLatin1(prefix);
  }
  appendForPeople(output, value, prefix, colours);
}

/** @param delimiter What stands between the elements of an aggregate. */
function appendRaw(output: ByteAccumulator, reply: Reply, delimiter: Uint8Array): void {
  switch (reply.kind) {
    case "null":
      break;
    case "error":
      output.appendBytes(reply.bytes);
      output.appendByte(LINE_FEED);
      break;
    case "simple":
    case "verbatim":
    case "bulk":
      output.appendBytes(reply.bytes);
      break;
    case "integer":
    case "double":
    case "bignumber":
      output.appendLatin1(reply.text());
      break;
    case "boolean":
      output.appendLatin1(`(${reply.value})`);
      break;
    case "map":
      appendRawEntries(output, reply, delimiter);
      break;
    case "attributed":
      // A program that asks for a value doesn't expect anything in front of it.
      appendRaw(output, reply.value, delimiter);
      break;
    default:
      for (let index = 0; index < reply.items.length; index++) {
        if (index > 0) output.appendBytes(delimiter);
        appendRaw(output, reply.items[index], delimiter);
      }
  }
}

function appendRawEntries(output: ByteAccumulator, map: MapReply, delimiter: Uint8Array): void {
  for (let index = 0; index < map.items.length; index += 2) {
    if (index > 0) output.appendBytes(delimiter);
    appendRaw(output, map.items[index], delimiter);
    output.appendByte(SPACE);
    appendRaw(output, map.items[index + 1], delimiter);
  }
}

/**
 * Whether the reply, or what is in it, has several elements. A map's keys don't count, as in Redis.
 */
function takesSeveralLines(reply: Reply): boolean {
  switch (reply.kind) {
    case "array":
    case "set":
    case "push":
      return reply.items.length > 1 || reply.items.some(takesSeveralLines);
    case "map":
      return reply.items.length > 2 ||
        (reply.items.length > 0 && takesSeveralLines(reply.items[1]));
    default:
      return false;
  }
}
