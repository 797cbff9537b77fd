import { assertEquals } from "@std/assert";
import { formatMemorySize, parseMemorySize } from "../../src/runtime/memory_size.ts";

Deno.test("parseMemorySize knows Redis' units, in either case", () => {
  const sizes: Record<string, number> = {
    "0": 0,
    "1": 1,
    "010": 10,
    "1b": 1,
    "1k": 1000,
    "1kb": 1024,
    "1KB": 1024,
    "1Kb": 1024,
    "5m": 5_000_000,
    "5mb": 5 * 1024 * 1024,
    "64Mb": 64 * 1024 * 1024,
    "2g": 2_000_000_000,
    "2GB": 2 * 1024 ** 3,
    "9007199254740991": Number.MAX_SAFE_INTEGER,
  };
  for (const [text, size] of Object.entries(sizes)) assertEquals(parseMemorySize(text), size, text);
});

Deno.test("parseMemorySize refuses what isn't an amount", () => {
  const refused = "-1|-1kb|+1|1.5gb|1e3|0x10|1t|1tb|1kib|1kbb|1k1|1%|kg|abc| 1|1 |1 kb|1kb\n|\u0661"
    .split("|");
  for (const text of refused) assertEquals(parseMemorySize(text), undefined, text);
});

Deno.test("parseMemorySize takes odd texts as redis-server 7.0.15 does", () => {
  const sizes: [text: string, size: bigint | undefined][] = [
    ["", 0n],
    ["kb", 0n],
    ["b", 0n],
    ["18446744073709551615", 18446744073709551615n],
    ["18446744073709551616", 18446744073709551615n],
    ["17179869183gb", 18446744072635809792n],
    ["17179869184gb", 0n],
    ["99999999999999999999999kb", 18446744073709550592n],
    ["9999999999999999gb", 11236551437959823360n],
    [`${"0".repeat(126)}5kb`, 5120n],
    [`${"0".repeat(127)}5kb`, undefined],
  ];
  for (const [text, size] of sizes) {
    assertEquals(parseMemorySize(text), size === undefined ? undefined : Number(size), text);
  }
});

Deno.test("memory size: for people", () => {
  const sizes = [0, 1023, 1024, 1536, 1024 ** 2 * 1.5, 5 * 1024 ** 3, 2 ** 60];
  assertEquals(sizes.map(formatMemorySize), [
    "0B",
    "1023B",
    "1.00K",
    "1.50K",
    "1.50M",
    "5.00G",
    "1024.00P",
  ]);
});
