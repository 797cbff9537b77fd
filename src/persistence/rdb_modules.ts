/**
 * The names of modules' types in RDB.
 *
 * A module's type is a number of 64 bits: nine characters of six bits each, and ten bits of a version.
 *
 * @module
 */
import type { Int64 } from "../protocol/integers.ts";

const CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NAME_LENGTH = 9;
const CHARACTER_BITS = 6n;
const VERSION_BITS = 10n;

/**
 * The name of a module's type, from its number.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Int64 } from "../protocol/integers.ts";
 *
 * assertEquals(moduleName(new Int64(0x00108310, 0x51872000)), "ABCDEFGHI");
 * ```
 */
export function moduleName({ high, low }: Int64): string {
  let number = ((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)) >> VERSION_BITS;
  let name = "";
  for (let index = 0; index < NAME_LENGTH; index++, number >>= CHARACTER_BITS) {
    name = CHARACTERS[Number(number & 63n)] + name;
  }
  return name;
}
