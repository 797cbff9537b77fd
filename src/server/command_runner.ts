/**
 * The command runner: what happens to one command whose arguments are in the context.
 *
 * It is found, refused if its client may not send it now, or run; what it changed goes to the journal, and it is shown to
 * those who want to see it. Clients that waited for what it has changed go on after it.
 *
 * @module
 */
import { ArenaFullError } from "../memory/arena.ts";
import type { RequestFrame } from "../protocol/request_parser.ts";
import { LOADING } from "./access.ts";
import type { KeyWaiter } from "./blocked_keys.ts";
import type { Command } from "./command_table.ts";
import { CommandTimer } from "./command_timer.ts";
import type { Persistence } from "./persistence.ts";
import { PAUSE_NONE } from "./pause.ts";
import { REPLICA_CLASS } from "./client_classes.ts";
import { shownArguments } from "./redaction.ts";
import type { Server } from "./server.ts";
import { ServerContext } from "./server_context.ts";
import { REPLY_OFF, REPLY_ON, REPLY_SKIP, REPLY_SKIP_NEXT, type Session } from "./session.ts";
import type { Transaction } from "./transactions.ts";

/** Most bytes of a command's name, and of all its arguments, that an error quotes. */
const QUOTED_BYTES = 128;
const STAR = 42;
const DOLLAR = 36;
const CR = 13;
const LF = 10;
const NO_ROOM = "OOM command not allowed when used memory > 'maxmemory'.";

/** Runs commands; see the head of this file. */
export class CommandRunner {
  /** What commands work with. */
  readonly context: ServerContext;
  /** Measures the commands of transactions. */
  readonly timer: CommandTimer = new CommandTimer((command, index, milliseconds) => {
    this.transaction!.show(this.context, index, () => this.reportSlow(command, milliseconds));
  });
  /** The command that ran last has ended with a look at the clock. */
  looked = false;
  /** How many errors had been written after the command that ran last. */
  private countedErrors = 0;
  /** The first of their commands whose time hasn't been charged. */
  private charged = 0;
  /** The one that is running. */
  private transaction: Transaction | null = null;

  /** Runs the commands of `server`, whose keyspace, journal, writer and table exist already, with random numbers of `random`. */
  constructor(private readonly server: Server, random: () => number) {
    this.context = new ServerContext(
      server,
      random,
      (transaction) => this.runTransaction(transaction),
    );
  }

  /** Runs one command; which one it was, or null if it was refused. */
  run(session: Session, frame: RequestFrame, found: Command | null): Command | null {
    this.context.load(session, frame);
    this.looked = false;
    if (session.block !== 0) this.context.keepBlock(this.server.monitors.active);
    const mode = session.replyMode;
    const { clients: { subscriptions, tracking }, monitors } = this.server;
    const mark = this.server.reply.length;
    subscriptions.replyMark = mark;
    const command = this.resolve(found);
    if (command === null) session.lastCommand = "NULL";
    const ran = command !== null && this.runCommand(session, command);
    subscriptions.replyMark = -1;
    if (mode !== REPLY_ON || session.replyMode !== REPLY_ON) {
      // One that waits has its reply still to come.
      if (session.blocked === null) this.hideReply(session, mode, mark);
    }
    if (subscriptions.behindReply.length > 0) subscriptions.writeBehindReply();
    if (tracking.count > 0 && (ran || session.blocked === null)) {
      tracking.afterCommand(this.context, ran ? command.spec : null);
    }
    if (!ran) return null;
    if (monitors.active && command.monitored) this.showMonitors(session, command);
    return command;
  }

  /**
   * Whether what the session sends now concerns nobody but itself, and nothing speaks against it: {@linkcode runPlain} serves for its
   * {@linkcode Command.plain} commands, none of which changes that.
   */
  isOrdinary(session: Session): boolean {
    const { clients: { pause, subscriptions, tracking }, eviction, monitors, persistence } =
      this.server;
    if (this.server.replication.restrictsReads && !session.isMaster) return false;
    return session.authenticated && session.replyMode === REPLY_ON &&
      session.transaction === null && session.topics === null && session.block === 0 &&
      !session.monitoring && session.clientClass !== REPLICA_CLASS && tracking.count === 0 &&
      subscriptions.behindReply.length === 0 &&
      pause.kind === PAUSE_NONE && eviction.limit === 0 && !persistence.restricts &&
      !monitors.active;
  }

