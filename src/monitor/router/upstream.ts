/**
 * A connection to a node, on which commands of many clients follow each other without waiting for replies.
 *
 * One read is always under way, into one buffer. Replies are told apart, not understood: their bytes go on as they are. What was sent
 * stays in its block until it is answered, so that it can be sent elsewhere if this connection is lost.
 *
 * **Confirmations.** With `acks`, each batch of commands that changes data is followed by one WAIT, and what it was answered is kept
 * until that says that enough replicas have it.
 *
 * @module
 */
import { ReplySkipper } from "../../protocol/reply_skipper.ts";
import { ReplyType } from "../../protocol/reply_types.ts";
import { encodeRequest } from "../../protocol/request_writer.ts";
import type { Connection } from "../../runtime/sockets.ts";
import { type BlockPool, Outgoing } from "./outgoing.ts";
import { Run, type RunOwner } from "./run.ts";

const FIRST_READ_BYTES = 16 << 10;
const LARGEST_READ_BYTES = 256 << 10;
/** A reply that is longer is passed on in parts. */
const WHOLE_REPLY_BYTES = 64 << 10;
/** A reply that starts so says that the node can't serve now. */
const REFUSAL =
  /^-(LOADING|MASTERDOWN|READONLY|UNBLOCKED force|NOAUTH|ERR WAIT cannot be used with replica|EXECABORT [A-Z][a-z ]+: (LOADING|MASTERDOWN|READONLY)) /;
const LONGEST_REFUSAL = "-EXECABORT Transaction discarded because of: MASTERDOWN ".length;
const MINUS = 0x2d;

/** What connections to nodes need of the router. */
export interface UpstreamHost {
  /** Blocks to send from. */
  readonly blocks: BlockPool;
  /** Has what is to be sent to clients sent, after replies were handed out. */
  flushClients(): void;
  /** Whether what changes data may leave now. */
  mayWrite(): boolean;
  /** Why it doesn't count that replicas have what was changed: others choose another master meanwhile, say. Empty if it does. */
  readonly confirmTrouble: string;
  /** A turn begins. */
  tick(): void;
  /** A connection has room again for what is to be sent. */
  hasRoom(): void;
}

/** Who has opened a connection to a node. */
export interface UpstreamOwner {
  /** `count` commands more, or fewer, wait for replies, `writes` of which change data. */
  outstanding(count: number, writes: number): void;
  /** It is lost; the runs have been told. */
  upstreamLost(upstream: Upstream, reason: string): void;
}

/** How one is to be. */
export interface UpstreamShape {
  /** Version of the protocol of its replies. */
  readonly resp: 2 | 3;
  /** The database that commands on it work with. */
  readonly database: number;
  /** Whether only one client uses it. */
  readonly isExclusive: boolean;
  /** Whether it may carry what changes data: the node must be the master. */
  readonly carriesWrites: boolean;
  /** How many replicas have to confirm that, and how long that may take, in ms; 0 for none. */
  readonly acks: number;
  /** How long that may take, in ms. */
  readonly ackTimeoutMs: number;
}

/** See the head of this file. */
export class Upstream {
  /** Whether it is connected, and the node is what it is taken for. */
  isReady = false;
  /** Whether it is lost. */
  isClosed = false;
  /** Something was sent on it that a later user must not inherit. */
  isTainted = false;
  /** Its writes are waited for where all are to be answered: not what may take any time. */
  countsWrites: boolean;
  /** Told when it is lost, after its runs. */
  onLost: (() => void) | null = null;
  private connection: Connection | null = null;
  private readonly outgoing: Outgoing;
  private readonly skipper = new ReplySkipper();
  private runs: Run[] = [];
  private first = 0;
  private buffer = new Uint8Array(FIRST_READ_BYTES);
  /** Bytes at the start of the buffer that belong to a reply that isn't whole. */
  private kept = 0;
  private flushIsDue = false;
  /** There are changes in what wasn't sent yet. */
  private sendsWrites = false;
  /** Changes were sent behind which no WAIT stands. */
  private needsWait = false;
  /** Runs that are answered, but not confirmed. */
  private unconfirmed: Run[] = [];
  private readonly waitCommand: Uint8Array;
  private raw: ((bytes: Uint8Array) => void) | null = null;
  /** Why nothing but a refusal counts any more; empty if all does. */
  private farewell = "";
  private readonly onRead: (count: number | null) => void;
  private readonly onReadFailed: (error: unknown) => void;
  private readonly flushNow: () => void;

