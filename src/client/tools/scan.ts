/**
 * `--scan`: the names of all keys, a line each.
 *
 * @module
 */

import { ByteAccumulator } from "../../protocol/byte_accumulator.ts";
import { appendQuoted } from "../../protocol/quoted_bytes.ts";
import type { BulkReply } from "../../protocol/reply.ts";
import { LINE_FEED } from "../../protocol/reply_types.ts";
import type { Client } from "../client.ts";
import { reportFailure } from "../failures.ts";
import { Interruption } from "./interruption.ts";
import { KeyScan } from "./key_scan.ts";
import { Progress } from "./progress.ts";
import { connectTool, type ToolContext } from "./tool.ts";

/**
 * How many keys a SCAN looks at, unless there are pauses between them. A round trip from here takes
 * longer than from redis-cli, which asks for ten; with this many, the server is as busy with us at
 * any moment as it is with that (a third of its time, in pieces of 15 us), and done sooner. The keys
 * and their order are the same.
 */
const KEYS_A_SCAN = 25;

/** What goes to a file or through a pipe waits until there is so much of it. */
const BLOCK_BYTES = 32 << 10;

/** Lists the keys; Ctrl-C ends it behind those that the server has sent. */
export async function scanKeys(context: ToolContext): Promise<number> {
  using client = await connectTool(context);
  if (client === undefined) return 1;
  using interruption = new Interruption(context.terminal);
  const { pattern, intervalSeconds } = context.settings;
  const scan = new KeyScan(client, pattern, intervalSeconds > 0 ? undefined : KEYS_A_SCAN);
  const output = new KeyOutput(context, await startProgress(context, client));
  try {
    while (!scan.isDone && !interruption.isRequested) {
      const keys = await scan.next();
      output.print(keys);
      if (intervalSeconds === 0) continue;
      output.flush();
      await interruption.sleep(intervalSeconds * 1000);
    }
    output.end();
    return 0;
  } catch (error) {
    output.end();
    return reportFailure(error, context.terminal);
  }
}

/** Prints keys, to programs in blocks. */
class KeyOutput {
  readonly #context: ToolContext;
  readonly #progress: Progress | undefined;
  readonly #isQuoted: boolean;
  readonly #blockBytes: number;
  readonly #lines = new ByteAccumulator();
  #count = 0;

  constructor(context: ToolContext, progress: Progress | undefined) {
    this.#context = context;
    this.#progress = progress;
    this.#isQuoted = context.settings.format === "standard";
    this.#blockBytes = context.terminal.outputIsTerminal ? 0 : BLOCK_BYTES;
  }

  print(keys: readonly BulkReply[]): void {
    for (const key of keys) {
      if (this.#isQuoted) appendQuoted(this.#lines, key.bytes);
      else this.#lines.appendRange(key.source, key.start, key.end);
      this.#lines.appendByte(LINE_FEED);
    }
    this.#count += keys.length;
    this.#progress?.update(this.#count);
    if (this.#lines.length >= this.#blockBytes) this.flush();
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    const bytes = this.#lines.take();
    this.#context.terminal.write(bytes);
    this.#lines.recycle(bytes);
  }

  end(): void {
    this.flush();
    this.#progress?.end();
  }
}

/**
 * Shows how far it is where the names go to a file. On a terminal they tell it themselves, and
 * behind a pipe there is a program that may have its own use for the terminal.
 */
async function startProgress(
  { settings, terminal }: ToolContext,
  client: Client,
): Promise<Progress | undefined> {
  if (!terminal.errorIsTerminal || !await terminal.outputIsFile()) return undefined;
  const label = "Scanning";
  const unit = "keys";
  if (settings.pattern !== undefined) return new Progress(terminal, { label, unit });
  const total = await client.send("DBSIZE");
  return new Progress(terminal, {
    label,
    unit,
    total: total.kind === "integer" ? Number(total.value) : undefined,
  });
}
