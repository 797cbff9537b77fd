/**
 * Loads broken files, and says what became of them; see the README beside it.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { KINDS } from "./file_seeds.ts";
import type { FileOrder, FileReport } from "./file_worker.ts";

const USAGE = `deno run -A tests/fuzz/files.ts [options]

  --files N    how many (100000)
  --seed N     what they are made from (random)
  --kind KIND  rdb, aof, manifest or restore (all in turn)
  --only N     loads the file of this number alone, as a fault names it
  --out FILE   writes the file that is at fault there
`;

/** A file that takes so long hangs: the worker can't be asked any more. */
const HANG_MS = 20_000;
const LOOK_MS = 1000;

async function main(): Promise<number> {
  const options = parseArgs(Deno.args, {
    string: ["files", "seed", "kind", "only", "out"],
    boolean: ["help"],
  });
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const seed = Number(options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  const kinds = options.kind === undefined ? KINDS : KINDS.filter((kind) => kind === options.kind);
  if (kinds.length === 0) {
    console.log(USAGE);
    return 2;
  }
  const order: FileOrder = {
    seed,
    files: options.only === undefined ? Number(options.files ?? 100_000) : 1,
    from: Number(options.only ?? 0),
    kinds,
    progress: new SharedArrayBuffer(4),
  };
  const again = options.kind === undefined ? "" : ` --kind ${options.kind}`;
  console.log(`--seed ${seed}${again}`);
  const report = await watch(order);
  if (report.fault === undefined) return 0;
  console.log(`FAILED: ${report.fault}\nagain: --seed ${seed}${again} --only N`);
  if (typeof options.out === "string" && report.bytes !== undefined) {
    await Deno.writeFile(options.out, report.bytes);
  }
  return 1;
}

/** Has a worker work, and sees that it goes on. */
function watch(order: FileOrder): Promise<{ fault?: string; bytes?: Uint8Array }> {
  const progress = new Int32Array(order.progress);
  const worker = new Worker(new URL("./file_worker.ts", import.meta.url), { type: "module" });
  return new Promise((resolve) => {
    let last = -1;
    let since = performance.now();
    const timer = setInterval(() => {
      const index = Atomics.load(progress, 0);
      if (index !== last) [last, since] = [index, performance.now()];
      else if (performance.now() - since > HANG_MS) end({ fault: `file ${index} hangs` });
    }, LOOK_MS);
    const end = (report: { fault?: string; bytes?: Uint8Array }): void => {
      clearInterval(timer);
      worker.terminate();
      resolve(report);
    };
    worker.onmessage = ({ data }: MessageEvent<FileReport>) => {
      if ("line" in data) console.log(data.line);
      else end(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end({ fault: `file ${Atomics.load(progress, 0)}: ${event.message}` });
    };
    worker.postMessage(order);
  });
}

Deno.exit(await main());