  /** One that isn't connected yet: commands wait until {@linkcode Upstream.start}. */
  constructor(
    private readonly host: UpstreamHost,
    private readonly owner: UpstreamOwner,
    readonly shape: UpstreamShape,
  ) {
    this.countsWrites = !shape.isExclusive;
    this.outgoing = new Outgoing(host.blocks, this, null, !shape.isExclusive);
    this.waitCommand = encodeRequest(["WAIT", shape.acks, shape.ackTimeoutMs]);
    this.onRead = (count) => this.received(count);
    this.onReadFailed = (error) => this.fail((error as Error).message);
    this.flushNow = () => {
      this.flushIsDue = false;
      if (!this.isReady) return;
      if (this.needsWait) this.sendWait();
      this.outgoing.flush();
    };
  }

  /** How many runs wait for replies. */
  get pendingRuns(): number {
    return this.runs.length - this.first + this.unconfirmed.length;
  }

  /** The last run in line. */
  get lastRun(): Run | undefined {
    return this.runs.length > this.first ? this.runs[this.runs.length - 1] : undefined;
  }

  /** Bytes that the node hasn't taken. */
  get unsentBytes(): number {
    return this.outgoing.pendingBytes;
  }

  /** The connection is there, and the node is what it is taken for. */
  start(connection: Connection): void {
    this.connection = this.outgoing.connection = connection;
    this.isReady = true;
    this.read();
    this.flushNow();
  }

  /** Sends the commands of a run that is in no line of a connection yet. */
  send(run: Run, bytes: Uint8Array, start: number, end: number): void {
    const { outgoing } = this;
    outgoing.append(bytes, start, end);
    const block = outgoing.current;
    run.upstream = this;
    run.block = block;
    run.end = block.length;
    run.start = run.end - (end - start);
    run.copy = null;
    block.users++;
    this.runs.push(run);
    this.count(run.count, run.writes);
    if (run.writes > 0) this.noteWrites();
    this.flushSoon();
  }

  /** Sends more commands as part of `run`, which is the last one; false if they can't stand in one piece with it. */
  extend(
    run: Run,
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
    writes: number,
  ): boolean {
    const { outgoing } = this;
    const { current } = outgoing;
    if (run.block !== current || run.end !== current.length) return false;
    // Replies to reads don't wait for replicas: some may have been passed on already.
    if (writes > 0 && run.writes === 0 && this.shape.acks > 0) return false;
    if (current.length + end - start > current.bytes.length) return false;
    outgoing.append(bytes, start, end);
    run.end = current.length;
    run.count += count;
    run.writes += writes;
    this.count(count, writes);
    if (writes > 0) this.noteWrites();
    this.flushSoon();
    return true;
  }

  /** Passes all that comes to `take` from now on, as it is. */
  passThrough(take: (bytes: Uint8Array) => void): void {
    this.raw = take;
  }

  /** Sends bytes that belong to no run; `writes` if they change data. */
  sendRaw(bytes: Uint8Array, writes: boolean): void {
    if (writes) this.sendsWrites = true;
    this.outgoing.append(bytes, 0, bytes.length);
    this.flushSoon();
  }

  /** From now on it counts only if the node says that it can't serve: nobody could know of what it carries out. */
  expectRefusal(reason: string): void {
    this.farewell = reason;
  }

  /** Whether the byte at `offset` of the commands of a run may have reached the node. */
  mayHaveLeft(run: Run, offset: number): boolean {
    // What stands in no block waits to be sent.
    return run.block !== null && run.start + offset < run.block.handed;
  }

