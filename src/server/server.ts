/**
 * The server: makes sessions of connections, and does the background work; what a session has
 * sent is run by the dispatcher.
 *
 * All state hangs on one {@linkcode Server}, so that many can live in one process.
 *
 * @module
 */
import { applySettings } from "./apply_settings.ts";
import { Clients } from "./clients.ts";
import { CLIENT_HANDLERS } from "./client_commands.ts";
import { CONNECTION_HANDLERS } from "./connection_commands.ts";
import { SAVING_HANDLERS } from "./saving_commands.ts";
import { SERVER_HANDLERS } from "./server_commands.ts";
import { CLUSTER_HANDLERS } from "./cluster_commands.ts";
import { ServerCounters } from "./counters.ts";
import { CommandTable } from "./command_table.ts";
import { Configuration } from "./config_file.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Listeners, PROTECTED_MODE, turnAway } from "./listeners.ts";
import { FIRST_BUFFER_BYTES, Session } from "./session.ts";
import type { SessionHost } from "./session_host.ts";
import type { ClientLimits } from "./client_limits.ts";
import { PAUSE_NONE } from "./pause.ts";
import { LatencyMonitor } from "./latency_monitor.ts";
import { MonitorFeed } from "./monitor_feed.ts";
import { OBSERVATION_HANDLERS } from "./observation_commands.ts";
import { PUBSUB_HANDLERS } from "./pubsub_commands.ts";
import { Rounds } from "./rounds.ts";
import { SlowLog } from "./slow_log.ts";
import { MIGRATE_HANDLERS } from "./migrate_commands.ts";
import { MEMORY_HANDLERS } from "./memory_commands.ts";
import { MemoryMeter } from "./memory_report.ts";
import { Replication } from "./replication.ts";
import { REPLICATION_HANDLERS } from "./replication_commands.ts";
import { TRANSACTION_HANDLERS } from "./transaction_commands.ts";
import { BITMAP_HANDLERS } from "../commands/bitmaps.ts";
import { Persistence } from "./persistence.ts";
import type { OutputGate } from "./output_gate.ts";
import { ShutdownRequest } from "./shutdown_request.ts";
import { type Directive, directivesOf, type Settings, SettingsError } from "./settings.ts";
import { logCrash, logInitialized, logReady, logStart } from "./startup.ts";
import { GENERIC_HANDLERS } from "../commands/generic.ts";
import { GEO_HANDLERS } from "../commands/geo.ts";
import { ALL_SPECS } from "../commands/specs/mod.ts";
import { HASH_HANDLERS } from "../commands/hashes.ts";
import { HYPERLOGLOG_HANDLERS } from "../commands/hyperloglog.ts";
import { LIST_HANDLERS } from "../commands/lists.ts";
import { SET_HANDLERS } from "../commands/sets.ts";
import { SORT_HANDLERS } from "../commands/sort.ts";
import { STREAM_GROUP_HANDLERS } from "../commands/stream_groups.ts";
import { STREAM_HANDLERS } from "../commands/streams.ts";
import { SORTED_SET_ALGEBRA_HANDLERS } from "../commands/sorted_set_algebra.ts";
import { SORTED_SET_RANGE_HANDLERS } from "../commands/sorted_set_ranges.ts";
import { SORTED_SET_HANDLERS } from "../commands/sorted_sets.ts";
import { STRING_HANDLERS } from "../commands/strings.ts";
import { ActiveExpiry } from "../keyspace/active_expiry.ts";
import { Eviction } from "../keyspace/eviction.ts";
import { Journal } from "../keyspace/journal.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { type NotificationSink, notifiedClasses } from "../keyspace/notifications.ts";
import {
  createDumpHandlers,
  createDumpState,
  type DumpState,
} from "../persistence/dump_commands.ts";
import type { SnapshotEngine } from "../persistence/snapshot_engine.ts";
import { Reclaimer } from "./reclaiming.ts";
import { BufferPool } from "../protocol/byte_buffer.ts";
import { ReplyWriter } from "../protocol/reply_writer.ts";
import { afterOthers, type Clock, systemClock } from "../runtime/clock.ts";
import { TurnClock } from "../runtime/turn_clock.ts";
import { type Files, pathFrom, systemFiles } from "../runtime/files.ts";
import { consoleSink, fileSink, Logger, type LogSink } from "../runtime/logging.ts";
import { PidFile } from "../runtime/pid_file.ts";
import { type Randomness, systemRandomness } from "../runtime/random.ts";
import { type Connection, type Sockets, systemSockets } from "../runtime/sockets.ts";

