import { assert, assertEquals } from "@std/assert";
import { runClient } from "../../../src/client/cli.ts";
import { startServer } from "../../../src/server/mod.ts";
import { MemoryFiles } from "../../support/memory_files.ts";
import { startReferenceRedis } from "../../support/reference_redis.ts";
import { eventually } from "../../support/waiting.ts";
import { FakeTerminal } from "../fake_terminal.ts";
import { ScriptedMaster } from "./scripted_master.ts";

const MARK = "0123456789abcdef".repeat(3).slice(0, 40);
const SET = '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$4\r\n"\n\x00\xff\r\n';

async function ask(port: string, ...words: string[]): Promise<string> {
  const terminal = new FakeTerminal();
  await runClient(["-p", port, ...words], terminal);
  return terminal.output;
}

Deno.test("what a server of ours is told to write is shown, until it ends us", async () => {
  for (const diskless of ["no", "yes"]) {
    const server = await startServer({
      port: "0",
      bind: "127.0.0.1",
      "repl-diskless-sync": diskless,
      "repl-diskless-sync-delay": "0",
    }, { log: () => {}, files: new MemoryFiles() });
    const port = String(server.port);
    try {
      await ask(port, "set", "before", "x".repeat(1000));
      const terminal = new FakeTerminal();
      const finished = runClient(["-p", port, "--replica"], terminal);
      await eventually(async () =>
        (await ask(port, "info", "replication")).includes("state=online")
      );
      await ask(port, "-n", "3", "set", "key", 'a "b"');
      await ask(port, "-n", "3", "incr", "n");
      await eventually(() => terminal.output.includes("incr"));
      assertEquals(terminal.output, '"SELECT","3"\n"set","key","a \\"b\\""\n"incr","n"\n');
      await ask(port, "client", "kill", "type", "replica");
      assertEquals(await finished, 1);
      assertEquals(terminal.errors.at(-1), "Error: Server closed the connection");
      assertEquals(terminal.errors.slice(0, 2), [
        "sending REPLCONF capa eof",
        "sending REPLCONF rdb-filter-only ",
      ]);
      assert(terminal.errors[2].startsWith("SYNC with master, discarding "), terminal.errors[2]);
      assert(terminal.errors[3].startsWith("SYNC done"), terminal.errors[3]);
    } finally {
      await server.shutDownNow();
    }
  }
});

Deno.test("the lines are redis-cli's, at a redis-server", async () => {
  await using redis = await startReferenceRedis("--repl-diskless-sync-delay", "0");
  if (redis === undefined) return;
  const decoder = new TextDecoder();
  for (const diskless of ["no", "yes"]) {
    await redis.ask("CONFIG", "SET", "repl-diskless-sync", diskless);
    const child = new Deno.Command("redis-cli", {
      args: ["-s", redis.path, "--replica"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let theirs = "";
    const reading = child.stdout.pipeTo(
      new WritableStream({ write: (bytes) => void (theirs += decoder.decode(bytes)) }),
    );
    const terminal = new FakeTerminal();
    const finished = runClient(["-s", redis.path, "--replica"], terminal);
    const online = async () => (await redis.ask("INFO", "replication")).match(/state=online/g);
    await eventually(async () => (await online())?.length === 2);
    // redis-cli takes the first command for the answer to its acknowledgement.
    const write = async (number: number) => await redis.ask("SET", `key "${number}"`, "\x00\xff");
    let number = 0;
    await eventually(async () => {
      await write(number++);
      return theirs.includes("key ") && terminal.output.includes("key ");
    });
    await redis.ask("EVAL", "redis.call('lpush', 'l', 1, 'x y') redis.call('incr', 'n')", "0");
    await eventually(() => theirs.includes("incr") && terminal.output.includes("incr"));
    await redis.ask("CLIENT", "KILL", "TYPE", "slave");
    assertEquals(await finished, (await child.status).code);
    await reading;
    const common = (output: string) => output.slice(output.indexOf(`"SET","key \\"${number - 1}`));
    assert(common(theirs).includes('"lpush","l","1","x y"\n"incr","n"\n'), theirs);
    assertEquals(common(terminal.output), common(theirs));
  }
});

Deno.test("a master that waits for an acknowledgement gets it until it goes on", async () => {
  await using master = new ScriptedMaster({ pieces: ["\n", `$EOF:${MARK}\r\nREDIS${MARK}`] });
  const terminal = new FakeTerminal();
  const finished = runClient(["-p", master.port, "--replica"], terminal);
  const acknowledgements = () => master.commands.filter((name) => name === "REPLCONF ACK 0").length;
  await eventually(() => acknowledgements() === 2);
  assertEquals(terminal.errors.slice(2), [
    "SYNC with master, discarding bytes of bulk transfer until EOF marker...",
    "SYNC done after 5 bytes. Logging commands from master.",
    "sending REPLCONF ACK 0",
  ]);
  await master.send(SET.slice(0, 9));
  await master.send(SET.slice(9) + SET);
  await eventually(() => terminal.output.split("\n").length === 3);
  assertEquals(terminal.output, '"SET","a","\\"\\n\\x00\\xff"\n'.repeat(2));
  master.drop();
  assertEquals(await finished, 1);
});

Deno.test("lines of JSON for who wants them", async () => {
  await using master = new ScriptedMaster({ pieces: ["$5\r\nREDIS" + SET], closes: true });
  const terminal = new FakeTerminal();
  assertEquals(await runClient(["-2", "-p", master.port, "--json", "--replica"], terminal), 1);
  assert(terminal.output.startsWith('["SET","a","\\"\\n'), terminal.output);
  assertEquals(terminal.errors.slice(2), [
    "SYNC with master, discarding 5 bytes of bulk transfer...",
    "SYNC done. Logging commands from master.",
    "Error: Server closed the connection",
  ]);
});

Deno.test("a master that refuses, breaks off or sends something else", async () => {
  const cases: [string[], string][] = [
    [["-NOPERM no\r\n"], "SYNC with master failed: -NOPERM no"],
    [["$50\r\nREDIS"], "Error reading RDB payload while SYNCing"],
    [[], "Error reading bulk length while SYNCing"],
    [
      ["$5\r\nREDIS" + SET + "HTTP"],
      'Error: Protocol error, got "H" as reply type byte, at byte 30',
    ],
  ];
  for (const [pieces, expected] of cases) {
    await using master = new ScriptedMaster({ pieces, closes: true });
    const terminal = new FakeTerminal();
    assertEquals(await runClient(["-p", master.port, "--slave"], terminal), 1);
    assertEquals(terminal.errors.at(-1), expected);
  }
});
