/**
 * `--pipe`: sends the input to the server as it is, and counts what comes back.
 *
 * ## What it costs
 *
 * Nothing is done a command: the input goes from one block of memory into the socket, and replies
 * are skipped where they lie (some 20 ns for a status). What costs is each call into the runtime,
 * some 50 us with its change of threads, so blocks are large: 210 MB of SETs are 800 calls, where
 * 16 KiB would make 13 000. The server needs a microsecond or so for each command and stays the
 * slower side. The memory is that of the two blocks, whatever the input.
 *
 * ## How it ends
 *
 * Replies alone don't tell the end: the input may be no commands at all. So the last thing sent is
 * an ECHO of bytes drawn at random, and their return says that all before them is answered. An empty
 * line stands in front of it, which ends whatever line the input left open. An input that ends
 * within a bulk swallows it, though; then only silence tells (`--pipe-timeout`).
 *
 * Sending never waits for replies, nor the other way round: a server that isn't read from stops
 * reading in its turn.
 *
 * @module
 */

import { joinBytes } from "../../protocol/joined_bytes.ts";
import { ReplyReader } from "../../protocol/reply_reader.ts";
import { ReplyProtocolError } from "../../protocol/reply_types.ts";
import { encodeRequest } from "../../protocol/request_writer.ts";
import { LONGEST_TIMER_MS } from "../../runtime/clock.ts";
import { systemReason } from "../../runtime/files.ts";
import { ConnectionClosedError } from "../errors.ts";
import { ToolError } from "../failures.ts";
import { Printer } from "../output/printer.ts";
import { INTERRUPTED_EXIT_CODE, Interruption } from "./interruption.ts";
import { Progress } from "./progress.ts";
import { RawConnection } from "./raw_connection.ts";
import { ReplyCounter } from "./reply_counter.ts";
import type { ToolContext } from "./tool.ts";

/** What is read from the input at once. */
const INPUT_BYTES = 256 << 10;

/** What is read from the server at once: a reply is much shorter than its command. */
const REPLY_BYTES = 64 << 10;

const MARK_BYTES = 20;

const encoder = new TextEncoder();

/**
 * Sends the whole input to the server.
 *
 * @returns The exit code: 1 if the server answered anything with an error, kept silent for too long
 * or went away; 130 after Ctrl-C, as shells have it.
 */
export async function pipe(context: ToolContext): Promise<number> {
  const connection = await RawConnection.open(context);
  if (connection === undefined) return 1;
  const transfer = new Transfer(connection, context);
  try {
    return await transfer.run();
  } finally {
    transfer.stop();
  }
}

/** How it ended, unless early, with a text of its own. */
type Ending = "answered" | "silent" | { readonly failure: string; readonly exitCode?: number };

/** One input on its way. */
class Transfer {
  readonly #connection: RawConnection;
  readonly #context: ToolContext;
  readonly #counter: ReplyCounter;
  readonly #ending = Promise.withResolvers<Ending>();
  #progress: Progress | undefined;
  #lastHeardMs = 0;
  #silenceTimer: ReturnType<typeof setTimeout> | undefined;
  /** Errors of the piece that is being counted; they are shown with one write. */
  #errorLines: string[] = [];

