import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runClient } from "../../../src/client/cli.ts";
import { eventually } from "../../support/waiting.ts";
import { FakeTerminal } from "../fake_terminal.ts";
import { type Answer, ScriptedServer } from "../scripted_server.ts";
import { runTool, scanned } from "./tool_run.ts";

/** Longer than it takes until progress is drawn. */
const DRAW_INTERVAL_MS = 110;

/** A server with three batches of keys, of which one is empty. */
function answer(words: string[]): Answer {
  switch (words.slice(0, 2).join(" ")) {
    case "SCAN 0":
      return scanned(17, ["a", "b c", 'q"\n\x00\xff']);
    case "SCAN 17":
      return scanned(5, []);
    case "SCAN 5":
      return scanned(0, ["d"]);
  }
  return "-ERR not expected\r\n";
}

Deno.test("the names of all keys, for programs and for people", async () => {
  assertEquals(await runTool(["--scan"], answer), {
    code: 0,
    output: 'a\nb c\nq"\n\x00\xff\nd\n',
    errors: [],
    commands: ["SCAN 0 COUNT 25", "SCAN 17 COUNT 25", "SCAN 5 COUNT 25"],
  });
  const quoted = '"a"\n"b c"\n"q\\"\\n\\x00\\xff"\n"d"\n';
  assertEquals((await runTool(["--scan", "--no-raw"], answer)).output, quoted);
  const terminal = new FakeTerminal();
  terminal.outputIsTerminal = terminal.errorIsTerminal = true;
  assertEquals((await runTool(["--scan"], answer, terminal)).output, quoted);
  assertEquals(terminal.errorText, "");
});

Deno.test("a pattern, plain or quoted, and pauses", async () => {
  const { commands } = await runTool(["--scan", "--pattern", "a*\\n"], answer);
  assertEquals(commands[0], "SCAN 0 MATCH a*\\n COUNT 25");
  const result = await runTool(["--scan", "--quoted-pattern", '"a*\\n"', "-i", "0.001"], answer);
  assertEquals(result.commands, [
    "SCAN 0 MATCH a*\n",
    "SCAN 17 MATCH a*\n",
    "SCAN 5 MATCH a*\n",
  ]);
  assertEquals(result.code, 0);
});

Deno.test("what goes wrong is said in a line, behind the keys that there were", async () => {
  const refused = await runTool(
    ["--scan"],
    (words) => words[1] === "0" ? answer(words) : "-NO\r\n",
  );
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.output, "b c\n");
  assertEquals(refused.errors, ["SCAN error: NO"]);

  const closed = await runTool(["--scan"], (words) => words[1] === "0" ? answer(words) : "close");
  assertEquals([closed.code, closed.errors], [1, ["Error: Server closed the connection"]]);

  for (const nonsense of [":1\r\n", "*1\r\n$1\r\n0\r\n", "*2\r\n:0\r\n*0\r\n"]) {
    const { code, errors } = await runTool(["--scan"], () => nonsense);
    const expected = "SCAN error: the server didn't answer with a cursor and keys";
    assertEquals([code, errors], [1, [expected]], nonsense);
  }
  const { code, errors } = await runTool(["--scan"], () => "?\r\n");
  assertEquals([code, errors], [1, [
    'Error: Protocol error, got "?" as reply type byte, at byte 0',
  ]]);
});

Deno.test("Ctrl-C ends it with what was found", async () => {
  const terminal = new FakeTerminal();
  const result = await runTool(["--scan"], (words) => {
    if (words[1] === "17") assert(terminal.interrupt());
    return answer(words);
  }, terminal);
  assertEquals(result.commands.length, 2);
  assertEquals([result.code, result.output], [0, 'a\nb c\nq"\n\x00\xff\n']);
});

Deno.test("Ctrl-C doesn't wait for the end of a pause", async () => {
  const terminal = new FakeTerminal();
  await using server = new ScriptedServer(answer);
  const running = runClient(["-p", `${server.port}`, "--scan", "-i", "1000000"], terminal);
  await eventually(() => terminal.output !== "");
  assert(terminal.interrupt());
  assertEquals(await running, 0);
  assertEquals(server.commands.length, 1);
});

Deno.test("a reader that has enough ends it quietly", async () => {
  const terminal = new FakeTerminal();
  terminal.write = () => {
    throw new Deno.errors.BrokenPipe();
  };
  const result = await runTool(["--scan"], answer, terminal);
  assertEquals([result.code, result.errors], [141, []]);
});

Deno.test("to a file, a terminal shows how far it is", async () => {
  const terminal = new FakeTerminal();
  terminal.errorIsTerminal = terminal.writesFile = true;
  const result = await runTool(["--scan"], (words) => {
    if (words[1] === "17") letTimePass(DRAW_INTERVAL_MS);
    return words[0] === "DBSIZE" ? ":8\r\n" : answer(words);
  }, terminal);
  assertEquals(result.commands[0], "DBSIZE");
  assertEquals(result.output, 'a\nb c\nq"\n\x00\xff\nd\n');
  assertStringIncludes(terminal.errorText, "Scanning  37% [");

  const other = new FakeTerminal();
  other.errorIsTerminal = true;
  assertEquals((await runTool(["--scan"], answer, other)).commands[0], "SCAN 0 COUNT 25");
});

function letTimePass(durationMs: number): void {
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs);
}
