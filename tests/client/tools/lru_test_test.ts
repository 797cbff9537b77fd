import { assert, assertEquals } from "@std/assert";
import { drawKey, playCache } from "../../../src/client/tools/lru_test.ts";
import { FakeTerminal } from "../fake_terminal.ts";
import type { Answer } from "../scripted_server.ts";
import { bulk, ImpatientTerminal, runTool, runToolItself, steppingClock } from "./tool_run.ts";

/** Plays with a thousand keys until there is a line, on a clock that makes it two batches. */
function play(answer: (words: string[]) => Answer, patienceBytes = 1) {
  return runToolItself(
    (context) => playCache(context, steppingClock(600)),
    ["--lru-test", "1000"],
    answer,
    new ImpatientTerminal(patienceBytes),
  );
}

Deno.test("four fifths of the requests are about a fifth of the keys", () => {
  const draws = 10_000;
  let near = 0;
  for (let draw = 0; draw < draws; draw++) {
    const key = drawKey(1000, draw / draws);
    assert(key >= 1 && key <= 1000 && Number.isInteger(key), `${key}`);
    if (key <= 200) near++;
  }
  assert(Math.abs(near / draws - 0.8) < 0.01, `${near}`);
  assertEquals(drawKey(1000, 0), 1000);
  assertEquals(drawKey(1000, 1 - Number.EPSILON), 1);
  assertEquals(drawKey(1, 0.5), 1);
});

Deno.test("how often the cache had what was looked for", async () => {
  let gets = 0;
  const result = await play((words) => {
    if (words[0] === "SET") return "+OK\r\n";
    return ++gets % 4 === 0 ? "$-1\r\n" : bulk("x");
  });
  assertEquals(
    result.output,
    "500 Gets/sec | Hits: 375 (75.00%) | Misses: 125 (25.00%)\n",
  );
  assertEquals([result.code, result.errors], [130, []]);
  assertEquals(
    result.commands.slice(250, 500).every((command) => /^GET lru:\d+$/.test(command)),
    true,
  );
  for (const command of result.commands.slice(0, 250)) {
    assert(/^SET lru:\d+ [A-y]{5}$/.test(command), command);
  }
});

Deno.test("errors in reply are said, once a line", async () => {
  const full = await play((words) => words[0] === "SET" ? "-OOM no room\r\n" : "$-1\r\n");
  assertEquals(full.errors, ["OOM no room"]);
  assertEquals(full.output, "500 Gets/sec | Hits: 0 (0.00%) | Misses: 500 (100.00%)\n");
  const closed = await play(() => "-NOAUTH log in\r\n");
  assertEquals(closed.errors, ["NOAUTH log in"]);
  assertEquals(closed.output, "0 Gets/sec | Hits: 0 (0.00%) | Misses: 0 (0.00%)\n");
});

Deno.test("a server that goes, and a number that is none", async () => {
  const gone = await play(() => "close");
  assertEquals([gone.code, gone.errors], [1, ["Error: Server closed the connection"]]);
  for (const value of ["none", "0", "-1", "1e3"]) {
    const terminal = new FakeTerminal();
    const { code } = await runTool(["--lru-test", value], () => "close", terminal);
    assertEquals([code, terminal.output], [1, ""]);
    assert(terminal.errors[0].includes(`'${value}' is no value for '--lru-test'`));
  }
});
