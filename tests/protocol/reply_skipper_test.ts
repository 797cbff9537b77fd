import { assert, assertEquals, assertThrows } from "@std/assert";
import { ReplySkipper, skipReply } from "../../src/protocol/reply_skipper.ts";
import { ReplyProtocolError } from "../../src/protocol/reply_types.ts";

const REPLIES = [
  "+OK\r\n",
  "+a\rb\r\n",
  "-ERR no\r\n",
  ":-12\r\n",
  "$-1\r\n",
  "$0\r\n\r\n",
  "$7\r\n+x\r\n*1\n\r\n",
  "*-1\r\n",
  "*0\r\n",
  "*2\r\n*1\r\n:1\r\n*2\r\n$1\r\na\r\n*0\r\n",
  "_\r\n",
  "#t\r\n",
  ",1.5\r\n",
  "(123\r\n",
  "!5\r\nERR a\r\n",
  "=5\r\ntxt:a\r\n",
  "~2\r\n+a\r\n+b\r\n",
  "%2\r\n+a\r\n%0\r\n+b\r\n%1\r\n+c\r\n:1\r\n",
  ">2\r\n+a\r\n_\r\n",
  "|1\r\n+a\r\n:1\r\n*2\r\n|0\r\n:1\r\n+x\r\n",
];

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

Deno.test("skipReply finds the end of each type of reply, and only with its last byte", () => {
  for (const reply of REPLIES) {
    const bytes = bytesOf("??" + reply + "+next\r\n");
    assertEquals(skipReply(bytes, 2, bytes.length), 2 + reply.length, JSON.stringify(reply));
    for (let end = 2; end < 2 + reply.length; end++) assertEquals(skipReply(bytes, 2, end), -1);
  }
});

Deno.test("a skipper goes on where a piece ended", () => {
  const bytes = bytesOf(REPLIES.join(""));
  const expected: number[] = [];
  for (const reply of REPLIES) expected.push((expected.at(-1) ?? 0) + reply.length);
  for (let size = 1; size <= bytes.length; size++) {
    const skipper = new ReplySkipper();
    const ends: number[] = [];
    for (let start = 0; start < bytes.length; start += size) {
      const pieceEnd = Math.min(start + size, bytes.length);
      let at = start;
      while (at < pieceEnd) {
        const end = skipper.skip(bytes, at, pieceEnd);
        assertEquals(skipper.atBoundary, end >= 0);
        if (end < 0) break;
        ends.push(end);
        at = end;
      }
    }
    assertEquals(ends, expected, `pieces of ${size}`);
  }
});

Deno.test("what is no reply throws, with its position", () => {
  const cases: [wire: string, position: number][] = [
    ["x", 0],
    ["*1\r\n\r\n", 4],
    ["$x", 1],
    ["$\r", 1],
    ["$-\r", 2],
    ["$1-", 2],
    ["$-2\r\n", 4],
    ["%-1\r\n", 4],
    ["$1\rx", 3],
    ["$1\r\nabc", 5],
    ["$1\r\na\rc", 6],
    ["$99999999999", 10],
  ];
  for (const [wire, position] of cases) {
    const bytes = bytesOf(":1\r\n" + wire);
    const skipper = new ReplySkipper();
    assertEquals(skipper.skip(bytes, 0, bytes.length), 4);
    const error = assertThrows(() => skipper.skip(bytes, 4, bytes.length), ReplyProtocolError);
    assertEquals(error.position, 4 + position, JSON.stringify(wire));
  }
  const bytes = bytesOf("$3\r\n");
  assertThrows(() => new ReplySkipper({ maxBulkBytes: 2 }).skip(bytes, 0, 4), ReplyProtocolError);
  assert(skipReply(bytes, 0, 4) === -1);
});
