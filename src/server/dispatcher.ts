/**
 * The dispatcher: the turns of sessions, from the bytes in their buffers to the replies in their output.
 *
 * Sessions have their turns in rounds (see `rounds.ts`). Those that have sent one request each share a batch. Another one's
 * turn reads requests ahead into a batch, runs them, and reads on, until the buffer holds no whole request
 * any more, or the turn has taken its time, or so much output waits that the client has to read
 * first. Then the journal's listeners get what has changed, and the session its replies.
 *
 * A request that isn't whole stays where it is; a long one keeps what has been parsed of it, and if it ends in
 * a big argument that its command stores as it is, that argument goes straight into the arena.
 *
 * @module
 */
import type { CollectionLimits } from "../commands/context.ts";
import { PopsAhead } from "../keyspace/pops_ahead.ts";
import { allocateValue, EXTERNAL_BYTES, valueRoom } from "../keyspace/strings.ts";
import { ArenaFullError } from "../memory/arena.ts";
import {
  isPlainLine,
  LONGEST_STRING,
  parseRequest,
  REQUEST_COMPLETE,
  REQUEST_ERROR,
  RequestFrame,
} from "../protocol/request_parser.ts";
import { RandomTape } from "../runtime/random.ts";
import { Batch, BATCH_REQUESTS } from "./batch.ts";
import { CommandRunner } from "./command_runner.ts";
import type { Command } from "./command_table.ts";
import { CommandTimer } from "./command_timer.ts";
import { REPLICA_CLASS } from "./client_classes.ts";
import type { Server } from "./server.ts";
import type { ServerContext } from "./server_context.ts";
import { REPLY_ON, REPLY_SKIP, type Session } from "./session.ts";

/** A turn ends after this many ms, which it looks at after each batch. */
const TURN_MS = 1;
/** A longer request isn't quick. */
const QUICK_BYTES = 16 * 1024;
/** A request of which so many bytes or arguments are there isn't parsed again from its start. */
const PARTIAL_BYTES = 16 * 1024;
const PARTIAL_ARGUMENTS = 64;
/** Most bytes of arguments that may be on their way straight into the arena. */
const BLOCKS_LIMIT = 2 ** 31;
const STAR = 42;

/** Runs what sessions have sent; see the head of this file. */
export class Dispatcher {
  /** Runs them. */
  readonly runner: CommandRunner;
  private readonly context: ServerContext;
  private readonly batch: Batch;
  /** The one request that each of several sessions has sent, and whose they are. */
  private readonly singles: Batch;
  private readonly singleSessions: Session[] = [];
  /** What is being run and measured: one of the two. */
  private current: Batch;
  /** Measures the commands. */
  readonly timer: CommandTimer = new CommandTimer((command, index, milliseconds) =>
    this.reportSlow(command, index, milliseconds)
  );
  /** The first request of the batch whose time hasn't been charged. */
  private uncharged = 0;
  /** How many requests of the batch have been run. */
  private ran = 0;
  /** Longest argument in bytes. */
  maximumBulk = 0;
  /** Reads ahead what commands take that they don't name. */
  readonly pops: PopsAhead;
  /** Where in the buffer of the session that is the master its turn began. */
  private streamFrom = 0;
  /** Where MULTI stands that it has begun a transaction with in this turn; -1 for nowhere. */
  private unitFrom = -1;
  /** Bytes of the blocks that big arguments are being read into. */
  private blockBytes = 0;

  /** Makes the dispatcher of `server`, whose keyspace, journal, writer and table exist already. */
  constructor(private readonly server: Server) {
    const tape = new RandomTape(server.randomness.number);
    const pops = new PopsAhead(server.keyspace, tape);
    this.pops = pops;
    this.batch = new Batch(pops);
    this.singles = new Batch(pops);
    this.current = this.batch;
    this.runner = new CommandRunner(server, tape.next);
    this.context = this.runner.context;
  }

