/**
 * What the real machine tells of itself (times, memory), made the same in each run of a seed: servers have it in the answer to INFO, whose
 * length would not be the same twice.
 *
 * @module
 */
import process from "node:process";

/** Older versions of Deno don't have this one. */
const node = process as unknown as { threadCpuUsage?: () => { system: number; user: number } };
const MEBIBYTE = 1 << 20;

/** Puts made-up facts in the place of the real ones, until it is disposed of. */
export class MachineFacts implements Disposable {
  private readonly cpuUsage = process.cpuUsage;
  private readonly threadCpuUsage = node.threadCpuUsage;
  private readonly memoryUsage = Deno.memoryUsage;
  private readonly systemMemoryInfo = Deno.systemMemoryInfo;

  /** Takes the place of the real ones. */
  constructor() {
    process.cpuUsage = () => ({ system: 0, user: 0 });
    if (node.threadCpuUsage !== undefined) node.threadCpuUsage = () => ({ system: 0, user: 0 });
    Deno.memoryUsage = () => ({
      rss: 64 * MEBIBYTE,
      heapTotal: 16 * MEBIBYTE,
      heapUsed: 8 * MEBIBYTE,
      external: MEBIBYTE,
    });
    const facts = this.systemMemoryInfo();
    for (const name of Object.keys(facts) as (keyof typeof facts)[]) facts[name] = 1024 * MEBIBYTE;
    Deno.systemMemoryInfo = () => facts;
  }

  [Symbol.dispose](): void {
    process.cpuUsage = this.cpuUsage;
    if (this.threadCpuUsage !== undefined) node.threadCpuUsage = this.threadCpuUsage;
    Deno.memoryUsage = this.memoryUsage;
    Deno.systemMemoryInfo = this.systemMemoryInfo;
  }
}
