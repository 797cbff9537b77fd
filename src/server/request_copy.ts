/**
 * A command's arguments, kept after the command has returned, for one that waits.
 *
 * In the session's buffer they are good only until the handler returns. A copy has one array of
 * bytes with all arguments behind each other, so that it can be loaded into the context as if it were such a
 * buffer. Memory for bytes is what costs most in making one (a microsecond for four arrays), so small copies are used
 * again.
 *
 * @module
 */
import type { Context } from "../commands/context.ts";
import { copyBytes } from "../memory/copy.ts";

/** A copy has room for so many bytes and arguments at first; larger ones aren't kept for the next command. */
const FIRST_BYTES = 128;
const FIRST_ARGUMENTS = 16;
const MOST_SPARES = 256;

/** A copy of a command's arguments. */
export class RequestCopy {
  /** Number of arguments. */
  argc = 0;
  /** All arguments, one behind the other. */
  bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  /** The same bytes, for unaligned access. */
  view: DataView = new DataView(this.bytes.buffer);
  /** Where each argument starts. */
  starts: Int32Array = new Int32Array(FIRST_ARGUMENTS);
  /** Length of each argument. */
  lengths: Int32Array = new Int32Array(FIRST_ARGUMENTS);

  /** Whether it has no more room than it had at first. */
  get isSmall(): boolean {
    return this.bytes.length === FIRST_BYTES && this.starts.length === FIRST_ARGUMENTS;
  }

  /** Copies the arguments of the command that runs in `context`, none of which is in a block of its own. */
  fill(context: Context): void {
    const { argc, starts, lengths, view } = context;
    let size = 0;
    for (let index = 0; index < argc; index++) size += lengths[index];
    this.makeRoom(size, argc);
    this.argc = argc;
    let at = 0;
    for (let index = 0; index < argc; index++) {
      const length = lengths[index];
      this.starts[index] = at;
      this.lengths[index] = length;
      copyBytes(view, starts[index], this.view, at, length);
      at += length;
    }
  }

  /** Has room for so many bytes and arguments. */
  private makeRoom(bytes: number, argc: number): void {
    if (bytes > this.bytes.length) {
      this.bytes = new Uint8Array(bytes);
      this.view = new DataView(this.bytes.buffer);
    }
    if (argc > this.starts.length) {
      this.starts = new Int32Array(argc);
      this.lengths = new Int32Array(argc);
    }
  }
}

/** Copies that nobody needs now. */
export class RequestCopies {
  private readonly spares: RequestCopy[] = [];

  /** A copy of the arguments of the command that runs in `context`. */
  take(context: Context): RequestCopy {
    const copy = this.spares.pop() ?? new RequestCopy();
    copy.fill(context);
    return copy;
  }

  /** Takes a copy back. */
  give(copy: RequestCopy): void {
    if (copy.isSmall && this.spares.length < MOST_SPARES) this.spares.push(copy);
  }
}
