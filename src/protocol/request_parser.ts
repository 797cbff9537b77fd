/**
 * The request half of RESP: from bytes to the offsets of a command's arguments, without making a string.
 *
 * A request is an array of bulk strings (`*2\r\n$3\r\nGET\r\n$1\r\na\r\n`) or one line of words as a
 * person types it ("inline"). {@linkcode parseRequest} reads one request into a
 * {@linkcode RequestFrame}. If bytes are missing, the frame remembers how far it came, so that a command of a
 * million arguments that arrives in a thousand pieces is read once, not a thousand times.
 *
 * Limits and error texts are those of Redis 7.0 (https://redis.io/docs/reference/protocol-spec/).
 *
 * @module
 */

/** The request is whole: {@linkcode RequestFrame.argc} arguments (0 for an empty line). */
export const REQUEST_COMPLETE = 0;
/** More bytes are needed. */
export const REQUEST_INCOMPLETE = 1;
/** The bytes aren't RESP: {@linkcode RequestFrame.error} says why. */
export const REQUEST_ERROR = 2;

/** Longest inline request, and longest length line, in bytes. */
export const INLINE_LIMIT = 64 * 1024;
/** Most lines that a person types are shorter. */
const SHORT_LINE = 128;
/** Longest argument, in bytes, that is taken from whoever is trusted with any: what a typed array surely holds. */
export const LONGEST_STRING = 0x7fffffff;
const ARGUMENT_LIMIT = 2147483647;
const UNAUTHENTICATED_ARGUMENTS = 10;
const UNAUTHENTICATED_BULK = 16384;

const STAR = 42;
const DOLLAR = 36;
const CR = 13;
const LF = 10;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const BACKSLASH = 92;
const DOUBLE_QUOTE = 34;
const SINGLE_QUOTE = 39;

/** One request being read, and after that, where its arguments stand. */
export class RequestFrame {
  /** How many arguments have been read. */
  argc = 0;
  /** First byte of each argument, in the buffer that was parsed. */
  starts: Int32Array = new Int32Array(16);
  /** Length of each argument in bytes. */
  lengths: Int32Array = new Int32Array(16);
  /** Where the request starts, */
  start = 0;
  /** and whether it is a line of words. */
  inline = false;
  /** Where the next byte to look at is. */
  position = 0;
  /** How many arguments are still to come; 0 between requests. */
  remaining = 0;
  /** Length of the bulk string whose bytes are awaited, or -1. */
  bulkLength: number = -1;
  /** What is wrong, after {@linkcode REQUEST_ERROR}. */
  error = "";

  /** Gets ready for a new request whose first byte is at `position`. */
  reset(position: number): void {
    this.argc = 0;
    this.start = position;
    this.inline = false;
    this.position = position;
    this.remaining = 0;
    this.bulkLength = -1;
    this.error = "";
  }

  /** Notes one more argument. */
  add(start: number, length: number): void {
    if (this.argc === this.starts.length) this.grow();
    this.starts[this.argc] = start;
    this.lengths[this.argc++] = length;
  }

  /** The buffer's content has moved by `distance` bytes towards its start. */
  shift(distance: number): void {
    this.start -= distance;
    this.position -= distance;
    for (let index = 0; index < this.argc; index++) this.starts[index] -= distance;
  }

  /** Makes room for twice as many arguments. */
  private grow(): void {
    const starts = new Int32Array(this.starts.length * 2);
    const lengths = new Int32Array(this.starts.length * 2);
    starts.set(this.starts);
    lengths.set(this.lengths);
    this.starts = starts;
    this.lengths = lengths;
  }
}

/**
 * Reads on at `frame.position`, in `bytes` up to `end`, and returns one of the `REQUEST_` constants.
 * Afterwards `frame.position` is behind what was read.
 *
 * @param maximumBulk longest argument in bytes (`proto-max-bulk-len`)
 * @param authenticated whether the peer may send more than a few short arguments
 */
