/**
 * `--pipe`, `--rdb` and `--replica` as processes: their input and output are files, pipes and terminals of the system, and
 * they are interrupted.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { programWords, runProgram, ServerProcess } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const UNIX = Deno.build.os !== "windows";
const WHY_NOT = "not tried: it takes a Unix shell";
const SENT = "All data transferred. Waiting for the last reply...\n";
const ANSWERED = "Last reply received from server.\n";

/** Runs a line of the shell in which `client` is ours, at a server. */
async function shell(line: string, { port }: { port: number }, folder = ".") {
  const client = (await programWords()).map((word) => `'${word}'`).join(" ");
  const prefix = `client() { ${client} client -p ${port} "$@"; }; cd '${folder}' || exit 99\n`;
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", prefix + line],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A client that is running. */
class RunningClient implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #done: Promise<unknown>;
  #stdout = "";
  #stderr = "";

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#done = Promise.all([
      child.stdout.pipeThrough(new TextDecoderStream())
        .pipeTo(new WritableStream({ write: (text) => void (this.#stdout += text) })),
      child.stderr.pipeThrough(new TextDecoderStream())
        .pipeTo(new WritableStream({ write: (text) => void (this.#stderr += text) })),
    ]);
  }

  write(text: string): Promise<void> {
    return this.#writer.write(new TextEncoder().encode(text));
  }

  /** Waits until a text stands in the error output. */
  says(text: string): Promise<void> {
    return eventually(() => this.#stderr.includes(text));
  }

  /** Waits until a text stands in the output. */
  prints(text: string): Promise<void> {
    return eventually(() => this.#stdout.includes(text));
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for its end, without ending its input. */
  async finish(): Promise<{ code: number; stdout: string; stderr: string }> {
    const { code } = await this.#child.status;
    await this.#done;
    return { code, stdout: this.#stdout, stderr: this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.finish();
    await this.#writer.close().catch(() => {});
  }
}

async function startClient(
  server: { port: number },
  ...options: string[]
): Promise<RunningClient> {
  const [program, ...args] = await programWords();
  const command = new Deno.Command(program, {
    args: [...args, "client", "-p", `${server.port}`, ...options],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  return new RunningClient(command.spawn());
}

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "bulk-tools-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("--pipe reads a pipe, a file, one that is read in part, and none", async () => {
  await using server = await ServerProcess.start();
  const commands = Array.from({ length: 30_000 }, (_, number) => `SET key:${number} value\r\n`);
  assertEquals(await runProgram(["client", "-p", `${server.port}`, "--pipe"], commands.join("")), {
    code: 0,
    stdout: `${SENT}${ANSWERED}errors: 0, replies: 30000\n`,
    stderr: "",
  });
  await server.expectReply("DBSIZE\r\n", ":30000\r\n");
  if (!UNIX) return console.log(WHY_NOT);
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/commands`, commands.join("") + "nonsense\r\n");
    const run = (line: string) => shell(line, server, folder);
    assertMatch((await run("client --pipe < commands")).stdout, /errors: 1, replies: 30001\n$/);
    const rest = await run("{ read -r line; client --pipe; } < commands");
    assertMatch(rest.stdout, /errors: 1, replies: 30000\n$/);
    assertEquals(rest.stderr, "ERR unknown command 'nonsense', with args beginning with: \n");
    assertMatch((await run("client --pipe <&-")).stdout, /errors: 0, replies: 0\n$/);
    assertEquals(await run("client --pipe < ."), {
      code: 1,
      stdout: "",
      stderr: "Error reading from stdin: Is a directory (errors: 0, replies: 0)\n",
    });
    const slow =
      "(printf 'SET a '; sleep 0.3; printf 'b\\r\\nGET a\\r\\n'; sleep 0.3) | client --pipe";
    assertMatch((await run(slow)).stdout, /errors: 0, replies: 2\n$/);
  });
});

Deno.test("--pipe ends when the server does, though its input is still open", async () => {
  await using server = await ServerProcess.start();
  await using client = await startClient(server, "--pipe");
  await client.write("nonsense\r\n");
  await client.says("unknown command");
  await server.expectReply("SHUTDOWN NOSAVE\r\n", "");
  assertEquals(await client.finish(), {
    code: 1,
    stdout: "",
    stderr: "ERR unknown command 'nonsense', with args beginning with: \n" +
      "Error: Server closed the connection (errors: 1, replies: 1)\n",
  });
});

Deno.test("--pipe shows how far it is on a terminal", async () => {
  if (Deno.build.os !== "linux") return console.log("not tried: `script` is another elsewhere");
  await using server = await ServerProcess.start();
  await withFolder(async (folder) => {
    const [program, ...args] = await programWords();
    const client = [program, ...args].map((word) => `"${word}"`).join(" ");
    await Deno.writeTextFile(`${folder}/commands`, "SET a b\r\n".repeat(1000));
    await Deno.writeTextFile(
      `${folder}/run`,
      `stty cols 70; for part in 1 2 3 4 5 6; do cat commands; sleep 0.3; done | ${client} client -p ${server.port} --pipe\n`,
    );
    let output: Deno.CommandOutput;
    try {
      const args = ["-q", "-e", "-c", "sh run", "/dev/null"];
      output = await new Deno.Command("script", { args, cwd: folder, stdin: "null" }).output();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return console.log("not tried: there is no `script` here");
    }
    const screen = new TextDecoder().decode(output.stdout);
    assertMatch(screen, /\rSending {2}\d+\.\d KiB {2}\d+\.?\d* [KiB]+\/s {2}0:0\d/);
    assert(screen.replaceAll("\r\n", "\n").endsWith("errors: 0, replies: 6000\n"), screen);
  });
});

Deno.test("--rdb that is interrupted leaves nothing; one whose reader goes away says nothing", async () => {
  if (!UNIX) return console.log(WHY_NOT);
  await using server = await ServerProcess.start("--repl-diskless-sync-delay", "30");
  await withFolder(async (folder) => {
    await using client = await startClient(server, "--rdb", `${folder}/snapshot`);
    await client.says("sending REPLCONF rdb-only 1\n");
    assertEquals([...Deno.readDirSync(folder)].length, 1, "a file that is partial");
    client.kill("SIGINT");
    assertEquals((await client.finish()).code, 130);
    assertEquals([...Deno.readDirSync(folder)], []);
    await server.expectReply("CONFIG SET repl-diskless-sync-delay 0\r\n", "+OK\r\n");
    const { stdout, stderr } = await shell("client --rdb - | head -c 5", server);
    assertEquals(stdout, "REDIS");
    assert(!/error/i.test(stderr), stderr);
    const fetched = await shell(`client --rdb '${folder}/snapshot' 2>/dev/null`, server);
    assertEquals([fetched.code, fetched.stdout], [0, ""]);
    assertEquals((await Deno.readTextFile(`${folder}/snapshot`)).slice(0, 5), "REDIS");
  });
});

Deno.test("--replica prints commands at once, into a pipe, too", async () => {
  await using server = await ServerProcess.start("--repl-diskless-sync", "no");
  await using client = await startClient(server, "--replica");
  await client.says("SYNC done. Logging commands from master.\n");
  await server.expectReply("SET a b\r\n", "+OK\r\n");
  await client.prints('"SELECT","0"\n"SET","a","b"\n');
  await server.expectReply("CLIENT KILL TYPE replica\r\n", ":1\r\n");
  const { code, stderr } = await client.finish();
  assertEquals(code, 1);
  assert(stderr.endsWith("Error: Server closed the connection\n"), stderr);
});
