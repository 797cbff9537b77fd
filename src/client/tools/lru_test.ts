/**
 * `--lru-test`: plays an application with a cache, four fifths of whose requests are about a fifth of
 * its keys, and shows how often it found what it looked for. How many keys there are is up to the
 * user; to show anything, the server must not have room for all of them.
 *
 * @module
 */

import { formatFixed } from "../../protocol/fixed_point.ts";
import type { Reply } from "../../protocol/reply.ts";
import { UsageError } from "../../runtime/arguments.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import type { Client } from "../client.ts";
import { reportFailure } from "../failures.ts";
import { latin1Bytes } from "../quoting.ts";
import { INTERRUPTED_EXIT_CODE, Interruption } from "./interruption.ts";
import { connectTool, type ToolContext } from "./tool.ts";

/** So many writes leave at once, and then so many reads. */
const BATCH_COMMANDS = 250;

/** A line stands for so long. */
const CYCLE_MS = 1000;

/**
 * How much the keys are biased: the probability of a key among the first `x` of all (0 to 1) is
 * `1 - (1 - x) ** BIAS`, which is 0.8 of a fifth of them.
 */
const BIAS = 7.2;

const VALUE_CHARACTERS = 5;

/** What a cycle has seen. */
interface Cycle {
  hits: number;
  misses: number;
  /** The first error in reply. */
  error: string | undefined;
}

/** Plays until Ctrl-C is pressed. */
export async function playCache(
  context: ToolContext,
  clock: Clock = systemClock,
): Promise<number> {
  const { settings, terminal } = context;
  if (!/^\d{1,15}$/.test(settings.toolValue) || Number(settings.toolValue) === 0) {
    throw new UsageError(`'${settings.toolValue}' is no value for '--lru-test'`);
  }
  const keyCount = Number(settings.toolValue);
  using client = await connectTool(context);
  if (client === undefined) return 1;
  using interruption = new Interruption(terminal);
  interruption.requested.then(() => client.close());
  try {
    while (!interruption.isRequested) {
      const cycle = await playCycle(client, keyCount, clock);
      if (cycle.error !== undefined) terminal.writeError(cycle.error);
      terminal.write(latin1Bytes(describeCycle(cycle)));
    }
    return INTERRUPTED_EXIT_CODE;
  } catch (error) {
    if (interruption.isRequested) return INTERRUPTED_EXIT_CODE;
    return reportFailure(error, terminal);
  }
}

/**
 * The number of a key, from 1 on, of which small ones are drawn more often.
 *
 * @param keyCount How many there are.
 * @param random A number from 0 up to 1.
 */
export function drawKey(keyCount: number, random: number): number {
  // Turns the distribution of `BIAS` around, over positions from 1 to keyCount + 1, and counts from
  // the far end.
  const farthest = (keyCount + 1) ** BIAS;
  const position = (1 + random * (farthest - 1)) ** (1 / BIAS);
  return Math.max(1, keyCount + 1 - Math.floor(position));
}

async function playCycle(client: Client, keyCount: number, clock: Clock): Promise<Cycle> {
  const cycle: Cycle = { hits: 0, misses: 0, error: undefined };
  const drawName = () => `lru:${drawKey(keyCount, Math.random())}`;
  const startMs = clock.monotonic();
  do {
    const writes = await sendBatch(client, () => ["SET", drawName(), drawValue()]);
    const reads = await sendBatch(client, () => ["GET", drawName()]);
    for (const reply of reads) {
      if (reply.kind === "null") cycle.misses++;
      else if (reply.kind !== "error") cycle.hits++;
    }
    cycle.error ??= firstError(writes) ?? firstError(reads);
  } while (clock.monotonic() - startMs < CYCLE_MS);
  return cycle;
}

function sendBatch(client: Client, makeCommand: () => string[]): Promise<Reply[]> {
  return client.pipeline(Array.from({ length: BATCH_COMMANDS }, makeCommand));
}

function drawValue(): string {
  let value = "";
  while (value.length < VALUE_CHARACTERS) {
    value += String.fromCharCode(0x41 + Math.floor(Math.random() * 57));
  }
  return value;
}

function firstError(replies: readonly Reply[]): string | undefined {
  const error = replies.find((reply) => reply.kind === "error");
  return error?.kind === "error" ? error.text() : undefined;
}

function describeCycle({ hits, misses }: Cycle): string {
  const gets = hits + misses;
  const percent = (count: number) => formatFixed(gets === 0 ? 0 : count / gets * 100, 2);
  return `${gets} Gets/sec | Hits: ${hits} (${percent(hits)}%) | ` +
    `Misses: ${misses} (${percent(misses)}%)\n`;
}
