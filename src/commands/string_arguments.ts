/**
 * What the commands on strings, bitmaps and HyperLogLogs ask of their arguments alike.
 *
 * @module
 */
import { entryType } from "../keyspace/entry_facts.ts";
import { TYPE_STRING } from "../keyspace/types.ts";
import { parseInteger64 } from "../protocol/integers.ts";
import { type Context, WRONG_TYPE } from "./context.ts";

const HASH_SIGN = 35;
const NO_OFFSET = "ERR bit offset is not an integer or out of range";

/** The entry of the key in argument `index` if its value is a string; an error is replied if not. */
export function findString(context: Context, index: number): number | undefined {
  const entry = context.findForReading(index);
  if (entry === 0 || entryType(context.keyspace, entry) === TYPE_STRING) return entry;
  context.reply.error(WRONG_TYPE);
  return undefined;
}

/** As {@linkcode findString}, for a command that writes. */
export function findStringToChange(context: Context, index: number): number | undefined {
  const entry = context.findForWriting(index);
  if (entry === 0 || entryType(context.keyspace, entry) === TYPE_STRING) return entry;
  context.reply.error(WRONG_TYPE);
  return undefined;
}

/**
 * The position of a bit in argument `index`, or -1 after an error.
 *
 * @param width If it isn't 0, `#n` means the n-th integer of so many bits.
 */
export function bitOffset(context: Context, index: number, width: number): number {
  const { bytes, starts, lengths, number } = context;
  const counted = width > 0 && lengths[index] > 0 && bytes[starts[index]] === HASH_SIGN ? 1 : 0;
  let offset = -1;
  if (parseInteger64(bytes, starts[index] + counted, lengths[index] - counted, number)) {
    offset = context.value;
    // A product beyond 64 bits wraps around, as it does in Redis.
    if (counted === 1) {
      offset = number.high === 0
        ? offset * width
        : Number(BigInt.asIntN(64, context.bigValue * BigInt(width)));
    }
  }
  if (offset >= 0 && Math.floor(offset / 8) < context.maximumString) return offset;
  context.reply.error(NO_OFFSET);
  return -1;
}
