import { assert, assertEquals } from "@std/assert";
import {
  INLINE_LIMIT,
  isPlainLine,
  parseRequest,
  REQUEST_COMPLETE,
  REQUEST_ERROR,
  REQUEST_INCOMPLETE,
  RequestFrame,
} from "../../src/protocol/request_parser.ts";

const MAXIMUM_BULK = 512 * 1024 * 1024;

/** What a stream of requests means: the requests' words, and how it ends. */
interface Meaning {
  requests: string[][];
  error: string;
}

/** A byte a character, so that the tables show what is on the wire. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Reads all requests of `text`, of which the pieces end at `cuts` and at its end. */
function read(text: string, cuts: readonly number[] = [], authenticated = true): Meaning {
  const bytes = bytesOf(text);
  const requests: string[][] = [];
  const frame = new RequestFrame();
  frame.reset(0);
  for (const end of [...cuts, bytes.length]) {
    for (;;) {
      const status = parseRequest(frame, bytes, end, MAXIMUM_BULK, authenticated);
      if (status === REQUEST_ERROR) return { requests, error: frame.error };
      if (status === REQUEST_INCOMPLETE) break;
      const words: string[] = [];
      for (let index = 0; index < frame.argc; index++) {
        const start = frame.starts[index];
        words.push(textOf(bytes.subarray(start, start + frame.lengths[index])));
      }
      if (words.length > 0) requests.push(words);
      frame.reset(frame.position);
    }
  }
  return { requests, error: "" };
}

const PING = "*1\r\n$4\r\nPING\r\n";
const INVALID_COUNT = "invalid multibulk length";
const INVALID_LENGTH = "invalid bulk length";
const UNBALANCED = "unbalanced quotes in request";

// What redis-server 7.0.15 made of each on 22 November 2026.
const STREAMS: readonly (readonly [stream: string, requests: string[][], error: string])[] = [
  // The count of arguments.
  ["*\r\n", [], INVALID_COUNT],
  ["*a\r\n", [], INVALID_COUNT],
  ["*1a\r\n", [], INVALID_COUNT],
  ["* 1\r\n", [], INVALID_COUNT],
  ["*01\r\n", [], INVALID_COUNT],
  ["*+1\r\n", [], INVALID_COUNT],
  ["*1.0\r\n", [], INVALID_COUNT],
  ["*-0\r\n" + PING, [], INVALID_COUNT],
  ["*0\r\n" + PING, [["PING"]], ""],
  ["*-1\r\n" + PING, [["PING"]], ""],
  ["*-2147483649\r\n" + PING, [["PING"]], ""],
  ["*-999999999999999999\r\n" + PING, [["PING"]], ""],
  ["*-9223372036854775809\r\n" + PING, [], INVALID_COUNT],
  ["*2147483647\r\n", [], ""],
  ["*2147483648\r\n", [], INVALID_COUNT],
  ["*99999999999999999999999\r\n", [], INVALID_COUNT],
  ["*1\n$4\nPING\n\r\n", [], INVALID_COUNT],
  // The length of an argument.
  ["*1\r\n$\r\n", [], INVALID_LENGTH],
  ["*1\r\n$a\r\n", [], INVALID_LENGTH],
  ["*1\r\n$4 \r\nPING\r\n", [], INVALID_LENGTH],
  ["*1\r\n$04\r\nPING\r\n", [], INVALID_LENGTH],
  ["*1\r\n$-0\r\n", [], INVALID_LENGTH],
  ["*1\r\n$-1\r\n", [], INVALID_LENGTH],
  ["*1\r\n$-1", [], ""],
  ["*1\r\n$536870912\r\n", [], ""],
  ["*1\r\n$536870913\r\n", [], INVALID_LENGTH],
  ["*1\r\n$99999999999999999999\r\n", [], INVALID_LENGTH],
  ["*1\r\nPING\r\n", [], "expected '$', got 'P'"],
  ["*2\r\n$4\r\nECHO\r\n:1\r\n", [], "expected '$', got ':'"],
  ["*1\r\n$0\r\n\r\n" + PING, [[""], ["PING"]], ""],
  // Nobody looks at the byte behind a CR, nor at the two behind an argument.
  ["*1\rX$4\rYPINGZZ" + PING, [["PING"], ["PING"]], ""],
  ["*1\r\n$4\r\nPINGxx" + PING, [["PING"], ["PING"]], ""],
  ["*1\r\n$5\r\nPING\r\n\n" + PING, [["PING\r"], ["PING"]], ""],
  ["*2\r\n$3\r\na\0b\r\n$12\r\n\r\n*1\r\n$1\r\nx\r\r\n", [["a\0b", "\r\n*1\r\n$1\r\nx\r"]], ""],
  // Lines of words.
  ["\r\n\r\nPING\r\n", [["PING"]], ""],
  ["PING\n" + PING, [["PING"], ["PING"]], ""],
  ["  \t PING  \v\f \r\n", [["PING"]], ""],
  ["PING\r\r\n", [["PING"]], ""],
  ["PI\rNG\r\n", [["PI", "NG"]], ""],
  ["GET a*\r\n", [["GET", "a*"]], ""],
  ["ECHO \xff\xfe\r\n", [["ECHO", "\xff\xfe"]], ""],
  ['ECHO "a b" c\r\n', [["ECHO", "a b", "c"]], ""],
  ["ECHO \"\" ''\r\n", [["ECHO", "", ""]], ""],
  ['ECHO "\\x41\\x4g\\n\\r\\t\\b\\a\\q\\"\\\\"\r\n', [["ECHO", 'Ax4g\n\r\t\b\x07q"\\']], ""],
  ["ECHO 'a\\'b\\n'\r\n", [["ECHO", "a'b\\n"]], ""],
  ["ECHO a\\b\r\n", [["ECHO", "a\\b"]], ""],
  ['ECHO a"b c"\r\n', [["ECHO", "ab c"]], ""],
  ['ECHO a"b"c\r\n', [], UNBALANCED],
  ['ECHO "a"b\r\n', [], UNBALANCED],
  ["ECHO 'a'b\r\n", [], UNBALANCED],
  ['ECHO "a\r\n', [], UNBALANCED],
  ["ECHO 'a\r\n", [], UNBALANCED],
  ['ECHO "\\\r\n', [], UNBALANCED],
  ['ECHO "\\"\r\n', [], UNBALANCED],
  ['ECHO "\\x4\r\n', [], UNBALANCED],
  // Between words there may be more than within one ends it.
  ["ECHO \va\vb\f \fc\r\n", [["ECHO", "a\vb\f", "c"]], ""],
  // What came before an error is run.
  [PING + "ECHO a\r\n*x\r\n" + PING, [["PING"], ["ECHO", "a"]], INVALID_COUNT],
];

