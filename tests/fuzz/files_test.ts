import { assert } from "@std/assert";
import { testSeed } from "../support/random.ts";
import { type FileTally, fuzzFiles } from "./file_fuzzer.ts";
import { KINDS } from "./file_seeds.ts";

const FILES = 2000;

Deno.test("broken files are loaded or refused, and nothing else becomes of them", async () => {
  const seed = testSeed("fuzz files_test");
  const tally: FileTally = await fuzzFiles({ seed, from: 0, files: FILES, kinds: KINDS });
  // Both ways have been gone.
  assert(tally.loaded > FILES / 50 && tally.refused > FILES / 50, JSON.stringify(tally));
});
