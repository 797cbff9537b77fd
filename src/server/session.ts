/**
 * A session: one client connection, with what it has sent and what it is to be sent.
 *
 * **The loop.** Read, run what is there, write, and only then read again: measured as the cheapest and the fairest
 * order (see the README of this folder). Two callbacks do all of it; nothing is allocated per turn but
 * the runtime's own promises.
 *
 * **A client that sends but doesn't read.** Its commands run until {@linkcode OUTPUT_PAUSE_BYTES} of replies
 * wait. Then they stay in the read buffer, which has Redis' limit (`client-query-buffer-limit`): so
 * memory is bounded, and a client that sends a long pipeline before it reads the first reply, as many
 * do, is still served. That is why a session whose write hangs reads on, see {@linkcode Session.readOnIfStuck}.
 *
 * **Big arguments.** One that the command stores as it is goes from the socket straight into a block of the
 * arena, see {@linkcode Session.startBlock}.
 *
 * @module
 */
import { ByteBuffer } from "../protocol/byte_buffer.ts";
import type { BlockedSession } from "./blocking.ts";
import type { OutputChunk, ReplyWriter } from "../protocol/reply_writer.ts";
import type { RequestFrame } from "../protocol/request_parser.ts";
import type { Connection } from "../runtime/sockets.ts";
import { NORMAL_CLASS } from "./client_classes.ts";
import type { OutputSource, SessionHost, SessionLimits } from "./session_host.ts";
import type { Waiting } from "./subscriptions/messages.ts";
import type { SessionTopics } from "./subscriptions/topics.ts";
import type { Tracking } from "./tracking.ts";
import type { Transaction, WatchList } from "./transactions.ts";

/** Bytes of replies that may wait while further commands of a session run. */
export const OUTPUT_PAUSE_BYTES = 1024 * 1024;
/** So many bytes of output don't count for limits; Redis has 1 to 16 KiB of room for them in each client. */
export const FREE_OUTPUT_BYTES = 8 * 1024;
/** Size of a session's first buffer: short connections need no more, and idle ones should cost little. */
export const FIRST_BUFFER_BYTES = 2 * 1024;
/** About what a session and its connection take besides their buffers. */
const SESSION_BYTES = 1024;
const SECOND_BUFFER_BYTES = 16 * 1024;
const USUAL_BUFFER_LIMIT = 64 * 1024;
/** Room is made at once for an argument of so many bytes... */
const BIG_ARGUMENT_BYTES = 32 * 1024;
/** ... but not for more than so many before they have come. */
const ANNOUNCED_BYTES = 1024 * 1024;
const LINE_END_BYTES = 2;

/** What a session has once it is closed. */
const NO_BUFFER = new ByteBuffer(0);

/** Replies are sent. */
export const REPLY_ON = 0;
/** Replies are dropped until they are wanted again (CLIENT REPLY OFF). */
export const REPLY_OFF = 1;
/** The reply of the next command is dropped (CLIENT REPLY SKIP, as it runs itself). */
export const REPLY_SKIP_NEXT = 2;
/** The reply of this command is dropped. */
export const REPLY_SKIP = 3;

/** One client connection. */
export class Session {
  /** Name that the client gave itself. */
  name = "";
  /** Number of the selected database. */
  database = 0;
  /** Version of the protocol for its replies. */
  resp: 2 | 3 = 2;
  /** Whether it may run any command. */
  authenticated: boolean;
  /** Which of its replies are sent (one of the `REPLY_` constants). */
  replyMode: number = REPLY_ON;
  /** No further commands are run; once all replies are sent, the connection is closed. */
  closing = false;
  /** The connection is closed. */
  closed = false;
  /** Unix time in ms of the last bytes from the client. */
  lastInteraction: number;
  /** It is shown every command (MONITOR). */
  monitoring = false;
  /** Name of the command that ran last. */
  lastCommand = "NULL";

