/**
 * A client of the router: what it sends is parted into commands, each goes where it belongs, and the replies come back in order.
 *
 * **Groups.** What has come with one read is looked at together. If all of it reads, one node answers all of it; if a command in it writes, the
 * whole group goes to the master, so that no read overtakes a write, nor the other way round. The bytes of a group are copied once, as they are.
 *
 * **Waiting.** A command that can't go on yet (nobody takes writes, replies of another connection must come first) stays in the read buffer, and so
 * does all behind it. While much waits, nothing more is read, so the client's own system holds it back.
 *
 * @module
 */
import {
  parseRequest,
  REQUEST_COMPLETE,
  REQUEST_INCOMPLETE,
  RequestFrame,
} from "../../protocol/request_parser.ts";
import { encodeRequest } from "../../protocol/request_writer.ts";
import type { Connection } from "../../runtime/sockets.ts";
import type { Batch } from "./freshness.ts";
import { Outgoing } from "./outgoing.ts";
import { MASTER_READ, type Route, WRITE } from "./routes.ts";
import { Run, type RunOwner } from "./run.ts";
import { RunLine } from "./run_line.ts";
import { type Group, type OwnLane, REPLY_ON, type SessionHost } from "./session_host.ts";
import { closeQuietly } from "./upstream.ts";

const FIRST_BUFFER_BYTES = 2 << 10;
const USUAL_BUFFER_BYTES = 64 << 10;
const LARGEST_KEPT_BYTES = 256 << 10;
/** With so much waiting in the read buffer, nothing more is read until some of it can go on. */
const WAITING_BYTES = 64 << 10;
/** With so many bytes of replies waiting, a client's further commands wait. */
const OUTPUT_PAUSE_BYTES = 1 << 20;
/** Likewise with so many bytes that wait for replies before them, */
const HELD_PAUSE_BYTES = 1 << 20;
/** or so many runs. */
const MOST_RUNS = 4096;
/** So many bytes of commands go out as one group. */
const GROUP_BYTES = 64 << 10;
const STAR = 0x2a;
const encoder = new TextEncoder();

/** What stands behind a group: a command that isn't whole, no command at all, a line that a person has typed, one that is done by itself, or more of the same. */
const STOP_INCOMPLETE = 0;
const STOP_ERROR = 1;
const STOP_LINE = 2;
const STOP_SINGLE = 3;
const STOP_LIMIT = 4;

/** See the head of this file. */
export class RouterSession implements RunOwner {
  /** What CLIENT SETNAME has set. */
  name = "";
  /** The selected database. */
  database = 0;
  /** Version of the protocol of its replies. */
  resp: 2 | 3 = 2;
  /** Whether it has given the password, if there is one. */
  isAuthenticated: boolean;
  /** What becomes of replies (one of the `REPLY_` constants). */
  replyMode: number = REPLY_ON;
  /** What CLIENT NO-EVICT has set. */
  noEvict = false;
  /** The batch of its last write; null for none. */
  batch: Batch | null = null;
  /** It has a connection of its own. */
  own: OwnLane | null = null;
  /** The connection is closed. */
  isClosed = false;
  /** Once all replies are sent, it is closed. */
  isClosing = false;
  /** What it asks next is answered when somebody else has answered. */
  isAsking = false;
  /** Runs that wait to be sent once more. */
  retrying = 0;
  /** Since when, by the monotonic clock in ms, its next command can't go on; -1 if it can. */
  heldSinceMs: number = -1;
  /** When it came, by the monotonic clock in ms. */
  readonly createdMs: number;
  /** When it last sent something, likewise. */
  lastInteractionMs: number;
  /** The name of the command that it sent last. */
  lastCommand = "NULL";
  /** It is among those whose output is sent at the end of the turn. */
  isTouched = false;
  /** It waits for its runs to be done, or for output to be sent. */
  isWaiting = false;
  /** Its runs. */
  readonly line: RunLine = new RunLine();
  /** About so many bytes of replies have come before their turn. */
  private heldBytes = 0;
  private readonly outgoing: Outgoing;
  private buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  private position = 0;
  private end = 0;
  private readonly frame = new RequestFrame();
  /** The frame holds a part of a command. */
  private isPartial = false;
  /** The route of the command that was looked at last. */
  private route: Route | undefined;
  private isReading = false;
  /** The client sends nothing more. */
  private isAtEnd = false;
  /** Where the read that is under way puts its bytes. */
  private readBuffer = this.buffer;
  private readAt = 0;
  private isProcessing = false;
  private readonly group: Group;
  private readonly onRead: (count: number | null) => void;
  private readonly onReadFailed: () => void;

