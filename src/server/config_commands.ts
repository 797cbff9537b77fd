/**
 * Handlers of CONFIG: the settings, as clients read and change them.
 *
 * @module
 */
import { type Handler, SYNTAX_ERROR } from "../commands/context.ts";
import { replyHelp } from "../commands/generic.ts";
import type { HandlersFor } from "../commands/specs/mod.ts";
import type { SERVER_SPECS } from "../commands/specs/server.ts";
import { pathFrom, systemReason } from "../runtime/files.ts";
import { hasLeave, LOADING } from "./access.ts";
import { rewriteConfig } from "./config_rewrite.ts";
import { serverHandler } from "./connection_commands.ts";
import type { Server } from "./server.ts";
import type { ServerContext } from "./server_context.ts";
import { changeFailed, findSetting, SettingsError } from "./settings.ts";

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
  if (server.persistence.loading !== null && pairs.some(([name]) => findSetting(name)?.needsData)) {
    return reply.error(LOADING);
  }
  let undo: () => void = () => {};
  try {
    const folder = server.settings.text("dir");
    undo = server.settings.change(pairs, hasLeave(context, "enable-protected-configs"));
    changeFolder(server, folder);
  } catch (error) {
    undo();
    if (!(error instanceof SettingsError)) throw error;
    return reply.error(`ERR ${error.message}`);
  }
  server.applySettings();
  const moved = pairs.map(([name]) => name.toLowerCase())
    .find((name) => name === "bind" || name === "port");
  if (moved === undefined) return reply.simple("OK");
  moveListeners(context, moved, undo);
}

/** Goes from one folder to that of the settings, which may be written as seen from the former. */
function changeFolder(server: Server, from: string): void {
  const { settings, files } = server;
  if (settings.text("dir") === from) return;
  try {
    settings.replace("dir", files.folder(pathFrom(from, settings.text("dir"))));
  } catch (error) {
    throw changeFailed("dir", systemReason(error));
  }
}

/**
 * Listens where the settings say; the client waits meanwhile, since a port takes a while to be free. In a transaction it
 * can't: then only the log tells if that fails.
 */
function moveListeners(context: ServerContext, name: string, undo: () => void): void {
  const { server } = context;
  const blocked = context.mayBlock
    ? context.waitFor({ timeOut: (reply) => reply.simple("OK"), ended: () => {} }, 0)
    : null;
  if (blocked === null) context.reply.simple("OK");
  const fail = (): void => {
    server.logger.log(
      "warning",
      `Failed applying new configuration. Possibly related to new ${name} setting. ` +
        "Restoring previous settings.",
    );
    const { message } = changeFailed(
      name,
      name === "bind"
        ? "Failed to bind to specified addresses."
        : "Unable to listen on this port. Check server logs.",
    );
    undo();
    server.applySettings();
    blocked?.finish((reply) => reply.error(`ERR ${message}`));
  };
  server.moveListeners().then(() => blocked?.finish((reply) => reply.simple("OK")), fail);
}

function configResetStat(context: ServerContext): void {
  context.server.resetStatistics();
  context.reply.simple("OK");
}

function configRewrite(context: ServerContext): void {
  if (context.server.configFile === undefined) {
    return context.reply.error("ERR The server is running without a config file");
  }
  rewriteFile(context, context.server.configFile, false);
}

/** DEBUG CONFIG-REWRITE-FORCE-ALL: as CONFIG REWRITE, with all that has its default. */
export function configRewriteAll(context: ServerContext): void {
  if (context.server.configFile === undefined) {
    return context.reply.error("ERR CONFIG-REWRITE-FORCE-ALL failed: Bad address");
  }
  rewriteFile(context, context.server.configFile, true);
}

function rewriteFile(context: ServerContext, configFile: string, all: boolean): void {
  const { reply, server } = context;
  const { files, logger, settings } = server;
  try {
    const before = textOrNothing(server, configFile);
    files.replaceText(configFile, rewriteConfig(before, settings, all));
  } catch (error) {
    const reason = systemReason(error);
    logger.log("warning", `CONFIG REWRITE failed: ${reason}`);
    return reply.error(`ERR Rewriting config file: ${reason}`);
  }
  logger.log("warning", "CONFIG REWRITE executed with success.");
  reply.simple("OK");
}

/** The config file as it is now; if it has gone, it is written anew. */
function textOrNothing({ files }: Server, path: string): string {
  try {
    return files.readText(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

const CONFIG_HELP = [
  "CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "GET <pattern> [<pattern> ...]",
  "    Answer with the settings whose names match a pattern, and their values.",
  "SET <setting> <value> [<setting> <value> ...]",
  "    Change settings, all of them or none.",
  "RESETSTAT",
  "    Set the counters of INFO to zero.",
  "REWRITE",
  "    Write the settings as they are now into the config file.",
  "HELP",
  "    Show this help.",
];

/** The handlers of CONFIG's subcommands. */
export const CONFIG_HANDLERS: HandlersFor<typeof SERVER_SPECS, Handler>["config"] = {
  get: serverHandler(configGet),
  set: serverHandler(configSet),
  resetstat: serverHandler(configResetStat),
  rewrite: serverHandler(configRewrite),
  help: (context) => replyHelp(context, CONFIG_HELP),
};
