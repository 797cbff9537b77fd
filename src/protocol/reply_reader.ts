/**
 * Reads replies of RESP2 and RESP3 from bytes that come in pieces of any size.
 *
 * ## How it stays linear
 *
 * Whatever the pieces, each byte is looked at once, and copied once into the reply that keeps it:
 *
 * - A piece is read where it is. Only what is left of it when it ends in the middle of a line, at
 *   most one line, is copied and waits for the next piece; how far its end was already searched for
 *   is remembered.
 * - A bulk that isn't there yet as a whole gets its own memory at once, and further pieces are
 *   copied straight into it.
 * - Aggregates that are still open stand on a stack with what they have so far; nothing is read a
 *   second time when more comes, and the depth costs no recursion.
 *
 * The caller pulls the replies, so that it can stop behind one of them: what follows the reply to
 * PSYNC or SYNC is no reply, and is had with {@linkcode ReplyReader.takeRest}.
 *
 * @module
 */

import {
  ArrayReply,
  AttributedReply,
  BulkReply,
  ErrorReply,
  MapReply,
  NullReply,
  PushReply,
  type Reply,
  SetReply,
  VerbatimReply,
} from "./reply.ts";
import { isLineType, lineText, parseLine } from "./reply_lines.ts";
import {
  CARRIAGE_RETURN,
  LINE_FEED,
  type ReplyLimits,
  ReplyProtocolError,
  ReplyType,
  showByte,
} from "./reply_types.ts";

const MINUS = 0x2d;
const COLON = 0x3a;

/** What {@linkcode ReplyReader} finds in the place of a length whose line isn't complete. */
const INCOMPLETE = -2;

/**
 * A bulk gets its memory at once up to this size; above it, the memory follows what really comes.
 */
const TRUSTED_BULK_BYTES = 16 << 20;

/** Bulks up to this size share memory with others. */
const SMALL_BULK_BYTES = 1024;

/** The memory that they share. */
const SLAB_BYTES = 8 << 10;

/** Up to this size, copying byte by byte costs less than a call into the runtime. */
const LOOPED_BYTES = 96;

/** Memory for waiting pieces above this size isn't kept. */
const KEPT_BYTES = 64 << 10;

const NULL_BULK = new NullReply("bulk");
const NULL_ARRAY = new NullReply("array");

/** An aggregate whose elements aren't all there. */
interface OpenAggregate {
  readonly type: number;
  readonly items: Reply[];
  missing: number;
}

/**
 * Reads replies from pieces.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { plainValue } from "./reply.ts";
 *
 * const reader = new ReplyReader();
 * reader.push(new TextEncoder().encode("+OK\r\n*2\r\n:1\r\n$3\r\nt"));
 * assertEquals(plainValue(reader.next()!), "OK");
 * assertEquals(reader.next(), undefined);
 * reader.push(new TextEncoder().encode("wo\r\n"));
 * assertEquals(plainValue(reader.next()!), [1, "two"]);
 * ```
 */
export class ReplyReader {
  readonly #maxDepth: number;
  readonly #maxBulkBytes: number;
  readonly #maxItems: number;
  readonly #maxLineBytes: number;

  // The bytes to read: a piece of the caller's, or `#kept` with a copy of what was left of one.
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #kept = new Uint8Array(0);
  /** The position of `#bytes[0]` in the whole stream. */
  #base = 0;
  /** How many bytes behind the type byte at `#at` are known not to hold the line's end. */
  #searched = 0;

  // Memory for small bulks: never reused, since their replies may be kept.
  #slab = new Uint8Array(0);
  #slabUsed = 0;

  // The bulk that is being filled.
  #bodyType = 0;
  #body = new Uint8Array(0);
  #bodyLength = 0;
  #bodyFilled = 0;

  readonly #open: OpenAggregate[] = [];
  #failure: ReplyProtocolError | undefined;

  /** Makes a reader that stands at the start of a reply. */
  constructor(limits: ReplyLimits = {}) {
    this.#maxDepth = limits.maxDepth ?? 128;
    this.#maxBulkBytes = limits.maxBulkBytes ?? 1 << 30;
    this.#maxItems = limits.maxItems ?? 1 << 30;
    this.#maxLineBytes = limits.maxLineBytes ?? 1 << 20;
  }

  /**
   * How many bytes were read as replies so far; the one that is incomplete counts as far as it was
   * understood.
   */
  get position(): number {
    return this.#base + this.#at;
  }

  /** Whether nothing was left over: the next byte starts a new reply. */
  get atBoundary(): boolean {
    return this.#at === this.#end && this.#bodyType === 0 && this.#open.length === 0;
  }

  /**
   * Adds the next piece.
   *
   * It isn't copied if everything before it was read: leave it unchanged until {@linkcode
   * ReplyReader.next} has returned `undefined`.
   */
  push(piece: Uint8Array): void {
    if (this.#at === this.#end) {
      this.#base += this.#end;
      this.#bytes = piece;
      this.#at = 0;
      this.#end = piece.length;
    } else {
      this.#keepRest(piece.length);
      this.#bytes.set(piece, this.#end);
      this.#end += piece.length;
    }
  }

