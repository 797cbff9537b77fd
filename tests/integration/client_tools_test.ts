/** The client's tools as processes: their permissions, signals, and readers that go away. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "../../src/client/mod.ts";
import { programWords, runProgram, ServerProcess } from "../support/program.ts";
import { NO_SIGNALS, testUnless } from "../support/test_where.ts";

const KEYS = 2000;

/** A server with so many keys that a search with pauses makes one. */
async function startFilledServer(): Promise<ServerProcess> {
  const server = await ServerProcess.start();
  using client = await connect({ port: server.port });
  const replies = Array.from({ length: KEYS }, (_, index) => client.command("SET", `${index}`, ""));
  await Promise.all(replies);
  return server;
}

/** Starts the client, and ends it with this signal once it has printed something. */
async function interrupt(args: readonly string[]): Promise<{ code: number; output: string }> {
  const [program, ...before] = await programWords();
  const process = new Deno.Command(program, {
    args: [...before, "client", ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const decoder = new TextDecoder();
  let output = "";
  for await (const bytes of process.stdout) {
    if (output === "") process.kill("SIGINT");
    output += decoder.decode(bytes);
  }
  return { code: (await process.status).code, output };
}

Deno.test("tools that end by themselves need no further permission", async () => {
  await using server = await startFilledServer();
  const place = ["client", "-p", `${server.port}`];
  const scan = await runProgram([...place, "--scan"]);
  assertEquals([scan.code, scan.stderr], [0, ""]);
  assertEquals(scan.stdout.split("\n").length, KEYS + 1);
  for (const tool of ["--bigkeys", "--memkeys"]) {
    const { code, stdout, stderr } = await runProgram([...place, tool]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `Sampled ${KEYS} keys in the keyspace!\n`);
  }
  const hot = await runProgram([...place, "--hotkeys"]);
  assertEquals(hot.code, 1);
  assertMatch(hot.stderr, /^Error: ERR An LFU maxmemory policy is not selected.*\n$/);
  const latency = await runProgram([...place, "--latency", "-i", "0.05"]);
  assertEquals([latency.code, latency.stderr], [0, ""]);
  assertMatch(latency.stdout, /^\d+ \d+ \d+\.\d\d \d+\n$/);
});

testUnless(NO_SIGNALS, "Ctrl-C ends what goes on for ever", async () => {
  await using server = await startFilledServer();
  const place = ["-p", `${server.port}`];
  for (const tool of ["--stat", "--latency-history", "--latency-dist"]) {
    const { code, output } = await interrupt([...place, tool, "-i", "0.05"]);
    assertEquals(code, 130, tool);
    assertEquals(output.endsWith("\n"), true, tool);
  }
  assertEquals((await interrupt([...place, "--lru-test", "100"])).code, 130);
});

testUnless(NO_SIGNALS, "Ctrl-C ends a search with what was found", async () => {
  await using server = await startFilledServer();
  const place = ["-p", `${server.port}`];
  const scan = await interrupt([...place, "--scan", "-i", "0.05"]);
  assertEquals(scan.code, 0);
  const big = await interrupt([...place, "--bigkeys", "-i", "1000"]);
  assertEquals(big.code, 0);
  assertMatch(big.output, /\n\[\d\d\.\d\d%\] Sampled \d+ keys in the keyspace!\n/);
  const stalls = await interrupt(["--intrinsic-latency", "1000"]);
  assertEquals(stalls.code, 0);
  assertMatch(stalls.output, /\d+ total runs /);
});

testUnless(NO_SIGNALS, "a reader that goes away", async () => {
  await using server = await startFilledServer();
  const command = [
    ...await programWords(),
    "client",
    "-p",
    `${server.port}`,
    "--scan",
    "-i",
    "0.01",
  ];
  const script = `"$@" | head -1; exit 0`;
  const { stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", script, "sh", ...command],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assertMatch(decoder.decode(stdout), /^\d+\n$/);
  assertEquals(decoder.decode(stderr), "");
});