Deno.test("streams of requests mean what they mean to Redis", () => {
  for (const [stream, requests, error] of STREAMS) {
    assertEquals(read(stream), { requests, error }, JSON.stringify(stream));
  }
});

Deno.test("a stream means the same in two pieces, cut anywhere, and byte by byte", () => {
  for (const [stream, requests, error] of STREAMS) {
    const cuts = Array.from({ length: stream.length }, (_, index) => index);
    for (const cut of cuts) {
      assertEquals(read(stream, [cut]), { requests, error }, `${JSON.stringify(stream)} at ${cut}`);
    }
    assertEquals(read(stream, cuts), { requests, error }, JSON.stringify(stream));
  }
});

Deno.test("lines without an end are refused behind 64 KiB, not before", () => {
  const limits = [
    ["", INLINE_LIMIT, "too big inline request"],
    ["*", INLINE_LIMIT - 1, "too big mbulk count string"],
    ["*1\r\n$", INLINE_LIMIT - 1, "too big bulk count string"],
  ] as const;
  for (const [start, digits, error] of limits) {
    assertEquals(read(start + "1".repeat(digits)), { requests: [], error: "" });
    assertEquals(read(start + "1".repeat(digits + 1)), { requests: [], error });
  }
  // One that is whole may be longer.
  const word = "y".repeat(INLINE_LIMIT + 1);
  assertEquals(read(`${word}\r\n`), { requests: [[word]], error: "" });
  assertEquals(read(`*${"1".repeat(INLINE_LIMIT)}\r\n`), { requests: [], error: INVALID_COUNT });
});

Deno.test("strangers may send ten arguments of 16 KiB each", () => {
  const long = "x".repeat(16384);
  const argument = `$16384\r\n${long}\r\n`;
  assertEquals(read("*10\r\n" + argument.repeat(10), [], false), {
    requests: [new Array(10).fill(long)],
    error: "",
  });
  const tooMany = { requests: [], error: "unauthenticated multibulk length" };
  const tooLong = { requests: [], error: "unauthenticated bulk length" };
  assertEquals(read("*11\r\n", [], false), tooMany);
  assertEquals(read("*2\r\n$4\r\nECHO\r\n$16385\r\n", [], false), tooLong);
  assertEquals(read("*11\r\n$16385\r\n", [], true), { requests: [], error: "" });
});

