import { assertEquals, assertThrows } from "@std/assert";
import { ReplyCounter } from "../../../src/client/tools/reply_counter.ts";
import { ReplyReader } from "../../../src/protocol/reply_reader.ts";
import { ReplyProtocolError } from "../../../src/protocol/reply_types.ts";
import { latin1Bytes } from "../../../src/client/quoting.ts";
import { seededRandom, testSeed } from "../../support/random.ts";

/** A counter with what it has told. */
function startCounter() {
  const errors: string[] = [];
  const pushes: string[] = [];
  const counter = new ReplyCounter({
    error: (text) => errors.push(text),
    push: (bytes) => pushes.push(String.fromCharCode(...bytes)),
  });
  return { counter, errors, pushes };
}

const REPLIES = [
  "+OK\r\n",
  "-ERR no\r\n",
  ":12\r\n",
  "$-1\r\n",
  "$3\r\n-ab\r\n",
  "$20\r\n01234567890123456789\r\n",
  "*2\r\n-ERR within\r\n*1\r\n:1\r\n",
  "_\r\n",
  "!9\r\nERR a\r\nb \r\n",
  "%1\r\n+a\r\n>1\r\n+b\r\n",
  ">2\r\n+message\r\n$1\r\n-\r\n",
  "-\r\n",
];

Deno.test("replies are counted, errors told, pushes given, whatever the pieces", () => {
  const bytes = latin1Bytes(REPLIES.join(""));
  for (let size = 1; size <= bytes.length; size++) {
    const { counter, errors, pushes } = startCounter();
    for (let start = 0; start < bytes.length; start += size) {
      assertEquals(counter.count(bytes.subarray(start, start + size)), false);
    }
    assertEquals([counter.replies, counter.errors], [REPLIES.length - 1, 3], `pieces of ${size}`);
    assertEquals(errors, ["ERR no", "ERR a\r\nb ", ""]);
    assertEquals(pushes, [">2\r\n+message\r\n$1\r\n-\r\n"]);
  }
});

Deno.test("only a whole bulk with the bytes to stop at ends the counting", () => {
  const mark = latin1Bytes("+K\r\n$20\r\n-ERR \xff\x00\r\n45");
  assertEquals(mark.length, 20);
  const text = "$20\r\n01234567890123456789\r\n" + // another bulk
    "+" + "0".repeat(20) + "\r\n" + // no bulk
    "*1\r\n$20\r\n" + String.fromCharCode(...mark) + "\r\n" + // within an array
    "$21\r\n" + String.fromCharCode(...mark) + "6\r\n" + // a longer one
    "$20\r\n" + String.fromCharCode(...mark) + "\r\n";
  const bytes = latin1Bytes(text + "-behind it\r\n");
  for (let size = 1; size <= bytes.length; size++) {
    const { counter, errors } = startCounter();
    assertEquals(counter.count(latin1Bytes("$20\r\n" + text.slice(5, 25) + "\r\n")), false);
    counter.stopAt(mark);
    let start = 0;
    while (!counter.count(bytes.subarray(start, start + size))) start += size;
    assertEquals([counter.replies, errors], [5, []]);
    assertEquals(start + size >= text.length && start < text.length, true);
  }
});

Deno.test("of an endless error, the start is kept; an endless push isn't shown", () => {
  const { counter, errors, pushes } = startCounter();
  const long = "x".repeat(100_000);
  const bytes = latin1Bytes(`-${long}\r\n>1\r\n+${long}\r\n-short\r\n`);
  for (let start = 0; start < bytes.length; start += 1000) {
    counter.count(bytes.subarray(start, start + 1000));
  }
  assertEquals([counter.replies, counter.errors, pushes], [2, 2, []]);
  assertEquals(errors[0].length, 65_535);
  assertEquals(errors[1], "short");
});

Deno.test("what is no reply is no reply", () => {
  const { counter } = startCounter();
  assertThrows(() => counter.count(latin1Bytes("+OK\r\nHTTP/1.1")), ReplyProtocolError);
  assertEquals(counter.replies, 1);
});

Deno.test("it counts what the reader reads, over random replies in random pieces", () => {
  const random = seededRandom(testSeed("counting replies"));
  const below = (limit: number) => Math.floor(random() * limit);
  for (let run = 0; run < 100; run++) {
    let text = "";
    for (let left = below(200); left > 0; left--) text += REPLIES[below(REPLIES.length)];
    const bytes = latin1Bytes(text);
    const reader = new ReplyReader();
    reader.push(bytes);
    const kinds: string[] = [];
    for (let reply = reader.next(); reply !== undefined; reply = reader.next()) {
      kinds.push(reply.kind);
    }
    const { counter, errors, pushes } = startCounter();
    for (let start = 0; start < bytes.length;) {
      const size = 1 + below(40);
      counter.count(bytes.subarray(start, start + size));
      start += size;
    }
    assertEquals(pushes.length, kinds.filter((kind) => kind === "push").length);
    assertEquals(counter.replies, kinds.length - pushes.length);
    assertEquals(errors.length, kinds.filter((kind) => kind === "error").length);
    assertEquals(counter.errors, errors.length);
  }
});