  /** A client that has just come. */
  constructor(
    private readonly host: SessionHost,
    readonly connection: Connection,
    readonly id: number,
    isAuthenticated: boolean,
  ) {
    this.isAuthenticated = isAuthenticated;
    this.createdMs = this.lastInteractionMs = host.nowMs;
    this.outgoing = new Outgoing(host.blocks, this, connection, false);
    this.group = { bytes: this.buffer, start: 0, end: 0, count: 0, writes: 0, toMaster: false };
    this.onRead = (count) => this.received(count);
    this.onReadFailed = () => this.gone();
    this.read();
  }

  /** How many runs have no reply. */
  get pendingRuns(): number {
    return this.line.length;
  }

  /** Bytes of replies that wait. */
  get pendingBytes(): number {
    return this.outgoing.pendingBytes;
  }

  /** Bytes of commands that wait. */
  get waitingBytes(): number {
    return this.end - this.position;
  }

  /** Puts runs in the place of `run`, or before it. */
  replace(run: Run, others: readonly Run[], keepsRun: boolean): void {
    this.line.replace(run, others, keepsRun);
    this.advance();
  }

  /** A reply of the router's own, in its turn. */
  reply(text: string | Uint8Array): void {
    if (this.replyMode !== REPLY_ON) return;
    const bytes = typeof text === "string" ? encoder.encode(text) : text;
    if (this.pendingRuns === 0) {
      this.outgoing.append(bytes, 0, bytes.length);
      this.touch();
      return;
    }
    const run = new Run(this, 1);
    run.hold(bytes, 0, bytes.length);
    run.answered = 1;
    run.isDone = true;
    this.line.push(run);
  }

  /** Bytes of a connection of its own, as they are. */
  passOn(bytes: Uint8Array): void {
    this.outgoing.append(bytes, 0, bytes.length);
    this.touch();
  }

  /** Replies of a run: sent, or kept until it is their turn. */
  deliver(run: Run, bytes: Uint8Array, start: number, end: number, count: number): void {
    run.answered += count;
    if (this.isClosed) {
      if (run.answered === run.count) this.host.finished(this, run);
      return;
    }
    if (!run.isSilent) {
      if (run === this.line.first && run.held === null) {
        this.outgoing.append(bytes, start, end);
      } else this.hold(run, bytes, start, end);
    }
    if (run.answered === run.count) this.finish(run);
    this.touch();
  }

  /** A part of a long reply. */
  deliverPart(run: Run, bytes: Uint8Array, start: number, end: number): void {
    if (this.isClosed || run.isSilent) return;
    if (run === this.line.first && run.held === null) this.outgoing.append(bytes, start, end);
    else this.hold(run, bytes, start, end);
    this.touch();
  }

  /** Keeps replies until it is their turn. */
  private hold(run: Run, bytes: Uint8Array, start: number, end: number): void {
    run.hold(bytes, start, end);
    this.heldBytes += end - start;
  }

  /** A node refuses a command of a run: it is sent elsewhere. */
  refused(run: Run, error: string, isRefusal: boolean): boolean {
    return !this.isClosed && this.host.refused(this, run, error, isRefusal);
  }

  /** The replicas have confirmed a run, or haven't. */
  confirmed(run: Run, failure: string | null): void {
    if (failure !== null && !this.isClosed) this.host.unconfirmed(this, run, failure);
    this.finish(run);
    this.touch();
  }

