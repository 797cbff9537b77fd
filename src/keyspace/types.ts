/**
 * The types of values and their encodings, as an entry's second word holds them (4 bits each).
 *
 * @module
 */

/** A string. */
export const TYPE_STRING = 0;

/** Names of the types, as TYPE answers. */
export const TYPE_NAMES: readonly string[] = ["string"];

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
