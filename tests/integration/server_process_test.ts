/** A server process around its files: configuration, sockets, log, pid file. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect, plainValue, ReplyError } from "../../src/client/mod.ts";
import { operatingSystem } from "../../src/runtime/operating_system.ts";
import { freePort } from "../support/ports.ts";
import { runProgram, ServerProcess } from "../support/program.ts";
import { NO_SIGNALS, testUnless } from "../support/test_where.ts";

/** Runs a test in a folder of its own. */
async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "mr-" }));
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function ask(port: number, ...words: string[]): Promise<unknown> {
  using client = await connect({ port });
  return plainValue(await client.command(words[0], ...words.slice(1)));
}

async function complaint(port: number, ...words: string[]): Promise<string> {
  try {
    return String(await ask(port, ...words));
  } catch (error) {
    if (error instanceof ReplyError) return error.message;
    throw error;
  }
}

testUnless(
  NO_SIGNALS,
  "a config file, its included files, options and the standard input",
  async () => {
    await inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/more.conf`, "timeout 7\nhz 20\n");
      await Deno.writeTextFile(
        `${folder}/redis.conf`,
        `include ${folder}/mor*.conf\nhz 30\nrename-command ECHO say\nrename-command TIME ""\n` +
          `pidfile redis.pid\nlogfile ''\ndir ${folder}\ntcp-backlog 100\n`,
      );
      await using server = await ServerProcess.start(
        "--lfu-log-factor",
        "9",
        `${folder}/redis.conf`,
      );
      assertEquals(
        await ask(server.port, "CONFIG", "GET", "timeout", "hz", "lfu-log-factor", "dir"),
        [
          ...["timeout", "7", "hz", "30", "lfu-log-factor", "9", "dir", folder],
        ],
      );
      assertEquals(await ask(server.port, "SAY", "a"), "a");
      assertMatch(await complaint(server.port, "ECHO", "a"), /^ERR unknown command 'ECHO'/);
      assertMatch(await complaint(server.port, "TIME"), /^ERR unknown command 'TIME'/);
      assertMatch(await Deno.readTextFile(`${folder}/redis.pid`), /^[0-9]+\n$/);
      server.kill("SIGTERM");
      const { log } = await server.finish();
      const text = log.join("\n");
      assertStringIncludes(text, "# 'tcp-backlog' has no effect here: ");
      assertMatch(log.at(-1)!, /^[0-9]+:M .* # miniredis is now ready to exit, bye bye\.\.\.$/);
      assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
        "more.conf",
        "redis.conf",
      ]);
    });
  },
);

Deno.test("what is wrong in a config file or in the input is named, and ends with 1", async () => {
  await inFolder(async (folder) => {
    const file = `${folder}/redis.conf`;
    await Deno.writeTextFile(file, "# mine\nport 0\nmaxmemory 1x\n");
    const broken = await runProgram(["server", file]);
    assertEquals([broken.code, broken.stdout], [1, ""]);
    assertEquals(
      broken.stderr,
      `
*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***
Reading the configuration file, at line 3 of ${file}
>>> 'maxmemory 1x'
argument must be a memory value
`,
    );
    const input = await runProgram(["server", "-"], "port 0\nhz x\n");
    assertEquals(input.code, 1);
    assertStringIncludes(input.stderr, "at line 2 of the standard input\n>>> 'hz x'\n");
    const missing = await runProgram(["server", `${folder}/none.conf`]);
    assertEquals(missing.code, 1);
    assertStringIncludes(missing.stderr, `can't open config file '${folder}/none.conf': `);
  });
});

