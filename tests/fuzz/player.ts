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
const HANG_MS = 30_000;
/** How long a client that doesn't read holds out. */
const UNREAD_MS = 100;
const READ_BYTES = 64 * 1024;

/** What is asked of the server. */
export interface PlayerOptions {
  /**
   * Whether it may wait with a protocol error, and stay open, as Redis does: until the line is whole; after a QUIT
   * whose reply isn't wanted.
   */
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
      // The server may stop reading, too, while its replies wait.
      await settled(write(connection, script), UNREAD_MS);
      if (script.manner === "never-reads") await pause(UNREAD_MS);
      return { frames, replies: 0, cutShort: false };
    }
    const checker = new Checker(connection, expectation.replies);
    const writing = write(connection, script);
    if (script.manner === "reads-last" && !(await settled(writing, HANG_MS))) {
      return { frames, replies: 0, cutShort: false, fault: "the server doesn't read" };
    }
    const wanted = expectation.replies.length;
    const { closes, isProtocolError } = expectation;
    const enough = options.lenient
      ? wanted - (isProtocolError ? 1 : 0)
      : closes
      ? Infinity
      : wanted;
    const checking = checker.run(enough);
    if (!(await settled(checking, HANG_MS))) {
      const fault = `the server hangs: ${checker.count} of ${wanted} replies came`;
      return { frames, replies: checker.count, cutShort: false, fault };
    }
    let fault = checker.fault;
    const missing = checker.count < wanted;
    // Closing a socket with unread bytes resets the connection, and replies on their way are lost. Who
    // writes then is told first; the reader sees an ordinary end.
    const wasReset = checker.wasReset || fault === undefined && !(await writing);
    const mayMiss = closes && wasReset ||
      options.lenient && expectation.isProtocolError && checker.count === wanted - 1;
    if (fault === undefined && missing && !mayMiss) {
      fault = `the connection was closed after ${checker.count} of ${wanted} replies`;
    }
    if (fault === undefined && !mayMiss && !checker.isWhole) fault = "the last reply isn't whole";
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

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Writes the script in its pieces; whether the server took them all. */
async function write(connection: Deno.TcpConn, script: Script): Promise<boolean> {
  let from = 0;
  try {
    for (const to of script.cuts) {
      while (from < to) from += await connection.write(script.bytes.subarray(from, to));
    }
  } catch (error) {
    if (!isDisconnect(error)) throw error;
    return false;
  }
  return true;
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

  /** Reads up to the end of the connection, which we close once so many replies have come. */
  async run(enough: number): Promise<void> {
    let halfClosed = false;
    for (;;) {
      if (!halfClosed && this.count >= enough) {
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
  }

  /** Whether nothing is left over behind the last reply. */
  get isWhole(): boolean {
    return this.reader.atBoundary;
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