  /** A run has lost its connection: what can be is sent elsewhere, the rest is answered with an error. */
  lost(run: Run, reason: string): void {
    if (run.hasBegun && !this.isClosed) this.close();
    if (this.isClosed) this.host.finished(this, run);
    else this.host.lost(this, run, reason);
    this.touch();
  }

  /** All replies of a run are there: those that wait behind it may be sent. */
  finish(run: Run): void {
    run.isDone = true;
    this.host.finished(this, run);
    if (run === this.line.first) this.advance();
  }

  /** Sends the replies that wait and whose turn it is. */
  advance(): void {
    const { line } = this;
    for (let run = line.first; run !== undefined; run = line.first) {
      if (
        run.held !== null && !(run.isDone === false && run.writes > 0 && run.upstream?.shape.acks)
      ) {
        this.appendHeld(run);
      }
      if (!run.isDone) break;
      line.shift();
    }
    if (line.length === 0) this.heldBytes = 0;
    line.trim();
    this.touch();
  }

  /** Sends the replies that a run has kept. */
  private appendHeld(run: Run): void {
    const { held } = run;
    run.held = null;
    if (held === null || run.isSilent) return;
    const bytes = held.take();
    this.heldBytes = Math.max(0, this.heldBytes - bytes.length);
    this.outgoing.append(bytes, 0, bytes.length);
  }

  /** Has its output sent, and what waits looked at, at the end of the turn. */
  touch(): void {
    if (this.isTouched || this.isClosed) return;
    this.isTouched = true;
    this.host.flushLater(this);
  }

  /** The end of a turn. */
  endTurn(): void {
    this.isTouched = false;
    if (this.isClosed) return;
    const { outgoing, host } = this;
    if (outgoing.pendingBytes > 0) {
      if (outgoing.pendingBytes > host.outputBufferLimit) return this.close();
      outgoing.flush();
    }
    if (this.isWaiting) this.process();
    else if (this.isClosing) this.closeWhenDone();
    else if (this.isAtEnd) this.endWhenDone();
  }

  /** Goes on with what waits in the read buffer. */
  process(): void {
    if (this.isProcessing || this.isClosed) return;
    this.isProcessing = true;
    this.isWaiting = false;
    try {
      while (!this.isClosing && this.mayGoOn() && this.step());
    } finally {
      this.isProcessing = false;
    }
    if (this.isClosed) return;
    if (this.isClosing) return this.closeWhenDone();
    this.compact();
    if (this.isAtEnd) return this.endWhenDone();
    if (this.isWaiting && this.end - this.position >= WAITING_BYTES) return;
    this.read();
  }

  /** The connection ends, and all of its doings. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.outgoing.stop();
    closeQuietly(this.connection);
    this.own?.leave();
    this.line.exclusiveRun?.upstream?.fail("the client is gone");
    this.host.left(this);
  }

  /** The client has gone away: so do the connections that it had. */
  private gone(): void {
    if (this.isClosed) return;
    this.close();
    this.host.flushClients();
  }

  /** Nothing is asked before that. */
  maySend(): boolean {
    return true;
  }

  /** The client is gone. */
  writeFailed(): void {
    this.gone();
  }

  /** The client has taken bytes. */
  wrote(count: number): void {
    this.host.statistics.bytesOut += count;
  }

  /** All output has been sent. */
  drained(): void {
    const { host } = this;
    host.tick();
    if (this.isClosing) this.closeWhenDone();
    else if (this.isWaiting) this.process();
    host.flushClients();
  }

  /** A command is refused: an error, and the end of the connection. */
  fail(error: string): void {
    this.reply(`-ERR ${error}\r\n`);
    this.isClosing = true;
  }

  /** Closes the connection as soon as all replies are sent. */
  private closeWhenDone(): void {
    if (this.pendingRuns > 0) return;
    if (this.outgoing.pendingBytes > 0) this.outgoing.flush();
    else this.close();
  }

