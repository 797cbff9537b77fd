/**
 * Messages on their way to subscribers: each is encoded once, and all who get it share its bytes.
 *
 * **The problem.** A message to a thousand subscribers is a thousand copies if each session has it in a buffer of its own;
 * and a thousand subscribers of one channel mostly wait for the very same messages.
 *
 * **The log.** {@linkcode MessageLog} encodes messages one behind the other into blocks of up to 64 KiB, one log for each
 * version of the protocol. Blocks are written from their start to their end and never again, so whoever sends from one
 * needs no copy. The collector takes a block when nobody refers to it any more.
 *
 * **What waits.** What a session has not been sent yet is one {@linkcode Waiting}: an immutable list that ends with the
 * latest message. One message more makes a longer list, which the shorter one remembers (`next`). So the first
 * session that gets the message makes the longer list, and each other one with the same past finds it: for those a message is
 * one comparison and one reference. Messages that stand next to each other in a block are one run, and
 * sending what waits is sending the run.
 *
 * ```text
 * block   | message 1 | message 2 | message 3 | message 4 |
 * lists   nothing -> 1 -> 1-2 -> 1-3 -> 1-4    who has been sent nothing yet
 *         nothing -> 3 -> 3-4                  who was sent 1-2
 * ```
 *
 * Other messages may stand between those of a session. Then its list has several runs, which are
 * copied together when they are sent; that copy, too, is shared by all with the same list.
 *
 * **Cost.** A subscriber of one channel: about 10 ns a message, and 60 bytes a message for each distinct past. Redis
 * copies the message, 100 to 150 ns.
 *
 * **Invariants.** A list never changes but for `next` and what it has been made into; `next`
 * is forgotten when nothing waits any more ({@linkcode MessageLog.rest}), since it keeps all that came behind alive.
 *
 * @module
 */
import type { ReadonlyView } from "../../memory/arena.ts";
import { copyBytes } from "../../memory/copy.ts";
import { writeInteger } from "../../protocol/integers.ts";
import type { OutputChunk } from "../../protocol/reply_writer.ts";
import { joinBytes } from "../../protocol/joined_bytes.ts";

const FIRST_BLOCK_BYTES = 1024;
const BLOCK_BYTES = 64 * 1024;
/** Shorter runs are copied together before they are sent. */
const LONG_RUN_BYTES = 16 * 1024;
/** `$`, a length, and two line ends. */
const BULK_FRAME_BYTES = 24;
const DOLLAR = 36;
const CRLF = 0x0a0d;

const encoder = new TextEncoder();

/** A kind of message: how it starts, by version of the protocol. */
export interface MessageKind {
  /** The start in RESP2. */
  readonly plain: Uint8Array;
  /** The start in RESP3. */
  readonly push: Uint8Array;
}

function messageKind(name: string, parts: number): MessageKind {
  const start = `${parts}\r\n$${name.length}\r\n${name}\r\n`;
  return { plain: encoder.encode(`*${start}`), push: encoder.encode(`>${start}`) };
}

/** To those who subscribe to the channel. */
export const MESSAGE: MessageKind = messageKind("message", 3);
/** To those who subscribe to a pattern that the channel matches. */
export const PATTERN_MESSAGE: MessageKind = messageKind("pmessage", 4);
/** To those who subscribe to the shard channel. */
export const SHARD_MESSAGE: MessageKind = messageKind("smessage", 3);

/** The messages that wait for a session, up to the latest; see the head of this file. */
export class Waiting {
  /** The list with one message more that was made last. */
  next: Waiting | null = null;
  private made: readonly OutputChunk[] | null = null;

  /** Makes a list; see {@linkcode MessageLog.behind}. */
  constructor(
    /** The block of the last run. */
    readonly block: Uint8Array,
    /** Where that run starts, */
    readonly start: number,
    /** and where it ends. */
    readonly end: number,
    /** What waits before it, or null. */
    readonly earlier: Waiting | null,
    /** Bytes in all runs. */
    readonly bytes: number,
    /** How many runs there are. */
    readonly runs: number,
  ) {}

  /** All of it, as a session sends it. */
  get chunks(): readonly OutputChunk[] {
    return this.made ??= this.earlier === null
      ? [sharedChunk(this.block.subarray(this.start, this.end))]
      : joinRuns(this);
  }
}

