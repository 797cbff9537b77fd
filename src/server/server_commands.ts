/**
 * Handlers of the commands about the server as a whole.
 *
 * @module
 */
import { type Handler, SYNTAX_ERROR } from "../commands/context.ts";
import { ALL_SPECS, BARE, type HandlersFor } from "../commands/specs/mod.ts";
import type { SERVER_SPECS } from "../commands/specs/server.ts";
import { flushDatabases, swapDatabases } from "../keyspace/flushing.ts";
import {
  type InnerCall,
  replyCommand,
  replyCommandCount,
  replyCommandDocs,
  replyCommandGetKeys,
  replyCommandGetKeysAndFlags,
  replyCommandHelp,
  replyCommandInfo,
  replyCommandList,
} from "./command_introspection.ts";
import { CONFIG_HANDLERS } from "./config_commands.ts";
import { serverHandler } from "./connection_commands.ts";
import { DEBUG_HANDLERS } from "./debug_commands.ts";
import { infoText } from "./info.ts";
import { shutdown } from "./saving_commands.ts";
import type { ServerContext } from "./server_context.ts";

function flush(context: ServerContext, all: boolean): void {
  const { reply, keyspace } = context;
  if (context.argc > 2 || (context.argc === 2 && !isFlushMode(context))) {
    return reply.error(SYNTAX_ERROR);
  }
  const lazily = context.argc === 2
    ? context.isWord(1, "ASYNC")
    : context.server.settings.isOn("lazyfree-lazy-user-flush");
  const databases = all ? keyspace.databases : [context.database];
  keyspace.dirty += flushDatabases(keyspace, databases, lazily);
  // An empty database is flushed for those who listen, too.
  context.effect(() => context.allArguments());
  if (all) context.server.persistence.flushedAll();
  context.server.clients.tracking.flushed();
  reply.simple("OK");
}

function isFlushMode(context: ServerContext): boolean {
  return context.isWord(1, "SYNC") || context.isWord(1, "ASYNC");
}

function swapdb(context: ServerContext): void {
  const { keyspace, reply } = context;
  const numbers: number[] = [];
  for (const [index, which] of [[1, "first"], [2, "second"]] as const) {
    if (!context.smallInteger(index, `ERR invalid ${which} DB index`)) return;
    numbers.push(context.value);
  }
  const [first, second] = numbers;
  const { databases } = keyspace;
  if (databases[first] === undefined || databases[second] === undefined) {
    return reply.error("ERR DB index is out of range");
  }
  swapDatabases(databases[first], databases[second]);
  keyspace.dirty++;
  context.database = databases[context.client.database];
  reply.simple("OK");
}

function info(context: ServerContext): void {
  context.reply.verbatim("txt", infoText(context.server, context.texts(1)));
}

function innerCall(context: ServerContext): InnerCall {
  return {
    argumentCount: context.argc - 2,
    textAt: (index) => context.text(index + 2),
    bytesAt: (index) => context.argument(index + 2),
  };
}

function time(context: ServerContext): void {
  const now = context.server.time.unixMicroseconds();
  context.reply.array(2);
  context.reply.bulk(String(Math.floor(now / 1_000_000)));
  context.reply.bulk(String(now % 1_000_000));
}

/** The handlers of the commands about the server as a whole. */
export const SERVER_HANDLERS: HandlersFor<typeof SERVER_SPECS, Handler> = {
  dbsize: (context) => context.reply.integer(context.database.size),
  flushdb: serverHandler((context) => flush(context, false)),
  flushall: serverHandler((context) => flush(context, true)),
  swapdb: serverHandler(swapdb),
  info: serverHandler(info),
  config: CONFIG_HANDLERS,
  command: {
    [BARE]: (context) => replyCommand(context.reply, ALL_SPECS),
    count: (context) => replyCommandCount(context.reply, ALL_SPECS),
    docs: serverHandler((context) => replyCommandDocs(context.reply, ALL_SPECS, context.texts(2))),
    getkeys: serverHandler((context) =>
      replyCommandGetKeys(context.reply, ALL_SPECS, innerCall(context))
    ),
    getkeysandflags: serverHandler((context) =>
      replyCommandGetKeysAndFlags(context.reply, ALL_SPECS, innerCall(context))
    ),
    info: serverHandler((context) => replyCommandInfo(context.reply, ALL_SPECS, context.texts(2))),
    list: serverHandler((context) => replyCommandList(context.reply, ALL_SPECS, context.texts(2))),
    help: (context) => replyCommandHelp(context.reply),
  },
  ...DEBUG_HANDLERS,
  time: serverHandler(time),
  shutdown: serverHandler(shutdown),
};