  /**
   * The next reply, or `undefined` when more bytes are needed for it.
   *
   * @throws {ReplyProtocolError} if the bytes are no reply, or one beyond the limits; from then on,
   * always.
   */
  next(): Reply | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    for (;;) {
      const reply = this.#bodyType === 0 ? this.#readItem() : this.#readBody();
      if (reply === undefined) {
        if (this.#at < this.#end) this.#keepRest(0);
        return undefined;
      }
      if (this.#open.length === 0) return reply;
      const complete = this.#addToAggregate(reply);
      if (complete !== undefined) return complete;
    }
  }

  /**
   * Takes what was pushed and not read, a copy of its own. Only at the end of a reply does that
   * make sense.
   */
  takeRest(): Uint8Array<ArrayBuffer> {
    const rest = this.#bytes.slice(this.#at, this.#end);
    this.#at = this.#end;
    this.#searched = 0;
    return rest;
  }

  /**
   * Reads up to the end of the next reply that holds no others, opening the aggregates on the way.
   */
  #readItem(): Reply | undefined {
    while (this.#at < this.#end) {
      const type = this.#bytes[this.#at];
      switch (type) {
        case ReplyType.BULK:
        case ReplyType.BLOB_ERROR:
        case ReplyType.VERBATIM: {
          const length = this.#readLength(this.#maxBulkBytes, "bulk length");
          if (length === INCOMPLETE) return undefined;
          if (length < 0) {
            if (type !== ReplyType.BULK) this.#fail("invalid bulk length", this.#at - 1);
            return NULL_BULK;
          }
          return this.#startBody(type, length);
        }
        case ReplyType.ARRAY:
        case ReplyType.SET:
        case ReplyType.PUSH:
        case ReplyType.MAP:
        case ReplyType.ATTRIBUTE: {
          const count = this.#readLength(this.#maxItems, "multi-bulk length");
          if (count === INCOMPLETE) return undefined;
          if (count < 0) {
            if (type !== ReplyType.ARRAY) this.#fail("invalid multi-bulk length", this.#at - 1);
            return NULL_ARRAY;
          }
          const missing = type === ReplyType.MAP
            ? 2 * count
            : type === ReplyType.ATTRIBUTE
            ? 2 * count + 1 // The reply that it is about.
            : count;
          if (missing === 0) return finishAggregate(type, []);
          if (this.#open.length === this.#maxDepth) {
            this.#fail(`replies nested deeper than ${this.#maxDepth}`, this.#at - 1);
          }
          this.#open.push({ type, items: [], missing });
          break;
        }
        default: {
          const lineEnd = this.#findLineEnd(type);
          if (lineEnd < 0) return undefined;
          const reply = parseLine(this.#bytes, type, this.#at + 1, lineEnd);
          if (typeof reply === "string") return this.#fail(reply, this.#at + 1);
          this.#at = lineEnd + 2;
          return reply;
        }
      }
    }
    return undefined;
  }

  /**
   * Reads the line at `#at` as type byte and length, and goes behind it.
   *
   * @returns the length, or -1 for null, or {@linkcode INCOMPLETE}, having gone nowhere.
   */
  #readLength(limit: number, what: string): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at + 1;
    let length = 0;
    while (at < end) {
      const digit = bytes[at] - 48;
      if (digit < 0 || digit > 9) break;
      length = length * 10 + digit;
      if (length > limit) this.#fail(`${what} out of range`, this.#at);
      at++;
    }
    if (at === this.#at + 1 && at < end) {
      // No digit: only -1 is left.
      if (bytes[at] !== MINUS || (at + 1 < end && bytes[at + 1] !== 0x31)) {
        this.#fail(`invalid ${what}`, at);
      }
      at += 2;
      length = -1;
    }
    if (at < end && bytes[at] !== CARRIAGE_RETURN) this.#fail(`invalid ${what}`, at);
    if (at + 1 >= end) return INCOMPLETE;
    if (bytes[at + 1] !== LINE_FEED) this.#fail(`invalid ${what}`, at + 1);
    this.#at = at + 2;
    return length;
  }

  /** Where the line at `#at` ends, or -1 if that didn't come yet. */
  #findLineEnd(type: number): number {
    if (!isLineType(type)) this.#fail(`got ${showByte(type)} as reply type byte`, this.#at);
    const bytes = this.#bytes;
    const end = this.#end;
    const start = this.#at + 1;
    let at = start + this.#searched;
    for (;;) {
      while (at < end && bytes[at] !== CARRIAGE_RETURN) at++;
      if (at - start > this.#maxLineBytes) this.#fail("too big line in reply", this.#at);
      if (at + 1 >= end) {
        this.#searched = at - start;
        return -1;
      }
      if (bytes[at + 1] === LINE_FEED) {
        this.#searched = 0;
        return at;
      }
      at++;
    }
  }

