import { assertEquals, assertThrows } from "@std/assert";
import { encodeRequest, RequestWriter } from "../../src/protocol/request_writer.ts";

const decoder = new TextDecoder();

/** What a server reads: the arguments, by the lengths that were announced. */
function parseRequest(bytes: Uint8Array): string[] {
  let at = 0;
  const line = () => {
    const end = bytes.indexOf(0x0d, at);
    const text = decoder.decode(bytes.subarray(at, end));
    at = end + 2;
    return text;
  };
  const count = Number(line().slice(1));
  const args: string[] = [];
  for (let index = 0; index < count; index++) {
    const length = Number(line().slice(1));
    args.push(decoder.decode(bytes.subarray(at, at + length)));
    assertEquals([...bytes.subarray(at + length, at + length + 2)], [13, 10]);
    at += length + 2;
  }
  assertEquals(at, bytes.length);
  return args;
}

Deno.test("arguments of each type", () => {
  const binary = Uint8Array.of(0, 13, 10, 255);
  const bytes = encodeRequest(["SET", "", binary, 10, -1.5, 2n ** 63n]);
  const head = "*6\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n";
  assertEquals(decoder.decode(bytes.subarray(0, head.length)), head);
  assertEquals(bytes.subarray(head.length, head.length + 4), binary);
  assertEquals(
    decoder.decode(bytes.subarray(head.length + 4)),
    "\r\n$2\r\n10\r\n$4\r\n-1.5\r\n$19\r\n9223372036854775808\r\n",
  );
  assertEquals(parseRequest(encodeRequest(["X", Infinity, -Infinity, NaN, 0])), [
    "X",
    "inf",
    "-inf",
    "nan",
    "0",
  ]);
});

Deno.test("the length of text is its length in bytes, however many digits that has", () => {
  for (const size of [1, 3, 4, 5, 9, 10, 33, 34, 99, 100, 334, 400, 5000]) {
    for (const character of ["a", "é", "語", "😀"]) {
      const text = character.repeat(size);
      assertEquals(parseRequest(encodeRequest(["SET", text, text + "x"])), [
        "SET",
        text,
        text + "x",
      ]);
    }
  }
});

Deno.test("what was taken stays as it is while more is written, until it is given back", () => {
  const writer = new RequestWriter();
  writer.writeCommand("ECHO", ["one"]);
  const first = writer.take();
  assertEquals(writer.length, 0);
  writer.write(["ECHO", "two"]);
  assertEquals(parseRequest(first), ["ECHO", "one"]);
  const second = writer.take();
  writer.recycle(first);
  writer.write(["PING"]);
  assertEquals(parseRequest(second), ["ECHO", "two"]);
  assertEquals(parseRequest(writer.take()), ["PING"]);
});

Deno.test("a command without a name is refused", () => {
  assertThrows(() => encodeRequest([]), RangeError);
});
