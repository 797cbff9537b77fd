/**
 * The server: listens, gives each session its turns, runs commands, and does the background work.
 *
 * All state hangs on one {@linkcode Server}, so that many can live in one process.
 *
 * @module
 */
import { CONNECTION_HANDLERS } from "./connection_commands.ts";
import { SERVER_HANDLERS } from "./server_commands.ts";
import { Batch, BATCH_REQUESTS } from "./batch.ts";
import { type Command, CommandTable } from "./command_table.ts";
import { ServerContext } from "./server_context.ts";
import {
  closeQuietly,
  FIRST_BUFFER_BYTES,
  OUTPUT_PAUSE_BYTES,
  REPLY_OFF,
  REPLY_ON,
  REPLY_SKIP,
  REPLY_SKIP_NEXT,
  Session,
  type SessionHost,
} from "./session.ts";
import { Settings, SettingsError } from "./settings.ts";
import { GENERIC_HANDLERS } from "../commands/generic.ts";
import { ALL_SPECS } from "../commands/specs/mod.ts";
import { STRING_HANDLERS } from "../commands/strings.ts";
import { Journal } from "../keyspace/journal.ts";
import { expireSome, Keyspace } from "../keyspace/keyspace.ts";
import { allocateValue, EXTERNAL_BYTES, valueRoom } from "../keyspace/strings.ts";
import { ArenaFullError } from "../memory/arena.ts";
import { BufferPool } from "../protocol/byte_buffer.ts";
import { ReplyWriter } from "../protocol/reply_writer.ts";
import {
  parseRequest,
  REQUEST_COMPLETE,
  REQUEST_ERROR,
  RequestFrame,
} from "../protocol/request_parser.ts";
import { afterOthers, type Clock, systemClock } from "../runtime/clock.ts";
import { consoleSink, Logger, type LogLevel, type LogSink } from "../runtime/logging.ts";
import { type Randomness, systemRandomness } from "../runtime/random.ts";
import {
  type Connection,
  type SocketListener,
  type Sockets,
  systemSockets,
} from "../runtime/sockets.ts";
import { VERSION } from "../runtime/version.ts";

/** Settings by name, as in redis.conf. */
export type ServerOptions = Readonly<Record<string, string>>;

/** What a test can put in the place of the machine. */
export interface ServerEnvironment {
  /** Time. @default systemClock */
  readonly clock?: Clock;
  /** Randomness. @default systemRandomness */
  readonly randomness?: Randomness;
  /** Sockets. @default systemSockets */
  readonly sockets?: Sockets;
  /** Takes the log. @default consoleSink */
  readonly log?: LogSink;
}

const OUTPUT_BUFFER_BYTES = 16 * 1024;
const LARGE_OUTPUT_BUFFER_BYTES = 64 * 1024;
const IDLE_FIRST_BUFFERS = 1024;
const IDLE_BUFFERS = 128;
const IDLE_LARGE_BUFFERS = 16;
/** A turn ends after this many ms... */
const TURN_MS = 1;
/** ... which it looks at each time it has run so many commands. */
const COMMANDS_PER_CLOCK = 64;
/** A request of which so many bytes or arguments are there isn't parsed again from its start. */
const PARTIAL_BYTES = 16 * 1024;
const PARTIAL_ARGUMENTS = 64;
/** Most bytes of arguments that may be on their way straight into the arena. */
const BLOCKS_LIMIT = 2 ** 31;
const TICK_MS = 100;
const STAR = 42;
/** Most bytes of a command's name, and of all its arguments, that an error quotes. */
const QUOTED_BYTES = 128;
/** Active expiry looks at so many volatile keys at a time... */
const EXPIRE_SAMPLE = 20;
/** ... goes on as long as more than so many of them have expired... */
const EXPIRE_GOES_ON = 5;
/** ... for at most so many slices in a tick... */
const EXPIRE_SLICES = 25;
/** ... of so many ms each. */
const EXPIRE_SLICE_MS = 1;

/** What the server has counted since its start. */
export interface ServerCounters {
  /** Connections that came in. */
  connections: number;
  /** Connections that were refused because there were too many. */
  refused: number;
  /** Commands run. */
  commands: number;
  /** Error replies. */
  errors: number;
}

