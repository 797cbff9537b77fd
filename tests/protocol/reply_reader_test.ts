import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  ArrayReply,
  AttributedReply,
  BigNumberReply,
  BooleanReply,
  BulkReply,
  DoubleReply,
  ErrorReply,
  IntegerReply,
  MapReply,
  NullReply,
  PushReply,
  type Reply,
  SetReply,
  SimpleReply,
  VerbatimReply,
} from "../../src/protocol/reply.ts";
import { ReplyReader } from "../../src/protocol/reply_reader.ts";
import { type ReplyLimits, ReplyProtocolError } from "../../src/protocol/reply_types.ts";

/** A byte for each character. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function readAll(wire: string, limits?: ReplyLimits): Reply[] {
  const reader = new ReplyReader(limits);
  reader.push(bytesOf(wire));
  const replies: Reply[] = [];
  for (let reply = reader.next(); reply !== undefined; reply = reader.next()) replies.push(reply);
  return replies;
}

function readOne(wire: string): Reply {
  const replies = readAll(wire);
  assertEquals(replies.length, 1);
  return replies[0];
}

const bulk = (text: string) => new BulkReply(bytesOf(text));
const integer = (value: number | bigint) => new IntegerReply(value);

/** The reply with each bulk in memory of its own, which makes replies comparable. */
function unshared(reply: Reply): Reply {
  switch (reply.kind) {
    case "bulk":
      return new BulkReply(reply.bytes.slice());
    case "array":
      return new ArrayReply(reply.items.map(unshared));
    case "set":
      return new SetReply(reply.items.map(unshared));
    case "map":
      return new MapReply(reply.items.map(unshared));
    case "push":
      return new PushReply(reply.items.map(unshared));
    default:
      return reply;
  }
}

const SAMPLES: [wire: string, reply: Reply][] = [
  ["+OK\r\n", new SimpleReply(bytesOf("OK"))],
  ["+\r\n", new SimpleReply(bytesOf(""))],
  ["+a\rb\r\n", new SimpleReply(bytesOf("a\rb"))],
  ["-ERR no\r\n", new ErrorReply(bytesOf("ERR no"))],
  [":0\r\n", integer(0)],
  [":-0\r\n", integer(0)],
  [":+12\r\n", integer(12)],
  [":-999999999999999\r\n", integer(-999999999999999)],
  [":9007199254740991\r\n", integer(9007199254740991)],
  [":9007199254740992\r\n", integer(9007199254740992n)],
  [":9223372036854775807\r\n", integer(9223372036854775807n)],
  [":-9223372036854775808\r\n", integer(-9223372036854775808n)],
  ["$-1\r\n", new NullReply("bulk")],
  ["$0\r\n\r\n", bulk("")],
  ["$4\r\n\r\n\x00\xff\r\n", bulk("\r\n\x00\xff")],
  ["$40\r\n" + "x".repeat(40) + "\r\n", bulk("x".repeat(40))],
  ["*-1\r\n", new NullReply("array")],
  ["*0\r\n", new ArrayReply([])],
  ["*2\r\n*1\r\n:1\r\n*0\r\n", new ArrayReply([new ArrayReply([integer(1)]), new ArrayReply([])])],
  ["_\r\n", new NullReply("null")],
  ["#t\r\n", new BooleanReply(true)],
  ["#f\r\n", new BooleanReply(false)],
  [",1.5\r\n", new DoubleReply(1.5, "1.5")],
  [",10\r\n", new DoubleReply(10, "10")],
  [",-1e-05\r\n", new DoubleReply(-1e-5, "-1e-05")],
  [",inf\r\n", new DoubleReply(Infinity, "inf")],
  [",-inf\r\n", new DoubleReply(-Infinity, "-inf")],
  [",nan\r\n", new DoubleReply(NaN, "nan")],
  [
    "(-3492890328409238509324850943850943825024385\r\n",
    new BigNumberReply(-3492890328409238509324850943850943825024385n),
  ],
  ["(+7\r\n", new BigNumberReply(7n)],
  ["!8\r\nERR a\r\nb\r\n", new ErrorReply(bytesOf("ERR a\r\nb"), "blob")],
  ["=8\r\ntxt:a\r\nb\r\n", new VerbatimReply("txt", bytesOf("a\r\nb"))],
  ["=4\r\nmkd:\r\n", new VerbatimReply("mkd", bytesOf(""))],
  [
    "~2\r\n+a\r\n+a\r\n",
    new SetReply([new SimpleReply(bytesOf("a")), new SimpleReply(bytesOf("a"))]),
  ],
  ["%1\r\n$1\r\nk\r\n%0\r\n", new MapReply([bulk("k"), new MapReply([])])],
  [">2\r\n$1\r\na\r\n_\r\n", new PushReply([bulk("a"), new NullReply("null")])],
  ["|1\r\n+a\r\n:1\r\n+OK\r\n", attributed(new SimpleReply(bytesOf("OK")))],
  ["|1\r\n+a\r\n:1\r\n*1\r\n:5\r\n", attributed(new ArrayReply([integer(5)]))],
  [
    "*1\r\n|0\r\n*0\r\n",
    new ArrayReply([new AttributedReply(new MapReply([]), new ArrayReply([]))]),
  ],
];

