/**
 * Handlers of CONFIG: the settings, as clients read and change them.
 *
 * @module
 */
import { type Handler, SYNTAX_ERROR } from "../commands/context.ts";
import { replyHelp } from "../commands/generic.ts";
import type { HandlersFor } from "../commands/specs/mod.ts";
import type { SERVER_SPECS } from "../commands/specs/server.ts";
import { serverHandler } from "./connection_commands.ts";
import type { ServerContext } from "./server_context.ts";
import { SettingsError } from "./settings.ts";

function configGet(context: ServerContext): void {
  const found = context.server.settings.matching(context.texts(2));
  context.reply.map(found.length);
  for (const [name, value] of found) {
    context.reply.bulk(name);
    context.reply.bulk(value);
  }
}

function configSet(context: ServerContext): void {
  const { reply, server } = context;
  const words = context.texts(2);
  if (words.length % 2 === 1) return reply.error(SYNTAX_ERROR);
  const pairs: [string, string][] = [];
  for (let index = 0; index < words.length; index += 2) {
    pairs.push([words[index], words[index + 1]]);
  }
  try {
    server.settings.change(pairs);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return reply.error(`ERR ${error.message}`);
  }
  server.applySettings();
  reply.simple("OK");
}

function configResetStat(context: ServerContext): void {
  context.server.resetStatistics();
  context.reply.simple("OK");
}

const CONFIG_HELP = [
  "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "GET <pattern> [<pattern> ...]",
  "    Answer with the settings whose names match a pattern, and their values.",
  "SET <setting> <value> [<setting> <value> ...]",
  "    Change settings, all of them or none.",
  "RESETSTAT",
  "    Set the counters of INFO to zero.",
  "HELP",
  "    Show this help.",
];

/** The handlers of CONFIG's subcommands. */
export const CONFIG_HANDLERS: HandlersFor<typeof SERVER_SPECS, Handler>["config"] = {
  get: serverHandler(configGet),
  set: serverHandler(configSet),
  resetstat: serverHandler(configResetStat),
  help: (context) => replyHelp(context, CONFIG_HELP),
};
