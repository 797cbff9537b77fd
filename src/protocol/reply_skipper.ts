/**
 * Finds where replies end without building anything: for a proxy that passes their bytes on.
 *
 * A reply needs no stack to be skipped: an aggregate of `n` only means that `n` more items follow,
 * so one number, the items still missing, stands for any nesting.
 *
 * @module
 */

import {
  CARRIAGE_RETURN,
  LINE_FEED,
  type ReplyLimits,
  ReplyProtocolError,
  ReplyType,
  showByte,
} from "./reply_types.ts";

const MINUS = 0x2d;

/** Where in an item the skipper stands. */
const Place = {
  /** At a type byte. */
  TYPE: 0,
  /** In a line whose content doesn't matter. */
  LINE: 1,
  /** Behind a carriage return in such a line. */
  LINE_RETURN: 2,
  /** In the digits of a length. */
  LENGTH: 3,
  /** Behind the digits of a length, at the line feed. */
  LENGTH_FEED: 4,
  /** In the bytes of a bulk. */
  BODY: 5,
  /** Behind the bytes of a bulk, at the carriage return. */
  BODY_RETURN: 6,
  /** Behind the bytes of a bulk, at the line feed. */
  BODY_FEED: 7,
} as const;

/**
 * Skips replies that come in pieces; each byte is looked at once, those of bulks not at all.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const skipper = new ReplySkipper();
 * const encoder = new TextEncoder();
 * const first = encoder.encode("*2\r\n$5\r\nhel");
 * assertEquals(skipper.skip(first, 0, first.length), -1);
 * const second = encoder.encode("lo\r\n:7\r\n+next");
 * assertEquals(skipper.skip(second, 0, second.length), 8);
 * ```
 */
export class ReplySkipper {
  readonly #maxBulkBytes: number;
  readonly #maxItems: number;
  #place: number = Place.TYPE;
  /** Items to skip until the reply ends, the current one included; 0 between replies. */
  #missing = 0;
  #type = 0;
  #length = 0;
  /** Characters of the length so far; -1 counts as none with `#negative` set. */
  #digits = 0;
  #negative = false;
  #position = 0;

  /**
   * Makes a skipper that stands at the start of a reply. Depth and line length don't matter to it.
   */
  constructor(limits: Pick<ReplyLimits, "maxBulkBytes" | "maxItems"> = {}) {
    this.#maxBulkBytes = limits.maxBulkBytes ?? 1 << 30;
    this.#maxItems = limits.maxItems ?? 1 << 30;
  }

  /** Whether the last reply was skipped as a whole and nothing of the next one was seen. */
  get atBoundary(): boolean {
    return this.#missing === 0;
  }

