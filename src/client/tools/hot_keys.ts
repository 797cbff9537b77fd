/**
 * `--hotkeys`: the keys that are used most, by the counters that a server keeps under an LFU policy.
 *
 * @module
 */

import type { BulkReply } from "../../protocol/reply.ts";
import { ToolError } from "../failures.ts";
import { quoteKey } from "./figures.ts";
import { runSampling, type Sampling, type Step, walkAhead } from "./sampling.ts";
import type { ToolContext } from "./tool.ts";

/** How many keys are listed at the end. */
const LISTED_KEYS = 16;

/** A key with its counter. */
interface HotKey {
  /** Its name in quotes. */
  readonly name: string;
  readonly counter: number;
}

/** Keys with their counters: the same place in both lists belongs to the same key. */
interface CountedKeys {
  readonly keys: readonly BulkReply[];
  readonly counters: readonly number[];
}

/** Looks for keys that are used much. */
export function hotKeys(context: ToolContext): Promise<number> {
  return runSampling(context, findHottest);
}

async function findHottest(sampling: Sampling): Promise<void> {
  /** The hottest first; of those with the same counter, the one that was found first. */
  const hottest: HotKey[] = [];
  sampling.printHeading("hot");
  const first = async () => countStep(sampling, await sampling.scan.next());
  for await (const { keys, counters } of walkAhead(first)) {
    sampling.beginBatch();
    for (let index = 0; index < keys.length; index++) {
      sampling.countKey();
      const counter = counters[index];
      if (!isHot(counter, hottest)) continue;
      const name = quoteKey(keys[index]);
      insert({ name, counter }, hottest);
      sampling.printFinding(`Hot key '${name}' found so far with counter ${counter}`);
    }
    if (!await sampling.endBatch()) break;
  }
  sampling.printSummaryHeading();
  for (const { name, counter } of hottest) {
    sampling.print(`hot key found with counter: ${counter}\tkeyname: ${name}`);
  }
}

function isHot(counter: number, hottest: readonly HotKey[]): boolean {
  if (counter === 0) return false;
  return hottest.length < LISTED_KEYS || counter > hottest[LISTED_KEYS - 1].counter;
}

function insert(key: HotKey, hottest: HotKey[]): void {
  const place = hottest.findIndex(({ counter }) => counter < key.counter);
  hottest.splice(place < 0 ? hottest.length : place, 0, key);
  if (hottest.length > LISTED_KEYS) hottest.pop();
}

/** Asks for the counters of a batch of keys, and for the keys of the next, in one write. */
async function countStep(
  sampling: Sampling,
  keys: readonly BulkReply[],
): Promise<Step<CountedKeys>> {
  const { scan } = sampling;
  const [counters, nextKeys] = await Promise.all([
    askCounters(sampling, keys),
    scan.isDone ? undefined : scan.next(),
  ]);
  return {
    batch: { keys, counters },
    next: nextKeys && (() => countStep(sampling, nextKeys)),
  };
}

/** Counters; 0 for a key that is gone. */
async function askCounters(sampling: Sampling, keys: readonly BulkReply[]): Promise<number[]> {
  const replies = await Promise.all(
    keys.map((key) => sampling.client.send("OBJECT", "FREQ", key.bytes)),
  );
  return replies.map((reply, index) => {
    if (reply.kind === "integer") return Number(reply.value);
    if (reply.kind === "error") throw new ToolError(`Error: ${reply.text()}`);
    sampling.warn(`Warning: OBJECT FREQ of ${quoteKey(keys[index])} failed: it is gone`);
    return 0;
  });
}