  /** As {@linkcode run}, for a plain command of an ordinary session. */
  runPlain(session: Session, frame: RequestFrame, command: Command): Command | null {
    const { context, server: { journal, reply } } = this;
    context.load(session, frame);
    this.looked = false;
    session.lastCommand = command.name;
    const { errors, length: mark } = reply;
    context.journaled = false;
    if (!takesArguments(command, frame.argc)) {
      this.reject(command, wrongArguments(command));
      return null;
    }
    if (journal.listening) this.callJournaled(command, mark, frame);
    else this.call(command, mark);
    if (reply.errors === errors) return command;
    command.statistics.failed++;
    this.countedErrors = reply.errors;
    return command;
  }

  /** Calls a command's handler; replies behind `mark` aren't true if there was no room. */
  private call(command: Command, mark: number): void {
    try {
      command.handler(this.context);
    } catch (error) {
      this.answerLackOfRoom(error, mark);
    }
  }

  /** Likewise, and journals what the command changes, as its client has sent it if its request is `frame`. */
  private callJournaled(command: Command, mark: number, frame: RequestFrame | null): void {
    const { context, server: { keyspace, journal } } = this;
    const { dirty } = keyspace;
    if (!command.meetsKeys) journal.beginUnit();
    this.call(command, mark);
    // CONFIG SET may have ended the listening.
    if (keyspace.dirty !== dirty && !context.journaled && journal.listening) {
      const { bytes, database: { number } } = context;
      if (frame !== null && isCanonical(bytes, frame)) {
        journal.appendRequest(number, bytes, frame.start, frame.position);
      } else journal.append(number, context.allArguments());
    }
    if (!command.meetsKeys) journal.endUnit();
    if (keyspace.dirty !== dirty) context.client.wrote = journal.position;
  }

  /** A command has thrown `error`: if that is for want of room, says so in the place of what it has said already, which isn't true. */
  private answerLackOfRoom(error: unknown, mark: number): void {
    if (!(error instanceof ArenaFullError)) throw error;
    const { reply } = this.context;
    reply.truncate(mark);
    reply.error(NO_ROOM);
  }

  /** Runs a command, if the client may, and journals what it changed; whether it ran. */
  private runCommand(session: Session, command: Command): boolean {
    const { context, server: { keyspace, reply } } = this;
    session.lastCommand = command.name;
    if (!takesArguments(command, context.argc)) {
      return this.reject(command, wrongArguments(command));
    }
    if (!session.authenticated && !command.beforeAuthentication) {
      return this.reject(command, "NOAUTH Authentication required.");
    }
    const { transaction } = session;
    if (transaction !== null && command.alone) {
      return this.reject(command, "ERR Command not allowed inside a transaction");
    }
    if (command.refusal !== null) {
      return this.reject(command, command.refusal);
    }
    if (session.topics !== null && session.resp === 2 && !command.forSubscribers) {
      const refusal = this.lacksRoom(command, transaction) ? NO_ROOM : subscribersMayNot(command);
      return this.reject(command, refusal);
    }
    const isFed = session.monitoring || session.clientClass === REPLICA_CLASS;
    if (isFed && command.touchesKeyspace) {
      return this.reject(command, "ERR Replica can't interact with the keyspace");
    }
    const { persistence, replication } = this.server;
    if (!session.isMaster && (persistence.restricts || replication.restricts)) {
      const refusal = refusalOf(command, transaction, persistence) ??
        replication.refusalOf(command, transaction);
      if (refusal !== null) return this.reject(command, refusal);
    }
    const { pause, blocking } = this.server.clients;
    if (replication.isReplica && !session.isMaster) {
      keyspace.keepExpired = replication.refusesWrites || command.readsOnly;
    }
    // The master's commands wait, too, so that those who replicate this server see it stand still.
    if (pause.kind !== PAUSE_NONE) {
      if (pause.holds(mayReplicate(command, transaction))) {
        blocking.postpone(session);
        return false;
      }
      keyspace.keepExpired = command.readsOnly;
    } else if (this.lacksRoom(command, transaction)) return this.reject(command, NO_ROOM);
    if (transaction !== null && command.queued) {
      // What will be refused as a whole needn't be kept.
      if (!transaction.failed && !session.watched?.changed) transaction.add(command, context);
      reply.simple("QUEUED");
      return false;
    }
    this.execute(command);
    return true;
  }