  constructor(connection: RawConnection, context: ToolContext) {
    const { settings, terminal } = context;
    this.#connection = connection;
    this.#context = context;
    const printer = new Printer(settings, terminal);
    this.#counter = new ReplyCounter({
      error: (text) => this.#errorLines.push(text),
      push: (bytes) => {
        const reader = new ReplyReader();
        reader.push(bytes);
        this.#progress?.clear();
        printer.printPush(reader.next()!);
      },
    });
  }

  async run(): Promise<number> {
    const { terminal } = this.#context;
    if (terminal.errorIsTerminal && !terminal.inputIsTerminal) {
      const total = await terminal.inputLength();
      this.#progress = new Progress(terminal, { label: "Sending", unit: "bytes", total });
    }
    using interruption = new Interruption(terminal);
    interruption.requested.then(() => {
      this.#ending.resolve({ failure: "Interrupted", exitCode: INTERRUPTED_EXIT_CODE });
    });
    this.#send().catch(this.#ending.reject);
    this.#receive().catch(this.#ending.reject);
    const ending = await this.#ending.promise;
    this.#progress?.end();
    return this.#report(ending);
  }

  /** Lets go of everything. */
  stop(): void {
    clearTimeout(this.#silenceTimer);
    this.#progress?.end();
    this.#connection.close();
  }

  /** Says how it ended, and gives the exit code. */
  #report(ending: Ending): number {
    const { settings, terminal } = this.#context;
    let { errors } = this.#counter;
    const { replies } = this.#counter;
    if (typeof ending === "object") {
      terminal.writeError(`${ending.failure} (errors: ${errors}, replies: ${replies})`);
      return ending.exitCode ?? 1;
    }
    if (ending === "answered") this.#say("Last reply received from server.");
    else {
      const { pipeTimeoutSeconds } = settings;
      terminal.writeError(`No replies for ${pipeTimeoutSeconds} seconds: exiting.`);
      errors++;
    }
    this.#say(`errors: ${errors}, replies: ${replies}`);
    return errors > 0 ? 1 : 0;
  }

  async #send(): Promise<void> {
    const { terminal } = this.#context;
    const room = new Uint8Array(INPUT_BYTES);
    let sentBytes = 0;
    try {
      for (;;) {
        const count = await terminal.readInput(room).catch(asInputError);
        if (count === null) break;
        await this.#connection.write(room.subarray(0, count));
        sentBytes += count;
        this.#progress?.update(sentBytes);
      }
      this.#progress?.end();
      this.#say("All data transferred. Waiting for the last reply...");
      const mark = crypto.getRandomValues(new Uint8Array(MARK_BYTES));
      this.#counter.stopAt(mark);
      this.#lastHeardMs = performance.now();
      this.#watchSilence();
      await this.#connection.write(closingCommand(mark));
    } catch (error) {
      if (error instanceof ToolError) this.#ending.resolve({ failure: error.message });
      // What the server said before it closed is still to be read, and the end is noticed there.
      else if (!(error instanceof ConnectionClosedError)) throw error;
    }
  }

  async #receive(): Promise<void> {
    const room = new Uint8Array(REPLY_BYTES);
    try {
      for (let isLast = false; !isLast;) {
        const count = await this.#connection.read(room);
        this.#lastHeardMs = performance.now();
        try {
          isLast = this.#counter.count(room.subarray(0, count));
        } finally {
          this.#showErrors();
        }
      }
      this.#ending.resolve("answered");
    } catch (error) {
      if (error instanceof ReplyProtocolError) {
        const failure = `Error reading replies from server: ${error.message}`;
        this.#ending.resolve({ failure });
      } else if (error instanceof ConnectionClosedError) {
        this.#ending.resolve({ failure: `Error: ${error.message}` });
      } else throw error;
    }
  }

  #showErrors(): void {
    if (this.#errorLines.length === 0) return;
    const lines = this.#errorLines.join("\n");
    this.#errorLines = [];
    if (this.#progress === undefined) this.#context.terminal.writeError(lines);
    else this.#progress.errorLine(lines);
  }

  #watchSilence(): void {
    const limitMs = this.#context.settings.pipeTimeoutSeconds * 1000;
    if (limitMs === 0) return;
    const leftMs = this.#lastHeardMs + limitMs - performance.now();
    if (leftMs <= 0) this.#ending.resolve("silent");
    else {
      const waitMs = Math.min(leftMs, LONGEST_TIMER_MS);
      this.#silenceTimer = setTimeout(() => this.#watchSilence(), waitMs);
    }
  }

  #say(line: string): void {
    this.#context.terminal.write(encoder.encode(line + "\n"));
  }
}

function asInputError(error: unknown): never {
  throw new ToolError(`Error reading from stdin: ${systemReason(error)}`);
}

/** What asks for the mark. */
function closingCommand(mark: Uint8Array): Uint8Array {
  return joinBytes([encoder.encode("\r\n"), encodeRequest(["ECHO", mark])]);
}
