/**
 * Walks through the commands of an append-only file, from length to length.
 *
 * Of the bytes of a command only the name is looked at, for MULTI and EXEC; what is wrong is said in the words of Redis,
 * with the place where the part that is wrong starts.
 *
 * @module
 */
import type { FileWindow } from "./file_window.ts";

const DOLLAR = 36;
const STAR = 42;
const ZERO = 48;
const CR = 13;
const LF = 10;
/** Longest line with a length that Redis looks at. */
const LENGTH_LINE_LIMIT = 127;
/** Digits of numbers that are surely exact. */
const EXACT_DIGITS = 15;

const latin1 = new TextDecoder("latin1");
const MULTI = new TextEncoder().encode("multi");
const EXEC = new TextEncoder().encode("exec");

/** Walks through the commands of one file. */
export class CommandWalker {
  /** Whether nothing but the end of the file stopped it. */
  endsEarly = true;
  /** How many MULTI have had no EXEC yet. */
  private open = 0;
  private error = "";
  /** Where the part that was read last starts. */
  private position: number;

  /**
   * Starts where `window` is.
   *
   * @param line number of the line there
   */
  constructor(
    private readonly window: FileWindow,
    private readonly path: string,
    public line: number,
  ) {
    this.position = this.window.position;
  }

  /** Whether there was a MULTI without its EXEC. */
  get inTransaction(): boolean {
    return this.open !== 0;
  }

  /** What is wrong, or nothing. */
  get problem(): string {
    if (this.error === "" && this.inTransaction && this.endsEarly) {
      this.fail("Reached EOF before reading EXEC for MULTI");
    }
    return this.error;
  }

  /** Notes where the next part starts. */
  markPosition(): number {
    return this.position = this.window.position;
  }

  /** The next line with its end, or as much of it as `limit` bytes hold; a byte is a character. */
  readLine(limit: number): string {
    const { window } = this;
    window.ensure(limit);
    const { bytes, start } = window;
    const end = Math.min(window.end, start + limit);
    let at = start;
    while (at < end && bytes[at] !== LF) at++;
    if (at < end) at++;
    window.start = at;
    return latin1.decode(bytes.subarray(start, at));
  }

  /** Reads a command; false if it isn't whole, or isn't one. */
  readCommand(): boolean {
    const count = this.readLength(STAR);
    if (Number.isNaN(count)) return false;
    for (let index = 0; index < count; index++) {
      const length = this.readLength(DOLLAR);
      if (Number.isNaN(length)) return false;
      if (length < 0 || !Number.isSafeInteger(length)) {
        return this.fail(
          `Expected to read string of ${length} bytes, which is not in the suitable range`,
        );
      }
      if (!this.readArgument(length, index === 0)) return false;
    }
    return true;
  }

  /** Passes over an argument, unless it is the name of a command that counts here. */
  private readArgument(length: number, isName: boolean): boolean {
    const { window } = this;
    this.markPosition();
    const { left } = window;
    if (left < length + 2) {
      window.skip(left);
      return this.fail(`Expected to read ${length + 2} bytes, got ${left} bytes`);
    }
    let change = 0;
    if (isName && (length === MULTI.length || length === EXEC.length)) {
      window.ensure(length);
      change = transactionChange(window.bytes, window.start, length);
    }
    window.skip(length);
    if (!window.ensure(2)) return false;
    const { bytes, start } = window;
    if (!this.isLineEnd(bytes[start], bytes[start + 1])) return false;
    window.start += 2;
    if (change === 0) return true;
    const before = this.open;
    this.open += change;
    if (change > 0 && before !== 0) return this.fail(`Unexpected MULTI in AOF ${this.path}`);
    if (change < 0 && this.open !== 0) return this.fail(`Unexpected EXEC in AOF ${this.path}`);
    return true;
  }

  /** The number of a line that starts with `prefix`; NaN if there is no such line. */
  private readLength(prefix: number): number {
    const { window } = this;
    this.markPosition();
    window.ensure(LENGTH_LINE_LIMIT);
    const { bytes, start, end } = window;
    if (bytes[start] === prefix) {
      // Nearly every line is digits and its end, which takes no text to see.
      let at = start + 1;
      let value = 0;
      const last = Math.min(end - 1, at + EXACT_DIGITS);
      while (at < last && bytes[at] >= ZERO && bytes[at] <= ZERO + 9) {
        value = value * 10 + bytes[at++] - ZERO;
      }
      if (at > start + 1 && at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF) {
        window.start = at + 2;
        this.line++;
        return value;
      }
    }
    return this.readOddLength(prefix);
  }

  /** The same for a line that isn't quite as lines should be. */
  private readOddLength(prefix: number): number {
    const line = this.readLine(LENGTH_LINE_LIMIT);
    // At the end of the file there is nothing to say.
    if (line === "") return NaN;
    if (line.charCodeAt(0) !== prefix) {
      this.fail(`Expected prefix '${String.fromCharCode(prefix)}', got: '${line[0]}'`);
      return NaN;
    }
    const number = /^[ \t\v\f\r]*[+-]?\d+/.exec(line.slice(1))?.[0] ?? "";
    const after = number.length + 1;
    // Behind the end of a text there is a zero, as in C.
    const [first, second] = [line.charCodeAt(after) || 0, line.charCodeAt(after + 1) || 0];
    return this.isLineEnd(first, second) ? Number(number) : NaN;
  }

  /** Whether these two bytes end a line; if not, that is the problem. */
  private isLineEnd(first: number, second: number): boolean {
    if (first === CR && second === LF) {
      this.line++;
      return true;
    }
    const shown = [first, second].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return this.fail(`Expected \\r\\n, got: ${shown}`);
  }

  /** Notes what is wrong with the part that was read last. */
  private fail(text: string): false {
    const position = this.position.toString(16).padStart(16);
    this.error = `0x${position}: ${text}`;
    return false;
  }
}

/** 1 for the name MULTI, -1 for EXEC, else 0. */
function transactionChange(bytes: Uint8Array, start: number, length: number): number {
  const name = length === MULTI.length ? MULTI : EXEC;
  for (let index = 0; index < length; index++) {
    // The bit that makes capital letters small ones.
    if ((bytes[start + index] | 0x20) !== name[index]) return 0;
  }
  return name === MULTI ? 1 : -1;
}
