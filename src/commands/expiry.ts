/**
 * How commands take a time to live: seconds or milliseconds, from now or since 1970.
 *
 * @module
 */
import type { Context } from "./context.ts";

/** The number counts seconds from now (EX, EXPIRE). */
export const SECONDS_FROM_NOW = 0;
/** The number counts milliseconds from now (PX, PEXPIRE). */
export const MILLISECONDS_FROM_NOW = 1;
/** The number is a unix time in seconds (EXAT, EXPIREAT). */
export const UNIX_SECONDS = 2;
/** The number is a unix time in milliseconds (PXAT, PEXPIREAT). */
export const UNIX_MILLISECONDS = 3;

const SAFE = 2 ** 52;
const TWO_32 = 4294967296;
const MAXIMUM = (1n << 63n) - 1n;
const MINIMUM = -(1n << 63n);

/**
 * Puts the unix time in ms that `context.number` means in `unit` into `keyspace.expiry`; false if it doesn't
 * fit in 64 bits.
 */
export function setExpiryFromNumber(context: Context, unit: number): boolean {
  const { keyspace, value } = context;
  const seconds = unit === SECONDS_FROM_NOW || unit === UNIX_SECONDS;
  const relative = unit === SECONDS_FROM_NOW || unit === MILLISECONDS_FROM_NOW;
  const expiry = keyspace.expiry;
  const when = (seconds ? value * 1000 : value) + (relative ? keyspace.now : 0);
  if (when < SAFE && when > -SAFE) {
    expiry.high = Math.floor(when / TWO_32);
    expiry.low = when | 0;
    if (when < 0 || when > 0x7fffffff) expiry.low = (when - expiry.high * TWO_32) | 0;
    return true;
  }
  let exact = context.bigValue;
  if (seconds) exact *= 1000n;
  if (exact > MAXIMUM || exact < MINIMUM) return false;
  if (relative) exact += BigInt(keyspace.now);
  if (exact > MAXIMUM) return false;
  expiry.high = Number(exact >> 32n);
  expiry.low = Number(BigInt.asIntN(32, exact));
  return true;
}

/**
 * As {@linkcode setExpiryFromNumber} for argument `index`, for commands that take only times to come; replies with an
 * error naming `command` if it isn't one.
 */
export function expiryArgument(
  context: Context,
  index: number,
  unit: number,
  command: string,
): boolean {
  if (!context.integer(index)) return false;
  const positive = context.number.high > 0 ||
    (context.number.high === 0 && context.number.low !== 0);
  if (positive && setExpiryFromNumber(context, unit)) return true;
  context.reply.error(`ERR invalid expire time in '${command}' command`);
  return false;
}

/** The unix time in ms in `keyspace.expiry`, as the journal writes it. */
export function expiryText(context: Context): string {
  const { high, low } = context.keyspace.expiry;
  return String((BigInt(high) << 32n) | BigInt(low >>> 0));
}
