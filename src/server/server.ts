/**
 * The server: makes sessions of connections, and does the background work; what a session has
 * sent is run by the dispatcher.
 *
 * All state hangs on one {@linkcode Server}, so that many can live in one process.
 *
 * @module
 */
import { CLIENT_HANDLERS } from "./client_commands.ts";
import { CONNECTION_HANDLERS } from "./connection_commands.ts";
import { SERVER_HANDLERS } from "./server_commands.ts";
import { ServerCounters } from "./counters.ts";
import { CommandTable } from "./command_table.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Listeners, PROTECTED_MODE, turnAway } from "./listeners.ts";
import { FIRST_BUFFER_BYTES, Session, type SessionHost } from "./session.ts";
import { Settings } from "./settings.ts";
import { GENERIC_HANDLERS } from "../commands/generic.ts";
import { ALL_SPECS } from "../commands/specs/mod.ts";
import { STRING_HANDLERS } from "../commands/strings.ts";
import { Journal } from "../keyspace/journal.ts";
import { expireSome, Keyspace } from "../keyspace/keyspace.ts";
import { BufferPool } from "../protocol/byte_buffer.ts";
import { ReplyWriter } from "../protocol/reply_writer.ts";
import { afterOthers, type Clock, systemClock } from "../runtime/clock.ts";
import { TurnClock } from "../runtime/turn_clock.ts";
import { consoleSink, Logger, type LogLevel, type LogSink } from "../runtime/logging.ts";
import { type Randomness, systemRandomness } from "../runtime/random.ts";
import { type Connection, type Sockets, systemSockets } from "../runtime/sockets.ts";
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
const TICK_MS = 100;
/** Active expiry looks at so many volatile keys at a time... */
const EXPIRE_SAMPLE = 20;
/** ... goes on as long as more than so many of them have expired... */
const EXPIRE_GOES_ON = 5;
/** ... for at most so many slices in a tick... */
const EXPIRE_SLICES = 25;
/** ... of so many ms each. */
const EXPIRE_SLICE_MS = 1;

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
  readonly counters: ServerCounters = new ServerCounters();
  /** Resolves with the exit code once the server has shut down. */
  readonly finished: Promise<number>;
  /** Time. */
  readonly clock: Clock;
  /** Time, as the last look at the clock told it. */
  readonly time: TurnClock;
  /** Randomness. */
  readonly randomness: Randomness;
  /** Log. */
  readonly logger: Logger;
  /** `client-query-buffer-limit`. */
  queryBufferLimit = 0;
  /** `DEBUG SET-ACTIVE-EXPIRE`. */
  activeExpiry = true;

  /** Where sessions get their first buffer. */
  readonly firstBuffers: BufferPool = new BufferPool(FIRST_BUFFER_BYTES, IDLE_FIRST_BUFFERS);
  private readonly pool = new BufferPool(OUTPUT_BUFFER_BYTES, IDLE_BUFFERS);
  private readonly largePool = new BufferPool(LARGE_OUTPUT_BUFFER_BYTES, IDLE_LARGE_BUFFERS);
  private readonly dispatcher: Dispatcher;
  private readonly listeners: Listeners;
  /** Number of the database in which active expiry goes on. */
  private expireDatabase = 0;
  private password = "";
  private nextSessionId = 1;
  private timer: ReturnType<typeof setInterval> | undefined;
  private stopping = false;
  private finish: (exitCode: number) => void = () => {};

  /** Makes a server that doesn't listen yet; see {@linkcode startServer}. */
  constructor(options: ServerOptions, environment: ServerEnvironment = {}) {
    this.settings = new Settings(options);
    this.clock = environment.clock ?? systemClock;
    this.randomness = environment.randomness ?? systemRandomness;
    this.logger = new Logger(environment.log ?? consoleSink, () => this.clock.now());
    this.runId = this.randomness.hex(40);
    this.started = this.clock.now();
    this.keyspace = new Keyspace(
      this.settings.number("databases"),
      this.randomness.secret(),
      this.randomness.secret(),
    );
    this.keyspace.onExpire = (database, key) => this.journal.append(database.number, ["DEL", key]);
    this.time = new TurnClock(this.clock);
    this.reply = new ReplyWriter(this.pool, this.largePool);
    this.reply.onError = (text) => this.counters.countError(text);
    this.table = new CommandTable(ALL_SPECS, {
      ...STRING_HANDLERS,
      ...GENERIC_HANDLERS,
      ...CONNECTION_HANDLERS,
      ...CLIENT_HANDLERS,
      ...SERVER_HANDLERS,
    });
    this.dispatcher = new Dispatcher(this);
    this.listeners = new Listeners(this, environment.sockets ?? systemSockets);
    this.finished = new Promise((resolve) => this.finish = resolve);
    this.applySettings();
  }

  /** Takes the settings into the fields that hot paths read. */
  applySettings(): void {
    this.dispatcher.setMaximumBulk(this.settings.number("proto-max-bulk-len"));
    this.queryBufferLimit = this.settings.number("client-query-buffer-limit");
    this.password = this.settings.text("requirepass");
    this.logger.level = this.settings.text("loglevel") as LogLevel;
  }

  /** Sets the counters of INFO to zero. */
  resetStatistics(): void {
    this.counters.reset();
    Object.assign(this.keyspace.counters, { hits: 0, misses: 0, expired: 0 });
    for (const command of this.table.byName.values()) command.statistics.reset();
  }

  /** Starts to listen and to keep time. */
  start(): void {
    this.logger.log("notice", "oO0OoO0OoO0Oo miniredis is starting oO0OoO0OoO0Oo");
    this.logger.log("notice", `miniredis version=${VERSION}, pid=${Deno.pid}, just started`);
    this.keyspace.setTime(this.clock.now());
    this.listeners.start();
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.logger.log("notice", `Running mode=standalone, port=${this.port}.`);
    this.logger.log("notice", "Ready to accept connections");
  }

  /** Stops: closes all connections and resolves {@linkcode finished}. */
  async shutdown(reason?: string): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    if (reason !== undefined) this.logger.log("warning", reason);
    this.logger.log("warning", "User requested shutdown...");
    clearInterval(this.timer);
    this.listeners.close();
    for (const session of [...this.sessions.values()]) session.close();
    await this.listeners.closed();
    this.logger.log("warning", "miniredis is now ready to exit, bye bye...");
    this.finish(0);
  }

  /** Port it listens on. */
  get port(): number {
    return this.listeners.port;
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
    this.dispatcher.dropBlock(session);
  }

  /** Runs a session's requests after others had their turn. */
  processLater(session: Session): void {
    afterOthers(() => {
      if (session.unfinished && !session.closed && !session.writing) this.process(session);
    });
  }

  /** Runs the requests in a session's buffer, as far as its turn goes, and sends the replies. */
  process(session: Session): void {
    this.dispatcher.takeTurn(session);
  }

  /** Makes a session of a connection, or turns it away. */
  welcome(connection: Connection): void {
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
    this.time.correct();
    const now = this.time.unixMs;
    this.keyspace.setTime(now);
    this.counters.sample(this.time.last);
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
    this.time.look();
    this.keyspace.setTime(this.time.unixMs);
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
