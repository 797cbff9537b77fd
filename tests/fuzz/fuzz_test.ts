import { assertEquals } from "@std/assert";
import { runFuzz } from "./fuzzer.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import { testSeed } from "../support/random.ts";
import { startServer } from "../../src/server/mod.ts";

const FRAMES = 20_000;

Deno.test("random and mutated requests are answered in order, and leave nothing behind", async () => {
  const seed = testSeed("fuzz_test");
  const server = await startServer(
    { port: "0", bind: "127.0.0.1", "enable-debug-command": "yes" },
    { log: () => {}, files: new MemoryFiles() },
  );
  const address = { hostname: "127.0.0.1", port: server.port };
  const summary = await runFuzz({ frames: FRAMES, seed, address });
  await server.shutDownNow();
  assertEquals(summary.fault, undefined);
});
