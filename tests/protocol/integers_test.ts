import { assertEquals } from "@std/assert";
import {
  addInteger64,
  Int64,
  MAX_INTEGER_TEXT_BYTES,
  parseInteger64,
  writeInteger,
  writeInteger64,
  writeUnsigned64,
} from "../../src/protocol/integers.ts";

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;
const encoder = new TextEncoder();

/** A small generator of 32-bit numbers, so that a failure can be repeated. */
function randomBits(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

function toBigInt(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

function halves(value: bigint): [high: number, low: number] {
  return [Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value))];
}

/** Every power of two and of ten with its neighbours, both signs, and random ones of each length. */
function interestingValues(): bigint[] {
  const values: bigint[] = [MIN, MIN + 1n, MAX, MAX - 1n];
  const add = (value: bigint) => {
    if (value >= MIN && value <= MAX) values.push(value);
  };
  for (let power = 0n; power < 64n; power++) {
    for (const base of [2n ** power, 10n ** (power % 20n), 10n ** (power % 20n) * 5n]) {
      for (let step = -2n; step <= 2n; step++) {
        add(base + step);
        add(-base + step);
      }
    }
  }
  const random = randomBits(1);
  for (let index = 0; index < 20_000; index++) {
    const bits = BigInt.asIntN(64, (BigInt(random()) << 32n) | BigInt(random()));
    add(bits >> BigInt(random() % 64));
  }
  return values;
}

/** Parses text between other bytes, so that reading past either end would show. */
function parse(text: string): bigint | undefined {
  const bytes = encoder.encode(`7${text}7`);
  const out = new Int64();
  if (!parseInteger64(bytes, 1, bytes.length - 2, out)) return undefined;
  assertEquals([out.high, out.low], [out.high | 0, out.low | 0]);
  return toBigInt(out.high, out.low);
}

function write(writer: (bytes: Uint8Array, start: number) => number): string {
  const bytes = new Uint8Array(MAX_INTEGER_TEXT_BYTES + 4).fill(0x23);
  const length = writer(bytes, 2);
  const text = new TextDecoder().decode(bytes);
  assertEquals(text.slice(0, 2) + text.slice(2 + length), "#".repeat(24 - length));
  return text.slice(2, 2 + length);
}

Deno.test("parseInteger64 and writeInteger64 agree with BigInt", () => {
  for (const value of interestingValues()) {
    const text = String(value);
    const [high, low] = halves(value);
    assertEquals(parse(text), value);
    assertEquals(write((bytes, start) => writeInteger64(bytes, start, high, low)), text);
  }
});

Deno.test("parseInteger64 refuses whatever is not canonical", () => {
  const refused = [
    ..."|-|--1|+1|00|01|-0|-01|-00| 1|1 |1.0|1e3|0x10|a|1a|a1|12345678a|a123456789".split("|"),
    ..."1234567890a|123456789012345678a|a234567890123456789|123456789:|/23|1-2|1\0".split("|"),
    ..."9223372036854775808|-9223372036854775809|9999999999999999999|-9999999999999999999"
      .split("|"),
    ..."18446744073709551615|18446744073709551616|-18446744073709551616".split("|"),
    "10000000000000000000",
    "100000000000000000000000000",
    "00000000000000000001",
    "-00000000000000000001",
    "\u0660",
  ];
  for (const text of refused) assertEquals(parse(text), undefined, text);
});

Deno.test("parseInteger64 refuses each text with one byte spoiled", () => {
  const random = randomBits(2);
  for (const value of [7n, -42n, 123456789n, 1234567890n, 9007199254740993n, MIN, MAX]) {
    const text = String(value);
    for (let index = 0; index < text.length; index++) {
      let spoiler = random() % 128;
      if (spoiler >= 0x30 && spoiler <= 0x39) spoiler = 0x3a;
      if (index === 0 && spoiler === 0x2d) spoiler = 0x2b;
      const spoiled = text.slice(0, index) + String.fromCharCode(spoiler) + text.slice(index + 1);
      assertEquals(parse(spoiled), undefined, spoiled);
    }
  }
});

Deno.test("writeInteger writes every safe integer", () => {
  for (const value of interestingValues()) {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) continue;
    assertEquals(write((bytes, start) => writeInteger(bytes, start, number)), String(value));
  }
  assertEquals(write((bytes, start) => writeInteger(bytes, start, -0)), "0");
});

Deno.test("addInteger64 adds and refuses overflow without touching the result", () => {
  const values = interestingValues();
  const random = randomBits(3);
  const edges = [0n, 1n, -1n, MIN, MAX, 2n ** 32n, -(2n ** 32n), 2n ** 31n];
  const check = (left: bigint, right: bigint) => {
    const out = new Int64(12, 34);
    const fits = addInteger64(...halves(left), ...halves(right), out);
    const sum = left + right;
    assertEquals(fits, sum >= MIN && sum <= MAX);
    assertEquals([out.high, out.low], fits ? halves(sum) : [12, 34]);
  };
  for (const left of edges) for (const right of edges) check(left, right);
  for (const left of values) {
    check(left, values[random() % values.length]);
    check(left, edges[random() % edges.length]);
  }
});

Deno.test("writeUnsigned64 writes the halves of every value as an unsigned integer", () => {
  const values = [...interestingValues(), -1n, -2n, MIN, MIN + 1n, -(10n ** 18n), -(10n ** 9n)];
  for (const value of values) {
    const [high, low] = halves(value);
    const unsigned = BigInt.asUintN(64, value);
    assertEquals(write((bytes, start) => writeUnsigned64(bytes, start, high, low)), `${unsigned}`);
  }
});
