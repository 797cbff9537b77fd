/**
 * What a server can answer: the value model of RESP2 and RESP3 replies.
 *
 * The model loses nothing that is on the wire: text is kept as bytes, a double keeps its digits,
 * integers beyond 2^53 are bigints, the three ways to write null stay apart, and the order of a
 * map's entries is the server's. Each class has a `kind`, so that a `switch` over it narrows
 * {@linkcode Reply} to one of them.
 *
 * @module
 */

// A byte order mark is part of the value: it is kept.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Any reply. */
export type Reply =
  | SimpleReply
  | ErrorReply
  | IntegerReply
  | BulkReply
  | VerbatimReply
  | NullReply
  | BooleanReply
  | DoubleReply
  | BigNumberReply
  | ArrayReply
  | SetReply
  | MapReply
  | PushReply
  | AttributedReply;

/** A reply that holds other replies. */
export type AggregateReply = ArrayReply | SetReply | MapReply | PushReply;

/** A short status, such as `OK`. */
export class SimpleReply {
  /** What kind of reply it is. */
  readonly kind = "simple";

  /** Makes a status of these bytes. */
  constructor(
    /** The status as it was sent; statuses may share their bytes, so they are not to be changed. */
    readonly bytes: Uint8Array,
  ) {}

  /** The status as text. */
  text(): string {
    return decodeText(this.bytes);
  }
}

/** An error that the server answers with. */
export class ErrorReply {
  /** What kind of reply it is. */
  readonly kind = "error";

  /** Makes an error of these bytes. */
  constructor(
    /** The error as it was sent, its code included. */
    readonly bytes: Uint8Array,
    /** Whether it was a line or, as RESP3 allows, a length with bytes. */
    readonly form: "line" | "blob" = "line",
  ) {}

  /** The error as text, its code included: `WRONGTYPE Operation against ...`. */
  text(): string {
    return decodeText(this.bytes);
  }

  /** The error's first word, which says what sort of error it is: `WRONGTYPE`. */
  code(): string {
    const text = this.text();
    const space = text.indexOf(" ");
    return space < 0 ? text : text.slice(0, space);
  }
}

/** A whole number of 64 bits. */
export class IntegerReply {
  /** What kind of reply it is. */
  readonly kind = "integer";

  /** Makes an integer reply. */
  constructor(
    /** The number: a bigint where a double couldn't hold it exactly. */
    readonly value: number | bigint,
  ) {}

  /** The number in decimal digits. */
  text(): string {
    return String(this.value);
  }
}

/**
 * Bytes of any content: what most values are sent as.
 *
 * It is a range of other memory, since a `Uint8Array` of its own for each of many small values
 * costs several times as much as reading them. Small values that are kept for long hold some KiB
 * more than they need for that reason; a copy of {@linkcode BulkReply.bytes} doesn't.
 */
export class BulkReply {
  /** What kind of reply it is. */
  readonly kind = "bulk";

  /** Makes a reply of the bytes from `start` to `end` in `source`, which nobody is to change. */
  constructor(
    /** The memory that holds the bytes. */
    readonly source: Uint8Array,
    /** Where they start in it. */
    readonly start: number = 0,
    /** Where they end in it. */
    readonly end: number = source.length,
  ) {}

  /** How many bytes there are. */
  get length(): number {
    return this.end - this.start;
  }

  /** The bytes; not a copy. */
  get bytes(): Uint8Array {
    return this.source.subarray(this.start, this.end);
  }

  /** The bytes read as UTF-8. */
  text(): string {
    return decodeText(this.source, this.start, this.end);
  }
}

/** Text for people, with a hint at its format (RESP3). */
export class VerbatimReply {
  /** What kind of reply it is. */
  readonly kind = "verbatim";

  /** Makes a verbatim text. */
  constructor(
    /** Three characters: `txt` for plain text, `mkd` for Markdown. */
    readonly format: string,
    /** The text without the format. */
    readonly bytes: Uint8Array,
  ) {}

  /** The text. */
  text(): string {
    return decodeText(this.bytes);
  }
}

/** No value. */
export class NullReply {
  /** What kind of reply it is. */
  readonly kind = "null";

  /** Makes a null. */
  constructor(
    /** How it was sent: RESP2 has `$-1` (bulk) and `*-1` (array), RESP3 has `_` (null). */
    readonly form: "null" | "bulk" | "array" = "null",
  ) {}
}

/** True or false (RESP3). */
export class BooleanReply {
  /** What kind of reply it is. */
  readonly kind = "boolean";

  /** Makes a boolean. */
  constructor(
    /** Which of the two. */
    readonly value: boolean,
  ) {}
}