  /** Sets the longest argument and the longest string, in bytes. */
  setMaximumBulk(bytes: number): void {
    this.maximumBulk = bytes;
    this.context.maximumString = bytes;
  }

  /** Sets how large small collections may be. */
  setCollectionLimits(limits: CollectionLimits): void {
    Object.assign(this.context.limits, limits);
  }

  /** Sets the longest sparse HyperLogLog, in bytes. */
  setSparseLimit(bytes: number): void {
    this.context.sparseLimit = bytes;
  }

  /**
   * Reads the requests of those of `sessions` from `from` to `to` (exclusive; no more than {@linkcode BATCH_REQUESTS}) that have sent one
   * each. They share a batch, so that the waits for their keys overlap, and looks at the clock.
   */
  readSingles(sessions: readonly Session[], from: number, to: number): void {
    const { server: { keyspace }, singles, singleSessions } = this;
    singles.clear();
    let database = -1;
    for (let index = from; index < to; index++) {
      const session = sessions[index];
      session.single = -1;
      if (session.closed) continue;
      if (database < 0) database = session.database;
      if (session.database === database && this.readSingle(session)) {
        session.single = singles.count - 1;
        singleSessions[session.single] = session;
      }
    }
    if (singles.count > 0) singles.prefetch(keyspace, keyspace.databases[database].dict);
  }

  /** Gives a session its turn: runs the requests in its buffer, as far as that goes, and hands it the replies. */
  takeTurn(session: Session): void {
    if (session.single >= 0) return this.runSingle(session);
    this.endTurns();
    if (!session.closed) this.runRequests(session);
  }

  /** To be called after several turns: those of single requests have shared a look at the clock, which is taken now. */
  endTurns(): void {
    if (this.current !== this.singles) return;
    this.charge(this.ran);
    this.current = this.batch;
  }

  /** Replies are about to be sent: what they tell is written before that, and sent to replicas. */
  beforeSending(): void {
    this.server.persistence.aof.writer.flush();
    const { replication } = this.server;
    replication.afterWriting();
    // Who has a reply may look at a replica.
    replication.replicas.feed();
  }

  /** They have been. */
  afterSending(): void {
    this.server.persistence.aof.writer.afterSending();
  }

  /** How large small collections may be. */
  get limits(): CollectionLimits {
    return this.context.limits;
  }

  /** Reads the request of a session into the batch of single requests, if one whole request is all that it has sent. */
  private readSingle(session: Session): boolean {
    if (session.pipelines || session.partial !== null || session.blocked !== null) return false;
    if (session.isMaster) return false;
    const { bytes, view } = session.buffer;
    const { position, end } = session;
    // What turns out not to be the only request is read once more, in a turn of its own.
    if (position === end) return false;
    if (bytes[position] !== STAR && !isPlainLine(bytes, position, end)) return false;
    const { keyspace: { seed0, seed1 }, table } = this.server;
    const frame = this.singles.frames[this.singles.count];
    frame.reset(position);
    const status = parseRequest(frame, bytes, end, this.maximumBulk, session.authenticated);
    if (status !== REQUEST_COMPLETE || frame.argc === 0 || frame.position !== end) {
      session.pipelines = true;
      return false;
    }
    const command = table.find(bytes, frame.starts[0], frame.lengths[0]);
    this.singles.add(command, view, seed0, seed1);
    return true;
  }

  /** Runs the single request of a session. */
  private runSingle(session: Session): void {
    const { singles } = this;
    const index = session.single;
    session.single = -1;
    // One whose turn came before may have closed it.
    if (session.closed) {
      singles.commands[index] = null;
      this.ran = index + 1;
      return;
    }
    if (this.current !== singles) {
      this.startTurns();
      this.current = singles;
      this.uncharged = index;
    }
    session.lastInteraction = this.server.keyspace.now;
    session.unfinished = false;
    this.enter(session);
    this.runBatch(session, index, index + 1);
    this.leave(session);
  }

