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
import type { KeyWaiter } from "./blocked_keys.ts";
import type { Command } from "./command_table.ts";
import { PAUSE_NONE } from "./pause.ts";
import { shownArguments } from "./redaction.ts";
import type { Server } from "./server.ts";
import { ServerContext } from "./server_context.ts";
import { REPLY_OFF, REPLY_ON, REPLY_SKIP, REPLY_SKIP_NEXT, type Session } from "./session.ts";

/** Most bytes of a command's name, and of all its arguments, that an error quotes. */
const QUOTED_BYTES = 128;
const NO_ROOM = "OOM command not allowed when used memory > 'maxmemory'.";

/** Runs commands; see the head of this file. */
export class CommandRunner {
  /** What commands work with. */
  readonly context: ServerContext;

  /** Runs the commands of `server`, whose keyspace, journal, writer and table exist already. */
  constructor(private readonly server: Server) {
    this.context = new ServerContext(server);
  }

  /** Runs one command; which one it was, or null if it was refused. */
  run(session: Session, frame: RequestFrame, found: Command | null): Command | null {
    this.context.load(session, frame);
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
    if (tracking.count > 0 && session.blocked === null) {
      tracking.afterCommand(this.context, ran ? command.spec : null);
    }
    if (!ran) return null;
    if (monitors.active && command.monitored) this.showMonitors(session, command);
    return command;
  }

  /** Runs a command, if the client may, and journals what it changed; whether it ran. */
  private runCommand(session: Session, command: Command): boolean {
    const { context, server: { keyspace, reply } } = this;
    const argc = context.argc;
    session.lastCommand = command.name;
    if (command.arity > 0 ? argc !== command.arity : argc < -command.arity) {
      return this.reject(command, `ERR wrong number of arguments for '${command.name}' command`);
    }
    if (!session.authenticated && !command.beforeAuthentication) {
      return this.reject(command, "NOAUTH Authentication required.");
    }
    if (command.refusal !== null) {
      return this.reject(command, command.refusal);
    }
    if (session.topics !== null && session.resp === 2 && !command.forSubscribers) {
      return this.reject(command, subscribersMayNot(command));
    }
    if (session.monitoring && command.touchesKeyspace) {
      return this.reject(command, "ERR Replica can't interact with the keyspace");
    }
    const { pause, blocking } = this.server.clients;
    if (pause.kind !== PAUSE_NONE) {
      if (pause.holds(command)) {
        blocking.postpone(session);
        return false;
      }
      keyspace.keepExpired = command.spec.flags.includes("readonly");
    } else if (
      this.server.eviction.limit > 0 && !this.server.eviction.makeRoom() && command.needsRoom
    ) {
      return this.reject(command, NO_ROOM);
    }
    const dirty = keyspace.dirty;
    const { errors, length: mark } = reply;
    context.journaled = false;
    try {
      command.handler(context);
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error;
      // What it has said already (the old value, say) isn't true.
      reply.truncate(mark);
      reply.error(NO_ROOM);
    }
    if (reply.errors !== errors) command.statistics.failed++;
    if (keyspace.dirty !== dirty && !context.journaled && this.server.journal.listening) {
      this.server.journal.append(context.database.number, context.allArguments());
    }
    return true;
  }

  /** Lets the clients go on that wait for keys which have changed. */
  serveWaiting(): void {
    this.server.clients.blockedKeys.serve(this);
  }

  /** Lets a client that waits try again, since key `index` has changed; whether it has got its reply. */
  attempt(waiter: KeyWaiter, index: number): boolean {
    const { context, server: { clients, time } } = this;
    const { session, request } = waiter;
    const reply = clients.answerWriter(session);
    const { errors, length: mark } = reply;
    const start = time.look();
    if (!context.lend(session, request, reply, () => this.tryAgain(waiter, index))) return false;
    const { bytes, starts, lengths } = request;
    const { statistics } = this.server.table.find(bytes, starts[0], lengths[0])!;
    if (reply.errors !== errors) statistics.failed++;
    statistics.microseconds += (time.look() - start) * 1000;
    session.blocked!.finishWith(reply, mark);
    return true;
  }

  /** Has a waiting command, which is in the context, try again. */
  private tryAgain({ wait }: KeyWaiter, index: number): boolean {
    const { reply } = this.context;
    const { length: mark } = reply;
    try {
      return wait.attempt(this.context, index);
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error;
      reply.truncate(mark);
      reply.error(NO_ROOM);
      return true;
    }
  }

  /** Refuses to run a command, and counts that; always false. */
  private reject(command: Command, text: string): false {
    command.statistics.rejected++;
    this.server.reply.error(text);
    return false;
  }

  /** The command, or the subcommand that is called; replies with an error if there is none. */
  private resolve(command: Command | null): Command | null {
    if (command === null) {
      this.server.reply.error(unknownCommand(this.context));
      return null;
    }
    if (command.subcommands === null || this.context.argc < 2) return command;
    const name = this.context.text(1).toLowerCase();
    const subcommand = command.subcommands.get(name);
    if (subcommand !== undefined) return subcommand;
    this.server.reply.error(
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

  /** Shows the monitors a command that has run. */
  private showMonitors(session: Session, command: Command): void {
    const { context, server } = this;
    const { number } = context.database;
    const args = shownArguments(context, command);
    server.monitors.show(server.time.unixMicroseconds(), number, session, args, server.reply);
  }
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