Deno.test("the longest argument is what the caller says", () => {
  const bytes = bytesOf("*1\r\n$11\r\n");
  for (const [maximum, status] of [[10, REQUEST_ERROR], [11, REQUEST_INCOMPLETE]]) {
    const frame = new RequestFrame();
    frame.reset(0);
    assertEquals(parseRequest(frame, bytes, bytes.length, maximum, true), status);
  }
});

Deno.test("bytes behind the end of what was read are left alone", () => {
  const bytes = bytesOf("PING\r\n*1\r\n$4\r\nPING\r\n");
  const frame = new RequestFrame();
  for (let end = 0; end < 6; end++) {
    frame.reset(0);
    assertEquals(parseRequest(frame, bytes, end, MAXIMUM_BULK, true), REQUEST_INCOMPLETE);
  }
  for (let end = 6; end < bytes.length; end++) {
    frame.reset(6);
    assertEquals(parseRequest(frame, bytes, end, MAXIMUM_BULK, true), REQUEST_INCOMPLETE);
    assert(frame.position <= end);
  }
});

Deno.test("a half-read request goes on after its buffer has moved", () => {
  const stream = "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n";
  for (let cut = 0; cut < stream.length; cut++) {
    const bytes = bytesOf("......" + stream);
    const frame = new RequestFrame();
    frame.reset(6);
    assertEquals(parseRequest(frame, bytes, 6 + cut, MAXIMUM_BULK, true), REQUEST_INCOMPLETE);
    bytes.copyWithin(0, 6);
    frame.shift(6);
    assertEquals(parseRequest(frame, bytes, stream.length, MAXIMUM_BULK, true), REQUEST_COMPLETE);
    const words = Array.from({ length: frame.argc }, (_, index) => {
      const start = frame.starts[index];
      return textOf(bytes.subarray(start, start + frame.lengths[index]));
    });
    assertEquals(words, ["SET", "key", "value"]);
    assertEquals(frame.position, stream.length);
  }
});

Deno.test("a frame is used again, with more and with fewer arguments", () => {
  const frame = new RequestFrame();
  for (const count of [1, 16, 17, 500, 3, 0, 33]) {
    const bytes = bytesOf(`*${count}\r\n` + "$1\r\na\r\n".repeat(count));
    frame.reset(0);
    assertEquals(parseRequest(frame, bytes, bytes.length, MAXIMUM_BULK, true), REQUEST_COMPLETE);
    assertEquals(frame.argc, count);
    assertEquals(frame.position, bytes.length);
    for (let index = 0; index < count; index++) {
      assertEquals(bytes[frame.starts[index]], 97);
      assertEquals(frame.lengths[index], 1);
    }
  }
});

Deno.test("a million arguments in a thousand pieces are looked at once", () => {
  const count = 1_000_000;
  const argument = bytesOf("$1\r\na\r\n");
  const head = bytesOf(`*${count}\r\n`);
  const bytes = new Uint8Array(head.length + count * argument.length);
  bytes.set(head);
  for (let at = head.length; at < bytes.length; at += argument.length) bytes.set(argument, at);
  let looks = 0;
  const counted = new Proxy(bytes, {
    get(target, property) {
      looks++;
      return target[property as unknown as number];
    },
  });
  const frame = new RequestFrame();
  frame.reset(0);
  const pieces = 1000;
  const size = Math.ceil(bytes.length / pieces);
  for (let end = size; end < bytes.length; end += size) {
    assertEquals(parseRequest(frame, counted, end, MAXIMUM_BULK, true), REQUEST_INCOMPLETE);
  }
  const status = parseRequest(frame, counted, bytes.length, MAXIMUM_BULK, true);
  assertEquals(status, REQUEST_COMPLETE);
  assertEquals(frame.argc, count);
  assert(looks <= bytes.length, `${looks} looks at ${bytes.length} bytes`);
});

Deno.test("a line is plain if it is whole, short and has no quotes, and reading it leaves it as it is", () => {
  const lines: readonly (readonly [text: string, plain: boolean])[] = [
    ["PING\r\n", true],
    ["\n", true],
    ["SET a\tb\n", true],
    ["PING", false],
    ["", false],
    ['SET a "b"\r\n', false],
    ["SET a 'b\r\n", false],
    [`SET ${"a".repeat(200)} b\r\n`, false],
    ['PING\r\nSET a "b"\r\n', true],
  ];
  for (const [text, plain] of lines) {
    const bytes = bytesOf(text);
    assertEquals(isPlainLine(bytes, 0, bytes.length), plain, JSON.stringify(text));
    if (!plain) continue;
    const frame = new RequestFrame();
    parseRequest(frame, bytes, bytes.length, MAXIMUM_BULK, true);
    assertEquals(textOf(bytes), text);
  }
});