  /** What the client has sent and hasn't been run yet stands here... */
  buffer: ByteBuffer;
  /** ... from here... */
  position = 0;
  /** ... up to here. */
  end = 0;
  /** A long request of which a part has been read. */
  partial: RequestFrame | null = null;

  /** Block of the arena that a big argument is read into; 0 for none. */
  block = 0;
  /** How long that argument is. */
  blockBytes = 0;
  /** Which argument that is. */
  blockArgument: number = -1;
  /** Where the next bytes of it go; empty when all have come. */
  blockRoom: Uint8Array | null = null;

  /** How it is told of keys that change; null if it isn't. */
  tracking: Tracking | null = null;
  /** What it subscribes to; null for nothing. */
  topics: SessionTopics | null = null;
  /** Messages that it hasn't been sent; null for none. */
  waiting: Waiting | null = null;
  /** It is in the line of those for whom messages wait. */
  inLine = false;
  /** The commands that it has sent since MULTI; null without MULTI. */
  transaction: Transaction | null = null;
  /** The keys that it watches; null if it never did. */
  watched: WatchList | null = null;
  /** It isn't closed for the memory that it takes (CLIENT NO-EVICT). */
  protectedFromEviction = false;
  /** What it waits for: none of its commands are run until then. */
  blocked: BlockedSession | null = null;

  /** What it is sent beside replies; null for nothing. */
  source: OutputSource | null = null;
  /** It brings the stream of this server's master. */
  isMaster = false;
  /** The position of the journal behind what its last command has changed. */
  wrote = 0;

  /** Which limits it has: the number of its class. */
  clientClass: number = NORMAL_CLASS;
  /** Unix time in seconds since when more output waits than may for long, or 0. */
  softSince = 0;
  /** What its server has counted as its memory. */
  countedBytes = 0;

  /** Bytes of {@linkcode memory} that the server has counted. */
  heldBytes = 0;
  /** Bytes of replies that wait to be sent. */
  pendingBytes = 0;
  /** There is more to run in the buffer than one turn allowed. */
  unfinished = false;
  /** In its last turn it had sent more than one request. */
  pipelines = false;
  /** Which of the single requests of this round is its only one; -1 if none is. */
  single: number = -1;
  /** It is to have a turn in the round that comes. */
  inRound = false;
  /** Its replies are to be sent at the end of the round. */
  sendsInRound = false;
  /** Its output waits for the disk. */
  waitsAtGate = false;
  private readonly queue: OutputChunk[] = [];
  /** Where the journal was when each of them was made, as far as that matters. */
  private readonly positions: number[] = [];
  private current: OutputChunk | null = null;
  /** What is being written comes from the source. */
  private fromSource = false;
  private written = 0;
  private reading = false;
  /** The socket takes no more: the client isn't reading. */
  private stuck = false;
  /** The clock has ticked since the current write began. */
  private ticked = false;
  private readonly onRead: (count: number | null) => void;
  private readonly onReadError: () => void;
  private readonly onWritten: (count: number) => void;
  private readonly onWriteError: () => void;

  /** Wraps a connection that has just come in. */
  constructor(
    private readonly host: SessionHost,
    readonly connection: Connection,
    readonly id: number,
    /** A small number that no other connected client has, as a file descriptor would be. */
    readonly descriptor: number,
    readonly created: number,
    authenticated: boolean,
  ) {
    this.authenticated = authenticated;
    this.lastInteraction = created;
    this.buffer = host.firstBuffers.take();
    this.onRead = (count) => this.received(count);
    this.onReadError = () => this.readFailed();
    this.onWritten = (count) => this.sent(count);
    this.onWriteError = () => this.writeFailed();
  }

  /** Whether a write is under way. */
  get writing(): boolean {
    return this.current !== null;
  }

  /** Whether a read is under way, into a place that must stay where it is. */
  get readPending(): boolean {
    return this.reading;
  }

