/**
 * A load of reads and writes, seen from the benchmark: each client sends GET and, as every tenth
 * command in the mean, SET. `redis-benchmark` has one command a run, and two runs side by side
 * would each go at a pace of their own, with no client that reads what it has written.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { MixedLoadOrder } from "./mixed_load_process.ts";
import {
  KEYSPACE,
  type LoadGenerator,
  RUN_LIMIT_MS,
  type Workload,
  type WorkloadFigures,
} from "./redis_benchmark.ts";

const PROCESS_PATH = fileURLToPath(new URL("./mixed_load_process.ts", import.meta.url));

/** Runs `mixed_load_process.ts`. */
export class MixedLoad implements LoadGenerator {
  readonly #interruption: AbortSignal;

  /** What runs when `interruption` fires is ended. */
  constructor(interruption: AbortSignal) {
    this.#interruption = interruption;
  }

  /**
   * One run to its end.
   *
   * @throws {Error} with what it printed, if it fails: a key is missing, a reply is an error, or
   * there is no end
   */
  async run(port: number, workload: Workload, requests: number): Promise<WorkloadFigures> {
    const { clients, pipeline, valueBytes = 64, keyspace = KEYSPACE } = workload;
    const order: MixedLoadOrder = { port, clients, pipeline, valueBytes, keyspace, requests };
    const limit = AbortSignal.timeout(RUN_LIMIT_MS);
    const output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-net", "--no-check", PROCESS_PATH, JSON.stringify(order)],
      stdin: "null",
      signal: AbortSignal.any([this.#interruption, limit]),
    }).output();
    const decoder = new TextDecoder();
    if (!output.success) {
      const said = limit.aborted
        ? `no end after ${RUN_LIMIT_MS / 1000} s`
        : decoder.decode(output.stderr);
      throw new Error(`a mixed load failed: ${said.trim()}`);
    }
    return JSON.parse(decoder.decode(output.stdout));
  }
}
