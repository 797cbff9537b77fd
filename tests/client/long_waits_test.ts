import { assert, assertEquals } from "@std/assert";
import { runClient } from "../../src/client/cli.ts";
import { LONGEST_TIMER_MS } from "../../src/runtime/clock.ts";
import { FakeTerminal } from "./fake_terminal.ts";
import { withServer } from "./own_server.ts";
import { run } from "./run_client.ts";
import { runTool, scanned } from "./tools/tool_run.ts";

/** More seconds than a timer takes, which would then be over at once. */
const SECONDS = "9999999";

/** Does something while waits of an hour and more are noted, and over at once. */
async function notingLongWaits(work: () => Promise<void>): Promise<number[]> {
  const waits: number[] = [];
  const { setTimeout } = globalThis;
  const shortened = (callback: () => void, durationMs = 0) => {
    if (durationMs < 3_600_000) return setTimeout(callback, durationMs);
    waits.push(durationMs);
    return setTimeout(callback, 0);
  };
  globalThis.setTimeout = shortened as typeof setTimeout;
  try {
    await work();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  return waits;
}

Deno.test("what is longer than a timer takes is the longest wait, not none", async () => {
  const repeated = await notingLongWaits(async () => {
    assertEquals((await run(["-r", "2", "-i", SECONDS, "ping"])).output, "PONG\nPONG\n");
  });
  assertEquals(repeated, [LONGEST_TIMER_MS]);
  const repeatedLine = await notingLongWaits(async () => {
    assertEquals((await run(["-i", SECONDS], { input: "2 ping\n" })).output, "PONG\nPONG\n");
  });
  assertEquals(repeatedLine, [LONGEST_TIMER_MS]);
  const scanning = await notingLongWaits(async () => {
    const answer = (words: string[]) => scanned(words[1] === "0" ? 7 : 0, ["a"]);
    assertEquals((await runTool(["-i", SECONDS, "--scan"], answer)).output, "a\na\n");
  });
  assert(scanning.length > 0 && scanning.every((wait) => wait === LONGEST_TIMER_MS));
  const piping = await notingLongWaits(async () => {
    await withServer(async (port) => {
      const args = ["-p", `${port}`, "--pipe-timeout", SECONDS, "--pipe"];
      assertEquals(await runClient(args, new FakeTerminal("PING\r\n")), 0);
    });
  });
  assert(piping.length > 0 && piping.every((wait) => wait === LONGEST_TIMER_MS));
});