  /** What runs now begins at the last look at the clock. */
  private startTurns(): void {
    const { keyspace, time } = this.server;
    this.timer.begin(time.last);
    keyspace.setTime(time.unixMs);
  }

  /** A session's turn begins. */
  private enter(session: Session): void {
    this.server.clients.running = session;
    this.server.clients.acting = session;
    this.context.enter(session);
    this.server.reply.resp = session.resp;
    if (!session.isMaster) return;
    this.streamFrom = session.runEnd;
    this.unitFrom = -1;
    this.server.replication.beginTurn();
  }

  /** A session's turn ends: what it has changed goes to those who want to know, and its replies to it. */
  private leave(session: Session): void {
    const { clients, journal, monitors, reply, replication } = this.server;
    journal.endTurn();
    if (session.isMaster) {
      const { bytes } = session.buffer;
      const before = this.unitFrom < 0 ? 0 : this.unitFrom - this.streamFrom;
      replication.endTurn(session, bytes.subarray(this.streamFrom, session.runEnd), before);
      // The master wants to hear nothing but what it asks for.
      reply.truncate(0);
    } else if (session.clientClass === REPLICA_CLASS && reply.length > 0) {
      replication.replicas.refuseReply(session, reply);
    }
    if (clients.tracking.count > 0) clients.tracking.afterTurn();
    // What a client that was served in this turn has changed may be news to the one whose turn it was.
    clients.subscriptions.writeBehindReply();
    clients.running = null;
    clients.acting = null;
    monitors.endTurn(session);
    session.flush(reply);
  }

  /** Runs the requests in a session's buffer, as far as its turn goes, and hands it the replies. */
  private runRequests(session: Session): void {
    const { time } = this.server;
    const turnStart = time.last;
    this.startTurns();
    session.lastInteraction = this.server.keyspace.now;
    session.unfinished = false;
    if (session.blocked !== null) return session.flush(this.server.reply);
    this.enter(session);
    let requests = 0;
    for (;;) {
      const status = session.partial === null
        ? this.readAhead(session)
        : this.readOn(session, session.partial);
      const { count } = this.batch;
      if (count > 0) {
        requests += count;
        this.batch.prefetch(this.server.keyspace, this.context.database.dict);
        this.uncharged = 0;
        const goOn = this.runBatch(session, 0, count);
        this.charge(this.ran);
        if (!goOn) break;
        if (time.last - turnStart <= TURN_MS || session.position >= session.end) continue;
        session.unfinished = true;
        break;
      }
      if (status === REQUEST_ERROR) this.refuse(session, this.batch.frames[0].error);
      else if (this.keepPartial(session)) continue;
      break;
    }
    session.pipelines = requests > 1;
    this.leave(session);
  }

  /**
   * Reads requests into the batch; what the parser said of the first one that isn't whole, or
   * REQUEST_COMPLETE if there may be more.
   */
  private readAhead(session: Session): number {
    const batch = this.batch;
    const { bytes, view } = session.buffer;
    const { seed0, seed1 } = this.server.keyspace;
    batch.clear();
    let position = session.position;
    while (batch.count < BATCH_REQUESTS) {
      // A line with quotes changes as it is read, so it is read only when it is run right after.
      if (
        batch.count > 0 && position < session.end && bytes[position] !== STAR &&
        !isPlainLine(bytes, position, session.end)
      ) break;
      const frame = batch.frames[batch.count];
      frame.reset(position);
      const status = parseRequest(
        frame,
        bytes,
        session.end,
        this.maximumBulkOf(session),
        session.authenticated,
      );
      if (status !== REQUEST_COMPLETE) return status;
      position = frame.position;
      const command = frame.argc === 0
        ? null
        : batch.repeatsCommand(view)
        ? batch.commands[batch.count - 1]
        : this.server.table.find(bytes, frame.starts[0], frame.lengths[0]);
      batch.add(command, view, seed0, seed1);
    }
    return REQUEST_COMPLETE;
  }

