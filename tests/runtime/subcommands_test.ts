import { assertEquals, assertMatch } from "@std/assert";
import { runSubcommand, versionLine } from "../../src/runtime/subcommands.ts";
import { VERSION } from "../../src/runtime/version.ts";

Deno.test("a subcommand gets the arguments behind its name, and gives the exit code", async () => {
  const given: string[][] = [];
  const exitCode = await runSubcommand(["two", "a", "--b"], {
    one: { summary: "", run: () => Promise.resolve(1) },
    two: {
      summary: "",
      run: (args) => {
        given.push(args);
        return Promise.resolve(7);
      },
    },
  });
  assertEquals(exitCode, 7);
  assertEquals(given, [["a", "--b"]]);
});

Deno.test("the version is that of deno.json", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  assertEquals(VERSION, config.version);
  assertMatch(
    versionLine("miniredis"),
    /^miniredis v=\d+\.\d+\.\d+ \(redis 7\.0\.15 compatible\) /,
  );
});
