import { assertEquals } from "@std/assert";
import {
  addLongDouble,
  formatLongDouble,
  type LongDouble,
  longDoubleFromNumber,
  parseLongDouble,
} from "../../src/protocol/long_double.ts";

/** What `SET key first`, `INCRBYFLOAT key second` replies. */
function incrementByFloat(first: string, second: string): string {
  const left = parseLongDouble(first);
  const right = parseLongDouble(second);
  if (left === undefined || right === undefined) return "value is not a valid float";
  const sum = addLongDouble(left, right);
  return sum.kind === "finite" ? formatLongDouble(sum) : "increment would produce NaN or Infinity";
}

/** Value, increment, and the reply of redis-server 7.0.15 on x86-64. */
const REPLIES: readonly [value: string, increment: string, reply: string][] = [
  ["3.0", "1.1", "4.1"],
  ["0.1", "0.2", "0.3"],
  ["10.5", "0.1", "10.6"],
  ["5.0e3", "200", "5200"],
  ["0", "-0", "0"],
  ["-0", "-0", "0"],
  ["1", "-1", "0"],
  ["1.5", "-1.5", "0"],
  ["0", "0.1", "0.1"],
  ["0", "-0.1", "-0.1"],
  ["1e-17", "0", "0.00000000000000001"],
  ["5e-18", "0", "0"],
  ["4e-18", "0", "0"],
  ["-4e-18", "0", "0"],
  ["5.1e-18", "0", "0.00000000000000001"],
  ["1.5e-17", "0", "0.00000000000000002"],
  ["2.5e-17", "0", "0.00000000000000002"],
  ["0x1p-18", "0", "0.00000381469726562"],
  ["0x3p-18", "0", "0.00001144409179688"],
  ["0x1p-17", "0x1p-18", "0.00001144409179688"],
  ["9007199254740993", "0", "9007199254740993"],
  ["9007199254740993", "0.5", "9007199254740993.5"],
  ["18446744073709551615", "0", "18446744073709551615"],
  ["18446744073709551615", "0.5", "18446744073709551616"],
  ["18446744073709551615", "1", "18446744073709551616"],
  ["18446744073709551616", "1", "18446744073709551616"],
  ["18446744073709551617", "0", "18446744073709551616"],
  ["18446744073709551618", "1", "18446744073709551620"],
  ["18446744073709551619", "0", "18446744073709551620"],
  ["36893488147419103231", "0", "36893488147419103232"],
  ["36893488147419103235", "0", "36893488147419103236"],
  ["9223372036854775807", "0.5", "9223372036854775807.5"],
  ["9223372036854775807", "0.25", "9223372036854775807"],
  ["9223372036854775807", "0.75", "9223372036854775808"],
  ["9223372036854775808", "0.5", "9223372036854775808"],
  ["4611686018427387904", "0.125", "4611686018427387904"],
  ["4611686018427387904", "0.375", "4611686018427387904.5"],
  ["1e19", "1", "10000000000000000001"],
  ["1e20", "1e-20", "100000000000000000000"],
  ["1e22", "1e22", "20000000000000000000000"],
  ["123456789.123456789", "0.000000001", "123456789.12345678999554366"],
  ["99999999999.99999999", "0.00000001", "100000000000"],
  ["0.00000000000000001", "0.00000000000000001", "0.00000000000000002"],
  ["1.23456789012345678", "0", "1.23456789012345678"],
  ["1.99999999999999999", "0", "1.99999999999999999"],
  ["0.999999999999999999", "0", "1"],
  ["0.9999999999999999999", "0", "1"],
  ["1e18", "-0.1", "999999999999999999.875"],
  ["1700000000.123456", "86400", "1700086400.12345600000116974"],
  ["0x1.8p1", "0x.8", "3.5"],
  ["0X10", "0xA", "26"],
  ["0x1P+4", "1", "17"],
  [".5", "5.", "5.5"],
  ["+1", "+2", "3"],
  ["00012", "1e05", "100012"],
  ["1E2", "1", "101"],
  ["1e4932", "-1e4932", "0"],
  ["0x1p16383", "-0x1p16383", "0"],
  ["1e-4950", "-1e-4950", "0"],
  ["3.6451995318824746025e-4951", "0", "0"],
  ["1e4932", "1e4932", "increment would produce NaN or Infinity"],
  ["-1e4932", "-1e4932", "increment would produce NaN or Infinity"],
  ["inf", "1", "increment would produce NaN or Infinity"],
  ["1", "-inf", "increment would produce NaN or Infinity"],
  ["inf", "-inf", "increment would produce NaN or Infinity"],
  ["Infinity", "-1", "increment would produce NaN or Infinity"],
  ["1e5000", "0", "value is not a valid float"],
  ["1e-5000", "0", "value is not a valid float"],
  ["0x1p16384", "0", "value is not a valid float"],
  ["0x1p-16446", "0", "value is not a valid float"],
  ["1", "nan", "value is not a valid float"],
  ["1", "nan(1)", "value is not a valid float"],
  ["1", "", "value is not a valid float"],
  ["1", " 1", "value is not a valid float"],
  ["1", "1 ", "value is not a valid float"],
  ["1 ", "1", "value is not a valid float"],
  ["1", "1\u0000", "value is not a valid float"],
  ["1", "0x", "value is not a valid float"],
  ["1", "0x1p", "value is not a valid float"],
  ["1", "1e", "value is not a valid float"],
  ["1", ".", "value is not a valid float"],
  ["1", "--1", "value is not a valid float"],
  ["1", "1,5", "value is not a valid float"],
  ["1", "1e5x", "value is not a valid float"],
  ["1", "infin", "value is not a valid float"],
];

