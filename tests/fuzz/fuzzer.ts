/**
 * A whole fuzz run: many clients at once, a control connection beside them, and the books at the end.
 *
 * @module
 */
import { type GeneratorOptions, makeScript, type Script } from "./generator.ts";
import { foretell } from "./oracle.ts";
import { type Address, type Outcome, play } from "./player.ts";
import { plainValue, textOf } from "../../src/protocol/reply.ts";
import { ReplyReader } from "../../src/protocol/reply_reader.ts";
import { encodeRequest } from "../../src/protocol/request_writer.ts";

/** What to run. */
export interface FuzzOptions {
  /** How many requests at least. */
  readonly frames: number;
  /** What all is made up from. */
  readonly seed: number;
  /** The server. */
  readonly address: Address;
  /** Plays only the client of this number. */
  readonly only?: number;
  /** The server is Redis itself: what it doesn't have isn't asked of it. */
  readonly reference?: boolean;
}

/** What a run showed. */
export interface FuzzSummary {
  /** Requests sent. */
  frames: number;
  /** Replies checked. */
  replies: number;
  /** Clients. */
  clients: number;
  /** Bytes sent. */
  bytes: number;
  /** Clients whose connection was reset before they could read the last replies. */
  cutShort: number;
  /** Milliseconds. */
  elapsedMs: number;
  /** Change of `used_memory` from start to end, in bytes. */
  memoryGrowth: number;
  /** What is wrong, if anything, with the transcript. */
  fault?: string;
}

const CLIENTS_AT_ONCE = 24;
const PING_EVERY_MS = 250;
const HANG_MS = 30_000;
/** Idle buffers that the server keeps for the next who needs one. */
const MEMORY_TOLERANCE_BYTES = 4 << 20;
const DATASET_TOLERANCE_BYTES = 64 << 10;
const SHOWN_BYTES = 4000;
const SHRINK_TRIES = 150;

/** Runs clients until the frames are sent or something is wrong. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzSummary> {
  const { address, reference = false } = options;
  const generator: GeneratorOptions = { withoutZeros: reference };
  const started = performance.now();
  const summary: FuzzSummary = {
    frames: 0,
    replies: 0,
    clients: 0,
    bytes: 0,
    cutShort: 0,
    elapsedMs: 0,
    memoryGrowth: 0,
  };
  const control = await Control.connect(address);
  try {
    const before = await control.levels();
    let next = options.only ?? 0;
    let failed: Script | undefined;
    const worker = async () => {
      while (summary.fault === undefined && summary.frames < options.frames) {
        const script = makeScript(options.seed, next++, generator);
        const outcome = await playSafely(address, script, reference);
        summary.frames += outcome.frames;
        summary.replies += outcome.replies;
        summary.clients++;
        summary.bytes += script.bytes.length;
        if (outcome.cutShort) summary.cutShort++;
        if (outcome.fault !== undefined) {
          // The first one ends the run; it is told in full when the others have stopped.
          summary.fault ??= outcome.fault;
          failed ??= script;
        }
        if (options.only !== undefined) return;
      }
    };
    const count = options.only === undefined ? CLIENTS_AT_ONCE : 1;
    const workers = Promise.all(Array.from({ length: count }, worker)).then(() => true);
    const watching = control.watch(() => summary.fault ??= "the control connection got no PONG");
    await workers;
    if (failed !== undefined) {
      summary.fault = await report(address, failed, summary.fault!, options);
    }
    await watching.stop();
    summary.fault ??= await balance(control, before, reference, summary);
  } catch (error) {
    summary.fault ??= `the server is gone: ${(error as Error).message}`;
  } finally {
    control.close();
  }
  summary.elapsedMs = performance.now() - started;
  return summary;
}

async function playSafely(address: Address, script: Script, lenient: boolean): Promise<Outcome> {
  try {
    return await play(address, script, { lenient });
  } catch (error) {
    const fault = `the server is gone: ${(error as Error).message}`;
    return { frames: 0, replies: 0, cutShort: false, fault };
  }
}

/** Checks that the server is whole, and back to what it was. */
async function balance(
  control: Control,
  before: Levels,
  reference: boolean,
  summary: FuzzSummary,
): Promise<string | undefined> {
  if (!reference) {
    const check = await control.ask("DEBUG", "CHECK");
    if (check !== "OK") return `DEBUG CHECK says: ${check}`;
  }
  await control.ask("FLUSHALL");
  // Closed connections are noticed with a delay of a turn or a few.
  let after = await control.levels();
  for (let tries = 0; tries < 100 && after.clients > before.clients; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    after = await control.levels();
  }
  summary.memoryGrowth = after.memory - before.memory;
  if (after.clients !== before.clients) {
    return `${after.clients} connected clients at the end, ${before.clients} at the start`;
  }
  if (reference) return undefined;
  if (after.dataset - before.dataset > DATASET_TOLERANCE_BYTES) {
    return `used_memory_dataset is ${after.dataset} at the end, ${before.dataset} at the start`;
  }
  if (summary.memoryGrowth > MEMORY_TOLERANCE_BYTES) {
    return `used_memory is ${after.memory} at the end, ${before.memory} at the start`;
  }
  const check = await control.ask("DEBUG", "CHECK");
  return check === "OK" ? undefined : `DEBUG CHECK of the empty server says: ${check}`;
}