export function parseRequest(
  frame: RequestFrame,
  bytes: Uint8Array,
  end: number,
  maximumBulk: number,
  authenticated: boolean,
): number {
  let at = frame.position;
  if (frame.remaining === 0) {
    if (at >= end) return REQUEST_INCOMPLETE;
    if (bytes[at] !== STAR) {
      frame.inline = true;
      return parseInline(frame, bytes, end);
    }
    if (at + 3 < end && bytes[at + 2] === CR && bytes[at + 1] > ZERO && bytes[at + 1] <= NINE) {
      frame.remaining = bytes[at + 1] - ZERO;
      at += 4;
    } else {
      const count = readLength(frame, bytes, at + 1, end, "too big mbulk count string");
      if (Number.isNaN(count)) return REQUEST_INCOMPLETE;
      if (frame.error !== "") return REQUEST_ERROR;
      if (count > ARGUMENT_LIMIT || !Number.isInteger(count)) {
        return fail(frame, "invalid multibulk length");
      }
      if (count > UNAUTHENTICATED_ARGUMENTS && !authenticated) {
        return fail(frame, "unauthenticated multibulk length");
      }
      if (count <= 0) return REQUEST_COMPLETE;
      frame.remaining = count;
      at = frame.position;
    }
    frame.position = at;
  }
  let remaining = frame.remaining;
  while (remaining > 0) {
    let length = frame.bulkLength;
    if (length < 0) {
      if (at >= end) break;
      if (bytes[at] !== DOLLAR) {
        return fail(frame, `expected '$', got '${String.fromCharCode(bytes[at])}'`);
      }
      length = at + 4 < end ? shortLength(bytes, at) : -1;
      if (length >= 0) at += length < 10 ? 4 : 5;
      else {
        frame.position = at;
        length = readLength(frame, bytes, at + 1, end, "too big bulk count string");
        if (Number.isNaN(length)) break;
        if (frame.error !== "") return REQUEST_ERROR;
        at = frame.position;
      }
      // The comparison is also false for a text that isn't a number.
      if (!(length >= 0 && length <= maximumBulk)) return fail(frame, "invalid bulk length");
      if (length > UNAUTHENTICATED_BULK && !authenticated) {
        return fail(frame, "unauthenticated bulk length");
      }
    }
    frame.position = at;
    if (end - at < length + 2) {
      frame.bulkLength = length;
      break;
    }
    frame.bulkLength = -1;
    frame.add(at, length);
    at += length + 2;
    frame.position = at;
    remaining--;
  }
  frame.remaining = remaining;
  return remaining === 0 ? REQUEST_COMPLETE : REQUEST_INCOMPLETE;
}

/** The length in a line `$d` or `$dd` whose `$` is at `at`; -1 if it is another one. */
function shortLength(bytes: Uint8Array, at: number): number {
  const digit = bytes[at + 1] - ZERO;
  if (digit < 0 || digit > 9) return -1;
  if (bytes[at + 2] === CR) return digit;
  const second = bytes[at + 2] - ZERO;
  if (digit === 0 || second < 0 || second > 9 || bytes[at + 3] !== CR) return -1;
  return digit * 10 + second;
}

function fail(frame: RequestFrame, error: string): number {
  frame.error = error;
  return REQUEST_ERROR;
}

/**
 * The decimal number of a length line that starts at `at`, with `frame.position` moved behind the line;
 * NaN while the line isn't whole, and Infinity for a text that is no number. A line that is too
 * long sets `frame.error`.
 */
function readLength(
  frame: RequestFrame,
  bytes: Uint8Array,
  at: number,
  end: number,
  tooLong: string,
): number {
  let stop = at;
  while (stop < end && bytes[stop] !== CR) stop++;
  if (stop >= end - 1) {
    if (end - at < INLINE_LIMIT) return NaN;
    frame.error = tooLong;
    return 0;
  }
  frame.position = stop + 2;
  const negative = bytes[at] === MINUS;
  if (negative) at++;
  const digits = stop - at;
  if (digits === 0 || digits > 18) return Infinity;
  if (bytes[at] === ZERO && (digits > 1 || negative)) return Infinity;
  let value = 0;
  for (; at < stop; at++) {
    const byte = bytes[at];
    if (byte < ZERO || byte > NINE) return Infinity;
    value = value * 10 + byte - ZERO;
  }
  return negative ? -value : value;
}

