/** `miniredis monitor` as a process: its start, its end, and what it knows after a restart. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LoggingProcess } from "../support/logging_process.ts";
import { freePort } from "../support/ports.ts";
import { runProgram, ServerProcess } from "../support/program.ts";
import { NO_SIGNALS, testUnless } from "../support/test_where.ts";

/** Starts a monitor, and waits for a line of its log. */
function startMonitor(args: readonly string[], line: RegExp): Promise<LoggingProcess> {
  return LoggingProcess.start(["monitor", ...args], line);
}

/** The port of a line `Running mode=..., port=...` of a monitor's log. */
function portOf(monitor: LoggingProcess, mode: string): number {
  const pattern = new RegExp(`Running mode=${mode}, port=(\\d+)`);
  return Number(pattern.exec(monitor.log.join("\n"))![1]);
}

/** Sends a line, and gives what comes. */
async function ask(port: number, line: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(`${line}\r\n`));
  const room = new Uint8Array(4096);
  return new TextDecoder().decode(room.subarray(0, await connection.read(room) ?? 0));
}

async function inFolder(task: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "monitor-process-" });
  try {
    await task(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

testUnless(
  NO_SIGNALS,
  "a monitor stands in front of its node, and ends when it is asked to",
  async () => {
    await inFolder(async (folder) => {
      await using server = await ServerProcess.start();
      // deno-fmt-ignore
      const args = [
      "--nodes", `127.0.0.1:${server.port}`, "--port", "0", "--bind", "127.0.0.1",
      "--sentinel-port", "0", "--dir", folder,
    ];
      await using monitor = await startMonitor(args, /mode=router/);
      await monitor.until(/\+monitor master mymaster 127\.0\.0\.1 \d+ quorum 1$/);
      assertEquals(await ask(portOf(monitor, "router"), "SET key value"), "+OK\r\n");
      await server.expectReply("GET key\r\n", "$5\r\nvalue\r\n");
      assertMatch(await ask(portOf(monitor, "sentinel"), "SENTINEL MYID"), /^\$40\r\n/);
      assertEquals(await monitor.end("SIGTERM"), 0);
      assertMatch(monitor.log.at(-1)!, /# Sentinel is now ready to exit, bye bye\.\.\.$/);
      // The node is as it was.
      await server.expectReply("GET key\r\n", "$5\r\nvalue\r\n");
    });
  },
);

testUnless(
  NO_SIGNALS,
  "a monitor that was killed comes back with its id, its settings and its groups",
  async () => {
    await inFolder(async (folder) => {
      await using server = await ServerProcess.start();
      const path = `${folder}/sentinel.conf`;
      const before = `# mine
port ${freePort()}
bind 127.0.0.1
sentinel monitor main 127.0.0.1 ${server.port} 2
`;
      await Deno.writeTextFile(path, before);
      let id = "";
      {
        await using monitor = await startMonitor([path], /mode=sentinel/);
        const port = portOf(monitor, "sentinel");
        id = await ask(port, "SENTINEL MYID");
        assertEquals(await ask(port, "SENTINEL CONFIG SET announce-ip 10.0.0.9"), "+OK\r\n");
        assertEquals(await ask(port, "SENTINEL SET main quorum 3"), "+OK\r\n");
        assertEquals(await ask(port, "SENTINEL MONITOR other 10.0.0.1 6379 1"), "+OK\r\n");
        await monitor.end("SIGKILL");
      }
      assertEquals(
        (await Deno.readTextFile(path)).startsWith(before.replace(/2\n$/, "3\n")),
        true,
      );
      await using monitor = await startMonitor([path], /mode=sentinel/);
      const port = portOf(monitor, "sentinel");
      assertEquals(await ask(port, "SENTINEL MYID"), id);
      assertStringIncludes(await ask(port, "SENTINEL CONFIG GET announce-ip"), "10.0.0.9");
      assertStringIncludes(await ask(port, "SENTINEL MASTER other"), "10.0.0.1");
      assertMatch(monitor.log.join("\n"), /\+monitor master main 127\.0\.0\.1 \d+ quorum 3$/m);
      assertEquals(await monitor.end("SIGINT"), 0);
    });
  },
);

Deno.test("a monitor that can't start says why in one line, and ends with 1", async () => {
  await inFolder(async (folder) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    // deno-fmt-ignore
    const { code, stdout } = await runProgram([
      "monitor", "--dir", folder, "--port", String(taken.addr.port), "--bind", "127.0.0.1",
    ]);
    assertEquals(code, 1);
    assertMatch(stdout, /# Could not [^\n]*: Address already in use\n$/);
    const unwritable = await runProgram(["monitor", "--state", `${folder}/none/state.conf`]);
    assertEquals([unwritable.code, unwritable.stdout], [1, ""]);
    assertMatch(unwritable.stderr, /^The state file .*none\/state\.conf is not writable: No such/);
    const nobody = await runProgram(["monitor", "status", "--url", `127.0.0.1:${freePort()}`]);
    assertEquals([nobody.code, nobody.stdout], [1, ""]);
    assertMatch(nobody.stderr, /no answer from a monitor/);
  });
});
