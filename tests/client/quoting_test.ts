import { assertEquals } from "@std/assert";
import { ByteAccumulator } from "../../src/protocol/byte_accumulator.ts";
import { appendQuoted } from "../../src/protocol/quoted_bytes.ts";
import { latin1Bytes, latin1Text, splitLine } from "../../src/client/quoting.ts";

Deno.test("words are separated by white space", () => {
  assertEquals(splitLine(""), []);
  assertEquals(splitLine(" \t\r\n"), []);
  assertEquals(splitLine("  get\tkey  "), ["get", "key"]);
  assertEquals(splitLine("a\\n \\x41 \xff"), ["a\\n", "\\x41", "\xff"]);
});

Deno.test("vertical tabs and form feeds are a part of a word that they don't start", () => {
  assertEquals(splitLine("a\vb \fc\f \v"), ["a\vb", "c\f"]);
  assertEquals(splitLine('"a"\v"b"\f'), ["a", "b"]);
});

Deno.test("double quotes have escapes", () => {
  assertEquals(splitLine('"a b" ""'), ["a b", ""]);
  assertEquals(splitLine('"\\n\\r\\t\\b\\a"'), ["\n\r\t\b\x07"]);
  assertEquals(splitLine('"\\x41\\xFf\\x00"'), ["A\xff\0"]);
  assertEquals(splitLine('"\\x4" "\\xzz" "\\"" "\\\\" "\\q"'), ["x4", "xzz", '"', "\\", "q"]);
  assertEquals(splitLine('"it\'s"'), ["it's"]);
});

Deno.test("single quotes have one escape", () => {
  assertEquals(splitLine("'a b' ''"), ["a b", ""]);
  assertEquals(splitLine("'it\\'s' '\\n' '\"'"), ["it's", "\\n", '"']);
});

Deno.test("quotes may start within a word, and must end it", () => {
  assertEquals(splitLine('key"a b"'), ["keya b"]);
  assertEquals(splitLine('"a"b'), undefined);
  assertEquals(splitLine("'a'b"), undefined);
  assertEquals(splitLine('"a""b"'), undefined);
});

Deno.test("quotes that don't end make no words", () => {
  for (const line of ['"', '"a', "'", "'a", '"a\\"', "'a\\'", 'get "a\\']) {
    assertEquals(splitLine(line), undefined, line);
  }
});

Deno.test("what was quoted is read back as it was", () => {
  const every = String.fromCharCode(...Array.from({ length: 256 }, (_, index) => index));
  const output = new ByteAccumulator();
  appendQuoted(output, latin1Bytes(every));
  assertEquals(splitLine(latin1Text(output.take())), [every]);
});
