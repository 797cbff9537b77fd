/**
 * The tools of the command line client: what it does with a server other than running commands.
 *
 * @module
 */

import { UsageError } from "../../runtime/arguments.ts";
import type { ToolName } from "../options.ts";
import type { Tool, ToolContext } from "./tool.ts";

/** The tools; each is loaded when it is asked for, so that the others cost nothing at the start. */
const TOOLS: ReadonlyMap<ToolName, () => Promise<Tool>> = new Map<ToolName, () => Promise<Tool>>([
  ["pipe", async () => (await import("./pipe.ts")).pipe],
]);

/**
 * Runs a tool.
 *
 * @returns The exit code.
 */
export async function runTool(name: ToolName, context: ToolContext): Promise<number> {
  const load = TOOLS.get(name);
  if (load === undefined) throw new UsageError(`--${name} isn't there yet`);
  return (await load())(context);
}
