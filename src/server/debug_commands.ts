/**
 * DEBUG: looking at the inside of a server, and making it do what it shouldn't.
 *
 * Each subcommand has a row in {@linkcode SUBCOMMANDS}: its name, how many arguments it takes, and what it
 * does. What means nothing here (the allocator's settings, cluster packets) has no row and is answered as
 * Redis answers what it doesn't know, so that nobody believes it was done.
 *
 * @module
 */
import type { Handler } from "../commands/context.ts";
import { replyHelp } from "../commands/generic.ts";
import type { SERVER_SPECS } from "../commands/specs/server.ts";
import type { HandlersFor } from "../commands/specs/mod.ts";
import { idleSeconds } from "../keyspace/access_clock.ts";
import { checkKeyspace, findEntry } from "../keyspace/keyspace.ts";
import { stringEncodingName, stringLength } from "../keyspace/strings.ts";
import { serverHandler } from "./connection_commands.ts";
import { replyTestValue } from "./debug_protocol.ts";
import type { ServerContext, ServerHandler } from "./server_context.ts";

/** Longest DEBUG SLEEP in one piece: a day. */
const SLEEP_LIMIT_MS = 86_400_000;

/** One subcommand of DEBUG. */
interface Subcommand {
  /** Fewest arguments, DEBUG and the subcommand's name included. */
  readonly least: number;
  /** Most of them. */
  readonly most: number;
  /** Does it. */
  readonly run: ServerHandler;
}

function taking(least: number, run: ServerHandler, most: number = least): Subcommand {
  return { least: least + 2, most: most + 2, run };
}

function debug(context: ServerContext): void {
  const found = SUBCOMMANDS.get(context.text(1).toUpperCase());
  if (found === undefined || context.argc < found.least || context.argc > found.most) {
    return context.reply.error(
      `ERR unknown subcommand or wrong number of arguments for '${context.quoted(1, 128)}'. ` +
        "Try DEBUG HELP.",
    );
  }
  found.run(context);
}

function sleep(context: ServerContext): void {
  const { clock } = context.server;
  const ms = Math.min(SLEEP_LIMIT_MS, Number.parseFloat(context.text(2)) * 1000);
  const stop = clock.monotonic() + (Number.isFinite(ms) ? ms : 0);
  while (clock.monotonic() < stop);
  context.reply.simple("OK");
}

function check(context: ServerContext): void {
  try {
    checkKeyspace(context.keyspace);
    context.reply.simple("OK");
  } catch (error) {
    context.reply.error(`ERR inconsistent: ${(error as Error).message}`);
  }
}

/** The entry of the key in argument 2, whose access clock stays; an error is replied if there is none. */
function debuggedEntry(context: ServerContext): number {
  const entry = findEntry(context.database, context.view, context.starts[2], context.lengths[2]);
  if (entry === 0) context.reply.error("ERR no such key");
  return entry;
}

function object(context: ServerContext): void {
  const { keyspace } = context;
  const entry = debuggedEntry(context);
  if (entry === 0) return;
  context.reply.simple(
    `Value at:0x${entry.toString(16)} refcount:1 ` +
      `encoding:${stringEncodingName(keyspace, entry)} ` +
      `serializedlength:${stringLength(keyspace, entry, context.scratch)} ` +
      `lru:${keyspace.clock - idleSeconds(keyspace, entry)} ` +
      `lru_seconds_idle:${idleSeconds(keyspace, entry)}`,
  );
}

function setActiveExpire(context: ServerContext): void {
  context.server.activeExpiry = Number.parseInt(context.text(2)) > 0;
  context.reply.simple("OK");
}

function error(context: ServerContext): void {
  context.reply.error(context.quoted(2));
}

function log(context: ServerContext): void {
  context.server.logger.log("warning", `DEBUG LOG: ${context.quoted(2)}`);
  context.reply.simple("OK");
}

const DEBUG_HELP = [
  "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "CHECK",
  "    Compare everything in memory with everything else, and answer OK or what doesn't agree.",
  "ERROR <text>",
  "    Answer with <text> as an error.",
  "LOG <text>",
  "    Write <text> to the log.",
  "OBJECT <key>",
  "    Tell how the value of <key> is stored.",
  "PROTOCOL <type>",
  "    Answer with a value of one type: string, integer, double, bignum, null, array, set, map,",
  "    attrib, push, verbatim, true, false.",
  "SET-ACTIVE-EXPIRE <0|1>",
  "    Remove expired keys that nobody asks for, or don't.",
  "SLEEP <seconds>",
  "    Do nothing for so long, and let nobody else do anything.",
  "HELP",
  "    Show this help.",
];

const SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map([
  ["CHECK", taking(0, check)],
  ["ERROR", taking(1, error)],
  ["HELP", taking(0, (context) => replyHelp(context, DEBUG_HELP))],
  ["LOG", taking(1, log)],
  ["OBJECT", taking(1, object)],
  ["PROTOCOL", taking(1, (context) => replyTestValue(context.reply, context.text(2)))],
  ["SET-ACTIVE-EXPIRE", taking(1, setActiveExpire)],
  ["SLEEP", taking(1, sleep)],
]);

/** The handler of DEBUG. */
export const DEBUG_HANDLERS: Pick<HandlersFor<typeof SERVER_SPECS, Handler>, "debug"> = {
  debug: serverHandler(debug),
};
