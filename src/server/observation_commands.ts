/**
 * Handlers of the commands that look at a running server: SLOWLOG, MONITOR, ROLE, MODULE, LOLWUT.
 *
 * @module
 */
import type { Handler } from "../commands/context.ts";
import { replyHelp } from "../commands/generic.ts";
import type { HandlersFor, OBSERVATION_SPECS } from "../commands/specs/mod.ts";
import { serverHandler } from "./connection_commands.ts";
import { LATENCY_HANDLERS } from "./latency_commands.ts";
import { lolwut } from "./lolwut.ts";
import { role } from "./replication_commands.ts";
import type { ServerContext } from "./server_context.ts";

const DEFAULT_ENTRIES = 10;
const BAD_COUNT = "ERR count should be greater than or equal to -1";
function slowLogGet(context: ServerContext): void {
  const { reply } = context;
  const { slowLog } = context.server;
  if (context.argc > 3) {
    return reply.error(
      "ERR unknown subcommand or wrong number of arguments for " +
        `'${context.quoted(1)}'. Try SLOWLOG HELP.`,
    );
  }
  let count = DEFAULT_ENTRIES;
  if (context.argc === 3) {
    if (!context.integer(2, BAD_COUNT)) return;
    if (context.value < -1) return reply.error(BAD_COUNT);
    count = context.value === -1 ? slowLog.length : context.value;
  }
  const entries = slowLog.latest(count);
  reply.array(entries.length);
  for (const entry of entries) {
    reply.array(6);
    reply.integer(entry.id);
    reply.integer(entry.time);
    reply.integer(entry.microseconds);
    reply.array(entry.args.length);
    for (const argument of entry.args) reply.bulkBytes(argument);
    reply.bulk(entry.address);
    reply.bulk(entry.clientName);
  }
}

function slowLogReset(context: ServerContext): void {
  context.server.slowLog.clear();
  context.reply.simple("OK");
}

function monitor(context: ServerContext): void {
  if (!context.mayBlock) {
    return context.reply.error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  }
  // As with Redis, a client that is a monitor already hears nothing.
  if (context.client.monitoring) return;
  context.server.monitors.add(context.client);
  context.reply.simple("OK");
}

const SLOWLOG_HELP = [
  "SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "GET [<count>]",
  "    Answer with the latest <count> entries (10, or with -1 all of them), latest first:",
  "    id, time, microseconds, arguments, address and name of the client.",
  "LEN",
  "    Answer with the number of entries.",
  "RESET",
  "    Forget all entries.",
  "HELP",
  "    Show this help.",
];

const MODULE_HELP = [
  "MODULE <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "LIST",
  "    Answer with the modules that are loaded, of which there are none.",
  "LOAD <path> [<arg> ...]",
  "    Refused: modules of Redis can't be loaded here.",
  "LOADEX <path> [CONFIG <name> <value> ...] [ARGS <arg> ...]",
  "    Refused likewise.",
  "UNLOAD <name>",
  "    Refused likewise.",
  "HELP",
  "    Show this help.",
];

/** Is never run: the table of commands says that these are refused. */
const refused: Handler = () => {};

/** The handlers of the commands that look at a running server. */
export const OBSERVATION_HANDLERS: HandlersFor<typeof OBSERVATION_SPECS, Handler> = {
  slowlog: {
    get: serverHandler(slowLogGet),
    len: serverHandler((context) => context.reply.integer(context.server.slowLog.length)),
    reset: serverHandler(slowLogReset),
    help: (context) => replyHelp(context, SLOWLOG_HELP),
  },
  latency: LATENCY_HANDLERS,
  monitor: serverHandler(monitor),
  role: serverHandler(role),
  module: {
    list: (context) => context.reply.array(0),
    load: refused,
    loadex: refused,
    unload: refused,
    help: (context) => replyHelp(context, MODULE_HELP),
  },
  lolwut,
};
