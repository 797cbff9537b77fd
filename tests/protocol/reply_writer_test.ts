import { assert, assertEquals } from "@std/assert";
import { BufferPool } from "../../src/protocol/byte_buffer.ts";
import { ReplyReader } from "../../src/protocol/reply_reader.ts";
import { ReplyWriter } from "../../src/protocol/reply_writer.ts";
import { plainValue } from "../../src/protocol/reply.ts";
import { seededRandom, testSeed } from "../support/random.ts";

const SMALL_BUFFER = 64;
const LARGE_BUFFER = 256;

function newWriter(resp: 2 | 3 = 2): ReplyWriter {
  const writer = new ReplyWriter(new BufferPool(SMALL_BUFFER, 4), new BufferPool(LARGE_BUFFER, 2));
  writer.resp = resp;
  return writer;
}

/** Takes what was written, as a session does. */
function take(writer: ReplyWriter): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(writer.length);
  let at = 0;
  for (const chunk of writer.chunks) {
    bytes.set(chunk.bytes, at);
    at += chunk.bytes.length;
    if (chunk.buffer !== null) writer.giveBack(chunk.buffer);
    chunk.release?.();
  }
  bytes.set(writer.buffer.bytes.subarray(0, writer.position), at);
  writer.giveBack(writer.buffer);
  writer.startFresh();
  return bytes;
}

function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

const UTF8 = new TextEncoder();

type Write = (writer: ReplyWriter) => void;

