/**
 * Handlers of the commands that have data written to files, and of the end of the server.
 *
 * @module
 */
import { type Handler, SYNTAX_ERROR } from "../commands/context.ts";
import type { HandlersFor } from "../commands/specs/mod.ts";
import type { SAVING_SPECS } from "../commands/specs/saving.ts";
import { serverHandler } from "./connection_commands.ts";
import type { ServerContext } from "./server_context.ts";

const SAVING = "ERR Background save already in progress";

function save(context: ServerContext): void {
  const { reply, server: { persistence: { saving, snapshots } } } = context;
  if (saving) return reply.error(SAVING);
  if (snapshots.save()) reply.simple("OK");
  else reply.error("ERR");
}

function bgsave(context: ServerContext): void {
  const { reply, server: { persistence: { aof, saving, snapshots } } } = context;
  const schedules = context.argc === 2 && context.isWord(1, "SCHEDULE");
  if (context.argc > 1 && !schedules) return reply.error(SYNTAX_ERROR);
  if (saving) return reply.error(SAVING);
  // Within a transaction is no moment for a snapshot: it would have half of it.
  if ((aof.rewriting && schedules) || !context.mayBlock) {
    snapshots.scheduled = true;
    return reply.simple("Background saving scheduled");
  }
  if (aof.rewriting) {
    return reply.error(
      "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in " +
        "order to schedule a BGSAVE whenever possible.",
    );
  }
  snapshots.start();
  reply.simple("Background saving started");
}

function bgrewriteaof(context: ServerContext): void {
  const { reply, server: { persistence: { aof, saving } } } = context;
  if (aof.rewriting) {
    return reply.error("ERR Background append only file rewriting already in progress");
  }
  if (saving || !context.mayBlock) {
    aof.scheduleRewrite();
    return reply.simple("Background append only file rewriting scheduled");
  }
  aof.rewrite();
  reply.simple("Background append only file rewriting started");
}

/** SHUTDOWN. */
export function shutdown(context: ServerContext): void {
  const { reply, server } = context;
  let save: boolean | undefined;
  let force = false;
  let now = false;
  let abort = false;
  let words = 0;
  for (let index = 1; index < context.argc; index++, words++) {
    if (context.isWord(index, "SAVE") && save !== false) save = true;
    else if (context.isWord(index, "NOSAVE") && save !== true) save = false;
    else if (context.isWord(index, "FORCE")) force = true;
    else if (context.isWord(index, "ABORT")) abort = true;
    else if (context.isWord(index, "NOW")) now = true;
    else return reply.error(SYNTAX_ERROR);
  }
  if (abort && words > 1) return reply.error(SYNTAX_ERROR);
  if (abort) {
    return server.shutdownRequest.abort()
      ? reply.simple("OK")
      : reply.error("ERR No shutdown in progress.");
  }
  server.shutdownRequest.askBy(context, { save, force, now });
}

/** The handlers of the commands that have data written to files. */
export const SAVING_HANDLERS: HandlersFor<typeof SAVING_SPECS, Handler> = {
  save: serverHandler(save),
  bgsave: serverHandler(bgsave),
  bgrewriteaof: serverHandler(bgrewriteaof),
  lastsave: serverHandler(({ reply, server }) =>
    reply.integer(server.persistence.snapshots.lastSave)
  ),
};
