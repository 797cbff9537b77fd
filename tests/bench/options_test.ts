import { assertEquals, assertThrows } from "@std/assert";
import { parseOptions, splitCommandLine, UsageError } from "./options.ts";

Deno.test("a command line is split at blanks outside quotes", () => {
  assertEquals(splitCommandLine(`redis-server --save '' --dir "/tmp/a b"`), [
    "redis-server",
    "--save",
    "",
    "--dir",
    "/tmp/a b",
  ]);
});

Deno.test("a quick run is short unless it is told otherwise", () => {
  assertEquals(parseOptions([])?.rounds, 7);
  assertEquals(parseOptions(["--quick"])?.rounds, 2);
  assertEquals(parseOptions(["--quick", "--rounds", "3"])?.rounds, 3);
});

Deno.test("suites are the arguments that are no options", () => {
  assertEquals(parseOptions(["memory", "--port=17400", "idle"])?.suites, ["memory", "idle"]);
  assertEquals(parseOptions(["--help"]), null);
});

Deno.test("what can't be followed is refused", () => {
  for (const args of [["--fast"], ["--rounds", "none"], ["--rounds", "-1"], ["--compiled"]]) {
    assertThrows(() => parseOptions(args), UsageError);
  }
});

Deno.test("what is measured can be chosen by a regular expression", () => {
  assertEquals(parseOptions(["--only", "^lpush"])?.only, /^lpush/i);
  assertThrows(() => parseOptions(["--only", "("]), UsageError);
});
