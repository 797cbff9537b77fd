import { assert, assertEquals } from "@std/assert";
import { CommandStatistics, LatencyHistogram } from "../../src/server/command_statistics.ts";
import { seededRandom, testSeed } from "../support/random.ts";

Deno.test("histogram: percentiles are the upper end of a bucket, as Redis shows them", () => {
  const histogram = new LatencyHistogram();
  histogram.record(10_000, 1);
  assertEquals(histogram.percentile(50), 10_047);
  assertEquals(histogram.percentile(100), 10_047);
  assertEquals(histogram.percentile(0), 9_984);
  const small = new LatencyHistogram();
  small.record(0, 3);
  assertEquals(small.percentile(99.9), 1);
  const long = new LatencyHistogram();
  long.record(5e9, 1);
  assertEquals(long.percentile(50), 1_002_438_655);
});

Deno.test("histogram: any percentile is right within a hundredth", () => {
  const random = seededRandom(testSeed("histogram"));
  const histogram = new LatencyHistogram();
  const times = Array.from({ length: 5000 }, () => Math.floor(Math.exp(random() * 20)) + 1);
  for (const time of times) histogram.record(time, 1);
  times.sort((a, b) => a - b);
  for (const percent of [1, 10, 50, 90, 99, 99.9, 100]) {
    const exact = times[Math.floor((percent / 100) * times.length + 0.5) - 1];
    const found = histogram.percentile(percent);
    assert(found >= exact && found <= exact * 1.01, `${percent} %: ${found} for ${exact}`);
  }
  assertEquals(histogram.total, 5000);
});

Deno.test("histogram: cumulative counts under limits that double", () => {
  const histogram = new LatencyHistogram();
  for (let ms = 1; ms <= 5; ms++) histogram.record(ms * 1e6 + 90_000, 1);
  assertEquals(histogram.cumulative(), [[2113, 2], [4227, 4], [8454, 5]]);
  histogram.record(1.2e9, 1);
  assertEquals(histogram.cumulative().at(-1), [1073741, 6]);
  const small = new LatencyHistogram();
  small.record(1031, 4);
  small.record(1032, 2);
  small.record(33_000, 1);
  assertEquals(small.cumulative(), [[1, 4], [2, 6], [33, 7]]);
  assertEquals(new LatencyHistogram().cumulative(), []);
});

Deno.test("statistics: calls that are charged together", () => {
  const statistics = new CommandStatistics();
  statistics.record(0.5, 16, true);
  statistics.record(100, 1, false);
  assertEquals(statistics.calls, 17);
  assertEquals(statistics.microseconds, 108);
  assertEquals(statistics.histogram!.total, 16);
  statistics.reset();
  assertEquals([statistics.calls, statistics.microseconds, statistics.histogram], [0, 0, null]);
});