  /** Longest argument, in bytes: what a master has taken, its replicas take. */
  private maximumBulkOf(session: Session): number {
    return session.isMaster ? LONGEST_STRING : this.maximumBulk;
  }

  /** Reads on in a long request. */
  private readOn(session: Session, partial: RequestFrame): number {
    const batch = this.batch;
    const { bytes, view } = session.buffer;
    batch.clear();
    batch.frames[0] = partial;
    // One that was postponed is whole already.
    const status = partial.remaining === 0 ? REQUEST_COMPLETE : parseRequest(
      partial,
      bytes,
      session.end,
      this.maximumBulkOf(session),
      session.authenticated,
    );
    if (status === REQUEST_COMPLETE) {
      const command = this.server.table.find(bytes, partial.starts[0], partial.lengths[0]);
      batch.add(command, view, this.server.keyspace.seed0, this.server.keyspace.seed1);
    }
    return status;
  }

  /**
   * Runs the requests `from` to `to` (exclusive) of the current batch, which are the session's; whether its turn goes on. How far it came is
   * in {@linkcode ran}.
   */
  private runBatch(session: Session, from: number, to: number): boolean {
    const { current: batch, runner, timer } = this;
    const { pauseBytes } = this.server.limits;
    const { ready } = this.server.clients.blockedKeys;
    const { replication } = this.server;
    let ordinary = runner.isOrdinary(session);
    batch.begin(this.context);
    let index = from;
    let goOn = true;
    while (goOn && index < to) {
      const frame = batch.frames[index];
      if (frame.argc > 0) {
        const command = batch.commands[index];
        const alone = timer.each || command === null || !command.quick ||
          session.partial !== null || frame.position - session.position > QUICK_BYTES;
        session.position = frame.position;
        if (alone) this.charge(index);
        batch.load(this.context, index);
        let ran: Command | null;
        const plain = ordinary && command !== null && command.plain &&
          !(replication.refusesWrites && command.writes && !session.isMaster);
        if (plain) {
          ran = runner.runPlain(session, frame, command);
        } else {
          const collected = session.transaction !== null;
          ran = runner.run(session, frame, command);
          if (!collected && session.transaction !== null) this.unitFrom = frame.start;
          ordinary = runner.isOrdinary(session);
        }
        if (ran !== command) batch.commands[index] = ran;
        if (ready.length > 0) runner.serveWaiting();
        if (alone) {
          this.charge(index + 1, runner.looked);
          // It may have taken long, and what comes behind it is later.
          this.server.keyspace.setTime(this.server.time.unixMs);
        }
      } else {
        session.position = frame.position;
        if (session.replyMode === REPLY_SKIP) session.replyMode = REPLY_ON;
      }
      const blocked = session.blocked;
      if (blocked !== null && blocked.postponed) {
        this.keepPostponed(session, index++);
        goOn = false;
        break;
      }
      if (session.partial !== null) {
        session.partial = null;
        this.dropBlock(session);
      }
      index++;
      if (session.closing || blocked !== null) goOn = false;
      else if (this.server.reply.length + session.pendingBytes >= pauseBytes) {
        session.unfinished = true;
        goOn = false;
      }
    }
    this.ran = index;
    return goOn;
  }

  /**
   * Charges the commands before request `to` of the batch with the time since the last look; `looked`: somebody has
   * just looked at the clock again.
   */
  private charge(to: number, looked: boolean = false): void {
    const from = this.uncharged;
    if (from === to) return;
    this.uncharged = to;
    const { counters, time } = this.server;
    const now = looked ? time.last : time.look();
    counters.commands += this.timer.end(now, this.current.commands, from, to);
  }