  /** Reads the bytes that a length announced, `#at` standing on the first of them. */
  #startBody(type: number, length: number): Reply | undefined {
    const bodyEnd = this.#at + length;
    if (bodyEnd + 2 > this.#end) {
      this.#bodyType = type;
      this.#bodyLength = length;
      this.#bodyFilled = 0;
      this.#body = new Uint8Array(Math.min(length, TRUSTED_BULK_BYTES));
      return this.#readBody();
    }
    this.#expectLineEnd(bodyEnd);
    const bodyStart = this.#at;
    this.#at = bodyEnd + 2;
    if (type === ReplyType.BULK && length <= SMALL_BULK_BYTES) {
      return this.#readSmallBulk(bodyStart, length);
    }
    return this.#finishBody(type, this.#bytes.slice(bodyStart, bodyEnd));
  }

  /** Puts a small bulk behind others in shared memory. */
  #readSmallBulk(start: number, length: number): BulkReply {
    if (this.#slabUsed + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#slabUsed = 0;
    }
    const slab = this.#slab;
    const from = this.#slabUsed;
    const to = from + length;
    this.#slabUsed = to;
    if (length <= LOOPED_BYTES) {
      const bytes = this.#bytes;
      for (let at = from, source = start; at < to; at++, source++) slab[at] = bytes[source];
    } else {
      slab.set(this.#bytes.subarray(start, start + length), from);
    }
    return new BulkReply(slab, from, to);
  }

  /** Goes on with the bulk that is being filled. */
  #readBody(): Reply | undefined {
    const missing = this.#bodyLength - this.#bodyFilled;
    if (missing > 0) {
      const size = Math.min(missing, this.#end - this.#at);
      const filled = this.#bodyFilled + size;
      if (filled > this.#body.length) {
        const larger = new Uint8Array(
          Math.min(this.#bodyLength, Math.max(filled, this.#body.length * 2)),
        );
        larger.set(this.#body.subarray(0, this.#bodyFilled));
        this.#body = larger;
      }
      this.#body.set(this.#bytes.subarray(this.#at, this.#at + size), this.#bodyFilled);
      this.#at += size;
      this.#bodyFilled = filled;
      if (filled < this.#bodyLength) return undefined;
    }
    if (this.#at + 2 > this.#end) return undefined;
    this.#expectLineEnd(this.#at);
    this.#at += 2;
    const type = this.#bodyType;
    const body = this.#body;
    this.#bodyType = 0;
    this.#body = new Uint8Array(0);
    return this.#finishBody(type, body);
  }

  #finishBody(type: number, body: Uint8Array): Reply {
    if (type === ReplyType.BULK) return new BulkReply(body);
    if (type === ReplyType.BLOB_ERROR) return new ErrorReply(body, "blob");
    if (body.length < 4 || body[3] !== COLON) {
      this.#fail("verbatim string without a format", this.#at - body.length - 2);
    }
    return new VerbatimReply(lineText(body, 0, 3), body.subarray(4));
  }

  #expectLineEnd(at: number): void {
    if (this.#bytes[at] !== CARRIAGE_RETURN || this.#bytes[at + 1] !== LINE_FEED) {
      this.#fail("a bulk longer than announced", at);
    }
  }

  /**
   * Adds a reply to the innermost open aggregate, and that to the one around it if it is complete
   * now.
   *
   * @returns the outermost one, if that is complete.
   */
  #addToAggregate(reply: Reply): Reply | undefined {
    let complete = reply;
    while (this.#open.length > 0) {
      const aggregate = this.#open[this.#open.length - 1];
      aggregate.items.push(complete);
      if (--aggregate.missing > 0) return undefined;
      this.#open.pop();
      complete = finishAggregate(aggregate.type, aggregate.items);
    }
    return complete;
  }

  /** Moves what wasn't read to the start of own memory, with room behind it. */
  #keepRest(room: number): void {
    const rest = this.#end - this.#at;
    if (this.#bytes === this.#kept && this.#end + room <= this.#kept.length) return;
    if (rest + room <= this.#kept.length && this.#kept.length <= KEPT_BYTES + 2 * (rest + room)) {
      // Overlapping if it is moved within the kept memory, which `set` allows.
      this.#kept.set(this.#bytes.subarray(this.#at, this.#end));
    } else {
      const kept = new Uint8Array(Math.max(64, 2 * (rest + room)));
      kept.set(this.#bytes.subarray(this.#at, this.#end));
      this.#kept = kept;
    }
    this.#bytes = this.#kept;
    this.#base += this.#at;
    this.#at = 0;
    this.#end = rest;
  }

  #fail(message: string, at: number): never {
    this.#failure = new ReplyProtocolError(message, this.#base + at);
    throw this.#failure;
  }
}

function finishAggregate(type: number, items: Reply[]): Reply {
  switch (type) {
    case ReplyType.ARRAY:
      return new ArrayReply(items);
    case ReplyType.SET:
      return new SetReply(items);
    case ReplyType.MAP:
      return new MapReply(items);
    case ReplyType.PUSH:
      return new PushReply(items);
    default: {
      const value = items.pop()!;
      return new AttributedReply(new MapReply(items), value);
    }
  }
}
