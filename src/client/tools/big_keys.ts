/**
 * `--bigkeys` and `--memkeys`: the biggest key of each type, by elements or by memory.
 *
 * @module
 */

import type { BulkReply, Reply } from "../../protocol/reply.ts";
import type { RequestArgument } from "../../protocol/request_writer.ts";
import type { Client } from "../client.ts";
import { ToolError } from "../failures.ts";
import { formatAverage, formatPercent, quoteKey } from "./figures.ts";
import { type KeyType, KeyTypes } from "./key_types.ts";
import { runSampling, type Sampling, type Step, walkAhead } from "./sampling.ts";
import type { ToolContext } from "./tool.ts";

/** How a key's size is asked for. */
interface Measure {
  /** What is counted. */
  unitOf(type: KeyType): string;
  /** The command whose reply is the size, without the key; `undefined` if there is none. */
  commandFor(type: KeyType): string | undefined;
  /** Asks for the size. */
  ask(client: Client, command: string, key: Uint8Array): Promise<Reply>;
}

/** Keys with what is known of them: the same place in all lists belongs to the same key. */
interface TypedKeys {
  readonly keys: readonly BulkReply[];
  /** `undefined` for a key that is gone. */
  readonly types: readonly (KeyType | undefined)[];
}

/** Looks for keys with many elements. */
export function bigKeys(context: ToolContext): Promise<number> {
  return runSampling(context, (sampling) =>
    findBiggest(sampling, {
      unitOf: (type) => type.unit,
      commandFor: (type) => type.sizeCommand,
      ask: (client, command, key) => client.send(command, key),
    }));
}

/** Looks for keys that take much memory. */
export function memoryKeys(context: ToolContext): Promise<number> {
  const samples = context.settings.memorySamples;
  const options: RequestArgument[] = samples === 0 ? [] : ["SAMPLES", samples];
  return runSampling(context, (sampling) =>
    findBiggest(sampling, {
      unitOf: () => "bytes",
      commandFor: () => "MEMORY USAGE",
      ask: (client, _command, key) => client.send("MEMORY", "USAGE", key, ...options),
    }));
}

/** Likewise, with their sizes. */
interface MeasuredKeys extends TypedKeys {
  readonly sizes: readonly number[];
}

async function findBiggest(sampling: Sampling, measure: Measure): Promise<void> {
  const types = new KeyTypes();
  let totalKeyBytes = 0;
  sampling.printHeading("biggest");
  const walk = { sampling, types, measure };
  const first = async () => measureStep(walk, undefined, await sampling.scan.next());
  for await (const { keys, types: typesOfKeys, sizes } of walkAhead(first)) {
    sampling.beginBatch();
    for (let index = 0; index < keys.length; index++) {
      const type = typesOfKeys[index];
      if (type === undefined) continue;
      const size = sizes[index];
      totalKeyBytes += keys[index].length;
      if (type.add(keys[index], size)) {
        sampling.printFinding(
          `Biggest ${type.name.padEnd(6)} found so far '${type.biggestKey}' with ${size} ${
            measure.unitOf(type)
          }`,
        );
      }
      sampling.countKey();
    }
    if (!await sampling.endBatch()) break;
  }
  printSummary(sampling, types, measure, totalKeyBytes);
}

function printSummary(
  sampling: Sampling,
  types: KeyTypes,
  measure: Measure,
  totalKeyBytes: number,
): void {
  const { sampledKeys } = sampling;
  sampling.printSummaryHeading();
  const averageKeyBytes = formatAverage(totalKeyBytes, sampledKeys);
  sampling.print(
    `Total key length in bytes is ${totalKeyBytes} (avg len ${averageKeyBytes})\n`,
  );
  for (const type of types.list()) {
    if (type.biggestKey === undefined) continue;
    sampling.print(
      `Biggest ${type.name.padStart(6)} found '${type.biggestKey}' has ${type.biggestSize} ${
        measure.unitOf(type)
      }`,
    );
  }
  sampling.print("");
  for (const type of types.list()) {
    const share = formatPercent(type.count, sampledKeys);
    const averageSize = formatAverage(type.totalSize, type.count);
    sampling.print(
      `${type.count} ${type.name}s with ${type.totalSize} ${measure.unitOf(type)} ` +
        `(${share} of keys, avg size ${averageSize})`,
    );
  }
}

/**
 * Asks for the sizes of one batch of keys, the types of the next, and the keys of the one behind
 * that, all in one write.
 *
 * @param walk What goes on from step to step.
 * @param typed The first of these batches; `undefined` in the first step.
 * @param scanned The second one; `undefined` in the last step.
 */
async function measureStep(
  walk: { readonly sampling: Sampling; readonly types: KeyTypes; readonly measure: Measure },
  typed: TypedKeys | undefined,
  scanned: readonly BulkReply[] | undefined,
): Promise<Step<MeasuredKeys>> {
  const { client, scan } = walk.sampling;
  const [sizes, types, nextScanned] = await Promise.all([
    typed && askSizes(walk.sampling, typed, walk.measure),
    scanned && askTypes(client, scanned, walk.types),
    scanned === undefined || scan.isDone ? undefined : scan.next(),
  ]);
  const batch = typed && { ...typed, sizes: sizes! };
  if (scanned === undefined) return { batch, next: undefined };
  const nextTyped = { keys: scanned, types: types! };
  return { batch, next: () => measureStep(walk, nextTyped, nextScanned) };
}

async function askTypes(
  client: Client,
  keys: readonly BulkReply[],
  types: KeyTypes,
): Promise<(KeyType | undefined)[]> {
  const replies = await Promise.all(keys.map((key) => client.send("TYPE", key.bytes)));
  return replies.map((reply) => {
    if (reply.kind === "simple") return types.find(reply.text());
    const reason = reply.kind === "error" ? reply.text() : "the answer is no status";
    throw new ToolError(`Couldn't determine the TYPE of a key: ${reason}`);
  });
}

/** Sizes; 0 for a key that has none, or none any more. */
async function askSizes(
  sampling: Sampling,
  { keys, types }: TypedKeys,
  measure: Measure,
): Promise<number[]> {
  const replies = await Promise.all(keys.map((key, index) => {
    const type = types[index];
    const command = type && measure.commandFor(type);
    return command === undefined ? undefined : measure.ask(sampling.client, command, key.bytes);
  }));
  return replies.map((reply, index) => {
    if (reply === undefined) return 0;
    if (reply.kind === "integer") return Number(reply.value);
    const command = measure.commandFor(types[index]!);
    const reason = reply.kind === "error" ? reply.text() : "it is gone";
    sampling.warn(`Warning: ${command} of ${quoteKey(keys[index])} failed: ${reason}`);
    return 0;
  });
}
