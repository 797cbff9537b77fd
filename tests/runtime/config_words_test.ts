/** Words of configuration lines, there and back. */

import { assertEquals } from "@std/assert";
import { plainWord, quoteWord, splitLine } from "../../src/runtime/config_words.ts";

Deno.test("config words: quotes and escapes", () => {
  for (
    const [line, words] of [
      ["port 6379", ["port", "6379"]],
      ["  save\t900   1 ", ["save", "900", "1"]],
      ["", []],
      [`requirepass "a \\"b\\" \\x41\\n"`, ["requirepass", 'a "b" A\n']],
      [`requirepass 'it\\'s \\n'`, ["requirepass", "it's \\n"]],
      [`a ""  ''`, ["a", "", ""]],
      [`a "é\\xc3\\xa9"`, ["a", "éé"]],
      [`a b"c d"`, ["a", "bc d"]],
      [`a "b`, undefined],
      [`a "b"c`, undefined],
      [`a 'b'c`, undefined],
      [`a 'b`, undefined],
    ] as const
  ) assertEquals(splitLine(line), words as string[] | undefined, line);
});

Deno.test("config words: what is quoted can be read again", () => {
  for (const word of ["", "a", "a b", 'a"b', "a\\b", "it's", "\n\r\t\b\x07\x00\x7f", "é 漢 😀"]) {
    assertEquals(splitLine(`x ${quoteWord(word)}`), ["x", word]);
    assertEquals(splitLine(`x ${plainWord(word)}`), ["x", word]);
  }
  assertEquals(plainWord("plain"), "plain");
});
