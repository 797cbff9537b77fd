/**
 * Counts replies without making them.
 *
 * Only what somebody wants to see is looked into: errors, pushes, and, when asked for, one bulk that
 * stands for the end. Of those, what a piece ends in is copied until the rest has come; of all
 * others nothing is kept.
 *
 * @module
 */

import { ByteAccumulator } from "../../protocol/byte_accumulator.ts";
import { joinBytes } from "../../protocol/joined_bytes.ts";
import { ReplySkipper } from "../../protocol/reply_skipper.ts";
import { CARRIAGE_RETURN, LINE_FEED, ReplyType } from "../../protocol/reply_types.ts";

/** Of a reply that is looked into and comes in pieces, as much is kept. */
const MAX_HELD_BYTES = 64 << 10;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Who is told of replies that matter. */
export interface ReplyObserver {
  /** The server said no; `text` is its reason. */
  error(text: string): void;
  /** A push message came; `bytes` is all of it, and only good during the call. */
  push(bytes: Uint8Array): void;
}

/**
 * Counts the replies in bytes that come in pieces.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const errors: string[] = [];
 * const counter = new ReplyCounter({ error: (text) => errors.push(text), push: () => {} });
 * counter.count(new TextEncoder().encode("+OK\r\n:7\r\n-ERR no\r\n$3\r\nhal"));
 * assertEquals([counter.replies, counter.errors, errors], [3, 1, ["ERR no"]]);
 * ```
 */
export class ReplyCounter {
  /** Replies so far that were there as a whole, errors among them. */
  replies = 0;
  /** Errors so far. Those within an array, such as EXEC's, don't count. */
  errors = 0;
  readonly #observer: ReplyObserver;
  readonly #skipper = new ReplySkipper();
  readonly #held = new ByteAccumulator();
  /** The type byte of the reply whose end is missing. */
  #openType = 0;
  /** How long that reply is so far, of which `#held` has the start. */
  #openBytes = 0;
  #mark: Uint8Array | undefined;

  /** Makes a counter at the start of a reply. */
  constructor(observer: ReplyObserver) {
    this.#observer = observer;
  }

  /** From now on, a bulk with these bytes ends the counting. */
  stopAt(mark: Uint8Array): void {
    this.#mark = joinBytes([
      encoder.encode(`$${mark.length}\r\n`),
      mark,
      Uint8Array.of(CARRIAGE_RETURN, LINE_FEED),
    ]);
  }

  /**
   * Counts the replies in the next piece.
   *
   * @returns whether the one to stop at was there, which doesn't count; what follows it isn't
   * looked at.
   * @throws {ReplyProtocolError} if the bytes are no reply. The counter is of no use then.
   */
  count(piece: Uint8Array): boolean {
    const end = piece.length;
    for (let start = 0; start < end;) {
      const type = this.#skipper.atBoundary ? piece[start] : this.#openType;
      const next = this.#skipper.skip(piece, start, end);
      if (next < 0) {
        this.#openType = type;
        if (this.#matters(type)) this.#hold(piece.subarray(start));
        return false;
      }
      if (this.#matters(type)) {
        if (this.#take(type, piece.subarray(start, next))) return true;
      } else this.replies++;
      start = next;
    }
    return false;
  }

  #matters(type: number): boolean {
    switch (type) {
      case ReplyType.ERROR:
      case ReplyType.BLOB_ERROR:
      case ReplyType.PUSH:
        return true;
      case ReplyType.BULK:
        return this.#mark !== undefined;
      default:
        return false;
    }
  }

  #hold(part: Uint8Array): void {
    this.#openBytes += part.length;
    this.#held.appendBytes(part.subarray(0, MAX_HELD_BYTES - this.#held.length));
  }

  /** Takes a reply with its last part; whether it is the one to stop at. */
  #take(type: number, lastPart: Uint8Array): boolean {
    let reply = lastPart;
    let isWhole = true;
    if (this.#openBytes > 0) {
      this.#hold(lastPart);
      isWhole = this.#openBytes === this.#held.length;
      reply = this.#held.take();
      this.#openBytes = 0;
    }
    if (type === ReplyType.PUSH) {
      // It answers nothing.
      if (isWhole) this.#observer.push(reply);
      return false;
    }
    if (type === ReplyType.BULK && isWhole && equalBytes(reply, this.#mark!)) return true;
    this.replies++;
    if (type !== ReplyType.BULK) {
      this.errors++;
      this.#observer.error(errorText(type, reply));
    }
    return false;
  }
}

/** The text of an error, whose end may be missing. */
function errorText(type: number, reply: Uint8Array): string {
  const start = type === ReplyType.BLOB_ERROR ? reply.indexOf(LINE_FEED) + 1 : 1;
  const hasEnd = reply.at(-1) === LINE_FEED && reply.at(-2) === CARRIAGE_RETURN;
  return decoder.decode(reply.subarray(start, hasEnd ? -2 : undefined));
}

function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
