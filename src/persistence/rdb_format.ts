/**
 * What the writer and the reader of RDB share: the numbers that the format is made of.
 *
 * @module
 */

/** The version that is written, and the newest one that RESTORE takes. */
export const RDB_VERSION = 10;
/** The newest version of a file that is read: that of Redis 7.4. */
export const NEWEST_RDB_VERSION = 12;

/** What a file starts with, before four digits of its version. */
export const RDB_MAGIC = "REDIS";

/** Opcode: a library of functions. */
export const RDB_FUNCTION = 245;
/** Opcode: functions as a release candidate of 7.0 wrote them. */
export const RDB_FUNCTION_EARLY = 246;
/** Opcode: what a module keeps beside the keys. */
export const RDB_MODULE_AUX = 247;
/** Opcode: the next key hasn't been used for so many seconds. */
export const RDB_IDLE = 248;
/** Opcode: how often the next key is used, one byte. */
export const RDB_FREQ = 249;
/** Opcode: a fact about the file, by name. */
export const RDB_AUX = 250;
/** Opcode: how many keys, and how many with an expiry, this database has. */
export const RDB_RESIZE = 251;
/** Opcode: the expiry of the next key in unix ms. */
export const RDB_EXPIRY_MS = 252;
/** Opcode: the same in unix seconds. */
export const RDB_EXPIRY_SECONDS = 253;
/** Opcode: the keys that follow are in this database. */
export const RDB_SELECT = 254;
/** Opcode: the end; the checksum follows. */
export const RDB_END = 255;

/** Type byte of a string. */
export const RDB_TYPE_STRING = 0;
/** Of a list, element by element. */
export const RDB_TYPE_LIST = 1;
/** Of a set, member by member. */
export const RDB_TYPE_SET = 2;
/** Of a sorted set, member by member, with scores as text. */
export const RDB_TYPE_ZSET = 3;
/** Of a hash, field by field. */
export const RDB_TYPE_HASH = 4;
/** Of a sorted set, member by member, with scores in binary. */
export const RDB_TYPE_ZSET_2 = 5;
/** Of a module, of which nothing is known but its name. */
export const RDB_TYPE_MODULE = 6;
/** Of a module, in parts that can be skipped. */
export const RDB_TYPE_MODULE_2 = 7;
/** Of a hash that is a zipmap. */
export const RDB_TYPE_HASH_ZIPMAP = 9;
/** Of a list that is a ziplist. */
export const RDB_TYPE_LIST_ZIPLIST = 10;
/** Of a set that is an intset. */
export const RDB_TYPE_SET_INTSET = 11;
/** Of a sorted set that is a ziplist. */
export const RDB_TYPE_ZSET_ZIPLIST = 12;
/** Of a hash that is a ziplist. */
export const RDB_TYPE_HASH_ZIPLIST = 13;
/** Of a list that is several ziplists. */
export const RDB_TYPE_LIST_QUICKLIST = 14;
/** Of a stream without what came with 7.0. */
export const RDB_TYPE_STREAM_LISTPACKS = 15;
/** Of a hash that is a listpack. */
export const RDB_TYPE_HASH_LISTPACK = 16;
/** Of a sorted set that is a listpack. */
export const RDB_TYPE_ZSET_LISTPACK = 17;
/** Of a list that is several listpacks. */
export const RDB_TYPE_LIST_QUICKLIST_2 = 18;
/** Of a stream. */
export const RDB_TYPE_STREAM_LISTPACKS_2 = 19;
/** Of a set that is a listpack (Redis 7.2). */
export const RDB_TYPE_SET_LISTPACK = 20;
/** Of a stream whose consumers say when they were active (Redis 7.2). */
export const RDB_TYPE_STREAM_LISTPACKS_3 = 21;
/** Of a hash some of whose fields have an expiry (Redis 7.4); up to the next ones but two are its forms. */
export const RDB_TYPE_HASH_EXPIRING = 22;
/** The last of these forms. */
export const RDB_TYPE_HASH_EXPIRING_LAST = 25;

/** A node of a list that is one element as it is. */
export const NODE_PLAIN = 1;
/** One that is a listpack. */
export const NODE_PACKED = 2;

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
