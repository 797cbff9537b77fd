/**
 * A command's arguments, kept after the command has returned: for one that waits, and for one that is queued.
 *
 * In the session's buffer they are good only until the handler returns. A copy has one array of
 * bytes with all arguments behind each other, so that it can be loaded into the context as if it were such a
 * buffer.
 *
 * @module
 */
import type { Context } from "../commands/context.ts";

/** About what a copy takes besides the bytes of its arguments, and for each argument. */
const COPY_BYTES = 64;
const ARGUMENT_BYTES = 8;

/** A copy of a command's arguments. */
export class RequestCopy {
  /** Number of arguments. */
  readonly argc: number;
  /** All arguments, one behind the other. */
  readonly bytes: Uint8Array;
  /** The same bytes, for unaligned access. */
  readonly view: DataView;
  /** Where each argument starts. */
  readonly starts: Int32Array;
  /** Length of each argument. */
  readonly lengths: Int32Array;

  /** Copies the arguments of the command that runs in `context`. */
  constructor(context: Context) {
    const parts = context.allArguments();
    this.argc = parts.length;
    this.starts = new Int32Array(parts.length);
    this.lengths = Int32Array.from(parts, ({ length }) => length);
    let length = 0;
    parts.forEach((part, index) => {
      this.starts[index] = length;
      length += part.length;
    });
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
    parts.forEach((part, index) => this.bytes.set(part, this.starts[index]));
  }

  /** Bytes of memory that it takes. */
  get memory(): number {
    return COPY_BYTES + this.argc * ARGUMENT_BYTES + this.bytes.length;
  }
}