  /**
   * The client has sent all that it will (`printf ... | nc`): that is still answered. But what waits for something to happen is
   * given up, since somebody who is there should get it, and so is a transaction without EXEC.
   */
  private endWhenDone(): void {
    const { own, line } = this;
    if (line.first?.isExclusive === true) return this.gone();
    if (this.isWaiting && this.waitingBytes > 0) return;
    if (own?.isEnding === false) return this.gone();
    if (this.isWaiting || own !== null) return;
    this.isClosing = true;
    this.closeWhenDone();
  }

  /** Whether its next command may be looked at. */
  private mayGoOn(): boolean {
    // Behind a command that may wait, everything does.
    const waits = this.line.first?.isExclusive === true;
    if (
      !waits && this.retrying === 0 && !this.isAsking &&
      this.outgoing.pendingBytes < OUTPUT_PAUSE_BYTES && this.heldBytes < HELD_PAUSE_BYTES &&
      this.line.length < MOST_RUNS
    ) {
      return true;
    }
    this.isWaiting = true;
    return false;
  }

  /** Sends the next group, or does the next single command; whether there may be more to do. */
  private step(): boolean {
    const stop = this.gather();
    const { frame, group } = this;
    if (group.count > 0) {
      group.bytes = this.buffer;
      if (!this.host.dispatch(this, group)) return this.wait(group.start);
      this.position = group.end;
      this.isPartial = stop === STOP_INCOMPLETE && group.end < this.end;
      return stop !== STOP_INCOMPLETE;
    }
    this.position = group.start;
    switch (stop) {
      case STOP_INCOMPLETE:
        this.isPartial = group.start < this.end;
        return false;
      case STOP_ERROR:
        this.fail(`Protocol error: ${frame.error}`);
        return false;
      case STOP_LINE:
        this.rewriteLine();
        return true;
    }
    const { position } = frame;
    if (!this.host.single(this, this.route!, this.buffer, frame)) return this.wait(group.start);
    this.position = position;
    return true;
  }

  /** Finds the commands that go together, and says what stands behind them. */
  private gather(): number {
    const { frame, group, host } = this;
    let at = group.start = group.end = this.position;
    group.count = group.writes = 0;
    group.toMaster = false;
    const isPlain = this.own === null && this.isAuthenticated && this.replyMode === REPLY_ON;
    while (at - group.start < GROUP_BYTES) {
      // A line's quotes are taken off where it stands, so it is looked at once only.
      if (group.count > 0 && at < this.end && this.buffer[at] !== STAR) return STOP_LIMIT;
      if (this.isPartial) this.isPartial = false;
      else frame.reset(at);
      const state = parseRequest(
        frame,
        this.buffer,
        this.end,
        host.queryBufferLimit,
        this.isAuthenticated,
      );
      if (state === REQUEST_INCOMPLETE) return STOP_INCOMPLETE;
      if (state !== REQUEST_COMPLETE) return STOP_ERROR;
      if (frame.argc > 0) {
        if (frame.inline) return STOP_LINE;
        const route = host.routes.find(this.buffer, frame.starts[0], frame.lengths[0]);
        this.route = route;
        if (!isPlain || route.kind > WRITE || (route.blocksByWord && blocks(this.buffer, frame))) {
          return STOP_SINGLE;
        }
        group.count++;
        if (route.kind === WRITE) group.writes++;
        if (route.kind >= MASTER_READ) group.toMaster = true;
      } else if (group.count > 0) return STOP_LIMIT;
      else group.start = frame.position;
      at = group.end = frame.position;
    }
    return STOP_LIMIT;
  }

  /** The command at `position` has to wait. */
  private wait(position: number): boolean {
    this.position = position;
    this.isPartial = false;
    this.isWaiting = true;
    return false;
  }