/** Settings by name, as in redis.conf, or directives, which can stand more than once. */
export type ServerOptions = Readonly<Record<string, string>> | readonly Directive[];

/** What a test can put in the place of the machine. */
export interface ServerEnvironment {
  /** Time. @default systemClock */
  readonly clock?: Clock;
  /** Randomness. @default systemRandomness */
  readonly randomness?: Randomness;
  /** Sockets. @default systemSockets */
  readonly sockets?: Sockets;
  /** Takes the log. @default consoleSink, or the file of the setting `logfile` */
  readonly log?: LogSink;
  /** Files. @default systemFiles */
  readonly files?: Files;
  /** Who writes snapshots beside a server. @default a worker if the files are those of the machine, else nobody's help */
  readonly snapshots?: (server: Server) => SnapshotEngine;
  /** The whole path of the config file that the options come from. @default none */
  readonly configFile?: string;
  /** Whether somebody watches the log on a terminal. @default false */
  readonly watched?: boolean;
}

/** How a server is to stop. */
export interface ShutdownManner {
  /** Whether a snapshot is saved. @default where `save` has points */
  readonly save?: boolean;
  /** Whether it stops though it can't save. @default false */
  readonly force?: boolean;
  /** Whether it doesn't wait for replicas that lag. @default false */
  readonly now?: boolean;
}

const OUTPUT_BUFFER_BYTES = 16 * 1024;
const LARGE_OUTPUT_BUFFER_BYTES = 64 * 1024;
const IDLE_FIRST_BUFFERS = 1024;
const IDLE_BUFFERS = 128;
const IDLE_LARGE_BUFFERS = 16;
const TICK_MS = 100;

/** A running server. */
export class Server implements SessionHost {
  /** Settings. */
  readonly settings: Settings;
  /** Databases. */
  readonly keyspace: Keyspace;
  /** The stream of changes. */
  readonly journal: Journal = new Journal();
  /** Removes keys when memory runs short. */
  readonly eviction: Eviction;
  /** Removes keys whose time has come. */
  readonly expiry: ActiveExpiry;
  /** Writes replies. */
  readonly reply: ReplyWriter;
  /** All commands. */
  readonly table: CommandTable;
  /** What is done with clients out of their turns. */
  readonly clients: Clients;
  /** Connected clients by id, oldest first. */
  readonly sessions: Map<number, Session> = new Map();
  /** How much memory was in use at other times. */
  readonly memoryMeter: MemoryMeter = new MemoryMeter();
  /** What DUMP and RESTORE keep between two calls. */
  readonly dumpState: DumpState = createDumpState();
  /** Identifies this run. */
  readonly runId: string;
  /** Its part in replication. */
  readonly replication: Replication;
  /** Sockets. */
  readonly sockets: Sockets;
  /** Unix time in ms of the start. */
  readonly started: number;
  /** Counters for INFO. */
  readonly counters: ServerCounters = new ServerCounters();
  /** Resolves once all data is loaded. */
  readonly ready: Promise<void>;
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
  /** Commands that took long. */
  readonly slowLog: SlowLog = new SlowLog();
  /** What kept the server busy. */
  readonly latency: LatencyMonitor = new LatencyMonitor(() => this.time.unixMs);
  /** What is kept on disk. */
  readonly persistence: Persistence;
  /** Clients that see all commands. */
  readonly monitors: MonitorFeed = new MonitorFeed();
  /** Files. */
  readonly files: Files;
  /** The whole path of the config file, if there is one. */
  readonly configFile: string | undefined;
  /** `requirepass`; empty if clients need none. */
  password = "";
  /** `client-query-buffer-limit`. */
  queryBufferLimit = 0;
  /** `DEBUG SET-ACTIVE-EXPIRE`. */
  activeExpiry = true;
  /** `DEBUG PAUSE-CRON`. */
  cronPaused = false;
  /** Gets the events of keys that `notify-keyspace-events` names. */
  notificationSink: NotificationSink;

