import { assertEquals } from "@std/assert";
import {
  formatDouble17g,
  MAX_DOUBLE_TEXT_BYTES,
  parseDouble,
  parseScoreBound,
  parseSortWeight,
  writeDouble17g,
} from "../../src/protocol/doubles.ts";

const encoder = new TextEncoder();

/** Parses text between other bytes, so that reading past either end would show. */
function parse(text: string): number | undefined {
  const bytes = encoder.encode(`1${text}1`);
  return parseDouble(bytes, 1, bytes.length - 2);
}

function parseBound(text: string): number | undefined {
  const bytes = encoder.encode(`1${text}1`);
  return parseScoreBound(bytes, 1, bytes.length - 2);
}

function parseWeight(text: string): number | undefined {
  const bytes = encoder.encode(`1${text}1`);
  return parseSortWeight(bytes, 1, bytes.length - 2);
}

function write(value: number): string {
  const bytes = new Uint8Array(MAX_DOUBLE_TEXT_BYTES + 4).fill(0x23);
  const length = writeDouble17g(bytes, 2, value);
  const text = new TextDecoder().decode(bytes);
  assertEquals(text.slice(0, 2) + text.slice(2 + length), "#".repeat(bytes.length - length));
  return text.slice(2, 2 + length);
}

/** A small generator of 32-bit numbers, so that a failure can be repeated. */
function randomBits(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Doubles of random bits, of few digits, and with few bits behind the point. */
function randomDoubles(seed: number, count: number): number[] {
  const random = randomBits(seed);
  const view = new DataView(new ArrayBuffer(8));
  const fromBits = () => {
    view.setUint32(0, random());
    view.setUint32(4, random());
    return view.getFloat64(0);
  };
  const kinds = [
    fromBits,
    () => (random() | 0) / 100,
    () => (random() * 2 ** 20 + random()) * 2 ** -(random() % 40),
    () => Number(`${random()}e${random() % 60 - 40}`),
  ];
  return Array.from({ length: count }, (_, index) => kinds[index % kinds.length]())
    .filter((value) => !Number.isNaN(value));
}

/** Score given to ZADD, and the reply of redis-server 7.0.15 to ZSCORE; none if ZADD refused it. */
const SCORES: readonly [text: string, score: string | undefined][] = [
  ["0", "0"],
  ["-0", "-0"],
  ["1", "1"],
  ["-1.5", "-1.5"],
  ["+1", "1"],
  [".5", "0.5"],
  ["5.", "5"],
  ["1e3", "1000"],
  ["1E-3", "0.001"],
  ["1e+3", "1000"],
  ["00012.50", "12.5"],
  ["1e22", "1e+22"],
  ["1e23", "9.9999999999999992e+22"],
  ["123456789012345678", "1.2345678901234568e+17"],
  ["0.1", "0.10000000000000001"],
  ["0.30000000000000004", "0.30000000000000004"],
  ["9007199254740993", "9007199254740992"],
  ["9007199254740993.00000000000000000000000001", "9007199254740994"],
  ["1.7976931348623157e308", "1.7976931348623157e+308"],
  ["1.7976931348623158e308", "1.7976931348623157e+308"],
  ["1.7976931348623159e308", undefined],
  ["-1e400", undefined],
  ["5e-324", "4.9406564584124654e-324"],
  ["2.4703282292062327e-324", undefined],
  ["2.4703282292062328e-324", "4.9406564584124654e-324"],
  ["1e-400", undefined],
  ["0e-400", "0"],
  ["0e99999999999999999999", "0"],
  ["1e99999999999999999999", undefined],
  ["1e-99999999999999999999", undefined],
  ["2.2250738585072011e-308", "2.2250738585072009e-308"],
  ["0x10", "16"],
  ["0X1.8P1", "3"],
  ["0x.8", "0.5"],
  ["0x1.p-2", "0.25"],
  ["0x1p-1074", "4.9406564584124654e-324"],
  ["0x1p-1075", undefined],
  ["0x1.8p-1075", "4.9406564584124654e-324"],
  ["0x1p1023", "8.9884656743115795e+307"],
  ["0x1p1024", undefined],
  ["0x1.fffffffffffff7p1023", "1.7976931348623157e+308"],
  ["0x1.fffffffffffff8p1023", undefined],
  ["0x10000000000000.8", "4503599627370496"],
  ["0x10000000000001.8", "4503599627370498"],
  ["0x0p99999999999999999999", "0"],
  ["inf", "inf"],
  ["-inf", "-inf"],
  ["+INF", "inf"],
  ["Infinity", "inf"],
  ["-iNfInItY", "-inf"],
  ["nan", undefined],
  ["NaN", undefined],
  ["-nan", undefined],
  ["nan(1)", undefined],
  ["", undefined],
  [" ", undefined],
  ["-", undefined],
  ["+", undefined],
  [".", undefined],
  ["e5", undefined],
  ["1e", undefined],
  ["1e+", undefined],
  ["1.2.3", undefined],
  ["1..2", undefined],
  ["0x", undefined],
  ["0x.", undefined],
  ["0xg", undefined],
  ["0x1p", undefined],
  ["0x1p+", undefined],
  ["0x1e+", undefined],
  ["1p3", undefined],
  ["--1", undefined],
  ["+-1", undefined],
  [" 1", undefined],
  ["1 ", undefined],
  ["1\u0000", undefined],
  ["1\n", undefined],
  ["1_0", undefined],
  ["1,5", undefined],
  ["1f", undefined],
  ["infinit", undefined],
  ["inf ", undefined],
  ["0b1", undefined],
  ["0o7", undefined],
];

Deno.test("parseDouble and formatDouble17g give redis-server's scores", () => {
  for (const [text, score] of SCORES) {
    const value = parse(text);
    assertEquals(value === undefined ? undefined : formatDouble17g(value), score, text);
  }
});

Deno.test("formatDouble17g: layout at the limits", () => {
  const texts: [number, string][] = [
    [0, "0"],
    [-0, "-0"],
    [1, "1"],
    [-123, "-123"],
    [0.5, "0.5"],
    [0.0001, "0.0001"],
    [0.00012, "0.00012"],
    [0.00009999999999999999, "9.9999999999999991e-05"],
    [0.00001, "1.0000000000000001e-05"],
    [1e-7, "9.9999999999999995e-08"],
    [1e-10, "1e-10"],
    [1e-100, "1e-100"],
    [9007199254740992, "9007199254740992"],
    [-9007199254740994, "-9007199254740994"],
    [1e16, "10000000000000000"],
    [36028797018963968, "36028797018963968"],
    [99999999999999984, "99999999999999984"],
    [1e17, "1e+17"],
    [1.5e300, "1.5000000000000001e+300"],
    [Number.MAX_VALUE, "1.7976931348623157e+308"],
    [Number.MIN_VALUE, "4.9406564584124654e-324"],
    [-2.2250738585072014e-308, "-2.2250738585072014e-308"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
    [NaN, "nan"],
  ];
  for (const [value, text] of texts) {
    assertEquals(formatDouble17g(value), text);
    assertEquals(write(value), text);
  }
});

Deno.test("formatDouble17g rounds a tie to the even digit, as C does", () => {
  const texts: [number, string][] = [
    [2 ** -25, "2.9802322387695312e-08"],
    [3 * 2 ** -25, "8.9406967163085938e-08"],
    [1000000000000000.25, "1000000000000000.2"],
    [1000000000000000.75, "1000000000000000.8"],
    [-1000000000000000.25, "-1000000000000000.2"],
    [0.00012201070785522461, "0.00012201070785522461"],
    [1 + 2 ** -17, "1.0000076293945312"],
    [1 + 3 * 2 ** -17, "1.0000228881835938"],
    [1.5, "1.5"],
  ];
  for (const [value, text] of texts) assertEquals(formatDouble17g(value), text);
});

Deno.test("what formatDouble17g prints, parseDouble reads back", () => {
  for (const value of randomDoubles(1, 8000)) {
    const text = formatDouble17g(value);
    assertEquals(parse(text), value, text);
    assertEquals(write(value), text);
    assertEquals(formatDouble17g(-value), text.startsWith("-") ? text.slice(1) : `-${text}`);
  }
});

Deno.test("parseDouble reads as JavaScript does where both know the form", () => {
  for (const value of randomDoubles(2, 8000)) {
    if (!Number.isFinite(value)) continue;
    for (const text of [String(value), value.toExponential(), value.toPrecision(12)]) {
      assertEquals(parse(text), Number(text), text);
    }
  }
});

Deno.test("parseDouble rounds long texts once", () => {
  const middle = "9007199254740993";
  assertEquals(parse(`${middle}.${"0".repeat(100_000)}`), 9007199254740992);
  assertEquals(parse(`${middle}.${"0".repeat(100_000)}1`), 9007199254740994);
  assertEquals(parse(`0.${"0".repeat(20_000)}125e20000`), 0.125);
  assertEquals(parse(`125${"0".repeat(20_000)}e-20003`), 0.125);
  assertEquals(parse(`0x${"0".repeat(20_000)}1.${"0".repeat(20_000)}1`), 1);
  assertEquals(parse(`0x1.00000000000008${"0".repeat(20_000)}`), 1);
  assertEquals(parse(`0x1.00000000000008${"0".repeat(20_000)}1`), 1 + 2 ** -52);
});

Deno.test("parseScoreBound is as lenient as ZRANGEBYSCORE", () => {
  const bounds: [text: string, value: number | undefined][] = [
    ["5", 5],
    ["-1.5e3", -1500],
    ["0x10", 16],
    ["inf", Infinity],
    ["-inf", -Infinity],
    ["", 0],
    [" 1", 1],
    ["\t\v\f\n\r1", 1],
    ["5\0 ", 5],
    ["\0x", 0],
    ["1e999", Infinity],
    ["-1e999", -Infinity],
    ["1e-999", 0],
    ["-0x1p-2000", -0],
    ["0x1p99999", Infinity],
    [" ", undefined],
    ["5 ", undefined],
    ["nan", undefined],
    ["(5", undefined],
    ["5x", undefined],
    [" \0", undefined],
  ];
  for (const [text, value] of bounds) assertEquals(parseBound(text), value, JSON.stringify(text));
});

Deno.test("parseSortWeight refuses what C's strtod finds out of range", () => {
  const least = (5n ** 1074n).toString().padStart(1074, "0");
  const weights: [text: string, value: number | undefined][] = [
    ["", 0],
    [" 1", 1],
    ["inf", Infinity],
    ["0e-999", 0],
    ["-0x0p-2000", -0],
    ["1e308", 1e308],
    ["1e400", undefined],
    ["-0x1p1024", undefined],
    ["1e-400", undefined],
    ["1e-99999999999", undefined],
    ["5e-324", undefined],
    ["1e-310", undefined],
    ["2.2250738585072014e-308", 2 ** -1022],
    ["0x1p-1074", 2 ** -1074],
    ["-0x3p-1074", -3 * 2 ** -1074],
    ["0x1.8p-1074", undefined],
    ["0x1p-1075", undefined],
    [`0.${least}`, 2 ** -1074],
    [`${least}e-1074`, 2 ** -1074],
    [`0.${least}1`, undefined],
    ["0x0.fffffffffffffp-1022", 2 ** -1022 - 2 ** -1074],
    ["0x0.fffffffffffff8p-1022", undefined],
    ["0x0.fffffffffffffbp-1022", undefined],
    ["0x0.fffffffffffffcp-1022", 2 ** -1022],
    ["nan", undefined],
    ["5x", undefined],
  ];
  for (const [text, value] of weights) {
    assertEquals(parseWeight(text), value, JSON.stringify(text));
  }
});
