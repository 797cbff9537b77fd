import { assertEquals } from "@std/assert";
import { formatFixed, formatTrimmed } from "../../src/protocol/fixed_point.ts";

Deno.test("fixed point: as C's %.nf prints them", () => {
  const cases: [value: number, digits: number, text: string][] = [
    [0, 4, "0.0000"],
    [-0, 4, "-0.0000"],
    [166274.15156960033, 4, "166274.1516"],
    [-1.00005, 4, "-1.0001"],
    [Infinity, 4, "inf"],
    [-Infinity, 4, "-inf"],
    [NaN, 4, "nan"],
    [1e21, 2, "1000000000000000000000.00"],
    [85.05112878, 17, "85.05112877999999910"],
    [0.1, 20, "0.10000000000000000555"],
    // Exactly between two texts: the even one.
    [0.03125, 4, "0.0312"],
    [0.09375, 4, "0.0938"],
    [-0.03125, 4, "-0.0312"],
    [12345.28125, 4, "12345.2812"],
    [181.0078125, 6, "181.007812"],
    [181.0234375, 6, "181.023438"],
    [1 + 2 ** -18, 17, "1.00000381469726562"],
    [1 + 3 * 2 ** -18, 17, "1.00001144409179688"],
  ];
  for (const [value, digits, text] of cases) {
    assertEquals(formatFixed(value, digits), text, `${value} ${digits}`);
  }
});

Deno.test("fixed point: without zeros that say nothing", () => {
  assertEquals(formatTrimmed(180, 17), "180");
  assertEquals(formatTrimmed(100.5, 17), "100.5");
  assertEquals(formatTrimmed(-0.25, 17), "-0.25");
  assertEquals(formatTrimmed(1e-20, 17), "0");
});