function attributed(value: Reply): AttributedReply {
  return new AttributedReply(new MapReply([new SimpleReply(bytesOf("a")), integer(1)]), value);
}

Deno.test("each type of reply is read", () => {
  for (const [wire, reply] of SAMPLES) {
    assertEquals(unshared(readOne(wire)), reply, JSON.stringify(wire));
  }
});

Deno.test("replies may be split anywhere", () => {
  const wire = bytesOf(SAMPLES.map(([wire]) => wire).join(""));
  const expected = SAMPLES.map(([_, reply]) => reply);
  for (let size = 1; size <= wire.length; size++) {
    const reader = new ReplyReader();
    const replies: Reply[] = [];
    // One buffer for all pieces, as a connection has: what was read must not depend on it later.
    const piece = new Uint8Array(size);
    for (let at = 0; at < wire.length; at += size) {
      const part = wire.subarray(at, at + size);
      piece.set(part);
      reader.push(piece.subarray(0, part.length));
      for (let next = reader.next(); next !== undefined; next = reader.next()) replies.push(next);
      piece.fill(0x2a);
    }
    assertEquals(replies.map(unshared), expected, `pieces of ${size}`);
    assert(reader.atBoundary);
    assertEquals(reader.position, wire.length);
  }
});

Deno.test("pieces may be pushed before the ones before them are read", () => {
  const reader = new ReplyReader();
  for (const [wire] of SAMPLES) for (const byte of bytesOf(wire)) reader.push(Uint8Array.of(byte));
  for (const [wire, reply] of SAMPLES) {
    assertEquals(unshared(reader.next()!), reply, JSON.stringify(wire));
  }
  assertEquals(reader.next(), undefined);
});

Deno.test("a large bulk in small pieces inside an array", () => {
  const size = 300_000;
  const reader = new ReplyReader();
  reader.push(bytesOf(`*3\r\n:1\r\n$${size}\r\n`));
  const piece = new Uint8Array(1000);
  for (let sent = 0; sent < size; sent += piece.length) {
    assertEquals(reader.next(), undefined);
    piece.fill(sent / piece.length);
    reader.push(piece);
  }
  assertEquals(reader.next(), undefined);
  assert(!reader.atBoundary);
  reader.push(bytesOf("\r\n:2\r\n"));
  const reply = reader.next();
  assert(reply?.kind === "array" && reply.items[1].kind === "bulk");
  assertEquals(reply.items[1].bytes.length, size);
  assertEquals(reply.items[1].bytes[150_999], 150);
});

Deno.test("what follows a reply can be taken unread", () => {
  const reader = new ReplyReader();
  reader.push(bytesOf("+FULLRESYNC abc 0\r\n$5\r\nREDIS"));
  assertEquals(reader.next(), new SimpleReply(bytesOf("FULLRESYNC abc 0")));
  assertEquals(reader.takeRest(), bytesOf("$5\r\nREDIS"));
  assertEquals(reader.next(), undefined);
  reader.push(bytesOf(":1\r\n"));
  assertEquals(reader.next(), integer(1));
});