  /** Gives memory back in the background. */
  readonly reclaimer: Reclaimer;

  /** Where sessions get their first buffer. */
  readonly firstBuffers: BufferPool = new BufferPool(FIRST_BUFFER_BYTES, IDLE_FIRST_BUFFERS);
  private readonly pool = new BufferPool(OUTPUT_BUFFER_BYTES, IDLE_BUFFERS);
  private readonly largePool = new BufferPool(LARGE_OUTPUT_BUFFER_BYTES, IDLE_LARGE_BUFFERS);
  /** Runs what sessions have sent. */
  readonly dispatcher: Dispatcher;
  private readonly rounds: Rounds;
  private readonly listeners: Listeners;
  /** The shutdown that a signal has asked for. */
  readonly shutdownRequest: ShutdownRequest = new ShutdownRequest(this);
  private readonly pidFile: PidFile;
  private readonly watched: boolean;
  /** Bytes that sessions hold, as they were when last looked at. */
  private sessionBytes = 0;
  private nextSessionId = 1;
  private timer: ReturnType<typeof setInterval> | undefined;
  private stopping = false;
  private finish: (exitCode: number) => void = () => {};
  private becomeReady: () => void = () => {};

  /** Makes a server that doesn't listen yet; see {@linkcode startServer}. */
  constructor(options: ServerOptions, environment: ServerEnvironment = {}) {
    const configuration = new Configuration();
    for (const directive of isDirectives(options) ? options : directivesOf(options)) {
      configuration.load(directive);
    }
    const refused = configuration.settings.refused();
    if (refused !== undefined) throw new SettingsError(`${refused.name}: ${refused.refused}`);
    this.settings = configuration.settings;
    this.files = environment.files ?? systemFiles;
    this.sockets = environment.sockets ?? systemSockets;
    this.configFile = environment.configFile;
    this.watched = environment.watched ?? false;
    this.settings.replace("dir", wholePath(this.settings.text("dir"), this.files));
    this.clock = environment.clock ?? systemClock;
    this.randomness = environment.randomness ?? systemRandomness;
    this.logger = new Logger(environment.log ?? this.sinkOfSettings(), () => this.clock.now());
    this.runId = this.randomness.hex(40);
    this.started = this.clock.now();
    this.keyspace = new Keyspace(
      this.settings.number("databases"),
      this.randomness.secret(),
      this.randomness.secret(),
      this.randomness.number,
    );
    this.reclaimer = new Reclaimer(this.keyspace, this.clock, this.latency);
    this.time = new TurnClock(this.clock);
    this.keyspace.journal = this.journal;
    this.eviction = new Eviction(this, this.randomness.number);
    this.expiry = new ActiveExpiry(this, this.randomness.number);
    this.reply = this.newWriter();
    this.table = new CommandTable(ALL_SPECS, {
      ...STRING_HANDLERS,
      ...BITMAP_HANDLERS,
      ...HYPERLOGLOG_HANDLERS,
      ...STREAM_HANDLERS,
      ...STREAM_GROUP_HANDLERS,
      ...LIST_HANDLERS,
      ...SET_HANDLERS,
      ...HASH_HANDLERS,
      ...SORTED_SET_HANDLERS,
      ...SORTED_SET_RANGE_HANDLERS,
      ...SORTED_SET_ALGEBRA_HANDLERS,
      ...GEO_HANDLERS,
      ...SORT_HANDLERS,
      ...GENERIC_HANDLERS,
      ...createDumpHandlers(this.dumpState),
      ...MIGRATE_HANDLERS,
      ...MEMORY_HANDLERS,
      ...CONNECTION_HANDLERS,
      ...TRANSACTION_HANDLERS,
      ...CLIENT_HANDLERS,
      ...SERVER_HANDLERS,
      ...SAVING_HANDLERS,
      ...OBSERVATION_HANDLERS,
      ...PUBSUB_HANDLERS,
      ...CLUSTER_HANDLERS,
      ...REPLICATION_HANDLERS,
    }, configuration.renamed);
    this.dumpState.log = (line) => this.logger.log("verbose", line);
    this.replication = new Replication(this);
    this.persistence = new Persistence(this, environment.snapshots?.(this));
    this.clients = new Clients(this, () => this.newWriter());
    this.notificationSink = this.clients.subscriptions;
    this.dispatcher = new Dispatcher(this);
    this.rounds = new Rounds(this.dispatcher, this.time);
    this.listeners = new Listeners(this, this.sockets);
    this.pidFile = new PidFile(this.files, this.logger);
    this.finished = new Promise((resolve) => this.finish = resolve);
    this.ready = new Promise((resolve) => this.becomeReady = resolve);
    this.applySettings();
  }

