import { assert, assertEquals, assertMatch } from "@std/assert";
import { runClient } from "../../src/client/cli.ts";
import { FakeTerminal } from "./fake_terminal.ts";
import { run } from "./run_client.ts";
import { ScriptedServer } from "./scripted_server.ts";

Deno.test("redirections are followed with -c alone", async () => {
  await using owner = new ScriptedServer(([name]) => name === "get" ? "$1\r\nv\r\n" : "+OK\r\n");
  for (const kind of ["MOVED", "ASK"]) {
    owner.commands.length = 0;
    const moves = () => `-${kind} 866 127.0.0.1:${owner.port}\r\n`;
    const answer = (words: string[]) => words[0] === "get" ? moves() : "+OK\r\n";
    const followed = await run(["-c", "-a", "p", "-n", "2", "get", "k"], { answer });
    assertEquals([followed.code, followed.output], [0, "v\n"]);
    const asking = kind === "ASK" ? ["ASKING"] : [];
    assertEquals(
      owner.commands.map((words) => words.join(" ")),
      ["AUTH p", "SELECT 2", ...asking, "get k"],
    );
    const stayed = await run(["get", "k"], { answer });
    assertEquals(stayed.output, moves().slice(1).trim() + "\n\n");
    const told = await run(["-c"], { answer, input: "get k\nget k\n" });
    assertEquals(
      told.output.replaceAll(`${owner.port}`, "OWNER"),
      "-> Redirected to slot [866] located at 127.0.0.1:OWNER\nv\nv\n",
    );
  }
});

Deno.test("nodes that send a command round in circles are told so", async () => {
  await using server: ScriptedServer = new ScriptedServer((): string =>
    `-MOVED 1 127.0.0.1:${server.port}\r\n`
  );
  const terminal = new FakeTerminal();
  assertEquals(await runClient(["-p", `${server.port}`, "-c", "get", "k"], terminal), 0);
  assertEquals(terminal.output, `MOVED 1 127.0.0.1:${server.port}\n\n`);
  assert(server.commands.length < 20);
});

Deno.test("a node that isn't there, or doesn't take us, ends the command", async () => {
  await using owner = new ScriptedServer(() => "-WRONGPASS invalid\r\n");
  const answer = (words: string[]) =>
    words[0] === "get" ? `-MOVED 866 127.0.0.1:${owner.port}\r\n` : "+OK\r\n";
  const refused = await run(["--no-auth-warning", "-c", "-a", "p", "get", "k"], { answer });
  assertEquals([refused.code, refused.errors], [1, ["AUTH failed: WRONGPASS invalid"]]);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const lost = await run(["-c", "get", "k"], {
    answer: () => `-ASK 866 127.0.0.1:${port}\r\n`,
  });
  assertEquals(lost.code, 1);
  assertMatch(lost.errors.join(), /^Could not connect to Redis at 127\.0\.0\.1:\d+: /);
});
