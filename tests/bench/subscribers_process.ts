/**
 * The subscribers of one server, seen from the benchmark.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { TextLineStream } from "@std/streams";

const SUBSCRIBERS_PATH = fileURLToPath(new URL("./subscribers.ts", import.meta.url));

/** A process with subscribers. */
export class Subscribers implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /**
   * Subscribes to `channel` with `count` connections.
   *
   * @throws {Error} if they can't
   */
  static async start(port: number, count: number, channel: string): Promise<Subscribers> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", SUBSCRIBERS_PATH, String(port), String(count), channel],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const subscribers = new Subscribers(child);
    await subscribers.#hear("ready");
    return subscribers;
  }

  /** Resolves when they have been sent `bytes` bytes, in all, since the last time. */
  async expect(bytes: number): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${bytes}\n`));
    await this.#hear("done");
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {}); // it has ended by itself
    await this.#child.status;
  }

  async #hear(word: string): Promise<void> {
    const { done, value } = await this.#lines.read();
    if (done || value !== word) throw new Error(`the subscribers ended: ${value ?? "no word"}`);
  }
}