  /** A writer of replies. */
  private newWriter(): ReplyWriter {
    const writer = new ReplyWriter(this.pool, this.largePool);
    writer.onError = (text) => this.counters.countError(text);
    return writer;
  }

  /** Takes the settings into the fields that hot paths read. */
  applySettings(): void {
    applySettings(this);
  }

  /** Has nobody told of events of keys, since they are of the past, or those whom the settings name. */
  muteEvents(mute: boolean): void {
    const { notifyFlags } = this.clients.subscriptions;
    this.keyspace.tellEvents(mute ? null : this.notificationSink, notifiedClasses(notifyFlags));
  }

  /** Sets the counters of INFO to zero. */
  resetStatistics(): void {
    this.counters.reset();
    Object.assign(this.keyspace.counters, { hits: 0, misses: 0, expired: 0, evicted: 0 });
    this.eviction.resetStatistics();
    this.expiry.resetStatistics();
    this.reclaimer.resetStatistics();
    this.replication.resetStatistics();
    for (const command of this.table.byName.values()) command.statistics.reset();
  }

  /** Starts to listen and to keep time. */
  start(): void {
    logStart(this);
    this.refreshTime();
    try {
      this.listeners.start();
    } catch (error) {
      this.clients.stop();
      throw error;
    }
    this.memoryMeter.start(this.usedMemory, this.bufferBytes);
    this.timer = setInterval(() => this.tick(), TICK_MS);
    const pidFile = this.settings.text("pidfile");
    this.pidFile.write(pidFile === "" ? "" : this.pathOf(pidFile));
    logInitialized(this, this.watched);
    this.replication.prepare();
    this.persistence.start(() => {
      logReady(this);
      this.becomeReady();
      this.replication.start();
    });
  }

  /**
   * Stops: saves what is to be saved, closes all connections and resolves {@linkcode finished}, without waiting for replicas. Whether it
   * does: data that can't be saved keeps the server alive, unless it is forced.
   */
  async shutdown(manner: ShutdownManner = {}): Promise<boolean> {
    if (!this.canShutDown(manner)) return false;
    await this.shutDownNow();
    return true;
  }