  /** Ends the connection; runs without replies are told. */
  fail(reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isReady = false;
    this.outgoing.stop();
    closeQuietly(this.connection);
    const { unconfirmed } = this;
    const runs = this.runs.slice(this.first);
    this.runs = [];
    this.first = 0;
    this.unconfirmed = [];
    for (const run of unconfirmed) this.settle(run, reason);
    for (const run of runs) {
      this.count(run.answered - run.count, -run.writes);
      run.owner.lost(run, reason);
      this.outgoing.release(run.block!);
    }
    this.owner.upstreamLost(this, reason);
    this.onLost?.();
    // Who waited for room on it finds another one.
    this.host.hasRoom();
    this.host.flushClients();
  }

  /** Whether bytes may be given to the socket now. */
  maySend(): boolean {
    return !this.sendsWrites || this.host.mayWrite();
  }

  /** The socket takes no more. */
  writeFailed(): void {
    this.fail("the connection was lost");
  }

  /** Only what clients get is counted. */
  wrote(): void {}

  /** All has been sent. */
  drained(): void {
    this.sendsWrites = false;
    this.host.hasRoom();
  }

  /** All that is sent in this turn leaves with one write. */
  private flushSoon(): void {
    if (this.flushIsDue || !this.isReady) return;
    this.flushIsDue = true;
    queueMicrotask(this.flushNow);
  }

  /** There are changes among what is to be sent. */
  private noteWrites(): void {
    this.sendsWrites = true;
    if (this.shape.acks > 0) this.needsWait = true;
  }

  /** Asks how many replicas have all that was sent. */
  private sendWait(): void {
    this.needsWait = false;
    const { waitCommand } = this;
    this.send(new Run(this.waitOwner, 1), waitCommand, 0, waitCommand.length);
    this.needsWait = false;
  }

  private readonly waitOwner: RunOwner = {
    deliver: (run, bytes, start, end) => {
      run.answered++;
      const text = String.fromCharCode(...bytes.subarray(start + 1, Math.min(end, start + 12)));
      const count = bytes[start] === ReplyType.INTEGER ? Number.parseInt(text) : 0;
      const { acks, ackTimeoutMs } = this.shape;
      this.confirm(
        count >= acks
          ? null
          : `only ${count} of ${acks} replicas have confirmed it within ${ackTimeoutMs} ms`,
      );
    },
    deliverPart: () => {},
    refused: () => false,
    confirmed: () => {},
    lost: () => {},
  };

  /** Tells how many commands more, or fewer, wait for replies. */
  private count(count: number, writes: number): void {
    this.owner.outstanding(count, this.countsWrites ? writes : 0);
  }

  /** The replicas have confirmed what was answered, or (with a reason) haven't. */
  private confirm(failure: string | null): void {
    const { unconfirmed } = this;
    this.unconfirmed = [];
    const doubt = failure ?? (this.host.confirmTrouble || null);
    for (const run of unconfirmed) this.settle(run, doubt);
  }

  /** A run that waited for the replicas needn't any more. */
  private settle(run: Run, failure: string | null): void {
    run.owner.confirmed(run, failure);
    this.outgoing.release(run.block!);
  }

  /** Asks for the next bytes. */
  private read(): void {
    const { buffer, kept } = this;
    this.connection!.read(kept === 0 ? buffer : buffer.subarray(kept))
      .then(this.onRead, this.onReadFailed);
  }

  /** Bytes have come, or (null) the end. */
  private received(count: number | null): void {
    if (this.isClosed) return;
    this.host.tick();
    if (count === null) return this.fail("the node has closed the connection");
    const isFull = this.kept + count === this.buffer.length;
    if (this.farewell !== "" && !isRefusal(this.buffer, 0, this.kept + count)) {
      return this.fail(this.farewell);
    }
    try {
      if (this.raw !== null) this.raw(this.buffer.subarray(0, count));
      else this.handOut(this.kept + count);
    } catch (error) {
      return this.fail(`the node sends what is no reply: ${(error as Error).message}`);
    }
    this.host.flushClients();
    if (this.isClosed) return;
    if (isFull) this.makeRoom();
    this.read();
  }