  /** Makes room, if there is a limit; whether there is none for a command that may need some. */
  private lacksRoom(command: Command, transaction: Transaction | null): boolean {
    const { eviction } = this.server;
    return eviction.limit > 0 && !eviction.makeRoom() && needsRoom(command, transaction);
  }

  /** Runs a command that nothing speaks against, and journals what it changes. */
  private execute(command: Command): void {
    const { context, server: { journal, replication, reply } } = this;
    const { errors, length: mark } = reply;
    context.journaled = false;
    if (journal.listening) this.callJournaled(command, mark, null);
    else this.call(command, mark);
    if (replication.takesOwnWrites && command.writes && !context.client.isMaster) {
      replication.ownExpiries.note(context, command.spec);
    }
    // EXEC doesn't fail by what its commands did.
    if (reply.errors > Math.max(errors, this.countedErrors)) command.statistics.failed++;
    this.countedErrors = reply.errors;
  }

  /** Runs the commands of a transaction of the session whose turn it is. */
  private runTransaction(transaction: Transaction): void {
    const { context, server: { journal, reply } } = this;
    const session = context.client;
    const mark = reply.length;
    reply.array(transaction.count);
    if (session.replyMode === REPLY_OFF) reply.truncate(mark);
    journal.beginUnit();
    context.mayBlock = false;
    this.transaction = transaction;
    const { argc, starts, lengths } = context;
    this.runAll(session, transaction);
    context.enter(session);
    context.argc = argc;
    context.starts = starts;
    context.lengths = lengths;
    this.transaction = null;
    context.mayBlock = true;
    // Its commands have said what they did.
    context.journaled = true;
    journal.endUnit();
  }

  /** Runs all commands of a transaction, and measures them: as in a batch, quick neighbours share their time. */
  private runAll(session: Session, transaction: Transaction): void {
    const { context, server: { time }, timer } = this;
    const { commands, count } = transaction;
    // EXEC is measured by itself, so somebody has just looked at the clock.
    timer.begin(time.last);
    this.charged = 0;
    transaction.rewind();
    for (let index = 0; index < count; index++) {
      transaction.loadNext(context);
      const command = commands[index];
      const alone = timer.each || !command.quick;
      if (alone) this.chargeQueued(transaction, index);
      this.runQueued(session, command);
      if (alone) this.chargeQueued(transaction, index + 1);
    }
    this.chargeQueued(transaction, count);
    this.looked = count > 0;
  }

  /** Charges the commands before number `end` of a transaction with the time since the last look. */
  private chargeQueued({ commands }: Transaction, end: number): void {
    const { charged, server: { counters, time } } = this;
    if (charged === end) return;
    this.charged = end;
    counters.commands += this.timer.end(time.look(), commands, charged, end);
  }

  /** Runs a command of a transaction. */
  private runQueued(session: Session, command: Command): void {
    const { context, server: { clients: { pause, tracking }, keyspace, monitors, reply } } = this;
    const mark = reply.length;
    if (pause.kind !== PAUSE_NONE) keyspace.keepExpired = command.readsOnly;
    const silent = session.closing;
    this.execute(command);
    // Here as elsewhere, nothing comes behind the last reply.
    if (silent || session.replyMode === REPLY_OFF) reply.truncate(mark);
    if (tracking.count > 0) tracking.afterQueued(context, command.spec);
    if (monitors.active && command.monitored) this.showMonitors(session, command);
  }

  /** Lets the clients go on that wait for keys which have changed. */
  serveWaiting(): void {
    // What became ready may have expired while the command, or the transaction, went on.
    this.server.refreshTime();
    this.context.lend(() => this.server.clients.blockedKeys.serve(this));
  }

