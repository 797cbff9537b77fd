import { assertEquals, assertThrows } from "@std/assert";
import { parseBenchmarkCsv } from "./redis_benchmark.ts";

const HEADING = '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms",' +
  '"p95_latency_ms","p99_latency_ms","max_latency_ms"';

Deno.test("figures are found by the names of their columns", () => {
  const output = `${HEADING}\n"SET","467289.72","1.561","0.336","1.439","2.567","4.775","9.575"\n`;
  assertEquals(parseBenchmarkCsv(output), {
    requestsPerSecond: 467289.72,
    p50Ms: 1.439,
    p99Ms: 4.775,
  });
});

Deno.test("a heading without figures is an error", () => {
  assertThrows(() => parseBenchmarkCsv(`${HEADING}\n`), Error, "no figures");
});
