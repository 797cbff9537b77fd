/**
 * Handlers of the commands about the server as a whole.
 *
 * @module
 */
import { type Handler, SYNTAX_ERROR } from "../commands/context.ts";
import { replyHelp } from "../commands/generic.ts";
import { ALL_SPECS, BARE, type HandlersFor } from "../commands/specs/mod.ts";
import type { SERVER_SPECS } from "../commands/specs/server.ts";
import { checkKeyspace, clearDatabase, findEntry, idleSeconds } from "../keyspace/keyspace.ts";
import { stringEncodingName, stringLength } from "../keyspace/strings.ts";
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
import { infoText } from "./info.ts";
import type { ServerContext } from "./server_context.ts";

/** Longest DEBUG SLEEP in one piece: a day. */
const SLEEP_LIMIT_MS = 86_400_000;

function flush(context: ServerContext, all: boolean): void {
  const { reply, keyspace } = context;
  if (context.argc > 2 || (context.argc === 2 && !isFlushMode(context))) {
    return reply.error(SYNTAX_ERROR);
  }
  for (const database of all ? keyspace.databases : [context.database]) {
    if (database.size === 0) continue;
    keyspace.dirty += database.size;
    clearDatabase(database);
  }
  // An empty database is flushed for those who listen, too.
  keyspace.dirty++;
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
  [databases[first], databases[second]] = [databases[second], databases[first]];
  databases[first].number = first;
  databases[second].number = second;
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
  const now = context.server.clock.now();
  // The clock has no microseconds; the monotonic one's fraction makes two calls differ.
  const fraction = Math.floor((context.server.clock.monotonic() % 1) * 1000);
  context.reply.array(2);
  context.reply.bulk(String(Math.floor(now / 1000)));
  context.reply.bulk(String((now % 1000) * 1000 + fraction));
}

function debug(context: ServerContext): void {
  const { reply, server, keyspace } = context;
  if (context.isWord(1, "SLEEP") && context.argc === 3) {
    const ms = Math.min(SLEEP_LIMIT_MS, Number(context.text(2)) * 1000);
    const stop = server.clock.monotonic() + (Number.isFinite(ms) ? ms : 0);
    while (server.clock.monotonic() < stop);
    reply.simple("OK");
  } else if (context.isWord(1, "OBJECT") && context.argc >= 3) {
    debugObject(context);
  } else if (context.isWord(1, "CHECK") && context.argc === 2) {
    try {
      checkKeyspace(keyspace);
      reply.simple("OK");
    } catch (error) {
      reply.error(`ERR inconsistent: ${(error as Error).message}`);
    }
  } else if (context.isWord(1, "SET-ACTIVE-EXPIRE") && context.argc === 3) {
    server.activeExpiry = context.text(2) !== "0";
    reply.simple("OK");
  } else if (context.isWord(1, "HELP") && context.argc === 2) {
    replyHelp(context, DEBUG_HELP);
  } else {
    reply.error(
      `ERR unknown subcommand or wrong number of arguments for '${context.text(1)}'. ` +
        "Try DEBUG HELP.",
    );
  }
}

function debugObject(context: ServerContext): void {
  const { keyspace } = context;
  const entry = findEntry(context.database, context.view, context.starts[2], context.lengths[2]);
  if (entry === 0) return context.reply.error("ERR no such key");
  context.reply.simple(
    `Value at:0x${entry.toString(16)} refcount:1 ` +
      `encoding:${stringEncodingName(keyspace, entry)} ` +
      `serializedlength:${stringLength(keyspace, entry, context.scratch)} ` +
      `lru:${keyspace.clock - idleSeconds(keyspace, entry)} ` +
      `lru_seconds_idle:${idleSeconds(keyspace, entry)}`,
  );
}

function shutdown(context: ServerContext): void {
  let save = false;
  let noSave = false;
  let abort = false;
  for (let index = 1; index < context.argc; index++) {
    if (context.isWord(index, "SAVE")) save = true;
    else if (context.isWord(index, "NOSAVE")) noSave = true;
    else if (context.isWord(index, "ABORT")) abort = true;
    else if (!context.isWord(index, "NOW") && !context.isWord(index, "FORCE")) {
      return context.reply.error(SYNTAX_ERROR);
    }
  }
  if ((save && noSave) || (abort && context.argc > 2)) return context.reply.error(SYNTAX_ERROR);
  if (abort) return context.reply.error("ERR No shutdown in progress.");
  if (save) {
    return context.reply.error(
      "ERR Errors trying to SHUTDOWN. Check logs. (snapshots are not there yet: use NOSAVE)",
    );
  }
  context.server.shutdown();
}

const DEBUG_HELP = [
  "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "CHECK",
  "    Compare everything in memory with everything else, and answer OK or what doesn't agree.",
  "OBJECT <key>",
  "    Tell how the value of <key> is stored.",
  "SET-ACTIVE-EXPIRE <0|1>",
  "    Remove expired keys that nobody asks for, or don't.",
  "SLEEP <seconds>",
  "    Do nothing for so long, and let nobody else do anything.",
  "HELP",
  "    Show this help.",
];

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
  debug: serverHandler(debug),
  time: serverHandler(time),
  shutdown: serverHandler(shutdown),
};