  /** Puts the same command, as programs send it, in the place of a line that a person has typed. */
  private rewriteLine(): void {
    const { frame } = this;
    const words: Uint8Array[] = [];
    for (let index = 0; index < frame.argc; index++) {
      words.push(
        this.buffer.slice(frame.starts[index], frame.starts[index] + frame.lengths[index]),
      );
    }
    const request = encodeRequest(words);
    const rest = this.buffer.subarray(frame.position, this.end);
    const size = Math.max(FIRST_BUFFER_BYTES, request.length + rest.length);
    const buffer = new Uint8Array(size);
    buffer.set(request);
    buffer.set(rest, request.length);
    this.buffer = buffer;
    this.position = 0;
    this.end = request.length + rest.length;
  }

  /** Asks for the next bytes. */
  private read(): void {
    if (this.isReading || this.isClosed || this.isClosing) return;
    if (this.end === this.buffer.length && !this.makeRoom()) return;
    this.isReading = true;
    this.readBuffer = this.buffer;
    this.readAt = this.end;
    const target = this.end === 0 ? this.buffer : this.buffer.subarray(this.end);
    this.connection.read(target).then(this.onRead, this.onReadFailed);
  }

  /** Bytes have come, or (null) the end. */
  private received(count: number | null): void {
    this.isReading = false;
    if (this.isClosed) return;
    const { host } = this;
    host.tick();
    if (count === null) {
      this.isAtEnd = true;
      this.process();
      return host.flushClients();
    }
    this.lastInteractionMs = host.nowMs;
    host.statistics.bytesIn += count;
    // What stood in the buffer has waited together; what comes now waits for itself.
    if (this.position === this.end) this.heldSinceMs = -1;
    if (this.buffer !== this.readBuffer || this.end !== this.readAt) this.takeOver(count);
    this.end += count;
    if (this.end === this.buffer.length && this.end < USUAL_BUFFER_BYTES) {
      this.growTo(this.buffer.length * 4);
    }
    this.process();
    host.flushClients();
  }

  /** Another buffer has taken the place of the one that was read into. */
  private takeOver(count: number): void {
    while (this.end + count > this.buffer.length) this.growTo(this.buffer.length * 2);
    this.buffer.set(this.readBuffer.subarray(this.readAt, this.readAt + count), this.end);
  }

  /** Room behind what is there; false if the client has sent too much. */
  private makeRoom(): boolean {
    if (this.end - this.position >= this.host.queryBufferLimit) {
      this.close();
      return false;
    }
    this.growTo(this.buffer.length * 2);
    return true;
  }

  /** Makes the read buffer larger. */
  private growTo(size: number): void {
    const buffer = new Uint8Array(size);
    buffer.set(this.buffer.subarray(0, this.end));
    this.buffer = buffer;
  }

  /** Moves what waits to the start of the buffer. */
  private compact(): void {
    if (this.isReading || this.position === 0) return;
    const { position, end } = this;
    if (position < end) {
      this.buffer.copyWithin(0, position, end);
      if (this.isPartial) this.frame.shift(position);
    }
    this.end = end - position;
    this.position = 0;
    // A long command came once; the next one may be short.
    if (this.end === 0 && this.buffer.length > LARGEST_KEPT_BYTES) {
      this.buffer = new Uint8Array(FIRST_BUFFER_BYTES);
    }
  }
}

/** Whether a command that waits only if it is told to is told so. */
function blocks(bytes: Uint8Array, frame: RequestFrame): boolean {
  for (let index = 1; index < frame.argc; index++) {
    if (isWord(bytes, frame, index, "block")) return true;
    // What follows are keys.
    if (isWord(bytes, frame, index, "streams")) return false;
  }
  return false;
}

/** Whether an argument is a word, in letters of any case. */
export function isWord(
  bytes: Uint8Array,
  frame: RequestFrame,
  index: number,
  word: string,
): boolean {
  if (frame.lengths[index] !== word.length) return false;
  const start = frame.starts[index];
  for (let at = 0; at < word.length; at++) {
    if ((bytes[start + at] | 0x20) !== word.charCodeAt(at)) return false;
  }
  return true;
}
