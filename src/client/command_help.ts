/**
 * `help` on the command line: what a command does and takes, without a dialogue.
 *
 * @module
 */

import { reportFailure } from "./failures.ts";
import type { CommandGuide } from "./help/mod.ts";
import { openTool, type ToolContext } from "./tools/tool.ts";

/**
 * Prints what `help` says.
 *
 * The server describes its commands itself, if there is one and it can; else the table does that
 * the program carries.
 *
 * @param topic What stands behind `help`.
 * @param context How to reach the server, and where to print. Colours are there as redis-cli has
 * them, for files too; but not if the environment says NO_COLOR.
 */
export async function printCommandHelp(
  topic: readonly Uint8Array[],
  context: ToolContext,
): Promise<void> {
  const { ansiHelpStyle, makeGuide } = await import("./help/known_commands.ts");
  const guide = makeGuide();
  if (topic.length > 0) await learnFromServer(guide, context);
  const decoder = new TextDecoder();
  const words = topic.map((word) => decoder.decode(word));
  const style = context.terminal.environment("NO_COLOR") ? undefined : ansiHelpStyle;
  context.terminal.write(new TextEncoder().encode(guide.help(words, style)));
}

/** Asks the server for its commands; help doesn't fail for want of a server. */
async function learnFromServer(guide: CommandGuide, context: ToolContext): Promise<void> {
  try {
    using client = await openTool(context);
    guide.learn(await client.send("COMMAND", "DOCS"));
  } catch (error) {
    // What the table knows is told all the same.
    reportFailure(error, { writeError: () => {} });
  }
}