const obstacle = operatingSystem.hasUnixSockets ? undefined : "there are no Unix sockets";
testUnless(obstacle, "a server on a Unix socket, with a log file", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/redis.sock`;
    const server = runProgram([
      ...["server", "--port", "0", "--unixsocket", "redis.sock", "--unixsocketperm", "700"],
      ...["--dir", folder, "--logfile", "redis.log"],
    ]);
    let connection: Deno.UnixConn | undefined;
    while (connection === undefined) {
      connection = await Deno.connect({ transport: "unix", path }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o700);
    const encoder = new TextEncoder();
    await connection.write(encoder.encode("CLIENT INFO\r\n"));
    const reply = new Uint8Array(4096);
    const size = await connection.read(reply);
    const text = new TextDecoder().decode(reply.subarray(0, size!));
    assertStringIncludes(text, ` addr=${path}:0 laddr=${path}:0 `);
    // What is still to be sent when this comes would be lost.
    await connection.write(encoder.encode("SHUTDOWN\r\n"));
    assertEquals(await connection.read(reply), null);
    connection.close();
    assertEquals(await server, { code: 0, stdout: "", stderr: "" });
    const log = await Deno.readTextFile(`${folder}/redis.log`);
    assertStringIncludes(log, "* The server is now ready to accept connections at redis.sock\n");
    assertMatch(log, /bye bye\.\.\.\n$/);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
      "dump.rdb",
      "redis.log",
    ]);
  });
});

Deno.test("CONFIG SET port and bind: the server listens anew, or as it did", async () => {
  await using server = await ServerProcess.start();
  using client = await connect({ port: server.port });
  const set = (...words: string[]) =>
    client.command("CONFIG", "SET", ...words).then(plainValue, (error) => error.message);
  const port = freePort();
  assertEquals(await set("port", String(port)), "OK");
  assertEquals(await ask(port, "PING"), "PONG");
  await Deno.connect({ hostname: "127.0.0.1", port: server.port }).then(
    () => assert(false, "the old port is closed"),
    (error) => assert(error instanceof Deno.errors.ConnectionRefused),
  );
  assertEquals(await set("bind", "* -::*"), "OK");
  assertEquals(await set("bind", "0.0.0.0 ::"), "OK");
  assertEquals(await ask(port, "PING"), "PONG");
  assertEquals(await set("bind", "127.0.0.1"), "OK");
  assertEquals(await ask(port, "PING"), "PONG");

  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assertEquals(
    await set("timeout", "5", "port", String(other.addr.port)),
    "ERR CONFIG SET failed (possibly related to argument 'port') - " +
      "Unable to listen on this port. Check server logs.",
  );
  // An address that is for documents alone.
  assertEquals(
    await set("bind", "192.0.2.1"),
    "ERR CONFIG SET failed (possibly related to argument 'bind') - " +
      "Failed to bind to specified addresses.",
  );
  assertEquals(await ask(port, "CONFIG", "GET", "port", "bind", "timeout"), [
    ...["port", String(port), "bind", "127.0.0.1", "timeout", "0"],
  ]);
});

Deno.test("CONFIG REWRITE, and a start from the file with the same settings", async () => {
  await inFolder(async (folder) => {
    const file = `${folder}/redis.conf`;
    const port = String(freePort());
    await Deno.writeTextFile(file, `# mine\nbind 127.0.0.1\nport ${port}\nhz 20\nsave 1 1\n`);
    const given = ["--requirepass", "", "--dir", folder, "--slowlog-max-len", "5", file];
    let before: unknown;
    {
      await using server = await ServerProcess.start("--port", port, ...given);
      await ask(server.port, "CONFIG", "SET", "hz", "40", "maxmemory", "64mb", "save", "1 2 3 4");
      await ask(server.port, "CONFIG", "SET", "proc-title-template", 'a "b"', "timeout", "0");
      before = await ask(server.port, "CONFIG", "GET", "*");
      assertEquals(await ask(server.port, "CONFIG", "REWRITE"), "OK");
    }
    const text = await Deno.readTextFile(file);
    assert(text.startsWith(`# mine\nbind 127.0.0.1\nport ${port}\nhz 40\nsave 1 2\n`), text);
    // Servers of tests keep no snapshots unless they are told.
    const options = ["--port", port, "--save", "1 2 3 4", "--hz", "40"];
    await using server = await ServerProcess.start(...options, file);
    assertEquals(await ask(server.port, "CONFIG", "GET", "*"), before);
  });
});

Deno.test("a fault ends the server with a report in the log", async () => {
  await using server = await ServerProcess.start("--enable-debug-command", "yes");
  await ask(server.port, "DEBUG", "PANIC").catch(() => {});
  const { code, log } = await server.finish();
  assert(code !== 0);
  assertStringIncludes(log.join("\n"), "# === MINIREDIS BUG REPORT START");
  assertStringIncludes(log.join("\n"), "crashed: Guru Meditation");
  assertStringIncludes(log.at(-1)!, "=== MINIREDIS BUG REPORT END.");
});
