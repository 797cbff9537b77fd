import { assert, assertEquals, assertMatch } from "@std/assert";
import { runClient } from "../../src/client/cli.ts";
import { startReferenceRedis } from "../support/reference_redis.ts";
import { referenceTool } from "../support/reference_tool.ts";
import { FakeTerminal } from "./fake_terminal.ts";
import { ScriptedServer } from "./scripted_server.ts";

/** What the client prints and how it ends. */
async function help(
  args: string[],
  variables: Record<string, string> = {},
): Promise<{ code: number; output: string; errors: string[] }> {
  const terminal = new FakeTerminal();
  Object.assign(terminal.variables, variables);
  const code = await runClient(args, terminal);
  return { code, output: terminal.output, errors: terminal.errors };
}

/** A port of this machine on which nobody listens. */
function unusedPort(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return String(listener.addr.port);
}

Deno.test("help needs no server", async () => {
  const port = unusedPort();
  const { code, output, errors } = await help(["-p", port, "HELP", "get"]);
  assertEquals([code, errors], [0, []]);
  assert(output.startsWith("\r\n  \x1b[1mGET\x1b[0m \x1b[90mkey\x1b[0m\r\n"), output);
  assertEquals((await help(["-p", port, "help", "gett"])).output.includes("'GET'"), true);
  const general = await help(["-p", port, "?"]);
  assertMatch(general.output, /^miniredis client /);
});

Deno.test("help has no colours where none are wanted", async () => {
  const { output } = await help(["-p", unusedPort(), "help", "get"], { NO_COLOR: "1" });
  assertEquals(output.includes("\x1b"), false);
  assertMatch(output, /^\r\n {2}GET key\r\n {2}summary: /);
});

Deno.test("help is the server's own, if it can describe its commands", async () => {
  const docs = "*2\r\n$3\r\nfoo\r\n*2\r\n$7\r\nsummary\r\n$4\r\nBars\r\n";
  for (const [reply, expected] of [[docs, /Bars/], ["-ERR unknown\r\n", /unknown command 'foo'/]]) {
    await using server = new ScriptedServer(() => reply as string);
    const { code, output, errors } = await help(["-p", String(server.port), "help", "foo"]);
    assertEquals([code, errors], [0, []]);
    assertMatch(output, expected as RegExp);
    assertEquals(server.commands, [["COMMAND", "DOCS"]]);
  }
});

Deno.test("help comes from the table if the server isn't one, or lets nobody in", async () => {
  for (const answer of ["HTTP/1.1 400 Bad Request\r\n\r\n", "close"]) {
    await using server = new ScriptedServer(() => answer);
    const { code, output } = await help(["-p", String(server.port), "help", "get"]);
    assertEquals(code, 0);
    assertMatch(output, /GET/);
  }
  await using server = new ScriptedServer(() => "-WRONGPASS no\r\n");
  const args = ["-p", String(server.port), "--pass", "p", "--no-auth-warning", "help", "get"];
  assertEquals((await help(args)).errors, []);
});

Deno.test("help of one server is redis-cli's, byte for byte", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  for (const topic of [["set"], ["config"], ["acl", "setuser"], ["@list"], ["@scripting"]]) {
    const args = ["-s", redis.path, "help", ...topic];
    const expected = await referenceTool("redis-cli", args);
    if (expected === undefined) return;
    const { code, output } = await help(args);
    assertEquals([code, output], [expected.code, expected.output]);
  }
});
