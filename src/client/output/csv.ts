/**
 * Replies as comma separated values.
 *
 * There is one line for a reply, whatever is nested in it: CSV has neither levels nor types, so that
 * a map is its keys and values in turn, and a set is a list.
 *
 * @module
 */

import { ByteAccumulator } from "../../protocol/byte_accumulator.ts";
import { appendQuoted } from "../../protocol/quoted_bytes.ts";
import type { Reply } from "../../protocol/reply.ts";

const COMMA = 0x2c;

/**
 * The reply as one line of CSV, without its end.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ArrayReply, BulkReply, IntegerReply, NullReply } from "../../protocol/reply.ts";
 *
 * const word = new BulkReply(new TextEncoder().encode("a,b"));
 * const reply = new ArrayReply([word, new IntegerReply(1), new NullReply()]);
 * assertEquals(new TextDecoder().decode(formatCsv(reply)), '"a,b",1,NULL');
 * ```
 */
export function formatCsv(reply: Reply): Uint8Array<ArrayBuffer> {
  const output = new ByteAccumulator();
  append(output, reply);
  return output.take();
}

function append(output: ByteAccumulator, reply: Reply): void {
  switch (reply.kind) {
    case "error":
      output.appendLatin1("ERROR,");
      appendQuoted(output, reply.bytes);
      break;
    case "simple":
    case "bulk":
    case "verbatim":
      appendQuoted(output, reply.bytes);
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
      output.appendLatin1("NULL");
      break;
    case "attributed":
      append(output, reply.value);
      break;
    default:
      for (let index = 0; index < reply.items.length; index++) {
        if (index > 0) output.appendByte(COMMA);
        append(output, reply.items[index]);
      }
  }
}