  /** Saves what is to be saved before the end; whether that worked, or doesn't matter. */
  canShutDown(manner: ShutdownManner): boolean {
    if (this.stopping) return true;
    // Before anything is saved: keys that have moved are gone.
    this.clients.migrations.cancel();
    return this.persistence.finish(manner);
  }

  /** Stops, without saving anything. */
  async shutDownNow(): Promise<void> {
    if (this.stopping) return;
    // Replicas that listen get what is left.
    this.journal.endTurn();
    this.replication.replicas.feed();
    this.stop();
    await this.listeners.closed();
    this.logger.log("warning", "miniredis is now ready to exit, bye bye...");
    this.finish(0);
  }

  /** Ends at once with an exit code; the log knows why. */
  end(exitCode: number): void {
    if (this.stopping) return;
    this.stop();
    this.finish(exitCode);
  }

  /** Whether it listens, or has. */
  get isStarted(): boolean {
    return this.timer !== undefined;
  }

  /** Whether it is about to end. */
  get isStopping(): boolean {
    return this.stopping;
  }

  /** Whether sessions are having turns, after which all of them are written to. */
  get inRound(): boolean {
    return this.rounds.active;
  }

  /** Where output waits for the disk. */
  get gate(): OutputGate {
    return this.persistence.gate;
  }

  /**
   * Ends at once after a fault, our own or one that DEBUG plays, or a signal, of which `fault` is the number: nothing is saved,
   * nobody is told but the log.
   */
  crash(fault: unknown, exitCode: number = 1): void {
    if (this.stopping) return;
    this.stopping = true;
    logCrash(this, fault);
    this.stop(this.clients.running);
    this.finish(exitCode);
  }

  /** Ends what goes on, takes in no more clients, and closes those there are; but `running`, in whose turn that is, only after it. */
  private stop(running: Session | null = null): void {
    this.stopping = true;
    clearInterval(this.timer);
    this.reclaimer.stop();
    this.replication.stop();
    this.clients.migrations.stop();
    this.persistence.stop();
    this.pidFile.remove();
    this.listeners.close();
    for (const session of [...this.sessions.values()]) {
      if (session === running) session.closing = true;
      else session.close();
    }
    this.clients.stop();
  }

  /** Listens where the settings say, if that is elsewhere than before. */
  moveListeners(): Promise<void> {
    return this.listeners.move();
  }

  /** Where the log goes if nobody says otherwise. */
  private sinkOfSettings(): LogSink {
    const path = this.settings.text("logfile");
    return path === "" ? consoleSink : fileSink(this.pathOf(path), this.files);
  }

