/**
 * DUMP and RESTORE: one value as bytes, as it stands in a snapshot, with a footer:
 *
 * ```text
 * type byte, value, version of the format (2 bytes), CRC-64 of all before (8 bytes)
 * ```
 *
 * both numbers with the least significant byte first. The bytes go from Redis to here and back.
 *
 * @module
 */
import type { Context, Handler } from "../commands/context.ts";
import { SYNTAX_ERROR } from "../commands/context.ts";
import type { PERSISTENCE_SPECS } from "../commands/specs/persistence.ts";
import type { HandlersFor } from "../commands/specs/types.ts";
import { setIdleSeconds, setUseFrequency } from "../keyspace/access_clock.ts";
import { type Keyspace, removeEntry } from "../keyspace/keyspace.ts";
import { keyIsNew } from "../keyspace/notifications.ts";
import { Int64 } from "../protocol/integers.ts";
import type { RequestArgument } from "../protocol/request_writer.ts";
import { updateCrc64 } from "./crc64.ts";
import { RDB_VERSION } from "./rdb_format.ts";
import { RdbFormatError, RdbReader } from "./rdb_reader.ts";
import { type LoadedValue, readValue, valueBlock, writeValue } from "./rdb_values.ts";
import { RdbWriter } from "./rdb_writer.ts";
import { joinBytes } from "../protocol/joined_bytes.ts";

const FOOTER_BYTES = 10;
const VERSION_BYTES = 2;
const BAD_FORMAT = "ERR Bad data format";
/** Which argument of RESTORE is the payload. */
const PAYLOAD = 3;
const FIRST_OPTION = 4;
const GREATEST_FREQUENCY = 255;

/** What DUMP and RESTORE of one server keep between two calls. */
export interface DumpState {
  /** Writes values; its setting is `rdbcompression`. */
  readonly writer: RdbWriter;
  /** Whether RESTORE looks at the checksum (`DEBUG SET-SKIP-CHECKSUM-VALIDATION`). */
  verifyChecksum: boolean;
  /** Gets lines for the log of those who want to know much. */
  log: (line: string) => void;
}

/** What a server's DUMP and RESTORE start with. */
export function createDumpState(): DumpState {
  return { writer: new RdbWriter(), verifyChecksum: true, log: () => {} };
}

/** The handlers of DUMP and RESTORE for one server. */
export function createDumpHandlers(
  state: DumpState,
): HandlersFor<typeof PERSISTENCE_SPECS, Handler> {
  return {
    dump: (context) => dump(context, state.writer),
    restore: (context) => restore(context, state),
  };
}

function dump(context: Context, writer: RdbWriter): void {
  const { keyspace, reply } = context;
  const entry = context.findForReading(1);
  if (entry === 0) return reply.nullBulk();
  const pieces = dumpPieces(writer, keyspace, entry);
  const block = valueBlock(keyspace, entry);
  if (block === 0) return reply.bulkBytes(joinBytes(pieces));
  keyspace.pin(block);
  reply.bulkPieces(pieces, () => keyspace.unpin(block));
}

/**
 * The value of `entry` as DUMP gives it, in pieces, of which some may lie in the arena: good until something changes
 * there, unless {@linkcode valueBlock} is pinned.
 */
export function dumpPieces(writer: RdbWriter, keyspace: Keyspace, entry: number): Uint8Array[] {
  writeValue(writer, keyspace, entry);
  const pieces = writer.take();
  const footer = new Uint8Array(FOOTER_BYTES);
  footer[0] = RDB_VERSION;
  const crc = new Int64();
  for (const piece of pieces) updateCrc64(crc, piece, 0, piece.length);
  updateCrc64(crc, footer, 0, VERSION_BYTES);
  const view = new DataView(footer.buffer);
  view.setInt32(VERSION_BYTES, crc.low, true);
  view.setInt32(VERSION_BYTES + 4, crc.high, true);
  pieces.push(footer);
  return pieces;
}

/** Options of RESTORE. */
interface RestoreOptions {
  replace: boolean;
  absolute: boolean;
  /** Seconds, or -1. */
  idleSeconds: number;
  /** On the logarithmic scale of LFU, or -1. */
  frequency: number;
}

