/**
 * The program as its users run it: a process of its own.
 *
 * It is run from source, or as the executable that the environment variable `MINIREDIS` names.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams";

/** A server that neither finds files in its folder nor leaves any, unless it is told otherwise. */
const KEEPING_NOTHING = ["server", "--save", "", "--dbfilename", "of-no-test.rdb"];
const ROOT = new URL("../../", import.meta.url);

/** What a process left behind. */
export interface Outcome {
  /** The exit code. */
  readonly code: number;
  /** The standard output. */
  readonly stdout: string;
  /** The standard error. */
  readonly stderr: string;
}

/**
 * Runs the program until it ends.
 *
 * @param args Its arguments.
 * @param input What it reads from its standard input.
 * @returns What it left behind.
 */
export async function runProgram(args: readonly string[], input = ""): Promise<Outcome> {
  const process = (await programCommand(args, "piped")).spawn();
  const writer = process.stdin.getWriter();
  // A program that ends without reading its input breaks the pipe, which is its good right.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await process.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A running `miniredis server`; disposing of it ends it. */
export class ServerProcess implements AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;
  readonly #process: Deno.ChildProcess;
  readonly #log: Promise<string[]>;

  private constructor(process: Deno.ChildProcess, port: number, log: Promise<string[]>) {
    this.#process = process;
    this.port = port;
    this.#log = log;
  }

  /**
   * Starts a server on a free port of the loopback address, and waits until it listens.
   *
   * @param args Further arguments.
   * @throws {Error} The server ended instead.
   */
  static async start(...args: readonly string[]): Promise<ServerProcess> {
    const command = await programCommand(
      [...KEEPING_NOTHING, "--port", "0", "--bind", "127.0.0.1", ...args],
      "null",
    );
    const process = command.spawn();
    const errors = new Response(process.stderr).text();
    const lines = process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
    const log: string[] = [];
    let port = 0;
    while (true) {
      const { value, done } = await lines.read();
      if (done) throw new Error(`the server ended:\n${log.join("\n")}\n${await errors}`);
      log.push(value);
      port = Number(/port=(\d+)/.exec(value)?.[1] ?? port);
      if (value.includes("Ready to accept connections")) break;
    }
    return new ServerProcess(process, port, collect(lines, log, errors));
  }

  /** Sends it a signal. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Waits for its end. */
  async finish(): Promise<{ readonly code: number; readonly log: readonly string[] }> {
    return { code: (await this.#process.status).code, log: await this.#log };
  }

  /**
   * Sends a request over a connection of its own, and expects a reply.
   *
   * @param request Inline commands or RESP.
   * @param expected The reply; an empty one stands for a connection that the server closes.
   */
  async expectReply(request: string, expected: string): Promise<void> {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
    await connection.write(new TextEncoder().encode(request));
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(4096);
    let reply = "";
    do {
      const size = await connection.read(chunk);
      if (size === null) break;
      reply += decoder.decode(chunk.subarray(0, size), { stream: true });
    } while (expected.startsWith(reply) && reply !== expected);
    assertEquals(reply, expected);
  }

  /** Ends it, whatever it is doing. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.finish();
  }
}

async function collect(
  lines: ReadableStreamDefaultReader<string>,
  log: string[],
  errors: Promise<string>,
): Promise<string[]> {
  for (let line = await lines.read(); !line.done; line = await lines.read()) log.push(line.value);
  log.push(...(await errors).split("\n").filter((line) => line !== ""));
  return log;
}

async function programCommand(
  args: readonly string[],
  stdin: "piped" | "null",
): Promise<Deno.Command> {
  const [program, ...before] = await programWords();
  return new Deno.Command(program, {
    args: [...before, ...args],
    stdin,
    stdout: "piped",
    stderr: "piped",
  });
}

/** How to start the program, from any folder: the executable in `MINIREDIS`, or from source with the flags that it is built with. */
export async function programWords(): Promise<string[]> {
  const executable = Deno.env.get("MINIREDIS");
  if (executable !== undefined) {
    const ending = Deno.build.os === "windows" && !executable.endsWith(".exe") ? ".exe" : "";
    return [await Deno.realPath(executable + ending)];
  }
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const flags = config.tasks.build.command.split(" ")
    .filter((word: string) => /^--(allow|v8-flags)/.test(word));
  const main = new URL("main.ts", ROOT);
  return [Deno.execPath(), "run", "--quiet", "--no-prompt", ...flags, main.href];
}