  /** Whole buffers tell that there is more to come, and there must be room behind what is kept. */
  private makeRoom(): void {
    const { buffer, kept } = this;
    if (buffer.length >= LARGEST_READ_BYTES && kept < buffer.length / 2) return;
    const larger = new Uint8Array(buffer.length * 2);
    larger.set(buffer.subarray(0, kept));
    this.buffer = larger;
  }

  /** Hands out the replies that are whole, of the bytes up to `end`. */
  private handOut(end: number): void {
    const { buffer, skipper } = this;
    /** The first reply that wasn't handed out, */
    let from = 0;
    /** and the one that is looked at. */
    let reply = 0;
    /** How many were found since then. */
    let found = 0;
    let at = this.kept;
    while (at < end) {
      const run = this.runs[this.first];
      if (run === undefined) throw new Error("nobody has asked for it");
      const next = skipper.skip(buffer, at, end);
      if (next < 0) break;
      if (
        run.isVoid || (buffer[reply] === MINUS && !run.hasBegun && isRefusal(buffer, reply, next))
      ) {
        if (found > 0) this.deliver(run, from, reply, found);
        found = 0;
        this.refuse(run, reply, next);
        from = next;
      } else if (run.answered + ++found === run.count) {
        this.deliver(run, from, next, found);
        found = 0;
        from = next;
      }
      reply = at = next;
    }
    if (found > 0) this.deliver(this.runs[this.first], from, reply, found);
    this.keep(reply, end);
  }

  /** Keeps the start of a reply that isn't whole, or passes it on if it is long. */
  private keep(start: number, end: number): void {
    const { buffer } = this;
    this.kept = 0;
    if (start === end) return;
    const run = this.runs[this.first];
    const isConfirmed = (this.shape.acks === 0 || run.writes === 0) && !run.isVoid;
    if (isConfirmed && (run.hasBegun || end - start > WHOLE_REPLY_BYTES)) {
      run.owner.deliverPart(run, buffer, start, end);
      run.hasBegun = true;
      return;
    }
    if (start > 0) buffer.copyWithin(0, start, end);
    this.kept = end - start;
  }

  /** Hands out whole replies of the first run. */
  private deliver(run: Run, start: number, end: number, count: number): void {
    const isLast = run.answered + count === run.count;
    if (this.shape.acks > 0 && run.writes > 0) {
      run.hold(this.buffer, start, end);
      run.answered += count;
      if (isLast) {
        // If nobody confirms it, its commands are looked at once more.
        this.unconfirmed.push(run);
        run.block!.users++;
      }
    } else {
      run.owner.deliver(run, this.buffer, start, end, count);
      run.hasBegun = false;
    }
    this.count(-count, 0);
    if (isLast) this.finish(run, run.writes);
  }

  /** A node can't serve now: the owner may try elsewhere. */
  private refuse(run: Run, start: number, end: number): void {
    const { writes } = run;
    const error = new TextDecoder().decode(this.buffer.subarray(start + 1, end - 2));
    if (!run.owner.refused(run, error, isRefusal(this.buffer, start, end))) {
      return this.deliver(run, start, end, 1);
    }
    this.count(-1, run.writes - writes);
    if (run.answered === run.count) this.finish(run, run.writes);
  }

  /** The first run has all its replies. */
  private finish(run: Run, writes: number): void {
    if (writes > 0) this.count(0, -writes);
    this.outgoing.release(run.block!);
    this.runs[this.first++] = undefined as unknown as Run;
    if (this.first === this.runs.length) {
      this.runs.length = 0;
      this.first = 0;
    } else if (this.first >= 1024) {
      this.runs.splice(0, this.first);
      this.first = 0;
    }
  }
}

function isRefusal(bytes: Uint8Array, start: number, end: number): boolean {
  const head = bytes.subarray(start, Math.min(end, start + LONGEST_REFUSAL));
  return REFUSAL.test(String.fromCharCode(...head));
}

/** Closes a connection that may be closed already. */
export function closeQuietly(connection: Connection | null): void {
  try {
    connection?.close();
  } catch {
    // It is.
  }
}