/** A running server. */
export class Server implements SessionHost {
  /** Settings. */
  readonly settings: Settings;
  /** Databases. */
  readonly keyspace: Keyspace;
  /** The stream of changes. */
  readonly journal: Journal = new Journal();
  /** Writes replies. */
  readonly reply: ReplyWriter;
  /** All commands. */
  readonly table: CommandTable;
  /** Connected clients by id, oldest first. */
  readonly sessions: Map<number, Session> = new Map();
  /** Identifies this run. */
  readonly runId: string;
  /** Unix time in ms of the start. */
  readonly started: number;
  /** Counters for INFO. */
  readonly counters: ServerCounters = { connections: 0, refused: 0, commands: 0, errors: 0 };
  /** Resolves with the exit code once the server has shut down. */
  readonly finished: Promise<number>;
  /** Time. */
  readonly clock: Clock;
  /** Randomness. */
  readonly randomness: Randomness;
  /** Log. */
  readonly logger: Logger;
  /** Port it listens on. */
  port = 0;
  /** `client-query-buffer-limit`. */
  queryBufferLimit = 0;
  /** `DEBUG SET-ACTIVE-EXPIRE`. */
  activeExpiry = true;

  /** Where sessions get their first buffer. */
  readonly firstBuffers: BufferPool = new BufferPool(FIRST_BUFFER_BYTES, IDLE_FIRST_BUFFERS);
  private readonly pool = new BufferPool(OUTPUT_BUFFER_BYTES, IDLE_BUFFERS);
  private readonly largePool = new BufferPool(LARGE_OUTPUT_BUFFER_BYTES, IDLE_LARGE_BUFFERS);
  private readonly context: ServerContext;
  private readonly listeners: SocketListener[] = [];
  private readonly batch = new Batch();
  /** Number of the database in which active expiry goes on. */
  private expireDatabase = 0;
  private commandsInTurn = 0;
  private turnStart = 0;
  private maximumBulk = 0;
  private password = "";
  private nextSessionId = 1;
  private blockBytes = 0;
  private timer: ReturnType<typeof setInterval> | undefined;
  private stopping = false;
  private readonly sockets: Sockets;
  private finish: (exitCode: number) => void = () => {};

  /** Makes a server that doesn't listen yet; see {@linkcode startServer}. */
  constructor(options: ServerOptions, environment: ServerEnvironment = {}) {
    this.settings = new Settings(options);
    this.clock = environment.clock ?? systemClock;
    this.randomness = environment.randomness ?? systemRandomness;
    this.sockets = environment.sockets ?? systemSockets;
    this.logger = new Logger(environment.log ?? consoleSink, () => this.clock.now());
    this.runId = this.randomness.hex(40);
    this.started = this.clock.now();
    this.keyspace = new Keyspace(
      this.settings.number("databases"),
      this.randomness.secret(),
      this.randomness.secret(),
    );
    this.keyspace.onExpire = (database, key) => this.journal.append(database.number, ["DEL", key]);
    this.reply = new ReplyWriter(this.pool, this.largePool);
    this.table = new CommandTable(ALL_SPECS, {
      ...STRING_HANDLERS,
      ...GENERIC_HANDLERS,
      ...CONNECTION_HANDLERS,
      ...SERVER_HANDLERS,
    });
    this.context = new ServerContext(this);
    this.finished = new Promise((resolve) => this.finish = resolve);
    this.applySettings();
  }

  /** Takes the settings into the fields that hot paths read. */
  applySettings(): void {
    this.maximumBulk = this.settings.number("proto-max-bulk-len");
    this.context.maximumString = this.maximumBulk;
    this.queryBufferLimit = this.settings.number("client-query-buffer-limit");
    this.password = this.settings.text("requirepass");
    this.logger.level = this.settings.text("loglevel") as LogLevel;
  }

  /** Sets the counters of INFO to zero. */
  resetStatistics(): void {
    Object.assign(this.counters, { connections: 0, refused: 0, commands: 0, errors: 0 });
    Object.assign(this.keyspace.counters, { hits: 0, misses: 0, expired: 0 });
    for (const command of this.table.commands) {
      for (const one of [command, ...(command.subcommands?.values() ?? [])]) {
        one.calls = 0;
        one.rejected = 0;
        one.failed = 0;
      }
    }
  }

