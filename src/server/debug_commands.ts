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
import { hasLeave, LOADING, noLeave } from "./access.ts";
import { configRewriteAll } from "./config_commands.ts";
import type { HandlersFor } from "../commands/specs/mod.ts";
import { checkKeyspace } from "../keyspace/checking.ts";
import { findEntry } from "../keyspace/keyspace.ts";
import { EXPIRY_NONE, setString } from "../keyspace/strings.ts";
import { ArenaFullError, UNIT_BYTES } from "../memory/arena.ts";
import { MAX_INTEGER_TEXT_BYTES, writeInteger } from "../protocol/integers.ts";
import { serverHandler } from "./connection_commands.ts";
import {
  debugClients,
  debugDigest,
  debugDigestValue,
  debugStringLength,
  debugStructures,
  debugTables,
} from "./debug_inspection.ts";
import { replyTestValue } from "./debug_protocol.ts";
import {
  debugListpack,
  debugObject,
  debugPackedThreshold,
  debugQuicklist,
  debugTableOfKey,
} from "./debug_values.ts";
import type { ServerContext, ServerHandler } from "./server_context.ts";

const encoder = new TextEncoder();
const NOT_POSITIVE = "ERR value is out of range, must be positive";
const COLON = 58;
/** What the values of DEBUG POPULATE start with. */
const VALUE_PREFIX = encoder.encode("value:");
/** DEBUG POPULATE makes no longer values than this. */
const LARGEST_VALUE = 2 ** 30;
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
  if (!hasLeave(context, "enable-debug-command")) {
    return context.reply.error(noLeave("DEBUG", "enable-debug-command"));
  }
  const found = SUBCOMMANDS.get(context.text(1).toUpperCase());
  if (found === undefined || context.argc < found.least || context.argc > found.most) {
    return refuse(context);
  }
  found.run(context);
}

