import { assertEquals, assertStringIncludes } from "@std/assert";
import { runClient } from "../../../src/client/cli.ts";
import { statLine } from "../../../src/client/tools/stat.ts";
import { freePort } from "../../support/ports.ts";
import { FakeTerminal } from "../fake_terminal.ts";
import { bulk, ImpatientTerminal, runTool } from "./tool_run.ts";

const HEADINGS = `\
------- data ------ --------------------- load -------------------- - child -
keys       mem      clients blocked requests            connections          
`;

/** What INFO answers, with some fields in the place of the usual ones. */
function info(fields: Record<string, string> = {}): string {
  const all = {
    connected_clients: "2",
    blocked_clients: "1",
    used_memory: "1605632",
    used_memory_human: "1.53M",
    loading: "0",
    async_loading: "0",
    rdb_bgsave_in_progress: "0",
    aof_rewrite_in_progress: "0",
    total_connections_received: "117",
    total_commands_processed: "1000",
    db0: "keys=12,expires=3,avg_ttl=0",
    db9: "keys=30,expires=0,avg_ttl=0",
    ...fields,
  };
  const lines = Object.entries(all).map(([field, value]) => `${field}:${value}\r\n`);
  return `# All\r\n${lines.join("")}`;
}

Deno.test("a line about a server", () => {
  const fields = (changed: Record<string, string>) =>
    new Map(
      info(changed).split("\r\n").map((line): [string, string] => {
        const [field, value = ""] = line.split(":");
        return [field, value];
      }),
    );
  assertEquals(
    statLine(fields({}), undefined),
    "42         1.53M    2       1       1000 (+0)           117         ",
  );
  assertEquals(
    statLine(fields({ rdb_bgsave_in_progress: "1", aof_rewrite_in_progress: "1" }), 990),
    "42         1.53M    2       1       1000 (+10)          117         SAVE+AOF",
  );
  assertEquals(
    statLine(fields({ loading: "1", used_memory: "1023" }), 1),
    "42         1023B    2       1       1000 (+999)         117         LOAD",
  );
  assertEquals(
    statLine(new Map(), undefined),
    "0          ?        ?       ?       ? (+0)              ?           ",
  );
});

Deno.test("lines until Ctrl-C is pressed, with headings now and then", async () => {
  let requests = 1000;
  const terminal = new ImpatientTerminal(1800);
  const result = await runTool(["--stat", "-i", "0.0001"], () => {
    requests += 5;
    return bulk(info({ total_commands_processed: `${requests}` }));
  }, terminal);
  assertEquals(result.code, 130);
  assertEquals(terminal.wasHeard, true);
  const [first, second, third] = result.output.split(HEADINGS);
  assertEquals(first, "");
  const lines = second.split("\n");
  assertEquals(lines.length, 21);
  assertEquals(lines[0], "42         1.53M    2       1       1005 (+0)           117         ");
  assertEquals(lines[19], "42         1.53M    2       1       1100 (+5)           117         ");
  assertStringIncludes(third, "1105 (+5)");
});

Deno.test("a server that refuses INFO, or isn't there", async () => {
  const refused = await runTool(["--stat"], () => "-NOAUTH log in\r\n");
  assertEquals([refused.code, refused.output], [1, ""]);
  assertEquals(refused.errors, ["ERROR: NOAUTH log in"]);
  const terminal = new FakeTerminal();
  const port = freePort();
  assertEquals(await runClient(["--stat", "-p", `${port}`], terminal), 1);
  assertEquals(terminal.errors, [
    `Could not connect to Redis at 127.0.0.1:${port}: Connection refused`,
  ]);
});

Deno.test("a server that goes and comes back", async () => {
  let answers = 0;
  const answer = () => ++answers === 2 ? "close" as const : bulk(info());
  const atTerminal = new ImpatientTerminal(300);
  atTerminal.outputIsTerminal = true;
  const result = await runTool(["--stat", "-i", "0.0001"], answer, atTerminal);
  const line = "42         1.53M    2       1       1000 (+0)           117         \n";
  assertEquals(
    result.output.slice(0, HEADINGS.length + 2 * line.length + 33),
    `${HEADINGS}${line}\r\x1b[0KReconnecting... 1\r\r\x1b[0K${line}`,
  );
  assertEquals([result.code, result.errors], [130, []]);

  // For a program, what is drawn over and over has no place in the output.
  answers = 0;
  const forProgram = await runTool(
    ["--stat", "-i", "0.0001"],
    answer,
    new ImpatientTerminal(HEADINGS.length + 2 * line.length),
  );
  assertEquals(forProgram.output, HEADINGS + line + line);
  assertEquals(forProgram.errors, ["Reconnecting: Server closed the connection"]);
});
