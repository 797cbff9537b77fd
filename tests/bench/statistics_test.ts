import { assertEquals } from "@std/assert";
import { geometricMean, median, pairedRatios, quantile, summarize } from "./statistics.ts";

Deno.test("a median is the middle value, or the mean of the two in the middle", () => {
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([9, 1, 5, 7]), 6);
  assertEquals(median([]), NaN);
});

Deno.test("quantiles lie between their neighbours", () => {
  assertEquals(quantile([10, 20], 0.25), 12.5);
  assertEquals(quantile([10, 20], 1), 20);
  assertEquals(quantile([10], 0.99), 10);
});

Deno.test("a summary leaves the order of its values alone", () => {
  const values = [30, 10, 20];
  assertEquals(summarize(values), {
    min: 10,
    lowerQuartile: 15,
    median: 20,
    upperQuartile: 25,
    max: 30,
  });
  assertEquals(values, [30, 10, 20]);
});

Deno.test("ratios are taken pair by pair, as far as there are pairs", () => {
  assertEquals(pairedRatios([2, 9, 5], [1, 3]), [2, 3]);
});

Deno.test("a geometric mean of ratios is the same from both sides", () => {
  assertEquals(geometricMean([4, 1, 16]).toFixed(9), "4.000000000");
  assertEquals(geometricMean([0.5, 2]).toFixed(9), "1.000000000");
});