const REPLIES: readonly (readonly [write: Write, resp2: string, resp3: string])[] = [
  [(writer) => writer.simple("OK"), "+OK\r\n", "+OK\r\n"],
  [(writer) => writer.error("ERR a\r\nb"), "-ERR a  b\r\n", "-ERR a  b\r\n"],
  [(writer) => writer.integer(0), ":0\r\n", ":0\r\n"],
  [(writer) => writer.integer(9), ":9\r\n", ":9\r\n"],
  [(writer) => writer.integer(10), ":10\r\n", ":10\r\n"],
  [(writer) => writer.integer(-1), ":-1\r\n", ":-1\r\n"],
  [
    (writer) => writer.integer(Number.MAX_SAFE_INTEGER),
    ":9007199254740991\r\n",
    ":9007199254740991\r\n",
  ],
  [
    (writer) => writer.integer64(-0x80000000, 0),
    ":-9223372036854775808\r\n",
    ":-9223372036854775808\r\n",
  ],
  [
    (writer) => writer.integer64(0x7fffffff, -1),
    ":9223372036854775807\r\n",
    ":9223372036854775807\r\n",
  ],
  [(writer) => writer.bulk(""), "$0\r\n\r\n", "$0\r\n\r\n"],
  [(writer) => writer.bulk("é"), "$2\r\n\xc3\xa9\r\n", "$2\r\n\xc3\xa9\r\n"],
  [
    (writer) => writer.bulkBytes(new Uint8Array([13, 10, 0, 255])),
    "$4\r\n\r\n\0\xff\r\n",
    "$4\r\n\r\n\0\xff\r\n",
  ],
  [(writer) => writer.bulkInteger64(0, 7), "$1\r\n7\r\n", "$1\r\n7\r\n"],
  [(writer) => writer.bulkInteger64(0, 123456789), "$9\r\n123456789\r\n", "$9\r\n123456789\r\n"],
  [
    (writer) => writer.bulkInteger64(0, 1234567890),
    "$10\r\n1234567890\r\n",
    "$10\r\n1234567890\r\n",
  ],
  [(writer) => writer.bulkInteger64(-1, -1), "$2\r\n-1\r\n", "$2\r\n-1\r\n"],
  [
    (writer) => writer.bulkInteger64(-0x80000000, 0),
    "$20\r\n-9223372036854775808\r\n",
    "$20\r\n-9223372036854775808\r\n",
  ],
  [(writer) => writer.nullBulk(), "$-1\r\n", "_\r\n"],
  [(writer) => writer.nullArray(), "*-1\r\n", "_\r\n"],
  [(writer) => writer.array(0), "*0\r\n", "*0\r\n"],
  [(writer) => writer.array(99), "*99\r\n", "*99\r\n"],
  [(writer) => writer.array(100), "*100\r\n", "*100\r\n"],
  [(writer) => writer.map(3), "*6\r\n", "%3\r\n"],
  [(writer) => writer.set(3), "*3\r\n", "~3\r\n"],
  [(writer) => writer.push(3), "*3\r\n", ">3\r\n"],
  [(writer) => writer.double(0.1), "$19\r\n0.10000000000000001\r\n", ",0.10000000000000001\r\n"],
  [(writer) => writer.double(Infinity), "$3\r\ninf\r\n", ",inf\r\n"],
  [(writer) => writer.boolean(true), ":1\r\n", "#t\r\n"],
  [(writer) => writer.boolean(false), ":0\r\n", "#f\r\n"],
  [(writer) => writer.verbatim("txt", "hi"), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"],
  [(writer) => writer.raw(UTF8.encode("+raw\r\n")), "+raw\r\n", "+raw\r\n"],
];

Deno.test("each reply has the shape of its version of the protocol", () => {
  for (const resp of [2, 3] as const) {
    const writer = newWriter(resp);
    for (const [write, resp2, resp3] of REPLIES) {
      write(writer);
      assertEquals(textOf(take(writer)), resp === 2 ? resp2 : resp3, write.toString());
    }
  }
});

Deno.test("all lengths of bulk strings come through, whatever buffer they fit in", () => {
  const writer = newWriter();
  for (const length of [0, 1, 9, 10, 31, 32, 33, 63, 64, 99, 100, 223, 224, 225, 256, 4095, 5000]) {
    const bytes = Uint8Array.from({ length }, (_, index) => index * 7);
    writer.bulkBytes(bytes);
    writer.bulkView(new DataView(bytes.buffer), 0, length);
    const once = `$${length}\r\n${textOf(bytes)}\r\n`;
    assertEquals(textOf(take(writer)), once + once);
  }
});

Deno.test("errors hold a byte a character, and line ends in them do no harm", () => {
  const writer = newWriter();
  writer.error("ERR " + "\r\n\xff\x80".repeat(100));
  assertEquals(textOf(take(writer)), `-ERR ${"  \xff\x80".repeat(100)}\r\n`);
  assertEquals(writer.errors, 1);
});

Deno.test("shared bytes go out as they are and are released once", () => {
  const writer = newWriter();
  const shared = new Uint8Array(1000).fill(120);
  let released = 0;
  writer.simple("before");
  writer.bulkShared(shared, () => released++);
  writer.simple("after");
  assert(writer.chunks.some((chunk) => chunk.bytes === shared), "not copied");
  assertEquals(textOf(take(writer)), `+before\r\n$1000\r\n${"x".repeat(1000)}\r\n+after\r\n`);
  assertEquals(released, 1);
  writer.simple("before");
  const mark = writer.length;
  writer.bulkShared(shared, () => released++);
  writer.truncate(mark);
  assertEquals(released, 2);
  writer.simple("after");
  assertEquals(textOf(take(writer)), "+before\r\n+after\r\n");
});

Deno.test("replies taken back leave those before them, and buffers return to their pool", () => {
  const random = seededRandom(testSeed("reply_writer_test"));
  const pool = new BufferPool(SMALL_BUFFER, 4);
  const largePool = new BufferPool(LARGE_BUFFER, 2);
  const writer = new ReplyWriter(pool, largePool);
  let shared = 0;
  for (let round = 0; round < 500; round++) {
    const kept: string[] = [];
    for (let step = 0; step < 20; step++) {
      const mark = writer.length;
      const length = Math.floor(random() ** 3 * 600);
      if (random() < 0.2) {
        shared++;
        writer.bulkShared(new Uint8Array(length).fill(65 + step), () => shared--);
      } else writer.bulkBytes(new Uint8Array(length).fill(65 + step));
      if (random() < 0.4) {
        writer.truncate(mark);
        assertEquals(writer.length, mark);
      } else kept.push(String.fromCharCode(65 + step).repeat(length));
    }
    const reader = new ReplyReader();
    reader.push(take(writer));
    for (const text of kept) assertEquals(plainValue(reader.next()!), text);
    assertEquals(reader.next(), undefined);
  }
  assertEquals(shared, 0);
  const idleAtMost = 5 * SMALL_BUFFER + 3 * LARGE_BUFFER;
  assert(pool.totalBytes + largePool.totalBytes <= idleAtMost, "buffers are lost");
});