/** A floating point number (RESP3). */
export class DoubleReply {
  /** What kind of reply it is. */
  readonly kind = "double";

  /** Makes a double. */
  constructor(
    /** The number. */
    readonly value: number,
    /** The number as it was sent. */
    readonly digits: string,
  ) {}

  /** The number as it was sent. */
  text(): string {
    return this.digits;
  }
}

/** A whole number of any size (RESP3). */
export class BigNumberReply {
  /** What kind of reply it is. */
  readonly kind = "bignumber";

  /** Makes a big number. */
  constructor(
    /** The number. */
    readonly value: bigint,
  ) {}

  /** The number in decimal digits. */
  text(): string {
    return String(this.value);
  }
}

/** Replies in order. */
export class ArrayReply {
  /** What kind of reply it is. */
  readonly kind = "array";

  /** Makes an array. */
  constructor(
    /** The elements. */
    readonly items: readonly Reply[],
  ) {}
}

/** Replies of which none should be twice (RESP3). */
export class SetReply {
  /** What kind of reply it is. */
  readonly kind = "set";

  /** Makes a set. */
  constructor(
    /** The members in the order in which they came; doubles are not looked for. */
    readonly items: readonly Reply[],
  ) {}
}

/** Keys with their values (RESP3). */
export class MapReply {
  /** What kind of reply it is. */
  readonly kind = "map";

  /** Makes a map. */
  constructor(
    /** Key, value, key, value: as they came. */
    readonly items: readonly Reply[],
  ) {}

  /** The entries as pairs. */
  *entries(): Generator<[Reply, Reply]> {
    for (let index = 0; index + 1 < this.items.length; index += 2) {
      yield [this.items[index], this.items[index + 1]];
    }
  }
}

/** A message that answers no command (RESP3): from a channel, or that a cached key changed. */
export class PushReply {
  /** What kind of reply it is. */
  readonly kind = "push";

  /** Makes a push message. */
  constructor(
    /** What it is about, and the rest. */
    readonly items: readonly Reply[],
  ) {}

  /** What it is about: the first element as text, such as `message` or `invalidate`. */
  topic(): string {
    return this.items.length === 0 ? "" : textOf(this.items[0]) ?? "";
  }
}

/** A reply with facts about it sent ahead (RESP3). */
export class AttributedReply {
  /** What kind of reply it is. */
  readonly kind = "attributed";

  /** Makes a reply with attributes. */
  constructor(
    /** The facts. */
    readonly attributes: MapReply,
    /** The reply itself. */
    readonly value: Reply,
  ) {}
}

/**
 * The reply as text, or `undefined` if it has none: null, and replies that hold others.
 *
 * A boolean is `true` or `false`.
 */
export function textOf(reply: Reply): string | undefined {
  switch (reply.kind) {
    case "null":
    case "array":
    case "set":
    case "map":
    case "push":
      return undefined;
    case "boolean":
      return String(reply.value);
    case "attributed":
      return textOf(reply.value);
    default:
      return reply.text();
  }
}

/** A reply as plain JavaScript; see {@linkcode plainValue}. */
export type PlainValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Error
  | PlainValue[]
  | Set<PlainValue>
  | Map<PlainValue, PlainValue>;

/**
 * The reply in plain JavaScript values, for callers who know what to expect: text is read as UTF-8,
 * and attributes and the wire's finer differences are dropped. An error reply becomes an `Error`,
 * not thrown.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const name = new BulkReply(new TextEncoder().encode("maxmemory"));
 * assertEquals(plainValue(new MapReply([name, new IntegerReply(0)])), new Map([["maxmemory", 0]]));
 * ```
 */
export function plainValue(reply: Reply): PlainValue {
  switch (reply.kind) {
    case "simple":
    case "bulk":
    case "verbatim":
      return reply.text();
    case "error":
      return new Error(reply.text());
    case "null":
      return null;
    case "integer":
    case "boolean":
    case "double":
    case "bignumber":
      return reply.value;
    case "array":
    case "push":
      return reply.items.map(plainValue);
    case "set":
      return new Set(reply.items.map(plainValue));
    case "map": {
      const map = new Map<PlainValue, PlainValue>();
      for (const [key, value] of reply.entries()) map.set(plainValue(key), plainValue(value));
      return map;
    }
    case "attributed":
      return plainValue(reply.value);
  }
}

/**
 * Short ASCII is decoded faster here than by the runtime's decoder, whose call alone costs more.
 */
function decodeText(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  if (end - start > 16) return decoder.decode(bytes.subarray(start, end));
  let text = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte > 127) return decoder.decode(bytes.subarray(start, end));
    text += String.fromCharCode(byte);
  }
  return text;
}
