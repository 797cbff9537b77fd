import { assertEquals, assertThrows } from "@std/assert";
import {
  formatMebibytes,
  formatNumber,
  formatSpread,
  formatThousands,
  formatWithGoal,
  markdownTable,
  ratioOfMedians,
  replaceBlock,
} from "./report.ts";

Deno.test("numbers keep about three digits", () => {
  assertEquals([1234.5, 56.78, 1.234, 0.0123].map(formatNumber), ["1235", "56.8", "1.23", "0.012"]);
  assertEquals(formatThousands(1_292_345), "1292 k");
  assertEquals(formatMebibytes(1.5 * 1024 * 1024), "1.50");
});

Deno.test("a figure that is missing shows as a dash", () => {
  assertEquals([formatNumber(null), formatNumber(NaN), formatMebibytes(null)], ["-", "-", "-"]);
  assertEquals(formatSpread([null, null]), "-");
  assertEquals(ratioOfMedians([1, 2], []), null);
});

Deno.test("a spread of one measurement is that measurement", () => {
  assertEquals(formatSpread([5]), "5.00");
  assertEquals(formatSpread([3, 1, 2]), "2.00 (1.00..3.00)");
});

Deno.test("a goal says whether it is met", () => {
  assertEquals(formatWithGoal(1.63, { atLeast: 1.5 }), "1.63 (>= 1.5)");
  assertEquals(formatWithGoal(1.41, { atLeast: 1.5 }), "1.41 (>= 1.5, missed)");
  assertEquals(formatWithGoal(0.8, { atMost: 0.75 }), "0.80 (<= 0.75, missed)");
  assertEquals(formatWithGoal(1.5012, { atMost: 1.5 }), "1.5012 (<= 1.5, missed)");
  assertEquals(formatWithGoal(0.8, undefined), "0.80");
  assertEquals(formatWithGoal(null, { atMost: 1 }), "-");
});

Deno.test("a table is padded, text left and figures right", () => {
  assertEquals(
    markdownTable(["test", "ms"], [["SET -P 1", "1"], ["GET", "12.25"]]),
    [
      "| test     |    ms |",
      "| -------- | ----: |",
      "| SET -P 1 |     1 |",
      "| GET      | 12.25 |",
    ].join("\n"),
  );
});

Deno.test("a block is replaced between its markers and nowhere else", () => {
  const document = "a\n<!-- bench:x -->\n\nold\n\n<!-- /bench:x -->\nb\n";
  const replaced = "a\n<!-- bench:x -->\n\nnew\n\n<!-- /bench:x -->\nb\n";
  assertEquals(replaceBlock(document, "x", "new\n"), replaced);
  assertThrows(() => replaceBlock(document, "y", "new"), Error, 'no block "y"');
});