  /** A path of the settings, which is seen from the folder `dir`. */
  pathOf(path: string): string {
    return pathFrom(this.settings.text("dir"), path);
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

  /** Bytes of what belongs to all clients together, buffers and topics; spare ones, as spare room in segments, don't count. */
  get bufferBytes(): number {
    return this.pool.usedBytes + this.largePool.usedBytes + this.clients.subscriptions.bytes;
  }

  /** Bytes of memory for keys, values, and the buffers of clients. */
  get usedMemory(): number {
    let bytes = this.keyspace.dataBytes + this.bufferBytes + this.replication.streamBytes;
    for (const session of this.sessions.values()) bytes += session.memory;
    return bytes;
  }

  /** Brings {@linkcode sessionBytes} up to date with what `session` holds. */
  private countMemory(session: Session): void {
    const held = session.memory;
    this.sessionBytes += held - session.heldBytes;
    session.heldBytes = held;
  }

  /**
   * Bytes that count against `maxmemory`: as {@linkcode usedMemory}, but without asking each session, and without what waits for replicas
   * that are behind. If that counted, removing keys would make it more.
   */
  get countedMemory(): number {
    return this.keyspace.dataBytes + this.bufferBytes + this.sessionBytes +
      this.replication.backlogBytes;
  }

  /** Lets go of buffers that are kept for the next who needs one. */
  dropIdleBuffers(): void {
    for (const pool of [this.firstBuffers, this.pool, this.largePool]) pool.dropIdle();
  }

  /** Whether no key may be evicted now. */
  get evictionPaused(): boolean {
    return this.stopping || this.clients.pause.kind !== PAUSE_NONE;
  }

  /** Whether no key may be removed now for having expired, unless somebody asks for it. */
  get expiryPaused(): boolean {
    return this.stopping || !this.activeExpiry || this.replication.isReplica ||
      this.clients.pause.kind !== PAUSE_NONE;
  }

  /** Sets the time that commands and expiry go by to now. */
  refreshTime(): void {
    this.time.look();
    this.keyspace.setTime(this.time.unixMs);
  }

  /** Keys were evicted between two turns. */
  afterEviction(): void {
    this.dispatcher.runner.serveWaiting();
    this.journal.endTurn();
    this.clients.tracking.afterTurn();
  }

  /** Expired keys were looked for between two turns. */
  afterExpiry(elapsedMs: number): void {
    this.latency.add("expire-cycle", elapsedMs);
    this.dispatcher.runner.serveWaiting();
    this.journal.endTurn();
    this.clients.tracking.afterTurn();
  }

  /** Unix time in ms. */
  now(): number {
    return this.clock.now();
  }

  /** What clients may take. */
  get limits(): ClientLimits {
    return this.clients.limits;
  }

  /** Logs that a client sends more than may wait. */
  logTooLong(session: Session): void {
    this.clients.logTooLong(session);
  }

  /** Forgets a session that has been closed. */
  forget(session: Session): void {
    this.sessions.delete(session.id);
    this.sessionBytes -= session.heldBytes;
    session.heldBytes = 0;
    this.replication.forget(session);
    this.clients.forget(session);
    if (session.monitoring) this.monitors.remove(session);
    this.dispatcher.dropBlock(session);
  }

  /** Sends a session the messages that wait for it, after others. */
  deliverLater(session: Session): void {
    this.clients.subscriptions.deliverLater(session);
  }

  /** Runs a session's requests after others had their turn. */
  processLater(session: Session): void {
    afterOthers(() => {
      if (session.unfinished && !session.closed && !session.writing) this.process(session);
    });
  }

  /** Has the requests in a session's buffer run in the round that comes. */
  process(session: Session): void {
    this.countMemory(session);
    this.rounds.join(session);
  }

  /** Has the session send its replies when the round is over. */
  sendLater(session: Session): void {
    this.rounds.sendLater(session);
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
    this.adopt(connection).startRead();
  }

  /** Makes a session of a connection, which isn't read yet. */
  adopt(connection: Connection): Session {
    const id = this.nextSessionId++;
    const session = new Session(
      this,
      connection,
      id,
      this.clients.takeDescriptor(),
      this.clock.now(),
      this.open,
    );
    this.sessions.set(id, session);
    return session;
  }

  /** Background work, every 100 ms. */
  private tick(): void {
    if (this.cronPaused) return;
    this.shutdownRequest.run();
    if (this.stopping) return;
    this.time.correct();
    const now = this.time.unixMs;
    this.keyspace.setTime(now);
    this.persistence.tick();
    this.replication.tick();
    this.counters.sample(this.time.last);
    this.memoryMeter.note(this.countedMemory);
    this.clients.tick(now);
    for (const session of this.sessions.values()) {
      // A session that has no turn holds less and less, as it is sent what waits.
      this.countMemory(session);
      session.readOnIfStuck();
    }
    if (this.persistence.loading !== null) return;
    this.expiry.startCycle();
    this.reclaimer.tick(this.counters.commands);
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

function isDirectives(options: ServerOptions): options is readonly Directive[] {
  return Array.isArray(options);
}

/** The whole path of a folder, or what was asked for where the program may not look. */
function wholePath(folder: string, files: Files): string {
  try {
    return files.folder(folder);
  } catch {
    return folder;
  }
}