  /** Starts to listen and to keep time. */
  start(): void {
    this.logger.log("notice", "oO0OoO0OoO0Oo miniredis is starting oO0OoO0OoO0Oo");
    this.logger.log("notice", `miniredis version=${VERSION}, pid=${Deno.pid}, just started`);
    this.keyspace.setTime(this.clock.now());
    this.port = this.settings.number("port");
    for (const address of this.settings.text("bind").split(/\s+/).filter(Boolean)) {
      this.listen(address);
    }
    if (this.listeners.length === 0) {
      throw new SettingsError("Failed listening on port " + this.port + " (TCP), aborting.");
    }
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.logger.log("notice", `Running mode=standalone, port=${this.port}.`);
    this.logger.log("notice", "Ready to accept connections");
  }

  /** Stops: closes all connections and resolves {@linkcode finished}. */
  shutdown(reason?: string): Promise<void> {
    if (this.stopping) return Promise.resolve();
    this.stopping = true;
    if (reason !== undefined) this.logger.log("warning", reason);
    this.logger.log("warning", "User requested shutdown...");
    clearInterval(this.timer);
    for (const listener of this.listeners) listener.close();
    for (const session of [...this.sessions.values()]) session.close();
    this.logger.log("warning", "miniredis is now ready to exit, bye bye...");
    this.finish(0);
    return Promise.resolve();
  }

  /** Whether a client needs no password. */
  get open(): boolean {
    return this.password === "";
  }

  /** Whether `password` is the one that is asked for. */
  isPassword(password: string): boolean {
    return this.password !== "" && password === this.password;
  }

  /** Bytes of memory for keys, values, and the buffers of clients. */
  get usedMemory(): number {
    let bytes = this.keyspace.arena.usedBytes + this.pool.totalBytes + this.largePool.totalBytes;
    for (const database of this.keyspace.databases) bytes += database.volatile.bytes;
    for (const session of this.sessions.values()) bytes += session.memory;
    return bytes;
  }

  /** Unix time in ms. */
  now(): number {
    return this.clock.now();
  }

  /** Writes a log line about a client. */
  logClient(message: string): void {
    this.logger.log("warning", message);
  }

  /** Forgets a session that has been closed. */
  forget(session: Session): void {
    this.sessions.delete(session.id);
    this.dropBlock(session);
  }

  /** Runs a session's requests after others had their turn. */
  processLater(session: Session): void {
    afterOthers(() => {
      if (session.unfinished && !session.closed && !session.writing) this.process(session);
    });
  }

  /** Runs the requests in a session's buffer, as far as its turn goes, and sends the replies. */
  process(session: Session): void {
    this.keyspace.setTime(this.clock.now());
    session.unfinished = false;
    const reply = this.reply;
    this.context.enter(session);
    reply.resp = session.resp;
    this.commandsInTurn = 0;
    for (;;) {
      const status = session.partial === null
        ? this.readAhead(session)
        : this.readOn(session, session.partial);
      if (this.batch.count > 0) {
        this.batch.prefetch(this.keyspace, this.context.database.dict);
        if (this.runBatch(session)) continue;
        break;
      }
      if (status === REQUEST_ERROR) this.refuse(session, this.batch.frames[0].error);
      else if (this.keepPartial(session)) continue;
      break;
    }
    this.journal.endTurn();
    session.flush(reply);
  }

  /**
   * Reads requests into the batch; what the parser said of the first one that isn't whole, or
   * REQUEST_COMPLETE if there may be more.
   */
  private readAhead(session: Session): number {
    const batch = this.batch;
    const { bytes, view } = session.buffer;
    const { seed0, seed1 } = this.keyspace;
    batch.clear();
    let position = session.position;
    while (batch.count < BATCH_REQUESTS) {
      // A line of words changes as it is read, so it is read only when it is run right after.
      if (batch.count > 0 && position < session.end && bytes[position] !== STAR) break;
      const frame = batch.frames[batch.count];
      frame.reset(position);
      const status = parseRequest(
        frame,
        bytes,
        session.end,
        this.maximumBulk,
        session.authenticated,
      );
      if (status !== REQUEST_COMPLETE) return status;
      position = frame.position;
      const command = frame.argc === 0
        ? null
        : this.table.find(bytes, frame.starts[0], frame.lengths[0]);
      batch.add(command, view, seed0, seed1);
    }
    return REQUEST_COMPLETE;
  }