  /** Lets a client that waits try again, since key `index` has changed; whether it has got its reply. */
  attempt(waiter: KeyWaiter, index: number): boolean {
    const { context, server: { clients, keyspace, time } } = this;
    const { session, request } = waiter;
    const reply = clients.answerWriter(session);
    const { errors, length: mark } = reply;
    const start = time.last;
    keyspace.keepExpired = this.server.replication.isReplica;
    context.loadCopy(session, request, reply);
    if (!this.tryAgain(waiter, index)) return false;
    const command = this.server.table.byName.get(session.lastCommand)!;
    const milliseconds = time.look() - start;
    if (this.chargeWaited(command, milliseconds, reply.errors !== errors)) {
      this.server.latency.add("command-unblocking", milliseconds);
    }
    session.blocked!.finishWith(reply, mark);
    return true;
  }

  /**
   * Charges a command that has waited, whose arguments are in the context, with the time that it has taken since, and counts if it has
   * `failed`; whether it took longer than somebody wants to hear of.
   */
  chargeWaited(command: Command, milliseconds: number, failed: boolean): boolean {
    command.statistics.microseconds += milliseconds * 1000;
    if (failed) command.statistics.failed++;
    const slow = milliseconds >= this.timer.reportMs;
    if (slow) this.logSlow(command, milliseconds);
    return slow;
  }

  /** Has a waiting command, which is in the context, try again. */
  private tryAgain({ wait }: KeyWaiter, index: number): boolean {
    const { reply } = this.context;
    const { journal } = this.server;
    const { length: mark } = reply;
    journal.beginUnit();
    try {
      return wait.attempt(this.context, index);
    } catch (error) {
      this.answerLackOfRoom(error, mark);
      return true;
    } finally {
      journal.endUnit();
      this.context.client.wrote = journal.position;
    }
  }

  /** Refuses to run a command, and counts that; always false. */
  private reject(command: Command, text: string): false {
    command.statistics.rejected++;
    if (isExec(command)) {
      this.server.clients.transactions.discard(this.context.client);
      const reason = text.replace(/^ERR /, "");
      this.server.reply.error(`EXECABORT Transaction discarded because of: ${reason}`);
    } else this.refuse(text);
    return false;
  }

  /** Replies with an error to what isn't run; a transaction of which it was to be a part isn't either. */
  private refuse(text: string): void {
    const { transaction } = this.context.client;
    if (transaction !== null) transaction.failed = true;
    this.server.reply.error(text);
  }

  /** The command, or the subcommand that is called; replies with an error if there is none. */
  private resolve(command: Command | null): Command | null {
    if (command === null) {
      this.refuse(unknownCommand(this.context));
      return null;
    }
    if (command.subcommands === null || this.context.argc < 2) return command;
    const name = this.context.text(1).toLowerCase();
    const subcommand = command.subcommands.get(name);
    if (subcommand !== undefined) return subcommand;
    this.refuse(
      `ERR unknown subcommand '${this.context.quoted(1, QUOTED_BYTES)}'. ` +
        `Try ${command.name.toUpperCase()} HELP.`,
    );
    return null;
  }

  /** Takes back the reply of a command that the client doesn't want to hear. */
  private hideReply(session: Session, mode: number, mark: number): void {
    const hidden = (mode === REPLY_OFF || mode === REPLY_SKIP) && session.replyMode !== REPLY_ON;
    if (hidden) this.server.reply.truncate(mark);
    if (session.replyMode === REPLY_SKIP_NEXT) session.replyMode = REPLY_SKIP;
    else if (mode === REPLY_SKIP && session.replyMode === REPLY_SKIP) session.replyMode = REPLY_ON;
  }

  /** A command, whose arguments are in the context, took longer than somebody wants to hear of. */
  reportSlow(command: Command, milliseconds: number): void {
    // What waits is logged when it goes on.
    if (this.context.client.blocked === null) this.logSlow(command, milliseconds);
    this.noteLatency(command, milliseconds);
  }

  /** As {@linkcode reportSlow}, where nobody knows the arguments any more. */
  noteLatency(command: Command, milliseconds: number): void {
    this.server.latency.add(command.fast ? "fast-command" : "command", milliseconds);
  }

