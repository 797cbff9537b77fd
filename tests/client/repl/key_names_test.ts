import { assertEquals } from "@std/assert";
import { findKeyNames, keyWord } from "../../../src/client/repl/key_names.ts";
import { bytewise, latin1Bytes, latin1Text, splitLine } from "../../../src/client/quoting.ts";
import { ArrayReply, BulkReply, type Reply } from "../../../src/protocol/reply.ts";

function page(cursor: string, ...names: string[]): Reply {
  const bulks = [cursor, ...names].map((name) => new BulkReply(latin1Bytes(name)));
  return new ArrayReply([bulks[0], new ArrayReply(bulks.slice(1))]);
}

Deno.test("keys are asked for page by page, and each is named once", async () => {
  const asked: string[] = [];
  const found = await findKeyNames((name, ...args) => {
    asked.push(
      [name, ...args.map((arg) => typeof arg === "string" ? arg : latin1Text(arg))].join(),
    );
    return Promise.resolve(args[0] === "0" ? page("7", "k2", "k1") : page("0", "k2", "k 3"));
  }, "k*");
  assertEquals(asked, ["SCAN,0,MATCH,k*,COUNT,1000", "SCAN,7,MATCH,k*,COUNT,1000"]);
  assertEquals(found, { words: ['"k 3"', "k1", "k2"], isComplete: true });
});

Deno.test("a server with many keys is left alone after a hundred", async () => {
  let pages = 0;
  const found = await findKeyNames(() => {
    pages++;
    return Promise.resolve(
      page("1", ...Array.from({ length: 30 }, (_, index) => `${pages}.${index}`)),
    );
  }, "*");
  assertEquals([pages, found.words.length, found.isComplete], [4, 100, false]);
});

Deno.test("no answer, a late one, and one that makes no sense give what was found before", async () => {
  const answers = [page("5", "k"), undefined];
  const later = [page("5", "k"), page("5")];
  later.length = 1;
  const ask = (replies: (Reply | undefined)[]) => () => Promise.resolve(replies.shift());
  const expected = { words: ["k"], isComplete: false };
  assertEquals(await findKeyNames(ask(answers), "*"), expected);
  assertEquals(await findKeyNames(ask([page("5", "k"), new ArrayReply([])]), "*"), expected);
  const never = ask(later);
  const found = await findKeyNames(
    () => later.length > 0 ? never() : new Promise(() => {}),
    "*",
    false,
    1,
  );
  assertEquals(found, expected);
});

Deno.test("any key's word is read as the key again", () => {
  const names = [
    "a",
    "a b",
    'q"',
    "q'",
    "back\\slash",
    '\\" x',
    "\n",
    "",
    "日 本",
    "\x80",
    "é\x80",
    "\x7f",
  ];
  for (const name of names) {
    for (
      const bytes of [new TextEncoder().encode(name), latin1Bytes(name.replace(/[日本]/g, "\xff"))]
    ) {
      for (const isQuoted of [false, true]) {
        const word = keyWord(bytes, isQuoted);
        assertEquals(splitLine(bytewise(word)), [latin1Text(bytes)], name);
        if (isQuoted) assertEquals(word[0], '"');
      }
    }
  }
});