/** Several runs, short ones together. */
function joinRuns(waiting: Waiting): OutputChunk[] {
  const runs: Uint8Array[] = [];
  for (let list: Waiting | null = waiting; list !== null; list = list.earlier) {
    runs.push(list.block.subarray(list.start, list.end));
  }
  const chunks: OutputChunk[] = [];
  let short: Uint8Array[] = [];
  for (const run of runs.reverse()) {
    if (run.length < LONG_RUN_BYTES) {
      short.push(run);
      continue;
    }
    if (short.length > 0) chunks.push(sharedChunk(joinBytes(short)));
    short = [];
    chunks.push(sharedChunk(run));
  }
  if (short.length > 0) chunks.push(sharedChunk(joinBytes(short)));
  return chunks;
}

function sharedChunk(bytes: Uint8Array): OutputChunk {
  return { bytes, buffer: null, release: null };
}

/** Encodes messages for one version of the protocol. */
export class MessageLog {
  /** The block in which the latest message stands, */
  block: Uint8Array = new Uint8Array(0);
  /** where it starts, */
  start = 0;
  /** and where it ends. */
  end = 0;
  /** Whether the latest message is the one that is being published. */
  current = false;
  private view = new DataView(this.block.buffer);
  private readonly nothing: Waiting = new Waiting(this.block, 0, 0, null, 0, 0);

  /** Encodes for version `resp`. */
  constructor(private readonly resp: 2 | 3) {}

  /**
   * Encodes a message of a kind: pattern, if there is one, channel, and what is told. These two stand in `view`.
   */
  write(
    kind: MessageKind,
    pattern: Uint8Array | null,
    view: ReadonlyView,
    channelStart: number,
    channelLength: number,
    messageStart: number,
    messageLength: number,
  ): void {
    const start = this.resp === 3 ? kind.push : kind.plain;
    const patternLength = pattern === null ? 0 : pattern.length;
    this.makeRoom(
      start.length + patternLength + channelLength + messageLength + 3 * BULK_FRAME_BYTES,
    );
    const { block } = this;
    let at = this.end;
    this.start = at;
    for (let index = 0; index < start.length; index++) block[at++] = start[index];
    if (pattern !== null) {
      at = this.bulkHead(at, patternLength);
      block.set(pattern, at);
      at = this.lineEnd(at + patternLength);
    }
    at = this.bulkHead(at, channelLength);
    copyBytes(view, channelStart, this.view, at, channelLength);
    at = this.bulkHead(this.lineEnd(at + channelLength), messageLength);
    copyBytes(view, messageStart, this.view, at, messageLength);
    this.end = this.lineEnd(at + messageLength);
    this.current = true;
  }

  /** `before` with the latest message behind it; null for nothing. */
  behind(before: Waiting | null): Waiting {
    const list = before ?? this.nothing;
    const { next } = list;
    // A block is written once, so where a message ends tells which one it is.
    if (next !== null && next.end === this.end && next.block === this.block) return next;
    return this.extend(list);
  }

  /** The bytes of the latest message. */
  get bytes(): Uint8Array {
    return this.block.subarray(this.start, this.end);
  }

  /** Nothing waits for anybody. */
  rest(): void {
    this.nothing.next = null;
  }

  /** Makes a list that is longer by the latest message. */
  private extend(list: Waiting): Waiting {
    const { block, start, end } = this;
    const bytes = list.bytes + end - start;
    const longer = list.end === start && list.block === block && list.bytes > 0
      ? new Waiting(block, list.start, end, list.earlier, bytes, list.runs)
      : new Waiting(block, start, end, list.bytes > 0 ? list : null, bytes, list.runs + 1);
    list.next = longer;
    return longer;
  }

  /** Goes on in a new block if this one has no room for `bytes`. */
  private makeRoom(bytes: number): void {
    const size = this.block.length;
    if (this.end + bytes <= size) return;
    const usual = Math.min(BLOCK_BYTES, Math.max(FIRST_BLOCK_BYTES, size * 2));
    this.block = new Uint8Array(Math.max(usual, bytes));
    this.view = new DataView(this.block.buffer);
    this.end = 0;
  }

  /** Writes how long a bulk string is; where it starts. */
  private bulkHead(at: number, length: number): number {
    this.block[at] = DOLLAR;
    return this.lineEnd(at + 1 + writeInteger(this.block, at + 1, length));
  }

  /** Ends a line; where the next one starts. */
  private lineEnd(at: number): number {
    this.view.setUint16(at, CRLF, true);
    return at + 2;
  }
}
