/**
 * The replication stream: its last bytes, once for all who read them.
 *
 * ```text
 *   [ block ] -> [ block ] -> [ block ] -> [ block ]
 *   ^ start         ^ a replica that is behind   ^ end: the backlog's newest byte
 * ```
 *
 * What replicas have yet to be sent and what is kept for those who come back (the backlog) is the same memory: a chain of blocks. Each
 * reader has a place in it. The oldest block goes when the rest is as long as the backlog is to be and nobody reads
 * it any more. So ten replicas cost no more memory than one; one that is far behind holds what it needs until it
 * has more to come than `client-output-buffer-limit` allows, and is closed.
 *
 * A block that was written to is never moved, and its bytes don't change as long as anybody may read them: they go to sockets from where
 * they lie. The memory of blocks that go is used for the next ones, since making it and collecting it was two fifths of
 * what a replica did with values of 4 KiB. Where a reader was closed, a write may still be under way: that memory is left alone.
 *
 * **Half of a transaction.** A replica keeps its master's stream as it comes, for its own replicas, but what was appended counts
 * only once it is {@linkcode ReplicationStream.commit committed}: what ends in the middle of a transaction is taken
 * back when the connection ends.
 *
 * @module
 */

const SMALLEST_BLOCK_BYTES = 16 * 1024;
const LARGEST_BLOCK_BYTES = 1024 * 1024;
/** The backlog has about so many blocks. */
const BLOCKS = 16;
/** What a block takes besides its bytes, about. */
const BLOCK_OVERHEAD_BYTES = 64;

/** So many blocks that went are kept for the next ones. */
const SPARE_BLOCKS = 4;

/** A part of the stream. */
interface StreamBlock {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The offset of its first byte. */
  readonly start: number;
  /** How many bytes it has. */
  used: number;
  /** How many readers are in it. */
  readers: number;
  /** Whether bytes of it may be on their way to a socket though nobody reads it. */
  isLent: boolean;
  next: StreamBlock | null;
}

/** The last bytes of one server's replication stream; see the head of this file. */
export class ReplicationStream {
  /** Offset of the oldest byte that is kept. */
  start: number;
  /** Offset behind the newest byte that counts. */
  end: number;
  /** Bytes of memory, without that of blocks that went. */
  memory = 0;
  private head: StreamBlock;
  private tail: StreamBlock;
  /** The block that {@linkcode end} is in, and how much of it counts. */
  private committed: StreamBlock;
  private committedUsed = 0;
  private readonly spares: Uint8Array<ArrayBuffer>[] = [];

  /** A stream of which `offset` bytes have gone before; the last `size` (bytes) are kept, `repl-backlog-size`. */
  constructor(offset: number, private size: number) {
    this.start = offset;
    this.end = offset;
    this.head = this.newBlock(offset);
    this.tail = this.head;
    this.committed = this.head;
  }

  /** How many bytes are kept. */
  get length(): number {
    return this.end - this.start;
  }

  /** Offset behind all that was appended, whether it counts or not. */
  get written(): number {
    return this.tail.start + this.tail.used;
  }

  /** Keeps the last `size` bytes from now on. */
  resize(size: number): void {
    this.size = size;
    this.trim();
  }

  /** Whether who has `offset` bytes can be sent all that follow. */
  holds(offset: number): boolean {
    return offset >= this.start && offset <= this.end;
  }

  /** Appends bytes that count at once. */
  append(bytes: Uint8Array): void {
    this.appendPart(bytes);
    this.commit();
  }

  /** Appends bytes that count once {@linkcode commit} is called. */
  appendPart(bytes: Uint8Array): void {
    let from = 0;
    while (from < bytes.length) {
      let { tail } = this;
      if (tail.used === tail.bytes.length) {
        tail = this.newBlock(tail.start + tail.used);
        this.tail.next = tail;
        this.tail = tail;
      }
      const count = Math.min(bytes.length - from, tail.bytes.length - tail.used);
      tail.bytes.set(bytes.subarray(from, from + count), tail.used);
      tail.used += count;
      from += count;
    }
  }

  /** All that was appended counts. */
  commit(): void {
    const { tail } = this;
    this.committed = tail;
    this.committedUsed = tail.used;
    this.end = tail.start + tail.used;
    this.trim();
  }

  /** Takes back what was appended and doesn't count. */
  rollBack(): void {
    const { committed } = this;
    for (let block = committed.next; block !== null; block = block.next) this.forget(block);
    committed.next = null;
    committed.used = this.committedUsed;
    this.tail = committed;
  }

  /** A place to read from; `offset` must be one that it {@linkcode holds}. */
  reader(offset: number): StreamReader {
    let block = this.head;
    while (block !== this.committed && offset >= block.start + block.used) block = block.next!;
    return new StreamReader(this, block, offset);
  }

  /** Lets go of blocks that nobody needs. */
  trim(): void {
    for (;;) {
      const { head } = this;
      const isSpare = head !== this.committed && head.readers === 0 &&
        this.end - (head.start + head.used) >= this.size;
      if (!isSpare) break;
      this.head = head.next!;
      this.start = this.head.start;
      this.forget(head);
    }
  }

  /** A block whose first byte is at `start`. */
  private newBlock(start: number): StreamBlock {
    const size = Math.floor(this.size / BLOCKS);
    const length = Math.max(SMALLEST_BLOCK_BYTES, Math.min(LARGEST_BLOCK_BYTES, size));
    const spare = this.spares.pop();
    const bytes = spare?.length === length ? spare : new Uint8Array(length);
    this.memory += bytes.length + BLOCK_OVERHEAD_BYTES;
    return { bytes, start, used: 0, readers: 0, isLent: false, next: null };
  }

  /** A block isn't kept any more. */
  private forget(block: StreamBlock): void {
    this.memory -= block.bytes.length + BLOCK_OVERHEAD_BYTES;
    if (!block.isLent && this.spares.length < SPARE_BLOCKS) this.spares.push(block.bytes);
  }
}

/** A place in a stream. */
export class StreamReader {
  private closed = false;

  /** A reader of `stream` at `offset`, which is in `block` or right behind it. */
  constructor(
    private readonly stream: ReplicationStream,
    private block: StreamBlock,
    private position: number,
  ) {
    block.readers++;
  }

  /** Bytes of the stream that were read. */
  get offset(): number {
    return this.position;
  }

  /** How many bytes there are to read. */
  get pending(): number {
    return this.stream.end - this.position;
  }

  /** The next bytes, as many as lie side by side, none from offset `limit` on; null if there are none. They stay as they are. */
  next(limit: number): Uint8Array<ArrayBuffer> | null {
    const end = Math.min(limit, this.stream.end);
    if (this.position >= end) return null;
    this.enterBlock();
    const { block } = this;
    const from = this.position - block.start;
    return block.bytes.subarray(from, Math.min(block.used, end - block.start));
  }

  /** Goes past so many bytes. */
  advance(count: number): void {
    this.position += count;
    this.enterBlock();
  }

  /** Reads no more. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.block.readers--;
    this.block.isLent = true;
    this.stream.trim();
  }

  /** Goes on to the block that the next byte is in, if that is there; one of which nothing counts yet may be taken back. */
  private enterBlock(): void {
    if (this.position === this.stream.end) return;
    let { block } = this;
    while (this.position >= block.start + block.used && block.next !== null) block = block.next;
    if (block === this.block) return;
    this.block.readers--;
    block.readers++;
    this.block = block;
    this.stream.trim();
  }
}
