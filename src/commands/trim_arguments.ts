/**
 * The options of XADD and XTRIM: how much of a stream is to stay, and the id of the entry that XADD adds.
 *
 * @module
 */
import { MISSING_LOWEST, NO_ID, NUMBER_FREE } from "../keyspace/entry_ids.ts";
import { type Context, SYNTAX_ERROR } from "./context.ts";
import { idArgument, isCharacter, NO_ID_ERROR, readIdArgument } from "./stream_arguments.ts";
import { ID_GIVEN, ID_NUMBER_FREE, type StreamOptions } from "./stream_tools.ts";

const BOTH_STRATEGIES =
  "ERR syntax error, MAXLEN and MINID options at the same time are not compatible";
const LIMIT_ALONE = "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy";
const LIMIT_EXACT = "ERR syntax error, LIMIT cannot be used without the special ~ option";
const TRIM_NOTHING = "ERR syntax error, XTRIM must be called with a trimming strategy";
/** How many nodes go at most when nobody says how many entries may, */
const DEFAULT_NODES = 100;
/** as many entries as that where nodes have no limit, */
const DEFAULT_LIMIT = 10_000;
/** and never more than this. */
const MOST_LIMIT = 1_000_000;
const STAR = 0x2a;
const TILDE = 0x7e;
const EQUALS = 0x3d;

/** Reads the options of XADD, and its id, into `streams.options`; the argument that is the id, or -1 after an error reply. */
export function readAddOptions(context: Context): number {
  const { options } = context.streams;
  options.reset();
  let index = 2;
  for (; index < context.argc && !isCharacter(context, index, STAR); index++) {
    const used = readTrim(context, options, index);
    if (used < 0) return -1;
    if (used > 0) index += used - 1;
    else if (context.isWord(index, "NOMKSTREAM")) options.onlyExisting = true;
    else {
      const form = readIdArgument(context, index, 0, MISSING_LOWEST, true, options.id);
      if (form === NO_ID) return refuse(context, NO_ID_ERROR);
      options.idForm = form === NUMBER_FREE ? ID_NUMBER_FREE : ID_GIVEN;
      break;
    }
  }
  return finish(context, options, false) < 0 ? -1 : index;
}

/** Reads the options of XTRIM into `streams.options`; false after an error reply. */
export function readTrimOptions(context: Context): boolean {
  const { options } = context.streams;
  options.reset();
  for (let index = 2; index < context.argc;) {
    const used = readTrim(context, options, index);
    if (used === 0) context.reply.error(SYNTAX_ERROR);
    if (used <= 0) return false;
    index += used;
  }
  return finish(context, options, true) >= 0;
}

/** Reads one option of trimming; how many arguments it has, 0 if it isn't one, -1 after an error reply. */
function readTrim(context: Context, options: StreamOptions, index: number): number {
  const more = context.argc - 1 - index;
  if (more < 1) return 0;
  if (context.isWord(index, "LIMIT")) return readLimit(context, options, index);
  const byId = context.isWord(index, "MINID");
  if (!byId && !context.isWord(index, "MAXLEN")) return 0;
  if (options.trims) return refuse(context, BOTH_STRATEGIES);
  options.trims = true;
  options.byId = byId;
  options.approximate = more > 1 && isCharacter(context, index + 1, TILDE);
  const marked = options.approximate || (more > 1 && isCharacter(context, index + 1, EQUALS));
  options.boundIndex = index + (marked ? 2 : 1);
  return readBound(context, options) ? options.boundIndex + 1 - index : -1;
}

/** Reads how much is to stay; false after an error reply. */
function readBound(context: Context, options: StreamOptions): boolean {
  const { boundIndex } = options;
  if (options.byId) return idArgument(context, boundIndex, options.minimum);
  if (!context.integer(boundIndex)) return false;
  options.length = context.value;
  if (options.length < 0) context.reply.error("ERR The MAXLEN argument must be >= 0.");
  return options.length >= 0;
}

function readLimit(context: Context, options: StreamOptions, index: number): number {
  if (!context.integer(index + 1)) return -1;
  options.limit = context.value;
  options.limitIndex = index;
  return options.limit < 0 ? refuse(context, "ERR The LIMIT argument must be >= 0.") : 2;
}

/** Checks how options fit together; -1 after an error reply. */
function finish(context: Context, options: StreamOptions, mustTrim: boolean): number {
  if (options.limit !== 0 && !options.trims) return refuse(context, LIMIT_ALONE);
  if (mustTrim && !options.trims) return refuse(context, TRIM_NOTHING);
  if (options.limitIndex > 0) return options.approximate ? 0 : refuse(context, LIMIT_EXACT);
  if (!options.approximate) return 0;
  const limit = DEFAULT_NODES * context.limits.streamNodeEntries;
  options.limit = limit <= 0 ? DEFAULT_LIMIT : Math.min(limit, MOST_LIMIT);
  return 0;
}

/** Replies with an error; -1. */
function refuse(context: Context, error: string): number {
  context.reply.error(error);
  return -1;
}