/** Says what a client saw, after making its script as short as can be. */
async function report(
  address: Address,
  script: Script,
  fault: string,
  options: FuzzOptions,
): Promise<string> {
  const lenient = options.reference ?? false;
  const lines = [`client ${script.index} (${script.manner}): ${fault}`];
  const again = await playSafely(address, script, lenient);
  lines.push(`played alone: ${again.fault ?? "nothing wrong"}`);
  let shown = script;
  if (again.fault !== undefined && !again.fault.includes("hangs")) {
    shown = await shrink(address, script, lenient);
    lines.push(`shrunk from ${script.bytes.length} to ${shown.bytes.length} bytes`);
  }
  lines.push(`pieces end at ${shown.cuts.slice(0, 60).join(" ")}`);
  let text = "";
  for (const byte of shown.bytes.subarray(0, SHOWN_BYTES)) text += String.fromCharCode(byte);
  lines.push(JSON.stringify(text));
  return lines.join("\n");
}

/** Leaves out requests as long as the script still fails. */
async function shrink(address: Address, script: Script, lenient: boolean): Promise<Script> {
  let best = script;
  let tries = 0;
  for (let size = foretell(script.bytes).ends.length >> 1; size > 0; size >>= 1) {
    for (let from = 0; tries < SHRINK_TRIES;) {
      const bounds = [0, ...foretell(best.bytes).ends];
      if (from + size >= bounds.length) break;
      const bytes = new Uint8Array([
        ...best.bytes.subarray(0, bounds[from]),
        ...best.bytes.subarray(bounds[from + size]),
      ]);
      tries++;
      const shorter = { ...best, bytes, cuts: [bytes.length] };
      if ((await playSafely(address, shorter, lenient)).fault !== undefined) best = shorter;
      else from += size;
    }
  }
  return best;
}

/** What has to be the same at the end. */
interface Levels {
  readonly memory: number;
  readonly dataset: number;
  readonly clients: number;
}

/** The connection of the run itself. */
class Control {
  private readonly reader = new ReplyReader();
  private readonly buffer = new Uint8Array(64 * 1024);

  private constructor(private readonly connection: Deno.TcpConn) {}

  static async connect(address: Address): Promise<Control> {
    const control = new Control(await Deno.connect(address));
    await control.ask("FLUSHALL");
    return control;
  }

  /** Sends a command and returns its reply as text. */
  async ask(...words: string[]): Promise<string> {
    const request = encodeRequest(words);
    for (let sent = 0; sent < request.length;) {
      sent += await this.connection.write(request.subarray(sent));
    }
    for (;;) {
      const reply = this.reader.next();
      if (reply !== undefined) return textOf(reply) ?? String(plainValue(reply));
      const size = await this.connection.read(this.buffer);
      if (size === null) throw new Error("it closed the control connection");
      this.reader.push(this.buffer.slice(0, size));
    }
  }

  async levels(): Promise<Levels> {
    const memory = await this.ask("INFO", "memory");
    const clients = await this.ask("INFO", "clients");
    return {
      memory: fieldOf(memory, "used_memory"),
      dataset: fieldOf(memory, "used_memory_dataset"),
      clients: fieldOf(clients, "connected_clients"),
    };
  }

  /** Pings until stopped; calls `onHang` if there is no answer for long. */
  watch(onHang: () => void): { stop(): Promise<void> } {
    let stopped = false;
    let wake = () => {};
    const run = async () => {
      while (!stopped) {
        const timer = setTimeout(onHang, HANG_MS);
        const pong = await this.ask("PING").finally(() => clearTimeout(timer));
        if (pong !== "PONG") return onHang();
        await new Promise<void>((resolve) => {
          const pause = setTimeout(resolve, PING_EVERY_MS);
          wake = () => {
            clearTimeout(pause);
            resolve();
          };
        });
      }
    };
    const running = run();
    running.catch(onHang);
    return {
      stop: () => {
        stopped = true;
        wake();
        return running;
      },
    };
  }

  close(): void {
    this.connection.close();
  }
}

function fieldOf(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? NaN);
}