function refuse(context: ServerContext): void {
  context.reply.error(
    `ERR unknown subcommand or wrong number of arguments for '${context.quoted(1, 128)}'. ` +
      "Try DEBUG HELP.",
  );
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

/** What C's `atoi` makes of argument `index`: the number at its start, or 0. */
function looseInteger(context: ServerContext, index: number): number {
  const number = Number.parseInt(context.text(index));
  return Number.isNaN(number) ? 0 : number;
}

/** A subcommand that turns something on (1) or off (0). */
function turning(change: (context: ServerContext, on: boolean) => void): Subcommand {
  return taking(1, (context) => {
    change(context, looseInteger(context, 2) !== 0);
    context.reply.simple("OK");
  });
}

/** DEBUG POPULATE: keys with a number at their end, without a word to the journal. */
function populate(context: ServerContext): void {
  const { database, reply } = context;
  const numbers: number[] = [];
  for (const index of [2, 4]) {
    if (index >= context.argc) break;
    if (!context.integer(index, NOT_POSITIVE)) return;
    if (context.number.high < 0) return reply.error(NOT_POSITIVE);
    numbers.push(context.value);
  }
  const [count, size = 0] = numbers;
  if (size > Math.min(context.maximumString, LARGEST_VALUE)) {
    throw new ArenaFullError(Math.ceil(size / UNIT_BYTES));
  }
  const prefix = context.argc > 3 ? context.argument(3) : encoder.encode("key");
  // One key and one value, in which only the numbers change.
  const key = new Uint8Array(prefix.length + 1 + MAX_INTEGER_TEXT_BYTES);
  key.set(prefix);
  key[prefix.length] = COLON;
  const value = new Uint8Array(Math.max(size, VALUE_PREFIX.length + MAX_INTEGER_TEXT_BYTES));
  value.set(VALUE_PREFIX);
  const keyView = new DataView(key.buffer);
  const valueView = new DataView(value.buffer);
  for (let number = 0; number < count; number++) {
    const digits = writeInteger(key, prefix.length + 1, number);
    const keyBytes = prefix.length + 1 + digits;
    if (findEntry(database, keyView, 0, keyBytes) !== 0) continue;
    writeInteger(value, VALUE_PREFIX.length, number);
    const length = size === 0 ? VALUE_PREFIX.length + digits : size;
    setString(database, 0, keyView, 0, keyBytes, valueView, 0, length, EXPIRY_NONE);
  }
  // The journal isn't to have this command, which makes keys here alone.
  context.journaled = true;
  reply.simple("OK");
}

/** DEBUG RELOAD: saves all data and loads it again, so that a test sees whether it is the same. */
function reload(context: ServerContext): void {
  const { reply, server: { persistence } } = context;
  if (persistence.loading !== null) return reply.error(LOADING);
  let saves = true;
  let flushes = true;
  let merges = false;
  for (let index = 2; index < context.argc; index++) {
    if (context.isWord(index, "MERGE")) merges = true;
    else if (context.isWord(index, "NOFLUSH")) flushes = false;
    else if (context.isWord(index, "NOSAVE")) saves = false;
    else {
      return reply.error(
        "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
      );
    }
  }
  if (saves && !persistence.snapshots.save()) return reply.error("ERR Error trying to save the DB");
  const problem = persistence.reload(flushes, merges);
  if (problem !== null) {
    return reply.error("ERR Error trying to load the RDB dump, check server logs");
  }
  persistence.log("warning", "DB reloaded by DEBUG RELOAD");
  reply.simple("OK");
}

/** DEBUG LOADAOF: the same with the append-only file. */
function loadAof(context: ServerContext): void {
  const { persistence } = context.server;
  if (persistence.loading !== null) return context.reply.error(LOADING);
  if (persistence.reloadAof() !== null) {
    return context.reply.error("ERR Error trying to load the AOF files, check server logs");
  }
  persistence.log("warning", "Append Only File loaded by DEBUG LOADAOF");
  context.reply.simple("OK");
}

/** DEBUG REPLICATE: writes a command of which nothing is done here to the journal. */
function replicate(context: ServerContext): void {
  context.effect(() => context.allArguments().slice(2));
  context.reply.simple("OK");
}

/** Ends the server as a fault of its own would: nothing is saved, nobody is told. */
function crash(context: ServerContext, fault: string | number, exitCode: number): void {
  context.server.crash(fault, exitCode);
}

function error(context: ServerContext): void {
  context.reply.error(context.quoted(2));
}

function log(context: ServerContext): void {
  context.server.logger.log("warning", `DEBUG LOG: ${context.quoted(2)}`);
  context.reply.simple("OK");
}

/** DEBUG REPLYBUFFER: all clients share the buffers in which replies are written. */
function replyBuffer(context: ServerContext): void {
  const peak = context.isWord(2, "PEAK-RESET-TIME");
  if (!peak && !context.isWord(2, "RESIZING")) return refuse(context);
  const isWord = context.isWord(3, "NEVER") || context.isWord(3, "RESET");
  if (peak && !isWord && !context.integer(3)) return;
  context.reply.simple("OK");
}

/** DEBUG AOF-FLUSH-SLEEP: has each write of the append-only file take longer. */
function aofFlushSleep(context: ServerContext): void {
  context.server.persistence.aof.writer.flushDelay = looseInteger(context, 2);
  context.reply.simple("OK");
}

/** DEBUG FAIL-CHILD: has what is written beside the server fail, as in Redis when its process is killed. */
function failChild(context: ServerContext): void {
  const { persistence: { aof, snapshots }, replication } = context.server;
  const { fullSync } = replication.replicas;
  if (snapshots.job === null && aof.job === null && fullSync.job === null) {
    return context.reply.error("ERR Nothing is being saved or rewritten");
  }
  snapshots.fail(KILLED);
  aof.failRewrite(KILLED);
  fullSync.fail(KILLED);
  context.reply.simple("OK");
}

const DEBUG_HELP = [
  "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "AOF-FLUSH-SLEEP <microseconds>",
  "    Wait so long, and let everybody wait, before each write to the append-only file.",
  "ASSERT, PANIC, OOM, SEGFAULT",
  "    End the server at once, as a fault would, with nothing saved.",
  "CHECK",
  "    Compare everything in memory with everything else, and answer OK or what doesn't agree.",
  "CLIENT-EVICTION",
  "    Tell how many clients take how much memory, if 'maxmemory-clients' limits it.",
  "CONFIG-REWRITE-FORCE-ALL",
  "    Write all settings into the config file, those with their defaults included.",
  "DIGEST",
  "    Answer with a digest of all data, which is the same for the same data in a Redis.",
  "DIGEST-VALUE <key> [<key> ...]",
  "    Answer with a digest of each of these values.",
  "ERROR <text>",
  "    Answer with <text> as an error.",
  "FAIL-CHILD",
  "    Have the snapshot or the rewrite under way fail.",
  "HTSTATS <database>",
  "    Tell how the keys of a database are spread over its table.",
  "HTSTATS-KEY <key>",
  "    The same for the table at <key>.",
  "LISTPACK <key>",
  "    Write the inside of a listpack to the log.",
  "LOADAOF",
  "    Read the append-only file again.",
  "LOG <text>",
  "    Write <text> to the log.",
  "OBJECT <key>",
  "    Tell how the value of <key> is stored.",
  "PAUSE-CRON <0|1>",
  "    Stop background work, or let it go on.",
  "POPULATE <count> [<prefix>] [<size>]",
  "    Make <count> keys <prefix>:<number> ('key' if there is none) that hold a string of <size>.",
  "PROTOCOL <type>",
  "    Answer with a value of one type: string, integer, double, bignum, null, array, set, map,",
  "    attrib, push, verbatim, true, false.",
  "QUICKLIST <key> [<0|1>]",
  "    Write the inside of a list to the log.",
  "QUICKLIST-PACKED-THRESHOLD <size>",
  "    Accepted for the sake of tests: here no element is too large for a listpack.",
  "RELOAD [option ...]",
  "    Save all data and load it again.",
  "REPLICATE <argument> [<argument> ...]",
  "    Send a command to replicas and the append-only file that isn't run here.",
  "REPLYBUFFER <PEAK-RESET-TIME <NEVER|RESET|milliseconds>|RESIZING <0|1>>",
  "    Accepted for the sake of tests: here no client has a buffer for replies of its own.",
  "RESTART, CRASH-AND-RECOVER [<milliseconds>]",
  "    Not possible here: start the server from outside.",
  "SDSLEN <key>",
  "    Tell what key and string at <key> take, and what room they have.",
  "SET-ACTIVE-EXPIRE <0|1>",
  "    Remove expired keys that nobody asks for, or don't.",
  "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
  "    Let RESTORE take payloads whose checksum is wrong, or don't.",
  "SLEEP <seconds>",
  "    Do nothing for so long, and let nobody else do anything.",
  "STRUCTSIZE",
  "    Tell how many bytes the parts of a key take.",
  "HELP",
  "    Show this help.",
];

const KILLED = "terminated by DEBUG FAIL-CHILD";
const NO_CLUSTER = "ERR Debug option only available for cluster mode enabled setup!";
const NO_RESTART = "ERR failed to restart the server. Check server logs.";
/** Exit codes that a shell shows for a process that was ended by SIGABRT and SIGSEGV. */
const EXIT_ABORTED = 134;
const EXIT_SEGMENTATION_FAULT = 139;
/** The number of SIGSEGV. */
const SEGMENTATION_FAULT = 11;
const UNLIMITED = Infinity;

const SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map([
  ["AOF-FLUSH-SLEEP", taking(1, aofFlushSleep)],
  [
    "ASSERT",
    taking(0, (context) => crash(context, "ASSERTION FAILED: DEBUG ASSERT", EXIT_ABORTED)),
  ],
  ["CHECK", taking(0, check)],
  ["CLIENT-EVICTION", taking(0, debugClients)],
  [
    "CLUSTERLINK",
    taking(
      3,
      (context) => context.isWord(2, "KILL") ? context.reply.error(NO_CLUSTER) : refuse(context),
    ),
  ],
  ["CONFIG-REWRITE-FORCE-ALL", taking(0, configRewriteAll)],
  ["CRASH-AND-RECOVER", taking(0, (context) => context.reply.error(NO_RESTART), 1)],
  ["DIGEST", taking(0, debugDigest)],
  ["DIGEST-VALUE", taking(0, debugDigestValue, UNLIMITED)],
  ["ERROR", taking(1, error)],
  ["FAIL-CHILD", taking(0, failChild)],
  ["HELP", taking(0, (context) => replyHelp(context, DEBUG_HELP))],
  ["HTSTATS", taking(1, debugTables)],
  ["HTSTATS-KEY", taking(1, debugTableOfKey)],
  ["LISTPACK", taking(1, debugListpack)],
  ["LOADAOF", taking(0, loadAof)],
  ["LOG", taking(1, log)],
  ["OBJECT", taking(1, debugObject)],
  ["OOM", taking(0, (context) => crash(context, "Out Of Memory", EXIT_ABORTED))],
  ["PANIC", taking(0, (context) => crash(context, "Guru Meditation: DEBUG PANIC", EXIT_ABORTED))],
  ["PAUSE-CRON", turning((context, on) => context.server.cronPaused = on)],
  ["POPULATE", taking(1, populate, 3)],
  ["PROTOCOL", taking(1, (context) => replyTestValue(context.reply, context.text(2)))],
  ["QUICKLIST", taking(1, debugQuicklist, 2)],
  ["QUICKLIST-PACKED-THRESHOLD", taking(1, debugPackedThreshold)],
  ["RELOAD", taking(0, reload, UNLIMITED)],
  ["REPLICATE", taking(1, replicate, UNLIMITED)],
  ["REPLYBUFFER", taking(2, replyBuffer)],
  ["RESTART", taking(0, (context) => context.reply.error(NO_RESTART), 1)],
  ["SDSLEN", taking(1, debugStringLength)],
  [
    "SEGFAULT",
    taking(0, (context) => crash(context, SEGMENTATION_FAULT, EXIT_SEGMENTATION_FAULT)),
  ],
  ["SET-ACTIVE-EXPIRE", turning((context, on) => context.server.activeExpiry = on)],
  [
    "SET-SKIP-CHECKSUM-VALIDATION",
    turning((context, on) => context.server.dumpState.verifyChecksum = !on),
  ],
  ["SLEEP", taking(1, sleep)],
  ["STRUCTSIZE", taking(0, debugStructures)],
]);

/** The handler of DEBUG. */
export const DEBUG_HANDLERS: Pick<HandlersFor<typeof SERVER_SPECS, Handler>, "debug"> = {
  debug: serverHandler(debug),
};
