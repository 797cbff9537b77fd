/**
 * The types of values and their encodings, as an entry's second word holds them (4 bits each).
 *
 * @module
 */

/** A string. */
export const TYPE_STRING = 0;
/** A list. */
export const TYPE_LIST = 1;
/** A set. */
export const TYPE_SET = 2;
/** A sorted set. */
export const TYPE_ZSET = 3;
/** A hash. */
export const TYPE_HASH = 4;
/** A stream. */
export const TYPE_STREAM = 6;

/** Names of the types by their numbers, as TYPE answers; 5 would be a module's. */
export const TYPE_NAMES: readonly string[] = [
  "string",
  "list",
  "set",
  "zset",
  "hash",
  "module",
  "stream",
];

/** A string's bytes are behind the key; the value's word is their length. */
export const ENCODING_INLINE = 0;
/** A string that is an integer of 32 bits: the value's word. */
export const ENCODING_INT32 = 1;
/** A string that is an integer of 64 bits: the low half is the value's word, the high half the tail. */
export const ENCODING_INT64 = 2;
/** A string's bytes are in a block of their own, whose address is the value's word. */
export const ENCODING_EXTERNAL = 3;
/** As {@linkcode ENCODING_INLINE}, after APPEND or SETRANGE: Redis calls such a string `raw`. */
export const ENCODING_GROWN = 4;
/** A small collection is a listpack behind the key; the value's word is its length in bytes. */
export const ENCODING_LISTPACK = 5;
/** A small set of integers is an intset behind the key; the value's word is its length in bytes. */
export const ENCODING_INTSET = 6;
/** A large collection: the value's word is the address of its root. */
export const ENCODING_ROOT = 7;
