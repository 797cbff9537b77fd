import { assertEquals } from "@std/assert";
import { readTypedLine } from "../../../src/client/help/typed_line.ts";
import { splitLine } from "../../../src/client/quoting.ts";
import { seededRandom, testSeed } from "../../support/random.ts";

function texts(line: string): { finished: string[]; last: string | undefined } | undefined {
  const typed = readTypedLine(line);
  if (typed === undefined) return undefined;
  return { finished: typed.finished.map(({ text }) => text), last: typed.last?.text };
}

Deno.test("the word at the cursor is apart from the finished ones", () => {
  assertEquals(texts(""), { finished: [], last: undefined });
  assertEquals(texts(" \t"), { finished: [], last: undefined });
  assertEquals(texts("get"), { finished: [], last: "get" });
  assertEquals(texts(" get\tk "), { finished: ["get", "k"], last: undefined });
  assertEquals(texts(`get "a b" 'c`), { finished: ["get", "a b"], last: "c" });
  assertEquals(texts(`x"a b`), { finished: [], last: "xa b" });
});

Deno.test("quotes that are still open", () => {
  const cases: [line: string, text: string][] = [
    ['"', ""],
    ["'", ""],
    ['"a\\', "a"],
    ["'a\\", "a"],
    ['"a\\"', 'a"'],
    ["'a\\'", "a'"],
    ['"a\\\\', "a\\"],
    ['"\\x4', "x4"],
    ['"\\x41', "A"],
    ["\"it's ", "it's "],
  ];
  for (const [line, text] of cases) {
    assertEquals(readTypedLine(line)?.last, { text, start: 0, isQuoted: true }, line);
  }
});

Deno.test("what follows a closing quote makes no sense", () => {
  for (const line of ['"a"b', "'a'b ", 'get "a""b"']) {
    assertEquals(readTypedLine(line), undefined, line);
  }
});

Deno.test("a line that has an end is split as it will be when it is run", () => {
  const random = seededRandom(testSeed("typed lines"));
  const alphabet = ["a", "b", " ", "\t", '"', "'", "\\", "x", "4", "1", "é", "\x00", "\u00a0"];
  for (let round = 0; round < 20_000; round++) {
    const length = Math.floor(random() * 12);
    const line = Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)])
      .join("");
    const words = splitLine(line);
    const typed = texts(line);
    if (words === undefined || typed === undefined) {
      // An open quote is the one thing that may still get well.
      if (typed === undefined) assertEquals(words, undefined, JSON.stringify(line));
      continue;
    }
    const last = typed.last === undefined ? [] : [typed.last];
    assertEquals([...typed.finished, ...last], words, JSON.stringify(line));
  }
});