  /**
   * Goes on skipping the current reply (or the next one, if that is done) in `bytes` from `start`
   * to `end`.
   *
   * @returns the offset behind the reply, or -1 if it goes on in the next piece, all of this one
   * being part of it.
   * @throws {ReplyProtocolError} if the bytes are no reply. The skipper is of no use then.
   */
  skip(bytes: Uint8Array, start: number, end: number): number {
    let place = this.#place;
    let at = start;
    if (this.#missing === 0 && start < end) this.#missing = 1;
    while (at < end) {
      const byte = bytes[at];
      switch (place) {
        case Place.TYPE:
          at++;
          place = this.#startItem(byte, at - 1 - start);
          break;
        case Place.LINE:
          while (at < end && bytes[at] !== CARRIAGE_RETURN) at++;
          if (at < end) {
            at++;
            place = Place.LINE_RETURN;
          }
          break;
        case Place.LINE_RETURN:
          if (byte === LINE_FEED) {
            at++;
            place = Place.TYPE;
            if (--this.#missing === 0) return this.#finish(start, at);
          } else {
            place = Place.LINE;
          }
          break;
        case Place.LENGTH: {
          at++;
          const digit = byte - 48;
          if (digit >= 0 && digit <= 9) {
            this.#length = this.#length * 10 + digit;
            this.#digits++;
            if (this.#length > this.#maxBulkBytes && this.#length > this.#maxItems) {
              this.#fail("length out of range", at - 1 - start);
            }
          } else if (byte === CARRIAGE_RETURN && this.#digits > 0) {
            place = Place.LENGTH_FEED;
          } else if (byte === MINUS && this.#digits === 0 && !this.#negative) {
            this.#negative = true;
          } else {
            this.#fail("invalid length", at - 1 - start);
          }
          break;
        }
        case Place.LENGTH_FEED:
          at++;
          if (byte !== LINE_FEED) this.#fail("invalid length", at - 1 - start);
          place = this.#endLength(at - 1 - start);
          if (this.#missing === 0) return this.#finish(start, at);
          break;
        case Place.BODY: {
          const size = Math.min(this.#length, end - at);
          at += size;
          this.#length -= size;
          if (this.#length === 0) place = Place.BODY_RETURN;
          break;
        }
        case Place.BODY_RETURN:
          at++;
          if (byte !== CARRIAGE_RETURN) {
            this.#fail("a bulk longer than announced", at - 1 - start);
          }
          place = Place.BODY_FEED;
          break;
        case Place.BODY_FEED:
          at++;
          if (byte !== LINE_FEED) this.#fail("a bulk longer than announced", at - 1 - start);
          place = Place.TYPE;
          if (--this.#missing === 0) return this.#finish(start, at);
          break;
      }
    }
    this.#place = place;
    this.#position += end - start;
    return -1;
  }

  #startItem(type: number, offset: number): number {
    switch (type) {
      case ReplyType.SIMPLE:
      case ReplyType.ERROR:
      case ReplyType.INTEGER:
      case ReplyType.NULL:
      case ReplyType.BOOLEAN:
      case ReplyType.DOUBLE:
      case ReplyType.BIG_NUMBER:
        return Place.LINE;
      case ReplyType.BULK:
      case ReplyType.BLOB_ERROR:
      case ReplyType.VERBATIM:
      case ReplyType.ARRAY:
      case ReplyType.SET:
      case ReplyType.PUSH:
      case ReplyType.MAP:
      case ReplyType.ATTRIBUTE:
        this.#type = type;
        this.#length = 0;
        this.#digits = 0;
        this.#negative = false;
        return Place.LENGTH;
      default:
        return this.#fail(`got ${showByte(type)} as reply type byte`, offset);
    }
  }

  /** A length is complete: what comes now? */
  #endLength(offset: number): number {
    const type = this.#type;
    if (this.#negative) {
      if (this.#length !== 1 || (type !== ReplyType.BULK && type !== ReplyType.ARRAY)) {
        this.#fail("invalid length", offset);
      }
      this.#missing--;
      return Place.TYPE;
    }
    switch (type) {
      case ReplyType.BULK:
      case ReplyType.BLOB_ERROR:
      case ReplyType.VERBATIM:
        if (this.#length > this.#maxBulkBytes) this.#fail("length out of range", offset);
        return this.#length === 0 ? Place.BODY_RETURN : Place.BODY;
    }
    if (this.#length > this.#maxItems) this.#fail("length out of range", offset);
    // The aggregate itself is done with; an attribute is followed by the reply that it belongs to.
    if (type === ReplyType.MAP) this.#missing += 2 * this.#length - 1;
    else if (type === ReplyType.ATTRIBUTE) this.#missing += 2 * this.#length;
    else this.#missing += this.#length - 1;
    if (this.#missing > Number.MAX_SAFE_INTEGER) this.#fail("too many items in a reply", offset);
    return Place.TYPE;
  }

  #finish(start: number, at: number): number {
    this.#place = Place.TYPE;
    this.#position += at - start;
    return at;
  }

  #fail(message: string, offset: number): never {
    throw new ReplyProtocolError(message, this.#position + offset);
  }
}

/**
 * Where the reply ends that starts at `start`, or -1 if it isn't complete before `end`.
 *
 * It starts anew each time. For replies that may be larger than one piece, {@linkcode ReplySkipper}
 * goes on where it was.
 *
 * @throws {ReplyProtocolError} if the bytes are no reply; its position counts from `start`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("$3\r\none\r\n:2\r\n");
 * assertEquals(skipReply(bytes, 0, bytes.length), 9);
 * assertEquals(skipReply(bytes, 9, bytes.length), 13);
 * assertEquals(skipReply(bytes, 0, 5), -1);
 * ```
 */
export function skipReply(bytes: Uint8Array, start: number, end: number): number {
  return new ReplySkipper().skip(bytes, start, end);
}