  /** Reads on in a long request. */
  private readOn(session: Session, partial: RequestFrame): number {
    const batch = this.batch;
    const { bytes, view } = session.buffer;
    batch.clear();
    batch.frames[0] = partial;
    const status = parseRequest(
      partial,
      bytes,
      session.end,
      this.maximumBulk,
      session.authenticated,
    );
    if (status === REQUEST_COMPLETE) {
      const command = this.table.find(bytes, partial.starts[0], partial.lengths[0]);
      batch.add(command, view, this.keyspace.seed0, this.keyspace.seed1);
    }
    return status;
  }

  /** Runs the requests of the batch; whether the turn goes on. */
  private runBatch(session: Session): boolean {
    const batch = this.batch;
    for (let index = 0; index < batch.count; index++) {
      const frame = batch.frames[index];
      session.position = frame.position;
      if (frame.argc > 0) {
        batch.load(this.context, index);
        this.run(session, frame, batch.commands[index]);
      } else if (session.replyMode === REPLY_SKIP) session.replyMode = REPLY_ON;
      if (session.partial !== null) {
        session.partial = null;
        this.dropBlock(session);
      }
      if (session.closing) return false;
      if (this.reply.length + session.pendingBytes >= OUTPUT_PAUSE_BYTES) {
        session.unfinished = true;
        return false;
      }
      if (++this.commandsInTurn % COMMANDS_PER_CLOCK === 0 && session.position < session.end) {
        const time = this.clock.monotonic();
        if (this.commandsInTurn === COMMANDS_PER_CLOCK) this.turnStart = time;
        else if (time - this.turnStart > TURN_MS) {
          session.unfinished = true;
          return false;
        }
      }
    }
    return true;
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
      if (frame.argc === 0 || !long) return false;
      session.partial = frame;
    }
    this.batch.frames[0] = new RequestFrame();
    session.position = frame.position;
    // A read that is under way goes to the end of the buffer, which must not move now.
    if (frame.bulkLength < EXTERNAL_BYTES || session.block !== 0 || session.readPending) {
      return false;
    }
    const command = this.table.find(session.buffer.bytes, frame.starts[0], frame.lengths[0]);
    if (command === null || command.blockArgument !== frame.argc) return false;
    if (this.blockBytes + frame.bulkLength > BLOCKS_LIMIT) return false;
    try {
      const block = allocateValue(this.keyspace, frame.bulkLength);
      const room = valueRoom(this.keyspace, block, 0, frame.bulkLength);
      this.blockBytes += this.keyspace.arena.unitsOf(block) * 8;
      session.startBlock(block, frame.argc, room);
    } catch (error) {
      if (error instanceof ArenaFullError) return false;
      throw error;
    }
    // What is left in the buffer for the parser is an argument of no bytes and its line end.
    frame.bulkLength = 0;
    return session.blockRoom === null;
  }

  /** Frees the block that a session's big argument went to, unless a command has taken it. */
  private dropBlock(session: Session): void {
    if (session.block === 0) return;
    this.blockBytes -= this.keyspace.arena.unitsOf(session.block) * 8;
    if (!this.context.blockTaken || this.context.block !== session.block) {
      this.keyspace.freeValueBlock(session.block);
    }
    this.context.blockArgument = -1;
    this.context.blockTaken = false;
    session.block = 0;
    session.blockArgument = -1;
    session.blockRoom = null;
  }

  /** Replies to bytes that aren't RESP, and closes once that is sent. */
  private refuse(session: Session, error: string): void {
    this.logger.log("verbose", `Protocol error (${error}) from client: ${describe(session)}`);
    // A client that wants no replies hears nothing of this one either.
    if (session.replyMode === REPLY_ON) this.fail(`ERR Protocol error: ${error}`);
    session.closing = true;
  }

  /** Replies with an error. */
  private fail(text: string): void {
    this.counters.errors++;
    this.reply.error(text);
  }

  /** Runs one command. */
  private run(session: Session, frame: RequestFrame, found: Command | null): void {
    this.context.load(session, frame);
    this.counters.commands++;
    const mode = session.replyMode;
    const mark = this.reply.length;
    const errors = this.reply.errors;
    const command = this.resolve(found);
    if (command !== null) this.runCommand(session, command);
    if (this.reply.errors !== errors) {
      this.counters.errors += this.reply.errors - errors;
      if (command !== null) command.failed++;
    }
    if (mode !== REPLY_ON || session.replyMode !== REPLY_ON) this.hideReply(session, mode, mark);
  }

  /** Runs a command, if the client may, and journals what it changed. */
  private runCommand(session: Session, command: Command): void {
    const { context, keyspace, reply } = this;
    const argc = context.argc;
    if (command.arity > 0 ? argc !== command.arity : argc < -command.arity) {
      command.rejected++;
      return reply.error(`ERR wrong number of arguments for '${command.name}' command`);
    }
    if (!session.authenticated && !command.beforeAuthentication) {
      command.rejected++;
      return reply.error("NOAUTH Authentication required.");
    }
    command.calls++;
    session.lastCommand = command.name;
    const dirty = keyspace.dirty;
    const mark = reply.length;
    context.journaled = false;
    try {
      command.handler(context);
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error;
      // What it has said already (the old value, say) isn't true.
      reply.truncate(mark);
      reply.error("OOM command not allowed when used memory > 'maxmemory'.");
    }
    if (keyspace.dirty !== dirty && !context.journaled && this.journal.listening) {
      this.journal.append(context.database.number, context.allArguments());
    }
  }

  /** The command, or the subcommand that is called; replies with an error if there is none. */
  private resolve(command: Command | null): Command | null {
    if (command === null) {
      this.reply.error(unknownCommand(this.context));
      return null;
    }
    if (command.subcommands === null || this.context.argc < 2) return command;
    const name = this.context.text(1).toLowerCase();
    const subcommand = command.subcommands.get(name);
    if (subcommand !== undefined) return subcommand;
    this.reply.error(
      `ERR unknown subcommand '${this.context.quoted(1, QUOTED_BYTES)}'. ` +
        `Try ${command.name.toUpperCase()} HELP.`,
    );
    return null;
  }

  /** Takes back the reply of a command that the client doesn't want to hear. */
  private hideReply(session: Session, mode: number, mark: number): void {
    const hidden = (mode === REPLY_OFF || mode === REPLY_SKIP) && session.replyMode !== REPLY_ON;
    if (hidden) this.reply.truncate(mark);
    if (session.replyMode === REPLY_SKIP_NEXT) session.replyMode = REPLY_SKIP;
    else if (mode === REPLY_SKIP && session.replyMode === REPLY_SKIP) session.replyMode = REPLY_ON;
  }

  /** Listens on an address of the setting `bind`. */
  private listen(address: string): void {
    const optional = address.startsWith("-");
    const name = optional ? address.slice(1) : address;
    // `::` takes IPv4 as well, and both can't be bound: the two defaults are one listener.
    if (name === "*" && this.settings.text("bind").includes("::*")) return;
    const hostname = name === "::*" ? "::" : name === "*" ? "0.0.0.0" : name;
    try {
      const listener = this.sockets.listen(hostname, this.port);
      this.port = listener.port;
      this.listeners.push(listener);
      this.accept(listener);
    } catch (error) {
      if (hostname === "::" && !(error instanceof Deno.errors.AddrInUse)) {
        return this.listenWithoutSixth();
      }
      const shown = hostname === "::" ? "*" : hostname;
      const message = `Could not create server TCP listening socket ${shown}:${this.port}: ` +
        bindReason(error);
      this.logger.log("warning", message);
      if (!optional || error instanceof Deno.errors.AddrInUse) {
        throw new SettingsError(message);
      }
    }
  }

  /** A machine without IPv6. */
  private listenWithoutSixth(): void {
    const listener = this.sockets.listen("0.0.0.0", this.port);
    this.port = listener.port;
    this.listeners.push(listener);
    this.accept(listener);
  }

  /** Takes in connections, one after the other. */
  private accept(listener: SocketListener): void {
    listener.accept().then((connection) => {
      this.welcome(connection);
      this.accept(listener);
    }, (error) => {
      if (this.stopping) return;
      this.logger.log("warning", `Accepting client connection: ${(error as Error).message}`);
      // Too many open files, say: the listener is still good once some are closed.
      setTimeout(() => this.accept(listener), TICK_MS);
    });
  }

  /** Makes a session of a connection, or turns it away. */
  private welcome(connection: Connection): void {
    if (this.stopping) return closeQuietly(connection);
    if (this.sessions.size >= this.settings.number("maxclients")) {
      this.counters.refused++;
      return turnAway(connection, "-ERR max number of clients reached\r\n");
    }
    if (this.open && this.settings.isOn("protected-mode") && !connection.fromLoopback) {
      this.counters.refused++;
      return turnAway(connection, PROTECTED_MODE);
    }
    this.counters.connections++;
    const id = this.nextSessionId++;
    const session = new Session(this, connection, id, this.clock.now(), this.open);
    this.sessions.set(id, session);
    session.startRead();
  }

  /** Background work, every 100 ms. */
  private tick(): void {
    const now = this.clock.now();
    this.keyspace.setTime(now);
    const timeout = this.settings.number("timeout") * 1000;
    for (const session of this.sessions.values()) {
      session.readOnIfStuck();
      if (timeout > 0 && now - session.lastInteraction > timeout) session.close();
    }
    if (this.activeExpiry) this.expire(EXPIRE_SLICES);
  }

  /**
   * Looks for keys whose time has come, for a slice of time, and, if there are more, for up to
   * `slices` such slices with the sessions' turns between them.
   */
  private expire(slices: number): void {
    const stop = this.clock.monotonic() + EXPIRE_SLICE_MS;
    const { databases } = this.keyspace;
    for (let visited = 0; visited < databases.length;) {
      const database = databases[this.expireDatabase];
      const more = database.volatile.length > 0 &&
        expireSome(database, EXPIRE_SAMPLE, this.randomness.number) > EXPIRE_GOES_ON;
      if (!more) {
        this.expireDatabase = (this.expireDatabase + 1) % databases.length;
        visited++;
      }
      if (this.clock.monotonic() <= stop) continue;
      if (more && slices > 1) afterOthers(() => this.expireFurther(slices - 1));
      break;
    }
    this.journal.endTurn();
  }

  /** The next slice of {@linkcode expire}. */
  private expireFurther(slices: number): void {
    if (this.stopping) return;
    this.keyspace.setTime(this.clock.now());
    this.expire(slices);
  }
}

