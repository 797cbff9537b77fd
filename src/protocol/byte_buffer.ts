/**
 * Buffers for what comes from and goes to a connection.
 *
 * @module
 */

/** Bytes with a view over them; both see the same memory. */
export class ByteBuffer {
  /** The bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same bytes, for unaligned access. */
  readonly view: DataView<ArrayBuffer>;

  /** Makes a buffer of `size` bytes, all zero, or one over memory that is there. */
  constructor(size: number, memory: ArrayBuffer = new ArrayBuffer(size)) {
    this.bytes = new Uint8Array(memory);
    this.view = new DataView(memory);
  }

  /** A buffer that is the whole memory of `bytes`. */
  static over(bytes: Uint8Array<ArrayBuffer>): ByteBuffer {
    return new ByteBuffer(bytes.length, bytes.buffer);
  }
}

/** Keeps buffers of one size for the next who needs one; the last given back is the first taken. */
export class BufferPool {
  private readonly idle: ByteBuffer[] = [];
  private made = 0;

  /** Keeps up to `limit` idle buffers of `size` bytes. */
  constructor(readonly size: number, private readonly limit: number) {}

  /** A buffer whose content is whatever it held last. */
  take(): ByteBuffer {
    const buffer = this.idle.pop();
    if (buffer !== undefined) return buffer;
    this.made++;
    return new ByteBuffer(this.size);
  }

  /** Takes a buffer back that nobody reads or writes any more. */
  give(buffer: ByteBuffer): void {
    if (this.idle.length < this.limit) this.idle.push(buffer);
    else this.made--;
  }

  /** Lets go of the idle buffers. */
  dropIdle(): void {
    this.made -= this.idle.length;
    this.idle.length = 0;
  }

  /** Bytes in all buffers of this pool, in use or idle. */
  get totalBytes(): number {
    return this.made * this.size;
  }

  /** Bytes in the buffers that are in use. */
  get usedBytes(): number {
    return (this.made - this.idle.length) * this.size;
  }
}