/** A small generator of 32-bit numbers, so that a failure can be repeated. */
function randomBits(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Numbers of up to 18 digits with a point somewhere, as counters and prices have it. */
function randomTexts(seed: number, count: number): string[] {
  const random = randomBits(seed);
  return Array.from({ length: count }, () => {
    const digits = String(random()) + String(random()).slice(0, random() % 9);
    const point = random() % digits.length;
    const sign = random() % 2 === 0 ? "-" : "";
    return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  });
}

function parse(text: string): LongDouble {
  const value = parseLongDouble(text);
  if (value === undefined) throw new Error(`not a long double: ${text}`);
  return value;
}

Deno.test("INCRBYFLOAT's arithmetic gives redis-server's replies", () => {
  for (const [value, increment, reply] of REPLIES) {
    assertEquals(incrementByFloat(value, increment), reply, `${value} + ${increment}`);
  }
});

Deno.test("parseLongDouble takes fewer than 5120 bytes", () => {
  assertEquals(incrementByFloat("0".repeat(5118) + "5", "1"), "6");
  assertEquals(parseLongDouble("0".repeat(5119) + "5"), undefined);
  assertEquals(formatLongDouble(parse(`0.${"0".repeat(5110)}1e5110`)), "0.1");
  assertEquals(formatLongDouble(parse(`${"9".repeat(5113)}e-5113`)), "1");
});

Deno.test("parseLongDouble refuses characters that are not ASCII", () => {
  for (const text of ["\u0661", "\uff11", "1\u00a0", "\u0130nf", "1\ud800"]) {
    assertEquals(parseLongDouble(text), undefined, text);
  }
});

Deno.test("parseLongDouble rounds a tie to the even mantissa, and the rest of one away", () => {
  const tie = 2n ** 64n + 1n;
  assertEquals(formatLongDouble(parse(`${tie}`)), `${tie - 1n}`);
  assertEquals(formatLongDouble(parse(`${tie}.${"0".repeat(4000)}1`)), `${tie + 1n}`);
  assertEquals(formatLongDouble(parse(`${tie + 2n}`)), `${tie + 3n}`);
  assertEquals(formatLongDouble(parse(`${tie + 1n}.${"9".repeat(4000)}`)), `${tie + 1n}`);
});

Deno.test("parseLongDouble knows the ends of the range", () => {
  assertEquals(parse("0x1p-16445"), {
    kind: "finite",
    negative: false,
    mantissa: 1n,
    exponent: -16445,
  });
  assertEquals(parse("0x1.8p-16446").mantissa, 1n);
  assertEquals(parseLongDouble("0x1p-16446"), undefined);
  assertEquals(parse("0x1.fffffffffffffffep16383").mantissa, 2n ** 64n - 1n);
  assertEquals(parseLongDouble("0x1.ffffffffffffffffp16383"), undefined);
  assertEquals(parse("1.18973149535723176502e4932").mantissa, 2n ** 64n - 1n);
  assertEquals(parseLongDouble("1.18973149535723176506e4932"), undefined);
});

Deno.test("addLongDouble: sums of integers below 2^64 are exact", () => {
  const random = randomBits(1);
  for (let round = 0; round < 1000; round++) {
    const left = (BigInt(random()) << 31n) + BigInt(random());
    const right = -((BigInt(random()) << BigInt(random() % 32)) + BigInt(random()));
    assertEquals(incrementByFloat(`${left}`, `${right}`), `${left + right}`);
  }
});

Deno.test("addLongDouble: the order does not matter, and a number less itself is zero", () => {
  const texts = randomTexts(2, 1000);
  texts.forEach((text, index) => {
    const other = texts[(index + 1) % texts.length];
    assertEquals(incrementByFloat(text, other), incrementByFloat(other, text));
    assertEquals(incrementByFloat(text, text.startsWith("-") ? text.slice(1) : `-${text}`), "0");
  });
});

Deno.test("addLongDouble: infinities and what is not a number stay", () => {
  const infinity = parse("inf");
  const minusInfinity = parse("-inf");
  const nan = addLongDouble(infinity, minusInfinity);
  assertEquals(nan.kind, "nan");
  for (const value of [nan, infinity, parse("1")]) {
    assertEquals(addLongDouble(nan, value).kind, "nan");
    assertEquals(addLongDouble(value, nan).kind, "nan");
  }
  assertEquals(addLongDouble(infinity, infinity), infinity);
  assertEquals(formatLongDouble(minusInfinity), "-inf");
  assertEquals(formatLongDouble(nan), "nan");
});

Deno.test("formatLongDouble: numbers below ten come back with all 17 places", () => {
  const random = randomBits(3);
  for (let round = 0; round < 1000; round++) {
    const places = `${random()}${random()}`.slice(0, 1 + random() % 17).replace(/0+$/, "7");
    const text = `${random() % 2 === 0 ? "-" : ""}${random() % 10}.${places}`;
    assertEquals(formatLongDouble(parse(text)), text);
  }
});

Deno.test("longDoubleFromNumber keeps the value", () => {
  const texts: [number, string][] = [
    [0, "0"],
    [-0, "0"],
    [0.1, "0.10000000000000001"],
    [-13.361389338970184, "-13.36138933897018433"],
    [38.115556395496299, "38.11555639549629859"],
    [2 ** -18, "0.00000381469726562"],
    [-(2 ** 80), "-1208925819614629174706176"],
    [Number.MIN_VALUE, "0"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
    [NaN, "nan"],
  ];
  for (const [value, text] of texts) {
    assertEquals(formatLongDouble(longDoubleFromNumber(value)), text);
  }
});