/**
 * Starts a server.
 *
 * @throws {SettingsError} if an option can't have its value, or if it can't listen.
 *
 * @example
 * ```ts
 * import { startServer } from "./server.ts";
 *
 * const server = await startServer({ port: "0", bind: "127.0.0.1" }, { log: () => {} });
 * await server.shutdown();
 * ```
 */
export function startServer(
  options: ServerOptions,
  environment: ServerEnvironment = {},
): Promise<Server> {
  try {
    const server = new Server(options, environment);
    server.start();
    return Promise.resolve(server);
  } catch (error) {
    return Promise.reject(error);
  }
}

const PROTECTED_MODE = "-DENIED miniredis is running in protected mode because protected mode is " +
  "enabled and no password is set for the default user. In this mode connections are only " +
  "accepted from the loopback interface. To serve other machines, set a password with " +
  "'requirepass', or turn protected mode off with '--protected-mode no'.\r\n";

/** Says one thing to a client, and closes. */
function turnAway(connection: Connection, text: string): void {
  connection.write(new TextEncoder().encode(text)).then(
    () => closeQuietly(connection),
    () => closeQuietly(connection),
  );
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

function describe(session: Session): string {
  return `id=${session.id} addr=${session.connection.remote} name=${session.name}`;
}

function bindReason(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) return "bind: Address already in use";
  return `bind: ${(error as Error).message}`;
}
