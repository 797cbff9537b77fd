/**
 * The tools of the command line client: what it does with a server other than running commands.
 *
 * @module
 */

import type { ToolName } from "../options.ts";
import type { Tool, ToolContext } from "./tool.ts";

/** The tools; each is loaded when it is asked for, so that the others cost nothing at the start. */
const TOOLS: Readonly<Record<ToolName, () => Promise<Tool>>> = {
  "pipe": async () => (await import("./pipe.ts")).pipe,
  "rdb": async () => (await import("./rdb.ts")).fetchSnapshot,
  "functions-rdb": async () => (await import("./rdb.ts")).fetchFunctions,
  "replica": async () => (await import("./replica.ts")).followMaster,
  "bigkeys": async () => (await import("./big_keys.ts")).bigKeys,
  "memkeys": async () => (await import("./big_keys.ts")).memoryKeys,
  "hotkeys": async () => (await import("./hot_keys.ts")).hotKeys,
  "scan": async () => (await import("./scan.ts")).scanKeys,
  "stat": async () => (await import("./stat.ts")).watchServer,
  "latency": async () => (await import("./latency.ts")).measureLatency,
  "latency-history": async () => (await import("./latency.ts")).measureLatencyHistory,
  "latency-dist": async () => (await import("./latency_distribution.ts")).drawLatencies,
  "lru-test": async () => (await import("./lru_test.ts")).playCache,
  "intrinsic-latency": async () => (await import("./intrinsic_latency.ts")).measureStalls,
};

/**
 * Runs a tool.
 *
 * @param name Which one.
 * @param context What the user asked for, and where to read and write.
 * @returns The exit code.
 */
export async function runTool(name: ToolName, context: ToolContext): Promise<number> {
  const tool = await TOOLS[name]();
  return await tool(context);
}
