/**
 * The context of the commands that are about the server and its clients.
 *
 * @module
 */
import { Context } from "../commands/context.ts";
import type { Blocked, KeyWait, Wait } from "../commands/wait.ts";
import { blockBytes } from "../keyspace/strings.ts";
import type { ReplyWriter } from "../protocol/reply_writer.ts";
import type { RequestFrame } from "../protocol/request_parser.ts";
import type { RequestCopy } from "./request_copy.ts";
import type { Server } from "./server.ts";
import { cutArgument } from "./slow_log.ts";
import type { Session } from "./session.ts";
import type { Transaction } from "./transactions.ts";

const NOTHING = new Uint8Array(0);

/** A {@linkcode Context} that knows its server and whose turn it is. */
export class ServerContext extends Context {
  /** The session whose turn it is. */
  session: Session | null = null;

  /** What {@linkcode keepBlock} has kept. */
  shownBlock: Uint8Array = NOTHING;

  /** Makes the one context of `server`, with random numbers of `random`; `runTransaction` runs what was queued for the session whose turn it is. */
  constructor(
    readonly server: Server,
    random: () => number,
    readonly runTransaction: (transaction: Transaction) => void,
  ) {
    super(server.keyspace, server.journal, server.reply, random);
  }

  /** The session whose turn it is, which there is while a command runs. */
  get client(): Session {
    return this.session!;
  }

  /** A session's turn begins. */
  enter(session: Session): void {
    this.session = session;
    this.bytes = session.buffer.bytes;
    this.view = session.buffer.view;
    this.database = this.keyspace.databases[session.database];
  }

  /** A session's next command is in `frame`. */
  load(session: Session, frame: RequestFrame): void {
    this.argc = frame.argc;
    this.starts = frame.starts;
    this.lengths = frame.lengths;
    this.blockArgument = session.blockArgument;
    this.block = session.block;
    this.blockTaken = false;
  }

  /** Has the session whose turn it is wait. */
  override waitFor(wait: Wait, timeoutMs: number): Blocked {
    const dueMs = timeoutMs === 0 ? Infinity : this.keyspace.now + timeoutMs;
    return this.server.clients.blocking.block(this.client, wait, dueMs, this.argumentBytes);
  }

  /** Has the session whose turn it is wait for keys. */
  override waitForKeys(wait: KeyWait): void {
    this.server.clients.blockedKeys.wait(this, wait);
  }

  /** Runs `run`, which may load what it likes; then everything is as it was. */
  lend(run: () => void): void {
    const { server: { clients }, keyspace } = this;
    const before = {
      session: this.session,
      reply: this.reply,
      bytes: this.bytes,
      view: this.view,
      argc: this.argc,
      starts: this.starts,
      lengths: this.lengths,
      hashCount: this.hashCount,
      blockArgument: this.blockArgument,
      block: this.block,
      blockTaken: this.blockTaken,
    };
    const { acting } = clients;
    try {
      run();
    } finally {
      Object.assign(this, before);
      clients.acting = acting;
      if (before.session !== null) this.database = keyspace.databases[before.session.database];
    }
  }

  /** Goes on with a command of `session` that waited, with its arguments and with replies to `reply`. */
  loadCopy(session: Session, request: RequestCopy, reply: ReplyWriter): void {
    this.session = session;
    this.server.clients.acting = session;
    this.database = this.keyspace.databases[session.database];
    this.reply = reply;
    this.bytes = request.bytes;
    this.view = request.view;
    this.argc = request.argc;
    this.starts = request.starts;
    this.lengths = request.lengths;
    this.hashCount = 0;
    this.blockArgument = -1;
    this.block = 0;
    this.blockTaken = false;
  }

  /** Whether a reply of so many bytes is too much for the session whose turn it is, which is being closed then. */
  override exceedsOutput(bytes: number): boolean {
    return this.server.clients.limits.refuses(this.client, bytes);
  }

  /** Bytes of all arguments. */
  get argumentBytes(): number {
    let bytes = 0;
    for (let index = 0; index < this.argc; index++) bytes += this.lengths[index];
    return bytes;
  }

  /**
   * Keeps what can be shown of the block that holds an argument: all of it if `whole`, or as much as the slow log
   * shows. The command may free the block.
   */
  keepBlock(whole: boolean): void {
    const bytes = blockBytes(this.keyspace, this.block);
    this.shownBlock = whole ? bytes.slice() : cutArgument(bytes);
  }

  /** Ends {@linkcode keepBlock}: for a monitor it has kept up to 512 MB. */
  forgetBlock(): void {
    this.shownBlock = NOTHING;
  }

  /** Selects database `number`, which exists, for the session whose turn it is. */
  select(number: number): void {
    this.client.database = number;
    this.database = this.keyspace.databases[number];
  }

  /** Arguments `from` and on as text. */
  texts(from: number): string[] {
    return Array.from({ length: this.argc - from }, (_, index) => this.text(from + index));
  }
}

/** Runs a command that is about the server or its clients. */
export type ServerHandler = (context: ServerContext) => void;
