/**
 * What the writer and the reader of RDB share: the numbers that the format is made of.
 *
 * @module
 */

/** The version that is written, and the newest one that is read. */
export const RDB_VERSION = 10;

/** Type byte of a string. */
export const RDB_TYPE_STRING = 0;

/**
 * Names of the types of values by their type byte: most types have been written in several forms. There is no 8.
 */
export const RDB_TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [0, "string"],
  [1, "list"],
  [2, "set"],
  [3, "zset"],
  [4, "hash"],
  [5, "zset"],
  [6, "module"],
  [7, "module"],
  [9, "hash"],
  [10, "list"],
  [11, "set"],
  [12, "zset"],
  [13, "hash"],
  [14, "list"],
  [15, "stream"],
  [16, "hash"],
  [17, "zset"],
  [18, "list"],
  [19, "stream"],
]);

/** The two upper bits of a length's first byte: the other six are the length. */
export const LENGTH_6_BITS = 0;
/** The other six are its upper bits, and a byte with the lower ones follows. */
export const LENGTH_14_BITS = 1;
/** This whole byte: four bytes with the length follow, the most significant first. */
export const LENGTH_32_BITS = 0x80;
/** This whole byte: eight such bytes follow. */
export const LENGTH_64_BITS = 0x81;
/** The two upper bits: what follows is no length but a string in a form that the other six name. */
export const LENGTH_ENCODED = 3;

/** A string that is an integer of 8 bits. */
export const STRING_INT8 = 0;
/** One of 16 bits, the least significant byte first. */
export const STRING_INT16 = 1;
/** One of 32 bits. */
export const STRING_INT32 = 2;
/** A compressed string: its length compressed, its length, and the bytes. */
export const STRING_LZF = 3;
