/** The command line client as a process, where things go wrong around it. */

import { assertEquals, assertMatch } from "@std/assert";
import { programWords, ServerProcess } from "../support/program.ts";

/** What a line for the shell left behind. */
interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs a line for the shell, in which `CLIENT` stands for the client with the server's port. */
async function runLine(line: string, port: number): Promise<Outcome> {
  const client = [...await programWords(), "client", "-p", `${port}`];
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", line.replaceAll("CLIENT", () => '"$@"'), "bash", ...client],
    env: { LC_ALL: "C" },
  }).output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

/** Where there is no such shell, the lines can't be tried; says so. */
function hasShell(): boolean {
  if (Deno.build.os !== "windows") return true;
  console.log("not tried: these lines are for the shells of other systems");
  return false;
}

Deno.test("a reader that goes away ends the client quietly", async () => {
  if (!hasShell()) return;
  await using server = await ServerProcess.start();
  await runLine("CLIENT RPUSH list $(seq -f %090.0f 0 9999)", server.port);
  const lines = [
    "CLIENT LRANGE list 0 -1 | head -n 1",
    "yes 'LRANGE list 0 -1' | CLIENT | head -n 1",
    // It would go on for ever, and what it shows are the commands of the loop.
    "(while CLIENT PING; do :; done) >/dev/null & CLIENT MONITOR | head -n 3; kill $!",
  ];
  for (const line of lines) {
    const { output, errors } = await runLine(line, server.port);
    assertEquals(errors, "", line);
    assertMatch(output, /^(0+|OK)\n/, line);
  }
  const { output } = await runLine(
    "CLIENT LRANGE list 0 -1 | head -n 1 >/dev/null; echo ${PIPESTATUS[0]}",
    server.port,
  );
  assertEquals(output, "141\n");
});

Deno.test("a password may be the first line of the input", async () => {
  if (!hasShell()) return;
  await using server = await ServerProcess.start("--requirepass", "secret");
  const lines = {
    "echo secret | CLIENT --askpass PING": "PONG\n",
    "printf 'secret\\nPING\\nECHO x\\n' | CLIENT --askpass": "PONG\nx\n",
    "printf 'secret\\nsome text' | CLIENT --askpass -x ECHO": "some text\n",
    "CLIENT --askpass PING </dev/null": "NOAUTH Authentication required.\n\n",
  };
  for (const [line, expected] of Object.entries(lines)) {
    const { code, output, errors } = await runLine(line, server.port);
    assertEquals([code, output, errors], [0, expected, ""], line);
  }
});

Deno.test("what goes wrong is one line and an exit code", async () => {
  if (!hasShell()) return;
  await using server = await ServerProcess.start();
  const lines: Record<string, [code: number, errors: RegExp]> = {
    "CLIENT -p 1 PING": [1, /^Could not connect to Redis at 127\.0\.0\.1:1: Connection refused\n$/],
    "echo PING | CLIENT -p 1": [0, /^(Could not connect to Redis at \S+ Connection refused\n){2}$/],
    "CLIENT --nope": [1, /^Unrecognized option or bad number of args for: '--nope'.*\n$/],
    "CLIENT -n x": [1, /^'x' is no value for '--db'\n$/],
    "CLIENT -e NOPE": [1, /^ERR unknown command 'NOPE'.*\n$/],
    "CLIENT -x SET a </": [1, /^Reading from standard input: Is a directory\n$/],
    "CLIENT </": [1, /^Reading from standard input: Is a directory\n$/],
    "CLIENT --eval / 0": [1, /^Can't open file '\/': Is a directory\n$/],
    "CLIENT --cluster info": [1, /^--cluster isn't there.*\n$/],
  };
  if (Deno.build.os === "linux") {
    lines["CLIENT PING >/dev/full"] = [
      1,
      /^Writing to standard output: No space left on device\n$/,
    ];
    lines["CLIENT PING 2>/dev/full >/dev/full"] = [1, /^$/];
  }
  for (const [line, [code, errors]] of Object.entries(lines)) {
    const outcome = await runLine(line, server.port);
    assertEquals([outcome.code, outcome.output], [code, ""], line);
    assertMatch(outcome.errors, errors, line);
  }
});
