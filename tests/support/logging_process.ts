/**
 * The program as a process that runs on and logs.
 *
 * @module
 */

import { TextLineStream } from "@std/streams";
import { programWords } from "./program.ts";

/** A server or a monitor that runs; disposing of it ends it. */
export class LoggingProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  /** What it has logged, as far as it was read. */
  readonly log: string[] = [];

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#lines = process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /**
   * Starts the program, and waits for a line of its log.
   *
   * @param args The subcommand and its arguments.
   * @param line What the line looks like.
   * @param folder The folder it runs in. @default that of the test
   * @throws {Error} It ended before that, with what it logged.
   */
  static async start(
    args: readonly string[],
    line: RegExp,
    folder?: string,
  ): Promise<LoggingProcess> {
    const [program, ...before] = await programWords();
    const started = new LoggingProcess(
      new Deno.Command(program, {
        args: [...before, ...args],
        cwd: folder,
        stdin: "null",
        stdout: "piped",
        stderr: "null",
      }).spawn(),
    );
    await started.until(line);
    return started;
  }

  /**
   * Reads its log up to a line.
   *
   * @param line What the line looks like.
   * @throws {Error} It ended before that, with what it logged.
   */
  async until(line: RegExp): Promise<void> {
    while (!this.log.some((seen) => line.test(seen))) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error(`the process ended:\n${this.log.join("\n")}`);
      this.log.push(value);
    }
  }

  /** Sends it a signal, and waits for its end; the exit code. */
  async end(signal: Deno.Signal): Promise<number> {
    this.#process.kill(signal);
    for (let line = await this.#lines.read(); !line.done; line = await this.#lines.read()) {
      this.log.push(line.value);
    }
    return (await this.#process.status).code;
  }

  /** Ends it, whatever it is doing. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#lines.cancel().catch(() => {});
    await this.#process.status;
  }
}
