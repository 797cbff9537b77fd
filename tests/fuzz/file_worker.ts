/**
 * Loads broken files in a thread of its own, so that somebody is left to see that it hangs.
 *
 * @module
 */
import { FileFault, fuzzFiles } from "./file_fuzzer.ts";
import type { Kind } from "./file_seeds.ts";

const PIECE_FILES = 1000;

/** The part of a worker's global scope that is used here; the default types are a window's. */
interface WorkerScope {
  onmessage: ((event: { data: FileOrder }) => void) | null;
  postMessage(report: FileReport): void;
}

const scope = self as unknown as WorkerScope;

/** What the worker is to do. */
export interface FileOrder {
  /** What files are made from. */
  readonly seed: number;
  /** How many, */
  readonly files: number;
  /** and the number of the first one. */
  readonly from: number;
  /** Kinds in turn. */
  readonly kinds: readonly Kind[];
  /** Where it notes which file it is at. */
  readonly progress: SharedArrayBuffer;
}

/** What the worker tells. */
export type FileReport =
  | { readonly line: string }
  | { readonly ended: true; readonly fault?: string; readonly bytes?: Uint8Array };

/** Runs in the worker, so that somebody is left to see that it hangs. */
async function work(order: FileOrder): Promise<FileReport> {
  const progress = new Int32Array(order.progress);
  const started = performance.now();
  let [files, loaded, slowestMs, slowest] = [0, 0, 0, -1];
  try {
    while (files < order.files) {
      const tally = await fuzzFiles({
        ...order,
        from: order.from + files,
        files: Math.min(PIECE_FILES, order.files - files),
        began: (index) => Atomics.store(progress, 0, index),
      });
      files += tally.files;
      loaded += tally.loaded;
      if (tally.slowestMs > slowestMs) [slowestMs, slowest] = [tally.slowestMs, tally.slowest];
      if (files % 20_000 !== 0 && files < order.files) continue;
      const seconds = (performance.now() - started) / 1000;
      const memory = (Deno.memoryUsage().rss / 1e6).toFixed(0);
      scope.postMessage({
        line: `${files} files, ${loaded} of them loaded, ${files - loaded} refused; ` +
          `${(files / seconds).toFixed(0)}/s; the slowest (${slowest}) took ${
            slowestMs.toFixed(0)
          } ms; ` +
          `${memory} MB of memory`,
      });
    }
    return { ended: true };
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    return {
      ended: true,
      fault: `${error.message}\n${(error.cause as Error)?.stack}`,
      bytes: error.bytes,
    };
  }
}

scope.onmessage = async ({ data }) => scope.postMessage(await work(data));
