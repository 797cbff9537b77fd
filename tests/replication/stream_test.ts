import { assertEquals } from "@std/assert";
import { ReplicationStream, type StreamReader } from "../../src/replication/stream.ts";

/** The smallest block. */
const BLOCK_BYTES = 16 * 1024;

/** All that a reader is given. */
function readAll(reader: StreamReader): number[] {
  const all: number[] = [];
  for (;;) {
    const bytes = reader.next(Infinity);
    if (bytes === null) return all;
    all.push(...bytes);
    reader.advance(bytes.length);
  }
}

function filled(count: number, value: number): Uint8Array {
  return new Uint8Array(count).fill(value);
}

Deno.test("readers get what counts, in order, over the ends of blocks", () => {
  const stream = new ReplicationStream(100, 1000);
  const reader = stream.reader(100);
  stream.append(filled(BLOCK_BYTES - 1, 1));
  stream.append(filled(3, 2));
  stream.appendPart(filled(5, 3));
  assertEquals(stream.end, 100 + BLOCK_BYTES + 2);
  assertEquals(readAll(reader).slice(-4), [1, 2, 2, 2]);
  stream.commit();
  assertEquals(readAll(reader), [3, 3, 3, 3, 3]);
});

Deno.test("what is taken back is never read, wherever blocks end", () => {
  for (let before = BLOCK_BYTES - 3; before <= BLOCK_BYTES + 3; before++) {
    const stream = new ReplicationStream(0, 1000);
    stream.append(filled(before, 1));
    const early = stream.reader(before - 1);
    early.advance(1);
    stream.appendPart(filled(10, 2));
    const late = stream.reader(before);
    // As if it had been sent what came before just now.
    early.advance(0);
    stream.rollBack();
    stream.append(filled(4, 3));
    assertEquals(readAll(early), [3, 3, 3, 3]);
    assertEquals(readAll(late), [3, 3, 3, 3]);
  }
});

Deno.test("blocks go when nobody needs them", () => {
  const stream = new ReplicationStream(0, 1000);
  const reader = stream.reader(0);
  for (let count = 0; count < 10; count++) stream.append(filled(BLOCK_BYTES, count));
  assertEquals(stream.start, 0);
  reader.close();
  assertEquals(stream.start, 9 * BLOCK_BYTES);
  assertEquals(stream.holds(9 * BLOCK_BYTES), true);
  assertEquals(stream.holds(9 * BLOCK_BYTES - 1), false);
});

Deno.test("the memory of blocks is used again, but not while bytes of it may be on their way", () => {
  const stream = new ReplicationStream(0, 256 * 1024);
  const piece = (letter: string) => new TextEncoder().encode(letter.repeat(16 * 1024));
  stream.append(piece("a"));
  const lent = stream.reader(0);
  const onTheirWay = lent.next(Infinity)!;
  stream.append(piece("b"));
  const passed = stream.reader(16 * 1024);
  const sent = passed.next(Infinity)!;
  const pass = () => {
    for (let bytes = passed.next(Infinity); bytes !== null; bytes = passed.next(Infinity)) {
      passed.advance(bytes.length);
    }
  };
  lent.close();
  for (let count = 0; count < 40; count++) {
    stream.append(piece("c"));
    pass();
  }
  assertEquals(onTheirWay, piece("a"));
  // Whoever has gone on doesn't look at what was sent.
  assertEquals(sent, piece("c"));
  const { memory } = stream;
  for (let count = 0; count < 40; count++) {
    stream.append(piece("d"));
    pass();
  }
  assertEquals(stream.memory, memory);
});