  /** Number of chunks that wait to be sent. */
  get pendingChunks(): number {
    return this.queue.length;
  }

  /** Bytes of memory that this session holds: itself and its buffers. */
  get memory(): number {
    const { blocked, topics, tracking, waiting, transaction, watched } = this;
    return SESSION_BYTES + this.buffer.bytes.length + this.pendingBytes +
      (blocked === null ? 0 : blocked.argumentBytes) +
      (tracking === null ? 0 : tracking.prefixBytes) +
      (topics === null ? 0 : topics.bytes) + (waiting === null ? 0 : waiting.bytes) +
      (transaction === null ? 0 : transaction.memory) + (watched === null ? 0 : watched.memory);
  }

  /** Bytes of {@linkcode memory} and of the arena that this session has for itself, as limits count them. */
  get footprint(): number {
    const { waiting } = this;
    const output = waiting === null ? this.pendingBytes : this.pendingBytes + waiting.bytes;
    return this.memory + this.blockBytes - Math.min(output, FREE_OUTPUT_BYTES);
  }

  /** Where in the buffer that starts which hasn't been run. */
  get runEnd(): number {
    return this.partial === null ? this.position : this.partialStart();
  }

  /** Puts bytes behind those that have come: who has read them before can't use them. */
  preload(bytes: Uint8Array): void {
    if (this.end + bytes.length > this.buffer.bytes.length) this.grow(this.end + bytes.length);
    this.buffer.bytes.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** Bytes of replies that wait, as limits count them: Redis has room for the first ones in each client. */
  get outputBytes(): number {
    const { source, waiting } = this;
    const bytes = waiting === null ? this.pendingBytes : this.pendingBytes + waiting.bytes;
    return Math.max(0, bytes + (source === null ? 0 : source.pendingBytes) - FREE_OUTPUT_BYTES);
  }

  /** Bytes of arguments of a command that isn't done: half of it has come, or it waits. */
  get argumentBytes(): number {
    const { blocked, partial } = this;
    if (partial === null) return blocked === null ? 0 : blocked.argumentBytes;
    let bytes = 0;
    for (let index = 0; index < partial.argc; index++) bytes += partial.lengths[index];
    return bytes;
  }

  /** Asks for the next bytes. */
  startRead(): void {
    if (this.reading || this.closed) return;
    let target = this.blockRoom;
    if (target === null) {
      try {
        this.makeRoom();
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        // The machine has no memory left for a longer buffer.
        this.closeTooLong();
        return;
      }
      // The room counts as soon as it is made: what is announced will come.
      if (this.host.limits.watching && !this.host.limits.check(this)) return;
      target = this.end === 0 ? this.buffer.bytes : this.buffer.bytes.subarray(this.end);
    }
    this.reading = true;
    this.connection.read(target).then(this.onRead, this.onReadError);
  }

  /**
   * Has the bytes of argument `argument` of the request go to `room`, in the block `block`; those
   * that have come already are moved there.
   */
  startBlock(block: number, argument: number, room: Uint8Array): void {
    this.block = block;
    this.blockBytes = room.length;
    this.blockArgument = argument;
    const there = Math.min(room.length, this.end - this.position);
    room.set(this.buffer.bytes.subarray(this.position, this.position + there));
    this.buffer.bytes.copyWithin(this.position, this.position + there, this.end);
    this.end -= there;
    this.blockRoom = there < room.length ? room.subarray(there) : null;
  }

  /** Ends a turn: takes what the server's writer holds, to send it when the round is over. */
  flush(reply: ReplyWriter): void {
    if (reply.length > 0) this.takeOutput(reply);
    const { limits } = this.host;
    if (limits.watching && !limits.check(this)) this.dropOutput();
    else if (this.closed) this.dropOutput();
    else {
      // Where memory is limited, the room for what is announced counts from now on, and not only after the turns of others.
      if (limits.watching && this.partial !== null && this.queue.length === 0) this.startRead();
      this.host.sendLater(this);
    }
  }

  /** Sends what waits, and goes on. */
  send(): void {
    if (this.closed) return;
    if (this.current === null && this.queue.length > 0 && !this.holdsBack(this.host.limits)) {
      this.writeNext();
    } else this.afterTurn();
  }

  /**
   * Whether what waits is sent only when all that has been read has run: where output is limited, a client that
   * exceeds the limit with what it has sent is closed and gets none of it.
   */
  private holdsBack(limits: SessionLimits): boolean {
    return limits.watching && this.unfinished && this.pendingBytes < limits.pauseBytes;
  }

  /** Sends what a writer holds, out of the session's turn. */
  append(reply: ReplyWriter): void {
    // Nothing comes behind the last reply.
    if (this.closing) reply.truncate(0);
    if (reply.length === 0) return;
    this.takeOutput(reply);
    if (!this.host.limits.check(this)) this.dropOutput();
    else if (this.current === null) this.writeNext();
  }

  /** Goes on with what is in the buffer, after others had their turn. */
  resume(): void {
    // With nothing there, the next bytes that come bring the next turn.
    if (this.closed || (this.position === this.end && this.partial === null)) return;
    this.unfinished = true;
    if (this.current === null) this.host.processLater(this);
  }

  /** Puts what a writer holds at the end of the queue. */
  private takeOutput(reply: ReplyWriter): void {
    if (this.waiting !== null) this.takeWaiting(this.waiting);
    this.pendingBytes += reply.length;
    for (const chunk of reply.chunks) this.enqueue(chunk);
    if (reply.position > 0 && reply.chunks.length === 0 && this.joinLast(reply)) {
      reply.giveBack(reply.buffer);
    } else if (reply.position > 0) {
      const bytes = reply.buffer.bytes.subarray(0, reply.position);
      this.enqueue({ bytes, buffer: reply.buffer, release: null });
    } else reply.giveBack(reply.buffer);
    reply.startFresh();
  }

  /** Puts a chunk at the end of the queue. */
  private enqueue(chunk: OutputChunk): void {
    this.queue.push(chunk);
    this.positions.push(this.host.gate.position);
  }

  /** Copies a short reply behind the last one that waits, if that leaves room; whether it did. */
  private joinLast(reply: ReplyWriter): boolean {
    const last = this.queue.at(-1);
    if (last === undefined || last.buffer === null) return false;
    if (this.positions.at(-1) !== this.host.gate.position) return false;
    const { length } = last.bytes;
    const room = last.buffer.bytes;
    if (last.bytes.byteOffset !== 0 || length + reply.position > room.length) return false;
    room.set(reply.buffer.bytes.subarray(0, reply.position), length);
    this.queue[this.queue.length - 1] = {
      ...last,
      bytes: room.subarray(0, length + reply.position),
    };
    return true;
  }

  /** Sends the messages that wait, behind what waits already. */
  sendWaiting(): void {
    // Nothing comes behind the last reply.
    if (this.closing || this.waiting === null) return;
    this.takeWaiting(this.waiting);
    if (!this.host.limits.check(this)) this.dropOutput();
    else if (this.current === null) this.writeNext();
  }

  /** Puts messages at the end of the queue. */
  private takeWaiting(waiting: Waiting): void {
    this.waiting = null;
    this.pendingBytes += waiting.bytes;
    for (const chunk of waiting.chunks) this.enqueue(chunk);
  }

  /** Sends bytes that are no reply, behind what waits already. */
  push(bytes: Uint8Array): void {
    if (this.closing) return;
    if (this.waiting !== null) this.takeWaiting(this.waiting);
    this.pendingBytes += bytes.length;
    this.enqueue({ bytes, buffer: null, release: null });
    if (!this.host.limits.check(this)) this.dropOutput();
    else if (this.current === null) this.writeNext();
  }

  /** Sends what the source has, unless something is being sent. */
  pull(): void {
    const { source } = this;
    if (source === null || this.current !== null || this.queue.length > 0 || this.closing) return;
    const bytes = source.next();
    if (bytes === null) return;
    this.current = { bytes, buffer: null, release: null };
    this.fromSource = true;
    this.written = 0;
    this.connection.write(bytes).then(this.onWritten, this.onWriteError);
  }

  /** Called every 100 ms: a write that hangs must not stop the reading. */
  readOnIfStuck(): void {
    if (this.current === null || this.closing) return;
    if (this.ticked) this.stuck = true;
    this.ticked = true;
    if (this.stuck) this.startRead();
  }

  /** Closes the connection and frees what the session holds. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.closing = true;
    closeQuietly(this.connection);
    if (this.current === null) this.dropOutput();
    if (!this.reading) this.giveBuffer(NO_BUFFER);
    this.host.forget(this);
  }

  /** Bytes have come, or the end. */
  private received(count: number | null): void {
    this.reading = false;
    if (count === null) {
      this.close();
      return;
    }
    const { counters } = this.host;
    counters.reads++;
    counters.inputBytes += count;
    if (this.closed) {
      this.giveBuffer(NO_BUFFER);
      return;
    }
    if (this.blockRoom !== null) {
      this.lastInteraction = this.host.now();
      this.blockRoom = count < this.blockRoom.length ? this.blockRoom.subarray(count) : null;
      if (this.blockRoom !== null) {
        this.startRead();
        return;
      }
    } else {
      this.end += count;
    }
    if (this.pendingBytes < this.host.limits.pauseBytes) this.host.process(this);
    else {
      this.unfinished = true;
      this.afterTurn();
    }
  }

  /** The connection is broken, or has been closed here. */
  private readFailed(): void {
    this.reading = false;
    if (this.closed) this.giveBuffer(NO_BUFFER);
    else this.close();
  }

  /** Goes on with another buffer, and gives the one it had to the next session that comes. */
  private giveBuffer(replacement: ByteBuffer): void {
    const buffer = this.buffer;
    this.buffer = replacement;
    if (buffer.bytes.length === FIRST_BUFFER_BYTES) this.host.firstBuffers.give(buffer);
  }

  /** What has waited for the disk may leave. */
  passGate(): void {
    if (!this.closed && this.current === null && this.queue.length > 0) this.writeNext();
  }

  /** Writes the next chunk of the queue, unless it has to wait. */
  private writeNext(): void {
    const { positions } = this;
    if (positions[0] > 0 && this.host.gate.holds(positions[0], this)) return;
    const single = this.queue.length === 1;
    const chunk = single ? this.queue.pop()! : this.queue.shift()!;
    if (single) positions.pop();
    else positions.shift();
    this.current = chunk;
    this.written = 0;
    this.ticked = false;
    this.connection.write(chunk.bytes).then(this.onWritten, this.onWriteError);
  }

  /** Bytes of the current chunk have been written. */
  private sent(count: number): void {
    const chunk = this.current!;
    const { counters } = this.host;
    counters.writes++;
    counters.outputBytes += count;
    if (this.fromSource) this.source?.sent(count);
    else this.pendingBytes -= count;
    this.written += count;
    if (this.written < chunk.bytes.length && !this.closed) {
      this.connection.write(chunk.bytes.subarray(this.written)).then(
        this.onWritten,
        this.onWriteError,
      );
      // The socket is full: the client may be sending, too, and read only when it is done.
      this.stuck = true;
      this.afterTurn();
      return;
    }
    this.current = null;
    this.fromSource = false;
    this.release(chunk);
    if (this.closed) this.dropOutput();
    else if (this.queue.length > 0) this.writeNext();
    else {
      this.stuck = false;
      this.pull();
      if (this.waiting !== null) this.host.deliverLater(this);
      if (this.unfinished) this.host.process(this);
      else this.afterTurn();
    }
  }

  /** The peer is gone. */
  private writeFailed(): void {
    const chunk = this.current!;
    this.current = null;
    this.release(chunk);
    this.dropOutput();
    this.close();
  }

  /** Goes on after a turn: runs what is left, reads, waits for the writes, or ends. */
  private afterTurn(): void {
    if (this.closed) return;
    if (this.closing) {
      if (this.current === null) this.close();
      return;
    }
    if (this.waitingBytes > this.host.queryBufferLimit && !this.isMaster) {
      this.closeTooLong();
      return;
    }
    if (this.host.limits.watching && !this.host.limits.check(this)) return;
    if (this.current !== null) {
      if (this.stuck || this.source !== null) this.startRead();
    } else if (this.unfinished) this.host.processLater(this);
    else this.startRead();
  }

  /** Bytes of requests that haven't been run. */
  get waitingBytes(): number {
    return this.end - (this.partial === null ? this.position : this.partialStart());
  }

  /** Closes a client whose requests take more memory than it may have. */
  private closeTooLong(): void {
    this.host.logTooLong(this);
    this.close();
  }

  /** Has room behind `end`: more than last time if the last read filled the buffer. */
  private makeRoom(): void {
    const size = this.buffer.bytes.length;
    const filled = this.end === size;
    if (this.position === this.end && this.partial === null) {
      this.position = 0;
      this.end = 0;
      // All is done, so that a buffer that one big request needed can go.
      if (size > USUAL_BUFFER_LIMIT) this.buffer = new ByteBuffer(SECOND_BUFFER_BYTES);
    } else this.compact();
    const announced = this.announcedEnd();
    if (announced > size) this.grow(Math.min(announced, Math.max(ANNOUNCED_BYTES, size * 2)));
    else if (filled && (size < USUAL_BUFFER_LIMIT || this.end === size)) {
      this.grow(size < SECOND_BUFFER_BYTES ? SECOND_BUFFER_BYTES : size * 2);
    }
  }

  /** Where in the buffer a big argument will end that is on its way to it; 0 for none. */
  private announcedEnd(): number {
    const { partial } = this;
    if (partial === null || partial.bulkLength < BIG_ARGUMENT_BYTES) return 0;
    return partial.position + partial.bulkLength + LINE_END_BYTES;
  }

  /** Moves what hasn't been run to the start of the buffer. */
  private compact(): void {
    // A long request that is half read stays whole: its arguments are offsets.
    const from = this.partial === null ? this.position : this.partialStart();
    if (from === 0) return;
    this.buffer.bytes.copyWithin(0, from, this.end);
    this.partial?.shift(from);
    this.position -= from;
    this.end -= from;
  }

  /** Where the long request that is half read starts in the buffer. */
  private partialStart(): number {
    const partial = this.partial!;
    // What a master sends goes on to others as it came.
    if (this.isMaster) return partial.start;
    return partial.argc > 0 ? partial.starts[0] : this.position;
  }

  /** Goes on in a buffer of `size` bytes. */
  private grow(size: number): void {
    const larger = new ByteBuffer(size);
    larger.bytes.set(this.buffer.bytes.subarray(0, this.end));
    this.giveBuffer(larger);
  }

  /** Lets go of a chunk that has been sent, or never will be. */
  private release(chunk: OutputChunk): void {
    if (chunk.buffer !== null) this.host.reply.giveBack(chunk.buffer);
    chunk.release?.();
  }

  /** Lets go of all that waits to be sent. */
  private dropOutput(): void {
    for (const chunk of this.queue) this.release(chunk);
    this.queue.length = 0;
    this.positions.length = 0;
    this.pendingBytes = 0;
    this.waiting = null;
  }
}

/** Closes a connection, which the runtime may have closed already. */
export function closeQuietly(connection: Connection): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
