import { assertEquals } from "@std/assert";
import {
  type BitOperation,
  combineBits,
  countBitRange,
  countBits,
  countWordBits,
  findBit,
} from "../../src/memory/bits.ts";
import { seededRandom, testSeed } from "../support/random.ts";

/** A row of random bytes that starts anywhere in its buffer; some rows have few bits of one kind. */
function randomRow(random: () => number, length: number): Uint8Array {
  const offset = Math.floor(random() * 8);
  const bytes = new Uint8Array(new ArrayBuffer(length + 8), offset, length);
  const rare = [0, 0xff][Math.floor(random() * 2)];
  const dense = random() < 0.5;
  for (let index = 0; index < length; index++) {
    bytes[index] = dense || random() < 0.02 ? Math.floor(random() * 256) : rare;
  }
  return bytes;
}

function asBits(bytes: Uint8Array): number[] {
  return [...bytes].flatMap((byte) => [...byte.toString(2).padStart(8, "0")].map(Number));
}

Deno.test("bits: the bits of a word", () => {
  const cases = [[0, 0], [-1, 32], [1, 1], [-0x80000000, 1], [0x55555555, 16], [0x0f0f00ff, 16]];
  for (const [word, count] of cases) assertEquals(countWordBits(word), count, word.toString(16));
});

Deno.test("bits: counting and finding agree with one look at each bit", () => {
  const random = seededRandom(testSeed("bits"));
  for (let round = 0; round < 400; round++) {
    const bytes = randomRow(random, 1 + Math.floor(random() * (round % 4 === 0 ? 400 : 70)));
    const bits = asBits(bytes);
    assertEquals(countBits(bytes), bits.filter((bit) => bit === 1).length);
    const from = Math.floor(random() * bits.length);
    const to = from + Math.floor(random() * (bits.length - from));
    const part = bits.slice(from, to + 1);
    assertEquals(countBitRange(bytes, from, to), part.filter((bit) => bit === 1).length);
    for (const bit of [0, 1]) {
      const index = part.indexOf(bit);
      assertEquals(findBit(bytes, bit, from, to), index < 0 ? -1 : from + index);
    }
  }
});

Deno.test("bits: rows of any lengths and places combine bit by bit", () => {
  const random = seededRandom(testSeed("bit operations"));
  const operations: Record<BitOperation, (left: number, right: number) => number> = {
    and: (left, right) => left & right,
    or: (left, right) => left | right,
    xor: (left, right) => left ^ right,
    not: (left) => ~left,
  };
  for (let round = 0; round < 300; round++) {
    for (const [name, operation] of Object.entries(operations)) {
      const count = name === "not" ? 1 : 1 + Math.floor(random() * 4);
      const sources = Array.from(
        { length: count },
        () => randomRow(random, Math.floor(random() * 200)),
      );
      const length = Math.max(...sources.map((source) => source.length));
      const expected = Uint8Array.from({ length }, (_, index) => {
        const values = sources.map((source) => source[index] ?? 0);
        return name === "not" ? ~values[0] : values.reduce((a, b) => operation(a, b));
      });
      const target = randomRow(random, length);
      combineBits(name as BitOperation, target, sources);
      assertEquals(target, expected, name);
    }
  }
});