  /** Puts a command, whose arguments are in the context, into the slow log if it was slow enough. */
  private logSlow(command: Command, milliseconds: number): void {
    const { context, server } = this;
    const slowerThan = server.settings.number("slowlog-log-slower-than");
    const microseconds = Math.floor(milliseconds * 1000);
    if (!command.logged || slowerThan < 0 || microseconds < slowerThan) return;
    const { connection, name } = context.client;
    const seconds = Math.floor(server.time.unixMs / 1000);
    const args = shownArguments(context, command);
    server.slowLog.add(seconds, microseconds, args, connection.remote, name);
  }

  /** Shows the monitors a command that has run. */
  private showMonitors(session: Session, command: Command): void {
    const { context, server } = this;
    const { number } = context.database;
    const args = shownArguments(context, command);
    server.monitors.show(server.time.unixMicroseconds(), number, session, args, server.reply);
  }
}

/** Whether a command may have so many arguments, its name included. */
export function takesArguments({ arity }: Command, argc: number): boolean {
  return arity > 0 ? argc === arity : argc >= -arity;
}

/**
 * Whether a request is written as everybody would write it: an array, each length the shortest way, each end of a line where it belongs.
 * The parser takes others, too, which nobody else may be able to read.
 */
function isCanonical(bytes: Uint8Array, frame: RequestFrame): boolean {
  const { argc, inline, lengths, position, start, starts } = frame;
  if (inline || bytes[start] !== STAR) return false;
  let at = start + 1 + digitsOf(argc);
  for (let index = 0; index < argc; index++) {
    const length = lengths[index];
    if (bytes[at] !== CR || bytes[at + 1] !== LF || bytes[at + 2] !== DOLLAR) return false;
    at += 3 + digitsOf(length);
    if (bytes[at] !== CR || bytes[at + 1] !== LF || starts[index] !== at + 2) return false;
    at += 2 + length;
  }
  return bytes[at] === CR && bytes[at + 1] === LF && position === at + 2;
}

/** How many decimal digits a number below 10^10 has that isn't negative. */
function digitsOf(number: number): number {
  let digits = 1;
  for (; number >= 10; number = Math.floor(number / 10)) digits++;
  return digits;
}

/** Why a command can't run while the data is being loaded, or can't be kept; null if it can. */
function refusalOf(
  command: Command,
  transaction: Transaction | null,
  persistence: Persistence,
): string | null {
  const queued = transaction !== null && isExec(command) ? transaction : null;
  if (persistence.loading !== null) {
    const runs = persistence.isLoading
      ? command.whileLoading && (queued === null || queued.whileLoading)
      : command.whileSwapping && (queued === null || queued.whileSwapping);
    if (!runs) return LOADING;
    if (persistence.isLoading) return null;
  }
  const writes = command.writes || command.name === "ping" || (queued !== null && queued.writes);
  return writes ? persistence.refusal : null;
}

function wrongArguments(command: Command): string {
  return `ERR wrong number of arguments for '${command.name}' command`;
}

function isExec(command: Command): boolean {
  return command.name === "exec";
}

/** Whether a command may have an effect on replicas: EXEC may if one that it runs may. */
function mayReplicate(command: Command, transaction: Transaction | null): boolean {
  return transaction !== null && isExec(command) ? transaction.mayReplicate : command.mayReplicate;
}

/** Whether a command can't run without room: after MULTI none can that would be queued. */
function needsRoom(command: Command, transaction: Transaction | null): boolean {
  if (transaction === null) return command.needsRoom;
  return isExec(command) ? transaction.needsRoom : !command.endsTransaction;
}

/** The reply to a command that a subscriber who speaks RESP2 can't send: its reply would look like a message. */
function subscribersMayNot(command: Command): string {
  return `ERR Can't execute '${command.name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / ` +
    "QUIT / RESET are allowed in this context";
}

/** The reply to a command that nobody knows: its name and the start of its arguments. */
function unknownCommand(context: ServerContext): string {
  let args = "";
  for (let index = 1; index < context.argc && args.length < QUOTED_BYTES; index++) {
    args += `'${context.quoted(index, QUOTED_BYTES - args.length)}' `;
  }
  return `ERR unknown command '${
    context.quoted(0, QUOTED_BYTES)
  }', with args beginning with: ${args}`;
}
