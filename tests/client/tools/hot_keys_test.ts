import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FakeTerminal } from "../fake_terminal.ts";
import type { Answer } from "../scripted_server.ts";
import { runTool, scanned } from "./tool_run.ts";

const HEADING = `
# Scanning the entire keyspace to find hot keys as well as
# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec
# per 100 SCAN commands (not usually needed).

`;

const BATCH_KEYS = 4;

/** A server whose keys `k0`, `k1` and so on have these counters. */
function serverOf(counters: readonly (number | string)[]): (words: string[]) => Answer {
  return (words) => {
    switch (words[0]) {
      case "DBSIZE":
        return `:${counters.length}\r\n`;
      case "SCAN": {
        const start = Number(words[1]);
        const end = Math.min(counters.length, start + BATCH_KEYS);
        const keys = counters.slice(start, end).map((_, index) => `k${start + index}`);
        return scanned(end < counters.length ? end : 0, keys);
      }
      default: {
        const counter = counters[Number(words[2].slice(1))];
        return typeof counter === "number" ? `:${counter}\r\n` : counter;
      }
    }
  };
}

Deno.test("the hottest keys, as they are found and at the end", async () => {
  const result = await runTool(["--hotkeys"], serverOf([3, 0, 7, 3, 5, 0]));
  assertEquals(
    result.output,
    `${HEADING}\
[00.00%] Hot key '"k0"' found so far with counter 3
[00.00%] Hot key '"k2"' found so far with counter 7
[00.00%] Hot key '"k3"' found so far with counter 3
[66.67%] Hot key '"k4"' found so far with counter 5

-------- summary -------

Sampled 6 keys in the keyspace!
hot key found with counter: 7\tkeyname: "k2"
hot key found with counter: 5\tkeyname: "k4"
hot key found with counter: 3\tkeyname: "k0"
hot key found with counter: 3\tkeyname: "k3"
`,
  );
  assertEquals([result.code, result.errors], [0, []]);
  assertEquals(result.commands.slice(0, 7), [
    ...["DBSIZE", "SCAN 0"],
    ...["OBJECT FREQ k0", "OBJECT FREQ k1", "OBJECT FREQ k2", "OBJECT FREQ k3", "SCAN 4"],
  ]);
});

Deno.test("sixteen are listed; of equal ones those that were found first", async () => {
  const counters = [9, ...Array(16).fill(5), 4, 6, 5];
  const { output } = await runTool(["--hotkeys"], serverOf(counters));
  const listed = output.split("\n").filter((line) => line.startsWith("hot key found"))
    .map((line) => line.replace(/^.*counter: (\d+)\t.*"(.*)"$/, "$2=$1"));
  const fives = Array.from({ length: 14 }, (_, index) => `k${index + 1}=5`);
  assertEquals(listed, ["k0=9", "k18=6", ...fives]);
  assertEquals(output.includes(`'"k16"' found so far`), false);
});

Deno.test("a policy without counters, and keys that vanish", async () => {
  const refused = await runTool(["--hotkeys"], serverOf(["-ERR no LFU policy\r\n"]));
  assertEquals([refused.code, refused.output], [1, HEADING]);
  assertEquals(refused.errors, ["Error: ERR no LFU policy"]);

  const vanished = await runTool(["--hotkeys"], serverOf(["$-1\r\n", 2]));
  assertEquals(vanished.code, 0);
  assertEquals(vanished.errors, ['Warning: OBJECT FREQ of "k0" failed: it is gone']);
  assertStringIncludes(vanished.output, "Sampled 2 keys in the keyspace!\n");

  const closed = await runTool(["--hotkeys"], serverOf(["close"]));
  assertEquals([closed.code, closed.errors], [1, ["Error: Server closed the connection"]]);
});

Deno.test("Ctrl-C prints the summary of what was found", async () => {
  const terminal = new FakeTerminal();
  const answer = serverOf(Array(40).fill(1));
  const result = await runTool(["--hotkeys"], (words) => {
    if (words[2] === "k9") assert(terminal.interrupt());
    return answer(words);
  }, terminal);
  assertEquals(result.code, 0);
  assertStringIncludes(result.output, "\n[20.00%] Sampled 12 keys in the keyspace!\n");
});