  /** A command of the batch took longer than somebody wants to hear of. */
  private reportSlow(command: Command, index: number, milliseconds: number): void {
    const frame = this.current.frames[index];
    if (this.current === this.singles) this.reportSlowSingle(command, index, frame, milliseconds);
    else {
      // The context still has what ran last; a command that shared its time ran before that.
      if (this.context.starts !== frame.starts) this.context.load(this.context.client, frame);
      this.runner.reportSlow(command, milliseconds);
    }
  }

  /** As {@linkcode reportSlow}, for one of several sessions, of which another one's turn may have begun meanwhile. */
  private reportSlowSingle(
    command: Command,
    index: number,
    frame: RequestFrame,
    milliseconds: number,
  ): void {
    const session = this.singleSessions[index];
    // The arguments of one that is closed have gone.
    if (session.closed) return this.runner.noteLatency(command, milliseconds);
    this.context.lend(() => {
      this.context.enter(session);
      this.context.load(session, frame);
      this.runner.reportSlow(command, milliseconds);
    });
  }

  /**
   * Keeps what has been parsed of a long request, which is in the first frame of the batch. Whether
   * all of it has come after all (a big argument was in the buffer already).
   */
  private keepPartial(session: Session): boolean {
    const frame = this.batch.frames[0];
    if (session.partial === null) {
      const long = frame.bulkLength >= PARTIAL_BYTES || frame.argc >= PARTIAL_ARGUMENTS ||
        session.end - session.position >= PARTIAL_BYTES;
      if (!long || (frame.argc === 0 && frame.bulkLength < 0)) return false;
      session.partial = frame;
    }
    this.batch.frames[0] = new RequestFrame();
    session.position = frame.position;
    // A read that is under way goes to the end of the buffer, which must not move now.
    const external = frame.argc > 0 && frame.bulkLength >= EXTERNAL_BYTES;
    if (!external || session.block !== 0 || session.readPending || session.isMaster) return false;
    const command = this.server.table.find(session.buffer.bytes, frame.starts[0], frame.lengths[0]);
    if (command === null || command.blockArgument !== frame.argc) return false;
    if (this.blockBytes + frame.bulkLength > BLOCKS_LIMIT) return false;
    try {
      const block = allocateValue(this.server.keyspace, frame.bulkLength);
      const room = valueRoom(this.server.keyspace, block, 0, frame.bulkLength);
      this.blockBytes += this.server.keyspace.arena.unitsOf(block) * 8;
      // Bytes come from the socket straight into it: it must neither move nor go.
      this.server.keyspace.pin(block);
      session.startBlock(block, frame.argc, room);
    } catch (error) {
      if (error instanceof ArenaFullError) return false;
      throw error;
    }
    // What is left in the buffer for the parser is an argument of no bytes and its line end.
    frame.bulkLength = 0;
    return session.blockRoom === null;
  }

  /** Keeps the request `index` of the batch, which hasn't been run, for a later turn. */
  private keepPostponed(session: Session, index: number): void {
    session.partial = this.current.frames[index];
    this.current.frames[index] = new RequestFrame();
  }

  /** Frees the block that a session's big argument went to, unless a command has taken it. */
  dropBlock(session: Session): void {
    if (session.block === 0) return;
    this.blockBytes -= this.server.keyspace.arena.unitsOf(session.block) * 8;
    if (!this.context.blockTaken || this.context.block !== session.block) {
      this.server.keyspace.freeValueBlock(session.block);
    }
    this.server.keyspace.unpin(session.block);
    this.context.blockArgument = -1;
    this.context.blockTaken = false;
    this.context.forgetBlock();
    session.block = 0;
    session.blockBytes = 0;
    session.blockArgument = -1;
    session.blockRoom = null;
  }

  /** Replies to bytes that aren't RESP, and closes once that is sent. */
  private refuse(session: Session, error: string): void {
    this.server.clients.logProtocolError(session, error, this.batch.frames[0].position);
    // A client that wants no replies hears nothing of this one either.
    if (session.replyMode === REPLY_ON) this.server.reply.error(`ERR Protocol error: ${error}`);
    session.closing = true;
  }
}