Deno.test("what is no reply throws, with its position", () => {
  const cases: [wire: string, position: number, message: string][] = [
    ["x\r\n", 0, 'got "x" as reply type byte'],
    ["+OK\r\n\r\n", 5, 'got "\\x0d" as reply type byte'],
    ["*2\r\n:1\r\n?\r\n", 8, 'got "?" as reply type byte'],
    [":\r\n", 1, "bad integer value"],
    [":1a\r\n", 1, "bad integer value"],
    [":-\r\n", 1, "bad integer value"],
    [":9223372036854775808\r\n", 1, "bad integer value"],
    ["$\r\n", 1, "invalid bulk length"],
    ["$1x", 2, "invalid bulk length"],
    ["$-2\r\n", 1, "invalid bulk length"],
    ["$-12\r\n", 3, "invalid bulk length"],
    ["$?\r\n", 1, "invalid bulk length"],
    ["$1\rx", 3, "invalid bulk length"],
    ["$1\r\nabc", 5, "a bulk longer than announced"],
    ["=3\r\ntxt\r\n", 4, "verbatim string without a format"],
    ["=4\r\ntxt;\r\n", 4, "verbatim string without a format"],
    ["#x\r\n", 1, "bad bool value"],
    ["#tt\r\n", 1, "bad bool value"],
    ["_x\r\n", 1, "a null with content"],
    [",\r\n", 1, "bad double value"],
    [",1.5.5\r\n", 1, "bad double value"],
    [",0x10\r\n", 1, "bad double value"],
    ["(1.5\r\n", 1, "bad big number"],
  ];
  for (const [wire, position, message] of cases) {
    for (const prefix of ["", ":123\r\n"]) {
      const error = assertThrows(() => readAll(prefix + wire), ReplyProtocolError, message);
      assertEquals(error.position, prefix.length + position, JSON.stringify(wire));
    }
  }
  for (const wire of ["~-1\r\n", "%-1\r\n", ">-1\r\n", "|-1\r\n", "!-1\r\n", "=-1\r\n"]) {
    assertThrows(() => readAll(wire), ReplyProtocolError, "length");
  }
});

Deno.test("a reader that failed goes on failing", () => {
  const reader = new ReplyReader();
  reader.push(bytesOf("x+OK\r\n"));
  const error = assertThrows(() => reader.next(), ReplyProtocolError);
  reader.push(bytesOf("+OK\r\n"));
  assertStrictEquals(assertThrows(() => reader.next()), error);
});

Deno.test("limits", () => {
  const nested = (depth: number) => "*1\r\n".repeat(depth) + ":1\r\n";
  assertEquals(readAll(nested(128)).length, 1);
  assertThrows(() => readAll(nested(129)), ReplyProtocolError, "nested deeper than 128");
  assertThrows(() => readAll("*3\r\n", { maxItems: 2 }), ReplyProtocolError, "out of range");
  assertThrows(() => readAll("$9999999999"), ReplyProtocolError, "out of range");
  assertThrows(() => readAll("*99999999999999999999999999"), ReplyProtocolError, "out of range");
  assertEquals(readAll("$2\r\nab\r\n", { maxBulkBytes: 2 }).length, 1);
  assertThrows(() => readAll("$3\r\n", { maxBulkBytes: 2 }), ReplyProtocolError, "out of range");
  assertEquals(readAll("+abcd\r\n", { maxLineBytes: 4 }).length, 1);
  assertThrows(() => readAll("+abcde\r\n", { maxLineBytes: 4 }), ReplyProtocolError, "too big");
  assertThrows(() => readAll("+abcde", { maxLineBytes: 4 }), ReplyProtocolError, "too big");
});

Deno.test("small bulks that share memory keep their content", () => {
  const reader = new ReplyReader();
  const replies: Reply[] = [];
  for (let index = 0; index < 3000; index++) {
    const text = `${index}`.repeat(index % 40);
    reader.push(bytesOf(`$${text.length}\r\n${text}\r\n`));
    replies.push(reader.next()!);
  }
  replies.forEach((reply, index) => {
    assert(reply.kind === "bulk");
    assertEquals(reply.text(), `${index}`.repeat(index % 40));
    assertEquals(reply.length, reply.bytes.length);
  });
});
