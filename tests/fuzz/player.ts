/**
 * Plays one script against a server and says what went wrong.
 *
 * @module
 */
import { type ExpectedReply, foretell, textOf } from "./oracle.ts";
import type { Script } from "./generator.ts";
import { ReplyReader } from "../../src/protocol/reply_reader.ts";
import type { Reply } from "../../src/protocol/reply.ts";

/** Where the server is. */
export interface Address {
  /** Host name or address. */
  readonly hostname: string;
  /** TCP port. */
  readonly port: number;
}

/** What playing a script showed. */
export interface Outcome {
  /** How many requests the script holds. */
  readonly frames: number;
  /** How many replies were checked. */
  readonly replies: number;
  /** Whether the connection was reset before the last replies could be read. */
  readonly cutShort: boolean;
  /** What is wrong, if anything. */
  readonly fault?: string;
}

/** Nobody waits longer than this: a server that takes so long hangs. */
const HANG_MS = 5_000;
/** How long a client that never reads holds out. */
const UNREAD_MS = 150;
const READ_BYTES = 64 * 1024;

/** A server that isn't miniredis may be given time for an error until a line is whole. */
export interface PlayerOptions {
  /** Whether a protocol error may be missing at the end of a stream. */
  readonly lenient: boolean;
}

/** Plays `script` against the server at `address`. */
export async function play(
  address: Address,
  script: Script,
  options: PlayerOptions,
): Promise<Outcome> {
  const expectation = foretell(script.bytes);
  const frames = expectation.ends.length;
  const connection = await Deno.connect(address);
  connection.setNoDelay(true);
  try {
    if (script.manner === "vanishes" || script.manner === "never-reads") {
      const written = write(connection, script);
      if (script.manner === "never-reads") await settled(written, UNREAD_MS);
      else await settled(written, HANG_MS);
      return { frames, replies: 0, cutShort: false };
    }
    const checker = new Checker(connection, expectation.replies);
    const writing = write(connection, script);
    if (script.manner === "reads-last" && !(await settled(writing, HANG_MS))) {
      return { frames, replies: 0, cutShort: false, fault: "the server doesn't read" };
    }
    const wanted = expectation.replies.length;
    const checking = checker.run(expectation.closes);
    if (!(await settled(checking, HANG_MS))) {
      const fault = `the server hangs: ${checker.count} of ${wanted} replies came`;
      return { frames, replies: checker.count, cutShort: false, fault };
    }
    let fault = checker.fault;
    const missing = checker.count < wanted;
    const mayMiss = expectation.closes && checker.wasReset ||
      options.lenient && expectation.isProtocolError && checker.count === wanted - 1;
    if (fault === undefined && missing && !mayMiss) {
      fault = `the connection was closed after ${checker.count} of ${wanted} replies`;
    }
    return { frames, replies: checker.count, cutShort: missing && fault === undefined, fault };
  } finally {
    connection.close();
  }
}

/** Waits until `promise` is settled in any way, `ms` at most; whether it is. */
async function settled(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(false), ms));
  const done = promise.then(() => true, () => true);
  const result = await Promise.race([done, timeout]);
  clearTimeout(timer);
  return result;
}

/** Writes the script in its pieces, until the server closes. */
async function write(connection: Deno.TcpConn, script: Script): Promise<void> {
  let from = 0;
  try {
    for (const to of script.cuts) {
      while (from < to) from += await connection.write(script.bytes.subarray(from, to));
    }
  } catch (error) {
    if (!isDisconnect(error)) throw error;
  }
}

function isDisconnect(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.NotConnected;
}

/** Reads replies and compares them with what was foretold. */
class Checker {
  /** How many replies came. */
  count = 0;
  /** What is wrong. */
  fault: string | undefined;
  /** Whether the connection was reset. */
  wasReset = false;
  private readonly reader = new ReplyReader();
  private readonly buffer = new Uint8Array(READ_BYTES);

  constructor(
    private readonly connection: Deno.TcpConn,
    private readonly expected: readonly ExpectedReply[],
  ) {}

  /** Reads up to the end of the connection, which we close when all has come and it doesn't. */
  async run(closes: boolean): Promise<void> {
    let halfClosed = false;
    for (;;) {
      if (!halfClosed && !closes && this.count === this.expected.length) {
        halfClosed = true;
        await this.connection.closeWrite().catch(() => {});
      }
      const size = await this.read();
      if (size === null) break;
      try {
        this.reader.push(this.buffer.subarray(0, size));
        for (let reply = this.reader.next(); reply !== undefined; reply = this.reader.next()) {
          this.fault ??= this.check(reply);
          this.count++;
        }
      } catch (error) {
        this.fault ??= (error as Error).message;
      }
      if (this.fault !== undefined) return;
    }
    if (!this.wasReset && !this.reader.atBoundary) this.fault = "the last reply isn't whole";
  }

  private async read(): Promise<number | null> {
    try {
      return await this.connection.read(this.buffer);
    } catch (error) {
      if (!isDisconnect(error)) throw error;
      this.wasReset = true;
      return null;
    }
  }

  private check(reply: Reply): string | undefined {
    const number = this.count;
    if (number >= this.expected.length) return `reply ${number} too many: ${show(reply)}`;
    const wanted = this.expected[number];
    const isError = reply.kind === "error";
    const text = "bytes" in reply ? textOf(reply.bytes) : undefined;
    const isUnforeseen = isError && text!.startsWith("ERR Protocol error") && !wanted.isError;
    const differs = wanted.text !== undefined &&
      (text !== wanted.text || isError !== (wanted.isError === true));
    if (!isUnforeseen && !differs) return undefined;
    const instead = wanted.text === undefined
      ? "no error"
      : JSON.stringify(wanted.text.slice(0, 200));
    return `reply ${number} is ${show(reply)} instead of ${instead}`;
  }
}

function show(reply: Reply): string {
  const text = "bytes" in reply ? textOf(reply.bytes).slice(0, 200) : "";
  return `${reply.kind} ${JSON.stringify(text)}`;
}
