/**
 * The program as a whole, from its command line: texts, exit codes, signals.
 *
 * With `MINIREDIS=bin/miniredis` it is the smoke test of the executable (`make smoke`).
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { SETTINGS as MONITOR_SETTINGS } from "../../src/monitor/config/settings.ts";
import { SETTINGS } from "../../src/server/settings.ts";
import { runProgram, ServerProcess } from "../support/program.ts";
import { NO_SIGNALS, testUnless } from "../support/test_where.ts";

Deno.test("without arguments, or asked for help, the program lists its subcommands", async () => {
  for (const args of [[], ["--help"], ["-h"], ["-help"]]) {
    const { code, stdout, stderr } = await runProgram(args);
    assertEquals([code, stderr], [0, ""]);
    for (const name of ["server", "client", "monitor"]) {
      assertMatch(stdout, new RegExp(`^ +${name} `, "m"));
    }
  }
});

Deno.test("the program tells its version", async () => {
  for (
    const args of [["--version"], ["server", "-v"], ["client", "--version"], [
      "monitor",
      "-version",
    ]]
  ) {
    const { code, stdout } = await runProgram(args);
    assertEquals(code, 0);
    assertMatch(stdout, /^miniredis.* v=\d+\.\d+\.\d+ \(redis 7\.0\.15 compatible\) /);
  }
});

Deno.test("an unknown name ends with 2 and says what was meant", async () => {
  for (
    const [args, message] of [
      [["sever"], "unknown subcommand 'sever'; did you mean 'server'?"],
      [["frobnicate"], "unknown subcommand 'frobnicate'; there are server, client, monitor"],
      [["--hlep"], "unknown option '--hlep'; did you mean '--help'?"],
      [["server", "-prot", "1"], "unknown option '-prot'; did you mean '--port'?"],
      [["server", "--port"], "option '--port' needs a value"],
      [["monitor", "--versoin"], "unknown option '--versoin'; did you mean '--version'?"],
    ] as const
  ) {
    const { code, stdout, stderr } = await runProgram(args);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, message);
    assertStringIncludes(stderr, "--help");
  }
});

Deno.test("the server's help lists every setting", async () => {
  const { code, stdout } = await runProgram(["server", "--help"]);
  assertEquals(code, 0);
  for (const { name, hidden } of SETTINGS) {
    if (!hidden) assertStringIncludes(stdout, `  --${name}`);
  }
});

Deno.test("the monitor's help lists every setting", async () => {
  const { code, stdout } = await runProgram(["monitor", "--help"]);
  assertEquals(code, 0);
  for (const { name } of MONITOR_SETTINGS) assertStringIncludes(stdout, `  --${name} `);
});

Deno.test("a value that a setting can't have ends with 1 and the words of Redis", async () => {
  for (
    const [args, message] of [
      [["--port", "70000"], `'port "70000"'\nargument must be between 0 and 65535 inclusive`],
      [["-port=x"], `'port "x"'\nargument couldn't be parsed into an integer`],
    ] as const
  ) {
    const { code, stdout, stderr } = await runProgram(["server", ...args]);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***");
    assertStringIncludes(stderr, message);
  }
});

Deno.test("a folder that can't be written ends with 1", async () => {
  const file = await Deno.makeTempFile();
  try {
    for (const folder of [file, `${file}-missing`]) {
      const { code, stderr } = await runProgram(["server", "--port", "0", "--dir", folder]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, `Can't write to the folder '${folder}': `);
    }
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a port in use ends with 1 and is named", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(listener.addr.port);
  const { code, stdout, stderr } = await runProgram(
    ["server", "--port", port, "--bind", "127.0.0.1"],
  );
  assertEquals([code, stderr], [1, ""]);
  const reason = `Could not create server TCP listening socket 127.0.0.1:${port}: bind: ` +
    "Address already in use";
  assertEquals(stdout.split(reason).length, 2, "it is said once");
  assertStringIncludes(stdout, `# Failed listening on port ${port} (TCP), aborting.`);
});

testUnless(NO_SIGNALS, "the server serves, with options in Go's style, until SIGTERM", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const start = performance.now();
    await using server = await ServerProcess.start("-dir", folder, "-dbfile", "data.rdb");
    await server.expectReply("PING\r\n", "+PONG\r\n");
    console.log(`start to first PONG: ${Math.round(performance.now() - start)} ms`);

    await server.expectReply("SET a b PX 100000\r\nGET a\r\n", "+OK\r\n$1\r\nb\r\n");
    await server.expectReply(
      "CONFIG GET dbfilename\r\n",
      "*2\r\n$10\r\ndbfilename\r\n$8\r\ndata.rdb\r\n",
    );
    assertEquals([...Deno.readDirSync(folder)], []);

    server.kill("SIGTERM");
    const { code, log } = await server.finish();
    assertEquals(code, 0);
    assertStringIncludes(log.join("\n"), "Received SIGTERM scheduling shutdown...");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

testUnless(
  NO_SIGNALS,
  "SIGINT and SHUTDOWN end the server with 0, SIGHUP doesn't end it",
  async () => {
    await using first = await ServerProcess.start();
    await using second = await ServerProcess.start();
    first.kill("SIGHUP");
    await first.expectReply("PING\r\n", "+PONG\r\n");
    first.kill("SIGINT");
    assertEquals((await first.finish()).code, 0);
    // The connection is closed without a reply.
    await second.expectReply("SHUTDOWN NOSAVE\r\n", "");
    assertEquals((await second.finish()).code, 0);
  },
);

/** Resolves when a server doesn't answer any more. */
async function busy(port: number): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const reply = new Uint8Array(16);
  for (let answered = true; answered;) {
    await connection.write(new TextEncoder().encode("PING\r\n"));
    const read = connection.read(reply).then(() => true, () => false);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), 500);
    });
    answered = await Promise.race([read, silence]);
    clearTimeout(timer);
  }
}

testUnless(
  NO_SIGNALS,
  "who insists with SIGINT ends at once a server that is too busy for the first signal",
  async () => {
    await using server = await ServerProcess.start("--enable-debug-command", "local");
    await server.expectReply("PING\r\n", "+PONG\r\n");
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await connection.write(new TextEncoder().encode("DEBUG SLEEP 60\r\n"));
    await busy(server.port);
    server.kill("SIGTERM");
    // Two signals that wait may reach a process in any order, or, if they are equal, as one.
    const insisting = setInterval(() => server.kill("SIGINT"), 50);
    assertEquals((await server.finish()).code, 1);
    clearInterval(insisting);
  },
);

Deno.test("the client runs the command of its command line, or those of its input", async () => {
  await using server = await ServerProcess.start();
  const port = String(server.port);
  assertEquals(await runProgram(["client", "-p", port, "SET", "a", "b"]), {
    code: 0,
    stdout: "OK\n",
    stderr: "",
  });
  const { code, stdout } = await runProgram(["client", "-port", port], "GET a\nINCR n\n");
  assertEquals([code, stdout], [0, "b\n1\n"]);
});

Deno.test("a client that finds no server ends with 1 and says where it looked", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { code, stdout, stderr } = await runProgram(["client", "-p", String(port), "PING"]);
  assertEquals([code, stdout], [1, ""]);
  assertStringIncludes(stderr, `127.0.0.1:${port}`);
});