/** A request in one line: words between white space, quoted as in a shell. */
function parseInline(frame: RequestFrame, bytes: Uint8Array, end: number): number {
  const at = frame.position;
  const newline = findNewline(bytes, at, end);
  if (newline < 0) {
    if (end - at <= INLINE_LIMIT) return REQUEST_INCOMPLETE;
    return fail(frame, "too big inline request");
  }
  frame.position = newline + 1;
  const stop = newline > at && bytes[newline - 1] === CR ? newline - 1 : newline;
  if (splitWords(frame, bytes, at, stop)) return REQUEST_COMPLETE;
  frame.argc = 0;
  return fail(frame, "unbalanced quotes in request");
}

/** Where the line that starts at `at` ends; -1 if that hasn't come yet. Most lines are short, and a call would cost more than a look at them. */
function findNewline(bytes: Uint8Array, at: number, end: number): number {
  const near = Math.min(end, at + SHORT_LINE);
  for (; at < near; at++) {
    if (bytes[at] === LF) return at;
  }
  const newline = at < end ? bytes.indexOf(LF, at) : -1;
  return newline < end ? newline : -1;
}

/**
 * Whether the short line of words at `at` is whole and without quotes, so that {@linkcode parseRequest} leaves its bytes as they are, and it
 * can be read once more.
 */
export function isPlainLine(bytes: Uint8Array, at: number, end: number): boolean {
  const near = Math.min(end, at + SHORT_LINE);
  for (; at < near; at++) {
    const byte = bytes[at];
    if (byte === LF) return true;
    if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) return false;
  }
  return false;
}

/**
 * Notes the words between `at` and `stop` as arguments; false if a quote isn't closed as it should.
 * An escaped word is shorter than its source, so its bytes are put in its source's place.
 */
function splitWords(frame: RequestFrame, bytes: Uint8Array, at: number, stop: number): boolean {
  for (;;) {
    while (at < stop && isSpace(bytes[at])) at++;
    if (at >= stop || bytes[at] === 0) return true;
    const start = at;
    while (at < stop && isPlain(bytes[at])) at++;
    let to = at;
    while (at < stop && !endsWord(bytes[at])) {
      const byte = bytes[at];
      if (byte !== DOUBLE_QUOTE && byte !== SINGLE_QUOTE) {
        bytes[to++] = byte;
        at++;
        continue;
      }
      at++;
      while (at < stop && bytes[at] !== byte) {
        if (bytes[at] !== BACKSLASH || at + 1 >= stop) {
          bytes[to++] = bytes[at++];
        } else if (byte === SINGLE_QUOTE) {
          if (bytes[at + 1] === SINGLE_QUOTE) at++;
          bytes[to++] = bytes[at++];
        } else if (bytes[at + 1] === 120 && isHex(bytes[at + 2]) && isHex(bytes[at + 3])) {
          bytes[to++] = parseInt(String.fromCharCode(bytes[at + 2], bytes[at + 3]), 16);
          at += 4;
        } else {
          bytes[to++] = unescaped(bytes[at + 1]);
          at += 2;
        }
      }
      if (at >= stop) return false;
      at++;
      if (at < stop && !isSpace(bytes[at])) return false;
      break;
    }
    frame.add(start, to - start);
  }
}

/** Whether a byte is part of a word, and stands for itself. */
function isPlain(byte: number): boolean {
  return byte > 32 && byte !== DOUBLE_QUOTE && byte !== SINGLE_QUOTE;
}

/** Whether a word without quotes ends there: at less than what may stand between words, as in Redis. */
function endsWord(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === CR || byte === 0;
}

function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

function isHex(byte: number): boolean {
  return (byte >= ZERO && byte <= NINE) || (byte >= 65 && byte <= 70) ||
    (byte >= 97 && byte <= 102);
}

function unescaped(byte: number): number {
  switch (byte) {
    case 110:
      return LF;
    case 114:
      return CR;
    case 116:
      return 9;
    case 98:
      return 8;
    case 97:
      return 7;
    default:
      return byte;
  }
}
