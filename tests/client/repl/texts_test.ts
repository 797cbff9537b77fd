import { assert, assertEquals } from "@std/assert";
import { commonStart, listWords } from "../../../src/client/repl/completion_list.ts";
import { cutPaste } from "../../../src/client/repl/paste.ts";
import {
  characterColumns,
  cutToColumns,
  textColumns,
  visibleText,
} from "../../../src/client/repl/text_width.ts";
import { splitLine } from "../../../src/client/quoting.ts";

Deno.test("a paste is cut at its line ends, but not within quotes", () => {
  const cases: [string, string[]][] = [
    ["get a", ["get a"]],
    ["a\r\nb\rc\n", ["a", "b", "c", ""]],
    ['set k "1\n2" x\nget k', ['set k "1\\n2" x', "get k"]],
    ["set k '1\n\"\\'\\2'\n", ['set k "1\\n\\"\'\\\\2"', ""]],
    ['set k "a\\"\nb"', ['set k "a\\"\\nb"']],
    ['set k "a\\\nb"', ['set k "a\\nb"']],
    ["it's\na\nb", ["it's", "a", "b"]],
    ["ok 'x'\nit's\na", ["ok 'x'", "it's", "a"]],
    ["\n\n", ["", "", ""]],
  ];
  for (const [text, lines] of cases) assertEquals(cutPaste(text), lines, text);
});

Deno.test("a word with line ends means the same on one line", () => {
  const words = ["a\nb", '"\n', "'\n'", "\\\n\\", "\\n\n", "x\n\ty"];
  for (const word of words) {
    const single = `echo '${word.replaceAll("'", "\\'")}'`;
    // A backslash in front of the closing quote would take it away.
    if (word.endsWith("\\")) continue;
    const [line, ...more] = cutPaste(single);
    assertEquals(more, []);
    assertEquals(splitLine(line), ["echo", word]);
  }
});

Deno.test("how wide text is", () => {
  const widths: [string, number][] = [
    ["abc", 3],
    ["é", 1],
    ["e\u0301", 1],
    ["日本語", 6],
    ["한국어", 6],
    ["ｆｕｌｌ", 8],
    ["👍", 2],
    ["\u200b", 0],
    ["\u{20000}", 2],
    ["…", 1],
  ];
  for (const [text, width] of widths) assertEquals(textColumns(text), width, text);
  assertEquals(characterColumns("\u00ad"), 0);
  assertEquals(cutToColumns("a日本", 4), "a日");
  assertEquals(cutToColumns("abc", 0), "");
});

Deno.test("control characters become visible, each in its place", () => {
  const text = "a\tb\x00\x1b[J\x7f\x9bé\n";
  const visible = visibleText(text);
  assertEquals(visible, "a␉b␀␛[J␡\ufffdé␊");
  assertEquals(visible.length, text.length);
});

Deno.test("what words start with, and their list", () => {
  assertEquals(commonStart(["set", "setex", "setnx"]), "set");
  assertEquals(commonStart(["a", "b"]), "");
  assertEquals(commonStart(["x👍", "x👎"]), "x", "not half of a character");
  assertEquals(listWords(["a", "bb", "ccc"], 80, 10), "a    bb   ccc\n");
  assertEquals(listWords(["a", "b", "日", "d", "e"], 9, 10), "a   d\nb   e\n日\n");
  const many = Array.from({ length: 100 }, (_, index) => `word${index}`);
  const lines = listWords(many, 40, 5).trimEnd().split("\n");
  assertEquals([lines.length, lines.at(-1)], [5, "... and 84 more"]);
  assert(lines.every((line) => line.length < 40));
});

Deno.test("words wider than the window stand one to a line", () => {
  assertEquals(listWords(["a".repeat(30), "b"], 20, 10), `${"a".repeat(30)}\nb\n`);
});
