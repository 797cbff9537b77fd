/**
 * The bytes that replies are made of, and the error for those that make no sense.
 *
 * @module
 */

/** The first byte of each type of reply. */
export const ReplyType = {
  SIMPLE: 0x2b, // +
  ERROR: 0x2d, // -
  INTEGER: 0x3a, // :
  BULK: 0x24, // $
  ARRAY: 0x2a, // *
  NULL: 0x5f, // _
  BOOLEAN: 0x23, // #
  DOUBLE: 0x2c, // ,
  BIG_NUMBER: 0x28, // (
  BLOB_ERROR: 0x21, // !
  VERBATIM: 0x3d, // =
  MAP: 0x25, // %
  SET: 0x7e, // ~
  ATTRIBUTE: 0x7c, // |
  PUSH: 0x3e, // >
} as const;

/** Ends each line, with {@linkcode LINE_FEED} behind it. */
export const CARRIAGE_RETURN = 0x0d;

/** The second byte of a line's end. */
export const LINE_FEED = 0x0a;

/**
 * How much one reply may ask for, so that nobody on the other side can fill the memory with a few
 * bytes.
 */
export interface ReplyLimits {
  /**
   * How deep replies may be nested in others.
   *
   * @default {128}
   */
  maxDepth?: number;
  /**
   * The longest bulk, blob error or verbatim text. The default is above the 512 MiB of the longest
   * value, since a DUMP of it is longer.
   *
   * @default {1073741824}
   */
  maxBulkBytes?: number;
  /**
   * The most elements (entries, in a map) that an aggregate may announce. Room is taken as they
   * come, not before.
   *
   * @default {1073741824}
   */
  maxItems?: number;
  /**
   * The longest status, error or number.
   *
   * @default {1048576}
   */
  maxLineBytes?: number;
}

/**
 * Bytes came that are no reply. What follows them can't be understood either: close the connection.
 */
export class ReplyProtocolError extends Error {
  /** The error's name. */
  override readonly name = "ReplyProtocolError";

  /** Makes an error about the byte at `position`. */
  constructor(
    message: string,
    /** Where the byte stands that makes no sense, counted from the first one that was read. */
    readonly position: number,
  ) {
    super(`Protocol error, ${message}, at byte ${position}`);
  }
}

/** How a byte is shown in a message: as it is if it is printable ASCII, else in hexadecimal. */
export function showByte(byte: number): string {
  return byte > 0x20 && byte < 0x7f
    ? `"${String.fromCharCode(byte)}"`
    : `"\\x${byte.toString(16).padStart(2, "0")}"`;
}
