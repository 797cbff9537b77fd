import { assertEquals } from "@std/assert";
import { ByteAccumulator } from "../../src/protocol/byte_accumulator.ts";
import { appendQuoted } from "../../src/protocol/quoted_bytes.ts";

Deno.test("in quotes, printable ASCII stays as it is, and all else is escaped", () => {
  const quote = (text: string) => {
    const output = new ByteAccumulator();
    appendQuoted(output, Uint8Array.from(text, (character) => character.charCodeAt(0)));
    return String.fromCharCode(...output.take());
  };
  assertEquals(quote(""), '""');
  assertEquals(quote("a ~"), '"a ~"');
  assertEquals(quote('"\\\n\r\t\x07\b'), '"\\"\\\\\\n\\r\\t\\a\\b"');
  assertEquals(quote("\0\x1f\x7f\x80\xff'"), '"\\x00\\x1f\\x7f\\x80\\xff\'"');
});