function restore(context: Context, { log, verifyChecksum }: DumpState): void {
  const { reply } = context;
  const options = parseOptions(context);
  if (options === undefined) return;
  if (!options.replace && context.findAndTouch(1) !== 0) {
    return reply.error("BUSYKEY Target key name already exists.");
  }
  if (!context.integer(2)) return;
  if (context.number.high < 0) return reply.error("ERR Invalid TTL value, must be >= 0");
  const payload = context.valueArgument(PAYLOAD);
  if (!isWhole(payload, verifyChecksum)) {
    return reply.error("ERR DUMP payload version or checksum are wrong");
  }
  let value: LoadedValue;
  try {
    // A value may reach into the footer, which is as odd as it is harmless: Redis takes it.
    value = readValue(new RdbReader(payload, 0, payload.length), context.keyspace, context);
  } catch (error) {
    if (!(error instanceof RdbFormatError)) throw error;
    log(`Internal error in RDB reading offset ${error.position} -> ${error.what}`);
    return reply.error(BAD_FORMAT);
  }
  try {
    store(context, value, options);
  } catch (error) {
    value.discard();
    throw error;
  }
}

/** Stores a restored value, and replies. */
function store(context: Context, value: LoadedValue, options: RestoreOptions): void {
  const { database, keyspace, view, starts, lengths, reply } = context;
  const volatile = context.number.low !== 0 || context.number.high !== 0;
  const expired = volatile && isPast(context, options.absolute);
  const old = context.find(1);
  if (expired) {
    value.discard();
    if (old !== 0) {
      removeEntry(database, keyspace.hash, old);
      context.effect(() => ["DEL", context.argument(1)]);
      context.changed(1, "del");
    }
    return reply.simple("OK");
  }
  const entry = value.store({
    database,
    old,
    view,
    start: starts[1],
    length: lengths[1],
    volatile,
  });
  if (options.idleSeconds >= 0) setIdleSeconds(keyspace, entry, options.idleSeconds);
  if (options.frequency >= 0) setUseFrequency(keyspace, entry, options.frequency);
  if (old !== 0) keyIsNew(database, view, starts[1], lengths[1]);
  if (volatile && !options.absolute) context.effect(() => withAbsoluteExpiry(context));
  context.changed(1, "restore");
  reply.simple("OK");
}

/** RESTORE with the time in `keyspace.expiry` instead of the one from now. */
function withAbsoluteExpiry(context: Context): RequestArgument[] {
  const { high, low } = context.keyspace.expiry;
  const args: RequestArgument[] = context.allArguments();
  args[2] = (BigInt(high) << 32n) | BigInt(low >>> 0);
  args.push("ABSTTL");
  return args;
}

/**
 * Puts the time to live in `context.number` into `keyspace.expiry` as a unix time in ms; whether that time has
 * come. One that is beyond 64 bits has come around to the past, as in Redis.
 */
function isPast(context: Context, absolute: boolean): boolean {
  const { keyspace } = context;
  let when = context.bigValue;
  if (!absolute) when = BigInt.asIntN(64, when + BigInt(keyspace.now));
  keyspace.expiry.high = Number(when >> 32n);
  keyspace.expiry.low = Number(BigInt.asIntN(32, when));
  return when <= BigInt(keyspace.dueBefore);
}

/** The options, or undefined after an error. */
function parseOptions(context: Context): RestoreOptions | undefined {
  const options = { replace: false, absolute: false, idleSeconds: -1, frequency: -1 };
  for (let index = FIRST_OPTION; index < context.argc; index++) {
    const more = index + 1 < context.argc;
    if (context.isWord(index, "REPLACE")) options.replace = true;
    else if (context.isWord(index, "ABSTTL")) options.absolute = true;
    else if (context.isWord(index, "IDLETIME") && more && options.frequency < 0) {
      if (!context.integer(++index)) return undefined;
      if (context.number.high < 0) {
        context.reply.error("ERR Invalid IDLETIME value, must be >= 0");
        return undefined;
      }
      options.idleSeconds = context.value;
    } else if (context.isWord(index, "FREQ") && more && options.idleSeconds < 0) {
      if (!context.integer(++index)) return undefined;
      if (context.value < 0 || context.value > GREATEST_FREQUENCY) {
        context.reply.error("ERR Invalid FREQ value, must be >= 0 and <= 255");
        return undefined;
      }
      options.frequency = context.value;
    } else {
      context.reply.error(SYNTAX_ERROR);
      return undefined;
    }
  }
  return options;
}

/** Whether `payload` ends in a version that is known and the checksum of what is before. */
function isWhole(payload: Uint8Array, verify: boolean): boolean {
  const end = payload.length - FOOTER_BYTES;
  if (end < 0) return false;
  const footer = new DataView(payload.buffer, payload.byteOffset + end, FOOTER_BYTES);
  if (footer.getUint16(0, true) > RDB_VERSION) return false;
  if (!verify) return true;
  const crc = new Int64();
  updateCrc64(crc, payload, 0, end + VERSION_BYTES);
  return crc.low === footer.getInt32(VERSION_BYTES, true) &&
    crc.high === footer.getInt32(VERSION_BYTES + 4, true);
}
