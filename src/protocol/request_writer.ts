/**
 * Requests in RESP: each command as an array of bulk strings.
 *
 * @module
 */

import { ByteAccumulator } from "./byte_accumulator.ts";

/**
 * One argument of a command (its name is the first): text is sent as UTF-8, a number in the
 * shortest decimal form that gives the same number back, bytes as they are.
 */
export type RequestArgument = string | number | bigint | Uint8Array;

const ASTERISK = 0x2a;
const DOLLAR = 0x24;

/**
 * Writes commands one behind the other into memory that is taken away for sending.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const writer = new RequestWriter();
 * writer.write(["SET", "answer", 42]);
 * assertEquals(
 *   new TextDecoder().decode(writer.take()),
 *   "*3\r\n$3\r\nSET\r\n$6\r\nanswer\r\n$2\r\n42\r\n",
 * );
 * ```
 */
export class RequestWriter {
  readonly #buffer = new ByteAccumulator();

  /** How many bytes were written since the last {@linkcode RequestWriter.take}. */
  get length(): number {
    return this.#buffer.length;
  }

  /**
   * Writes one command.
   *
   * @throws {RangeError} if there is no argument at all: no reply would ever come to that.
   */
  write(args: readonly RequestArgument[]): void {
    if (args.length === 0) throw new RangeError("A command needs a name");
    this.#buffer.appendCountLine(ASTERISK, args.length);
    for (let index = 0; index < args.length; index++) this.#writeArgument(args[index]);
  }

  /** Writes one command that is given as its name and the rest. */
  writeCommand(name: RequestArgument, args: readonly RequestArgument[]): void {
    this.#buffer.appendCountLine(ASTERISK, args.length + 1);
    this.#writeArgument(name);
    for (let index = 0; index < args.length; index++) this.#writeArgument(args[index]);
  }

  /** Writes one command that is already encoded: the bytes of `bytes` from `start` to `end`. */
  writeEncoded(bytes: Uint8Array, start: number, end: number): void {
    this.#buffer.appendRange(bytes, start, end);
  }

  /** Inserts a request at `offset`, where another one starts. */
  insert(offset: number, request: Uint8Array): void {
    this.#buffer.insertRoom(offset, request.length);
    for (let index = 0; index < request.length; index++) {
      this.#buffer.setByte(offset + index, request[index]);
    }
  }

  /** What was written; it belongs to the caller until {@linkcode RequestWriter.recycle}. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#buffer.take();
  }

  /** Gives memory back that {@linkcode RequestWriter.take} gave and that has been sent. */
  recycle(taken: Uint8Array<ArrayBuffer>): void {
    this.#buffer.recycle(taken);
  }

  #writeArgument(argument: RequestArgument): void {
    const buffer = this.#buffer;
    if (typeof argument === "string") {
      // The length in bytes is known only after encoding. It is the number of characters for ASCII,
      // so that is written ahead, and put right in the rare case.
      const lengthAt = buffer.length + 1;
      buffer.appendCountLine(DOLLAR, argument.length);
      const bodyAt = buffer.length;
      const size = buffer.appendText(argument);
      if (size !== argument.length) this.#correctLength(lengthAt, bodyAt, size);
    } else if (typeof argument === "object") {
      buffer.appendCountLine(DOLLAR, argument.length);
      buffer.appendBytes(argument);
    } else {
      const digits = numberText(argument);
      buffer.appendCountLine(DOLLAR, digits.length);
      buffer.appendLatin1(digits);
    }
    buffer.appendLineEnd();
  }

  #correctLength(lengthAt: number, bodyAt: number, size: number): void {
    const digits = String(size);
    const roomForDigits = bodyAt - 2 - lengthAt;
    if (digits.length > roomForDigits) {
      this.#buffer.insertRoom(lengthAt, digits.length - roomForDigits);
    }
    for (let index = 0; index < digits.length; index++) {
      this.#buffer.setByte(lengthAt + index, digits.charCodeAt(index));
    }
  }
}

/** One command as bytes. */
export function encodeRequest(args: readonly RequestArgument[]): Uint8Array<ArrayBuffer> {
  const writer = new RequestWriter();
  writer.write(args);
  return writer.take();
}

/** A number as the server reads it: it knows `inf` and `nan`, not `Infinity` and `NaN`. */
function numberText(value: number | bigint): string {
  if (value === Infinity) return "inf";
  if (value === -Infinity) return "-inf";
  return Object.is(value, NaN) ? "nan" : String(value);
}
