/**
 * What the tools that look at each key (`--bigkeys`, `--memkeys`, `--hotkeys`) have in common.
 *
 * ## What it costs
 *
 * A SCAN gives ten keys, and what is wanted of each takes one more command or two. Asked one after
 * the other, that would be three round trips for ten keys, and on one machine nearly all of the time
 * is spent on waiting for them. But what is asked of some keys doesn't depend on what comes of the
 * next ones: so the questions about one batch leave together with the SCAN for the next, in one
 * write, and ten keys cost one round trip. The server does the same work as before, but for fewer
 * reads and writes, in turns of twenty commands rather than ten.
 *
 * @module
 */

import type { Client } from "../client.ts";
import { reportFailure } from "../failures.ts";
import { formatPercent } from "./figures.ts";
import { Interruption } from "./interruption.ts";
import { countKeys, KeyScan } from "./key_scan.ts";
import { Progress } from "./progress.ts";
import { connectTool, type ToolContext } from "./tool.ts";

/** After so many SCANs it rests, if the user wants it to. */
const SCANS_BETWEEN_RESTS = 100;

/** After so many keys it tells how far it is. */
const KEYS_BETWEEN_LINES = 1_000_000;

/** What came of a step through the keys. */
export interface Step<Batch> {
  /** Keys about which all is known now. */
  readonly batch: Batch | undefined;
  /** Sends the questions of the next step, and waits for the answers; `undefined` at the end. */
  readonly next: (() => Promise<Step<Batch>>) | undefined;
}

/**
 * Gives the batches of steps. The questions of each step are on their way before the batch of the
 * one before is given: the server works on them while that is counted.
 */
export async function* walkAhead<Batch>(
  first: () => Promise<Step<Batch>>,
): AsyncGenerator<Batch> {
  let asked: Promise<Step<Batch>> | undefined = first();
  try {
    while (asked !== undefined) {
      const { batch, next }: Step<Batch> = await asked;
      asked = next?.();
      if (batch !== undefined) yield batch;
    }
  } finally {
    // Who doesn't want the rest doesn't care what becomes of it.
    asked?.catch(() => {});
  }
}

/** The state of a walk through all keys. */
export class Sampling {
  /** The connection. */
  readonly client: Client;
  /** The keys. */
  readonly scan: KeyScan;
  readonly #progress: Progress;
  readonly #interruption: Interruption;
  readonly #totalKeys: number;
  readonly #restMs: number;
  #sampledKeys = 0;
  #batches = 0;
  #percent: string;

  /**
   * Stands in front of the first key.
   *
   * @param totalKeys How many there are, about.
   */
  constructor(
    client: Client,
    context: ToolContext,
    interruption: Interruption,
    totalKeys: number,
  ) {
    const { pattern, intervalSeconds } = context.settings;
    this.client = client;
    this.scan = new KeyScan(client, pattern);
    this.#interruption = interruption;
    this.#totalKeys = totalKeys;
    this.#restMs = intervalSeconds * 1000;
    this.#percent = formatPercent(0, totalKeys);
    this.#progress = new Progress(context.terminal, {
      label: "Scanning",
      unit: "keys",
      // How many match a pattern, nobody knows.
      total: pattern === undefined ? totalKeys : undefined,
    });
  }

  /** How many keys were looked at. */
  get sampledKeys(): number {
    return this.#sampledKeys;
  }

  /** Prints a line. */
  print(line: string): void {
    this.#progress.line(line);
  }

  /** Prints a line that says how far it was when the batch began. */
  printFinding(finding: string): void {
    this.print(`[${this.#percent}] ${finding}`);
  }

  /** Prints a line on the error output. */
  warn(line: string): void {
    this.#progress.errorLine(line);
  }

  /** Prints what the walk is about. */
  printHeading(what: string): void {
    this.print(`
# Scanning the entire keyspace to find ${what} keys as well as
# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec
# per 100 SCAN commands (not usually needed).
`);
  }

  /** Prints how many keys there were, at the end or when the user wants an end. */
  printSummaryHeading(): void {
    this.#progress.end();
    this.print("\n-------- summary -------\n");
    const sampled = `Sampled ${this.#sampledKeys} keys in the keyspace!`;
    if (this.#interruption.isRequested) this.printFinding(sampled);
    else this.print(sampled);
  }

  /** Begins a batch of keys. */
  beginBatch(): void {
    this.#percent = formatPercent(this.#sampledKeys, this.#totalKeys);
  }

  /** Counts a key. */
  countKey(): void {
    this.#sampledKeys++;
    if (this.#sampledKeys % KEYS_BETWEEN_LINES === 0) {
      this.printFinding(`Sampled ${this.#sampledKeys} keys so far`);
    }
  }

  /**
   * Ends a batch, and rests now and then if the user wants it to.
   *
   * @returns whether to go on.
   */
  async endBatch(): Promise<boolean> {
    this.#progress.update(this.#sampledKeys);
    if (this.#restMs > 0 && ++this.#batches % SCANS_BETWEEN_RESTS === 0) {
      await this.#interruption.sleep(this.#restMs);
    }
    return !this.#interruption.isRequested;
  }

  /** Takes the progress off the screen. */
  [Symbol.dispose](): void {
    this.#progress.end();
  }
}

/**
 * Connects, counts the keys, and has something done with all of them. Ctrl-C ends it early, but not
 * without what was found so far.
 *
 * @returns The exit code.
 */
export async function runSampling(
  context: ToolContext,
  work: (sampling: Sampling) => Promise<void>,
): Promise<number> {
  using client = await connectTool(context);
  if (client === undefined) return 1;
  using interruption = new Interruption(context.terminal);
  try {
    const totalKeys = await countKeys(client);
    using sampling = new Sampling(client, context, interruption, totalKeys);
    await work(sampling);
    return 0;
  } catch (error) {
    return reportFailure(error, context.terminal);
  }
}
