/**
 * What is to be sent on a connection: bytes are copied in at the end, and leave with one write at a time.
 *
 * The runtime sends from the memory that it is given, so bytes that are being written must not change, but what stands behind them may: a
 * block is filled on while a write of its first part is under way. A block that has been sent is filled again from its start,
 * unless somebody still wants to look at what it held (see {@linkcode Block.users}).
 *
 * @module
 */
import type { Connection } from "../../runtime/sockets.ts";

/** Up to this size a loop costs less than a call into the runtime. */
const SHORT_BYTES = 64;
/** Size of the first block: an idle connection should cost little. */
const FIRST_BLOCK_BYTES = 1 << 10;
const LARGEST_BLOCK_BYTES = 64 << 10;
/** Size of blocks for what many clients send: several groups have to fit in, of 64 KiB and one command more. */
const SHARED_BLOCK_BYTES = 256 << 10;
/** So many idle blocks of each of these sizes are kept. */
const KEPT_BLOCKS = 32;

/** A piece of memory that is filled from its start and sent from its start. */
export class Block {
  /** The memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How much of it is filled... */
  length = 0;
  /** ... how much was given to the socket... */
  handed = 0;
  /** ... and how much was taken by it. */
  sent = 0;
  /** How many still want to look at what it holds. */
  users = 0;
  /** It was taken out of the line of its connection. */
  isDone = false;

  /** A block of `size` bytes. */
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }
}

/** Keeps blocks of two sizes that are used again. */
export class BlockPool {
  private readonly idle: ReadonlyMap<number, Block[]> = new Map([
    [LARGEST_BLOCK_BYTES, []],
    [SHARED_BLOCK_BYTES, []],
  ]);

  /** A block of `size` bytes. */
  take(size: number): Block {
    return this.idle.get(size)?.pop() ?? new Block(size);
  }

  /** Takes a block back that nobody uses. */
  give(block: Block): void {
    const idle = this.idle.get(block.bytes.length);
    if (idle === undefined || idle.length >= KEPT_BLOCKS) return;
    block.length = block.handed = block.sent = 0;
    block.isDone = false;
    idle.push(block);
  }
}

/** Told what becomes of what is sent. */
export interface OutgoingOwner {
  /** Asked right before bytes are given to the socket; if not, {@linkcode writeFailed} follows. */
  maySend(): boolean;
  /** A write has failed; nothing is sent any more. */
  writeFailed(): void;
  /** The socket has taken so many bytes. */
  wrote(count: number): void;
  /** All that there was has been sent. */
  drained(): void;
}

/** The line of blocks of one connection; see the head of this file. */
export class Outgoing {
  /** Bytes that the socket hasn't taken. */
  pendingBytes = 0;
  /** The block that is being filled; it is the last in line. */
  current: Block;
  /** Blocks before it that aren't wholly sent. */
  private line: Block[] = [];
  private isWriting = false;
  private isStopped = false;
  private readonly onWritten: (count: number) => void;
  private readonly onFailed: () => void;

  /** Sends on `connection`, which may come later ({@linkcode Outgoing.connection}). */
  constructor(
    private readonly pool: BlockPool,
    private readonly owner: OutgoingOwner,
    public connection: Connection | null,
    /** Whether many clients share it. */
    private readonly isShared: boolean,
  ) {
    this.current = pool.take(isShared ? SHARED_BLOCK_BYTES : FIRST_BLOCK_BYTES);
    this.onWritten = (count) => this.written(count);
    this.onFailed = () => {
      this.isWriting = false;
      if (!this.isStopped) this.owner.writeFailed();
    };
  }

  /** Copies bytes behind what is there; where they are then: in {@linkcode current}, up to its length. */
  append(source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    let block = this.current;
    if (block.length + size > block.bytes.length) block = this.startBlock(size);
    const { bytes } = block;
    let at = block.length;
    if (size <= SHORT_BYTES) {
      for (let from = start; from < end; from++) bytes[at++] = source[from];
    } else {
      bytes.set(source.subarray(start, end), at);
    }
    block.length += size;
    this.pendingBytes += size;
  }

  /** Gives what is there to the socket, unless a write is under way: then it follows by itself. */
  flush(): void {
    if (this.isWriting || this.isStopped || this.connection === null) return;
    this.writeNext();
  }

  /** Nothing is sent any more. Blocks stay for those who use them. */
  stop(): void {
    this.isStopped = true;
    this.pendingBytes = 0;
  }

  /** Somebody looks at a block no more. */
  release(block: Block): void {
    if (--block.users > 0) return;
    if (block.isDone) this.pool.give(block);
    else if (block.sent === block.length) block.length = block.handed = block.sent = 0;
  }

  /** Gives what is next to the socket. */
  private writeNext(): void {
    const block = this.line.length > 0 ? this.line[0] : this.current;
    if (block.sent === block.length) return;
    if (!this.owner.maySend()) return this.owner.writeFailed();
    this.isWriting = true;
    block.handed = block.length;
    this.connection!.write(block.bytes.subarray(block.sent, block.length))
      .then(this.onWritten, this.onFailed);
  }

  /** The socket has taken bytes. */
  private written(count: number): void {
    this.isWriting = false;
    if (this.isStopped) return;
    this.pendingBytes -= count;
    this.owner.wrote(count);
    const { line } = this;
    const block = line.length > 0 ? line[0] : this.current;
    block.sent += count;
    if (block.sent === block.length) {
      if (line.length > 0) {
        line.shift();
        this.finish(block);
      } else if (block.users === 0) {
        block.length = block.handed = block.sent = 0;
      }
    }
    if (this.pendingBytes > 0) this.writeNext();
    else this.owner.drained();
  }

  /** Puts a new block in the place of the current one, with room for `size` bytes. */
  private startBlock(size: number): Block {
    const { current } = this;
    if (current.sent === current.length && current.users === 0 && size <= current.bytes.length) {
      current.length = current.handed = current.sent = 0;
      return current;
    }
    if (current.sent < current.length) this.line.push(current);
    else this.finish(current);
    const usual = this.isShared
      ? SHARED_BLOCK_BYTES
      : Math.min(LARGEST_BLOCK_BYTES, current.bytes.length * 4);
    this.current = this.pool.take(Math.max(usual, size));
    return this.current;
  }

  /** A block is of no use to the line any more. */
  private finish(block: Block): void {
    block.isDone = true;
    if (block.users === 0) this.pool.give(block);
  }
}
